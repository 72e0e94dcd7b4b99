/* rows.h — walks over rows of C reals, with sums always in the same order.
 *
 * A long row is walked VL reals at a time, the last turn a part.  Short rows are taken VL at a time and turned, so that a lane holds
 * a row: no work is spent on empty lanes, nor on folding lanes onto each other, and the rows' chains of
 * dependent operations run side by side.
 */
#ifndef FNN_ROWS_H
#define FNN_ROWS_H

#include "vmath.h"

/* The first n lanes of v; the others are `filler`. */
INLINE vec keep_lanes(vec v, ptrdiff_t n, real filler) {
    return n >= VL ? v : choose(lane_numbers() < (ivec){0} + (real_int)n, v, splat(filler));
}

INLINE vec load_filled(const real *p, ptrdiff_t n, real filler) {
    return n >= VL ? load(p) : keep_lanes(load_part(p, n), n, filler);
}

/* max x; NaN if one is in the row. */
INLINE real row_max(const real *x, ptrdiff_t C) {
    const real lowest = -(real)__builtin_inf();
    vec most_lanes = splat(lowest);
    for (ptrdiff_t c = 0; c < C; c += VL) most_lanes = vec_max(most_lanes, load_filled(x + c, C - c, lowest));
    return max_lanes(most_lanes);
}

INLINE real row_sum(const real *x, ptrdiff_t C) {
    vec sum = {0};
    for (ptrdiff_t c = 0; c < C; c += VL) sum += load_upto(x + c, C - c);
    return sum_lanes(sum);
}

/* Sum of e^(x − max), each stored in `e` unless that is NULL; e may be x. */
INLINE real row_exp_sum(real *e, const real *x, real max, ptrdiff_t C) {
    vec sum = {0};
    for (ptrdiff_t c = 0; c < C; c += VL) {
        vec v = vec_exp(load_filled(x + c, C - c, -(real)__builtin_inf()) - max);
        if (e) store_upto(e + c, v, C - c);
        sum += v;
    }
    return sum_lanes(sum);
}

INLINE void row_scale(real *x, real factor, ptrdiff_t C) {
    for (ptrdiff_t c = 0; c < C; c += VL) store_upto(x + c, load_upto(x + c, C - c) * factor, C - c);
}

/* ---- short rows ---- */

enum { SHORT_ROW = 32 }; /* the longest; turning costs about as much as folding from there on */

/* Items of a kernel over rows: blocks of VL rows if they are short, else single rows. */
INLINE ptrdiff_t row_items(ptrdiff_t rows, ptrdiff_t C) { return C <= SHORT_ROW ? ceil_div(rows, VL) : rows; }

/* column[c] = lanes x[0, c], x[1, c], …, x[n - 1, c], the rest 0. */
INLINE void turn_rows(real column[SHORT_ROW][VL], const real *x, ptrdiff_t n, ptrdiff_t C) {
    for (ptrdiff_t r = 0; r < n; r++)
        for (ptrdiff_t c = 0; c < C; c++) column[c][r] = x[r * C + c];
    for (ptrdiff_t r = n; r < VL; r++)
        for (ptrdiff_t c = 0; c < C; c++) column[c][r] = 0;
}

INLINE void turn_back(real *y, const real column[SHORT_ROW][VL], ptrdiff_t n, ptrdiff_t C) {
    for (ptrdiff_t r = 0; r < n; r++)
        for (ptrdiff_t c = 0; c < C; c++) y[r * C + c] = column[c][r];
}

INLINE vec columns_max(const real column[SHORT_ROW][VL], ptrdiff_t C) {
    vec max = splat(-(real)__builtin_inf());
    for (ptrdiff_t c = 0; c < C; c++) max = vec_max(max, load(column[c]));
    return max;
}

/* Sum of e^(x − max), each stored in `e` unless that is NULL; e may be the columns. */
INLINE vec columns_exp_sum(real e[SHORT_ROW][VL], const real column[SHORT_ROW][VL], vec max, ptrdiff_t C) {
    vec sum = {0};
    for (ptrdiff_t c = 0; c < C; c++) {
        vec v = vec_exp(load(column[c]) - max);
        if (e) store(e[c], v);
        sum += v;
    }
    return sum;
}

/* ---- one number ---- */

INLINE real log_of(real a) { return vec_log(splat(a))[0]; }

#endif

/* rows.h — walks over one row of C reals, VL at a time, the last turn a part; sums always in the same order. */
#ifndef FNN_ROWS_H
#define FNN_ROWS_H

#include "vmath.h"

INLINE ivec lane_numbers(void) {
    ivec lane;
    for (int i = 0; i < VL; i++) lane[i] = i;
    return lane;
}

/* The first n lanes of v; the others are `filler`. */
INLINE vec keep_lanes(vec v, ptrdiff_t n, real filler) {
    return n >= VL ? v : choose(lane_numbers() < (ivec){0} + (real_int)n, v, splat(filler));
}

INLINE vec load_filled(const real *p, ptrdiff_t n, real filler) { return n >= VL ? load(p) : keep_lanes(load_part(p, n), n, filler); }

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

INLINE real log_of(real a) { return vec_log(splat(a))[0]; }

#endif

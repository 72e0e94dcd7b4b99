/* rows.h — loops over rows of C reals, with sums always in the same order.
 *
 * A row is walked VL reals at a time, the last turn a part: alone, or GROUP rows side by side, so that their chains of dependent
 * operations overlap, their lanes are folded together, and what belongs to a column is loaded once for all of them.
 * Losses take short rows VL at a time and turn them, so that a lane holds a row.
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

/* max x; NaN if the row contains one. */
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

/* Sum of e^(x − max), each stored in `e` unless that is NULL; NaN if one is in the row; e may be x. */
INLINE real row_exp_sum(real *e, const real *x, real max, ptrdiff_t C) {
    vec sum = {0}, seen = {0};
    for (ptrdiff_t c = 0; c < C; c += VL) {
        vec power = vec_exp_negative(load_filled(x + c, C - c, -(real)__builtin_inf()) - max, &seen);
        if (e) store_upto(e + c, power, C - c);
        sum += power;
    }
    return sum_lanes(sum + (seen - seen)); /* plus 0, or NaN */
}

INLINE void row_scale(real *x, real factor, ptrdiff_t C) {
    for (ptrdiff_t c = 0; c < C; c += VL) store_upto(x + c, load_upto(x + c, C - c) * factor, C - c);
}

/* ---- rows side by side ---- */

enum { GROUP = 4 }; /* as many rows as have their sums and factors in registers */

#if VBYTES * 8 / FNN_BITS >= 4
/* Lanes of a and b by turns, from those of each four lanes that begin at `start`: a0 b0 a1 b1, or a2 b2 a3 b3. */
INLINE vec by_turns(vec a, vec b, int start) {
    ivec lane = lane_numbers();
    return pick_lanes(a, b, (lane & ~3) + start + ((lane & 3) >> 1) + (lane & 1) * VL);
}

/* Two lanes of a and two of b, of each four: a0 a1 b0 b1, or a2 a3 b2 b3. */
INLINE vec in_twos(vec a, vec b, int start) {
    ivec lane = lane_numbers();
    return pick_lanes(a, b, (lane & ~3) + start + (lane & 1) + ((lane & 2) >> 1) * VL);
}
#endif

INLINE vec sum_of(vec a, vec b) { return a + b; }

/* Folds the lanes of each row's register with `join`, sum_of or greater_of; result[i] is that of row i. */
INLINE void fold_rows(vec (*join)(vec, vec), const vec row[GROUP], real result[GROUP]) {
#if VBYTES * 8 / FNN_BITS >= 4
    vec first = join(by_turns(row[0], row[1], 0), by_turns(row[0], row[1], 2));
    vec second = join(by_turns(row[2], row[3], 0), by_turns(row[2], row[3], 2));
    vec all = join(in_twos(first, second, 0), in_twos(first, second, 2));
#pragma GCC unroll 4
    for (int half = VL / 2; half > 2; half /= 2) all = join(all, exchange_lanes(all, half));
    memcpy(result, &all, GROUP * sizeof(real));
#else
    for (int i = 0; i < GROUP; i++) result[i] = join(row[i], exchange_lanes(row[i], 1))[0];
#endif
}

/* The same of the first `rows` rows, 1 or GROUP: a row has the same bits alone and in a group. */
INLINE void fold_group(vec (*join)(vec, vec), const int rows, const vec row[GROUP], real result[GROUP]) {
    const vec alone[GROUP] = {row[0], row[0], row[0], row[0]};
    fold_rows(join, rows == 1 ? alone : row, result);
}

/* Rows of a group, C apart: `rows` is a constant, 1 or GROUP.  Longer rows go alone: a group of them would leave L1 before its
 * second walk. */
enum { LONGEST_OF_GROUP = 1024 };

INLINE ptrdiff_t rows_of_item(ptrdiff_t C) { return C > LONGEST_OF_GROUP ? 1 : GROUP; }

#define EACH_ROW(i) for (int i = 0; i < rows; i++)

/* The largest of each row, even if NaN is among them. */
INLINE void group_max(const int rows, const real *x, ptrdiff_t C, real max[GROUP]) {
    const real lowest = -(real)__builtin_inf();
    vec most_lanes[GROUP];
    EACH_ROW (i) most_lanes[i] = splat(lowest);
    ptrdiff_t c = 0;
    /* The main loop: */
    for (; c + VL <= C; c += VL)
        EACH_ROW (i) most_lanes[i] = greater_of(load(x + i * C + c), most_lanes[i]);
    /* The tail: */
    if (c < C)
        EACH_ROW (i) most_lanes[i] = greater_of(load_filled(x + i * C + c, C - c, lowest), most_lanes[i]);
    fold_group(greater_of, rows, most_lanes, max);
}

/* Sums of e^(x − max), NaN if one is in the row; each power is stored in `e` unless that is NULL; e may be x. */
INLINE void group_exp_sum(const int rows, real *e, const real *x, const real max[GROUP], ptrdiff_t C, real sum[GROUP]) {
    vec sums[GROUP], seen[GROUP];
    EACH_ROW (i) sums[i] = seen[i] = (vec){0};
    ptrdiff_t c = 0;
    /* The main loop; meanwhile the next group comes nearer: */
    for (; c + VL <= C; c += VL)
        EACH_ROW (i) {
            __builtin_prefetch(x + (i + rows) * C + c, 0, 2);
            vec power = vec_exp_negative(load(x + i * C + c) - max[i], &seen[i]);
            if (e) store(e + i * C + c, power);
            sums[i] += power;
        }
    /* The tail: */
    if (c < C)
        EACH_ROW (i) {
            vec left = load_filled(x + i * C + c, C - c, -(real)__builtin_inf());
            vec power = vec_exp_negative(left - max[i], &seen[i]);
            if (e) store_part(e + i * C + c, power, C - c);
            sums[i] += power;
        }
    EACH_ROW (i) sums[i] += seen[i] - seen[i]; /* 0, or NaN */
    fold_group(sum_of, rows, sums, sum);
}

/* The logarithm of each row's number. */
INLINE void group_log(real number[GROUP]) {
    for (int i = 0; i < GROUP; i += VL) store_upto(number + i, vec_log(load_upto(number + i, GROUP - i)), GROUP - i);
}

/* ---- short rows ---- */

enum { SHORT_ROW = 32 }; /* the longest; beyond it, transposing costs as much as reducing lanes */

/* Items of a kernel over rows: blocks of VL rows if they are short, otherwise single rows. */
INLINE ptrdiff_t row_items(ptrdiff_t rows, ptrdiff_t C) { return C <= SHORT_ROW ? ceil_div(rows, VL) : rows; }

/* Turns a square of VL registers: lane j of register i and lane i of register j change places. */
INLINE void turn_square(vec v[VL]) {
    int distance = 1;
#if VBYTES * 8 / FNN_BITS >= 4
    for (int i = 0; i < VL; i += 4) {
        vec low = by_turns(v[i], v[i + 1], 0), high = by_turns(v[i], v[i + 1], 2);
        vec low_2 = by_turns(v[i + 2], v[i + 3], 0), high_2 = by_turns(v[i + 2], v[i + 3], 2);
        v[i] = in_twos(low, low_2, 0);
        v[i + 1] = in_twos(low, low_2, 2);
        v[i + 2] = in_twos(high, high_2, 0);
        v[i + 3] = in_twos(high, high_2, 2);
    }
    distance = 4;
#endif
    for (; distance < VL; distance *= 2)
        for (int i = 0; i < VL; i++)
            if (!(i & distance)) {
                vec a = v[i], b = v[i + distance];
                ivec lane = lane_numbers(), upper = (lane & distance) != 0; /* ones where the lane is */
                v[i] = pick_lanes(a, b, lane + (upper & (real_int)(VL - distance)));
                v[i + distance] = pick_lanes(a, b, lane + distance + (upper & (real_int)(VL - distance)));
            }
}

/* column[c] = lanes x[0, c], x[1, c], …, x[n - 1, c], the rest 0. */
INLINE void turn_rows(real column[SHORT_ROW][VL], const real *x, ptrdiff_t n, ptrdiff_t C) {
    for (ptrdiff_t c = 0; c < C; c += VL) {
        vec square[VL];
        for (int r = 0; r < VL; r++) square[r] = r < n ? load_upto(x + r * C + c, C - c) : (vec){0};
        turn_square(square);
        for (int j = 0; j < VL; j++) store(column[c + j], square[j]);
    }
}

INLINE void turn_back(real *y, const real column[SHORT_ROW][VL], ptrdiff_t n, ptrdiff_t C) {
    for (ptrdiff_t c = 0; c < C; c += VL) {
        vec square[VL];
        for (int j = 0; j < VL; j++) square[j] = load(column[c + j]);
        turn_square(square);
        for (int r = 0; r < VL; r++)
            if (r < n) store_upto(y + r * C + c, square[r], C - c);
    }
}

/* The largest of each row, even if NaN is among them. */
INLINE vec columns_max(const real column[SHORT_ROW][VL], ptrdiff_t C) {
    vec max = splat(-(real)__builtin_inf());
    for (ptrdiff_t c = 0; c < C; c++) max = greater_of(load(column[c]), max);
    return max;
}

/* Sums of e^(x − max), NaN if one is in the row; each is stored in `e` unless that is NULL; e may be the columns. */
INLINE vec columns_exp_sum(real e[SHORT_ROW][VL], const real column[SHORT_ROW][VL], vec max, ptrdiff_t C) {
    vec sum = {0}, seen = {0};
    for (ptrdiff_t c = 0; c < C; c++) {
        vec power = vec_exp_negative(load(column[c]) - max, &seen);
        if (e) store(e[c], power);
        sum += power;
    }
    return sum + (seen - seen); /* plus 0, or NaN */
}

/* ---- one number ---- */

INLINE real log_of(real a) { return vec_log(splat(a))[0]; }

#endif

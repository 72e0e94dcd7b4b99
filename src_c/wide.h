/* wide.h — vectors of doubles in either precision, for sums that must be exact enough to base decisions on. */
#ifndef FNN_WIDE_H
#define FNN_WIDE_H

#include "real.h"

enum { WIDE = VBYTES / 8 }; /* doubles in a register */

typedef double wide __attribute__((vector_size(VBYTES)));
typedef int64_t wide_int __attribute__((vector_size(VBYTES))); /* lane masks and indices */
typedef real narrow __attribute__((vector_size(WIDE * sizeof(real)), aligned(sizeof(real)), may_alias));

INLINE wide splat_wide(double a) { return a - (wide){0}; }
INLINE wide choose_wide(wide_int mask, wide a, wide b) { return (wide)((mask & (wide_int)a) | (~mask & (wide_int)b)); }

/* The first n reals, 0 <= n <= WIDE, as doubles; the other lanes are zero. */
INLINE wide load_wide(const real *p, ptrdiff_t n) {
    narrow v = {0};
    if (n == WIDE) v = *(const narrow *)p;
    else memcpy(&v, p, (size_t)n * sizeof(real));
    return __builtin_convertvector(v, wide);
}

INLINE void store_wide(real *p, wide a, ptrdiff_t n) {
    narrow v = __builtin_convertvector(a, narrow);
    if (n == WIDE) *(narrow *)p = v;
    else memcpy(p, &v, (size_t)n * sizeof(real));
}

/* Sums over lanes, in one fixed order. */
INLINE double sum_wide(wide v) {
    double total = v[0];
    for (int i = 1; i < WIDE; i++) total += v[i];
    return total;
}

#endif

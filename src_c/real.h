/* real.h — one source, two precisions, several instruction sets.
 *
 * Each kernel file is compiled once per (tier, precision) with -DFNN_TIER=<name> -DFNN_BITS=32|64 and the flags of the
 * tier.  `real` is float or double, `vec` is a register of reals (GCC/Clang vector extension), and VL is its length.
 * FNN(name) is the exported name of a kernel, for instance fnn_dense_forward_avx2_f32.  Everything else in a kernel
 * file and in the headers it includes is static: nothing compiled for one tier can be linked into another.
 */
#ifndef FNN_REAL_H
#define FNN_REAL_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "fnn.h"
#include "pool.h"

#if defined(__AVX512F__) || defined(__AVX2__)
#include <immintrin.h>
#endif

#define FNN_PASTE4(a, b, c, d) a##b##c##d
#define FNN_NAME(name, tier, suffix) FNN_PASTE4(fnn_##name##_, tier, _, suffix)

#if FNN_BITS == 32
typedef float real;
typedef int32_t real_int;
typedef uint32_t real_uint;
#define FNN(name) FNN_NAME(name, FNN_TIER, f32)
#define REAL_EPSILON 1.1920929e-07f
#else
typedef double real;
typedef int64_t real_int;
typedef uint64_t real_uint;
#define FNN(name) FNN_NAME(name, FNN_TIER, f64)
#define REAL_EPSILON 2.220446049250313e-16
#endif

/* Bytes of a vector register. */
#if defined(__AVX512F__)
#define VBYTES 64
#elif defined(__AVX2__)
#define VBYTES 32
#else
#define VBYTES 16
#endif

enum { VL = VBYTES / (int)sizeof(real) };

typedef real vec __attribute__((vector_size(VBYTES)));
typedef real_int ivec __attribute__((vector_size(VBYTES)));  /* lane masks and bit patterns */
typedef real_uint uvec __attribute__((vector_size(VBYTES)));
typedef real vec_anywhere __attribute__((vector_size(VBYTES), aligned(sizeof(real)), may_alias));

#define INLINE static inline __attribute__((always_inline, unused))
#if defined(__clang__)
#define ONE_COPY static __attribute__((noinline))
#else
#define ONE_COPY static __attribute__((noinline, noclone)) /* a long function: no copies for the constants of a caller */
#endif

INLINE ptrdiff_t least(ptrdiff_t a, ptrdiff_t b) { return a < b ? a : b; }
INLINE ptrdiff_t most(ptrdiff_t a, ptrdiff_t b) { return a > b ? a : b; }
INLINE ptrdiff_t ceil_div(ptrdiff_t a, ptrdiff_t b) { return (a + b - 1) / b; }
INLINE ptrdiff_t round_up(ptrdiff_t a, ptrdiff_t b) { return ceil_div(a, b) * b; }

INLINE vec load(const real *p) { return *(const vec_anywhere *)p; }
INLINE void store(real *p, vec v) { *(vec_anywhere *)p = v; }
INLINE vec splat(real a) { return a - (vec){0}; } /* a - 0 is a, for every a: NaN and -0 too */

INLINE ivec lane_numbers(void) {
    ivec lane = {0};
#pragma GCC unroll 16
    for (int i = 0; i < VL; i++) lane[i] = i;
    return lane;
}

/* The first n lanes (0 <= n < VL); the others are zero. */
INLINE vec load_part(const real *p, ptrdiff_t n) {
#if defined(__AVX512F__) && FNN_BITS == 32
    return (vec)_mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), p);
#elif defined(__AVX512F__)
    return (vec)_mm512_maskz_loadu_pd((__mmask8)((1u << n) - 1), p);
#elif defined(__AVX2__) && FNN_BITS == 32
    return (vec)_mm256_maskload_ps(p, (__m256i)(lane_numbers() < (ivec){0} + (real_int)n));
#elif defined(__AVX2__)
    return (vec)_mm256_maskload_pd(p, (__m256i)(lane_numbers() < (ivec){0} + (real_int)n));
#else
    vec v = {0};
    memcpy(&v, p, (size_t)n * sizeof(real));
    return v;
#endif
}

/* Without masks a partial vector is stored in pieces of half a register, a quarter, …: copying n reals would be a
 * function call, and masked stores are slow on some processors. */
INLINE void store_part(real *p, vec v, ptrdiff_t n) {
#if defined(__AVX512F__) && FNN_BITS == 32
    _mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1), (__m512)v);
#elif defined(__AVX512F__)
    _mm512_mask_storeu_pd(p, (__mmask8)((1u << n) - 1), (__m512d)v);
#else
    const char *from = (const char *)&v;
    ptrdiff_t at = 0;
#pragma GCC unroll 4
    for (int piece = VL / 2; piece > 0; piece /= 2)
        if (n & piece) {
            memcpy(p + at, from + at * (ptrdiff_t)sizeof(real), (size_t)piece * sizeof(real));
            at += piece;
        }
#endif
}

/* A full vector if n >= VL, otherwise a partial one: the tail of a loop is its last iteration. */
INLINE vec load_upto(const real *p, ptrdiff_t n) { return n >= VL ? load(p) : load_part(p, n); }
INLINE void store_upto(real *p, vec v, ptrdiff_t n) {
    if (n >= VL) store(p, v);
    else store_part(p, v, n);
}

/* Per lane: mask ? a : b, for masks of all ones or all zeros, as comparisons return them. */
INLINE vec choose(ivec mask, vec a, vec b) { return (vec)((mask & (ivec)a) | (~mask & (ivec)b)); }
INLINE ivec is_nan(vec a) { return a != a; }

/* Maximum and minimum that propagate NaN: if a or b is NaN, so is the result. */
INLINE vec vec_max(vec a, vec b) { return choose((b > a) | is_nan(b), b, a); }
INLINE vec vec_min(vec a, vec b) { return choose((b < a) | is_nan(b), b, a); }

/* The processor's maximum and minimum: b if one of the two is NaN. */
INLINE vec greater_of(vec a, vec b) {
#if defined(__AVX512F__) && FNN_BITS == 32
    return (vec)_mm512_max_ps((__m512)a, (__m512)b);
#elif defined(__AVX512F__)
    return (vec)_mm512_max_pd((__m512d)a, (__m512d)b);
#elif defined(__AVX2__) && FNN_BITS == 32
    return (vec)_mm256_max_ps((__m256)a, (__m256)b);
#elif defined(__AVX2__)
    return (vec)_mm256_max_pd((__m256d)a, (__m256d)b);
#else
    return choose(a > b, a, b);
#endif
}

INLINE vec smaller_of(vec a, vec b) {
#if defined(__AVX512F__) && FNN_BITS == 32
    return (vec)_mm512_min_ps((__m512)a, (__m512)b);
#elif defined(__AVX512F__)
    return (vec)_mm512_min_pd((__m512d)a, (__m512d)b);
#elif defined(__AVX2__) && FNN_BITS == 32
    return (vec)_mm256_min_ps((__m256)a, (__m256)b);
#elif defined(__AVX2__)
    return (vec)_mm256_min_pd((__m256d)a, (__m256d)b);
#else
    return choose(a < b, a, b);
#endif
}

/* x, but not above (below) a limit; NaN stays. */
INLINE vec at_most(vec x, real limit) { return smaller_of(splat(limit), x); }
INLINE vec at_least(vec x, real limit) { return greater_of(splat(limit), x); }

INLINE vec vec_abs(vec a) { return (vec)((uvec)a & ~((uvec){0} + ((real_uint)1 << (FNN_BITS - 1)))); }

INLINE vec vec_sqrt(vec a) {
#if defined(__AVX512F__) && FNN_BITS == 32
    return (vec)_mm512_sqrt_ps((__m512)a);
#elif defined(__AVX512F__)
    return (vec)_mm512_sqrt_pd((__m512d)a);
#elif defined(__AVX2__) && FNN_BITS == 32
    return (vec)_mm256_sqrt_ps((__m256)a);
#elif defined(__AVX2__)
    return (vec)_mm256_sqrt_pd((__m256d)a);
#else
    for (int i = 0; i < VL; i++) a[i] = FNN_BITS == 32 ? __builtin_sqrtf((float)a[i]) : __builtin_sqrt(a[i]);
    return a;
#endif
}

/* One bit per lane, lane 0 lowest: set where v is not 0 (NaN is not 0). */
INLINE unsigned lanes_nonzero(vec v) {
#if defined(__AVX512F__) && FNN_BITS == 32
    return _mm512_cmp_ps_mask((__m512)v, _mm512_setzero_ps(), _CMP_NEQ_UQ);
#elif defined(__AVX512F__)
    return _mm512_cmp_pd_mask((__m512d)v, _mm512_setzero_pd(), _CMP_NEQ_UQ);
#elif defined(__AVX2__) && FNN_BITS == 32
    return (unsigned)_mm256_movemask_ps((__m256)(v != 0));
#elif defined(__AVX2__)
    return (unsigned)_mm256_movemask_pd((__m256d)(v != 0));
#else
    unsigned bits = 0;
    for (int i = 0; i < VL; i++) bits |= (unsigned)(v[i] != 0) << i;
    return bits;
#endif
}

/* Lane i of the result is lane i ^ distance of v. */
INLINE vec exchange_lanes(vec v, int distance) {
#if defined(__clang__)
    vec w = v;
    for (int i = 0; i < VL; i++) w[i] = v[i ^ distance];
    return w;
#else
    return __builtin_shuffle(v, lane_numbers() ^ distance);
#endif
}

/* Lane i of the result is lane from[i] of a, or lane from[i] - VL of b. */
INLINE vec pick_lanes(vec a, vec b, ivec from) {
#if defined(__clang__)
    vec w = a;
    for (int i = 0; i < VL; i++) w[i] = from[i] < VL ? a[from[i] % VL] : b[from[i] % VL];
    return w;
#else
    return __builtin_shuffle(a, b, from);
#endif
}

/* Reductions over lanes, in one fixed order: halves are folded onto each other. */
INLINE real sum_lanes(vec v) {
#pragma GCC unroll 4
    for (int half = VL / 2; half > 0; half /= 2) v += exchange_lanes(v, half);
    return v[0];
}

INLINE real max_lanes(vec v) { /* propagates NaN */
#pragma GCC unroll 4
    for (int half = VL / 2; half > 0; half /= 2) v = vec_max(v, exchange_lanes(v, half));
    return v[0];
}

/* The declarations of all kernels for this tier and precision. */
#define FNN_KERNEL(name, parameters, arguments) int FNN(name) parameters;
#include "kernels.def"
#undef FNN_KERNEL

#endif

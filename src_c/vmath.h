/* vmath.h — exp, log, tanh, sigmoid on vectors of reals.
 *
 * Every function is branch-free, accepts every input (NaN, infinities, denormals), and propagates NaN.  Error bounds,
 * in units in the last place: exp 2, log 2, tanh 4, sigmoid 4; tests/kernels/test_vmath.py measures them.
 */
#ifndef FNN_VMATH_H
#define FNN_VMATH_H

#include "real.h"

#if FNN_BITS == 32
#define LN2_HIGH 0.693359375f /* few bits: n * LN2_HIGH is exact */
#define LN2_LOW -2.12194440e-4f
#define LOG2_E 1.44269504088896341f
#define ROUNDING 12582912.0f /* 1.5 * 2^23: adding it leaves the nearest integer in the low bits */
#define MANTISSA_BITS 23
#define EXPONENT_BIAS 127
#define EXP_OVERFLOW 89.0f
#define EXP_UNDERFLOW -104.0f
#define TANH_ONE 20.0f /* tanh(x) rounds to 1 where 2x is beyond */
#else
#define LN2_HIGH 6.93147180369123816490e-01
#define LN2_LOW 1.90821492927058770002e-10
#define LOG2_E 1.44269504088896338700
#define ROUNDING 6755399441055744.0
#define MANTISSA_BITS 52
#define EXPONENT_BIAS 1023
#define EXP_OVERFLOW 710.0
#define EXP_UNDERFLOW -746.0
#define TANH_ONE 42.0
#endif

/* 2^n for integers n in the normal range, built from bits. */
INLINE vec power_of_two(ivec n) { return (vec)((n + EXPONENT_BIAS) << MANTISSA_BITS); }

/* x = n ln 2 + r with |r| <= ln(2) / 2. */
INLINE ivec reduce_by_ln2(vec x, vec *r) {
    vec shifted = x * LOG2_E + ROUNDING;
    vec n = shifted - ROUNDING;
    *r = (x - n * LN2_HIGH) - n * LN2_LOW;
    return (ivec)shifted - (ivec)splat(ROUNDING);
}

/* exp(r) - 1 for |r| <= ln(2) / 2, by its Taylor series; the first omitted term is below half an ulp of the sum. */
INLINE vec expm1_series(vec r) {
#if FNN_BITS == 32
    vec s = splat(1.0f / 5040);
    s = s * r + 1.0f / 720;
#else
    vec s = splat(1.0 / 6227020800);
    s = s * r + 1.0 / 479001600;
    s = s * r + 1.0 / 39916800;
    s = s * r + 1.0 / 3628800;
    s = s * r + 1.0 / 362880;
    s = s * r + 1.0 / 40320;
    s = s * r + 1.0 / 5040;
    s = s * r + 1.0 / 720;
#endif
    s = s * r + (real)(1.0 / 120);
    s = s * r + (real)(1.0 / 24);
    s = s * r + (real)(1.0 / 6);
    s = s * r + (real)0.5;
    return s * (r * r) + r;
}

INLINE vec vec_exp(vec x) {
    vec r;
    ivec n = reduce_by_ln2(at_least(at_most(x, EXP_OVERFLOW), EXP_UNDERFLOW), &r);
    vec y = expm1_series(r) + 1;
    ivec half = n >> 1; /* in two steps, so that 2^n may be beyond the normal range */
    return y * power_of_two(half) * power_of_two(n - half);
}

/* 2^f for |f| <= 1/2, 1 at f = 0: a minimax polynomial, within 0.7 (float) and 0.9 (double) epsilon. */
INLINE vec exp2_series(vec f) {
#if FNN_BITS == 32
    vec s = splat(1.559467755e-4f);
    s = s * f + 1.3406643905e-3f;
    s = s * f + 9.6176929750e-3f;
    s = s * f + 5.55031055100e-2f;
    s = s * f + 0.24022652782876f;
    s = s * f + 0.69314721496804f;
#else
    vec s = splat(4.077649702639335e-10);
    s = s * f + 7.072564003064233e-09;
    s = s * f + 1.0180650224604456e-07;
    s = s * f + 1.3215442702839854e-06;
    s = s * f + 1.5252727379833107e-05;
    s = s * f + 1.5403530441544062e-04;
    s = s * f + 1.3333558153444313e-03;
    s = s * f + 9.618129107606994e-03;
    s = s * f + 5.5504108664790386e-02;
    s = s * f + 0.24022650695910097;
    s = s * f + 0.6931471805599457;
#endif
    return s * f + 1;
}

/* e^x for x <= 0, as the sums of a softmax need it: within (1 + |x|) epsilon, and 0 where it is below 2^-127 (2^-1023).  About
 * half the operations of vec_exp, since 2^n is added to the bits of 2^f.  A NaN may come out as any number: `seen` is a sum in
 * which it stays, and is finite otherwise. */
INLINE vec vec_exp_negative(vec x, vec *seen) {
    vec power = at_least(x * LOG2_E, -EXPONENT_BIAS); /* there f is 0, the bits of 2^f are the bias, and 0 is left */
    vec shifted = power + ROUNDING; /* n is in the low bits, the others are shifted out */
    vec y = exp2_series(power - (shifted - ROUNDING));
    *seen += y;
    return (vec)((ivec)y + ((ivec)shifted << MANTISSA_BITS));
}

/* 2^x for x that is not above 1: within (0.7 to 0.9) + 1/2 epsilon, 0 below 2^-127 (2^-1023), NaN for NaN.  The shift leaves n + bias
 * in the low bits, and one more shift makes 2^n of it. */
INLINE vec vec_exp2_low(vec x) {
    const real shift = ROUNDING + EXPONENT_BIAS;
    vec power = at_least(x, -(real)EXPONENT_BIAS), shifted = power + shift;
    return exp2_series(power - (shifted - shift)) * (vec)((ivec)shifted << MANTISSA_BITS);
}

/* exponent ln 2 + ln(1 + f) for 1 + f in [sqrt(1/2), sqrt(2)): ln(1 + f) = 2 atanh(s), s = f / (2 + f). */
INLINE vec log_from_parts(vec exponent, vec f) {
    vec s = f / (f + 2), z = s * s, half_square = f * f * (real)0.5;
#if FNN_BITS == 32
    vec sum = splat(2.0f / 11);
#else
    vec sum = splat(2.0 / 23);
    sum = sum * z + 2.0 / 21;
    sum = sum * z + 2.0 / 19;
    sum = sum * z + 2.0 / 17;
    sum = sum * z + 2.0 / 15;
    sum = sum * z + 2.0 / 13;
    sum = sum * z + 2.0 / 11;
#endif
    sum = sum * z + (real)(2.0 / 9);
    sum = sum * z + (real)(2.0 / 7);
    sum = sum * z + (real)(2.0 / 5);
    sum = sum * z + (real)(2.0 / 3);
    sum = sum * z;
    return exponent * LN2_HIGH - ((half_square - (s * (half_square + sum) + exponent * LN2_LOW)) - f);
}

/* m 2^e = x with m in [sqrt(1/2), sqrt(2)), for x in the normal range: e, and f = m - 1. */
INLINE ivec split_by_two(vec x, vec *f) {
    const real_int sqrt_half = FNN_BITS == 32 ? (real_int)0x3f3504f3 : (real_int)0x3fe6a09e667f3bcd;
    ivec bits = (ivec)x - sqrt_half;
    *f = (vec)((bits & (((real_int)1 << MANTISSA_BITS) - 1)) + sqrt_half) - 1;
    return bits >> MANTISSA_BITS;
}

INLINE vec vec_log(vec x) {
    const real tiny = FNN_BITS == 32 ? (real)1.17549435e-38 : (real)2.2250738585072014e-308;
    const real lift = FNN_BITS == 32 ? (real)16777216.0 : (real)18014398509481984.0; /* 2^24, 2^54 */
    ivec small = x < tiny;
    vec normal = choose(small, x * lift, x);
    vec f;
    ivec e = split_by_two(normal, &f);
    vec exponent = __builtin_convertvector(e, vec) - choose(small, splat(FNN_BITS == 32 ? 24 : 54), (vec){0});
    vec y = log_from_parts(exponent, f);
    const real infinity = (real)__builtin_inf();
    y = choose(x == infinity, x, y);
    y = choose(x == 0, splat(-infinity), y);
    return choose((x < 0) | is_nan(x), splat((real)__builtin_nan("")), y);
}

/* tanh |x| = q / (q + 2) with q = exp(2 |x|) - 1, which keeps its relative precision near 0; odd. */
INLINE vec vec_tanh(vec x) {
    vec twice = at_most(vec_abs(x) * 2, TANH_ONE);
    vec r;
    vec power = power_of_two(reduce_by_ln2(twice, &r));
    vec q = expm1_series(r) * power + (power - 1);
    uvec sign = (uvec)x & ((uvec){0} + ((real_uint)1 << (FNN_BITS - 1)));
    return (vec)((uvec)(q / (q + 2)) | sign);
}

/* 1 / (1 + e^-x) = a / (e^r 2^(n - h) + a) with e^-x = 2^n e^r, h = n / 2 and a = 2^-h: nothing overflows, and a
 * denormal result is rounded once. */
INLINE vec vec_sigmoid(vec x) {
    vec r;
    ivec n = reduce_by_ln2(-at_least(at_most(x, -EXP_UNDERFLOW), EXP_UNDERFLOW), &r);
    ivec half = n >> 1;
    vec a = power_of_two(-half);
    return a / ((expm1_series(r) + 1) * power_of_two(n - half) + a);
}

#endif

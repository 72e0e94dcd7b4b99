/* special.h — functions that activations and losses need beyond vmath.h: e^x − 1, ln(1 + u), the normal distribution.
 *
 * Branch-free, NaN in gives NaN out.  Twins: the NumPy functions of those names, and math.erfc.
 */
#ifndef FNN_SPECIAL_H
#define FNN_SPECIAL_H

#include "vmath.h"

#if FNN_BITS == 32
#define NORMAL_LIMIT 15.0f /* a Phi(-a) rounds to 0 there */
#define SPLIT_BITS 12      /* half of the mantissa: the square of the other half is exact */
#else
#define NORMAL_LIMIT 39.0
#define SPLIT_BITS 27
#endif
#define INVERSE_SQRT_2PI ((real)0.39894228040143267794)
#define EXP_VANISHES (EXP_UNDERFLOW * (real)1.5) /* x e^x rounds to 0 there */

/* `x` clamped to [low, high]; NaN stays. */
INLINE vec vec_clamp(vec x, real low, real high) { return at_most(at_least(x, low), high); }

/* factor 2^n (1 + s): rounded once, even if 2^n alone would be denormal. */
INLINE vec scaled_power(vec factor, vec s, ivec n) {
    ivec half = n >> 1;
    return (factor * s + factor) * power_of_two(half) * power_of_two(n - half);
}

/* factor e^x, with the precision of e^x even if e^x is denormal. */
INLINE vec vec_exp_times(vec x, vec factor) {
    vec r;
    ivec n = reduce_by_ln2(vec_clamp(x, EXP_VANISHES, EXP_OVERFLOW), &r);
    return scaled_power(factor, expm1_series(r), n);
}

/* e^x − 1 for x <= 0. */
INLINE vec vec_expm1_negative(vec x) {
    vec r;
    x = at_least(x, -TANH_ONE); /* rounds to −1 from there on */
    vec power = power_of_two(reduce_by_ln2(x, &r));
    return expm1_series(r) * power + (power - 1);
}

/* ln(1 + u) for 0 <= u <= 1: beyond sqrt(2) − 1 it is ln 2 + ln(1 + (u − 1) / 2). */
INLINE vec vec_log1p_unit(vec u) {
    ivec large = u > (real)0.41421356237309505;
    return log_from_parts(choose(large, splat(1), (vec){0}), choose(large, (u - 1) * (real)0.5, u));
}

/* ln(1 + e^x) = max(x, 0) + ln(1 + e^-|x|): no overflow. */
INLINE vec vec_softplus(vec x) { return choose(x > 0, x, (vec){0}) + vec_log1p_unit(vec_exp(-vec_abs(x))); }

/* factor e^(−a²/2) for 0 <= a <= NORMAL_LIMIT.  a² is split into two parts, the first one exact, since the exponential
 * multiplies an error of its argument by the argument's size. */
INLINE vec exp_half_square(vec a, vec factor) {
    const real_uint kept = ~(real_uint)0 << SPLIT_BITS;
    vec high = (vec)((uvec)a & ((uvec){0} + kept));
    vec r;
    ivec n = reduce_by_ln2(high * high * (real)-0.5, &r);
    r = r - (a - high) * (a + high) * (real)0.5;
    return scaled_power(factor, expm1_series(r), n);
}

/* The tail of the normal distribution relative to its bell curve: with v = a / (a + 4),
 * Phi(−a) e^(a²/2) = q(v) (1 − v) / 4, and a times that is q(v) v: one rounding less.
 * For 0 <= a <= NORMAL_LIMIT; q by Chebyshev interpolation in 1 − 2 v, to a quarter of an ulp. */
INLINE vec normal_tail(vec v) {
    vec u = 1 - 2 * v;
#if FNN_BITS == 32
    vec q = splat(1.25558386e-4f);
    q = q * u + 1.88996519e-4f;
    q = q * u - 1.56688169e-3f;
    q = q * u - 3.52097282e-3f;
    q = q * u + 7.52540242e-3f;
    q = q * u + 6.04061855e-2f;
    q = q * u + 1.86523307e-1f;
    q = q * u + 3.87136683e-1f;
    q = q * u + 6.07896594e-1f;
    q = q * u + 7.55285139e-1f;
#else
    vec q = splat(-9.6534254202285047e-10);
    q = q * u - 7.2695454790266895e-11;
    q = q * u + 1.392402399350171e-8;
    q = q * u - 1.457859334703646e-8;
    q = q * u - 7.6380820534904503e-8;
    q = q * u + 1.5426320536771074e-7;
    q = q * u + 2.6368248576407625e-7;
    q = q * u - 1.0198048518135173e-6;
    q = q * u - 6.2513210404786802e-7;
    q = q * u + 5.9188927317632364e-6;
    q = q * u + 7.1500559592160987e-7;
    q = q * u - 3.5144181157760973e-5;
    q = q * u - 1.9078665316613574e-6;
    q = q * u + 2.3109481831937621e-4;
    q = q * u + 1.3334425401904912e-4;
    q = q * u - 1.6308184418903596e-3;
    q = q * u - 3.4796923622425333e-3;
    q = q * u + 7.540188965593059e-3;
    q = q * u + 6.0396574890699464e-2;
    q = q * u + 1.8652185795969416e-1;
    q = q * u + 3.8713740074221888e-1;
    q = q * u + 6.0789664197189176e-1;
    q = q * u + 7.5528513041575148e-1;
#endif
    return q;
}

/* (Phi(x) − 1/2) / x for |x| <= CENTRE, by its Taylor series in x². */
#define CENTRE ((real)0.5)
INLINE vec normal_centre(vec x) {
    vec z = x * x;
#if FNN_BITS == 32
    vec q = splat(-9.44465626e-6f);
    q = q * z + 1.15434688e-4f;
    q = q * z - 1.18732822e-3f;
    q = q * z + 9.97355701e-3f;
    q = q * z - 6.64903801e-2f;
    q = q * z + 3.9894228e-1f;
#else
    vec q = splat(8.133418984498676e-15);
    q = q * z - 2.1217614742170459e-13;
    q = q * z + 5.1124347902563106e-12;
    q = q * z - 1.1301171641619213e-10;
    q = q * z + 2.2735298243728064e-9;
    q = q * z - 4.1226674148626889e-8;
    q = q * z + 6.6596935163166513e-7;
    q = q * z - 9.4446562595036145e-6;
    q = q * z + 1.1543468761615529e-4;
    q = q * z - 1.1873282154804544e-3;
    q = q * z + 9.9735570100358169e-3;
    q = q * z - 6.6490380066905446e-2;
    q = q * z + 3.9894228040143268e-1;
#endif
    return q;
}

#endif

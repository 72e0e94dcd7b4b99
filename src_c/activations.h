/* activations.h — activation functions and their derivatives, on vectors of reals.
 *
 * linear x · relu max(x, 0) · leaky_relu x or alpha x · elu x or alpha (e^x − 1) · selu SCALE (x or ALPHA (e^x − 1)) ·
 * sigmoid 1 / (1 + e^-x) · tanh · softplus ln(1 + e^x) · exponential e^x · hard_sigmoid clip(x / 6 + 1/2, 0, 1) ·
 * gelu x Phi(x) · gelu_tanh x sigmoid(2 sqrt(2/pi) (x + 0.044715 x³)) · silu x sigmoid(x) · step (1 where x > 0)
 *
 * The first ten are fusible: their derivative follows from their output.  `activation` must be a compile-time constant
 * at each call, so that the switch folds away: the caller has its own switch, outside its loops, over FNN_EACH_FUSIBLE
 * or FNN_EACH_ACTIVATION, and passes the constant down through INLINE functions.
 * NaN in gives NaN out.  Twin: fastnn/reference/activations.py.
 */
#ifndef FNN_ACTIVATIONS_H
#define FNN_ACTIVATIONS_H

#include "special.h"

#define FNN_EACH_FUSIBLE(CASE) \
    CASE(FNN_LINEAR) CASE(FNN_RELU) CASE(FNN_LEAKY_RELU) CASE(FNN_ELU) CASE(FNN_SELU) CASE(FNN_SIGMOID) \
    CASE(FNN_TANH) CASE(FNN_SOFTPLUS) CASE(FNN_EXPONENTIAL) CASE(FNN_HARD_SIGMOID)
#define FNN_EACH_ACTIVATION(CASE) \
    FNN_EACH_FUSIBLE(CASE) CASE(FNN_GELU) CASE(FNN_GELU_TANH) CASE(FNN_SILU) CASE(FNN_STEP)

#define SELU_SCALE ((real)1.0507009873554805)
#define SELU_ALPHA ((real)1.6732632423543772)
#define GELU_GATE ((real)1.5957691216057308)   /* 2 sqrt(2 / pi) */
#define GELU_CUBE ((real)0.071354816272600248) /* 0.044715 times that */
#define GELU_TANH_LIMIT ((real)40)             /* gelu_tanh is 0 below −40, x above 40 */

/* The alpha of dense and convolution layers. */
INLINE real default_alpha(int activation) {
    return activation == FNN_LEAKY_RELU ? (real)0.2 : activation == FNN_ELU ? (real)1 : (real)0;
}

/* ---- values ---- */

INLINE vec vec_negative_part(vec x) { return choose(x > 0, (vec){0}, x); }

INLINE vec vec_gelu(vec x) {
    ivec negative = x < 0;
    vec a = vec_clamp(vec_abs(x), 0, NORMAL_LIMIT);
    vec v = a / (a + 4);
    vec t = exp_half_square(a, choose(negative, -v, (1 - v) * (real)0.25) * normal_tail(v));
    vec outside = choose(negative, t, x * (1 - t)); /* t is x Phi(x), or Phi(−x) */
    return choose(a <= CENTRE, x * (x * normal_centre(x) + (real)0.5), outside);
}

/* x / (1 + e^-g), where g has the sign of x: with e = e^-|g| that is x / (1 + e) or x e / (1 + e). */
INLINE vec gated(vec x, vec g) {
    vec minus = -vec_abs(g);
    return choose(x < 0, vec_exp_times(minus, x), x) / (vec_exp_times(minus, splat(1)) + 1);
}

INLINE vec vec_silu(vec x) { return gated(at_least(x, EXP_VANISHES), x); }

INLINE vec vec_gelu_tanh(vec x) {
    x = at_least(x, -GELU_TANH_LIMIT);
    return gated(x, x * (GELU_GATE + GELU_CUBE * (x * x)));
}

INLINE vec vec_activation(int activation, vec x, real alpha) {
    switch (activation) {
    case FNN_RELU: return choose(x <= 0, (vec){0}, x);
    case FNN_LEAKY_RELU: return choose(x > 0, x, x * alpha);
    case FNN_ELU: return choose(x > 0, x, vec_expm1_negative(vec_negative_part(x)) * alpha);
    case FNN_SELU:
        return choose(x > 0, x * SELU_SCALE, vec_expm1_negative(vec_negative_part(x)) * (SELU_SCALE * SELU_ALPHA));
    case FNN_SIGMOID: return vec_sigmoid(x);
    case FNN_TANH: return vec_tanh(x);
    case FNN_SOFTPLUS: return vec_softplus(x);
    case FNN_EXPONENTIAL: return vec_exp(x);
    case FNN_HARD_SIGMOID: return vec_clamp(x / 6 + (real)0.5, 0, 1);
    case FNN_GELU: return vec_gelu(x);
    case FNN_GELU_TANH: return vec_gelu_tanh(x);
    case FNN_SILU: return vec_silu(x);
    case FNN_STEP: return choose(is_nan(x), x, choose(x > 0, splat(1), (vec){0}));
    default: return x; /* FNN_LINEAR */
    }
}

/* ---- derivatives of the fusible ones, from the output y ---- */

INLINE vec vec_slope(int activation, vec y, real alpha) {
    switch (activation) {
    case FNN_RELU: return choose(y > 0, splat(1), (vec){0});
    case FNN_LEAKY_RELU: return choose(y > 0, splat(1), splat(alpha));
    case FNN_ELU: return choose(y > 0, splat(1), y + alpha);
    case FNN_SELU: return choose(y > 0, splat(SELU_SCALE), y + SELU_SCALE * SELU_ALPHA);
    case FNN_SIGMOID: return y * (1 - y);
    case FNN_TANH: return 1 - y * y;
    case FNN_SOFTPLUS: return -vec_expm1_negative(-y);
    case FNN_EXPONENTIAL: return y;
    case FNN_HARD_SIGMOID: return choose((y > 0) & (y < 1), splat((real)(1.0 / 6)), (vec){0});
    default: return splat(1); /* FNN_LINEAR */
    }
}

/* The derivative with the alpha of dense and convolution layers. */
INLINE vec vec_slope_from_output(int activation, vec y) { return vec_slope(activation, y, default_alpha(activation)); }

/* dy act'(y).  Where relu and hard_sigmoid are flat, the result is 0 whatever dy is. */
INLINE vec vec_times_slope(int activation, vec dy, vec y, real alpha) {
    switch (activation) {
    case FNN_LINEAR: return dy;
    case FNN_RELU: return choose(y > 0, dy, (vec){0});
    case FNN_HARD_SIGMOID: return choose((y > 0) & (y < 1), dy * (real)(1.0 / 6), (vec){0});
    default: return dy * vec_slope(activation, y, alpha);
    }
}

/* ---- derivatives of the others, from the input x ---- */

/* Phi(x) + x phi(x); with r = Phi(−a) e^(a²/2), both sides of 0 are e^(−a²/2) (r − a / sqrt(2 pi)), or 1 minus it. */
INLINE vec vec_gelu_slope(vec x) {
    vec a = vec_clamp(vec_abs(x), 0, NORMAL_LIMIT);
    vec v = a / (a + 4);
    vec s = exp_half_square(a, normal_tail(v) * (1 - v) * (real)0.25 - a * INVERSE_SQRT_2PI);
    return choose(x < 0, s, 1 - s);
}

/* s (1 + x (1 − s) dg/dx) with the gate s = sigmoid(g). */
INLINE vec gated_slope(vec x, vec g, vec dg) {
    vec e = vec_exp(-vec_abs(g)), over = 1 / (e + 1);
    ivec negative = x < 0;
    vec s = choose(negative, e, splat(1)) * over, rest = choose(negative, splat(1), e) * over;
    return s * (1 + x * rest * dg);
}

INLINE vec vec_silu_slope(vec x) {
    x = vec_clamp(x, EXP_VANISHES, -EXP_VANISHES);
    return gated_slope(x, x, splat(1));
}

INLINE vec vec_gelu_tanh_slope(vec x) {
    x = vec_clamp(x, -GELU_TANH_LIMIT, GELU_TANH_LIMIT);
    vec square = x * x;
    return gated_slope(x, x * (GELU_GATE + GELU_CUBE * square), GELU_GATE + 3 * GELU_CUBE * square);
}

INLINE vec vec_times_slope_at_input(int activation, vec dy, vec x) {
    switch (activation) {
    case FNN_GELU: return dy * vec_gelu_slope(x);
    case FNN_GELU_TANH: return dy * vec_gelu_tanh_slope(x);
    case FNN_SILU: return dy * vec_silu_slope(x);
    default: return (vec){0}; /* FNN_STEP */
    }
}

#endif

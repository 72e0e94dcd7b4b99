/* layer_norm.c — each row less its mean, over its deviation; a residual may be added first, in the same pass.
 *
 *     forward    s = x + residual,  mean = Σ s / C,  r = 1 / √(Σ (s − mean)² / C + ε),  y = (s − mean) r γ + β
 *     backward   t = dy γ,  x̂ = (s − mean) r,  dx = r (t − Σ t / C − x̂ Σ t x̂ / C) + dtotal,
 *                dγ = Σ over rows of dy x̂,  dβ = Σ over rows of dy
 *
 * Shapes: x, residual, y, total, dy, dtotal, dx (rows, C), C >= 1; mean, scale = r (rows,); gamma, beta, dgamma, dbeta (C,).
 * total = s is written where there is a residual, and is the x of backward.  gamma, beta, residual, dtotal and the gradients may be
 * NULL.  The caller allocates; results are assigned and share no memory with inputs.  Threaded over rows, forward, and over chunks of
 * rows, backward; bound by memory.
 * Twin: fastnn/reference/layer_norm.py.  Source: Ba, Kiros and Hinton, arXiv 1607.06450.
 */
#include "row_norm.h"

static int forward_rows(void *context, ptrdiff_t first, ptrdiff_t last) {
    return row_norm_items(1, context, first, last);
}

static int backward_rows(void *context, ptrdiff_t first, ptrdiff_t last) {
    return row_norm_gradient_items(1, context, first, last);
}

int FNN(layer_norm_forward)(real *y, real *total, real *mean, real *scale, const real *x, const real *residual,
                            const real *gamma, const real *beta, ptrdiff_t rows, ptrdiff_t C, double epsilon) {
    struct row_norm job = {y, total, mean, scale, x, residual, gamma, beta, rows, C, (real)epsilon};
    return run_row_norm(forward_rows, &job);
}

int FNN(layer_norm_backward)(real *dx, real *dgamma, real *dbeta, const real *dy, const real *x, const real *mean,
                             const real *scale, const real *gamma, const real *dtotal, ptrdiff_t rows, ptrdiff_t C) {
    struct row_norm_gradient job = {dx, NULL, dy, x, mean, scale, gamma, dtotal, rows, C, 0};
    return run_row_norm_gradient(backward_rows, &job, dgamma, dbeta);
}

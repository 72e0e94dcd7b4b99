/* rms_norm.c — each row over its root mean square; a residual may be added first, in the same pass.
 *
 *     forward    s = x + residual,  r = 1 / √(Σ s² / C + ε),  y = s r γ
 *     backward   t = dy γ,  x̂ = s r,  dx = r (t − x̂ Σ t x̂ / C) + dtotal,  dγ = Σ over rows of dy x̂
 *
 * Shapes: x, residual, y, total, dy, dtotal, dx (rows, C), C >= 1; scale = r (rows,); gamma, dgamma (C,).  total = s is written where
 * there is a residual, and is the x of backward.  gamma, residual, dtotal and the gradients may be NULL.  The caller allocates;
 * results are assigned and share no memory with inputs.  Threaded over rows, forward, and over chunks of rows, backward; bound by
 * memory.
 * Twin: fastnn/reference/rms_norm.py.  Source: Zhang and Sennrich, arXiv 1910.07467.
 */
#include "row_norm.h"

static int forward_rows(void *context, ptrdiff_t first, ptrdiff_t last) {
    return row_norm_items(0, context, first, last);
}

static int backward_rows(void *context, ptrdiff_t first, ptrdiff_t last) {
    return row_norm_gradient_items(0, context, first, last);
}

int FNN(rms_norm_forward)(real *y, real *total, real *scale, const real *x, const real *residual, const real *gamma,
                          ptrdiff_t rows, ptrdiff_t C, double epsilon) {
    struct row_norm job = {y, total, NULL, scale, x, residual, gamma, NULL, rows, C, (real)epsilon};
    return run_row_norm(forward_rows, &job);
}

int FNN(rms_norm_backward)(real *dx, real *dgamma, const real *dy, const real *x, const real *scale, const real *gamma,
                           const real *dtotal, ptrdiff_t rows, ptrdiff_t C) {
    struct row_norm_gradient job = {dx, NULL, dy, x, NULL, scale, gamma, dtotal, rows, C, 0};
    return run_row_norm_gradient(backward_rows, &job, dgamma, NULL);
}

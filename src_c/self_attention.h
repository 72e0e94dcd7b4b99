/* self_attention.h — attention in its simplest form: a sequence looks at itself, without parameters.
 *
 *     w = softmax(x · xᵀ)  over rows                         y = w · x
 *     dw = dy · xᵀ;  ds = w ∘ (dw − row sums of w ∘ dw)      dx = wᵀ · dy + (ds + dsᵀ) · x
 *
 * Shapes: x, y, dy, dx (B, T, D), w (B, T, T).  An item is a sequence; one alone shares out its products.
 */
#ifndef FNN_SELF_ATTENTION_H
#define FNN_SELF_ATTENTION_H

#include "gemm.h"
#include "rows.h"

struct self_attention {
    real *y, *weights, *dx;
    const real *x, *dy, *given_weights;
    ptrdiff_t T, D;
};

/* c (M, N) = or += a (M, K) · b (K, N), given by the steps along their axes. */
static int matrix_product(real *c, const real *a, ptrdiff_t a_row, ptrdiff_t a_column, const real *b, ptrdiff_t b_row,
                          ptrdiff_t b_column, ptrdiff_t M, ptrdiff_t N, ptrdiff_t K, int add) {
    const struct product product = {M, N, K, a, a_row, a_column, b, b_row, b_column, c, .ldc = N, .add = add};
    return FNN(product)(&product);
}

static int self_attention_forward_sequences(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct self_attention *job = context;
    const ptrdiff_t T = job->T, D = job->D;
    int status = FNN_OK;
    for (ptrdiff_t b = first; b < last && status == FNN_OK; b++) {
        const real *x = job->x + b * T * D;
        real *w = job->weights + b * T * T;
        status = matrix_product(w, x, D, 1, x, 1, D, T, T, D, 0);
        if (status != FNN_OK) return status;
        for (ptrdiff_t i = 0; i < T; i++) {
            real sum = row_exp_sum(w + i * T, w + i * T, row_max(w + i * T, T), T);
            row_scale(w + i * T, 1 / sum, T);
        }
        status = matrix_product(job->y + b * T * D, w, T, 1, x, D, 1, T, D, T, 0);
    }
    return status;
}

static int self_attention_backward_sequences(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct self_attention *job = context;
    const ptrdiff_t T = job->T, D = job->D;
    real *ds = fnn_scratch(FNN_SCRATCH_SHARED, (size_t)(T * T) * sizeof(real));
    if (!ds) return FNN_NO_MEMORY;
    int status = FNN_OK;
    for (ptrdiff_t b = first; b < last && status == FNN_OK; b++) {
        const real *x = job->x + b * T * D, *dy = job->dy + b * T * D, *w = job->given_weights + b * T * T;
        real *dx = job->dx + b * T * D;
        status = matrix_product(ds, dy, D, 1, x, 1, D, T, T, D, 0); /* dw */
        if (status != FNN_OK) return status;
        for (ptrdiff_t i = 0; i < T; i++) {
            vec dot = {0};
            for (ptrdiff_t j = 0; j < T; j += VL)
                dot += load_upto(ds + i * T + j, T - j) * load_upto(w + i * T + j, T - j);
            const real mean = sum_lanes(dot);
            for (ptrdiff_t j = 0; j < T; j += VL)
                store_upto(ds + i * T + j, load_upto(w + i * T + j, T - j) * (load_upto(ds + i * T + j, T - j) - mean),
                           T - j);
        }
        status = matrix_product(dx, w, 1, T, dy, D, 1, T, D, T, 0);
        if (status == FNN_OK) status = matrix_product(dx, ds, T, 1, x, D, 1, T, D, T, 1);
        if (status == FNN_OK) status = matrix_product(dx, ds, 1, T, x, D, 1, T, D, T, 1);
    }
    return status;
}

/* `products` of 2 · T · T · D operations for each of B sequences. */
static int each_sequence(fnn_task task, struct self_attention *job, ptrdiff_t B, double products) {
    if (B == 1) return task(job, 0, 1);
    return fnn_parallel(B, products * 2 * (double)B * (double)job->T * (double)job->T * (double)job->D, task, job);
}

#endif

/* conv_output.h — what the gradients of conv and conv_transpose start from: dz = dy · act'(y), and db = Σ dz. */
#ifndef FNN_CONV_OUTPUT_H
#define FNN_CONV_OUTPUT_H

#include "fused.h"

struct slope_job {
    real *dz;
    const real *dy, *y;
    ptrdiff_t image;
    int activation;
};

/* An item is an image. */
static int slope_task(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct slope_job *job = context;
    ptrdiff_t from = first * job->image, count = (last - first) * job->image;
    times_slope(job->dz + from, job->dy + from, job->y + from, count, job->activation);
    return FNN_OK;
}

/* The gradient before the activation, of N images of `image` reals: dy itself, or scratch.  NULL if out of memory. */
static const real *before_activation(const real *dy, const real *y, ptrdiff_t N, ptrdiff_t image, int activation) {
    if (activation == FNN_LINEAR) return dy;
    real *dz = fnn_scratch(FNN_SCRATCH_SLOPES, (size_t)(N * image) * sizeof(real));
    struct slope_job job = {dz, dy, y, image, activation};
    if (dz) fnn_parallel(N, 4 * (double)(N * image), slope_task, &job);
    return dz;
}

struct bias_job {
    real *db;
    const real *dz;
    ptrdiff_t pixels, F;
};

/* An item is a vector of filters: a sum over all pixels, in order. */
static int bias_task(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct bias_job *job = context;
    for (ptrdiff_t item = first; item < last; item++) {
        ptrdiff_t f = item * VL, left = job->F - f;
        vec sum = {0};
        for (ptrdiff_t p = 0; p < job->pixels; p++) sum += load_upto(job->dz + p * job->F + f, left);
        store_upto(job->db + f, sum, left);
    }
    return FNN_OK;
}

/* db (F,) = Σ over the pixels of dz (pixels, F) */
static void bias_gradient(real *db, const real *dz, ptrdiff_t pixels, ptrdiff_t F) {
    struct bias_job job = {db, dz, pixels, F};
    fnn_parallel(ceil_div(F, VL), (double)(pixels * F), bias_task, &job);
}

#endif

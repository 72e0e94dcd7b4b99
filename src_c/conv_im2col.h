/* conv_im2col.h — convolution as one matrix product: every window is copied into a row of `col`, (pixels, K).
 *
 * forward   y = col · w          dw = colᵀ · dz          dx: dcol = dz · wᵀ, each row added back to its window
 *
 * Images are processed in chunks that keep col within MAX_CHUNK_BYTES; groups one at a time.
 */
#ifndef FNN_CONV_IM2COL_H
#define FNN_CONV_IM2COL_H

#include "conv.h"
#include "gemm.h"

struct columns {
    struct geometry g;
    const real *images; /* padded */
    real *col;
    real *dx;
    ptrdiff_t group;
};

/* An item is an image. */
static int gather_windows(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct columns *job = context;
    const struct geometry *g = &job->g;
    for (ptrdiff_t n = first; n < last; n++)
        for (ptrdiff_t pixel = 0; pixel < g->pixels; pixel++) {
            const real *window = job->images + n * image_size(g) + job->group * g->channels +
                                 window_offset(g, pixel / g->shape.OW, pixel % g->shape.OW);
            real *row = job->col + (n * g->pixels + pixel) * g->K;
            for (ptrdiff_t r = 0; r < g->runs; r++)
                memcpy(row + r * g->run_length, window + run_offset(g, r), (size_t)g->run_length * sizeof(real));
        }
    return FNN_OK;
}

/* An item is an image; the padded image is in the caller's scratch, and is zero at the first group. */
static int scatter_windows(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct columns *job = context;
    const struct geometry *g = &job->g;
    for (ptrdiff_t n = first; n < last; n++)
        for (ptrdiff_t pixel = 0; pixel < g->pixels; pixel++) {
            real *window = job->dx + n * image_size(g) + job->group * g->channels +
                           window_offset(g, pixel / g->shape.OW, pixel % g->shape.OW);
            const real *row = job->col + (n * g->pixels + pixel) * g->K;
            for (ptrdiff_t r = 0; r < g->runs; r++)
                for (ptrdiff_t i = 0; i < g->run_length; i += VL) {
                    real *at = window + run_offset(g, r) + i;
                    ptrdiff_t left = g->run_length - i;
                    store_upto(at, load_upto(at, left) + load_upto(row + r * g->run_length + i, left), left);
                }
        }
    return FNN_OK;
}

static real *columns_scratch(const struct geometry *g, ptrdiff_t images) {
    return fnn_scratch(FNN_SCRATCH_LISTS, (size_t)(images * g->pixels * g->K) * sizeof(real));
}

static int im2col_forward(real *y, const real *x, const real *w, const real *b, const struct geometry *g,
                          int activation) {
    const struct fnn_conv *s = &g->shape;
    ptrdiff_t step = images_at_a_time(g, g->pixels * g->K), F = s->F;
    struct columns job = {.g = *g, .col = columns_scratch(g, step)};
    if (!job.col) return FNN_NO_MEMORY;
    for (ptrdiff_t n = 0; n < s->N; n += step) {
        ptrdiff_t count = least(step, s->N - n);
        job.images = padded_images(g, x + n * s->H * s->W * s->C, count, FNN_SCRATCH_SHARED);
        if (!job.images) return FNN_NO_MEMORY;
        for (job.group = 0; job.group < s->groups; job.group++) {
            ptrdiff_t filter = job.group * g->filters;
            fnn_parallel(count, (double)(count * g->pixels * g->K), gather_windows, &job);
            struct product product = {.M = count * g->pixels,
                                      .N = g->filters,
                                      .K = g->K,
                                      .a = job.col,
                                      .a_row = g->K,
                                      .a_column = 1,
                                      .b = w + filter,
                                      .b_row = F,
                                      .b_column = 1,
                                      .c = y + n * g->pixels * F + filter,
                                      .ldc = F,
                                      .bias = b ? b + filter : NULL,
                                      .activation = activation};
            int status = FNN(product)(&product);
            if (status != FNN_OK) return status;
        }
    }
    return FNN_OK;
}

static int im2col_weight_gradient(real *dw, const real *dz, const real *x, const struct geometry *g) {
    const struct fnn_conv *s = &g->shape;
    ptrdiff_t step = images_at_a_time(g, g->pixels * g->K), F = s->F;
    struct columns job = {.g = *g, .col = columns_scratch(g, step)};
    if (!job.col) return FNN_NO_MEMORY;
    memset(dw, 0, (size_t)(g->K * F) * sizeof(real));
    for (ptrdiff_t n = 0; n < s->N; n += step) {
        ptrdiff_t count = least(step, s->N - n);
        /* this thread's image buffer: dz may be in the shared one, and the product packs into the others */
        job.images = padded_images(g, x + n * s->H * s->W * s->C, count, FNN_SCRATCH_IMAGE);
        if (!job.images) return FNN_NO_MEMORY;
        for (job.group = 0; job.group < s->groups; job.group++) {
            ptrdiff_t filter = job.group * g->filters;
            fnn_parallel(count, (double)(count * g->pixels * g->K), gather_windows, &job);
            struct product product = {.M = g->K,
                                      .N = g->filters,
                                      .K = count * g->pixels,
                                      .a = job.col,
                                      .a_row = 1,
                                      .a_column = g->K,
                                      .b = dz + n * g->pixels * F + filter,
                                      .b_row = F,
                                      .b_column = 1,
                                      .c = dw + filter,
                                      .ldc = F,
                                      .activation = FNN_LINEAR,
                                      .add = 1};
            int status = FNN(product)(&product);
            if (status != FNN_OK) return status;
        }
    }
    return FNN_OK;
}

static int im2col_input_gradient(real *dx, const real *dz, const real *w, const struct geometry *g) {
    const struct fnn_conv *s = &g->shape;
    ptrdiff_t step = least(images_at_a_time(g, g->pixels * g->K), images_at_a_time(g, image_size(g)));
    ptrdiff_t F = s->F, size = s->H * s->W * s->C;
    struct columns job = {.g = *g, .col = columns_scratch(g, step)};
    real *padded = is_padded(g) ? fnn_scratch(FNN_SCRATCH_IMAGE, (size_t)(step * image_size(g)) * sizeof(real)) : NULL;
    if (!job.col || (is_padded(g) && !padded)) return FNN_NO_MEMORY;
    for (ptrdiff_t n = 0; n < s->N; n += step) {
        ptrdiff_t count = least(step, s->N - n);
        job.dx = padded ? padded : dx + n * size;
        memset(job.dx, 0, (size_t)(count * image_size(g)) * sizeof(real));
        for (job.group = 0; job.group < s->groups; job.group++) {
            ptrdiff_t filter = job.group * g->filters;
            struct product product = {.M = count * g->pixels,
                                      .N = g->K,
                                      .K = g->filters,
                                      .a = dz + n * g->pixels * F + filter,
                                      .a_row = F,
                                      .a_column = 1,
                                      .b = w + filter,
                                      .b_row = 1,
                                      .b_column = F,
                                      .c = job.col,
                                      .ldc = g->K,
                                      .activation = FNN_LINEAR};
            int status = FNN(product)(&product);
            if (status != FNN_OK) return status;
            fnn_parallel(count, (double)(count * g->pixels * g->K), scatter_windows, &job);
        }
        for (ptrdiff_t i = 0; padded && i < count; i++) crop_image(dx + (n + i) * size, padded + i * image_size(g), g);
    }
    return FNN_OK;
}

#endif

/* conv_depthwise.h — convolution in which every channel has its own filters (groups = C, F = C * multiplier).
 *
 * Vectors run over channels: y[pixel, f] = Σ over taps of x[pixel + tap, f] * w[tap, f].  With a multiplier m the
 * (padded) image is first copied with every channel repeated m times, so that x is indexed like the filters; dx is
 * summed back.
 */
#ifndef FNN_CONV_DEPTHWISE_H
#define FNN_CONV_DEPTHWISE_H

#include "conv.h"

struct depthwise {
    struct geometry g;   /* of the repeated image: C = F, one channel per group */
    ptrdiff_t multiplier;
    real *y, *dx, *dw;
    const real *x, *w, *b, *dz;
    int activation;
};

static struct depthwise make_depthwise(const struct geometry *g) {
    struct depthwise job = {.g = *g, .multiplier = g->filters};
    job.g.shape.C = g->shape.F;
    return job;
}

static int is_plain(const struct depthwise *job) { return job->multiplier == 1 && !is_padded(&job->g); }

/* Image n, padded and repeated. */
static const real *repeated_image(const struct depthwise *job, ptrdiff_t n, real *scratch) {
    const struct fnn_conv *s = &job->g.shape;
    const real *x = job->x + n * s->H * s->W * (s->C / job->multiplier);
    if (is_plain(job)) return x;
    memset(scratch, 0, (size_t)image_size(&job->g) * sizeof(real));
    for (ptrdiff_t h = 0; h < s->H; h++) {
        real *line = scratch + ((s->top + h) * job->g.image_width + s->left) * s->C;
        for (ptrdiff_t i = 0; i < s->W * s->C; i++) line[i] = x[(h * s->W * s->C + i) / job->multiplier];
    }
    return scratch;
}

static ptrdiff_t tap_offset(const struct geometry *g, ptrdiff_t tap) {
    const struct fnn_conv *s = &g->shape;
    return (tap / s->KW * s->dilation_h * g->image_width + tap % s->KW * s->dilation_w) * s->C;
}

static real *depthwise_scratch(const struct depthwise *job) {
    return fnn_scratch(FNN_SCRATCH_IMAGE, is_plain(job) ? sizeof(real) : (size_t)image_size(&job->g) * sizeof(real));
}

/* An item is an image. */
static int depthwise_forward_task(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct depthwise *job = context;
    const struct geometry *g = &job->g;
    ptrdiff_t F = g->shape.F, taps = g->shape.KH * g->shape.KW;
    real *scratch = depthwise_scratch(job);
    if (!scratch) return FNN_NO_MEMORY;
    for (ptrdiff_t n = first; n < last; n++) {
        const real *image = repeated_image(job, n, scratch);
        real *y = job->y + n * g->pixels * F;
        for (ptrdiff_t pixel = 0; pixel < g->pixels; pixel++) {
            const real *window = image + window_offset(g, pixel / g->shape.OW, pixel % g->shape.OW);
            for (ptrdiff_t f = 0; f < F; f += VL) {
                vec sum = job->b ? load_upto(job->b + f, F - f) : (vec){0};
                for (ptrdiff_t tap = 0; tap < taps; tap++)
                    sum += load_upto(window + tap_offset(g, tap) + f, F - f) * load_upto(job->w + tap * F + f, F - f);
                store_upto(y + pixel * F + f, sum, F - f);
            }
        }
        activate(y, g->pixels * F, job->activation);
    }
    return FNN_OK;
}

/* An item is a vector of filters of one tap. */
static int depthwise_gradient_task(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct depthwise *job = context;
    const struct geometry *g = &job->g;
    ptrdiff_t F = g->shape.F, vectors = ceil_div(F, VL);
    real *scratch = depthwise_scratch(job);
    if (!scratch) return FNN_NO_MEMORY;
    for (ptrdiff_t n = 0; n < g->shape.N; n++) {
        const real *image = repeated_image(job, n, scratch), *dz = job->dz + n * g->pixels * F;
        for (ptrdiff_t item = first; item < last; item++) {
            ptrdiff_t tap = item / vectors, f = item % vectors * VL, left = F - f;
            const real *from = image + tap_offset(g, tap) + f;
            real *dw = job->dw + tap * F + f;
            vec sum = n > 0 ? load_upto(dw, left) : (vec){0};
            for (ptrdiff_t pixel = 0; pixel < g->pixels; pixel++)
                sum += load_upto(from + window_offset(g, pixel / g->shape.OW, pixel % g->shape.OW), left) *
                       load_upto(dz + pixel * F + f, left);
            store_upto(dw, sum, left);
        }
    }
    return FNN_OK;
}

/* Add the gradient of the padded, repeated image back to the image. */
static void fold_image(const struct depthwise *job, real *dx, const real *repeated) {
    const struct fnn_conv *s = &job->g.shape;
    for (ptrdiff_t h = 0; h < s->H; h++) {
        const real *line = repeated + ((s->top + h) * job->g.image_width + s->left) * s->C;
        for (ptrdiff_t i = 0; i < s->W * s->C / job->multiplier; i++) {
            real sum = 0;
            for (ptrdiff_t j = 0; j < job->multiplier; j++) sum += line[i * job->multiplier + j];
            *dx++ = sum;
        }
    }
}

/* An item is an image. */
static int depthwise_input_task(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct depthwise *job = context;
    const struct geometry *g = &job->g;
    ptrdiff_t F = g->shape.F, taps = g->shape.KH * g->shape.KW;
    real *scratch = depthwise_scratch(job);
    if (!scratch) return FNN_NO_MEMORY;
    for (ptrdiff_t n = first; n < last; n++) {
        real *dx = job->dx + n * g->shape.H * g->shape.W * (F / job->multiplier), *image = is_plain(job) ? dx : scratch;
        const real *dz = job->dz + n * g->pixels * F;
        memset(image, 0, (size_t)image_size(g) * sizeof(real));
        for (ptrdiff_t pixel = 0; pixel < g->pixels; pixel++) {
            real *window = image + window_offset(g, pixel / g->shape.OW, pixel % g->shape.OW);
            for (ptrdiff_t tap = 0; tap < taps; tap++)
                for (ptrdiff_t f = 0; f < F; f += VL) {
                    real *at = window + tap_offset(g, tap) + f;
                    vec term = load_upto(dz + pixel * F + f, F - f) * load_upto(job->w + tap * F + f, F - f);
                    store_upto(at, load_upto(at, F - f) + term, F - f);
                }
        }
        if (image == scratch) fold_image(job, dx, scratch);
    }
    return FNN_OK;
}

static int depthwise_forward(real *y, const real *x, const real *w, const real *b, const struct geometry *g,
                             int activation) {
    struct depthwise job = make_depthwise(g);
    job.y = y, job.x = x, job.w = w, job.b = b, job.activation = activation;
    return fnn_parallel(g->shape.N, conv_flops(g, g->shape.N), depthwise_forward_task, &job);
}

static int depthwise_weight_gradient(real *dw, const real *dz, const real *x, const struct geometry *g) {
    struct depthwise job = make_depthwise(g);
    job.dw = dw, job.dz = dz, job.x = x;
    if (g->shape.N == 0) memset(dw, 0, (size_t)(g->K * g->shape.F) * sizeof(real));
    return fnn_parallel_parts(g->shape.KH * g->shape.KW * ceil_div(g->shape.F, VL), conv_flops(g, g->shape.N),
                              depthwise_gradient_task, &job, 1);
}

static int depthwise_input_gradient(real *dx, const real *dz, const real *w, const struct geometry *g) {
    struct depthwise job = make_depthwise(g);
    job.dx = dx, job.dz = dz, job.w = w;
    return fnn_parallel(g->shape.N, conv_flops(g, g->shape.N), depthwise_input_task, &job);
}

#endif

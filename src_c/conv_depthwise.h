/* conv_depthwise.h — convolution in which every channel has its own filters (groups = C, F = C · multiplier).
 *
 *     y[p,q,f] = b[f] + Σ over taps x[p · sh + i · dh − top, q · sw + j · dw − left, f] · w[i,j,f]
 *
 * Vectors run over channels.  A tap of a row of outputs is an offset into the image and the outputs for which it is
 * inside; taps over padding are not computed, so nothing is copied.  A weight is loaded once for several outputs:
 *
 *     forward   a row of y from the taps of its window
 *     dx        a row of dx from the outputs that read it: its columns fall into `stride` classes with the same taps
 *     dw        a chunk of rows of dz has sums of its own, one vector a tap; the chunks are added in order
 *
 * With a multiplier m the images are first copied with every channel repeated m times, so that x is indexed like the
 * filters; dx is summed back.
 */
#ifndef FNN_CONV_DEPTHWISE_H
#define FNN_CONV_DEPTHWISE_H

#include "column_sums.h"
#include "conv.h"

enum {
    PIXELS_AT_ONCE = 8, /* outputs that share a load of a weight */
    TAPS_AT_ONCE = 9,   /* sums that share a load of dz */
    MOST_ROW_CHUNKS = 32,
};

struct depthwise {
    struct fnn_conv shape; /* of the repeated images: C = F */
    const real *image;     /* what the taps read: x, or dz for dx */
    const real *w, *b, *dz;
    real *out;  /* y or dx */
    real *sums; /* of dw: (chunks, KH · KW · F) */
    ptrdiff_t rows, rows_of_chunk;
    int activation;
};

/* Output k reads the F reals at image[at + k · step] and the weights at w[weight], if first <= k < last. */
struct tap {
    ptrdiff_t at, weight, first, last;
};

/* A row of outputs. */
struct tap_row {
    const real *image;
    const struct tap *taps;
    ptrdiff_t count, step, F;
    ptrdiff_t low, high; /* the outputs that all taps are inside for */
};

static struct tap_row make_row(const real *image, const struct tap *taps, ptrdiff_t count, ptrdiff_t step,
                               ptrdiff_t outputs, ptrdiff_t F) {
    struct tap_row row = {.image = image, .taps = taps, .count = count, .step = step, .F = F, .high = outputs};
    for (ptrdiff_t t = 0; t < count; t++) {
        row.low = most(row.low, taps[t].first);
        row.high = least(row.high, taps[t].last);
    }
    row.high = most(row.low, row.high);
    return row;
}

/* ---- which taps a row has ---- */

static struct tap column_tap(ptrdiff_t at, ptrdiff_t first, ptrdiff_t last) {
    return (struct tap){.at = at, .first = most(0, first), .last = most(most(0, first), last)};
}

/* The columns of a window, forward: at and range of each j < KW. */
static void window_columns(const struct fnn_conv *s, struct tap *columns) {
    for (ptrdiff_t j = 0; j < s->KW; j++) {
        ptrdiff_t place = j * s->dilation_w - s->left, room = s->W - 1 - place;
        columns[j] = column_tap(place * s->F, ceil_div(most(0, -place), s->stride_w),
                                room < 0 ? 0 : least(s->OW, room / s->stride_w + 1));
    }
}

/* The taps of output row p; the number of them. */
static ptrdiff_t window_taps(const struct fnn_conv *s, const struct tap *columns, ptrdiff_t p, struct tap *taps) {
    ptrdiff_t count = 0;
    for (ptrdiff_t i = 0; i < s->KH; i++) {
        ptrdiff_t h = p * s->stride_h + i * s->dilation_h - s->top;
        for (ptrdiff_t j = 0; j < s->KW && h >= 0 && h < s->H; j++) {
            if (columns[j].first == columns[j].last) continue;
            taps[count] = columns[j];
            taps[count].at += h * s->W * s->F;
            taps[count++].weight = (i * s->KW + j) * s->F;
        }
    }
    return count;
}

/* For dx: pixels r, r + stride, … of a row are read by the same taps j, by outputs that are neighbours. */
static ptrdiff_t pixels_of_class(const struct fnn_conv *s, ptrdiff_t r) { return ceil_div(s->W - r, s->stride_w); }

static void reading_columns(const struct fnn_conv *s, ptrdiff_t r, struct tap *columns) {
    for (ptrdiff_t j = 0; j < s->KW; j++) {
        ptrdiff_t place = r + s->left - j * s->dilation_w, output = place / s->stride_w;
        if (place % s->stride_w) columns[j] = column_tap(0, 0, 0);
        else columns[j] = column_tap(output * s->F, -output, least(pixels_of_class(s, r), s->OW - output));
    }
}

static ptrdiff_t reading_taps(const struct fnn_conv *s, const struct tap *columns, ptrdiff_t h, struct tap *taps) {
    ptrdiff_t count = 0;
    for (ptrdiff_t i = 0; i < s->KH; i++) {
        ptrdiff_t place = h + s->top - i * s->dilation_h, p = place / s->stride_h;
        if (place < 0 || place % s->stride_h || p >= s->OH) continue;
        for (ptrdiff_t j = 0; j < s->KW; j++) {
            if (columns[j].first == columns[j].last) continue;
            taps[count] = columns[j];
            taps[count].at += p * s->OW * s->F;
            taps[count++].weight = (i * s->KW + j) * s->F;
        }
    }
    return count;
}

/* ---- a row of y or dx ---- */

/* Channels f.. of `pixels` outputs from k on. */
INLINE void tap_vectors(const int pixels, const struct tap_row *row, const real *w, const real *b, real *out,
                        ptrdiff_t out_step, ptrdiff_t k, ptrdiff_t f, ptrdiff_t left) {
    vec sums[PIXELS_AT_ONCE];
#pragma GCC unroll 8
    for (int v = 0; v < pixels; v++) sums[v] = b ? load_upto(b + f, left) : (vec){0};
    for (ptrdiff_t t = 0; t < row->count; t++) {
        const struct tap *tap = row->taps + t;
        if (pixels == 1 && (k < tap->first || k >= tap->last)) continue; /* alone, it may be at the border */
        const real *in = row->image + (tap->at + k * row->step + f);
        vec weight = load_upto(w + tap->weight + f, left);
#pragma GCC unroll 8
        for (int v = 0; v < pixels; v++) sums[v] += load_upto(in + v * row->step, left) * weight;
    }
#pragma GCC unroll 8
    for (int v = 0; v < pixels; v++) store_upto(out + (k + v) * out_step + f, sums[v], left);
}

INLINE void tap_pixels(const int pixels, const struct tap_row *row, const real *w, const real *b, real *out,
                       ptrdiff_t out_step, ptrdiff_t k) {
    ptrdiff_t f = 0;
    /* The main loop: */
    for (; f + VL <= row->F; f += VL) tap_vectors(pixels, row, w, b, out, out_step, k, f, VL);
    /* The tail: */
    if (f < row->F) tap_vectors(pixels, row, w, b, out, out_step, k, f, row->F - f);
}

/* Output k is written to out[k · out_step]. */
static void convolve_row(const struct tap_row *row, const real *w, const real *b, real *out, ptrdiff_t out_step,
                         ptrdiff_t outputs) {
    ptrdiff_t inside = row->high - row->low, tiles = ceil_div(inside, PIXELS_AT_ONCE);
    for (ptrdiff_t k = 0; k < least(row->low, outputs); k++) tap_pixels(1, row, w, b, out, out_step, k);
    for (ptrdiff_t t = 0; t < tiles; t++) { /* of equal size, so that none is thin */
        ptrdiff_t k = row->low + inside * t / tiles;
        switch (row->low + inside * (t + 1) / tiles - k) {
#define CASE(n) \
    case n: tap_pixels(n, row, w, b, out, out_step, k); break;
            CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6) CASE(7) CASE(8)
#undef CASE
        }
    }
    for (ptrdiff_t k = row->high; k < outputs; k++) tap_pixels(1, row, w, b, out, out_step, k);
}

static struct tap *scratch_for_taps(const struct fnn_conv *s) {
    return fnn_scratch(FNN_SCRATCH_TILE, (size_t)((s->KH + s->stride_w) * s->KW) * sizeof(struct tap));
}

/* An item is a row of y. */
static int depthwise_forward_task(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct depthwise *job = context;
    const struct fnn_conv *s = &job->shape;
    struct tap *columns = scratch_for_taps(s), *taps = columns + s->KW;
    if (!columns) return FNN_NO_MEMORY;
    window_columns(s, columns);
    for (ptrdiff_t item = first; item < last; item++) {
        const real *image = job->image + item / s->OH * s->H * s->W * s->F;
        real *y = job->out + item * s->OW * s->F;
        ptrdiff_t count = window_taps(s, columns, item % s->OH, taps);
        struct tap_row row = make_row(image, taps, count, s->stride_w * s->F, s->OW, s->F);
        convolve_row(&row, job->w, job->b, y, s->F, s->OW);
        activate(y, s->OW * s->F, job->activation);
    }
    return FNN_OK;
}

/* An item is a row of dx. */
static int depthwise_input_task(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct depthwise *job = context;
    const struct fnn_conv *s = &job->shape;
    struct tap *columns = scratch_for_taps(s), *taps = columns + s->stride_w * s->KW;
    if (!columns) return FNN_NO_MEMORY;
    ptrdiff_t classes = least(s->stride_w, s->W);
    for (ptrdiff_t r = 0; r < classes; r++) reading_columns(s, r, columns + r * s->KW);
    for (ptrdiff_t item = first; item < last; item++) {
        const real *dz = job->image + item / s->H * s->OH * s->OW * s->F;
        for (ptrdiff_t r = 0; r < classes; r++) {
            ptrdiff_t pixels = pixels_of_class(s, r);
            ptrdiff_t count = reading_taps(s, columns + r * s->KW, item % s->H, taps);
            struct tap_row row = make_row(dz, taps, count, s->F, pixels, s->F);
            convolve_row(&row, job->w, NULL, job->out + (item * s->W + r) * s->F, s->stride_w * s->F, pixels);
        }
    }
    return FNN_OK;
}

/* ---- dw ---- */

/* Channels f.. of outputs from..to-1 of one tap. */
INLINE void sum_vector(const struct tap_row *row, const struct tap *tap, const real *dz, real *sums, ptrdiff_t from,
                       ptrdiff_t to, ptrdiff_t f, ptrdiff_t left) {
    vec total = load_upto(sums + tap->weight + f, left);
    for (ptrdiff_t k = from; k < to; k++)
        total += load_upto(row->image + (tap->at + k * row->step + f), left) * load_upto(dz + k * row->F + f, left);
    store_upto(sums + tap->weight + f, total, left);
}

/* The few outputs at a border, which not every tap reads, a tap at a time. */
ONE_COPY void sum_border(const struct tap_row *row, const struct tap *tap, const real *dz, real *sums, ptrdiff_t from,
                         ptrdiff_t to) {
    ptrdiff_t f = 0;
    for (; f + VL <= row->F; f += VL) sum_vector(row, tap, dz, sums, from, to, f, VL);
    if (f < row->F) sum_vector(row, tap, dz, sums, from, to, f, row->F - f);
}

/* Channels f.. of the sums of `taps` taps that all read the image. */
INLINE void sum_vectors(const int taps, const struct tap_row *row, const struct tap *tap, const real *dz, real *sums,
                        ptrdiff_t f, ptrdiff_t left) {
    vec total[TAPS_AT_ONCE];
    const real *in[TAPS_AT_ONCE];
#pragma GCC unroll 9
    for (int t = 0; t < taps; t++) {
        total[t] = load_upto(sums + tap[t].weight + f, left);
        in[t] = row->image + (tap[t].at + row->low * row->step + f);
    }
    const real *from = dz + row->low * row->F + f;
    for (ptrdiff_t k = row->low, at = 0; k < row->high; k++, at += row->step, from += row->F) {
        vec d = load_upto(from, left);
#pragma GCC unroll 9
        for (int t = 0; t < taps; t++) total[t] += load_upto(in[t] + at, left) * d;
    }
#pragma GCC unroll 9
    for (int t = 0; t < taps; t++) store_upto(sums + tap[t].weight + f, total[t], left);
}

INLINE void sum_taps(const int taps, const struct tap_row *row, const struct tap *tap, const real *dz, real *sums) {
    ptrdiff_t f = 0;
    /* The main loop: */
    for (; f + VL <= row->F; f += VL) sum_vectors(taps, row, tap, dz, sums, f, VL);
    /* The tail: */
    if (f < row->F) sum_vectors(taps, row, tap, dz, sums, f, row->F - f);
}

/* sums += the products of a row of dz with what its taps read, from left to right */
static void sum_row(const struct tap_row *row, const real *dz, real *sums) {
    for (ptrdiff_t t = 0; t < row->count; t++) {
        const struct tap *tap = row->taps + t;
        if (tap->first < row->low) sum_border(row, tap, dz, sums, tap->first, least(row->low, tap->last));
    }
    for (ptrdiff_t t = 0; t < row->count; t += TAPS_AT_ONCE) {
        switch (least(TAPS_AT_ONCE, row->count - t)) {
#define CASE(n) \
    case n: sum_taps(n, row, row->taps + t, dz, sums); break;
            CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6) CASE(7) CASE(8) CASE(9)
#undef CASE
        }
    }
    for (ptrdiff_t t = 0; t < row->count; t++) {
        const struct tap *tap = row->taps + t;
        if (row->high < tap->last) sum_border(row, tap, dz, sums, most(row->high, tap->first), tap->last);
    }
}

/* An item is a chunk of rows of dz. */
static int depthwise_gradient_task(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct depthwise *job = context;
    const struct fnn_conv *s = &job->shape;
    struct tap *columns = scratch_for_taps(s), *taps = columns + s->KW;
    if (!columns) return FNN_NO_MEMORY;
    window_columns(s, columns);
    for (ptrdiff_t chunk = first; chunk < last; chunk++) {
        ptrdiff_t end = least(job->rows, (chunk + 1) * job->rows_of_chunk);
        for (ptrdiff_t item = chunk * job->rows_of_chunk; item < end; item++) {
            const real *image = job->image + item / s->OH * s->H * s->W * s->F;
            ptrdiff_t count = window_taps(s, columns, item % s->OH, taps);
            struct tap_row row = make_row(image, taps, count, s->stride_w * s->F, s->OW, s->F);
            sum_row(&row, job->dz + item * s->OW * s->F, job->sums + chunk * s->KH * s->KW * s->F);
        }
    }
    return FNN_OK;
}

/* ---- a multiplier: channels repeated, and summed back ---- */

struct repetition {
    real *to;
    const real *from;
    ptrdiff_t row, multiplier; /* row: W · C */
};

/* An item is a row of an image. */
static int repeat_task(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct repetition *job = context;
    real *to = job->to + first * job->row * job->multiplier;
    for (ptrdiff_t i = first * job->row; i < last * job->row; i++)
        for (ptrdiff_t j = 0; j < job->multiplier; j++) *to++ = job->from[i];
    return FNN_OK;
}

static int fold_task(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct repetition *job = context;
    const real *from = job->from + first * job->row * job->multiplier;
    for (ptrdiff_t i = first * job->row; i < last * job->row; i++) {
        real sum = 0;
        for (ptrdiff_t j = 0; j < job->multiplier; j++) sum += *from++;
        job->to[i] = sum;
    }
    return FNN_OK;
}

static double cost_of_copy(const struct geometry *g, ptrdiff_t images) {
    return (double)(images * g->shape.H * g->shape.W * g->shape.F);
}

/* `count` images from image n on, indexed like the filters; NULL if out of memory. */
static const real *repeated_images(const struct geometry *g, const real *x, ptrdiff_t n, ptrdiff_t count) {
    const struct fnn_conv *s = &g->shape;
    x += n * s->H * s->W * s->C;
    if (g->filters == 1) return x;
    real *to = fnn_scratch(FNN_SCRATCH_SHARED, (size_t)(count * s->H * s->W * s->F) * sizeof(real));
    struct repetition job = {to, x, s->W * s->C, g->filters};
    if (to) fnn_parallel(count * s->H, cost_of_copy(g, count), repeat_task, &job);
    return to;
}

/* All images, unless they are copied and the copies would take too much memory. */
static ptrdiff_t depthwise_images(const struct geometry *g) {
    return g->filters == 1 ? most(1, g->shape.N) : images_at_a_time(g, g->shape.H * g->shape.W * g->shape.F);
}

static int depthwise_forward(real *y, const real *x, const real *w, const real *b, const struct geometry *g,
                             int activation) {
    const struct fnn_conv *s = &g->shape;
    ptrdiff_t step = depthwise_images(g);
    int status = FNN_OK;
    for (ptrdiff_t n = 0; n < s->N && status == FNN_OK; n += step) {
        ptrdiff_t count = least(step, s->N - n);
        struct depthwise job = {.shape = *s, .w = w, .b = b, .activation = activation};
        job.image = repeated_images(g, x, n, count);
        if (!job.image) return FNN_NO_MEMORY;
        job.out = y + n * g->pixels * s->F;
        status = fnn_parallel(count * s->OH, conv_flops(g, count), depthwise_forward_task, &job);
    }
    return status;
}

static int depthwise_weight_gradient(real *dw, const real *dz, const real *x, const struct geometry *g) {
    const struct fnn_conv *s = &g->shape;
    ptrdiff_t step = depthwise_images(g), weights = g->K * s->F, chunks = 0;
    struct depthwise job = {.shape = *s};
    job.sums = fnn_scratch(FNN_SCRATCH_PANELS, (size_t)(MOST_ROW_CHUNKS * weights) * sizeof(real));
    if (!job.sums) return FNN_NO_MEMORY;
    for (ptrdiff_t n = 0; n < s->N; n += step) {
        ptrdiff_t count = least(step, s->N - n);
        job.image = repeated_images(g, x, n, count);
        if (!job.image) return FNN_NO_MEMORY;
        job.dz = dz + n * g->pixels * s->F;
        job.rows = count * s->OH;
        job.rows_of_chunk = ceil_div(job.rows, MOST_ROW_CHUNKS);
        ptrdiff_t these = ceil_div(job.rows, job.rows_of_chunk);
        if (n == 0) memset(job.sums, 0, (size_t)((chunks = these) * weights) * sizeof(real));
        int status = fnn_parallel(these, conv_flops(g, count), depthwise_gradient_task, &job);
        if (status != FNN_OK) return status;
    }
    return add_columns(dw, job.sums, chunks, weights, weights);
}

static int depthwise_input_gradient(real *dx, const real *dz, const real *w, const struct geometry *g) {
    const struct fnn_conv *s = &g->shape;
    ptrdiff_t step = depthwise_images(g), image = s->H * s->W * s->C;
    int status = FNN_OK;
    for (ptrdiff_t n = 0; n < s->N && status == FNN_OK; n += step, dx += step * image) {
        ptrdiff_t count = least(step, s->N - n);
        struct depthwise job = {.shape = *s, .image = dz + n * g->pixels * s->F, .w = w, .out = dx};
        if (g->filters > 1)
            job.out = fnn_scratch(FNN_SCRATCH_SHARED, (size_t)(count * image * g->filters) * sizeof(real));
        if (!job.out) return FNN_NO_MEMORY;
        status = fnn_parallel(count * s->H, conv_flops(g, count), depthwise_input_task, &job);
        struct repetition fold = {dx, job.out, s->W * s->C, g->filters};
        if (g->filters > 1 && status == FNN_OK)
            status = fnn_parallel(count * s->H, cost_of_copy(g, count), fold_task, &fold);
    }
    return status;
}

#endif

/* conv.h — shared by the convolution kernels: geometry, padded images, packed filters, tiles of output pixels.
 *
 * N images of H x W pixels with C channels; KH x KW windows; F filters; OH x OW outputs; K = KH * KW * (C / groups)
 * weights per filter.  All images are NHWC, so the KW * C reals that one row of a window covers are contiguous: a
 * `run`.  With dilation or groups a run is one tap, C / groups reals.  A filter is a sequence of runs, in the order of
 * the weights (KH, KW, C / groups, F).
 */
#ifndef FNN_CONV_H
#define FNN_CONV_H

#include "fused.h"

enum { MAX_CHUNK_BYTES = 16 << 20 }; /* images are padded in chunks of at most this size */

struct geometry {
    struct fnn_conv shape;
    ptrdiff_t image_height, image_width;     /* padded */
    ptrdiff_t channels, filters;             /* per group */
    ptrdiff_t K, runs, run_length;
    ptrdiff_t pixels;                        /* outputs per image */
};

INLINE struct geometry make_geometry(const struct fnn_conv *shape) {
    struct geometry g = {.shape = *shape};
    g.image_height = shape->top + shape->H + shape->bottom;
    g.image_width = shape->left + shape->W + shape->right;
    g.channels = shape->C / shape->groups;
    g.filters = shape->F / shape->groups;
    g.K = shape->KH * shape->KW * g.channels;
    int whole_rows = shape->groups == 1 && shape->dilation_w == 1;
    g.runs = whole_rows ? shape->KH : shape->KH * shape->KW;
    g.run_length = whole_rows ? shape->KW * shape->C : g.channels;
    g.pixels = shape->OH * shape->OW;
    return g;
}

/* Offset of run r from the top left pixel of a window, channel 0 of the image. */
INLINE ptrdiff_t run_offset(const struct geometry *g, ptrdiff_t r) {
    const struct fnn_conv *s = &g->shape;
    if (g->runs == s->KH && g->run_length == s->KW * s->C) return r * s->dilation_h * g->image_width * s->C;
    return (r / s->KW * s->dilation_h * g->image_width + r % s->KW * s->dilation_w) * s->C;
}

/* Offset of the window of output (row, column) in its (padded) image. */
INLINE ptrdiff_t window_offset(const struct geometry *g, ptrdiff_t row, ptrdiff_t column) {
    return (row * g->shape.stride_h * g->image_width + column * g->shape.stride_w) * g->shape.C;
}

INLINE ptrdiff_t image_size(const struct geometry *g) { return g->image_height * g->image_width * g->shape.C; }
INLINE int is_padded(const struct geometry *g) {
    return g->shape.top || g->shape.bottom || g->shape.left || g->shape.right;
}
INLINE double conv_flops(const struct geometry *g, ptrdiff_t images) {
    return 2.0 * (double)images * (double)g->pixels * (double)g->K * (double)g->shape.F;
}

/* ---- padded images ---- */

INLINE void pad_image(real *padded, const real *x, const struct geometry *g) {
    const struct fnn_conv *s = &g->shape;
    ptrdiff_t line = g->image_width * s->C, before = s->left * s->C, inside = s->W * s->C;
    memset(padded, 0, (size_t)image_size(g) * sizeof(real));
    for (ptrdiff_t h = 0; h < s->H; h++)
        memcpy(padded + (s->top + h) * line + before, x + h * inside, (size_t)inside * sizeof(real));
}

INLINE void crop_image(real *x, const real *padded, const struct geometry *g) {
    const struct fnn_conv *s = &g->shape;
    ptrdiff_t line = g->image_width * s->C, before = s->left * s->C, inside = s->W * s->C;
    for (ptrdiff_t h = 0; h < s->H; h++)
        memcpy(x + h * inside, padded + (s->top + h) * line + before, (size_t)inside * sizeof(real));
}

struct padding {
    real *padded;
    const real *x;
    const struct geometry *g;
};

static int pad_task(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct padding *job = context;
    ptrdiff_t size = job->g->shape.H * job->g->shape.W * job->g->shape.C;
    for (ptrdiff_t n = first; n < last; n++) pad_image(job->padded + n * image_size(job->g), job->x + n * size, job->g);
    return FNN_OK;
}

/* The number of images to process at a time: all, unless padding or patches would take too much memory. */
INLINE ptrdiff_t images_at_a_time(const struct geometry *g, ptrdiff_t reals_an_image) {
    ptrdiff_t bytes = most(1, reals_an_image * (ptrdiff_t)sizeof(real));
    return least(most(1, g->shape.N), most(1, MAX_CHUNK_BYTES / bytes));
}

/* `count` images from x on as the windows read them: x itself, or padded copies in the scratch of this purpose.  NULL
 * if out of memory. */
__attribute__((unused)) static const real *padded_images(const struct geometry *g, const real *x, ptrdiff_t count,
                                                         enum fnn_scratch_use use) {
    if (!is_padded(g)) return x;
    real *padded = fnn_scratch(use, (size_t)(count * image_size(g)) * sizeof(real));
    struct padding job = {padded, x, g};
    if (padded) fnn_parallel(count, (double)(count * image_size(g)), pad_task, &job);
    return padded;
}

/* ---- packed filters ---- */

INLINE ptrdiff_t panels_of_group(const struct geometry *g) { return ceil_div(g->filters, TILE_COLS); }
INLINE ptrdiff_t panel_columns(const struct geometry *g, ptrdiff_t panel) {
    return least(TILE_COLS, g->filters - panel % panels_of_group(g) * TILE_COLS);
}
/* The first filter of a panel; panels are numbered through all groups. */
INLINE ptrdiff_t panel_filter(const struct geometry *g, ptrdiff_t panel) {
    return panel / panels_of_group(g) * g->filters + panel % panels_of_group(g) * TILE_COLS;
}

/* The filters as the tiles read them: panel i starts at first + i * panel_size, and its rows are `step` reals apart, or
 * as wide as the panel if step is 0 (packed). */
struct filters {
    const real *first;
    ptrdiff_t panel_size, step;
};

enum { FEW_TILES = 16 }; /* below this, packing does not pay */

/* The filters for `pixels` outputs: packed panels of K x TILE_COLS, or w itself if tiles are few and complete.  `first`
 * is NULL if out of memory. */
__attribute__((unused)) static struct filters read_filters(const struct geometry *g, const real *w, ptrdiff_t pixels) {
    ptrdiff_t count = g->shape.groups * panels_of_group(g);
    if (pixels <= FEW_TILES * TILE_ROWS && g->shape.groups == 1 && g->shape.F % TILE_COLS == 0)
        return (struct filters){w, TILE_COLS, g->shape.F};
    ptrdiff_t size = g->K * TILE_COLS;
    real *panels = fnn_scratch(FNN_SCRATCH_PANELS, (size_t)(count * size) * sizeof(real));
    for (ptrdiff_t panel = 0; panels && panel < count; panel++)
        pack_panel(panels + panel * size, w + panel_filter(g, panel), g->shape.F, 1, g->K, panel_columns(g, panel));
    return (struct filters){panels, size, 0};
}

/* ---- tiles of output pixels ---- */

/* c += sums over `rows` windows, which start at window[i], for the filters of one panel. */
INLINE void tile_windows(const int rows, const int vecs, const struct geometry *g, const real *const *window,
                         ptrdiff_t group_offset, const struct filters *filters, ptrdiff_t panel, tile c) {
    const real *w = filters->first + panel * filters->panel_size;
    const ptrdiff_t step = filters->step ? filters->step : vecs * VL;
    for (ptrdiff_t r = 0; r < g->runs; r++)
        tile_rows(rows, vecs, g->run_length, window, run_offset(g, r) + group_offset, w + r * g->run_length * step,
                  step, c);
}

#endif

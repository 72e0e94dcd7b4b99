/* conv_winograd.h — forward and dx by Winograd's algorithm (winograd_tiles.h), for windows of 3 x 3 with stride 1.
 *
 *     y = Aᵀ [ Σ_c U ⊙ V ] A;   dx is y of dz with the windows turned round, channels and filters exchanged
 *
 * Each of the 36 positions of ⊙ is a matrix product, (tiles, C) x (C, F).  The factor with fewer rows is transformed first, for all
 * threads; the other one in the cache of the thread that multiplies it right away, and transforms the products back:
 *
 *     many tiles     all filters, then blocks of tiles
 *     few tiles      all tiles, then panels of filters
 *
 * The sums are the same, to the bit.  A NaN or infinity in x or w would spread over its tile.  So results that are not finite are
 * noticed, and the caller computes all again by the direct algorithm.  No sum is split among threads.
 */
#ifndef FNN_CONV_WINOGRAD_H
#define FNN_CONV_WINOGRAD_H

#include "winograd_tiles.h"

enum {
    BLOCK_BYTES = 192 << 10, /* of the transformed pixels of a block: with the products they stay in L2 */
    LEAST_BLOCKS = 16,       /* as far as tiles go, so that all threads have work */
    CHANNELS_AT_ONCE = 32,   /* of a panel, where tiles are few */
};

/* ---- packed filters ---- */

struct filter_job {
    real *packed;
    const real *w; /* a tap is (channels, filters) with these steps; its number is `tap`, or 8 - tap if turned */
    ptrdiff_t channels, filters, channel_step, filter_step, tap_step;
    ptrdiff_t plane; /* packed reals from place to place */
    int turned;
};

INLINE vec load_filters(const struct filter_job *job, int tap, ptrdiff_t c, ptrdiff_t f, ptrdiff_t count) {
    const real *from = job->w + (job->turned ? 8 - tap : tap) * job->tap_step + c * job->channel_step;
    if (job->filter_step == 1 && count >= VL) return load(from + f);
    vec w = {0};
    for (ptrdiff_t k = 0; k < least(VL, count); k++) w[k] = from[(f + k) * job->filter_step];
    return w;
}

INLINE ptrdiff_t panel_step(ptrdiff_t columns) { return columns > VL ? TILE_COLS : VL; }

/* U of a panel of TILE_COLS filters, some channels: for each place, channels x columns. */
static void transform_panel(const struct filter_job *job, real *to, ptrdiff_t panel, ptrdiff_t c, ptrdiff_t end) {
    const ptrdiff_t f = panel * TILE_COLS, columns = least(TILE_COLS, job->filters - f), step = panel_step(columns);
    for (; c < end; c++, to += step)
        for (ptrdiff_t j = 0; j < step; j += VL) {
            vec down[TAPS][SIDE];
#pragma GCC unroll 3
            for (int s = 0; s < TAPS; s++) {
                vec w[TAPS];
                for (int r = 0; r < TAPS; r++) w[r] = load_filters(job, r * TAPS + s, c, f + j, columns - j);
                transform_filters(w, down[s]);
            }
#pragma GCC unroll 6
            for (int i = 0; i < SIDE; i++) {
                const vec row[TAPS] = {down[0][i], down[1][i], down[2][i]};
                vec u[SIDE];
                transform_filters(row, u);
                for (int k = 0; k < SIDE; k++) store(to + (i * SIDE + k) * job->plane + j, u[k]);
            }
        }
}

/* An item is a channel of a panel. */
static int filters_task(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct filter_job *job = context;
    for (ptrdiff_t item = first; item < last; item++) {
        const ptrdiff_t panel = item / job->channels, c = item % job->channels;
        const ptrdiff_t step = panel_step(least(TILE_COLS, job->filters - panel * TILE_COLS));
        transform_panel(job, job->packed + panel * PLACES * job->plane + c * step, panel, c, c + 1);
    }
    return FNN_OK;
}

/* ---- tiles: transformed, multiplied, transformed back ---- */

struct winograd {
    struct tiling t;
    struct filter_job filters;
    const real *x, *b;
    real *y;
    real *v; /* of all tiles, where these are few */
    ptrdiff_t panels, block, most_tiles;    /* block: strips, most_tiles: their tiles */
    ptrdiff_t stride, plane, product_plane; /* reals from tile to tile, place to place */
    int activation;
};

struct product_tile {
    const real *row[TILE_ROWS], *u;
    real *m;
    ptrdiff_t channels;
    int add;
};

INLINE void winograd_tile(const int rows, const int vecs, const struct product_tile *job) {
    tile c;
    tile_zero(c);
    if (job->add) tile_add_whole(rows, vecs, c, job->m, TILE_COLS);
    tile_rows(rows, vecs, job->channels, job->row, 0, job->u, vecs * VL, c);
    tile_store_whole(rows, vecs, c, job->m, TILE_COLS);
}

/* V of some strips, to the tiles from `first` on; gives the number of their tiles. */
static ptrdiff_t transform_strips(const struct winograd *job, real *v, ptrdiff_t first, ptrdiff_t begin, ptrdiff_t end,
                                  real *lines) {
    const struct tiling *t = &job->t;
    const struct planes planes = {v, job->plane, job->stride, 0, job->stride};
    ptrdiff_t tiles = 0;
    for (ptrdiff_t number = begin; number < end; number++) {
        const struct strip s = strip_of(t, number);
        const struct part part = pixels_of(t, job->x, &s);
        make_lines(ALL_ROWS, SIDE, &part, lines, t->line, lines + SIDE * t->line);
        make_tiles(ALL_ROWS, SIDE, lines, t->line, t->C, t->C, s.tiles, &planes, first + tiles);
        tiles += s.tiles;
    }
    return tiles;
}

/* The products of some tiles with a panel at all places, summed over channels c .. end - 1, and added to those of earlier ones. */
static void multiply_panel(const struct winograd *job, const real *v, const real *u, real *m, ptrdiff_t tiles,
                           ptrdiff_t panel, ptrdiff_t c, ptrdiff_t end) {
    const ptrdiff_t columns = least(TILE_COLS, job->t.F - panel * TILE_COLS), groups = ceil_div(tiles, TILE_ROWS);
    for (int place = 0; place < PLACES; place++)
        for (ptrdiff_t group = 0; group < groups; group++) {
            const ptrdiff_t from = tiles * group / groups, rows = tiles * (group + 1) / groups - from;
            struct product_tile one = {.u = u + place * job->filters.plane,
                                       .m = m + place * job->product_plane + from * TILE_COLS,
                                       .channels = end - c,
                                       .add = c > 0};
            for (ptrdiff_t i = 0; i < rows; i++) one.row[i] = v + place * job->plane + (from + i) * job->stride + c;
            TILE_DISPATCH(winograd_tile, rows, columns, &one);
        }
}

/* act(Aᵀ m A / 9 + b) of a vector of filters to `to`, whose first `rows` and `columns` belong to the image; gives 0, or NaN if a
 * sum is not finite. */
INLINE vec output_vector(const struct winograd *job, const real *m, real *to, ptrdiff_t rows, ptrdiff_t columns,
                         vec bias, ptrdiff_t left) {
    const ptrdiff_t F = job->t.F, line = job->t.OW * F;
    vec down[SIDE][OUTPUTS], odd = {0};
#pragma GCC unroll 6
    for (int j = 0; j < SIDE; j++) {
        vec column[SIDE];
#pragma GCC unroll 6
        for (int i = 0; i < SIDE; i++) column[i] = load(m + (i * SIDE + j) * job->product_plane);
        transform_products(column, down[j]);
    }
#pragma GCC unroll 4
    for (int i = 0; i < OUTPUTS; i++) {
        vec row[SIDE], y[OUTPUTS];
#pragma GCC unroll 6
        for (int j = 0; j < SIDE; j++) row[j] = down[j][i];
        transform_products(row, y);
#pragma GCC unroll 4
        for (int j = 0; j < OUTPUTS; j++) {
            const vec z = (y[j] + bias * 9) * ONE_NINTH;
            odd += z * 0;
            if (i >= rows || j >= columns) continue;
            real *at = to + i * line + j * F;
            store_upto(at, job->activation == FNN_RELU ? vec_activation(FNN_RELU, z, 0) : z, left);
            if (job->activation > FNN_RELU) activate(at, least(VL, left), job->activation);
        }
    }
    return lanes_upto(odd, left);
}

/* The outputs of some strips and a panel, from their products. */
static vec write_outputs(const struct winograd *job, const real *m, ptrdiff_t begin, ptrdiff_t end, ptrdiff_t panel) {
    const struct tiling *t = &job->t;
    vec odd = {0};
    for (ptrdiff_t number = begin; number < end; number++) {
        const struct strip s = strip_of(t, number);
        for (ptrdiff_t f = panel * TILE_COLS; f < least(t->F, (panel + 1) * TILE_COLS); f += VL) {
            const ptrdiff_t left = t->F - f;
            const vec bias = job->b ? load_upto(job->b + f, left) : (vec){0};
            real *to = job->y + ((s.image * t->OH + s.row) * t->OW + s.column) * t->F + f;
            for (ptrdiff_t tile = 0; tile < s.tiles; tile++)
                odd += output_vector(job, m + tile * TILE_COLS + f % TILE_COLS, to + tile * OUTPUTS * t->F,
                                     t->OH - s.row, t->OW - s.column - tile * OUTPUTS, bias, left);
        }
        m += s.tiles * TILE_COLS;
    }
    return odd;
}

/* Many tiles: an item is a block of strips, for all filters. */
static int blocks_task(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct winograd *job = context;
    real *v = lines_after(&job->t, PLACES * job->plane);
    real *m = fnn_scratch(FNN_SCRATCH_ROWS, (size_t)(PLACES * job->product_plane) * sizeof(real));
    if (!v || !m) return FNN_NO_MEMORY;
    vec odd = {0};
    for (ptrdiff_t block = first; block < last; block++) {
        const ptrdiff_t begin = block * job->block, end = least(begin + job->block, job->t.strips);
        const ptrdiff_t tiles = transform_strips(job, v, 0, begin, end, v + PLACES * job->plane);
        for (ptrdiff_t panel = 0; panel < job->panels; panel++) {
            multiply_panel(job, v, job->filters.packed + panel * PLACES * job->filters.plane, m, tiles, panel, 0,
                           job->t.C);
            odd += write_outputs(job, m, begin, end, panel);
        }
    }
    return all_finite(odd) ? FNN_OK : NOT_FINITE;
}

/* Few tiles: an item is a strip, */
static int strips_task(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct winograd *job = context;
    real *lines = lines_after(&job->t, 0);
    if (!lines) return FNN_NO_MEMORY;
    for (ptrdiff_t number = first; number < last; number++) {
        const struct strip s = strip_of(&job->t, number);
        transform_strips(job, job->v, first_tile(&job->t, &s), number, number + 1, lines);
    }
    return FNN_OK;
}

/* and then a panel of filters, for all strips. */
static int panels_task(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct winograd *job = context;
    const struct tiling *t = &job->t;
    real *u = fnn_scratch(FNN_SCRATCH_IMAGE, (size_t)(PLACES * job->filters.plane) * sizeof(real));
    real *m = fnn_scratch(FNN_SCRATCH_ROWS, (size_t)(PLACES * job->product_plane) * sizeof(real));
    if (!u || !m) return FNN_NO_MEMORY;
    vec odd = {0};
    for (ptrdiff_t panel = first; panel < last; panel++) {
        for (ptrdiff_t c = 0; c < t->C; c += CHANNELS_AT_ONCE) { /* their filters stay in L1 or L2 */
            const ptrdiff_t end = least(c + CHANNELS_AT_ONCE, t->C);
            transform_panel(&job->filters, u, panel, c, end);
            multiply_panel(job, job->v, u, m, t->tiles, panel, c, end);
        }
        odd += write_outputs(job, m, 0, t->strips, panel);
    }
    return all_finite(odd) ? FNN_OK : NOT_FINITE;
}

static int winograd_run(struct winograd *job) {
    const struct tiling *t = &job->t;
    if (t->tiles == 0) return FNN_OK;
    const int few = t->tiles < t->F;
    job->filters.channels = t->C;
    job->filters.filters = t->F;
    job->filters.plane = (few ? CHANNELS_AT_ONCE : t->C) * TILE_COLS + SKEW;
    job->panels = ceil_div(t->F, TILE_COLS);
    job->stride = round_up(t->C, VL);
    const ptrdiff_t fits = most(TILE_ROWS, BLOCK_BYTES / (PLACES * job->stride * (ptrdiff_t)sizeof(real)));
    const ptrdiff_t wanted = round_up(ceil_div(t->tiles, LEAST_BLOCKS), TILE_ROWS);
    job->block = most(1, least(fits, wanted) / t->longest);
    job->most_tiles = few ? t->tiles : job->block * t->longest;
    job->plane = job->most_tiles * job->stride + SKEW;
    job->product_plane = job->most_tiles * TILE_COLS + SKEW;
    const ptrdiff_t items = job->panels * t->C, shared = few ? job->plane : job->panels * job->filters.plane;
    real *memory = fnn_scratch(FNN_SCRATCH_PANELS, (size_t)(PLACES * shared) * sizeof(real));
    if (!memory) return FNN_NO_MEMORY;
    const double work = 2.0 * PLACES * (double)t->tiles * (double)t->C * (double)t->F;
    if (few) {
        job->v = memory;
        const int status = fnn_parallel(t->strips, (double)(PLACES * t->tiles * t->C * 4), strips_task, job);
        return status == FNN_OK ? fnn_parallel(job->panels, work + (double)items * TILE_COLS * 50, panels_task, job)
                                : status;
    }
    job->filters.packed = memory;
    fnn_parallel(items, (double)items * TILE_COLS * 50, filters_task, &job->filters);
    return fnn_parallel(ceil_div(t->strips, job->block), work, blocks_task, job);
}

static int winograd_forward(real *y, const real *x, const real *w, const real *b, const struct geometry *g,
                            int activation) {
    const struct fnn_conv *s = &g->shape;
    struct winograd job = {.x = x, .b = b, .y = y, .activation = activation};
    job.t = make_tiling(s->N, s->H, s->W, s->C, s->OH, s->OW, s->F, s->top, s->left);
    job.filters = (struct filter_job){.w = w, .channel_step = s->F, .filter_step = 1, .tap_step = s->C * s->F};
    return winograd_run(&job);
}

static int winograd_input_gradient(real *dx, const real *dz, const real *w, const struct geometry *g) {
    const struct fnn_conv *s = &g->shape;
    struct winograd job = {.x = dz, .y = dx, .activation = FNN_LINEAR};
    job.t = make_tiling(s->N, s->OH, s->OW, s->F, s->H, s->W, s->C, TAPS - 1 - s->top, TAPS - 1 - s->left);
    job.filters =
        (struct filter_job){.w = w, .channel_step = 1, .filter_step = s->F, .tap_step = s->C * s->F, .turned = 1};
    return winograd_run(&job);
}

/* ---- where it is used ---- */

static int winograd_computes(const struct geometry *g) {
    const struct fnn_conv *s = &g->shape;
    return s->KH == 3 && s->KW == 3 && s->stride_h == 1 && s->stride_w == 1 && s->dilation_h == 1 &&
           s->dilation_w == 1 && s->groups == 1;
}

enum { FEWEST_CHANNELS = 24, FEWEST_PIXELS = 48, FEWEST_OUTPUTS = 8 };

/* Where it is quicker: enough channels to repay the transforms, enough pixels to repay that of the filters, and enough outputs of
 * a tile, of 16, inside the image.  The size of the batch has no say: an image has the same bits alone. */
static int winograd_pays(const struct geometry *g) {
    const struct fnn_conv *s = &g->shape;
    const ptrdiff_t tiles = ceil_div(s->OH, OUTPUTS) * ceil_div(s->OW, OUTPUTS);
    return winograd_computes(g) && least(s->C, s->F) >= FEWEST_CHANNELS && g->pixels >= FEWEST_PIXELS &&
           g->pixels >= FEWEST_OUTPUTS * tiles;
}

#endif

/* conv_winograd_gradient.h — dw by Winograd's algorithm (winograd_tiles.h), for windows of 3 x 3 with stride 1.
 *
 *     dw = Gᵀ [ Σ_tiles V ⊙ Z ] G        V = Bᵀ d B,  Z = A dz Aᵀ
 *
 * Each of the 36 positions of ⊙ is a matrix product, (C, tiles) x (tiles, F), whose sums an item of work keeps in cache while it
 * transforms and multiplies one block of tiles after the other.  An item has two rows of places, which share their transforms,
 * some filters and a chunk of the tiles; the chunks are added in order.  All of that is fixed by the shape: no sum
 * depends on the number of threads.  As in conv_winograd.h, results that are not finite are noticed.
 */
#ifndef FNN_CONV_WINOGRAD_GRADIENT_H
#define FNN_CONV_WINOGRAD_GRADIENT_H

#include "winograd_tiles.h"

enum {
    PAIRS = SIDE / 2,
    PAIR_PLACES = 2 * SIDE,
    GRADIENT_BYTES = 256 << 10, /* of the transformed pixels and gradients of a block */
    FEWEST_GRADIENT_TILES = 32, /* in a block: fewer would load and store the sums too often */
    MOST_GRADIENT_TILES = 64,
    TILES_OF_CHUNK = 128, /* at least, in a chunk with sums of its own */
    MOST_TILE_CHUNKS = 8,
    FILTERS_OF_PART = 128,
    FEW_GRADIENT_TILES = TILES_OF_CHUNK,
};

struct winograd_gradient {
    struct tiling t;
    const real *x, *dz;
    real *sums, *dw; /* sums (chunks, PLACES, C, F), `weights` reals from place to place */
    ptrdiff_t weights, chunks, parts, block; /* block: strips, transformed together */
    struct planes v, z; /* V and Z of a block; where they are is up to the task, unless all tiles are one block */
};

struct sums_tile {
    const real *v, *z;
    real *sums;
    ptrdiff_t stride, tiles, F, columns;
    int add;
};

INLINE void sums_of_tile(const int rows, const int vecs, const struct sums_tile *job) {
    tile c;
    tile_zero(c);
    if (job->add) tile_add(rows, vecs, c, job->sums, job->F, job->columns);
    tile_columns(rows, vecs, job->tiles, job->v, job->stride, job->z, TILE_COLS, c);
    tile_store(rows, vecs, c, job->sums, job->F, job->columns);
}

/* The sums (C, F) of a place, filters f0.., and of one block of tiles, to or added to those of the blocks before. */
static void add_products(const struct winograd_gradient *job, real *sums, const real *v, const real *z, ptrdiff_t tiles,
                         ptrdiff_t filters, int add) {
    const ptrdiff_t C = job->t.C, F = job->t.F, pieces = ceil_div(C, TILE_ROWS);
    for (ptrdiff_t f = 0; f < filters; f += TILE_COLS, z += job->z.panel) {
        const ptrdiff_t columns = least(TILE_COLS, filters - f);
        for (ptrdiff_t piece = 0; piece < pieces; piece++) {
            const ptrdiff_t c = C * piece / pieces, rows = C * (piece + 1) / pieces - c;
            struct sums_tile one = {v + c, z, sums + c * F + f, job->v.step, tiles, F, columns, add};
            TILE_DISPATCH(sums_of_tile, rows, columns, &one);
        }
    }
}

/* A pair of rows of places, filters f0.. and strips begin .. end - 1. */
INLINE void gradient_item(const int pair, const struct winograd_gradient *job, real *sums, const struct planes *v,
                          const struct planes *z, real *lines, ptrdiff_t f0, ptrdiff_t filters, ptrdiff_t begin,
                          ptrdiff_t end) {
    const struct tiling *t = &job->t;
    for (ptrdiff_t from = begin; from < end; from += job->block) {
        ptrdiff_t tiles = 0;
        for (ptrdiff_t number = from; number < least(from + job->block, end); number++) {
            const struct strip s = strip_of(t, number);
            const struct part pixels = pixels_of(t, job->x, &s), outputs = outputs_of(t, job->dz, &s);
            make_lines(pair, SIDE, &pixels, lines, t->line, lines + SIDE * t->line);
            make_tiles(pair, SIDE, lines, t->line, t->C, t->C, s.tiles, v, tiles);
            make_lines(pair, OUTPUTS, &outputs, lines, t->line, lines + SIDE * t->line);
            make_tiles(pair, OUTPUTS, lines + f0, t->line, t->F, filters, s.tiles, z, tiles);
            tiles += s.tiles;
        }
        for (int place = 0; place < PAIR_PLACES; place++)
            add_products(job, sums + (pair * PAIR_PLACES + place) * job->weights + f0, v->first + place * v->plane,
                         z->first + place * z->plane, tiles, filters, from > begin);
    }
}

/* An item is a pair of rows of places, some filters, and a chunk of the strips. */
static int winograd_gradient_task(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct winograd_gradient *job = context;
    const struct tiling *t = &job->t;
    struct planes v = job->v, z = job->z;
    v.first = lines_after(t, PAIR_PLACES * (v.plane + z.plane));
    if (!v.first) return FNN_NO_MEMORY;
    z.first = v.first + PAIR_PLACES * v.plane;
    real *lines = z.first + PAIR_PLACES * z.plane;
    for (ptrdiff_t item = first; item < last; item++) {
        const int pair = (int)(item % PAIRS);
        const ptrdiff_t part = item / PAIRS % job->parts, chunk = item / PAIRS / job->parts;
        const ptrdiff_t panels = ceil_div(t->F, TILE_COLS), f0 = panels * part / job->parts * TILE_COLS;
        const ptrdiff_t filters = least(t->F, panels * (part + 1) / job->parts * TILE_COLS) - f0;
        const ptrdiff_t begin = t->strips * chunk / job->chunks, end = t->strips * (chunk + 1) / job->chunks;
        real *sums = job->sums + chunk * PLACES * job->weights;
        switch (pair) {
        case 0: gradient_item(0, job, sums, &v, &z, lines, f0, filters, begin, end); break;
        case 1: gradient_item(1, job, sums, &v, &z, lines, f0, filters, begin, end); break;
        default: gradient_item(2, job, sums, &v, &z, lines, f0, filters, begin, end);
        }
    }
    return FNN_OK;
}

/* A vector of dw = Gᵀ s G to its nine taps, s the sums of `chunks` chunks, added in order; gives 0, or NaN if a weight is not
 * finite. */
INLINE vec weights_vector(const real *sums, ptrdiff_t place_step, ptrdiff_t chunks, ptrdiff_t chunk_step, real *dw,
                          ptrdiff_t tap_step, ptrdiff_t left) {
    vec down[SIDE][TAPS], odd = {0};
#pragma GCC unroll 6
    for (int j = 0; j < SIDE; j++) {
        vec s[SIDE];
#pragma GCC unroll 6
        for (int i = 0; i < SIDE; i++) {
            const real *from = sums + (i * SIDE + j) * place_step;
            s[i] = load_upto(from, left);
            for (ptrdiff_t chunk = 1; chunk < chunks; chunk++) s[i] += load_upto(from + chunk * chunk_step, left);
        }
        transform_sums(s, down[j]);
    }
#pragma GCC unroll 3
    for (int i = 0; i < TAPS; i++) {
        vec row[SIDE], w[TAPS];
        for (int j = 0; j < SIDE; j++) row[j] = down[j][i];
        transform_sums(row, w);
        for (int k = 0; k < TAPS; k++) {
            w[k] *= ONE_NINTH;
            store_upto(dw + (i * TAPS + k) * tap_step, w[k], left);
            odd += w[k] * 0;
        }
    }
    return lanes_upto(odd, left);
}

/* An item is a channel. */
static int winograd_weights_task(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct winograd_gradient *job = context;
    const ptrdiff_t F = job->t.F;
    vec odd = {0};
    for (ptrdiff_t c = first; c < last; c++)
        for (ptrdiff_t f = 0; f < F; f += VL)
            odd += weights_vector(job->sums + c * F + f, job->weights, job->chunks, PLACES * job->weights,
                                  job->dw + c * F + f, job->t.C * F, F - f);
    return all_finite(odd) ? FNN_OK : NOT_FINITE;
}

/* ---- few tiles: all of them transformed first, then tiles of dw from all places, whose sums stay in L1 ---- */

/* An item is a strip. */
static int gradient_strips_task(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct winograd_gradient *job = context;
    const struct tiling *t = &job->t;
    real *lines = lines_after(t, 0);
    if (!lines) return FNN_NO_MEMORY;
    for (ptrdiff_t number = first; number < last; number++) {
        const struct strip s = strip_of(t, number);
        const struct part pixels = pixels_of(t, job->x, &s), outputs = outputs_of(t, job->dz, &s);
        make_lines(ALL_ROWS, SIDE, &pixels, lines, t->line, lines + SIDE * t->line);
        make_tiles(ALL_ROWS, SIDE, lines, t->line, t->C, t->C, s.tiles, &job->v, first_tile(t, &s));
        make_lines(ALL_ROWS, OUTPUTS, &outputs, lines, t->line, lines + SIDE * t->line);
        make_tiles(ALL_ROWS, OUTPUTS, lines, t->line, t->F, t->F, s.tiles, &job->z, first_tile(t, &s));
    }
    return FNN_OK;
}

/* An item is TILE_ROWS channels of a panel of filters. */
static int gradient_tiles_task(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct winograd_gradient *job = context;
    const ptrdiff_t C = job->t.C, F = job->t.F, pieces = ceil_div(C, TILE_ROWS), weights = C * F;
    real sums[PLACES * TILE_ROWS * TILE_COLS];
    vec odd = {0};
    for (ptrdiff_t item = first; item < last; item++) {
        const ptrdiff_t piece = item % pieces, c = C * piece / pieces, rows = C * (piece + 1) / pieces - c;
        const ptrdiff_t panel = item / pieces, f0 = panel * TILE_COLS, columns = least(TILE_COLS, F - f0);
        for (int place = 0; place < PLACES; place++) {
            struct sums_tile one = {.v = job->v.first + place * job->v.plane + c,
                                    .z = job->z.first + place * job->z.plane + panel * job->z.panel,
                                    .sums = sums + place * TILE_ROWS * TILE_COLS,
                                    .stride = job->v.step,
                                    .tiles = job->t.tiles,
                                    .F = TILE_COLS,
                                    .columns = TILE_COLS};
            TILE_DISPATCH(sums_of_tile, rows, columns, &one);
        }
        for (ptrdiff_t i = 0; i < rows; i++)
            for (ptrdiff_t j = 0; j < columns; j += VL)
                odd += weights_vector(sums + i * TILE_COLS + j, TILE_ROWS * TILE_COLS, 1, 0,
                                      job->dw + (c + i) * F + f0 + j, weights, columns - j);
    }
    return all_finite(odd) ? FNN_OK : NOT_FINITE;
}

static int winograd_weight_gradient(real *dw, const real *dz, const real *x, const struct geometry *g) {
    const struct fnn_conv *s = &g->shape;
    struct winograd_gradient job = {.x = x, .dz = dz, .dw = dw};
    job.t = make_tiling(s->N, s->H, s->W, s->C, s->OH, s->OW, s->F, s->top, s->left);
    const struct tiling *t = &job.t;
    if (t->tiles == 0) {
        memset(dw, 0, (size_t)(g->K * s->F) * sizeof(real));
        return FNN_OK;
    }
    const int few = t->tiles < FEW_GRADIENT_TILES;
    job.chunks = most(1, least(least(MOST_TILE_CHUNKS, t->strips), t->tiles / TILES_OF_CHUNK));
    job.weights = t->C * t->F + SKEW;
    job.parts = few ? 1 : ceil_div(t->F, FILTERS_OF_PART);
    const ptrdiff_t of_part = ceil_div(ceil_div(t->F, TILE_COLS), job.parts) * TILE_COLS;
    const ptrdiff_t stride = round_up(t->C, VL) + SKEW; /* columns are read: a power of two would share few sets */
    const ptrdiff_t fits = GRADIENT_BYTES / (PAIR_PLACES * (stride + of_part) * (ptrdiff_t)sizeof(real));
    job.block = ceil_div(most(FEWEST_GRADIENT_TILES, least(fits, MOST_GRADIENT_TILES)), t->longest);
    const ptrdiff_t tiles = few ? t->tiles : job.block * t->longest;
    job.v = (struct planes){NULL, tiles * stride + SKEW, stride, 0, stride};
    job.z = (struct planes){NULL, of_part * tiles + SKEW, TILE_COLS, tiles * TILE_COLS, TILE_COLS};
    const ptrdiff_t reals = PLACES * (few ? job.v.plane + job.z.plane : job.chunks * job.weights);
    real *memory = fnn_scratch(FNN_SCRATCH_LISTS, (size_t)reals * sizeof(real));
    if (!memory) return FNN_NO_MEMORY;
    const double work = 2.0 * PLACES * (double)t->tiles * (double)t->C * (double)t->F;
    if (few) {
        job.v.first = memory;
        job.z.first = memory + PLACES * job.v.plane;
        const double moved = (double)(PLACES * t->tiles * (t->C + t->F) * 4);
        const int status = fnn_parallel(t->strips, moved, gradient_strips_task, &job);
        const ptrdiff_t items = ceil_div(t->F, TILE_COLS) * ceil_div(t->C, TILE_ROWS);
        return status == FNN_OK ? fnn_parallel(items, work, gradient_tiles_task, &job) : status;
    }
    job.sums = memory;
    const int status = fnn_parallel(PAIRS * job.parts * job.chunks, work, winograd_gradient_task, &job);
    if (status != FNN_OK) return status;
    return fnn_parallel(t->C, (double)(job.chunks * PLACES * t->C * t->F), winograd_weights_task, &job);
}

#endif

/* conv_pool_backward.h — gradients of the fused block straight from the pooled gradient and the winners.
 *
 * An entry is a winner whose gradient is not 0: a filter, the place of its convolution window in the image, a value.
 *   dw   for each filter, its entries of one image after the other: dw[f] += value * window, run by run
 *   dx   for each place, its entries: window += value * w[f], run by run, so that the slice of w in use stays in L1
 *   dw of short runs   vectors run over filters instead: dz of a cell is made in registers, zeros and all
 */
#ifndef FNN_CONV_POOL_BACKWARD_H
#define FNN_CONV_POOL_BACKWARD_H

#include "conv_pool.h"

enum {
    RUN_VECS = 8,       /* accumulators of a run; two entries at a time make twice as many */
    IMAGE_CHUNKS = 8,   /* of a short-run dw: fixed, so that the order of summation is */
    WORD = 64,
};

struct pooled_backward {
    struct pooled pool;
    const real *dy, *y;
    const uint8_t *argmax;
    real *dw;      /* (F, K), or partial (IMAGE_CHUNKS, K, F) for short runs */
    real *dx;
    const real *w; /* (runs, F, run_step): filter after filter for each run, for dx */
    ptrdiff_t run_step;
};

/* The gradient behind the activation. */
INLINE vec gradient(const struct pooled_backward *job, ptrdiff_t at, ptrdiff_t n) {
    vec dy = load_upto(job->dy + at, n);
    return job->pool.activation == FNN_RELU ? vec_times_slope(FNN_RELU, dy, load_upto(job->y + at, n), 0) : dy;
}

INLINE real gradient_of_one(const struct pooled_backward *job, ptrdiff_t at) {
    return job->pool.activation == FNN_RELU && !(job->y[at] > 0) ? 0 : job->dy[at];
}

/* The winning cells of n windows, n <= VL. */
INLINE ivec load_winners(const uint8_t *argmax, ptrdiff_t n) {
    bytes narrow = {0};
    if (n == VL) memcpy(&narrow, argmax, VL); /* a size the compiler knows */
    else memcpy(&narrow, argmax, (size_t)n);
    return __builtin_convertvector(narrow, ivec);
}

/* ---- multiply-adds of whole runs ---- */

INLINE void run_add(const int vecs, vec sum[RUN_VECS], real value, const real *run, ptrdiff_t part) {
    const vec factor = splat(value);
#pragma GCC unroll 8
    for (int j = 0; j < vecs - 1; j++) sum[j] += factor * load(run + j * VL);
    sum[vecs - 1] += factor * (part == VL ? load(run + (vecs - 1) * VL) : load_part(run + (vecs - 1) * VL, part));
}

/* to += Σ value[i] * (run + place[i]).  Even and odd entries are summed apart, and `to` is added last: one chain of additions
 * would wait for itself, and for the one before. */
INLINE void add_runs_of(const int vecs, real *to, const real *run, const ptrdiff_t *place, const real *value,
                        ptrdiff_t count, ptrdiff_t part) {
    vec even[RUN_VECS] = {0}, odd[RUN_VECS] = {0};
    ptrdiff_t i = 0;
    for (; i + 1 < count; i += 2) {
        run_add(vecs, even, value[i], run + place[i], part);
        run_add(vecs, odd, value[i + 1], run + place[i + 1], part);
    }
    if (i < count) run_add(vecs, even, value[i], run + place[i], part);
#pragma GCC unroll 8
    for (int j = 0; j < vecs - 1; j++) store(to + j * VL, load(to + j * VL) + (even[j] + odd[j]));
    real *end = to + (vecs - 1) * VL;
    store_upto(end, load_upto(end, part) + (even[vecs - 1] + odd[vecs - 1]), part);
}

/* The same for `length` reals, RUN_VECS vectors at a time. */
static void add_runs(real *to, const real *run, const ptrdiff_t *place, const real *value, ptrdiff_t count,
                     ptrdiff_t length) {
    for (ptrdiff_t from = 0; from < length; from += RUN_VECS * VL) {
        ptrdiff_t reals = least(RUN_VECS * VL, length - from), part = (reals - 1) % VL + 1;
        switch (ceil_div(reals, VL)) {
#define CASE(n) \
    case n: add_runs_of(n, to + from, run + from, place, value, count, part); break;
            CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6) CASE(7) CASE(8)
#undef CASE
        }
    }
}

/* ---- dw, runs at least a vector long ---- */

/* An item is a filter. */
static int pool_weight_task(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct pooled_backward *job = context;
    const struct pooled *pool = &job->pool;
    const struct geometry *g = &pool->g;
    ptrdiff_t F = g->shape.F, windows = pool->windows;
    ptrdiff_t *place = fnn_scratch(FNN_SCRATCH_TILE, (size_t)windows * (sizeof(ptrdiff_t) + sizeof(real)));
    if (!place) return FNN_NO_MEMORY;
    real *value = (real *)(place + windows);
    for (ptrdiff_t n = 0; n < pool->count; n++) {
        const real *image = pool->images + n * image_size(g);
        for (ptrdiff_t f = first; f < last; f++) {
            ptrdiff_t count = 0;
            for (ptrdiff_t window = 0; window < windows; window++) {
                ptrdiff_t at = (n * windows + window) * F + f;
                real dz = gradient_of_one(job, at);
                value[count] = dz;
                place[count] = job->pool.cell_places[window * pool->cells + job->argmax[at]];
                count += dz != 0;
            }
            for (ptrdiff_t r = 0; r < g->runs; r++)
                add_runs(job->dw + f * g->K + r * g->run_length, image + run_offset(g, r), place, value, count,
                         g->run_length);
        }
    }
    return FNN_OK;
}

/* ---- dw, short runs ---- */

struct masked_tile {
    const struct pooled_backward *job;
    ptrdiff_t chunk, panel, k; /* images; filters; first weight */
};

/* c[i] += Σ over cells of x[place of weight i + cell] * dz[cell], for one image and one panel of filters. */
INLINE void masked_image(const int rows, const int vecs, const struct masked_tile *job_tile, ptrdiff_t n,
                         const real *const *place, tile c) {
    const struct pooled_backward *job = job_tile->job;
    const struct pooled *pool = &job->pool;
    ptrdiff_t F = pool->g.shape.F, filter = panel_filter(&pool->g, job_tile->panel);
    ptrdiff_t columns = panel_columns(&pool->g, job_tile->panel);
    for (ptrdiff_t window = 0; window < pool->windows; window++) {
        ptrdiff_t at = (n * pool->windows + window) * F + filter;
        vec dz[TILE_VECS];
        ivec winner[TILE_VECS];
#pragma GCC unroll 2
        for (int j = 0; j < vecs; j++) {
            ptrdiff_t left = least(VL, columns - j * VL);
            dz[j] = gradient(job, at + j * VL, left);
            winner[j] = load_winners(job->argmax + at + j * VL, left);
        }
        const ptrdiff_t *cells = job->pool.cell_places + window * pool->cells;
        for (ptrdiff_t cell = 0; cell < pool->cells; cell++) {
            vec masked[TILE_VECS];
#pragma GCC unroll 2
            for (int j = 0; j < vecs; j++) masked[j] = choose(winner[j] == (ivec){0} + (real_int)cell, dz[j], (vec){0});
            ptrdiff_t offset = cells[cell];
#pragma GCC unroll 12
            for (int i = 0; i < rows; i++) {
                const vec x = splat(place[i][offset]);
#pragma GCC unroll 2
                for (int j = 0; j < vecs; j++) c[i][j] += x * masked[j];
            }
        }
    }
}

INLINE void masked_chunk(const int rows, const int vecs, const struct masked_tile *job_tile) {
    const struct pooled_backward *job = job_tile->job;
    const struct pooled *pool = &job->pool;
    const struct geometry *g = &pool->g;
    ptrdiff_t first = pool->count * job_tile->chunk / IMAGE_CHUNKS,
              last = pool->count * (job_tile->chunk + 1) / IMAGE_CHUNKS;
    tile c;
    tile_zero(c);
    for (ptrdiff_t n = first; n < last; n++) {
        const real *place[TILE_ROWS];
#pragma GCC unroll 12
        for (int i = 0; i < rows; i++)
            place[i] = pool->images + n * image_size(g) + run_offset(g, (job_tile->k + i) / g->run_length) +
                       (job_tile->k + i) % g->run_length;
        masked_image(rows, vecs, job_tile, n, place, c);
    }
    tile_store(rows, vecs, c,
               job->dw + (job_tile->chunk * g->K + job_tile->k) * g->shape.F + panel_filter(g, job_tile->panel),
               g->shape.F, panel_columns(g, job_tile->panel));
}

/* An item is a chunk of images x a panel of filters x a tile of weights; sums go to the chunk's own (K, F). */
static int pool_short_weight_task(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct pooled_backward *job = context;
    const struct geometry *g = &job->pool.g;
    ptrdiff_t panels = panels_of_group(g), tiles = ceil_div(g->K, TILE_ROWS);
    for (ptrdiff_t item = first; item < last; item++) {
        ptrdiff_t t = item % tiles, k = g->K * t / tiles, rows = g->K * (t + 1) / tiles - k;
        struct masked_tile job_tile = {job, item / (panels * tiles), item / tiles % panels, k};
        TILE_DISPATCH(masked_chunk, rows, panel_columns(g, job_tile.panel), &job_tile);
    }
    return FNN_OK;
}

/* ---- dx ---- */

/* Bit i is set where filter i from `at` on, i < n <= WORD, wins its window at this cell with a gradient that is not 0. */
static uint64_t winners_of_cell(const struct pooled_backward *job, ptrdiff_t at, ptrdiff_t n, ptrdiff_t cell) {
    uint64_t word = 0;
    for (ptrdiff_t i = 0; i < n; i += VL) {
        ptrdiff_t left = least(VL, n - i);
        ivec wins = load_winners(job->argmax + at + i, left) == (ivec){0} + (real_int)cell;
        word |= (uint64_t)lanes_nonzero(choose(wins, gradient(job, at + i, left), (vec){0})) << i;
    }
    return word;
}

/* The entries of one image: those of place i are first[i] up to first[i + 1]; filters are noted by where they stand in w. */
struct entries {
    ptrdiff_t *first, *filter;
    real *value;
};

static void list_entries(const struct pooled_backward *job, ptrdiff_t n, struct entries *entries) {
    const struct pooled *pool = &job->pool;
    ptrdiff_t F = pool->g.shape.F, count = 0;
    for (ptrdiff_t i = 0; i < pool->windows * pool->cells; i++) {
        ptrdiff_t at = (n * pool->windows + i / pool->cells) * F;
        entries->first[i] = count;
        for (ptrdiff_t f = 0; f < F; f += WORD)
            for (uint64_t word = winners_of_cell(job, at + f, least(WORD, F - f), i % pool->cells); word;
                 word &= word - 1) {
                ptrdiff_t filter = f + __builtin_ctzll(word);
                entries->filter[count] = filter * job->run_step;
                entries->value[count++] = job->dy[at + filter];
            }
    }
    entries->first[pool->windows * pool->cells] = count;
}

/* dx of one (padded) image. */
static void pool_input_image(const struct pooled_backward *job, ptrdiff_t n, real *image, struct entries *entries) {
    const struct pooled *pool = &job->pool;
    const struct geometry *g = &pool->g;
    list_entries(job, n, entries);
    memset(image, 0, (size_t)image_size(g) * sizeof(real));
    for (ptrdiff_t r = 0; r < g->runs; r++)
        for (ptrdiff_t i = 0; i < pool->windows * pool->cells; i++) {
            ptrdiff_t first = entries->first[i], count = entries->first[i + 1] - first;
            if (count)
                add_runs(image + job->pool.cell_places[i] + run_offset(g, r), job->w + r * g->shape.F * job->run_step,
                         entries->filter + first, entries->value + first, count, g->run_length);
        }
}

/* An item is an image. */
static int pool_input_task(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct pooled_backward *job = context;
    const struct pooled *pool = &job->pool;
    const struct geometry *g = &pool->g;
    ptrdiff_t most_entries = pool->windows * g->shape.F, places = pool->windows * pool->cells;
    ptrdiff_t size = g->shape.H * g->shape.W * g->shape.C;
    struct entries entries;
    entries.first = fnn_scratch(FNN_SCRATCH_TILE, (size_t)(places + 1 + most_entries) * sizeof(ptrdiff_t) +
                                                      (size_t)most_entries * sizeof(real));
    real *padded = is_padded(g) ? fnn_scratch(FNN_SCRATCH_IMAGE, (size_t)image_size(g) * sizeof(real)) : NULL;
    if (!entries.first || (is_padded(g) && !padded)) return FNN_NO_MEMORY;
    entries.filter = entries.first + places + 1;
    entries.value = (real *)(entries.filter + most_entries);
    for (ptrdiff_t n = first; n < last; n++) {
        pool_input_image(job, n, padded ? padded : job->dx + n * size, &entries);
        if (padded) crop_image(job->dx + n * size, padded, g);
    }
    return FNN_OK;
}

#endif

/* conv_pool_backward.h — gradients of the fused block, directly from the pooled gradient and the winners.
 *
 * An entry is a winner whose gradient is not 0: a filter, the position of its convolution window in the image, a value.
 *   dw   for each filter, its entries, one image at a time: dw[f] += value * window, run by run
 *   dx   for each position, its entries: window += value * w[f], run by run, so that the active slice of w stays in L1
 *   dw of short runs   vectors run over filters instead: dz of a cell is built in registers, including its zeros
 */
#ifndef FNN_CONV_POOL_BACKWARD_H
#define FNN_CONV_POOL_BACKWARD_H

#include "conv_pool.h"

enum {
    ACCUMULATORS = TILE_ROWS * TILE_VECS, /* that fit in registers */
    RUN_VECS = 12,                        /* vectors of a run at a time */
    MOST_RUNS = 3,                        /* runs at a time: the rows of a 3 x 3 window */
    IMAGE_CHUNKS = 8,                     /* for dw of short runs: fixed, so that the order of summation is fixed */
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

/* The gradient before the activation. */
INLINE vec gradient(const struct pooled_backward *job, ptrdiff_t at, ptrdiff_t n) {
    vec dy = load_upto(job->dy + at, n);
    return job->pool.activation == FNN_RELU ? vec_times_slope(FNN_RELU, dy, load_upto(job->y + at, n), 0) : dy;
}

/* The gradients of all windows and filters of image n, contiguous and small enough for L1. */
static void gradients_of_image(const struct pooled_backward *job, ptrdiff_t n, real *dz) {
    ptrdiff_t size = job->pool.windows * job->pool.g.shape.F;
    for (ptrdiff_t i = 0; i < size; i += VL) store_upto(dz + i, gradient(job, n * size + i, size - i), size - i);
}

/* ---- multiply-adds of whole runs ---- */

/* Entries: the run of entry i starts at place[i] and is multiplied by value[i]. */
struct entries {
    const real_int *place;
    const real *value;
    ptrdiff_t count;
};

/* A run of `vecs` vectors, the last with `part` reals; `runs` of them are `stride` apart in the source and `to_stride`
 * in the sum. */
struct run {
    ptrdiff_t stride, to_stride, part;
};

INLINE void run_add(const int vecs, vec *sum, vec factor, const real *from, ptrdiff_t part) {
#pragma GCC unroll 12
    for (int j = 0; j < vecs - 1; j++) sum[j] += factor * load(from + j * VL);
    sum[vecs - 1] += factor * (part == VL ? load(from + (vecs - 1) * VL) : load_part(from + (vecs - 1) * VL, part));
}

/* to += Σ value[i] * (from + place[i]), for `runs` runs at a time.  Short runs sum even and odd entries separately, and
 * add `to` last: a single chain of additions would be bound by its latency, and by that of the previous chain. */
INLINE void add_entries(const int runs, const int vecs, real *to, const real *from, struct entries entries,
                        struct run run) {
    const int chains = runs * vecs <= ACCUMULATORS / 2 ? 2 : 1;
    vec sum[2][MOST_RUNS][RUN_VECS] = {0};
    ptrdiff_t i = 0;
    for (; i + chains <= entries.count; i += chains)
#pragma GCC unroll 2
        for (int chain = 0; chain < chains; chain++) {
            const vec factor = splat(entries.value[i + chain]);
#pragma GCC unroll 3
            for (int r = 0; r < runs; r++)
                run_add(vecs, sum[chain][r], factor, from + entries.place[i + chain] + r * run.stride, run.part);
        }
    if (i < entries.count) {
        const vec factor = splat(entries.value[i]);
#pragma GCC unroll 3
        for (int r = 0; r < runs; r++)
            run_add(vecs, sum[0][r], factor, from + entries.place[i] + r * run.stride, run.part);
    }
#pragma GCC unroll 3
    for (int r = 0; r < runs; r++)
#pragma GCC unroll 12
        for (int j = 0; j < vecs; j++) {
            real *at = to + r * run.to_stride + j * VL;
            vec total = chains == 2 ? sum[0][r][j] + sum[1][r][j] : sum[0][r][j];
            if (j < vecs - 1 || run.part == VL) store(at, load(at) + total);
            else store_part(at, load_part(at, run.part) + total, run.part);
        }
}

/* Call CASE(n) for the number of vectors in a run. */
#define EACH_VECS(CASE) \
    CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6) CASE(7) CASE(8) CASE(9) CASE(10) CASE(11) CASE(12)

/* ---- dw, runs at least a vector long ---- */

struct filter_job {
    real *dw;          /* of the filter, starting at the first of its runs */
    const real *image; /* likewise */
    struct entries entries;
};

INLINE void filter_runs(const int vecs, const struct filter_job *job, const struct geometry *g, ptrdiff_t from,
                        ptrdiff_t part) {
    ptrdiff_t r = 0;
    if (MOST_RUNS * vecs <= ACCUMULATORS && g->runs % MOST_RUNS == 0 && g->runs == g->shape.KH)
        for (; r < g->runs; r += MOST_RUNS) /* the rows of a window are evenly spaced */
            add_entries(MOST_RUNS, vecs, job->dw + r * g->run_length + from, job->image + run_offset(g, r) + from,
                        job->entries, (struct run){run_offset(g, 1), g->run_length, part});
    for (; r < g->runs; r++)
        add_entries(1, vecs, job->dw + r * g->run_length + from, job->image + run_offset(g, r) + from, job->entries,
                    (struct run){0, 0, part});
}

static void add_to_filter(const struct filter_job *job, const struct geometry *g) {
    for (ptrdiff_t from = 0; from < g->run_length; from += RUN_VECS * VL) {
        ptrdiff_t reals = least(RUN_VECS * VL, g->run_length - from), part = (reals - 1) % VL + 1;
        switch (ceil_div(reals, VL)) {
#define CASE(n) \
    case n: filter_runs(n, job, g, from, part); break;
            EACH_VECS(CASE)
#undef CASE
        }
    }
}

/* An item is a filter. */
static int pool_weight_task(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct pooled_backward *job = context;
    const struct pooled *pool = &job->pool;
    const struct geometry *g = &pool->g;
    ptrdiff_t F = g->shape.F, windows = pool->windows;
    real *dz = fnn_scratch(FNN_SCRATCH_TILE, (size_t)(windows * (F + 2)) * sizeof(real));
    if (!dz) return FNN_NO_MEMORY;
    real *value = dz + windows * F;
    real_int *place = (real_int *)(value + windows);
    for (ptrdiff_t n = 0; n < pool->count; n++) {
        const real *image = pool->images + n * image_size(g);
        const uint8_t *argmax = job->argmax + n * windows * F;
        gradients_of_image(job, n, dz);
        for (ptrdiff_t f = first; f < last; f++) {
            ptrdiff_t count = 0;
            const ptrdiff_t *cells = pool->cell_places;
            for (ptrdiff_t at = f; at < windows * F; at += F, cells += pool->cells) {
                value[count] = dz[at];
                const ptrdiff_t cell = argmax[at]; /* which another thread may have written since it was checked */
                place[count] = (real_int)cells[least(cell, pool->cells - 1)];
                count += dz[at] != 0;
            }
            add_to_filter(&(struct filter_job){job->dw + f * g->K, image, {place, value, count}}, g);
        }
    }
    return FNN_OK;
}

/* ---- dw, short runs ---- */

struct masked_tile {
    const struct pooled_backward *job;
    ptrdiff_t chunk, panel, k; /* images; filters; first weight */
    ptrdiff_t offset[TILE_ROWS]; /* of each weight in its image */
};

/* c[i] += Σ over cells of x[offset of weight i + cell] * dz[cell], for one image and one panel of filters. */
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
        for (int i = 0; i < rows; i++) place[i] = pool->images + n * image_size(g) + job_tile->offset[i];
        masked_image(rows, vecs, job_tile, n, place, c);
    }
    tile_store(rows, vecs, c,
               job->dw + (job_tile->chunk * g->K + job_tile->k) * g->shape.F + panel_filter(g, job_tile->panel),
               g->shape.F, panel_columns(g, job_tile->panel));
}

/* An item is a chunk of images x a panel of filters x a tile of weights; each chunk has its own sums (K, F). */
static int pool_short_weight_task(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct pooled_backward *job = context;
    const struct geometry *g = &job->pool.g;
    ptrdiff_t panels = panels_of_group(g), tiles = ceil_div(g->K, TILE_ROWS);
    for (ptrdiff_t item = first; item < last; item++) {
        ptrdiff_t t = item % tiles, k = g->K * t / tiles, rows = g->K * (t + 1) / tiles - k;
        struct masked_tile job_tile = {job, item / (panels * tiles), item / tiles % panels, k, {0}};
        for (ptrdiff_t i = 0; i < rows; i++)
            job_tile.offset[i] = run_offset(g, (k + i) / g->run_length) + (k + i) % g->run_length;
        TILE_DISPATCH(masked_chunk, rows, panel_columns(g, job_tile.panel), &job_tile);
    }
    return FNN_OK;
}

/* ---- dx ---- */

/* The entries of one image, sorted by position: those of cell c of window v are first[v * cells + c] up to the next
 * one's first; a filter is stored as its offset in w. */
struct sorted_entries {
    ptrdiff_t *first;
    real_int *filter;
    real *value;
};

/* Append the lanes of a vector of filters that win at this cell with a nonzero gradient; return the new count. */
INLINE ptrdiff_t append_winners(const struct sorted_entries *list, ptrdiff_t count, vec dz, ivec wins, real_int filter,
                                real_int step) {
    unsigned lanes = lanes_nonzero(choose(wins, dz, (vec){0}));
#if defined(__AVX512F__) && FNN_BITS == 32
    const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    __m512i filters = _mm512_mullo_epi32(_mm512_add_epi32(lane, _mm512_set1_epi32(filter)), _mm512_set1_epi32(step));
    _mm512_storeu_si512(list->filter + count, _mm512_maskz_compress_epi32((__mmask16)lanes, filters));
    store(list->value + count, (vec)_mm512_maskz_compress_ps((__mmask16)lanes, (__m512)dz));
    return count + __builtin_popcount(lanes);
#else
    for (; lanes; lanes &= lanes - 1) {
        int i = __builtin_ctz(lanes);
        list->filter[count] = (filter + i) * step;
        list->value[count++] = dz[i];
    }
    return count;
#endif
}

static void sort_entries(const struct pooled_backward *job, ptrdiff_t n, const struct sorted_entries *list) {
    const struct pooled *pool = &job->pool;
    ptrdiff_t F = pool->g.shape.F, count = 0;
    for (ptrdiff_t i = 0; i < pool->windows * pool->cells; i++) {
        ptrdiff_t at = (n * pool->windows + i / pool->cells) * F;
        const ivec cell = (ivec){0} + (real_int)(i % pool->cells);
        list->first[i] = count;
        for (ptrdiff_t f = 0; f < F; f += VL)
            count =
                append_winners(list, count, gradient(job, at + f, F - f),
                               load_winners(job->argmax + at + f, F - f) == cell, (real_int)f, (real_int)job->run_step);
        /* A filter has one winner a window, unless another thread writes into argmax: what is too much is dropped. */
        count = least(count, pool->windows * F);
    }
    list->first[pool->windows * pool->cells] = count;
}

/* Part `from`.. of run r, for all windows of the image. */
INLINE void input_run(const int vecs, const struct pooled_backward *job, real *image, const struct sorted_entries *list,
                      ptrdiff_t r, ptrdiff_t from, ptrdiff_t part) {
    const struct pooled *pool = &job->pool;
    const real *w = job->w + r * pool->g.shape.F * job->run_step + from;
    image += run_offset(&pool->g, r) + from;
    for (ptrdiff_t i = 0; i < pool->windows * pool->cells; i++) {
        ptrdiff_t first = list->first[i];
        struct entries entries = {list->filter + first, list->value + first, list->first[i + 1] - first};
        if (entries.count) add_entries(1, vecs, image + pool->cell_places[i], w, entries, (struct run){0, 0, part});
    }
}

/* dx of one (padded) image. */
static void pool_input_image(const struct pooled_backward *job, ptrdiff_t n, real *image,
                             const struct sorted_entries *list) {
    const struct geometry *g = &job->pool.g;
    sort_entries(job, n, list);
    memset(image, 0, (size_t)image_size(g) * sizeof(real));
    for (ptrdiff_t r = 0; r < g->runs; r++)
        for (ptrdiff_t from = 0; from < g->run_length; from += RUN_VECS * VL) {
            ptrdiff_t reals = least(RUN_VECS * VL, g->run_length - from), part = (reals - 1) % VL + 1;
            switch (ceil_div(reals, VL)) {
#define CASE(n) \
    case n: input_run(n, job, image, list, r, from, part); break;
                EACH_VECS(CASE)
#undef CASE
            }
        }
}

/* An item is an image. */
static int pool_input_task(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct pooled_backward *job = context;
    const struct pooled *pool = &job->pool;
    const struct geometry *g = &pool->g;
    ptrdiff_t count = pool->windows * pool->cells + 1,
              most_entries = (pool->windows + 1) * g->shape.F + VL; /* full vectors are stored */
    ptrdiff_t size = g->shape.H * g->shape.W * g->shape.C;
    struct sorted_entries list;
    list.first =
        fnn_scratch(FNN_SCRATCH_TILE, (size_t)count * sizeof(ptrdiff_t) + 2 * (size_t)most_entries * sizeof(real));
    real *padded = is_padded(g) ? fnn_scratch(FNN_SCRATCH_IMAGE, (size_t)image_size(g) * sizeof(real)) : NULL;
    if (!list.first || (is_padded(g) && !padded)) return FNN_NO_MEMORY;
    list.value = (real *)(list.first + count);
    list.filter = (real_int *)(list.value + most_entries);
    for (ptrdiff_t n = first; n < last; n++) {
        pool_input_image(job, n, padded ? padded : job->dx + n * size, &list);
        if (padded) crop_image(job->dx + n * size, padded, g);
    }
    return FNN_OK;
}

#endif

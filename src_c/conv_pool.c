/* conv_pool.c — convolution, bias, activation (linear or relu) and max pooling in one pass.
 *
 *    forward    z = conv2d(x, w) + b;  y = act(max of z over each window of PH x PW cells);  argmax: the first cell
 * that wins     backward   dz is dy · act'(y) at the winning cells and 0 elsewhere;  dw, dx, db as in conv.c
 *
 * Shapes: x, dx (N,H,W,C); w, dw (KH,KW,C,F); b, db (F,); y, dy (N,P,Q,F) real and argmax (N,P,Q,F) uint8.  Pooling
 * windows do not overlap; outputs outside all windows are never computed.  Outputs are assigned and share no memory
 * with inputs; dx and db may be NULL.  Twin: fastnn/reference/conv_pool.py.
 *
 * "Zeros are free": forward writes a quarter of the bytes (2 x 2 windows), and backward multiplies only where dz is not
 * 0, which is at most one cell in four, and fewer after relu.  A dense dz is never formed.  A skipped zero hides a NaN
 * or infinity of the other factor.
 *
 * Threading: forward over blocks of windows, dw over filters (short runs: over fixed chunks of images, summed in
 * order), dx over images.  Compute-bound; backward is bound by loads from L1.
 */
#include "conv_pool.h"

#include "conv_pool_backward.h"

/* ---- forward ---- */

enum {
    BLOCK_CELLS = 48,  /* convolution outputs per block: complete tiles for 2 x 2 windows, for any TILE_ROWS */
    SMALL_BLOCK_CELLS = 12,
    FEW_BLOCKS = 8,
    MAX_CELLS = 256,   /* per window: argmax is a byte */
};

struct block {
    const struct pooled *job;
    const real *const *window; /* where the convolution window of each cell starts */
    real *lines;               /* (cells, TILE_COLS) sums */
    ptrdiff_t panel;
};

INLINE void block_tile(const int rows, const int vecs, const struct block *block) {
    const struct geometry *g = &block->job->g;
    tile c;
    tile_zero(c);
    tile_windows(rows, vecs, g, block->window, 0, &block->job->filters, block->panel, c);
    tile_store(rows, vecs, c, block->lines, TILE_COLS, vecs * VL);
}

/* The maxima of `count` windows of `cells` lines each, for one vector of `left` filters. */
INLINE void pool_vector(const int cells, const struct pooled *job, const real *lines, ptrdiff_t at, ptrdiff_t count,
                        ptrdiff_t filter, ptrdiff_t left) {
    const vec bias = job->b ? load_upto(job->b + filter, left) : (vec){0};
    for (ptrdiff_t i = 0; i < count; i++, lines += cells * TILE_COLS, at += job->g.shape.F) {
        vec best = load(lines) + bias;
        ivec winner = {0};
#pragma GCC unroll 4
        for (int cell = 1; cell < cells; cell++) {
            vec z = load(lines + cell * TILE_COLS) + bias;
            ivec wins = (z > best) | (is_nan(z) & ~is_nan(best));
            best = choose(wins, z, best);
            winner = (wins & ((ivec){0} + (real_int)cell)) | (~wins & winner);
        }
        if (job->activation == FNN_RELU) best = vec_activation(FNN_RELU, best, 0);
        store_upto(job->y + at, best, left);
        store_winners(job->argmax + at, winner, left);
    }
}

static void pool_lines(const struct pooled *job, const real *lines, ptrdiff_t window, ptrdiff_t count,
                       ptrdiff_t panel) {
    ptrdiff_t first = panel_filter(&job->g, panel), columns = panel_columns(&job->g, panel);
    for (ptrdiff_t j = 0; j < columns; j += VL) {
        ptrdiff_t at = window * job->g.shape.F + first + j;
        if (job->cells == 4) pool_vector(4, job, lines + j, at, count, first + j, columns - j); /* 2 x 2, unrolled */
        else pool_vector((int)job->cells, job, lines + j, at, count, first + j, columns - j);
    }
}

/* Complete tiles of 2 x 2 windows per block, and a single tile if there are few blocks to distribute. */
static ptrdiff_t windows_of_block(const struct pooled *job) {
    ptrdiff_t cells =
        job->g.shape.N * job->windows * job->cells > FEW_BLOCKS * BLOCK_CELLS ? BLOCK_CELLS : SMALL_BLOCK_CELLS;
    return most(1, cells / job->cells);
}

/* An item is a block of pooling windows, numbered through the chunk of images. */
static int pool_forward_task(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct pooled *job = context;
    const struct geometry *g = &job->g;
    const real *window[MAX_CELLS];
    _Alignas(64) real lines[MAX_CELLS * TILE_COLS];
    ptrdiff_t per_block = job->per_block, total = job->count * job->windows;
    for (ptrdiff_t start = first * per_block; start < least(last * per_block, total); start += per_block) {
        ptrdiff_t count = least(per_block, total - start), cells = count * job->cells,
                  tiles = ceil_div(cells, TILE_ROWS);
        for (ptrdiff_t i = 0; i < count; i++) {
            const real *image = job->images + (start + i) / job->windows * image_size(g);
            const ptrdiff_t *places = job->cell_places + (start + i) % job->windows * job->cells;
            for (ptrdiff_t cell = 0; cell < job->cells; cell++) window[i * job->cells + cell] = image + places[cell];
        }
        for (ptrdiff_t panel = 0; panel < panels_of_group(g); panel++) {
            ptrdiff_t columns = panel_columns(g, panel);
            for (ptrdiff_t t = 0; t < tiles; t++) {
                ptrdiff_t from = cells * t / tiles, to = cells * (t + 1) / tiles;
                struct block block = {job, window + from, lines + from * TILE_COLS, panel};
                TILE_DISPATCH(block_tile, to - from, columns, &block);
            }
            pool_lines(job, lines, start, count, panel);
        }
    }
    return FNN_OK;
}

int FNN(conv2d_pool_forward)(real *y, uint8_t *argmax, const real *x, const real *w, const real *b,
                             const struct fnn_conv *shape, ptrdiff_t pool_h, ptrdiff_t pool_w, int activation) {
    struct pooled job = make_pooled(shape, pool_h, pool_w, activation);
    const struct geometry *g = &job.g;
    job.b = b;
    job.filters = read_filters(g, w, shape->N * job.windows * job.cells);
    if (!job.filters.first || !find_cell_places(&job)) return FNN_NO_MEMORY;
    job.per_block = windows_of_block(&job);
    ptrdiff_t step = is_padded(g) ? images_at_a_time(g, image_size(g)) : shape->N;
    int status = FNN_OK;
    for (ptrdiff_t n = 0; n < shape->N && status == FNN_OK; n += step) {
        job.count = least(step, shape->N - n);
        job.images = padded_images(g, x + n * shape->H * shape->W * shape->C, job.count, FNN_SCRATCH_SHARED);
        if (!job.images) return FNN_NO_MEMORY;
        job.y = y + n * job.windows * shape->F;
        job.argmax = argmax + n * job.windows * shape->F;
        ptrdiff_t blocks = ceil_div(job.count * job.windows, job.per_block);
        status = fnn_parallel(blocks, conv_flops(g, job.count), pool_forward_task, &job);
    }
    return status;
}

/* ---- backward ---- */

static int winners_are_cells(const uint8_t *argmax, ptrdiff_t n, ptrdiff_t cells) {
    int beyond = 0;
    for (ptrdiff_t i = 0; i < n; i++) beyond |= argmax[i] >= cells;
    return !beyond;
}

/* An item is a vector of filters. */
struct pool_bias {
    const struct pooled_backward *job;
    real *db;
};

static int pool_bias_task(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct pool_bias *bias = context;
    const struct pooled *pool = &bias->job->pool;
    ptrdiff_t F = pool->g.shape.F, windows = pool->g.shape.N * pool->windows;
    for (ptrdiff_t f = first * VL; f < least(last * VL, F); f += VL) {
        vec sum = {0};
        for (ptrdiff_t i = 0; i < windows; i++) sum += gradient(bias->job, i * F + f, least(VL, F - f));
        store_upto(bias->db + f, sum, F - f);
    }
    return FNN_OK;
}

/* Transpose in blocks of VL x VL reals: to (columns, rows), from (rows, columns), whose rows are `ld` apart. */
struct transposition {
    real *to;
    const real *from;
    ptrdiff_t rows, columns, to_ld, from_ld;
};

/* An item is VL rows of `from`. */
static int transpose_task(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct transposition *t = context;
    for (ptrdiff_t row = first * VL; row < least(last * VL, t->rows); row += VL)
        for (ptrdiff_t column = 0; column < t->columns; column++)
            for (ptrdiff_t i = row; i < least(row + VL, t->rows); i++)
                t->to[column * t->to_ld + i] = t->from[i * t->from_ld + column];
    return FNN_OK;
}

static void transpose(struct transposition *t) {
    fnn_parallel(ceil_div(t->rows, VL), 16 * (double)(t->rows * t->columns), transpose_task, t);
}

static int long_runs(const struct geometry *g) { return g->run_length >= VL; }

/* job->pool is a chunk of images; dw is assigned for the first chunk and accumulated for the others. */
static int pool_weight_chunk(struct pooled_backward *job, real *dw, int add) {
    const struct geometry *g = &job->pool.g;
    ptrdiff_t F = g->shape.F, size = g->K * F;
    double work = conv_flops(g, job->pool.count) / (double)job->pool.cells;
    if (long_runs(g)) { /* job->dw accumulates over chunks */
        int status = fnn_parallel_parts(F, work, pool_weight_task, job, 2);
        transpose(&(struct transposition){dw, job->dw, F, g->K, F, g->K});
        return status;
    }
    int status =
        fnn_parallel(IMAGE_CHUNKS * panels_of_group(g) * ceil_div(g->K, TILE_ROWS), work, pool_short_weight_task, job);
    for (ptrdiff_t i = 0; i < size; i += VL) {
        vec sum = add ? load_upto(dw + i, size - i) : (vec){0};
        for (ptrdiff_t chunk = 0; chunk < IMAGE_CHUNKS; chunk++) sum += load_upto(job->dw + chunk * size + i, size - i);
        store_upto(dw + i, sum, size - i);
    }
    return status;
}

static int pool_weight_gradient(struct pooled_backward *job, real *dw, const real *x) {
    const struct fnn_conv *s = &job->pool.g.shape;
    const struct geometry *g = &job->pool.g;
    size_t size = (size_t)(g->K * s->F) * sizeof(real);
    job->dw = fnn_scratch(FNN_SCRATCH_SHARED, long_runs(g) ? size : IMAGE_CHUNKS * size);
    if (!job->dw) return FNN_NO_MEMORY;
    if (long_runs(g)) memset(job->dw, 0, size);
    if (s->N == 0) memset(dw, 0, size);
    struct pooled_backward chunk = *job;
    ptrdiff_t step = is_padded(g) ? images_at_a_time(g, image_size(g)) : s->N;
    int status = FNN_OK;
    for (ptrdiff_t n = 0; n < s->N && status == FNN_OK; n += step) {
        ptrdiff_t before = n * job->pool.windows * s->F;
        chunk.pool.count = least(step, s->N - n);
        chunk.pool.images = padded_images(g, x + n * s->H * s->W * s->C, chunk.pool.count, FNN_SCRATCH_PANELS);
        if (!chunk.pool.images) return FNN_NO_MEMORY;
        chunk.dy = job->dy + before, chunk.argmax = job->argmax + before, chunk.y = job->y + before;
        status = pool_weight_chunk(&chunk, dw, n > 0);
    }
    return status;
}

static int pool_input_gradient(struct pooled_backward *job, real *dx, const real *w) {
    const struct geometry *g = &job->pool.g;
    ptrdiff_t F = g->shape.F;
    job->run_step = round_up(g->run_length, VL);
    real *by_filter = fnn_scratch(FNN_SCRATCH_PANELS, (size_t)(g->runs * F * job->run_step) * sizeof(real));
    if (!by_filter) return FNN_NO_MEMORY;
    for (ptrdiff_t r = 0; r < g->runs; r++)
        transpose(&(struct transposition){by_filter + r * F * job->run_step, w + r * g->run_length * F, g->run_length,
                                          F, job->run_step, F});
    job->w = by_filter;
    job->dx = dx;
    return fnn_parallel(g->shape.N, conv_flops(g, g->shape.N) / (double)job->pool.cells, pool_input_task, job);
}

int FNN(conv2d_pool_backward)(real *dx, real *dw, real *db, const real *dy, const real *x, const real *w, const real *y,
                              const uint8_t *argmax, const struct fnn_conv *shape, ptrdiff_t pool_h, ptrdiff_t pool_w,
                              int activation) {
    struct pooled_backward job = {
        .pool = make_pooled(shape, pool_h, pool_w, activation), .dy = dy, .y = y, .argmax = argmax};
    const struct pooled *pool = &job.pool;
    if (!winners_are_cells(argmax, shape->N * pool->windows * shape->F, pool->cells)) return FNN_BAD_INDEX;
    if (!find_cell_places(&job.pool)) return FNN_NO_MEMORY;
    if (db) {
        struct pool_bias bias = {&job, db};
        fnn_parallel(ceil_div(shape->F, VL), (double)(shape->N * pool->windows * shape->F), pool_bias_task, &bias);
    }
    int status = pool_weight_gradient(&job, dw, x);
    if (status == FNN_OK && dx) status = pool_input_gradient(&job, dx, w);
    return status;
}

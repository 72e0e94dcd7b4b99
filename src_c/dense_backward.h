/* dense_backward.h — all gradients of a dense layer in one pass over blocks of rows.
 *
 *     dz = dy · act'(y),  dx = dz · wᵀ,  dw = xᵀ · dz,  db = Σ over rows of dz
 *
 * Each array is read once, and dz is never an array in memory: a block's dz is made in panels, which stay in L2 for both
 * products.
 *
 *     dy, y, rows of a block  ──>  dz, panels of TILE_COLS columns, and their sums
 *     dw of the group  +=  xᵀ · dz    x in place, by columns; a panel of dz is in L1
 *     dx               =   dz · wᵀ    rows of dz, from panel to panel; wᵀ in panels, packed once
 *
 * For many rows, and weights that are small enough for each group of rows to have gradients of its own.  The groups are cut
 * by the shape alone and added in order: the same bits at any number of threads.
 */
#ifndef FNN_DENSE_BACKWARD_H
#define FNN_DENSE_BACKWARD_H

#include "column_sums.h"
#include "fused.h"

enum {
    MOST_GROUPS = 16,
    GROUP_ROWS = 128,                          /* at least: a group's gradients cost as much as 4 rows */
    GROUPS_STEP = 4,                           /* so that two and four threads have equal shares */
    MOST_WEIGHTS = 1 << 16,                    /* beyond it, adding the groups costs what the pass saves */
    BLOCK_REALS = (256 << 10) / sizeof(real),  /* of x and dz: half of an L2 */
    BLOCK_ROWS = 256,                          /* at most: a panel of dz takes half of L1 */
    SLOPE_ROWS = 4,                            /* added up at a time */
};

struct backward {
    real *dx, *dw;          /* dx may be NULL */
    real *gradients, *sums; /* of each group: dw in whole tiles, one panel after the other, and db */
    const real *panels;     /* of wᵀ */
    const real *dy, *x, *y;
    ptrdiff_t M, K, N, groups, block_rows;
    int activation;
};

INLINE ptrdiff_t whole_tiles(ptrdiff_t K) { return round_up(K, TILE_ROWS); }
INLINE ptrdiff_t whole_panels(ptrdiff_t N) { return round_up(N, TILE_COLS); }

/* ---- dz ---- */

/* `count` rows of dz from (count, N) of dy and y; panels are `apart`. */
INLINE void slopes_of_rows(const int activation, const int count, real *dz, ptrdiff_t apart, real *sums, const real *dy,
                           const real *y, ptrdiff_t N) {
    for (ptrdiff_t j = 0; j < N; j += VL) {
        const ptrdiff_t left = N - j;
        real *to = dz + j / TILE_COLS * apart + j % TILE_COLS;
        vec sum = load(sums + j);
#pragma GCC unroll 4
        for (int i = 0; i < count; i++) {
            vec value = load_upto(dy + i * N + j, left);
            if (activation != FNN_LINEAR)
                value = vec_times_slope(activation, value, load_upto(y + i * N + j, left), default_alpha(activation));
            store(to + i * TILE_COLS, value);
            sum += value;
        }
        store(sums + j, sum);
    }
}

INLINE void slopes_by(const int activation, const struct backward *job, real *dz, real *sums, ptrdiff_t row,
                      ptrdiff_t rows) {
    const ptrdiff_t N = job->N, apart = rows * TILE_COLS;
    const real *dy = job->dy + row * N, *y = activation == FNN_LINEAR ? dy : job->y + row * N;
    ptrdiff_t i = 0;
    for (; i + SLOPE_ROWS <= rows; i += SLOPE_ROWS)
        slopes_of_rows(activation, SLOPE_ROWS, dz + i * TILE_COLS, apart, sums, dy + i * N, y + i * N, N);
    for (; i < rows; i++) slopes_of_rows(activation, 1, dz + i * TILE_COLS, apart, sums, dy + i * N, y + i * N, N);
}

/* dz of rows row .. row + rows - 1 in panels; sums (N, in whole panels) += its columns. */
static void slopes(const struct backward *job, real *dz, real *sums, ptrdiff_t row, ptrdiff_t rows) {
    switch (job->activation) {
#define CASE(constant) \
    case constant: slopes_by(constant, job, dz, sums, row, rows); break;
        FNN_EACH_FUSIBLE(CASE)
#undef CASE
    }
}

/* ---- the products of a block ---- */

struct backward_tile {
    const real *a, *b;
    ptrdiff_t a_step, depth;
    real *c;
    ptrdiff_t ldc, columns;
    int add;
};

INLINE void gradient_tile(const int rows, const int vecs, const struct backward_tile *job) {
    tile c;
    tile_zero(c);
    tile_columns(rows, vecs, job->depth, job->a, job->a_step, job->b, TILE_COLS, c);
    if (job->add) tile_add_whole(rows, vecs, c, job->c, TILE_COLS);
    tile_store_whole(rows, vecs, c, job->c, TILE_COLS);
}

/* dw, in tiles, = or += xᵀ · dz.  x is not packed: its lines come from L2 in time. */
static void gradient_of_weights(const struct backward *job, real *dw, const real *dz, ptrdiff_t row, ptrdiff_t rows,
                                int add) {
    const ptrdiff_t K = job->K;
    for (ptrdiff_t j = 0; j < job->N; j += TILE_COLS)
        for (ptrdiff_t k = 0; k < K; k += TILE_ROWS) {
            const struct backward_tile tile = {.a = job->x + row * K + k,
                                               .a_step = K,
                                               .b = dz + j * rows,
                                               .depth = rows,
                                               .c = dw + j * whole_tiles(K) + k * TILE_COLS,
                                               .add = add};
            TILE_SWITCH(gradient_tile, TILE_VECS, least(TILE_ROWS, K - k), &tile);
        }
}

/* Rows of dz, a_step from panel to panel. */
INLINE void input_tile(const int rows, const int vecs, const struct backward_tile *job) {
    const real *row[TILE_ROWS], *b = job->b;
#pragma GCC unroll 12
    for (int i = 0; i < rows; i++) {
        row[i] = job->a + i * TILE_COLS;
        __builtin_prefetch(job->c + i * job->ldc, 1); /* will be written */
    }
    tile c;
    tile_zero(c);
    ptrdiff_t n = 0, at = 0;
    for (; n + TILE_COLS <= job->depth; n += TILE_COLS, at += job->a_step, b += TILE_COLS * vecs * VL)
        tile_rows(rows, vecs, TILE_COLS, row, at, b, vecs * VL, c);
    tile_rows(rows, vecs, job->depth - n, row, at, b, vecs * VL, c);
    tile_store(rows, vecs, c, job->c, job->ldc, job->columns);
}

static void gradient_of_input(const struct backward *job, const real *dz, ptrdiff_t row, ptrdiff_t rows) {
    const ptrdiff_t K = job->K;
    for (ptrdiff_t k = 0; k < K; k += TILE_COLS)
        for (ptrdiff_t i = 0; i < rows; i += TILE_ROWS) {
            const struct backward_tile tile = {.a = dz + i * TILE_COLS,
                                               .a_step = rows * TILE_COLS,
                                               .b = job->panels + k * job->N,
                                               .depth = job->N,
                                               .c = job->dx + (row + i) * K + k,
                                               .ldc = K,
                                               .columns = least(TILE_COLS, K - k)};
            TILE_DISPATCH(input_tile, least(TILE_ROWS, rows - i), tile.columns, &tile);
        }
}

/* ---- the pass ---- */

/* A block of x on its way into L2: it will be read by columns, which the processor does not foresee. */
static void fetch_block(const real *x, ptrdiff_t n) {
    for (ptrdiff_t i = 0; i < n; i += 64 / (ptrdiff_t)sizeof(real)) __builtin_prefetch(x + i, 0, 2);
}

/* An item is a group of rows. */
static int backward_of_groups(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct backward *job = context;
    const ptrdiff_t K = job->K, columns = whole_panels(job->N);
    real *dz = fnn_scratch(FNN_SCRATCH_ROWS, (size_t)(job->block_rows * columns) * sizeof(real));
    if (!dz) return FNN_NO_MEMORY;
    for (ptrdiff_t group = first; group < last; group++) {
        real *dw = job->gradients + group * whole_tiles(K) * columns, *sums = job->sums + group * columns;
        memset(sums, 0, (size_t)columns * sizeof(real));
        const ptrdiff_t start = job->M * group / job->groups, end = job->M * (group + 1) / job->groups;
        for (ptrdiff_t row = start; row < end; row += job->block_rows) {
            const ptrdiff_t rows = least(job->block_rows, end - row);
            fetch_block(job->x + row * K, rows * K);
            slopes(job, dz, sums, row, rows);
            gradient_of_weights(job, dw, dz, row, rows, row > start);
            if (job->dx) gradient_of_input(job, dz, row, rows);
        }
    }
    return FNN_OK;
}

/* The sum of `depth` tiles, a_step from group to group. */
INLINE void sum_tile(const int rows, const int vecs, const struct backward_tile *job) {
    tile c;
    tile_zero(c);
    for (ptrdiff_t group = 0; group < job->depth; group++)
        tile_add_whole(rows, vecs, c, job->a + group * job->a_step, TILE_COLS);
    tile_store(rows, vecs, c, job->c, job->ldc, job->columns);
}

/* dw of all groups.  An item is a row of tiles. */
static int add_groups(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct backward *job = context;
    const ptrdiff_t K = job->K, N = job->N;
    for (ptrdiff_t k = first * TILE_ROWS; k < least(last * TILE_ROWS, K); k += TILE_ROWS)
        for (ptrdiff_t j = 0; j < N; j += TILE_COLS) {
            const struct backward_tile tile = {.a = job->gradients + j * whole_tiles(K) + k * TILE_COLS,
                                               .a_step = whole_tiles(K) * whole_panels(N),
                                               .depth = job->groups,
                                               .c = job->dw + k * N + j,
                                               .ldc = N,
                                               .columns = least(TILE_COLS, N - j)};
            TILE_SWITCH(sum_tile, TILE_VECS, least(TILE_ROWS, K - k), &tile);
        }
    return FNN_OK;
}

static ptrdiff_t groups_of_rows(ptrdiff_t M) { return least(MOST_GROUPS, M / GROUP_ROWS / GROUPS_STEP * GROUPS_STEP); }

/* Narrow layers waste too much of a tile. */
static int one_pass_pays(ptrdiff_t M, ptrdiff_t K, ptrdiff_t N) {
    return groups_of_rows(M) > 0 && K >= TILE_ROWS && N > VL && K * N <= MOST_WEIGHTS;
}

static int backward_in_one_pass(real *dx, real *dw, real *db, const real *dy, const real *x, const real *w,
                                const real *y, ptrdiff_t M, ptrdiff_t K, ptrdiff_t N, int activation) {
    struct backward job = {.dx = dx,
                           .dw = dw,
                           .dy = dy,
                           .x = x,
                           .y = y,
                           .M = M,
                           .K = K,
                           .N = N,
                           .groups = groups_of_rows(M),
                           .activation = activation};
    const ptrdiff_t most_rows = most(TILE_ROWS, least(BLOCK_ROWS, (ptrdiff_t)BLOCK_REALS / (K + N)));
    const ptrdiff_t group_rows = ceil_div(M, job.groups), blocks = ceil_div(group_rows, most_rows);
    job.block_rows = round_up(ceil_div(group_rows, blocks), TILE_ROWS);
    const ptrdiff_t columns = whole_panels(N), weights = whole_tiles(K) * columns;
    job.gradients = fnn_scratch(FNN_SCRATCH_SHARED, (size_t)(job.groups * (weights + columns)) * sizeof(real));
    if (!job.gradients) return FNN_NO_MEMORY;
    job.sums = job.gradients + job.groups * weights;
    if (dx) {
        real *panels = fnn_scratch(FNN_SCRATCH_PANELS, (size_t)(whole_panels(K) * N) * sizeof(real));
        if (!panels) return FNN_NO_MEMORY;
        for (ptrdiff_t k = 0; k < K; k += TILE_COLS)
            pack_panel(panels + k * N, w + k * N, 1, N, N, least(TILE_COLS, K - k));
        job.panels = panels;
    }
    const double product = 2 * (double)M * (double)K * (double)N;
    int status = fnn_parallel(job.groups, (dx ? 2 : 1) * product, backward_of_groups, &job);
    if (status == FNN_OK)
        status = fnn_parallel(ceil_div(K, TILE_ROWS), (double)(job.groups * weights), add_groups, &job);
    if (status == FNN_OK && db) status = add_columns(db, job.sums, job.groups, columns, N);
    return status;
}

#endif

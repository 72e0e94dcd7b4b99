/* dense_backward.h — all gradients of a dense layer, or of several that share x, in one pass over blocks of rows.
 *
 *     dz = dy · act'(y),  dx = Σ over the layers of dz · wᵀ,  dw = xᵀ · dz,  db = Σ over rows of dz
 *
 * Each array is read once, and dz is never an array in memory: a block's dz is made in panels, which stay in L2 for both
 * products.
 *
 *     dy, y, rows of a block  ──>  dz, panels of TILE_COLS columns, and their sums; one layer after the other
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

/* One of the layers that share x. */
struct part {
    real *dw, *db; /* db may be NULL */
    const real *dy, *w, *y;
    ptrdiff_t N;
    int activation;
};

struct backward {
    real *dx;               /* may be NULL */
    real *gradients, *sums; /* of each group: dw in whole tiles, one panel after the other, and db */
    const real *panels;     /* of wᵀ */
    const real *x;
    const struct part *parts;
    ptrdiff_t M, K, count, groups, block_rows;
    ptrdiff_t depth, columns; /* of all parts: Σ N, and that in whole panels */
    int add;                  /* to the values in dx */
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

INLINE void slopes_by(const int activation, const struct part *part, real *dz, real *sums, ptrdiff_t row,
                      ptrdiff_t rows) {
    const ptrdiff_t N = part->N, apart = rows * TILE_COLS;
    const real *dy = part->dy + row * N, *y = activation == FNN_LINEAR ? dy : part->y + row * N;
    ptrdiff_t i = 0;
    for (; i + SLOPE_ROWS <= rows; i += SLOPE_ROWS)
        slopes_of_rows(activation, SLOPE_ROWS, dz + i * TILE_COLS, apart, sums, dy + i * N, y + i * N, N);
    for (; i < rows; i++) slopes_of_rows(activation, 1, dz + i * TILE_COLS, apart, sums, dy + i * N, y + i * N, N);
}

/* dz of rows row .. row + rows - 1 in panels; sums (N, in whole panels) += its columns. */
static void slopes(const struct part *part, real *dz, real *sums, ptrdiff_t row, ptrdiff_t rows) {
    switch (part->activation) {
#define CASE(constant) \
    case constant: slopes_by(constant, part, dz, sums, row, rows); break;
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
    for (ptrdiff_t j = 0; j < job->columns; j += TILE_COLS)
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

/* Rows of dz, from panel to panel, and the panels of wᵀ, part after part. */
struct input_tile {
    const struct backward *job;
    const real *dz, *b;
    ptrdiff_t apart; /* panels of dz */
    real *c;
    ptrdiff_t columns;
};

INLINE void input_tile(const int rows, const int vecs, const struct input_tile *tile_job) {
    const struct backward *job = tile_job->job;
    const real *row[TILE_ROWS], *b = tile_job->b;
#pragma GCC unroll 12
    for (int i = 0; i < rows; i++) {
        row[i] = tile_job->dz + i * TILE_COLS;
        __builtin_prefetch(tile_job->c + i * job->K, 1); /* will be written */
    }
    tile c;
    tile_zero(c);
    ptrdiff_t at = 0;
    for (const struct part *part = job->parts; part < job->parts + job->count; part++)
        for (ptrdiff_t n = 0; n < part->N; n += TILE_COLS, at += tile_job->apart) {
            const ptrdiff_t depth = least(TILE_COLS, part->N - n);
            tile_rows(rows, vecs, depth, row, at, b, vecs * VL, c);
            b += depth * vecs * VL;
        }
    if (job->add) tile_add(rows, vecs, c, tile_job->c, job->K, tile_job->columns);
    tile_store(rows, vecs, c, tile_job->c, job->K, tile_job->columns);
}

static void gradient_of_input(const struct backward *job, const real *dz, ptrdiff_t row, ptrdiff_t rows) {
    const ptrdiff_t K = job->K;
    for (ptrdiff_t k = 0; k < K; k += TILE_COLS)
        for (ptrdiff_t i = 0; i < rows; i += TILE_ROWS) {
            const struct input_tile tile = {.job = job,
                                            .dz = dz + i * TILE_COLS,
                                            .b = job->panels + k * job->depth,
                                            .apart = rows * TILE_COLS,
                                            .c = job->dx + (row + i) * K + k,
                                            .columns = least(TILE_COLS, K - k)};
            TILE_DISPATCH(input_tile, least(TILE_ROWS, rows - i), tile.columns, &tile);
        }
}

/* ---- the pass ---- */

/* A block of x on its way into L2: it will be read by columns, which the processor does not foresee. */
static void fetch_block(const real *x, ptrdiff_t n) {
    for (ptrdiff_t i = 0; i < n; i += 64 / (ptrdiff_t)sizeof(real)) __builtin_prefetch(x + i, 0, 2);
}

/* dz of all parts. */
static void slopes_of_parts(const struct backward *job, real *dz, real *sums, ptrdiff_t row, ptrdiff_t rows) {
    for (const struct part *part = job->parts; part < job->parts + job->count; part++) {
        slopes(part, dz, sums, row, rows);
        dz += whole_panels(part->N) * rows;
        sums += whole_panels(part->N);
    }
}

/* An item is a group of rows. */
static int backward_of_groups(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct backward *job = context;
    const ptrdiff_t K = job->K, columns = job->columns;
    real *dz = fnn_scratch(FNN_SCRATCH_ROWS, (size_t)(job->block_rows * columns) * sizeof(real));
    if (!dz) return FNN_NO_MEMORY;
    for (ptrdiff_t group = first; group < last; group++) {
        real *dw = job->gradients + group * whole_tiles(K) * columns, *sums = job->sums + group * columns;
        memset(sums, 0, (size_t)columns * sizeof(real));
        const ptrdiff_t start = job->M * group / job->groups, end = job->M * (group + 1) / job->groups;
        for (ptrdiff_t row = start; row < end; row += job->block_rows) {
            const ptrdiff_t rows = least(job->block_rows, end - row);
            fetch_block(job->x + row * K, rows * K);
            slopes_of_parts(job, dz, sums, row, rows);
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
    const ptrdiff_t K = job->K;
    for (ptrdiff_t k = first * TILE_ROWS; k < least(last * TILE_ROWS, K); k += TILE_ROWS) {
        const real *gradients = job->gradients + k * TILE_COLS;
        for (const struct part *part = job->parts; part < job->parts + job->count; part++)
            for (ptrdiff_t j = 0; j < part->N; j += TILE_COLS, gradients += whole_tiles(K) * TILE_COLS) {
                const struct backward_tile tile = {.a = gradients,
                                                   .a_step = whole_tiles(K) * job->columns,
                                                   .depth = job->groups,
                                                   .c = part->dw + k * part->N + j,
                                                   .ldc = part->N,
                                                   .columns = least(TILE_COLS, part->N - j)};
                TILE_SWITCH(sum_tile, TILE_VECS, least(TILE_ROWS, K - k), &tile);
            }
    }
    return FNN_OK;
}

static ptrdiff_t groups_of_rows(ptrdiff_t M) { return least(MOST_GROUPS, M / GROUP_ROWS / GROUPS_STEP * GROUPS_STEP); }

/* Narrow layers waste too much of a tile. */
static int one_pass_pays(ptrdiff_t M, ptrdiff_t K, ptrdiff_t N) {
    return groups_of_rows(M) > 0 && K >= TILE_ROWS && N > VL && K * N <= MOST_WEIGHTS;
}

/* How many of the parts one pass takes, the first ones; 0: the first is none for a pass. */
static ptrdiff_t parts_of_a_pass(const struct part *parts, ptrdiff_t count, ptrdiff_t M, ptrdiff_t K) {
    ptrdiff_t taken = 0, N = 0;
    for (; taken < count && parts[taken].N > VL && one_pass_pays(M, K, N + parts[taken].N); taken++)
        N += parts[taken].N;
    return taken;
}

/* wᵀ of all parts: a panel has the rows of each. */
static void pack_parts(const struct backward *job, real *panels) {
    const ptrdiff_t K = job->K;
    for (ptrdiff_t k = 0; k < K; k += TILE_COLS) {
        real *panel = panels + k * job->depth;
        for (const struct part *part = job->parts; part < job->parts + job->count; part++) {
            const real *w = part->w + k * part->N;
            panel += part->N * pack_panel(panel, w, 1, part->N, part->N, least(TILE_COLS, K - k));
        }
    }
}

/* dx is assigned, or added to. */
static int backward_in_one_pass(real *dx, int add, const real *x, const struct part *parts, ptrdiff_t count,
                                ptrdiff_t M, ptrdiff_t K) {
    struct backward job = {
        .dx = dx, .add = add, .x = x, .parts = parts, .M = M, .K = K, .count = count, .groups = groups_of_rows(M)};
    for (ptrdiff_t i = 0; i < count; i++) {
        job.depth += parts[i].N;
        job.columns += whole_panels(parts[i].N);
    }
    const ptrdiff_t most_rows = most(TILE_ROWS, least(BLOCK_ROWS, (ptrdiff_t)BLOCK_REALS / (K + job.depth)));
    const ptrdiff_t group_rows = ceil_div(M, job.groups), blocks = ceil_div(group_rows, most_rows);
    job.block_rows = round_up(ceil_div(group_rows, blocks), TILE_ROWS);
    const ptrdiff_t weights = whole_tiles(K) * job.columns;
    job.gradients = fnn_scratch(FNN_SCRATCH_SHARED, (size_t)(job.groups * (weights + job.columns)) * sizeof(real));
    if (!job.gradients) return FNN_NO_MEMORY;
    job.sums = job.gradients + job.groups * weights;
    if (dx) {
        real *panels = fnn_scratch(FNN_SCRATCH_PANELS, (size_t)(whole_panels(K) * job.depth) * sizeof(real));
        if (!panels) return FNN_NO_MEMORY;
        pack_parts(&job, panels);
        job.panels = panels;
    }
    const double product = 2 * (double)M * (double)K * (double)job.depth;
    int status = fnn_parallel(job.groups, (dx ? 2 : 1) * product, backward_of_groups, &job);
    if (status == FNN_OK)
        status = fnn_parallel(ceil_div(K, TILE_ROWS), (double)(job.groups * weights), add_groups, &job);
    const real *sums = job.sums;
    for (ptrdiff_t i = 0; i < count && status == FNN_OK; sums += whole_panels(parts[i].N), i++)
        if (parts[i].db) status = add_columns(parts[i].db, sums, job.groups, job.columns, parts[i].N);
    return status;
}

#endif

/* gemm.c — matrix products.
 *
 *     gemm_nn: C = A · B     A (M,K)  B (K,N)     the form of X·W
 *     gemm_nt: C = A · Bᵀ    A (M,N)  B (K,N)     the form of dY·Wᵀ
 *     gemm_tn: C = Aᵀ · B    A (M,K)  B (M,N)     the form of Xᵀ·dY
 *
 * Row-major; C is assigned and shares no memory with A or B.  Threaded over tiles of C; no sum is ever split.
 * Compute-bound.  Twin: fastnn/reference/gemm.py.  Terms and structure follow Goto and van de Geijn, "Anatomy of
 * high-performance matrix multiplication" (ACM TOMS 34(3), 2008).
 *
 * Three methods, chosen by shape:
 *   in place     A is read in place; B too, or packed just before use: few rows, or few columns;
 *  transposed   Cᵀ = Bᵀ·Aᵀ, if B is the factor with contiguous columns (dY·Wᵀ): W is read in place, the small dY
 * packed;   blocked      both are packed in blocks that fit the caches.
 */
#include "gemm.h"

#include "chunks.h"
#include "fused.h"

enum {
    KC = 256,                        /* depth of a block: a panel of B stays in L1 */
    MC = 240,                        /* rows of a block of A: it stays in L2 */
    FEW_ROWS = 48,           /* packing costs more than it gains; a batch of 32 is few on every tier */
    FEW_COLUMNS = 2 * TILE_COLS,
    SHARING_TILES = 8,               /* in place: up to this many tiles high, an item is a panel; above, a stripe */
};

/* ---- one tile ---- */

struct tile_job {
    ptrdiff_t depth;
    const real *const *rows; /* rows of a contiguous in p, or NULL: */
    const real *a;           /* a[i + p * a_step] */
    ptrdiff_t a_step;
    const real *b; /* b[p * b_step + j] */
    ptrdiff_t b_step;
    real *c;
    ptrdiff_t ldc, columns;
    int add;           /* to the values that an earlier block of the depth left in c */
    int last;          /* block of the depth: bias and activation follow */
    int transposed;    /* c[j * ldc + i] */
    const real *bias;  /* of the tile's columns, or NULL */
    int activation;
};

INLINE void tile_finish(const int rows, const int vecs, tile c, const struct tile_job *job) {
    if (job->transposed) {
        real lines[TILE_ROWS * TILE_COLS];
        tile_store(rows, vecs, c, lines, TILE_COLS, TILE_COLS);
        ptrdiff_t columns = least(job->columns, vecs * VL);
        for (ptrdiff_t j = 0; j < columns; j++)
            for (int i = 0; i < rows; i++) job->c[j * job->ldc + i] = lines[i * TILE_COLS + j];
        return;
    }
    if (job->add) tile_add(rows, vecs, c, job->c, job->ldc, job->columns);
    if (job->last) tile_output(rows, vecs, c, job->c, job->ldc, job->columns, job->bias, job->activation);
    else tile_store(rows, vecs, c, job->c, job->ldc, job->columns);
}

INLINE void tile_by_rows(const int rows, const int vecs, const struct tile_job *job) {
    tile c;
    tile_zero(c);
    tile_rows(rows, vecs, job->depth, job->rows, 0, job->b, job->b_step, c);
    tile_finish(rows, vecs, c, job);
}

INLINE void tile_by_columns(const int rows, const int vecs, const struct tile_job *job) {
    tile c;
    tile_zero(c);
    tile_columns(rows, vecs, job->depth, job->a, job->a_step, job->b, job->b_step, c);
    tile_finish(rows, vecs, c, job);
}

static void run_tile(ptrdiff_t rows, const struct tile_job *job) {
    if (job->rows) TILE_DISPATCH(tile_by_rows, rows, job->columns, job);
    else TILE_DISPATCH(tile_by_columns, rows, job->columns, job);
}

/* ---- in place ---- */

struct in_place {
    const struct product *product;
    real *panels;     /* stripes: all panels of b, packed */
    real *sums;       /* few rows: (chunks, M, N), if there is more than one chunk */
    ptrdiff_t chunks; /* of the depth */
};

static double flops(const struct product *p) { return 2.0 * (double)p->M * (double)p->N * (double)p->K; }
static ptrdiff_t panel_step(ptrdiff_t columns) { return columns > VL ? TILE_COLS : VL; }

/* The tile at (row, column); b (depth, columns of the tile) with rows of b_step. */
static void in_place_tile(const struct product *p, ptrdiff_t row, ptrdiff_t column, const real *b, ptrdiff_t b_step) {
    ptrdiff_t rows = least(TILE_ROWS, p->M - row);
    struct tile_job job = {
        .depth = p->K,
        .b = b,
        .b_step = b_step,
        .c = p->c + row * p->ldc + column,
        .ldc = p->ldc,
        .columns = least(TILE_COLS, p->N - column),
        .add = p->add,
        .last = 1,
        .bias = p->bias ? p->bias + column : NULL,
        .activation = p->activation,
    };
    const real *row_pointers[TILE_ROWS];
    if (p->a_column == 1) {
        for (ptrdiff_t i = 0; i < rows; i++) row_pointers[i] = p->a + (row + i) * p->a_row;
        job.rows = row_pointers;
    } else {
        job.a = p->a + row;
        job.a_step = p->a_column;
    }
    run_tile(rows, &job);
}

/* Few rows: an item is a panel of one chunk of the depth, packed by its own thread if enough tiles share it, or if it
 * is narrow.
 *
 * The depth is divided so that each thread always uses the same rows of b, which are the rows of the weights that it
 * writes in the gradient and in the optimizer step: a cache line that two cores write alternately costs more than the
 * product.  The division depends only on the shape, and the sums of the chunks are added in order. */
static int in_place_panels(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct in_place *job = context;
    const struct product *p = job->product;
    ptrdiff_t panel_count = ceil_div(p->N, TILE_COLS);
    for (ptrdiff_t item = first; item < last; item++) {
        ptrdiff_t chunk = item / panel_count, column = item % panel_count * TILE_COLS;
        ptrdiff_t columns = least(TILE_COLS, p->N - column), from = p->K * chunk / job->chunks;
        struct product part = *p;
        part.K = p->K * (chunk + 1) / job->chunks - from;
        part.a += from * p->a_column;
        part.b += from * p->b_row;
        if (job->chunks > 1) {
            part.c = job->sums + chunk * p->M * p->N;
            part.ldc = p->N;
            part.bias = NULL;
            part.activation = FNN_LINEAR;
        }
        const real *b = part.b + column;
        ptrdiff_t step = p->b_row;
        if (p->M > 3 * TILE_ROWS || columns < TILE_COLS) {
            real *packed = fnn_scratch(FNN_SCRATCH_TILE, (size_t)(part.K * TILE_COLS) * sizeof(real));
            if (!packed) return FNN_NO_MEMORY;
            step = pack_panel(packed, b, p->b_row, 1, part.K, columns);
            b = packed;
        }
        for (ptrdiff_t row = 0; row < p->M; row += TILE_ROWS) in_place_tile(&part, row, column, b, step);
    }
    return FNN_OK;
}

static int in_place_pack(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct in_place *job = context;
    const struct product *p = job->product;
    for (ptrdiff_t panel = first; panel < last; panel++) {
        ptrdiff_t column = panel * TILE_COLS;
        pack_panel(job->panels + column * p->K, p->b + column, p->b_row, 1, p->K, least(TILE_COLS, p->N - column));
    }
    return FNN_OK;
}

/* Many rows: an item is a row of tiles, written as one contiguous stripe of C. */
static int in_place_stripes(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct in_place *job = context;
    const struct product *p = job->product;
    for (ptrdiff_t t = first; t < last; t++)
        for (ptrdiff_t column = 0; column < p->N; column += TILE_COLS)
            in_place_tile(p, t * TILE_ROWS, column, job->panels + column * p->K, panel_step(p->N - column));
    return FNN_OK;
}

static int product_of_few_rows(const struct product *p) {
    struct in_place job = {.product = p, .chunks = p->add ? 1 : chunks_of_depth(p->K)};
    ptrdiff_t panel_count = ceil_div(p->N, TILE_COLS);
    if (job.chunks > 1) {
        job.sums = fnn_scratch(FNN_SCRATCH_PANELS, (size_t)(job.chunks * p->M * p->N) * sizeof(real));
        if (!job.sums) return FNN_NO_MEMORY;
    }
    int status = fnn_parallel(job.chunks * panel_count, flops(p), in_place_panels, &job);
    if (job.chunks > 1 && status == FNN_OK)
        add_chunks(&(struct chunk_sums){p->c, p->ldc, job.sums, job.chunks, p->M, p->N, p->bias, p->activation});
    return status;
}

static int product_in_place(const struct product *p) {
    ptrdiff_t panel_count = ceil_div(p->N, TILE_COLS), tile_count = ceil_div(p->M, TILE_ROWS);
    if (tile_count <= SHARING_TILES) return product_of_few_rows(p);
    struct in_place job = {.product = p};
    job.panels = fnn_scratch(FNN_SCRATCH_PANELS, (size_t)(panel_count * p->K * TILE_COLS) * sizeof(real));
    if (!job.panels) return FNN_NO_MEMORY;
    fnn_parallel(panel_count, (double)p->K * (double)p->N, in_place_pack, &job);
    return fnn_parallel(tile_count, flops(p), in_place_stripes, &job);
}

/* ---- transposed ---- */

struct transposed {
    const struct product *product;
    const real *panels; /* of Aᵀ */
};

/* An item is TILE_ROWS columns of C. */
static int transposed_tiles(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct transposed *job = context;
    const struct product *p = job->product;
    for (ptrdiff_t t = first; t < last; t++) {
        ptrdiff_t column = t * TILE_ROWS, rows = least(TILE_ROWS, p->N - column);
        const real *row_pointers[TILE_ROWS];
        for (ptrdiff_t i = 0; i < rows; i++) row_pointers[i] = p->b + (column + i) * p->b_column;
        for (ptrdiff_t m = 0; m < p->M; m += TILE_COLS) {
            ptrdiff_t columns = least(TILE_COLS, p->M - m);
            struct tile_job tile_job = {
                .depth = p->K,
                .rows = row_pointers,
                .b = job->panels + m * p->K,
                .b_step = panel_step(columns),
                .c = p->c + m * p->ldc + column,
                .ldc = p->ldc,
                .columns = columns,
                .transposed = 1,
            };
            run_tile(rows, &tile_job);
        }
    }
    return FNN_OK;
}

static int product_transposed(const struct product *p) {
    ptrdiff_t panel_count = ceil_div(p->M, TILE_COLS);
    real *panels = fnn_scratch(FNN_SCRATCH_PANELS, (size_t)(panel_count * TILE_COLS * p->K) * sizeof(real));
    if (!panels) return FNN_NO_MEMORY;
    for (ptrdiff_t m = 0; m < p->M; m += TILE_COLS)
        pack_panel(panels + m * p->K, p->a + m * p->a_row, p->a_column, p->a_row, p->K, least(TILE_COLS, p->M - m));
    struct transposed job = {p, panels};
    return fnn_parallel(ceil_div(p->N, TILE_ROWS), flops(p), transposed_tiles, &job);
}

/* ---- blocked ---- */

struct blocked {
    const struct product *product;
    real *panels;
    ptrdiff_t start, depth; /* of this block of the depth */
};

static int blocked_pack(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct blocked *job = context;
    const struct product *p = job->product;
    for (ptrdiff_t panel = first; panel < last; panel++) {
        ptrdiff_t column = panel * TILE_COLS;
        pack_panel(job->panels + column * KC, p->b + job->start * p->b_row + column * p->b_column, p->b_row,
                   p->b_column, job->depth, least(TILE_COLS, p->N - column));
    }
    return FNN_OK;
}

/* rows of A as tiles: TILE_ROWS contiguous reals per p. */
static void pack_rows(real *packed, const real *a, ptrdiff_t a_row, ptrdiff_t a_column, ptrdiff_t rows,
                      ptrdiff_t depth) {
    for (ptrdiff_t row = 0; row < rows; row += TILE_ROWS, packed += TILE_ROWS * depth) {
        ptrdiff_t count = least(TILE_ROWS, rows - row);
        const real *from = a + row * a_row;
        if (a_row == 1) {
            for (ptrdiff_t p = 0; p < depth; p++)
                for (ptrdiff_t i = 0; i < count; i++) packed[p * TILE_ROWS + i] = from[p * a_column + i];
        } else {
            for (ptrdiff_t i = 0; i < count; i++)
                for (ptrdiff_t p = 0; p < depth; p++) packed[p * TILE_ROWS + i] = from[i * a_row + p * a_column];
        }
    }
}

/* An item is a row of tiles; MC rows of A are packed at a time and multiplied by every panel of B. */
static int blocked_tiles(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct blocked *job = context;
    const struct product *p = job->product;
    real *packed = fnn_scratch(FNN_SCRATCH_ROWS, (size_t)MC * KC * sizeof(real));
    if (!packed) return FNN_NO_MEMORY;
    ptrdiff_t end = least(last * TILE_ROWS, p->M);
    for (ptrdiff_t row = first * TILE_ROWS; row < end; row += MC) {
        ptrdiff_t rows = least(MC, end - row);
        pack_rows(packed, p->a + row * p->a_row + job->start * p->a_column, p->a_row, p->a_column, rows, job->depth);
        for (ptrdiff_t column = 0; column < p->N; column += TILE_COLS) {
            ptrdiff_t columns = least(TILE_COLS, p->N - column);
            for (ptrdiff_t i = 0; i < rows; i += TILE_ROWS) {
                struct tile_job tile_job = {
                    .depth = job->depth,
                    .a = packed + i * job->depth,
                    .a_step = TILE_ROWS,
                    .b = job->panels + column * KC,
                    .b_step = panel_step(columns),
                    .c = p->c + (row + i) * p->ldc + column,
                    .ldc = p->ldc,
                    .columns = columns,
                    .add = p->add || job->start > 0,
                    .last = job->start + job->depth == p->K,
                    .bias = p->bias ? p->bias + column : NULL,
                    .activation = p->activation,
                };
                run_tile(least(TILE_ROWS, rows - i), &tile_job);
            }
        }
    }
    return FNN_OK;
}

static int product_blocked(const struct product *p) {
    ptrdiff_t panel_count = ceil_div(p->N, TILE_COLS);
    real *panels = fnn_scratch(FNN_SCRATCH_PANELS, (size_t)panel_count * TILE_COLS * KC * sizeof(real));
    if (!panels) return FNN_NO_MEMORY;
    for (ptrdiff_t start = 0; start < p->K; start += KC) {
        struct blocked job = {p, panels, start, least(KC, p->K - start)};
        fnn_parallel(panel_count, (double)p->N * (double)job.depth, blocked_pack, &job);
        int status = fnn_parallel(ceil_div(p->M, TILE_ROWS), flops(p), blocked_tiles, &job);
        if (status != FNN_OK) return status;
    }
    return FNN_OK;
}

/* ---- the choice ---- */

/* Zero depth: C is the activation of the bias. */
static int product_of_nothing(const struct product *p) {
    for (ptrdiff_t i = 0; i < p->M; i++) {
        for (ptrdiff_t j = 0; j < p->N; j++)
            p->c[i * p->ldc + j] = (p->add ? p->c[i * p->ldc + j] : 0) + (p->bias ? p->bias[j] : 0);
        activate(p->c + i * p->ldc, p->N, p->activation);
    }
    return FNN_OK;
}

int FNN(product)(const struct product *p) {
    if (p->M == 0 || p->N == 0) return FNN_OK;
    if (p->K == 0) return product_of_nothing(p);
    int few = p->M <= FEW_ROWS || p->N <= FEW_COLUMNS || (p->a_row == 1 && p->K <= KC);
    if (p->b_column == 1 && few) return product_in_place(p);
    if (p->b_row == 1 && p->M <= FEW_ROWS && !p->bias && !p->add && p->activation == FNN_LINEAR)
        return product_transposed(p);
    return product_blocked(p);
}

int FNN(gemm_nn)(real *c, const real *a, const real *b, ptrdiff_t M, ptrdiff_t N, ptrdiff_t K) {
    struct product p = {
        .M = M, .N = N, .K = K, .a = a, .a_row = K, .a_column = 1, .b = b, .b_row = N, .b_column = 1, .c = c, .ldc = N};
    return FNN(product)(&p);
}

int FNN(gemm_nt)(real *c, const real *a, const real *b, ptrdiff_t M, ptrdiff_t N, ptrdiff_t K) {
    struct product p = {
        .M = M, .N = K, .K = N, .a = a, .a_row = N, .a_column = 1, .b = b, .b_row = 1, .b_column = N, .c = c, .ldc = K};
    return FNN(product)(&p);
}

int FNN(gemm_tn)(real *c, const real *a, const real *b, ptrdiff_t M, ptrdiff_t N, ptrdiff_t K) {
    struct product p = {
        .M = K, .N = N, .K = M, .a = a, .a_row = 1, .a_column = K, .b = b, .b_row = N, .b_column = 1, .c = c, .ldc = N};
    return FNN(product)(&p);
}

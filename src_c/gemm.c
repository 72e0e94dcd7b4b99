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
 * Four methods, chosen by shape:
 *   few rows     A is read in place; B too, or packed just before use;
 *   transposed   Cᵀ = Bᵀ·Aᵀ, for fewer rows if B is the factor with contiguous columns (dY·Wᵀ): W is read in place, the
 *                small dY packed;
 *   stripes      B is packed once, A read in place: rows that are contiguous, or columns that are short;
 *   blocked      both are packed in blocks that fit the caches (Xᵀ·dY of many rows).
 */
#include "gemm.h"

#include "chunks.h"
#include "fused.h"

enum {
    KC = 256,                        /* depth of a block: a panel of B stays in L1 */
    MC = 240,                        /* rows of a block of A: it stays in L2 */
    FEW_ROWS = 160, /* threads share columns: each packs its own panels of B, and none waits for those of another */
    FEW_TRANSPOSED = 48,     /* packing costs more than it gains; a batch of 32 is few on every tier */
    FETCHED_DEPTH = 1024,            /* of rows that L2 has room for beside those in use */
    GROUP = 8,                       /* tiles that meet a panel of B one after the other */
};

/* ---- one tile ---- */

struct tile_job {
    ptrdiff_t depth;
    const real *const *rows; /* of a, contiguous in p; NULL: columns are contiguous */
    const real *a;           /* a[i * a_row + p * a_step], one of the steps 1 */
    ptrdiff_t a_row, a_step;
    ptrdiff_t a_next;        /* from tile to tile */
    const real *b; /* b[p * b_step + j] */
    ptrdiff_t b_step;
    real *c;
    ptrdiff_t ldc, columns;
    int add;           /* to the values that an earlier block of the depth left in c */
    int transposed;    /* c[j * ldc + i] */
    const real *bias;  /* of the tile's columns, or NULL */
    int activation;
};

ONE_COPY void store_transposed(const struct tile_job *job, const real *lines, ptrdiff_t rows) {
    for (ptrdiff_t j = 0; j < job->columns; j++)
        for (ptrdiff_t i = 0; i < rows; i++) job->c[j * job->ldc + i] = lines[i * TILE_COLS + j];
}

INLINE void tile_finish(const int rows, const int vecs, tile c, const struct tile_job *job) {
    if (job->transposed) {
        real lines[TILE_ROWS * TILE_COLS];
        tile_store_whole(rows, vecs, c, lines, TILE_COLS);
        store_transposed(job, lines, rows);
        return;
    }
    if (job->add) tile_add(rows, vecs, c, job->c, job->ldc, job->columns);
    tile_output(rows, vecs, c, job->c, job->ldc, job->columns, job->bias, job->activation);
}

INLINE void tile_by_rows(const int rows, const int vecs, const struct tile_job *job) {
    tile c;
#pragma GCC unroll 12
    for (int i = 0; i < rows; i++) __builtin_prefetch(job->c + i * job->ldc, 1); /* will be written */
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

ONE_COPY void run_tile(ptrdiff_t rows, const struct tile_job *job) {
    if (job->rows) TILE_DISPATCH(tile_by_rows, rows, job->columns, job);
    else TILE_DISPATCH(tile_by_columns, rows, job->columns, job);
}

/* ---- in place ---- */

struct in_place {
    const struct product *product;
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

/* ---- stripes ---- */

struct stripes {
    const struct product *products; /* of one A */
    ptrdiff_t count;
    real *panels; /* of b, one product after the other: for each block of the depth one panel after the other */
};

static ptrdiff_t panels_of(const struct product *p) { return ceil_div(p->N, TILE_COLS); }
static ptrdiff_t packed_size(const struct product *p) { return panels_of(p) * TILE_COLS * p->K; }

/* An item is a panel of one block of the depth. */
static int stripes_pack(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct stripes *job = context;
    const ptrdiff_t blocks = ceil_div(job->products->K, KC);
    for (ptrdiff_t item = first; item < last; item++) {
        const struct product *p = job->products;
        real *panels = job->panels;
        ptrdiff_t panel = item / blocks;
        for (; panel >= panels_of(p); panels += packed_size(p), p++) panel -= panels_of(p);
        const ptrdiff_t column = panel * TILE_COLS, start = item % blocks * KC, depth = least(KC, p->K - start);
        pack_panel(panels + start * panels_of(p) * TILE_COLS + column * depth,
                   p->b + start * p->b_row + column * p->b_column, p->b_row, p->b_column, depth,
                   least(TILE_COLS, p->N - column));
    }
    return FNN_OK;
}

/* `count` whole tiles, one below the other. */
INLINE void tiles_of_rows(const int vecs, struct tile_job *tile, const real **rows, ptrdiff_t count) {
    for (ptrdiff_t t = 0; t < count; t++, tile->a += tile->a_next, tile->c += TILE_ROWS * tile->ldc) {
#pragma GCC unroll 12
        for (int i = 0; i < TILE_ROWS; i++) rows[i] = tile->a + i * tile->a_row;
        tile_by_rows(TILE_ROWS, vecs, tile);
    }
}

INLINE void tiles_of_columns(const int vecs, struct tile_job *tile, ptrdiff_t count) {
    for (ptrdiff_t t = 0; t < count; t++, tile->a += tile->a_next, tile->c += TILE_ROWS * tile->ldc)
        tile_by_columns(TILE_ROWS, vecs, tile);
}

/* Tiles one below the other, `height` rows in all, that multiply one panel. */
static void run_tiles(struct tile_job *tile, ptrdiff_t height) {
    const ptrdiff_t whole = height / TILE_ROWS, left = height % TILE_ROWS;
    const real *rows[TILE_ROWS];
    if (tile->a_row == 1) {
        if (tile->columns > VL) tiles_of_columns(2, tile, whole);
        else tiles_of_columns(1, tile, whole);
    } else {
        tile->rows = rows;
        if (tile->columns > VL) tiles_of_rows(2, tile, rows, whole);
        else tiles_of_rows(1, tile, rows, whole);
        for (ptrdiff_t i = 0; i < left; i++) rows[i] = tile->a + i * tile->a_row;
    }
    if (left) run_tile(left, tile);
}

/* Rows row .. row + height - 1 meet one panel of one block of the depth. */
static void meet_panel(const struct product *p, const real *panels, ptrdiff_t row, ptrdiff_t height, ptrdiff_t start,
                       ptrdiff_t column) {
    const ptrdiff_t depth = least(KC, p->K - start), columns = least(TILE_COLS, p->N - column);
    const int last = start + depth == p->K; /* block of the depth: bias and activation follow */
    struct tile_job tile = {
        .depth = depth,
        .a = p->a + row * p->a_row + start * p->a_column,
        .a_row = p->a_row,
        .a_step = p->a_column,
        .a_next = TILE_ROWS * p->a_row,
        .b = panels + start * panels_of(p) * TILE_COLS + column * depth,
        .b_step = panel_step(columns),
        .c = p->c + row * p->ldc + column,
        .ldc = p->ldc,
        .columns = columns,
        .add = p->add || start > 0,
        .bias = last && p->bias ? p->bias + column : NULL,
        .activation = last ? p->activation : FNN_LINEAR,
    };
    run_tiles(&tile, height);
}

/* The rows of A that come next, on their way into L2 while those before them are multiplied. */
static void fetch_rows(const struct product *p, ptrdiff_t first, ptrdiff_t last) {
    if (p->a_column != 1 || p->K > FETCHED_DEPTH) return;
    for (ptrdiff_t row = first; row < last; row++)
        for (ptrdiff_t k = 0; k < p->K; k += 64 / (ptrdiff_t)sizeof(real))
            __builtin_prefetch(p->a + row * p->a_row + k, 0, 2);
}

/* Rows row .. row + height - 1 of one product. */
static void run_stripe(const struct product *p, const real *panels, ptrdiff_t row, ptrdiff_t height) {
    for (ptrdiff_t start = 0; start < p->K; start += KC)
        for (ptrdiff_t column = 0; column < p->N; column += TILE_COLS)
            meet_panel(p, panels, row, height, start, column);
}

/* An item is a row of tiles; GROUP of them meet a panel while it is in L1. */
static int stripes_of_tiles(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct stripes *job = context;
    const struct product *p = job->products;
    const ptrdiff_t end = least(last * TILE_ROWS, p->M);
    for (ptrdiff_t row = first * TILE_ROWS; row < end; row += GROUP * TILE_ROWS) {
        fetch_rows(p, row + GROUP * TILE_ROWS, least(end, row + 2 * GROUP * TILE_ROWS));
        const real *panels = job->panels;
        for (ptrdiff_t i = 0; i < job->count; panels += packed_size(p + i), i++)
            run_stripe(p + i, panels, row, least(GROUP * TILE_ROWS, end - row));
    }
    return FNN_OK;
}

static int products_in_stripes(const struct product *products, ptrdiff_t count) {
    struct stripes job = {.products = products, .count = count};
    ptrdiff_t size = 0, panel_count = 0;
    double work = 0;
    for (ptrdiff_t i = 0; i < count; i++) {
        size += packed_size(products + i);
        panel_count += panels_of(products + i);
        work += flops(products + i);
    }
    job.panels = fnn_scratch(FNN_SCRATCH_PANELS, (size_t)size * sizeof(real));
    if (!job.panels) return FNN_NO_MEMORY;
    fnn_parallel(panel_count * ceil_div(products->K, KC), (double)size, stripes_pack, &job);
    return fnn_parallel(ceil_div(products->M, TILE_ROWS), work, stripes_of_tiles, &job);
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

/* Columns of A, which are contiguous, as tiles: TILE_ROWS contiguous reals per p.  GROUP tiles at a time: more would be
 * written at places that share a line of the cache. */
static void pack_rows(real *packed, const real *a, ptrdiff_t a_column, ptrdiff_t rows, ptrdiff_t depth) {
    for (ptrdiff_t first = 0; first < rows; first += GROUP * TILE_ROWS) {
        const ptrdiff_t last = least(rows, first + GROUP * TILE_ROWS);
        for (ptrdiff_t p = 0; p < depth; p++) {
            const real *from = a + p * a_column;
            ptrdiff_t row = first;
            for (; row + TILE_ROWS <= last; row += TILE_ROWS)
                memcpy(packed + row * depth + p * TILE_ROWS, from + row, TILE_ROWS * sizeof(real));
            if (row < last)
                memcpy(packed + row * depth + p * TILE_ROWS, from + row, (size_t)(last - row) * sizeof(real));
        }
    }
}

/* An item is a row of tiles; MC rows of A are packed at a time and multiplied by every panel of B. */
static int blocked_tiles(void *context, ptrdiff_t first, ptrdiff_t last_item) {
    const struct blocked *job = context;
    const struct product *p = job->product;
    real *packed = fnn_scratch(FNN_SCRATCH_ROWS, (size_t)MC * KC * sizeof(real));
    if (!packed) return FNN_NO_MEMORY;
    const ptrdiff_t end = least(last_item * TILE_ROWS, p->M);
    const int last = job->start + job->depth == p->K; /* block of the depth: bias and activation follow */
    for (ptrdiff_t row = first * TILE_ROWS; row < end; row += MC) {
        ptrdiff_t rows = least(MC, end - row);
        pack_rows(packed, p->a + row + job->start * p->a_column, p->a_column, rows, job->depth);
        for (ptrdiff_t column = 0; column < p->N; column += TILE_COLS) {
            ptrdiff_t columns = least(TILE_COLS, p->N - column);
            struct tile_job tile = {
                .depth = job->depth,
                .a = packed,
                .a_row = 1,
                .a_step = TILE_ROWS,
                .a_next = TILE_ROWS * job->depth,
                .b = job->panels + column * KC,
                .b_step = panel_step(columns),
                .c = p->c + row * p->ldc + column,
                .ldc = p->ldc,
                .columns = columns,
                .add = p->add || job->start > 0,
                .bias = last && p->bias ? p->bias + column : NULL,
                .activation = last ? p->activation : FNN_LINEAR,
            };
            run_tiles(&tile, rows);
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

static int runs_in_stripes(const struct product *p) { return p->a_column == 1 || p->K <= KC; }

int FNN(product)(const struct product *p) {
    if (p->M == 0 || p->N == 0) return FNN_OK;
    if (p->K == 0) return product_of_nothing(p);
    if (p->b_column == 1 && p->M <= FEW_ROWS) return product_of_few_rows(p);
    if (p->b_row == 1 && p->M <= FEW_TRANSPOSED && !p->bias && !p->add && p->activation == FNN_LINEAR)
        return product_transposed(p);
    return runs_in_stripes(p) ? products_in_stripes(p, 1) : product_blocked(p);
}

int FNN(products)(const struct product *products, ptrdiff_t count) {
    ptrdiff_t columns = 0;
    for (ptrdiff_t i = 0; i < count; i++) columns += products[i].N;
    if (products->M > FEW_ROWS && products->K > 0 && columns > 0 && runs_in_stripes(products))
        return products_in_stripes(products, count);
    int status = FNN_OK;
    for (ptrdiff_t i = 0; i < count && status == FNN_OK; i++) status = FNN(product)(products + i);
    return status;
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

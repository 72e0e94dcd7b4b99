/* dense.c — the fully connected layer.
 *
 *     forward    y = act(x · w + b)
 *     backward   dz = dy · act'(y),  dx = dz · wᵀ,  dw = xᵀ · dz,  db = Σ over rows of dz
 *
 * Shapes: x, dx (M,K); w, dw (K,N); b, db (N,); y, dy (M,N).  Outputs are assigned and share no memory with inputs.  dx
 * and db may be NULL.  Threaded over tiles of outputs; compute-bound.  Twin: fastnn/reference/dense.py.
 *
 * `projections` are linear layers of one x, as the queries, keys and values of attention: y_i = x · w_i + b_i, and
 * dx = Σ_i dy_i · w_iᵀ.  x is read once for all, and dx written once.
 *
 * There are two algorithms.  FNN_DENSE is the product of gemm.c.  FNN_SPARSE skips zeros in x (images, multi-hot and
 * one-hot rows): each nonzero x[m,k] adds a row of w to y[m], or a row of dz to dw[k], with the sums kept in registers.
 * A skipped zero hides a NaN or infinity of the other factor.  FNN_AUTO counts the zeros, of a large x those of a
 * sample, and chooses; the choice depends only on x and the shapes.  Backward of many rows is one pass over them, see
 * dense_backward.h.
 */
#include "bias_gradient.h"
#include "chunks.h"
#include "dense_backward.h"
#include "gemm.h"

enum {
    BLOCK_VECS = 8, /* accumulators per sparse row: enough to cover the latency of multiply-adds */
    BLOCK = BLOCK_VECS * VL, /* columns of w or dz that they hold */
    WORD = 64, /* zeros are found in words of this many */
    SAMPLED_WORDS = 251, /* at most; a prime, so that no pattern of columns hides from it */
};

struct layer {
    real *dw, *sums; /* sums: (chunks, M, N) of the sparse forward */
    const real *x, *w, *dz;
    ptrdiff_t M, K, N, chunks;
};

/* ---- finding zeros ---- */

/* Bit i is set where x[i] is not 0, i < n <= WORD. */
INLINE uint64_t word_of_row(const real *x, ptrdiff_t n) {
    uint64_t word = 0;
    if (n == WORD) {
#pragma GCC unroll 16
        for (int i = 0; i < WORD; i += VL) word |= (uint64_t)lanes_nonzero(load(x + i)) << i;
        return word;
    }
    for (ptrdiff_t i = 0; i < n; i += VL) word |= (uint64_t)lanes_nonzero(load_upto(x + i, n - i)) << i;
    return word;
}

/* words[i], i < VL: bit m is set where x[m * ld + i] is not 0, m < rows <= WORD; only the first n lanes count. */
static void words_of_columns(uint64_t *words, const real *x, ptrdiff_t ld, ptrdiff_t rows, ptrdiff_t n) {
    uvec low = {0}, high = {0}; /* half a word of rows each, so that float32 has lanes of 32 bits */
    const ptrdiff_t half = FNN_BITS == 32 ? 32 : WORD;
    for (ptrdiff_t m = 0; m < rows; m++) {
        uvec bit = (uvec)(load_upto(x + m * ld, n) != 0) & ((real_uint)1 << (m % half));
        if (m < half) low |= bit;
        else high |= bit;
    }
    for (int i = 0; i < VL; i++) words[i] = FNN_BITS == 32 ? (uint64_t)high[i] << 32 | (uint32_t)low[i] : low[i];
}

/* A row of N reals costs about this many cycles per nonzero, and half a cycle per vector in the dense product.  A sample of
 * words speaks for the whole of a large x, so that the choice costs nothing beside the product. */
static int sparse_pays(const real *x, ptrdiff_t M, ptrdiff_t K, ptrdiff_t N) {
    const double vectors = (double)ceil_div(N, VL);
    const ptrdiff_t n = M * K, words = ceil_div(n, WORD), sampled = least(words, SAMPLED_WORDS);
    const double budget = 0.4 * vectors / (vectors + 4) * (double)n * (double)sampled / (double)words;
    ptrdiff_t nonzero = 0;
    for (ptrdiff_t word = 0; word < sampled; word++) {
        const ptrdiff_t i = words * word / sampled * WORD;
        nonzero += __builtin_popcountll(word_of_row(x + i, least(WORD, n - i)));
        if ((double)nonzero > budget) return 0;
    }
    return 1;
}

static int choose_sparse(int algorithm, const real *x, ptrdiff_t M, ptrdiff_t K, ptrdiff_t N) {
    return algorithm == FNN_SPARSE || (algorithm == FNN_AUTO && sparse_pays(x, M, K, N));
}

/* ---- sparse forward ---- */

/* sum[j] += x[i] * rows[i * ld + j] for every nonzero x[i * step], i in the word; `vecs` vectors, the last of `part`
 * reals. */
INLINE void add_rows(const int vecs, uint64_t word, const real *x, ptrdiff_t step, const real *rows, ptrdiff_t ld,
                     ptrdiff_t part, vec sum[BLOCK_VECS]) {
    for (; word; word &= word - 1) {
        ptrdiff_t i = __builtin_ctzll(word);
        const vec value = splat(x[i * step]);
        const real *row = rows + i * ld;
#pragma GCC unroll 8
        for (int j = 0; j < vecs - 1; j++) sum[j] += value * load(row + j * VL);
        sum[vecs - 1] += value * (part == VL ? load(row + (vecs - 1) * VL) : load_part(row + (vecs - 1) * VL, part));
    }
}

INLINE void load_block(const int vecs, vec sum[BLOCK_VECS], const real *from, ptrdiff_t part) {
#pragma GCC unroll 8
    for (int j = 0; j < vecs - 1; j++) sum[j] = load(from + j * VL);
    sum[vecs - 1] = load_upto(from + (vecs - 1) * VL, part);
}

INLINE void store_block(const int vecs, const vec sum[BLOCK_VECS], real *to, ptrdiff_t part) {
#pragma GCC unroll 8
    for (int j = 0; j < vecs - 1; j++) store(to + j * VL, sum[j]);
    store_upto(to + (vecs - 1) * VL, sum[vecs - 1], part);
}

/* sums[., column...] of all rows over words first..last-1 of K.  Words are the outer loop, rows the inner: WORD rows of
 * the block of w stay in L1 for all rows of x. */
INLINE void sparse_forward_block(const int vecs, const struct layer *layer, real *sums, ptrdiff_t first, ptrdiff_t last,
                                 ptrdiff_t column, ptrdiff_t part) {
    ptrdiff_t K = layer->K, N = layer->N;
    for (ptrdiff_t k = first * WORD; k < least(last * WORD, K) || k == first * WORD; k += WORD) {
        for (ptrdiff_t m = 0; m < layer->M; m++) {
            vec sum[BLOCK_VECS] = {0};
            real *to = sums + m * N + column;
            if (k > first * WORD) load_block(vecs, sum, to, part);
            const real *x = layer->x + m * K + k;
            add_rows(vecs, word_of_row(x, least(WORD, K - k)), x, 1, layer->w + k * N + column, N, part, sum);
            store_block(vecs, sum, to, part);
        }
    }
}

/* Call f(vecs, …) with vecs, the number of vectors in this block, as a constant. */
#define BLOCK_SWITCH(f, vecs, ...)           \
    switch (vecs) {                          \
        case 8: f(8, __VA_ARGS__); break;    \
        case 7: f(7, __VA_ARGS__); break;    \
        case 6: f(6, __VA_ARGS__); break;    \
        case 5: f(5, __VA_ARGS__); break;    \
        case 4: f(4, __VA_ARGS__); break;    \
        case 3: f(3, __VA_ARGS__); break;    \
        case 2: f(2, __VA_ARGS__); break;    \
        default: f(1, __VA_ARGS__); break;   \
    }

/* The number of reals in the last vector of `columns` reals. */
INLINE ptrdiff_t last_part(ptrdiff_t columns) { return (columns - 1) % VL + 1; }

/* An item is a block of columns of one chunk of K (chunks.h). */
static int sparse_forward_task(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct layer *layer = context;
    ptrdiff_t blocks = ceil_div(layer->N, BLOCK), words = ceil_div(layer->K, WORD);
    for (ptrdiff_t item = first; item < last; item++) {
        ptrdiff_t chunk = item / blocks, column = item % blocks * BLOCK, columns = least(BLOCK, layer->N - column);
        BLOCK_SWITCH(sparse_forward_block, ceil_div(columns, VL), layer, layer->sums + chunk * layer->M * layer->N,
                     words * chunk / layer->chunks, words * (chunk + 1) / layer->chunks, column, last_part(columns));
    }
    return FNN_OK;
}

static int sparse_forward(real *y, struct layer *layer, const real *b, int activation) {
    layer->chunks = chunks_of_depth(layer->K);
    layer->sums = fnn_scratch(FNN_SCRATCH_PANELS, (size_t)(layer->chunks * layer->M * layer->N) * sizeof(real));
    if (!layer->sums) return FNN_NO_MEMORY;
    double work = 0.5 * (double)layer->M * (double)layer->K * (double)layer->N;
    int status = fnn_parallel(layer->chunks * ceil_div(layer->N, BLOCK), work, sparse_forward_task, layer);
    add_chunks(&(struct chunk_sums){y, layer->N, layer->sums, layer->chunks, layer->M, layer->N, b, activation});
    return status;
}

/* ---- sparse weight gradient ---- */

/* dw[k, column...] for the k of one vector of x: lanes k..k+n-1. */
INLINE void sparse_gradient_block(const int vecs, const struct layer *layer, ptrdiff_t column, ptrdiff_t part,
                                  const uint64_t *words, ptrdiff_t k, ptrdiff_t n, ptrdiff_t m) {
    ptrdiff_t K = layer->K, N = layer->N;
    for (ptrdiff_t i = 0; i < n; i++) {
        vec sum[BLOCK_VECS] = {0};
        real *dw = layer->dw + (k + i) * N + column;
        if (m > 0) load_block(vecs, sum, dw, part);
        add_rows(vecs, words[i], layer->x + m * K + k + i, K, layer->dz + m * N + column, N, part, sum);
        store_block(vecs, sum, dw, part);
    }
}

/* An item is a vector of K: VL rows of dw. */
static int sparse_gradient_task(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct layer *layer = context;
    for (ptrdiff_t m = 0; m < layer->M || m == 0; m += WORD)
        for (ptrdiff_t item = first; item < last; item++) {
            ptrdiff_t k = item * VL, n = least(VL, layer->K - k);
            uint64_t words[VL];
            words_of_columns(words, layer->x + m * layer->K + k, layer->K, least(WORD, layer->M - m), n);
            for (ptrdiff_t column = 0; column < layer->N; column += BLOCK) {
                ptrdiff_t columns = least(BLOCK, layer->N - column);
                BLOCK_SWITCH(sparse_gradient_block, ceil_div(columns, VL), layer, column, last_part(columns), words, k,
                             n, m);
            }
        }
    return FNN_OK;
}

static int sparse_gradient(real *dw, const real *x, const real *dz, ptrdiff_t M, ptrdiff_t K, ptrdiff_t N) {
    struct layer layer = {.dw = dw, .x = x, .dz = dz, .M = M, .K = K, .N = N};
    return fnn_parallel(ceil_div(K, VL), 0.5 * (double)M * (double)K * (double)N, sparse_gradient_task, &layer);
}

/* ---- products ---- */

/* y = act(x · w + b) */
static struct product forward_product(real *y, const real *x, const real *w, const real *b, ptrdiff_t M, ptrdiff_t K,
                                      ptrdiff_t N, int activation) {
    return (struct product){.M = M,
                            .N = N,
                            .K = K,
                            .a = x,
                            .a_row = K,
                            .a_column = 1,
                            .b = w,
                            .b_row = N,
                            .b_column = 1,
                            .c = y,
                            .ldc = N,
                            .bias = b,
                            .activation = activation};
}

/* dw = xᵀ · dz */
static int weight_gradient(real *dw, const real *x, const real *dz, ptrdiff_t M, ptrdiff_t K, ptrdiff_t N) {
    return FNN(product)(&(struct product){.M = K,
                                          .N = N,
                                          .K = M,
                                          .a = x,
                                          .a_row = 1,
                                          .a_column = K,
                                          .b = dz,
                                          .b_row = N,
                                          .b_column = 1,
                                          .c = dw,
                                          .ldc = N,
                                          .activation = FNN_LINEAR});
}

/* dx = or += dz · wᵀ */
static int input_gradient(real *dx, int add, const real *dz, const real *w, ptrdiff_t M, ptrdiff_t K, ptrdiff_t N) {
    return FNN(product)(&(struct product){.M = M,
                                          .N = K,
                                          .K = N,
                                          .a = dz,
                                          .a_row = N,
                                          .a_column = 1,
                                          .b = w,
                                          .b_row = 1,
                                          .b_column = N,
                                          .c = dx,
                                          .ldc = K,
                                          .activation = FNN_LINEAR,
                                          .add = add});
}

/* One array after the other. */
static int backward_in_products(real *dx, int add, const real *x, const struct part *part, ptrdiff_t M, ptrdiff_t K,
                                int sparse) {
    const real *dz;
    int status = gradient_of_bias(&dz, part->db, part->dy, part->y, M, part->N, part->activation);
    if (status == FNN_OK)
        status =
            sparse ? sparse_gradient(part->dw, x, dz, M, K, part->N) : weight_gradient(part->dw, x, dz, M, K, part->N);
    return dx && status == FNN_OK ? input_gradient(dx, add, dz, part->w, M, K, part->N) : status;
}

/* The parts share x, and their dx are added up: as many at once as one pass takes. */
static int backward_of_parts(real *dx, const real *x, const struct part *parts, ptrdiff_t count, ptrdiff_t M,
                             ptrdiff_t K) {
    int status = FNN_OK;
    for (ptrdiff_t i = 0; i < count && status == FNN_OK;) {
        const ptrdiff_t taken = parts_of_a_pass(parts + i, count - i, M, K);
        status = taken > 0 ? backward_in_one_pass(dx, i > 0, x, parts + i, taken, M, K)
                           : backward_in_products(dx, i > 0, x, parts + i, M, K, 0);
        i += most(1, taken);
    }
    return status;
}

/* ---- the kernels ---- */

int FNN(dense_forward)(real *y, const real *x, const real *w, const real *b, ptrdiff_t M, ptrdiff_t K, ptrdiff_t N,
                       int activation, int algorithm) {
    if (M > 0 && N > 0 && choose_sparse(algorithm, x, M, K, N)) {
        struct layer layer = {.x = x, .w = w, .M = M, .K = K, .N = N};
        return sparse_forward(y, &layer, b, activation);
    }
    struct product product = forward_product(y, x, w, b, M, K, N, activation);
    return FNN(product)(&product);
}

int FNN(dense_backward)(real *dx, real *dw, real *db, const real *dy, const real *x, const real *w, const real *y,
                        ptrdiff_t M, ptrdiff_t K, ptrdiff_t N, int activation, int algorithm) {
    const struct part layer = {.dw = dw, .db = db, .dy = dy, .w = w, .y = y, .N = N, .activation = activation};
    if (K > 0 && N > 0 && choose_sparse(algorithm, x, M, K, N)) return backward_in_products(dx, 0, x, &layer, M, K, 1);
    return backward_of_parts(dx, x, &layer, 1, M, K);
}

/* The lists have `count` entries, at most FNN_MOST_PROJECTIONS. */
int FNN(projections_forward)(void *const *y, const real *x, const void *const *w, const void *const *b,
                             const ptrdiff_t *N, ptrdiff_t count, ptrdiff_t M, ptrdiff_t K) {
    struct product products[FNN_MOST_PROJECTIONS];
    for (ptrdiff_t i = 0; i < count; i++) products[i] = forward_product(y[i], x, w[i], b[i], M, K, N[i], FNN_LINEAR);
    return FNN(products)(products, count);
}

int FNN(projections_backward)(real *dx, void *const *dw, void *const *db, const void *const *dy, const real *x,
                              const void *const *w, const ptrdiff_t *N, ptrdiff_t count, ptrdiff_t M, ptrdiff_t K) {
    struct part parts[FNN_MOST_PROJECTIONS];
    for (ptrdiff_t i = 0; i < count; i++)
        parts[i] = (struct part){.dw = dw[i], .db = db[i], .dy = dy[i], .w = w[i], .N = N[i], .activation = FNN_LINEAR};
    return backward_of_parts(dx, x, parts, count, M, K);
}

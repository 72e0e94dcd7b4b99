/* group_norm.c — channels in groups: each example and group to mean 0 and variance 1, over all positions and the group's channels.
 *
 *     forward    mean = Σ x / (S W),  r = 1 / √(Σ (x − mean)² / (S W) + ε),  y = (x − mean) r γ + β       over S positions, W channels
 *     backward   t = dy γ,  x̂ = (x − mean) r,  A = Σ t / (S W),  B = Σ t x̂ / (S W),  dx = r (t − A − x̂ B),
 *                dγ = Σ over examples and positions of dy x̂,  dβ = Σ over them of dy
 *
 * Shapes: x, y, dy, dx (N, S, C), C >= 1; mean, scale = r (N, groups), C = groups W; gamma, beta, dgamma, dbeta (C,).  gamma, beta and
 * the gradients may be NULL.  The caller allocates; results are assigned and share no memory with inputs.  Without positions mean
 * and variance are 0.
 *
 * Positions are cut into chunks by the shape alone.  A chunk finds the mean of each channel first and the squares about that mean
 * second, while it is in cache; chunks are combined in order, and then the channels of a group (Chan, Golub, LeVeque 1979), in
 * double: no cancellation however far the mean is from 0, and the same bits at any number of threads.  Threaded over examples where
 * one stays in cache from its statistics to its results, otherwise over chunks, pass by pass.  Bound by memory.
 * Twin: fastnn/reference/group_norm.py.  Source: Wu and He, arXiv 1803.08494.
 */
#include "column_sums.h"

enum {
    CHUNK_REALS = 4096, /* of a chunk, within these numbers of positions: */
    FEWEST_POSITIONS = 16,
    MOST_POSITIONS = 128,
    CACHED_BYTES = 1 << 17, /* the largest example that one thread takes whole */
    FEWEST_EXAMPLES = 8, /* and how many there must be */
    BLOCK = 4, /* vectors of channels that take a step together, */
    BLOCK_OF_FACTORS = 2, /* and where each needs four factors */
};

struct group_norm {
    real *y, *dx;
    real *mean, *scale; /* results of forward */
    const real *of_mean, *of_scale; /* the same, as backward gets them */
    const real *x, *dy, *gamma, *beta;
    real *sums; /* (N, chunks, 2, C) */
    real *factors; /* (N, 4, C): mean, r γ, and of backward r² B, r A */
    real *shares; /* (N, 2, C): what an example adds to dγ and dβ */
    ptrdiff_t N, S, C, groups, chunk, chunks;
    double epsilon;
};

/* Position `p` of example n begins here. */
INLINE ptrdiff_t place(const struct group_norm *job, ptrdiff_t n, ptrdiff_t p) { return (n * job->S + p) * job->C; }

INLINE ptrdiff_t positions_of(const struct group_norm *job, ptrdiff_t chunk) {
    return least(job->chunk, job->S - chunk * job->chunk);
}

INLINE real *sums_of(const struct group_norm *job, ptrdiff_t n, ptrdiff_t chunk) {
    return job->sums + (n * job->chunks + chunk) * 2 * job->C;
}

INLINE real *factors_of(const struct group_norm *job, ptrdiff_t n) { return job->factors + n * 4 * job->C; }

/* ---- forward ---- */

/* Mean and squares about it of each channel of a chunk, `vecs` vectors of channels from c on. */
INLINE void channel_sums(const int vecs, const struct group_norm *job, ptrdiff_t n, ptrdiff_t chunk, ptrdiff_t c,
                         ptrdiff_t left) {
    const ptrdiff_t C = job->C, positions = positions_of(job, chunk);
    const real *x = job->x + place(job, n, chunk * job->chunk) + c;
    vec mean[BLOCK] = {{0}}, squares[BLOCK] = {{0}};
    for (ptrdiff_t p = 0; p < positions; p++) {
#pragma GCC unroll 4
        for (int v = 0; v < vecs; v++) mean[v] += load_upto(x + p * C + v * VL, left);
    }
    for (int v = 0; v < vecs; v++) mean[v] = mean[v] / (real)positions;
    for (ptrdiff_t p = 0; p < positions; p++) {
#pragma GCC unroll 4
        for (int v = 0; v < vecs; v++) {
            vec apart = load_upto(x + p * C + v * VL, left) - mean[v];
            squares[v] += apart * apart;
        }
    }
    real *sums = sums_of(job, n, chunk) + c;
    for (int v = 0; v < vecs; v++) {
        store_upto(sums + v * VL, mean[v], left);
        store_upto(sums + C + v * VL, squares[v], left);
    }
}

INLINE void chunk_statistics(const struct group_norm *job, ptrdiff_t n, ptrdiff_t chunk) {
    ptrdiff_t c = 0;
    /* The main loop: */
    for (; c + BLOCK * VL <= job->C; c += BLOCK * VL) channel_sums(BLOCK, job, n, chunk, c, VL);
    /* The tail: */
    for (; c < job->C; c += VL) channel_sums(1, job, n, chunk, c, job->C - c);
}

/* Mean and squares about it of each channel of an example, from those of its chunks. */
INLINE void combine_chunks(const struct group_norm *job, ptrdiff_t n, double *mean, double *squares) {
    for (ptrdiff_t c = 0; c < job->C; c += WIDE) {
        const ptrdiff_t left = least(WIDE, job->C - c);
        wide m = {0}, q = {0};
        double count = 0;
        for (ptrdiff_t chunk = 0; chunk < job->chunks; chunk++) {
            const double more = (double)positions_of(job, chunk), weight = more / (count + more);
            const real *sums = sums_of(job, n, chunk) + c;
            wide apart = load_wide(sums, left) - m;
            m += apart * weight;
            q += load_wide(sums + job->C, left) + apart * apart * (count * weight);
            count += more;
        }
        memcpy(mean + c, &m, (size_t)left * sizeof(double));
        memcpy(squares + c, &q, (size_t)left * sizeof(double));
    }
}

/* Statistics of the groups of an example, and the factors of its channels. */
static int settle(const struct group_norm *job, ptrdiff_t n) {
    const ptrdiff_t C = job->C, W = C / job->groups;
    double *mean = fnn_scratch(FNN_SCRATCH_TILE, (size_t)(2 * C) * sizeof(double)), *squares = mean + C;
    if (!mean) return FNN_NO_MEMORY;
    combine_chunks(job, n, mean, squares);
    real *shift = factors_of(job, n), *scale = shift + C;
    for (ptrdiff_t g = 0; g < job->groups; g++) {
        double middle = 0, total = 0;
        for (ptrdiff_t c = g * W; c < (g + 1) * W; c++) middle += mean[c];
        middle /= (double)W;
        for (ptrdiff_t c = g * W; c < (g + 1) * W; c++)
            total += squares[c] + (double)job->S * (mean[c] - middle) * (mean[c] - middle);
        const double variance = total / (double)(W * most(job->S, 1));
        const real r = (real)(1 / __builtin_sqrt(variance + job->epsilon));
        job->mean[n * job->groups + g] = (real)middle;
        job->scale[n * job->groups + g] = r;
        for (ptrdiff_t c = g * W; c < (g + 1) * W; c++) {
            shift[c] = (real)middle;
            scale[c] = job->gamma ? r * job->gamma[c] : r;
        }
    }
    return FNN_OK;
}

INLINE void normalise_block(const int vecs, const struct group_norm *job, ptrdiff_t n, ptrdiff_t chunk, ptrdiff_t c,
                            ptrdiff_t left) {
    const ptrdiff_t C = job->C, positions = positions_of(job, chunk), at = place(job, n, chunk * job->chunk) + c;
    const real *x = job->x + at, *factors = factors_of(job, n) + c;
    real *y = job->y + at;
    vec shift[BLOCK], scale[BLOCK], beta[BLOCK];
    for (int v = 0; v < vecs; v++) {
        shift[v] = load_upto(factors + v * VL, left);
        scale[v] = load_upto(factors + C + v * VL, left);
        beta[v] = job->beta ? load_upto(job->beta + c + v * VL, left) : (vec){0};
    }
    for (ptrdiff_t p = 0; p < positions; p++) {
#pragma GCC unroll 4
        for (int v = 0; v < vecs; v++) {
            vec apart = load_upto(x + p * C + v * VL, left) - shift[v];
            store_upto(y + p * C + v * VL, apart * scale[v] + beta[v], left);
        }
    }
}

INLINE void normalise_chunk(const struct group_norm *job, ptrdiff_t n, ptrdiff_t chunk) {
    ptrdiff_t c = 0;
    /* The main loop: */
    for (; c + BLOCK * VL <= job->C; c += BLOCK * VL) normalise_block(BLOCK, job, n, chunk, c, VL);
    /* The tail: */
    for (; c < job->C; c += VL) normalise_block(1, job, n, chunk, c, job->C - c);
}

/* ---- backward ---- */

/* Σ dy and Σ dy (x − mean) of each channel of a chunk, `vecs` vectors of channels from c on. */
INLINE void channel_products(const int vecs, const struct group_norm *job, ptrdiff_t n, ptrdiff_t chunk, ptrdiff_t c,
                             ptrdiff_t left) {
    const ptrdiff_t C = job->C, positions = positions_of(job, chunk), at = place(job, n, chunk * job->chunk) + c;
    const real *x = job->x + at, *dy = job->dy + at, *factors = factors_of(job, n) + c;
    vec sum[BLOCK] = {{0}}, product[BLOCK] = {{0}}, shift[BLOCK];
    for (int v = 0; v < vecs; v++) shift[v] = load_upto(factors + v * VL, left);
    for (ptrdiff_t p = 0; p < positions; p++) {
#pragma GCC unroll 4
        for (int v = 0; v < vecs; v++) {
            vec d = load_upto(dy + p * C + v * VL, left);
            sum[v] += d;
            product[v] += d * (load_upto(x + p * C + v * VL, left) - shift[v]);
        }
    }
    real *sums = sums_of(job, n, chunk) + c;
    for (int v = 0; v < vecs; v++) {
        store_upto(sums + v * VL, sum[v], left);
        store_upto(sums + C + v * VL, product[v], left);
    }
}

INLINE void chunk_products(const struct group_norm *job, ptrdiff_t n, ptrdiff_t chunk) {
    ptrdiff_t c = 0;
    /* The main loop: */
    for (; c + BLOCK * VL <= job->C; c += BLOCK * VL) channel_products(BLOCK, job, n, chunk, c, VL);
    /* The tail: */
    for (; c < job->C; c += VL) channel_products(1, job, n, chunk, c, job->C - c);
}

/* The mean and r γ of each channel of an example. */
INLINE void spread(const struct group_norm *job, ptrdiff_t n) {
    const ptrdiff_t C = job->C, W = C / job->groups;
    const real *mean = job->of_mean + n * job->groups, *r = job->of_scale + n * job->groups;
    real *shift = factors_of(job, n), *scale = shift + C;
    for (ptrdiff_t g = 0; g < job->groups; g++)
        for (ptrdiff_t c = g * W; c < (g + 1) * W; c++) {
            shift[c] = mean[g];
            scale[c] = job->gamma ? r[g] * job->gamma[c] : r[g];
        }
}

/* What an example adds to dγ and dβ, and the factors r² B and r A of its channels. */
static int settle_gradient(const struct group_norm *job, ptrdiff_t n) {
    const ptrdiff_t C = job->C, W = C / job->groups;
    double *products = fnn_scratch(FNN_SCRATCH_TILE, (size_t)(2 * C) * sizeof(double)), *sums = products + C;
    if (!products) return FNN_NO_MEMORY;
    for (ptrdiff_t c = 0; c < C; c += WIDE) {
        const ptrdiff_t left = least(WIDE, C - c);
        wide sum = {0}, product = {0};
        for (ptrdiff_t chunk = 0; chunk < job->chunks; chunk++) {
            sum += load_wide(sums_of(job, n, chunk) + c, left);
            product += load_wide(sums_of(job, n, chunk) + C + c, left);
        }
        memcpy(sums + c, &sum, (size_t)left * sizeof(double));
        memcpy(products + c, &product, (size_t)left * sizeof(double));
    }
    real *slope = factors_of(job, n) + 2 * C, *offset = slope + C, *shares = job->shares + n * 2 * C;
    const double share = 1 / ((double)W * (double)most(job->S, 1));
    for (ptrdiff_t g = 0; g < job->groups; g++) {
        const double r = job->S ? job->of_scale[n * job->groups + g] : 0; /* without positions nothing is added */
        double A = 0, B = 0;
        for (ptrdiff_t c = g * W; c < (g + 1) * W; c++) {
            const double gamma = job->gamma ? job->gamma[c] : 1;
            shares[c] = (real)(products[c] * r);
            shares[C + c] = (real)sums[c];
            A += gamma * sums[c];
            B += gamma * products[c] * r;
        }
        for (ptrdiff_t c = g * W; c < (g + 1) * W; c++) {
            slope[c] = (real)(r * r * B * share);
            offset[c] = (real)(r * A * share);
        }
    }
    return FNN_OK;
}

INLINE void gradient_block(const int vecs, const struct group_norm *job, ptrdiff_t n, ptrdiff_t chunk, ptrdiff_t c,
                           ptrdiff_t left) {
    const ptrdiff_t C = job->C, positions = positions_of(job, chunk), at = place(job, n, chunk * job->chunk) + c;
    const real *x = job->x + at, *dy = job->dy + at, *factors = factors_of(job, n) + c;
    real *dx = job->dx + at;
    vec shift[BLOCK], scale[BLOCK], slope[BLOCK], offset[BLOCK];
    for (int v = 0; v < vecs; v++) {
        shift[v] = load_upto(factors + v * VL, left);
        scale[v] = load_upto(factors + C + v * VL, left);
        slope[v] = load_upto(factors + 2 * C + v * VL, left);
        offset[v] = load_upto(factors + 3 * C + v * VL, left);
    }
    for (ptrdiff_t p = 0; p < positions; p++) {
#pragma GCC unroll 4
        for (int v = 0; v < vecs; v++) {
            const ptrdiff_t here = p * C + v * VL;
            vec apart = load_upto(x + here, left) - shift[v];
            store_upto(dx + here, load_upto(dy + here, left) * scale[v] - apart * slope[v] - offset[v], left);
        }
    }
}

INLINE void gradient_chunk(const struct group_norm *job, ptrdiff_t n, ptrdiff_t chunk) {
    ptrdiff_t c = job->dx ? 0 : job->C;
    /* The main loop: */
    for (; c + BLOCK_OF_FACTORS * VL <= job->C; c += BLOCK_OF_FACTORS * VL)
        gradient_block(BLOCK_OF_FACTORS, job, n, chunk, c, VL);
    /* The tail: */
    for (; c < job->C; c += VL) gradient_block(1, job, n, chunk, c, job->C - c);
}

/* ---- tasks: an item is an example, or a chunk of one ---- */

typedef void step_of_chunk(const struct group_norm *job, ptrdiff_t n, ptrdiff_t chunk);
typedef int step_of_example(const struct group_norm *job, ptrdiff_t n);

INLINE int each_chunk(step_of_chunk step, const struct group_norm *job, ptrdiff_t first, ptrdiff_t last) {
    for (ptrdiff_t i = first; i < last; i++) step(job, i / job->chunks, i % job->chunks);
    return FNN_OK;
}

INLINE int each_example(step_of_chunk before, step_of_example between, step_of_chunk after,
                        const struct group_norm *job, ptrdiff_t first, ptrdiff_t last) {
    for (ptrdiff_t n = first; n < last; n++) {
        for (ptrdiff_t chunk = 0; before && chunk < job->chunks; chunk++) before(job, n, chunk);
        int status = between(job, n);
        if (status != FNN_OK) return status;
        for (ptrdiff_t chunk = 0; after && chunk < job->chunks; chunk++) after(job, n, chunk);
    }
    return FNN_OK;
}

static int forward_examples(void *job, ptrdiff_t first, ptrdiff_t last) {
    return each_example(chunk_statistics, settle, normalise_chunk, job, first, last);
}

static int statistics_of_chunks(void *job, ptrdiff_t first, ptrdiff_t last) {
    return each_chunk(chunk_statistics, job, first, last);
}

static int settle_examples(void *job, ptrdiff_t first, ptrdiff_t last) {
    return each_example(NULL, settle, NULL, job, first, last);
}

static int normalise_chunks(void *job, ptrdiff_t first, ptrdiff_t last) {
    return each_chunk(normalise_chunk, job, first, last);
}

static int backward_examples(void *job, ptrdiff_t first, ptrdiff_t last) {
    return each_example(chunk_products, settle_gradient, gradient_chunk, job, first, last);
}

static int products_of_chunks(void *job, ptrdiff_t first, ptrdiff_t last) {
    return each_chunk(chunk_products, job, first, last);
}

static int settle_gradients(void *job, ptrdiff_t first, ptrdiff_t last) {
    return each_example(NULL, settle_gradient, NULL, job, first, last);
}

static int gradient_chunks(void *job, ptrdiff_t first, ptrdiff_t last) {
    return each_chunk(gradient_chunk, job, first, last);
}

/* ---- kernels ---- */

/* Cuts the positions, and gives scratch to the sums, factors and shares. */
static int prepare(struct group_norm *job) {
    const ptrdiff_t fitting = least(most(CHUNK_REALS / job->C, FEWEST_POSITIONS), MOST_POSITIONS);
    job->chunk = most(1, least(fitting, job->S));
    job->chunks = ceil_div(job->S, job->chunk);
    const ptrdiff_t sums = job->N * job->chunks * 2 * job->C, factors = job->N * 4 * job->C;
    job->sums = fnn_scratch(FNN_SCRATCH_SHARED, (size_t)(sums + factors + job->N * 2 * job->C) * sizeof(real));
    if (!job->sums) return FNN_NO_MEMORY;
    job->factors = job->sums + sums;
    job->shares = job->factors + factors;
    return FNN_OK;
}

INLINE double moved(const struct group_norm *job, int arrays) {
    return (double)job->N * (double)job->S * (double)job->C * (double)sizeof(real) * arrays;
}

INLINE int example_stays_in_cache(const struct group_norm *job) {
    return job->N >= FEWEST_EXAMPLES && job->S * job->C <= CACHED_BYTES / (ptrdiff_t)sizeof(real);
}

int FNN(group_norm_forward)(real *y, real *mean, real *scale, const real *x, const real *gamma, const real *beta,
                            ptrdiff_t N, ptrdiff_t S, ptrdiff_t C, ptrdiff_t groups, double epsilon) {
    struct group_norm job = {.y = y,
                             .mean = mean,
                             .scale = scale,
                             .x = x,
                             .gamma = gamma,
                             .beta = beta,
                             .N = N,
                             .S = S,
                             .C = C,
                             .groups = groups,
                             .epsilon = epsilon};
    int status = prepare(&job);
    if (status != FNN_OK) return status;
    if (example_stays_in_cache(&job)) return fnn_parallel(N, moved(&job, 3), forward_examples, &job);
    status = fnn_parallel(N * job.chunks, moved(&job, 1), statistics_of_chunks, &job);
    if (status == FNN_OK) status = fnn_parallel(N, (double)(N * C * job.chunks), settle_examples, &job);
    if (status == FNN_OK) status = fnn_parallel(N * job.chunks, moved(&job, 2), normalise_chunks, &job);
    return status;
}

int FNN(group_norm_backward)(real *dx, real *dgamma, real *dbeta, const real *dy, const real *x, const real *mean,
                             const real *scale, const real *gamma, ptrdiff_t N, ptrdiff_t S, ptrdiff_t C,
                             ptrdiff_t groups) {
    struct group_norm job = {.dx = dx,
                             .of_mean = mean,
                             .of_scale = scale,
                             .dy = dy,
                             .x = x,
                             .gamma = gamma,
                             .N = N,
                             .S = S,
                             .C = C,
                             .groups = groups};
    int status = prepare(&job);
    if (status != FNN_OK) return status;
    for (ptrdiff_t n = 0; n < N; n++) spread(&job, n);
    if (example_stays_in_cache(&job)) {
        status = fnn_parallel(N, moved(&job, 4), backward_examples, &job);
    } else {
        status = fnn_parallel(N * job.chunks, moved(&job, 2), products_of_chunks, &job);
        if (status == FNN_OK) status = fnn_parallel(N, (double)(N * C * job.chunks), settle_gradients, &job);
        if (status == FNN_OK && dx) status = fnn_parallel(N * job.chunks, moved(&job, 3), gradient_chunks, &job);
    }
    if (status == FNN_OK && dgamma) status = add_columns(dgamma, job.shares, N, 2 * C, C);
    if (status == FNN_OK && dbeta) status = add_columns(dbeta, job.shares + C, N, 2 * C, C);
    return status;
}

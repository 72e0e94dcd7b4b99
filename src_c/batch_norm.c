/* batch_norm.c — batch normalization: every channel to mean 0 and variance 1 over the rows, then scaled and shifted.
 *
 *     mean = Σ x / m      variance = Σ (x − mean)² / m       over the m rows that count
 *     x̂ = (x − mean) / √(variance + ε)                       y = act(x̂·γ + β + residual)
 *
 *     g = dy·act'(y)      dβ = Σ g      dγ = Σ g·x̂           dresidual = g
 *     dx = γ / √(variance + ε) · (g − (dβ + x̂·dγ) / m)       in a row that does not count, and with statistics that
 *                                                            are not of the batch: γ / √(variance + ε) · g
 *
 * Shapes: x, y, residual and their gradients (rows, C); mean, variance, γ, β and their gradients (C,).  mask (rows,) bytes, NULL: all
 * rows count.  γ, β, residual, dx and dresidual may be NULL.  The caller allocates; results are assigned; y may be x or residual.
 * Without a row that counts, mean and variance are 0.
 *
 * Rows are cut into chunks by the shape alone.  A chunk finds its mean first and its squares about that mean second, while it is in
 * cache, and the chunks are combined in order (Chan, Golub, LeVeque 1979): no cancellation however far the mean is
 * from 0, and the same bits at any number of threads.  Bound by memory: x is read twice forward, dy and x twice backward.
 * Twin: fastnn/reference/batch_norm.py.
 */
#include "real.h"

enum {
    CHUNK_REALS = 4096,
    MOST_CHUNKS = 256,
    BLOCK = 4, /* vectors of channels whose sums are in registers */
    ROWS = 4,  /* rows that take a step together, so that what belongs to a channel is loaded once for all of them */
};

struct batch_norm {
    real *y, *dx, *dresidual;
    const real *x, *dy, *out, *residual; /* out: y of forward, which says where relu let through */
    const unsigned char *mask;
    const real *mean, *rstd, *scale, *shift; /* scale = γ·rstd, shift = β */
    const real *slope, *offset;              /* dx = scale·g + slope·(x − mean) + offset */
    real *sums; /* two sums a channel, for each chunk */
    ptrdiff_t *counts;
    ptrdiff_t rows, C, chunk, chunks;
    int relu, depends; /* depends: whether mean and variance depend on x */
};

INLINE void cut_rows(struct batch_norm *job) {
    job->chunk = most(most(1, CHUNK_REALS / most(1, job->C)), ceil_div(job->rows, MOST_CHUNKS));
    job->chunks = ceil_div(job->rows, job->chunk);
}

INLINE int row_counts(const struct batch_norm *job, ptrdiff_t row) { return !job->mask || job->mask[row]; }

/* The gradient that comes through the activation. */
INLINE vec through(const int relu, const struct batch_norm *job, ptrdiff_t at, ptrdiff_t left) {
    vec g = load_upto(job->dy + at, left);
    return relu ? choose(load_upto(job->out + at, left) > 0, g, (vec){0}) : g;
}

/* ---- statistics ---- */

/* Mean and squares about it of one chunk, `vecs` vectors of channels from c on. */
INLINE void chunk_block(const int vecs, const struct batch_norm *job, ptrdiff_t chunk, ptrdiff_t c, ptrdiff_t left) {
    const ptrdiff_t C = job->C, begin = chunk * job->chunk, end = least(begin + job->chunk, job->rows);
    const real *x = job->x + c;
    vec mean[BLOCK] = {{0}}, squares[BLOCK] = {{0}};
    ptrdiff_t count = 0, row = begin;
    /* The main loop: */
    for (; !job->mask && row + 2 <= end; row += 2, count += 2)
#pragma GCC unroll 4
        for (int v = 0; v < vecs; v++)
            mean[v] += load_upto(x + row * C + v * VL, left) + load_upto(x + (row + 1) * C + v * VL, left);
    /* The tail, and rows with a mask: */
    for (; row < end; row++) {
        if (!row_counts(job, row)) continue;
        count++;
#pragma GCC unroll 4
        for (int v = 0; v < vecs; v++) mean[v] += load_upto(x + row * C + v * VL, left);
    }
    for (int v = 0; v < vecs; v++) mean[v] = mean[v] / (real)most(count, 1);
    for (row = begin; row < end; row++) {
        if (!row_counts(job, row)) continue;
#pragma GCC unroll 4
        for (int v = 0; v < vecs; v++) {
            vec apart = load_upto(x + row * C + v * VL, left) - mean[v];
            squares[v] += apart * apart;
        }
    }
    real *sums = job->sums + 2 * chunk * C + c;
    for (int v = 0; v < vecs; v++) {
        store_upto(sums + v * VL, mean[v], left);
        store_upto(sums + C + v * VL, squares[v], left);
    }
    if (c == 0) job->counts[chunk] = count;
}

static int statistics_task(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct batch_norm *job = context;
    for (ptrdiff_t chunk = first; chunk < last; chunk++) {
        ptrdiff_t c = 0;
        /* The main loop: */
        for (; c + BLOCK * VL <= job->C; c += BLOCK * VL) chunk_block(BLOCK, job, chunk, c, VL);
        /* The tail: */
        for (; c < job->C; c += VL) chunk_block(1, job, chunk, c, job->C - c);
    }
    return FNN_OK;
}

/* mean and variance of all chunks; gives the number of rows that count. */
static ptrdiff_t combine(const struct batch_norm *job, real *mean, real *variance) {
    const ptrdiff_t C = job->C;
    ptrdiff_t count = 0;
    for (ptrdiff_t c = 0; c < C; c++) mean[c] = variance[c] = 0;
    for (ptrdiff_t chunk = 0; chunk < job->chunks; chunk++) {
        const real *sums = job->sums + 2 * chunk * C;
        const ptrdiff_t more = job->counts[chunk];
        if (!more) continue;
        const real total = (real)(count + more), weight = (real)more / total, both = (real)count * weight;
        for (ptrdiff_t c = 0; c < C; c += VL) {
            vec old = load_upto(mean + c, C - c), apart = load_upto(sums + c, C - c) - old;
            store_upto(mean + c, old + apart * weight, C - c);
            vec squares = load_upto(variance + c, C - c) + load_upto(sums + C + c, C - c);
            store_upto(variance + c, squares + apart * apart * both, C - c);
        }
        count += more;
    }
    for (ptrdiff_t c = 0; c < C; c++) variance[c] /= (real)most(count, 1);
    return count;
}

/* rstd = 1/√(variance + ε), scale = γ·rstd and shift = β, 0 without: rows behind each other. */
static void factors(struct batch_norm *job, real *rstd, const real *variance, const real *gamma, const real *beta,
                    double epsilon) {
    const ptrdiff_t C = job->C;
    real *scale = rstd + C, *shift = scale + C;
    for (ptrdiff_t c = 0; c < C; c += VL) {
        vec r = 1 / vec_sqrt(load_upto(variance + c, C - c) + (real)epsilon);
        store_upto(rstd + c, r, C - c);
        store_upto(scale + c, gamma ? r * load_upto(gamma + c, C - c) : r, C - c);
        store_upto(shift + c, beta ? load_upto(beta + c, C - c) : (vec){0}, C - c);
    }
    job->rstd = rstd;
    job->scale = scale;
    job->shift = shift;
}

/* ---- forward ---- */

/* `rows` rows from `at` on, the channels from c on. */
INLINE void normalize_vectors(const int rows, const int residual, const int relu, const struct batch_norm *job,
                              ptrdiff_t at, ptrdiff_t c, ptrdiff_t left) {
    const vec mean = load_upto(job->mean + c, left), scale = load_upto(job->scale + c, left);
    const vec shift = load_upto(job->shift + c, left);
#pragma GCC unroll 4
    for (int i = 0; i < rows; i++) {
        const ptrdiff_t place = at + i * job->C + c;
        vec y = (load_upto(job->x + place, left) - mean) * scale + shift;
        if (residual) y += load_upto(job->residual + place, left);
        if (relu) y = at_least(y, 0);
        store_upto(job->y + place, y, left);
    }
}

INLINE void normalize_rows(const int rows, const int residual, const int relu, const struct batch_norm *job,
                           ptrdiff_t row) {
    ptrdiff_t c = 0;
    /* The main loop: */
    for (; c + VL <= job->C; c += VL) normalize_vectors(rows, residual, relu, job, row * job->C, c, VL);
    /* The tail: */
    if (c < job->C) normalize_vectors(rows, residual, relu, job, row * job->C, c, job->C - c);
}

INLINE void normalize(const int residual, const int relu, const struct batch_norm *given, ptrdiff_t row,
                      ptrdiff_t end) {
    const struct batch_norm job = *given; /* of the function's own, so that no store may change it */
    /* The main loop: */
    for (; row + ROWS <= end; row += ROWS) normalize_rows(ROWS, residual, relu, &job, row);
    /* The tail: */
    for (; row < end; row++) normalize_rows(1, residual, relu, &job, row);
}

static int normalize_task(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct batch_norm *job = context;
    const ptrdiff_t row = first * job->chunk, end = least(last * job->chunk, job->rows);
    if (job->residual && job->relu) normalize(1, 1, job, row, end);
    else if (job->residual) normalize(1, 0, job, row, end);
    else if (job->relu) normalize(0, 1, job, row, end);
    else normalize(0, 0, job, row, end);
    return FNN_OK;
}

INLINE double moved(const struct batch_norm *job, int arrays) {
    return (double)(job->rows * job->C * arrays) * sizeof(real);
}

enum { ROWS_OF_FACTORS = 5 };

/* Scratch for the chunks' sums and counts, and rows of factors, the first of which it gives. */
INLINE real *scratch_for(struct batch_norm *job) {
    cut_rows(job);
    const size_t reals = (size_t)((2 * job->chunks + ROWS_OF_FACTORS) * job->C),
                 counts = (size_t)job->chunks * sizeof(ptrdiff_t);
    char *memory = fnn_scratch(FNN_SCRATCH_SHARED, counts + reals * sizeof(real));
    if (!memory) return NULL;
    job->counts = (ptrdiff_t *)memory;
    job->sums = (real *)(memory + counts);
    return job->sums + 2 * job->chunks * job->C;
}

int FNN(batch_norm_forward)(real *y, real *mean, real *variance, const real *x, const real *gamma, const real *beta,
                            const real *residual, const unsigned char *mask, ptrdiff_t rows, ptrdiff_t C,
                            double epsilon, int activation) {
    struct batch_norm job = {.y = y,
                             .x = x,
                             .residual = residual,
                             .mask = mask,
                             .mean = mean,
                             .rows = rows,
                             .C = C,
                             .relu = activation == FNN_RELU};
    real *rstd = scratch_for(&job);
    if (!rstd) return FNN_NO_MEMORY;
    int status = fnn_parallel(job.chunks, moved(&job, 2), statistics_task, &job);
    if (status != FNN_OK) return status;
    combine(&job, mean, variance);
    factors(&job, rstd, variance, gamma, beta, epsilon);
    return fnn_parallel(job.chunks, moved(&job, residual ? 3 : 2), normalize_task, &job);
}

int FNN(batch_norm_inference)(real *y, const real *x, const real *mean, const real *variance, const real *gamma,
                              const real *beta, const real *residual, ptrdiff_t rows, ptrdiff_t C, double epsilon,
                              int activation) {
    struct batch_norm job = {
        .y = y, .x = x, .residual = residual, .mean = mean, .rows = rows, .C = C, .relu = activation == FNN_RELU};
    real *rstd = scratch_for(&job);
    if (!rstd) return FNN_NO_MEMORY;
    factors(&job, rstd, variance, gamma, beta, epsilon);
    return fnn_parallel(job.chunks, moved(&job, residual ? 3 : 2), normalize_task, &job);
}

/* ---- backward ---- */

/* Σ g and Σ g·x̂ of one chunk, `vecs` vectors of channels from c on. */
INLINE void gradient_block(const int vecs, const int relu, const struct batch_norm *job, ptrdiff_t chunk, ptrdiff_t c,
                           ptrdiff_t left) {
    const ptrdiff_t C = job->C, begin = chunk * job->chunk, end = least(begin + job->chunk, job->rows);
    vec sum[BLOCK] = {{0}}, product[BLOCK] = {{0}}, mean[BLOCK], rstd[BLOCK];
    for (int v = 0; v < vecs; v++) {
        mean[v] = load_upto(job->mean + c + v * VL, left);
        rstd[v] = load_upto(job->rstd + c + v * VL, left);
    }
    for (ptrdiff_t row = begin; row < end; row++) {
#pragma GCC unroll 4
        for (int v = 0; v < vecs; v++) {
            const ptrdiff_t at = row * C + c + v * VL;
            vec g = through(relu, job, at, left);
            sum[v] += g;
            product[v] += g * (load_upto(job->x + at, left) - mean[v]);
        }
    }
    real *sums = job->sums + 2 * chunk * C + c;
    for (int v = 0; v < vecs; v++) {
        store_upto(sums + v * VL, sum[v], left);
        store_upto(sums + C + v * VL, product[v] * rstd[v], left);
    }
}

INLINE void gradient_sums(const int relu, const struct batch_norm *job, ptrdiff_t chunk) {
    ptrdiff_t c = 0;
    /* The main loop: */
    for (; c + BLOCK * VL <= job->C; c += BLOCK * VL) gradient_block(BLOCK, relu, job, chunk, c, VL);
    /* The tail: */
    for (; c < job->C; c += VL) gradient_block(1, relu, job, chunk, c, job->C - c);
}

static int gradient_sums_task(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct batch_norm *job = context;
    for (ptrdiff_t chunk = first; chunk < last; chunk++)
        if (job->relu) gradient_sums(1, job, chunk);
        else gradient_sums(0, job, chunk);
    return FNN_OK;
}

/* dx and dresidual of `rows` rows from `at` on, the channels from c on; `depends`: the statistics depend on these rows. */
INLINE void gradient_vectors(const int rows, const int relu, const int depends, const struct batch_norm *job,
                             ptrdiff_t at, ptrdiff_t c, ptrdiff_t left) {
    const vec scale = load_upto(job->scale + c, left), mean = load_upto(job->mean + c, left);
    const vec slope = depends ? load_upto(job->slope + c, left) : (vec){0};
    const vec offset = depends ? load_upto(job->offset + c, left) : (vec){0};
#pragma GCC unroll 4
    for (int i = 0; i < rows; i++) {
        const ptrdiff_t place = at + i * job->C + c;
        vec g = through(relu, job, place, left);
        if (job->dresidual) store_upto(job->dresidual + place, g, left);
        if (!job->dx) continue;
        g *= scale;
        if (depends) g += (load_upto(job->x + place, left) - mean) * slope + offset;
        store_upto(job->dx + place, g, left);
    }
}

INLINE void gradient_rows(const int rows, const int relu, const int depends, const struct batch_norm *job,
                          ptrdiff_t row) {
    ptrdiff_t c = 0;
    /* The main loop: */
    for (; c + VL <= job->C; c += VL) gradient_vectors(rows, relu, depends, job, row * job->C, c, VL);
    /* The tail: */
    if (c < job->C) gradient_vectors(rows, relu, depends, job, row * job->C, c, job->C - c);
}

INLINE void gradient(const int relu, const int depends, const struct batch_norm *given, ptrdiff_t row, ptrdiff_t end) {
    const struct batch_norm job = *given; /* of the function's own, so that no store may change it */
    /* The main loop: */
    for (; !(depends && job.mask) && row + ROWS <= end; row += ROWS) gradient_rows(ROWS, relu, depends, &job, row);
    /* The tail, and rows with a mask: */
    for (; row < end; row++)
        if (depends && row_counts(&job, row)) gradient_rows(1, relu, 1, &job, row);
        else gradient_rows(1, relu, 0, &job, row);
}

static int gradient_task(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct batch_norm *job = context;
    const ptrdiff_t row = first * job->chunk, end = least(last * job->chunk, job->rows);
    if (job->relu && job->depends) gradient(1, 1, job, row, end);
    else if (job->relu) gradient(1, 0, job, row, end);
    else if (job->depends) gradient(0, 1, job, row, end);
    else gradient(0, 0, job, row, end);
    return FNN_OK;
}

/* slope = −γ·rstd²·dγ / m and offset = −γ·rstd·dβ / m, rows behind the factors. */
static void gradient_factors(struct batch_norm *job, real *rows, const real *dgamma, const real *dbeta, real share) {
    const ptrdiff_t C = job->C;
    for (ptrdiff_t c = 0; c < C; c += VL) {
        const vec part = load_upto(job->scale + c, C - c) * -share;
        store_upto(rows + c, part * load_upto(job->rstd + c, C - c) * load_upto(dgamma + c, C - c), C - c);
        store_upto(rows + C + c, part * load_upto(dbeta + c, C - c), C - c);
    }
    job->slope = rows;
    job->offset = rows + C;
}

int FNN(batch_norm_backward)(real *dx, real *dgamma, real *dbeta, real *dresidual, const real *dy, const real *x,
                             const real *mean, const real *variance, const real *gamma, const real *y,
                             const unsigned char *mask, ptrdiff_t rows, ptrdiff_t C, double epsilon, int activation,
                             int batch_statistics) {
    struct batch_norm job = {.dx = dx,
                             .dresidual = dresidual,
                             .dy = dy,
                             .x = x,
                             .out = y,
                             .mask = mask,
                             .mean = mean,
                             .rows = rows,
                             .C = C,
                             .relu = activation == FNN_RELU};
    real *rstd = scratch_for(&job);
    if (!rstd) return FNN_NO_MEMORY;
    factors(&job, rstd, variance, gamma, NULL, epsilon);
    int status = fnn_parallel(job.chunks, moved(&job, 3), gradient_sums_task, &job);
    if (status != FNN_OK) return status;
    for (ptrdiff_t c = 0; c < C; c++) dgamma[c] = dbeta[c] = 0;
    for (ptrdiff_t chunk = 0; chunk < job.chunks; chunk++) {
        const real *sums = job.sums + 2 * chunk * C;
        for (ptrdiff_t c = 0; c < C; c += VL) {
            store_upto(dbeta + c, load_upto(dbeta + c, C - c) + load_upto(sums + c, C - c), C - c);
            store_upto(dgamma + c, load_upto(dgamma + c, C - c) + load_upto(sums + C + c, C - c), C - c);
        }
    }
    if (!dx && !dresidual) return FNN_OK;
    ptrdiff_t count = 0;
    for (ptrdiff_t row = 0; row < rows; row++) count += row_counts(&job, row);
    job.depends = batch_statistics && count > 0;
    if (job.depends) gradient_factors(&job, rstd + 3 * C, dgamma, dbeta, 1 / (real)count);
    return fnn_parallel(job.chunks, moved(&job, 4), gradient_task, &job);
}

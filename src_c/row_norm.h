/* row_norm.h — rows that are normalised by statistics of their own: the loops of layer_norm and rms_norm.
 *
 *     forward    u = x − mean (layer_norm) or x (rms_norm),  r = 1 / √(Σ u² / C + ε),  y = u r γ + β
 *     backward   t = dy γ,  dx = r (t − A − u r² B),  A = Σ t / C (0 in rms_norm),  B = Σ t u / C,
 *                dγ = Σ over rows of dy u r,  dβ = Σ over rows of dy
 *
 * The deviations are summed in a second walk over the row, which is in L1 then: no large squares cancel.  Rows go GROUP at a
 * time (rows.h); `centred` is a constant where these functions are called, so that what rms_norm leaves out folds away.
 * Short rows go in a pipeline: while a sum of one group is folded, the next walk over the group before it keeps the processor
 * busy.  Tasks work on a copy of their job, which no store can change, so that its members stay in registers.
 */
#ifndef FNN_ROW_NORM_H
#define FNN_ROW_NORM_H

#include "column_sums.h"
#include "rows.h"

enum {
    FEWEST_CHUNKS = 8, /* rows are cut into this many or more, within these sizes: */
    SMALLEST_CHUNK = 2 * GROUP,
    LARGEST_CHUNK = 64,        /* rows whose shares of dγ and dβ are summed by one thread */
    PIPELINED = 256,           /* longer rows take their walks one group after the other, or groups would leave L1 */
    FAR_BYTES = 1 << 20,    /* larger arrays are fetched ahead where rows are longer than that */
    NORM_FORWARD_BYTES = 3 * sizeof(real), /* bytes moved per element, about */
    NORM_BACKWARD_BYTES = 5 * sizeof(real),
};

struct row_norm {
    real *y, *total, *mean, *scale; /* scale: r, one a row; total: x + residual, or NULL */
    const real *x, *residual, *gamma, *beta;
    ptrdiff_t rows, C;
    real epsilon;
};

struct row_norm_gradient {
    real *dx;               /* or NULL */
    real *sums;             /* (chunks, 2, C): shares of dγ and dβ, or NULL */
    const real *dy, *x, *mean, *scale, *gamma, *dtotal;
    ptrdiff_t rows, C, chunk;
};

/* ---- statistics ---- */

enum sum_of_row { OF_VALUES, OF_SQUARES, OF_DEVIATIONS };

INLINE vec term_of(const enum sum_of_row what, vec x, real mean) {
    if (what == OF_VALUES) return x;
    if (what == OF_DEVIATIONS) x -= mean;
    return x * x;
}

/* Sums over each row; long rows in blocks, whose sums are added. */
INLINE void group_sums(const int rows, const enum sum_of_row what, const real *x, const real mean[GROUP], ptrdiff_t C,
                       real sum[GROUP]) {
    vec total[GROUP], part[GROUP];
    EACH_ROW (i) total[i] = (vec){0};
    for (ptrdiff_t block = 0; block < C; block += LONGEST_OF_GROUP) {
        ptrdiff_t c = block, end = least(C, block + LONGEST_OF_GROUP);
        EACH_ROW (i) part[i] = (vec){0};
        /* The main loop: */
        for (; c + VL <= end; c += VL)
            EACH_ROW (i) part[i] += term_of(what, load(x + i * C + c), mean[i]);
        /* The tail: */
        if (c < end)
            EACH_ROW (i) {
                vec term = term_of(what, load_part(x + i * C + c, end - c), mean[i]);
                part[i] += keep_lanes(term, end - c, 0);
            }
        EACH_ROW (i) total[i] += part[i];
    }
    fold_group(sum_of, rows, total, sum);
}

/* a[i] = 1 / √(a[i] / C + epsilon) */
INLINE void group_scales(real a[GROUP], ptrdiff_t C, real epsilon) {
    for (int i = 0; i < GROUP; i += VL)
        store_upto(a + i, 1 / vec_sqrt(load_upto(a + i, GROUP - i) / (real)C + epsilon), GROUP - i);
}

/* ---- forward ---- */

INLINE void group_total(const int rows, real *total, const real *x, const real *residual, ptrdiff_t C) {
    for (ptrdiff_t c = 0; c < rows * C; c += VL) {
        ptrdiff_t left = rows * C - c;
        store_upto(total + c, load_upto(x + c, left) + load_upto(residual + c, left), left);
    }
}

INLINE vec normalised(const int centred, const int affine, vec x, real mean, real scale, vec gamma, vec beta) {
    vec y = (centred ? x - mean : x) * scale;
    return affine ? y * gamma + beta : y;
}

INLINE void group_normalise(const int rows, const int centred, const int affine, const struct row_norm *job, real *y,
                            const real *x, const real mean[GROUP], const real scale[GROUP]) {
    const ptrdiff_t C = job->C;
    const int far = C > PIPELINED && job->rows * C > FAR_BYTES / (ptrdiff_t)sizeof(real);
    ptrdiff_t c = 0;
    /* The main loop; meanwhile the next group comes nearer, if it is not in cache: */
    for (; c + VL <= C; c += VL) {
        vec gamma = affine && job->gamma ? load(job->gamma + c) : splat(1);
        vec beta = affine && job->beta ? load(job->beta + c) : (vec){0};
        EACH_ROW (i) {
            if (far) __builtin_prefetch(x + (i + rows) * C + c, 0, 2);
            store(y + i * C + c, normalised(centred, affine, load(x + i * C + c), mean[i], scale[i], gamma, beta));
        }
    }
    /* The tail: */
    if (c < C) {
        vec gamma = affine && job->gamma ? load_part(job->gamma + c, C - c) : splat(1);
        vec beta = affine && job->beta ? load_part(job->beta + c, C - c) : (vec){0};
        EACH_ROW (i) {
            vec left = load_part(x + i * C + c, C - c);
            store_part(y + i * C + c, normalised(centred, affine, left, mean[i], scale[i], gamma, beta), C - c);
        }
    }
}

/* The walks over a group: sums, then deviations, then results. */
enum { SUMS, DEVIATIONS, RESULTS, WALKS };

INLINE void row_norm_walk(const int walk, const int rows, const int centred, const struct row_norm *job,
                          ptrdiff_t row) {
    const ptrdiff_t C = job->C;
    const real *x = (job->residual ? job->total : job->x) + row * C;
    real mean[GROUP] = {0}, scale[GROUP];
    if (walk == SUMS) {
        if (job->residual) group_total(rows, job->total + row * C, job->x + row * C, job->residual + row * C, C);
        if (!centred) return;
        group_sums(rows, OF_VALUES, x, mean, C, mean);
        EACH_ROW (i) job->mean[row + i] = mean[i] / (real)C;
        return;
    }
    if (centred)
        EACH_ROW (i) mean[i] = job->mean[row + i];
    if (walk == DEVIATIONS) {
        group_sums(rows, centred ? OF_DEVIATIONS : OF_SQUARES, x, mean, C, scale);
        group_scales(scale, C, job->epsilon);
        EACH_ROW (i) job->scale[row + i] = scale[i];
        return;
    }
    EACH_ROW (i) scale[i] = job->scale[row + i];
    if (job->gamma || job->beta) group_normalise(rows, centred, 1, job, job->y + row * C, x, mean, scale);
    else group_normalise(rows, centred, 0, job, job->y + row * C, x, mean, scale);
}

/* Items are groups of rows, or long rows; rows that are left over go alone. */
INLINE int row_norm_items(const int centred, const struct row_norm *shared, ptrdiff_t first, ptrdiff_t last) {
    const struct row_norm copy = *shared, *job = &copy;
    const ptrdiff_t size = rows_of_item(job->C), begin = first * size, end = least(last * size, job->rows);
    const ptrdiff_t whole = size == GROUP ? begin + (end - begin) / GROUP * GROUP : begin;
    const ptrdiff_t lag = centred && job->C <= PIPELINED ? GROUP : 0; /* rms_norm folds once, which gains nothing */
    for (ptrdiff_t row = begin; begin < whole && row < whole + (WALKS - 1) * lag; row += GROUP) {
        const ptrdiff_t second = row - lag, third = row - 2 * lag;
        if (row < whole) row_norm_walk(SUMS, GROUP, centred, job, row);
        if (begin <= second && second < whole) row_norm_walk(DEVIATIONS, GROUP, centred, job, second);
        if (begin <= third) row_norm_walk(RESULTS, GROUP, centred, job, third);
    }
    for (ptrdiff_t row = whole; row < end; row++) {
        row_norm_walk(SUMS, 1, centred, job, row);
        row_norm_walk(DEVIATIONS, 1, centred, job, row);
        row_norm_walk(RESULTS, 1, centred, job, row);
    }
    return FNN_OK;
}

INLINE int run_row_norm(fnn_task task, struct row_norm *job) {
    double work = (double)job->rows * (double)job->C * NORM_FORWARD_BYTES;
    return fnn_parallel(ceil_div(job->rows, rows_of_item(job->C)), work, task, job);
}

/* ---- backward ---- */

/* One register of columns of the first walk: t and t u are added to A and B, and dy u r and dy to the shares of dγ and dβ. */
INLINE void add_products(const int rows, const int centred, const vec dy[GROUP], const vec x[GROUP], vec gamma,
                         const real mean[GROUP], const real scale[GROUP], vec A[GROUP], vec B[GROUP], vec *dgamma,
                         vec *dbeta) {
    EACH_ROW (i) {
        vec product = dy[i] * (centred ? x[i] - mean[i] : x[i]);
        if (centred) A[i] += dy[i] * gamma;
        B[i] += product * gamma;
        *dgamma += product * scale[i];
        if (centred) *dbeta += dy[i];
    }
}

INLINE void group_products(const int rows, const int centred, const struct row_norm_gradient *job, ptrdiff_t row,
                           real *dgamma, real *dbeta, real a[GROUP], real b[GROUP]) {
    const ptrdiff_t C = job->C;
    const real *from_dy = job->dy + row * C, *from_x = job->x + row * C;
    real mean[GROUP], scale[GROUP];
    vec A[GROUP], B[GROUP], dy[GROUP], x[GROUP];
    EACH_ROW (i) {
        mean[i] = centred ? job->mean[row + i] : 0;
        scale[i] = job->scale[row + i];
        A[i] = B[i] = (vec){0};
    }
    ptrdiff_t c = 0;
    /* The main loop: */
    for (; c + VL <= C; c += VL) {
        vec gamma = job->gamma ? load(job->gamma + c) : splat(1), of_gamma = load(dgamma + c),
            of_beta = load(dbeta + c);
        EACH_ROW (i) {
            dy[i] = load(from_dy + i * C + c);
            x[i] = load(from_x + i * C + c);
        }
        add_products(rows, centred, dy, x, gamma, mean, scale, A, B, &of_gamma, &of_beta);
        store(dgamma + c, of_gamma);
        if (centred) store(dbeta + c, of_beta);
    }
    /* The tail; where dy is 0, nothing is added: */
    if (c < C) {
        ptrdiff_t left = C - c;
        vec gamma = job->gamma ? load_part(job->gamma + c, left) : splat(1);
        vec of_gamma = load_part(dgamma + c, left), of_beta = load_part(dbeta + c, left);
        EACH_ROW (i) {
            dy[i] = load_part(from_dy + i * C + c, left);
            x[i] = load_part(from_x + i * C + c, left);
        }
        add_products(rows, centred, dy, x, gamma, mean, scale, A, B, &of_gamma, &of_beta);
        store_part(dgamma + c, of_gamma, left);
        if (centred) store_part(dbeta + c, of_beta, left);
    }
    if (centred) fold_group(sum_of, rows, A, a);
    fold_group(sum_of, rows, B, b);
    EACH_ROW (i) {
        a[i] = centred ? a[i] / (real)C : 0;
        b[i] = b[i] / (real)C * scale[i] * scale[i];
    }
}

INLINE vec gradient_of(const int centred, vec dy, vec x, vec gamma, real mean, real scale, real a, real b) {
    vec u = centred ? x - mean : x, t = dy * gamma;
    return ((centred ? t - a : t) - u * b) * scale;
}

INLINE void group_gradient(const int rows, const int centred, const int with_total, const struct row_norm_gradient *job,
                           ptrdiff_t row, const real a[GROUP], const real b[GROUP]) {
    const ptrdiff_t C = job->C, at = row * C;
    const real *dy = job->dy + at, *x = job->x + at, *dtotal = with_total ? job->dtotal + at : NULL;
    real *dx = job->dx + at, mean[GROUP], scale[GROUP];
    EACH_ROW (i) {
        mean[i] = centred ? job->mean[row + i] : 0;
        scale[i] = job->scale[row + i];
    }
    ptrdiff_t c = 0;
    /* The main loop: */
    for (; c + VL <= C; c += VL) {
        vec gamma = job->gamma ? load(job->gamma + c) : splat(1);
        EACH_ROW (i) {
            const ptrdiff_t here = i * C + c;
            vec g = gradient_of(centred, load(dy + here), load(x + here), gamma, mean[i], scale[i], a[i], b[i]);
            store(dx + here, with_total ? g + load(dtotal + here) : g);
        }
    }
    /* The tail: */
    if (c < C) {
        ptrdiff_t left = C - c;
        vec gamma = job->gamma ? load_part(job->gamma + c, left) : splat(1);
        EACH_ROW (i) {
            const ptrdiff_t here = i * C + c;
            vec g = gradient_of(centred, load_part(dy + here, left), load_part(x + here, left), gamma, mean[i],
                                scale[i], a[i], b[i]);
            store_part(dx + here, with_total ? g + load_part(dtotal + here, left) : g, left);
        }
    }
}

INLINE void row_norm_gradient_group(const int rows, const int centred, const struct row_norm_gradient *job,
                                    ptrdiff_t row, const real a[GROUP], const real b[GROUP]) {
    if (!job->dx) return;
    if (job->dtotal) group_gradient(rows, centred, 1, job, row, a, b);
    else group_gradient(rows, centred, 0, job, row, a, b);
}

/* Items are chunks of rows. */
INLINE int row_norm_gradient_items(const int centred, const struct row_norm_gradient *shared, ptrdiff_t first,
                                   ptrdiff_t last) {
    const struct row_norm_gradient copy = *shared, *job = &copy;
    const ptrdiff_t size = rows_of_item(job->C), lag = job->C <= PIPELINED ? GROUP : 0;
    real a[2][GROUP], b[2][GROUP];
    for (ptrdiff_t chunk = first; chunk < last; chunk++) {
        const ptrdiff_t begin = chunk * job->chunk, end = least(begin + job->chunk, job->rows);
        const ptrdiff_t whole = size == GROUP ? begin + (end - begin) / GROUP * GROUP : begin;
        real *dgamma = job->sums + chunk * 2 * job->C, *dbeta = dgamma + job->C;
        memset(dgamma, 0, (size_t)(2 * job->C) * sizeof(real));
        int turn = 0; /* products of one group and of the one before take turns */
        for (ptrdiff_t row = begin; begin < whole && row < whole + lag; row += GROUP, turn ^= 1) {
            const ptrdiff_t second = row - lag;
            const int before = lag ? turn ^ 1 : turn;
            if (row < whole) group_products(GROUP, centred, job, row, dgamma, dbeta, a[turn], b[turn]);
            if (begin <= second) row_norm_gradient_group(GROUP, centred, job, second, a[before], b[before]);
        }
        for (ptrdiff_t row = whole; row < end; row++) {
            group_products(1, centred, job, row, dgamma, dbeta, a[0], b[0]);
            row_norm_gradient_group(1, centred, job, row, a[0], b[0]);
        }
    }
    return FNN_OK;
}

/* dgamma and dbeta may be NULL. */
INLINE int run_row_norm_gradient(fnn_task task, struct row_norm_gradient *job, real *dgamma, real *dbeta) {
    const ptrdiff_t C = job->C, cut = round_up(ceil_div(job->rows, FEWEST_CHUNKS), GROUP);
    job->chunk = least(most(cut, SMALLEST_CHUNK), LARGEST_CHUNK);
    const ptrdiff_t chunks = ceil_div(job->rows, job->chunk);
    job->sums = fnn_scratch(FNN_SCRATCH_SHARED, (size_t)(chunks * 2 * C) * sizeof(real));
    if (!job->sums) return FNN_NO_MEMORY;
    int status = fnn_parallel(chunks, (double)job->rows * (double)C * NORM_BACKWARD_BYTES, task, job);
    if (status == FNN_OK && dgamma) status = add_columns(dgamma, job->sums, chunks, 2 * C, C);
    if (status == FNN_OK && dbeta) status = add_columns(dbeta, job->sums + C, chunks, 2 * C, C);
    return status;
}

#endif

/* bias_gradient.h — back through the activation of a dense or convolution layer, and the gradient of its bias.
 *
 *     dz = dy · act'(y)        db[j] = Σ_i dz[i, j]
 *
 * One pass: dz is added up while it is in L1.  The rows are cut into chunks by the shape alone, each with sums of its own,
 * which are added in order: the same bits at any number of threads.
 */
#ifndef FNN_BIAS_GRADIENT_H
#define FNN_BIAS_GRADIENT_H

#include "column_sums.h"
#include "fused.h"

enum {
    SUM_ROWS = 64,  /* of a chunk, at least */
    MOST_SUMS = 64, /* chunks */
    ROWS_AT_ONCE = 4,
};

struct bias_gradient {
    real *dz; /* NULL for a linear layer */
    real *sums; /* (chunks, columns), or NULL */
    const real *dy, *y;
    ptrdiff_t rows, columns, chunks;
    int activation;
};

/* sums += rows 0 .. count - 1 of dz, in order. */
INLINE void add_rows_to(real *sums, const real *dz, const int count, ptrdiff_t columns) {
    for (ptrdiff_t j = 0; j < columns; j += VL) {
        vec sum = load_upto(sums + j, columns - j);
        for (int i = 0; i < count; i++) sum += load_upto(dz + i * columns + j, columns - j);
        store_upto(sums + j, sum, columns - j);
    }
}

/* An item is a chunk of rows. */
static int bias_gradient_chunks(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct bias_gradient *job = context;
    for (ptrdiff_t chunk = first; chunk < last; chunk++) {
        real *sums = job->sums ? job->sums + chunk * job->columns : NULL;
        if (sums) memset(sums, 0, (size_t)job->columns * sizeof(real));
        const ptrdiff_t end = job->rows * (chunk + 1) / job->chunks;
        for (ptrdiff_t row = job->rows * chunk / job->chunks; row < end; row += ROWS_AT_ONCE) {
            const ptrdiff_t count = least(ROWS_AT_ONCE, end - row), at = row * job->columns;
            if (job->dz) times_slope(job->dz + at, job->dy + at, job->y + at, count * job->columns, job->activation);
            if (!sums) continue;
            const real *dz = (job->dz ? job->dz : job->dy) + at;
            if (count == ROWS_AT_ONCE) add_rows_to(sums, dz, ROWS_AT_ONCE, job->columns);
            else
                for (ptrdiff_t i = 0; i < count; i++) add_rows_to(sums, dz + i * job->columns, 1, job->columns);
        }
    }
    return FNN_OK;
}

/* Gives in `dz` the gradient before the activation: dy itself for a linear layer, else caller-level scratch memory.  db may
 * be NULL. */
static int gradient_of_bias(const real **dz, real *db, const real *dy, const real *y, ptrdiff_t rows, ptrdiff_t columns,
                            int activation) {
    struct bias_gradient job = {.dy = dy, .y = y, .rows = rows, .columns = columns, .activation = activation};
    *dz = dy;
    if (activation != FNN_LINEAR) {
        *dz = job.dz = fnn_scratch(FNN_SCRATCH_SLOPES, (size_t)(rows * columns) * sizeof(real));
        if (!job.dz) return FNN_NO_MEMORY;
    }
    job.chunks = most(1, least(MOST_SUMS, rows / SUM_ROWS));
    if (db) {
        job.sums = fnn_scratch(FNN_SCRATCH_PANELS, (size_t)(job.chunks * columns) * sizeof(real));
        if (!job.sums) return FNN_NO_MEMORY;
    }
    if (!job.dz && !db) return FNN_OK;
    const double work = (double)rows * (double)columns * (job.dz ? 4 : 1);
    int status = fnn_parallel(job.chunks, work, bias_gradient_chunks, &job);
    if (db && status == FNN_OK) status = add_columns(db, job.sums, job.chunks, columns, columns);
    return status;
}

#endif

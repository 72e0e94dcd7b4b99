/* column_sums.h — sums over chunks of rows, one a column: each chunk has sums of its own, and they are added in order.
 *
 * The chunks are cut by the shape alone: the same bits at any number of threads.  The last sum is in double.
 */
#ifndef FNN_COLUMN_SUMS_H
#define FNN_COLUMN_SUMS_H

#include "wide.h"

enum { COLUMNS_AT_ONCE = 64 };

/* out[c] = Σ over chunks of sums[chunk * stride + c], c < columns. */
struct column_sums {
    real *out;
    const real *sums;
    ptrdiff_t chunks, stride, columns;
};

/* An item is a block of columns. */
__attribute__((unused)) static int add_columns_task(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct column_sums *job = context;
    ptrdiff_t end = least(last * COLUMNS_AT_ONCE, job->columns);
    for (ptrdiff_t c = first * COLUMNS_AT_ONCE; c < end; c += WIDE) {
        ptrdiff_t n = least(WIDE, end - c);
        wide total = {0};
        for (ptrdiff_t chunk = 0; chunk < job->chunks; chunk++)
            total += load_wide(job->sums + chunk * job->stride + c, n);
        store_wide(job->out + c, total, n);
    }
    return FNN_OK;
}

INLINE int add_columns(real *out, const real *sums, ptrdiff_t chunks, ptrdiff_t stride, ptrdiff_t columns) {
    struct column_sums job = {out, sums, chunks, stride, columns};
    double work = (double)chunks * (double)columns * (double)sizeof(real);
    return fnn_parallel(ceil_div(columns, COLUMNS_AT_ONCE), work, add_columns_task, &job);
}

#endif

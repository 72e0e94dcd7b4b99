/* gather.c — rows of the user's array, gathered and cast in one pass: out[m, :] = (real) source[index[m], :].
 *
 * Shapes: source (rows, width) of the dtype that `kind` names, rows `stride` bytes apart (any sign); index (count,);
 * out (count, width).  The caller allocates; out shares no memory with source; out is assigned, and only once every
 * index has been checked; each is checked again where it is used, since another thread may have written into the list
 * since: FNN_BAD_INDEX.  Threaded over rows; memory-bound.  Integers beyond the precision of `real` are
 * rounded to nearest even, as C converts them.
 * Twin: fastnn/reference/gather.py.
 */
#include "indices.h"

typedef void (*cast_row)(real *y, const void *row, ptrdiff_t n);

/* One loop per dtype, which the compiler vectorises: widen, convert, store. */
static void from_uint8(real *restrict y, const void *row, ptrdiff_t n) {
    const uint8_t *x = row;
    for (ptrdiff_t i = 0; i < n; i++) y[i] = (real)x[i];
}

static void from_uint16(real *restrict y, const void *row, ptrdiff_t n) {
    const uint16_t *x = row;
    for (ptrdiff_t i = 0; i < n; i++) y[i] = (real)x[i];
}

static void from_uint32(real *restrict y, const void *row, ptrdiff_t n) {
    const uint32_t *x = row;
    for (ptrdiff_t i = 0; i < n; i++) y[i] = (real)x[i];
}

static void from_uint64(real *restrict y, const void *row, ptrdiff_t n) {
    const uint64_t *x = row;
    for (ptrdiff_t i = 0; i < n; i++) y[i] = (real)x[i];
}

static void from_int8(real *restrict y, const void *row, ptrdiff_t n) {
    const int8_t *x = row;
    for (ptrdiff_t i = 0; i < n; i++) y[i] = (real)x[i];
}

static void from_int16(real *restrict y, const void *row, ptrdiff_t n) {
    const int16_t *x = row;
    for (ptrdiff_t i = 0; i < n; i++) y[i] = (real)x[i];
}

static void from_int32(real *restrict y, const void *row, ptrdiff_t n) {
    const int32_t *x = row;
    for (ptrdiff_t i = 0; i < n; i++) y[i] = (real)x[i];
}

static void from_int64(real *restrict y, const void *row, ptrdiff_t n) {
    const int64_t *x = row;
    for (ptrdiff_t i = 0; i < n; i++) y[i] = (real)x[i];
}

static void from_float32(real *restrict y, const void *row, ptrdiff_t n) {
    const float *x = row;
    for (ptrdiff_t i = 0; i < n; i++) y[i] = (real)x[i];
}

static void from_float64(real *restrict y, const void *row, ptrdiff_t n) {
    const double *x = row;
    for (ptrdiff_t i = 0; i < n; i++) y[i] = (real)x[i];
}

static const struct {
    cast_row cast;
    ptrdiff_t bytes;
} sources[] = {
    [FNN_UINT8] = {from_uint8, 1},     [FNN_UINT16] = {from_uint16, 2}, [FNN_UINT32] = {from_uint32, 4},
    [FNN_UINT64] = {from_uint64, 8},   [FNN_INT8] = {from_int8, 1},     [FNN_INT16] = {from_int16, 2},
    [FNN_INT32] = {from_int32, 4},     [FNN_INT64] = {from_int64, 8},   [FNN_FLOAT32] = {from_float32, 4},
    [FNN_FLOAT64] = {from_float64, 8},
};

struct gather {
    real *out;
    const char *source;
    const int64_t *index;
    ptrdiff_t rows, width, stride, bytes; /* of the source, elements, bytes between rows, bytes per row */
    cast_row cast;
};

enum { CACHE_LINE = 64, PREFETCHED = 4096 }; /* after this many bytes the hardware has detected the pattern */

/* Rows come in random order, which the hardware cannot predict: prefetch the next row while this one is cast.  Its number is
 * not checked yet; to prefetch from a wrong address does nothing. */
static void prefetch(const struct gather *job, ptrdiff_t row) {
    uintptr_t at = (uintptr_t)job->source + (uintptr_t)row * (uintptr_t)job->stride;
    const ptrdiff_t bytes = least(job->bytes, PREFETCHED);
    for (ptrdiff_t i = 0; i < bytes; i += CACHE_LINE) __builtin_prefetch((const char *)at + i);
}

static int gather_part(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct gather *job = context;
    ptrdiff_t next = read_once(job->index + first);
    for (ptrdiff_t m = first; m < last; m++) {
        const ptrdiff_t row = next;
        if (m + 1 < last) prefetch(job, next = read_once(job->index + m + 1));
        if (!within(row, job->rows)) return FNN_BAD_INDEX;
        job->cast(job->out + m * job->width, job->source + row * job->stride, job->width);
    }
    return FNN_OK;
}

int FNN(gather_rows)(real *out, const void *source, int kind, const int64_t *index, ptrdiff_t count, ptrdiff_t rows,
                     ptrdiff_t width, ptrdiff_t stride) {
    for (ptrdiff_t m = 0; m < count; m++)
        if (index[m] < 0 || index[m] >= rows) return FNN_BAD_INDEX;
    if (width == 0) return FNN_OK;
    struct gather job = {out, source, index, rows, width, stride, width * sources[kind].bytes, sources[kind].cast};
    double bytes = (double)count * (double)(job.bytes + width * (ptrdiff_t)sizeof(real));
    return fnn_parallel(count, bytes, gather_part, &job);
}

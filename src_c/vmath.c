/* vmath.c — y = exp x, log x, tanh x, sigmoid x, elementwise.
 *
 * Shapes: x, y (n,).  y may be x.  Threaded over elements; compute-bound.
 * Twin: fastnn/reference/vmath.py.  The functions themselves are in vmath.h, for every kernel to use.
 */
#include "vmath.h"

enum { FLOPS_PER_ELEMENT = 25 };

struct elementwise {
    real *y;
    const real *x;
    ptrdiff_t n;
};

/* Items are chunks of CHUNK elements, so that parts start at the same offsets whatever their number. */
enum { CHUNK = 1024 };

INLINE int map_chunks(const struct elementwise *job, ptrdiff_t first, ptrdiff_t last, vec (*function)(vec)) {
    ptrdiff_t end = least(last * CHUNK, job->n);
    for (ptrdiff_t i = first * CHUNK; i < end; i += VL)
        store_upto(job->y + i, function(load_upto(job->x + i, end - i)), end - i);
    return FNN_OK;
}

static int exp_chunks(void *job, ptrdiff_t first, ptrdiff_t last) { return map_chunks(job, first, last, vec_exp); }
static int log_chunks(void *job, ptrdiff_t first, ptrdiff_t last) { return map_chunks(job, first, last, vec_log); }
static int tanh_chunks(void *job, ptrdiff_t first, ptrdiff_t last) { return map_chunks(job, first, last, vec_tanh); }
static int sigmoid_chunks(void *job, ptrdiff_t first, ptrdiff_t last) {
    return map_chunks(job, first, last, vec_sigmoid);
}

static int run(fnn_task task, real *y, const real *x, ptrdiff_t n) {
    struct elementwise job = {y, x, n};
    return fnn_parallel(ceil_div(n, CHUNK), (double)n * FLOPS_PER_ELEMENT, task, &job);
}

int FNN(exp)(real *y, const real *x, ptrdiff_t n) { return run(exp_chunks, y, x, n); }
int FNN(log)(real *y, const real *x, ptrdiff_t n) { return run(log_chunks, y, x, n); }
int FNN(tanh)(real *y, const real *x, ptrdiff_t n) { return run(tanh_chunks, y, x, n); }
int FNN(sigmoid)(real *y, const real *x, ptrdiff_t n) { return run(sigmoid_chunks, y, x, n); }

/* merge.c — several arrays in one pass: merged elementwise, or joined end to end; and the gradients.
 *
 *     add        y = Σ x_i          dx_i = dy
 *     subtract   y = x_0 - x_1      dx_0 = dy, dx_1 = -dy
 *     multiply   y = Π x_i          dx_i = (dy · Π_{j<i} x_j) · Π_{j>i} x_j
 *     average    y = Σ x_i / count  dx_i = dy / count
 *     maximum    y = max x_i        dx_i = dy where x_i is the first that equals y (or the first NaN), else 0; minimum likewise
 *     concatenate                   row r of y is row r of x_0, of x_1, …, end to end; dx_i is cut out of dy
 *
 * Shapes: `count` arrays x, dx; merged, all arrays are (n,), and y may be any of x; joined, x_i is (rows, widths[i]) and y is
 * (rows, Σ widths).  A dx that is NULL is left out.  Results are assigned; but for that of y, no two arrays overlap.  Sums and
 * products go from the first array to the last.  Threaded over chunks of elements; bound by memory.
 * Twin: fastnn/reference/merge.py.
 */
#include "real.h"

enum { CHUNK = 1024, BLOCK = 4 }; /* elements of an item; vectors that take a step together */

struct merge {
    const void *const *x;
    void *const *dx;
    real *y;
    const real *dy;
    ptrdiff_t count, n;
    int mode;
};

INLINE const real *input(const struct merge *job, ptrdiff_t k) { return job->x[k]; }

/* ---- forward ---- */

INLINE vec step(const int mode, vec a, vec b) {
    switch (mode) {
    case FNN_SUBTRACT: return a - b;
    case FNN_MULTIPLY: return a * b;
    case FNN_MAXIMUM: return vec_max(a, b);
    case FNN_MINIMUM: return vec_min(a, b);
    default: return a + b;
    }
}

/* Elements i.. of y, `vecs` vectors, of the last one the first `left`.  All arrays are read before y is written. */
INLINE void merge_block(const int mode, const int vecs, const struct merge *job, ptrdiff_t i, ptrdiff_t left) {
    vec y[BLOCK];
#pragma GCC unroll 4
    for (int v = 0; v < vecs; v++) y[v] = load_upto(input(job, 0) + i + v * VL, left);
    for (ptrdiff_t k = 1; k < job->count; k++) {
        const real *x = input(job, k) + i;
#pragma GCC unroll 4
        for (int v = 0; v < vecs; v++) y[v] = step(mode, y[v], load_upto(x + v * VL, left));
    }
#pragma GCC unroll 4
    for (int v = 0; v < vecs; v++)
        store_upto(job->y + i + v * VL, mode == FNN_AVERAGE ? y[v] / (real)job->count : y[v], left);
}

INLINE int forward_as(const int mode, const struct merge *job, ptrdiff_t first, ptrdiff_t last) {
    ptrdiff_t i = first * CHUNK, end = least(last * CHUNK, job->n);
    /* The main loop: */
    for (; i + BLOCK * VL <= end; i += BLOCK * VL) merge_block(mode, BLOCK, job, i, VL);
    /* The tail: */
    for (; i < end; i += VL) merge_block(mode, 1, job, i, end - i);
    return FNN_OK;
}

/* ---- backward ---- */

typedef vec block[BLOCK]; /* the first `vecs` are in use */

INLINE void load_block(const int vecs, block v, const real *p, ptrdiff_t left) {
#pragma GCC unroll 4
    for (int i = 0; i < vecs; i++) v[i] = load_upto(p + i * VL, left);
}

INLINE void store_block(const int vecs, real *p, const block v, ptrdiff_t left) {
#pragma GCC unroll 4
    for (int i = 0; i < vecs; i++) store_upto(p + i * VL, v[i], left);
}

INLINE void multiply_block(const int vecs, block v, const real *p, ptrdiff_t left) {
#pragma GCC unroll 4
    for (int i = 0; i < vecs; i++) v[i] *= load_upto(p + i * VL, left);
}

/* dx_k holds dy times the arrays before x_k until it is multiplied by those after it. */
INLINE void product_gradient(const int vecs, const struct merge *job, ptrdiff_t i, ptrdiff_t left) {
    block before, behind, gradient;
    load_block(vecs, before, job->dy + i, left);
    load_block(vecs, behind, input(job, job->count - 1) + i, left);
    for (ptrdiff_t k = 0; k < job->count; k++) {
        real *dx = job->dx[k];
        if (dx) store_block(vecs, dx + i, before, left);
        if (k + 1 < job->count) multiply_block(vecs, before, input(job, k) + i, left);
    }
    for (ptrdiff_t k = job->count - 1; k-- > 0;) {
        real *dx = job->dx[k];
        if (dx) {
            load_block(vecs, gradient, dx + i, left);
#pragma GCC unroll 4
            for (int v = 0; v < vecs; v++) gradient[v] *= behind[v];
            store_block(vecs, dx + i, gradient, left);
        }
        multiply_block(vecs, behind, input(job, k) + i, left);
    }
}

INLINE void extreme_gradient(const int mode, const int vecs, const struct merge *job, ptrdiff_t i, ptrdiff_t left) {
    block dy, extreme;
    ivec free[BLOCK];
    load_block(vecs, dy, job->dy + i, left);
    load_block(vecs, extreme, input(job, 0) + i, left);
    for (ptrdiff_t k = 1; k < job->count; k++) {
        const real *x = input(job, k) + i;
#pragma GCC unroll 4
        for (int v = 0; v < vecs; v++) extreme[v] = step(mode, extreme[v], load_upto(x + v * VL, left));
    }
    for (int v = 0; v < vecs; v++) free[v] = ~(ivec){0};
    for (ptrdiff_t k = 0; k < job->count; k++) {
        real *dx = job->dx[k];
        block gradient;
        load_block(vecs, gradient, input(job, k) + i, left);
#pragma GCC unroll 4
        for (int v = 0; v < vecs; v++) {
            ivec here = ((gradient[v] == extreme[v]) | is_nan(gradient[v])) & free[v];
            gradient[v] = choose(here, dy[v], (vec){0});
            free[v] &= ~here;
        }
        if (dx) store_block(vecs, dx + i, gradient, left);
    }
}

INLINE void sum_gradient(const int mode, const int vecs, const struct merge *job, ptrdiff_t i, ptrdiff_t left) {
    block dy;
    load_block(vecs, dy, job->dy + i, left);
    for (int v = 0; v < vecs && mode == FNN_AVERAGE; v++) dy[v] /= (real)job->count;
    for (ptrdiff_t k = 0; k < job->count; k++) {
        real *dx = job->dx[k];
        for (int v = 0; v < vecs && mode == FNN_SUBTRACT && k; v++) dy[v] = -dy[v];
        if (dx) store_block(vecs, dx + i, dy, left);
    }
}

INLINE void gradient_block(const int mode, const int vecs, const struct merge *job, ptrdiff_t i, ptrdiff_t left) {
    if (mode == FNN_MULTIPLY) product_gradient(vecs, job, i, left);
    else if (mode == FNN_MAXIMUM || mode == FNN_MINIMUM) extreme_gradient(mode, vecs, job, i, left);
    else sum_gradient(mode, vecs, job, i, left);
}

INLINE int backward_as(const int mode, const struct merge *job, ptrdiff_t first, ptrdiff_t last) {
    ptrdiff_t i = first * CHUNK, end = least(last * CHUNK, job->n);
    /* The main loop: */
    for (; i + BLOCK * VL <= end; i += BLOCK * VL) gradient_block(mode, BLOCK, job, i, VL);
    /* The tail: */
    for (; i < end; i += VL) gradient_block(mode, 1, job, i, end - i);
    return FNN_OK;
}

#define EACH_MODE(CASE) \
    CASE(FNN_ADD) CASE(FNN_SUBTRACT) CASE(FNN_MULTIPLY) CASE(FNN_AVERAGE) CASE(FNN_MAXIMUM) CASE(FNN_MINIMUM)

/* The switch is outside the loops; each case has its own loop. */
static int forward(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct merge *job = context;
#define CASE(name) \
    case name: return forward_as(name, job, first, last);
    switch (job->mode) { EACH_MODE(CASE) }
#undef CASE
    return FNN_OK;
}

static int backward(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct merge *job = context;
#define CASE(name) \
    case name: return backward_as(name, job, first, last);
    switch (job->mode) { EACH_MODE(CASE) }
#undef CASE
    return FNN_OK;
}

int FNN(merge_forward)(real *y, const void *const *x, ptrdiff_t count, ptrdiff_t n, int mode) {
    struct merge job = {.y = y, .x = x, .count = count, .n = n, .mode = mode};
    return fnn_parallel(ceil_div(n, CHUNK), (double)(n * (count + 1)) * sizeof(real), forward, &job);
}

int FNN(merge_backward)(void *const *dx, const real *dy, const void *const *x, ptrdiff_t count, ptrdiff_t n, int mode) {
    struct merge job = {.dx = dx, .dy = dy, .x = x, .count = count, .n = n, .mode = mode};
    return fnn_parallel(ceil_div(n, CHUNK), (double)(n * (2 * count + 1)) * sizeof(real), backward, &job);
}

/* ---- joined end to end ---- */

struct join {
    void *const *pieces;
    real *whole;
    const ptrdiff_t *widths;
    ptrdiff_t count, width, n; /* of the pieces; of a row of the whole; of the whole */
};

/* Short pieces are not worth a call. */
INLINE void copy(real *to, const real *from, ptrdiff_t n) {
    if (n >= BLOCK * VL) memcpy(to, from, (size_t)n * sizeof(real));
    else
        for (ptrdiff_t i = 0; i < n; i += VL) store_upto(to + i, load_upto(from + i, n - i), n - i);
}

/* Elements of the whole, in order, wherever the chunk begins: into it, or with `cut` out of it. */
INLINE int join_chunks(const int cut, const struct join *job, ptrdiff_t first, ptrdiff_t last) {
    ptrdiff_t i = first * CHUNK, end = least(last * CHUNK, job->n), row = i / job->width, column = i % job->width,
              k = 0;
    for (; column >= job->widths[k]; k++) column -= job->widths[k];
    while (i < end) {
        ptrdiff_t part = least(job->widths[k] - column, end - i);
        real *whole = job->whole + i, *piece = job->pieces[k];
        if (cut && piece) copy(piece + row * job->widths[k] + column, whole, part);
        else if (!cut) copy(whole, piece + row * job->widths[k] + column, part);
        i += part;
        column = 0;
        if (++k == job->count) {
            k = 0;
            row++;
        }
    }
    return FNN_OK;
}

static int join_task(void *job, ptrdiff_t first, ptrdiff_t last) { return join_chunks(0, job, first, last); }
static int cut_task(void *job, ptrdiff_t first, ptrdiff_t last) { return join_chunks(1, job, first, last); }

static int join(fnn_task task, void *const *pieces, const real *whole, const ptrdiff_t *widths, ptrdiff_t count,
                ptrdiff_t rows) {
    struct join job = {.pieces = pieces, .whole = (real *)whole, .widths = widths, .count = count};
    for (ptrdiff_t k = 0; k < count; k++) job.width += widths[k];
    job.n = rows * job.width;
    return fnn_parallel(ceil_div(job.n, CHUNK), 2 * (double)job.n * sizeof(real), task, &job);
}

int FNN(concatenate_forward)(real *y, const void *const *x, const ptrdiff_t *widths, ptrdiff_t count, ptrdiff_t rows) {
    return join(join_task, (void *const *)x, y, widths, count, rows);
}

int FNN(concatenate_backward)(void *const *dx, const real *dy, const ptrdiff_t *widths, ptrdiff_t count,
                              ptrdiff_t rows) {
    return join(cut_task, dx, dy, widths, count, rows);
}

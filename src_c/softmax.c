/* softmax.c — softmax and its logarithm over rows, and their gradients.
 *
 *   softmax      y[c] = e^(x[c] − max x) / Σ e^(x[j] − max x)     dx[c] = y[c] (dy[c] − Σ dy[j] y[j])
 *   log_softmax  y[c] = x[c] − max x − ln Σ e^(x[j] − max x)      dx[c] = dy[c] − e^y[c] Σ dy[j]
 *
 * Shapes: all arrays (rows, C), C >= 1.  The caller allocates; results are assigned; an output may be one of the inputs.
 * Subtracting the maximum keeps e^x from overflow; a row of all −inf, or with +inf or NaN in it, gives NaN.
 * Threaded over rows, each summed in one fixed order; bound by the arithmetic of exp.
 * Twin: fastnn/reference/softmax.py.
 */
#include "rows.h"

enum { FLOPS_PER_ELEMENT = 30 };

struct job {
    real *out;
    const real *x, *dy; /* x is y in the gradients */
    ptrdiff_t rows, C;
};

/* ---- softmax ---- */

static int softmax_short_rows(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct job *job = context;
    const ptrdiff_t C = job->C;
    for (ptrdiff_t row = first * VL; row < least(last * VL, job->rows); row += VL) {
        real column[SHORT_ROW][VL];
        ptrdiff_t n = least(VL, job->rows - row);
        turn_rows(column, job->x + row * C, n, C);
        vec over = 1 / columns_exp_sum(column, column, columns_max(column, C), C);
        for (ptrdiff_t c = 0; c < C; c++) store(column[c], load(column[c]) * over);
        turn_back(job->out + row * C, column, n, C);
    }
    return FNN_OK;
}

static int softmax_rows(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct job *job = context;
    const ptrdiff_t C = job->C;
    for (ptrdiff_t row = first; row < last; row++) {
        const real *x = job->x + row * C;
        real *y = job->out + row * C;
        real sum = row_exp_sum(y, x, row_max(x, C), C);
        row_scale(y, 1 / sum, C);
    }
    return FNN_OK;
}

static int softmax_gradient_rows(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct job *job = context;
    const ptrdiff_t C = job->C;
    for (ptrdiff_t row = first; row < last; row++) {
        const real *y = job->x + row * C, *dy = job->dy + row * C;
        real *dx = job->out + row * C;
        vec dot = {0};
        for (ptrdiff_t c = 0; c < C; c += VL) dot += load_upto(dy + c, C - c) * load_upto(y + c, C - c);
        real mean = sum_lanes(dot);
        for (ptrdiff_t c = 0; c < C; c += VL)
            store_upto(dx + c, load_upto(y + c, C - c) * (load_upto(dy + c, C - c) - mean), C - c);
    }
    return FNN_OK;
}

/* ---- log-softmax ---- */

static int log_softmax_short_rows(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct job *job = context;
    const ptrdiff_t C = job->C;
    for (ptrdiff_t row = first * VL; row < least(last * VL, job->rows); row += VL) {
        real column[SHORT_ROW][VL];
        ptrdiff_t n = least(VL, job->rows - row);
        turn_rows(column, job->x + row * C, n, C);
        vec max = columns_max(column, C), log_sum = vec_log(columns_exp_sum(NULL, column, max, C));
        for (ptrdiff_t c = 0; c < C; c++) store(column[c], (load(column[c]) - max) - log_sum);
        turn_back(job->out + row * C, column, n, C);
    }
    return FNN_OK;
}

static int log_softmax_rows(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct job *job = context;
    const ptrdiff_t C = job->C;
    for (ptrdiff_t row = first; row < last; row++) {
        const real *x = job->x + row * C;
        real *y = job->out + row * C;
        real max = row_max(x, C), log_sum = log_of(row_exp_sum(NULL, x, max, C));
        for (ptrdiff_t c = 0; c < C; c += VL) store_upto(y + c, (load_upto(x + c, C - c) - max) - log_sum, C - c);
    }
    return FNN_OK;
}

static int log_softmax_gradient_rows(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct job *job = context;
    const ptrdiff_t C = job->C;
    for (ptrdiff_t row = first; row < last; row++) {
        const real *y = job->x + row * C, *dy = job->dy + row * C;
        real *dx = job->out + row * C, sum = row_sum(dy, C);
        for (ptrdiff_t c = 0; c < C; c += VL)
            store_upto(dx + c, load_upto(dy + c, C - c) - vec_exp(load_upto(y + c, C - c)) * sum, C - c);
    }
    return FNN_OK;
}

/* ---- the four kernels ---- */

static int run(fnn_task task, ptrdiff_t items, struct job job) {
    return fnn_parallel(items, (double)job.rows * (double)job.C * FLOPS_PER_ELEMENT, task, &job);
}

int FNN(softmax_forward)(real *y, const real *x, ptrdiff_t rows, ptrdiff_t C) {
    struct job job = {.out = y, .x = x, .rows = rows, .C = C};
    return run(C <= SHORT_ROW ? softmax_short_rows : softmax_rows, row_items(rows, C), job);
}

int FNN(softmax_backward)(real *dx, const real *dy, const real *y, ptrdiff_t rows, ptrdiff_t C) {
    struct job job = {.out = dx, .x = y, .dy = dy, .rows = rows, .C = C};
    return run(softmax_gradient_rows, rows, job);
}

int FNN(log_softmax_forward)(real *y, const real *x, ptrdiff_t rows, ptrdiff_t C) {
    struct job job = {.out = y, .x = x, .rows = rows, .C = C};
    return run(C <= SHORT_ROW ? log_softmax_short_rows : log_softmax_rows, row_items(rows, C), job);
}

int FNN(log_softmax_backward)(real *dx, const real *dy, const real *y, ptrdiff_t rows, ptrdiff_t C) {
    struct job job = {.out = dx, .x = y, .dy = dy, .rows = rows, .C = C};
    return run(log_softmax_gradient_rows, rows, job);
}

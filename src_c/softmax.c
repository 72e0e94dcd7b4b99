/* softmax.c — softmax and log-softmax over rows, and their gradients.
 *
 *   softmax      y[c] = e^(x[c] − max x) / Σ e^(x[j] − max x)     dx[c] = y[c] (dy[c] − Σ dy[j] y[j])
 *   log_softmax  y[c] = x[c] − max x − ln Σ e^(x[j] − max x)      dx[c] = dy[c] − e^y[c] Σ dy[j]
 *
 * Shapes: all arrays (rows, C), C >= 1.  The caller allocates; results are assigned; an output may be one of the
 * inputs. Subtracting the maximum keeps e^x from overflow; a row that is all −inf, or contains +inf or NaN, gives NaN.
 * Threaded over rows, each summed in one fixed order; bound by the computation of exp. Twin:
 * fastnn/reference/softmax.py.
 */
#include "rows.h"

enum { FLOPS_PER_ELEMENT = 30 };

struct job {
    real *out;
    const real *x, *dy; /* x is y in the gradients */
    ptrdiff_t rows, C;
};

/* ---- softmax ---- */

INLINE void softmax_group(const int rows, real *y, const real *x, ptrdiff_t C) {
    real max[GROUP], sum[GROUP];
    group_max(rows, x, C, max);
    group_exp_sum(rows, y, x, max, C, sum);
    EACH_ROW (i) sum[i] = 1 / sum[i];
    ptrdiff_t c = 0;
    /* The main loop: */
    for (; c + VL <= C; c += VL)
        EACH_ROW (i) store(y + i * C + c, load(y + i * C + c) * sum[i]);
    /* The tail: */
    if (c < C)
        EACH_ROW (i) store_part(y + i * C + c, load_part(y + i * C + c, C - c) * sum[i], C - c);
}

INLINE void softmax_gradient_group(const int rows, real *dx, const real *dy, const real *y, ptrdiff_t C) {
    vec dots[GROUP];
    real dot[GROUP];
    EACH_ROW (i) dots[i] = (vec){0};
    ptrdiff_t c = 0;
    for (; c + VL <= C; c += VL)
        EACH_ROW (i) dots[i] += load(dy + i * C + c) * load(y + i * C + c);
    if (c < C)
        EACH_ROW (i) dots[i] += load_part(dy + i * C + c, C - c) * load_part(y + i * C + c, C - c);
    fold_group(sum_of, rows, dots, dot);
    for (c = 0; c + VL <= C; c += VL)
        EACH_ROW (i) store(dx + i * C + c, load(y + i * C + c) * (load(dy + i * C + c) - dot[i]));
    if (c < C)
        EACH_ROW (i) {
            vec slope = load_part(dy + i * C + c, C - c) - dot[i];
            store_part(dx + i * C + c, load_part(y + i * C + c, C - c) * slope, C - c);
        }
}

/* ---- log-softmax ---- */

INLINE void log_softmax_group(const int rows, real *y, const real *x, ptrdiff_t C) {
    real max[GROUP], log_sum[GROUP];
    group_max(rows, x, C, max);
    group_exp_sum(rows, NULL, x, max, C, log_sum);
    if (rows < GROUP)
        EACH_ROW (i) log_sum[i] = log_of(log_sum[i]);
    else group_log(log_sum);
    ptrdiff_t c = 0;
    for (; c + VL <= C; c += VL)
        EACH_ROW (i) store(y + i * C + c, (load(x + i * C + c) - max[i]) - log_sum[i]);
    if (c < C)
        EACH_ROW (i) store_part(y + i * C + c, (load_part(x + i * C + c, C - c) - max[i]) - log_sum[i], C - c);
}

INLINE void log_softmax_gradient_group(const int rows, real *dx, const real *dy, const real *y, ptrdiff_t C) {
    vec sums[GROUP];
    real sum[GROUP];
    EACH_ROW (i) sums[i] = (vec){0};
    ptrdiff_t c = 0;
    for (; c + VL <= C; c += VL)
        EACH_ROW (i) sums[i] += load(dy + i * C + c);
    if (c < C)
        EACH_ROW (i) sums[i] += load_part(dy + i * C + c, C - c);
    fold_group(sum_of, rows, sums, sum);
    for (c = 0; c + VL <= C; c += VL)
        EACH_ROW (i) store(dx + i * C + c, load(dy + i * C + c) - vec_exp(load(y + i * C + c)) * sum[i]);
    if (c < C)
        EACH_ROW (i) {
            vec p = vec_exp(load_part(y + i * C + c, C - c));
            store_part(dx + i * C + c, load_part(dy + i * C + c, C - c) - p * sum[i], C - c);
        }
}

/* ---- items: groups of rows, or long rows; rows that are left over go alone ---- */

#define TASK(name, ...) \
    static int name##_rows(void *context, ptrdiff_t first, ptrdiff_t last) { \
        const struct job *job = context; \
        const ptrdiff_t C = job->C, size = rows_of_item(C), end = least(last * size, job->rows); \
        ptrdiff_t row = first * size; \
        for (; size == GROUP && row + GROUP <= end; row += GROUP) name##_group(GROUP, __VA_ARGS__); \
        for (; row < end; row++) name##_group(1, __VA_ARGS__); \
        return FNN_OK; \
    }

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

TASK(softmax, job->out + row * C, job->x + row * C, C)
TASK(softmax_gradient, job->out + row * C, job->dy + row * C, job->x + row * C, C)
TASK(log_softmax, job->out + row * C, job->x + row * C, C)
TASK(log_softmax_gradient, job->out + row * C, job->dy + row * C, job->x + row * C, C)

/* ---- the four kernels ---- */

static int run(fnn_task task, ptrdiff_t rows_of_item, struct job job) {
    double work = (double)job.rows * (double)job.C * FLOPS_PER_ELEMENT;
    return fnn_parallel(ceil_div(job.rows, rows_of_item), work, task, &job);
}

static int run_forward(fnn_task task, fnn_task short_task, struct job job) {
    if (job.C <= SHORT_ROW) return run(short_task, VL, job);
    return run(task, rows_of_item(job.C), job);
}

int FNN(softmax_forward)(real *y, const real *x, ptrdiff_t rows, ptrdiff_t C) {
    return run_forward(softmax_rows, softmax_short_rows, (struct job){.out = y, .x = x, .rows = rows, .C = C});
}

int FNN(softmax_backward)(real *dx, const real *dy, const real *y, ptrdiff_t rows, ptrdiff_t C) {
    return run(softmax_gradient_rows, rows_of_item(C), (struct job){.out = dx, .x = y, .dy = dy, .rows = rows, .C = C});
}

int FNN(log_softmax_forward)(real *y, const real *x, ptrdiff_t rows, ptrdiff_t C) {
    return run_forward(log_softmax_rows, log_softmax_short_rows, (struct job){.out = y, .x = x, .rows = rows, .C = C});
}

int FNN(log_softmax_backward)(real *dx, const real *dy, const real *y, ptrdiff_t rows, ptrdiff_t C) {
    return run(log_softmax_gradient_rows, rows_of_item(C),
               (struct job){.out = dx, .x = y, .dy = dy, .rows = rows, .C = C});
}

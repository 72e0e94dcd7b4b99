/* pointwise.c — losses whose outputs are independent: loss[m] = 1/C Σ_c l(y[m, c], t[m, c]), and scale[m] / C dl/dy.
 *
 * The functions l are listed in `value` and `slope` below; kl_divergence is summed without 1/C.  Sigmoid cross-entropy
 * is one of them, on logits: it also returns p = sigmoid(z), and its gradient with respect to z is p − q, with q = (1 −
 * smoothing) t + smoothing / 2.
 *
 * Shapes: y, t, p, dy (M, C); loss, scale (M,).  The caller allocates; results are assigned; dy may be y or t.
 * Threaded over rows, each summed in one fixed order; a single column is processed as one vector.  Bound by memory, or
 * by the computation of exp and log.  Twin: fastnn/reference/losses.py.
 */
#include "rows.h"
#include "special.h"

#define EPSILON ((real)1e-7)
#define ONE_LESS ((real)(1 - 1e-7))
#define LN2 ((real)0.69314718055994530942)

enum {
    SIGMOID_CROSS_ENTROPY = FNN_KL_DIVERGENCE + 1,
    FLOPS_PER_ELEMENT = 30,
    CHUNK = 1024, /* rows per item if there is a single column */
};

struct job {
    real *out, *p; /* out: loss or dy */
    const real *y, *t, *scale;
    ptrdiff_t M, C;
    int kind;
    real delta; /* huber's */
    real on, off; /* q = on t + off */
};

/* ---- one output ---- */

INLINE vec sign(vec a) { return choose(a > 0, splat(1), choose(a < 0, splat(-1), a)); }
INLINE vec positive(vec a) { return choose(a <= 0, (vec){0}, a); }
INLINE vec one_where(ivec mask) { return choose(mask, splat(1), (vec){0}); }
INLINE vec percentage(vec t) { return 100 / vec_max(vec_abs(t), splat(EPSILON)); }
INLINE vec raised(vec a) { return vec_max(a, splat(EPSILON)) + 1; }
INLINE vec log_ratio(vec y, vec t) { return vec_log(raised(y)) - vec_log(raised(t)); }

INLINE vec value(int kind, vec y, vec t, const struct job *job) {
    vec e = y - t, size = vec_abs(e), c;
    switch (kind) {
    case FNN_MEAN_SQUARED_ERROR: return e * e;
    case FNN_MEAN_ABSOLUTE_ERROR: return size;
    case FNN_MEAN_ABSOLUTE_PERCENTAGE_ERROR: return percentage(t) * size;
    case FNN_MEAN_SQUARED_LOGARITHMIC_ERROR: e = log_ratio(y, t); return e * e;
    case FNN_HUBER:
        return choose(size <= job->delta, e * e * (real)0.5, size * job->delta - job->delta * job->delta / 2);
    case FNN_LOG_COSH: return size + vec_log1p_unit(vec_exp(size * -2)) - LN2;
    case FNN_BINARY_CROSSENTROPY:
        c = vec_clamp(y, EPSILON, ONE_LESS);
        return -(t * vec_log(c) + (1 - t) * vec_log(1 - c));
    case FNN_POISSON: return y - t * vec_log(y + EPSILON);
    case FNN_HINGE: return positive(1 - t * y);
    case FNN_SQUARED_HINGE: e = positive(1 - t * y); return e * e;
    case FNN_KL_DIVERGENCE: t = vec_clamp(t, EPSILON, 1); return t * vec_log(t / vec_clamp(y, EPSILON, 1));
    default: /* SIGMOID_CROSS_ENTROPY, where y is the logit */
        return positive(y) - y * (t * job->on + job->off) + vec_log1p_unit(vec_exp(-vec_abs(y)));
    }
}

INLINE vec slope(int kind, vec y, vec t, const struct job *job) {
    vec e = y - t, c;
    switch (kind) {
    case FNN_MEAN_SQUARED_ERROR: return e * 2;
    case FNN_MEAN_ABSOLUTE_ERROR: return sign(e);
    case FNN_MEAN_ABSOLUTE_PERCENTAGE_ERROR: return percentage(t) * sign(e);
    case FNN_MEAN_SQUARED_LOGARITHMIC_ERROR: return log_ratio(y, t) * 2 / raised(y) * one_where(y >= EPSILON);
    case FNN_HUBER: return vec_clamp(e, -job->delta, job->delta);
    case FNN_LOG_COSH: return vec_tanh(e);
    case FNN_BINARY_CROSSENTROPY:
        c = vec_clamp(y, EPSILON, ONE_LESS);
        return (c - t) / (c * (1 - c)) * one_where((y >= EPSILON) & (y <= ONE_LESS));
    case FNN_POISSON: return 1 - t / (y + EPSILON);
    case FNN_HINGE: return choose(t * y >= 1, (vec){0}, -t);
    case FNN_SQUARED_HINGE: return t * -2 * positive(1 - t * y);
    case FNN_KL_DIVERGENCE:
        return -vec_clamp(t, EPSILON, 1) / vec_clamp(y, EPSILON, 1) * one_where((y >= EPSILON) & (y <= 1));
    default: return y - (t * job->on + job->off); /* SIGMOID_CROSS_ENTROPY, where y is the probability */
    }
}

/* ---- rows ---- */

INLINE int value_rows(int kind, const struct job *job, ptrdiff_t first, ptrdiff_t last) {
    const ptrdiff_t C = job->C;
    const real share = kind == FNN_KL_DIVERGENCE ? 1 : (real)C;
    for (ptrdiff_t m = first; m < last; m++) {
        vec sum = {0};
        for (ptrdiff_t c = 0; c < C; c += VL) {
            ptrdiff_t at = m * C + c, rest = C - c;
            vec y = load_upto(job->y + at, rest);
            sum += keep_lanes(value(kind, y, load_upto(job->t + at, rest), job), rest, 0);
            if (kind == SIGMOID_CROSS_ENTROPY) store_upto(job->p + at, vec_sigmoid(y), rest);
        }
        job->out[m] = sum_lanes(sum) / share;
    }
    return FNN_OK;
}

INLINE int slope_rows(int kind, const struct job *job, ptrdiff_t first, ptrdiff_t last) {
    const ptrdiff_t C = job->C;
    const real share = kind == FNN_KL_DIVERGENCE ? 1 : (real)C;
    for (ptrdiff_t m = first; m < last; m++) {
        const real factor = job->scale[m] / share;
        for (ptrdiff_t c = 0; c < C; c += VL) {
            ptrdiff_t at = m * C + c, rest = C - c;
            store_upto(job->out + at,
                       slope(kind, load_upto(job->y + at, rest), load_upto(job->t + at, rest), job) * factor, rest);
        }
    }
    return FNN_OK;
}

/* One column: VL rows at a time. */
INLINE int value_column(int kind, const struct job *job, ptrdiff_t first, ptrdiff_t last) {
    ptrdiff_t end = least(last * CHUNK, job->M);
    for (ptrdiff_t m = first * CHUNK; m < end; m += VL) {
        vec y = load_upto(job->y + m, end - m);
        store_upto(job->out + m, value(kind, y, load_upto(job->t + m, end - m), job), end - m);
        if (kind == SIGMOID_CROSS_ENTROPY) store_upto(job->p + m, vec_sigmoid(y), end - m);
    }
    return FNN_OK;
}

INLINE int slope_column(int kind, const struct job *job, ptrdiff_t first, ptrdiff_t last) {
    ptrdiff_t end = least(last * CHUNK, job->M);
    for (ptrdiff_t m = first * CHUNK; m < end; m += VL) {
        vec d = slope(kind, load_upto(job->y + m, end - m), load_upto(job->t + m, end - m), job);
        store_upto(job->out + m, d * load_upto(job->scale + m, end - m), end - m);
    }
    return FNN_OK;
}

/* The switch is outside the loops; each case has its own loops. */
#define EACH_KIND(CASE) \
    CASE(FNN_MEAN_SQUARED_ERROR) CASE(FNN_MEAN_ABSOLUTE_ERROR) CASE(FNN_MEAN_ABSOLUTE_PERCENTAGE_ERROR) \
    CASE(FNN_MEAN_SQUARED_LOGARITHMIC_ERROR) CASE(FNN_HUBER) CASE(FNN_LOG_COSH) CASE(FNN_BINARY_CROSSENTROPY) \
    CASE(FNN_POISSON) CASE(FNN_HINGE) CASE(FNN_SQUARED_HINGE) CASE(FNN_KL_DIVERGENCE) CASE(SIGMOID_CROSS_ENTROPY)

static int values(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct job *job = context;
#define CASE(kind) \
    case kind: return job->C == 1 ? value_column(kind, job, first, last) : value_rows(kind, job, first, last);
    switch (job->kind) { EACH_KIND(CASE) }
#undef CASE
    return FNN_OK;
}

static int slopes(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct job *job = context;
#define CASE(kind) \
    case kind: return job->C == 1 ? slope_column(kind, job, first, last) : slope_rows(kind, job, first, last);
    switch (job->kind) { EACH_KIND(CASE) }
#undef CASE
    return FNN_OK;
}

static int run(fnn_task task, struct job *job) {
    ptrdiff_t items = job->C == 1 ? ceil_div(job->M, CHUNK) : job->M;
    return fnn_parallel(items, (double)job->M * (double)job->C * FLOPS_PER_ELEMENT, task, job);
}

int FNN(pointwise_loss_forward)(real *loss, const real *y, const real *t, int kind, double delta, ptrdiff_t M,
                                ptrdiff_t C) {
    struct job job = {.out = loss, .y = y, .t = t, .M = M, .C = C, .kind = kind, .delta = (real)delta};
    return run(values, &job);
}

int FNN(pointwise_loss_backward)(real *dy, const real *y, const real *t, const real *scale, int kind, double delta,
                                 ptrdiff_t M, ptrdiff_t C) {
    struct job job = {.out = dy, .y = y, .t = t, .scale = scale, .M = M, .C = C, .kind = kind, .delta = (real)delta};
    return run(slopes, &job);
}

int FNN(sigmoid_cross_entropy_forward)(real *loss, real *p, const real *z, const real *t, double smoothing, ptrdiff_t M,
                                       ptrdiff_t C) {
    struct job job = {.out = loss, .p = p, .y = z, .t = t, .M = M, .C = C, .kind = SIGMOID_CROSS_ENTROPY};
    job.on = (real)(1 - smoothing);
    job.off = (real)(smoothing / 2);
    return run(values, &job);
}

int FNN(sigmoid_cross_entropy_backward)(real *dz, const real *p, const real *t, const real *scale, double smoothing,
                                        ptrdiff_t M, ptrdiff_t C) {
    struct job job = {.out = dz, .y = p, .t = t, .scale = scale, .M = M, .C = C, .kind = SIGMOID_CROSS_ENTROPY};
    job.on = (real)(1 - smoothing);
    job.off = (real)(smoothing / 2);
    return run(slopes, &job);
}

/* losses.c — cross-entropies of one distribution per row: of the softmax of logits, and of probabilities.
 *
 * With the targets q[c] = (1 − smoothing) t[c] + smoothing / C, where a label t represents a row with a single 1:
 *
 *   softmax      p = softmax(z)   loss = −Σ q[c] ln p[c], 0 ln 0 = 0            dz[c] = scale (p[c] Σ q[j] − q[c])
 *   categorical  r = p / s, s = Σ p[j]   loss = −Σ q[c] ln clip(r[c])           dp[c] = scale / s (g[c] − Σ g[j] r[j])
 *                clip to [1e-7, 1 − 1e-7]                                       g = −q / r where clip(r) = r, else 0
 *
 * Shapes: z, p, dz, dp (M, C); loss, scale (M,); either labels (M,) or dense targets (M, C), the other NULL.  The
 * caller allocates; results are assigned; dz and dp may be p.  Labels are checked before anything is written:
 * FNN_BAD_INDEX. ln p is computed from the logits, never from p, so that a probability of 0 still gives a useful
 * gradient. Threaded over rows, each summed in one fixed order; bound by the computation of exp and log. Twin:
 * fastnn/reference/losses.py.  The losses whose outputs are independent are in pointwise.c.
 */
#include "rows.h"

#define EPSILON ((real)1e-7)
#define ONE_LESS ((real)(1 - 1e-7))

enum { FLOPS_PER_ELEMENT = 40 };

struct job {
    real *loss, *out; /* out: p, dz or dp */
    const real *x;    /* z or p */
    const real *scale;
    const int64_t *labels;
    const real *dense;
    real on, off; /* q = on t + off */
    ptrdiff_t M, C;
};

/* q of row m, lanes c …; lanes beyond the row are 0. */
INLINE vec targets(const struct job *job, ptrdiff_t m, ptrdiff_t c) {
    ptrdiff_t rest = job->C - c;
    vec t;
    if (job->labels) {
        ptrdiff_t lane = job->labels[m] - c;
        t = choose(lane_numbers() == (ivec){0} + (real_int)(lane < VL ? most(lane, -1) : -1), splat(1), (vec){0});
    } else {
        t = load_upto(job->dense + m * job->C + c, rest);
    }
    return keep_lanes(t * job->on + job->off, rest, 0);
}

/* ---- softmax ---- */

static int softmax_rows(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct job *job = context;
    const ptrdiff_t C = job->C;
    for (ptrdiff_t m = first; m < last; m++) {
        const real *z = job->x + m * C;
        real *p = job->out + m * C;
        real max = row_max(z, C), sum = row_exp_sum(p, z, max, C), log_sum = log_of(sum);
        row_scale(p, 1 / sum, C);
        vec loss = {0};
        for (ptrdiff_t c = 0; c < C; c += VL) {
            vec q = targets(job, m, c), log_p = (load_upto(z + c, C - c) - max) - log_sum;
            loss -= choose(q == 0, (vec){0}, q * log_p);
        }
        real total = sum_lanes(loss);
        job->loss[m] = log_sum == log_sum ? total : log_sum; /* a row without probabilities has no loss: NaN */
    }
    return FNN_OK;
}

/* Short rows: a lane holds a row. */
static int softmax_short_rows(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct job *job = context;
    const ptrdiff_t C = job->C;
    for (ptrdiff_t m = first * VL; m < least(last * VL, job->M); m += VL) {
        real z[SHORT_ROW][VL], p[SHORT_ROW][VL], dense[SHORT_ROW][VL];
        ptrdiff_t n = least(VL, job->M - m);
        ivec label = {0};
        turn_rows(z, job->x + m * C, n, C);
        if (job->dense) turn_rows(dense, job->dense + m * C, n, C);
        else
            for (ptrdiff_t r = 0; r < n; r++) label[r] = (real_int)job->labels[m + r];
        vec max = columns_max(z, C), sum = columns_exp_sum(p, z, max, C), over = 1 / sum, log_sum = vec_log(sum);
        vec loss = {0};
        for (ptrdiff_t c = 0; c < C; c++) {
            vec t = job->dense ? load(dense[c]) : choose(label == (ivec){0} + (real_int)c, splat(1), (vec){0});
            vec q = t * job->on + job->off, log_p = (load(z[c]) - max) - log_sum;
            loss -= choose(q == 0, (vec){0}, q * log_p);
            store(p[c], load(p[c]) * over);
        }
        turn_back(job->out + m * C, p, n, C);
        store_upto(job->loss + m, choose(is_nan(log_sum), log_sum, loss), n);
    }
    return FNN_OK;
}

static int softmax_gradient_rows(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct job *job = context;
    const ptrdiff_t C = job->C;
    for (ptrdiff_t m = first; m < last; m++) {
        const real *p = job->x + m * C;
        real *dz = job->out + m * C;
        real sum = 1; /* of one label's q */
        if (job->dense) {
            vec lanes = {0};
            for (ptrdiff_t c = 0; c < C; c += VL) lanes += targets(job, m, c);
            sum = sum_lanes(lanes);
        }
        for (ptrdiff_t c = 0; c < C; c += VL) {
            vec v = (load_upto(p + c, C - c) * sum - targets(job, m, c)) * job->scale[m];
            store_upto(dz + c, v, C - c);
        }
    }
    return FNN_OK;
}

/* ---- probabilities ---- */

INLINE vec clip(vec r) { return choose(r < EPSILON, splat(EPSILON), choose(r > ONE_LESS, splat(ONE_LESS), r)); }

static int categorical_rows(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct job *job = context;
    const ptrdiff_t C = job->C;
    for (ptrdiff_t m = first; m < last; m++) {
        const real *p = job->x + m * C;
        real sum = row_sum(p, C);
        vec loss = {0};
        for (ptrdiff_t c = 0; c < C; c += VL)
            loss -= targets(job, m, c) * vec_log(clip(load_filled(p + c, C - c, 1) / sum));
        job->loss[m] = sum_lanes(loss);
    }
    return FNN_OK;
}

/* g of lanes c …, and r; lanes beyond the row are 0. */
INLINE vec categorical_slope(const struct job *job, ptrdiff_t m, ptrdiff_t c, real sum, vec *r) {
    ptrdiff_t rest = job->C - c;
    *r = load_filled(job->x + m * job->C + c, rest, 0) / sum;
    return choose((*r < EPSILON) | (*r > ONE_LESS), (vec){0}, -targets(job, m, c) / *r);
}

static int categorical_gradient_rows(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct job *job = context;
    const ptrdiff_t C = job->C;
    for (ptrdiff_t m = first; m < last; m++) {
        real sum = row_sum(job->x + m * C, C), factor = job->scale[m] / sum;
        vec r, dot = {0};
        for (ptrdiff_t c = 0; c < C; c += VL) {
            vec g = categorical_slope(job, m, c, sum, &r);
            dot += keep_lanes(g * r, C - c, 0); /* a sum of 0 or NaN has put NaN into the lanes beyond */
        }
        real mean = sum_lanes(dot);
        for (ptrdiff_t c = 0; c < C; c += VL)
            store_upto(job->out + m * C + c, (categorical_slope(job, m, c, sum, &r) - mean) * factor, C - c);
    }
    return FNN_OK;
}

/* ---- the four kernels ---- */

static int run(fnn_task task, ptrdiff_t items, struct job *job, double smoothing) {
    if (job->labels)
        for (ptrdiff_t m = 0; m < job->M; m++)
            if (job->labels[m] < 0 || job->labels[m] >= job->C) return FNN_BAD_INDEX;
    job->on = (real)(1 - smoothing);
    job->off = (real)(smoothing / (double)job->C);
    return fnn_parallel(items, (double)job->M * (double)job->C * FLOPS_PER_ELEMENT, task, job);
}

int FNN(softmax_cross_entropy_forward)(real *loss, real *p, const real *z, const int64_t *labels, const real *dense,
                                       double smoothing, ptrdiff_t M, ptrdiff_t C) {
    struct job job = {.loss = loss, .out = p, .x = z, .labels = labels, .dense = dense, .M = M, .C = C};
    return run(C <= SHORT_ROW ? softmax_short_rows : softmax_rows, row_items(M, C), &job, smoothing);
}

int FNN(softmax_cross_entropy_backward)(real *dz, const real *p, const int64_t *labels, const real *dense,
                                        const real *scale, double smoothing, ptrdiff_t M, ptrdiff_t C) {
    struct job job = {.out = dz, .x = p, .scale = scale, .labels = labels, .dense = dense, .M = M, .C = C};
    return run(softmax_gradient_rows, M, &job, smoothing);
}

int FNN(categorical_cross_entropy_forward)(real *loss, const real *p, const int64_t *labels, const real *dense,
                                           double smoothing, ptrdiff_t M, ptrdiff_t C) {
    struct job job = {.loss = loss, .x = p, .labels = labels, .dense = dense, .M = M, .C = C};
    return run(categorical_rows, M, &job, smoothing);
}

int FNN(categorical_cross_entropy_backward)(real *dp, const real *p, const int64_t *labels, const real *dense,
                                            const real *scale, double smoothing, ptrdiff_t M, ptrdiff_t C) {
    struct job job = {.out = dp, .x = p, .scale = scale, .labels = labels, .dense = dense, .M = M, .C = C};
    return run(categorical_gradient_rows, M, &job, smoothing);
}

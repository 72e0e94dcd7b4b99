/* optimizers.c — one step of an optimizer over flat arrays, in place, and the kernels that clip gradients.
 *
 *   sgd        w -= η g;  with momentum  v = μ v - η g,  w += v  (Nesterov: w += μ v - η g)
 *   adam       m += (1-β₁)(g - m),  v += (1-β₂)(g² - v),  w -= α m / (√v + ε),  α = η √(1-β₂ᵗ) / (1-β₁ᵗ);
 *              AMSGrad: v̂ = max(v̂, v) stands under the root
 *   rmsprop    v = ρ v + (1-ρ) g²,  δ = η g / √(v + ε),  w -= δ;  with momentum  u = μ u + δ,  w -= u;
 *              centred: a = ρ a + (1-ρ) g,  and v - a² stands for v under the root
 *   adagrad    a += g²,  w -= η g / √(a + ε)
 *   adadelta   a = ρ a + (1-ρ) g²,  δ = -√(d + ε) / √(a + ε) g,  d = ρ d + (1-ρ) δ²,  w += η δ
 *   adamax     m += (1-β₁)(g - m),  u = max(β₂ u, |g|),  w -= η / (1-β₁ᵗ) m / (u + ε)
 *   nadam      m, v as adam;  w -= η (a m + b g) / (√(v / (1-β₂ᵗ)) + ε), see there for a and b
 *
 * Each begins with the decoupled decay w -= λ η w (λ = weight decay) and leaves g as it is.
 * Shapes: all arrays (n,), not overlapping; the caller allocates them, w and the optimizer's own arrays are updated in
 * place.  NaN in a gradient reaches the weight.  Threaded over chunks; bound by memory: every element is read once
 * and written once.
 * Twin: fastnn/reference/optimizers.py.
 */
#include "wide.h"

/* Items of the pool: chunks of so many elements, so that parts start at the same places whatever their number. */
enum { CHUNK = 4096 };

struct step {
    real *w;
    const real *g;
    real *a, *b, *c;         /* the optimizer's own arrays, in the order of its signature; NULL: none */
    ptrdiff_t n;
    real decay;              /* λ η */
    real rate, epsilon;      /* η, or with its bias correction α; ε */
    real momentum;           /* μ */
    real old, new;           /* ρ and 1 - ρ: the shares of the running mean and of what comes in */
    real share_1, share_2;   /* 1 - β₁, 1 - β₂ */
    real of_mean, of_gradient, correction; /* nadam's */
    int nesterov;
};

/* Updates elements i..i+n-1, n <= VL. */
typedef void (*update)(const struct step *s, ptrdiff_t i, ptrdiff_t n);

INLINE int update_chunks(const void *context, ptrdiff_t first, ptrdiff_t last, update each) {
    const struct step s =
        *(const struct step *)context; /* a copy of our own, which no store can change: it stays in registers */
    ptrdiff_t i = first * CHUNK, end = least(last * CHUNK, s.n);
    /* The main loop: */
    for (; i + VL <= end; i += VL) each(&s, i, VL);
    /* The tail: */
    if (i < end) each(&s, i, end - i);
    return FNN_OK;
}

/* `arrays`: how many are read or written, for the cost. */
static int run(fnn_task task, struct step *s, int arrays) {
    return fnn_parallel(ceil_div(s->n, CHUNK), (double)s->n * arrays * (double)sizeof(real), task, s);
}

/* ---- what several of them share ---- */

INLINE vec decayed(const struct step *s, ptrdiff_t i, ptrdiff_t n) {
    vec w = load_upto(s->w + i, n);
    return s->decay != 0 ? w - w * s->decay : w;
}

/* mean += share (x - mean), in place; returns the new mean. */
INLINE vec approach(real *mean, vec x, real share, ptrdiff_t n) {
    vec old = load_upto(mean, n), new = old + share * (x - old);
    store_upto(mean, new, n);
    return new;
}

/* mean = old mean + new x, in place; returns the new mean. */
INLINE vec blend(real *mean, vec x, real old, real new, ptrdiff_t n) {
    vec y = old * load_upto(mean, n) + new * x;
    store_upto(mean, y, n);
    return y;
}

/* xⁿ, n >= 0, by squaring. */
static double power(double x, ptrdiff_t n) {
    double y = 1;
    for (; n > 0; n >>= 1, x *= x)
        if (n & 1) y *= x;
    return y;
}

/* ---- sgd ---- */

INLINE void sgd_plain(const struct step *s, ptrdiff_t i, ptrdiff_t n) {
    store_upto(s->w + i, decayed(s, i, n) - s->rate * load_upto(s->g + i, n), n);
}

INLINE void sgd_momentum(const struct step *s, ptrdiff_t i, ptrdiff_t n) {
    vec push = s->rate * load_upto(s->g + i, n);
    vec velocity = s->momentum * load_upto(s->a + i, n) - push;
    store_upto(s->a + i, velocity, n);
    store_upto(s->w + i, decayed(s, i, n) + (s->nesterov ? s->momentum * velocity - push : velocity), n);
}

static int sgd_plain_chunks(void *s, ptrdiff_t first, ptrdiff_t last) {
    return update_chunks(s, first, last, sgd_plain);
}
static int sgd_momentum_chunks(void *s, ptrdiff_t first, ptrdiff_t last) {
    return update_chunks(s, first, last, sgd_momentum);
}

int FNN(sgd_step)(real *w, const real *g, real *velocity, ptrdiff_t n, double learning_rate, double momentum,
                  int nesterov, double weight_decay) {
    struct step s = {.w = w, .g = g, .a = velocity, .n = n, .nesterov = nesterov};
    s.decay = (real)(weight_decay * learning_rate);
    s.rate = (real)learning_rate;
    s.momentum = (real)momentum;
    return momentum != 0 ? run(sgd_momentum_chunks, &s, 5) : run(sgd_plain_chunks, &s, 3);
}

/* ---- adam ---- */

INLINE void adam(const struct step *s, ptrdiff_t i, ptrdiff_t n) {
    vec g = load_upto(s->g + i, n);
    vec m = approach(s->a + i, g, s->share_1, n), v = approach(s->b + i, g * g, s->share_2, n);
    if (s->c) {
        v = vec_max(load_upto(s->c + i, n), v);
        store_upto(s->c + i, v, n);
    }
    store_upto(s->w + i, decayed(s, i, n) - s->rate * m / (vec_sqrt(v) + s->epsilon), n);
}

static int adam_chunks(void *s, ptrdiff_t first, ptrdiff_t last) { return update_chunks(s, first, last, adam); }

/* vhat: NULL, or AMSGrad's; step counts from 1. */
int FNN(adam_step)(real *w, const real *g, real *m, real *v, real *vhat, ptrdiff_t n, ptrdiff_t step,
                   double learning_rate, double beta_1, double beta_2, double epsilon, double weight_decay) {
    struct step s = {.w = w, .g = g, .a = m, .b = v, .c = vhat, .n = n};
    s.decay = (real)(weight_decay * learning_rate);
    s.rate = (real)(learning_rate * __builtin_sqrt(1 - power(beta_2, step)) / (1 - power(beta_1, step)));
    s.share_1 = (real)(1 - beta_1);
    s.share_2 = (real)(1 - beta_2);
    s.epsilon = (real)epsilon;
    return run(adam_chunks, &s, vhat ? 9 : 7);
}

/* ---- rmsprop ---- */

INLINE void rmsprop(const struct step *s, ptrdiff_t i, ptrdiff_t n) {
    vec g = load_upto(s->g + i, n);
    vec spread = blend(s->a + i, g * g, s->old, s->new, n);
    if (s->c) {
        vec mean = blend(s->c + i, g, s->old, s->new, n);
        spread -= mean * mean;
    }
    vec increment = s->rate * g / vec_sqrt(spread + s->epsilon);
    if (s->momentum != 0) increment = blend(s->b + i, increment, s->momentum, 1, n);
    store_upto(s->w + i, decayed(s, i, n) - increment, n);
}

static int rmsprop_chunks(void *s, ptrdiff_t first, ptrdiff_t last) { return update_chunks(s, first, last, rmsprop); }

/* momentum_buffer: not read where momentum is 0; average_gradient: NULL, or the centred form's. */
int FNN(rmsprop_step)(real *w, const real *g, real *velocity, real *momentum_buffer, real *average_gradient,
                      ptrdiff_t n, double learning_rate, double rho, double momentum, double epsilon,
                      double weight_decay) {
    struct step s = {.w = w, .g = g, .a = velocity, .b = momentum_buffer, .c = average_gradient, .n = n};
    s.decay = (real)(weight_decay * learning_rate);
    s.rate = (real)learning_rate;
    s.old = (real)rho;
    s.new = (real)(1 - rho);
    s.momentum = (real)momentum;
    s.epsilon = (real)epsilon;
    return run(rmsprop_chunks, &s, 5 + (momentum != 0 ? 2 : 0) + (average_gradient ? 2 : 0));
}

/* ---- adagrad ---- */

INLINE void adagrad(const struct step *s, ptrdiff_t i, ptrdiff_t n) {
    vec g = load_upto(s->g + i, n);
    vec sum = load_upto(s->a + i, n) + g * g;
    store_upto(s->a + i, sum, n);
    store_upto(s->w + i, decayed(s, i, n) - s->rate * g / vec_sqrt(sum + s->epsilon), n);
}

static int adagrad_chunks(void *s, ptrdiff_t first, ptrdiff_t last) { return update_chunks(s, first, last, adagrad); }

int FNN(adagrad_step)(real *w, const real *g, real *accumulator, ptrdiff_t n, double learning_rate, double epsilon,
                      double weight_decay) {
    struct step s = {.w = w, .g = g, .a = accumulator, .n = n};
    s.decay = (real)(weight_decay * learning_rate);
    s.rate = (real)learning_rate;
    s.epsilon = (real)epsilon;
    return run(adagrad_chunks, &s, 5);
}

/* ---- adadelta ---- */

INLINE void adadelta(const struct step *s, ptrdiff_t i, ptrdiff_t n) {
    vec g = load_upto(s->g + i, n);
    vec squares = blend(s->a + i, g * g, s->old, s->new, n);
    vec delta = -vec_sqrt(load_upto(s->b + i, n) + s->epsilon) / vec_sqrt(squares + s->epsilon) * g;
    blend(s->b + i, delta * delta, s->old, s->new, n);
    store_upto(s->w + i, decayed(s, i, n) + s->rate * delta, n);
}

static int adadelta_chunks(void *s, ptrdiff_t first, ptrdiff_t last) { return update_chunks(s, first, last, adadelta); }

int FNN(adadelta_step)(real *w, const real *g, real *accumulated_gradient, real *accumulated_delta, ptrdiff_t n,
                       double learning_rate, double rho, double epsilon, double weight_decay) {
    struct step s = {.w = w, .g = g, .a = accumulated_gradient, .b = accumulated_delta, .n = n};
    s.decay = (real)(weight_decay * learning_rate);
    s.rate = (real)learning_rate;
    s.old = (real)rho;
    s.new = (real)(1 - rho);
    s.epsilon = (real)epsilon;
    return run(adadelta_chunks, &s, 7);
}

/* ---- adamax ---- */

INLINE void adamax(const struct step *s, ptrdiff_t i, ptrdiff_t n) {
    vec g = load_upto(s->g + i, n);
    vec m = approach(s->a + i, g, s->share_1, n);
    vec u = vec_max(s->old * load_upto(s->b + i, n), vec_abs(g));
    store_upto(s->b + i, u, n);
    store_upto(s->w + i, decayed(s, i, n) - s->rate * m / (u + s->epsilon), n);
}

static int adamax_chunks(void *s, ptrdiff_t first, ptrdiff_t last) { return update_chunks(s, first, last, adamax); }

int FNN(adamax_step)(real *w, const real *g, real *m, real *u, ptrdiff_t n, ptrdiff_t step, double learning_rate,
                     double beta_1, double beta_2, double epsilon, double weight_decay) {
    struct step s = {.w = w, .g = g, .a = m, .b = u, .n = n};
    s.decay = (real)(weight_decay * learning_rate);
    s.rate = (real)(learning_rate / (1 - power(beta_1, step)));
    s.share_1 = (real)(1 - beta_1);
    s.old = (real)beta_2;
    s.epsilon = (real)epsilon;
    return run(adamax_chunks, &s, 7);
}

/* ---- nadam ----
 *
 * μₜ = β₁ (1 - 0.96ᵗ / 2) and P = μ₁ μ₂ … μₜ, the momentum product:
 * a = μₜ₊₁ / (1 - P μₜ₊₁) weighs m, b = (1 - μₜ) / (1 - P) weighs g. */

INLINE void nadam(const struct step *s, ptrdiff_t i, ptrdiff_t n) {
    vec g = load_upto(s->g + i, n);
    vec m = approach(s->a + i, g, s->share_1, n), v = approach(s->b + i, g * g, s->share_2, n);
    vec mean = s->of_mean * m + s->of_gradient * g;
    store_upto(s->w + i, decayed(s, i, n) - s->rate * mean / (vec_sqrt(v * s->correction) + s->epsilon), n);
}

static int nadam_chunks(void *s, ptrdiff_t first, ptrdiff_t last) { return update_chunks(s, first, last, nadam); }

int FNN(nadam_step)(real *w, const real *g, real *m, real *v, ptrdiff_t n, ptrdiff_t step, double momentum_product,
                    double learning_rate, double beta_1, double beta_2, double epsilon, double weight_decay) {
    double now = beta_1 * (1 - 0.5 * power(0.96, step)), then = beta_1 * (1 - 0.5 * power(0.96, step + 1));
    struct step s = {.w = w, .g = g, .a = m, .b = v, .n = n};
    s.decay = (real)(weight_decay * learning_rate);
    s.rate = (real)learning_rate;
    s.share_1 = (real)(1 - beta_1);
    s.share_2 = (real)(1 - beta_2);
    s.of_mean = (real)(then / (1 - momentum_product * then));
    s.of_gradient = (real)((1 - now) / (1 - momentum_product));
    s.correction = (real)(1 / (1 - power(beta_2, step)));
    s.epsilon = (real)epsilon;
    return run(nadam_chunks, &s, 7);
}

/* ---- scale, clip ---- */

INLINE void scaled(const struct step *s, ptrdiff_t i, ptrdiff_t n) {
    store_upto(s->w + i, s->rate * load_upto(s->w + i, n), n);
}
INLINE void clipped(const struct step *s, ptrdiff_t i, ptrdiff_t n) {
    store_upto(s->w + i, vec_min(vec_max(load_upto(s->w + i, n), splat(-s->rate)), splat(s->rate)), n);
}

static int scaled_chunks(void *s, ptrdiff_t first, ptrdiff_t last) { return update_chunks(s, first, last, scaled); }
static int clipped_chunks(void *s, ptrdiff_t first, ptrdiff_t last) { return update_chunks(s, first, last, clipped); }

/* g *= factor */
int FNN(scale)(real *g, ptrdiff_t n, double factor) {
    struct step s = {.w = g, .n = n, .rate = (real)factor};
    return run(scaled_chunks, &s, 2);
}

/* g = min(max(g, -limit), limit), limit >= 0; NaN stays. */
int FNN(clip_values)(real *g, ptrdiff_t n, double limit) {
    struct step s = {.w = g, .n = n, .rate = (real)limit};
    return run(clipped_chunks, &s, 2);
}

/* ---- sum of squares ---- */

enum { SUMS = 4 }; /* run side by side, to hide the latency of an addition */

struct squares {
    double *partial; /* one sum a chunk */
    const real *g;
    ptrdiff_t n;
};

static double squares_of(const real *g, ptrdiff_t n) {
    wide sum[SUMS] = {{0}};
    ptrdiff_t i = 0;
    /* The main loop: */
    for (; i + SUMS * WIDE <= n; i += SUMS * WIDE)
        for (int k = 0; k < SUMS; k++) {
            wide x = load_wide(g + i + k * WIDE, WIDE);
            sum[k] += x * x;
        }
    double total = sum_wide((sum[0] + sum[1]) + (sum[2] + sum[3]));
    /* The tail: */
    for (; i < n; i++) total += (double)g[i] * (double)g[i];
    return total;
}

static int squares_chunks(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct squares *job = context;
    for (ptrdiff_t chunk = first; chunk < last; chunk++)
        job->partial[chunk] = squares_of(job->g + chunk * CHUNK, least(CHUNK, job->n - chunk * CHUNK));
    return FNN_OK;
}

/* sum = Σ g², in double: a sum a chunk, added in the order of the chunks, so that threads change no bit. */
int FNN(sum_of_squares)(double *sum, const real *g, ptrdiff_t n) {
    ptrdiff_t chunks = ceil_div(n, CHUNK);
    struct squares job = {fnn_scratch(FNN_SCRATCH_SHARED, (size_t)chunks * sizeof(double)), g, n};
    if (!job.partial) return FNN_NO_MEMORY;
    int status = fnn_parallel(chunks, (double)n * (double)sizeof(real), squares_chunks, &job);
    *sum = 0;
    for (ptrdiff_t chunk = 0; chunk < chunks; chunk++) *sum += job.partial[chunk];
    return status;
}

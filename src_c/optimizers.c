/* optimizers.c — one step of an optimizer over flat arrays, in place, and the kernels that clip gradients.
 *
 *   sgd        w -= η g;  with momentum  v = μ v - η g,  w += v  (Nesterov: w += μ v - η g)
 *   adam       m += (1-β₁)(g - m),  v += (1-β₂)(g² - v),  w -= α m / (√v + ε),  α = η √(1-β₂ᵗ) / (1-β₁ᵗ);
 *              AMSGrad: v̂ = max(v̂, v) replaces v under the root
 *   rmsprop    v = ρ v + (1-ρ) g²,  δ = η g / √(v + ε),  w -= δ;  with momentum  u = μ u + δ,  w -= u;
 *              centred: a = ρ a + (1-ρ) g,  and v - a² replaces v under the root
 *   adagrad    a += g²,  w -= η g / √(a + ε)
 *   adadelta   a = ρ a + (1-ρ) g²,  δ = -√(d + ε) / √(a + ε) g,  d = ρ d + (1-ρ) δ²,  w += η δ
 *   adamax     m += (1-β₁)(g - m),  u = max(β₂ u, |g|),  w -= η / (1-β₁ᵗ) m / (u + ε)
 *   lion       w -= η sign(β₁ m + (1-β₁) g),  m += (1-β₂)(g - m)
 *   nadam      m, v as adam;  w -= η (a m + b g) / (√(v / (1-β₂ᵗ)) + ε), see there for a and b
 *
 * Each starts with the decoupled decay w -= λ η w (λ = weight decay) and leaves g unchanged.
 * Shapes: all arrays (n,), not overlapping; the caller allocates them; w and the optimizer's state are updated in
 * place. With `rows` they are tables, and only those rows are read and updated: FNN_BAD_INDEX unless they ascend. NaN
 * in a gradient reaches the weight.  Threaded over chunks, or over rows; memory-bound: every element is read once and
 * written once. Twin: fastnn/reference/optimizers.py.
 */
#include "indices.h"
#include "wide.h"

/* Items of the pool: chunks of this many elements, so that parts start at the same offsets whatever their number. */
enum { CHUNK = 4096 };

struct step {
    real *w;
    const real *g;
    real *a, *b, *c;         /* the optimizer's state, in the order of its signature; NULL: none */
    ptrdiff_t n;
    const int64_t *index;    /* of the rows to update; NULL: all elements */
    ptrdiff_t total;         /* rows of the tables */
    ptrdiff_t width;         /* elements per item: a row, or a chunk */
    real decay;              /* λ η */
    real rate, epsilon;      /* η, or with its bias correction α; ε */
    real momentum;           /* μ */
    real old, new;           /* ρ and 1 - ρ: the weights of the running mean and of the new value */
    real share_1, share_2;   /* 1 - β₁, 1 - β₂ */
    real of_mean, of_gradient, correction; /* nadam's */
    int nesterov;
};

/* Updates elements i..end-1, a whole number of vectors. */
typedef void (*update)(const struct step *s, ptrdiff_t i, ptrdiff_t end);

/* The loop of an optimizer, once in machine code, so that all elements get the same fused multiply-adds. */
#define LOOP_OVER(vector) \
    static void vector##_vectors(const struct step *job, ptrdiff_t i, ptrdiff_t end) { \
        const struct step s = *job; /* a local copy, which no store can change: it stays in registers */ \
        for (; i < end; i += VL) vector(&s, i); \
    } \
    static int vector##_items(void *job, ptrdiff_t first, ptrdiff_t last) { \
        return update_items(job, first, last, vector##_vectors); \
    }

#if defined(__clang__)
#define OPAQUE __attribute__((noinline))
#else
#define OPAQUE __attribute__((noipa)) /* no clones for constant arguments, and thus none of the loops it calls */
#endif

/* The n < VL elements from `at` on, in a buffer of one vector. */
static void update_tail(const struct step *s, ptrdiff_t at, ptrdiff_t n, update vectors) {
    real *const own[] = {s->w, s->a, s->b, s->c};
    real room[4][VL], g[VL];
    struct step tail = *s;
    for (int k = 0; k < 4; k++)
        if (own[k]) store(room[k], load_part(own[k] + at, n));
    if (s->g) store(g, load_part(s->g + at, n));
    tail.w = room[0];
    tail.g = g;
    if (s->a) tail.a = room[1];
    if (s->b) tail.b = room[2];
    if (s->c) tail.c = room[3];
    vectors(&tail, 0, VL);
    for (int k = 0; k < 4; k++)
        if (own[k]) store_part(own[k] + at, load(room[k]), n);
}

/* Items: chunks, or some of the rows, whose numbers another thread may have written since `ascend` looked at them. */
OPAQUE static int update_items(const struct step *s, ptrdiff_t first, ptrdiff_t last, update vectors) {
    for (ptrdiff_t item = first; item < last; item++) {
        ptrdiff_t row = s->index ? read_once(s->index + item) : 0;
        if (s->index && !within(row, s->total)) return FNN_BAD_INDEX;
        ptrdiff_t i = s->index ? row * s->width : item * CHUNK, end = least(i + s->width, s->n);
        ptrdiff_t tail = i + (end - i) / VL * VL;
        vectors(s, i, tail);
        if (tail < end) update_tail(s, tail, end - tail, vectors);
    }
    return FNN_OK;
}

/* Whether the rows exist and are distinct, so that no two threads update the same row. */
static int ascend(const struct fnn_rows *rows) {
    int64_t before = -1;
    int right = 1;
    for (ptrdiff_t k = 0; k < rows->count; before = rows->index[k++]) right &= rows->index[k] > before;
    return right && before < rows->total;
}

/* rows: NULL, or their index NULL, means all elements.  `arrays`: the number of arrays read or written, for the
 * cost. */
static int run(fnn_task task, struct step *s, const struct fnn_rows *rows, int arrays) {
    ptrdiff_t items = ceil_div(s->n, CHUNK);
    double elements = (double)s->n;
    s->width = CHUNK;
    if (rows && rows->index) {
        if (!ascend(rows)) return FNN_BAD_INDEX;
        s->index = rows->index;
        s->total = rows->total;
        s->width = rows->width;
        items = rows->count;
        elements = (double)(items * rows->width);
    }
    return fnn_parallel(items, elements * arrays * (double)sizeof(real), task, s);
}

/* ---- shared ---- */

INLINE vec decayed(const struct step *s, ptrdiff_t i) {
    vec w = load(s->w + i);
    return s->decay != 0 ? w - w * s->decay : w;
}

/* mean += share (x - mean), in place; returns the new mean. */
INLINE vec approach(real *mean, vec x, real share) {
    vec old = load(mean), new = old + share * (x - old);
    store(mean, new);
    return new;
}

/* mean = old mean + new x, in place; returns the new mean. */
INLINE vec blend(real *mean, vec x, real old, real new) {
    vec y = old * load(mean) + new * x;
    store(mean, y);
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

INLINE void sgd_plain(const struct step *s, ptrdiff_t i) { store(s->w + i, decayed(s, i) - s->rate * load(s->g + i)); }

INLINE void sgd_momentum(const struct step *s, ptrdiff_t i) {
    vec push = s->rate * load(s->g + i);
    vec velocity = s->momentum * load(s->a + i) - push;
    store(s->a + i, velocity);
    store(s->w + i, decayed(s, i) + (s->nesterov ? s->momentum * velocity - push : velocity));
}

LOOP_OVER(sgd_plain)
LOOP_OVER(sgd_momentum)

int FNN(sgd_step)(real *w, const real *g, real *velocity, ptrdiff_t n, const struct fnn_rows *rows,
                  double learning_rate, double momentum, int nesterov, double weight_decay) {
    struct step s = {.w = w, .g = g, .a = velocity, .n = n, .nesterov = nesterov};
    s.decay = (real)(weight_decay * learning_rate);
    s.rate = (real)learning_rate;
    s.momentum = (real)momentum;
    return momentum != 0 ? run(sgd_momentum_items, &s, rows, 5) : run(sgd_plain_items, &s, rows, 3);
}

/* ---- adam ---- */

INLINE void adam(const struct step *s, ptrdiff_t i) {
    vec g = load(s->g + i);
    vec m = approach(s->a + i, g, s->share_1), v = approach(s->b + i, g * g, s->share_2);
    if (s->c) {
        v = vec_max(load(s->c + i), v);
        store(s->c + i, v);
    }
    store(s->w + i, decayed(s, i) - s->rate * m / (vec_sqrt(v) + s->epsilon));
}

LOOP_OVER(adam)

/* vhat: NULL, or the state of AMSGrad; step counts from 1. */
int FNN(adam_step)(real *w, const real *g, real *m, real *v, real *vhat, ptrdiff_t n, const struct fnn_rows *rows,
                   ptrdiff_t step, double learning_rate, double beta_1, double beta_2, double epsilon,
                   double weight_decay) {
    struct step s = {.w = w, .g = g, .a = m, .b = v, .c = vhat, .n = n};
    s.decay = (real)(weight_decay * learning_rate);
    s.rate = (real)(learning_rate * __builtin_sqrt(1 - power(beta_2, step)) / (1 - power(beta_1, step)));
    s.share_1 = (real)(1 - beta_1);
    s.share_2 = (real)(1 - beta_2);
    s.epsilon = (real)epsilon;
    return run(adam_items, &s, rows, vhat ? 9 : 7);
}

/* ---- rmsprop ---- */

INLINE void rmsprop(const struct step *s, ptrdiff_t i) {
    vec g = load(s->g + i);
    vec spread = blend(s->a + i, g * g, s->old, s->new);
    if (s->c) {
        vec mean = blend(s->c + i, g, s->old, s->new);
        spread -= mean * mean;
    }
    vec increment = s->rate * g / vec_sqrt(spread + s->epsilon);
    if (s->momentum != 0) increment = blend(s->b + i, increment, s->momentum, 1);
    store(s->w + i, decayed(s, i) - increment);
}

LOOP_OVER(rmsprop)

/* momentum_buffer: not read if momentum is 0; average_gradient: NULL, or the state of the centred form. */
int FNN(rmsprop_step)(real *w, const real *g, real *velocity, real *momentum_buffer, real *average_gradient,
                      ptrdiff_t n, const struct fnn_rows *rows, double learning_rate, double rho, double momentum,
                      double epsilon, double weight_decay) {
    struct step s = {.w = w, .g = g, .a = velocity, .b = momentum_buffer, .c = average_gradient, .n = n};
    s.decay = (real)(weight_decay * learning_rate);
    s.rate = (real)learning_rate;
    s.old = (real)rho;
    s.new = (real)(1 - rho);
    s.momentum = (real)momentum;
    s.epsilon = (real)epsilon;
    return run(rmsprop_items, &s, rows, 5 + (momentum != 0 ? 2 : 0) + (average_gradient ? 2 : 0));
}

/* ---- adagrad ---- */

INLINE void adagrad(const struct step *s, ptrdiff_t i) {
    vec g = load(s->g + i);
    vec sum = load(s->a + i) + g * g;
    store(s->a + i, sum);
    store(s->w + i, decayed(s, i) - s->rate * g / vec_sqrt(sum + s->epsilon));
}

LOOP_OVER(adagrad)

int FNN(adagrad_step)(real *w, const real *g, real *accumulator, ptrdiff_t n, const struct fnn_rows *rows,
                      double learning_rate, double epsilon, double weight_decay) {
    struct step s = {.w = w, .g = g, .a = accumulator, .n = n};
    s.decay = (real)(weight_decay * learning_rate);
    s.rate = (real)learning_rate;
    s.epsilon = (real)epsilon;
    return run(adagrad_items, &s, rows, 5);
}

/* ---- adadelta ---- */

INLINE void adadelta(const struct step *s, ptrdiff_t i) {
    vec g = load(s->g + i);
    vec squares = blend(s->a + i, g * g, s->old, s->new);
    vec delta = -vec_sqrt(load(s->b + i) + s->epsilon) / vec_sqrt(squares + s->epsilon) * g;
    blend(s->b + i, delta * delta, s->old, s->new);
    store(s->w + i, decayed(s, i) + s->rate * delta);
}

LOOP_OVER(adadelta)

int FNN(adadelta_step)(real *w, const real *g, real *accumulated_gradient, real *accumulated_delta, ptrdiff_t n,
                       const struct fnn_rows *rows, double learning_rate, double rho, double epsilon,
                       double weight_decay) {
    struct step s = {.w = w, .g = g, .a = accumulated_gradient, .b = accumulated_delta, .n = n};
    s.decay = (real)(weight_decay * learning_rate);
    s.rate = (real)learning_rate;
    s.old = (real)rho;
    s.new = (real)(1 - rho);
    s.epsilon = (real)epsilon;
    return run(adadelta_items, &s, rows, 7);
}

/* ---- adamax ---- */

INLINE void adamax(const struct step *s, ptrdiff_t i) {
    vec g = load(s->g + i);
    vec m = approach(s->a + i, g, s->share_1);
    vec u = vec_max(s->old * load(s->b + i), vec_abs(g));
    store(s->b + i, u);
    store(s->w + i, decayed(s, i) - s->rate * m / (u + s->epsilon));
}

LOOP_OVER(adamax)

int FNN(adamax_step)(real *w, const real *g, real *m, real *u, ptrdiff_t n, const struct fnn_rows *rows, ptrdiff_t step,
                     double learning_rate, double beta_1, double beta_2, double epsilon, double weight_decay) {
    struct step s = {.w = w, .g = g, .a = m, .b = u, .n = n};
    s.decay = (real)(weight_decay * learning_rate);
    s.rate = (real)(learning_rate / (1 - power(beta_1, step)));
    s.share_1 = (real)(1 - beta_1);
    s.old = (real)beta_2;
    s.epsilon = (real)epsilon;
    return run(adamax_items, &s, rows, 7);
}

/* ---- lion ---- */

INLINE void lion(const struct step *s, ptrdiff_t i) {
    vec g = load(s->g + i), way = s->old * load(s->a + i) + s->share_1 * g;
    vec sign = choose(way > 0, splat(1), choose(way < 0, splat(-1), way)); /* 0 and NaN stay what they are */
    approach(s->a + i, g, s->share_2);
    store(s->w + i, decayed(s, i) - s->rate * sign);
}

LOOP_OVER(lion)

int FNN(lion_step)(real *w, const real *g, real *m, ptrdiff_t n, const struct fnn_rows *rows, double learning_rate,
                   double beta_1, double beta_2, double weight_decay) {
    struct step s = {.w = w, .g = g, .a = m, .n = n};
    s.decay = (real)(weight_decay * learning_rate);
    s.rate = (real)learning_rate;
    s.old = (real)beta_1;
    s.share_1 = (real)(1 - beta_1);
    s.share_2 = (real)(1 - beta_2);
    return run(lion_items, &s, rows, 5);
}

/* ---- nadam ----
 *
 * μₜ = β₁ (1 - 0.96ᵗ / 2) and P = μ₁ μ₂ … μₜ, the momentum product:
 * a = μₜ₊₁ / (1 - P μₜ₊₁) weighs m, b = (1 - μₜ) / (1 - P) weighs g. */

INLINE void nadam(const struct step *s, ptrdiff_t i) {
    vec g = load(s->g + i);
    vec m = approach(s->a + i, g, s->share_1), v = approach(s->b + i, g * g, s->share_2);
    vec mean = s->of_mean * m + s->of_gradient * g;
    store(s->w + i, decayed(s, i) - s->rate * mean / (vec_sqrt(v * s->correction) + s->epsilon));
}

LOOP_OVER(nadam)

int FNN(nadam_step)(real *w, const real *g, real *m, real *v, ptrdiff_t n, const struct fnn_rows *rows, ptrdiff_t step,
                    double momentum_product, double learning_rate, double beta_1, double beta_2, double epsilon,
                    double weight_decay) {
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
    return run(nadam_items, &s, rows, 7);
}

/* ---- scale, clip ---- */

INLINE void scaled(const struct step *s, ptrdiff_t i) { store(s->w + i, s->rate * load(s->w + i)); }
INLINE void clipped(const struct step *s, ptrdiff_t i) {
    store(s->w + i, vec_min(vec_max(load(s->w + i), splat(-s->rate)), splat(s->rate)));
}

LOOP_OVER(scaled)
LOOP_OVER(clipped)

/* g *= factor */
int FNN(scale)(real *g, ptrdiff_t n, double factor) {
    struct step s = {.w = g, .n = n, .rate = (real)factor};
    return run(scaled_items, &s, NULL, 2);
}

/* g = min(max(g, -limit), limit), limit >= 0; NaN stays. */
int FNN(clip_values)(real *g, ptrdiff_t n, double limit) {
    struct step s = {.w = g, .n = n, .rate = (real)limit};
    return run(clipped_items, &s, NULL, 2);
}

/* ---- sum of squares ---- */

enum { SUMS = 4 }; /* independent sums, to hide the latency of an addition */

struct squares {
    double *partial; /* one sum per chunk */
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

/* sum = Σ g², in double: one sum per chunk, added in the order of the chunks, so that threads change no bit. */
int FNN(sum_of_squares)(double *sum, const real *g, ptrdiff_t n) {
    ptrdiff_t chunks = ceil_div(n, CHUNK);
    struct squares job = {fnn_scratch(FNN_SCRATCH_SHARED, (size_t)chunks * sizeof(double)), g, n};
    if (!job.partial) return FNN_NO_MEMORY;
    int status = fnn_parallel(chunks, (double)n * (double)sizeof(real), squares_chunks, &job);
    *sum = 0;
    for (ptrdiff_t chunk = 0; chunk < chunks; chunk++) *sum += job.partial[chunk];
    return status;
}

/* activations.c — y = act(x) and dx = dy act'(x), elementwise.
 *
 * Shapes: all arrays (n,).  The caller allocates; results are assigned; an output may be one of the inputs.  The
 * derivative of a fusible activation is computed from y, that of the others from x.  Threaded over elements; linear,
 * relu, leaky_relu, hard_sigmoid and step are memory-bound, the others compute-bound.
 * Twin: fastnn/reference/activations.py.  The functions themselves are in activations.h, for every kernel to use.
 */
#include "activations.h"

struct job {
    real *out;
    const real *dy, *x, *y;
    ptrdiff_t n;
    int activation;
    real alpha;
};

/* Items are chunks of CHUNK elements, so that parts start at the same offsets whatever their number. */
enum { CHUNK = 1024 };

INLINE int forward_as(int activation, const struct job *job, ptrdiff_t first, ptrdiff_t last) {
    ptrdiff_t i = first * CHUNK, end = least(last * CHUNK, job->n);
    /* The main loop: */
    for (; i + VL <= end; i += VL) store(job->out + i, vec_activation(activation, load(job->x + i), job->alpha));
    /* The tail: */
    if (i < end)
        store_part(job->out + i, vec_activation(activation, load_part(job->x + i, end - i), job->alpha), end - i);
    return FNN_OK;
}

INLINE vec gradient_as(int activation, vec dy, vec x, vec y, real alpha) {
    return activation <= FNN_HARD_SIGMOID ? vec_times_slope(activation, dy, y, alpha)
                                          : vec_times_slope_at_input(activation, dy, x);
}

INLINE int backward_as(int activation, const struct job *job, ptrdiff_t first, ptrdiff_t last) {
    const real *dy = job->dy, *x = job->x, *y = job->y;
    ptrdiff_t i = first * CHUNK, end = least(last * CHUNK, job->n);
    /* The main loop: */
    for (; i + VL <= end; i += VL)
        store(job->out + i, gradient_as(activation, load(dy + i), load(x + i), load(y + i), job->alpha));
    /* The tail: */
    ptrdiff_t rest = end - i;
    if (rest > 0) {
        vec v = gradient_as(activation, load_part(dy + i, rest), load_part(x + i, rest), load_part(y + i, rest),
                            job->alpha);
        store_part(job->out + i, v, rest);
    }
    return FNN_OK;
}

/* The switch is outside the loops; each case has its own loop. */
static int forward(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct job *job = context;
#define CASE(name) \
    case name: return forward_as(name, job, first, last);
    switch (job->activation) { FNN_EACH_ACTIVATION(CASE) }
#undef CASE
    return FNN_OK;
}

static int backward(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct job *job = context;
#define CASE(name) \
    case name: return backward_as(name, job, first, last);
    switch (job->activation) { FNN_EACH_ACTIVATION(CASE) }
#undef CASE
    return FNN_OK;
}

static double work(int activation, ptrdiff_t n) {
    switch (activation) {
    case FNN_LINEAR:
    case FNN_RELU:
    case FNN_LEAKY_RELU:
    case FNN_HARD_SIGMOID:
    case FNN_STEP: return (double)n * sizeof(real);
    default: return (double)n * 30;
    }
}

int FNN(activation_forward)(real *y, const real *x, ptrdiff_t n, int activation, double alpha) {
    struct job job = {.out = y, .x = x, .n = n, .activation = activation, .alpha = (real)alpha};
    return fnn_parallel(ceil_div(n, CHUNK), work(activation, n), forward, &job);
}

int FNN(activation_backward)(real *dx, const real *dy, const real *x, const real *y, ptrdiff_t n, int activation,
                             double alpha) {
    struct job job = {dx, dy, x, y, n, activation, (real)alpha};
    return fnn_parallel(ceil_div(n, CHUNK), work(activation, n), backward, &job);
}

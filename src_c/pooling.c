/* pooling.c — one number per window and channel: the maximum, the mean, or a random cell.
 *
 *   max          y = max x,  argmax = the first largest cell (NaN counts as the largest);  dx[argmax] += dy
 *   average      y = Σ x / count;  dx += dy / count
 *   stochastic   y = x[chosen],  chosen drawn with probability r / Σ r,  r = max(x, 0);  backward as max
 *   its mean     y = Σ r² / Σ r;  dx += dy (2 x - y) / Σ r  where x > 0;  if no cell is positive, like average
 *
 * Shapes: x, dx (N, H, W, C), channels last; y, dy, argmax, chosen (N, OH, OW, C); the sizes are in `fnn_windows`.  The
 * window of output (p, q) starts at row p SH - top and column q SW - left; it is clipped to the image, and `count` is
 * the number of cells left, at least one.  Cells are numbered row by row over the unclipped window.  Global pooling is
 * a window as large as the image. The caller allocates; y is assigned; dx is cleared, then accumulated, one output at a
 * time; no two arrays overlap. Vectors run over channels.  Threaded over rows of outputs forward, and over images
 * backward, where windows may share a pixel.  Memory-bound; stochastic pooling is compute-bound. Twin:
 * fastnn/reference/pooling.py.
 */
#include "rng.h"
#include "wide.h"

struct pooling {
    const fnn_windows *g;
    real *out; /* y forward, dx backward */
    const real *x, *y, *dy;
    int32_t *cells;       /* argmax, chosen: written */
    const int32_t *selected; /* the same arrays, read */
    uint64_t key, call;
    const uint32_t *bits; /* for one row of outputs, which starts at first_bit */
    ptrdiff_t first_bit;
};

/* ---- windows ---- */

/* One window: its cells (i, j), i0 <= i < i1, j0 <= j < j1, that are inside the image, and its position in memory. */
struct window {
    ptrdiff_t i0, i1, j0, j1;
    ptrdiff_t cell, row, pixel; /* offset of cell (0, 0), which may be outside; step between rows; step between cells */
    ptrdiff_t width; /* cells in a row of the unclipped window */
    ptrdiff_t output; /* offset of its output */
};

INLINE struct window window_at(const fnn_windows *g, ptrdiff_t image, ptrdiff_t p, ptrdiff_t q) {
    ptrdiff_t top = p * g->sh - g->top, left = q * g->sw - g->left;
    return (struct window){
        .i0 = most(0, -top),
        .i1 = least(g->ph, g->h - top),
        .j0 = most(0, -left),
        .j1 = least(g->pw, g->w - left),
        .cell = ((image * g->h + top) * g->w + left) * g->c,
        .row = g->w * g->c,
        .pixel = g->c,
        .width = g->pw,
        .output = ((image * g->oh + p) * g->ow + q) * g->c,
    };
}

INLINE ptrdiff_t place(const struct window *s, ptrdiff_t i, ptrdiff_t j) { return s->cell + i * s->row + j * s->pixel; }
INLINE ptrdiff_t real_cells(const struct window *s) { return (s->i1 - s->i0) * (s->j1 - s->j0); }

/* Process channels c..c+n-1 of one window; n is the number of lanes, or less in the tail. */
typedef void (*channels)(const struct pooling *job, const struct window *s, ptrdiff_t c, ptrdiff_t n);

INLINE void row_of_windows(const struct pooling *job, ptrdiff_t image, ptrdiff_t p, ptrdiff_t lanes, channels each) {
    const fnn_windows *g = job->g;
    for (ptrdiff_t q = 0; q < g->ow; q++) {
        const struct window s = window_at(g, image, p, q);
        ptrdiff_t c = 0;
        /* The main loop: */
        for (; c + lanes <= g->c; c += lanes) each(job, &s, c, lanes);
        /* The tail: */
        if (c < g->c) each(job, &s, c, g->c - c);
    }
}

/* Items first..last-1 are rows of outputs. */
INLINE int forward_rows(const struct pooling *job, ptrdiff_t first, ptrdiff_t last, ptrdiff_t lanes, channels each) {
    for (ptrdiff_t row = first; row < last; row++) row_of_windows(job, row / job->g->oh, row % job->g->oh, lanes, each);
    return FNN_OK;
}

/* Items first..last-1 are images. */
INLINE int backward_images(const struct pooling *job, ptrdiff_t first, ptrdiff_t last, ptrdiff_t lanes, channels each) {
    const fnn_windows *g = job->g;
    ptrdiff_t size = g->h * g->w * g->c;
    for (ptrdiff_t image = first; image < last; image++) {
        memset(job->out + image * size, 0, (size_t)size * sizeof(real));
        for (ptrdiff_t p = 0; p < g->oh; p++) row_of_windows(job, image, p, lanes, each);
    }
    return FNN_OK;
}

/* `cost`: operations per cell. */
static int run(fnn_task task, ptrdiff_t items, const struct pooling *job, double cost) {
    const fnn_windows *g = job->g;
    double work = cost * (double)(g->n * g->oh * g->ow * g->c) * (double)(least(g->ph, g->h) * least(g->pw, g->w));
    return fnn_parallel(items, work, task, (void *)job);
}

/* ---- max ---- */

typedef int32_t int32s __attribute__((vector_size(VL * 4)));

INLINE void store_cells(int32_t *p, ivec cells, ptrdiff_t n) {
    int32s v = __builtin_convertvector(cells, int32s);
    if (n == VL) memcpy(p, &v, sizeof v);
    else memcpy(p, &v, (size_t)n * sizeof *p);
}

INLINE ivec load_cells(const int32_t *p, ptrdiff_t n) {
    int32s v = {0};
    if (n == VL) memcpy(&v, p, sizeof v);
    else memcpy(&v, p, (size_t)n * sizeof *p);
    return __builtin_convertvector(v, ivec);
}

INLINE void max_channels(const struct pooling *job, const struct window *s, ptrdiff_t c, ptrdiff_t n) {
    vec best = load_upto(job->x + place(s, s->i0, s->j0) + c, n);
    ivec winner = (ivec){0} + (real_int)(s->i0 * s->width + s->j0);
    for (ptrdiff_t i = s->i0; i < s->i1; i++)
        for (ptrdiff_t j = s->j0; j < s->j1; j++) {
            vec x = load_upto(job->x + place(s, i, j) + c, n);
            ivec better = ~((x <= best) | is_nan(best)); /* larger, or the first NaN */
            best = choose(better, x, best);
            winner = (better & (real_int)(i * s->width + j)) | (~better & winner);
        }
    store_upto(job->out + s->output + c, best, n);
    store_cells(job->cells + s->output + c, winner, n);
}

static int max_rows(void *job, ptrdiff_t first, ptrdiff_t last) {
    return forward_rows(job, first, last, VL, max_channels);
}

int FNN(max_pool2d_forward)(real *y, int32_t *argmax, const real *x, const fnn_windows *g) {
    const struct pooling job = {.g = g, .out = y, .cells = argmax, .x = x};
    return run(max_rows, g->n * g->oh, &job, 2);
}

/* Small windows: compare every cell with the winner, a vector of channels at a time. */
INLINE void max_backward_channels(const struct pooling *job, const struct window *s, ptrdiff_t c, ptrdiff_t n) {
    ivec winner = load_cells(job->selected + s->output + c, n);
    vec dy = load_upto(job->dy + s->output + c, n);
    for (ptrdiff_t i = s->i0; i < s->i1; i++)
        for (ptrdiff_t j = s->j0; j < s->j1; j++) {
            real *dx = job->out + place(s, i, j) + c;
            store_upto(dx, load_upto(dx, n) + choose(winner == (real_int)(i * s->width + j), dy, (vec){0}), n);
        }
}

/* Large windows: access the winner directly, channel by channel (n is 1).  It was checked, but another thread may have
 * written it since: one outside the image gets nothing. */
INLINE void max_backward_channel(const struct pooling *job, const struct window *s, ptrdiff_t c, ptrdiff_t n) {
    (void)n;
    const int32_t winner = __atomic_load_n(job->selected + s->output + c, __ATOMIC_RELAXED);
    ptrdiff_t i = winner / (int32_t)s->width, j = winner % (int32_t)s->width;
    if (i >= s->i0 && i < s->i1 && j >= s->j0 && j < s->j1) job->out[place(s, i, j) + c] += job->dy[s->output + c];
}

enum { SMALL_WINDOW = 32 };

static int max_backward_small(void *job, ptrdiff_t first, ptrdiff_t last) {
    return backward_images(job, first, last, VL, max_backward_channels);
}

static int max_backward_large(void *job, ptrdiff_t first, ptrdiff_t last) {
    return backward_images(job, first, last, 1, max_backward_channel);
}

/* Whether all winners of a window are cells inside the image. */
static int winners_fit(const int32_t *winner, const struct window *s, const fnn_windows *g) {
    uint32_t cells = (uint32_t)(g->ph * g->pw), outside = 0;
    if (real_cells(s) == (ptrdiff_t)cells) {
        for (ptrdiff_t c = 0; c < g->c; c++) outside |= (uint32_t)winner[c] >= cells;
        return !outside;
    }
    for (ptrdiff_t c = 0; c < g->c; c++) {
        ptrdiff_t i = winner[c] / (int32_t)s->width, j = winner[c] % (int32_t)s->width;
        if (winner[c] < 0 || i < s->i0 || i >= s->i1 || j < s->j0 || j >= s->j1) return 0;
    }
    return 1;
}

static int check_images(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct pooling *job = context;
    const fnn_windows *g = job->g;
    for (ptrdiff_t image = first; image < last; image++)
        for (ptrdiff_t p = 0; p < g->oh; p++)
            for (ptrdiff_t q = 0; q < g->ow; q++) {
                const struct window s = window_at(g, image, p, q);
                if (!winners_fit(job->selected + s.output, &s, g)) return FNN_BAD_INDEX;
            }
    return FNN_OK;
}

/* argmax of max pooling, or chosen of stochastic pooling; all are checked before dx is touched. */
int FNN(max_pool2d_backward)(real *dx, const real *dy, const int32_t *argmax, const fnn_windows *g) {
    const struct pooling job = {.g = g, .out = dx, .dy = dy, .selected = argmax};
    int status = run(check_images, g->n, &job, 1);
    if (status != FNN_OK) return status;
    return run(g->ph * g->pw <= SMALL_WINDOW ? max_backward_small : max_backward_large, g->n, &job, 2);
}

/* ---- average ---- */

INLINE void average_channels(const struct pooling *job, const struct window *s, ptrdiff_t c, ptrdiff_t n) {
    vec total = {0};
    for (ptrdiff_t i = s->i0; i < s->i1; i++) {
        vec row = {0}; /* a sum of sums: in a large window each cell is rounded fewer times */
        for (ptrdiff_t j = s->j0; j < s->j1; j++) row += load_upto(job->x + place(s, i, j) + c, n);
        total += row;
    }
    store_upto(job->out + s->output + c, total / (real)real_cells(s), n);
}

static int average_rows(void *job, ptrdiff_t first, ptrdiff_t last) {
    return forward_rows(job, first, last, VL, average_channels);
}

int FNN(average_pool2d_forward)(real *y, const real *x, const fnn_windows *g) {
    const struct pooling job = {.g = g, .out = y, .x = x};
    return run(average_rows, g->n * g->oh, &job, 2);
}

INLINE void average_backward_channels(const struct pooling *job, const struct window *s, ptrdiff_t c, ptrdiff_t n) {
    vec share = load_upto(job->dy + s->output + c, n) / (real)real_cells(s);
    for (ptrdiff_t i = s->i0; i < s->i1; i++)
        for (ptrdiff_t j = s->j0; j < s->j1; j++) {
            real *dx = job->out + place(s, i, j) + c;
            store_upto(dx, load_upto(dx, n) + share, n);
        }
}

static int average_backward_images(void *job, ptrdiff_t first, ptrdiff_t last) {
    return backward_images(job, first, last, VL, average_backward_channels);
}

int FNN(average_pool2d_backward)(real *dx, const real *dy, const fnn_windows *g) {
    const struct pooling job = {.g = g, .out = dx, .dy = dy};
    return run(average_backward_images, g->n, &job, 2);
}

/* ---- stochastic ---- */

INLINE wide positive(wide x) { return choose_wide(x <= 0, (wide){0}, x); } /* max(x, 0); NaN stays */

INLINE wide sum_of_positives(const struct pooling *job, const struct window *s, ptrdiff_t c, ptrdiff_t n) {
    wide total = {0};
    for (ptrdiff_t i = s->i0; i < s->i1; i++)
        for (ptrdiff_t j = s->j0; j < s->j1; j++) total += positive(load_wide(job->x + place(s, i, j) + c, n));
    return total;
}

/* The cell is the first whose running sum exceeds u total, or reaches it (which handles infinity), or is NaN. */
INLINE void stochastic_channels(const struct pooling *job, const struct window *s, ptrdiff_t c, ptrdiff_t n) {
    wide total = sum_of_positives(job, s, c, n), running = {0}, u = {0}, y = {0};
    wide_int uniform = total == 0, waiting = ~(wide_int){0}, chosen = {0};
    total = choose_wide(uniform, splat_wide((double)real_cells(s)), total);
    for (ptrdiff_t k = 0; k < n; k++) u[k] = job->bits[s->output + c + k - job->first_bit] * 0x1p-32;
    wide threshold = u * total;
    for (ptrdiff_t i = s->i0; i < s->i1; i++)
        for (ptrdiff_t j = s->j0; j < s->j1; j++) {
            wide x = load_wide(job->x + place(s, i, j) + c, n);
            running += choose_wide(uniform, splat_wide(1), positive(x));
            wide_int here = waiting & ((running > threshold) | (running == total) | (running != running));
            y = choose_wide(here, x, y);
            chosen |= here & (i * s->width + j);
            waiting &= ~here;
        }
    store_wide(job->out + s->output + c, y, n);
    for (ptrdiff_t k = 0; k < n; k++) job->cells[s->output + c + k] = (int32_t)chosen[k];
}

static int stochastic_rows(void *context, ptrdiff_t first, ptrdiff_t last) {
    struct pooling job = *(const struct pooling *)context;
    ptrdiff_t outputs = job.g->ow * job.g->c;
    uint32_t *bits = fnn_scratch(FNN_SCRATCH_ROWS, (size_t)outputs * sizeof *bits);
    if (!bits) return FNN_NO_MEMORY;
    job.bits = bits;
    for (ptrdiff_t row = first; row < last; row++) {
        job.first_bit = row * outputs;
        random_range(bits, (uint64_t)job.first_bit, outputs, job.key, job.call);
        forward_rows(&job, row, row + 1, WIDE, stochastic_channels);
    }
    return FNN_OK;
}

int FNN(stochastic_pool2d_forward)(real *y, int32_t *chosen, const real *x, const fnn_windows *g, uint64_t key,
                                   uint64_t call) {
    const struct pooling job = {.g = g, .out = y, .cells = chosen, .x = x, .key = key, .call = call};
    return run(stochastic_rows, g->n * g->oh, &job, 12);
}

/* ---- the mean of stochastic pooling ---- */

INLINE void stochastic_mean_channels(const struct pooling *job, const struct window *s, ptrdiff_t c, ptrdiff_t n) {
    wide total = {0}, squares = {0}, plain = {0};
    for (ptrdiff_t i = s->i0; i < s->i1; i++)
        for (ptrdiff_t j = s->j0; j < s->j1; j++) {
            wide x = load_wide(job->x + place(s, i, j) + c, n), r = positive(x);
            total += r;
            squares += r * r;
            plain += x;
        }
    store_wide(job->out + s->output + c, choose_wide(total == 0, plain / (double)real_cells(s), squares / total), n);
}

static int stochastic_mean_rows(void *job, ptrdiff_t first, ptrdiff_t last) {
    return forward_rows(job, first, last, WIDE, stochastic_mean_channels);
}

int FNN(stochastic_pool2d_mean_forward)(real *y, const real *x, const fnn_windows *g) {
    const struct pooling job = {.g = g, .out = y, .x = x};
    return run(stochastic_mean_rows, g->n * g->oh, &job, 8);
}

INLINE void stochastic_mean_backward_channels(const struct pooling *job, const struct window *s, ptrdiff_t c,
                                              ptrdiff_t n) {
    wide total = sum_of_positives(job, s, c, n);
    wide y = load_wide(job->y + s->output + c, n), dy = load_wide(job->dy + s->output + c, n);
    for (ptrdiff_t i = s->i0; i < s->i1; i++)
        for (ptrdiff_t j = s->j0; j < s->j1; j++) {
            wide x = load_wide(job->x + place(s, i, j) + c, n);
            wide slope = choose_wide(x > 0, (2 * x - y) / total, (wide){0});
            slope = choose_wide(total == 0, splat_wide(1 / (double)real_cells(s)), slope);
            slope = choose_wide(total != total, total, slope);
            real *dx = job->out + place(s, i, j) + c;
            store_wide(dx, load_wide(dx, n) + dy * slope, n);
        }
}

static int stochastic_mean_backward_images(void *job, ptrdiff_t first, ptrdiff_t last) {
    return backward_images(job, first, last, WIDE, stochastic_mean_backward_channels);
}

int FNN(stochastic_pool2d_mean_backward)(real *dx, const real *dy, const real *x, const real *y, const fnn_windows *g) {
    const struct pooling job = {.g = g, .out = dx, .dy = dy, .x = x, .y = y};
    return run(stochastic_mean_backward_images, g->n, &job, 12);
}

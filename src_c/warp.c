/* warp.c — images turned, shifted, stretched and sheared: each pixel of y is taken from a place in x.
 *
 *     y[i, j] = x at row v = b0·j + b1·i + b2, column u = a0·j + a1·i + a2
 *     nearest    the pixel that is nearest to (v, u)
 *     bilinear   the two nearest along each axis, by the weights 1 − a, a and 1 − b, b with a = u − ⌊u⌋, b = v − ⌊v⌋
 *     backward   dx[s] = Σ over the q that look at s of weight · dy[q]
 *
 * Places are integers, in units of 2⁻³² pixels, so that no rounding decides which pixel is the nearest one.  Beyond the
 * image (fill_mode): a number; the nearest pixel; the image in a mirror; the image again.  A pixel of weight 0 is not
 * read.  Shapes: x, y, dx, dy (N, H, W, C); steps (N, 6) = a0 a1 a2 b0 b1 b2.  Assigned; no two arrays overlap.
 * Threaded over rows of y forward, over images backward, where a pixel collects from anywhere: no sum is split.
 * Bound by the arithmetic of places with few channels, by memory with many.  Twin: fastnn/reference/warp.py.
 */
#include "real.h"

enum { BITS = 32 };
#define ONE ((int64_t)1 << BITS)

struct warp {
    real *to; /* y forward, dx backward */
    const real *from; /* x forward, dy backward */
    const int64_t *steps;
    ptrdiff_t N, H, W, C;
    int interpolation, fill_mode;
    real fill;
};

/* The two pixels that a place lies between, −1 for none; the second has weight `upper`, the first 1 − upper. */
struct look {
    ptrdiff_t low, high;
    real upper;
};

static int64_t mod(int64_t a, int64_t b) {
    int64_t r = a % b;
    return r < 0 ? r + b : r;
}

/* A place beyond the image as one within it. */
static int64_t within(int64_t place, int64_t length, int fill_mode) {
    if (fill_mode == FNN_FILL_REFLECT) {
        place = mod(place, 2 * length * ONE);
        if (place >= length * ONE) place = 2 * length * ONE - ONE - place;
    }
    int64_t last = (length - 1) * ONE;
    return place < 0 ? 0 : place > last ? last : place;
}

INLINE struct look look_at(int64_t place, ptrdiff_t length, int nearest, int fill_mode) {
    int64_t last = (int64_t)(length - 1) * ONE;
    if (fill_mode == FNN_FILL_WRAP) place = mod(place, (int64_t)length * ONE);
    else if (fill_mode != FNN_FILL_CONSTANT && (place < 0 || place > last)) place = within(place, length, fill_mode);
    if (nearest) { /* halves go away from 0 */
        int64_t half = ONE / 2;
        place = place < 0 ? -((half - place) >> BITS << BITS) : (place + half) >> BITS << BITS;
    }
    struct look look = {.low = place >> BITS, .upper = (real)((double)(place & (ONE - 1)) * 0x1p-32)};
    look.high = look.low + 1;
    if (fill_mode == FNN_FILL_WRAP) {
        if (look.low >= length) look.low -= length;
        if (look.high >= length) look.high -= length;
        return look;
    }
    if (look.low < 0 || look.low >= length) look.low = -1;
    if (look.high < 0 || look.high >= length) look.high = -1;
    return look;
}

/* ---- forward ---- */

/* One channel of a row: its two pixels, weighted. */
INLINE real between(const real *row, ptrdiff_t c, ptrdiff_t C, const struct look *at, real fill) {
    real low = row && at->low >= 0 ? row[at->low * C + c] : fill;
    if (at->upper == 0) return low;
    real high = row && at->high >= 0 ? row[at->high * C + c] : fill;
    return (1 - at->upper) * low + at->upper * high;
}

/* The channels of one pixel of y; `low` and `high` are rows of x, NULL for none. */
INLINE void take_pixel(const int constant, const struct warp *job, real *to, const real *low, const real *high, real b,
                       const struct look *at) {
    const ptrdiff_t C = constant ? constant : job->C;
    real a = at->upper;
    if (low && high && at->low >= 0 && at->high >= 0 && a != 0 && b != 0) { /* all four are there */
        const real *p = low + at->low * C, *q = low + at->high * C, *r = high + at->low * C, *s = high + at->high * C;
        for (ptrdiff_t c = 0; c < C; c++)
            to[c] = (1 - b) * ((1 - a) * p[c] + a * q[c]) + b * ((1 - a) * r[c] + a * s[c]);
        return;
    }
    for (ptrdiff_t c = 0; c < C; c++) {
        real y = between(low, c, C, at, job->fill);
        to[c] = b == 0 ? y : (1 - b) * y + b * between(high, c, C, at, job->fill);
    }
}

INLINE void take_row(const int constant, const struct warp *job, ptrdiff_t item) {
    const ptrdiff_t C = constant ? constant : job->C, line = job->W * C;
    ptrdiff_t image = item / job->H, i = item % job->H;
    const int64_t *step = job->steps + image * 6;
    const real *x = job->from + image * job->H * line;
    real *y = job->to + item * line;
    int nearest = job->interpolation == FNN_NEAREST;
    int64_t u = step[1] * i + step[2], v = step[4] * i + step[5];
    for (ptrdiff_t j = 0; j < job->W; j++, u += step[0], v += step[3], y += C) {
        struct look row = look_at(v, job->H, nearest, job->fill_mode), at = look_at(u, job->W, nearest, job->fill_mode);
        take_pixel(constant, job, y, row.low < 0 ? NULL : x + row.low * line, row.high < 0 ? NULL : x + row.high * line,
                   row.upper, &at);
    }
}

/* An item is a row of y. */
static int forward_rows(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct warp *job = context;
    for (ptrdiff_t item = first; item < last; item++) {
        switch (job->C) {
        case 1: take_row(1, job, item); break;
        case 3: take_row(3, job, item); break;
        case 4: take_row(4, job, item); break;
        default: take_row(0, job, item);
        }
    }
    return FNN_OK;
}

/* ---- backward ---- */

static void add_pixel(const struct warp *job, real *image, ptrdiff_t row, ptrdiff_t column, real weight,
                      const real *dy) {
    if (row < 0 || column < 0 || weight == 0) return;
    real *dx = image + (row * job->W + column) * job->C;
    for (ptrdiff_t c = 0; c < job->C; c++) dx[c] += weight * dy[c];
}

/* An item is an image. */
static int backward_images(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct warp *job = context;
    ptrdiff_t size = job->H * job->W * job->C;
    int nearest = job->interpolation == FNN_NEAREST;
    for (ptrdiff_t n = first; n < last; n++) {
        const int64_t *step = job->steps + n * 6;
        const real *dy = job->from + n * size;
        real *dx = job->to + n * size;
        memset(dx, 0, (size_t)size * sizeof(real));
        for (ptrdiff_t i = 0; i < job->H; i++) {
            int64_t u = step[1] * i + step[2], v = step[4] * i + step[5];
            for (ptrdiff_t j = 0; j < job->W; j++, u += step[0], v += step[3], dy += job->C) {
                struct look row = look_at(v, job->H, nearest, job->fill_mode);
                struct look at = look_at(u, job->W, nearest, job->fill_mode);
                real a = at.upper, b = row.upper;
                add_pixel(job, dx, row.low, at.low, (1 - a) * (1 - b), dy);
                add_pixel(job, dx, row.low, at.high, a * (1 - b), dy);
                add_pixel(job, dx, row.high, at.low, (1 - a) * b, dy);
                add_pixel(job, dx, row.high, at.high, a * b, dy);
            }
        }
    }
    return FNN_OK;
}

int FNN(warp2d_forward)(real *y, const real *x, const int64_t *steps, ptrdiff_t N, ptrdiff_t H, ptrdiff_t W,
                        ptrdiff_t C, int interpolation, int fill_mode, double fill) {
    struct warp job = {y, x, steps, N, H, W, C, interpolation, fill_mode, (real)fill};
    return fnn_parallel(N * H, (double)(N * H * W) * (double)(12 + 8 * C), forward_rows, &job);
}

int FNN(warp2d_backward)(real *dx, const real *dy, const int64_t *steps, ptrdiff_t N, ptrdiff_t H, ptrdiff_t W,
                         ptrdiff_t C, int interpolation, int fill_mode) {
    struct warp job = {dx, dy, steps, N, H, W, C, interpolation, fill_mode, 0};
    return fnn_parallel(N, (double)(N * H * W) * (double)(12 + 8 * C), backward_images, &job);
}

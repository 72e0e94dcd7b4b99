/* resample.c — images of another height and width: the nearest pixel, or the two nearest ones along each axis, weighted.
 *
 * Pixel q of an axis has its centre at q + ½.  That of n pixels which become `out` looks at u = (q + ½) · n / out − ½:
 *
 *     nearest    y[q] = x[⌊u + ½⌋]
 *     bilinear   y[q] = (1 − a) · x[⌊u⌋] + a · x[⌊u⌋ + 1],   a = u − ⌊u⌋,   with u kept between 0 and n − 1
 *     backward   dx[s] = Σ over the q that look at s of weight · dy[q]
 *
 * along the columns and along the rows.  A pixel of weight 0 is not read, so its NaN or infinity goes nowhere.
 * Shapes: x, dx (N, H, W, C); y, dy (N, OH, OW, C).  Assigned; no two arrays overlap.  Threaded over rows of y forward
 * and over rows of dx backward, where each sums what looks at it: no sum is split.  Bound by memory.
 * Twin: fastnn/reference/resample.py.
 */
#include "real.h"

enum {
    BLOCK = 4, /* vectors that take a step together */
    FEW_CHANNELS = 4, /* up to which vectors do not pay */
    PIECE_BYTES = 8192, /* rows are mixed a piece at a time, so that what is mixed stays in L1 */
};

/* ---- what looks at what ---- */

/* Forward: output q of an axis looks at pixel low[q] with weight 1 − upper[q], and at the next one with weight upper[q].
 * Backward: pixel s is looked at by outputs by[start[s]] … by[start[s + 1] − 1], in order, with those weights, none 0. */
struct axis {
    ptrdiff_t n, out;
    ptrdiff_t *low; /* (out,), ascending */
    real *upper; /* (out,) */
    ptrdiff_t *start, *by; /* (n + 1,), (2 · out,) */
    real *weight; /* (2 · out,) */
};

struct resample {
    real *to; /* y forward, dx backward */
    const real *from; /* x forward, dy backward */
    ptrdiff_t N, C;
    struct axis rows, columns;
};

static void fill_axis(struct axis *axis, int interpolation) {
    ptrdiff_t unit = 2 * axis->out; /* places are counted in parts of a pixel, 1 / unit each */
    for (ptrdiff_t q = 0; q < axis->out; q++) {
        ptrdiff_t centre = (2 * q + 1) * axis->n, place = most(0, least(centre - axis->out, (axis->n - 1) * unit));
        axis->low[q] = (interpolation == FNN_NEAREST ? centre : place) / unit;
        axis->upper[q] = interpolation == FNN_NEAREST ? 0 : (real)((double)(place % unit) / (double)unit);
    }
    ptrdiff_t entries = 0, first = 0; /* first: the first output that looks at s − 1, or beyond */
    for (ptrdiff_t s = 0; s < axis->n; s++) {
        axis->start[s] = entries;
        for (ptrdiff_t q = first; q < axis->out && axis->low[q] <= s; q++) {
            real weight = axis->low[q] == s ? 1 - axis->upper[q] : axis->upper[q];
            if (axis->low[q] < s) first = q + 1;
            if (weight == 0) continue;
            axis->by[entries] = q;
            axis->weight[entries++] = weight;
        }
    }
    axis->start[axis->n] = entries;
}

/* Both axes, in one scratch buffer; 0 if out of memory. */
static int make_axes(struct resample *job, int interpolation) {
    struct axis *axes[] = {&job->rows, &job->columns};
    ptrdiff_t places = 0, weights = 0;
    for (int i = 0; i < 2; i++) {
        places += 3 * axes[i]->out + axes[i]->n + 1;
        weights += 3 * axes[i]->out;
    }
    ptrdiff_t *free =
        fnn_scratch(FNN_SCRATCH_LISTS, (size_t)places * sizeof(ptrdiff_t) + (size_t)weights * sizeof(real));
    if (!free) return 0;
    real *free_weights = (real *)(free + places);
    for (int i = 0; i < 2; i++) {
        axes[i]->low = free;
        axes[i]->by = free + axes[i]->out;
        axes[i]->start = free + 3 * axes[i]->out;
        free += 3 * axes[i]->out + axes[i]->n + 1;
        axes[i]->upper = free_weights;
        axes[i]->weight = free_weights + axes[i]->out;
        free_weights += 3 * axes[i]->out;
        fill_axis(axes[i], interpolation);
    }
    return 1;
}

static int is_same(const struct axis *axis) { return axis->n == axis->out; }

/* How many of `pixels` are taken at a time, if each has `width` reals. */
static ptrdiff_t piece_of(ptrdiff_t pixels, ptrdiff_t width) {
    return most(1, least(pixels, PIECE_BYTES / (ptrdiff_t)sizeof(real) / width));
}

/* ---- forward: a row of x is stretched to the width of y, and rows of y are mixed from stretched rows ---- */

/* to = (1 − a) · low + a · high */
INLINE void mix(real *to, const real *low, const real *high, real a, ptrdiff_t n) {
    ptrdiff_t i = 0;
    /* The main loop: */
    for (; i + BLOCK * VL <= n; i += BLOCK * VL)
#pragma GCC unroll 4
        for (int v = 0; v < BLOCK; v++)
            store(to + i + v * VL, (1 - a) * load(low + i + v * VL) + a * load(high + i + v * VL));
    /* The tail: */
    for (; i < n; i += VL)
        store_upto(to + i, (1 - a) * load_upto(low + i, n - i) + a * load_upto(high + i, n - i), n - i);
}

/* Columns first..last-1 of y out of a row of x.  A constant C unrolls; 0 means any. */
INLINE void stretch_channels(const int constant, const struct resample *job, real *to, const real *from,
                             ptrdiff_t first, ptrdiff_t last) {
    const ptrdiff_t C = constant ? constant : job->C;
    for (ptrdiff_t q = first; q < last; q++, to += C) {
        const real *cell = from + job->columns.low[q] * C;
        real a = job->columns.upper[q];
        if (constant && a == 0)
            for (ptrdiff_t c = 0; c < C; c++) to[c] = cell[c];
        else if (constant)
            for (ptrdiff_t c = 0; c < C; c++) to[c] = (1 - a) * cell[c] + a * cell[C + c];
        else if (a == 0) memcpy(to, cell, (size_t)C * sizeof(real));
        else mix(to, cell, cell + C, a, C);
    }
}

#define BY_CHANNELS(function, job, ...)                               \
    switch ((job)->C) {                                               \
    case 1: function(1, job, __VA_ARGS__); break;                     \
    case 2: function(2, job, __VA_ARGS__); break;                     \
    case 3: function(3, job, __VA_ARGS__); break;                     \
    case FEW_CHANNELS: function(FEW_CHANNELS, job, __VA_ARGS__); break; \
    default: function(0, job, __VA_ARGS__);                           \
    }

/* Columns first..last-1 of the rows of x that were stretched last.  A row and the next one are in different buffers. */
struct stretched {
    ptrdiff_t first, last;
    real *buffer[2];
    ptrdiff_t row[2]; /* numbered through all images; -1: none */
};

static const real *row_of_x(const struct resample *job, ptrdiff_t row) {
    return job->from + row * job->columns.n * job->C;
}

static const real *stretched_row(const struct resample *job, struct stretched *rows, ptrdiff_t row) {
    if (is_same(&job->columns)) return row_of_x(job, row) + rows->first * job->C;
    ptrdiff_t slot = row % 2;
    if (rows->row[slot] != row)
        BY_CHANNELS(stretch_channels, job, rows->buffer[slot], row_of_x(job, row), rows->first, rows->last)
    rows->row[slot] = row;
    return rows->buffer[slot];
}

/* The piece `rows->first`..`rows->last - 1` of rows first..last-1 of y. */
static void forward_piece(const struct resample *job, struct stretched *rows, ptrdiff_t first, ptrdiff_t last) {
    const struct axis *axis = &job->rows;
    ptrdiff_t line = job->columns.out * job->C, length = (rows->last - rows->first) * job->C, before = -1;
    for (ptrdiff_t item = first; item < last; item++) {
        ptrdiff_t p = item % axis->out, row = item / axis->out * axis->n + axis->low[p];
        real *y = job->to + item * line + rows->first * job->C, a = axis->upper[p];
        if (a != 0) {
            const real *low = stretched_row(job, rows, row);
            mix(y, low, stretched_row(job, rows, row + 1), a, length);
        } else if (row == before) {
            memcpy(y, y - line, (size_t)length * sizeof(real));
        } else if (rows->row[row % 2] == row || is_same(&job->columns)) {
            memcpy(y, stretched_row(job, rows, row), (size_t)length * sizeof(real));
        } else {
            BY_CHANNELS(stretch_channels, job, y, row_of_x(job, row), rows->first, rows->last)
        }
        before = a == 0 ? row : -1; /* whether the next row may be a copy of this one */
    }
}

/* An item is a row of y. */
static int forward_rows(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct resample *job = context;
    ptrdiff_t piece = piece_of(job->columns.out, job->C), room = piece * job->C;
    real *buffer = fnn_scratch(FNN_SCRATCH_ROWS, (size_t)(2 * room) * sizeof(real));
    if (!buffer) return FNN_NO_MEMORY;
    for (ptrdiff_t q = 0; q < job->columns.out; q += piece) {
        struct stretched rows = {q, least(q + piece, job->columns.out), {buffer, buffer + room}, {-1, -1}};
        forward_piece(job, &rows, first, last);
    }
    return FNN_OK;
}

/* ---- backward: the rows of dy that look at a row of dx are added up, then their columns ---- */

/* `vecs` vectors of a sum, of the last one the first `left`; entries first..last-1, `step` reals from one to the next. */
INLINE void add_block(const int vecs, const struct axis *axis, ptrdiff_t first, ptrdiff_t last, real *to,
                      const real *from, ptrdiff_t step, ptrdiff_t left) {
    vec total[BLOCK];
#pragma GCC unroll 4
    for (int v = 0; v < vecs; v++) total[v] = (vec){0};
    for (ptrdiff_t k = first; k < last; k++) {
        const real *entry = from + axis->by[k] * step;
        real weight = axis->weight[k];
#pragma GCC unroll 4
        for (int v = 0; v < vecs; v++) total[v] += weight * load_upto(entry + v * VL, left);
    }
#pragma GCC unroll 4
    for (int v = 0; v < vecs; v++) store_upto(to + v * VL, total[v], left);
}

/* to[i] = Σ weight · from[by · step + i], i < n, over what looks at s. */
INLINE void add_looks(const struct axis *axis, ptrdiff_t s, real *to, const real *from, ptrdiff_t step, ptrdiff_t n) {
    ptrdiff_t first = axis->start[s], last = axis->start[s + 1], i = 0;
    /* The main loop: */
    for (; i + BLOCK * VL <= n; i += BLOCK * VL) add_block(BLOCK, axis, first, last, to + i, from + i, step, VL);
    /* The tail: */
    for (; i < n; i += VL) add_block(1, axis, first, last, to + i, from + i, step, n - i);
}

/* Columns first..last-1 of a row of dx. */
INLINE void shrink_channels(const int constant, const struct resample *job, real *to, const real *from, ptrdiff_t first,
                            ptrdiff_t last) {
    const struct axis *axis = &job->columns;
    for (ptrdiff_t s = first; s < last; s++) {
        if (!constant) {
            add_looks(axis, s, to + s * job->C, from, job->C, job->C);
            continue;
        }
        real sums[FEW_CHANNELS] = {0};
        for (ptrdiff_t k = axis->start[s]; k < axis->start[s + 1]; k++)
            for (ptrdiff_t c = 0; c < constant; c++) sums[c] += axis->weight[k] * from[axis->by[k] * constant + c];
        for (ptrdiff_t c = 0; c < constant; c++) to[s * constant + c] = sums[c];
    }
}

/* An item is a row of dx. */
static int backward_rows(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct resample *job = context;
    const struct axis *rows = &job->rows, *columns = &job->columns;
    ptrdiff_t C = job->C, line = columns->out * C, piece = piece_of(columns->n, ceil_div(columns->out, columns->n) * C);
    real *room = fnn_scratch(FNN_SCRATCH_ROWS, (size_t)line * sizeof(real));
    if (!room) return FNN_NO_MEMORY;
    for (ptrdiff_t item = first; item < last; item++) {
        const real *dy = job->from + item / rows->n * rows->out * line;
        ptrdiff_t s = item % rows->n;
        real *dx = job->to + item * columns->n * C;
        if (is_same(columns)) {
            add_looks(rows, s, dx, dy, line, line);
            continue;
        }
        for (ptrdiff_t left = 0; left < columns->n; left += piece) {
            ptrdiff_t right = least(left + piece, columns->n), begin = columns->start[left],
                      end = columns->start[right];
            if (!is_same(rows) && end > begin) { /* the columns that look at this piece */
                ptrdiff_t from = columns->by[begin] * C, length = columns->by[end - 1] * C + C - from;
                add_looks(rows, s, room + from, dy + from, line, length);
            }
            const real *sums = is_same(rows) ? dy + s * line : room;
            BY_CHANNELS(shrink_channels, job, dx, sums, left, right)
        }
    }
    return FNN_OK;
}

static int run(fnn_task task, struct resample *job, ptrdiff_t items, int interpolation) {
    if (!make_axes(job, interpolation)) return FNN_NO_MEMORY;
    ptrdiff_t pixels = job->rows.n * job->columns.n + job->rows.out * job->columns.out;
    return fnn_parallel(items, (double)(job->N * pixels * job->C) * sizeof(real), task, job);
}

int FNN(resize2d_forward)(real *y, const real *x, ptrdiff_t N, ptrdiff_t H, ptrdiff_t W, ptrdiff_t C, ptrdiff_t OH,
                          ptrdiff_t OW, int interpolation) {
    struct resample job = {
        .to = y, .from = x, .N = N, .C = C, .rows = {.n = H, .out = OH}, .columns = {.n = W, .out = OW}};
    return run(forward_rows, &job, N * OH, interpolation);
}

int FNN(resize2d_backward)(real *dx, const real *dy, ptrdiff_t N, ptrdiff_t H, ptrdiff_t W, ptrdiff_t C, ptrdiff_t OH,
                           ptrdiff_t OW, int interpolation) {
    struct resample job = {
        .to = dx, .from = dy, .N = N, .C = C, .rows = {.n = H, .out = OH}, .columns = {.n = W, .out = OW}};
    return run(backward_rows, &job, N * H, interpolation);
}

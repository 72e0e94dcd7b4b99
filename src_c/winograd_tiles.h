/* winograd_tiles.h — tiles of Winograd's algorithm: 4 x 4 outputs of windows of 3 x 3 from 36 products instead of 144.
 *
 *     y  = Aᵀ [ Σ_c U ⊙ V ] A        U = G w Gᵀ,  V = Bᵀ d B,  d the 6 x 6 pixels that 4 x 4 outputs (a tile) depend on
 *     dw = Gᵀ [ Σ_tiles V ⊙ Z ] G    Z = A dz Aᵀ
 *
 *          4  0 -5  0  1  0           ¼   0   0
 *          0  4  0 -5  0  1           0   0   1               1  0  1  1  1  1
 *     Bᵀ = 0 -4 -4  1  1  0      G = -⅙  -⅙  -⅙          Aᵀ = 0  0  1 -1  2 -2
 *          0  4 -4 -1  1  0          -⅙   ⅙  -⅙               0  0  1  1  4  4
 *          0 -2 -1  2  1  0          1/24 1/12 ⅙              0  1  1 -1  8 -8
 *          0  2 -1 -2  1  0          1/24 -1/12 ⅙
 *
 * The rows belong to the points 0, ∞, 1, -1, 2, -2 at which polynomials are multiplied; rows 2p and 2p + 1 share sums.
 * The filters here are 3G: halves and quarters of integers are exact, and so is the product with 1/9 that ends a tile, where
 * the result is an integer.  Hence the algorithm equals the definition bit for bit on small integers.
 *
 * A transform of two dimensions is one down the columns, then one along the rows.  The first works on whole lines of the image,
 * which neighbouring tiles share: a strip, some tiles beside each other, becomes six lines that stay in L1.  Pixels outside
 * the image are zeros in these lines, so no image is padded.
 * Source: Lavin, Gray, "Fast Algorithms for Convolutional Neural Networks", CVPR 2016.
 */
#ifndef FNN_WINOGRAD_TILES_H
#define FNN_WINOGRAD_TILES_H

#include "conv.h"

enum {
    OUTPUTS = 4, /* the side of a tile */
    SIDE = 6, /* of the pixels that it depends on */
    PLACES = SIDE * SIDE,
    TAPS = 3,
    ALL_ROWS = -1,
    LINE_BYTES = 32 << 10, /* of the lines of a strip */
    SKEW = 64 / (int)sizeof(real), /* planes and rows start in different sets of the caches */
    NOT_FINITE = -1, /* a status: compute it another way */
};

/* ---- the transforms of one dimension ---- */

INLINE void transform_pixels(const vec d[SIDE], vec v[SIDE]) { /* Bᵀ d */
    v[0] = (d[4] - d[2] * 5) + d[0] * 4;
    v[1] = (d[5] - d[3] * 5) + d[1] * 4;
    vec even = d[4] - d[2] * 4, odd = d[3] - d[1] * 4;
    v[2] = even + odd;
    v[3] = even - odd;
    even = d[4] - d[2], odd = d[3] - d[1];
    v[4] = even + odd * 2;
    v[5] = even - odd * 2;
}

INLINE void transform_gradients(const vec dz[OUTPUTS], vec z[SIDE]) { /* A dz */
    z[0] = dz[0];
    z[1] = dz[3];
    vec even = dz[0] + dz[2], odd = dz[1] + dz[3];
    z[2] = even + odd;
    z[3] = even - odd;
    even = dz[0] + dz[2] * 4, odd = dz[1] + dz[3] * 4;
    z[4] = even + odd * 2;
    z[5] = even - odd * 2;
}

INLINE void transform_products(const vec m[SIDE], vec y[OUTPUTS]) { /* Aᵀ m */
    const vec even = m[2] + m[3], odd = m[2] - m[3], even_of_2 = m[4] + m[5], odd_of_2 = m[4] - m[5];
    y[0] = (m[0] + even) + even_of_2;
    y[1] = odd + odd_of_2 * 2;
    y[2] = even + even_of_2 * 4;
    y[3] = (m[1] + odd) + odd_of_2 * 8;
}

INLINE void transform_filters(const vec w[TAPS], vec u[SIDE]) { /* 3G w */
    u[0] = w[0] * (real)0.75;
    u[1] = w[2] * 3;
    vec even = (w[0] + w[2]) * (real)-0.5, odd = w[1] * (real)-0.5;
    u[2] = even + odd;
    u[3] = even - odd;
    even = w[0] * (real)0.125 + w[2] * (real)0.5, odd = w[1] * (real)0.25;
    u[4] = even + odd;
    u[5] = even - odd;
}

INLINE void transform_sums(const vec s[SIDE], vec w[TAPS]) { /* (3G)ᵀ s */
    const vec even = s[2] + s[3], odd = s[2] - s[3], even_of_2 = s[4] + s[5], odd_of_2 = s[4] - s[5];
    w[0] = s[0] * (real)0.75 - even * (real)0.5 + even_of_2 * (real)0.125;
    w[1] = odd_of_2 * (real)0.25 - odd * (real)0.5;
    w[2] = s[1] * 3 + (even_of_2 - even) * (real)0.5;
}

static const real ONE_NINTH = (real)1 / 9; /* undoes 3G on both sides */

/* Whether a pair of rows, or all of them, has row i. */
INLINE int has_row(const int pair, const int i) { return pair == ALL_ROWS || i / 2 == pair; }

/* ---- geometry ---- */

/* A convolution as tiles see it: images (N,H,W,C) are read, outputs (N,OH,OW,F) written or, for dw, read. */
struct tiling {
    ptrdiff_t N, H, W, C, OH, OW, F, top, left;
    ptrdiff_t down, across, tiles; /* rows of tiles in an image; tiles in a row of them, in all */
    ptrdiff_t pieces, of_image, strips; /* strips in a row of tiles, in an image, in all */
    ptrdiff_t longest; /* tiles of a strip */
    ptrdiff_t line; /* reals of a line of pixels or of outputs, the wider of the two */
};

/* Some tiles beside each other; their first output. */
struct strip {
    ptrdiff_t image, row, column, tiles;
};

static struct tiling make_tiling(ptrdiff_t N, ptrdiff_t H, ptrdiff_t W, ptrdiff_t C, ptrdiff_t OH, ptrdiff_t OW,
                                 ptrdiff_t F, ptrdiff_t top, ptrdiff_t left) {
    struct tiling t = {.N = N, .H = H, .W = W, .C = C, .OH = OH, .OW = OW, .F = F, .top = top, .left = left};
    const ptrdiff_t of_tile = SIDE * OUTPUTS * C * (ptrdiff_t)sizeof(real);
    t.down = ceil_div(OH, OUTPUTS);
    t.across = ceil_div(OW, OUTPUTS);
    t.tiles = N * t.down * t.across;
    t.pieces = ceil_div(t.across, most(1, LINE_BYTES / most(1, of_tile)));
    t.of_image = t.down * t.pieces;
    t.strips = N * t.of_image;
    t.longest = ceil_div(t.across, most(1, t.pieces));
    t.line = most((t.longest * OUTPUTS + SIDE - OUTPUTS) * C, t.longest * OUTPUTS * F) + VL;
    return t;
}

INLINE struct strip strip_of(const struct tiling *t, ptrdiff_t number) {
    const ptrdiff_t within = number % t->of_image, piece = within % t->pieces, first = t->across * piece / t->pieces;
    return (struct strip){number / t->of_image, within / t->pieces * OUTPUTS, first * OUTPUTS,
                          t->across * (piece + 1) / t->pieces - first};
}

/* The number of its first tile. */
INLINE ptrdiff_t first_tile(const struct tiling *t, const struct strip *s) {
    return (s->image * t->down + s->row / OUTPUTS) * t->across + s->column / OUTPUTS;
}

/* ---- lines of a strip ---- */

/* A part of an image, `columns` pixels wide, from a row and column that may lie outside. */
struct part {
    const real *image;
    ptrdiff_t height, width, channels; /* of the image */
    ptrdiff_t row, column, columns;
};

INLINE struct part pixels_of(const struct tiling *t, const real *x, const struct strip *s) {
    return (struct part){x + s->image * t->H * t->W * t->C,  t->H, t->W, t->C, s->row - t->top, s->column - t->left,
                         s->tiles * OUTPUTS + SIDE - OUTPUTS};
}

INLINE struct part outputs_of(const struct tiling *t, const real *dz, const struct strip *s) {
    return (struct part){
        dz + s->image * t->OH * t->OW * t->F, t->OH, t->OW, t->F, s->row, s->column, s->tiles * OUTPUTS};
}

/* Down the columns of a part: `count` rows of it, of pixels or else of gradients, become the rows of a pair, or all six, each at
 * lines + i · length.  `zeros` is a line of them. */
INLINE void make_lines(const int pair, const int count, const struct part *p, real *lines, ptrdiff_t length,
                       const real *zeros) {
    const ptrdiff_t C = p->channels, from = least(p->columns, most(0, -p->column));
    const ptrdiff_t to = most(from, least(p->columns, p->width - p->column)), inside = (to - from) * C;
    const real *row[SIDE];
    for (int i = 0; i < count; i++) {
        const ptrdiff_t h = p->row + i;
        row[i] = h >= 0 && h < p->height ? p->image + (h * p->width + p->column + from) * C : zeros;
    }
    for (int i = 0; i < SIDE; i++)
        if (has_row(pair, i)) {
            memset(lines + i * length, 0, (size_t)(from * C) * sizeof(real));
            memset(lines + i * length + to * C, 0, (size_t)((p->columns - to) * C) * sizeof(real));
        }
    lines += from * C;
    for (ptrdiff_t k = 0; k < inside; k += VL) { /* beyond the last pixel: zeros, or the end of the line */
        vec in[SIDE], out[SIDE];
#pragma GCC unroll 6
        for (int i = 0; i < count; i++) in[i] = load_upto(row[i] + k, inside - k);
        if (count == SIDE) transform_pixels(in, out);
        else transform_gradients(in, out);
#pragma GCC unroll 6
        for (int i = 0; i < SIDE; i++)
            if (has_row(pair, i)) store(lines + i * length + k, out[i]);
    }
}

/* Where the planes of the transformed pixels or gradients are: the number of (place, tile, channel) is
 * place · plane + channel / width · panel + tile · step + channel % width. */
struct planes {
    real *first;
    ptrdiff_t plane, width, panel, step;
};

/* Along the rows: the lines of a strip, `pixel` reals a pixel, become tiles first.. of the planes.  Lanes beyond the last channel
 * hold anything. */
INLINE void make_tiles(const int pair, const int count, const real *lines, ptrdiff_t length, ptrdiff_t pixel,
                       ptrdiff_t channels, ptrdiff_t tiles, const struct planes *to, ptrdiff_t first) {
    for (ptrdiff_t tile = 0; tile < tiles; tile++)
        for (ptrdiff_t c = 0; c < channels; c += VL) {
            real *at = to->first + c / to->width * to->panel + (first + tile) * to->step + c % to->width;
            const real *from = lines + tile * OUTPUTS * pixel + c;
#pragma GCC unroll 6
            for (int i = 0; i < SIDE; i++) {
                if (!has_row(pair, i)) continue;
                vec in[SIDE], out[SIDE];
#pragma GCC unroll 6
                for (int j = 0; j < count; j++) in[j] = load(from + i * length + j * pixel);
                if (count == SIDE) transform_pixels(in, out);
                else transform_gradients(in, out);
                const int row = pair == ALL_ROWS ? i : i % 2;
#pragma GCC unroll 6
                for (int j = 0; j < SIDE; j++) store(at + (row * SIDE + j) * to->plane, out[j]);
            }
        }
}

/* The first `left` lanes, at most all; the others 0. */
INLINE vec lanes_upto(vec v, ptrdiff_t left) {
    return left >= VL ? v : choose(lane_numbers() < (ivec){0} + (real_int)left, v, (vec){0});
}

/* Memory for the lines of a strip and a line of zeros, after `reals` others, the first of which it gives. */
static real *lines_after(const struct tiling *t, ptrdiff_t reals) {
    real *memory = fnn_scratch(FNN_SCRATCH_IMAGE, (size_t)(reals + (SIDE + 1) * t->line) * sizeof(real));
    if (memory) memset(memory + reals + SIDE * t->line, 0, (size_t)t->line * sizeof(real));
    return memory;
}

/* Whether x is finite in all lanes that a task has seen: `odd` is their sum of x·0. */
INLINE int all_finite(vec odd) {
    int finite = 1;
    for (int i = 0; i < VL; i++) finite &= odd[i] == 0;
    return finite;
}

#endif

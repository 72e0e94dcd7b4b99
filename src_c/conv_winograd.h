/* conv_winograd.h — windows of 3 x 3 with stride 1: 16 multiplications for 2 x 2 outputs, where the definition has 36.
 *
 *     y  = Aᵀ [ Σ_c U ⊙ V ] A        U = G w Gᵀ,  V = Bᵀ d B,  d the 4 x 4 pixels that 2 x 2 outputs (a tile) depend on
 *     dw = Gᵀ [ Σ_tiles V ⊙ Z ] G    Z = A dz Aᵀ;   dx is y of dz with the windows turned round, channels and filters exchanged
 *
 *          1  0 -1  0          1  0  0
 *     Bᵀ = 0  1  1  0      G = ½  ½  ½      Aᵀ = 1  1  1  0
 *          0 -1  1  0          ½ -½  ½           0  1 -1 -1
 *          0  1  0 -1          0  0  1
 *
 * Each of the 16 positions of ⊙ is a matrix product, (tiles, C) x (C, F) or its transpose.  Blocks of tiles are transformed,
 * multiplied and transformed back while they are in L2.  Tiles at the border read zeros for pixels outside, so no image is padded.
 *
 * A NaN or infinity in x or w would spread over its tile.  So results that are not finite are noticed, and the caller computes all
 * again by the direct algorithm.  Threaded over blocks of tiles; dw over parts that the shape fixes: no sum depends on threads.
 * Source: Lavin, Gray, "Fast Algorithms for Convolutional Neural Networks", CVPR 2016.
 */
#ifndef FNN_CONV_WINOGRAD_H
#define FNN_CONV_WINOGRAD_H

#include "conv.h"

enum {
    SIDE = 4, /* of the pixels of a tile */
    PLACES = SIDE * SIDE,
    BLOCK_BYTES = 192 << 10, /* of the transformed pixels of a block: with the products they stay in L2 */
    MOST_TILES = 96, /* in a block */
    LEAST_BLOCKS = 16, /* as far as tiles go, so that all threads have work */
    SKEW = 64 / (int)sizeof(real), /* places of a block start in different sets of the caches */
    NOT_FINITE = -1, /* a status: compute it another way */
};

/* ---- geometry ---- */

/* A convolution as tiles see it: `images` (N,H,W,C) are read, `outputs` (N,OH,OW,F) written or, for dw, read. */
struct tiling {
    ptrdiff_t N, H, W, C, OH, OW, F, top, left;
    ptrdiff_t across, of_image, count; /* tiles in a row of them, in an image, in all */
    ptrdiff_t pixel[PLACES]; /* offsets from the tile's first pixel */
};

static struct tiling make_tiling(ptrdiff_t N, ptrdiff_t H, ptrdiff_t W, ptrdiff_t C, ptrdiff_t OH, ptrdiff_t OW,
                                 ptrdiff_t F, ptrdiff_t top, ptrdiff_t left) {
    struct tiling t = {.N = N, .H = H, .W = W, .C = C, .OH = OH, .OW = OW, .F = F, .top = top, .left = left};
    t.across = ceil_div(OW, 2);
    t.of_image = ceil_div(OH, 2) * t.across;
    t.count = N * t.of_image;
    for (int k = 0; k < PLACES; k++) t.pixel[k] = (k / SIDE * W + k % SIDE) * C;
    return t;
}

struct place {
    ptrdiff_t image, row, column; /* of a tile: its first output, row and column even */
};

INLINE struct place place_of(const struct tiling *t, ptrdiff_t tile) {
    const ptrdiff_t within = tile % t->of_image;
    return (struct place){tile / t->of_image, within / t->across * 2, within % t->across * 2};
}

INLINE void next_place(const struct tiling *t, struct place *at) {
    at->column += 2;
    if (at->column < t->OW) return;
    at->column = 0;
    at->row += 2;
    if (at->row < t->OH) return;
    at->row = 0;
    at->image++;
}

/* The pixels of a tile, row by row; `zeros` for those outside. */
INLINE void find_pixels(const struct tiling *t, const real *x, const struct place *at, const real *zeros,
                        const real *pixel[PLACES]) {
    const ptrdiff_t row = at->row - t->top, column = at->column - t->left;
    const real *first = x + ((at->image * t->H + row) * t->W + column) * t->C;
    if (row >= 0 && column >= 0 && row + SIDE <= t->H && column + SIDE <= t->W) {
#pragma GCC unroll 16
        for (int k = 0; k < PLACES; k++) pixel[k] = first + t->pixel[k];
        return;
    }
    for (int k = 0; k < PLACES; k++) {
        const ptrdiff_t h = row + k / SIDE, w = column + k % SIDE;
        pixel[k] = h >= 0 && w >= 0 && h < t->H && w < t->W ? first + t->pixel[k] : zeros;
    }
}

/* Whether x is finite in all lanes that a task has seen: `odd` is their sum of x·0. */
INLINE int all_finite(vec odd) {
    int finite = 1;
    for (int i = 0; i < VL; i++) finite &= odd[i] == 0;
    return finite;
}

/* ---- the transforms of one vector: of pixels, products, filters, and of gradients ---- */

/* Row i of Bᵀ times a and b, the two pixels that it combines. */
INLINE vec combine_row(const int i, vec a, vec b) { return i == 1 ? a + b : i == 2 ? b - a : a - b; }
INLINE int first_of_row(const int i) { return i == 0 ? 0 : 1; }
INLINE int second_of_row(const int i) { return i == 3 ? 3 : 2; }

/* Row i of V = Bᵀ d B. */
INLINE void pixels_row(const int i, const real *const pixel[PLACES], ptrdiff_t c, ptrdiff_t left, vec v[SIDE]) {
    vec d[SIDE];
#pragma GCC unroll 4
    for (int j = 0; j < SIDE; j++)
        d[j] = combine_row(i, load_upto(pixel[first_of_row(i) * SIDE + j] + c, left),
                           load_upto(pixel[second_of_row(i) * SIDE + j] + c, left));
#pragma GCC unroll 4
    for (int j = 0; j < SIDE; j++) v[j] = combine_row(j, d[first_of_row(j)], d[second_of_row(j)]);
}

/* ---- packed filters ---- */

struct filter_job {
    real *packed;
    const real *w; /* a tap is (channels, filters) with these steps; its number is `tap`, or 8 - tap if turned */
    ptrdiff_t channels, filters, channel_step, filter_step, tap_step, panels;
    int turned;
};

/* U as panels: for each panel of TILE_COLS filters and each place, channels x columns.  An item is a channel of a panel. */
static int filters_task(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct filter_job *job = context;
    for (ptrdiff_t item = first; item < last; item++) {
        const ptrdiff_t panel = item / job->channels, c = item % job->channels, f = panel * TILE_COLS;
        const ptrdiff_t columns = least(TILE_COLS, job->filters - f), step = columns > VL ? TILE_COLS : VL;
        real *to = job->packed + panel * PLACES * job->channels * TILE_COLS + c * step;
        for (ptrdiff_t j = 0; j < step; j += VL) {
            vec w[3][3], rows[SIDE][3];
            for (int tap = 0; tap < 9; tap++) {
                const real *from = job->w + (job->turned ? 8 - tap : tap) * job->tap_step + c * job->channel_step;
                vec one = {0};
                if (job->filter_step == 1 && columns - j >= VL) one = load(from + f + j);
                else
                    for (ptrdiff_t k = 0; k < least(VL, columns - j); k++)
                        one[k] = from[(f + j + k) * job->filter_step];
                w[tap / 3][tap % 3] = one;
            }
            for (int s = 0; s < 3; s++) { /* G w */
                const vec ends = (w[0][s] + w[2][s]) * (real)0.5, middle = w[1][s] * (real)0.5;
                rows[0][s] = w[0][s];
                rows[1][s] = ends + middle;
                rows[2][s] = ends - middle;
                rows[3][s] = w[2][s];
            }
            for (int i = 0; i < SIDE; i++) { /* times Gᵀ */
                const vec ends = (rows[i][0] + rows[i][2]) * (real)0.5, middle = rows[i][1] * (real)0.5;
                const vec u[SIDE] = {rows[i][0], ends + middle, ends - middle, rows[i][2]};
                for (int k = 0; k < SIDE; k++) store(to + (i * SIDE + k) * job->channels * step + j, u[k]);
            }
        }
    }
    return FNN_OK;
}

/* ---- forward, and dx ---- */

struct winograd {
    struct tiling t;
    const real *x, *packed, *b;
    real *y;
    ptrdiff_t panels, block, stride, plane,
        product_plane; /* tiles of a block; reals from tile to tile, place to place */
    int activation;
};

/* V of the tiles of a block: place by place, tile by tile. */
static void transform_pixels(const struct winograd *job, real *v, ptrdiff_t first, ptrdiff_t tiles, const real *zeros) {
    const struct tiling *t = &job->t;
    struct place at = place_of(t, first);
    for (ptrdiff_t tile = 0; tile < tiles; tile++, next_place(t, &at)) {
        const real *pixel[PLACES];
        find_pixels(t, job->x, &at, zeros, pixel);
        for (ptrdiff_t c = 0; c < t->C; c += VL)
#pragma GCC unroll 4
            for (int i = 0; i < SIDE; i++) {
                vec row[SIDE];
                pixels_row(i, pixel, c, t->C - c, row);
#pragma GCC unroll 4
                for (int j = 0; j < SIDE; j++) store(v + (i * SIDE + j) * job->plane + tile * job->stride + c, row[j]);
            }
    }
}

struct product_tile {
    const real *row[TILE_ROWS], *u;
    real *m;
    ptrdiff_t channels;
};

INLINE void winograd_tile(const int rows, const int vecs, const struct product_tile *job) {
    tile c;
    tile_zero(c);
    tile_rows(rows, vecs, job->channels, job->row, 0, job->u, vecs * VL, c);
#pragma GCC unroll 12
    for (int i = 0; i < rows; i++)
#pragma GCC unroll 2
        for (int j = 0; j < vecs; j++) store(job->m + i * TILE_COLS + j * VL, c[i][j]);
}

/* The products of a panel at all places. */
static void multiply_panel(const struct winograd *job, const real *v, real *m, ptrdiff_t tiles, ptrdiff_t panel) {
    const ptrdiff_t C = job->t.C, columns = least(TILE_COLS, job->t.F - panel * TILE_COLS);
    const ptrdiff_t step = columns > VL ? TILE_COLS : VL, groups = ceil_div(tiles, TILE_ROWS);
    const real *u = job->packed + panel * PLACES * C * TILE_COLS;
    for (int place = 0; place < PLACES; place++)
        for (ptrdiff_t group = 0; group < groups; group++) {
            const ptrdiff_t from = tiles * group / groups, rows = tiles * (group + 1) / groups - from;
            struct product_tile one = {
                .u = u + place * C * step, .m = m + place * job->product_plane + from * TILE_COLS, .channels = C};
            for (ptrdiff_t i = 0; i < rows; i++) one.row[i] = v + place * job->plane + (from + i) * job->stride;
            TILE_DISPATCH(winograd_tile, rows, columns, &one);
        }
}

/* y = act(Aᵀ m A + b) of a vector of filters; gives 0, or NaN if a sum is not finite. */
INLINE vec output_vector(const struct winograd *job, const real *m, const struct place *at, ptrdiff_t f,
                         ptrdiff_t left) {
    const struct tiling *t = &job->t;
    vec rows[2][SIDE], y[2][2], odd = {0};
#pragma GCC unroll 4
    for (int j = 0; j < SIDE; j++) {
        vec a = load(m + (SIDE + j) * job->product_plane), b = load(m + (2 * SIDE + j) * job->product_plane);
        rows[0][j] = load(m + j * job->product_plane) + a + b;
        rows[1][j] = a - b - load(m + (3 * SIDE + j) * job->product_plane);
    }
    const vec bias = job->b ? load_upto(job->b + f, left) : (vec){0};
#pragma GCC unroll 2
    for (int i = 0; i < 2; i++) {
        y[i][0] = rows[i][0] + rows[i][1] + rows[i][2];
        y[i][1] = rows[i][1] - rows[i][2] - rows[i][3];
        odd += (y[i][0] + y[i][1]) * 0;
    }
#pragma GCC unroll 2
    for (int i = 0; i < 2; i++)
#pragma GCC unroll 2
        for (int j = 0; j < 2; j++) {
            if (at->row + i >= t->OH || at->column + j >= t->OW) continue;
            real *to = job->y + ((at->image * t->OH + at->row + i) * t->OW + at->column + j) * t->F + f;
            vec z = y[i][j] + bias;
            store_upto(to, job->activation == FNN_RELU ? vec_activation(FNN_RELU, z, 0) : z, left);
            if (job->activation > FNN_RELU) activate(to, least(VL, left), job->activation);
        }
    return left >= VL ? odd : choose(lane_numbers() < (ivec){0} + (real_int)left, odd, (vec){0});
}

/* An item is a block of tiles. */
static int winograd_task(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct winograd *job = context;
    const struct tiling *t = &job->t;
    const ptrdiff_t zeros = round_up(t->C, VL);
    real *v = fnn_scratch(FNN_SCRATCH_IMAGE, (size_t)(PLACES * job->plane + zeros) * sizeof(real));
    real *m = fnn_scratch(FNN_SCRATCH_ROWS, (size_t)(PLACES * job->product_plane) * sizeof(real));
    if (!v || !m) return FNN_NO_MEMORY;
    memset(v + PLACES * job->plane, 0, (size_t)zeros * sizeof(real));
    vec odd = {0};
    for (ptrdiff_t block = first; block < last; block++) {
        const ptrdiff_t from = block * job->block, tiles = least(job->block, t->count - from);
        transform_pixels(job, v, from, tiles, v + PLACES * job->plane);
        for (ptrdiff_t panel = 0; panel < job->panels; panel++) {
            multiply_panel(job, v, m, tiles, panel);
            struct place at = place_of(t, from);
            for (ptrdiff_t tile = 0; tile < tiles; tile++, next_place(t, &at))
                for (ptrdiff_t f = panel * TILE_COLS; f < least(t->F, (panel + 1) * TILE_COLS); f += VL)
                    odd += output_vector(job, m + tile * TILE_COLS + f % TILE_COLS, &at, f, t->F - f);
        }
    }
    return all_finite(odd) ? FNN_OK : NOT_FINITE;
}

static int winograd_run(struct winograd *job, struct filter_job *filters) {
    const struct tiling *t = &job->t;
    job->panels = ceil_div(t->F, TILE_COLS);
    job->stride = round_up(t->C, VL);
    ptrdiff_t fits = BLOCK_BYTES / (PLACES * job->stride * (ptrdiff_t)sizeof(real));
    ptrdiff_t wanted = round_up(ceil_div(t->count, LEAST_BLOCKS), TILE_ROWS);
    job->block = most(TILE_ROWS, least(least(fits, MOST_TILES), wanted) / TILE_ROWS * TILE_ROWS);
    job->plane = job->block * job->stride + SKEW;
    job->product_plane = job->block * TILE_COLS + SKEW;
    const ptrdiff_t items = job->panels * t->C;
    real *packed = fnn_scratch(FNN_SCRATCH_PANELS, (size_t)(items * PLACES * TILE_COLS) * sizeof(real));
    if (!packed) return FNN_NO_MEMORY;
    filters->packed = packed;
    filters->channels = t->C;
    filters->filters = t->F;
    job->packed = packed;
    fnn_parallel(items, (double)items * TILE_COLS * 50, filters_task, filters);
    const double work = 2.0 * PLACES * (double)t->count * (double)t->C * (double)t->F;
    return fnn_parallel(ceil_div(t->count, job->block), work, winograd_task, job);
}

static int winograd_forward(real *y, const real *x, const real *w, const real *b, const struct geometry *g,
                            int activation) {
    const struct fnn_conv *s = &g->shape;
    struct winograd job = {.x = x, .b = b, .y = y, .activation = activation};
    job.t = make_tiling(s->N, s->H, s->W, s->C, s->OH, s->OW, s->F, s->top, s->left);
    struct filter_job filters = {.w = w, .channel_step = s->F, .filter_step = 1, .tap_step = s->C * s->F};
    return winograd_run(&job, &filters);
}

static int winograd_input_gradient(real *dx, const real *dz, const real *w, const struct geometry *g) {
    const struct fnn_conv *s = &g->shape;
    struct winograd job = {.x = dz, .y = dx, .activation = FNN_LINEAR};
    job.t = make_tiling(s->N, s->OH, s->OW, s->F, s->H, s->W, s->C, 2 - s->top, 2 - s->left);
    struct filter_job filters = {.w = w, .channel_step = 1, .filter_step = s->F, .tap_step = s->C * s->F, .turned = 1};
    return winograd_run(&job, &filters);
}

/* ---- dw ---- */

enum {
    GRADIENT_TILES = 64, /* in a block */
    TILES_OF_CHUNK = 1536, /* at least, in a chunk with sums of its own */
    MOST_TILE_CHUNKS = 8,
    FILTERS_OF_PART = 64,
};

struct winograd_gradient {
    struct tiling t;
    const real *x, *dz;
    real *sums, *dw; /* sums (chunks, PLACES, C, F) */
    ptrdiff_t chunks, parts, stride, plane, z_stride, z_plane;
};

/* Row i of V and of Z for some tiles, filters f0.. of Z. */
INLINE void transform_row(const int i, const struct winograd_gradient *job, real *v, real *z, ptrdiff_t first,
                          ptrdiff_t tiles, ptrdiff_t f0, ptrdiff_t filters, const real *zeros) {
    const struct tiling *t = &job->t;
    struct place at = place_of(t, first);
    for (ptrdiff_t tile = 0; tile < tiles; tile++, next_place(t, &at)) {
        const real *pixel[PLACES];
        find_pixels(t, job->x, &at, zeros, pixel);
        for (ptrdiff_t c = 0; c < t->C; c += VL) {
            vec row[SIDE];
            pixels_row(i, pixel, c, t->C - c, row);
#pragma GCC unroll 4
            for (int j = 0; j < SIDE; j++) store(v + j * job->plane + tile * job->stride + c, row[j]);
        }
        const real *dz = job->dz + ((at.image * t->OH + at.row) * t->OW + at.column) * t->F + f0;
        const int below = at.row + 1 < t->OH, beside = at.column + 1 < t->OW;
        const real *upper = dz, *right = beside ? dz + t->F : zeros;
        const real *lower = below ? dz + t->OW * t->F : zeros,
                   *last = below && beside ? dz + (t->OW + 1) * t->F : zeros;
        for (ptrdiff_t f = 0; f < filters; f += VL) {
            const ptrdiff_t left = filters - f;
            vec a = load_upto(upper + f, left), b = load_upto(right + f, left); /* row i of A times dz */
            vec c = load_upto(lower + f, left), d = load_upto(last + f, left);
            a = i == 0 ? a : i == 1 ? a + c : i == 2 ? a - c : -c;
            b = i == 0 ? b : i == 1 ? b + d : i == 2 ? b - d : -d;
            const vec row[SIDE] = {a, a + b, a - b, -b};
#pragma GCC unroll 4
            for (int j = 0; j < SIDE; j++) store(z + j * job->z_plane + tile * job->z_stride + f, row[j]);
        }
    }
}

struct sums_tile {
    const real *v, *z;
    real *sums;
    ptrdiff_t stride, z_stride, tiles, F, columns;
    int add;
};

INLINE void sums_of_tile(const int rows, const int vecs, const struct sums_tile *job) {
    tile c;
    tile_zero(c);
    if (job->add) tile_add(rows, vecs, c, job->sums, job->F, job->columns);
    tile_columns(rows, vecs, job->tiles, job->v, job->stride, job->z, job->z_stride, c);
    tile_store(rows, vecs, c, job->sums, job->F, job->columns);
}

/* An item is a row of places, some filters, and a chunk of the tiles. */
static int winograd_gradient_task(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct winograd_gradient *job = context;
    const struct tiling *t = &job->t;
    const ptrdiff_t zeros = most(round_up(t->C, VL), FILTERS_OF_PART), pieces = ceil_div(t->C, TILE_ROWS);
    real *v = fnn_scratch(FNN_SCRATCH_IMAGE, (size_t)(SIDE * job->plane + zeros) * sizeof(real));
    real *z = fnn_scratch(FNN_SCRATCH_ROWS, (size_t)(SIDE * job->z_plane) * sizeof(real));
    if (!v || !z) return FNN_NO_MEMORY;
    const real *outside = memset(v + SIDE * job->plane, 0, (size_t)zeros * sizeof(real));
    for (ptrdiff_t item = first; item < last; item++) {
        const int i = (int)(item % SIDE);
        const ptrdiff_t part = item / SIDE % job->parts, chunk = item / SIDE / job->parts;
        const ptrdiff_t f0 = t->F * part / job->parts, filters = t->F * (part + 1) / job->parts - f0;
        const ptrdiff_t begin = t->count * chunk / job->chunks, end = t->count * (chunk + 1) / job->chunks;
        for (ptrdiff_t from = begin; from < end; from += GRADIENT_TILES) {
            const ptrdiff_t tiles = least(GRADIENT_TILES, end - from);
            switch (i) {
            case 0: transform_row(0, job, v, z, from, tiles, f0, filters, outside); break;
            case 1: transform_row(1, job, v, z, from, tiles, f0, filters, outside); break;
            case 2: transform_row(2, job, v, z, from, tiles, f0, filters, outside); break;
            default: transform_row(3, job, v, z, from, tiles, f0, filters, outside);
            }
            for (int j = 0; j < SIDE; j++) {
                real *sums = job->sums + (chunk * PLACES + i * SIDE + j) * t->C * t->F + f0;
                for (ptrdiff_t piece = 0; piece < pieces; piece++) {
                    const ptrdiff_t c = t->C * piece / pieces, rows = t->C * (piece + 1) / pieces - c;
                    for (ptrdiff_t f = 0; f < filters; f += TILE_COLS) {
                        const ptrdiff_t columns = least(TILE_COLS, filters - f);
                        struct sums_tile one = {v + j * job->plane + c,
                                                z + j * job->z_plane + f,
                                                sums + c * t->F + f,
                                                job->stride,
                                                job->z_stride,
                                                tiles,
                                                t->F,
                                                columns,
                                                from > begin};
                        TILE_DISPATCH(sums_of_tile, rows, columns, &one);
                    }
                }
            }
        }
    }
    return FNN_OK;
}

/* dw = Gᵀ sums G, the chunks added in order.  An item is a channel. */
static int winograd_weights_task(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct winograd_gradient *job = context;
    const ptrdiff_t C = job->t.C, F = job->t.F;
    vec odd = {0};
    for (ptrdiff_t c = first; c < last; c++)
        for (ptrdiff_t f = 0; f < F; f += VL) {
            const ptrdiff_t left = F - f;
            vec s[PLACES], rows[3][SIDE];
            for (int k = 0; k < PLACES; k++) {
                s[k] = (vec){0};
                for (ptrdiff_t chunk = 0; chunk < job->chunks; chunk++)
                    s[k] += load_upto(job->sums + ((chunk * PLACES + k) * C + c) * F + f, left);
            }
            for (int j = 0; j < SIDE; j++) { /* Gᵀ sums */
                const vec sum = (s[SIDE + j] + s[2 * SIDE + j]) * (real)0.5;
                rows[0][j] = s[j] + sum;
                rows[1][j] = (s[SIDE + j] - s[2 * SIDE + j]) * (real)0.5;
                rows[2][j] = sum + s[3 * SIDE + j];
            }
            for (int i = 0; i < 3; i++) { /* times G */
                const vec sum = (rows[i][1] + rows[i][2]) * (real)0.5;
                const vec w[3] = {rows[i][0] + sum, (rows[i][1] - rows[i][2]) * (real)0.5, sum + rows[i][3]};
                for (int k = 0; k < 3; k++) {
                    store_upto(job->dw + ((i * 3 + k) * C + c) * F + f, w[k], left);
                    odd += w[k] * 0;
                }
            }
        }
    return all_finite(odd) ? FNN_OK : NOT_FINITE;
}

static int winograd_weight_gradient(real *dw, const real *dz, const real *x, const struct geometry *g) {
    const struct fnn_conv *s = &g->shape;
    struct winograd_gradient job = {.x = x, .dz = dz, .dw = dw};
    job.t = make_tiling(s->N, s->H, s->W, s->C, s->OH, s->OW, s->F, s->top, s->left);
    const struct tiling *t = &job.t;
    if (t->count == 0) {
        memset(dw, 0, (size_t)(g->K * s->F) * sizeof(real));
        return FNN_OK;
    }
    job.chunks = most(1, least(MOST_TILE_CHUNKS, t->count / TILES_OF_CHUNK));
    job.parts = ceil_div(t->F, FILTERS_OF_PART);
    job.stride = round_up(t->C, VL) + SKEW; /* columns of V are read: lines a power of two apart would share few sets */
    job.plane = GRADIENT_TILES * job.stride + SKEW;
    job.z_stride = round_up(FILTERS_OF_PART, TILE_COLS);
    job.z_plane = GRADIENT_TILES * job.z_stride + SKEW;
    job.sums = fnn_scratch(FNN_SCRATCH_LISTS, (size_t)(job.chunks * PLACES * t->C * t->F) * sizeof(real));
    if (!job.sums) return FNN_NO_MEMORY;
    const double work = 2.0 * PLACES * (double)t->count * (double)t->C * (double)t->F;
    int status = fnn_parallel(SIDE * job.parts * job.chunks, work, winograd_gradient_task, &job);
    if (status != FNN_OK) return status;
    return fnn_parallel(t->C, (double)(job.chunks * PLACES * t->C * t->F), winograd_weights_task, &job);
}

/* ---- where it is used ---- */

static int winograd_computes(const struct geometry *g) {
    const struct fnn_conv *s = &g->shape;
    return s->KH == 3 && s->KW == 3 && s->stride_h == 1 && s->stride_w == 1 && s->dilation_h == 1 &&
           s->dilation_w == 1 && s->groups == 1;
}

enum { FEWEST_CHANNELS = 24, FEWEST_TILES = 16 };

/* Where it is quicker: enough channels to repay the transforms, enough tiles in an image to repay that of the filters, and not too
 * many outputs of tiles outside the image.  The size of the batch has no say: an image has the same bits alone. */
static int winograd_pays(const struct geometry *g) {
    const struct fnn_conv *s = &g->shape;
    const ptrdiff_t tiles = ceil_div(s->OH, 2) * ceil_div(s->OW, 2);
    return winograd_computes(g) && least(s->C, s->F) >= FEWEST_CHANNELS && tiles >= FEWEST_TILES &&
           2 * g->pixels >= 5 * tiles;
}

#endif

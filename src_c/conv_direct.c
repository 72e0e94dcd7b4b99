/* conv_direct.c — convolution without copies: windows are read in place.
 *
 * forward   a tile is TILE_ROWS output pixels x TILE_COLS filters, its rows pointers to windows
 * dw        a tile is TILE_ROWS weights of a run x TILE_COLS filters, summed over the pixels, one image at a time
 * dx        a tile is TILE_ROWS output pixels x TILE_COLS reals of a run, added to their windows
 */
#include "conv_direct.h"

enum { TILES_PER_BLOCK = 16 }; /* they share a panel while their windows stay in L2 */

struct direct {
    struct geometry g;
    const real *images; /* padded */
    struct filters filters; /* of forward */
    const real *panels;     /* of dx */
    const real *b, *dz;     /* b: of forward, or of a transposed convolution */
    real *y, *dw, *dx;
    ptrdiff_t count; /* images in this chunk */
    int add;         /* dw: add to the sums of earlier chunks */
    int activation;
};

/* ---- forward ---- */

struct pixel_tile {
    const struct direct *conv;
    const real *window[TILE_ROWS];
    ptrdiff_t pixel, panel;
};

INLINE void forward_tile(const int rows, const int vecs, const struct pixel_tile *job) {
    const struct direct *conv = job->conv;
    const struct geometry *g = &conv->g;
    ptrdiff_t filter = panel_filter(g, job->panel), group = job->panel / panels_of_group(g);
    tile c;
    tile_zero(c);
    tile_windows(rows, vecs, g, job->window, group * g->channels, &conv->filters, job->panel, c);
    tile_output(rows, vecs, c, conv->y + job->pixel * g->shape.F + filter, g->shape.F, panel_columns(g, job->panel),
                conv->b ? conv->b + filter : NULL, conv->activation);
}

/* Pixels are numbered through the whole chunk. */
static const real *window_of_pixel(const struct direct *conv, ptrdiff_t pixel) {
    const struct geometry *g = &conv->g;
    ptrdiff_t image = pixel / g->pixels, within = pixel % g->pixels;
    return conv->images + image * image_size(g) + window_offset(g, within / g->shape.OW, within % g->shape.OW);
}

/* An item is a block of tiles. */
static int direct_forward_task(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct direct *conv = context;
    const struct geometry *g = &conv->g;
    const ptrdiff_t block = TILES_PER_BLOCK * TILE_ROWS, total = conv->count * g->pixels;
    ptrdiff_t panels = g->shape.groups * panels_of_group(g);
    for (ptrdiff_t start = first * block; start < least(last * block, total); start += block) {
        ptrdiff_t pixels = least(block, total - start), tiles = ceil_div(pixels, TILE_ROWS);
        for (ptrdiff_t panel = 0; panel < panels; panel++)
            for (ptrdiff_t t = 0; t < tiles; t++) { /* tiles of equal size, so that none is thin */
                ptrdiff_t from = pixels * t / tiles, to = pixels * (t + 1) / tiles;
                struct pixel_tile job = {.conv = conv, .pixel = start + from, .panel = panel};
                for (ptrdiff_t i = from; i < to; i++) job.window[i - from] = window_of_pixel(conv, start + i);
                TILE_DISPATCH(forward_tile, to - from, panel_columns(g, panel), &job);
            }
    }
    return FNN_OK;
}

int direct_forward(real *y, const real *x, const real *w, const real *b, const struct geometry *g, int activation) {
    struct direct conv = {.g = *g, .b = b, .activation = activation};
    conv.filters = read_filters(g, w, g->shape.N * g->pixels);
    if (!conv.filters.first) return FNN_NO_MEMORY;
    const struct fnn_conv *s = &g->shape;
    ptrdiff_t step = is_padded(g) ? images_at_a_time(g, image_size(g)) : s->N;
    int status = FNN_OK;
    for (ptrdiff_t n = 0; n < s->N && status == FNN_OK; n += step) {
        conv.count = least(step, s->N - n);
        conv.images = padded_images(g, x + n * s->H * s->W * s->C, conv.count, FNN_SCRATCH_SHARED);
        if (!conv.images) return FNN_NO_MEMORY;
        conv.y = y + n * g->pixels * s->F;
        status = fnn_parallel(ceil_div(conv.count * g->pixels, TILES_PER_BLOCK * TILE_ROWS), conv_flops(g, conv.count),
                              direct_forward_task, &conv);
    }
    return status;
}

/* ---- weight gradient ---- */

struct weight_tile {
    const struct direct *conv;
    const real *image, *dz; /* of one image, starting at the tile's first weight and first filter */
    ptrdiff_t dz_step, k, panel;
    int add;
};

/* Weights k.. of one run: contiguous in the image. */
INLINE void gradient_of_run(const int rows, const int vecs, const struct weight_tile *job) {
    const struct geometry *g = &job->conv->g;
    ptrdiff_t columns = panel_columns(g, job->panel);
    real *dw = job->conv->dw + job->k * g->shape.F + panel_filter(g, job->panel);
    tile c;
    tile_zero(c);
    if (job->add) tile_add(rows, vecs, c, dw, g->shape.F, columns);
    for (ptrdiff_t row = 0; row < g->shape.OH; row++)
        tile_columns(rows, vecs, g->shape.OW, job->image + window_offset(g, row, 0), g->shape.stride_w * g->shape.C,
                     job->dz + row * g->shape.OW * job->dz_step, job->dz_step, c);
    tile_store(rows, vecs, c, dw, g->shape.F, columns);
}

/* Weights k.. of several runs: each has its own position in the image. */
INLINE void gradient_of_runs(const int rows, const int vecs, const struct weight_tile *job) {
    const struct geometry *g = &job->conv->g;
    ptrdiff_t columns = panel_columns(g, job->panel), step = g->shape.stride_w * g->shape.C;
    real *dw = job->conv->dw + job->k * g->shape.F + panel_filter(g, job->panel);
    const real *place[TILE_ROWS];
    for (int i = 0; i < rows; i++)
        place[i] = job->image + run_offset(g, (job->k + i) / g->run_length) + (job->k + i) % g->run_length;
    tile c;
    tile_zero(c);
    if (job->add) tile_add(rows, vecs, c, dw, g->shape.F, columns);
    for (ptrdiff_t row = 0; row < g->shape.OH; row++)
        tile_rows_strided(rows, vecs, g->shape.OW, place, window_offset(g, row, 0), step,
                          job->dz + row * g->shape.OW * job->dz_step, job->dz_step, c);
    tile_store(rows, vecs, c, dw, g->shape.F, columns);
}

/* Runs shorter than a tile are combined. */
static int short_runs(const struct geometry *g) { return g->run_length < TILE_ROWS; }
static ptrdiff_t tiles_of_run(const struct geometry *g) { return ceil_div(g->run_length, TILE_ROWS); }
static ptrdiff_t tiles_of_filter(const struct geometry *g) {
    return short_runs(g) ? ceil_div(g->K, TILE_ROWS) : g->runs * tiles_of_run(g);
}

/* Tile t of a panel; `dz` is the panel's gradient of the image. */
static void gradient_tile(const struct direct *conv, const real *image, ptrdiff_t panel, ptrdiff_t t, const real *dz,
                          ptrdiff_t dz_step, int add) {
    const struct geometry *g = &conv->g;
    ptrdiff_t columns = panel_columns(g, panel), group = panel / panels_of_group(g);
    struct weight_tile job = {conv, image + group * g->channels, dz, dz_step, 0, panel, add};
    if (short_runs(g)) {
        ptrdiff_t tiles = tiles_of_filter(g);
        job.k = g->K * t / tiles;
        ptrdiff_t rows = g->K * (t + 1) / tiles - job.k;
        TILE_DISPATCH(gradient_of_runs, rows, columns, &job);
    } else {
        ptrdiff_t tiles = tiles_of_run(g), run = t / tiles, from = g->run_length * (t % tiles) / tiles;
        ptrdiff_t rows = g->run_length * (t % tiles + 1) / tiles - from;
        job.k = run * g->run_length + from;
        job.image += run_offset(g, run) + from;
        TILE_DISPATCH(gradient_of_run, rows, columns, &job);
    }
}

/* An item is a tile of dw; images are the outer loop, so that an image and its gradient stay in L1 for all tiles. */
static int direct_gradient_task(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct direct *conv = context;
    const struct geometry *g = &conv->g;
    ptrdiff_t F = g->shape.F, tiles = tiles_of_filter(g);
    real *narrow = fnn_scratch(FNN_SCRATCH_TILE, (size_t)(g->pixels * TILE_COLS) * sizeof(real));
    if (!narrow) return FNN_NO_MEMORY;
    for (ptrdiff_t n = 0; n < conv->count; n++) {
        const real *image = conv->images + n * image_size(g), *dz = conv->dz + n * g->pixels * F;
        ptrdiff_t packed = -1;
        for (ptrdiff_t item = first; item < last; item++) {
            ptrdiff_t panel = item / tiles, columns = panel_columns(g, panel);
            const real *panel_dz = dz + panel_filter(g, panel);
            ptrdiff_t step = F;
            if (columns < TILE_COLS && columns != VL) { /* full vectors would read beyond the last filter */
                step = columns > VL ? TILE_COLS : VL;
                if (packed != panel) pack_panel(narrow, panel_dz, F, 1, g->pixels, columns);
                packed = panel;
                panel_dz = narrow;
            }
            gradient_tile(conv, image, panel, item % tiles, panel_dz, step, conv->add || n > 0);
        }
    }
    return FNN_OK;
}

int direct_weight_gradient(real *dw, const real *dz, const real *x, const struct geometry *g) {
    const struct fnn_conv *s = &g->shape;
    struct direct conv = {.g = *g, .dw = dw};
    if (s->N == 0) memset(dw, 0, (size_t)(g->K * s->F) * sizeof(real));
    ptrdiff_t step = is_padded(g) ? images_at_a_time(g, image_size(g)) : s->N;
    int status = FNN_OK;
    for (ptrdiff_t n = 0; n < s->N && status == FNN_OK; n += step) {
        conv.count = least(step, s->N - n);
        conv.add = n > 0;
        conv.images = padded_images(g, x + n * s->H * s->W * s->C, conv.count, FNN_SCRATCH_PANELS);
        if (!conv.images) return FNN_NO_MEMORY;
        conv.dz = dz + n * g->pixels * s->F;
        status = fnn_parallel_parts(s->groups * panels_of_group(g) * tiles_of_filter(g), conv_flops(g, conv.count),
                                    direct_gradient_task, &conv, 2);
    }
    return status;
}

/* ---- input gradient ---- */

/* Wᵀ as panels of (filters of the group) x (TILE_COLS reals of a run), numbered by group, run, position in the run. */
static ptrdiff_t input_panels_of_run(const struct geometry *g) { return ceil_div(g->run_length, TILE_COLS); }

static const real *pack_filters_transposed(const struct geometry *g, const real *w) {
    ptrdiff_t per_run = input_panels_of_run(g), count = g->shape.groups * g->runs * per_run;
    real *panels = fnn_scratch(FNN_SCRATCH_PANELS, (size_t)(count * g->filters * TILE_COLS) * sizeof(real));
    for (ptrdiff_t panel = 0; panels && panel < count; panel++) {
        ptrdiff_t group = panel / (g->runs * per_run), run = panel / per_run % g->runs,
                  from = panel % per_run * TILE_COLS;
        const real *first = w + (run * g->run_length + from) * g->shape.F + group * g->filters;
        pack_panel(panels + panel * g->filters * TILE_COLS, first, 1, g->shape.F, g->filters,
                   least(TILE_COLS, g->run_length - from));
    }
    return panels;
}

struct input_tile {
    const struct geometry *g;
    const real *dz[TILE_ROWS]; /* pixels, starting at the group's first filter */
    real *window[TILE_ROWS];   /* where this part of the run starts */
    const real *panel;
    ptrdiff_t columns;
};

/* The last reals of a run, from lines (rows, TILE_COLS). */
ONE_COPY void add_edge_to_windows(const struct input_tile *job, const real *lines, ptrdiff_t rows) {
    for (ptrdiff_t i = 0; i < rows; i++)
        for (ptrdiff_t j = 0; j < job->columns; j += VL) {
            real *at = job->window[i] + j;
            ptrdiff_t left = job->columns - j;
            store_upto(at, load_upto(at, left) + load(lines + i * TILE_COLS + j), left);
        }
}

INLINE void input_gradient_tile(const int rows, const int vecs, const struct input_tile *job) {
    tile c;
    tile_zero(c);
    tile_rows(rows, vecs, job->g->filters, job->dz, 0, job->panel, vecs * VL, c);
    if (job->columns < vecs * VL) {
        real lines[TILE_ROWS * TILE_COLS];
        tile_store_whole(rows, vecs, c, lines, TILE_COLS);
        add_edge_to_windows(job, lines, rows);
        return;
    }
#pragma GCC unroll 12
    for (int i = 0; i < rows; i++) /* one at a time: windows of neighbours may overlap */
#pragma GCC unroll 2
        for (int j = 0; j < vecs; j++) {
            real *at = job->window[i] + j * VL;
            store(at, load(at) + c[i][j]);
        }
}

/* A band is some rows of an image: a few large images are work for all threads.  How many bands there are depends on the shape
 * alone. */
enum { MOST_BANDS = 16, BAND_TILES = 4 };

static ptrdiff_t bands_of_image(const struct geometry *g) {
    ptrdiff_t wanted = ceil_div(MOST_BANDS, most(1, g->shape.N)), room = g->pixels / (BAND_TILES * TILE_ROWS);
    return most(1, least(least(wanted, room), g->shape.H));
}

/* Each pixel of a band starts at the bias, or at 0. */
static void clear_band(real *band, const real *b, ptrdiff_t pixels, ptrdiff_t C) {
    if (!b) memset(band, 0, (size_t)(pixels * C) * sizeof(real));
    else
        for (ptrdiff_t i = 0; i < pixels; i++) memcpy(band + i * C, b, (size_t)C * sizeof(real));
}

/* dx of rows first..last-1 of a (padded) image; `band` is the first of them. */
static void direct_input_band(const struct direct *conv, real *band, ptrdiff_t first, ptrdiff_t last, const real *dz) {
    const struct geometry *g = &conv->g;
    const struct fnn_conv *s = &g->shape;
    ptrdiff_t per_run = input_panels_of_run(g), panels = s->groups * g->runs * per_run, OW = s->OW;
    ptrdiff_t line = g->image_width * s->C;
    clear_band(band, conv->b, (last - first) * g->image_width, s->C);
    for (ptrdiff_t panel = 0; panel < panels; panel++) {
        ptrdiff_t group = panel / (g->runs * per_run), run = panel / per_run % g->runs,
                  from = panel % per_run * TILE_COLS;
        ptrdiff_t down = run / (g->runs / s->KH) * s->dilation_h; /* from the top of a window */
        ptrdiff_t top =
            least(s->OH, ceil_div(most(0, first - down), s->stride_h)); /* rows of dz whose run is in the band */
        ptrdiff_t bottom = least(s->OH, ceil_div(most(0, last - down), s->stride_h));
        ptrdiff_t place = run_offset(g, run) + group * g->channels + from - first * line;
        ptrdiff_t pixels = (bottom - top) * OW, tiles = ceil_div(pixels, TILE_ROWS), row = top, column = 0;
        struct input_tile job = {.g = g,
                                 .panel = conv->panels + panel * g->filters * TILE_COLS,
                                 .columns = least(TILE_COLS, g->run_length - from)};
        for (ptrdiff_t t = 0; t < tiles; t++) {
            ptrdiff_t rows = pixels * (t + 1) / tiles - pixels * t / tiles;
            for (ptrdiff_t i = 0; i < rows; i++) {
                job.dz[i] = dz + (row * OW + column) * s->F + group * g->filters;
                job.window[i] = band + (window_offset(g, row, column) + place);
                if (++column == OW) {
                    column = 0;
                    row++;
                }
            }
            TILE_DISPATCH(input_gradient_tile, rows, job.columns, &job);
        }
    }
}

/* An item is a band.  Windows over padding go to a band of the thread's own, which is cropped. */
static int direct_input_task(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct direct *conv = context;
    const struct geometry *g = &conv->g;
    const struct fnn_conv *s = &g->shape;
    ptrdiff_t bands = bands_of_image(g), inside = s->W * s->C, line = g->image_width * s->C;
    real *wide = NULL;
    if (line != inside) {
        wide = fnn_scratch(FNN_SCRATCH_IMAGE, (size_t)(ceil_div(s->H, bands) * line) * sizeof(real));
        if (!wide) return FNN_NO_MEMORY;
    }
    for (ptrdiff_t item = first; item < last; item++) {
        ptrdiff_t n = item / bands, from = s->H * (item % bands) / bands, to = s->H * (item % bands + 1) / bands;
        real *dx = conv->dx + (n * s->H + from) * inside;
        direct_input_band(conv, wide ? wide : dx, s->top + from, s->top + to, conv->dz + n * g->pixels * s->F);
        for (ptrdiff_t h = 0; wide && h < to - from; h++)
            memcpy(dx + h * inside, wide + h * line + s->left * s->C, (size_t)inside * sizeof(real));
        if (conv->activation != FNN_LINEAR) activate(dx, (to - from) * inside, conv->activation);
    }
    return FNN_OK;
}

int direct_input_gradient(real *dx, const real *dz, const real *w, const real *b, const struct geometry *g,
                          int activation) {
    struct direct conv = {.g = *g, .dx = dx, .dz = dz, .b = b, .activation = activation};
    conv.panels = pack_filters_transposed(g, w);
    if (!conv.panels) return FNN_NO_MEMORY;
    return fnn_parallel(g->shape.N * bands_of_image(g), conv_flops(g, g->shape.N), direct_input_task, &conv);
}

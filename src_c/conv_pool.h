/* conv_pool.h — a convolution with its pooling windows. */
#ifndef FNN_CONV_POOL_H
#define FNN_CONV_POOL_H

#include "conv.h"

typedef uint8_t bytes __attribute__((vector_size(VL)));

struct pooled {
    struct geometry g;
    ptrdiff_t pool_h, pool_w, cells; /* per window */
    ptrdiff_t P, Q, windows;         /* per image */
    int activation;
    const ptrdiff_t *cell_places; /* cell_offset of every window and cell of an image */
    ptrdiff_t count;    /* images in this chunk */
    const real *images; /* padded */
    struct filters filters;
    ptrdiff_t per_block; /* windows per block */
    const real *b;
    real *y;
    uint8_t *argmax;
};

INLINE struct pooled make_pooled(const struct fnn_conv *shape, ptrdiff_t pool_h, ptrdiff_t pool_w, int activation) {
    struct pooled job = {.g = make_geometry(shape), .pool_h = pool_h, .pool_w = pool_w, .activation = activation};
    job.cells = pool_h * pool_w;
    job.P = shape->OH / pool_h;
    job.Q = shape->OW / pool_w;
    job.windows = job.P * job.Q;
    return job;
}

/* Offset in the image of the convolution window that belongs to this cell of this pooling window. */
INLINE ptrdiff_t cell_offset(const struct pooled *job, ptrdiff_t window, ptrdiff_t cell) {
    return window_offset(&job->g, window / job->Q * job->pool_h + cell / job->pool_w,
                         window % job->Q * job->pool_w + cell % job->pool_w);
}

/* The winning cells of n windows, as bytes in memory and as lanes; n above VL counts as VL. */
INLINE ivec load_winners(const uint8_t *argmax, ptrdiff_t n) {
    bytes narrow = {0};
    if (n >= VL) memcpy(&narrow, argmax, VL); /* a constant size */
    else memcpy(&narrow, argmax, (size_t)n);
    return __builtin_convertvector(narrow, ivec);
}

INLINE void store_winners(uint8_t *argmax, ivec winner, ptrdiff_t n) {
    bytes narrow = __builtin_convertvector(winner, bytes);
    if (n >= VL) memcpy(argmax, &narrow, VL);
    else memcpy(argmax, &narrow, (size_t)n);
}

/* The table of cell_places, in the scratch of shared lists; 0 if out of memory. */
__attribute__((unused)) static int find_cell_places(struct pooled *job) {
    ptrdiff_t count = job->windows * job->cells;
    ptrdiff_t *places = fnn_scratch(FNN_SCRATCH_LISTS, (size_t)count * sizeof(ptrdiff_t));
    for (ptrdiff_t i = 0; places && i < count; i++) places[i] = cell_offset(job, i / job->cells, i % job->cells);
    job->cell_places = places;
    return places != NULL;
}

#endif

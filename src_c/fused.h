/* fused.h — the activation of a dense or convolution layer, applied to its output in place, and its gradient. */
#ifndef FNN_FUSED_H
#define FNN_FUSED_H

#include "activations.h"
#include "tile.h"

/* fused.c: y = act(y), and dz = dy act'(y), for n contiguous reals. */
#define activate FNN(activate)
#define times_slope FNN(times_slope)
void activate(real *y, ptrdiff_t n, int activation);
void times_slope(real *dz, const real *dy, const real *y, ptrdiff_t n, int activation);

INLINE void tile_bias(const int rows, const int vecs, tile c, const real *bias, ptrdiff_t columns) {
#pragma GCC unroll 2
    for (int j = 0; j < vecs; j++) {
        vec b = columns > j * VL ? load_upto(bias + j * VL, columns - j * VL) : (vec){0};
#pragma GCC unroll 12
        for (int i = 0; i < rows; i++) c[i][j] += b;
    }
}

INLINE void tile_relu(const int rows, const int vecs, tile c) {
#pragma GCC unroll 12
    for (int i = 0; i < rows; i++)
#pragma GCC unroll 2
        for (int j = 0; j < vecs; j++) c[i][j] = vec_activation(FNN_RELU, c[i][j], 0);
}

/* out = act(c + bias) for the first rows and columns of a tile; bias may be NULL.  relu is free here; the others make a
 * pass over the stored rows while they are in L1. */
INLINE void tile_output(const int rows, const int vecs, tile c, real *out, ptrdiff_t ld, ptrdiff_t columns,
                        const real *bias, int activation) {
    if (bias) tile_bias(rows, vecs, c, bias, columns);
    if (activation == FNN_RELU) tile_relu(rows, vecs, c);
    tile_store(rows, vecs, c, out, ld, columns);
    if (activation > FNN_RELU)
        for (int i = 0; i < rows; i++) activate(out + i * ld, columns, activation);
}

#endif

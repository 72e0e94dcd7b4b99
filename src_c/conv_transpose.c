/* conv_transpose.c — transposed two-dimensional convolution of NHWC images: each pixel adds its multiple of a window to y.
 *
 *     forward    y[n,p,q,f] = act(b[f] + Σ x[n,h,w,c] · k[i,j,f,c]),   over all h · sh + i · dh − top = p,
 *                                                                               w · sw + j · dw − left = q
 *     backward   dz = dy · act'(y);  dx[n,h,w,c] = Σ_ijf dz[n, h · sh + i · dh − top, w · sw + j · dw − left, f] · k[i,j,f,c]
 *                dk[i,j,f,c] = Σ_nhw dz[the same place, f] · x[n,h,w,c];  db = Σ dz over images and pixels
 *
 * It is the input gradient of the convolution that takes y to x, so the loops are those of conv_direct.h with the parts
 * exchanged: forward is its input gradient, dx its forward, dk its weight gradient.  `shape` describes that convolution:
 * H, W, C are those of y, and F, OH, OW those of x.
 *
 * Shapes: x, dx (N,OH,OW,F); k, dk (KH,KW,C,F); b, db (C,); y, dy (N,H,W,C).  Outputs are assigned and share no memory with
 * inputs; dx and db may be NULL.  Compute-bound.  Threaded over bands of rows of y forward, over tiles of pixels for dx,
 * over tiles of weights for dk: no sum is split.  Twin: fastnn/reference/conv_transpose.py.
 */
#include "conv_direct.h"
#include "bias_gradient.h"

int FNN(conv2d_transpose_forward)(real *y, const real *x, const real *w, const real *b, const struct fnn_conv *shape,
                                  int activation) {
    struct geometry g = make_geometry(shape);
    return direct_input_gradient(y, x, w, b, &g, activation);
}

int FNN(conv2d_transpose_backward)(real *dx, real *dw, real *db, const real *dy, const real *x, const real *w,
                                   const real *y, const struct fnn_conv *shape, int activation) {
    struct geometry g = make_geometry(shape);
    ptrdiff_t pixels = shape->H * shape->W;
    const real *dz;
    int status = gradient_of_bias(&dz, db, dy, y, shape->N * pixels, shape->C, activation);
    if (status != FNN_OK) return status;
    status = direct_weight_gradient(dw, x, dz, &g);
    if (status == FNN_OK && dx) status = direct_forward(dx, dz, w, NULL, &g, FNN_LINEAR);
    return status;
}

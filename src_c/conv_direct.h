/* conv_direct.h — convolution without copies, for conv.c and conv_transpose.c.  conv_direct.c */
#ifndef FNN_CONV_DIRECT_H
#define FNN_CONV_DIRECT_H

#include "conv.h"

#define direct_forward FNN(direct_forward)
#define direct_weight_gradient FNN(direct_weight_gradient)
#define direct_input_gradient FNN(direct_input_gradient)
int direct_forward(real *y, const real *x, const real *w, const real *b, const struct geometry *g, int activation);
int direct_weight_gradient(real *dw, const real *dz, const real *x, const struct geometry *g);
/* dx; as the output of a transposed convolution with a bias (C,) or NULL, and an activation. */
int direct_input_gradient(real *dx, const real *dz, const real *w, const real *b, const struct geometry *g,
                          int activation);

#endif

/* gemm.h — matrix product with bias and activation, for the kernel files that need one. */
#ifndef FNN_GEMM_H
#define FNN_GEMM_H

#include "real.h"

/* C = act(A · B + bias): A is M x K with element (i, p) at a[i * a_row + p * a_column], B is K x N likewise, C is M x N
 * with rows of ldc.  bias (N,) may be NULL.  The step along one of the two axes is 1. */
struct product {
    ptrdiff_t M, N, K;
    const real *a;
    ptrdiff_t a_row, a_column;
    const real *b;
    ptrdiff_t b_row, b_column;
    real *c;
    ptrdiff_t ldc;
    const real *bias;
    int activation; /* FNN_LINEAR .. the last fusible one */
    int add;        /* C = act(C + A · B + bias) */
};

int FNN(product)(const struct product *product);

/* Products of one A, with the same M and K: each as `product` computes it, but the rows of A are read once for all. */
int FNN(products)(const struct product *products, ptrdiff_t count);

#endif

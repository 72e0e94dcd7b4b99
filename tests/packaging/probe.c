/* probe.c — numbers of some kernels in float32, then in float64, for comparison between machines.
 *
 * Inputs are multiples of 1/8, sizes leave a tail on every tier, and products are long enough for blocks and threads.
 */
#include <stdio.h>
#include <stdlib.h>

#include "fnn.h"

enum { M = 67, K = 131, N = 53, ADAM_STEP = 3 };

static unsigned state = 1;

static double draw(void) {
    state = state * 1664525u + 1013904223u;
    return (double)(int)(state >> 28) / 8 - 1;
}

static void *drawn(size_t n, int precision) {
    void *a = malloc(n * sizeof(double));
    if (!a) exit(2);
    for (size_t i = 0; i < n; i++) {
        double x = draw();
        if (precision) ((double *)a)[i] = x;
        else ((float *)a)[i] = (float)x;
    }
    return a;
}

static void show(const void *a, size_t n, int precision) {
    for (size_t i = 0; i < n; i++)
        printf("%.17g\n", precision ? ((const double *)a)[i] : (double)((const float *)a)[i]);
}

static void done(int status) {
    if (status != FNN_OK) exit(3);
}

static void probe(const fnn_kernels *k, int precision) {
    state = 1;
    void *x = drawn(M * K, precision), *w = drawn(K * N, precision), *b = drawn(N, precision);
    void *y = drawn(M * N, precision), *dy = drawn(M * N, precision);
    void *dx = drawn(M * K, precision), *dw = drawn(K * N, precision), *db = drawn(N, precision);

    done(k->gemm_nn(y, x, w, M, N, K));
    show(y, M * N, precision);
    for (int activation = FNN_LINEAR; activation <= FNN_SILU; activation++) {
        done(k->activation_forward(dx, x, K, activation, 0.1));
        show(dx, K, precision);
    }
    done(k->dense_forward(y, x, w, b, M, K, N, FNN_TANH, FNN_AUTO));
    show(y, M * N, precision);
    done(k->dense_backward(dx, dw, db, dy, x, w, y, M, K, N, FNN_TANH, FNN_AUTO));
    show(dx, M * K, precision);
    show(dw, K * N, precision);
    show(db, N, precision);
    done(k->softmax_forward(y, dy, M, N));
    show(y, M * N, precision);

    void *m = drawn(K * N, precision), *v = drawn(K * N, precision);
    done(k->activation_forward(v, v, K * N, FNN_RELU, 0)); /* second moments are not negative */
    done(k->adam_step(w, dw, m, v, NULL, K * N, NULL, ADAM_STEP, 0.01, 0.9, 0.999, 1e-7, 0));
    show(w, K * N, precision);
    void *all[] = {x, w, b, y, dy, dx, dw, db, m, v};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
}

int main(void) {
    for (int precision = 0; precision < FNN_PRECISIONS; precision++) probe(fnn_tier_kernels(0, precision), precision);
    return 0;
}

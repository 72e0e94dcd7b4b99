/* conv.c — two-dimensional convolution of NHWC images.
 *
 *     forward    y[n,p,q,f] = act(b[f] + Σ_ijc x[n, p·sh + i·dh − top, q·sw + j·dw − left, c] · w[i,j,c,f])
 *     backward   dz = dy · act'(y);  dw, dx = its products with x and w, at the same positions;  db = Σ_npq dz
 *
 * Shapes: x, dx (N,H,W,C); w, dw (KH,KW,C/groups,F); b, db (F,); y, dy (N,OH,OW,F).  Outputs are assigned and share no
 * memory with inputs; dx and db may be NULL.  Compute-bound.  Forward is threaded over tiles of pixels, dw over tiles
 * of weights, dx over images: no sum is split.  Twin: fastnn/reference/conv.py.
 *
 * Algorithms: FNN_DIRECT (conv_direct.h) copies only what padding requires; FNN_IM2COL (conv_im2col.h) is the matrix
 * product of the textbooks; FNN_WINOGRAD (conv_winograd.h) has fewer products for windows of 3 x 3.  FNN_AUTO uses that where
 * it is quicker, conv_depthwise.h if every channel is a group, and else the direct one.
 */
#include "bias_gradient.h"
#include "conv_depthwise.h"
#include "conv_direct.h"
#include "conv_im2col.h"
#include "conv_winograd.h"
#include "conv_winograd_gradient.h"

static int is_depthwise(const struct geometry *g) {
    return g->channels == 1 && g->shape.groups == g->shape.C && g->shape.C > 1;
}

static int takes_winograd(const struct geometry *g, int algorithm) {
    return algorithm == FNN_WINOGRAD ? winograd_computes(g) : algorithm == FNN_AUTO && winograd_pays(g);
}

int FNN(conv2d_forward)(real *y, const real *x, const real *w, const real *b, const struct fnn_conv *shape,
                        int activation, int algorithm) {
    struct geometry g = make_geometry(shape);
    if (algorithm == FNN_IM2COL) return im2col_forward(y, x, w, b, &g, activation);
    if (algorithm == FNN_AUTO && is_depthwise(&g)) return depthwise_forward(y, x, w, b, &g, activation);
    if (takes_winograd(&g, algorithm)) {
        int status = winograd_forward(y, x, w, b, &g, activation);
        if (status != NOT_FINITE) return status;
    }
    return direct_forward(y, x, w, b, &g, activation);
}

int FNN(conv2d_backward)(real *dx, real *dw, real *db, const real *dy, const real *x, const real *w, const real *y,
                         const struct fnn_conv *shape, int activation, int algorithm) {
    struct geometry g = make_geometry(shape);
    const real *dz;
    int status = gradient_of_bias(&dz, db, dy, y, shape->N * g.pixels, shape->F, activation);
    if (status != FNN_OK) return status;
    if (algorithm == FNN_IM2COL) {
        status = im2col_weight_gradient(dw, dz, x, &g);
        if (status == FNN_OK && dx) status = im2col_input_gradient(dx, dz, w, &g);
    } else if (algorithm == FNN_AUTO && is_depthwise(&g)) {
        status = depthwise_weight_gradient(dw, dz, x, &g);
        if (status == FNN_OK && dx) status = depthwise_input_gradient(dx, dz, w, &g);
    } else {
        const int tiled = takes_winograd(&g, algorithm);
        status = tiled ? winograd_weight_gradient(dw, dz, x, &g) : NOT_FINITE;
        if (status == NOT_FINITE) status = direct_weight_gradient(dw, dz, x, &g);
        if (status == FNN_OK && dx) {
            status = tiled ? winograd_input_gradient(dx, dz, w, &g) : NOT_FINITE;
            if (status == NOT_FINITE) status = direct_input_gradient(dx, dz, w, NULL, &g, FNN_LINEAR);
        }
    }
    return status;
}

/* ---- the textbooks' im2col and col2im: NCHW images, (N·OH·OW, C·KH·KW) rows ---- */

struct book {
    real *to;
    const real *from;
    const struct fnn_conv *shape;
};

/* The image row that window row i of output row p reads, or -1 outside. */
INLINE ptrdiff_t source(ptrdiff_t p, ptrdiff_t stride, ptrdiff_t i, ptrdiff_t before, ptrdiff_t length) {
    ptrdiff_t at = p * stride + i - before;
    return at < 0 || at >= length ? -1 : at;
}

/* An item is an image; with `back`, rows are added to the image instead of read from it. */
INLINE int book_images(const struct book *job, ptrdiff_t first, ptrdiff_t last, const int back) {
    const struct fnn_conv *s = job->shape;
    ptrdiff_t K = s->C * s->KH * s->KW;
    for (ptrdiff_t n = first; n < last; n++) {
        if (back) memset(job->to + n * s->C * s->H * s->W, 0, (size_t)(s->C * s->H * s->W) * sizeof(real));
        for (ptrdiff_t k = 0; k < K; k++) {
            ptrdiff_t c = k / (s->KH * s->KW), i = k / s->KW % s->KH, j = k % s->KW,
                      plane = (n * s->C + c) * s->H * s->W;
            for (ptrdiff_t p = 0; p < s->OH; p++)
                for (ptrdiff_t q = 0; q < s->OW; q++) {
                    ptrdiff_t h = source(p, s->stride_h, i, s->top, s->H), w = source(q, s->stride_w, j, s->left, s->W);
                    ptrdiff_t row = ((n * s->OH + p) * s->OW + q) * K + k;
                    int inside = h >= 0 && w >= 0;
                    if (!back) job->to[row] = inside ? job->from[plane + h * s->W + w] : 0;
                    else if (inside) job->to[plane + h * s->W + w] += job->from[row];
                }
        }
    }
    return FNN_OK;
}

static int im2col_task(void *job, ptrdiff_t first, ptrdiff_t last) { return book_images(job, first, last, 0); }
static int col2im_task(void *job, ptrdiff_t first, ptrdiff_t last) { return book_images(job, first, last, 1); }

int FNN(im2col)(real *col, const real *x, const struct fnn_conv *shape) {
    struct book job = {col, x, shape};
    double work = (double)(shape->N * shape->OH * shape->OW * shape->C * shape->KH * shape->KW);
    return fnn_parallel(shape->N, work, im2col_task, &job);
}

int FNN(col2im)(real *x, const real *col, const struct fnn_conv *shape) {
    struct book job = {x, col, shape};
    double work = (double)(shape->N * shape->OH * shape->OW * shape->C * shape->KH * shape->KW);
    return fnn_parallel(shape->N, work, col2im_task, &job);
}

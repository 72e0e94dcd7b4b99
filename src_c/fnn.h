/* fnn.h — the interface of the C kernels to the Python side.
 *
 * Every kernel exists once per instruction-set tier and precision.  Each such set is a table of function pointers,
 * `fnn_kernels`, generated from the list in kernels.def.  Reals are passed as `void *`, so that one struct serves both
 * precisions; the tables are filled in table.c.
 */
#ifndef FNN_H
#define FNN_H

#include <stddef.h>
#include <stdint.h>

/* Status codes that kernels return. */
enum fnn_status { FNN_OK = 0, FNN_NO_MEMORY = 1, FNN_BAD_INDEX = 2 };

/* Activations whose derivative follows from their output come first, see activations.h. */
enum fnn_activation {
    FNN_LINEAR,
    FNN_RELU,
    FNN_LEAKY_RELU,
    FNN_ELU,
    FNN_SELU,
    FNN_SIGMOID,
    FNN_TANH,
    FNN_SOFTPLUS,
    FNN_EXPONENTIAL,
    FNN_HARD_SIGMOID,
    FNN_GELU,
    FNN_GELU_TANH,
    FNN_SILU,
    FNN_STEP,
};

/* The dtypes that gather_rows reads. */
enum fnn_source {
    FNN_UINT8,
    FNN_UINT16,
    FNN_UINT32,
    FNN_UINT64,
    FNN_INT8,
    FNN_INT16,
    FNN_INT32,
    FNN_INT64,
    FNN_FLOAT32,
    FNN_FLOAT64,
};

enum fnn_algorithm { FNN_AUTO, FNN_DENSE, FNN_SPARSE, FNN_DIRECT, FNN_IM2COL, FNN_WINOGRAD };

enum fnn_pointwise_loss {
    FNN_MEAN_SQUARED_ERROR,
    FNN_MEAN_ABSOLUTE_ERROR,
    FNN_MEAN_ABSOLUTE_PERCENTAGE_ERROR,
    FNN_MEAN_SQUARED_LOGARITHMIC_ERROR,
    FNN_HUBER,
    FNN_LOG_COSH,
    FNN_BINARY_CROSSENTROPY,
    FNN_POISSON,
    FNN_HINGE,
    FNN_SQUARED_HINGE,
    FNN_KL_DIVERGENCE,
};

enum { FNN_MOST_PROJECTIONS = 16 }; /* of one array, in one call */

/* How several arrays become one. */
enum fnn_merge { FNN_ADD, FNN_SUBTRACT, FNN_MULTIPLY, FNN_AVERAGE, FNN_MAXIMUM, FNN_MINIMUM };

/* Which pixels an image of another size is made of. */
enum fnn_interpolation { FNN_NEAREST, FNN_BILINEAR };

/* What is beyond an image: a number, its nearest pixel, the image in a mirror, the image again. */
enum fnn_fill_mode { FNN_FILL_CONSTANT, FNN_FILL_NEAREST, FNN_FILL_REFLECT, FNN_FILL_WRAP };

/* The windows of a pooling: images, window, strides, padding before, outputs. */
typedef struct fnn_windows {
    ptrdiff_t n, h, w, c;
    ptrdiff_t ph, pw, sh, sw;
    ptrdiff_t top, left;
    ptrdiff_t oh, ow;
} fnn_windows;

/* A convolution of N images of H x W x C with F filters of KH x KW x C / groups; outputs OH x OW; amounts of
 * padding. */
struct fnn_conv {
    ptrdiff_t N, H, W, C, KH, KW, F, OH, OW;
    ptrdiff_t stride_h, stride_w, dilation_h, dilation_w, top, bottom, left, right, groups;
};

/* Some rows of a table of `total` rows of `width` numbers: their `count` indices, ascending; index NULL: all rows. */
struct fnn_rows {
    const int64_t *index;
    ptrdiff_t count, total, width;
};

/* A recurrent layer over B sequences of T steps, D inputs, U units (and O outputs, if the output is fed back); optional
 * arrays may be NULL.  Dropout factors are the same at every step: x_factors (x_sets, B, D), one set for all gates or
 * one
 * per gate; h_factors (gates, B, U). */
struct fnn_sequence {
    ptrdiff_t B, T, D, U, O;
    int activation, other_activation; /* of the state; of the gates, or of the output */
    int go_backwards, reset_after;
    const uint8_t *mask; /* (B, T); 0 holds the state */
    const void *x_factors, *h_factors;
    ptrdiff_t x_sets;
};

/* Attention of B sequences of TQ queries to TK keys: N heads of H numbers, which share NK heads of keys and of values of V numbers.
 * Query i sees key j if i - before <= j <= i + after, and if the masks, which are NULL if there are none, have a 1 there:
 * mask (TQ, TK), with steps from a sequence and from a head to the next (0: the same mask), query_mask (B, TQ),
 * key_mask (B, TK).  A weight is dropped with probability `rate`. */
struct fnn_attention {
    ptrdiff_t B, TQ, TK, N, NK, H, V;
    ptrdiff_t before, after;
    const uint8_t *mask, *query_mask, *key_mask;
    ptrdiff_t mask_step, mask_head_step;
    double scale, rate;
    uint64_t key, call;
};

typedef struct fnn_kernels {
#define real void
#define FNN_KERNEL(name, parameters, arguments) int(*name) parameters;
#include "kernels.def"
#undef FNN_KERNEL
#undef real
} fnn_kernels;

/* dispatch.c: the tiers of this build, best last, and whether the processor can run them. */
enum fnn_precision { FNN_F32, FNN_F64, FNN_PRECISIONS };
int fnn_tier_count(void);
const char *fnn_tier_name(int tier);
int fnn_tier_supported(int tier);
const fnn_kernels *fnn_tier_kernels(int tier, int precision);

#endif

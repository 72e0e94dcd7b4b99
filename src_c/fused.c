/* fused.c — activations that other kernels apply to their output, and their slopes.  Not a kernel family: see activations.c.
 */
#include "fused.h"

INLINE void activate_by(int activation, real *y, ptrdiff_t n) {
    for (ptrdiff_t i = 0; i < n; i += VL)
        store_upto(y + i, vec_activation(activation, load_upto(y + i, n - i), default_alpha(activation)), n - i);
}

/* y = act(y) for n contiguous reals. */
void activate(real *y, ptrdiff_t n, int activation) {
    switch (activation) {
#define CASE(constant) \
    case constant: activate_by(constant, y, n); break;
        FNN_EACH_FUSIBLE(CASE)
#undef CASE
    }
}

INLINE void times_slope_by(int activation, real *dz, const real *dy, const real *y, ptrdiff_t n) {
    for (ptrdiff_t i = 0; i < n; i += VL) {
        vec slope_read_off = load_upto(y + i, n - i);
        store_upto(dz + i,
                   vec_times_slope(activation, load_upto(dy + i, n - i), slope_read_off, default_alpha(activation)),
                   n - i);
    }
}

/* dz = dy act'(y) */
void times_slope(real *dz, const real *dy, const real *y, ptrdiff_t n, int activation) {
    switch (activation) {
#define CASE(constant) \
    case constant: times_slope_by(constant, dz, dy, y, n); break;
        FNN_EACH_FUSIBLE(CASE)
#undef CASE
    }
}

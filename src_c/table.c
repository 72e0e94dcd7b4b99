/* table.c — the table of one tier and precision: every kernel in kernels.def, with reals as `void *`. */
#include "denormals.h"
#include "real.h"

/* A kernel of this table with its reals as void: the conversion is C's own, so no function is called through a pointer
 * of another type. */
#define FNN_KERNEL(name, parameters, arguments) \
    static int entry_##name parameters { return FNN(name) arguments; }
#define FNN_FLUSHING_KERNEL(name, parameters, arguments) \
    static int entry_##name parameters { \
        fnn_mode mode = fnn_get_mode(); \
        fnn_set_mode(mode | (fnn_mode)FNN_FLUSH); \
        int status = FNN(name) arguments; \
        fnn_set_mode(mode); \
        return status; \
    }
#define real void
#include "kernels.def"
#undef real
#undef FNN_KERNEL

extern const fnn_kernels FNN(kernels);

const fnn_kernels FNN(kernels) = {
#define FNN_KERNEL(name, parameters, arguments) .name = entry_##name,
#include "kernels.def"
#undef FNN_KERNEL
};

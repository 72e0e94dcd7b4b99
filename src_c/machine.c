/* machine.c — the limits of this machine: multiply-adds in registers, and bytes copied.  Not a kernel family.
 *
 * Both run `parts` equal loops on the pool, so that one call measures one or all threads.
 */
#include "real.h"

enum { ACCUMULATORS = VBYTES == 64 ? 24 : 12 }; /* enough to cover the latency of the multiply-add */

struct measure {
    real *sink;
    const real *source;
    ptrdiff_t count; /* loop iterations, or reals of one part */
};

static int fma_loops(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct measure *job = context;
    const vec factor = splat(job->source[0]), term = splat(job->source[1]);
    for (ptrdiff_t part = first; part < last; part++) {
        vec a[ACCUMULATORS];
        for (int i = 0; i < ACCUMULATORS; i++) a[i] = splat((real)i);
        for (ptrdiff_t turn = 0; turn < job->count; turn++) {
#pragma GCC unroll 24
            for (int i = 0; i < ACCUMULATORS; i++) a[i] = a[i] * factor + term;
        }
        for (int i = 1; i < ACCUMULATORS; i++) a[0] += a[i];
        job->sink[part] = sum_lanes(a[0]);
    }
    return FNN_OK;
}

static int copies(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct measure *job = context;
    for (ptrdiff_t i = first * job->count; i < last * job->count; i += VL) store(job->sink + i, load(job->source + i));
    return FNN_OK;
}

/* sink (parts,), coefficients (2,); `flops` receives the operation count of all parts. */
int FNN(machine_fma)(real *sink, const real *coefficients, ptrdiff_t turns, ptrdiff_t parts, double *flops) {
    struct measure job = {sink, coefficients, turns};
    *flops = 2.0 * VL * ACCUMULATORS * (double)turns * (double)parts;
    return fnn_parallel(parts, *flops, fma_loops, &job);
}

/* sink, source (parts * count,), count a multiple of VL */
int FNN(machine_copy)(real *sink, const real *source, ptrdiff_t count, ptrdiff_t parts) {
    struct measure job = {sink, source, count};
    return fnn_parallel(parts, (double)(count * parts), copies, &job);
}

/* chunks.h — products of few rows whose depth is divided into chunks, each with its own sums.
 *
 * The division depends only on the depth, and the sums are added in order: the same bits at any number of threads.
 */
#ifndef FNN_CHUNKS_H
#define FNN_CHUNKS_H

#include "fused.h"

enum { CHUNK_DEPTH = 192, MOST_CHUNKS = 8 };

INLINE ptrdiff_t chunks_of_depth(ptrdiff_t depth) { return most(1, least(MOST_CHUNKS, depth / CHUNK_DEPTH)); }

/* c = act(Σ sums + bias): c (M, N) with rows of ldc, sums (chunks, M, N), bias (N,) or NULL. */
struct chunk_sums {
    real *c;
    ptrdiff_t ldc;
    const real *sums;
    ptrdiff_t chunks, M, N;
    const real *bias;
    int activation;
};

/* An item is a row of c. */
__attribute__((unused)) static int add_chunks_task(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct chunk_sums *job = context;
    for (ptrdiff_t i = first; i < last; i++) {
        real *c = job->c + i * job->ldc;
        for (ptrdiff_t j = 0; j < job->N; j += VL) {
            ptrdiff_t left = job->N - j;
            vec sum = load_upto(job->sums + i * job->N + j, left);
            for (ptrdiff_t chunk = 1; chunk < job->chunks; chunk++)
                sum += load_upto(job->sums + (chunk * job->M + i) * job->N + j, left);
            if (job->bias) sum += load_upto(job->bias + j, left);
            store_upto(c + j, sum, left);
        }
        activate(c, job->N, job->activation);
    }
    return FNN_OK;
}

INLINE void add_chunks(const struct chunk_sums *job) {
    fnn_parallel(job->M, (double)(job->chunks * job->M * job->N), add_chunks_task, (void *)job);
}

#endif

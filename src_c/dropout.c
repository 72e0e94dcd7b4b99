/* dropout.c — y[i] = x[i] / (1 − rate) where bits(i) < (1 − rate) 2^32, else 0; and the bits themselves.
 *
 * Shapes: x, y (n,); bits (n,).  The caller allocates; results are assigned; y may be x.  The gradient is the same
 * kernel on dy: the mask is drawn again, not stored.  rate 0 copies, rate 1 gives zeros.  A dropped NaN gives 0.
 * Threaded over elements; bound by the arithmetic of the ten rounds.
 * Twin: fastnn/reference/dropout.py.  The generator is in rng.h.
 */
#include "rng.h"

enum {
    CHUNK = 1024, /* elements of an item; a multiple of every RNG_WORDS */
    FLOPS_PER_ELEMENT = 20,
};

struct job {
    real *y;
    const real *x;
    uint32_t *bits;
    ptrdiff_t n;
    uint64_t key, call;
    uint32_t last_kept; /* the largest word that keeps its element */
    real scale;
};

typedef uint32_t word_group __attribute__((vector_size(VL * 4)));

/* All ones where the element is kept. */
INLINE ivec kept(const uint32_t *words, uint32_t last_kept) {
    word_group group;
    memcpy(&group, words, sizeof group);
    return (ivec)(__builtin_convertvector(group, uvec) <= (uvec){0} + last_kept);
}

static int drop(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct job *job = context;
    ptrdiff_t end = least(last * CHUNK, job->n);
    uint32_t words[RNG_WORDS];
    for (ptrdiff_t i = first * CHUNK; i < end; i += RNG_WORDS) {
        random_batch(words, (uint64_t)i / 4, job->key, job->call);
        for (ptrdiff_t j = 0; j < RNG_WORDS && i + j < end; j += VL) {
            vec x = load_upto(job->x + i + j, end - i - j);
            vec y = choose(kept(words + j, job->last_kept), x * job->scale, (vec){0});
            store_upto(job->y + i + j, y, end - i - j);
        }
    }
    return FNN_OK;
}

int FNN(dropout)(real *y, const real *x, ptrdiff_t n, double rate, uint64_t key, uint64_t call) {
    if (rate >= 1) {
        memset(y, 0, (size_t)n * sizeof *y);
        return FNN_OK;
    }
    if (rate <= 0) {
        if (y != x) memcpy(y, x, (size_t)n * sizeof *y);
        return FNN_OK;
    }
    double limit = (1 - rate) * 4294967296.0; /* bits < limit; as integers, bits <= ceil(limit) - 1 */
    uint64_t below = (uint64_t)limit;
    struct job job = {.y = y, .x = x, .n = n, .key = key, .call = call};
    job.last_kept = (uint32_t)((double)below == limit ? below - 1 : below);
    job.scale = (real)(1 / (1 - rate));
    return fnn_parallel(ceil_div(n, CHUNK), (double)n * FLOPS_PER_ELEMENT, drop, &job);
}

static int draw(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct job *job = context;
    ptrdiff_t i = first * CHUNK, end = least(last * CHUNK, job->n);
    random_range(job->bits + i, (uint64_t)i, end - i, job->key, job->call);
    return FNN_OK;
}

int FNN(random_bits)(uint32_t *bits, ptrdiff_t n, uint64_t key, uint64_t call) {
    struct job job = {.bits = bits, .n = n, .key = key, .call = call};
    return fnn_parallel(ceil_div(n, CHUNK), (double)n * FLOPS_PER_ELEMENT, draw, &job);
}

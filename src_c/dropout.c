/* dropout.c — y[i] = x[i] / (1 − rate) where bits(i) < (1 − rate) 2^32, else 0; the bits themselves; and normal numbers
 * made of them: with u = bits(2k) / 2^32, v = bits(2k + 1) / 2^32 and r = sqrt(-2 ln(1 - u)),
 * z[2k] = r cos(2 pi v), z[2k + 1] = r sin(2 pi v).
 *
 * Shapes: x, y (n,); bits, z (n,).  The caller allocates; results are assigned; y may be x.  The gradient is the same
 * kernel on dy: the mask is drawn again, not stored.  rate 0 copies, rate 1 gives zeros.  A dropped NaN becomes 0.
 * Threaded over elements; compute-bound: the ten rounds, and for normal numbers two series.
 * Twin: fastnn/reference/dropout.py.  The generator is in rng.h.  Source of the normal numbers: Box and Muller,
 * Annals of Mathematical Statistics 29, 1958.
 */
#include "rng.h"
#include "vmath.h"

enum {
    CHUNK = 1024, /* elements per item; a multiple of every RNG_WORDS */
    FLOPS_PER_ELEMENT = 20,
    FLOPS_PER_NORMAL = 60,
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
typedef int32_t word_ints __attribute__((vector_size(VL * 4)));

/* All ones where the element is kept. */
INLINE ivec kept(const uint32_t *words, uint32_t last_kept) {
    word_group group;
    memcpy(&group, words, sizeof group);
    return (ivec)(__builtin_convertvector(group, uvec) <= (uvec){0} + last_kept);
}

static int drop(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct job *job = context;
    const struct stream stream = stream_of(job->key, job->call);
    ptrdiff_t end = least(last * CHUNK, job->n);
    uint32_t words[RNG_WORDS];
    for (ptrdiff_t i = first * CHUNK; i < end; i += RNG_WORDS) {
        random_batch(words, (uint64_t)i / 4, &stream);
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

/* sqrt(-2 ln(1 - w / 2^32)).  Of u = w / 2^32 and 1 - u the one that a real holds best is read, so that small radii are
 * as precise as large ones: ln(1 - u) from u below 1/4, and from 1 - u = (2^32 - w) / 2^32 above. */
INLINE vec radius(word_group w) {
    const real unit = (real)(1 / 4294967296.0);
    ivec near_zero = (ivec) __builtin_convertvector(w < (1u << 30), ivec);
    vec f;
    vec exponent = __builtin_convertvector(split_by_two(__builtin_convertvector(-w, vec) * unit, &f), vec);
    f = choose(near_zero, __builtin_convertvector(w, vec) * -unit, f);
    exponent = choose(near_zero, (vec){0}, exponent);
    return vec_sqrt(log_from_parts(exponent, f) * -2);
}

/* cos and sin of 2 pi w / 2^32: quarter turns are counted in integers, without an error; what is left, |t| <= pi / 4,
 * goes into the Taylor series, whose first terms left out are below half an ulp. */
INLINE void turn(word_group w, vec *cosine, vec *sine) {
    word_group quarter = (w + (1u << 29)) >> 30;
    vec t =
        __builtin_convertvector((word_ints)(w - (quarter << 30)), vec) * (real)(6.283185307179586477 / 4294967296.0);
    vec s = t * t;
#if FNN_BITS == 32
    vec c = splat(-1.0f / 3628800), d = splat(1.0f / 362880);
#else
    vec c = splat(1.0 / 2432902008176640000), d = splat(-1.0 / 121645100408832000);
    c = c * s - 1.0 / 6402373705728000;
    d = d * s + 1.0 / 355687428096000;
    c = c * s + 1.0 / 20922789888000;
    d = d * s - 1.0 / 1307674368000;
    c = c * s - 1.0 / 87178291200;
    d = d * s + 1.0 / 6227020800;
    c = c * s + 1.0 / 479001600;
    d = d * s - 1.0 / 39916800;
    c = c * s - 1.0 / 3628800;
    d = d * s + 1.0 / 362880;
#endif
    c = c * s + (real)(1.0 / 40320);
    d = d * s - (real)(1.0 / 5040);
    c = c * s - (real)(1.0 / 720);
    d = d * s + (real)(1.0 / 120);
    c = c * s + (real)(1.0 / 24);
    d = d * s - (real)(1.0 / 6);
    c = c * s * s + (1 - s * (real)0.5);
    d = d * s * t + t;
    /* Quarter 0: (c, d); 1: (-d, c); 2: (-c, -d); 3: (d, -c); 4 is 0. */
    uvec q = (uvec) __builtin_convertvector((word_ints)quarter, ivec);
    ivec odd = (ivec)(q & 1) != 0;
    *cosine = (vec)((uvec)choose(odd, d, c) ^ (((q + 1) & 2) << (FNN_BITS - 2)));
    *sine = (vec)((uvec)choose(odd, c, d) ^ ((q & 2) << (FNN_BITS - 2)));
}

static int draw_normal(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct job *job = context;
    const struct stream stream = stream_of(job->key, job->call);
    ptrdiff_t end = least(last * CHUNK, job->n);
    uint32_t words[RNG_WORDS];
    for (ptrdiff_t i = first * CHUNK; i < end; i += RNG_WORDS) {
        random_batch(words, (uint64_t)i / 4, &stream);
        for (ptrdiff_t j = 0; j < RNG_WORDS && i + j < end; j += 2 * VL) {
            word_group u, v;
            for (int k = 0; k < VL; k++) {
                u[k] = words[j + 2 * k];
                v[k] = words[j + 2 * k + 1];
            }
            vec cosine, sine, r = radius(u);
            turn(v, &cosine, &sine);
            cosine *= r;
            sine *= r;
            real pairs[2 * VL];
            for (int k = 0; k < VL; k++) {
                pairs[2 * k] = cosine[k];
                pairs[2 * k + 1] = sine[k];
            }
            memcpy(job->y + i + j, pairs, (size_t)least(2 * VL, end - i - j) * sizeof(real));
        }
    }
    return FNN_OK;
}

int FNN(random_normal)(real *z, ptrdiff_t n, uint64_t key, uint64_t call) {
    struct job job = {.y = z, .n = n, .key = key, .call = call};
    return fnn_parallel(ceil_div(n, CHUNK), (double)n * FLOPS_PER_NORMAL, draw_normal, &job);
}

/* rng.h — counter-based random bits: bits(i) is word i % 4 of Philox4x32-10 (Salmon et al., SC 2011) with key
 * (key low, key high) and counter (i/4 low, i/4 high, call low, call high).
 *
 * There is no state between calls and element i has its own bits, so no result depends on threads or vector length.
 * A vector lane holds one counter (a block of four words), each word in 64 bits.  Twin: random_bits in
 * fastnn/reference/dropout.py.
 */
#ifndef FNN_RNG_H
#define FNN_RNG_H

#include "real.h"

#if defined(__SSE2__)
#include <immintrin.h>
#endif

typedef uint64_t blocks __attribute__((vector_size(VBYTES)));

enum {
    RNG_BLOCKS = VBYTES / 8,      /* counters per batch */
    RNG_WORDS = 4 * RNG_BLOCKS,   /* words per batch, a multiple of VL */
    PHILOX_ROUNDS = 10,
};
#define PHILOX_M0 0xD2511F53u
#define PHILOX_M1 0xCD9E8D57u
#define PHILOX_KEY_STEP_0 0x9E3779B9u
#define PHILOX_KEY_STEP_1 0xBB67AE85u
#define LOW_WORD 0xFFFFFFFFull

INLINE blocks splat_word(uint64_t a) { return (blocks){0} + a; }

/* The 64-bit product of the low words, whatever the high words are. */
INLINE blocks multiply_words(blocks a, uint32_t b) {
#if defined(__AVX512F__)
    return (blocks)_mm512_mul_epu32((__m512i)a, (__m512i)splat_word(b));
#elif defined(__AVX2__)
    return (blocks)_mm256_mul_epu32((__m256i)a, (__m256i)splat_word(b));
#elif defined(__SSE2__)
    return (blocks)_mm_mul_epu32((__m128i)a, (__m128i)splat_word(b));
#else
    return (a & LOW_WORD) * b;
#endif
}

/* The keys of all rounds, and the counter's half that is the same for all blocks: made once for a loop over blocks,
 * and not inline, or the compiler would make it again in each turn. */
struct stream {
    blocks keys[PHILOX_ROUNDS][2];
    blocks call, call_high;
};

ONE_COPY __attribute__((unused)) struct stream stream_of(uint64_t key, uint64_t call) {
    struct stream s = {.call = splat_word(call), .call_high = splat_word(call >> 32)};
    uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
    for (int round = 0; round < PHILOX_ROUNDS; round++) {
        s.keys[round][0] = splat_word(k0);
        s.keys[round][1] = splat_word(k1);
        k0 += PHILOX_KEY_STEP_0;
        k1 += PHILOX_KEY_STEP_1;
    }
    return s;
}

/* The four words of each lane's block, in the low halves of the lanes; the high halves are arbitrary. */
INLINE void philox(blocks counter, const struct stream *s, blocks word[4]) {
    blocks c0 = counter, c1 = counter >> 32, c2 = s->call, c3 = s->call_high;
#pragma GCC unroll 10
    for (int round = 0; round < PHILOX_ROUNDS; round++) {
        blocks first = multiply_words(c0, PHILOX_M0), second = multiply_words(c2, PHILOX_M1);
        c0 = (second >> 32) ^ (c1 ^ s->keys[round][0]);
        c1 = second;
        c2 = (first >> 32) ^ (c3 ^ s->keys[round][1]);
        c3 = first;
    }
    word[0] = c0;
    word[1] = c1;
    word[2] = c2;
    word[3] = c3;
}

/* Words 4 block … 4 block + RNG_WORDS - 1, in order. */
INLINE void random_batch(uint32_t *words, uint64_t block, const struct stream *s) {
    blocks lane, word[4];
    for (int i = 0; i < RNG_BLOCKS; i++) lane[i] = (uint64_t)i;
    philox(lane + block, s, word);
    /* Two words per lane, then interleave the lanes of both vectors. */
    blocks low = (word[0] & LOW_WORD) | (word[1] << 32), high = (word[2] & LOW_WORD) | (word[3] << 32);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#error "random_batch writes two words as one little-endian number"
#endif
    uint64_t pairs[2 * RNG_BLOCKS];
    for (int i = 0; i < RNG_BLOCKS; i++) {
        pairs[2 * i] = low[i];
        pairs[2 * i + 1] = high[i];
    }
    memcpy(words, pairs, sizeof pairs);
}

/* bits(first) … bits(first + count - 1), from any `first`. */
static __attribute__((unused)) void random_range(uint32_t *bits, uint64_t first, ptrdiff_t count, uint64_t key,
                                                 uint64_t call) {
    const struct stream stream = stream_of(key, call);
    uint32_t words[RNG_WORDS];
    ptrdiff_t skip = (ptrdiff_t)(first % 4);
    for (uint64_t block = first / 4; count > 0; block += RNG_BLOCKS) {
        ptrdiff_t n = least(RNG_WORDS - skip, count);
        random_batch(words, block, &stream);
        memcpy(bits, words + skip, (size_t)n * sizeof *bits);
        bits += n;
        count -= n;
        skip = 0;
    }
}

#endif

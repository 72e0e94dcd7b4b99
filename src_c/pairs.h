/* pairs.h — blocks of queries against tiles of keys: which sees which, packed rows, tiles of scores, dropout.
 *
 * Everything works on one block of pairs, up to KEYS keys by QUERIES queries, with the queries side by side:
 *
 *              queries, transposed                     A register holds VL queries of one key: maximum, e^x and sum over keys
 *            +------------------+                      are plain loops, without a fold over lanes.  The rows of keys and values
 *          H |                  |                      are read by broadcasts, as the microkernel reads the rows of its left
 *            +------------------+                      factor; the queries are its packed panels.
 *    k       +------------------+
 *    [ H ]   |   the block      | KEYS
 *            +------------------+
 *
 * Only rows that count are packed: of queries and keys that a mask leaves out, not a number is computed.
 */
#ifndef FNN_PAIRS_H
#define FNN_PAIRS_H

#include "rng.h"
#include "rows.h"
#include "tile.h"

enum {
    QUERIES = 3 * TILE_COLS, /* whole tiles both as columns (scores) and as rows (sums of values) */
    KEYS = 120,              /* at most; whole tiles too */
    ROWS_AHEAD = 8,          /* rows of a head lie apart: no hardware foresees the next */
    TILE_REALS = 4096,       /* keys (or values) of a tile: it stays in the nearest cache */
};

INLINE ptrdiff_t padded(ptrdiff_t width) { return round_up(width, VL); }

/* The number of tiles, of nearly equal size, into which the keys are cut. */
INLINE ptrdiff_t tiles_of(ptrdiff_t keys, const struct fnn_attention *a) {
    ptrdiff_t most_keys = TILE_REALS / most(padded(a->H), padded(a->V)) / TILE_ROWS * TILE_ROWS;
    return ceil_div(keys, least(KEYS, most(most_keys, 2 * TILE_ROWS)));
}

typedef real pairs[KEYS][QUERIES];
typedef int8_t pair_flags[KEYS][QUERIES]; /* all ones or all zeros */

/* The next `bytes` of a buffer; of nothing, to learn the size. */
INLINE void *place(uintptr_t *at, ptrdiff_t bytes) {
    uintptr_t here = *at;
    *at += (uintptr_t)round_up(bytes, 64);
    return (void *)here;
}

INLINE real *place_reals(uintptr_t *at, ptrdiff_t count) { return place(at, count * (ptrdiff_t)sizeof(real)); }

/* ---- which query sees which key ---- */

/* Positions first .. last - 1 that the mask (NULL: all) keeps, ascending; returns how many. */
INLINE ptrdiff_t list_kept(ptrdiff_t *list, const uint8_t *mask, ptrdiff_t first, ptrdiff_t last) {
    ptrdiff_t count = 0;
    for (ptrdiff_t i = first; i < last; i++) {
        list[count] = i;
        count += !mask || mask[i];
    }
    return count;
}

/* Eight rows of eight bytes, turned. */
INLINE void turn_bytes(uint64_t row[8]) {
    static const uint64_t low[3] = {0x00FF00FF00FF00FFull, 0x0000FFFF0000FFFFull, 0x00000000FFFFFFFFull};
#pragma GCC unroll 3
    for (int level = 0; level < 3; level++) {
        const int distance = 1 << level, shift = 8 * distance;
#pragma GCC unroll 8
        for (int i = 0; i < 8; i++)
            if (!(i & distance)) {
                uint64_t a = row[i], b = row[i + distance];
                row[i] = (a & low[level]) | ((b & low[level]) << shift);
                row[i + distance] = ((a >> shift) & low[level]) | (b & ~low[level]);
            }
    }
}

/* A 1 in each byte that is not 0: NumPy takes all of them for true. */
INLINE uint64_t ones_where_true(uint64_t bytes) {
    bytes |= bytes >> 4 & 0x0F0F0F0F0F0F0F0Full;
    bytes |= bytes >> 2 & 0x0303030303030303ull;
    return (bytes | bytes >> 1) & 0x0101010101010101ull;
}

/* flags[j][i] = mask[queries[i]][keys[j]], all ones or zeros.  Returns the flags that all have in common and those that any has. */
static void turn_mask(pair_flags flags, const uint8_t *mask, ptrdiff_t mask_row, const ptrdiff_t *queries, ptrdiff_t nq,
                      const ptrdiff_t *keys, ptrdiff_t nk, uint64_t *all, uint64_t *any) {
    const int contiguous = keys[nk - 1] - keys[0] == nk - 1;
    *all = ~0ull;
    *any = 0;
    for (ptrdiff_t i = 0; i < nq; i += 8)
        for (ptrdiff_t j = 0; j < nk; j += 8) {
            uint64_t row[8] = {0};
            ptrdiff_t columns = least(8, nk - j);
            const uint64_t beyond = columns == 8 ? 0 : ~0ull << 8 * columns;
            for (ptrdiff_t r = 0; r < least(8, nq - i); r++) {
                const uint8_t *from = mask + queries[i + r] * mask_row;
                if (contiguous && columns == 8) memcpy(&row[r], from + keys[j], 8);
                else
                    for (ptrdiff_t c = 0; c < columns; c++) row[r] |= (uint64_t)from[keys[j + c]] << 8 * c;
                row[r] = ones_where_true(row[r]) * 0xFF;
                *all &= row[r] | beyond;
                *any |= row[r];
            }
            turn_bytes(row);
            /* Narrow registers make blocks of 12: the last eight flags would reach into the next key's. */
            const size_t bytes = (size_t)least(8, QUERIES - i);
            for (ptrdiff_t c = 0; c < columns; c++) memcpy(&flags[j + c][i], &row[c], bytes);
        }
}

enum sight { NOTHING, SOME, ALL };

/* What a block of queries sees of a tile of keys: its keys first .. last - 1, all of them or those flagged. */
struct view {
    enum sight sight;
    ptrdiff_t first, last;
};

static struct view look(pair_flags flags, const struct fnn_attention *a, const uint8_t *mask, const ptrdiff_t *queries,
                        ptrdiff_t nq, const ptrdiff_t *keys, ptrdiff_t nk) {
    struct view view = {NOTHING, 0, nk};
    const ptrdiff_t from = queries[0], to = queries[nq - 1];
    while (view.first < nk && keys[view.first] < from - a->before) view.first++;
    while (view.last > view.first && keys[view.last - 1] > to + a->after) view.last--;
    if (view.first == view.last) return view;
    const int in_reach = keys[view.first] >= to - a->before && keys[view.last - 1] <= from + a->after;
    view.sight = in_reach ? ALL : SOME;
    if (mask) {
        uint64_t all, any;
        turn_mask(flags + view.first, mask, a->TK, queries, nq, keys + view.first, view.last - view.first, &all, &any);
        if (!any) view.sight = NOTHING;
        else if (~all) view.sight = SOME;
    } else if (!in_reach) {
        memset(flags[view.first], 0xFF, (size_t)(view.last - view.first) * QUERIES);
    }
    if (in_reach || view.sight == NOTHING) return view;
    /* Of the queries, key j is within reach of those low .. high - 1. */
    ptrdiff_t low = 0, high = 0;
    for (ptrdiff_t j = view.first; j < view.last; j++) {
        while (low < nq && queries[low] + a->after < keys[j]) low++;
        while (high < nq && queries[high] - a->before <= keys[j]) high++;
        memset(flags[j], 0, (size_t)low);
        memset(flags[j] + high, 0, (size_t)(QUERIES - high));
    }
    return view;
}

typedef int8_t flag_group __attribute__((vector_size(VL)));

/* The flags of VL queries, each as wide as a real. */
INLINE ivec flags_as_lanes(const int8_t *flags) {
#if defined(__AVX512F__) && FNN_BITS == 32
    return (ivec)_mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)flags));
#elif defined(__AVX512F__)
    return (ivec)_mm512_cvtepi8_epi64(_mm_loadl_epi64((const __m128i *)flags));
#elif defined(__AVX2__) && FNN_BITS == 32
    return (ivec)_mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)flags));
#elif defined(__AVX2__)
    return (ivec)_mm256_cvtepi8_epi64(_mm_loadu_si32(flags));
#else
    flag_group group;
    memcpy(&group, flags, sizeof group);
    return __builtin_convertvector(group, ivec);
#endif
}

/* ---- packed rows ---- */

/* Rows list[0 .. count - 1] of a matrix, times a factor, one after the other and padded with zeros to whole vectors. */
INLINE void copy_rows_of(const int whole, real *to, const real *from, ptrdiff_t row_step, const ptrdiff_t *list,
                         ptrdiff_t count, ptrdiff_t width, real factor) {
    for (ptrdiff_t i = 0; i < count; i++, to += padded(width)) {
        const real *row = from + list[i] * row_step;
        const real *later = from + list[least(i + ROWS_AHEAD, count - 1)] * row_step;
        for (ptrdiff_t p = 0; p < width; p += 64 / (ptrdiff_t)sizeof(real)) __builtin_prefetch(later + p);
        for (ptrdiff_t p = 0; p < width; p += VL)
            store(to + p, (whole ? load(row + p) : load_upto(row + p, width - p)) * factor);
    }
}

static void copy_rows(real *to, const real *from, ptrdiff_t row_step, const ptrdiff_t *list, ptrdiff_t count,
                      ptrdiff_t width, real factor) {
    if (width % VL) copy_rows_of(0, to, from, row_step, list, count, width, factor);
    else copy_rows_of(1, to, from, row_step, list, count, width, factor);
}

/* VL rows (the first `count` of them), numbers p .. p + VL - 1 (not beyond `width`), as VL columns of a panel. */
INLINE void pack_block(const int whole, real *panel, ptrdiff_t step, const real *from, ptrdiff_t row_step,
                       const ptrdiff_t *list, ptrdiff_t count, ptrdiff_t left, real factor) {
    vec block[VL];
#pragma GCC unroll 16
    for (int r = 0; r < VL; r++) {
        if (whole) block[r] = load(from + list[r] * row_step) * factor;
        else block[r] = r < count ? load_upto(from + list[r] * row_step, left) * factor : (vec){0};
    }
    turn_square(block);
#pragma GCC unroll 16
    for (int r = 0; r < VL; r++)
        if (whole || r < left) store(panel + r * step, block[r]);
}

/* The same rows as panels of TILE_COLS columns (the last of VL, if that is enough); columns beyond `count` are zero. */
static void pack_rows_as_columns(real *panel, const real *from, ptrdiff_t row_step, const ptrdiff_t *list,
                                 ptrdiff_t count, ptrdiff_t width, real factor) {
    for (ptrdiff_t i = 0; i < count; i += TILE_COLS, panel += width * TILE_COLS) {
        const ptrdiff_t step = count - i > VL ? TILE_COLS : VL;
        for (ptrdiff_t j = 0; j < step; j += VL)
            for (ptrdiff_t p = 0; p < width; p += VL) {
                const ptrdiff_t rows = count - i - j, left = width - p;
                if (rows >= VL && left >= VL)
                    pack_block(1, panel + p * step + j, step, from + p, row_step, list + i + j, VL, VL, factor);
                else pack_block(0, panel + p * step + j, step, from + p, row_step, list + i + j, rows, left, factor);
            }
    }
}

/* ---- products ---- */

/* pairs[key][query] = row of the key · packed column of the query, for all keys and queries of a block. */
struct pair_products {
    ptrdiff_t keys, queries, depth;
    const real *rows;    /* of keys (or values), padded(depth) apart */
    const real *columns; /* packed queries (or gradients) */
    real *pairs;         /* of the first key */
};

/* The tiles of one height and width that follow each other down a column of tiles. */
struct tile_run {
    const void *of;
    ptrdiff_t first, count, column;
};

INLINE void pair_tiles(const int rows, const int vecs, const struct tile_run *run) {
    const struct pair_products *p = run->of;
    const ptrdiff_t width = padded(p->depth);
    const real *row = p->rows + run->first * width, *panel = p->columns + run->column * p->depth;
    real *out = p->pairs + run->first * QUERIES + run->column;
    for (ptrdiff_t t = 0; t < run->count; t++, row += rows * width, out += rows * QUERIES) {
        const real *line[TILE_ROWS];
#pragma GCC unroll 12
        for (int i = 0; i < rows; i++) line[i] = row + i * width;
        tile c;
        tile_zero(c);
        tile_rows(rows, vecs, p->depth, line, 0, panel, vecs * VL, c);
        tile_store(rows, vecs, c, out, QUERIES, vecs * VL);
    }
}

/* sum (queries, width) = factor · sum + Σ over keys of pairs[key][query] · rows[key]; rows and sum padded to whole vectors. */
struct sum_over_keys {
    ptrdiff_t keys, queries, width;
    const real *pairs, *rows;
    real *sum;
    const real *factors; /* one a query; NULL: 1 */
    int fresh;           /* sum holds nothing yet */
};

INLINE void key_sum_tiles(const int rows, const int vecs, const struct tile_run *run) {
    const struct sum_over_keys *s = run->of;
    const ptrdiff_t width = padded(s->width);
    for (ptrdiff_t t = 0, query = run->first; t < run->count; t++, query += rows) {
        real *out = s->sum + query * width + run->column;
        tile c;
        tile_zero(c);
        if (!s->fresh) {
#pragma GCC unroll 12
            for (int i = 0; i < rows; i++) {
                vec factor = s->factors ? splat(s->factors[query + i]) : splat(1);
#pragma GCC unroll 2
                for (int j = 0; j < vecs; j++) c[i][j] = load(out + i * width + j * VL) * factor;
            }
        }
        tile_columns(rows, vecs, s->keys, s->pairs + query, QUERIES, s->rows + run->column, width, c);
        tile_store(rows, vecs, c, out, width, vecs * VL);
    }
}

/* sum (keys, width) += Σ over queries of pairs[key][query] · rows[query]; rows and sum padded to whole vectors. */
struct sum_over_queries {
    ptrdiff_t keys, queries, width;
    const real *pairs, *rows;
    real *sum;
};

INLINE void query_sum_tiles(const int rows, const int vecs, const struct tile_run *run) {
    const struct sum_over_queries *s = run->of;
    const ptrdiff_t width = padded(s->width);
    for (ptrdiff_t t = 0, key = run->first; t < run->count; t++, key += rows) {
        real *out = s->sum + key * width + run->column;
        const real *line[TILE_ROWS];
#pragma GCC unroll 12
        for (int i = 0; i < rows; i++) line[i] = s->pairs + (key + i) * QUERIES;
        tile c;
        tile_zero(c);
        tile_rows(rows, vecs, s->queries, line, 0, s->rows + run->column, width, c);
        tile_add(rows, vecs, c, out, width, vecs * VL);
        tile_store(rows, vecs, c, out, width, vecs * VL);
    }
}

/* Column by column of tiles: those of TILE_ROWS rows in one run, the last lower one in another. */
#define EACH_TILE_RUN(f, product, rows, columns)                                                        \
    for (struct tile_run run = {.of = (product)}; run.column < (columns); run.column += TILE_COLS) {    \
        const ptrdiff_t whole = (rows) / TILE_ROWS;                                                     \
        for (int last = !whole; last < 2; last++) { /* one call in the text: each is a copy of f */     \
            run.first = last ? whole * TILE_ROWS : 0;                                                   \
            run.count = last ? 1 : whole;                                                               \
            const ptrdiff_t height = last ? (rows) - run.first : TILE_ROWS;                             \
            TILE_DISPATCH(f, height, (columns) - run.column, &run);                                     \
        }                                                                                               \
    }

static void multiply_pairs(const struct pair_products *p) { EACH_TILE_RUN(pair_tiles, p, p->keys, p->queries) }
static void add_over_keys(const struct sum_over_keys *s) { EACH_TILE_RUN(key_sum_tiles, s, s->queries, s->width) }
static void add_over_queries(const struct sum_over_queries *s) { EACH_TILE_RUN(query_sum_tiles, s, s->keys, s->width) }

/* ---- weights ---- */

enum { AT_ONCE = 2 }; /* chains of exponentials side by side: one alone waits for its own steps */

/* pairs = 2^(pairs − shift of the query), and their sum over keys. */
INLINE vec raise_column(real *pairs, ptrdiff_t keys, vec shift) {
    vec sum = {0}, power[AT_ONCE];
    ptrdiff_t j = 0;
    for (; j + AT_ONCE <= keys; j += AT_ONCE) {
        for (int i = 0; i < AT_ONCE; i++) power[i] = vec_exp2_low(load(pairs + (j + i) * QUERIES) - shift);
        for (int i = 0; i < AT_ONCE; i++) {
            store(pairs + (j + i) * QUERIES, power[i]);
            sum += power[i];
        }
    }
    for (; j < keys; j++) {
        vec power = vec_exp2_low(load(pairs + j * QUERIES) - shift);
        store(pairs + j * QUERIES, power);
        sum += power;
    }
    return sum;
}

/* Pairs that may not see each other become `hidden`. */
static void hide_pairs(real (*pairs)[QUERIES], int8_t (*flags)[QUERIES], ptrdiff_t keys, ptrdiff_t queries,
                       real hidden) {
    for (ptrdiff_t j = 0; j < keys; j++)
        for (ptrdiff_t i = 0; i < queries; i += VL)
            store(pairs[j] + i, choose(flags_as_lanes(flags[j] + i), load(pairs[j] + i), splat(hidden)));
}

/* ---- dropout ---- */

/* Pair (query, key) of row r = (b · N + n) · TQ + query has word r · S + key of the random bits, S being TK rounded up to whole
 * blocks of four: a block holds keys of one query, and lanes of a register hold the same keys of several queries. */
struct dropout {
    uint64_t key, call;
    uint64_t row_blocks;
    uint32_t last_kept; /* the largest word that keeps its pair */
    real scale;         /* 1 / (1 − rate), or 0 where nothing is kept */
};

INLINE struct dropout dropout_of(const struct fnn_attention *a) {
    struct dropout d = {a->key, a->call, (uint64_t)ceil_div(a->TK, 4), 0, 0};
    if (a->rate >= 1) return d;
    double limit = (1 - a->rate) * 4294967296.0; /* as in dropout.c */
    uint64_t below = (uint64_t)limit;
    d.last_kept = (uint32_t)((double)below == limit ? below - 1 : below);
    d.scale = (real)(1 / (1 - a->rate));
    return d;
}

typedef uint32_t word_group __attribute__((vector_size(VL * 4)));
typedef uint32_t block_words __attribute__((vector_size(RNG_BLOCKS * 4)));

/* The words of four keys (a block) for all queries: bits[key % 4][query].  `row` is that of query position 0. */
INLINE void draw_block(uint32_t bits[4][QUERIES], const struct dropout *d, const struct stream *stream, uint64_t row,
                       const ptrdiff_t *queries, ptrdiff_t count, uint64_t block) {
    uint64_t counters[QUERIES];
    for (ptrdiff_t i = 0; i < QUERIES; i++)
        counters[i] = (row + (uint64_t)queries[least(i, count - 1)]) * d->row_blocks + block;
    for (ptrdiff_t i = 0; i < count; i += RNG_BLOCKS) {
        blocks counter, word[4];
        memcpy(&counter, counters + i, sizeof counter);
        philox(counter, stream, word);
        for (int w = 0; w < 4; w++) {
            block_words low = __builtin_convertvector(word[w], block_words);
            memcpy(&bits[w][i], &low, sizeof low);
        }
    }
}

/* Dropped pairs become 0, or with `marked` negative (−0 for 0). */
static void drop_pairs(const int marked, real (*pairs)[QUERIES], const struct dropout *d, uint64_t row,
                       const ptrdiff_t *queries, ptrdiff_t count, const ptrdiff_t *keys, ptrdiff_t nk) {
    const struct stream stream = stream_of(d->key, d->call);
    uint32_t bits[4][QUERIES];
    uint64_t drawn = ~0ull;
    const uvec sign = (uvec){0} + ((real_uint)1 << (FNN_BITS - 1));
    for (ptrdiff_t j = 0; j < nk; j++) {
        uint64_t block = (uint64_t)keys[j] / 4;
        if (block != drawn) draw_block(bits, d, &stream, row, queries, count, drawn = block);
        for (ptrdiff_t i = 0; i < count; i += VL) {
            word_group group;
            memcpy(&group, &bits[keys[j] % 4][i], sizeof group);
            uvec dropped = (uvec)(__builtin_convertvector(group, uvec) > (uvec){0} + d->last_kept);
            uvec pair = (uvec)load(pairs[j] + i);
            store(pairs[j] + i, (vec)(marked ? pair | (dropped & sign) : pair & ~dropped));
        }
    }
}

#endif

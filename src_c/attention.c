/* attention.c — scaled dot-product attention and its gradient.
 *
 *     s[i, j] = scale · q[i] · k[j]                          for each pair that may see each other, else −inf
 *     w[i, j] = e^(s[i, j] − lse[i])                         lse[i] = ln Σ_j e^s[i, j], a softmax over keys
 *     y[i] = Σ_j w'[i, j] · v[j]                             w' = w, or with dropout w / (1 − rate) for kept pairs, else 0
 *
 *     dv[j] = Σ_i w'[i, j] · dy[i]                           dw'[i, j] = dy[i] · v[j], dw likewise dropped and scaled
 *     ds[i, j] = w[i, j] · (dw[i, j] − dy[i] · y[i])
 *     dq[i] = scale · Σ_j ds[i, j] · k[j]                    dk[j] = scale · Σ_i ds[i, j] · q[i]
 *
 * Shapes: q, dq (B, TQ, N, H), k, dk (B, TK, NK, H), v, dv (B, TK, NK, V), y, dy (B, TQ, N, V), lse (B, N, TQ); scores (w) and
 * dscores, if wanted, (B, N, TQ, TK).  Head n reads head n / (N / NK) of k and v.  Assigned; nothing is shared with an input.
 *
 * No array of pairs is kept: forward walks the keys tile by tile with a running maximum and a running sum, and backward makes the
 * weights again from lse.  Memory grows with TQ + TK.  A query that sees no key has y = 0, lse = −inf and no gradient.
 *
 * Threaded over (sequence, head, some blocks of queries) forward, over (sequence, head of keys, some tiles of keys) backward, both
 * cut by shape alone, and every sum runs in one order.  Bound by arithmetic.  Runs with denormals as zero.
 * Twin: fastnn/reference/attention.py.  Source: Vaswani et al., NeurIPS 2017; Milakov and Gimelshein, arXiv:1805.02867 (running
 * maximum); Rabe and Staats, arXiv:2112.05682, Dao et al., NeurIPS 2022 (memory).
 */
#include "attention.h"

#include "additive_attention.h"
#include "attention_backward.h"
#include "self_attention.h"

/* ---- forward ---- */

enum {
    CHUNK_BLOCKS = 8, /* blocks of queries of an item at most: for them keys and values are packed once */
    CHUNK = CHUNK_BLOCKS * QUERIES,
    CHUNK_REALS = 384 * 128, /* packed queries and sums of values of an item: they stay in the cache of a core */
};

#define LN_2 ((real)0.69314718055994530942)

struct forward_space {
    ptrdiff_t *queries, *keys;
    real *panels, *sums; /* packed queries; Σ w·v so far, not yet divided */
    real *max, *total;   /* of each query, in powers of 2 */
    real *k, *v;         /* a tile */
    real (*pairs)[QUERIES];
    int8_t (*flags)[QUERIES];
};

static ptrdiff_t forward_layout(struct forward_space *s, const struct fnn_attention *a, void *room) {
    uintptr_t at = (uintptr_t)room;
    s->queries = place(&at, CHUNK * (ptrdiff_t)sizeof(ptrdiff_t));
    s->keys = place(&at, (a->TK + 1) * (ptrdiff_t)sizeof(ptrdiff_t));
    s->panels = place_reals(&at, CHUNK * a->H);
    s->sums = place_reals(&at, CHUNK * padded(a->V));
    s->max = place_reals(&at, CHUNK);
    s->total = place_reals(&at, CHUNK);
    s->k = place_reals(&at, KEYS * padded(a->H));
    s->v = place_reals(&at, KEYS * padded(a->V));
    s->pairs = place(&at, sizeof(pairs));
    s->flags = place(&at, sizeof(pair_flags));
    return (ptrdiff_t)(at - (uintptr_t)room);
}

/* Scores become powers of 2 above the new maximum.  Totals follow; `factors` is what the sums so far are to be multiplied by. */
static void raise_to_powers(real (*pairs)[QUERIES], ptrdiff_t keys, ptrdiff_t queries, real *max, real *total,
                            real *factors) {
    for (ptrdiff_t i = 0; i < queries; i += VL) {
        const vec before = load(max + i);
        vec top = before, other = before;
        for (ptrdiff_t j = 0; j + 2 <= keys; j += 2) {
            top = greater_of(load(pairs[j] + i), top);
            other = greater_of(load(pairs[j + 1] + i), other);
        }
        if (keys % 2) other = greater_of(load(pairs[keys - 1] + i), other);
        top = greater_of(top, other);
        const vec factor = vec_exp2_low(before - top);
        store(max + i, top);
        store(factors + i, factor);
        store(total + i, load(total + i) * factor + raise_column(pairs[0] + i, keys, top));
    }
}

/* One block of queries (those from `start` on) meets one tile of keys. */
static void meet_tile(const struct attention *job, const struct head *head, const struct forward_space *s,
                      ptrdiff_t start, ptrdiff_t nq, const ptrdiff_t *keys, ptrdiff_t nk, int *fresh) {
    const struct fnn_attention *a = job->a;
    const ptrdiff_t *queries = s->queries + start;
    const struct view view = look(s->flags, a, head->mask, queries, nq, keys, nk);
    if (view.sight == NOTHING) return;
    real factors[QUERIES];
    real(*pairs)[QUERIES] = s->pairs + view.first;
    const ptrdiff_t count = view.last - view.first;
    /* 1: scores, in powers of 2 */
    multiply_pairs(
        &(struct pair_products){count, nq, a->H, s->k + view.first * padded(a->H), s->panels + start * a->H, *pairs});
    if (view.sight == SOME) hide_pairs(pairs, s->flags + view.first, count, nq, -(real)__builtin_inf());
    /* 2: weights, but for their common factor */
    raise_to_powers(pairs, count, nq, s->max + start, s->total + start, factors);
    if (a->rate > 0) drop_pairs(0, pairs, &job->dropout, (uint64_t)head->row, queries, nq, keys + view.first, count);
    /* 3: sums of values */
    add_over_keys(&(struct sum_over_keys){
        .keys = count,
        .queries = nq,
        .width = a->V,
        .pairs = *pairs,
        .rows = s->v + view.first * padded(a->V),
        .sum = s->sums + start * padded(a->V),
        .factors = factors,
        .fresh = *fresh,
    });
    *fresh = 0;
}

/* y = sums / total, lse = ln total + max; `max` becomes log2 of the sum of powers, +inf where it is 0, and `total` what it is
 * multiplied by.  Queries first .. last - 1 that are not in the list get nothing, like those that have seen nothing. */
static void finish(const struct attention *job, const struct head *head, const struct forward_space *s, ptrdiff_t nq,
                   const int *fresh, ptrdiff_t first, ptrdiff_t last) {
    const ptrdiff_t V = job->a->V;
    real *y = job->y + head->y, *lse = job->lse + head->row;
    const real infinity = (real)__builtin_inf();
    for (ptrdiff_t i = 0; i < nq; i += VL) {
        const vec total = load(s->total + i), max = load(s->max + i), log = vec_log(total);
        const ivec nothing = total == 0;
        const vec natural = choose(nothing, splat(-infinity), max * LN_2 + log);
        store(s->max + i, choose(nothing, splat(infinity), max + log * LOG2_OF_E));
        store(s->total + i, choose(nothing, (vec){0}, job->dropout.scale / total));
        real lanes[VL];
        store(lanes, natural);
        for (ptrdiff_t r = 0; r < least(VL, nq - i); r++) lse[s->queries[i + r]] = lanes[r];
    }
    for (ptrdiff_t i = first, at = 0; i < last; i++) {
        real *to = y + i * head->y_step;
        const int listed = at < nq && s->queries[at] == i;
        if (!listed) lse[i] = -infinity;
        if (!listed || fresh[at / QUERIES] || s->total[at] == 0) memset(to, 0, (size_t)V * sizeof(real));
        else {
            const real *sum = s->sums + at * padded(V), factor = s->total[at];
            for (ptrdiff_t p = 0; p < V; p += VL) store_upto(to + p, load(sum + p) * factor, V - p);
        }
        at += listed;
    }
}

/* Once the sums of powers are known: the weights of all pairs of the chunk. */
static void write_scores(const struct attention *job, const struct head *head, const struct forward_space *s,
                         ptrdiff_t nq, ptrdiff_t nk, ptrdiff_t first, ptrdiff_t last) {
    const struct fnn_attention *a = job->a;
    real *scores = job->scores + head->row * a->TK;
    memset(scores + first * a->TK, 0, (size_t)((last - first) * a->TK) * sizeof(real));
    for (ptrdiff_t t = 0, tiles = tiles_of(nk, a); t < tiles; t++) {
        const ptrdiff_t at = nk * t / tiles, count = nk * (t + 1) / tiles - at, *keys = s->keys + at;
        copy_rows(s->k, head->k, head->k_step, keys, count, a->H, 1);
        for (ptrdiff_t start = 0; start < nq; start += QUERIES) {
            const ptrdiff_t *queries = s->queries + start, block = least(QUERIES, nq - start);
            const struct view view = look(s->flags, a, head->mask, queries, block, keys, count);
            if (view.sight == NOTHING) continue;
            make_weights(s->pairs, s->flags, &view, a->H, s->k, s->panels + start * a->H, s->max + start, block);
            for (ptrdiff_t i = 0; i < block; i++)
                for (ptrdiff_t j = view.first; j < view.last; j++)
                    scores[queries[i] * a->TK + keys[j]] = s->pairs[j][i];
        }
    }
}

/* Queries first .. last - 1 of one head. */
static void forward_chunk(const struct attention *job, const struct head *head, const struct forward_space *s,
                          ptrdiff_t first, ptrdiff_t last) {
    const struct fnn_attention *a = job->a;
    const ptrdiff_t nq = list_queries(s->queries, a, head->sequence, first, last);
    int fresh[CHUNK_BLOCKS];
    for (ptrdiff_t i = 0; i < CHUNK_BLOCKS; i++) fresh[i] = 1;
    for (ptrdiff_t i = 0; i < CHUNK; i++) {
        s->max[i] = LOWEST;
        s->total[i] = 0;
    }
    ptrdiff_t nk = 0;
    if (nq)
        nk = list_keys(s->keys, a, head->sequence, most(0, s->queries[0] - a->before),
                       least(a->TK, s->queries[nq - 1] + a->after + 1));
    pack_rows_as_columns(s->panels, head->q, head->q_step, s->queries, nq, a->H, (real)a->scale * LOG2_OF_E);
    for (ptrdiff_t t = 0, tiles = tiles_of(nk, a); t < tiles; t++) {
        const ptrdiff_t at = nk * t / tiles, count = nk * (t + 1) / tiles - at, *keys = s->keys + at;
        copy_rows(s->k, head->k, head->k_step, keys, count, a->H, 1);
        copy_rows(s->v, head->v, head->v_step, keys, count, a->V, 1);
        for (ptrdiff_t start = 0; start < nq; start += QUERIES)
            meet_tile(job, head, s, start, least(QUERIES, nq - start), keys, count, &fresh[start / QUERIES]);
    }
    finish(job, head, s, nq, fresh, first, last);
    if (job->scores) write_scores(job, head, s, nq, nk, first, last);
}

/* An item is a chunk of the queries of one head. */
static int forward_chunks(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct attention *job = context;
    const struct fnn_attention *a = job->a;
    struct forward_space space;
    void *room = fnn_scratch(FNN_SCRATCH_TILE, (size_t)forward_layout(&space, a, NULL));
    if (!room) return FNN_NO_MEMORY;
    forward_layout(&space, a, room);
    const ptrdiff_t blocks = ceil_div(a->TQ, QUERIES);
    for (ptrdiff_t item = first; item < last; item++) {
        const ptrdiff_t chunk = item % job->chunks, head_number = item / job->chunks;
        const struct head head = head_of(job, head_number / a->N, head_number % a->N);
        forward_chunk(job, &head, &space, blocks * chunk / job->chunks * QUERIES,
                      least(a->TQ, blocks * (chunk + 1) / job->chunks * QUERIES));
    }
    return FNN_OK;
}

int FNN(attention_forward)(real *y, real *lse, real *scores, const real *q, const real *k, const real *v,
                           const struct fnn_attention *a) {
    struct attention job = {
        .a = a, .y = y, .lse = lse, .scores = scores, .q = q, .k = k, .v = v, .dropout = dropout_of(a)};
    const ptrdiff_t blocks = ceil_div(a->TQ, QUERIES), heads = most(1, a->B * a->N);
    const ptrdiff_t together = least(CHUNK_BLOCKS, most(1, CHUNK_REALS / ((a->H + padded(a->V)) * QUERIES)));
    job.chunks = most(ceil_div(blocks, together), least(blocks, ceil_div(ENOUGH_ITEMS, heads)));
    return fnn_parallel(a->B * a->N * job.chunks, flops(a, scores ? 3 : 2), forward_chunks, &job);
}

/* ---- backward ---- */

int FNN(attention_backward)(real *dq, real *dk, real *dv, const real *dy, const real *q, const real *k, const real *v,
                            const real *y, const real *lse, const real *scores, const real *dscores,
                            const struct fnn_attention *a) {
    struct attention job = {.a = a,
                            .dq = dq,
                            .dk = dk,
                            .dv = dv,
                            .dy = dy,
                            .q = q,
                            .k = k,
                            .v = v,
                            .given_y = y,
                            .given_lse = lse,
                            .given_scores = scores,
                            .dscores = dscores,
                            .dropout = dropout_of(a)};
    return attention_gradients(&job);
}

/* ---- additive scores ---- */

/* c (H,) may be NULL. */
int FNN(additive_attention_forward)(real *y, real *weights, const real *q, const real *k, const real *v, const real *c,
                                    const struct fnn_attention *a) {
    struct additive job = {
        .a = a, .y = y, .weights = weights, .q = q, .k = k, .v = v, .c = c, .dropout = dropout_of(a)};
    return fnn_parallel(a->B * a->TQ, additive_flops(a, 1), additive_rows, &job);
}

/* dc, c and dweights may be NULL. */
int FNN(additive_attention_backward)(real *dq, real *dk, real *dv, real *dc, const real *dy, const real *q,
                                     const real *k, const real *v, const real *c, const real *weights,
                                     const real *dweights, const struct fnn_attention *a) {
    struct additive job = {.a = a,
                           .dq = dq,
                           .dk = dk,
                           .dv = dv,
                           .dy = dy,
                           .q = q,
                           .k = k,
                           .v = v,
                           .c = c,
                           .given_weights = weights,
                           .dweights = dweights,
                           .dropout = dropout_of(a)};
    return additive_gradients(&job, dc);
}

/* ---- a sequence by itself ---- */

int FNN(self_attention_forward)(real *y, real *weights, const real *x, ptrdiff_t B, ptrdiff_t T, ptrdiff_t D) {
    struct self_attention job = {.y = y, .weights = weights, .x = x, .T = T, .D = D};
    return each_sequence(self_attention_forward_sequences, &job, B, 2);
}

int FNN(self_attention_backward)(real *dx, const real *dy, const real *x, const real *weights, ptrdiff_t B, ptrdiff_t T,
                                 ptrdiff_t D) {
    struct self_attention job = {.dx = dx, .dy = dy, .x = x, .given_weights = weights, .T = T, .D = D};
    return each_sequence(self_attention_backward_sequences, &job, B, 4);
}

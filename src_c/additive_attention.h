/* additive_attention.h — attention whose scores are sums of tanh, and its gradient.
 *
 *     s[i, j] = Σ_d c[d] · tanh(q[i, d] + k[j, d])           t = tanh(q[i] + k[j]), c = 1 where none is given
 *     w[i, j], y[i]                                          as in attention.c: softmax over the keys that i sees; dropout
 *     ds[i, j] = w[i, j] · (dw[i, j] − Σ_j w · dw)           dq[i] = Σ_j ds · c · (1 − t²), dk[j] = Σ_i of the same
 *     dc = Σ_i Σ_j ds · t                                    dv[j] = Σ_i w'[i, j] · dy[i]
 *
 * Shapes: q (B, TQ, 1, H), k (B, TK, 1, H), c (H,), v (B, TK, 1, V), y (B, TQ, 1, V), w and dw (B, 1, TQ, TK): one head.
 *
 * Weights are kept, as TQ · TK · H values of tanh outweigh them.  Backward makes tanh twice: once row by row, for dq and dc, and
 * once key by key, for dk; so each sum has one owner, and one order.  dc is summed over runs of rows, of which there are at most
 * GROUPS.  Bound by the arithmetic of tanh.
 * Source: Bahdanau, Cho and Bengio, ICLR 2015.
 */
#ifndef FNN_ADDITIVE_ATTENTION_H
#define FNN_ADDITIVE_ATTENTION_H

#include "attention.h"

enum { GROUPS = 16, FLOPS_PER_TANH = 30 };

struct additive {
    const struct fnn_attention *a;
    real *y, *weights;
    const real *q, *k, *v, *c;
    struct dropout dropout;
    /* The way back; slopes (ds) and dropped (w') are (B, TQ, TK). */
    real *dq, *dk, *dv, *dc, *slopes, *dropped;
    const real *dy, *given_weights, *dweights;
    ptrdiff_t groups;
};

static double additive_flops(const struct fnn_attention *a, double times) {
    return times * (double)a->B * (double)a->TQ * (double)a->TK * ((double)a->H * FLOPS_PER_TANH + 2 * (double)a->V);
}

INLINE vec of_each(const real *c, ptrdiff_t d, ptrdiff_t left) { return c ? load_upto(c + d, left) : splat(1); }

/* The keys that query i of sequence b sees. */
static ptrdiff_t list_seen(ptrdiff_t *list, const struct fnn_attention *a, ptrdiff_t b, ptrdiff_t i) {
    if (a->query_mask && !a->query_mask[b * a->TQ + i]) return 0;
    ptrdiff_t count = list_kept(list, a->key_mask ? a->key_mask + b * a->TK : NULL, most(0, i - a->before),
                                least(a->TK, i + a->after + 1));
    if (!a->mask) return count;
    const uint8_t *mask = a->mask + b * a->mask_step + i * a->TK;
    ptrdiff_t seen = 0;
    for (ptrdiff_t n = 0; n < count; n++) {
        list[seen] = list[n];
        seen += mask[list[n]] != 0; /* any other byte is true */
    }
    return seen;
}

/* What a weight of the row is multiplied by, at most: 1 / (1 − rate) or 0. */
static void draw_factors(real *factors, uint32_t *bits, const struct dropout *d, ptrdiff_t row, ptrdiff_t TK) {
    random_range(bits, (uint64_t)row * d->row_blocks * 4, TK, d->key, d->call);
    for (ptrdiff_t j = 0; j < TK; j++) factors[j] = bits[j] <= d->last_kept ? d->scale : 0;
}

/* Scratch of a row. */
struct row_space {
    ptrdiff_t *keys;
    real *row, *factors;
    uint32_t *bits;
};

static ptrdiff_t row_layout(struct row_space *s, const struct fnn_attention *a, void *room) {
    uintptr_t at = (uintptr_t)room;
    s->keys = place(&at, (a->TK + 1) * (ptrdiff_t)sizeof(ptrdiff_t));
    s->row = place_reals(&at, round_up(most(a->TK, a->V), VL));
    s->factors = place_reals(&at, a->TK);
    s->bits = place(&at, a->TK * (ptrdiff_t)sizeof(uint32_t));
    return (ptrdiff_t)(at - (uintptr_t)room);
}

static int get_row_space(struct row_space *s, const struct fnn_attention *a) {
    void *room = fnn_scratch(FNN_SCRATCH_TILE, (size_t)row_layout(s, a, NULL));
    if (!room) return FNN_NO_MEMORY;
    row_layout(s, a, room);
    return FNN_OK;
}

/* An item is a query. */
static int additive_rows(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct additive *job = context;
    const struct fnn_attention *a = job->a;
    const ptrdiff_t H = a->H, V = a->V, TK = a->TK;
    struct row_space s;
    if (get_row_space(&s, a) != FNN_OK) return FNN_NO_MEMORY;
    for (ptrdiff_t item = first; item < last; item++) {
        const ptrdiff_t b = item / a->TQ, count = list_seen(s.keys, a, b, item % a->TQ);
        const real *q = job->q + item * H;
        real *w = job->weights + item * TK, *y = job->y + item * V, max = LOWEST, total = 0;
        /* 1: scores */
        for (ptrdiff_t n = 0; n < count; n++) {
            const real *k = job->k + (b * TK + s.keys[n]) * H;
            vec sum = {0};
            for (ptrdiff_t d = 0; d < H; d += VL)
                sum += of_each(job->c, d, H - d) * vec_tanh(load_upto(q + d, H - d) + load_upto(k + d, H - d));
            s.row[n] = sum_lanes(sum);
            max = s.row[n] > max ? s.row[n] : max;
        }
        /* 2: their softmax; keys that are not seen have no weight */
        total = row_exp_sum(s.row, s.row, max, count);
        memset(w, 0, (size_t)TK * sizeof(real));
        for (ptrdiff_t n = 0; n < count; n++) w[s.keys[n]] = total == 0 ? 0 : s.row[n] / total;
        /* 3: the sum of values */
        if (a->rate > 0) draw_factors(s.factors, s.bits, &job->dropout, item, TK);
        memset(y, 0, (size_t)V * sizeof(real));
        for (ptrdiff_t n = 0; n < count; n++) {
            const ptrdiff_t j = s.keys[n];
            const real *v = job->v + (b * TK + j) * V, weight = a->rate > 0 ? w[j] * s.factors[j] : w[j];
            for (ptrdiff_t p = 0; p < V; p += VL)
                store_upto(y + p, load_upto(y + p, V - p) + load_upto(v + p, V - p) * weight, V - p);
        }
    }
    return FNN_OK;
}

/* An item is a run of queries, with a dc of its own: dq, and what the keys will need. */
static int additive_gradient_rows(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct additive *job = context;
    const struct fnn_attention *a = job->a;
    const ptrdiff_t H = a->H, V = a->V, TK = a->TK, rows = a->B * a->TQ;
    struct row_space s;
    if (get_row_space(&s, a) != FNN_OK) return FNN_NO_MEMORY;
    for (ptrdiff_t group = first; group < last; group++) {
        real *dc = job->dc + group * H;
        memset(dc, 0, (size_t)H * sizeof(real));
        for (ptrdiff_t item = rows * group / job->groups; item < rows * (group + 1) / job->groups; item++) {
            const ptrdiff_t b = item / a->TQ, count = list_seen(s.keys, a, b, item % a->TQ);
            const real *q = job->q + item * H, *w = job->given_weights + item * TK, *dy = job->dy + item * V;
            real *ds = job->slopes + item * TK, *dropped = job->dropped + item * TK, *dq = job->dq + item * H, mean = 0;
            /* 1: dw and its mean */
            memset(ds, 0, (size_t)TK * sizeof(real));
            memset(dropped, 0, (size_t)TK * sizeof(real));
            memset(dq, 0, (size_t)H * sizeof(real));
            if (a->rate > 0) draw_factors(s.factors, s.bits, &job->dropout, item, TK);
            for (ptrdiff_t n = 0; n < count; n++) {
                const ptrdiff_t j = s.keys[n];
                const real *v = job->v + (b * TK + j) * V, factor = a->rate > 0 ? s.factors[j] : 1;
                ds[j] = sum_lanes(dot_rows(dy, v, V)) * factor + (job->dweights ? job->dweights[item * TK + j] : 0);
                dropped[j] = w[j] * factor;
                mean += w[j] * ds[j];
            }
            /* 2: ds, and through tanh */
            for (ptrdiff_t n = 0; n < count; n++) {
                const ptrdiff_t j = s.keys[n];
                const real *k = job->k + (b * TK + j) * H, slope = w[j] * (ds[j] - mean);
                ds[j] = slope;
                for (ptrdiff_t d = 0; d < H; d += VL) {
                    const ptrdiff_t left = H - d;
                    vec t = vec_tanh(load_upto(q + d, left) + load_upto(k + d, left));
                    store_upto(dc + d, load_upto(dc + d, left) + t * slope, left);
                    vec through = of_each(job->c, d, left) * (1 - t * t) * slope;
                    store_upto(dq + d, load_upto(dq + d, left) + through, left);
                }
            }
        }
    }
    return FNN_OK;
}

/* An item is a key: dk and dv, over the queries in order. */
static int additive_gradient_keys(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct additive *job = context;
    const struct fnn_attention *a = job->a;
    const ptrdiff_t H = a->H, V = a->V, TK = a->TK;
    for (ptrdiff_t item = first; item < last; item++) {
        const ptrdiff_t b = item / TK, j = item % TK;
        const real *k = job->k + item * H;
        real *dk = job->dk + item * H, *dv = job->dv + item * V;
        memset(dk, 0, (size_t)H * sizeof(real));
        memset(dv, 0, (size_t)V * sizeof(real));
        for (ptrdiff_t row = b * a->TQ; row < (b + 1) * a->TQ; row++) {
            const real slope = job->slopes[row * TK + j], weight = job->dropped[row * TK + j];
            if (slope == 0 && weight == 0) continue; /* not seen */
            const real *q = job->q + row * H, *dy = job->dy + row * V;
            for (ptrdiff_t d = 0; d < H; d += VL) {
                const ptrdiff_t left = H - d;
                vec t = vec_tanh(load_upto(q + d, left) + load_upto(k + d, left));
                store_upto(dk + d, load_upto(dk + d, left) + of_each(job->c, d, left) * (1 - t * t) * slope, left);
            }
            for (ptrdiff_t p = 0; p < V; p += VL)
                store_upto(dv + p, load_upto(dv + p, V - p) + load_upto(dy + p, V - p) * weight, V - p);
        }
    }
    return FNN_OK;
}

static int additive_gradients(struct additive *job, real *dc) {
    const struct fnn_attention *a = job->a;
    const ptrdiff_t rows = a->B * a->TQ, pairs = rows * a->TK, H = a->H;
    job->groups = least(GROUPS, rows);
    real *room = fnn_scratch(FNN_SCRATCH_SHARED, (size_t)(2 * pairs + GROUPS * H) * sizeof(real));
    if (!room) return FNN_NO_MEMORY;
    job->slopes = room;
    job->dropped = room + pairs;
    job->dc = room + 2 * pairs;
    int status = fnn_parallel(job->groups, additive_flops(a, 1), additive_gradient_rows, job);
    if (status == FNN_OK) status = fnn_parallel(a->B * a->TK, additive_flops(a, 1), additive_gradient_keys, job);
    if (!dc || status != FNN_OK) return status;
    memset(dc, 0, (size_t)H * sizeof(real));
    for (ptrdiff_t group = 0; group < job->groups; group++)
        for (ptrdiff_t d = 0; d < H; d++) dc[d] += job->dc[group * H + d];
    return FNN_OK;
}

#endif

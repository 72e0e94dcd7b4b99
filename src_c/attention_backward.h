/* attention_backward.h — the gradients of attention: a tile of keys meets block after block of queries.
 *
 *            block of queries, packed both ways
 *    tile    +------------+  1  w = 2^(k·qᵀ − log2 Σ)                    two products with queries side by side
 *    of      |  w,  ds    |  2  ds = w · (v·dyᵀ − dot)
 *    keys    +------------+  3  dv += w · dy,  dk += ds · q,  dq += dsᵀ · k
 *
 * dk and dv of a tile are finished when all its queries have passed; dq of a head grows in scratch memory.  Where there are few
 * heads, keys are split in parts, each with a dq of its own, added in order.
 */
#ifndef FNN_ATTENTION_BACKWARD_H
#define FNN_ATTENTION_BACKWARD_H

#include "attention.h"

struct backward_space {
    ptrdiff_t *queries, *keys;
    real *q, *q_panels, *dy, *dy_panels; /* of all queries of a head */
    real *dq, *log_total, *dot;
    real *k, *v, *dk, *dv; /* a tile */
    real (*weights)[QUERIES];
    real (*slopes)[QUERIES];
    int8_t (*flags)[QUERIES];
};

static ptrdiff_t backward_layout(struct backward_space *s, const struct fnn_attention *a, void *room) {
    uintptr_t at = (uintptr_t)room;
    const ptrdiff_t queries = round_up(a->TQ, QUERIES);
    s->queries = place(&at, (a->TQ + 1) * (ptrdiff_t)sizeof(ptrdiff_t));
    s->keys = place(&at, (a->TK + 1) * (ptrdiff_t)sizeof(ptrdiff_t));
    s->q = place_reals(&at, queries * padded(a->H));
    s->q_panels = place_reals(&at, queries * a->H);
    s->dy = place_reals(&at, queries * padded(a->V));
    s->dy_panels = place_reals(&at, queries * a->V);
    s->dq = place_reals(&at, queries * padded(a->H));
    s->log_total = place_reals(&at, queries);
    s->dot = place_reals(&at, queries);
    s->k = place_reals(&at, KEYS * padded(a->H));
    s->v = place_reals(&at, KEYS * padded(a->V));
    s->dk = place_reals(&at, KEYS * padded(a->H));
    s->dv = place_reals(&at, KEYS * padded(a->V));
    s->weights = place(&at, sizeof(pairs));
    s->slopes = place(&at, sizeof(pairs));
    s->flags = place(&at, sizeof(pair_flags));
    return (ptrdiff_t)(at - (uintptr_t)room);
}

/* What all tiles of keys need of a head's queries: packed rows, log2 of the sum of powers (+inf, and so no weight, where it is
 * empty), Σ_j w·dw = dy·y + Σ_j w·dscores. */
static void pack_queries(const struct attention *job, const struct head *head, const struct backward_space *s,
                         ptrdiff_t nq) {
    const struct fnn_attention *a = job->a;
    const real *dy = job->dy + head->y, *y = job->given_y + head->y, *lse = job->given_lse + head->row;
    const real scale = (real)a->scale, infinity = (real)__builtin_inf();
    copy_rows(s->q, head->q, head->q_step, s->queries, nq, a->H, scale);
    copy_rows(s->dy, dy, head->y_step, s->queries, nq, a->V, job->dropout.scale);
    for (ptrdiff_t start = 0; start < nq; start += QUERIES) {
        const ptrdiff_t *queries = s->queries + start, count = least(QUERIES, nq - start);
        pack_rows_as_columns(s->q_panels + start * a->H, head->q, head->q_step, queries, count, a->H,
                             scale * LOG2_OF_E);
        pack_rows_as_columns(s->dy_panels + start * a->V, dy, head->y_step, queries, count, a->V, job->dropout.scale);
    }
    for (ptrdiff_t i = 0; i < nq; i += VL) {
        vec dots[VL] = {{0}};
        for (ptrdiff_t r = 0; r < least(VL, nq - i); r++) {
            const ptrdiff_t at = s->queries[i + r];
            dots[r] = dot_rows(dy + at * head->y_step, y + at * head->y_step, a->V);
            if (job->dscores) {
                const ptrdiff_t row = (head->row + at) * a->TK;
                dots[r] += dot_rows(job->given_scores + row, job->dscores + row, a->TK);
            }
            s->log_total[i + r] = lse[at] == -infinity ? infinity : lse[at] * LOG2_OF_E;
        }
        turn_square(dots);
        for (int r = 1; r < VL; r++) dots[0] += dots[r];
        store(s->dot + i, dots[0]);
    }
    for (ptrdiff_t i = nq; i < round_up(nq, VL); i++) s->log_total[i] = infinity;
    memset(s->dq, 0, (size_t)(nq * padded(a->H)) * sizeof(real));
}

/* slopes = weights · (slopes − dot): dw becomes ds.  Weights that are marked as dropped had no part in y, and become 0. */
static void make_slopes(const struct attention *job, const struct head *head, const struct backward_space *s,
                        ptrdiff_t start, ptrdiff_t nq, const ptrdiff_t *keys, ptrdiff_t first, ptrdiff_t last) {
    const ptrdiff_t TK = job->a->TK, *queries = s->queries + start;
    for (ptrdiff_t j = first; j < last; j++) {
        real *weights = s->weights[j], *slopes = s->slopes[j];
        if (job->a->rate > 0)
            for (ptrdiff_t i = 0; i < nq; i += VL)
                store(slopes + i, choose(load(weights + i) < 0, (vec){0}, load(slopes + i)));
        if (job->dscores)
            for (ptrdiff_t i = 0; i < nq; i++) slopes[i] += job->dscores[(head->row + queries[i]) * TK + keys[j]];
        for (ptrdiff_t i = 0; i < nq; i += VL)
            store(slopes + i, vec_abs(load(weights + i)) * (load(slopes + i) - load(s->dot + start + i)));
        if (job->a->rate > 0)
            for (ptrdiff_t i = 0; i < nq; i += VL) store(weights + i, at_least(load(weights + i), 0));
    }
}

/* One block of queries meets one tile of keys, on the way back. */
static void return_from_tile(const struct attention *job, const struct head *head, const struct backward_space *s,
                             ptrdiff_t start, ptrdiff_t nq, const ptrdiff_t *keys, ptrdiff_t nk) {
    const struct fnn_attention *a = job->a;
    const ptrdiff_t *queries = s->queries + start, H = padded(a->H), V = padded(a->V);
    const struct view view = look(s->flags, a, head->mask, queries, nq, keys, nk);
    if (view.sight == NOTHING) return;
    const ptrdiff_t at = view.first, count = view.last - view.first;
    /* 1: the weights again; those of dropped pairs are marked */
    make_weights(s->weights, s->flags, &view, a->H, s->k, s->q_panels + start * a->H, s->log_total + start, nq);
    if (a->rate > 0) drop_pairs(1, s->weights + at, &job->dropout, (uint64_t)head->row, queries, nq, keys + at, count);
    /* 2: ds */
    multiply_pairs(&(struct pair_products){count, nq, a->V, s->v + at * V, s->dy_panels + start * a->V, s->slopes[at]});
    make_slopes(job, head, s, start, nq, keys, at, view.last);
    /* 3: the three gradients */
    struct sum_over_queries sum = {count, nq, a->V, s->weights[at], s->dy + start * V, s->dv + at * V};
    add_over_queries(&sum);
    sum = (struct sum_over_queries){count, nq, a->H, s->slopes[at], s->q + start * H, s->dk + at * H};
    add_over_queries(&sum);
    add_over_keys(&(struct sum_over_keys){
        .keys = count,
        .queries = nq,
        .width = a->H,
        .pairs = s->slopes[at],
        .rows = s->k + at * H,
        .sum = s->dq + start * H,
    });
}

/* A tile's rows of a gradient, to their places. */
static void write_rows(real *to, ptrdiff_t step, const real *rows, const ptrdiff_t *list, ptrdiff_t count,
                       ptrdiff_t width) {
    for (ptrdiff_t i = 0; i < count; i++)
        for (ptrdiff_t p = 0; p < width; p += VL)
            store_upto(to + list[i] * step + p, load(rows + i * padded(width) + p), width - p);
}

/* The gradient of a head's queries by one part of the keys: at its place, or (several parts) in memory of its own. */
static void write_dq(const struct attention *job, const struct head *head, const struct backward_space *s, ptrdiff_t nq,
                     ptrdiff_t part) {
    const struct fnn_attention *a = job->a;
    const ptrdiff_t all = a->B * a->TQ * a->N * a->H;
    real *dq = (job->parts > 1 ? job->partial + part * all : job->dq) + (head->q - job->q);
    for (ptrdiff_t i = 0, at = 0; i < a->TQ; i++) {
        real *to = dq + i * head->q_step;
        if (at == nq || s->queries[at] != i) {
            memset(to, 0, (size_t)a->H * sizeof(real));
            continue;
        }
        const real *from = s->dq + at++ * padded(a->H);
        for (ptrdiff_t p = 0; p < a->H; p += VL) store_upto(to + p, load(from + p) * (real)a->scale, a->H - p);
    }
}

/* The keys first .. last - 1 of one head of keys, with all query heads that read it. */
static void backward_part(const struct attention *job, const struct backward_space *s, ptrdiff_t sequence,
                          ptrdiff_t shared, ptrdiff_t part) {
    const struct fnn_attention *a = job->a;
    const ptrdiff_t heads = a->N / a->NK, first = a->TK * part / job->parts, last = a->TK * (part + 1) / job->parts;
    const ptrdiff_t nq = list_queries(s->queries, a, sequence, 0, a->TQ),
                    nk = list_keys(s->keys, a, sequence, first, last);
    const ptrdiff_t H = padded(a->H), V = padded(a->V);
    for (ptrdiff_t n = shared * heads; n < (shared + 1) * heads; n++) {
        const struct head head = head_of(job, sequence, n);
        real *dk = job->dk + (head.k - job->k), *dv = job->dv + (head.v - job->v);
        const int fresh = n == shared * heads;
        if (fresh)
            for (ptrdiff_t j = first, at = 0; j < last; j++) {
                if (at < nk && s->keys[at] == j) at++;
                else {
                    memset(dk + j * head.k_step, 0, (size_t)a->H * sizeof(real));
                    memset(dv + j * head.v_step, 0, (size_t)a->V * sizeof(real));
                }
            }
        pack_queries(job, &head, s, nq);
        for (ptrdiff_t t = 0, tiles = tiles_of(nk, a); t < tiles; t++) {
            const ptrdiff_t at = nk * t / tiles, count = nk * (t + 1) / tiles - at, *keys = s->keys + at;
            copy_rows(s->k, head.k, head.k_step, keys, count, a->H, 1);
            copy_rows(s->v, head.v, head.v_step, keys, count, a->V, 1);
            if (fresh) {
                memset(s->dk, 0, (size_t)(count * H) * sizeof(real));
                memset(s->dv, 0, (size_t)(count * V) * sizeof(real));
            } else {
                copy_rows(s->dk, dk, head.k_step, keys, count, a->H, 1);
                copy_rows(s->dv, dv, head.v_step, keys, count, a->V, 1);
            }
            for (ptrdiff_t start = 0; start < nq; start += QUERIES)
                return_from_tile(job, &head, s, start, least(QUERIES, nq - start), keys, count);
            write_rows(dk, head.k_step, s->dk, keys, count, a->H);
            write_rows(dv, head.v_step, s->dv, keys, count, a->V);
        }
        write_dq(job, &head, s, nq, part);
    }
}

/* An item is a part of the keys of one head of keys. */
static int backward_parts(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct attention *job = context;
    const struct fnn_attention *a = job->a;
    struct backward_space space;
    void *room = fnn_scratch(FNN_SCRATCH_TILE, (size_t)backward_layout(&space, a, NULL));
    if (!room) return FNN_NO_MEMORY;
    backward_layout(&space, a, room);
    for (ptrdiff_t item = first; item < last; item++) {
        const ptrdiff_t head = item / job->parts;
        backward_part(job, &space, head / a->NK, head % a->NK, item % job->parts);
    }
    return FNN_OK;
}

enum { SUM_CHUNK = 4096 };

/* dq = Σ over the parts of the keys, in order.  An item is a run of numbers. */
static int add_parts(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct attention *job = context;
    const struct fnn_attention *a = job->a;
    const ptrdiff_t all = a->B * a->TQ * a->N * a->H, end = least(last * SUM_CHUNK, all);
    for (ptrdiff_t i = first * SUM_CHUNK; i < end; i += VL) {
        vec sum = load_upto(job->partial + i, end - i);
        for (ptrdiff_t part = 1; part < job->parts; part++) sum += load_upto(job->partial + part * all + i, end - i);
        store_upto(job->dq + i, sum, end - i);
    }
    return FNN_OK;
}

static int attention_gradients(struct attention *job) {
    const struct fnn_attention *a = job->a;
    const ptrdiff_t heads = a->B * a->NK, all = a->B * a->TQ * a->N * a->H;
    job->parts = heads ? most(1, least(ceil_div(ENOUGH_ITEMS, heads), a->TK / (2 * KEYS))) : 1;
    if (job->parts > 1) {
        job->partial = fnn_scratch(FNN_SCRATCH_SHARED, (size_t)(job->parts * all) * sizeof(real));
        if (!job->partial) return FNN_NO_MEMORY;
    }
    int status = fnn_parallel(heads * job->parts, flops(a, 5), backward_parts, job);
    if (status == FNN_OK && job->parts > 1)
        status = fnn_parallel(ceil_div(all, SUM_CHUNK), (double)(job->parts * all), add_parts, job);
    return status;
}

#endif

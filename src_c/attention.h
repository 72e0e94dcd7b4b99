/* attention.h — one call of attention, one head of it, and what both ways need of a block of pairs. */
#ifndef FNN_ATTENTION_H
#define FNN_ATTENTION_H

#include "pairs.h"

/* Work is split, by shape alone, until there are so many items. */
enum { ENOUGH_ITEMS = 16 };

#define LOWEST (FNN_BITS == 32 ? (real)-3e38 : (real)-1e308) /* finite, so that −inf less it is −inf */
#define LOG2_OF_E ((real)1.44269504088896340736)

struct attention {
    const struct fnn_attention *a;
    real *y, *lse, *scores;
    const real *q, *k, *v;
    struct dropout dropout;
    ptrdiff_t chunks; /* of the queries */
    /* The way back: what forward made is given. */
    real *dq, *dk, *dv, *partial;
    const real *dy, *given_y, *given_lse, *given_scores, *dscores;
    ptrdiff_t parts; /* of the keys */
};

static double flops(const struct fnn_attention *a, double products) {
    return products * (double)(a->B * a->N) * (double)a->TQ * (double)a->TK * (double)(a->H + a->V);
}

/* Of one sequence and head: where its rows begin, and the steps from row to row. */
struct head {
    ptrdiff_t sequence, number;
    const real *q, *k, *v;
    const uint8_t *mask;
    ptrdiff_t q_step, k_step, v_step, y_step;
    ptrdiff_t y;   /* offset of the first row in y and dy */
    ptrdiff_t row; /* of the first query in lse, and in scores in units of TK */
};

static struct head head_of(const struct attention *job, ptrdiff_t sequence, ptrdiff_t number) {
    const struct fnn_attention *a = job->a;
    const ptrdiff_t shared = number / (a->N / a->NK);
    return (struct head){
        .sequence = sequence,
        .number = number,
        .q = job->q + (sequence * a->TQ * a->N + number) * a->H,
        .k = job->k + (sequence * a->TK * a->NK + shared) * a->H,
        .v = job->v + (sequence * a->TK * a->NK + shared) * a->V,
        .mask = a->mask ? a->mask + sequence * a->mask_step + number * a->mask_head_step : NULL,
        .q_step = a->N * a->H,
        .k_step = a->NK * a->H,
        .v_step = a->NK * a->V,
        .y_step = a->N * a->V,
        .y = (sequence * a->TQ * a->N + number) * a->V,
        .row = (sequence * a->N + number) * a->TQ,
    };
}

static ptrdiff_t list_queries(ptrdiff_t *list, const struct fnn_attention *a, ptrdiff_t sequence, ptrdiff_t first,
                              ptrdiff_t last) {
    return list_kept(list, a->query_mask ? a->query_mask + sequence * a->TQ : NULL, first, last);
}

static ptrdiff_t list_keys(ptrdiff_t *list, const struct fnn_attention *a, ptrdiff_t sequence, ptrdiff_t first,
                           ptrdiff_t last) {
    return list_kept(list, a->key_mask ? a->key_mask + sequence * a->TK : NULL, first, last);
}

/* The weights of a block's pairs, once log2 of each query's sum of powers is known. */
static void make_weights(real (*pairs)[QUERIES], int8_t (*flags)[QUERIES], const struct view *view, ptrdiff_t H,
                         const real *k, const real *panels, const real *log_total, ptrdiff_t nq) {
    const ptrdiff_t at = view->first, count = view->last - at;
    multiply_pairs(&(struct pair_products){count, nq, H, k + at * padded(H), panels, pairs[at]});
    for (ptrdiff_t i = 0; i < nq; i += VL) raise_column(pairs[at] + i, count, load(log_total + i));
    if (view->sight == SOME) hide_pairs(pairs + at, flags + at, count, nq, 0);
}

INLINE vec dot_rows(const real *a, const real *b, ptrdiff_t n) {
    vec sum = {0};
    for (ptrdiff_t p = 0; p < n; p += VL) sum += load_upto(a + p, n - p) * load_upto(b + p, n - p);
    return sum;
}

#endif

/* gru.c — gated recurrent units over whole sequences.
 *
 *     z, r = rec(x_t·W + h_{t-1}·U + b), the first two thirds
 *     reset after:   ĥ = act(x_t·W_h + b_h + r (h_{t-1}·U_h + b'_h))     b (2,3U) = b, b'; inner = h_{t-1}·U_h + b'_h
 *     reset before:  ĥ = act(x_t·W_h + b_h + (r h_{t-1})·U_h)            b (3U,);          inner = r h_{t-1}
 *     h_t = z h_{t-1} + (1 − z) ĥ
 *
 * x (B,T,D), w (D,3U), u (U,3U); y (B,T,U) all h_t, gates (B,T,3U) = z r ĥ, inner (B,T,U).  recurrent_driver.c says how rows and
 * steps are shared out.  Bound by arithmetic.  Twin: fastnn/reference/gru.py.  Source: Cho et al., "Learning phrase
 * representations using RNN encoder–decoder" (2014); reset after: the variant of cuDNN, one recurrent product a step.
 */
#include "recurrent.h"

enum { GATES = 3 };

/* ---- forward ---- */

/* Reset after: one product h_{t-1}·U + b' for all three gates; r scales its last third. */
static void sums_reset_after(const struct forward *run, const struct forward_step *at, real *const *inner) {
    const struct fnn_sequence *s = run->s;
    const ptrdiff_t U = s->U;
    const struct factors hf = h_factors(s, GATES, U);
    const real *recurrent_bias = run->b ? run->b + GATES * U : NULL;
    real *recurrent[BLOCK_ROWS];
    for (ptrdiff_t n = 0; n < at->live.count; n++) recurrent[n] = inner[n] - 2 * U;
    times_recurrent(&at->live, &hf, 0, GATES, run->u, (const real *const *)at->h, recurrent, 0, recurrent_bias, 0,
                    at->room);
    for (ptrdiff_t n = 0; n < at->live.count; n++) {
        real *z = at->z[n], *r = z + U, *candidate = z + 2 * U;
        /* z, r = rec(x_t·W + b + h_{t-1}·U + b') */
        row_add(z, recurrent[n], 2 * U);
        activate(z, 2 * U, s->other_activation);
        /* The sum of ĥ: x_t·W_h + b_h + r inner. */
        row_add_times(candidate, inner[n], r, U);
    }
}

/* Reset before: r scales h_{t-1} itself, so the product with U_h waits for r. */
static void sums_reset_before(const struct forward *run, const struct forward_step *at, real *const *inner) {
    const struct fnn_sequence *s = run->s;
    const ptrdiff_t U = s->U;
    const struct factors hf = h_factors(s, GATES, U), none = {.sets = 1};
    /* z, r = rec(x_t·W + b + h_{t-1}·U) */
    times_recurrent(&at->live, &hf, 0, 2, run->u, (const real *const *)at->h, at->z, 0, NULL, 1, at->room);
    for (ptrdiff_t n = 0; n < at->live.count; n++) {
        real *z = at->z[n], *r = z + U;
        activate(z, 2 * U, s->other_activation);
        /* inner = r h_{t-1}, of which dropout leaves some */
        row_times(inner[n], r, at->h[n], U);
        if (hf.at) row_times(inner[n], inner[n], factor_row(&hf, 2, at->live.row[n]), U);
    }
    /* The sum of ĥ: x_t·W_h + b_h + inner·U_h. */
    times_recurrent(&at->live, &none, 2, 3, run->u, (const real *const *)inner, at->z, 2 * U, NULL, 1, NULL);
}

static void forward_step(const struct forward *run, const struct forward_step *at) {
    const struct fnn_sequence *s = run->s;
    const ptrdiff_t U = s->U;
    real *inner[BLOCK_ROWS];
    for (ptrdiff_t n = 0; n < at->live.count; n++) inner[n] = at->inner + (n * GATES + 2) * U;
    if (s->reset_after) sums_reset_after(run, at, inner);
    else sums_reset_before(run, at, inner);
    for (ptrdiff_t n = 0; n < at->live.count; n++) {
        real *z = at->z[n], *candidate = z + 2 * U, *h = at->h[n];
        /* ĥ = act(its sum) */
        activate(candidate, U, s->activation);
        /* h_t = z h_{t-1} + (1 − z) ĥ = z (h_{t-1} − ĥ) + ĥ */
        EACH_VEC (j, U) {
            ptrdiff_t left = U - j;
            vec keep = load_upto(z + j, left), new = load_upto(candidate + j, left);
            store_upto(h + j, keep * (load_upto(h + j, left) - new) + new, left);
        }
        if (run->inner) row_copy(run->inner + at->live.entry[n] * U, inner[n], U);
    }
}

int FNN(gru_forward)(real *y, real *h, real *gates, real *inner, const real *x, const real *w, const real *u,
                     const real *b, const real *h0, const struct fnn_sequence *s) {
    struct forward run = {.s = s,
                          .step = forward_step,
                          .gates = GATES,
                          .inner_width = GATES * s->U, /* the recurrent sums of all gates; inner is their last third */
                          .h = {.width = s->U, .initial = h0, .last = h, .steps = y},
                          .z = gates,
                          .inner = inner,
                          .x = x,
                          .b = b};
    return run_forward(&run, w, u, NULL);
}

/* ---- backward ---- */

/* Reset after: r scales inner, so both gradients come from that of ĥ's sum, and one product follows. */
static void back_reset_after(const struct backward *run, const struct backward_step *at) {
    const struct fnn_sequence *s = run->s;
    const ptrdiff_t U = s->U;
    const struct factors hf = h_factors(s, GATES, U);
    const real *const *dz = (const real *const *)at->dz;
    for (ptrdiff_t n = 0; n < at->live.count; n++) {
        const real *r = at->z[n] + U, *inner = run->inner + at->live.entry[n] * U;
        real *dr = at->dz[n] + U, *dcandidate = dr + U, *dinner = dr + 2 * U;
        /* sum of ĥ = … + r inner:  dr = dĥ inner, times its slope; dinner = dĥ r */
        row_times(dr, dcandidate, inner, U);
        times_slope(dr, dr, r, U, s->other_activation);
        row_times(dinner, dcandidate, r, U);
    }
    /* dh_{t-1} += [dz dr dinner]·Uᵀ */
    if (!at->need_before) return;
    add_state_gradient(&at->live, &hf, 0, 2, run->ut, U, dz, 0, at->dh, at->room[0]);
    add_state_gradient(&at->live, &hf, 2, 3, run->ut, U, dz, 3 * U, at->dh, at->room[0]);
}

/* Reset before: the gradient of inner = r h_{t-1} is a product of its own, and gives those of r and of h_{t-1}. */
static void back_reset_before(const struct backward *run, const struct backward_step *at) {
    const struct fnn_sequence *s = run->s;
    const ptrdiff_t U = s->U;
    const struct factors hf = h_factors(s, GATES, U);
    const real *const *dz = (const real *const *)at->dz;
    real *dinner[BLOCK_ROWS];
    /* dinner = dĥ·U_hᵀ */
    for (ptrdiff_t n = 0; n < at->live.count; n++) dinner[n] = at->room[1] + n * U;
    rows_times(&(struct rows_product){.count = at->live.count,
                                      .a = dz,
                                      .a_offset = 2 * U,
                                      .panels = run->ut,
                                      .first = 2 * U,
                                      .depth = U,
                                      .c = dinner});
    for (ptrdiff_t n = 0; n < at->live.count; n++) {
        const real *r = at->z[n] + U;
        real *dr = at->dz[n] + U;
        if (hf.at) row_times(dinner[n], dinner[n], factor_row(&hf, 2, at->live.row[n]), U);
        /* inner = r h_{t-1}:  dr = dinner h_{t-1}, times its slope; dh_{t-1} += dinner r */
        row_times(dr, dinner[n], at->h_before[n], U);
        times_slope(dr, dr, r, U, s->other_activation);
        row_add_times(at->dh[n], dinner[n], r, U);
    }
    /* dh_{t-1} += [dz dr]·Uᵀ */
    add_state_gradient(&at->live, &hf, 0, 2, run->ut, U, dz, 0, at->dh, at->room[0]);
}

static void backward_step(const struct backward *run, const struct backward_step *at) {
    const struct fnn_sequence *s = run->s;
    const ptrdiff_t U = s->U;
    for (ptrdiff_t n = 0; n < at->live.count; n++) {
        const real *z = at->z[n], *candidate = z + 2 * U, *h_before = at->h_before[n];
        real *dz = at->dz[n], *dcandidate = dz + 2 * U, *dh = at->dh[n];
        /* h_t = z h_{t-1} + (1 − z) ĥ:  dz = dh (h_{t-1} − ĥ), dĥ = dh (1 − z), and dh z goes straight to h_{t-1} */
        EACH_VEC (j, U) {
            ptrdiff_t left = U - j;
            vec d = load_upto(dh + j, left), keep = load_upto(z + j, left), new = load_upto(candidate + j, left);
            store_upto(dz + j, d * (load_upto(h_before + j, left) - new), left);
            store_upto(dcandidate + j, d * (1 - keep), left);
            store_upto(dh + j, d * keep, left);
        }
        times_slope(dz, dz, z, U, s->other_activation);
        times_slope(dcandidate, dcandidate, candidate, U, s->activation);
    }
    if (s->reset_after) back_reset_after(run, at);
    else back_reset_before(run, at);
}

/* dW += Σ x_tᵀ·dz,  db += Σ dz;  dU += Σ h_{t-1}ᵀ·dz of z and r, and for ĥ
 *     reset after:   dU_h += Σ h_{t-1}ᵀ·dinner,  db' += Σ [dz dr dinner]
 *     reset before:  dU_h += Σ innerᵀ·dĥ */
static void add_weight_gradients(const struct backward *run, const struct chunk *chunk, real *const *sums) {
    const struct fnn_sequence *s = run->s;
    const ptrdiff_t U = s->U, G = GATES * U;
    const struct factors hf = h_factors(s, GATES, U), none = {.sets = 1, .width = U};
    real *dw = sums[0], *du = sums[1], *db = sums[2];
    add_input_products(dw, chunk, s, GATES);
    add_state_products(du, G, chunk, &hf, 0, 2, U, chunk->h_before, 0);
    if (s->reset_after) {
        add_state_products(du, G, chunk, &hf, 2, 3, U, chunk->h_before, 3 * U);
    } else {
        const real *inner[CHUNK];
        for (ptrdiff_t n = 0; n < chunk->count; n++) inner[n] = run->inner + chunk->entry[n] * U;
        add_state_products(du, G, chunk, &none, 2, 3, U, inner, 2 * U);
    }
    if (!db) return;
    add_rows(db, chunk->count, chunk->dz, 0, G);
    if (!s->reset_after) return;
    add_rows(db + G, chunk->count, chunk->dz, 0, 2 * U);
    add_rows(db + G + 2 * U, chunk->count, chunk->dz, 3 * U, U);
}

int FNN(gru_backward)(real *dx, real *dw, real *du, real *db, real *dh0, real *dstates, const real *dy, const real *dh,
                      const real *x, const real *w, const real *u, const real *y, const real *gates, const real *inner,
                      const real *h0, const struct fnn_sequence *s) {
    const ptrdiff_t U = s->U, G = GATES * U, biases = s->reset_after ? 2 * G : G;
    struct backward run = {.s = s,
                           .step = backward_step,
                           .weights = add_weight_gradients,
                           .gates = GATES,
                           .more = s->reset_after ? U : 0, /* dinner */
                           .h = {.width = U, .initial = h0, .steps = y, .dlast = dh, .dinitial = dh0},
                           .dy = dy,
                           .x = x,
                           .z = gates,
                           .inner = inner,
                           .dx = dx,
                           .dstates = dstates,
                           .sums = {.arrays = 3, .result = {dw, du, db}, .size = {s->D * G, U * G, db ? biases : 0}}};
    return run_backward(&run, w, u, NULL);
}

/* lstm.c — long short-term memory over whole sequences.
 *
 *     i, f, g, o = the quarters of x_t·W + h_{t-1}·U + b      each (U,), i f o by the recurrent activation, g by the activation
 *     c_t = f c_{t-1} + i g        h_t = o act(c_t)
 *
 * x (B,T,D), w (D,4U), u (U,4U), b (4U,); y (B,T,U) all h_t, gates (B,T,4U), cells (B,T,U) all c_t.  recurrent_driver.c says how
 * rows and steps are shared out.  Bound by arithmetic; a step of BLOCK_ROWS rows reads U from L2.
 * Twin: fastnn/reference/lstm.py.  Source: Hochreiter and Schmidhuber, "Long short-term memory" (1997), with the forget gate of
 * Gers et al. (2000).
 */
#include "recurrent.h"

enum { GATES = 4 };

/* ---- forward ---- */

static void forward_step(const struct forward *run, const struct forward_step *at) {
    const struct fnn_sequence *s = run->s;
    const ptrdiff_t U = s->U;
    const struct factors hf = h_factors(s, GATES, U);
    /* The sums of the four gates: z = x_t·W + b is there, + h_{t-1}·U. */
    times_recurrent(&at->live, &hf, 0, GATES, run->u, (const real *const *)at->h, at->z, 0, NULL, 1, at->room);
    for (ptrdiff_t n = 0; n < at->live.count; n++) {
        real *i = at->z[n], *f = i + U, *g = i + 2 * U, *o = i + 3 * U;
        real *h = at->h[n], *c = at->c[n], *act_c = at->room;
        /* The gates: how much comes in (i) of what (g), how much stays (f), how much is shown (o). */
        activate(i, 2 * U, s->other_activation); /* and f */
        activate(g, U, s->activation);
        activate(o, U, s->other_activation);
        /* c_t = f c_{t-1} + i g */
        EACH_VEC (j, U) {
            ptrdiff_t left = U - j;
            vec stays = load_upto(f + j, left) * load_upto(c + j, left);
            vec next = stays + load_upto(i + j, left) * load_upto(g + j, left);
            store_upto(c + j, next, left);
            store_upto(act_c + j, next, left);
        }
        /* h_t = o act(c_t) */
        activate(act_c, U, s->activation);
        row_times(h, act_c, o, U);
    }
}

int FNN(lstm_forward)(real *y, real *h, real *c, real *gates, real *cells, const real *x, const real *w, const real *u,
                      const real *b, const real *h0, const real *c0, const struct fnn_sequence *s) {
    struct forward run = {.s = s,
                          .step = forward_step,
                          .gates = GATES,
                          .h = {.width = s->U, .initial = h0, .last = h, .steps = y},
                          .c = {.width = s->U, .initial = c0, .last = c, .steps = cells},
                          .z = gates,
                          .x = x,
                          .b = b};
    return run_forward(&run, w, u, NULL);
}

/* ---- backward ---- */

static void backward_step(const struct backward *run, const struct backward_step *at) {
    const struct fnn_sequence *s = run->s;
    const ptrdiff_t U = s->U;
    const struct factors hf = h_factors(s, GATES, U);
    for (ptrdiff_t n = 0; n < at->live.count; n++) {
        const real *i = at->z[n], *f = i + U, *g = i + 2 * U, *o = i + 3 * U, *c_before = at->c_before[n];
        real *di = at->dz[n], *df = di + U, *dg = di + 2 * U, *dO = di + 3 * U;
        real *dh = at->dh[n], *dc = at->dc[n], *act_c = at->room[0], *through_h = di;
        /* h_t = o act(c_t):  do = dh act(c_t), and dh o act'(c_t) reaches c_t through h_t */
        row_copy(act_c, at->c[n], U);
        activate(act_c, U, s->activation);
        row_times(dO, dh, act_c, U);
        row_times(through_h, dh, o, U);
        times_slope(through_h, through_h, act_c, U, s->activation);
        /* c_t = f c_{t-1} + i g:  di = dc g, df = dc c_{t-1}, dg = dc i, dc_{t-1} = dc f */
        EACH_VEC (j, U) {
            ptrdiff_t left = U - j;
            vec whole = load_upto(dc + j, left) + load_upto(through_h + j, left);
            store_upto(di + j, whole * load_upto(g + j, left), left);
            store_upto(df + j, whole * load_upto(c_before + j, left), left);
            store_upto(dg + j, whole * load_upto(i + j, left), left);
            store_upto(dc + j, whole * load_upto(f + j, left), left);
            store_upto(dh + j, (vec){0}, left);
        }
        /* The gates: dz = their gradients times their slopes. */
        times_slope(di, di, i, 2 * U, s->other_activation); /* and df */
        times_slope(dg, dg, g, U, s->activation);
        times_slope(dO, dO, o, U, s->other_activation);
    }
    /* dh_{t-1} = dz·Uᵀ */
    if (at->need_before)
        add_state_gradient(&at->live, &hf, 0, GATES, run->ut, U, (const real *const *)at->dz, 0, at->dh, at->room[0]);
}

/* dW += Σ x_tᵀ·dz,  dU += Σ h_{t-1}ᵀ·dz,  db += Σ dz */
static void add_weight_gradients(const struct backward *run, const struct chunk *chunk, real *const *sums) {
    const struct fnn_sequence *s = run->s;
    const ptrdiff_t U = s->U;
    const struct factors hf = h_factors(s, GATES, U);
    add_input_products(sums[0], chunk, s, GATES);
    add_state_products(sums[1], GATES * U, chunk, &hf, 0, GATES, U, chunk->h_before, 0);
    if (sums[2]) add_rows(sums[2], chunk->count, chunk->dz, 0, GATES * U);
}

int FNN(lstm_backward)(real *dx, real *dw, real *du, real *db, real *dh0, real *dc0, real *dstates, const real *dy,
                       const real *dh, const real *dc, const real *x, const real *w, const real *u, const real *y,
                       const real *gates, const real *cells, const real *h0, const real *c0,
                       const struct fnn_sequence *s) {
    const ptrdiff_t U = s->U, G = GATES * U;
    struct backward run = {.s = s,
                           .step = backward_step,
                           .weights = add_weight_gradients,
                           .gates = GATES,
                           .h = {.width = U, .initial = h0, .steps = y, .dlast = dh, .dinitial = dh0},
                           .c = {.width = U, .initial = c0, .steps = cells, .dlast = dc, .dinitial = dc0},
                           .dy = dy,
                           .x = x,
                           .z = gates,
                           .dx = dx,
                           .dstates = dstates,
                           .sums = {.arrays = 3, .result = {dw, du, db}, .size = {s->D * G, U * G, db ? G : 0}}};
    return run_backward(&run, w, u, NULL);
}

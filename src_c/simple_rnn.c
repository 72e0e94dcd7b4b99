/* simple_rnn.c — recurrent layers of one gate over whole sequences: the state feeds back, or the output does.
 *
 *     simple_rnn:  h_t = act(x_t·W + h_{t-1}·U + b)                           y (B,T,U) all h_t
 *     output_rnn:  a_t = act(x_t·W + y_{t-1}·U + b),  y_t = out(a_t·V + c)    y (B,T,O), hidden (B,T,U) all a_t
 *
 * x (B,T,D), w (D,U), u (U,U) or (O,U), b (U,), v (U,O), c (O,).  h below is what feeds back: the state, or the output.
 * recurrent_driver.c says how rows and steps are shared out.  Bound by arithmetic.
 * Twin: fastnn/reference/simple_rnn.py.  Sources: Elman, "Finding structure in time" (1990); Jordan, "Serial order" (1986).
 */
#include "recurrent.h"

/* ---- forward ---- */

/* a_t = act(x_t·W + b + h_{t-1}·U): z holds all but the last product. */
static void activated_sums(const struct forward *run, const struct forward_step *at) {
    const struct fnn_sequence *s = run->s;
    const struct factors hf = h_factors(s, 1, run->h.width);
    times_recurrent(&at->live, &hf, 0, 1, run->u, (const real *const *)at->h, at->z, 0, NULL, 1, at->room);
    for (ptrdiff_t n = 0; n < at->live.count; n++) activate(at->z[n], s->U, s->activation);
}

/* h_t = a_t */
static void forward_step(const struct forward *run, const struct forward_step *at) {
    activated_sums(run, at);
    for (ptrdiff_t n = 0; n < at->live.count; n++) row_copy(at->h[n], at->z[n], run->s->U);
}

/* y_t = out(a_t·V + c) */
static void output_forward_step(const struct forward *run, const struct forward_step *at) {
    const struct fnn_sequence *s = run->s;
    activated_sums(run, at);
    rows_times(&(struct rows_product){.count = at->live.count,
                                      .a = (const real *const *)at->z,
                                      .panels = run->v,
                                      .depth = s->U,
                                      .c = at->h,
                                      .bias = run->v_bias});
    for (ptrdiff_t n = 0; n < at->live.count; n++) activate(at->h[n], s->O, s->other_activation);
}

int FNN(simple_rnn_forward)(real *y, real *h, const real *x, const real *w, const real *u, const real *b,
                            const real *h0, const struct fnn_sequence *s) {
    struct forward run = {.s = s,
                          .step = forward_step,
                          .gates = 1,
                          .h = {.width = s->U, .initial = h0, .last = h, .steps = y},
                          .x = x,
                          .b = b};
    return run_forward(&run, w, u, NULL);
}

int FNN(output_rnn_forward)(real *y, real *hidden, const real *x, const real *w, const real *u, const real *b,
                            const real *v, const real *c, const real *y0, const struct fnn_sequence *s) {
    struct forward run = {.s = s,
                          .step = output_forward_step,
                          .gates = 1,
                          .h = {.width = s->O, .initial = y0, .steps = y},
                          .z = hidden,
                          .x = x,
                          .b = b,
                          .v_bias = c};
    return run_forward(&run, w, u, v);
}

/* ---- backward ---- */

/* dh_{t-1} = dz·Uᵀ */
static void state_gradient(const struct backward *run, const struct backward_step *at) {
    const ptrdiff_t R = run->h.width;
    const struct factors hf = h_factors(run->s, 1, R);
    for (ptrdiff_t n = 0; n < at->live.count; n++) row_zero(at->dh[n], R);
    if (at->need_before)
        add_state_gradient(&at->live, &hf, 0, 1, run->ut, run->s->U, (const real *const *)at->dz, 0, at->dh,
                           at->room[0]);
}

/* h_t = act(z):  dz = dh times the slope, which h_t gives */
static void backward_step(const struct backward *run, const struct backward_step *at) {
    const struct fnn_sequence *s = run->s;
    for (ptrdiff_t n = 0; n < at->live.count; n++) times_slope(at->dz[n], at->dh[n], at->h[n], s->U, s->activation);
    state_gradient(run, at);
}

/* A row of dz continues with dout, the gradient of the sum a_t·V + c. */
static void output_backward_step(const struct backward *run, const struct backward_step *at) {
    const struct fnn_sequence *s = run->s;
    const ptrdiff_t U = s->U, O = s->O;
    /* y_t = out(sum):  dout = dy times the slope */
    for (ptrdiff_t n = 0; n < at->live.count; n++)
        times_slope(at->dz[n] + U, at->dh[n], at->h[n], O, s->other_activation);
    /* sum = a_t·V + c:  da = dout·Vᵀ;  a_t = act(z):  dz = da times the slope */
    rows_times(&(struct rows_product){.count = at->live.count,
                                      .a = (const real *const *)at->dz,
                                      .a_offset = U,
                                      .panels = run->vt,
                                      .depth = O,
                                      .c = at->dz});
    for (ptrdiff_t n = 0; n < at->live.count; n++) times_slope(at->dz[n], at->dz[n], at->z[n], U, s->activation);
    state_gradient(run, at);
}

/* dW += Σ x_tᵀ·dz,  dU += Σ h_{t-1}ᵀ·dz,  db += Σ dz */
static void add_weight_gradients(const struct backward *run, const struct chunk *chunk, real *const *sums) {
    const struct fnn_sequence *s = run->s;
    const ptrdiff_t U = s->U;
    const struct factors hf = h_factors(s, 1, run->h.width);
    add_input_products(sums[0], chunk, s, 1);
    add_state_products(sums[1], U, chunk, &hf, 0, 1, U, chunk->h_before, 0);
    if (sums[2]) add_rows(sums[2], chunk->count, chunk->dz, 0, U);
}

/* The same, and dV += Σ a_tᵀ·dout,  dc += Σ dout */
static void add_output_weight_gradients(const struct backward *run, const struct chunk *chunk, real *const *sums) {
    const ptrdiff_t U = run->s->U, O = run->s->O;
    const real *a[CHUNK];
    add_weight_gradients(run, chunk, sums);
    for (ptrdiff_t n = 0; n < chunk->count; n++) a[n] = run->z + chunk->entry[n] * U;
    add_outer(&(struct outer_sum){
        .count = chunk->count, .M = U, .N = O, .a = a, .b = chunk->dz, .b_offset = U, .c = sums[3], .ldc = O});
    if (sums[4]) add_rows(sums[4], chunk->count, chunk->dz, U, O);
}

int FNN(simple_rnn_backward)(real *dx, real *dw, real *du, real *db, real *dh0, real *dstates, const real *dy,
                             const real *dh, const real *x, const real *w, const real *u, const real *y, const real *h0,
                             const struct fnn_sequence *s) {
    const ptrdiff_t U = s->U;
    struct backward run = {.s = s,
                           .step = backward_step,
                           .weights = add_weight_gradients,
                           .gates = 1,
                           .h = {.width = U, .initial = h0, .steps = y, .dlast = dh, .dinitial = dh0},
                           .dy = dy,
                           .x = x,
                           .dx = dx,
                           .dstates = dstates,
                           .sums = {.arrays = 3, .result = {dw, du, db}, .size = {s->D * U, U * U, db ? U : 0}}};
    return run_backward(&run, w, u, NULL);
}

int FNN(output_rnn_backward)(real *dx, real *dw, real *du, real *db, real *dv, real *dc, real *dy0, real *dstates,
                             const real *dy, const real *dlast, const real *x, const real *w, const real *u,
                             const real *v, const real *y, const real *hidden, const real *y0,
                             const struct fnn_sequence *s) {
    const ptrdiff_t U = s->U, O = s->O;
    struct backward run = {.s = s,
                           .step = output_backward_step,
                           .weights = add_output_weight_gradients,
                           .gates = 1,
                           .more = O,
                           .h = {.width = O, .initial = y0, .steps = y, .dlast = dlast, .dinitial = dy0},
                           .dy = dy,
                           .x = x,
                           .z = hidden,
                           .dx = dx,
                           .dstates = dstates,
                           .sums = {.arrays = 5,
                                    .result = {dw, du, db, dv, dc},
                                    .size = {s->D * U, O * U, db ? U : 0, U * O, dc ? O : 0}}};
    return run_backward(&run, w, u, v);
}

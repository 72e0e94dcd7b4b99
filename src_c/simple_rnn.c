/* simple_rnn.c — recurrent layers of one gate over whole sequences: the state feeds back, or the output does.
 *
 *     simple_rnn:  h_t = act(x_t·W + h_{t-1}·U + b)                           y (B,T,U) all h_t
 *     output_rnn:  a_t = act(x_t·W + y_{t-1}·U + b),  y_t = out(a_t·V + c)    y (B,T,O), hidden (B,T,U) all a_t
 *
 * x (B,T,D), w (D,U), u (U,U) or (O,U), b (U,), v (U,O), c (O,).  One code for both: with the first, what feeds back is the
 * activated sum itself; with the second it passes through V once more.  recurrent.h says how rows and steps are shared out.
 * Twin: fastnn/reference/simple_rnn.py.  Sources: Elman, "Finding structure in time" (1990); Jordan, "Serial order" (1986).
 */
#include "recurrent.h"

/* ---- forward ---- */

/* Without v: R = U, and `hidden` is where all states go. */
struct forward {
    const struct fnn_sequence *s;
    real *y, *h, *hidden;
    const real *x, *b, *c, *initial;
    struct panels w, u, v;
    int readout;
    ptrdiff_t R; /* the width of what feeds back */
};

struct forward_memory {
    real *state, *z, *room, *x_room;
};

INLINE struct forward_memory carve_forward(const struct forward *job, struct room *room) {
    return (struct forward_memory){
        .state = take(room, BLOCK_ROWS * job->R),
        .z = take(room, CHUNK * job->s->U),
        .room = take(room, BLOCK_ROWS * job->R),
        .x_room = take(room, job->s->x_factors ? CHUNK * job->s->D : 0),
    };
}

/* The live rows of one step: from z, projected inputs, to the next state. */
static void step_forward(const struct forward *job, const struct forward_memory *m, const struct live *live,
                         ptrdiff_t k) {
    const struct fnn_sequence *s = job->s;
    const struct factors hf = h_factors(s, 1, job->R);
    real *z[BLOCK_ROWS], *to[BLOCK_ROWS];
    const real *state[BLOCK_ROWS];
    for (ptrdiff_t n = 0; n < live->count; n++) {
        z[n] = m->z + slot_of(live->of_block[n], k) * s->U;
        state[n] = to[n] = m->state + live->of_block[n] * job->R;
    }
    times_recurrent(live, &hf, 0, 1, &job->u, state, z, 0, NULL, 1, m->room);
    for (ptrdiff_t n = 0; n < live->count; n++) activate(z[n], s->U, s->activation);
    if (!job->readout) {
        for (ptrdiff_t n = 0; n < live->count; n++) row_copy(to[n], z[n], s->U);
        return;
    }
    rows_times(&(struct rows_product){
        .count = live->count, .a = (const real *const *)z, .panels = job->v, .depth = s->U, .c = to, .bias = job->c});
    for (ptrdiff_t n = 0; n < live->count; n++) activate(to[n], job->R, s->other_activation);
}

static void forward_block(const struct forward *job, const struct forward_memory *m, ptrdiff_t first_row,
                          ptrdiff_t rows) {
    const struct fnn_sequence *s = job->s;
    const ptrdiff_t U = s->U, R = job->R;
    struct places places;
    struct live live;
    real *z[CHUNK];
    rows_of_block(m->state, job->initial, first_row, rows, R);
    for (ptrdiff_t first_step = 0; first_step < s->T; first_step += CHUNK_STEPS) {
        ptrdiff_t steps = least(CHUNK_STEPS, s->T - first_step);
        find_places(&places, s, job->x, first_row, rows, first_step, steps);
        for (ptrdiff_t n = 0; n < places.count; n++) z[n] = m->z + places.slot[n] * U;
        project(&places, s, 1, &job->w, job->b, z, m->x_room);
        for (ptrdiff_t k = 0; k < steps; k++) {
            ptrdiff_t t = time_of(s, first_step + k);
            find_live(&live, s, first_row, rows, t);
            step_forward(job, m, &live, k);
            for (ptrdiff_t i = 0; i < rows; i++) {
                ptrdiff_t place = (first_row + i) * s->T + t;
                if (job->y) row_copy(job->y + place * R, m->state + i * R, R);
                if (!job->hidden) continue;
                if (is_live(s, first_row + i, t)) row_copy(job->hidden + place * U, m->z + slot_of(i, k) * U, U);
                else row_zero(job->hidden + place * U, U);
            }
        }
    }
    if (job->h) row_copy(job->h + first_row * R, m->state, rows * R);
}

static int forward_task(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct forward *job = context;
    const ptrdiff_t B = job->s->B;
    struct room room = {0};
    carve_forward(job, &room);
    room = (struct room){fnn_scratch(FNN_SCRATCH_TILE, room_bytes(&room)), 0};
    if (!room.at) return FNN_NO_MEMORY;
    struct forward_memory memory = carve_forward(job, &room);
    for (ptrdiff_t block = first; block < last; block++) {
        ptrdiff_t row = row_of_block(B, block);
        forward_block(job, &memory, row, row_of_block(B, block + 1) - row);
    }
    return FNN_OK;
}

static int run_forward(struct forward *job, const real *w, const real *u, const real *v) {
    const struct fnn_sequence *s = job->s;
    const ptrdiff_t U = s->U, D = s->D, R = job->R;
    ptrdiff_t size = panels_size(D, U) + panels_size(R, U) + (v ? panels_size(U, R) : 0);
    real *room = fnn_scratch(FNN_SCRATCH_PANELS, (size_t)size * sizeof(real));
    if (!room) return FNN_NO_MEMORY;
    job->w = pack_panels(&room, w, U, 1, D, U);
    job->u = pack_panels(&room, u, U, 1, R, U);
    if (v) job->v = pack_panels(&room, v, R, 1, U, R);
    double work = 2.0 * (double)(s->B * s->T) * (double)(U * (D + R + (v ? R : 0)));
    return fnn_parallel(blocks_of(s->B), work, forward_task, job);
}

int FNN(simple_rnn_forward)(real *y, real *h, const real *x, const real *w, const real *u, const real *b,
                            const real *h0, const struct fnn_sequence *s) {
    struct forward job = {.s = s, .y = y, .h = h, .x = x, .b = b, .initial = h0, .R = s->U};
    return run_forward(&job, w, u, NULL);
}

int FNN(output_rnn_forward)(real *y, real *hidden, const real *x, const real *w, const real *u, const real *b,
                            const real *v, const real *c, const real *y0, const struct fnn_sequence *s) {
    struct forward job = {
        .s = s, .y = y, .hidden = hidden, .x = x, .b = b, .c = c, .initial = y0, .readout = 1, .R = s->O};
    return run_forward(&job, w, u, v);
}

/* ---- backward ---- */

struct backward {
    const struct fnn_sequence *s;
    real *dx, *dinitial, *dstates;
    const real *dy, *dlast, *x, *y, *hidden, *initial; /* hidden is y where the state feeds back */
    struct panels wt, ut, vt;
    int readout;
    ptrdiff_t R;
    struct sums sums; /* dw, du, db, dv, dc */
};

struct backward_memory {
    real *dstate, *room, *zeros, *dz, *dout, *chunk_room;
};

INLINE struct backward_memory carve_backward(const struct backward *job, struct room *room) {
    const ptrdiff_t U = job->s->U, D = job->s->D, R = job->R;
    return (struct backward_memory){
        .dstate = take(room, BLOCK_ROWS * R),
        .room = take(room, BLOCK_ROWS * R),
        .zeros = take(room, R),
        .dz = take(room, CHUNK * U),
        .dout = take(room, job->readout ? CHUNK * R : 0),
        .chunk_room = take(room, CHUNK * most(R, D)),
    };
}

/* One step of a block, backwards: dz of its live rows at their slots, and the gradient of the state before it. */
static void step_backward(const struct backward *job, const struct backward_memory *m, ptrdiff_t first_row,
                          ptrdiff_t rows, ptrdiff_t step, ptrdiff_t k) {
    const struct fnn_sequence *s = job->s;
    const ptrdiff_t U = s->U, R = job->R, t = time_of(s, step);
    const struct factors hf = h_factors(s, 1, R);
    struct live live;
    real *dz[BLOCK_ROWS], *dstate[BLOCK_ROWS];
    const real *dout[BLOCK_ROWS];
    for (ptrdiff_t i = 0; i < rows; i++) {
        ptrdiff_t place = (first_row + i) * s->T + t;
        if (job->dy) row_add(m->dstate + i * R, job->dy + place * R, R);
        if (job->dstates) row_copy(job->dstates + place * R, m->dstate + i * R, R);
    }
    find_live(&live, s, first_row, rows, t);
    for (ptrdiff_t n = 0; n < live.count; n++) {
        ptrdiff_t slot = slot_of(live.of_block[n], k), place = live.row[n] * s->T + t;
        dz[n] = m->dz + slot * U;
        dstate[n] = m->dstate + live.of_block[n] * R;
        if (job->readout) {
            real *to = m->dout + slot * R;
            times_slope(to, dstate[n], job->y + place * R, R, s->other_activation);
            dout[n] = to;
        } else {
            times_slope(dz[n], dstate[n], job->y + place * U, U, s->activation);
        }
        row_zero(dstate[n], R);
    }
    if (job->readout) {
        rows_times(&(struct rows_product){.count = live.count, .a = dout, .panels = job->vt, .depth = R, .c = dz});
        for (ptrdiff_t n = 0; n < live.count; n++)
            times_slope(dz[n], dz[n], job->hidden + (live.row[n] * s->T + t) * U, U, s->activation);
    }
    if (step > 0 || job->dinitial)
        add_state_gradient(&live, &hf, 0, 1, job->ut, U, (const real *const *)dz, 0, dstate, m->room);
}

static void backward_block(const struct backward *job, const struct backward_memory *m, real *const *sums,
                           ptrdiff_t first_row, ptrdiff_t rows) {
    const struct fnn_sequence *s = job->s;
    const ptrdiff_t U = s->U, R = job->R;
    const struct factors hf = h_factors(s, 1, R);
    struct places places;
    const real *dz[CHUNK], *dout[CHUNK], *state[CHUNK], *hidden[CHUNK];
    rows_of_block(m->dstate, job->dlast, first_row, rows, R);
    row_zero(m->zeros, R);
    for (ptrdiff_t end = s->T; end > 0;) {
        ptrdiff_t first_step = (end - 1) / CHUNK_STEPS * CHUNK_STEPS, steps = end - first_step;
        for (ptrdiff_t k = steps - 1; k >= 0; k--) step_backward(job, m, first_row, rows, first_step + k, k);
        find_places(&places, s, job->x, first_row, rows, first_step, steps);
        for (ptrdiff_t n = 0; n < places.count; n++) {
            dz[n] = m->dz + places.slot[n] * U;
            state[n] = state_before(s, job->y, job->initial, m->zeros, places.row[n], places.t[n], R);
            if (!job->readout) continue;
            dout[n] = m->dout + places.slot[n] * R;
            hidden[n] = job->hidden + (places.row[n] * s->T + places.t[n]) * U;
        }
        add_input_products(sums[0], &places, s, 1, dz, m->chunk_room);
        add_state_products(sums[1], U, &places, &hf, 0, 1, R, U, state, dz, 0, m->chunk_room);
        if (sums[2]) add_rows(sums[2], places.count, dz, 0, U);
        if (job->readout)
            add_outer(&(struct outer_sum){
                .count = places.count, .M = U, .N = R, .a = hidden, .b = dout, .c = sums[3], .ldc = R});
        if (sums[4]) add_rows(sums[4], places.count, dout, 0, R);
        if (job->dx)
            input_gradient(job->dx, &places, s, 1, job->wt, dz, m->chunk_room, first_row, rows, first_step, steps);
        end = first_step;
    }
    if (job->dinitial) row_copy(job->dinitial + first_row * R, m->dstate, rows * R);
}

static int backward_task(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct backward *job = context;
    const ptrdiff_t B = job->s->B;
    real *sums[MOST_SUMS] = {0};
    struct room room = {0};
    carve_backward(job, &room);
    room = (struct room){fnn_scratch(FNN_SCRATCH_TILE, room_bytes(&room)), 0};
    if (!room.at) return FNN_NO_MEMORY;
    struct backward_memory memory = carve_backward(job, &room);
    for (ptrdiff_t group = first; group < last; group++) {
        sums_of_group(sums, &job->sums, group);
        for (ptrdiff_t block = block_of_group(B, group); block < block_of_group(B, group + 1); block++) {
            ptrdiff_t row = row_of_block(B, block);
            backward_block(job, &memory, sums, row, row_of_block(B, block + 1) - row);
        }
    }
    return FNN_OK;
}

static int run_backward(struct backward *job, const real *w, const real *u, const real *v) {
    const struct fnn_sequence *s = job->s;
    const ptrdiff_t U = s->U, D = s->D, R = job->R;
    ptrdiff_t size = panels_size(U, D) + panels_size(U, R) + (v ? panels_size(R, U) : 0);
    real *room = fnn_scratch(FNN_SCRATCH_PANELS, (size_t)size * sizeof(real));
    if (!room || make_sums(&job->sums, groups_of(s->B)) != FNN_OK) return FNN_NO_MEMORY;
    if (job->dx) job->wt = pack_panels(&room, w, 1, U, U, D);
    job->ut = pack_panels(&room, u, 1, U, U, R);
    if (v) job->vt = pack_panels(&room, v, 1, R, R, U);
    double work = 4.0 * (double)(s->B * s->T) * (double)(U * (D + R + (v ? R : 0)));
    int status = fnn_parallel(groups_of(s->B), work, backward_task, job);
    return status == FNN_OK ? add_groups(&job->sums) : status;
}

int FNN(simple_rnn_backward)(real *dx, real *dw, real *du, real *db, real *dh0, real *dstates, const real *dy,
                             const real *dh, const real *x, const real *w, const real *u, const real *y, const real *h0,
                             const struct fnn_sequence *s) {
    const ptrdiff_t U = s->U;
    struct backward job = {.s = s,
                           .dx = dx,
                           .dinitial = dh0,
                           .dstates = dstates,
                           .dy = dy,
                           .dlast = dh,
                           .x = x,
                           .y = y,
                           .initial = h0,
                           .R = U,
                           .sums = {.arrays = 3, .result = {dw, du, db}, .size = {s->D * U, U * U, db ? U : 0}}};
    return run_backward(&job, w, u, NULL);
}

int FNN(output_rnn_backward)(real *dx, real *dw, real *du, real *db, real *dv, real *dc, real *dy0, real *dstates,
                             const real *dy, const real *dlast, const real *x, const real *w, const real *u,
                             const real *v, const real *y, const real *hidden, const real *y0,
                             const struct fnn_sequence *s) {
    const ptrdiff_t U = s->U, O = s->O;
    struct backward job = {.s = s,
                           .dx = dx,
                           .dinitial = dy0,
                           .dstates = dstates,
                           .dy = dy,
                           .dlast = dlast,
                           .x = x,
                           .y = y,
                           .hidden = hidden,
                           .initial = y0,
                           .readout = 1,
                           .R = O,
                           .sums = {.arrays = 5,
                                    .result = {dw, du, db, dv, dc},
                                    .size = {s->D * U, O * U, db ? U : 0, U * O, dc ? O : 0}}};
    return run_backward(&job, w, u, v);
}

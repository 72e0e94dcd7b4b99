/* gru.c — gated recurrent units over whole sequences.
 *
 *     z, r = rec(x_t·W + h_{t-1}·U + b), the first two thirds
 *     reset after:   ĥ = act(x_t·W_h + b_h + r (h_{t-1}·U_h + b'_h))     b (2,3U) = b, b'; inner = h_{t-1}·U_h + b'_h
 *     reset before:  ĥ = act(x_t·W_h + b_h + (r h_{t-1})·U_h)            b (3U,);          inner = r h_{t-1}
 *     h_t = z h_{t-1} + (1 − z) ĥ
 *
 * x (B,T,D), w (D,3U), u (U,3U); y (B,T,U) all h_t, gates (B,T,3U) = z r ĥ, inner (B,T,U).  recurrent.h says how rows and steps
 * are shared out.  Twin: fastnn/reference/gru.py.  Source: Cho et al., "Learning phrase representations using RNN
 * encoder–decoder" (2014); reset after: the variant of cuDNN, one recurrent product a step.
 */
#include "recurrent.h"

enum { GATES = 3 };

/* ---- forward ---- */

struct forward {
    const struct fnn_sequence *s;
    real *y, *h, *gates, *inner;
    const real *x, *h0, *b, *recurrent_bias; /* the two rows of b, or NULL */
    struct panels w[GATES], u[GATES];
};

struct forward_memory {
    real *h, *room, *x_room, *z, *recurrent; /* recurrent: h·U of the three gates; inner is its last third */
};

INLINE struct forward_memory carve_forward(const struct forward *job, struct room *room) {
    const ptrdiff_t U = job->s->U;
    return (struct forward_memory){
        .h = take(room, BLOCK_ROWS * U),
        .room = take(room, BLOCK_ROWS * U),
        .x_room = take(room, job->s->x_factors ? CHUNK * job->s->D : 0),
        .z = take(room, job->gates ? 0 : CHUNK * GATES * U),
        .recurrent = take(room, BLOCK_ROWS * GATES * U),
    };
}

INLINE void mix(real *h, const real *z, ptrdiff_t U) {
    EACH_VEC (j, U) {
        ptrdiff_t left = U - j;
        vec keep = load_upto(z + j, left), candidate = load_upto(z + 2 * U + j, left);
        store_upto(h + j, keep * (load_upto(h + j, left) - candidate) + candidate, left);
    }
}

/* The live rows of one step: from z, projected inputs, to the gates and the next state. */
static void step_forward(const struct forward *job, const struct forward_memory *m, const struct live *live,
                         real *const *z) {
    const struct fnn_sequence *s = job->s;
    const ptrdiff_t U = s->U;
    const struct factors hf = h_factors(s, GATES, U);
    const real *h[BLOCK_ROWS];
    real *recurrent[BLOCK_ROWS], *inner[BLOCK_ROWS];
    for (ptrdiff_t n = 0; n < live->count; n++) {
        h[n] = m->h + live->of_block[n] * U;
        recurrent[n] = m->recurrent + live->of_block[n] * GATES * U;
        inner[n] = recurrent[n] + 2 * U;
    }
    if (s->reset_after) {
        times_recurrent(live, &hf, 0, GATES, job->u, h, recurrent, 0, job->recurrent_bias, 0, m->room);
        for (ptrdiff_t n = 0; n < live->count; n++) {
            row_add(z[n], recurrent[n], 2 * U);
            activate(z[n], 2 * U, s->other_activation);
            row_add_times(z[n] + 2 * U, inner[n], z[n] + U, U);
        }
    } else {
        times_recurrent(live, &hf, 0, 2, job->u, h, z, 0, NULL, 1, m->room);
        for (ptrdiff_t n = 0; n < live->count; n++) {
            activate(z[n], 2 * U, s->other_activation);
            row_times(inner[n], z[n] + U, h[n], U);
            if (hf.at) row_times(inner[n], inner[n], factor_row(&hf, 2, live->row[n]), U);
        }
        const struct factors none = {.sets = 1};
        times_recurrent(live, &none, 2, 3, job->u, (const real *const *)inner, z, 2 * U, NULL, 1, NULL);
    }
    for (ptrdiff_t n = 0; n < live->count; n++) {
        activate(z[n] + 2 * U, U, s->activation);
        mix(m->h + live->of_block[n] * U, z[n], U);
    }
}

static void forward_block(const struct forward *job, const struct forward_memory *m, ptrdiff_t first_row,
                          ptrdiff_t rows) {
    const struct fnn_sequence *s = job->s;
    const ptrdiff_t U = s->U;
    struct places places;
    struct live live;
    real *z[CHUNK];
    rows_of_block(m->h, job->h0, first_row, rows, U);
    for (ptrdiff_t first_step = 0; first_step < s->T; first_step += CHUNK_STEPS) {
        ptrdiff_t steps = least(CHUNK_STEPS, s->T - first_step);
        find_places(&places, s, job->x, first_row, rows, first_step, steps);
        for (ptrdiff_t n = 0; n < places.count; n++)
            z[n] = job->gates ? job->gates + (places.row[n] * s->T + places.t[n]) * GATES * U
                              : m->z + places.slot[n] * GATES * U;
        project(&places, s, GATES, job->w, job->b, z, m->x_room);
        for (ptrdiff_t k = 0; k < steps; k++) {
            ptrdiff_t t = time_of(s, first_step + k);
            find_live(&live, s, first_row, rows, t);
            for (ptrdiff_t n = 0; n < live.count; n++)
                z[n] = job->gates ? job->gates + (live.row[n] * s->T + t) * GATES * U
                                  : m->z + slot_of(live.of_block[n], k) * GATES * U;
            step_forward(job, m, &live, z);
            for (ptrdiff_t i = 0; i < rows; i++) {
                ptrdiff_t place = (first_row + i) * s->T + t;
                if (job->y) row_copy(job->y + place * U, m->h + i * U, U);
                if (!job->gates) continue;
                if (is_live(s, first_row + i, t)) {
                    row_copy(job->inner + place * U, m->recurrent + (i * GATES + 2) * U, U);
                } else {
                    row_zero(job->inner + place * U, U);
                    row_zero(job->gates + place * GATES * U, GATES * U);
                }
            }
        }
    }
    row_copy(job->h + first_row * U, m->h, rows * U);
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

int FNN(gru_forward)(real *y, real *h, real *gates, real *inner, const real *x, const real *w, const real *u,
                     const real *b, const real *h0, const struct fnn_sequence *s) {
    const ptrdiff_t U = s->U;
    ptrdiff_t size = GATES * (panels_size(s->D, U) + panels_size(U, U));
    real *room = fnn_scratch(FNN_SCRATCH_PANELS, (size_t)size * sizeof(real));
    if (!room) return FNN_NO_MEMORY;
    struct forward job = {.s = s,
                          .y = y,
                          .h = h,
                          .gates = gates,
                          .inner = inner,
                          .x = x,
                          .h0 = h0,
                          .b = b,
                          .recurrent_bias = b && s->reset_after ? b + GATES * U : NULL};
    pack_gates(job.w, &room, w, s->D, U, GATES);
    pack_gates(job.u, &room, u, U, U, GATES);
    double work = 2.0 * GATES * (double)(s->B * s->T) * (double)(U * (s->D + U));
    return fnn_parallel(blocks_of(s->B), work, forward_task, &job);
}

/* ---- backward ---- */

struct backward {
    const struct fnn_sequence *s;
    real *dx, *dh0, *dstates;
    const real *dy, *dh, *x, *y, *gates, *inner, *h0;
    struct panels wt, ut;
    struct sums sums; /* dw, du, db */
};

/* A slot of dz: gradients of the sums of z, r, ĥ and, 3U on, of inner with reset after. */
enum { PARTS = 4 };

struct backward_memory {
    real *dh, *room, *zeros, *dz, *chunk_room;
};

INLINE struct backward_memory carve_backward(const struct backward *job, struct room *room) {
    const ptrdiff_t U = job->s->U;
    return (struct backward_memory){
        .dh = take(room, BLOCK_ROWS * U),
        .room = take(room, 2 * BLOCK_ROWS * U),
        .zeros = take(room, U),
        .dz = take(room, CHUNK * PARTS * U),
        .chunk_room = take(room, CHUNK * most(U, job->s->D)),
    };
}

/* dz of one row from dh, which becomes the part that z carries over; the slope of r's sum is still to come. */
INLINE void cell_backward(const struct fnn_sequence *s, real *dz, real *dh, const real *z, const real *h_before) {
    const ptrdiff_t U = s->U;
    EACH_VEC (j, U) {
        ptrdiff_t left = U - j;
        vec d = load_upto(dh + j, left), keep = load_upto(z + j, left), candidate = load_upto(z + 2 * U + j, left);
        store_upto(dz + j, d * (load_upto(h_before + j, left) - candidate), left);
        store_upto(dz + 2 * U + j, d * (1 - keep), left);
        store_upto(dh + j, d * keep, left);
    }
    times_slope(dz, dz, z, U, s->other_activation);
    times_slope(dz + 2 * U, dz + 2 * U, z + 2 * U, U, s->activation);
}

/* Reset after: r scales inner, so both gradients come from that of ĥ's sum, and one product follows. */
static void finish_reset_after(const struct backward *job, const struct backward_memory *m, const struct live *live,
                               real *const *dz, const ptrdiff_t *place, real *const *dh, int wanted) {
    const struct fnn_sequence *s = job->s;
    const ptrdiff_t U = s->U;
    const struct factors hf = h_factors(s, GATES, U);
    const real *const *from = (const real *const *)dz;
    for (ptrdiff_t n = 0; n < live->count; n++) {
        const real *z = job->gates + place[n] * GATES * U;
        row_times(dz[n] + U, dz[n] + 2 * U, job->inner + place[n] * U, U);
        times_slope(dz[n] + U, dz[n] + U, z + U, U, s->other_activation);
        row_times(dz[n] + 3 * U, dz[n] + 2 * U, z + U, U);
    }
    if (!wanted) return;
    add_state_gradient(live, &hf, 0, 2, job->ut, U, from, 0, dh, m->room);
    add_state_gradient(live, &hf, 2, 3, job->ut, U, from, 3 * U, dh, m->room);
}

/* Reset before: the gradient of inner = r h is a product of its own, and gives those of r and of h. */
static void finish_reset_before(const struct backward *job, const struct backward_memory *m, const struct live *live,
                                real *const *dz, const ptrdiff_t *place, real *const *dh) {
    const struct fnn_sequence *s = job->s;
    const ptrdiff_t U = s->U;
    const struct factors hf = h_factors(s, GATES, U);
    const real *const *from = (const real *const *)dz;
    real *dinner[BLOCK_ROWS], *room = m->room + BLOCK_ROWS * U;
    for (ptrdiff_t n = 0; n < live->count; n++) dinner[n] = m->room + n * U;
    rows_times(&(struct rows_product){.count = live->count,
                                      .a = from,
                                      .a_offset = 2 * U,
                                      .panels = job->ut,
                                      .first = 2 * U,
                                      .depth = U,
                                      .c = dinner});
    for (ptrdiff_t n = 0; n < live->count; n++) {
        const real *r = job->gates + place[n] * GATES * U + U;
        const real *h = state_before(s, job->y, job->h0, m->zeros, live->row[n], place[n] - live->row[n] * s->T, U);
        if (hf.at) row_times(dinner[n], dinner[n], factor_row(&hf, 2, live->row[n]), U);
        row_times(dz[n] + U, dinner[n], h, U);
        times_slope(dz[n] + U, dz[n] + U, r, U, s->other_activation);
        row_add_times(dh[n], dinner[n], r, U);
    }
    add_state_gradient(live, &hf, 0, 2, job->ut, U, from, 0, dh, room);
}

static void step_backward(const struct backward *job, const struct backward_memory *m, ptrdiff_t first_row,
                          ptrdiff_t rows, ptrdiff_t step, ptrdiff_t k) {
    const struct fnn_sequence *s = job->s;
    const ptrdiff_t U = s->U, t = time_of(s, step);
    struct live live;
    real *dz[BLOCK_ROWS], *dh[BLOCK_ROWS];
    ptrdiff_t place[BLOCK_ROWS];
    for (ptrdiff_t i = 0; i < rows; i++) {
        ptrdiff_t at = (first_row + i) * s->T + t;
        if (job->dy) row_add(m->dh + i * U, job->dy + at * U, U);
        if (job->dstates) row_copy(job->dstates + at * U, m->dh + i * U, U);
    }
    find_live(&live, s, first_row, rows, t);
    for (ptrdiff_t n = 0; n < live.count; n++) {
        place[n] = live.row[n] * s->T + t;
        dz[n] = m->dz + slot_of(live.of_block[n], k) * PARTS * U;
        dh[n] = m->dh + live.of_block[n] * U;
        cell_backward(s, dz[n], dh[n], job->gates + place[n] * GATES * U,
                      state_before(s, job->y, job->h0, m->zeros, live.row[n], t, U));
    }
    if (s->reset_after) finish_reset_after(job, m, &live, dz, place, dh, step > 0 || job->dh0);
    else finish_reset_before(job, m, &live, dz, place, dh);
}

static void backward_block(const struct backward *job, const struct backward_memory *m, real *const *sums,
                           ptrdiff_t first_row, ptrdiff_t rows) {
    const struct fnn_sequence *s = job->s;
    const ptrdiff_t U = s->U, G = GATES * U;
    const struct factors hf = h_factors(s, GATES, U), none = {.sets = 1};
    struct places places;
    const real *dz[CHUNK], *h[CHUNK], *inner[CHUNK];
    rows_of_block(m->dh, job->dh, first_row, rows, U);
    row_zero(m->zeros, U);
    for (ptrdiff_t end = s->T; end > 0;) {
        ptrdiff_t first_step = (end - 1) / CHUNK_STEPS * CHUNK_STEPS, steps = end - first_step;
        for (ptrdiff_t k = steps - 1; k >= 0; k--) step_backward(job, m, first_row, rows, first_step + k, k);
        find_places(&places, s, job->x, first_row, rows, first_step, steps);
        for (ptrdiff_t n = 0; n < places.count; n++) {
            dz[n] = m->dz + places.slot[n] * PARTS * U;
            h[n] = state_before(s, job->y, job->h0, m->zeros, places.row[n], places.t[n], U);
            inner[n] = job->inner + (places.row[n] * s->T + places.t[n]) * U;
        }
        add_input_products(sums[0], &places, s, GATES, dz, m->chunk_room);
        add_state_products(sums[1], G, &places, &hf, 0, 2, U, U, h, dz, 0, m->chunk_room);
        if (s->reset_after) add_state_products(sums[1], G, &places, &hf, 2, 3, U, U, h, dz, 3 * U, m->chunk_room);
        else add_state_products(sums[1], G, &places, &none, 2, 3, U, U, inner, dz, 2 * U, NULL);
        if (sums[2]) {
            add_rows(sums[2], places.count, dz, 0, G);
            if (s->reset_after) {
                add_rows(sums[2] + G, places.count, dz, 0, 2 * U);
                add_rows(sums[2] + G + 2 * U, places.count, dz, 3 * U, U);
            }
        }
        if (job->dx)
            input_gradient(job->dx, &places, s, GATES, job->wt, dz, m->chunk_room, first_row, rows, first_step, steps);
        end = first_step;
    }
    if (job->dh0) row_copy(job->dh0 + first_row * U, m->dh, rows * U);
}

static int backward_task(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct backward *job = context;
    const ptrdiff_t B = job->s->B;
    real *sums[MOST_SUMS];
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

int FNN(gru_backward)(real *dx, real *dw, real *du, real *db, real *dh0, real *dstates, const real *dy, const real *dh,
                      const real *x, const real *w, const real *u, const real *y, const real *gates, const real *inner,
                      const real *h0, const struct fnn_sequence *s) {
    const ptrdiff_t U = s->U, D = s->D, G = GATES * U;
    real *room = fnn_scratch(FNN_SCRATCH_PANELS, (size_t)(panels_size(G, D) + panels_size(G, U)) * sizeof(real));
    if (!room) return FNN_NO_MEMORY;
    struct backward job = {.s = s,
                           .dx = dx,
                           .dh0 = dh0,
                           .dstates = dstates,
                           .dy = dy,
                           .dh = dh,
                           .x = x,
                           .y = y,
                           .gates = gates,
                           .inner = inner,
                           .h0 = h0,
                           .sums = {.arrays = 3,
                                    .result = {dw, du, db},
                                    .size = {D * G, U * G,
                                             !db              ? 0
                                             : s->reset_after ? 2 * G
                                                              : G}}};
    if (make_sums(&job.sums, groups_of(s->B)) != FNN_OK) return FNN_NO_MEMORY;
    if (dx) job.wt = pack_panels(&room, w, 1, G, G, D);
    job.ut = pack_panels(&room, u, 1, G, G, U);
    double work = 4.0 * (double)(s->B * s->T) * (double)(G * (D + U));
    int status = fnn_parallel(groups_of(s->B), work, backward_task, &job);
    return status == FNN_OK ? add_groups(&job.sums) : status;
}

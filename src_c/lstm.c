/* lstm.c — long short-term memory over whole sequences.
 *
 *     i, f, g, o = the quarters of x_t·W + h_{t-1}·U + b      each (U,), i f o by the recurrent activation, g by the activation
 *     c_t = f c_{t-1} + i g        h_t = o act(c_t)
 *
 * x (B,T,D), w (D,4U), u (U,4U), b (4U,); y (B,T,U) all h_t, gates (B,T,4U), cells (B,T,U) all c_t.  recurrent.h says how rows and
 * steps are shared out.  Bound by arithmetic; one step of BLOCK_ROWS rows reads U from L2.  Twin: fastnn/reference/lstm.py.
 * Source: Hochreiter and Schmidhuber, "Long short-term memory" (1997), with the forget gate of Gers et al. (2000).
 */
#include "recurrent.h"

enum { GATES = 4 };

/* ---- forward ---- */

struct forward {
    const struct fnn_sequence *s;
    real *y, *h, *c, *gates, *cells;
    const real *x, *b, *h0, *c0;
    struct panels w[GATES], u[GATES];
};

struct forward_memory {
    real *h, *c, *room, *x_room, *z;
};

INLINE struct forward_memory carve_forward(const struct forward *job, struct room *room) {
    ptrdiff_t block = BLOCK_ROWS * job->s->U;
    return (struct forward_memory){
        .h = take(room, block),
        .c = take(room, block),
        .room = take(room, block),
        .x_room = take(room, job->s->x_factors ? CHUNK * job->s->D : 0),
        .z = take(room, job->gates ? 0 : CHUNK * GATES * job->s->U),
    };
}

/* From z, sums of products, to the gates; c and h move on by a step. */
INLINE void cell_forward(const struct fnn_sequence *s, real *z, real *h, real *c, real *room) {
    const ptrdiff_t U = s->U;
    activate(z, 2 * U, s->other_activation);
    activate(z + 2 * U, U, s->activation);
    activate(z + 3 * U, U, s->other_activation);
    EACH_VEC (j, U) {
        ptrdiff_t left = U - j;
        vec next = load_upto(z + U + j, left) * load_upto(c + j, left) +
                   load_upto(z + j, left) * load_upto(z + 2 * U + j, left);
        store_upto(c + j, next, left);
        store_upto(room + j, next, left);
    }
    activate(room, U, s->activation);
    row_times(h, room, z + 3 * U, U);
}

static void forward_block(const struct forward *job, const struct forward_memory *m, ptrdiff_t first_row,
                          ptrdiff_t rows) {
    const struct fnn_sequence *s = job->s;
    const ptrdiff_t U = s->U;
    const struct factors hf = h_factors(s, GATES, U);
    struct places places;
    struct live live;
    real *z[CHUNK];
    const real *h[BLOCK_ROWS];
    rows_of_block(m->h, job->h0, first_row, rows, U);
    rows_of_block(m->c, job->c0, first_row, rows, U);
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
            for (ptrdiff_t n = 0; n < live.count; n++) {
                h[n] = m->h + live.of_block[n] * U;
                z[n] = job->gates ? job->gates + (live.row[n] * s->T + t) * GATES * U
                                  : m->z + slot_of(live.of_block[n], k) * GATES * U;
            }
            times_recurrent(&live, &hf, 0, GATES, job->u, h, z, 0, NULL, 1, m->room);
            for (ptrdiff_t n = 0; n < live.count; n++)
                cell_forward(s, z[n], m->h + live.of_block[n] * U, m->c + live.of_block[n] * U, m->room);
            for (ptrdiff_t i = 0; i < rows; i++) {
                ptrdiff_t place = (first_row + i) * s->T + t;
                if (job->y) row_copy(job->y + place * U, m->h + i * U, U);
                if (job->cells) row_copy(job->cells + place * U, m->c + i * U, U);
                if (job->gates && !is_live(s, first_row + i, t)) row_zero(job->gates + place * GATES * U, GATES * U);
            }
        }
    }
    row_copy(job->h + first_row * U, m->h, rows * U);
    row_copy(job->c + first_row * U, m->c, rows * U);
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

int FNN(lstm_forward)(real *y, real *h, real *c, real *gates, real *cells, const real *x, const real *w, const real *u,
                      const real *b, const real *h0, const real *c0, const struct fnn_sequence *s) {
    const ptrdiff_t U = s->U;
    real *room =
        fnn_scratch(FNN_SCRATCH_PANELS, (size_t)(GATES * (panels_size(s->D, U) + panels_size(U, U))) * sizeof(real));
    if (!room) return FNN_NO_MEMORY;
    struct forward job = {
        .s = s, .y = y, .h = h, .c = c, .gates = gates, .cells = cells, .x = x, .b = b, .h0 = h0, .c0 = c0};
    pack_gates(job.w, &room, w, s->D, U, GATES);
    pack_gates(job.u, &room, u, U, U, GATES);
    double work = 2.0 * GATES * (double)(s->B * s->T) * (double)(U * (s->D + U));
    return fnn_parallel(blocks_of(s->B), work, forward_task, &job);
}

/* ---- backward ---- */

struct backward {
    const struct fnn_sequence *s;
    real *dx, *dh0, *dc0, *dstates;
    const real *dy, *dh, *dc, *x, *y, *gates, *cells, *h0, *c0;
    struct panels wt, ut;
    struct sums sums; /* dw, du, db */
};

struct backward_memory {
    real *dh, *dc, *act, *room, *zeros, *dz, *chunk_room;
};

INLINE struct backward_memory carve_backward(const struct backward *job, struct room *room) {
    const ptrdiff_t U = job->s->U, block = BLOCK_ROWS * U;
    return (struct backward_memory){
        .dh = take(room, block),
        .dc = take(room, block),
        .act = take(room, U),
        .room = take(room, block),
        .zeros = take(room, U),
        .dz = take(room, CHUNK * GATES * U),
        .chunk_room = take(room, CHUNK * most(U, job->s->D)),
    };
}

/* dz of one row from dh and dc, which become dc of the step before, and 0. */
INLINE void cell_backward(const struct fnn_sequence *s, real *dz, real *dh, real *dc, const real *z, const real *c,
                          const real *c_before, real *act) {
    const ptrdiff_t U = s->U;
    real *through = dz; /* the gradient of c that comes through h */
    row_copy(act, c, U);
    activate(act, U, s->activation);
    row_times(dz + 3 * U, dh, act, U);
    row_times(through, dh, z + 3 * U, U);
    times_slope(through, through, act, U, s->activation);
    EACH_VEC (j, U) {
        ptrdiff_t left = U - j;
        vec whole = load_upto(dc + j, left) + load_upto(through + j, left);
        store_upto(dz + j, whole * load_upto(z + 2 * U + j, left), left);
        store_upto(dz + U + j, whole * load_upto(c_before + j, left), left);
        store_upto(dz + 2 * U + j, whole * load_upto(z + j, left), left);
        store_upto(dc + j, whole * load_upto(z + U + j, left), left);
        store_upto(dh + j, (vec){0}, left);
    }
    times_slope(dz, dz, z, 2 * U, s->other_activation);
    times_slope(dz + 2 * U, dz + 2 * U, z + 2 * U, U, s->activation);
    times_slope(dz + 3 * U, dz + 3 * U, z + 3 * U, U, s->other_activation);
}

/* One step of a block, backwards: dz of its live rows at their slots, dh and dc before it. */
static void step_backward(const struct backward *job, const struct backward_memory *m, ptrdiff_t first_row,
                          ptrdiff_t rows, ptrdiff_t step, ptrdiff_t k) {
    const struct fnn_sequence *s = job->s;
    const ptrdiff_t U = s->U, t = time_of(s, step);
    const struct factors hf = h_factors(s, GATES, U);
    struct live live;
    const real *dz[BLOCK_ROWS];
    real *dh[BLOCK_ROWS];
    for (ptrdiff_t i = 0; i < rows; i++) {
        ptrdiff_t place = (first_row + i) * s->T + t;
        if (job->dy) row_add(m->dh + i * U, job->dy + place * U, U);
        if (job->dstates) row_copy(job->dstates + place * U, m->dh + i * U, U);
    }
    find_live(&live, s, first_row, rows, t);
    for (ptrdiff_t n = 0; n < live.count; n++) {
        ptrdiff_t i = live.of_block[n], row = live.row[n], place = row * s->T + t;
        real *to = m->dz + slot_of(i, k) * GATES * U;
        dz[n] = to;
        dh[n] = m->dh + i * U;
        cell_backward(s, to, dh[n], m->dc + i * U, job->gates + place * GATES * U, job->cells + place * U,
                      state_before(s, job->cells, job->c0, m->zeros, row, t, U), m->act);
    }
    if (step > 0 || job->dh0) add_state_gradient(&live, &hf, 0, GATES, job->ut, U, dz, 0, dh, m->room);
}

static void backward_block(const struct backward *job, const struct backward_memory *m, real *const *sums,
                           ptrdiff_t first_row, ptrdiff_t rows) {
    const struct fnn_sequence *s = job->s;
    const ptrdiff_t U = s->U;
    const struct factors hf = h_factors(s, GATES, U);
    struct places places;
    const real *dz[CHUNK], *h[CHUNK];
    rows_of_block(m->dh, job->dh, first_row, rows, U);
    rows_of_block(m->dc, job->dc, first_row, rows, U);
    row_zero(m->zeros, U);
    for (ptrdiff_t end = s->T; end > 0;) {
        ptrdiff_t first_step = (end - 1) / CHUNK_STEPS * CHUNK_STEPS, steps = end - first_step;
        for (ptrdiff_t k = steps - 1; k >= 0; k--) step_backward(job, m, first_row, rows, first_step + k, k);
        find_places(&places, s, job->x, first_row, rows, first_step, steps);
        for (ptrdiff_t n = 0; n < places.count; n++) {
            dz[n] = m->dz + places.slot[n] * GATES * U;
            h[n] = state_before(s, job->y, job->h0, m->zeros, places.row[n], places.t[n], U);
        }
        add_input_products(sums[0], &places, s, GATES, dz, m->chunk_room);
        add_state_products(sums[1], GATES * U, &places, &hf, 0, GATES, U, U, h, dz, 0, m->chunk_room);
        if (sums[2]) add_rows(sums[2], places.count, dz, 0, GATES * U);
        if (job->dx)
            input_gradient(job->dx, &places, s, GATES, job->wt, dz, m->chunk_room, first_row, rows, first_step, steps);
        end = first_step;
    }
    if (job->dh0) row_copy(job->dh0 + first_row * U, m->dh, rows * U);
    if (job->dc0) row_copy(job->dc0 + first_row * U, m->dc, rows * U);
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

int FNN(lstm_backward)(real *dx, real *dw, real *du, real *db, real *dh0, real *dc0, real *dstates, const real *dy,
                       const real *dh, const real *dc, const real *x, const real *w, const real *u, const real *y,
                       const real *gates, const real *cells, const real *h0, const real *c0,
                       const struct fnn_sequence *s) {
    const ptrdiff_t U = s->U, D = s->D, G = GATES * U;
    real *room = fnn_scratch(FNN_SCRATCH_PANELS, (size_t)(panels_size(G, D) + panels_size(G, U)) * sizeof(real));
    if (!room) return FNN_NO_MEMORY;
    struct backward job = {.s = s,
                           .dx = dx,
                           .dh0 = dh0,
                           .dc0 = dc0,
                           .dstates = dstates,
                           .dy = dy,
                           .dh = dh,
                           .dc = dc,
                           .x = x,
                           .y = y,
                           .gates = gates,
                           .cells = cells,
                           .h0 = h0,
                           .c0 = c0,
                           .sums = {.arrays = 3, .result = {dw, du, db}, .size = {D * G, U * G, db ? G : 0}}};
    if (make_sums(&job.sums, groups_of(s->B)) != FNN_OK) return FNN_NO_MEMORY;
    if (dx) job.wt = pack_panels(&room, w, 1, G, G, D);
    job.ut = pack_panels(&room, u, 1, G, G, U);
    double work = 4.0 * (double)(s->B * s->T) * (double)(G * (D + U));
    int status = fnn_parallel(groups_of(s->B), work, backward_task, &job);
    return status == FNN_OK ? add_groups(&job.sums) : status;
}

/* recurrent_driver.c — runs the step of a recurrent family over whole sequences, forward and backward.
 *
 *     batch of B rows ──> groups, cut by the shape alone      an item of the pool: forward or backward over all steps, no barrier
 *       group         ──> blocks of BLOCK_ROWS rows           one tile high, so that a step reads the weights once a block
 *         block       ──> chunks of CHUNK_STEPS steps         the products that wait for no state run over a whole chunk:
 *                                                             x·W before its steps; dX, dW, dU after them, while dz is in L2
 *
 * Weights are packed once a call, each gate in panels of its own.  Weight gradients are summed a group at a time and then over the
 * groups in order: the same bits at any number of threads.  Forward has no sums over rows, so each block is an item.
 */
#include "recurrent.h"

enum { MOST_GROUPS = 16 };

INLINE ptrdiff_t blocks_of(ptrdiff_t B) { return ceil_div(B, BLOCK_ROWS); }
INLINE ptrdiff_t groups_of(ptrdiff_t B) { return least(MOST_GROUPS, blocks_of(B)); }

/* The first row of a block, and the first block of a group: the shape alone fixes them, for bits that do not depend on threads. */
INLINE ptrdiff_t row_of_block(ptrdiff_t B, ptrdiff_t block) { return B * block / blocks_of(B); }
INLINE ptrdiff_t block_of_group(ptrdiff_t B, ptrdiff_t group) { return blocks_of(B) * group / groups_of(B); }

/* ---- a task's own memory ---- */

/* Scratch that is carved piece by piece: `at` NULL only measures. */
struct room {
    real *at;
    ptrdiff_t used;
};

INLINE real *carve(struct room *room, ptrdiff_t count) {
    real *piece = room->at ? room->at + room->used : NULL;
    room->used += round_up(count, VL);
    return piece;
}

INLINE struct room scratch_for(const struct room *measured) {
    return (struct room){fnn_scratch(FNN_SCRATCH_TILE, (size_t)measured->used * sizeof(real)), 0};
}

/* Where a (row, step) of a chunk has its numbers in memory of CHUNK rows. */
INLINE ptrdiff_t slot_of(ptrdiff_t row_of_block, ptrdiff_t step_of_chunk) {
    return row_of_block * CHUNK_STEPS + step_of_chunk;
}

/* to (rows, width) = the rows of a block of an array that may be missing, then zeros. */
INLINE void rows_of_block(real *to, const real *from, ptrdiff_t first_row, ptrdiff_t rows, ptrdiff_t width) {
    if (from) row_copy(to, from + first_row * width, rows * width);
    else row_zero(to, rows * width);
}

/* ---- what is live ---- */

INLINE void find_live(struct live *live, const struct fnn_sequence *s, ptrdiff_t first_row, ptrdiff_t rows,
                      ptrdiff_t t) {
    ptrdiff_t n = 0;
    for (ptrdiff_t i = 0; i < rows; i++)
        if (is_live(s, first_row + i, t)) {
            live->row[n] = first_row + i;
            live->entry[n] = (first_row + i) * s->T + t;
            live->of_block[n++] = i;
        }
    live->count = n;
    live->t = t;
}

INLINE void find_chunk(struct chunk *chunk, const struct fnn_sequence *s, const real *x, ptrdiff_t first_row,
                       ptrdiff_t rows, ptrdiff_t first_step, ptrdiff_t steps) {
    ptrdiff_t n = 0;
    for (ptrdiff_t i = 0; i < rows; i++)
        for (ptrdiff_t k = 0; k < steps; k++) {
            ptrdiff_t row = first_row + i, t = time_of(s, first_step + k);
            if (!is_live(s, row, t)) continue;
            chunk->row[n] = row;
            chunk->entry[n] = row * s->T + t;
            chunk->slot[n] = slot_of(i, k);
            chunk->x[n] = x + chunk->entry[n] * s->D;
            n++;
        }
    chunk->count = n;
}

/* ---- forward ---- */

struct forward_memory {
    real *h, *c, *room, *inner, *z;
};

INLINE struct forward_memory carve_forward(const struct forward *run, struct chunk *chunk, struct room *room) {
    chunk->room = carve(room, run->s->x_factors ? CHUNK * run->s->D : 0);
    return (struct forward_memory){
        .h = carve(room, BLOCK_ROWS * run->h.width),
        .c = carve(room, BLOCK_ROWS * run->c.width),
        .room = carve(room, BLOCK_ROWS * run->h.width),
        .inner = carve(room, BLOCK_ROWS * run->inner_width),
        .z = carve(room, run->z ? 0 : CHUNK * run->gates * run->s->U),
    };
}

/* Where the gates of a (row, step) are made: in the array that keeps them, if there is one. */
INLINE real *place_of_z(const struct forward *run, const struct forward_memory *m, ptrdiff_t entry, ptrdiff_t slot) {
    const ptrdiff_t width = run->gates * run->s->U;
    return run->z ? run->z + entry * width : m->z + slot * width;
}

/* z[n] = x[n] · W + b for a whole chunk. */
static void project(const struct forward *run, const struct chunk *chunk, real *const *z) {
    const struct fnn_sequence *s = run->s;
    struct factors f = x_factors(s);
    const real *list[CHUNK];
    for (ptrdiff_t set = 0; set < f.sets; set++) {
        const real *const *x = dropped(list, chunk->room, chunk->x, chunk->row, chunk->count, &f, set);
        ptrdiff_t end = f.sets == 1 ? run->gates : set + 1;
        struct panels together = gates_together(run->w, set, end);
        for (ptrdiff_t g = set; g < end; g += together.columns / s->U) {
            together.at = run->w[g].at;
            rows_times(&(struct rows_product){.count = chunk->count,
                                              .a = x,
                                              .panels = together,
                                              .depth = s->D,
                                              .c = z,
                                              .c_offset = g * s->U,
                                              .bias = run->b ? run->b + g * s->U : NULL});
        }
    }
}

/* Writes down the states after a step, and zeros where the step is masked. */
static void keep_step(const struct forward *run, const struct forward_memory *m, ptrdiff_t first_row, ptrdiff_t rows,
                      ptrdiff_t t) {
    const ptrdiff_t U = run->s->U;
    for (ptrdiff_t i = 0; i < rows; i++) {
        ptrdiff_t entry = (first_row + i) * run->s->T + t;
        if (run->h.steps) row_copy(run->h.steps + entry * run->h.width, m->h + i * run->h.width, run->h.width);
        if (run->c.steps) row_copy(run->c.steps + entry * run->c.width, m->c + i * run->c.width, run->c.width);
        if (is_live(run->s, first_row + i, t)) continue;
        if (run->z) row_zero(run->z + entry * run->gates * U, run->gates * U);
        if (run->inner) row_zero(run->inner + entry * U, U);
    }
}

static void forward_block(const struct forward *run, const struct forward_memory *m, struct chunk *chunk,
                          ptrdiff_t first_row, ptrdiff_t rows) {
    const struct fnn_sequence *s = run->s;
    struct forward_step step = {.room = m->room, .inner = m->inner};
    real *z[CHUNK];
    rows_of_block(m->h, run->h.initial, first_row, rows, run->h.width);
    rows_of_block(m->c, run->c.initial, first_row, rows, run->c.width);
    for (ptrdiff_t first_step = 0; first_step < s->T; first_step += CHUNK_STEPS) {
        ptrdiff_t steps = least(CHUNK_STEPS, s->T - first_step);
        find_chunk(chunk, s, run->x, first_row, rows, first_step, steps);
        for (ptrdiff_t n = 0; n < chunk->count; n++) z[n] = place_of_z(run, m, chunk->entry[n], chunk->slot[n]);
        project(run, chunk, z);
        for (ptrdiff_t k = 0; k < steps; k++) {
            ptrdiff_t t = time_of(s, first_step + k);
            find_live(&step.live, s, first_row, rows, t);
            for (ptrdiff_t n = 0; n < step.live.count; n++) {
                ptrdiff_t i = step.live.of_block[n];
                step.z[n] = place_of_z(run, m, step.live.entry[n], slot_of(i, k));
                step.h[n] = m->h + i * run->h.width;
                step.c[n] = m->c + i * run->c.width;
            }
            run->step(run, &step);
            keep_step(run, m, first_row, rows, t);
        }
    }
    if (run->h.last) row_copy(run->h.last + first_row * run->h.width, m->h, rows * run->h.width);
    if (run->c.last) row_copy(run->c.last + first_row * run->c.width, m->c, rows * run->c.width);
}

/* An item is a block. */
static int forward_task(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct forward *run = context;
    const ptrdiff_t B = run->s->B;
    struct chunk chunk;
    struct room room = {0};
    carve_forward(run, &chunk, &room);
    room = scratch_for(&room);
    if (!room.at) return FNN_NO_MEMORY;
    struct forward_memory memory = carve_forward(run, &chunk, &room);
    for (ptrdiff_t block = first; block < last; block++) {
        ptrdiff_t row = row_of_block(B, block);
        forward_block(run, &memory, &chunk, row, row_of_block(B, block + 1) - row);
    }
    return FNN_OK;
}

int run_forward(struct forward *run, const real *w, const real *u, const real *v) {
    const ptrdiff_t D = run->s->D, U = run->s->U, R = run->h.width, G = run->gates;
    ptrdiff_t size = G * (panels_size(D, U) + panels_size(R, U)) + (v ? panels_size(U, R) : 0);
    real *room = fnn_scratch(FNN_SCRATCH_PANELS, (size_t)size * sizeof(real));
    if (!room) return FNN_NO_MEMORY;
    pack_gates(run->w, &room, w, D, U, G);
    pack_gates(run->u, &room, u, R, U, G);
    if (v) run->v = pack_panels(&room, v, R, 1, U, R);
    double work = 2.0 * (double)(run->s->B * run->s->T) * (double)(U * (G * (D + R) + (v ? R : 0)));
    return fnn_parallel(blocks_of(run->s->B), work, forward_task, run);
}

/* ---- backward ---- */

struct backward_memory {
    real *dh, *dc, *room[2], *zeros, *dz;
};

INLINE struct backward_memory carve_backward(const struct backward *run, struct chunk *chunk, struct room *room) {
    const struct fnn_sequence *s = run->s;
    const ptrdiff_t R = run->h.width;
    chunk->room = carve(room, s->x_factors || s->h_factors ? CHUNK * most(R, s->D) : 0);
    return (struct backward_memory){
        .dh = carve(room, BLOCK_ROWS * R),
        .dc = carve(room, BLOCK_ROWS * run->c.width),
        .room = {carve(room, BLOCK_ROWS * R), carve(room, BLOCK_ROWS * R)},
        .zeros = carve(room, R),
        .dz = carve(room, CHUNK * (run->gates * s->U + run->more)),
    };
}

/* The state before the step that reads time t: a row of `steps`, the initial one, or zeros. */
INLINE const real *state_before(const struct fnn_sequence *s, const struct state_gradient *state, const real *zeros,
                                ptrdiff_t row, ptrdiff_t t) {
    ptrdiff_t step = time_of(s, t);
    if (step > 0) return state->steps + (row * s->T + time_of(s, step - 1)) * state->width;
    return state->initial ? state->initial + row * state->width : zeros;
}

/* dx = dz · Wᵀ at the live steps of a chunk, 0 at the others. */
static void input_gradient(const struct backward *run, const struct chunk *chunk, ptrdiff_t first_row, ptrdiff_t rows,
                           ptrdiff_t first_step, ptrdiff_t steps) {
    const struct fnn_sequence *s = run->s;
    struct factors f = x_factors(s);
    real *to[CHUNK];
    if (s->mask)
        for (ptrdiff_t i = 0; i < rows; i++)
            for (ptrdiff_t k = 0; k < steps; k++)
                row_zero(run->dx + ((first_row + i) * s->T + time_of(s, first_step + k)) * s->D, s->D);
    for (ptrdiff_t set = 0; set < f.sets; set++) {
        for (ptrdiff_t n = 0; n < chunk->count; n++)
            to[n] = f.at ? chunk->room + n * s->D : run->dx + chunk->entry[n] * s->D;
        rows_times(&(struct rows_product){.count = chunk->count,
                                          .a = chunk->dz,
                                          .a_offset = set * s->U,
                                          .panels = run->wt,
                                          .first = set * s->U,
                                          .depth = f.sets == 1 ? run->gates * s->U : s->U,
                                          .c = to});
        if (!f.at) continue;
        for (ptrdiff_t n = 0; n < chunk->count; n++) {
            real *out = run->dx + chunk->entry[n] * s->D;
            const real *factor = factor_row(&f, set, chunk->row[n]);
            if (set) row_add_times(out, to[n], factor, s->D);
            else row_times(out, to[n], factor, s->D);
        }
    }
}

/* Step number `step` of all, number k of its chunk: dz of its live rows at their slots, dh and dc before it. */
static void step_back(const struct backward *run, const struct backward_memory *m, ptrdiff_t first_row, ptrdiff_t rows,
                      ptrdiff_t step, ptrdiff_t k) {
    const struct fnn_sequence *s = run->s;
    const ptrdiff_t R = run->h.width, C = run->c.width, G = run->gates * s->U, t = time_of(s, step);
    struct backward_step at = {.need_before = step > 0 || run->h.dinitial, .room = {m->room[0], m->room[1]}};
    for (ptrdiff_t i = 0; i < rows; i++) {
        ptrdiff_t entry = (first_row + i) * s->T + t;
        if (run->dy) row_add(m->dh + i * R, run->dy + entry * R, R);
        if (run->dstates) row_copy(run->dstates + entry * R, m->dh + i * R, R);
    }
    find_live(&at.live, s, first_row, rows, t);
    for (ptrdiff_t n = 0; n < at.live.count; n++) {
        ptrdiff_t i = at.live.of_block[n], row = at.live.row[n], entry = at.live.entry[n];
        at.dz[n] = m->dz + slot_of(i, k) * (G + run->more);
        at.z[n] = run->z ? run->z + entry * G : NULL;
        at.dh[n] = m->dh + i * R;
        at.h[n] = run->h.steps + entry * R;
        at.h_before[n] = state_before(s, &run->h, m->zeros, row, t);
        if (!C) continue;
        at.dc[n] = m->dc + i * C;
        at.c[n] = run->c.steps + entry * C;
        at.c_before[n] = state_before(s, &run->c, m->zeros, row, t);
    }
    run->step(run, &at);
}

static void backward_block(const struct backward *run, const struct backward_memory *m, struct chunk *chunk,
                           real *const *sums, ptrdiff_t first_row, ptrdiff_t rows) {
    const struct fnn_sequence *s = run->s;
    rows_of_block(m->dh, run->h.dlast, first_row, rows, run->h.width);
    rows_of_block(m->dc, run->c.dlast, first_row, rows, run->c.width);
    row_zero(m->zeros, run->h.width);
    for (ptrdiff_t end = s->T; end > 0;) {
        ptrdiff_t first_step = (end - 1) / CHUNK_STEPS * CHUNK_STEPS, steps = end - first_step;
        for (ptrdiff_t k = steps - 1; k >= 0; k--) step_back(run, m, first_row, rows, first_step + k, k);
        find_chunk(chunk, s, run->x, first_row, rows, first_step, steps);
        for (ptrdiff_t n = 0; n < chunk->count; n++) {
            ptrdiff_t row = chunk->row[n];
            chunk->dz[n] = m->dz + chunk->slot[n] * (run->gates * s->U + run->more);
            chunk->h_before[n] = state_before(s, &run->h, m->zeros, row, chunk->entry[n] - row * s->T);
        }
        run->weights(run, chunk, sums);
        if (run->dx) input_gradient(run, chunk, first_row, rows, first_step, steps);
        end = first_step;
    }
    if (run->h.dinitial) row_copy(run->h.dinitial + first_row * run->h.width, m->dh, rows * run->h.width);
    if (run->c.dinitial) row_copy(run->c.dinitial + first_row * run->c.width, m->dc, rows * run->c.width);
}

/* ---- the sums of the groups ---- */

INLINE void sums_of_group(real **to, const struct sums *sums, ptrdiff_t group) {
    real *at = group ? sums->others + (group - 1) * sums->total : NULL;
    for (ptrdiff_t k = 0; k < sums->arrays; k++) {
        to[k] = !sums->result[k] ? NULL : group ? at : sums->result[k];
        if (group) at += sums->size[k];
        if (to[k]) memset(to[k], 0, (size_t)sums->size[k] * sizeof(real));
    }
}

/* Makes room for the groups' sums; a result that is NULL has size 0. */
INLINE int make_sums(struct sums *sums, ptrdiff_t groups) {
    sums->groups = groups;
    sums->total = 0;
    for (ptrdiff_t k = 0; k < sums->arrays; k++) sums->total += sums->size[k];
    sums->others = fnn_scratch(FNN_SCRATCH_SHARED, (size_t)(most(0, groups - 1) * sums->total) * sizeof(real));
    if (!groups)
        for (ptrdiff_t k = 0; k < sums->arrays; k++)
            if (sums->result[k]) memset(sums->result[k], 0, (size_t)sums->size[k] * sizeof(real));
    return sums->others ? FNN_OK : FNN_NO_MEMORY;
}

enum { SUM_PART = 1024 };

/* An item is SUM_PART numbers of the sums, all arrays taken as one. */
static int add_groups_task(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct sums *sums = context;
    ptrdiff_t start = 0;
    for (ptrdiff_t k = 0; k < sums->arrays; start += sums->size[k++])
        for (ptrdiff_t group = 1; group < sums->groups; group++) {
            ptrdiff_t from = most(first * SUM_PART, start), to = least(last * SUM_PART, start + sums->size[k]);
            if (from < to)
                row_add(sums->result[k] + from - start, sums->others + (group - 1) * sums->total + from, to - from);
        }
    return FNN_OK;
}

INLINE int add_groups(struct sums *sums) {
    if (sums->groups < 2) return FNN_OK;
    double work = 2.0 * (double)(sums->groups - 1) * (double)sums->total;
    return fnn_parallel(ceil_div(sums->total, SUM_PART), work, add_groups_task, sums);
}

/* An item is a group. */
static int backward_task(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct backward *run = context;
    const ptrdiff_t B = run->s->B;
    real *sums[MOST_SUMS] = {0};
    struct chunk chunk;
    struct room room = {0};
    carve_backward(run, &chunk, &room);
    room = scratch_for(&room);
    if (!room.at) return FNN_NO_MEMORY;
    struct backward_memory memory = carve_backward(run, &chunk, &room);
    for (ptrdiff_t group = first; group < last; group++) {
        sums_of_group(sums, &run->sums, group);
        for (ptrdiff_t block = block_of_group(B, group); block < block_of_group(B, group + 1); block++) {
            ptrdiff_t row = row_of_block(B, block);
            backward_block(run, &memory, &chunk, sums, row, row_of_block(B, block + 1) - row);
        }
    }
    return FNN_OK;
}

int run_backward(struct backward *run, const real *w, const real *u, const real *v) {
    const ptrdiff_t D = run->s->D, U = run->s->U, R = run->h.width, G = run->gates * U;
    ptrdiff_t size = panels_size(G, D) + panels_size(G, R) + (v ? panels_size(R, U) : 0);
    real *room = fnn_scratch(FNN_SCRATCH_PANELS, (size_t)size * sizeof(real));
    if (!room || make_sums(&run->sums, groups_of(run->s->B)) != FNN_OK) return FNN_NO_MEMORY;
    if (run->dx) run->wt = pack_panels(&room, w, 1, G, G, D);
    run->ut = pack_panels(&room, u, 1, G, G, R);
    if (v) run->vt = pack_panels(&room, v, 1, R, R, U);
    double work = 4.0 * (double)(run->s->B * run->s->T) * (double)(G * (D + R) + (v ? U * R : 0));
    int status = fnn_parallel(groups_of(run->s->B), work, backward_task, run);
    return status == FNN_OK ? add_groups(&run->sums) : status;
}

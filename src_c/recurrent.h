/* recurrent.h — what SimpleRNN, LSTM and GRU share: rows of a batch that stay with one thread for the whole sequence.
 *
 *     batch of B rows ──> groups, cut by the shape alone      an item of the pool: forward or backward over all steps, no barrier
 *       group         ──> blocks of BLOCK_ROWS rows           one tile high, so that a step reads the weights once a block
 *         block       ──> chunks of CHUNK_STEPS steps         the products that wait for no state run over a whole chunk:
 *                                                             x·W before its steps; dX, dW, dU after them, while dz is in L2
 *
 * Weights are packed once a call, each gate in panels of its own.  A *live* place is a (row, step) that the mask keeps; lists of
 * pointers to the live places are what the products of row_products.h walk, so a masked step costs nothing, whatever its pattern.
 * Weight gradients are summed a group at a time and then over the groups in order: the same bits at any number of threads.
 */
#ifndef FNN_RECURRENT_H
#define FNN_RECURRENT_H

#include "fused.h"
#include "row_products.h"

enum {
    BLOCK_ROWS = 8,
    CHUNK_STEPS = 12,
    CHUNK = BLOCK_ROWS * CHUNK_STEPS,
    MOST_GROUPS = 16,
    MOST_GATES = 4,
};

INLINE ptrdiff_t blocks_of(ptrdiff_t B) { return ceil_div(B, BLOCK_ROWS); }
INLINE ptrdiff_t groups_of(ptrdiff_t B) { return least(MOST_GROUPS, blocks_of(B)); }

/* The first row of a block, and the first block of a group: the shape alone fixes them, for bits that do not depend on threads. */
INLINE ptrdiff_t row_of_block(ptrdiff_t B, ptrdiff_t block) { return B * block / blocks_of(B); }
INLINE ptrdiff_t block_of_group(ptrdiff_t B, ptrdiff_t group) { return blocks_of(B) * group / groups_of(B); }

/* The input step that is processed as number `step`. */
INLINE ptrdiff_t time_of(const struct fnn_sequence *s, ptrdiff_t step) {
    return s->go_backwards ? s->T - 1 - step : step;
}

INLINE int is_live(const struct fnn_sequence *s, ptrdiff_t row, ptrdiff_t t) {
    return !s->mask || s->mask[row * s->T + t];
}

/* How the factors of a dropout are laid out: sets of (B, width), one for all gates or one a gate. */
struct factors {
    const real *at; /* or NULL */
    ptrdiff_t sets, B, width;
};

INLINE struct factors x_factors(const struct fnn_sequence *s) {
    return (struct factors){s->x_factors, s->x_factors ? s->x_sets : 1, s->B, s->D};
}

INLINE struct factors h_factors(const struct fnn_sequence *s, ptrdiff_t gates, ptrdiff_t width) {
    return (struct factors){s->h_factors, s->h_factors ? gates : 1, s->B, width};
}

INLINE const real *factor_row(const struct factors *f, ptrdiff_t set, ptrdiff_t row) {
    return f->at + (set * f->B + row) * f->width;
}

/* ---- packed gates ---- */

/* The gates of w (depth, gates·U), each in panels of its own. */
INLINE void pack_gates(struct panels *gate, real **room, const real *w, ptrdiff_t depth, ptrdiff_t U, ptrdiff_t gates) {
    for (ptrdiff_t g = 0; g < gates; g++) gate[g] = pack_panels(room, w + g * U, gates * U, 1, depth, U);
}

/* Gates first..end-1 as one matrix, where no gate ends within a panel; else the first of them alone. */
INLINE struct panels gates_together(const struct panels *gate, ptrdiff_t first, ptrdiff_t end) {
    ptrdiff_t U = gate[first].columns;
    return (struct panels){gate[first].at, gate[first].depth, U % TILE_COLS ? U : (end - first) * U};
}

/* ---- a chunk of a block ---- */

/* The live places of a chunk, in order of row and step. */
struct places {
    ptrdiff_t count;
    ptrdiff_t row[CHUNK], t[CHUNK], slot[CHUNK]; /* of the batch, of time, of the chunk's own memory */
    const real *x[CHUNK];
};

INLINE ptrdiff_t slot_of(ptrdiff_t row_of_block, ptrdiff_t step_of_chunk) {
    return row_of_block * CHUNK_STEPS + step_of_chunk;
}

INLINE void find_places(struct places *places, const struct fnn_sequence *s, const real *x, ptrdiff_t first_row,
                        ptrdiff_t rows, ptrdiff_t first_step, ptrdiff_t steps) {
    ptrdiff_t n = 0;
    for (ptrdiff_t i = 0; i < rows; i++)
        for (ptrdiff_t k = 0; k < steps; k++) {
            ptrdiff_t row = first_row + i, t = time_of(s, first_step + k);
            if (!is_live(s, row, t)) continue;
            places->row[n] = row;
            places->t[n] = t;
            places->slot[n] = slot_of(i, k);
            places->x[n++] = x + (row * s->T + t) * s->D;
        }
    places->count = n;
}

/* The rows of a list times factors, in `room` (count, width); the list itself when there are none. */
INLINE const real *const *dropped(const real **list, real *room, const real *const *rows, const ptrdiff_t *row_of_batch,
                                  ptrdiff_t count, const struct factors *f, ptrdiff_t set) {
    if (!f->at) return rows;
    for (ptrdiff_t n = 0; n < count; n++) {
        row_times(room + n * f->width, rows[n], factor_row(f, set, row_of_batch[n]), f->width);
        list[n] = room + n * f->width;
    }
    return list;
}

/* z[n] = x[n] · W + b for all live places of a chunk: `room` (CHUNK, D) for dropped inputs. */
__attribute__((unused)) static void project(const struct places *places, const struct fnn_sequence *s, ptrdiff_t gates,
                                            const struct panels *w, const real *b, real *const *z, real *room) {
    struct factors f = x_factors(s);
    const real *list[CHUNK];
    for (ptrdiff_t set = 0; set < f.sets; set++) {
        const real *const *x = dropped(list, room, places->x, places->row, places->count, &f, set);
        ptrdiff_t end = f.sets == 1 ? gates : set + 1;
        struct panels together = gates_together(w, set, end);
        for (ptrdiff_t g = set; g < end; g += together.columns / s->U) {
            together.at = w[g].at;
            rows_times(&(struct rows_product){.count = places->count,
                                              .a = x,
                                              .panels = together,
                                              .depth = s->D,
                                              .c = z,
                                              .c_offset = g * s->U,
                                              .bias = b ? b + g * s->U : NULL});
        }
    }
}

/* dw += Σ xᵀ·dz over the live places, dz (CHUNK pointers) of gates·U. */
__attribute__((unused)) static void add_input_products(real *dw, const struct places *places,
                                                       const struct fnn_sequence *s, ptrdiff_t gates,
                                                       const real *const *dz, real *room) {
    struct factors f = x_factors(s);
    const real *list[CHUNK];
    for (ptrdiff_t set = 0; set < f.sets; set++) {
        const real *const *x = dropped(list, room, places->x, places->row, places->count, &f, set);
        add_outer(&(struct outer_sum){.count = places->count,
                                      .M = s->D,
                                      .N = f.sets == 1 ? gates * s->U : s->U,
                                      .a = x,
                                      .b = dz,
                                      .b_offset = set * s->U,
                                      .c = dw + set * s->U,
                                      .ldc = gates * s->U});
    }
}

/* dx = dz · Wᵀ at the live places of a chunk, 0 at the others: wt (gates·U deep) in panels. */
__attribute__((unused)) static void input_gradient(real *dx, const struct places *places, const struct fnn_sequence *s,
                                                   ptrdiff_t gates, struct panels wt, const real *const *dz, real *room,
                                                   ptrdiff_t first_row, ptrdiff_t rows, ptrdiff_t first_step,
                                                   ptrdiff_t steps) {
    struct factors f = x_factors(s);
    real *to[CHUNK];
    if (s->mask)
        for (ptrdiff_t i = 0; i < rows; i++)
            for (ptrdiff_t k = 0; k < steps; k++)
                row_zero(dx + ((first_row + i) * s->T + time_of(s, first_step + k)) * s->D, s->D);
    for (ptrdiff_t set = 0; set < f.sets; set++) {
        for (ptrdiff_t n = 0; n < places->count; n++)
            to[n] = f.at ? room + n * s->D : dx + (places->row[n] * s->T + places->t[n]) * s->D;
        rows_times(&(struct rows_product){.count = places->count,
                                          .a = dz,
                                          .a_offset = set * s->U,
                                          .panels = wt,
                                          .first = set * s->U,
                                          .depth = f.sets == 1 ? gates * s->U : s->U,
                                          .c = to});
        if (!f.at) continue;
        for (ptrdiff_t n = 0; n < places->count; n++) {
            real *out = dx + (places->row[n] * s->T + places->t[n]) * s->D;
            const real *factor = factor_row(&f, set, places->row[n]);
            if (set) row_add_times(out, to[n], factor, s->D);
            else row_times(out, to[n], factor, s->D);
        }
    }
}

/* ---- one step of a block ---- */

/* The live rows of a step. */
struct live {
    ptrdiff_t count;
    int odd; /* the time */
    ptrdiff_t row[BLOCK_ROWS], of_block[BLOCK_ROWS];
};

INLINE void find_live(struct live *live, const struct fnn_sequence *s, ptrdiff_t first_row, ptrdiff_t rows,
                      ptrdiff_t t) {
    ptrdiff_t n = 0;
    for (ptrdiff_t i = 0; i < rows; i++)
        if (is_live(s, first_row + i, t)) {
            live->row[n] = first_row + i;
            live->of_block[n++] = i;
        }
    live->count = n;
    live->odd = t & 1;
}

/* z = or += (h · factors) · U + bias for gates first..end-1: h, z lists of live rows, z with gate g at (g - first) * U + offset,
 * bias with it at g * U; room (BLOCK_ROWS, width of h). */
__attribute__((unused)) static void times_recurrent(const struct live *live, const struct factors *f, ptrdiff_t first,
                                                    ptrdiff_t end, const struct panels *u, const real *const *h,
                                                    real *const *z, ptrdiff_t offset, const real *bias, int add,
                                                    real *room) {
    const real *list[BLOCK_ROWS];
    const ptrdiff_t U = u[first].columns;
    struct panels together = gates_together(u, first, f->at ? first + 1 : end);
    for (ptrdiff_t g = first; g < end; g += together.columns / U) {
        const real *const *a = dropped(list, room, h, live->row, live->count, f, g);
        together.at = u[g].at;
        rows_times(&(struct rows_product){.count = live->count,
                                          .a = a,
                                          .panels = together,
                                          .depth = together.depth,
                                          .c = z,
                                          .c_offset = offset + (g - first) * U,
                                          .bias = bias ? bias + g * U : NULL,
                                          .add = add,
                                          .turned = live->odd});
    }
}

/* dh += factors · (dz · Uᵀ) for gates first..end-1, whose dz begin at `offset`; ut (gates·U deep, columns wide) in panels. */
__attribute__((unused)) static void add_state_gradient(const struct live *live, const struct factors *f,
                                                       ptrdiff_t first, ptrdiff_t end, struct panels ut, ptrdiff_t U,
                                                       const real *const *dz, ptrdiff_t offset, real *const *dh,
                                                       real *room) {
    if (!f->at) {
        rows_times(&(struct rows_product){.count = live->count,
                                          .a = dz,
                                          .a_offset = offset,
                                          .panels = ut,
                                          .first = first * U,
                                          .depth = (end - first) * U,
                                          .c = dh,
                                          .add = 1,
                                          .turned = live->odd});
        return;
    }
    real *to[BLOCK_ROWS];
    for (ptrdiff_t n = 0; n < live->count; n++) to[n] = room + n * ut.columns;
    for (ptrdiff_t g = first; g < end; g++) {
        rows_times(&(struct rows_product){.count = live->count,
                                          .a = dz,
                                          .a_offset = offset + (g - first) * U,
                                          .panels = ut,
                                          .first = g * U,
                                          .depth = U,
                                          .c = to});
        for (ptrdiff_t n = 0; n < live->count; n++)
            row_add_times(dh[n], to[n], factor_row(f, g, live->row[n]), ut.columns);
    }
}

/* du += Σ (h·factors)ᵀ·dz over the places of a chunk for gates first..end-1 of du (width, ldc); room (CHUNK, width of h). */
__attribute__((unused)) static void add_state_products(real *du, ptrdiff_t ldc, const struct places *places,
                                                       const struct factors *f, ptrdiff_t first, ptrdiff_t end,
                                                       ptrdiff_t width, ptrdiff_t U, const real *const *h,
                                                       const real *const *dz, ptrdiff_t offset, real *room) {
    const real *list[CHUNK];
    ptrdiff_t each = f->at ? 1 : end - first;
    for (ptrdiff_t g = first; g < end; g += each) {
        const real *const *a = dropped(list, room, h, places->row, places->count, f, g);
        add_outer(&(struct outer_sum){.count = places->count,
                                      .M = width,
                                      .N = each * U,
                                      .a = a,
                                      .b = dz,
                                      .b_offset = offset + (g - first) * U,
                                      .c = du + g * U,
                                      .ldc = ldc});
    }
}

/* The state before the step that reads time t: a row of `states` (B, T, width), the initial one, or zeros. */
INLINE const real *state_before(const struct fnn_sequence *s, const real *states, const real *initial,
                                const real *zeros, ptrdiff_t row, ptrdiff_t t, ptrdiff_t width) {
    ptrdiff_t step = time_of(s, t); /* its own inverse */
    if (step > 0) return states + (row * s->T + time_of(s, step - 1)) * width;
    return initial ? initial + row * width : zeros;
}

/* to (rows, width) = the rows of a block of an array that may be missing, then zeros. */
INLINE void rows_of_block(real *to, const real *from, ptrdiff_t first_row, ptrdiff_t rows, ptrdiff_t width) {
    if (from) row_copy(to, from + first_row * width, rows * width);
    else row_zero(to, rows * width);
}

/* ---- memory ---- */

/* A task's own scratch, taken piece by piece: `at` NULL only measures. */
struct room {
    real *at;
    ptrdiff_t used;
};

INLINE real *take(struct room *room, ptrdiff_t count) {
    real *piece = room->at ? room->at + room->used : NULL;
    room->used += round_up(count, VL);
    return piece;
}

INLINE size_t room_bytes(const struct room *room) { return (size_t)room->used * sizeof(real); }

/* ---- the sums of the groups ---- */

/* Several arrays of sums: those of group 0 are the results, those of the others stand one behind the other. */
enum { MOST_SUMS = 5 };

struct sums {
    ptrdiff_t arrays, total;
    real *result[MOST_SUMS];
    ptrdiff_t size[MOST_SUMS];
    real *others; /* (groups - 1, total) */
    ptrdiff_t groups;
};

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

__attribute__((unused)) static int add_groups_task(void *context, ptrdiff_t first, ptrdiff_t last) {
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

#endif

/* recurrent.h — what the equations of SimpleRNN, LSTM and GRU are written in: the rows of a step, and their products with weights.
 *
 * A family writes three functions, and recurrent_driver.c runs them over whole sequences:
 *
 *     forward step     from x_t·W + b and the states before the step to the gates and the states after it
 *     backward step    from the gradients of the states after the step to dz, that of its sums, and those of the states before it
 *     weights          what the dz of several steps add to dW, dU and db
 *
 * A row is *live* at a step if the mask keeps it.  The functions see the live rows as lists of pointers, which the products of
 * row_products.h walk, so a masked step costs nothing, whatever its pattern.
 */
#ifndef FNN_RECURRENT_H
#define FNN_RECURRENT_H

#include "fused.h"
#include "row_products.h"

enum {
    BLOCK_ROWS =
        8, /* rows of the batch that go through the steps together: one tile high, so a step reads U once for all */
    CHUNK_STEPS = 12, /* steps whose products with W, and whose dW and dU, are made at once */
    CHUNK = BLOCK_ROWS * CHUNK_STEPS,
    MOST_GATES = 4,
    MOST_SUMS = 5,
};

/* ---- the rows of a step ---- */

/* The input step that is processed as number `step`; its own inverse. */
INLINE ptrdiff_t time_of(const struct fnn_sequence *s, ptrdiff_t step) {
    return s->go_backwards ? s->T - 1 - step : step;
}

INLINE int is_live(const struct fnn_sequence *s, ptrdiff_t row, ptrdiff_t t) {
    return !s->mask || s->mask[row * s->T + t];
}

/* The live rows of a block at time t: their numbers in the batch and in the block, and row·T + t, where arrays (B, T, …) have them. */
struct live {
    ptrdiff_t count, t;
    ptrdiff_t row[BLOCK_ROWS], of_block[BLOCK_ROWS], entry[BLOCK_ROWS];
};

/* ---- dropout ---- */

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

/* ---- forward ---- */

/* A state: (B, width) before the first and after the last step, (B, T, width) after each.  NULL: zeros, or not wanted.  A family
 * without this state leaves the width at 0. */
struct state {
    ptrdiff_t width;
    const real *initial;
    real *last, *steps;
};

struct forward;

/* The live rows of one step: z (gates·U) holds x_t·W + b and becomes the gates; h and c become the next states. */
struct forward_step {
    struct live live;
    real *z[BLOCK_ROWS], *h[BLOCK_ROWS], *c[BLOCK_ROWS];
    real *room, *inner; /* (BLOCK_ROWS, width of h); (BLOCK_ROWS, inner_width) */
};

struct forward {
    const struct fnn_sequence *s;
    void (*step)(const struct forward *run, const struct forward_step *step);
    ptrdiff_t gates, inner_width;
    struct state h, c; /* what feeds back, and the cell state of LSTM */
    real *z, *inner; /* kept for backward, 0 at masked steps, or NULL: (B, T, gates·U); (B, T, U) of GRU */
    const real *x, *b;
    struct panels w[MOST_GATES], u[MOST_GATES];
    struct panels v; /* of a family whose output feeds back: y = out(z·V + v_bias) */
    const real *v_bias;
};

/* ---- backward ---- */

/* A state, and the gradients that come in and go out. */
struct state_gradient {
    ptrdiff_t width;
    const real *initial, *steps, *dlast;
    real *dinitial;
};

/* The sums over the batch, a copy of them for each group of rows: those of group 0 are the results. */
struct sums {
    ptrdiff_t arrays, total;
    real *result[MOST_SUMS];
    ptrdiff_t size[MOST_SUMS];
    real *others; /* (groups - 1, total) */
    ptrdiff_t groups;
};

/* The live (row, step) pairs of a chunk of steps of a block, in order of row and step. */
struct chunk {
    ptrdiff_t count;
    ptrdiff_t row[CHUNK], entry[CHUNK], slot[CHUNK]; /* of the batch; row·T + t; of the chunk's own memory */
    const real *x[CHUNK], *dz[CHUNK], *h_before[CHUNK];
    real *room; /* (CHUNK, the wider of x and h), for dropped rows */
};

struct backward;

/* The live rows of one step.  dh and dc come in as the gradients of the states after the step and go out as those before it. */
struct backward_step {
    struct live live;
    real *dz[BLOCK_ROWS], *dh[BLOCK_ROWS], *dc[BLOCK_ROWS];
    const real *z[BLOCK_ROWS], *h[BLOCK_ROWS], *h_before[BLOCK_ROWS], *c[BLOCK_ROWS], *c_before[BLOCK_ROWS];
    int need_before; /* whether anybody asks for dh of the states before it */
    real *room[2]; /* (BLOCK_ROWS, width of h) each */
};

struct backward {
    const struct fnn_sequence *s;
    void (*step)(const struct backward *run, const struct backward_step *step);
    void (*weights)(const struct backward *run, const struct chunk *chunk, real *const *sums);
    ptrdiff_t gates, more; /* dz has gates·U numbers a row, and `more` */
    struct state_gradient h, c;
    const real *dy, *x, *z, *inner;
    real *dx, *dstates;
    struct panels wt, ut, vt;
    struct sums sums;
};

/* ---- products of a step ---- */

/* The gates of w (depth, gates·U), each in panels of its own. */
INLINE void pack_gates(struct panels *gate, real **room, const real *w, ptrdiff_t depth, ptrdiff_t U, ptrdiff_t gates) {
    for (ptrdiff_t g = 0; g < gates; g++) gate[g] = pack_panels(room, w + g * U, gates * U, 1, depth, U);
}

/* Gates first..end-1 as one matrix, where no gate ends within a panel; else the first of them alone. */
INLINE struct panels gates_together(const struct panels *gate, ptrdiff_t first, ptrdiff_t end) {
    ptrdiff_t U = gate[first].columns;
    return (struct panels){gate[first].at, gate[first].depth, U % TILE_COLS ? U : (end - first) * U};
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
                                          .from_end = live->t & 1});
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
                                          .from_end = live->t & 1});
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

/* ---- products of a chunk ---- */

/* dw (D, gates·U) += Σ (x · factors)ᵀ · dz */
__attribute__((unused)) static void add_input_products(real *dw, const struct chunk *chunk,
                                                       const struct fnn_sequence *s, ptrdiff_t gates) {
    struct factors f = x_factors(s);
    const real *list[CHUNK];
    for (ptrdiff_t set = 0; set < f.sets; set++) {
        const real *const *x = dropped(list, chunk->room, chunk->x, chunk->row, chunk->count, &f, set);
        add_outer(&(struct outer_sum){.count = chunk->count,
                                      .M = s->D,
                                      .N = f.sets == 1 ? gates * s->U : s->U,
                                      .a = x,
                                      .b = chunk->dz,
                                      .b_offset = set * s->U,
                                      .c = dw + set * s->U,
                                      .ldc = gates * s->U});
    }
}

/* du (width of h, ldc) += Σ (h · factors)ᵀ · dz for gates first..end-1, whose dz begin at `offset`; h is a list like chunk->dz. */
__attribute__((unused)) static void add_state_products(real *du, ptrdiff_t ldc, const struct chunk *chunk,
                                                       const struct factors *f, ptrdiff_t first, ptrdiff_t end,
                                                       ptrdiff_t U, const real *const *h, ptrdiff_t offset) {
    const real *list[CHUNK];
    ptrdiff_t each = f->at ? 1 : end - first;
    for (ptrdiff_t g = first; g < end; g += each) {
        const real *const *a = dropped(list, chunk->room, h, chunk->row, chunk->count, f, g);
        add_outer(&(struct outer_sum){.count = chunk->count,
                                      .M = f->width,
                                      .N = each * U,
                                      .a = a,
                                      .b = chunk->dz,
                                      .b_offset = offset + (g - first) * U,
                                      .c = du + g * U,
                                      .ldc = ldc});
    }
}

/* ---- recurrent_driver.c ---- */

/* w (D, gates·U), u (width of h, gates·U), v (U, width of h) or NULL. */
#define run_forward FNN(run_forward)
#define run_backward FNN(run_backward)
int run_forward(struct forward *run, const real *w, const real *u, const real *v);
int run_backward(struct backward *run, const real *w, const real *u, const real *v);

#endif

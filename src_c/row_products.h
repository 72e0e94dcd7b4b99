/* row_products.h — products over rows that lie anywhere, given by lists of pointers: the steps that a mask leaves, for instance.
 *
 *     rows_times   c[n] = a[n] · W + bias        W in panels, packed once
 *     add_outer    C += Σ_n a[n] ⊗ b[n]          the gradient of such a product
 *
 * The order of each sum is that of the numbers it is made of, whatever the number of rows.
 */
#ifndef FNN_ROW_PRODUCTS_H
#define FNN_ROW_PRODUCTS_H

#include "fused.h"

/* ---- rows of reals ---- */

#define EACH_VEC(j, n) for (ptrdiff_t j = 0; j < (n); j += VL)

INLINE void row_copy(real *to, const real *from, ptrdiff_t n) {
    EACH_VEC (j, n) store_upto(to + j, load_upto(from + j, n - j), n - j);
}

INLINE void row_zero(real *to, ptrdiff_t n) {
    EACH_VEC (j, n) store_upto(to + j, (vec){0}, n - j);
}

INLINE void row_add(real *to, const real *from, ptrdiff_t n) {
    EACH_VEC (j, n) store_upto(to + j, load_upto(to + j, n - j) + load_upto(from + j, n - j), n - j);
}

INLINE void row_times(real *to, const real *from, const real *factor, ptrdiff_t n) {
    EACH_VEC (j, n) store_upto(to + j, load_upto(from + j, n - j) * load_upto(factor + j, n - j), n - j);
}

INLINE void row_add_times(real *to, const real *from, const real *factor, ptrdiff_t n) {
    EACH_VEC (j, n)
        store_upto(to + j, load_upto(to + j, n - j) + load_upto(from + j, n - j) * load_upto(factor + j, n - j), n - j);
}

/* ---- packed weights ---- */

/* Columns of a matrix in panels of TILE_COLS (the last of VL, if that is enough), one behind the other. */
struct panels {
    const real *at;
    ptrdiff_t depth, columns;
};

INLINE ptrdiff_t panels_size(ptrdiff_t depth, ptrdiff_t columns) { return depth * round_up(columns, TILE_COLS); }

/* Packs element (p, j) = w[p * row_step + j * column_step] at *room, and moves *room on. */
INLINE struct panels pack_panels(real **room, const real *w, ptrdiff_t row_step, ptrdiff_t column_step, ptrdiff_t depth,
                                 ptrdiff_t columns) {
    struct panels panels = {*room, depth, columns};
    for (ptrdiff_t j = 0; j < columns; j += TILE_COLS)
        pack_panel(*room + j * depth, w + j * column_step, row_step, column_step, depth, least(TILE_COLS, columns - j));
    *room += panels_size(depth, columns);
    return panels;
}

/* ---- products over lists of rows ---- */

/* c[n] (columns,) = or += a[n] (depth,) · panels + bias, for `count` rows given by pointers; the depth starts at row `first`
 * of the panels. */
struct rows_product {
    ptrdiff_t count;
    const real *const *a;
    ptrdiff_t a_offset;
    struct panels panels;
    ptrdiff_t first, depth;
    real *const *c;
    ptrdiff_t c_offset;
    const real *bias;
    int add;
    int from_end; /* a lone row walks the panels from their end */
};

struct rows_tile {
    const struct rows_product *product;
    ptrdiff_t row, column, columns;
};

INLINE void rows_tile(const int rows, const int vecs, const struct rows_tile *job) {
    const struct rows_product *p = job->product;
    const ptrdiff_t step = vecs * VL;
    real *const *out = p->c + job->row;
    ptrdiff_t at = p->c_offset + job->column;
    tile c;
    tile_zero(c);
    tile_rows(rows, vecs, p->depth, p->a + job->row, p->a_offset,
              p->panels.at + job->column * p->panels.depth + p->first * step, step, c);
    if (p->bias) tile_bias(rows, vecs, c, p->bias + job->column, job->columns);
    if (job->columns >= step) {
#pragma GCC unroll 12
        for (int i = 0; i < rows; i++)
#pragma GCC unroll 2
            for (int j = 0; j < vecs; j++) {
                real *to = out[i] + at + j * VL;
                store(to, p->add ? c[i][j] + load(to) : c[i][j]);
            }
        return;
    }
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < vecs; j++) {
            real *to = out[i] + at + j * VL;
            ptrdiff_t left = job->columns - j * VL;
            if (left > 0) store_upto(to, p->add ? c[i][j] + load_upto(to, left) : c[i][j], left);
        }
}

/* One row against several panels at once: with a row alone, the sums of one panel would wait for each other. */
enum { FEWEST_WIDE = 3, MOST_WIDE = 6 };

INLINE void wide_row(const int panels, const struct rows_product *p, ptrdiff_t column) {
    const ptrdiff_t apart = p->panels.depth * TILE_COLS;
    const real *a = p->a[0] + p->a_offset, *b = p->panels.at + column * p->panels.depth + p->first * TILE_COLS;
    real *out = p->c[0] + p->c_offset + column;
    vec sum[MOST_WIDE * TILE_VECS] = {{0}};
    const ptrdiff_t step = p->from_end ? -1 : 1;
    for (ptrdiff_t n = 0, k = p->from_end ? p->depth - 1 : 0; n < p->depth; n++, k += step) {
        vec value = splat(a[k]);
#pragma GCC unroll 12
        for (int j = 0; j < panels * TILE_VECS; j++)
            sum[j] += value * load(b + j / TILE_VECS * apart + k * TILE_COLS + j % TILE_VECS * VL);
    }
#pragma GCC unroll 12
    for (int j = 0; j < panels * TILE_VECS; j++) {
        if (p->bias) sum[j] += load(p->bias + column + j * VL);
        store(out + j * VL, p->add ? sum[j] + load(out + j * VL) : sum[j]);
    }
}

/* Does what wide_row can do of a lone row, and gives the number of columns done.  Steps that go up and down the panels by turns
 * find the end of the last walk in L1, when the whole does not fit. */
INLINE ptrdiff_t wide_columns(const struct rows_product *p) {
    ptrdiff_t whole = p->panels.columns / TILE_COLS, pieces = whole < FEWEST_WIDE ? 0 : ceil_div(whole, MOST_WIDE);
    for (ptrdiff_t i = 0; i < pieces; i++) {
        ptrdiff_t piece = p->from_end ? pieces - 1 - i : i;
        ptrdiff_t first = whole * piece / pieces, column = first * TILE_COLS;
        switch (whole * (piece + 1) / pieces - first) {
        case 3: wide_row(3, p, column); break;
        case 4: wide_row(4, p, column); break;
        case 5: wide_row(5, p, column); break;
        default: wide_row(6, p, column);
        }
    }
    return pieces ? whole * TILE_COLS : 0;
}

__attribute__((unused)) static void rows_times(const struct rows_product *p) {
    if (!p->count) return;
    ptrdiff_t tiles = ceil_div(p->count, TILE_ROWS);
    for (ptrdiff_t column = p->count == 1 ? wide_columns(p) : 0; column < p->panels.columns; column += TILE_COLS)
        for (ptrdiff_t i = 0; i < tiles; i++) {
            ptrdiff_t row = p->count * i / tiles, rows = p->count * (i + 1) / tiles - row;
            struct rows_tile job = {p, row, column, least(TILE_COLS, p->panels.columns - column)};
            TILE_DISPATCH(rows_tile, rows, job.columns, &job);
        }
}

/* c (M, N, rows of ldc) += Σ_n a[n] (M,) ⊗ b[n] (N,) over `count` pairs of rows. */
struct outer_sum {
    ptrdiff_t count, M, N;
    const real *const *a;
    const real *const *b;
    ptrdiff_t b_offset;
    real *c;
    ptrdiff_t ldc;
};

struct outer_tile {
    const struct outer_sum *sum;
    ptrdiff_t i, j, columns;
};

INLINE void outer_products(const int rows, const int vecs, const int whole, const struct outer_tile *job, tile c) {
    const struct outer_sum *s = job->sum;
    for (ptrdiff_t n = 0; n < s->count; n++) {
        const real *a = s->a[n] + job->i, *b = s->b[n] + s->b_offset + job->j;
        __asm__("" : "+r"(a)); /* one base for all rows; GCC would make it a register a row, more than there are */
        vec line[TILE_VECS];
#pragma GCC unroll 2
        for (int j = 0; j < vecs; j++)
            line[j] = whole ? load(b + j * VL) : load_upto(b + j * VL, most(0, job->columns - j * VL));
#pragma GCC unroll 12
        for (int i = 0; i < rows; i++) {
            vec value = splat(a[i]);
#pragma GCC unroll 2
            for (int j = 0; j < vecs; j++) c[i][j] += value * line[j];
        }
    }
}

INLINE void outer_tile(const int rows, const int vecs, const struct outer_tile *job) {
    real *out = job->sum->c + job->i * job->sum->ldc + job->j;
    tile c;
    tile_zero(c);
    if (job->columns >= vecs * VL) outer_products(rows, vecs, 1, job, c);
    else outer_products(rows, vecs, 0, job, c);
    tile_add(rows, vecs, c, out, job->sum->ldc, job->columns);
    tile_store(rows, vecs, c, out, job->sum->ldc, job->columns);
}

__attribute__((unused)) static void add_outer(const struct outer_sum *s) {
    if (!s->count) return;
    ptrdiff_t tiles = ceil_div(s->M, TILE_ROWS);
    for (ptrdiff_t j = 0; j < s->N; j += TILE_COLS)
        for (ptrdiff_t k = 0; k < tiles; k++) {
            ptrdiff_t i = s->M * k / tiles, rows = s->M * (k + 1) / tiles - i;
            struct outer_tile job = {s, i, j, least(TILE_COLS, s->N - j)};
            TILE_DISPATCH(outer_tile, rows, job.columns, &job);
        }
}

/* sum (N,) += Σ_n b[n] */
__attribute__((unused)) static void add_rows(real *sum, ptrdiff_t count, const real *const *b, ptrdiff_t offset,
                                             ptrdiff_t N) {
    EACH_VEC (j, N) {
        vec total = load_upto(sum + j, N - j);
        for (ptrdiff_t n = 0; n < count; n++) total += load_upto(b[n] + offset + j, N - j);
        store_upto(sum + j, total, N - j);
    }
}

#endif

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

/* Columns of a matrix in panels of TILE_COLS (the last of VL, if that is enough), end to end. */
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

/* c (M, N, rows of ldc) += Σ_n a[n] (M,) ⊗ b[n] (N,) over `count` pairs of rows. */
struct outer_sum {
    ptrdiff_t count, M, N;
    const real *const *a;
    const real *const *b;
    ptrdiff_t b_offset;
    real *c;
    ptrdiff_t ldc;
};

/* row_products.c; add_rows: sum (N,) += Σ_n b[n] */
#define rows_times FNN(rows_times)
#define add_outer FNN(add_outer)
#define add_rows FNN(add_rows)
void rows_times(const struct rows_product *p);
void add_outer(const struct outer_sum *s);
void add_rows(real *sum, ptrdiff_t count, const real *const *b, ptrdiff_t offset, ptrdiff_t N);

#endif

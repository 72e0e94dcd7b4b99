/* row_products.c — products over lists of rows, for the recurrent families.  Not a kernel family; row_products.h says what they do.
 */
#include "row_products.h"

struct rows_tile {
    const struct rows_product *product;
    ptrdiff_t row, column, columns;
};

/* The last columns of a tile, from lines (rows, TILE_COLS). */
ONE_COPY void store_edge_of_rows(const struct rows_tile *job, const real *lines, ptrdiff_t rows) {
    const struct rows_product *p = job->product;
    for (ptrdiff_t i = 0; i < rows; i++)
        for (ptrdiff_t j = 0; j < job->columns; j += VL) {
            real *to = p->c[job->row + i] + p->c_offset + job->column + j;
            ptrdiff_t left = job->columns - j;
            vec sum = load(lines + i * TILE_COLS + j);
            store_upto(to, p->add ? sum + load_upto(to, left) : sum, left);
        }
}

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
    real lines[TILE_ROWS * TILE_COLS];
    tile_store_whole(rows, vecs, c, lines, TILE_COLS);
    store_edge_of_rows(job, lines, rows);
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

void rows_times(const struct rows_product *p) {
    if (!p->count) return;
    ptrdiff_t tiles = ceil_div(p->count, TILE_ROWS);
    for (ptrdiff_t column = p->count == 1 ? wide_columns(p) : 0; column < p->panels.columns; column += TILE_COLS)
        for (ptrdiff_t i = 0; i < tiles; i++) {
            ptrdiff_t row = p->count * i / tiles, rows = p->count * (i + 1) / tiles - row;
            struct rows_tile job = {p, row, column, least(TILE_COLS, p->panels.columns - column)};
            TILE_DISPATCH(rows_tile, rows, job.columns, &job);
        }
}

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

void add_outer(const struct outer_sum *s) {
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
void add_rows(real *sum, ptrdiff_t count, const real *const *b, ptrdiff_t offset, ptrdiff_t N) {
    EACH_VEC (j, N) {
        vec total = load_upto(sum + j, N - j);
        for (ptrdiff_t n = 0; n < count; n++) total += load_upto(b[n] + offset + j, N - j);
        store_upto(sum + j, total, N - j);
    }
}

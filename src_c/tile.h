/* tile.h — the microkernel: a tile of TILE_ROWS x TILE_COLS outputs that stays in registers.
 *
 * c[i][j] += sum over p of a[i][p] * b[p][j], i < TILE_ROWS, j < TILE_COLS.
 *
 *            b, one panel: TILE_COLS contiguous reals per p
 *            +-----+
 *          p |  ....  |
 *            +-----+
 *   a        +-----+
 *   i |...|  |  c  |        per p: TILE_VECS vector loads of b, TILE_ROWS broadcasts of a,
 *            +-----+        TILE_ROWS * TILE_VECS multiply-adds
 *
 * Everything that multiplies matrices or convolves is built on the two functions here; they differ in how they access
 * a.   tile_rows: a is TILE_ROWS pointers to rows contiguous in p (rows of X in place, pixels of an image in place).  
 * tile_columns: a is contiguous in i for each p (packed blocks; X itself in Xᵀ·dY). `rows` and `vecs` are constants at
 * every call, so that the loops unroll and the accumulators stay in registers: use the switches at the end for tiles at
 * an edge.
 */
#ifndef FNN_TILE_H
#define FNN_TILE_H

#include "real.h"

#if defined(__AVX512F__)
enum { TILE_ROWS = 12, TILE_VECS = 2 }; /* 24 accumulators in 32 registers */
#elif defined(__aarch64__)
enum { TILE_ROWS = 12, TILE_VECS = 2 }; /* the same number of registers */
#else
enum { TILE_ROWS = 6, TILE_VECS = 2 }; /* 12 accumulators in 16 registers */
#endif
enum { TILE_COLS = TILE_VECS * VL, PREFETCH_ROWS = 16 };

typedef vec tile[TILE_ROWS][TILE_VECS];

INLINE void tile_zero(tile c) {
#pragma GCC unroll 12
    for (int i = 0; i < TILE_ROWS; i++)
#pragma GCC unroll 2
        for (int j = 0; j < TILE_VECS; j++) c[i][j] = (vec){0};
}

/* Rows a[i] + offset, `depth` long; b advances by `step` reals for each p. */
INLINE void tile_rows(const int rows, const int vecs, ptrdiff_t depth, const real *const *a, ptrdiff_t offset,
                      const real *b, ptrdiff_t step, tile c) {
    const real *row[TILE_ROWS];
#pragma GCC unroll 12
    for (int i = 0; i < rows; i++) row[i] = a[i] + offset;
    for (ptrdiff_t p = 0; p < depth; p++) {
        vec line[TILE_VECS];
#pragma GCC unroll 2
        for (int j = 0; j < vecs; j++) line[j] = load(b + p * step + j * VL);
#pragma GCC unroll 12
        for (int i = 0; i < rows; i++) {
            vec value = splat(row[i][p]);
#pragma GCC unroll 2
            for (int j = 0; j < vecs; j++) c[i][j] += value * line[j];
        }
    }
}

/* Like tile_rows, but the rows have a step from p to p as well. */
INLINE void tile_rows_strided(const int rows, const int vecs, ptrdiff_t depth, const real *const *a, ptrdiff_t offset,
                              ptrdiff_t a_step, const real *b, ptrdiff_t step, tile c) {
    for (ptrdiff_t p = 0; p < depth; p++) {
        vec line[TILE_VECS];
#pragma GCC unroll 2
        for (int j = 0; j < vecs; j++) line[j] = load(b + p * step + j * VL);
#pragma GCC unroll 12
        for (int i = 0; i < rows; i++) {
            vec value = splat(a[i][offset + p * a_step]);
#pragma GCC unroll 2
            for (int j = 0; j < vecs; j++) c[i][j] += value * line[j];
        }
    }
}

/* a[i + p * a_step], b[p * b_step + j] */
INLINE void tile_columns(const int rows, const int vecs, ptrdiff_t depth, const real *a, ptrdiff_t a_step,
                         const real *b, ptrdiff_t b_step, tile c) {
    for (ptrdiff_t p = 0; p < depth; p++) {
        vec line[TILE_VECS];
#pragma GCC unroll 2
        for (int j = 0; j < vecs; j++) line[j] = load(b + j * VL);
#pragma GCC unroll 12
        for (int i = 0; i < rows; i++) {
            vec value = splat(a[i]);
#pragma GCC unroll 2
            for (int j = 0; j < vecs; j++) c[i][j] += value * line[j];
        }
        a += a_step;
        b += b_step;
    }
}

/* A tile at the right edge goes through memory, `lines` (rows, TILE_COLS): its code would be longer than all the rest of a tile,
 * and each shape of tile would have it once more.  tile.c */
void FNN(load_edge)(real *lines, ptrdiff_t rows, const real *from, ptrdiff_t ld,
                    ptrdiff_t columns); /* 0 beyond columns */
void FNN(store_edge)(real *to, ptrdiff_t ld, ptrdiff_t columns, const real *lines, ptrdiff_t rows);

/* c += out[i * ld + j], or out = c, for the first `rows` rows and `columns` columns. */
INLINE void tile_add_whole(const int rows, const int vecs, tile c, const real *out, ptrdiff_t ld) {
#pragma GCC unroll 12
    for (int i = 0; i < rows; i++)
#pragma GCC unroll 2
        for (int j = 0; j < vecs; j++) c[i][j] += load(out + i * ld + j * VL);
}

INLINE void tile_store_whole(const int rows, const int vecs, tile c, real *out, ptrdiff_t ld) {
#pragma GCC unroll 12
    for (int i = 0; i < rows; i++)
#pragma GCC unroll 2
        for (int j = 0; j < vecs; j++) store(out + i * ld + j * VL, c[i][j]);
}

INLINE void tile_add(const int rows, const int vecs, tile c, const real *out, ptrdiff_t ld, ptrdiff_t columns) {
    if (columns >= vecs * VL) {
        tile_add_whole(rows, vecs, c, out, ld);
        return;
    }
    real lines[TILE_ROWS * TILE_COLS];
    FNN(load_edge)(lines, rows, out, ld, columns);
    tile_add_whole(rows, vecs, c, lines, TILE_COLS);
}

INLINE void tile_store(const int rows, const int vecs, tile c, real *out, ptrdiff_t ld, ptrdiff_t columns) {
    if (columns >= vecs * VL) {
        tile_store_whole(rows, vecs, c, out, ld);
        return;
    }
    real lines[TILE_ROWS * TILE_COLS];
    tile_store_whole(rows, vecs, c, lines, TILE_COLS);
    FNN(store_edge)(out, ld, columns, lines, rows);
}

/* Call f with `rows` (1..TILE_ROWS) and `vecs` (1..TILE_VECS) as constants; f is an INLINE function of (rows, vecs,
 * job). */
#define TILE_CASE(n, f, vecs, job) \
    case n:                        \
        f(n, vecs, job);           \
        break;
#if defined(__AVX512F__) || defined(__aarch64__)
#define TILE_SWITCH(f, vecs, rows, job)                                                             \
    switch (rows) {                                                                                 \
        TILE_CASE(12, f, vecs, job) TILE_CASE(11, f, vecs, job) TILE_CASE(10, f, vecs, job)         \
        TILE_CASE(9, f, vecs, job) TILE_CASE(8, f, vecs, job) TILE_CASE(7, f, vecs, job)            \
        TILE_CASE(6, f, vecs, job) TILE_CASE(5, f, vecs, job) TILE_CASE(4, f, vecs, job)            \
        TILE_CASE(3, f, vecs, job) TILE_CASE(2, f, vecs, job) TILE_CASE(1, f, vecs, job)            \
    }
#else
#define TILE_SWITCH(f, vecs, rows, job)                                                             \
    switch (rows) {                                                                                 \
        TILE_CASE(6, f, vecs, job) TILE_CASE(5, f, vecs, job) TILE_CASE(4, f, vecs, job)            \
        TILE_CASE(3, f, vecs, job) TILE_CASE(2, f, vecs, job) TILE_CASE(1, f, vecs, job)            \
    }
#endif
#define TILE_DISPATCH(f, rows, columns, job)                    \
    do {                                                        \
        if ((columns) > VL) TILE_SWITCH(f, 2, rows, job)        \
        else TILE_SWITCH(f, 1, rows, job)                       \
    } while (0)

/* Columns first..first+columns-1 of B (element (p, j) at b[p * row_step + j * column_step]) as one panel: TILE_COLS
 * contiguous reals per p (VL, if that is enough), zero beyond `columns`.  Return the panel's step.  tile.c */
#define pack_panel FNN(pack_panel)
ptrdiff_t pack_panel(real *panel, const real *b, ptrdiff_t row_step, ptrdiff_t column_step, ptrdiff_t depth,
                     ptrdiff_t columns);

#endif

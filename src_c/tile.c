/* tile.c — what surrounds the tiles of tile.h, once for all that use them: panels are packed, edges loaded and stored.  Not a
 * kernel family.
 */
#include "tile.h"

void FNN(load_edge)(real *lines, ptrdiff_t rows, const real *from, ptrdiff_t ld, ptrdiff_t columns) {
    for (ptrdiff_t i = 0; i < rows; i++, from += ld, lines += TILE_COLS)
        for (ptrdiff_t j = 0; j < TILE_COLS; j += VL)
            store(lines + j, j < columns ? load_upto(from + j, columns - j) : (vec){0});
}

void FNN(store_edge)(real *to, ptrdiff_t ld, ptrdiff_t columns, const real *lines, ptrdiff_t rows) {
    for (ptrdiff_t i = 0; i < rows; i++, to += ld, lines += TILE_COLS)
        for (ptrdiff_t j = 0; j < columns; j += VL) store_upto(to + j, load(lines + j), columns - j);
}

ptrdiff_t pack_panel(real *panel, const real *b, ptrdiff_t row_step, ptrdiff_t column_step, ptrdiff_t depth,
                     ptrdiff_t columns) {
    ptrdiff_t step = columns > VL ? TILE_COLS : VL;
    if (column_step == 1 && columns == step) {
        for (ptrdiff_t p = 0; p < depth; p++) {
            const real *from = b + p * row_step;
            __builtin_prefetch(from + PREFETCH_ROWS * row_step); /* long strides defeat the hardware's */
            for (ptrdiff_t j = 0; j < step; j += VL) store(panel + p * step + j, load(from + j));
        }
    } else if (column_step == 1) {
        for (ptrdiff_t p = 0; p < depth; p++)
            for (ptrdiff_t j = 0; j < step; j += VL)
                store(panel + p * step + j, j < columns ? load_upto(b + p * row_step + j, columns - j) : (vec){0});
    } else {
        for (ptrdiff_t j = 0; j < step; j++)
            for (ptrdiff_t p = 0; p < depth; p++)
                panel[p * step + j] = j < columns ? b[p * row_step + j * column_step] : 0;
    }
    return step;
}

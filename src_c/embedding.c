/* embedding.c — rows of a table looked up by id, y[i, :] = w[ids[i], :], and the gradient of the table.
 *
 * Shapes: ids (count,); w, dw (vocabulary, D); y, dy (count, D); rows: room for min(count, vocabulary) ids; all
 * disjoint. The caller allocates; results are assigned.  Ids are checked before anything is written: FNN_BAD_INDEX.
 * Another thread may write into them meanwhile, so backward reads them once, into a copy, and uses that.
 * Backward: dw[id] = Σ dy[i] over the positions i of id, accumulated in the order of i, so the ids need not be sorted.
 * Only the `stale` rows of dw are cleared, so the cost of a call depends on its ids and not on the size of the
 * vocabulary, except for a bitmap with one bit per row that yields the distinct ids in ascending order. Threaded:
 * forward over positions, clearing all of dw over rows.  The sums are not threaded: a row that two threads read and
 * write alternately costs more in transfers between caches than the additions do.  Memory-bound. Twin:
 * fastnn/reference/embedding.py.
 */
#include "real.h"

int FNN(embedding_forward)(real *y, const int64_t *ids, const real *w, ptrdiff_t count, ptrdiff_t vocabulary,
                           ptrdiff_t D) {
    return FNN(gather_rows)(y, w, FNN_BITS == 32 ? FNN_FLOAT32 : FNN_FLOAT64, ids, count, vocabulary, D,
                            D * (ptrdiff_t)sizeof(real));
}

/* Copy ids; return whether all of the copies are in the vocabulary. */
static int copy_within(int64_t *copy, const int64_t *from, ptrdiff_t count, ptrdiff_t vocabulary) {
    memcpy(copy, from, (size_t)count * sizeof *copy);
    __asm__ volatile("" ::: "memory"); /* what follows reads the copy, not once more what it was copied from */
    int all = 1;
    const int64_t *ids = copy;
    for (ptrdiff_t i = 0; i < count; i++) all &= (uint64_t)ids[i] < (uint64_t)vocabulary;
    return all;
}

/* Write the distinct ids in ascending order; return how many.  `words`: 64 ids per word. */
static ptrdiff_t distinct(int64_t *rows, uint64_t *bitmap, ptrdiff_t words, const int64_t *ids, ptrdiff_t count) {
    memset(bitmap, 0, (size_t)words * sizeof *bitmap);
    for (ptrdiff_t i = 0; i < count; i++) bitmap[ids[i] >> 6] |= (uint64_t)1 << (ids[i] & 63);
    ptrdiff_t found = 0;
    for (ptrdiff_t word = 0; word < words; word++)
        for (uint64_t bits = bitmap[word]; bits; bits &= bits - 1) rows[found++] = word * 64 + __builtin_ctzll(bits);
    return found;
}

struct table_rows {
    real *dw;
    ptrdiff_t D;
};

static int clear_rows(void *context, ptrdiff_t first, ptrdiff_t last) {
    const struct table_rows *job = context;
    memset(job->dw + first * job->D, 0, (size_t)((last - first) * job->D) * sizeof(real));
    return FNN_OK;
}

static void clear(real *dw, const int64_t *stale, ptrdiff_t stale_count, ptrdiff_t vocabulary, ptrdiff_t D) {
    struct table_rows job = {dw, D};
    if (stale)
        for (ptrdiff_t k = 0; k < stale_count; k++) clear_rows(&job, stale[k], stale[k] + 1);
    else fnn_parallel(vocabulary, (double)(vocabulary * D) * (double)sizeof(real), clear_rows, &job);
}

/* stale: the rows of dw to clear, or NULL for all. */
int FNN(embedding_backward)(real *dw, int64_t *rows, ptrdiff_t *row_count, const real *dy, const int64_t *ids,
                            ptrdiff_t count, const int64_t *stale, ptrdiff_t stale_count, ptrdiff_t vocabulary,
                            ptrdiff_t D) {
    int64_t *copy = fnn_scratch(FNN_SCRATCH_LISTS, (size_t)(count + (stale ? stale_count : 0)) * sizeof *copy);
    if (!copy) return FNN_NO_MEMORY;
    if (!copy_within(copy, ids, count, vocabulary)) return FNN_BAD_INDEX;
    if (stale && !copy_within(copy + count, stale, stale_count, vocabulary)) return FNN_BAD_INDEX;
    ids = copy;
    stale = stale ? copy + count : NULL;
    ptrdiff_t words = ceil_div(vocabulary, 64);
    uint64_t *bitmap = fnn_scratch(FNN_SCRATCH_SHARED, (size_t)words * sizeof *bitmap);
    if (!bitmap) return FNN_NO_MEMORY;
    *row_count = distinct(rows, bitmap, words, ids, count);
    clear(dw, stale, stale_count, vocabulary, D);
    for (ptrdiff_t i = 0; i < count; i++) {
        real *to = dw + ids[i] * D;
        const real *from = dy + i * D;
        for (ptrdiff_t c = 0; c < D; c += VL)
            store_upto(to + c, load_upto(to + c, D - c) + load_upto(from + c, D - c), D - c);
    }
    return FNN_OK;
}

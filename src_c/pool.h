/* pool.h — the thread pool and the scratch memory of its threads.  Exists once per process, in no tier.
 *
 * The pool cuts a range of items into contiguous parts and shares them out to its threads; the caller works too.  No
 * kernel may let a number depend on the cut: items are outputs, or chunks that the shape alone fixes.  Workers run in the
 * floating-point mode of the caller.
 */
#ifndef FNN_POOL_H
#define FNN_POOL_H

#include <stddef.h>

/* Work on items first..last-1; returns a status, FNN_OK or FNN_NO_MEMORY. */
typedef int (*fnn_task)(void *context, ptrdiff_t first, ptrdiff_t last);

/* Run `task` over items 0..items-1.  `work` is the whole job's cost in floating-point operations (or as many
 * bytes moved): below a measured cut-off, or when the pool is busy, the caller does everything alone. */
int fnn_parallel(ptrdiff_t items, double work, fnn_task task, void *context);

/* The same with the number of parts for each thread: fewer where a part has a cost of its own, such as reading all images. */
int fnn_parallel_parts(ptrdiff_t items, double work, fnn_task task, void *context, int parts_per_thread);

/* The one part of the library that others see: threadpoolctl finds the pool by these names. */
__attribute__((visibility("default"))) int fnn_get_threads(void);
__attribute__((visibility("default"))) int fnn_set_threads(int count); /* 0, or -1 if not in 1..FNN_MAX_THREADS */
enum { FNN_MAX_THREADS = 256 };

/* Scratch memory of the calling thread, one buffer per purpose, 64-byte aligned, uninitialised, kept until the thread
 * ends.  A purpose is used by one function at a time: a caller's buffers survive the tasks that it starts.
 * NULL when memory is out. */
enum fnn_scratch_use {
    FNN_SCRATCH_PANELS, /* packed weights, shared with the tasks */
    FNN_SCRATCH_SHARED, /* other caller-level memory, shared with the tasks */
    FNN_SCRATCH_LISTS,  /* index lists, shared with the tasks */
    FNN_SCRATCH_TILE,   /* a task's own */
    FNN_SCRATCH_IMAGE,  /* a task's own padded image, or rows of patches */
    FNN_SCRATCH_ROWS,   /* a task's own packed rows */
    FNN_SCRATCH_USES
};
void *fnn_scratch(enum fnn_scratch_use use, size_t bytes);

#endif

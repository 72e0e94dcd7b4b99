/* pool.h — the thread pool and the scratch memory of its threads.  Exists once per process, in no tier.
 *
 * The pool divides a range of items into contiguous parts and distributes them to its threads; the caller works too.
 * No result may depend on the division: items are outputs, or chunks that depend only on the shape.  Workers run in
 * the floating-point mode of the caller.
 */
#ifndef FNN_POOL_H
#define FNN_POOL_H

#include <stddef.h>

/* Work on items first..last-1; returns a status of fnn.h. */
typedef int (*fnn_task)(void *context, ptrdiff_t first, ptrdiff_t last);

/* Run `task` over items 0..items-1.  `work` is the whole job's cost in floating-point operations (or as many
 * bytes moved): below a measured threshold, or if the pool is busy, the caller does all the work itself. */
int fnn_parallel(ptrdiff_t items, double work, fnn_task task, void *context);

/* The same with a given number of parts per thread: fewer if a part has a fixed cost, such as reading all images. */
int fnn_parallel_parts(ptrdiff_t items, double work, fnn_task task, void *context, int parts_per_thread);

/* The only symbols visible outside the library: threadpoolctl finds the pool by these names. */
__attribute__((visibility("default"))) int fnn_get_threads(void);
__attribute__((visibility("default"))) int fnn_set_threads(int count); /* 0, or -1 if not in 1..FNN_MAX_THREADS */
enum { FNN_MAX_THREADS = 256 };

/* Scratch memory of the calling thread, one buffer per purpose, 64-byte aligned, uninitialised, kept until the thread
 * ends.  A purpose is used by one function at a time: a caller's buffers survive the tasks that it starts.
 * NULL if out of memory. */
enum fnn_scratch_use {
    FNN_SCRATCH_PANELS, /* packed weights, shared with the tasks */
    FNN_SCRATCH_SHARED, /* other caller-level memory, shared with the tasks */
    FNN_SCRATCH_SLOPES, /* gradients before an activation, shared with the tasks */
    FNN_SCRATCH_LISTS,  /* index lists, shared with the tasks */
    FNN_SCRATCH_TILE,   /* private to a task */
    FNN_SCRATCH_IMAGE,  /* private to a task: its padded image, or rows of patches */
    FNN_SCRATCH_ROWS,   /* private to a task: its packed rows */
    FNN_SCRATCH_USES
};
void *fnn_scratch(enum fnn_scratch_use use, size_t bytes);

#endif

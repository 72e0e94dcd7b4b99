/* indices.h — indices that the user's other threads may write while a kernel reads them without Python's lock. */
#ifndef FNN_INDICES_H
#define FNN_INDICES_H

#include "real.h"

/* Read an index once, so that what was checked is what is used: otherwise the compiler may read it again. */
INLINE ptrdiff_t read_once(const int64_t *index) { return (ptrdiff_t)__atomic_load_n(index, __ATOMIC_RELAXED); }

/* Whether it is one of 0 .. count - 1. */
INLINE int within(ptrdiff_t index, ptrdiff_t count) { return (size_t)index < (size_t)count; }

#endif

/* system.h — the few things that operating systems do differently: CPUs, aligned memory, forks.  Threads are pthreads everywhere
 * (winpthreads under MinGW).  Only pool.c includes it.
 */
#ifndef FNN_SYSTEM_H
#define FNN_SYSTEM_H

#include <stddef.h>

#if defined(_WIN32)

#include <malloc.h>
#include <windows.h>

static int system_cpus(void) { /* those that this process may use */
    DWORD_PTR own = 0, all = 0;
    if (GetProcessAffinityMask(GetCurrentProcess(), &own, &all) && own) return __builtin_popcountll(own);
    SYSTEM_INFO info;
    GetSystemInfo(&info);
    return (int)info.dwNumberOfProcessors;
}

static void *system_aligned(size_t alignment, size_t bytes) { return _aligned_malloc(bytes, alignment); }
static void system_free_aligned(void *memory) { _aligned_free(memory); }
static int system_after_fork(void (*in_child)(void)) { /* there is none */
    (void)in_child;
    return 0;
}

#else

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

static int system_cpus(void) {
#if defined(__linux__)
    cpu_set_t set; /* those that this process may use */
    if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0) return CPU_COUNT(&set);
#endif
    return (int)sysconf(_SC_NPROCESSORS_ONLN);
}

static void *system_aligned(size_t alignment, size_t bytes) {
    void *memory;
    return posix_memalign(&memory, alignment, bytes) == 0 ? memory : NULL;
}
static void system_free_aligned(void *memory) { free(memory); }
static int system_after_fork(void (*in_child)(void)) { return pthread_atfork(NULL, NULL, in_child); }

#endif
#endif

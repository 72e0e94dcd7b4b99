/* pool.c — persistent threads, static partition, a bounded spin and then sleep.
 *
 * One job at a time.  The caller publishes it by advancing `job`; workers that spin see that, workers that sleep are
 * woken by the condition variable.  A worker goes to sleep under the mutex only after it has counted itself in
 * `sleepers` and looked at `job` once more, and the caller reads `sleepers` after it has advanced `job`:
 * with sequentially consistent atomics, one of the two sees the other.  The number of parts travels in the same word,
 * so that a worker without a part in a job never reads a field that the next job is writing.
 *
 * After fork the child has no workers: a handler forgets them, and they are started again when they are needed.
 */
#include "pool.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fnn.h"

#include <sched.h>

enum {
    SPINS = 4000,             /* about 50 µs: longer than Python takes from one kernel to the next */
    STACK_BYTES = 1 << 20,    /* explicit, since macOS gives threads half a megabyte and musl less */
    PARTS_BITS = 16,
};

/* Two cores repay their hand-over of about 2 µs only above this many operations. */
static const double WORK_PER_THREAD = 100e3;

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    atomic_int busy;        /* a job is in the pool */
    atomic_ullong job;      /* the newest job: its number, and in the low PARTS_BITS its number of parts */
    atomic_int sleepers, pending, status;
    atomic_int threads;     /* wanted; 0: not asked yet */
    int workers;            /* started so far */
    ptrdiff_t items;
    fnn_task task;
    void *context;
} pool = {.mutex = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER};

static void relax(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("yield");
#endif
}

/* ---- how many threads ---- */

static int count_from_environment(const char *name) {
    const char *text = getenv(name);
    if (!text) return 0;
    char *end;
    long count = strtol(text, &end, 10); /* OMP_NUM_THREADS may be a list: its first number */
    return end != text && count > 0 ? (int)(count < FNN_MAX_THREADS ? count : FNN_MAX_THREADS) : 0;
}

static int cpus_of_process(void) {
#ifdef __linux__
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0)
        return CPU_COUNT(&set) < FNN_MAX_THREADS ? CPU_COUNT(&set) : FNN_MAX_THREADS;
#endif
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count < 1 ? 1 : count < FNN_MAX_THREADS ? (int)count : FNN_MAX_THREADS;
}

int fnn_get_threads(void) {
    int threads = atomic_load_explicit(&pool.threads, memory_order_relaxed);
    if (!threads) {
        threads = count_from_environment("FASTNN_NUM_THREADS");
        if (!threads) threads = count_from_environment("OMP_NUM_THREADS");
        if (!threads) threads = cpus_of_process();
        atomic_store(&pool.threads, threads);
    }
    return threads;
}

int fnn_set_threads(int count) {
    if (count < 1 || count > FNN_MAX_THREADS) return -1;
    atomic_store(&pool.threads, count); /* workers beyond it stay asleep */
    return 0;
}

/* ---- the workers ---- */

static void run_part(ptrdiff_t part, ptrdiff_t parts) {
    ptrdiff_t first = pool.items * part / parts, last = pool.items * (part + 1) / parts;
    int status = first < last ? pool.task(pool.context, first, last) : FNN_OK;
    if (status != FNN_OK) atomic_store(&pool.status, status);
}

static unsigned long long wait_for_job(unsigned long long seen) {
    for (int spin = 0; spin < SPINS; spin++) {
        unsigned long long now = atomic_load_explicit(&pool.job, memory_order_acquire);
        if (now != seen) return now;
        relax();
    }
    pthread_mutex_lock(&pool.mutex);
    atomic_fetch_add(&pool.sleepers, 1);
    while (atomic_load(&pool.job) == seen) pthread_cond_wait(&pool.wake, &pool.mutex);
    atomic_fetch_sub(&pool.sleepers, 1);
    pthread_mutex_unlock(&pool.mutex);
    return atomic_load(&pool.job);
}

struct birth {
    int index;
    unsigned long long seen; /* the newest job when it was born */
};

static void *worker(void *argument) {
    struct birth birth = *(struct birth *)argument;
    free(argument);
    unsigned long long seen = birth.seen;
    ptrdiff_t part = birth.index + 1; /* the caller takes part 0 */
    for (;;) {
        seen = wait_for_job(seen);
        ptrdiff_t parts = (ptrdiff_t)(seen & ((1 << PARTS_BITS) - 1));
        if (part < parts) {
            run_part(part, parts);
            atomic_fetch_sub_explicit(&pool.pending, 1, memory_order_release);
        }
    }
    return NULL;
}

static void forget_workers(void) { /* in the child of a fork */
    pthread_mutex_init(&pool.mutex, NULL);
    pthread_cond_init(&pool.wake, NULL);
    atomic_store(&pool.busy, 0);
    atomic_store(&pool.sleepers, 0);
    atomic_store(&pool.pending, 0);
    pool.workers = 0;
}

/* Start workers until there are `wanted`; fewer if the system refuses. */
static void start_workers(int wanted) {
    static int registered;
    if (!registered) registered = pthread_atfork(NULL, NULL, forget_workers) == 0;
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) != 0) return;
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    while (pool.workers < wanted) {
        struct birth *birth = malloc(sizeof *birth);
        if (!birth) break;
        *birth = (struct birth){pool.workers, atomic_load(&pool.job)};
        pthread_t thread;
        if (pthread_create(&thread, &attributes, worker, birth) != 0) {
            free(birth);
            break;
        }
        pool.workers++;
    }
    pthread_attr_destroy(&attributes);
}

/* ---- a job ---- */

static int run_on_pool(int parts, ptrdiff_t items, fnn_task task, void *context) {
    start_workers(parts - 1);
    if (parts - 1 > pool.workers) parts = pool.workers + 1;
    pool.items = items;
    pool.task = task;
    pool.context = context;
    atomic_store(&pool.status, FNN_OK);
    atomic_store(&pool.pending, parts - 1);
    atomic_store(&pool.job, (((atomic_load(&pool.job) >> PARTS_BITS) + 1) << PARTS_BITS) + (unsigned)parts);
    if (atomic_load(&pool.sleepers) > 0) {
        pthread_mutex_lock(&pool.mutex);
        pthread_cond_broadcast(&pool.wake);
        pthread_mutex_unlock(&pool.mutex);
    }
    run_part(0, parts);
    for (int spin = 0; atomic_load_explicit(&pool.pending, memory_order_acquire) > 0; spin++) {
        if (spin < SPINS) relax();
        else sched_yield(); /* more threads than free cores: let the worker have this one */
    }
    return atomic_load(&pool.status);
}

int fnn_parallel(ptrdiff_t items, double work, fnn_task task, void *context) {
    if (items <= 0) return FNN_OK;
    ptrdiff_t parts = fnn_get_threads();
    if (parts > items) parts = items;
    if (parts > 1 && work < 2 * WORK_PER_THREAD) parts = 1;
    int idle = 0;
    if (parts == 1 || !atomic_compare_exchange_strong(&pool.busy, &idle, 1)) return task(context, 0, items);
    int status = run_on_pool((int)parts, items, task, context);
    atomic_store(&pool.busy, 0);
    return status;
}

/* ---- scratch ---- */

struct scratch {
    void *memory[FNN_SCRATCH_USES];
    size_t bytes[FNN_SCRATCH_USES];
};

static pthread_key_t scratch_key;
static pthread_once_t scratch_once = PTHREAD_ONCE_INIT;
static _Thread_local struct scratch *own_scratch;

static void free_scratch(void *argument) {
    struct scratch *scratch = argument;
    for (int use = 0; use < FNN_SCRATCH_USES; use++) free(scratch->memory[use]);
    free(scratch);
    own_scratch = NULL;
}

static void make_scratch_key(void) { pthread_key_create(&scratch_key, free_scratch); }

void *fnn_scratch(enum fnn_scratch_use use, size_t bytes) {
    struct scratch *scratch = own_scratch;
    if (!scratch) {
        pthread_once(&scratch_once, make_scratch_key);
        scratch = own_scratch = calloc(1, sizeof *scratch);
        if (!scratch) return NULL;
        pthread_setspecific(scratch_key, scratch);
    }
    if (scratch->bytes[use] < bytes || !scratch->memory[use]) {
        size_t rounded = (bytes + 4096) / 4096 * 4096;
        if (rounded < bytes) return NULL;
        free(scratch->memory[use]);
        scratch->bytes[use] = 0;
        if (posix_memalign(&scratch->memory[use], 64, rounded) != 0) {
            scratch->memory[use] = NULL;
            return NULL;
        }
        scratch->bytes[use] = rounded;
    }
    return scratch->memory[use];
}

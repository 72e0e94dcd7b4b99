/* pool.c — persistent threads that work on one job at a time; they spin for a bounded time and then sleep.
 *
 * A job's range of items is divided into parts.  The caller takes parts from the bottom, workers from the top, until
 * they meet.  Each thread thus works at the same end of the arrays from kernel to kernel, and a worker that has lost
 * its core to another process delays only the part it is working on.  No result depends on which thread takes a part.
 *
 * `ticket` is the whole state of the job in one word: its number, and the lowest and the highest part not yet taken.
 * A part is taken by a compare-and-swap on it, so a late worker can never take a part of a finished job.  The fields
 * of a job are stable while any of its parts is running, since the caller returns only when all parts are done.
 *
 * Workers beyond the number of threads are parked until it grows; jobs do not wake them.
 *
 * Spinning workers see a new ticket; sleeping workers are woken by the condition variable.  A worker goes to sleep,
 * under the mutex, only after it has incremented `sleepers` and checked the ticket again, and the caller reads
 * `sleepers` after it has written the ticket: with sequentially consistent atomics, one of the two sees the other.
 *
 * After a fork the child has no workers: a handler resets the pool, and they are started again when needed.
 */
#include "pool.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "denormals.h"
#include "fnn.h"
#include "system.h"

enum {
    SPINS = 4000,             /* about 50 µs: longer than Python takes between kernels */
    STACK_BYTES = 1 << 20,    /* explicit: the default is half a megabyte on macOS, less on musl */
    PARTS_PER_THREAD = 4,     /* so that a slower core can take fewer */
};

/* A second core repays the hand-over of about 2 µs only above this many operations. */
static const double WORK_PER_THREAD = 100e3;

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t wake, more; /* a job; more threads */
    atomic_int busy;        /* a job is running */
    atomic_ullong ticket;   /* number of the job << 32 | lowest part left << 16 | end of the parts left */
    atomic_int sleepers, parked, done, status;
    atomic_int threads;     /* requested; 0: not read yet */
    int workers;            /* started so far */
    ptrdiff_t items, parts;
    fnn_task task;
    void *context;
    fnn_mode mode;          /* the caller's, in which workers run its parts */
} pool = {.mutex = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER, .more = PTHREAD_COND_INITIALIZER};

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
    long count = strtol(text, &end, 10); /* OMP_NUM_THREADS may be a list: use its first number */
    return end != text && count > 0 ? (int)(count < FNN_MAX_THREADS ? count : FNN_MAX_THREADS) : 0;
}

static int cpus_of_process(void) {
    int count = system_cpus();
    return count < 1 ? 1 : count < FNN_MAX_THREADS ? count : FNN_MAX_THREADS;
}

int fnn_get_threads(void) {
    int threads = atomic_load_explicit(&pool.threads, memory_order_relaxed);
    if (!threads) {
        threads = count_from_environment("FASTNN_NUM_THREADS");
        if (!threads) threads = count_from_environment("OMP_NUM_THREADS");
        if (!threads) threads = cpus_of_process();
        int none = 0; /* keep what another thread has set meanwhile */
        if (!atomic_compare_exchange_strong(&pool.threads, &none, threads)) threads = none;
    }
    return threads;
}

int fnn_set_threads(int count) {
    if (count < 1 || count > FNN_MAX_THREADS) return -1;
    atomic_store(&pool.threads, count);
    if (atomic_load(&pool.parked) > 0) { /* as with sleepers: either it is seen here, or the new number there */
        pthread_mutex_lock(&pool.mutex);
        pthread_cond_broadcast(&pool.more);
        pthread_mutex_unlock(&pool.mutex);
    }
    return 0;
}

/* ---- the workers ---- */

typedef unsigned long long ticket;

static ticket job_number(ticket t) { return t >> 32; }
static ptrdiff_t lowest(ticket t) { return (ptrdiff_t)(t >> 16 & 0xffff); }
static ptrdiff_t end(ticket t) { return (ptrdiff_t)(t & 0xffff); }

/* Take parts of job `number` from one end and run them until none is left. */
static void run_parts(ticket number, int from_top) {
    ticket t = atomic_load(&pool.ticket);
    while (job_number(t) == number && lowest(t) < end(t)) {
        if (!atomic_compare_exchange_weak(&pool.ticket, &t, from_top ? t - 1 : t + (1 << 16))) continue;
        fnn_set_mode(pool.mode);
        ptrdiff_t part = from_top ? end(t) - 1 : lowest(t);
        int status = pool.task(pool.context, pool.items * part / pool.parts, pool.items * (part + 1) / pool.parts);
        if (status != FNN_OK) atomic_store(&pool.status, status);
        atomic_fetch_add(&pool.done, 1);
        t = atomic_load(&pool.ticket);
    }
}

/* Wait for a job other than `seen` and return its number. */
static ticket wait_for_job(ticket seen) {
    for (int spin = 0; spin < SPINS; spin++) {
        ticket number = job_number(atomic_load_explicit(&pool.ticket, memory_order_acquire));
        if (number != seen) return number;
        relax();
    }
    pthread_mutex_lock(&pool.mutex);
    atomic_fetch_add(&pool.sleepers, 1);
    while (job_number(atomic_load(&pool.ticket)) == seen) pthread_cond_wait(&pool.wake, &pool.mutex);
    atomic_fetch_sub(&pool.sleepers, 1);
    pthread_mutex_unlock(&pool.mutex);
    return job_number(atomic_load(&pool.ticket));
}

/* Wait until worker `index` is one of the threads.  Without this, a worker of a larger number that was set before would spin
 * after each job for the next one. */
static void park_surplus(int index) {
    if (index + 1 < fnn_get_threads()) return;
    pthread_mutex_lock(&pool.mutex);
    atomic_fetch_add(&pool.parked, 1);
    while (index + 1 >= fnn_get_threads()) pthread_cond_wait(&pool.more, &pool.mutex);
    atomic_fetch_sub(&pool.parked, 1);
    pthread_mutex_unlock(&pool.mutex);
}

struct worker_start {
    int index;
    ticket seen; /* the newest job when it was created */
};

static void *worker(void *argument) {
    struct worker_start start = *(struct worker_start *)argument;
    free(argument);
    ticket number = start.seen;
    for (;;) {
        park_surplus(start.index);
        number = wait_for_job(number);
        if (start.index + 1 < fnn_get_threads()) run_parts(number, 1);
    }
    return NULL;
}

static void forget_workers(void) { /* in the child after a fork */
    pthread_mutex_init(&pool.mutex, NULL);
    pthread_cond_init(&pool.wake, NULL);
    pthread_cond_init(&pool.more, NULL);
    atomic_store(&pool.busy, 0);
    atomic_store(&pool.sleepers, 0);
    atomic_store(&pool.parked, 0);
    pool.workers = 0;
}

/* Start workers until there are `wanted`, or fewer if the system refuses. */
static void start_workers(int wanted) {
    static int registered;
    if (!registered) registered = system_after_fork(forget_workers) == 0;
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) != 0) return;
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    while (pool.workers < wanted) {
        struct worker_start *start = malloc(sizeof *start);
        if (!start) break;
        *start = (struct worker_start){pool.workers, job_number(atomic_load(&pool.ticket))};
        pthread_t thread;
        if (pthread_create(&thread, &attributes, worker, start) != 0) {
            free(start);
            break;
        }
        pool.workers++;
    }
    pthread_attr_destroy(&attributes);
}

/* ---- a job ---- */

static int run_on_pool(int threads, ptrdiff_t items, fnn_task task, void *context, int parts_per_thread) {
    start_workers(threads - 1);
    ptrdiff_t parts = (ptrdiff_t)threads * parts_per_thread;
    pool.parts = parts < items ? parts : items;
    pool.items = items;
    pool.task = task;
    pool.context = context;
    pool.mode = fnn_get_mode();
    atomic_store(&pool.status, FNN_OK);
    atomic_store(&pool.done, 0);
    ticket number = (job_number(atomic_load(&pool.ticket)) + 1) & 0xffffffff;
    atomic_store(&pool.ticket, number << 32 | (ticket)pool.parts);
    if (atomic_load(&pool.sleepers) > 0) {
        pthread_mutex_lock(&pool.mutex);
        pthread_cond_broadcast(&pool.wake);
        pthread_mutex_unlock(&pool.mutex);
    }
    run_parts(number, 0);
    for (int spin = 0; atomic_load_explicit(&pool.done, memory_order_acquire) < pool.parts; spin++) {
        if (spin < SPINS) relax();
        else sched_yield(); /* more threads than free cores: let a worker have this one */
    }
    return atomic_load(&pool.status);
}

int fnn_parallel_parts(ptrdiff_t items, double work, fnn_task task, void *context, int parts_per_thread) {
    if (items <= 0) return FNN_OK;
    int threads = fnn_get_threads(), idle = 0;
    if (threads == 1 || items == 1 || work < 2 * WORK_PER_THREAD ||
        !atomic_compare_exchange_strong(&pool.busy, &idle, 1))
        return task(context, 0, items);
    int status = run_on_pool(threads, items, task, context, parts_per_thread);
    atomic_store(&pool.busy, 0);
    return status;
}

int fnn_parallel(ptrdiff_t items, double work, fnn_task task, void *context) {
    return fnn_parallel_parts(items, work, task, context, PARTS_PER_THREAD);
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
    for (int use = 0; use < FNN_SCRATCH_USES; use++) system_free_aligned(scratch->memory[use]);
    free(scratch);
    own_scratch = NULL;
}

static void make_scratch_key(void) { pthread_key_create(&scratch_key, free_scratch); }

/* In a debug build every request gets new memory of exactly its size, filled with NaN: it exposes code that reads past
 * the end, reads before it writes, or keeps a buffer that another function has requested. */
#ifdef FNN_CHECKED
enum { REUSED = 0, ROUNDED_TO = 1, FILL = 0xff };
#else
enum { REUSED = 1, ROUNDED_TO = 4096, FILL = 0 };
#endif

void *fnn_scratch(enum fnn_scratch_use use, size_t bytes) {
    struct scratch *scratch = own_scratch;
    if (!scratch) {
        pthread_once(&scratch_once, make_scratch_key);
        scratch = own_scratch = calloc(1, sizeof *scratch);
        if (!scratch) return NULL;
        pthread_setspecific(scratch_key, scratch);
    }
    if (!REUSED || scratch->bytes[use] < bytes || !scratch->memory[use]) {
        size_t rounded = (bytes + ROUNDED_TO) / ROUNDED_TO * ROUNDED_TO;
        if (rounded < bytes) return NULL;
        system_free_aligned(scratch->memory[use]);
        scratch->bytes[use] = 0;
        scratch->memory[use] = system_aligned(64, rounded);
        if (!scratch->memory[use]) return NULL;
        scratch->bytes[use] = rounded;
        if (FILL) memset(scratch->memory[use], FILL, rounded);
    }
    return scratch->memory[use];
}

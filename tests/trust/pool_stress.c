/* pool_stress.c — hard days of the thread pool, for the sanitizers: `pool_stress <scene>`.
 *
 * Built together with src_c/pool.c by tests/trust/test_pool.py.  Every scene runs jobs whose items count how often they were
 * run, in plain memory: an item run twice or not at all is a wrong count, and two threads at one item are a race that
 * ThreadSanitizer reports.  Exit status 0: all counts were right.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fnn.h"
#include "pool.h"

enum { MOST_ITEMS = 700, CALLERS = 4 };

static const double MUCH = 1e9; /* operations: far above the cut-off */

static void demand(int truth, const char *what) {
    if (truth) return;
    fprintf(stderr, "pool_stress: %s\n", what);
    _exit(3);
}

struct job {
    ptrdiff_t items, failing; /* the item that runs out of memory, or -1 */
    int nested, *panels;
    int counts[MOST_ITEMS];
};

static int count_inner(void *context, ptrdiff_t first, ptrdiff_t last) {
    atomic_fetch_add((atomic_long *)context, (long)(last - first));
    return FNN_OK;
}

static int count(void *context, ptrdiff_t first, ptrdiff_t last) {
    struct job *job = context;
    size_t bytes = 64 + (size_t)(first * 37 % 5000);
    unsigned char *tile = fnn_scratch(FNN_SCRATCH_TILE, bytes);
    demand(tile && (uintptr_t)tile % 64 == 0, "scratch memory is not aligned");
    memset(tile, (int)(first & 255), bytes);
    for (ptrdiff_t i = first; i < last; i++) {
        job->counts[i] += job->panels ? job->panels[i] : 1;
        if (job->nested) {
            atomic_long inner = 0; /* mostly the pool is busy with this very job, and the caller does everything */
            demand(fnn_parallel(i + 1, MUCH, count_inner, &inner) == FNN_OK && inner == i + 1, "a nested job lost items");
        }
    }
    for (size_t i = 0; i < bytes; i++) demand(tile[i] == (first & 255), "a task lost its scratch memory");
    return job->failing >= first && job->failing < last ? FNN_NO_MEMORY : FNN_OK;
}

static void run(ptrdiff_t items, int nested, ptrdiff_t failing) {
    struct job job = {.items = items, .failing = failing, .nested = nested};
    job.panels = fnn_scratch(FNN_SCRATCH_PANELS, (size_t)(items + 1) * sizeof(int)); /* written here, read by the tasks */
    for (ptrdiff_t i = 0; i < items; i++) job.panels[i] = 1;
    int status = fnn_parallel_parts(items, MUCH, count, &job, 1 + (int)(items % 5));
    demand(status == (failing >= 0 && failing < items ? FNN_NO_MEMORY : FNN_OK), "the status of a job is another's");
    for (ptrdiff_t i = 0; i < items; i++) demand(job.counts[i] == 1, "an item was not run once");
}

static void *call_often(void *argument) {
    unsigned seed = (unsigned)(uintptr_t)argument;
    for (int i = 0; i < 1500; i++) {
        seed = seed * 1664525u + 1013904223u;
        ptrdiff_t items = (seed >> 8) % MOST_ITEMS;
        run(items, seed >> 28 == 0, seed >> 27 == 3 ? items / 2 : -1);
        if (i % 200 == 199) usleep(3000); /* long enough for the workers to fall asleep */
    }
    return NULL;
}

static void several_callers(void) {
    pthread_t callers[CALLERS];
    for (uintptr_t i = 0; i < CALLERS; i++) demand(!pthread_create(&callers[i], NULL, call_often, (void *)(i + 1)), "no thread");
    for (int i = 0; i < CALLERS; i++) pthread_join(callers[i], NULL);
}

static atomic_int over;

static void *change_threads(void *argument) {
    (void)argument;
    static const int counts[] = {1, 2, 7, 3, 16, 5};
    for (int i = 0; !atomic_load(&over); i++) {
        demand(fnn_set_threads(counts[i % 6]) == 0 && fnn_set_threads(0) == -1 && fnn_set_threads(257) == -1, "set_threads");
        demand(fnn_get_threads() >= 1, "get_threads");
        usleep(200);
    }
    return NULL;
}

static void changing_threads(void) {
    pthread_t changer;
    demand(!pthread_create(&changer, NULL, change_threads, NULL), "no thread");
    several_callers();
    atomic_store(&over, 1);
    pthread_join(changer, NULL);
}

static void child_of(int depth, int pause) {
    usleep((useconds_t)pause);
    pid_t child = fork();
    demand(child >= 0, "no fork");
    if (child == 0) {
        for (int i = 0; i < 40; i++) run(MOST_ITEMS - i, i % 9 == 0, -1);
        if (depth) child_of(depth - 1, pause);
        _exit(0);
    }
    int status;
    demand(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0, "a child failed");
}

/* Fork before the first job, and while the workers sleep: long pauses, so that none of them is inside a sanitizer's own
 * allocator, whose locks would stay closed in the child for good. */
static void forks(void) {
    child_of(0, 0);
    for (int i = 0; i < 3; i++) {
        run(MOST_ITEMS, 0, -1);
        child_of(1, 30000);
    }
    run(MOST_ITEMS, 0, -1);
}

/* Fork while the workers spin, and in the middle of another thread's jobs. */
static void forks_amid_jobs(void) {
    pthread_t caller;
    run(MOST_ITEMS, 0, -1);
    child_of(1, 0);
    demand(!pthread_create(&caller, NULL, call_often, (void *)(uintptr_t)9), "no thread");
    for (int i = 0; i < 100; i++) child_of(i % 2, i % 5 * 100);
    pthread_join(caller, NULL);
    run(MOST_ITEMS, 0, -1);
}

static void sleepers(void) {
    for (int i = 0; i < 300; i++) {
        run(1 + i, 0, -1);
        usleep((useconds_t)(i % 7) * 150); /* around the moment of falling asleep */
    }
} /* and the process ends while they sleep */

static double cpu_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* What 200 jobs cost all threads together, when the workers fall asleep after each. */
static double cost_of_jobs(void) {
    double before = cpu_seconds();
    for (int i = 0; i < 200; i++) {
        run(MOST_ITEMS, 0, -1);
        usleep(1000);
    }
    return cpu_seconds() - before;
}

/* Workers of a larger number of threads that was set before cost nothing, and come back. */
static void surplus(void) {
    fnn_set_threads(2);
    run(MOST_ITEMS, 0, -1);
    double alone = cost_of_jobs();
    for (int i = 0; i < 3; i++) {
        fnn_set_threads(40);
        for (int k = 0; k < 20; k++) run(MOST_ITEMS, 0, -1);
        fnn_set_threads(2);
        run(MOST_ITEMS, 0, -1);
        usleep(50000); /* they park */
    }
    demand(cost_of_jobs() < 3 * alone + 0.01, "surplus workers work");
}

static void *short_life(void *argument) {
    run(MOST_ITEMS, 0, (intptr_t)argument);
    return NULL; /* its scratch memory goes with it */
}

static void short_lived_callers(void) {
    for (int i = 0; i < 200; i++) {
        pthread_t caller;
        demand(!pthread_create(&caller, NULL, short_life, (void *)(intptr_t)(i % 2 ? i : -1)), "no thread");
        pthread_join(caller, NULL);
    }
}

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        void (*play)(void);
    } scenes[] = {{"several_callers", several_callers}, {"changing_threads", changing_threads}, {"forks", forks},
                  {"forks_amid_jobs", forks_amid_jobs}, {"sleepers", sleepers}, {"surplus", surplus},
                  {"short_lived_callers", short_lived_callers}};
    fnn_set_threads(3);
    for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++)
        if (argc == 2 && !strcmp(argv[1], scenes[i].name)) {
            scenes[i].play();
            return 0;
        }
    fprintf(stderr, "pool_stress: which scene?\n");
    return 2;
}

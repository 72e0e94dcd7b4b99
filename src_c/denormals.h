/* denormals.h — the floating-point mode of a thread, and the mode in which denormals are zero.
 *
 * Numbers below the smallest normal one (1.2e-38 in float32) cost some processors a hundred cycles per operation.
 * States and gradients that vanish over many steps are full of them, so the recurrent kernels treat them as zero.  The
 * mode belongs to the thread: table.c sets it around a kernel and restores it afterwards; the pool passes it to its
 * workers with each job, so that no result depends on which thread computes it.
 *
 * x86: the control bits of MXCSR (rounding, exception masks; FTZ and DAZ flush), not its exception flags.
 * arm64: FPCR (FZ flushes).  Elsewhere the mode is left unchanged.
 */
#ifndef FNN_DENORMALS_H
#define FNN_DENORMALS_H

typedef unsigned int fnn_mode;

#if defined(__x86_64__)
enum { FNN_FLUSH = 1 << 15 | 1 << 6, FNN_CONTROL = 0xffc0 };
static inline fnn_mode fnn_register(void) { return __builtin_ia32_stmxcsr(); }
static inline void fnn_set_register(fnn_mode mode) { __builtin_ia32_ldmxcsr(mode); }
#elif defined(__aarch64__)
enum { FNN_FLUSH = 1 << 24, FNN_CONTROL = -1 };
static inline fnn_mode fnn_register(void) {
    unsigned long mode;
    __asm__ __volatile__("mrs %0, fpcr" : "=r"(mode));
    return (fnn_mode)mode;
}
static inline void fnn_set_register(fnn_mode mode) {
    __asm__ __volatile__("msr fpcr, %0" ::"r"((unsigned long)mode) : "memory");
}
#else
enum { FNN_FLUSH = 0, FNN_CONTROL = 0 };
static inline fnn_mode fnn_register(void) { return 0; }
static inline void fnn_set_register(fnn_mode mode) { (void)mode; }
#endif

/* The mode of this thread. */
static inline fnn_mode fnn_get_mode(void) { return fnn_register() & (fnn_mode)FNN_CONTROL; }

static inline void fnn_set_mode(fnn_mode mode) {
    fnn_mode now = fnn_register();
    if ((now & (fnn_mode)FNN_CONTROL) != mode) fnn_set_register((now & ~(fnn_mode)FNN_CONTROL) | mode);
}

#endif

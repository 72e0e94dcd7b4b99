/* dispatch.c — the tiers of this build, and which of them the processor can run.
 *
 * The build defines FNN_TIERS as an X-list in order of preference, best last, each with the tier whose float64 kernels it
 * uses, for instance -D'FNN_TIERS=FNN_HAS(baseline, baseline) FNN_HAS(avx2, avx2) FNN_HAS(avx512, avx2)'.
 */
#include "fnn.h"

#define FNN_HAS(tier, doubles) extern const fnn_kernels fnn_kernels_##tier##_f32, fnn_kernels_##doubles##_f64;
FNN_TIERS
#undef FNN_HAS

__attribute__((unused)) static int runs_baseline(void) { return 1; } /* SSE2 or NEON: part of the architecture */

#if defined(__x86_64__)
__attribute__((unused)) static int runs_avx2(void) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}
__attribute__((unused)) static int runs_avx512(void) {
    return runs_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
}
#endif

static const struct {
    const char *name;
    int (*runs)(void);
    const fnn_kernels *kernels[FNN_PRECISIONS];
} tiers[] = {
#define FNN_HAS(tier, doubles) {#tier, runs_##tier, {&fnn_kernels_##tier##_f32, &fnn_kernels_##doubles##_f64}},
    FNN_TIERS
#undef FNN_HAS
};

int fnn_tier_count(void) { return (int)(sizeof tiers / sizeof *tiers); }
const char *fnn_tier_name(int tier) { return tiers[tier].name; }
int fnn_tier_supported(int tier) { return tiers[tier].runs(); }
const fnn_kernels *fnn_tier_kernels(int tier, int precision) { return tiers[tier].kernels[precision]; }

"""Benchmarks of the conv_pool kernels: ``pytest bench/bench_conv_pool.py``."""

from bench import harness


@harness.cases("conv_pool")
def test_conv_pool(benchmark, kernel, label, dtype):
    harness.check_then_time(benchmark, kernel, label, dtype)

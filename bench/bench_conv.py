"""Benchmarks of the conv kernels: ``pytest bench/bench_conv.py``."""

from bench import harness


@harness.cases("conv")
def test_conv(benchmark, kernel, label, dtype):
    harness.check_then_time(benchmark, kernel, label, dtype)

"""Benchmarks of the gather kernels: ``pytest bench/bench_gather.py``."""

from bench import harness


@harness.cases("gather")
def test_gather(benchmark, kernel, label, dtype):
    harness.check_then_time(benchmark, kernel, label, dtype)

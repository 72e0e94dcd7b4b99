"""Benchmarks of the pooling kernels: ``pytest bench/bench_pooling.py``."""

from bench import harness


@harness.cases("pooling")
def test_pooling(benchmark, kernel, label, dtype):
    harness.check_then_time(benchmark, kernel, label, dtype)

"""Benchmarks of the softmax kernels: ``pytest bench/bench_softmax.py``."""

from bench import harness


@harness.cases("softmax")
def test_softmax(benchmark, kernel, label, dtype):
    harness.check_then_time(benchmark, kernel, label, dtype)

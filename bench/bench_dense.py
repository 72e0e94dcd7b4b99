"""Benchmarks of the dense kernels: ``pytest bench/bench_dense.py``."""

from bench import harness


@harness.cases("dense")
def test_dense(benchmark, kernel, label, dtype):
    harness.check_then_time(benchmark, kernel, label, dtype)

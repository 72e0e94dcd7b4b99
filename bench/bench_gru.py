"""Benchmarks of the gru kernels: ``pytest bench/bench_gru.py``."""

from bench import harness


@harness.cases("gru")
def test_gru(benchmark, kernel, label, dtype):
    harness.check_then_time(benchmark, kernel, label, dtype)

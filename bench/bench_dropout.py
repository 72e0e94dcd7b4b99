"""Benchmarks of the dropout kernels: ``pytest bench/bench_dropout.py``."""

from bench import harness


@harness.cases("dropout")
def test_dropout(benchmark, kernel, label, dtype):
    harness.check_then_time(benchmark, kernel, label, dtype)

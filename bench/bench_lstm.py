"""Benchmarks of the lstm kernels: ``pytest bench/bench_lstm.py``."""

from bench import harness


@harness.cases("lstm")
def test_lstm(benchmark, kernel, label, dtype):
    harness.check_then_time(benchmark, kernel, label, dtype)

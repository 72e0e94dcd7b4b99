"""Benchmarks of the resample kernels: ``pytest bench/bench_resample.py``."""

from bench import harness


@harness.cases("resample")
def test_resample(benchmark, kernel, label, dtype):
    harness.check_then_time(benchmark, kernel, label, dtype)

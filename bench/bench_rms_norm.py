"""Benchmarks of the rms_norm kernels: ``pytest bench/bench_rms_norm.py``."""

from bench import harness


@harness.cases("rms_norm")
def test_rms_norm(benchmark, kernel, label, dtype):
    harness.check_then_time(benchmark, kernel, label, dtype)

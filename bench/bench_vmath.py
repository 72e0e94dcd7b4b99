"""Benchmarks of the vmath kernels: ``pytest bench/bench_vmath.py``."""

from bench import harness


@harness.cases("vmath")
def test_vmath(benchmark, kernel, label, dtype):
    harness.check_then_time(benchmark, kernel, label, dtype)

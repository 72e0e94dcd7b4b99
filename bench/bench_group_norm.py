"""Benchmarks of the group_norm kernels: ``pytest bench/bench_group_norm.py``."""

from bench import harness


@harness.cases("group_norm")
def test_group_norm(benchmark, kernel, label, dtype):
    harness.check_then_time(benchmark, kernel, label, dtype)

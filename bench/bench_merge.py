"""Benchmarks of the merge kernels: ``pytest bench/bench_merge.py``."""

from bench import harness


@harness.cases("merge")
def test_merge(benchmark, kernel, label, dtype):
    harness.check_then_time(benchmark, kernel, label, dtype)

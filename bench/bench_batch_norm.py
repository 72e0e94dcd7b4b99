"""Benchmarks of the batch normalization kernels: ``pytest bench/bench_batch_norm.py``."""

from bench import harness


@harness.cases("batch_norm")
def test_batch_norm(benchmark, kernel, label, dtype):
    harness.check_then_time(benchmark, kernel, label, dtype)

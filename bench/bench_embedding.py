"""Benchmarks of the embedding kernels: ``pytest bench/bench_embedding.py``."""

from bench import harness


@harness.cases("embedding")
def test_embedding(benchmark, kernel, label, dtype):
    harness.check_then_time(benchmark, kernel, label, dtype)

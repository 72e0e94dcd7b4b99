"""Benchmarks of the attention kernels: ``pytest bench/bench_attention.py``."""

from bench import harness


@harness.cases("attention")
def test_attention(benchmark, kernel, label, dtype):
    harness.check_then_time(benchmark, kernel, label, dtype)

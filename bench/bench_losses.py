"""Benchmarks of the losses kernels: ``pytest bench/bench_losses.py``."""

from bench import harness


@harness.cases("losses")
def test_losses(benchmark, kernel, label, dtype):
    harness.check_then_time(benchmark, kernel, label, dtype)

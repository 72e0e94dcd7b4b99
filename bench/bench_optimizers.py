"""Benchmarks of the optimizers kernels: ``pytest bench/bench_optimizers.py``."""

from bench import harness


@harness.cases("optimizers")
def test_optimizers(benchmark, kernel, label, dtype):
    harness.check_then_time(benchmark, kernel, label, dtype)

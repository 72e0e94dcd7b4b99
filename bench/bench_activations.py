"""Benchmarks of the activations kernels: ``pytest bench/bench_activations.py``."""

from bench import harness


@harness.cases("activations")
def test_activations(benchmark, kernel, label, dtype):
    harness.check_then_time(benchmark, kernel, label, dtype)

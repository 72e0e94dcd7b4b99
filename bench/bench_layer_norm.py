"""Benchmarks of the layer_norm kernels: ``pytest bench/bench_layer_norm.py``."""

from bench import harness


@harness.cases("layer_norm")
def test_layer_norm(benchmark, kernel, label, dtype):
    harness.check_then_time(benchmark, kernel, label, dtype)

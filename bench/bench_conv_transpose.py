"""Benchmarks of the conv_transpose kernels: ``pytest bench/bench_conv_transpose.py``."""

from bench import harness


@harness.cases("conv_transpose")
def test_conv_transpose(benchmark, kernel, label, dtype):
    harness.check_then_time(benchmark, kernel, label, dtype)

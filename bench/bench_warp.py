"""Benchmarks of the warp kernels: ``pytest bench/bench_warp.py``."""

from bench import harness


@harness.cases("warp")
def test_warp(benchmark, kernel, label, dtype):
    harness.check_then_time(benchmark, kernel, label, dtype)

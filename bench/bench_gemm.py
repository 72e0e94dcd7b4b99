"""Benchmarks of the gemm kernels: ``pytest bench/bench_gemm.py``."""

from bench import harness


@harness.cases("gemm")
def test_gemm(benchmark, kernel, label, dtype):
    harness.check_then_time(benchmark, kernel, label, dtype)

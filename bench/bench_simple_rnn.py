"""Benchmarks of the simple_rnn kernels: ``pytest bench/bench_simple_rnn.py``."""

from bench import harness


@harness.cases("simple_rnn")
def test_simple_rnn(benchmark, kernel, label, dtype):
    harness.check_then_time(benchmark, kernel, label, dtype)

"""Benchmarks: `python -m bench.rivals`, `python -m bench.kernels`, `python -m bench.fit_overhead`; see README.md."""

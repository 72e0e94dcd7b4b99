"""The cores that a benchmark may use, and the settings that tell every library so."""

from __future__ import annotations

import os


def environment(threads: int) -> dict[str, str]:
    """This process's environment, changed so that the libraries take ``threads`` threads and stay quiet."""
    count = str(threads)
    names = ("FASTNN", "OMP", "OPENBLAS", "MKL", "VECLIB_MAXIMUM")
    return os.environ | {
        **{f"{name}_NUM_THREADS": count for name in names},
        "TF_NUM_INTRAOP_THREADS": count,
        "TF_NUM_INTEROP_THREADS": count,
        "XLA_FLAGS": f"--xla_cpu_multi_thread_eigen={'true' if threads > 1 else 'false'}",
        "JAX_PLATFORMS": "cpu",
        "KERAS_BACKEND": "tensorflow",
        "CUDA_VISIBLE_DEVICES": "-1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }


def keep_to(threads: int) -> None:
    """Keep this process to its first ``threads`` cores, where the system can (Linux)."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])

"""The compiled kernels.

Every public name of every family module in this package is re-exported here; ``fastnn.reference`` has the same names.
"""

import importlib
import pkgutil

try:
    from fastnn.kernels._core import (
        Workspace,
        available_isas,
        build_info,
        get_num_threads,
        isa,
        set_num_threads,
    )
except ModuleNotFoundError as error:
    if error.name != "fastnn.kernels._core":
        raise
    raise ImportError(
        "The compiled kernels of fastnn are not built in this folder. In a source tree, run `pip install -e .` "
        "(it needs gcc or clang); to run without them, on the NumPy twins, set FASTNN_BACKEND=reference."
    ) from None

_FAMILIES = sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))

for _name in _FAMILIES:
    _family = importlib.import_module(f"{__name__}.{_name}")
    globals().update({_function: getattr(_family, _function) for _function in _family.__all__})


def peak_gflops(dtype: str = "float32", threads: int | None = None) -> float:
    """Return the peak rate of multiply-adds in registers, in 10⁹ operations per second; measured on each call."""
    from fastnn.kernels import _machine

    return _machine.peak_gflops(dtype, threads)


def stream_bandwidth(threads: int | None = None, count: int = 1 << 23) -> float:
    """Bytes that a large copy reads and writes, in 10⁹ a second; measured at each call."""
    from fastnn.kernels import _machine

    return _machine.stream_bandwidth(threads, count)

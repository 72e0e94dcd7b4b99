"""The compiled kernels.

Every public name of every family module in this package is re-exported here; ``fastnn.reference`` has the same names.
"""

import importlib
import pkgutil

from fastnn.kernels._advice import not_built


def _explained(error: Exception) -> ImportError:
    from pathlib import Path

    from fastnn.kernels._advice import advice

    return ImportError(advice(Path(__path__[0]), error))


try:
    from fastnn.kernels._core import (
        Workspace,
        available_isas,
        build_info,
        get_num_threads,
        isa,
        set_num_threads,
    )
except (ImportError, TypeError, ValueError) as error:  # Cython's messages for mismatched modules vary
    if str(error).startswith("FASTNN_ISA") or "FASTNN_BUILD_TIERS" in str(error):
        raise
    raise _explained(error) from None

_FAMILIES = sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))
if _left := not_built(__path__[0], _FAMILIES):
    raise ImportError(f"Some kernels of fastnn are not built: {', '.join(_left)}. Run `pip install -e .` again.")

for _name in _FAMILIES:
    try:
        _family = importlib.import_module(f"{__name__}.{_name}")
    except (ImportError, TypeError, ValueError) as error:
        raise _explained(error) from error
    globals().update({_function: getattr(_family, _function) for _function in _family.__all__})


def peak_gflops(dtype: str = "float32", threads: int | None = None) -> float:
    """Return the peak rate of multiply-adds in registers, in 10⁹ operations per second; measured on each call."""
    from fastnn.kernels import _machine

    return _machine.peak_gflops(dtype, threads)


def stream_bandwidth(threads: int | None = None, count: int = 1 << 23) -> float:
    """Bytes that a large copy reads and writes, in 10⁹ a second; measured at each call."""
    from fastnn.kernels import _machine

    return _machine.stream_bandwidth(threads, count)

"""``tf.debugging`` and ``tf.test``: assertions on arrays, and questions about the build."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import absent
from .tensors import tensor

__all__ = [
    "Assert", "assert_all_finite", "assert_equal", "assert_greater", "assert_less", "assert_near",
    "assert_non_negative", "assert_positive", "assert_rank", "assert_shapes", "check_numerics",
    "gpu_device_name", "is_built_with_cuda", "is_built_with_gpu_support", "is_gpu_available",
]  # fmt: skip


class InvalidArgumentError(ValueError):
    """What assertions raise."""


def Assert(condition: Any, data: Any = (), summarize: Any = None, name: str | None = None) -> None:
    """Raise unless the condition holds everywhere."""
    _check(np.all(np.asarray(condition)), "The condition does not hold", *(data or ()))


def _check(holds: Any, what: str, *values: Any) -> None:
    if not holds:
        shown = " and ".join(f"{value!s:.80}" for value in values)
        raise InvalidArgumentError(f"{what}. Received: {shown}.")


def _numbers(x: Any) -> np.ndarray:
    return np.asarray(tensor(x))


def assert_equal(x: Any, y: Any, message: str | None = None, summarize: Any = None, name: str | None = None) -> None:
    """Raise unless all elements are the same."""
    _check(np.all(_numbers(x) == _numbers(y)), message or "The arrays are not equal", x, y)


def assert_near(
    x: Any, y: Any, rtol: Any = None, atol: Any = None, message: str | None = None, summarize: Any = None,
    name: str | None = None,
) -> None:  # fmt: skip
    """Raise unless the elements are close: by default within ten roundings of float32."""
    close = np.abs(_numbers(x) - _numbers(y)) <= (atol or 1.2e-6) + (rtol or 1.2e-6) * np.abs(_numbers(y))
    _check(np.all(close), message or "The arrays are not near each other", x, y)


def assert_greater(x: Any, y: Any, message: str | None = None, summarize: Any = None, name: str | None = None) -> None:
    """Raise unless x is above y everywhere."""
    _check(np.all(_numbers(x) > _numbers(y)), message or "x is not greater than y", x, y)


def assert_less(x: Any, y: Any, message: str | None = None, summarize: Any = None, name: str | None = None) -> None:
    """Raise unless x is below y everywhere."""
    _check(np.all(_numbers(x) < _numbers(y)), message or "x is not less than y", x, y)


def assert_positive(x: Any, message: str | None = None, summarize: Any = None, name: str | None = None) -> None:
    """Raise unless all numbers are above 0."""
    _check(np.all(_numbers(x) > 0), message or "Not all numbers are positive", x)


def assert_non_negative(x: Any, message: str | None = None, summarize: Any = None, name: str | None = None) -> None:
    """Raise unless all numbers are 0 or above."""
    _check(np.all(_numbers(x) >= 0), message or "There are negative numbers", x)


def assert_rank(x: Any, rank: int, message: str | None = None, name: str | None = None) -> None:
    """Raise unless there are this many axes."""
    _check(len(tensor(x).shape) == rank, message or f"The array has not {rank} axes", x)


def assert_shapes(shapes: Any, data: Any = None, summarize: Any = None, message: str | None = None) -> None:
    """Raise unless the arrays have these shapes; a letter means any size, the same in all."""
    sizes: dict[Any, int] = {}
    for x, shape in shapes.items() if isinstance(shapes, dict) else shapes:
        found = tuple(tensor(x).shape)
        fits = len(found) == len(shape) and all(
            n is None or (sizes.setdefault(n, m) if isinstance(n, str) else n) == m
            for n, m in zip(shape, found, strict=True)
        )
        _check(fits, message or f"The array must have shape {tuple(shape)}", found)


def check_numerics(tensor: Any, message: str, name: str | None = None) -> Any:
    """The array itself; an error if a number is NaN or infinite."""
    _check(np.isfinite(_numbers(tensor)).all(), message, tensor)
    return tensor


def assert_all_finite(x: Any, message: str, name: str | None = None) -> Any:
    """As ``check_numerics``."""
    return check_numerics(x, message)


def is_gpu_available(cuda_only: bool = False, min_cuda_compute_capability: Any = None) -> bool:
    """False: kernels run on the CPU."""
    return False


def is_built_with_cuda() -> bool:
    """False: kernels run on the CPU."""
    return False


is_built_with_gpu_support = is_built_with_cuda


def gpu_device_name() -> str:
    """The name of the GPU: none."""
    return ""


__getattr__ = absent.answer(__name__)

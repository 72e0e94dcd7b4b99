"""Makes functions with TensorFlow's argument names of those of ``fastnn.ops``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...graph import as_tensor
from .tensors import integers_kept, numbers_of, tensor

__all__ = ["binary", "reduction", "unary", "with_numpy"]


def unary(function: Callable[..., Any], name: str | None = None) -> Callable[..., Any]:
    """``f(x, name=None)``."""

    def run(x: Any, name: str | None = None) -> Any:
        x = tensor(x)
        return integers_kept(function(x), x)

    return _called(run, function, name)


def binary(function: Callable[..., Any], name: str | None = None) -> Callable[..., Any]:
    """``f(x, y, name=None)``; a number takes the dtype of the other."""

    def run(x: Any, y: Any, name: str | None = None) -> Any:
        both = [value if isinstance(value, (int, float)) else tensor(value) for value in (x, y)]
        if all(isinstance(value, (int, float)) for value in both):
            both[0] = tensor(x if isinstance(x, float) else type(y)(x))
        return integers_kept(function(*both), *both)

    return _called(run, function, name)


def reduction(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    """``f(input_tensor, axis=None, keepdims=False, name=None)``; means of integers are integers, as in TensorFlow."""

    def run(input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Any:
        x = tensor(input_tensor)
        if axis is not None:
            axis = tuple(int(one) for one in axis) if np.ndim(axis) else int(axis)
        found = function(x, axis=axis, keepdims=keepdims)
        return integers_kept(found, x)

    return _called(run, function, name)


def with_numpy(function: Callable[..., Any], name: str | None = None) -> Callable[..., Any]:
    """``f(x, name=None)`` of a function of NumPy that has no gradient here."""
    word = name

    def run(x: Any, name: str | None = None) -> Any:
        with np.errstate(all="ignore"):
            return as_tensor(function(*numbers_of(word or function.__name__, x)))

    return _called(run, function, name)


def _called(run: Callable[..., Any], function: Callable[..., Any], name: str | None) -> Callable[..., Any]:
    run.__name__ = run.__qualname__ = name or function.__name__
    lines = (function.__doc__ or "").strip().splitlines()
    run.__doc__ = lines[0] if lines else None
    return run

"""Gradients that are computed when somebody looks at them.

The books' protocol asks every layer for the gradient of its input, the first layer too, where nobody reads it: a third
of the work of a small network. So a layer of whose gradients none was looked at returns the next one as a promise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

__all__ = ["Deferred", "Deferring"]


class Deferred(np.lib.mixins.NDArrayOperatorsMixin):
    """An array that is computed at its first use: by an operator, a function of NumPy, an index, or any attribute.

    Its shape and dtype are known before.

    Examples
    --------
    >>> a = Deferred((2,), np.dtype(float), lambda: np.array([1.0, 2.0]))
    >>> a.shape, a + 1, np.sum(a), a[0]
    ((2,), array([2., 3.]), np.float64(3.0), np.float64(1.0))
    """

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype, compute: Callable[[], np.ndarray]):
        self.shape, self.dtype = shape, dtype
        self._compute: Callable[[], np.ndarray] | None = compute
        self._value: Any = None

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if self._compute is not None:
            self._value, self._compute = self._compute(), None
        value = self._value if dtype is None else self._value.astype(dtype, copy=False)
        return value.copy() if copy else value

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        if "out" in options:
            options["out"] = tuple(_looked_at(a) for a in options["out"])
        return getattr(ufunc, method)(*(_looked_at(a) for a in inputs), **options)

    def __array_function__(self, function: Any, types: Any, inputs: Any, options: Any) -> Any:
        return function(*_looked_at(inputs), **_looked_at(options))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # what copies and pickles ask an object that is not made yet
            raise AttributeError(name)
        return getattr(self.__array__(), name)

    def __getitem__(self, index: Any) -> Any:
        return self.__array__()[index]

    def __setitem__(self, index: Any, value: Any) -> None:
        self.__array__()[index] = value

    def __len__(self) -> int:
        return len(self.__array__())

    def __iter__(self) -> Iterator[Any]:
        return iter(self.__array__())

    def __bool__(self) -> bool:
        return bool(self.__array__())

    def __float__(self) -> float:
        return float(self.__array__())

    def __repr__(self) -> str:
        return repr(self.__array__())

    def __reduce__(self) -> Any:
        return np.array, (self.__array__(),)


def _looked_at(value: Any) -> Any:
    """The value with every promise in it kept, in lists, tuples and dictionaries too."""
    if isinstance(value, Deferred):
        return value.__array__()
    if isinstance(value, list | tuple):
        return type(value)([_looked_at(a) for a in value])
    if isinstance(value, dict):
        return {key: _looked_at(a) for key, a in value.items()}
    return value


class Deferring:
    """A layer that finds out whether anybody looks at the gradients of its input."""

    _looked = False

    def _promise(self, shape: tuple[int, ...], dtype: np.dtype, compute: Callable[[], np.ndarray]) -> Any:
        """A gradient for later. What it is computed from must not change until then: `compute` has copies.

        Once one was looked at, the layer computes all that follow at once.
        """

        def kept() -> np.ndarray:
            self._looked = True
            return compute()

        return Deferred(shape, dtype, kept)

"""Single numbers and strings that users get: those of Python, which answer ``.numpy()`` as a tensor does."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["Count", "Number", "Text"]


class Number(float):
    """A float with ``numpy()``.

    Examples
    --------
    >>> Number(0.5), Number(0.5).numpy()
    (0.5, np.float32(0.5))
    """

    __slots__ = ()
    shape = ()
    dtype = "float32"

    def numpy(self) -> np.float32:
        """The number as NumPy has it."""
        return np.float32(self)

    def __reduce__(self) -> Any:
        return float, (float(self),)


class Count(int):
    """An int with ``numpy()``."""

    shape = ()
    dtype = "int64"

    def numpy(self) -> np.int64:
        """The number as NumPy has it."""
        return np.int64(self)

    @property
    def value(self) -> Count:
        """The number itself, as Keras' variables have it."""
        return self

    def __reduce__(self) -> Any:
        return int, (int(self),)


class Text(str):
    """A string with ``numpy()``, which gives bytes of UTF-8, as TensorFlow's strings are."""

    shape = ()

    def numpy(self) -> bytes:
        """The bytes."""
        return self.encode()

    def __reduce__(self) -> Any:
        return str, (str(self),)

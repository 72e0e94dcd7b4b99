"""The arena: all values of a model in one buffer, all gradients in another, and every weight a view into them.

One optimizer call then updates the whole model, and one write saves it.  What training changes comes first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = ["Arena", "aligned_zeros"]

_ALIGNMENT = 64


def aligned_zeros(size: int, dtype: str) -> np.ndarray:
    """A flat array of zeros that starts at a multiple of 64 bytes.

    Examples
    --------
    >>> aligned_zeros(5, "float32").ctypes.data % 64
    0
    """
    itemsize = np.dtype(dtype).itemsize
    raw = np.zeros(size * itemsize + _ALIGNMENT, np.uint8)
    start = -raw.ctypes.data % _ALIGNMENT
    return raw[start : start + size * itemsize].view(dtype)


class Arena:
    """Two flat buffers, and the parameters that live in them.

    Parameters
    ----------
    trainable, frozen : list of Parameter
        Those that training changes, and the others; each list in the order of the model.
    dtype : {"float32", "float64"}

    Attributes
    ----------
    value, grad : array (size,)
    trainable_value, trainable_grad : array (trainable size,)
        Views of the head of the two, for the optimizer.
    whole : bool
        False once another model has taken a parameter away; ``claim`` brings it back.
    """

    def __init__(self, trainable: Sequence[Any], frozen: Sequence[Any], dtype: str):
        self.trainable, self.parameters = list(trainable), [*trainable, *frozen]
        size = sum(p.value.size for p in self.parameters)
        n = sum(p.value.size for p in self.trainable)
        self.value, self.grad = aligned_zeros(size, dtype), aligned_zeros(size, dtype)
        self.trainable_value, self.trainable_grad = self.value[:n], self.grad[:n]
        self.whole = False
        self.claim()

    def claim(self) -> None:
        """Copy the values of all parameters in and make the parameters views of the buffers."""
        start = 0
        for p in self.parameters:
            stop = start + p.value.size
            value = self.value[start:stop].reshape(p.shape)
            if p.arena is not self:
                value[...] = p.value
                if p.arena is not None:
                    p.arena.whole = False
                p.value, p.grad, p.arena = value, self.grad[start:stop].reshape(p.shape), self
                p.rows = None
            start = stop
        self.whole = True

"""``layer.losses``: the penalties of weights, as tensors that a ``GradientTape`` can follow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...graph import Operation, given_out

__all__ = ["penalties_of"]


class _Penalty(Operation):
    """The regularizer of a weight, of its value as it was."""

    name = "penalty"

    def __init__(self, regularizer: Any):
        self.regularizer = regularizer

    def backward(self, dy: Any, ctx: np.ndarray, need_dx: Any = True) -> np.ndarray:
        return self.regularizer.gradient(ctx) * ctx.dtype.type(dy)


def penalties_of(weights: Sequence[Any]) -> list[Any]:
    """One number for each weight that has a regularizer."""
    found = []
    for weight in weights:
        if weight.regularizer is not None:
            value = weight.value.copy()
            y = np.asarray(weight.regularizer(value), value.dtype)
            found.append(given_out(_Penalty(weight.regularizer), [weight], y, value, False))
    return found

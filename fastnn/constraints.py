"""Constraints that weights meet after every step: ``constraint(w)`` returns the nearest allowed weights.

>>> NonNeg()(np.array([-1.0, 2.0]))
array([0., 2.])
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fastnn import absent
from fastnn.lookup import lookup, names_of
from fastnn.lookup import serialize as serialize

__all__ = [
    "Constraint",
    "MaxNorm",
    "MinMaxNorm",
    "NonNeg",
    "UnitNorm",
    "deserialize",
    "get",
    "max_norm",
    "min_max_norm",
    "non_neg",
    "serialize",
    "unit_norm",
]

_EPSILON = 1e-7


class Constraint:
    """Base of all constraints; a subclass implements ``__call__(w)``, which returns an array shaped like ``w``."""

    def __call__(self, w: np.ndarray) -> np.ndarray:
        """Return the constrained weights, here all as they are; ``w`` itself is left unchanged."""
        return w

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that create an equal constraint."""
        return dict(vars(self))

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Constraint:
        """Create the constraint that ``get_config`` described."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self.get_config().items())})"


def _norm(w: np.ndarray, axis: int | Sequence[int] | None) -> np.ndarray:
    return np.sqrt(np.sum(np.square(w), axis=tuple(axis) if isinstance(axis, list) else axis, keepdims=True))


class MaxNorm(Constraint):
    """Limit every norm along ``axis`` to ``max_value``: ``w · min(‖w‖, max) / ‖w‖``.

    Parameters
    ----------
    max_value : float
    axis : int or sequence of int
        The axes to sum over: 0 for a Dense kernel (the weights into one unit), [0, 1, 2] for a Conv2D kernel.
    """

    def __init__(self, max_value: float = 2, axis: int | Sequence[int] = 0):
        self.max_value, self.axis = max_value, axis

    def __call__(self, w):
        norm = _norm(w, self.axis)
        return w * (np.clip(norm, 0, self.max_value) / (_EPSILON + norm))


class NonNeg(Constraint):
    """Set negative weights to 0."""

    def __call__(self, w):
        return np.maximum(w, 0)


class UnitNorm(Constraint):
    """Scale every norm along ``axis`` to 1."""

    def __init__(self, axis: int | Sequence[int] = 0):
        self.axis = axis

    def __call__(self, w):
        return w / (_EPSILON + _norm(w, self.axis))


class MinMaxNorm(Constraint):
    """Move every norm along ``axis`` towards [min_value, max_value], by the fraction ``rate`` of the way per step."""

    def __init__(
        self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: int | Sequence[int] = 0
    ):
        self.min_value, self.max_value, self.rate, self.axis = min_value, max_value, rate, axis

    def __call__(self, w):
        norm = _norm(w, self.axis)
        desired = self.rate * np.clip(norm, self.min_value, self.max_value) + (1 - self.rate) * norm
        return w * (desired / (_EPSILON + norm))


max_norm, min_max_norm, non_neg, unit_norm = MaxNorm, MinMaxNorm, NonNeg, UnitNorm  # Keras' older names

_TABLE = names_of([MaxNorm, MinMaxNorm, NonNeg, UnitNorm])


def get(identifier: Any) -> Constraint | None:
    """Return the constraint for a name, config, class or object; None stays None.

    Examples
    --------
    >>> get("max_norm")
    MaxNorm(max_value=2, axis=0)
    """
    return None if identifier is None else lookup("constraint", identifier, _TABLE)


deserialize = get

if not TYPE_CHECKING:
    __getattr__ = absent.answer(__name__)

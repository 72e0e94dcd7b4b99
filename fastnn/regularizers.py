"""Penalties on weights, added to the loss: ``regularizer(w)`` is the penalty, ``gradient(w)`` its gradient.

>>> L2(0.1)(np.array([1.0, 2.0]))
0.5
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fastnn import absent, backend
from fastnn.lookup import is_number, lookup, names_of
from fastnn.lookup import serialize as serialize

__all__ = [
    "L1",
    "L1L2",
    "L2",
    "OrthogonalRegularizer",
    "Regularizer",
    "deserialize",
    "get",
    "l1",
    "l1_l2",
    "l2",
    "orthogonal_regularizer",
    "serialize",
]


class Regularizer:
    """Base of all regularizers; a subclass implements ``__call__(w)`` and ``gradient(w)``."""

    def __call__(self, w: np.ndarray) -> float:
        """Return the penalty of ``w``, a number."""
        raise NotImplementedError(f"{type(self).__name__} has no __call__(w). Define one that returns the penalty.")

    def gradient(self, w: np.ndarray) -> np.ndarray:
        """Return the gradient of the penalty, an array shaped like ``w``."""
        raise NotImplementedError(f"{type(self).__name__} has no gradient(w). Define one that returns d penalty / d w.")

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that create an equal regularizer."""
        return dict(vars(self))

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Regularizer:
        """Create the regularizer that ``get_config`` described."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self.get_config().items())})"


def _factor(name: str, value: float) -> float:
    if not is_number(value) or value < 0:
        raise ValueError(f"{name} must be a number ≥ 0. Received: {name}={value!r}.")
    return float(value)


class L1L2(Regularizer):
    """``l1·Σ|w| + l2·Σw²``, gradient ``l1·sign(w) + 2·l2·w``.

    Parameters
    ----------
    l1, l2 : float
        Not negative.
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0):
        self.l1, self.l2 = _factor("l1", l1), _factor("l2", l2)

    def __call__(self, w):
        penalty = 0.0
        if self.l1:
            penalty += self.l1 * float(np.sum(np.abs(w), dtype=np.float64))
        if self.l2:
            penalty += self.l2 * backend.active().sum_of_squares(np.ravel(w))
        return penalty

    def gradient(self, w):
        slope = (2.0 * self.l2) * w
        if self.l1:
            slope += self.l1 * np.sign(w)
        return slope


class L1(L1L2):
    """``l1·Σ|w|``: pushes weights to exactly 0."""

    def __init__(self, l1: float = 0.01):
        super().__init__(l1=l1)

    def get_config(self):
        return {"l1": self.l1}


class L2(L1L2):
    """``l2·Σw²``: keeps weights small."""

    def __init__(self, l2: float = 0.01):
        super().__init__(l2=l2)

    def get_config(self):
        return {"l2": self.l2}


class OrthogonalRegularizer(Regularizer):
    """``factor · mean |uᵢ·uⱼ|`` over all pairs of different rows (or columns) of a matrix, each scaled to length 1.

    Parameters
    ----------
    factor : float
        Not negative.
    mode : {"rows", "columns"}
    """

    def __init__(self, factor: float = 0.01, mode: str = "rows"):
        if mode not in ("rows", "columns"):
            raise ValueError(f'mode must be "rows" or "columns". Received: mode={mode!r}.')
        self.factor, self.mode = _factor("factor", factor), mode

    def _rows(self, w: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
        if np.ndim(w) != 2:
            raise ValueError(f"OrthogonalRegularizer needs a matrix. Received: w.shape={np.shape(w)}.")
        a = w if self.mode == "rows" else w.T
        length = np.maximum(np.sqrt(np.sum(a * a, axis=1, keepdims=True)), 1e-7)
        u = a / length
        products = u @ u.T
        np.fill_diagonal(products, 0.0)
        return u, length, products, max(1, len(a) * (len(a) - 1) // 2)

    def __call__(self, w):
        _, _, products, pairs = self._rows(w)
        return self.factor * 0.5 * float(np.abs(products).sum()) / pairs

    def gradient(self, w):
        u, length, products, pairs = self._rows(w)
        du = (self.factor / pairs) * (np.sign(products) @ u)
        slope = (du - u * np.sum(du * u, axis=1, keepdims=True)) / length
        return slope if self.mode == "rows" else np.ascontiguousarray(slope.T)


l1, l2, l1_l2, orthogonal_regularizer = L1, L2, L1L2, OrthogonalRegularizer  # Keras' older names

_TABLE = names_of([L1, L2, L1L2, OrthogonalRegularizer], l1_l2=L1L2, l1l2=L1L2)


def get(identifier: Any) -> Regularizer | None:
    """Return the regularizer for a name, config, class or object; None stays None.

    Examples
    --------
    >>> get("l2")
    L2(l2=0.01)
    """
    found = None if identifier is None else lookup("regularizer", identifier, _TABLE)
    if found is not None and not hasattr(found, "gradient"):
        raise TypeError(
            f"The regularizer must have a gradient(w) beside its value. Received: {found!r}. Use a subclass of "
            "fastnn.regularizers.Regularizer that writes __call__(w) and gradient(w)."
        )
    return found


deserialize = get

if not TYPE_CHECKING:
    __getattr__ = absent.answer(__name__)

"""What layers with parameters share: ``params`` and ``grads`` of the second book, ``W`` and ``dW`` of the first."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["Layer", "gradient", "parameter"]


class Layer:
    """A layer with parameters.

    The first book reads ``layer.dW`` after each backward, a new array each time; the second collects ``layer.grads``
    once, arrays that every backward assigns to. So ``grads`` are made when they are first asked for, and until then
    each backward keeps the arrays that it has computed.
    """

    def __init__(self, *params: Any):
        self.params: list[Any] = list(params)
        self._grads: list[Any] | None = None
        self._computed: list[Any] = [None] * len(params)

    @property
    def grads(self) -> list[Any]:
        """The gradients of ``params``, assigned by every backward."""
        if self._grads is None:
            self._grads = [
                np.zeros_like(p) if computed is None else computed
                for p, computed in zip(self.params, self._computed, strict=True)
            ]
        return self._grads

    def _place(self, i: int, dtype: np.dtype) -> np.ndarray | None:
        """Where a kernel may write gradient i: into ``grads``, if these are in use and fit."""
        if self._grads is None:
            return None
        place = self._grads[i]
        return place if place.dtype is dtype and place.flags.c_contiguous else None

    def _keep(self, *computed: Any) -> None:
        """Take the gradients of a backward."""
        if self._grads is None:
            self._computed[:] = computed
            return
        for place, value in zip(self._grads, computed, strict=True):
            if place is not value:
                place[...] = value


def parameter(i: int, name: str) -> property:
    """Parameter i by its name; assigning gives the layer another array."""

    def get(layer: Layer) -> Any:
        return layer.params[i]

    def put(layer: Layer, value: Any) -> None:
        layer.params[i] = value

    return property(get, put, doc=f"The parameter {name}, which optimizers change in place.")


def gradient(i: int, name: str) -> property:
    """Gradient i by its name: None before the first backward."""

    def get(layer: Layer) -> Any:
        return layer._computed[i] if layer._grads is None else layer._grads[i]

    return property(get, doc=f"The gradient of {name}.")

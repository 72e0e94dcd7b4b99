"""Activations made of the user's functions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fastnn.activations.activation import Activation, into
from fastnn.graph import SymbolError, TracedFunction

__all__ = ["Custom"]


class Custom(Activation):
    """An activation made of a function ``f(x)``: traced, or with its slope as ``f.gradient(dy, x, y) -> dx``."""

    def __init__(self, function: Callable[..., np.ndarray]):
        self.name = getattr(function, "__name__", type(function).__name__)
        self.alpha, self.fusible, self.function = None, False, function
        self._traced = TracedFunction(function)

    def forward(self, x, *, y=None):
        if not hasattr(self.function, "gradient"):
            try:
                value, ctx = self._traced.forward(x)
                return into(y, np.asarray(value, dtype=x.dtype)), ctx
            except SymbolError as error:  # written in NumPy: it has values, but no gradient
                value = np.asarray(self.function(x), dtype=x.dtype)
                return into(y, value), error
        value = np.asarray(self.function(x), dtype=x.dtype)
        return into(y, value), (x, value)

    def backward(self, dy, ctx, *, dx=None):
        if isinstance(ctx, SymbolError):
            raise TypeError(
                f"The activation {self.name} has no gradient, because it cannot be traced. {ctx} Or write "
                f"{self.name}.gradient = lambda dy, x, y: ..., returning dy times the slope."
            )
        if not hasattr(self.function, "gradient"):
            slope = self._traced.backward(dy, ctx)
            return into(dx, np.zeros_like(dy) if slope is None else slope)
        return into(dx, np.asarray(self.function.gradient(dy, *ctx), dtype=dy.dtype))

    def get_config(self):
        return {"function": self.function}

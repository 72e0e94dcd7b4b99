"""Lambda: a function as a layer."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from ..base import Layer, as_shape

__all__ = ["Lambda"]


class Lambda(Layer):
    """y = function(x), for a function written in layers, operators and ``fastnn.ops``.

    Parameters
    ----------
    function : callable
        Of a symbol, or a list of symbols where the layer is called on a list.  Its arguments ``mask`` and ``training``,
        if it has them, are given to it.
    output_shape : tuple of int or callable, optional
        Accepted as Keras does; the shape is found by tracing.
    mask : callable or array, optional
        The mask of the output: ``mask(inputs, mask)``, or the mask itself.
    arguments : dict, optional
        Further arguments of the function.

    Raises
    ------
    TypeError
        If function cannot be called.
    SymbolError
        At the first call, if the function needs the numbers of its input, as NumPy functions do.

    Examples
    --------
    >>> import numpy as np
    >>> Lambda(lambda x: x**2)(np.array([[1.0, -3.0]])).tolist()
    [[1.0, 9.0]]
    """

    def __init__(
        self,
        function: Callable[..., Any],
        output_shape: Any = None,
        mask: Any = None,
        arguments: dict[str, Any] | None = None,
        **settings: Any,
    ):
        if not callable(function):
            raise TypeError(f"Lambda takes a function. Received: {function!r}. Use Lambda(lambda x: x / 255).")
        if arguments is not None and not isinstance(arguments, Mapping):
            raise TypeError(
                f"arguments of Lambda must be a dict. Received: arguments={arguments!r}. "
                'Use arguments={"name": value}.'
            )
        super().__init__(**settings)
        self.function, self.mask, self.arguments = function, mask, dict(arguments or {})
        self.declared_shape = output_shape if output_shape is None or callable(output_shape) else as_shape(output_shape)
        try:
            self._accepts = set(inspect.signature(function).parameters)
        except (TypeError, ValueError):
            self._accepts = set()
        self.supports_masking = mask is not None

    def call(self, inputs: Any, mask: Any = None, training: bool | None = None) -> Any:
        """What the function gives."""
        named = dict(self.arguments)
        if "mask" in self._accepts:
            named["mask"] = mask
        if "training" in self._accepts:
            named["training"] = training
        return self.function(inputs, **named)

    def compute_mask(self, x: Any, mask: Any = None) -> Any:
        return self.mask(x, mask) if callable(self.mask) else self.mask

    def get_config(self) -> dict[str, Any]:
        """The settings contain the function itself, because only its code defines it."""
        return super().get_config() | {
            "function": self.function,
            "output_shape": self.declared_shape,
            "mask": self.mask,
            "arguments": dict(self.arguments),
        }

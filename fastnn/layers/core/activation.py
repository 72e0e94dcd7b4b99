"""Activations as layers of their own: y = act(x), cell by cell (Softmax: over an axis)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ... import activations
from ..base import Layer, Shape
from ..support.fused_activation import FusedActivation, fused_activation

__all__ = ["ELU", "Activation", "LeakyReLU", "ReLU", "Softmax"]

_NEVER = -1e9
"""Stands before a softmax for a value that a mask leaves out, as in Keras; its exponential is 0."""


class ActivationLayer(Layer):
    """Base: subclasses set ``rule``."""

    supports_masking = True
    rule: Any

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, Any]:
        return self.rule.forward(x)

    def backward(self, dy: np.ndarray, ctx: Any) -> np.ndarray:
        return self.rule.backward(dy, ctx)


class Activation(ActivationLayer):
    """An activation by name, by function, or an object with ``forward`` and ``backward``.

    Parameters
    ----------
    activation : str, function or object

    Examples
    --------
    >>> Activation("relu")(np.array([-1.0, 2.0], "float32")).tolist()
    [0.0, 2.0]
    """

    fields = ("activation",)

    def __init__(self, activation: Any, **settings: Any):
        super().__init__(**settings)
        self.rule = fused_activation(activation)
        self.activation = self.rule.activation


class ReLU(ActivationLayer):
    """max(x, 0); with options: cut at ``max_value``, s·(x − threshold) up to ``threshold``, s = ``negative_slope``.

    Parameters
    ----------
    max_value : float, optional
    negative_slope, threshold : float
    """

    fields = ("max_value", "negative_slope", "threshold")

    def __init__(
        self, max_value: float | None = None, negative_slope: float = 0.0, threshold: float = 0.0, **settings: Any
    ):
        super().__init__(**settings)
        self.max_value = None if max_value is None else _slope("max_value", max_value, self)
        self.negative_slope = _slope("negative_slope", negative_slope, self)
        self.threshold = _slope("threshold", threshold, self)
        if max_value is not None or self.threshold:
            activation = activations.ClippedRelu(self.negative_slope, self.max_value, self.threshold)
        elif self.negative_slope:
            activation = activations.Activation("leaky_relu", self.negative_slope)
        else:
            activation = activations.Activation("relu")
        self.rule = FusedActivation(activation)


class LeakyReLU(ActivationLayer):
    """x above zero, negative_slope·x below.

    Parameters
    ----------
    negative_slope : float
        Keras' default, 0.3; the function ``leaky_relu`` has 0.2.

    References
    ----------
    Maas, Hannun, Ng: Rectifier Nonlinearities Improve Neural Network Acoustic Models, 2013.
    """

    fields = ("negative_slope",)

    def __init__(self, negative_slope: float = 0.3, **settings: Any):
        if "alpha" in settings:
            negative_slope = settings.pop("alpha")
        super().__init__(**settings)
        self.negative_slope = _slope("negative_slope", negative_slope, self)
        self.rule = FusedActivation(activations.Activation("leaky_relu", self.negative_slope))


class ELU(ActivationLayer):
    """x above zero, alpha·(eˣ − 1) below.

    Parameters
    ----------
    alpha : float

    References
    ----------
    Clevert, Unterthiner, Hochreiter: Fast and Accurate Deep Network Learning by Exponential Linear Units, 2015.
    """

    fields = ("alpha",)

    def __init__(self, alpha: float = 1.0, **settings: Any):
        super().__init__(**settings)
        self.alpha = _slope("alpha", alpha, self)
        self.rule = FusedActivation(activations.Activation("elu", self.alpha))


class Softmax(ActivationLayer):
    """eˣ / Σ eˣ over an axis, or over several together.

    Values that a mask leaves out get probability 0; where it leaves out all values of a row, the whole row is 0.  A
    mask has the rank of the input, each axis as long as the input's or 1; or it is one of time steps, (B, T), which
    counts where the sum runs over time.  A mask of time steps travels on, but from scores (B, T) no step is left.

    Parameters
    ----------
    axis : int or list of int
        Default: the last.

    Raises
    ------
    ValueError
        If the input has no such axis, or it is that of the batch.

    Examples
    --------
    >>> Softmax()(np.zeros((1, 3)), [[True, True, False]]).tolist()
    [[0.5, 0.5, 0.0]]
    """

    uses_mask = True
    masks_cells = True
    fields = ("axis",)

    def __init__(self, axis: int | Sequence[int] = -1, **settings: Any):
        super().__init__(**settings)
        self.axis = [int(a) for a in axis] if isinstance(axis, Sequence) else int(axis)
        self.rule = FusedActivation(activations.Softmax(self.axis))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        n = len(input_shape)
        for axis in self._axes():
            if not -n < axis < n or axis == 0:
                self.refuse_shape(f"an input with axis {axis}, other than the batch", input_shape)
        return input_shape

    def compute_mask(self, x: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray | None:
        return mask if mask is not None and x.ndim > 2 and mask.shape == x.shape[:2] else None

    def __call__(self, x: Any, mask: Any = None, training: bool | None = None) -> Any:
        """The output for an array.

        Parameters
        ----------
        x : array
        mask : array, optional
            Which values count: see the class.
        training : bool, optional
            Makes no difference.
        """
        return super().__call__(x, training, mask)

    def forward(self, x: np.ndarray, training: bool = False, mask: np.ndarray | None = None) -> tuple[np.ndarray, Any]:
        if mask is not None and mask.ndim < x.ndim:
            over_time = any(axis in (1, 1 - x.ndim) for axis in self._axes())
            mask = mask.reshape(*mask.shape, *[1] * (x.ndim - 2)) if over_time else None
        if mask is None:
            return self.rule.forward(x)
        y, _ = self.rule.forward(np.where(mask, x, x.dtype.type(_NEVER)))
        np.copyto(y, 0, where=~mask)
        return y, (y, mask)

    def backward(self, dy: np.ndarray, ctx: Any) -> np.ndarray:
        if not isinstance(ctx, tuple):
            return self.rule.backward(dy, ctx)
        y, mask = ctx
        return self.rule.backward(np.where(mask, dy, dy.dtype.type(0)), y)

    def _axes(self) -> list[int]:
        return self.axis if isinstance(self.axis, list) else [self.axis]


def _slope(name: str, value: Any, layer: Layer) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)) or not 0 <= value < float("inf"):
        raise ValueError(f"{name} of {type(layer).__name__} must be a number ≥ 0. Received: {name}={value!r}.")
    return float(value)

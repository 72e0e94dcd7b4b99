"""PReLU: a rectifier whose slope below zero is learned."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..base import Layer, Shape
from ..support.arguments import check_parts

__all__ = ["PReLU"]


class PReLU(Layer):
    """max(x, 0) + alpha·min(x, 0), with a slope alpha for each cell of an example; its own slope at 0 is 0.

    x (N, …) → y (N, …).  One weight, alpha, of the shape of an example, with 1 along the shared axes.

    Parameters
    ----------
    alpha_initializer, alpha_regularizer, alpha_constraint : optional
    shared_axes : int or list of int, optional
        Axes along which all cells have one slope, counted from 1, the first after the batch: ``[1, 2]`` gives images
        one slope a channel.

    Raises
    ------
    ValueError
        If shared_axes are not axes of the input, or an axis of unknown size is not among them.

    References
    ----------
    He, Zhang, Ren, Sun: Delving Deep into Rectifiers, 2015.

    Examples
    --------
    >>> PReLU(alpha_initializer="ones")(np.array([[-2.0, 3.0]])).tolist()
    [[-2.0, 3.0]]
    """

    supports_masking = True
    fields = ("alpha_initializer", "alpha_regularizer", "alpha_constraint", "shared_axes")

    def __init__(
        self,
        alpha_initializer: Any = "zeros",
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: int | Sequence[int] | None = None,
        **settings: Any,
    ):
        super().__init__(**settings)
        self.alpha: Any = None
        self.alpha_initializer, self.alpha_regularizer = alpha_initializer, alpha_regularizer
        self.alpha_constraint = alpha_constraint
        check_parts(self)
        given = shared_axes if isinstance(shared_axes, Sequence) or shared_axes is None else [shared_axes]
        try:
            self.shared_axes = None if given is None else [operator.index(axis) for axis in given]
        except TypeError:
            self.shared_axes = [0]
        if self.shared_axes is not None and min(self.shared_axes, default=1) < 1:
            raise ValueError(
                "shared_axes of PReLU must hold axes of an example, 1 for the first after the batch. Received: "
                f"shared_axes={shared_axes!r}."
            )

    def build(self, input_shape: Shape) -> None:
        shared = self.shared_axes or ()
        shape = [1 if axis in shared else n for axis, n in enumerate(input_shape)][1:]
        if max(shared, default=0) >= len(input_shape):
            self.refuse_shape(f"an input with the axes shared_axes={self.shared_axes}", input_shape)
        if None in shape:
            hint = f"Use shared_axes=[{1 + shape.index(None)}] for one slope along that axis."
            self.refuse_shape("an input of known size along the axes that are not shared", input_shape, hint)
        self.alpha = self.add_weight(
            shape=shape,
            initializer=self.alpha_initializer,
            regularizer=self.alpha_regularizer,
            constraint=self.alpha_constraint,
            name="alpha",
        )

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        if self.alpha is not None:
            alpha, shared = self.alpha.shape, self.shared_axes or ()
            fits = len(input_shape) == 1 + len(alpha)
            pairs = enumerate(zip(alpha, input_shape[1:], strict=True), 1) if fits else ()
            if not fits or any(axis not in shared and n not in (None, a) for axis, (a, n) in pairs):
                self.refuse_shape(f"examples with slopes of shape {alpha}, as when it was built", input_shape)
        return input_shape

    def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, Any]:
        y = np.minimum(x, 0)
        y *= self.alpha.value
        y += np.maximum(x, 0)
        return y, x

    def backward(self, dy: np.ndarray, ctx: Any, need_dx: bool = True) -> np.ndarray | None:
        alpha, x = self.alpha, ctx
        shared = tuple(axis for axis, n in enumerate((1, *alpha.shape)) if n == 1)
        alpha.grad[...] = np.sum(dy * np.minimum(x, 0), axis=shared, keepdims=True)[0]
        if not need_dx:
            return None
        dx = np.where(x > 0, x.dtype.type(1), alpha.value)
        dx *= dy
        dx[x == 0] = 0
        return dx

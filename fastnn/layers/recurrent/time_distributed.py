"""TimeDistributed: one layer at every time step."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...graph import take_back
from ..base import Layer, Shape
from ..support.wrapper import Wrapper, described, made_from

__all__ = ["TimeDistributed"]


class TimeDistributed(Wrapper):
    """y_t = layer(x_t) for every time step t, with the same weights.

    x (N, T, …) → (N, T, …): the layer runs once, on N·T examples.  A mask of steps within steps (N, T, S), such as that
    of words within sentences, goes to the layer; a step whose own mask ends there counts if any of it did.

    Parameters
    ----------
    layer : Layer or model
        Gives one array.

    Raises
    ------
    TypeError
        If layer is not a layer.
    ValueError
        If the input has no time steps, or the layer cannot take what one step holds.

    Examples
    --------
    >>> from fastnn.layers import Dense
    >>> TimeDistributed(Dense(4))(np.zeros((2, 5, 3))).shape
    (2, 5, 4)
    """

    supports_masking = True

    def __init__(self, layer: Layer, **settings: Any):
        if not isinstance(layer, Layer):
            raise TypeError(
                "TimeDistributed takes a layer. Received: "
                f"{layer.__name__ if isinstance(layer, type) else type(layer).__name__}. Use "
                "TimeDistributed(Dense(10))."
            )
        if layer.gives_several:
            raise ValueError(
                f'The layer of TimeDistributed must return one array. Received: layer "{layer.name}" '
                f"({type(layer).__name__}), which returns several. Leave out return_state=True."
            )
        if getattr(layer, "activity_regularizer", None) is not None:
            raise ValueError(
                f"Put the penalty around the whole: TimeDistributed({type(layer).__name__}(...), "
                f'activity_regularizer=...). Received: activity_regularizer on layer "{layer.name}".'
            )
        self.layer = layer
        super().__init__(**{"dtype": layer.dtype} | settings)

    @property
    def children(self) -> list[Layer]:
        return [self.layer]

    @property
    def uses_mask(self) -> bool:
        """Whether the layer inside wants the mask of the steps within a step."""
        return self.layer.uses_mask

    def compute_mask(self, x: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray | None:
        """The mask of the output: that of the layer inside for each step, else whether any of the step counts."""
        if mask is None or mask.ndim < 3:
            return mask
        after = self.layer.compute_mask(_rows(x), _rows(mask))
        if after is None:
            return np.asarray(mask.any(tuple(range(2, mask.ndim))))
        return after.reshape(*mask.shape[:2], *after.shape[1:])

    @property
    def takes_ids(self) -> bool:
        """Whether the layer inside takes ids."""
        return self.layer.takes_ids

    def check_ids(self, ids: np.ndarray) -> None:
        """The ids that the layer inside takes, or its error."""
        self.layer.check_ids(ids)

    def build(self, input_shape: Shape) -> None:
        self.build_child(self.layer, self._step(input_shape))

    def _step(self, input_shape: Shape) -> Shape:
        if len(input_shape) < 3 and not (self.takes_ids and len(input_shape) == 2):
            self.refuse_shape("sequences, (batch, steps, …)", input_shape, "For one number a step use x[..., None].")
        return (None, *input_shape[2:])

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (*input_shape[:2], *self.layer.compute_output_shape(self._step(input_shape))[1:])

    def forward(self, x: np.ndarray, training: bool = False, mask: np.ndarray | None = None) -> tuple[np.ndarray, Any]:
        inside = () if mask is None or mask.ndim < 3 or not self.uses_mask else (_rows(mask),)
        y, ctx = self.layer.forward(_rows(x), training, *inside)
        return y.reshape(*x.shape[:2], *y.shape[1:]), (x.shape, y.shape, ctx)

    def backward(self, dy: np.ndarray, ctx: Any, need_dx: bool = True) -> np.ndarray | None:
        shape, inner, ctx = ctx
        dx = take_back(self.layer, dy.reshape(inner), ctx, need_dx)
        return None if dx is None else dx.reshape(shape)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"layer": described(self.layer)}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> TimeDistributed:
        """A new, unbuilt layer from ``get_config``; ``custom_objects`` names classes of your own."""
        return cls(**config | {"layer": made_from(config["layer"], custom_objects)})


def _rows(x: np.ndarray) -> np.ndarray:
    """The steps of all sequences, one below the other."""
    return x.reshape(math.prod(x.shape[:2]), *x.shape[2:])

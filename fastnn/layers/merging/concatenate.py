"""Concatenate: arrays joined end to end along one axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...backend import active
from ...ops.function import wanted
from ..base import Layer, Shape
from .merge import draw_shapes, several_shapes

__all__ = ["Concatenate", "concatenate"]


class Concatenate(Layer):
    """Join arrays end to end along an axis: features side by side (−1), or sequences one after another (1).

    Joined along the steps, masks are joined too, and an input without one counts throughout. Joined along another axis,
    a step counts if it counts in any of the inputs.

    Parameters
    ----------
    axis : int
        The batch is axis 0.

    Raises
    ------
    TypeError
        If the axis is not an integer.
    ValueError
        If the inputs differ on another axis.

    Examples
    --------
    >>> Concatenate()([np.ones((1, 2)), np.zeros((1, 3))]).tolist()
    [[1.0, 1.0, 0.0, 0.0, 0.0]]
    """

    takes_several = True
    selects_gradients = True
    supports_masking = True
    fields = ("axis",)

    def __init__(self, axis: int = -1, **settings: Any):
        super().__init__(**settings)
        if isinstance(axis, bool) or not isinstance(axis, (int, np.integer)):
            raise TypeError(f"axis of Concatenate must be an integer. Received: axis={axis!r}.")
        self.axis = int(axis)

    def compute_output_shape(self, input_shape: Sequence[Shape]) -> Shape:
        shapes = several_shapes(self, input_shape)
        rank = len(shapes[0])
        if any(len(shape) != rank for shape in shapes) or not -rank <= self.axis < rank:
            axes = " and ".join(map(str, sorted({len(shape) for shape in shapes})))
            raise ValueError(
                f'Layer "{self.name}" (Concatenate) joins inputs of the same rank along axis {self.axis}. Received: '
                "inputs "
                f"with {axes} axes, of shapes {', '.join(map(str, shapes))}."
            )
        joined = self.axis % rank
        merged: list[int | None] = []
        for axis in range(rank):
            lengths = [shape[axis] for shape in shapes]
            known = {n for n in lengths if n is not None}
            if axis == joined:
                merged.append(None if None in lengths else sum(lengths))
            elif len(known) > 1:
                raise ValueError(
                    f'Layer "{self.name}" (Concatenate) joins inputs along axis {self.axis}; all other axes must have '
                    "equal lengths. Received:"
                    f"\n{draw_shapes(shapes, axis)}\n"
                    "Use another axis, or give the inputs matching shapes."
                )
            else:
                merged.append(known.pop() if known else None)
        return tuple(merged)

    def compute_mask(self, x: Sequence[Any], mask: Any = None) -> np.ndarray | None:
        if mask is None or all(m is None for m in mask):
            return None
        masks = [np.ones(a.shape[:2], bool) if m is None else m for a, m in zip(x, mask, strict=True)]
        axis = self.axis % x[0].ndim
        return np.concatenate(masks, axis) if axis < 2 else np.logical_or.reduce(masks)

    def forward(self, x: list[np.ndarray], training: bool = False) -> tuple[np.ndarray, Any]:
        self.compute_output_shape([a.shape for a in x])  # refuses batches of different sizes in its own words
        return active().concatenate_forward(x, self.axis), [a.shape[self.axis] for a in x]

    def backward(self, dy: np.ndarray, ctx: Any, need_dx: Any = True) -> list[np.ndarray | None]:
        return active().concatenate_backward(dy, ctx, self.axis, need_dx=list(wanted(need_dx, len(ctx))))


def concatenate(inputs: Sequence[Any], axis: int = -1, **settings: Any) -> Any:
    """Return arrays or symbols joined along an axis: ``Concatenate(axis, **settings)(inputs)``.

    Examples
    --------
    >>> concatenate([np.array([[1.0]]), np.array([[2.0]])]).tolist()
    [[1.0, 2.0]]
    """
    return Concatenate(axis=axis, **settings)(inputs)

"""Merge: what layers share that combine several arrays element-wise; shapes that broadcast, masks, conflicts drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...backend import active
from ...ops.broadcasting import sum_to
from ..base import Layer, Shape

__all__ = ["Merge", "draw_shapes", "merged_mask"]


class Merge(Layer):
    """Base of the layers that combine arrays element-wise; a subclass names its ``mode``.

    Arrays of one shape are merged by one kernel. Others broadcast: axes of length 1 are stretched, and an array of a
    lower rank gets axes of length 1 after the batch. ``ctx`` is the shapes, unless the gradient needs the arrays.
    """

    takes_several = True
    selects_gradients = True
    supports_masking = True
    mode: str = ""

    def compute_output_shape(self, input_shape: Sequence[Shape]) -> Shape:
        shapes = several_shapes(self, input_shape)
        rank = max(map(len, shapes))
        full = [(*s[:1], *(1,) * (rank - len(s)), *s[1:]) for s in shapes]
        if len({s[0] for s in full} - {None}) > 1:
            self._refuse(full, 0, "have batches of different sizes")
        merged: list[int | None] = [next((s[0] for s in full if s[0] is not None), None)]
        for axis in range(1, rank):
            lengths = {s[axis] for s in full} - {1, None}
            if len(lengths) > 1:
                self._refuse(full, axis, "do not broadcast: lengths along an axis must be equal, or 1")
            open_axis = any(s[axis] is None for s in full)
            merged.append(None if open_axis else lengths.pop() if lengths else 1)
        return tuple(merged)

    def _refuse(self, shapes: Sequence[Shape], axis: int, why: str) -> None:
        raise ValueError(
            f'Layer "{self.name}" ({type(self).__name__}) cannot merge these inputs, whose shapes {why}. '
            f"Received:\n{draw_shapes(shapes, axis)}\n"
            "Use Reshape, Dense or Conv2D with kernel_size=1 to give the inputs matching shapes."
        )

    def compute_mask(self, x: Any, mask: Any = None) -> np.ndarray | None:
        return merged_mask(mask)

    def forward(self, x: list[np.ndarray], training: bool = False) -> tuple[np.ndarray, Any]:
        return active().merge_forward(spread(self, x), self.mode), [a.shape for a in x]


def several_shapes(layer: Any, input_shape: Any) -> list[Shape]:
    """The shapes of a layer that merges, or the error that it takes a list."""
    if not isinstance(input_shape, (list, tuple)) or not input_shape or not isinstance(input_shape[0], (list, tuple)):
        raise ValueError(
            f'Layer "{layer.name}" ({type(layer).__name__}) takes a list of at least one input. Received: input shape '
            f"{input_shape}. Use {type(layer).__name__}()([a, b])."
        )
    return [tuple(shape) for shape in input_shape]


def draw_shapes(shapes: Sequence[Shape], axis: int) -> str:
    """The shapes below each other, with a mark under the axis on which they differ.

    Examples
    --------
    >>> print(draw_shapes([(None, 4, 5), (None, 14, 5)], 1))
        input 0: (None,  4, 5)
        input 1: (None, 14, 5)
                        ^^ axis 1
    """
    rank = max(map(len, shapes))
    cells = [[str(n) for n in shape] + [""] * (rank - len(shape)) for shape in shapes]
    widths = [max(len(row[i]) for row in cells) for i in range(rank)]
    start = len(f"    input {len(shapes) - 1}: (")
    lines = []
    for i, (shape, row) in enumerate(zip(shapes, cells, strict=True)):
        words = [word.rjust(width) for word, width in zip(row[: len(shape)], widths, strict=False)]
        lines.append(f"    input {i}: ".rjust(start - 1) + f"({', '.join(words)})")
    mark = " " * (start + sum(widths[:axis]) + 2 * axis) + "^" * widths[axis]
    return "\n".join([*lines, f"{mark} axis {axis}"])


def spread(layer: Any, x: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The arrays stretched to one shape; arrays of one shape as they are."""
    if all(a.shape == x[0].shape for a in x[1:]):
        return list(x)
    layer.compute_output_shape([a.shape for a in x])  # refuses batches of different sizes
    rank = max(a.ndim for a in x)
    full = [a.reshape(*a.shape[:1], *(1,) * (rank - a.ndim), *a.shape[1:]) for a in x]
    return list(np.broadcast_arrays(*full))


def shrink(gradients: Sequence[np.ndarray | None], shapes: Sequence[Shape]) -> list[np.ndarray | None]:
    """Gradients of stretched arrays, summed back to the shapes that these came in."""
    return [
        g if g is None or g.shape == s else sum_to(g, (*s[:1], *(1,) * (g.ndim - len(s)), *s[1:])).reshape(s)
        for g, s in zip(gradients, shapes, strict=True)
    ]


def merged_mask(masks: Sequence[np.ndarray | None] | None) -> np.ndarray | None:
    """Keras' rule: a step counts if it counts in any of the inputs; if one of them has no mask, all steps count."""
    if masks is None or any(mask is None for mask in masks):
        return None
    return np.logical_or.reduce([mask for mask in masks if mask is not None])

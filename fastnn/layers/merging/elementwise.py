"""Add, Subtract, Multiply, Average, Maximum, Minimum: several arrays as one, element by element."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...backend import active
from ...ops.function import wanted
from ..base import Shape
from .merge import Merge, merged_mask, several_shapes, shrink, spread

__all__ = [
    "Add",
    "Average",
    "Maximum",
    "Minimum",
    "Multiply",
    "Subtract",
    "add",
    "average",
    "maximum",
    "minimum",
    "multiply",
    "subtract",
]


class Add(Merge):
    """Sum of arrays, y = Σ xᵢ: the joint of a residual connection.

    Raises
    ------
    ValueError
        If the shapes do not broadcast.

    Examples
    --------
    >>> Add()([np.array([[1.0, 2.0]]), np.array([[3.0, 5.0]])]).tolist()
    [[4.0, 7.0]]
    """

    mode = "add"

    def backward(self, dy: np.ndarray, ctx: Any, need_dx: Any = True) -> list[np.ndarray | None]:
        return shrink([dy if need else None for need in wanted(need_dx, len(ctx))], ctx)


class Subtract(Merge):
    """Difference of two arrays, y = x₀ − x₁.

    Raises
    ------
    ValueError
        If there are not two inputs, or their shapes do not broadcast.

    Examples
    --------
    >>> Subtract()([np.array([[1.0, 2.0]]), np.array([[3.0, 5.0]])]).tolist()
    [[-2.0, -3.0]]
    """

    mode = "subtract"

    def compute_output_shape(self, input_shape: Sequence[Shape]) -> Shape:
        if len(several_shapes(self, input_shape)) != 2:
            raise ValueError(
                f'Layer "{self.name}" (Subtract) takes two inputs. Received: {len(input_shape)}, of shapes '
                f"{', '.join(map(str, input_shape))}."
            )
        return super().compute_output_shape(input_shape)

    def backward(self, dy: np.ndarray, ctx: Any, need_dx: Any = True) -> list[np.ndarray | None]:
        first, second = wanted(need_dx, 2)
        minus = active().merge_backward(dy, [dy, dy], self.mode, need_dx=[False, True])[1] if second else None
        return shrink([dy if first else None, minus], ctx)


class Average(Merge):
    """Mean of arrays, y = Σ xᵢ / n.

    Raises
    ------
    ValueError
        If the shapes do not broadcast.

    Examples
    --------
    >>> Average()([np.array([[1.0, 2.0]]), np.array([[3.0, 5.0]])]).tolist()
    [[2.0, 3.5]]
    """

    mode = "average"

    def backward(self, dy: np.ndarray, ctx: Any, need_dx: Any = True) -> list[np.ndarray | None]:
        need = wanted(need_dx, len(ctx))
        if not any(need):
            return [None] * len(ctx)
        one = [True] + [False] * (len(ctx) - 1)  # all gradients are this one
        part = active().merge_backward(dy, [dy] * len(ctx), self.mode, need_dx=one)[0]
        return shrink([part if wants else None for wants in need], ctx)


class MaskedMerge(Merge):
    """Base of the merges in which a masked step of one input leaves the others as they are.

    A masked step takes a value that changes nothing, ``neutral``; where a step is masked in all inputs, a subclass says
    what the output is.
    """

    uses_mask = True
    neutral: float = 0.0

    def forward(self, x: list[np.ndarray], training: bool = False, mask: Any = None) -> tuple[np.ndarray, Any]:
        alike = spread(self, x)
        counts = None if mask is None or all(m is None for m in mask) else [over(m, alike[0]) for m in mask]
        if counts is not None:
            alike = self._with_neutral(alike, counts)
        y = active().merge_forward(alike, self.mode)
        if counts is not None and self.mode == "multiply" and (gone := nowhere(counts)) is not None:
            y = np.where(gone, y.dtype.type(0), y)
        return y, (alike, [a.shape for a in x], counts)

    def backward(self, dy: np.ndarray, ctx: Any, need_dx: Any = True) -> list[np.ndarray | None]:
        alike, shapes, counts = ctx
        need = list(wanted(need_dx, len(shapes)))
        dx = active().merge_backward(dy, alike, self.mode, need_dx=need)
        if counts is not None:
            gone = nowhere(counts) if self.mode != "multiply" else None
            dx = [
                g if g is None or c is None else np.where(c if i or gone is None else c | gone, g, g.dtype.type(0))
                for i, (g, c) in enumerate(zip(dx, counts, strict=True))
            ]
        return shrink(dx, shapes)

    def _with_neutral(self, x: Sequence[np.ndarray], counts: Sequence[Any]) -> list[np.ndarray]:
        """The arrays with ``neutral`` where a step is masked; extremes keep the first array where all are."""
        gone = nowhere(counts) if self.mode != "multiply" else None
        return [
            a if c is None else np.where(c if i or gone is None else c | gone, a, a.dtype.type(self.neutral))
            for i, (a, c) in enumerate(zip(x, counts, strict=True))
        ]


class Multiply(MaskedMerge):
    """Product of arrays, y = Π xᵢ.

    A step that is masked in one input counts as 1 there; one that is masked in all inputs is 0.

    Raises
    ------
    ValueError
        If the shapes do not broadcast.

    Examples
    --------
    >>> Multiply()([np.array([[1.0, 2.0]]), np.array([[3.0, 5.0]])]).tolist()
    [[3.0, 10.0]]
    """

    mode = "multiply"
    neutral = 1.0


class Maximum(MaskedMerge):
    """Largest of arrays, y = max xᵢ; a NaN in one of them is NaN in y.

    The gradient goes to the first array that holds the maximum. A step that is masked in one input does not take part.

    Raises
    ------
    ValueError
        If the shapes do not broadcast.

    Examples
    --------
    >>> Maximum()([np.array([[1.0, 7.0]]), np.array([[3.0, 5.0]])]).tolist()
    [[3.0, 7.0]]
    """

    mode = "maximum"
    neutral = -np.inf


class Minimum(MaskedMerge):
    """Smallest of arrays, y = min xᵢ; a NaN in one of them is NaN in y.

    The gradient goes to the first array that holds the minimum. A step that is masked in one input does not take part.

    Raises
    ------
    ValueError
        If the shapes do not broadcast.

    Examples
    --------
    >>> Minimum()([np.array([[1.0, 7.0]]), np.array([[3.0, 5.0]])]).tolist()
    [[1.0, 5.0]]
    """

    mode = "minimum"
    neutral = np.inf


def over(mask: np.ndarray | None, like: np.ndarray) -> np.ndarray | None:
    """A mask (B, T) with axes of length 1 behind, so that it spreads over the features."""
    return None if mask is None else mask.reshape(*mask.shape, *(1,) * (like.ndim - mask.ndim))


def nowhere(counts: Sequence[np.ndarray | None]) -> np.ndarray | None:
    """Where a step is masked in all inputs; None where that cannot be."""
    found = merged_mask(counts)
    return None if found is None else ~found


def add(inputs: Sequence[Any], **settings: Any) -> Any:
    """Return the sum of arrays or symbols: ``Add(**settings)(inputs)``.

    Examples
    --------
    >>> add([np.array([[1.0]]), np.array([[2.0]])]).tolist()
    [[3.0]]
    """
    return Add(**settings)(inputs)


def subtract(inputs: Sequence[Any], **settings: Any) -> Any:
    """Return the difference of two arrays or symbols: ``Subtract(**settings)(inputs)``."""
    return Subtract(**settings)(inputs)


def multiply(inputs: Sequence[Any], **settings: Any) -> Any:
    """Return the product of arrays or symbols: ``Multiply(**settings)(inputs)``."""
    return Multiply(**settings)(inputs)


def average(inputs: Sequence[Any], **settings: Any) -> Any:
    """Return the mean of arrays or symbols: ``Average(**settings)(inputs)``."""
    return Average(**settings)(inputs)


def maximum(inputs: Sequence[Any], **settings: Any) -> Any:
    """Return the largest of arrays or symbols: ``Maximum(**settings)(inputs)``."""
    return Maximum(**settings)(inputs)


def minimum(inputs: Sequence[Any], **settings: Any) -> Any:
    """Return the smallest of arrays or symbols: ``Minimum(**settings)(inputs)``."""
    return Minimum(**settings)(inputs)

"""Dot: products of two arrays over one axis of each, example by example."""

from __future__ import annotations

import string
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...ops.function import wanted
from ...ops.linear import contract
from ..base import Layer, Shape
from ..support.arguments import flag
from .merge import several_shapes

__all__ = ["Dot", "dot"]

_LEAST_NORM = 1e-7


class Dot(Layer):
    """Dot product of two arrays over one axis of each, for each example.

    y[n, …, …] = Σ_k a[n, …, k, …] · b[n, …, k, …]: the axes of a that are left, then those of b. Two batches of vectors
    give (N, 1).

    Parameters
    ----------
    axes : int or two ints
        The axis to sum over, of both inputs or of each; not the batch.
    normalize : bool
        Divide vectors along that axis by their length first: cosine similarity.

    Raises
    ------
    TypeError, ValueError
        If ``axes`` has another form, or the inputs are not two, or their lengths on these axes differ.

    Examples
    --------
    >>> Dot(1)([np.array([[1.0, 2.0]]), np.array([[3.0, 5.0]])]).tolist()
    [[13.0]]
    """

    takes_several = True
    selects_gradients = True
    fields = ("axes", "normalize")

    def __init__(self, axes: int | Sequence[int], normalize: bool = False, **settings: Any):
        super().__init__(**settings)
        both = [axes, axes] if isinstance(axes, (int, np.integer)) else axes
        if not isinstance(both, (list, tuple)):
            raise TypeError(f"axes of Dot must be an integer, or one for each input. Received: axes={axes!r}.")
        if len(both) != 2 or any(isinstance(a, bool) or not isinstance(a, (int, np.integer)) for a in both):
            raise ValueError(f"axes of Dot must be an integer, or one for each input. Received: axes={axes!r}.")
        self.axes = int(axes) if isinstance(axes, (int, np.integer)) else tuple(map(int, both))
        self.normalize = flag("normalize", normalize, self)
        self._both = tuple(map(int, both))

    def _places(self, shapes: Sequence[Shape]) -> list[int]:
        """The axis of each input, counted from the front."""
        places = []
        for shape, axis in zip(shapes, self._both, strict=True):
            if not -len(shape) <= axis < len(shape) or axis % len(shape) == 0:
                raise ValueError(
                    f'Layer "{self.name}" (Dot) cannot sum over axes={self.axes}: axis 0 is the batch, which stays. '
                    "Received:"
                    f" inputs of shapes {' and '.join(map(str, shapes))}."
                )
            places.append(axis % len(shape))
        return places

    def compute_output_shape(self, input_shape: Sequence[Shape]) -> Shape:
        shapes = several_shapes(self, input_shape)
        if len(shapes) != 2:
            raise ValueError(
                f'Layer "{self.name}" (Dot) takes two inputs. Received: {len(shapes)}, of shapes {shapes}.'
            )
        (a, b), (i, j) = shapes, self._places(shapes)
        if (None not in (a[i], b[j]) and a[i] != b[j]) or (None not in (a[0], b[0]) and a[0] != b[0]):
            raise ValueError(
                f'Layer "{self.name}" (Dot) multiplies example by example, over axis {i} of the first input and axis '
                f"{j} of the second, which must have equal lengths. Received: shapes {a} and {b}."
            )
        rest = (*a[1:i], *a[i + 1 :], *b[1:j], *b[j + 1 :])
        return (a[0] if a[0] is not None else b[0], *(rest or (1,)))

    def _letters(self, a: np.ndarray, b: np.ndarray) -> tuple[str, str, str]:
        """A letter for each axis of both, and for those of the product."""
        i, j = self._places([a.shape, b.shape])
        left, right = list(string.ascii_lowercase[: a.ndim]), list(string.ascii_uppercase[: b.ndim])
        right[0], right[j] = left[0], left[i]
        rest = [*left[1:i], *left[i + 1 :], *right[1:j], *right[j + 1 :]]
        return "".join(left), "".join(right), "".join([left[0], *rest])

    def forward(self, x: Sequence[np.ndarray], training: bool = False) -> tuple[np.ndarray, Any]:
        self.compute_output_shape([part.shape for part in x])
        norms = None
        if self.normalize:
            places = self._places([part.shape for part in x])
            x, norms = zip(*(unit(part, axis) for part, axis in zip(x, places, strict=True)), strict=True)
        a, b = x
        word_a, word_b, word_c = self._letters(a, b)
        y = np.ascontiguousarray(contract(word_a, a, word_b, b, word_c))
        return y.reshape(len(y), 1) if y.ndim == 1 else y, (a, b, norms)

    def backward(self, dy: np.ndarray, ctx: Any, need_dx: Any = True) -> list[np.ndarray | None]:
        a, b, norms = ctx
        word_a, word_b, word_c = self._letters(a, b)
        dy = dy.reshape(len(dy)) if len(word_c) == 1 else dy
        need_a, need_b = wanted(need_dx, 2)
        dx = [
            np.ascontiguousarray(contract(word_c, dy, word_b, b, word_a)) if need_a else None,
            np.ascontiguousarray(contract(word_a, a, word_c, dy, word_b)) if need_b else None,
        ]
        if norms is None:
            return dx
        places = self._places([a.shape, b.shape])
        return [
            None if g is None else unit_gradient(g, part, norm, axis)
            for g, part, norm, axis in zip(dx, (a, b), norms, places, strict=True)
        ]


def unit(x: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """Vectors along an axis divided by their lengths, and the lengths; a length below 1e-7 counts as that."""
    norm = np.maximum(np.sqrt((x * x).sum(axis, keepdims=True)), x.dtype.type(_LEAST_NORM))
    return x / norm, norm


def unit_gradient(dy: np.ndarray, y: np.ndarray, norm: np.ndarray, axis: int) -> np.ndarray:
    """Gradient of ``unit``: (dy − y·⟨y, dy⟩) / norm; of a length that counts as 1e-7, dy / norm."""
    along = np.where(norm > _LEAST_NORM, (y * dy).sum(axis, keepdims=True), dy.dtype.type(0))
    return (dy - y * along) / norm


def dot(inputs: Sequence[Any], axes: int | Sequence[int] = -1, **settings: Any) -> Any:
    """Return the dot product of two arrays or symbols: ``Dot(axes, **settings)(inputs)``.

    Examples
    --------
    >>> dot([np.array([[1.0, 2.0]]), np.array([[3.0, 5.0]])]).tolist()
    [[13.0]]
    """
    return Dot(axes=axes, **settings)(inputs)

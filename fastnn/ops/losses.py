"""Cross-entropies as functions, and vectors made to have length 1."""

from __future__ import annotations

from typing import Any

from .arithmetic import absolute, add, divide, maximum, multiply, negative, power, sqrt, square, subtract
from .axes import axis_of
from .conversion import cast, shape
from .exponentials import log
from .function import Elementwise
from .indexing import take_along_axis
from .nonlinear import log_softmax, softplus
from .reductions import sum
from .rounding import clip
from .shaping import expand_dims, squeeze

__all__ = ["binary_crossentropy", "categorical_crossentropy", "normalize", "sparse_categorical_crossentropy"]

_EPSILON = 1e-7  # Keras' epsilon: probabilities are cut to [ε, 1 − ε]


def binary_crossentropy(target: Any, output: Any, from_logits: bool = False) -> Any:
    """``−t·log p − (1 − t)·log(1 − p)``, element by element; p is cut to [1e-7, 1 − 1e-7].

    Parameters
    ----------
    target, output : array or Symbol
        Of one shape.
    from_logits : bool
        True if ``output`` has not gone through a sigmoid.

    Raises
    ------
    ValueError
        If the shapes differ.

    Examples
    --------
    >>> binary_crossentropy([1.0, 0.0], [0.5, 0.5]).round(3).tolist()
    [0.6930000185966492, 0.6930000185966492]
    """
    _refuse_unlike("binary_crossentropy", target, output)
    if from_logits:
        return subtract(softplus(output), multiply(target, output))
    p = clip(output, _EPSILON, 1 - _EPSILON)
    return negative(add(multiply(target, log(p)), multiply(subtract(1, target), log(subtract(1, p)))))


def categorical_crossentropy(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Any:
    """``−Σ t·log p`` along an axis; p is made to sum to 1 and cut to [1e-7, 1 − 1e-7].

    Parameters
    ----------
    target, output : array or Symbol
        Of one shape; targets are one-hot rows or other distributions.
    from_logits : bool
        True if ``output`` has not gone through a softmax.
    axis : int
        That of the classes.

    Raises
    ------
    ValueError
        If the shapes differ.

    Examples
    --------
    >>> categorical_crossentropy([[0.0, 1.0]], [[0.5, 0.5]]).round(3).tolist()
    [0.6930000185966492]
    """
    _refuse_unlike("categorical_crossentropy", target, output)
    return negative(sum(multiply(target, _log_probabilities(output, from_logits, axis)), axis))


def sparse_categorical_crossentropy(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Any:
    """``−log p[t]`` for labels t; p is made to sum to 1 and cut to [1e-7, 1 − 1e-7].

    Parameters
    ----------
    target : array of integers, or Symbol
        The shape of ``output`` without the axis of the classes, or with length 1 there.
    output : array or Symbol
    from_logits : bool
        True if ``output`` has not gone through a softmax.
    axis : int
        That of the classes.

    Raises
    ------
    ValueError
        If the shapes do not fit, or a label is none of the classes.

    Examples
    --------
    >>> sparse_categorical_crossentropy([1], [[0.5, 0.5]]).round(3).tolist()
    [0.6930000185966492]
    """
    place = axis_of("sparse_categorical_crossentropy", axis, shape(output))
    if len(shape(target)) == len(shape(output)):
        target = squeeze(target, place)
    labels = Labels(shape(output)[place])(expand_dims(cast(target, "int64"), place))
    picked = take_along_axis(_log_probabilities(output, from_logits, place), labels, place)
    return negative(squeeze(picked, place))


class Labels(Elementwise):
    """Labels as they are, or the error of one that is none of the classes."""

    def __init__(self, classes: int | None):
        self.classes = classes

    def forward(self, x, training=False):
        if x.size and (x.min() < 0 or (self.classes is not None and x.max() >= self.classes)):
            raise ValueError(
                f"ops.sparse_categorical_crossentropy: labels must be from 0 to {(self.classes or 0) - 1}. Received: "
                f"labels from {x.min()} to {x.max()}."
            )
        return x, None

    def backward(self, dy, ctx, need_dx=True):
        return None


def _log_probabilities(output: Any, from_logits: bool, axis: int) -> Any:
    if from_logits:
        return log_softmax(output, axis)
    return log(clip(divide(output, sum(output, axis, keepdims=True)), _EPSILON, 1 - _EPSILON))


def _refuse_unlike(name: str, target: Any, output: Any) -> None:
    t, y = shape(target), shape(output)
    if len(t) != len(y) or any(None not in (m, n) and m != n for m, n in zip(t, y, strict=True)):
        raise ValueError(f"ops.{name}: target and output must have the same shape. Received: shapes {t} and {y}.")


def normalize(x: Any, axis: int = -1, order: int = 2, epsilon: float | None = None) -> Any:
    """x divided by its norm along an axis, ``x / max(‖x‖, epsilon)``.

    Parameters
    ----------
    x : array or Symbol
    axis : int
    order : int
        ``‖x‖ = (Σ |x|ᵒʳᵈᵉʳ)^(1/order)``.
    epsilon : float, optional
        Default: 1e-7.

    Raises
    ------
    ValueError
        If order is not a positive integer.

    Examples
    --------
    >>> normalize([[3.0, 4.0], [0.0, 0.0]]).round(2).tolist()
    [[0.6000000238418579, 0.800000011920929], [0.0, 0.0]]
    """
    if isinstance(order, bool) or not isinstance(order, int) or order < 1:
        raise ValueError(f"ops.normalize: order must be a positive integer. Received: order={order!r}.")
    epsilon = _EPSILON if epsilon is None else float(epsilon)
    powers = square(x) if order == 2 else power(absolute(x), order)
    # Cut before the root: it has no finite slope at 0.
    total = maximum(sum(powers, axis, keepdims=True), epsilon**order)
    return divide(x, sqrt(total) if order == 2 else power(total, 1 / order))

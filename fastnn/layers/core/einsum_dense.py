"""EinsumDense: a dense layer over any axes, named by an equation."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from ... import initializers
from ...backend import active
from ...shapes import MOST
from ..base import Layer, Shape
from ..support.arguments import check_parts
from ..support.einsum_equation import Equation, read_equation, split_equation
from ..support.fused_activation import fused_activation

__all__ = ["EinsumDense"]


class EinsumDense(Layer):
    """y = act(einsum(equation, x, W) + b).

    Weights in order: kernel W, bias b.  The kernel starts from fans of its true inputs and outputs: the axes it shares
    with x and lacks in y, and the axes of y.

    Parameters
    ----------
    equation : str
        One letter an axis: ``"abc,cd->abd"``.  ``...`` means any further axes, before or after the others:
        ``"...ab,bc->...ac"``, ``"ab...,bc->ac..."``.
    output_shape : int or tuple of int or None
        Sizes of the axes of y, without the batch and the axes of ``...``; None for an axis that x has.
    activation : str, function or object, optional
    bias_axes : str, optional
        Axes of y that have a bias of their own: ``"d"``.  Default: no bias.
    kernel_initializer, bias_initializer : str or object
    kernel_regularizer, bias_regularizer, activity_regularizer : optional
    kernel_constraint, bias_constraint : optional

    Raises
    ------
    ValueError
        If the equation has another form, or shapes do not fit it.

    Examples
    --------
    >>> heads = EinsumDense("abc,cde->abde", output_shape=(None, 4, 16), bias_axes="de")
    >>> heads(np.zeros((2, 7, 64), "float32")).shape, [w.shape for w in heads.weights]
    ((2, 7, 4, 16), [(64, 4, 16), (4, 16)])
    """

    fields = (
        "equation",
        "activation",
        "bias_axes",
        "kernel_initializer",
        "bias_initializer",
        "kernel_regularizer",
        "bias_regularizer",
        "activity_regularizer",
        "kernel_constraint",
        "bias_constraint",
    )

    def __init__(
        self,
        equation: str,
        output_shape: int | Sequence[int | None],
        activation: Any = None,
        bias_axes: str | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **settings: Any,
    ):
        super().__init__(**settings)
        self.kernel: Any = None
        self.bias: Any = None
        *_, y, _ = split_equation(equation)
        if bias_axes is not None and (not isinstance(bias_axes, str) or not set(bias_axes) <= set(y)):
            raise ValueError(
                f"bias_axes of EinsumDense must be letters of the output of {equation!r}. Received: {bias_axes!r}."
            )
        self.equation, self.bias_axes = equation, bias_axes or None
        self.wanted = self._sizes(output_shape)
        self.rule = fused_activation(activation)
        self.activation = self.rule.activation
        self.kernel_initializer, self.bias_initializer = kernel_initializer, bias_initializer
        self.kernel_regularizer, self.bias_regularizer = kernel_regularizer, bias_regularizer
        self.kernel_constraint, self.bias_constraint = kernel_constraint, bias_constraint
        check_parts(self)

    def _sizes(self, output_shape: Any) -> tuple[int | None, ...]:
        entries = output_shape if isinstance(output_shape, Sequence) else [output_shape]
        try:
            sizes = tuple(None if n is None else operator.index(n) for n in entries)
        except TypeError:
            sizes = (0,)
        if any(n is not None and not 1 <= n < MOST for n in sizes):
            raise ValueError(
                "output_shape of EinsumDense must hold integers from 1 to 2**31 - 1, or None for an axis of the input. "
                f"Received: output_shape={output_shape!r}."
            )
        return sizes

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        return config | {"output_shape": list(self.wanted)}

    def _read(self, input_shape: Shape) -> Equation:
        try:
            return read_equation(self.equation, self.wanted, input_shape)
        except ValueError as error:
            raise ValueError(
                f'Layer "{self.name}" (EinsumDense) cannot take this input. {error} '
                f"Received: input shape {input_shape}."
            ) from None

    def build(self, input_shape: Shape) -> None:
        found = self._read(input_shape)
        start = initializers.get(self.kernel_initializer)
        if isinstance(start, initializers.VarianceScaling):
            axes = range(len(found.w))
            start = start.with_axes(
                [i for i in axes if found.w[i] not in found.y], [i for i in axes if found.w[i] in found.y]
            )
        self.kernel = self.add_weight(
            shape=found.shape(found.w),
            initializer=start,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
            name="kernel",
        )
        if self.bias_axes is None:
            return
        shape = found.bias_shape(self.bias_axes)
        if None in shape:
            self.refuse_shape(f"known sizes along bias_axes={self.bias_axes!r}", input_shape)
        self.bias = self.add_weight(
            shape=shape,
            initializer=self.bias_initializer,
            regularizer=self.bias_regularizer,
            constraint=self.bias_constraint,
            name="bias",
        )

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        found = self._read(input_shape)
        if self.kernel is not None and found.shape(found.w) != self.kernel.shape:
            self.refuse_shape(f"an input that a kernel of shape {self.kernel.shape} fits", input_shape)
        return found.shape(found.y)

    def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, Any]:
        found = self._read(x.shape)
        if found.lonely:
            x = x.sum(axis=tuple(map(found.x.index, found.lonely)))
        if not found.shared:
            return self._product(x, found)
        z = np.einsum(f"{found.joined},{found.w}->{found.y}", x, self.kernel.value)
        y, after = self.rule.forward(self._with_bias(z))
        return y, (found, x, None, after)

    def _product(self, x: np.ndarray, found: Equation) -> tuple[np.ndarray, Any]:
        """``forward`` as a product of matrices: x (rows, inner), W (inner, columns), y (rows, columns).

        All three are views if their axes are in this order, as in the common equations; else they are transposed.
        Bias and activation are the kernel's where y is such a view and each column has one bias.
        """
        rows = transposed(x, found.joined, found.rows + found.inner).reshape(-1, found.inner_size)
        fused = self._fused(found)
        bias = self.bias.value if fused and self.bias is not None else None
        if bias is not None:
            bias = (bias if bias.shape == found.column_shape else np.broadcast_to(bias, found.column_shape)).reshape(-1)
        z = active().dense_forward(rows, self._matrix(found), bias, self.rule.fused if fused else "linear")
        y = z.reshape(found.product_shape)
        after = None
        if not fused:
            y, after = self.rule.forward(self._with_bias(transposed(y, found.rows + found.columns, found.y)))
        elif self.rule.separate:
            y, after = self.rule.forward(y)
        return y, (found, rows, z, after)

    def backward(self, dy: np.ndarray, ctx: Any, need_dx: bool = True) -> np.ndarray | None:
        found, x, z, after = ctx
        fused = not found.shared and self._fused(found)
        if not fused or self.rule.separate:
            dy = self.rule.backward(dy, after)
        if self.bias is not None and not fused:
            self.bias.grad[...] = folded(dy, self.bias.shape)
        if found.shared:
            self.kernel.grad[...] = np.einsum(f"{found.joined},{found.y}->{found.w}", x, dy)
            dx: Any = np.einsum(f"{found.y},{found.w}->{found.joined}", dy, self.kernel.value) if need_dx else None
        else:
            dx = self._product_backward(dy, found, x, z, fused, need_dx)
        if need_dx and found.lonely:
            dx = np.expand_dims(dx, tuple(map(found.x.index, found.lonely)))
            dx = np.ascontiguousarray(np.broadcast_to(dx, found.shape(found.x)))
        return dx

    def _product_backward(self, dy: np.ndarray, found: Equation, rows: Any, z: Any, fused: bool, need_dx: bool) -> Any:
        columns = found.column_shape
        dy = transposed(dy, found.y, found.rows + found.columns).reshape(len(rows), math.prod(columns))
        in_place = found.w == found.inner + found.columns
        dx, dw, db = active().dense_backward(
            dy,
            rows,
            self._matrix(found),
            z,
            self.rule.fused if fused else "linear",
            need_dx=need_dx,
            need_db=fused and self.bias is not None,
            dw=self.kernel.grad.reshape(rows.shape[1], -1) if in_place else None,
        )
        if not in_place:
            dw = dw.reshape(found.shape(found.inner) + columns)
            self.kernel.grad[...] = transposed(dw, found.inner + found.columns, found.w)
        if self.bias is not None and db is not None:
            self.bias.grad[...] = folded(db.reshape(columns), self.bias.shape)
        if not need_dx:
            return None
        return transposed(dx.reshape(found.shape(found.rows + found.inner)), found.rows + found.inner, found.joined)

    def _matrix(self, found: Equation) -> np.ndarray:
        """The kernel as (inner, columns)."""
        w = transposed(self.kernel.value, found.w, found.inner + found.columns)
        return w.reshape(found.inner_size, -1)

    def _fused(self, found: Equation) -> bool:
        """Whether the kernel adds the bias and computes the activation."""
        return found.y == found.rows + found.columns and set(self.bias_axes or "") <= set(found.columns)

    def _with_bias(self, z: np.ndarray) -> np.ndarray:
        if self.bias is not None:
            z += self.bias.value
        return z


def transposed(array: np.ndarray, letters: str, order: str) -> np.ndarray:
    """The axes in another order, contiguous; the array itself where the order is the same."""
    return array if letters == order else np.ascontiguousarray(array.transpose([letters.index(c) for c in order]))


def folded(array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The sum over the axes along which an array of this shape was stretched."""
    array = array.sum(axis=tuple(range(array.ndim - len(shape))))
    return array.sum(axis=tuple(i for i, n in enumerate(shape) if n == 1), keepdims=True)

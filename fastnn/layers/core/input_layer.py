"""Input: the shape of one example, at the head of a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...graph import Symbol, record
from ..base import Layer, Shape, name_of_dtype
from ..support.arguments import positive

__all__ = ["Input", "InputLayer"]


class InputLayer(Layer):
    """The entrance of a model: no weights, ``y = x``; ``Input`` makes one.

    Parameters
    ----------
    shape : tuple of int or None
        Shape of one example, without the batch; None for a length that varies.
    batch_size : int, optional
        Size of all batches, which stateful layers hold on to; others take batches of any size.
    dtype : str, optional
        What the data come as: "string" for texts; ``fit`` casts any numeric dtype, batch by batch, to the dtype of the
        layers.

    batch_shape : tuple of int or None, optional
        Both together.
    input_shape : optional
        An older word for ``shape``.

    Raises
    ------
    ValueError
        If shape is not a sequence of positive integers.
    """

    supports_masking = True
    fields = ("shape", "batch_size")

    def __init__(
        self,
        shape: Sequence[int | None] | None = None,
        batch_size: int | None = None,
        dtype: str | None = None,
        batch_shape: Sequence[int | None] | None = None,
        input_shape: Sequence[int | None] | None = None,
        **settings: Any,
    ):
        if input_shape is not None:  # Keras 2's word
            if shape is not None:
                raise ValueError(f"shape and input_shape are one. Received: {shape=}, {input_shape=}. Use shape.")
            shape = input_shape
        real = None if dtype is None else name_of_input(dtype)
        super().__init__(dtype=real if real in ("float32", "float64") else None, **settings)
        if batch_shape is not None:
            if shape is not None or batch_size is not None:
                raise ValueError(
                    f"batch_shape replaces shape and batch_size. Received: batch_shape={batch_shape!r}, "
                    f"shape={shape!r}, batch_size={batch_size!r}."
                )
            if not isinstance(batch_shape, Sequence) or isinstance(batch_shape, (str, bytes)) or not batch_shape:
                raise ValueError(
                    "batch_shape must be a tuple that starts with the size of the batch, such as (None, 28, 28). "
                    f"Received: batch_shape={batch_shape!r}."
                )
            batch_size, *shape = batch_shape
        self.shape = read_shape(shape)
        self.batch_size = None if batch_size is None else positive("batch_size", batch_size, self)
        self.data_dtype = real
        if dtype is not None and real is None:
            raise ValueError(
                f"The dtype of an input must be that of numbers or texts. Received: dtype={dtype!r}. "
                'Use dtype="float32", dtype="int64" for ids, or dtype="string".'
            )
        self.ensure_built((self.batch_size, *self.shape))
        self._record()

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._record()

    def _record(self) -> None:
        """The node of the input, whose output the layers are called on."""
        integers = self.data_dtype is not None and self.data_dtype.startswith(("int", "uint"))
        kind = "int64" if integers else "string" if self.data_dtype == "string" else self.dtype
        symbol = record(self, [], self.output_shape, kind)
        self._nodes.append(symbol.node)

    @property
    def batch_shape(self) -> Shape:
        """The shape with the axis of the batch."""
        return (self.batch_size, *self.shape)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, None]:
        return x, None

    def backward(self, dy: np.ndarray, ctx: None) -> np.ndarray:
        return dy

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | ({} if self.data_dtype is None else {"dtype": self.data_dtype})


def name_of_input(dtype: Any) -> str | None:
    """The name of a dtype that data come in, "string" for texts; None where it is not one."""
    if isinstance(dtype, str) and dtype == "string":
        return "string"
    name = name_of_dtype(dtype)
    kind = "" if name is None else np.dtype(dtype).kind
    return name if kind in tuple("biuf") else "string" if kind in tuple("UTO") else None


def read_shape(shape: Any) -> Shape:
    """The shape of one example as a tuple of integers or None.

    Raises
    ------
    ValueError
        If it is anything else.
    """
    sizes = tuple(shape) if isinstance(shape, Sequence) and not isinstance(shape, str) else None
    if sizes is None or any(
        n is not None and (isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 1) for n in sizes
    ):
        raise ValueError(
            "An input shape must be a tuple of positive integers, one example without the batch, such as (28, 28, 1) "
            f"or (784,). Received: {shape!r}."
        )
    return tuple(None if n is None else int(n) for n in sizes)


def Input(
    shape: Sequence[int | None] | None = None,
    batch_size: int | None = None,
    dtype: str | None = None,
    name: str | None = None,
    batch_shape: Sequence[int | None] | None = None,
) -> Symbol:
    """The symbol that a model begins with: layers are called on it, and ``Model(inputs, outputs)`` ends them.

    ``batch_shape=(16, 28, 28)`` is short for ``shape=(28, 28), batch_size=16``.

    Parameters
    ----------
    shape : tuple of int or None
        Shape of one example; None for a length that varies.
    batch_size : int, optional
    dtype : str, optional
        "int32" or another integer dtype for ids; "string" for texts.
    name : str, optional

    Returns
    -------
    Symbol
        Also the first element of a ``Sequential``.

    Examples
    --------
    >>> Input(shape=(28, 28)).shape
    (None, 28, 28)
    """
    return InputLayer(shape, batch_size, dtype, batch_shape, name=name).output

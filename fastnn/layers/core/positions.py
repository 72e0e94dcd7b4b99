"""The position of a vector in its sequence, as a vector: learned rows, or sines and cosines."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from ...lookup import is_number
from ..base import Layer, Shape
from ..support.arguments import check_parts, positive

__all__ = ["PositionEmbedding", "SinePositionEncoding"]


class _Positions(Layer):
    """Base: gives every sequence of the batch the rows of a table, one a time step; of x only the shape counts."""

    supports_masking = True

    def __call__(self, x: Any, start_index: int = 0) -> Any:
        """The vectors of the places ``start_index``, ``start_index + 1``, …, in the shape of x.

        Parameters
        ----------
        x : array or Symbol (N, …, T, D)
        start_index : int
            Position of the first time step, to continue a text.
        """
        return self.call_on(x, start_index=self.read_start(start_index))

    def read_start(self, start_index: Any) -> int:
        """A position in a sequence, or raise an error."""
        try:
            start = operator.index(start_index)
        except TypeError:
            start = -1
        if start < 0:
            raise ValueError(
                f"start_index of {type(self).__name__} must be an integer ≥ 0. Received: start_index={start_index!r}."
            )
        return start

    def compute_output_shape(self, input_shape: Shape, start_index: int = 0) -> Shape:
        if len(input_shape) < 3 or input_shape[-1] is None:
            hint = "For one number per time step use x[..., None]." if len(input_shape) == 2 else ""
            self.refuse_shape("sequences (batch, time, features) with a known number of features", input_shape, hint)
        return input_shape

    def rows(self, shape: tuple[int, ...], start_index: int) -> np.ndarray:
        """The rows of the table (T, D) that inputs of this shape get; the fusion pass calls it."""
        raise NotImplementedError

    def forward(self, x: np.ndarray, training: bool = False, start_index: int = 0) -> tuple[np.ndarray, Any]:
        return np.array(np.broadcast_to(self.rows(x.shape, start_index), x.shape)), start_index

    def backward(self, dy: np.ndarray, ctx: Any, need_dx: bool = True) -> None:
        return None


class PositionEmbedding(_Positions):
    """y[n, t] = W[start_index + t]: a learned vector for each position in a sequence, to be added to the input.

    x (N, …, T, D) → y of its shape, with T + start_index ≤ sequence_length.  One weight, W (sequence_length, D).

    Parameters
    ----------
    sequence_length : int
        Places in the table: the longest sequence.
    initializer : str or object

    Raises
    ------
    ValueError
        If sequence_length is not a positive integer, or a sequence goes beyond it.

    References
    ----------
    Devlin, Chang, Lee, Toutanova: BERT, 2018.

    Examples
    --------
    >>> x = np.zeros((2, 3, 4), "float32")
    >>> y = PositionEmbedding(sequence_length=10)(x)
    >>> y.shape, bool((y[0] == y[1]).all())
    ((2, 3, 4), True)
    """

    fields = ("sequence_length", "initializer")

    def __init__(self, sequence_length: int, initializer: Any = "glorot_uniform", **settings: Any):
        super().__init__(**settings)
        self.position_embeddings: Any = None
        self.sequence_length = positive("sequence_length", sequence_length, self)
        self.initializer = initializer
        check_parts(self)

    def build(self, input_shape: Shape) -> None:
        super().compute_output_shape(input_shape)
        self.position_embeddings = self.add_weight(
            shape=(self.sequence_length, input_shape[-1]), initializer=self.initializer, name="embeddings"
        )

    def compute_output_shape(self, input_shape: Shape, start_index: int = 0) -> Shape:
        super().compute_output_shape(input_shape)
        table = self.position_embeddings
        if table is not None and input_shape[-1] != table.shape[1]:
            self.refuse_shape(f"{table.shape[1]} features on the last axis", input_shape)
        if input_shape[-2] is not None and start_index + input_shape[-2] > self.sequence_length:
            self.refuse_shape(
                f"at most sequence_length={self.sequence_length} time steps, counted from start_index={start_index}",
                input_shape,
                f"Use PositionEmbedding({start_index + input_shape[-2]}).",
            )
        return input_shape

    def rows(self, shape: tuple[int, ...], start_index: int) -> np.ndarray:
        self.compute_output_shape(shape, start_index)
        return self.position_embeddings.value[start_index : start_index + shape[-2]]

    def backward(self, dy: np.ndarray, ctx: Any, need_dx: bool = True) -> None:
        grad, start, end = self.position_embeddings.grad, ctx, ctx + dy.shape[-2]
        np.sum(dy, axis=tuple(range(dy.ndim - 2)), out=grad[start:end])
        grad[:start] = grad[end:] = 0


class SinePositionEncoding(_Positions):
    """y[n, t, 2i] = sin(t·f), y[n, t, 2i + 1] = cos(t·f) with f = max_wavelength^(−2i / D); t counts from start_index.

    x (N, …, T, D) → y of its shape.  No weights: any length.

    Parameters
    ----------
    max_wavelength : float
        The longest wave, over 2π.

    Raises
    ------
    ValueError
        If max_wavelength is not a positive number.

    References
    ----------
    Vaswani et al.: Attention Is All You Need, 2017, section 3.5.

    Examples
    --------
    >>> SinePositionEncoding(dtype="float64")(np.zeros((1, 2, 2))).round(2).tolist()
    [[[0.0, 1.0], [0.84, 0.54]]]
    """

    fields = ("max_wavelength",)

    def __init__(self, max_wavelength: float = 10000, **settings: Any):
        super().__init__(**settings)
        if not is_number(max_wavelength) or max_wavelength <= 0:
            raise ValueError(
                "max_wavelength of SinePositionEncoding must be a positive number. Received: "
                f"max_wavelength={max_wavelength!r}."
            )
        self.max_wavelength = max_wavelength
        self._table = np.zeros((0, 0))

    def rows(self, shape: tuple[int, ...], start_index: int) -> np.ndarray:
        end, features = start_index + shape[-2], shape[-1]
        table = self._table
        if table.shape[1] != features or len(table) < end:
            table = self._table = self._waves(end, features)
        return table[start_index:end]

    def _waves(self, length: int, features: int) -> np.ndarray:
        """The rows of the places 0 … length − 1, computed in float64 and rounded once."""
        even = np.arange(features) // 2 * 2
        angles = np.arange(length)[:, None] * float(self.max_wavelength) ** (-even / features)
        table = np.sin(angles)
        table[:, 1::2] = np.cos(angles[:, 1::2])
        return table.astype(self.dtype)

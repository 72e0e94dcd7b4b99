"""Embedding: a table with one row of numbers for each id."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...backend import active
from ...user_warnings import warn
from ..base import Layer, Shape
from ..support.arguments import check_parts, flag, positive
from ..support.array_checks import read_ids

__all__ = ["Embedding"]


class Embedding(Layer):
    """Rows of a table by their ids: y[i] = W[ids[i]].

    ids (N, …) integers, W (input_dim, output_dim) → y (N, …, output_dim).  One weight, the table.

    Parameters
    ----------
    input_dim : int
        Size of the vocabulary: ids are 0 … input_dim − 1.
    output_dim : int
    embeddings_initializer, embeddings_regularizer, embeddings_constraint : optional
    mask_zero : bool
        Id 0 is padding: the layers that follow get the mask ``ids != 0``.
    weights : array (input_dim, output_dim), or a list of it, optional
        The table to start from.

    Raises
    ------
    ValueError
        If a size is not positive, an id is not in the vocabulary, or ``weights`` has another shape.

    References
    ----------
    Bengio et al.: A Neural Probabilistic Language Model, 2003.

    Examples
    --------
    >>> layer = Embedding(4, 2, embeddings_initializer="ones", mask_zero=True)
    >>> ids = np.array([[3, 1, 0]])
    >>> layer(ids).shape, layer.compute_mask(ids).tolist()
    ((1, 3, 2), [[True, True, False]])
    """

    takes_ids = True
    fields = (
        "input_dim",
        "output_dim",
        "embeddings_initializer",
        "embeddings_regularizer",
        "activity_regularizer",
        "embeddings_constraint",
        "mask_zero",
    )

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        weights: Any = None,
        **settings: Any,
    ):
        if settings.pop("input_length", None) is not None:
            warn(
                "Embedding takes sequences of any length, without input_length. Leave it out, or use "
                "Input(shape=(length,)) to fix the shape.",
            )
        super().__init__(**settings)
        self.input_dim = positive("input_dim", input_dim, self)
        self.output_dim = positive("output_dim", output_dim, self)
        self.embeddings: Any = None
        self.embeddings_initializer, self.embeddings_regularizer = embeddings_initializer, embeddings_regularizer
        self.embeddings_constraint = embeddings_constraint
        check_parts(self)
        self.mask_zero = self.makes_mask = self.supports_masking = flag("mask_zero", mask_zero, self)
        self._start = None if weights is None else self._table(weights)

    def _table(self, weights: Any) -> np.ndarray:
        """The table to start from, checked."""
        table = np.asarray(weights[0] if isinstance(weights, (list, tuple)) and len(weights) == 1 else weights)
        if table.shape != (self.input_dim, self.output_dim) or table.dtype.kind not in "biuf":
            raise ValueError(
                f"weights of Embedding must be an array of shape ({self.input_dim}, {self.output_dim}). Received: "
                f"shape {table.shape}, dtype {table.dtype}."
            )
        return table

    def build(self, input_shape: Shape) -> None:
        self.embeddings = self.add_weight(
            (self.input_dim, self.output_dim),
            self.embeddings_initializer,
            self.embeddings_regularizer,
            self.embeddings_constraint,
            name="embeddings",
        )
        if self._start is not None:
            self.embeddings.assign(self._start)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (*input_shape, self.output_dim)

    def compute_mask(self, x: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray | None:
        return np.not_equal(x, 0) if self.mask_zero else None

    def check_ids(self, ids: np.ndarray) -> None:
        """Raise the error of an id that is not in the vocabulary."""
        if not ids.size or (ids.min() >= 0 and ids.max() < self.input_dim):
            return
        at = np.unravel_index(int(np.argmax((ids < 0) | (ids >= self.input_dim))), ids.shape)
        most = int(ids.max())
        hint = f" Use Embedding({most + 1}, {self.output_dim})." if most >= self.input_dim else ""
        raise ValueError(
            f'Layer "{self.name}" (Embedding) has a vocabulary of {self.input_dim}: ids from 0 to '
            f"{self.input_dim - 1}. Received: {int(ids[at])} at index {tuple(map(int, at))}.{hint}"
        )

    def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, Any]:
        ids = x if x.dtype == np.int64 else read_ids(x, self)
        try:
            return active().embedding_forward(ids, self.embeddings.value), ids
        except IndexError:
            self.check_ids(ids)  # in the words of the layer
            raise

    def backward(self, dy: np.ndarray, ctx: Any, need_dx: bool = True) -> np.ndarray | None:
        """Set the rows of the gradient that the ids name; ids themselves have no slope."""
        table = self.embeddings
        _, table.rows = active().embedding_backward(dy, ctx, self.input_dim, table.rows, dw=table.grad)
        return np.zeros(ctx.shape, dy.dtype) if need_dx else None

"""Ids as they are, or as rows: one-hot, multi-hot, counts.  What the layers for categories share."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..base import Layer, Shape

__all__ = ["MODES", "Encoding", "encode", "mode_of", "refuse_sparse"]

MODES = ("int", "one_hot", "multi_hot", "count", "tf_idf")
_OLD = {"binary": "multi_hot", "tf-idf": "tf_idf"}


def mode_of(mode: Any, known: tuple[str, ...]) -> str:
    """An output mode, by its name of today; or the error that lists them."""
    mode = _OLD.get(mode, mode) if isinstance(mode, str) else mode
    if mode not in known:
        raise ValueError(f"output_mode must be one of {', '.join(map(repr, known))}. Received: {mode!r}.")
    return mode


def refuse_sparse(sparse: Any, layer: Any) -> None:
    """Raise ValueError for ``sparse=True``: arrays here are dense."""
    if sparse:
        raise ValueError(
            f"{type(layer).__name__} gives dense arrays. Received: sparse={sparse!r}. Use sparse=False; dense layers "
            "skip the zeros by themselves."
        )


def encode(ids: np.ndarray, mode: str, depth: int, dtype: str) -> np.ndarray:
    """Rows for ids; ids that are not in 0 … depth − 1 leave no mark.

    Parameters
    ----------
    ids : int64 array
    mode : {"int", "one_hot", "multi_hot", "count"}
        one_hot: a row for each id, in place of a last axis of length 1, else behind the last axis; the others: a row
        for all ids of the last axis.
    depth : int
        The length of a row.
    dtype : str
        Of the rows.

    Examples
    --------
    >>> ids = np.array([[0, 2, 2]])
    >>> encode(ids, "count", 3, "float32").tolist(), encode(ids, "one_hot", 3, "float32").shape
    ([[1.0, 0.0, 2.0]], (1, 3, 3))
    """
    if mode == "int":
        return ids
    if mode == "one_hot":
        ids = ids[..., 0] if ids.ndim > 1 and ids.shape[-1] == 1 else ids
        return (ids[..., None] == np.arange(depth)).astype(dtype)
    ids = ids.reshape(1) if ids.ndim == 0 else ids
    flat = ids.reshape(-1, ids.shape[-1])
    known = (flat >= 0) & (flat < depth)
    places = (np.arange(len(flat))[:, None] * depth + flat)[known]
    counts = np.bincount(places, minlength=len(flat) * depth).reshape(*ids.shape[:-1], depth)
    return (counts > 0 if mode == "multi_hot" else counts).astype(dtype)


class Encoding(Layer):
    """Base of layers that give ids, or rows of them, by ``output_mode``."""

    output_mode: str

    def depth(self) -> int:
        """The length of a row."""
        raise NotImplementedError

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        if self.output_mode == "int":
            return input_shape
        if self.output_mode == "one_hot" and (len(input_shape) < 2 or input_shape[-1] != 1):
            return (*input_shape, self.depth())
        return (*input_shape[:-1], self.depth())

    def output_dtype(self, dtypes: Any) -> str:
        return "int64" if self.output_mode == "int" else self.dtype

    def backward(self, dy: np.ndarray, ctx: Any, need_dx: bool = True) -> np.ndarray | None:
        """Counts have no gradient."""
        return np.zeros(ctx, dy.dtype) if need_dx else None

"""What a query may see: the masks of a call, brought into the form of the kernels."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["combined", "pair_mask", "read_pair_mask"]


def combined(a: np.ndarray | None, b: np.ndarray | None) -> np.ndarray | None:
    """A mask that keeps what both keep; None keeps all."""
    return b if a is None else a if b is None else np.logical_and(a, b)


def read_pair_mask(mask: Any, layer: Any) -> np.ndarray:
    """An ``attention_mask`` from the user as bool, True where a query may see a key.

    Raises
    ------
    TypeError
        If it holds no numbers.
    ValueError
        If a value is NaN.
    """
    found = np.asarray(mask)
    if found.dtype.kind not in "biuf":
        raise TypeError(
            f'attention_mask of layer "{layer.name}" must be an array of bool, True where a query may see a key, or of '
            f"numbers, 0 where it may not. Received: dtype {found.dtype}."
        )
    if found.dtype.kind == "f" and np.isnan(found).any():
        raise ValueError(
            f'attention_mask of layer "{layer.name}" must not hold NaN. Received: NaN at index '
            f"{tuple(map(int, np.argwhere(np.isnan(found))[0]))}."
        )
    return found.astype(bool, copy=False)


def pair_mask(mask: np.ndarray, scores: tuple[int, ...], layer: Any) -> tuple[np.ndarray | None, np.ndarray | None]:
    """A mask of pairs as the kernel reads it, and as a mask of keys where all queries see the same.

    Parameters
    ----------
    mask : array of bool (Tq, Tk), (B, Tq, Tk) or (B, N, Tq, Tk)
        Any axis may be 1.
    scores : tuple of int
        (B, N, Tq, Tk).
    layer : Layer
        Named in errors.

    Returns
    -------
    pairs : array (Tq, Tk), (B or 1, Tq, Tk) or (B or 1, N or 1, Tq, Tk), or None
    keys : array (B, Tk), or None

    Raises
    ------
    ValueError
        If the mask does not stretch over the scores.
    """
    batch, heads, queries, keys = scores
    full = {2: (queries, keys), 3: (batch, queries, keys), 4: scores}.get(mask.ndim)
    if full is None or any(n not in (1, length) for n, length in zip(mask.shape, full, strict=True)):
        raise ValueError(
            f'attention_mask of layer "{layer.name}" must have shape (Tq, Tk), (batch, Tq, Tk) or (batch, heads, Tq, '
            f"Tk), where any axis may be 1. Received: shape {mask.shape}; there are {batch} sequences, {heads} heads, "
            f"{queries} queries and {keys} keys."
        )
    if mask.shape[-2] == 1 and (mask.ndim < 4 or mask.shape[1] == 1):
        row = mask.reshape(-1, mask.shape[-1])
        return None, np.ascontiguousarray(np.broadcast_to(row, (batch, keys)))
    return np.ascontiguousarray(np.broadcast_to(mask, (*mask.shape[:-2], queries, keys))), None

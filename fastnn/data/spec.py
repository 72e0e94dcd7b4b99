"""The shapes and dtypes of the elements of a dataset."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .structure import as_array, flatten, map_leaves, rebuild, same_structure

__all__ = ["TensorSpec", "conform", "spec_of"]


@dataclass(frozen=True, init=False)
class TensorSpec:
    """The shape and dtype of a leaf.

    Parameters
    ----------
    shape : tuple of int or None
        An entry None means any length; None means any shape.
    dtype : dtype, or its name

    Examples
    --------
    >>> TensorSpec((None, 28), "float32")
    TensorSpec(shape=(None, 28), dtype=float32)
    """

    shape: tuple[int | None, ...] | None
    dtype: np.dtype

    def __init__(self, shape: Any = None, dtype: Any = "float32"):
        object.__setattr__(self, "shape", None if shape is None else tuple(shape))
        object.__setattr__(self, "dtype", np.dtype(dtype))

    def __repr__(self) -> str:
        return f"TensorSpec(shape={self.shape}, dtype={self.dtype})"

    def batched(self, size: int | None, padded: bool = False) -> TensorSpec:
        """Return the spec of a batch of these rows."""
        if self.shape is None:
            return self
        return TensorSpec((size, *((None,) * len(self.shape) if padded else self.shape)), self.dtype)


def spec_of(element: Any) -> Any:
    """Return the specs of an element's leaves, nested like the element.

    Examples
    --------
    >>> spec_of((np.zeros((2, 3)), np.int64(1)))
    (TensorSpec(shape=(2, 3), dtype=float64), TensorSpec(shape=(), dtype=int64))
    """
    return map_leaves(
        lambda leaf: TensorSpec(np.shape(leaf), object if isinstance(leaf, (str, bytes)) else leaf.dtype), element
    )


def conform(value: Any, signature: Any) -> Any:
    """Cast ``value`` to the dtypes of ``signature``.

    Raises
    ------
    TypeError
        If it is nested differently, or a dtype cannot be cast to the one in the signature.
    ValueError
        If a shape differs from the one in the signature.
    """
    if not same_structure(signature, value):
        raise TypeError(f"The generator must yield elements of output_signature {signature}. Received: {value!r}.")
    return rebuild(value, map(_conform_leaf, flatten(value), flatten(signature)))


def _conform_leaf(leaf: Any, spec: TensorSpec) -> Any:
    strings = spec.dtype.kind in "OSU"
    if strings and isinstance(leaf, (str, bytes)):
        return leaf
    array = as_array(leaf) if isinstance(leaf, list) and leaf else np.asarray(leaf)
    if array.size and not np.can_cast(array.dtype, spec.dtype, "same_kind"):
        raise TypeError(
            f"The generator must yield {spec.dtype}, as in output_signature. Received: dtype {array.dtype}."
        )
    shape = spec.shape
    fits = shape is None or (
        len(shape) == array.ndim and all(n is None or n == m for n, m in zip(shape, array.shape, strict=True))
    )
    if not fits:
        raise ValueError(f"The generator must yield shape {shape}, as in output_signature. Received: {array.shape}.")
    return array.astype(spec.dtype, copy=False)[()]

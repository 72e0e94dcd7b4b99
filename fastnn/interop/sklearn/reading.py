"""What estimators are given, as arrays that models take."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils.validation import _check_sample_weight

__all__ = ["as_readable", "read_sample_weight"]


def as_readable(x: Any) -> np.ndarray:
    """Numbers as they came, whole numbers too: a model reads them batch by batch.  Only long doubles are converted.

    Examples
    --------
    >>> as_readable(np.zeros((2, 3), np.uint8)).dtype
    dtype('uint8')
    """
    native = x.dtype.newbyteorder("=")
    return x.astype(np.float64 if native.kind == "f" and native.itemsize > 8 else native, copy=False)


def read_sample_weight(weight: Any, x: np.ndarray) -> np.ndarray | None:
    """One weight for each example, as float64.

    Raises
    ------
    ValueError
        If they are not one finite number for each example, or some are negative, or all are 0.
    """
    if weight is None:
        return None
    weight = _check_sample_weight(weight, x, dtype=np.float64)
    if (weight < 0).any():
        raise ValueError(f"Negative values in data passed to sample_weight. Received: {weight.min()}. Use weights ≥ 0.")
    if not weight.any():
        raise ValueError("sample_weight must have a positive weight for at least one example. Received: all zero.")
    return weight

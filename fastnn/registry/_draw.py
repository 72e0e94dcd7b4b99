"""Random arrays for the registry's cases, and awkward sizes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

# Elementwise kernels: no element, one, just around a vector's width, more than one axis, no axis.
SHAPES = ((0,), (1,), (7,), (8,), (9,), (17,), (31,), (3, 0), (5, 13), (2, 3, 4, 5), ())
# Rows and columns; the last axis has at least one entry.
TABLES = ((0, 3), (1, 1), (1, 17), (7, 8), (9, 7), (31, 10), (17, 31), (2, 129))


def reals(rng: np.random.Generator, shape: Sequence[int], dtype: Any, spread: float = 1.0) -> np.ndarray:
    """Return normal numbers with standard deviation `spread`."""
    return np.asarray(rng.standard_normal(shape) * spread).astype(dtype)


def uniform(rng: np.random.Generator, shape: Sequence[int], dtype: np.dtype, low: float, high: float) -> np.ndarray:
    """Return uniform numbers in [low, high)."""
    return np.asarray(rng.uniform(low, high, shape)).astype(dtype)


def eighths(rng: np.random.Generator, shape: Sequence[int], dtype: np.dtype) -> np.ndarray:
    """Return small integers divided by 8: sums of thousands of their products are exact in float32."""
    return np.asarray(rng.integers(-8, 9, shape) / 8).astype(dtype)


def probabilities(rng: np.random.Generator, shape: Sequence[int], dtype: np.dtype) -> np.ndarray:
    """Return rows of positive numbers that sum to 1."""
    e = np.exp(rng.standard_normal(shape))
    return (e / e.sum(axis=-1, keepdims=True)).astype(dtype)


def nbytes(*arrays: np.ndarray | None) -> int:
    """Return the bytes of all given arrays."""
    return sum(a.nbytes for a in arrays if a is not None)

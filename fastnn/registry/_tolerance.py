"""Error bounds that several families share. Each states its derivation; none is chosen to make a test pass."""

from __future__ import annotations

import numpy as np

from fastnn.reference.activations import DEFAULT_ALPHA, SELU_ALPHA, SELU_SCALE, fused_gradient


def ulps(count: float):
    """Allow `count` units in the last place of the expected value, in the compiled dtype.

    The reference is NumPy's float64, itself up to one unit off in a float64 test, so one more is allowed there.
    """

    def tolerance(case, expected, eps):
        dtype = np.float32 if eps > 1e-10 else np.float64
        allowed = count if dtype == np.float32 else count + 1
        with np.errstate(over="ignore"):
            unit = np.spacing(np.abs(np.asarray(expected[0])).astype(dtype)).astype(np.float64)
        return (allowed * unit,)

    return tolerance


def equal(case, expected, eps):
    """Allow no difference: the kernel moves data, or rounds once as its twin does."""
    return tuple(None if e is None else 0 for e in expected)


def slopes(activation: str, y: np.ndarray) -> np.ndarray:
    """Return |act′| computed from the output."""
    return np.abs(fused_gradient(np.ones_like(y), y, activation))


def roundings(count: float):
    """Allow `count` roundings of the expected value, each of ε/2."""

    def tolerance(case, expected, eps):
        return tuple(None if e is None else count / 2 * eps * np.abs(e) for e in expected)

    return tolerance


# The largest slope of each activation; exponential's is its value.
STEEPEST = {"selu": SELU_SCALE * SELU_ALPHA, "leaky_relu": max(1, DEFAULT_ALPHA["leaky_relu"])}


def activation_growth(activation: str, sums: np.ndarray, y: np.ndarray, eps: float) -> np.ndarray:
    """Return the error of act(z) for an error `sums` of z: the steepest slope times that, plus its own 4·ε·(1 + |y|).

    linear and relu add no error. elu, selu and softplus subtract or add near 1, so their own error is absolute.
    """
    if activation in ("linear", "relu"):
        return sums
    steepest = np.abs(y) * np.exp(sums) if activation == "exponential" else STEEPEST.get(activation, 1)
    return steepest * sums + 4 * eps * (1 + np.abs(y))

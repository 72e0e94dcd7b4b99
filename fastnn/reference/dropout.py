"""Twins of dropout and of the counter-based random numbers behind it."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastnn import checks

__all__ = ["dropout_forward", "dropout_backward", "random_bits", "random_normal"]

_MULTIPLIERS = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_KEY_STEPS = 0x9E3779B9, 0xBB67AE85
_LOW, _SHIFT = np.uint64(0xFFFFFFFF), np.uint64(32)


def _philox(counter: list[np.ndarray], key: tuple[int, int]) -> list[np.ndarray]:
    """Philox4x32-10: map four counter words (32 bits, stored as uint64) to four random words.

    One round: (c0, c1, c2, c3) → (hi(M1·c2) ^ c1 ^ k0, lo(M1·c2), hi(M0·c0) ^ c3 ^ k1, lo(M0·c0)). The key is advanced
    after each round.
    """
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(10):
        first, second = _MULTIPLIERS[0] * c0, _MULTIPLIERS[1] * c2
        c0, c1, c2, c3 = (
            (second >> _SHIFT) ^ c1 ^ np.uint64(k0),
            second & _LOW,
            (first >> _SHIFT) ^ c3 ^ np.uint64(k1),
            first & _LOW,
        )
        k0, k1 = (k0 + _KEY_STEPS[0]) % 2**32, (k1 + _KEY_STEPS[1]) % 2**32
    return [c0, c1, c2, c3]


def random_bits(n: int, key: int, call: int, *, bits: np.ndarray | None = None) -> np.ndarray:
    """Random 32-bit words that depend only on (key, call, index).

    bits[i] = word i % 4 of Philox4x32-10 with key (key low, key high) and
    counter (i/4 low, i/4 high, call low, call high).

    Parameters
    ----------
    n : int
    key, call : int in [0, 2⁶⁴)
    bits : uint32 array (n,), optional
        Where to write the result.

    Raises
    ------
    TypeError, ValueError
        If a number is not an integer or is out of range, or `bits` does not fit.

    References
    ----------
    J. K. Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011.

    Examples
    --------
    >>> [hex(word) for word in random_bits(4, 0, 0)]
    ['0x6627e8d5', '0xe169c58d', '0xbc57ac4c', '0x9b00dbd8']
    """
    n, key, call = checks.count("n", n), checks.word64("key", key), checks.word64("call", call)
    bits = checks.result("bits", bits, (n,), np.uint32)
    block = np.arange((n + 3) // 4, dtype=np.uint64)
    call_words = [np.full_like(block, call % 2**32), np.full_like(block, call // 2**32)]
    words = _philox([block & _LOW, block >> _SHIFT, *call_words], (key % 2**32, key // 2**32))
    bits[...] = np.stack(words, axis=1).reshape(-1)[:n]
    return bits


def random_normal(n: int, key: int, call: int, dtype: Any = "float32", *, z: np.ndarray | None = None) -> np.ndarray:
    """Normal numbers of mean 0 and deviation 1 that depend on (key, call, index) alone.

    z[2k] = r·cos 2πv, z[2k + 1] = r·sin 2πv with r = √(−2 ln(1 − u)), u = bits(2k)·2⁻³², v = bits(2k + 1)·2⁻³², and the
    bits of `random_bits` for the same key and call.  |z| is at most 6.66, √(64 ln 2).

    Parameters
    ----------
    n : int
    key, call : int in [0, 2⁶⁴)
    dtype : {"float32", "float64"}
        Both hold the same numbers, rounded.
    z : array (n,) of `dtype`, optional
        Where to write.

    Raises
    ------
    TypeError, ValueError
        If a number is not an integer or out of range, or `z` does not fit.

    References
    ----------
    G. E. P. Box, M. E. Muller, "A note on the generation of random normal deviates", Annals of Mathematical
    Statistics 29, 1958.

    Examples
    --------
    >>> random_normal(4, 0, 0, "float64").round(4)
    array([ 0.7379, -0.6884, -1.286 , -1.0038])
    """
    n = checks.count("n", n)
    dtype = np.dtype(checks.choice("dtype", getattr(dtype, "__name__", None) or str(dtype), ("float32", "float64")))
    words = random_bits(n + n % 2, key, call) * 2.0**-32
    radius, angle = np.sqrt(-2 * np.log1p(-words[::2])), 2 * np.pi * words[1::2]
    z = checks.result("z", z, (n,), dtype)
    z[...] = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1).reshape(-1)[:n]
    return z


def _dropout(
    name: str, x: np.ndarray, rate: float, key: int, call: int, result: str, y: np.ndarray | None
) -> np.ndarray:
    x, rate = checks.real(name, x), checks.number("rate", rate, 0, 1)
    bits = random_bits(x.size, key, call).reshape(x.shape)
    y = checks.result(result, y, x.shape, x.dtype, x, elementwise=True)
    if rate == 1:
        y[...] = 0
    else:
        with np.errstate(all="ignore"):
            y[...] = np.where(bits < (1 - rate) * 2.0**32, x * x.dtype.type(1 / (1 - rate)), 0)
    return y


def dropout_forward(x: np.ndarray, rate: float, key: int, call: int, *, y: np.ndarray | None = None) -> np.ndarray:
    """Dropout: element i is kept and scaled by 1 / (1 − rate) if bits(i) < (1 − rate)·2³², else it is 0.

    `bits` are those of `random_bits` for the same key and call; i counts the elements in C order. A dropped NaN becomes
    0.

    Parameters
    ----------
    x : array of any shape
    rate : float in [0, 1]
    key, call : int in [0, 2⁶⁴)
    y : array of that shape, optional
        Where to write the result; may be `x` itself.

    Raises
    ------
    TypeError, ValueError
        If dtypes or numbers do not fit.

    References
    ----------
    N. Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", JMLR 15, 2014.

    Examples
    --------
    >>> dropout_forward([1.0, 2.0, 3.0, 4.0], 0.5, 0, 0)
    array([2., 0., 0., 0.])
    """
    return _dropout("x", x, rate, key, call, "y", y)


def dropout_backward(dy: np.ndarray, rate: float, key: int, call: int, *, dx: np.ndarray | None = None) -> np.ndarray:
    """Gradient of dropout: the same mask and scale on dy.

    Parameters
    ----------
    dy : array of any shape
    rate, key, call
        Those of the forward kernel.
    dx : array of that shape, optional
        Where to write the result; may be `dy` itself.

    Raises
    ------
    TypeError, ValueError
        If dtypes or numbers do not fit.

    Examples
    --------
    >>> dropout_backward([1.0, 1.0, 1.0, 1.0], 0.5, 0, 0)
    array([2., 0., 0., 0.])
    """
    return _dropout("dy", dy, rate, key, call, "dx", dx)

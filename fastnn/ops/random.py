"""Random numbers, on the library's counters: a run repeats from its seed.

The words are those of ``keras.random``; ``fastnn.random`` is this module.  A node that draws gives new numbers in each
run of the model.

>>> import fastnn
>>> fastnn.utils.set_random_seed(1)
>>> first = normal((2, 3))
>>> fastnn.utils.set_random_seed(1)
>>> bool((normal((2, 3)) == first).all())
True
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..backend import active, floatx
from ..graph import Source, is_tracing, next_draw, record
from ..lookup import is_number
from ..shapes import Shape
from ..utils import draw_key
from .arithmetic import add, mod, multiply, subtract
from .conversion import cast, dtype_of
from .creation import known
from .function import Elementwise, Function

__all__ = ["SeedGenerator", "dropout", "normal", "randint", "uniform"]

_MASK = (1 << 64) - 1


class SeedGenerator:
    """A stream of random numbers: a key, and the number of draws so far.

    Give it to the functions here as ``seed=``, so that a layer has a stream of its own.

    Parameters
    ----------
    seed : int, optional
        A fixed start; None takes one from ``fastnn.utils.set_random_seed``.

    Examples
    --------
    >>> stream = SeedGenerator(7)
    >>> a, b = uniform((2,), seed=stream), uniform((2,), seed=stream)
    >>> bool((a == b).any())
    False
    """

    def __init__(self, seed: int | None = None):
        self.seed = seed
        self.key = draw_key() if seed is None else int(seed) & _MASK
        self.calls = 0

    def next(self) -> tuple[int, int]:
        """The key and counter of the next draw."""
        return self.key, next_draw(self)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make this stream from its start."""
        return {"seed": self.seed}


class _Same:
    """What an integer seed means: the same numbers in each call."""

    def __init__(self, seed: int):
        self.key = int(seed) & _MASK

    def next(self) -> tuple[int, int]:
        return self.key, 0

    def get_config(self) -> dict[str, Any]:
        """The argument that makes it again."""
        return {"seed": self.key}


STREAMS = (SeedGenerator, _Same)
"""What draws, and what a config may make again."""


def _stream(name: str, seed: Any) -> Any:
    if seed is None:
        return SeedGenerator()
    if isinstance(seed, (int, np.integer)) and not isinstance(seed, bool):
        return _Same(int(seed))
    if hasattr(seed, "next"):
        return seed
    raise TypeError(f"random.{name}: seed must be an integer, a SeedGenerator or None. Received: seed={seed!r}.")


class Draw(Function, Source):
    """Numbers from a stream, new ones in each run.

    Parameters
    ----------
    distribution : {"normal", "uniform", "bits"}
    shape : tuple of int
    dtype : str
    stream : SeedGenerator
    """

    takes_several = True

    def __init__(self, distribution: str, shape: tuple[int, ...], dtype: str, stream: Any):
        self.distribution, self.shape, self.dtype, self.stream = distribution, shape, dtype, stream
        self.name = f"random_{distribution}"

    def __call__(self) -> Any:
        """The numbers; while a ``call`` is being traced, the symbol of them."""
        return record(self, [], self.shape, self.dtype) if is_tracing() else self.forward([])[0]

    def forward(self, x, training=False):
        numbers = _DRAWS[self.distribution](math.prod(self.shape), self.dtype, *self.stream.next())
        return numbers.astype(self.dtype, copy=False).reshape(self.shape), None

    def backward(self, dy, ctx, need_dx=True):
        return []


def _bits(n: int, dtype: str, key: int, call: int) -> np.ndarray:
    """Random integers from 0 to 2⁶³ − 1."""
    return (active().random_bits(2 * n, key, call).view(np.uint64) >> np.uint64(1)).view(np.int64)


def _uniform(n: int, dtype: str, key: int, call: int) -> np.ndarray:
    """From 0 up to but without 1: as many bits as the dtype holds, so that no rounding gives 1."""
    if dtype == "float64":
        return (_bits(n, dtype, key, call) >> 10) * 2.0**-53
    return (active().random_bits(n, key, call) >> np.uint32(8)) * np.float32(2.0**-24)


def _normal(n: int, dtype: str, key: int, call: int) -> np.ndarray:
    """Two uniform numbers give two normal ones, by a radius and an angle (Box and Muller, 1958)."""
    bits = active().random_bits(2 * -(-n // 2), key, call)
    radius = np.sqrt(-2 * np.log((bits[::2] + 1.0) * 2.0**-32))
    angle = bits[1::2] * (2 * np.pi * 2.0**-32)
    return np.concatenate([radius * np.cos(angle), radius * np.sin(angle)])[:n]


_DRAWS = {"normal": _normal, "uniform": _uniform, "bits": _bits}


class Drop(Elementwise):
    """Zeros in the place of some numbers, the others scaled; the gradient goes the same way.

    Parameters
    ----------
    rate : float
    stream : SeedGenerator
    noise_shape : tuple of int or None, optional
    """

    name = "dropout"
    kind = "f"

    def __init__(self, rate: float, stream: Any, noise_shape: tuple[int | None, ...] | None = None):
        self.rate, self.stream, self.noise_shape = rate, stream, noise_shape

    def compute_output_shape(self, input_shape: Any) -> Any:
        noise = self._noise(input_shape)
        sizes = zip(noise[::-1], input_shape[::-1], strict=False)
        if len(noise) > len(input_shape) or any(k != 1 and None not in (k, n) and k != n for k, n in sizes):
            raise ValueError(
                f"random.dropout: noise_shape must broadcast to the input. Received: noise_shape={self.noise_shape} "
                f"for an array of shape {tuple(input_shape)}."
            )
        return input_shape

    def _noise(self, shape: Any) -> Shape:
        noise = self.noise_shape or ()
        return tuple(shape[i - len(noise)] if n is None else n for i, n in enumerate(noise))

    def forward(self, x, training=False):
        key, call = self.stream.next()
        if self.noise_shape is None:
            return active().dropout_forward(x, self.rate, key, call), (key, call)
        factors = active().dropout_forward(np.ones(self._noise(x.shape), x.dtype), self.rate, key, call)
        return x * factors, factors

    def backward(self, dy, ctx, need_dx=True):
        if self.noise_shape is None:
            return active().dropout_backward(dy, self.rate, *ctx)
        return dy * ctx


def normal(shape: Sequence[int], mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Any = None) -> Any:
    """Normal numbers of this mean and standard deviation.

    Parameters
    ----------
    shape : tuple of int
    mean, stddev : number, array or Symbol
    dtype : str, optional
        Default: ``backend.floatx()``.
    seed : int or SeedGenerator, optional
        An integer gives the same numbers in each call.  None: a stream from ``fastnn.utils.set_random_seed``.

    Raises
    ------
    ValueError
        If a size is open.

    Examples
    --------
    >>> normal((2, 3), seed=1).shape
    (2, 3)
    """
    z = Draw("normal", known("random.normal", shape), _real("normal", dtype), _stream("normal", seed))()
    return _placed(z, mean, stddev)


def uniform(shape: Sequence[int], minval: Any = 0.0, maxval: Any = 1.0, dtype: Any = None, seed: Any = None) -> Any:
    """Numbers from ``minval`` up to ``maxval``, all alike.

    Parameters
    ----------
    shape : tuple of int
    minval, maxval : number, array or Symbol
    dtype, seed
        As for ``normal``.

    Examples
    --------
    >>> bool((uniform((100,), 2, 3, seed=1) >= 2).all())
    True
    """
    u = Draw("uniform", known("random.uniform", shape), _real("uniform", dtype), _stream("uniform", seed))()
    return _placed(u, minval, 1.0 if _is(minval, 0) and _is(maxval, 1) else subtract(maxval, minval))


def randint(shape: Sequence[int], minval: int, maxval: int, dtype: Any = "int32", seed: Any = None) -> Any:
    """Integers from ``minval`` up to but without ``maxval``, all alike.

    Parameters
    ----------
    shape : tuple of int
    minval, maxval : int
    dtype : str
        Integers of any width mean int64.
    seed
        As for ``normal``.

    Raises
    ------
    ValueError
        If no integer lies between them.

    Examples
    --------
    >>> sorted(set(randint((100,), 0, 3, seed=1).tolist()))
    [0, 1, 2]
    """
    low, high = operator.index(minval), operator.index(maxval)
    if high <= low:
        raise ValueError(f"random.randint: minval must be below maxval. Received: minval={minval}, maxval={maxval}.")
    bits = Draw("bits", known("random.randint", shape), "int64", _stream("randint", seed))()
    return cast(add(mod(bits, high - low), low), dtype_of("random.randint", dtype))


def dropout(inputs: Any, rate: float, noise_shape: Sequence[int | None] | None = None, seed: Any = None) -> Any:
    """Zeros in the place of a share of the numbers; the others grow by 1 / (1 − rate).

    Parameters
    ----------
    inputs : array or Symbol
    rate : float
        From 0 to 1.
    noise_shape : tuple of int or None, optional
        Shape of the mask, which is stretched over axes of length 1; None means the size of the input there.
    seed
        As for ``normal``.

    Examples
    --------
    >>> sorted(set(dropout(np.ones(100), 0.5, seed=1).tolist()))
    [0.0, 2.0]
    """
    if not is_number(rate) or not 0 <= rate <= 1:
        raise ValueError(f"random.dropout: rate must be a number from 0 to 1. Received: rate={rate!r}.")
    noise = None if noise_shape is None else tuple(noise_shape)
    return Drop(float(rate), _stream("dropout", seed), noise)(inputs)


def _placed(z: Any, offset: Any, factor: Any) -> Any:
    z = z if _is(factor, 1) else multiply(z, factor)
    return z if _is(offset, 0) else add(z, offset)


def _is(value: Any, number: int) -> bool:
    return isinstance(value, (int, float)) and value == number


def _real(name: str, dtype: Any) -> str:
    found = floatx() if dtype is None else dtype_of(f"random.{name}", dtype)
    if not found.startswith("float"):
        raise ValueError(f"random.{name} gives reals. Received: dtype={dtype!r}. Use randint for integers.")
    return found

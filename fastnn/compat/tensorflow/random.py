"""``tf.random``: numbers drawn from fastnn's one stream, which ``set_seed`` starts.

The numbers for a seed differ from TensorFlow's, but runs are reproducible.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import absent, ops
from ... import random as draws
from ...graph import as_tensor
from ...utils import set_random_seed
from .tensors import as_dtype, tensor

__all__ = [
    "Generator", "categorical", "gamma", "get_global_generator", "normal", "poisson", "set_seed", "shuffle",
    "stateless_normal", "stateless_uniform", "truncated_normal", "uniform",
]  # fmt: skip


def set_seed(seed: int) -> None:
    """Start the stream of all random numbers, those of layers and shuffles too.

    Examples
    --------
    >>> set_seed(1)
    >>> a = normal((2,))
    >>> set_seed(1)
    >>> a.tolist() == normal((2,)).tolist()
    True
    """
    set_random_seed(int(seed))


def _shape(shape: Any) -> tuple[int, ...]:
    return tuple(int(n) for n in np.atleast_1d(np.asarray(shape)))


def normal(
    shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = "float32", seed: int | None = None,
    name: str | None = None,
) -> Any:  # fmt: skip
    """Normal numbers."""
    return as_tensor(draws.normal(_shape(shape), mean, stddev, as_dtype(dtype).name, seed))


def uniform(
    shape: Any, minval: Any = 0, maxval: Any = None, dtype: Any = "float32", seed: int | None = None,
    name: str | None = None,
) -> Any:  # fmt: skip
    """Numbers from ``minval`` up to, but not including, ``maxval``, which is required for integers."""
    kind = as_dtype(dtype)
    if kind.kind in "iu":
        if maxval is None:
            raise ValueError("uniform needs a maxval for integers. Use tf.random.uniform(shape, 0, 10, tf.int32).")
        return as_tensor(np.asarray(draws.randint(_shape(shape), int(minval), int(maxval), seed=seed)).astype(kind))
    return as_tensor(draws.uniform(_shape(shape), minval, 1.0 if maxval is None else maxval, kind.name, seed))


def truncated_normal(
    shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = "float32", seed: int | None = None,
    name: str | None = None,
) -> Any:  # fmt: skip
    """Normal numbers at most two deviations from the mean: numbers farther away are drawn again."""
    found = np.array(normal(shape, 0.0, 1.0, dtype, seed), subok=False)
    step = 0
    while (far := np.abs(found) > 2).any():
        step += 1
        found[far] = normal((int(far.sum()),), 0.0, 1.0, dtype, None if seed is None else seed + step)
    return as_tensor((found * stddev + mean).astype(as_dtype(dtype)))


def _generator(seed: int | None) -> np.random.Generator:
    bits = draws.randint((2,), 0, 2**31 - 1, seed=seed)
    return np.random.default_rng([int(n) for n in np.asarray(bits)])


def shuffle(value: Any, seed: int | None = None, name: str | None = None) -> Any:
    """The rows in another order."""
    x = tensor(value)
    return x[_generator(seed).permutation(len(x))]


def categorical(
    logits: Any, num_samples: int, dtype: Any = None, seed: int | None = None, name: str | None = None
) -> Any:
    """Classes drawn with the probabilities ``softmax(logits)``, ``num_samples`` for each row."""
    p = np.asarray(ops.softmax(tensor(logits)), np.float64).cumsum(-1)
    u = _generator(seed).random((*p.shape[:-1], int(num_samples), 1)) * p[..., -1:][..., None, :]
    return as_tensor((u >= p[..., None, :]).sum(-1).astype(dtype or np.int64))


def poisson(shape: Any, lam: Any, dtype: Any = "float32", seed: int | None = None, name: str | None = None) -> Any:
    """Counts of a mean of ``lam``."""
    return as_tensor(
        _generator(seed).poisson(np.asarray(lam), (*_shape(shape), *np.shape(lam))).astype(as_dtype(dtype))
    )


def gamma(
    shape: Any, alpha: Any, beta: Any = 1.0, dtype: Any = "float32", seed: int | None = None, name: str | None = None
) -> Any:
    """Numbers of the gamma distribution."""
    found = _generator(seed).gamma(np.asarray(alpha), 1 / np.asarray(beta), (*_shape(shape), *np.shape(alpha)))
    return as_tensor(found.astype(as_dtype(dtype)))


def _one_number(seed: Any) -> int:
    a, b = (int(n) for n in np.asarray(seed))
    return (a * 0x9E3779B1 + b) % (1 << 63)


def stateless_normal(shape: Any, seed: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = "float32") -> Any:
    """Normal numbers that depend on the two numbers of ``seed`` alone."""
    return normal(shape, mean, stddev, dtype, _one_number(seed))


def stateless_uniform(shape: Any, seed: Any, minval: Any = 0, maxval: Any = None, dtype: Any = "float32") -> Any:
    """Uniform numbers that depend on the two numbers of ``seed`` alone."""
    return uniform(shape, minval, maxval, dtype, _one_number(seed))


class Generator:
    """A stream of its own: ``tf.random.Generator.from_seed(1).normal((2, 3))``."""

    def __init__(self, seed: int | None = None):
        self._stream: Any = draws.SeedGenerator(seed)

    @classmethod
    def from_seed(cls, seed: int, alg: Any = None) -> Generator:
        """A stream that starts at a seed."""
        return cls(int(seed))

    @classmethod
    def from_non_deterministic_state(cls, alg: Any = None) -> Generator:
        """A stream whose start is drawn from the one that ``set_seed`` starts."""
        return cls()

    def normal(self, shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = "float32") -> Any:
        """Normal numbers."""
        return normal(shape, mean, stddev, dtype, self._stream)

    def uniform(self, shape: Any, minval: Any = 0, maxval: Any = None, dtype: Any = "float32") -> Any:
        """Uniform numbers."""
        return uniform(shape, minval, maxval, dtype, self._stream)


def get_global_generator() -> Generator:
    """A stream that continues the one that ``set_seed`` starts."""
    return Generator()


__getattr__ = absent.answer(__name__)

"""Initial values of weights: ``initializer(shape, dtype)`` returns an array; Keras' names, defaults and fans.

Random initializers draw from ``fastnn.utils.random_generator``: ``seed=None`` uses the next key of the stream that
``fastnn.utils.set_random_seed`` restarts; an integer gives the same values on every call.  Values are drawn in float64
and then rounded, so that a float32 and a float64 model start from the same point.

    >>> HeNormal(seed=1)((3, 2)).shape
    (3, 2)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from fastnn import absent, backend, seeds
from fastnn.lookup import is_number, lookup, names_of
from fastnn.lookup import serialize as serialize

__all__ = [
    "Constant",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Identity",
    "IdentityInitializer",
    "Initializer",
    "LecunNormal",
    "LecunUniform",
    "Ones",
    "Orthogonal",
    "OrthogonalInitializer",
    "RandomNormal",
    "RandomUniform",
    "TruncatedNormal",
    "VarianceScaling",
    "Zeros",
    "compute_fans",
    "constant",
    "deserialize",
    "get",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "identity",
    "lecun_normal",
    "lecun_uniform",
    "ones",
    "orthogonal",
    "random_normal",
    "random_uniform",
    "serialize",
    "truncated_normal",
    "variance_scaling",
    "zeros",
]  # fmt: skip

# The standard deviation of a standard normal truncated at ±2; dividing a truncated draw by it restores the variance.
_TRUNCATED_STDDEV = 0.87962566103423978


def compute_fans(
    shape: Sequence[int], input_axes: Sequence[int] | None = None, output_axes: Sequence[int] | None = None
) -> tuple[int, int]:
    """Return the number of inputs of one output of a weight, and the number of outputs of one input.

    ``fan_in = receptive field · channels in``, ``fan_out = receptive field · channels out``.

    Parameters
    ----------
    shape : sequence of int
        ``()``, ``(n,)``, ``(in, out)`` or ``(*kernel, in, out)``.
    input_axes, output_axes : sequence of int, optional
        The axes that are inputs and those that are outputs, for a weight that is not a convolution kernel; the fans
        are the products of their sizes.  Give both or neither.

    Examples
    --------
    >>> compute_fans((784, 256)), compute_fans((3, 3, 32, 64))
    ((784, 256), (288, 576))
    >>> compute_fans((64, 4, 16), input_axes=[0], output_axes=[1, 2])
    (64, 64)
    """
    if input_axes is not None and output_axes is not None:
        return math.prod(int(shape[a]) for a in input_axes), math.prod(int(shape[a]) for a in output_axes)
    if len(shape) < 2:
        n = int(shape[0]) if shape else 1
        return n, n
    field = math.prod(int(n) for n in shape[:-2])
    return field * int(shape[-2]), field * int(shape[-1])


class Initializer:
    """Base of all initializers; a subclass implements ``values(shape, rng)`` and keeps its arguments as attributes."""

    seed: int | None = None

    def values(self, shape: tuple[int, ...], rng: Any) -> np.ndarray:
        """Return float64 values of the given shape."""
        raise NotImplementedError(f"{type(self).__name__} has no values(shape, rng). Define one that returns an array.")

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> np.ndarray:
        """Return an array of ``shape``; ``dtype`` defaults to ``fastnn.backend.floatx()``."""
        shape = tuple(int(n) for n in shape)
        if any(n < 0 for n in shape):
            raise ValueError(f"A shape cannot have negative sizes. Received: {shape}.")
        values = self.values(shape, _Draws(self.seed))
        return np.array(values, dtype=dtype or backend.floatx(), order="C")

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that create an equal initializer."""
        return dict(vars(self))

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Create the initializer that ``get_config`` described."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self.get_config().items())})"


class _Draws:
    """A generator that is created on first use, so that Zeros takes no key from the stream."""

    def __init__(self, seed: int | None):
        self._seed = seed
        self._generator: np.random.Generator | None = None

    def __getattr__(self, name: str) -> Any:
        if self._generator is None:
            self._generator = seeds.random_generator(self._seed)
        return getattr(self._generator, name)


class Zeros(Initializer):
    """All 0."""

    def values(self, shape, rng):
        return np.zeros(shape)


class Ones(Initializer):
    """All 1."""

    def values(self, shape, rng):
        return np.ones(shape)


class Constant(Initializer):
    """One value everywhere, or an array that fits the shape."""

    def __init__(self, value: Any = 0.0):
        self.value = value

    def values(self, shape, rng):
        value = np.asarray(self.value, dtype=np.float64)
        try:
            return np.broadcast_to(value, shape)
        except ValueError:
            raise ValueError(
                f"Constant must be a number or an array that broadcasts to the shape of the weight, {shape}. "
                f"Received: an array of shape {value.shape}."
            ) from None


class Identity(Initializer):
    """``gain`` on the diagonal of a matrix, 0 elsewhere."""

    def __init__(self, gain: float = 1.0):
        self.gain = gain

    def values(self, shape, rng):
        if len(shape) != 2:
            raise ValueError(f"Identity needs the shape of a matrix, two sizes. Received: {shape}.")
        return self.gain * np.eye(*shape)


class RandomUniform(Initializer):
    """U(minval, maxval)."""

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: int | None = None):
        self.minval, self.maxval, self.seed = minval, maxval, seed

    def values(self, shape, rng):
        return rng.uniform(self.minval, self.maxval, shape)


class RandomNormal(Initializer):
    """N(mean, stddev²)."""

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None):
        self.mean, self.stddev, self.seed = mean, stddev, seed

    def values(self, shape, rng):
        return self.mean + self.stddev * rng.standard_normal(shape)


class TruncatedNormal(Initializer):
    """N(mean, stddev²), where values beyond two standard deviations are drawn again."""

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None):
        self.mean, self.stddev, self.seed = mean, stddev, seed

    def values(self, shape, rng):
        return self.mean + self.stddev * _truncated(shape, rng)


def _truncated(shape: tuple[int, ...], rng: Any) -> np.ndarray:
    z = np.asarray(rng.standard_normal(shape))
    while (outside := np.abs(z) > 2.0).any():
        z[outside] = rng.standard_normal(int(outside.sum()))
    return z


class VarianceScaling(Initializer):
    """Random values with variance ``scale / fan``, so that signals keep their magnitude from layer to layer.

    Parameters
    ----------
    scale : float
        Positive.
    mode : {"fan_in", "fan_out", "fan_avg"}
    distribution : {"truncated_normal", "untruncated_normal", "uniform"}
        "uniform" draws from ±√(3·scale/fan).
    seed : int, optional
    input_axes, output_axes : sequence of int, optional
        The axes of the two fans: see ``compute_fans``.

    References
    ----------
    Glorot, Bengio: Understanding the difficulty of training deep feedforward neural networks, 2010.
    He, Zhang, Ren, Sun: Delving Deep into Rectifiers, 2015.
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: int | None = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ):
        if not is_number(scale) or scale <= 0:
            raise ValueError(f"scale must be a positive number. Received: scale={scale!r}.")
        if mode not in ("fan_in", "fan_out", "fan_avg"):
            raise ValueError(f'mode must be "fan_in", "fan_out" or "fan_avg". Received: mode={mode!r}.')
        distribution = {"normal": "truncated_normal"}.get(distribution, distribution)
        if distribution not in ("truncated_normal", "untruncated_normal", "uniform"):
            raise ValueError(
                'distribution must be "truncated_normal", "untruncated_normal" or "uniform". '
                f"Received: distribution={distribution!r}."
            )
        if (input_axes is None) != (output_axes is None):
            raise ValueError(
                "input_axes and output_axes must be given together. Received: "
                f"input_axes={input_axes!r}, output_axes={output_axes!r}."
            )
        self.scale, self.mode, self.distribution, self.seed = scale, mode, distribution, seed
        self.input_axes = None if input_axes is None else [int(a) for a in input_axes]
        self.output_axes = None if output_axes is None else [int(a) for a in output_axes]

    def get_config(self):
        return {name: value for name, value in vars(self).items() if value is not None or not name.endswith("_axes")}

    def with_axes(self, input_axes: Sequence[int], output_axes: Sequence[int]) -> VarianceScaling:
        """Return this initializer with these axes for the fans; unchanged if it already has axes.

        Examples
        --------
        >>> GlorotUniform(seed=3).with_axes([0], [1, 2])
        GlorotUniform(seed=3, input_axes=[0], output_axes=[1, 2])
        """
        if self.input_axes is not None:
            return self
        return type(self).from_config(self.get_config() | {"input_axes": input_axes, "output_axes": output_axes})

    def values(self, shape, rng):
        fan_in, fan_out = compute_fans(shape, self.input_axes, self.output_axes)
        fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        variance = self.scale / max(1.0, fan)
        if self.distribution == "uniform":
            limit = math.sqrt(3 * variance)
            return rng.uniform(-limit, limit, shape)
        if self.distribution == "untruncated_normal":
            return math.sqrt(variance) * rng.standard_normal(shape)
        return math.sqrt(variance) / _TRUNCATED_STDDEV * _truncated(shape, rng)


class _Scaled(VarianceScaling):
    """A VarianceScaling with three arguments fixed by its name."""

    fixed: tuple[float, str, str]

    def __init__(
        self,
        seed: int | None = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ):
        super().__init__(*self.fixed, seed=seed, input_axes=input_axes, output_axes=output_axes)

    def get_config(self):
        return {name: value for name, value in super().get_config().items() if name == "seed" or name.endswith("_axes")}


class GlorotUniform(_Scaled):
    """U(±√(6 / (fan_in + fan_out))): the default of Dense and convolution."""

    fixed = (1.0, "fan_avg", "uniform")


class GlorotNormal(_Scaled):
    """Truncated normal of variance 2 / (fan_in + fan_out)."""

    fixed = (1.0, "fan_avg", "truncated_normal")


class HeUniform(_Scaled):
    """U(±√(6 / fan_in)), for layers followed by ReLU."""

    fixed = (2.0, "fan_in", "uniform")


class HeNormal(_Scaled):
    """Truncated normal of variance 2 / fan_in, for layers followed by ReLU."""

    fixed = (2.0, "fan_in", "truncated_normal")


class LecunUniform(_Scaled):
    """U(±√(3 / fan_in))."""

    fixed = (1.0, "fan_in", "uniform")


class LecunNormal(_Scaled):
    """Truncated normal of variance 1 / fan_in, for layers followed by SELU."""

    fixed = (1.0, "fan_in", "truncated_normal")


class Orthogonal(Initializer):
    """A matrix with orthonormal rows or columns (whichever are fewer), times ``gain``.

    The Q factor of a normal matrix, its columns multiplied by the signs of R's diagonal so that every orthogonal matrix
    is equally likely.  A weight of higher rank is treated as ``(product of all sizes but the last, last)``.

    References
    ----------
    Saxe, McClelland, Ganguli: Exact solutions to the nonlinear dynamics of learning in deep linear networks, 2013.
    Mezzadri: How to generate random matrices from the classical compact groups, 2007.
    """

    def __init__(self, gain: float = 1.0, seed: int | None = None):
        self.gain, self.seed = gain, seed

    def values(self, shape, rng):
        if len(shape) < 2:
            raise ValueError(f"Orthogonal needs a shape of at least two sizes. Received: {shape}.")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        q, r = np.linalg.qr(rng.standard_normal((max(rows, columns), min(rows, columns))))
        q = q * np.where(np.diagonal(r) < 0, -1.0, 1.0)
        return self.gain * (q if rows >= columns else q.T).reshape(shape)


# Keras' other names.
zeros = Zeros
ones = Ones
constant = Constant
identity = Identity
random_uniform = RandomUniform
random_normal = RandomNormal
truncated_normal = TruncatedNormal
variance_scaling = VarianceScaling
glorot_uniform = GlorotUniform
glorot_normal = GlorotNormal
he_uniform = HeUniform
he_normal = HeNormal
lecun_uniform = LecunUniform
lecun_normal = LecunNormal
orthogonal = Orthogonal
IdentityInitializer, OrthogonalInitializer = Identity, Orthogonal

_TABLE = names_of(
    [
        Zeros, Ones, Constant, Identity, RandomUniform, RandomNormal, TruncatedNormal, VarianceScaling, GlorotUniform,
        GlorotNormal, HeUniform, HeNormal, LecunUniform, LecunNormal, Orthogonal,
    ],
    zero=Zeros, one=Ones, uniform=RandomUniform, normal=RandomNormal,
)  # fmt: skip


def get(identifier: Any) -> Any:
    """Return the initializer for a name, config, class, array, function or object; None stays None.

    Examples
    --------
    >>> get("glorot_uniform")
    GlorotUniform(seed=None)
    >>> get(np.arange(3.0))((3,), "float32")
    array([0., 1., 2.], dtype=float32)
    """
    if identifier is None:
        return None
    if isinstance(identifier, np.ndarray):
        return Constant(identifier)
    return lookup("initializer", identifier, _TABLE)


deserialize = get

if not TYPE_CHECKING:
    __getattr__ = absent.answer(__name__)

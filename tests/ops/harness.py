"""Functions of arrays as the ``call`` of a layer, their gradients, and draws of arrays."""

import numpy as np

from fastnn import ops
from fastnn.inspect import check_gradients
from fastnn.layers import Layer


class Traced(Layer):
    """A layer whose call is a function of arrays.

    Each input has an axis of length 1 in front, which stands for the batch, so that the function sees the arrays as
    they are.  ``outputs`` is what the function gave last: symbols.
    """

    def __init__(self, function, **settings):
        super().__init__(**settings)
        self.function = function

    def call(self, xs):
        xs = xs if isinstance(xs, list) else [xs]
        self.outputs = self.function(*(x[0] for x in xs))
        if isinstance(self.outputs, (list, tuple)):
            return [ops.expand_dims(y, 0) for y in self.outputs]
        return ops.expand_dims(self.outputs, 0)


def traced(function, arrays, dtype=None):
    """The layer of a function, and what its forward gives for these arrays: outputs (a list) and ctx."""
    dtype = dtype or next((str(a.dtype) for a in arrays if a.dtype.kind == "f"), "float32")
    layer = Traced(function, dtype=dtype)
    batch = [a[None] for a in arrays]
    y, ctx = layer.forward(batch if len(batch) > 1 else batch[0])
    return layer, [part[0] for part in (y if isinstance(y, list) else [y])], ctx


def several(y):
    """One output or several as a list."""
    return list(y) if isinstance(y, (list, tuple)) else [y]


def check_gradient(function, arrays, seed=0, **options):
    """Compare the gradients of a traced function with finite differences of the same function on arrays."""
    arrays = [np.array(a, np.float64 if a.dtype.kind == "f" else a.dtype) for a in arrays]
    layer, outputs, ctx = traced(function, arrays)
    rng = np.random.default_rng(seed)
    weights = [rng.standard_normal(y.shape) if y.dtype.kind == "f" else None for y in outputs]
    dy = [None if w is None else w[None] for w in weights]
    dx = layer.backward(dy if ctx.found.gives_several else dy[0], ctx)
    dx = dx if isinstance(dx, list) else [dx]
    names = [str(i) for i, a in enumerate(arrays) if a.dtype.kind == "f"]
    zero = {name: np.zeros_like(arrays[int(name)]) for name in names}
    gradients = {name: zero[name] if dx[int(name)] is None else dx[int(name)][0] for name in names}

    def objective():
        ys = several(function(*arrays))
        return float(sum((w * y).sum() for w, y in zip(weights, ys, strict=True) if w is not None))

    return check_gradients(objective, {name: arrays[int(name)] for name in names}, gradients, **options)


class Draw:
    """Arrays of a kind, drawn when a test runs: ``reals(3, 4)``."""

    def __init__(self, kind, shape, options):
        self.kind, self.shape, self.options = kind, shape, options

    def __call__(self, rng, dtype="float64"):
        array = np.asarray(self.kind(rng, self.shape, **self.options))
        return array.astype(dtype) if array.dtype.kind == "f" else array

    def __repr__(self):
        return f"{self.kind.__name__.strip('_')}{self.shape}"


def _kind(function):
    return lambda *shape, **options: Draw(function, shape, options)


@_kind
def reals(rng, shape, scale=1.0):
    """Normal numbers."""
    return rng.standard_normal(shape) * scale


@_kind
def positive(rng, shape):
    """From 0.2 to 2."""
    return rng.uniform(0.2, 2, shape)


@_kind
def apart(rng, shape):
    """No two alike, and none near a whole number or a half: differences do not step over a corner."""
    n = int(np.prod(shape))
    return (rng.permutation(n).reshape(shape) - n / 2) * 0.37 + 0.11


@_kind
def shares(rng, shape):
    """Positive rows that sum to 1."""
    x = rng.uniform(0.2, 1, shape)
    return x / x.sum(-1, keepdims=True)


@_kind
def integers(rng, shape, low=0, high=4):
    """Integers from low to high - 1."""
    return rng.integers(low, high, shape)


@_kind
def bools(rng, shape):
    """True or False."""
    return rng.random(shape) < 0.5

"""A small flat arena of parameters, as a model makes it."""

from types import SimpleNamespace

import numpy as np

__all__ = ["SHAPES", "arena", "fill"]

SHAPES = {"kernel": (3, 4), "bias": (4,), "gamma": (5,)}


def arena(dtype="float64", seed=0, shapes=SHAPES, pad=0):
    """``(parameters, value, grad)``: views into two flat arrays, ``pad`` empty places between neighbours."""
    rng = np.random.default_rng(seed)
    total = sum(int(np.prod(shape)) + pad for shape in shapes.values())
    value, grad = np.zeros(total, dtype), np.zeros(total, dtype)
    parameters, start = [], 0
    for name, shape in shapes.items():
        stop = start + int(np.prod(shape))
        parameter = SimpleNamespace(
            name=name, value=value[start:stop].reshape(shape), grad=grad[start:stop].reshape(shape)
        )
        parameter.value[...] = rng.normal(size=shape)
        parameters.append(parameter)
        start = stop + pad
    return parameters, value, grad


def fill(parameters, rng, size=1.0):
    """Random gradients."""
    for parameter in parameters:
        parameter.grad[...] = rng.normal(size=parameter.grad.shape) * size

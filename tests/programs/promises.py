"""What holds for every model, as lines of a program."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from typing import Any

import numpy as np

from fastnn import backend, saving
from tests.models.random_graphs import rewind, slope_agrees, walk
from tests.models.random_operations import CUSTOM

__all__ = ["agrees_with_its_twins", "comes_back_from_its_file", "goes_back_as_differences_say", "refused"]

ROUNDINGS = 1e5  # as in tests/models/test_random_graphs.py


def refused() -> Any:
    """For lines that are refused."""
    return contextlib.suppress(ValueError, TypeError, FloatingPointError)


@contextlib.contextmanager
def taken() -> Iterator[None]:
    """For what must not be refused: the model has predicted already."""
    try:
        yield
    except (ValueError, TypeError, IndexError, OSError) as error:
        raise AssertionError(f"refused: {error!r}") from error


def several(outputs: Any) -> list[np.ndarray]:
    if isinstance(outputs, dict):
        outputs = list(outputs.values())
    return list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]


def fresh(model: Any) -> None:
    """Draws and carried states from the start."""
    rewind(model)
    for layer in walk(model):
        if getattr(layer, "stateful", False):
            layer.reset_state()


def predictions(model: Any, x: Any) -> list[np.ndarray]:
    fresh(model)
    return several(model.predict(x, verbose=0))


def agrees_with_its_twins(model: Any, x: Any) -> None:
    """Compiled kernels and twins predict the same."""
    found = []
    for kernels in ("compiled", "reference"):
        with taken(), backend.use(kernels), np.errstate(all="ignore"):
            found.append(predictions(model, x))
    coarsest = max(np.finfo(layer.dtype).eps for layer in walk(model) if str(layer.dtype).startswith("float"))
    for one, other in zip(*found, strict=True):
        assert (one.shape, one.dtype) == (other.shape, other.dtype)
        np.testing.assert_array_equal(np.isfinite(one), np.isfinite(other))
        good = np.isfinite(one)
        largest = max(1.0, float(np.abs(other[good]).max(initial=0)))
        bound = ROUNDINGS * coarsest * largest
        np.testing.assert_allclose(one[good], other[good], rtol=0, atol=bound)


def comes_back_from_its_file(model: Any, x: Any) -> None:
    """Saved and loaded, it predicts the same bits; one that cannot be saved is refused."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "m.safetensors")
        model.save(path)
        with taken(), saving.CustomObjectScope(CUSTOM):
            again = saving.load_model(path)
    assert [(p.name, p.shape, p.trainable) for p in again.weights] == [
        (p.name, p.shape, p.trainable) for p in model.weights
    ]
    for one, other in zip(again.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    for one, other in zip(predictions(again, x), predictions(model, x), strict=True):
        np.testing.assert_array_equal(one, other)


@taken()
def goes_back_as_differences_say(model: Any, x: Any) -> None:
    """A model of float64: along a direction of its weights, and of its inputs, the gradient is the slope of Σ r·y."""
    if any(layer.dtype != "float64" for layer in walk(model)):
        return
    arrays = x if isinstance(x, list) else [x]
    arrays = [np.array(a, np.int64 if a.dtype.kind in "iub" else np.float64) for a in arrays]

    rng = np.random.default_rng(3)
    kept = model.get_weights()
    for p in model.weights:  # away from where they all are 0, or exactly on a corner
        p.value += rng.uniform(0.01, 0.1, p.shape)

    def forward() -> Any:
        fresh(model)
        y, ctx = model.forward(arrays if model.takes_several else arrays[0], True)
        return several(y), ctx

    y, ctx = forward()
    r = [rng.standard_normal(one.shape) for one in y]
    weights = model.trainable_weights
    for p in weights:
        p.grad[...], p.rows = 0, None
    dx = several(model.backward(r if model.gives_several else r[0], ctx))
    pairs = [(p.value, p.grad.copy(), p.name) for p in weights]
    pairs += [(a, d, f"input {i}") for i, (a, d) in enumerate(zip(arrays, dx, strict=True)) if a.dtype.kind == "f"]

    def objective() -> float:
        outputs, ctx = forward()
        return sum(float((p * q).sum()) for p, q in zip(r, outputs, strict=True)) + model.penalty_of(ctx)

    middle = objective()
    for value, gradient, name in pairs:
        start, way = value.copy(), rng.standard_normal(value.shape)

        def along(h: float) -> float:
            value[...] = start + h * way  # noqa: B023
            try:
                return objective()
            finally:
                value[...] = start  # noqa: B023

        slope = 0.0 if gradient is None else float((gradient * way).sum())
        slope_agrees(along, middle, slope, name)
    model.set_weights(kept)

"""Gradients against central differences in float64, for kernels, layers and whole models.

The objective is L = Σ r·y with fixed random r, so one backward call from dy = r gives every gradient at once, and no
entry of y hides behind another.  Each is compared with (L(a + h) − L(a − h)) / 2h, one entry of one array at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["GradientCheck", "GradientError", "check_gradients", "gradient_check", "kernel_check"]

STEP = 1e-6


@dataclass(frozen=True)
class GradientError:
    """The worst entry of one array.

    Attributes
    ----------
    error : float
        |analytic − numeric|; NaN if one of them is.
    excess : float
        error / (atol + rtol·|numeric|); the gradient passes up to 1.
    index : tuple of int
    analytic, numeric : float
    checked : int
        How many entries were compared.
    """

    error: float
    excess: float
    index: tuple[int, ...]
    analytic: float
    numeric: float
    checked: int


@dataclass(frozen=True)
class GradientCheck:
    """What a gradient check found: the worst entry of each array. True if all are within bounds.

    Examples
    --------
    >>> x = np.array([1.0, 2.0])
    >>> result = check_gradients(lambda: float((x**2).sum()), {"x": x}, {"x": np.array([2.0, 5.0])})
    >>> result.ok, result.worst, result.arrays["x"].index
    (False, 'x', (1,))
    """

    arrays: dict[str, GradientError]
    atol: float
    rtol: float

    @property
    def ok(self) -> bool:
        """Whether every gradient is within atol + rtol·|numeric|."""
        return all(entry.excess <= 1 for entry in self.arrays.values())

    @property
    def max_error(self) -> float:
        """The largest |analytic − numeric|; NaN if there is one."""
        return float(np.max([entry.error for entry in self.arrays.values()], initial=0.0))

    @property
    def worst(self) -> str | None:
        """Name of the array that is furthest outside its bounds; None if nothing was checked."""
        excess = {name: np.inf if np.isnan(entry.excess) else entry.excess for name, entry in self.arrays.items()}
        return max(excess, key=excess.__getitem__, default=None)

    def __bool__(self) -> bool:
        return self.ok

    def __str__(self) -> str:
        lines = [f"{'array':<32} {'max error':>10}  {'analytic':>13} {'numeric':>13}  worst at"]
        for name, entry in self.arrays.items():
            verdict = "" if entry.excess <= 1 else "  <- wrong"
            values = f"{entry.analytic:>13.6g} {entry.numeric:>13.6g}"
            lines.append(f"{name:<32} {entry.error:>10.2e}  {values}  {entry.index}{verdict}")
        return "\n".join(lines)


def _compare(objective: Callable[[], float], array: np.ndarray, gradient: np.ndarray, places, atol, rtol, step):
    """The worst of the entries `places` of one array."""
    worst = GradientError(0.0, 0.0, (), 0.0, 0.0, len(places))
    for place in places:
        index = tuple(int(i) for i in np.unravel_index(place, array.shape))
        value = array[index]
        h = step * max(1.0, abs(float(value)))
        array[index] = value + h
        above = objective()
        array[index] = value - h
        below = objective()
        array[index] = value
        numeric, analytic = (above - below) / (2 * h), float(gradient[index])
        error = abs(analytic - numeric)
        excess = error / (atol + rtol * abs(numeric))
        if not worst.index or not excess <= worst.excess:
            worst = GradientError(error, excess, index, analytic, numeric, len(places))
        if np.isnan(excess):
            return worst
    return worst


def check_gradients(
    objective: Callable[[], float],
    arrays: Mapping[str, np.ndarray],
    gradients: Mapping[str, np.ndarray],
    *,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    step: float = STEP,
    samples: int | None = None,
    seed: int = 0,
) -> GradientCheck:
    """Compare gradients with central differences of a function of arrays.

    Parameters
    ----------
    objective : callable () -> float
        Reads `arrays`, whose entries are moved by ± step·max(1, |entry|), one at a time, and put back.
    arrays, gradients : dict of float64 arrays
        With the same names and shapes.
    atol, rtol : float
        An entry passes if |analytic − numeric| ≤ atol + rtol·|numeric|.
    samples : int, optional
        Compare at most this many entries of each array, drawn from `seed`; all of them if None.

    Returns
    -------
    GradientCheck

    Raises
    ------
    TypeError
        If an array is not float64: differences of float32 are noise.
    ValueError
        If names or shapes differ.

    Examples
    --------
    >>> x = np.array([1.0, 2.0])
    >>> bool(check_gradients(lambda: float((x**2).sum()), {"x": x}, {"x": 2 * x}))
    True
    """
    if set(arrays) != set(gradients):
        raise ValueError(
            f"Every array must have its gradient. Received: arrays {list(arrays)}, gradients {list(gradients)}."
        )
    rng, found = np.random.default_rng(seed), {}
    for name, array in arrays.items():
        gradient = np.asarray(gradients[name])
        if array.dtype != np.float64:
            raise TypeError(
                f"{name} must be float64 for a gradient check. Received: {array.dtype}. Use dtype='float64'."
            )
        if gradient.shape != array.shape:
            raise ValueError(f"The gradient of {name} must have its shape, {array.shape}. Received: {gradient.shape}.")
        places = np.arange(array.size)
        if samples is not None and array.size > samples:
            places = np.sort(rng.choice(places, samples, replace=False))
        found[name] = _compare(objective, array, gradient, places, atol, rtol, step)
    return GradientCheck(found, atol, rtol)


def kernel_check(
    forward: Callable[..., Any],
    backward: Callable[[np.ndarray, Any, dict], Mapping[str, np.ndarray]],
    arrays: Mapping[str, np.ndarray],
    *,
    seed: int = 0,
    **options: Any,
) -> GradientCheck:
    """Check a pair of kernels, forward(**arrays) against backward(r, results, arrays) -> gradients by name.

    `forward` returns y, or a tuple that starts with y. `options` go to `check_gradients`.

    Examples
    --------
    >>> from fastnn.reference import tanh
    >>> pair = lambda x: tanh(x), lambda dy, y, arrays: {"x": dy * (1 - y * y)}
    >>> bool(kernel_check(*pair, {"x": np.array([0.1, -2.0])}))
    True
    """
    arrays = {name: np.array(array, np.float64) for name, array in arrays.items()}

    def first(results):
        return results[0] if isinstance(results, tuple) else results

    results = forward(**arrays)
    r = np.random.default_rng(seed).standard_normal(np.shape(first(results)))
    gradients = {name: np.array(g) for name, g in backward(r, results, arrays).items()}
    return check_gradients(
        lambda: float((r * first(forward(**arrays))).sum()),
        {name: arrays[name] for name in gradients},
        gradients,
        seed=seed,
        **options,
    )


def _everything(layer: Any) -> list[Any]:
    """A layer or model, and all layers inside it."""
    return [layer, *(inner for child in getattr(layer, "children", ()) for inner in _everything(child))]


def _weights(layer: Any, above: str = "", outermost: bool = True) -> Iterator[tuple[str, Any]]:
    """The trainable weights of a layer and of those inside it, by their path: "bidirectional/forward_lstm/…/kernel"."""
    trained = getattr(layer, "trainable_weights", ())
    children = getattr(layer, "children", ()) if trained else ()
    model = outermost and hasattr(layer, "leaves")
    path = above if model else f"{above}{layer.name}/" if trained else above
    for child in children:
        yield from _weights(child, path, outermost and model)
    inside = {id(p) for child in children for p in child.weights}
    yield from ((f"{path}{p.name}", p) for p in trained if id(p) not in inside)


@contextmanager
def _at_rest(layers: Sequence[Any]) -> Iterator[Callable[[], None]]:
    """A function that rewinds what a call moves: counters of random draws, carried states, moving statistics.

    All is put back afterwards.
    """
    names = ("calls", "states")
    moved = [(layer, name, getattr(layer, name)) for layer in layers for name in names if hasattr(layer, name)]
    fixed = [(p, p.value.copy()) for layer in layers for p in getattr(layer, "non_trainable_weights", ())]

    def rewind() -> None:
        for layer, name, value in moved:
            setattr(layer, name, value)
        for p, value in fixed:
            p.value[...] = value

    try:
        yield rewind
    finally:
        rewind()


def gradient_check(
    layer_or_model: Any,
    x: np.ndarray,
    *,
    training: bool = False,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    step: float = STEP,
    samples: int | None = 100,
    seed: int = 0,
) -> GradientCheck:
    """Check the gradients of a layer, or of a model layer by layer, to its input and to every trainable weight.

    Parameters
    ----------
    layer_or_model : Layer or Model, of dtype float64
        Built if need be. A model is taken without its loss.
    x : array, or list of array where there are several inputs
        Read as float64; ids as int64, and they have no gradient.
    training : bool
        Whether to run in training mode; layers that draw random numbers then draw the same ones at each call.
    atol, rtol, step, samples, seed
        As for `check_gradients`; by default 100 entries of each array.

    Returns
    -------
    GradientCheck
        Prints as a table, and is true if all gradients pass.

    Raises
    ------
    TypeError
        If a weight is not float64.

    Examples
    --------
    >>> class Square:
    ...     def forward(self, x, training=False):
    ...         return x * x, x
    ...     def backward(self, dy, ctx):
    ...         return 3 * ctx * dy  # wrong
    >>> print(gradient_check(Square(), [[1.0]]))
    array                             max error       analytic       numeric  worst at
    x                                  1.26e-01       0.377191       0.25146  (0, 0)  <- wrong
    """
    layers = _everything(layer_or_model)
    is_several = getattr(layer_or_model, "is_several", lambda x: False)
    several = isinstance(x, (list, tuple)) and is_several(list(x))
    given = list(x) if several else [x]
    inputs = [_read(layer_or_model, array) for array in given]
    if not getattr(layer_or_model, "built", True):
        shapes = [(None, *array.shape[1:]) for array in inputs]
        layer_or_model.ensure_built(shapes if several else shapes[0])
    traced = getattr(layer_or_model, "_traced", False)
    options = {"mask": None} if getattr(layer_or_model, "uses_mask", False) else {}
    with _at_rest(layers) as rewind:

        def forward() -> tuple[list[np.ndarray], Any]:
            rewind()
            y, context = layer_or_model.forward(
                inputs if several or traced else inputs[0], training=training, **options
            )
            return [np.array(part) for part in (y if isinstance(y, list) else [y])], (context, isinstance(y, list))

        outputs, (context, gives_several) = forward()
        rng = np.random.default_rng(seed)
        rs = [rng.standard_normal(y.shape) for y in outputs]
        dx = layer_or_model.backward(rs if gives_several else rs[0], context)
        slopes = list(dx) if isinstance(dx, list) else [dx]
        arrays, gradients = {}, {}
        for i, (array, slope) in enumerate(zip(inputs, slopes, strict=True)):
            if array.dtype == np.float64:
                name = "x" if len(inputs) == 1 else f"x[{i}]"
                arrays[name], gradients[name] = array, np.zeros_like(array) if slope is None else np.array(slope)
        named = {id(parameter): (name, parameter) for name, parameter in reversed(list(_weights(layer_or_model)))}
        for name, parameter in reversed(named.values()):  # a weight that is used twice has the name of its first use
            arrays[name], gradients[name] = parameter.value, np.array(parameter.grad)
        settings = {"atol": atol, "rtol": rtol, "step": step, "samples": samples, "seed": seed}

        penalizes = getattr(layer_or_model, "penalizes", False)

        def objective() -> float:
            ys, (context, _) = forward()
            total = float(sum((r * y).sum() for r, y in zip(rs, ys, strict=True)))
            return total + layer_or_model.penalty_of(context) if penalizes else total

        return check_gradients(objective, arrays, gradients, **settings)


def _read(layer: Any, x: Any) -> np.ndarray:
    """An input as float64, or as int64 where the layer takes ids."""
    array = np.array(x)
    ids = getattr(layer, "takes_ids", False) or (getattr(layer, "_traced", False) and array.dtype.kind in "iu")
    return array.astype(np.int64 if ids else np.float64)

"""Random models as plain data: recipes that Hypothesis draws, and how to make a model of one.

A recipe is a list of steps.  Each step names an operation of random_operations.py, and a number picks, among the
symbols made so far, the one that the operation is called on (0: the newest that it can take).  So a step makes sense in
any graph, Hypothesis can leave out any of them when it shrinks an example, and one recipe makes the same model again
and again: for another backend, another dtype, wider layers.

Ties and poles are kept away from, because rounding alone decides there: norms divide by at least √0.1, a difference is
x − 0.7·y, and repeated steps get positions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from fastnn import Input, Model, layers, utils
from fastnn import random as draws
from fastnn.graph import Symbol

from .random_operations import IDS, OPERATIONS, STEPS, real

__all__ = ["Recipe", "Step", "counters", "data", "made", "recipes", "rewind", "slope_agrees", "walk"]

BATCH = 4


class Step(NamedTuple):
    """One operation; ``inside`` are the steps of a model within the model."""

    name: str
    pick: int = 0
    size: int = 0
    inside: tuple[Step, ...] = ()


class Recipe(NamedTuple):
    """A model: the kinds of its inputs, its steps, and the heads of its outputs, from the newest symbol on."""

    inputs: tuple[str, ...]
    steps: tuple[Step, ...]
    heads: tuple[str, ...]


# Making a model.


class Builder:
    """Runs steps: keeps the symbols made so far, and the layers that may be called again."""

    def __init__(self, dtype: str, width: int):
        self.dtype, self.width = dtype, width
        self.pool: list[Symbol] = []
        self.calls: list[tuple[Any, Symbol]] = []

    def pick(self, number: int, takes: Callable[[Symbol], bool]) -> Symbol | None:
        """A symbol that an operation can take: 0 is the newest."""
        found = [symbol for symbol in reversed(self.pool) if takes(symbol)]
        return found[number % len(found)] if found else None

    def partner(self, x: Symbol, number: int) -> Symbol:
        """Another symbol of the shape of x, where there is one."""
        found = self.pick(number, lambda y: y.shape == x.shape and y.dtype == x.dtype and y is not x)
        return x if found is None else found

    def layer(self, cls: Any, *arguments: Any, **named: Any) -> Any:
        return cls(*arguments, **named, dtype=self.dtype)

    def call(self, layer: Any, x: Symbol, **named: Any) -> Any:
        self.calls.append((layer, x))
        return layer(x, **named)

    def run(self, steps: tuple[Step, ...]) -> None:
        for step in steps:
            takes, make = OPERATIONS[step.name]
            x = self.pick(step.pick, takes)
            if x is None:
                continue
            found = make(self, x, step)
            found = found if isinstance(found, (list, tuple)) else [found]
            self.pool += [symbol for symbol in found if symbol is not None]


INPUTS = {
    "vector": lambda dtype: Input((4,), dtype=dtype),
    "sequence": lambda dtype: Input((STEPS, 3), dtype=dtype),
    "open": lambda dtype: Input((None, 2), dtype=dtype),
    "image": lambda dtype: Input((5, 6, 2), dtype=dtype),
    "ids": lambda dtype: Input((STEPS,), dtype="int64"),
    "open ids": lambda dtype: Input((None,), dtype="int64"),
}
HEADS = {
    "as it is": (lambda b, y: y, "mse"),
    "softmax": (lambda b, y: b.layer(layers.Dense, 3, "softmax")(y), "sparse_categorical_crossentropy"),
    "sigmoid": (lambda b, y: b.layer(layers.Activation, "sigmoid")(b.layer(layers.Dense, 1)(y)), "binary_crossentropy"),
    "dense": (lambda b, y: b.layer(layers.Dense, 2)(y), "huber"),
    "no loss": (lambda b, y: b.layer(layers.Dense, 2)(y), None),
}


class Made(NamedTuple):
    """A model of a recipe, not compiled, and a loss for each output."""

    model: Model
    losses: list[Any]


def made(recipe: Recipe, dtype: str = "float64", width: int = 1) -> Made | None:
    """The model of a recipe with weights that depend on the recipe alone; None where no step could be made.

    Parameters
    ----------
    width : int
        A factor of the sizes of layers.
    """
    utils.clear_session()
    utils.set_random_seed(3)
    builder = Builder(dtype, width)
    inputs = [INPUTS[kind](dtype) for kind in recipe.inputs]
    builder.pool += inputs
    builder.run(recipe.steps)
    ends = [symbol for symbol in builder.pool[len(inputs) :] if real(symbol)]
    if not ends:
        return None
    outputs, losses = [], []
    for symbol, head in zip(reversed(ends), recipe.heads, strict=False):
        make, loss = HEADS[head]
        outputs.append(make(builder, symbol))
        losses.append(loss)
    if not any(losses):
        losses[0] = "mse"
    model = Model(inputs, outputs)
    rng = np.random.default_rng(1)
    model.set_weights([_weight(p, rng) for p in model.weights])
    return Made(model, losses)


def _weight(parameter: Any, rng: np.random.Generator) -> np.ndarray:
    value = rng.uniform(-0.6, 0.6, parameter.shape)
    return 1 + value if parameter.name in ("moving_variance", "gamma") else value


TARGETS = {
    "mse": lambda rng, shape: rng.standard_normal(shape),
    "huber": lambda rng, shape: rng.standard_normal(shape),
    "sparse_categorical_crossentropy": lambda rng, shape: rng.integers(0, 3, shape[:-1]),
    "binary_crossentropy": lambda rng, shape: rng.integers(0, 2, shape),
}


def data(recipe: Recipe, found: Made, batch: int = BATCH, seed: int = 0) -> tuple[list[Any], list[Any]]:
    """Inputs and targets; the first example of ids is all padding."""
    rng = np.random.default_rng(seed)
    shapes = [tuple(n or STEPS for n in s.shape[1:]) for s in found.model.inputs]
    x = [
        rng.integers(0, IDS, (batch, *shape)) * (np.arange(batch) > 0)[:, None]
        if "ids" in kind
        else rng.standard_normal((batch, *shape))
        for kind, shape in zip(recipe.inputs, shapes, strict=True)
    ]
    y = []
    for shape, loss in zip(found.model.output_shapes_for([a.shape for a in x]), found.losses, strict=True):
        shape = (batch, *shape[1:])
        y.append(None if loss is None else TARGETS[loss](rng, shape))
    return x, y


def _steps(names: list[str], most: int) -> st.SearchStrategy:
    picks, sizes = st.sampled_from([0, 0, 0, 1, 2, 3]), st.integers(0, 7)
    plain = st.tuples(st.sampled_from([name for name in names if name != "inner"]), picks, sizes)
    plain = plain.map(lambda parts: Step(*parts))
    nested = st.tuples(st.just("inner"), picks, sizes, st.lists(plain, min_size=1, max_size=3).map(tuple))
    nested = nested.map(lambda parts: Step(*parts))
    return st.lists(st.one_of(plain, plain, plain, plain, nested), min_size=3, max_size=most).map(tuple)


@st.composite
def recipes(draw, most: int = 20, heads: tuple[str, ...] = tuple(HEADS), without: tuple[str, ...] = ()) -> Recipe:
    """Recipes of up to so many steps."""
    inputs = draw(st.lists(st.sampled_from(sorted(INPUTS)), min_size=1, max_size=3))
    names = [name for name in OPERATIONS if name not in without]
    steps = draw(_steps(names, most))
    ends = draw(st.lists(st.sampled_from(heads), min_size=1, max_size=3))
    return Recipe(tuple(inputs), steps, tuple(ends))


# What tests of such models look at.


def walk(layer: Any) -> Iterator[Any]:
    """A layer or model, and all layers inside it."""
    yield layer
    for child in layer.children:
        yield from walk(child)


def counters(model: Any) -> list[Any]:
    """All that counts random draws: layers, cells and streams."""
    found = {id(layer): layer for layer in walk(model)}
    for layer in list(found.values()):
        found |= {id(part): part for part in vars(layer).values() if isinstance(part, draws.SeedGenerator)}
    return [part for part in found.values() if isinstance(getattr(part, "calls", None), int)]


def rewind(model: Any) -> None:
    """Let all draws start again."""
    for part in counters(model):
        part.calls = 0


def slope_agrees(function: Callable[[float], float], middle: float, slope: float, name: str) -> bool:
    """Whether there is a slope at 0, which then is ``slope``: the halves of a central difference differ at a corner.

    Raises
    ------
    AssertionError
        If the central difference is another number.
    """
    numeric: list[float] = []
    for h in (1e-6, 1e-7):
        above, below = function(h), function(-h)
        left, right = (middle - below) / h, (above - middle) / h
        size = max(1.0, abs(left), abs(right), abs(middle))
        if not abs(left - right) < 1e-3 * size:
            continue
        numeric.append((above - below) / (2 * h))
        if abs(numeric[-1] - slope) < 1e-5 + 1e-4 * size:
            return True
    if numeric:
        steep = abs(numeric[0] - numeric[-1]) > 1e-2 * abs(numeric[-1])  # too steep for these steps: near a pole
        assert steep, f"{name}: {slope}, by differences {numeric}"
    return False

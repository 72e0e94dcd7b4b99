"""Gradients that are zero but for some rows: the steps by rows are the steps of the whole, bit for bit."""

import numpy as np
import pytest

from fastnn import optimizers
from tests.optimizers.arena import arena
from tests.optimizers.twins import TWINS

SHAPES = {"before": (5,), "embeddings": (40, 3), "kernel": (3, 4)}
BY_ROWS = {name: (kind, options) for name, (kind, options, _) in TWINS.items() if kind != "AdamW"} | {
    "clipvalue": ("Adam", {"clipvalue": 0.5}),
    "clipnorm": ("Adam", {"clipnorm": 0.5}),
    "global_clipnorm": ("SGD", {"global_clipnorm": 0.5}),
    "average": ("Adam", {"use_ema": True, "ema_overwrite_frequency": 7}),
}
AS_A_WHOLE = {
    "adamw": ("AdamW", {}),
    "decay": ("SGD", {"weight_decay": 0.01}),
    "no epsilon": ("Adagrad", {"epsilon": 0.0}),
    "accumulation": ("Adam", {"gradient_accumulation_steps": 2}),
}


class Side:
    """An optimizer on an arena of its own, one of whose parameters is a table."""

    def __init__(self, kind, options, dtype, by_rows, exclude=()):
        self.parameters, self.value, self.grad = arena(dtype, shapes=SHAPES)
        for parameter in self.parameters:
            parameter.rows = None
        self.table = self.parameters[1]
        self.optimizer = getattr(optimizers, kind)(**options)
        if exclude:
            self.optimizer.exclude_from_weight_decay(var_names=exclude)
        self.optimizer.build(self.parameters, self.value, self.grad)
        self.by_rows, self.visited = by_rows, []
        update = self.optimizer.update

        def watched(kernels, w, g, slots, learning_rate, weight_decay, rows=None):
            self.visited += [] if rows is None else [len(rows)]
            return update(kernels, w, g, slots, learning_rate, weight_decay, rows=rows)

        self.optimizer.update = watched

    def step(self, rows, rng):
        self.grad[:] = rng.standard_normal(self.grad.size)
        dense = self.table.grad[rows]
        self.table.grad[:] = 0
        self.table.grad[rows] = dense
        self.table.rows = rows if self.by_rows else None
        self.optimizer.step()

    def state(self):
        return {"value": self.value, **self.optimizer.state}


def compare(sides, steps=50, vocabulary=15):
    """Take steps on both sides; ids below `vocabulary` come up, few at a time."""
    draws = np.random.default_rng(5)
    for step in range(steps):
        rows = np.unique(draws.integers(0, vocabulary, 1 + step % 6))
        for side in sides:
            side.step(rows, np.random.default_rng(step))
        assert_same_bits(*sides)


def assert_same_bits(one, other):
    for name, array in one.state().items():
        assert array.tobytes() == other.state()[name].tobytes(), name


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", BY_ROWS)
def test_rows_give_the_numbers_of_the_whole(name, dtype):
    sides = [Side(*BY_ROWS[name], dtype, by_rows) for by_rows in (True, False)]
    compare(sides)
    assert len(sides[0].visited) == 50
    assert not sides[1].visited
    most = 6 if name in ("sgd", "adagrad", "global_clipnorm") else 15
    assert max(sides[0].visited) <= most < 20


@pytest.mark.parametrize("name", AS_A_WHOLE)
def test_rules_that_change_every_row_take_the_whole(name):
    sides = [Side(*AS_A_WHOLE[name], "float64", by_rows) for by_rows in (True, False)]
    with np.errstate(all="ignore"):
        compare(sides, 20)
    assert not sides[0].visited


def test_a_table_without_weight_decay_goes_by_rows():
    sides = [Side("AdamW", {}, "float32", by_rows, exclude=["embeddings"]) for by_rows in (True, False)]
    compare(sides)
    assert len(sides[0].visited) == 50


def test_weight_decay_that_is_set_later_reaches_all_rows():
    sides = [Side("Adam", {}, "float32", by_rows) for by_rows in (True, False)]
    compare(sides, 5)
    for side in sides:
        side.optimizer.weight_decay = 0.1
    compare(sides, 5)
    assert len(sides[0].visited) == 5


@pytest.mark.parametrize("kind", ["SGD", "Adam"])
def test_more_than_half_of_the_rows_is_the_whole(kind):
    sides = [Side(kind, {}, "float64", by_rows) for by_rows in (True, False)]
    for rows in (np.arange(3), np.arange(20), np.arange(21), np.arange(3)):
        for side in sides:
            side.step(rows, np.random.default_rng(1))
        assert_same_bits(*sides)
    assert sides[0].visited == ([3, 20, 3] if kind == "SGD" else [3, 20])


@pytest.mark.parametrize("kind", ["SGD", "Adam", "Adagrad"])
def test_a_gradient_whose_rows_are_unknown_is_taken_as_a_whole(kind):
    sides = [Side(kind, {}, "float64", by_rows) for by_rows in (True, False)]
    compare(sides, 5)
    for side in sides:
        side.by_rows, watched = False, side.by_rows
        side.step(np.arange(40), np.random.default_rng(2))
        side.by_rows = watched
    compare(sides, 5)


@pytest.mark.parametrize("kind", ["SGD", "Adam"])
def test_a_state_that_is_loaded_is_searched_for_rows_with_a_past(kind):
    trained, whole = (Side(kind, {}, "float32", by_rows) for by_rows in (True, False))
    compare([trained, whole], 10)
    resumed = Side(kind, {}, "float32", True)
    resumed.value[:] = trained.value
    resumed.optimizer.set_state(trained.optimizer.get_state())
    compare([resumed, whole], 10, vocabulary=4)
    assert len(resumed.visited) == 10


def test_an_optimizer_of_ones_own_need_not_know_rows():
    class Plain(optimizers.SGD):
        def update(self, kernels, w, g, slots, learning_rate, weight_decay):
            w -= learning_rate * g

    parameters, value, grad = arena(shapes=SHAPES)
    optimizer = Plain(0.5)
    optimizer.build(parameters, value, grad)
    parameters[1].rows = np.array([2])
    before = value.copy()
    grad[:] = 1
    optimizer.step()
    np.testing.assert_array_equal(value, before - 0.5)

"""Optimizer steps against their formulas, one step and a thousand."""

import numpy as np
import pytest

from fastnn import registry
from fastnn.registry.optimizers import STEPS
from tests.kernels.harness import Contract


class TestContract(Contract):
    family = "optimizers"


# w = 1, g = 2, states zero unless given: kernel, states, numbers, w after, states after
GOLDEN = [
    ("sgd_step", [], {"learning_rate": 0.1}, 0.8, []),
    ("sgd_step", [], {"learning_rate": 0.1, "weight_decay": 0.5}, 0.75, []),
    ("sgd_step", [1.0], {"learning_rate": 0.1, "momentum": 0.5}, 1.3, [0.3]),
    ("sgd_step", [1.0], {"learning_rate": 0.1, "momentum": 0.5, "nesterov": True}, 0.95, [0.3]),
    ("adam_step", [0.0, 0.0], {"step": 1, "learning_rate": 0.1, "epsilon": 0.0}, 0.9, [0.2, 0.004]),
    (
        "adam_step",
        [0.0, 0.0, 1.0],
        {"step": 1, "learning_rate": 1.0, "epsilon": 0.0},
        0.9367544467966324,
        [0.2, 0.004, 1.0],
    ),
    ("rmsprop_step", [0.0], {"learning_rate": 0.1, "rho": 0.75, "epsilon": 0.0}, 0.8, [1.0]),
    ("rmsprop_step", [0.0, 1.0], {"learning_rate": 0.1, "rho": 0.75, "momentum": 0.5, "epsilon": 0.0}, 0.3, [1.0, 0.7]),
    ("rmsprop_step", [0.0, None, 0.0], {"learning_rate": 0.3, "rho": 0.5, "epsilon": 0.0}, 0.4, [2.0, None, 1.0]),
    ("adagrad_step", [0.0], {"learning_rate": 0.1, "epsilon": 0.0}, 0.9, [4.0]),
    ("adadelta_step", [0.0, 1.0], {"learning_rate": 0.1, "rho": 0.75, "epsilon": 0.0}, 0.8, [1.0, 1.75]),
    ("adamax_step", [0.0, 0.0], {"step": 1, "learning_rate": 0.1, "epsilon": 0.0}, 0.9, [0.2, 2.0]),
    ("lion_step", [0.0], {"learning_rate": 0.1, "beta_2": 0.75}, 0.9, [0.5]),
    ("lion_step", [-18.0], {"learning_rate": 0.1, "beta_1": 0.9, "beta_2": 0.5}, 1.1, [-8.0]),
    ("lion_step", [-2.0], {"learning_rate": 0.1, "beta_1": 0.5, "beta_2": 0.5}, 1.0, [0.0]),
    (
        "nadam_step",
        [0.0, 0.0],
        {"step": 1, "momentum_product": 0.468, "learning_rate": 0.1, "epsilon": 0.0},
        0.893721219669123,
        [0.2, 0.004],
    ),
]


@pytest.mark.parametrize(("name", "states", "numbers", "w_after", "states_after"), GOLDEN)
def test_steps_by_hand(backend, dtype, name, states, numbers, w_after, states_after):
    w, g = np.full(9, 1, dtype), np.full(9, 2, dtype)
    states = [None if s is None else np.full(9, s, dtype) for s in states]
    assert getattr(backend, name)(w, g, *states, **numbers) is None
    tolerance = {"rtol": max(1e-9, 8 * np.finfo(dtype).eps), "strict": False}
    np.testing.assert_allclose(w, np.full(9, w_after), **tolerance)
    for state, after in zip(states, states_after, strict=True):
        if state is not None:
            np.testing.assert_allclose(state, np.full(9, after), **tolerance)


CHOICES = [(name, given, numbers) for name, (_, _, sets) in STEPS.items() for given, numbers in sets]


@pytest.mark.parametrize(("name", "given", "numbers"), CHOICES)
def test_a_thousand_steps_stay_with_float64(backend, dtype, name, given, numbers):
    """A quadratic bowl: g = w − target, with fresh noise each step; rtol 1e-5 of the weights' size."""
    rng = np.random.default_rng(3)
    n, needed = 37, STEPS[name][0]
    start, target = rng.standard_normal(n), 2 + rng.random(n)

    def run(module, precision):
        noise = np.random.default_rng(4)
        w = start.astype(precision)
        fill = 0.1 if name == "adagrad_step" else 0.0
        states = [np.full(n, fill, precision) for _ in range(needed)] + [
            np.zeros(n, precision) if taken else None for taken in given
        ]
        product = 1.0
        for step in range(1, 1001):
            g = ((w - target) + 0.1 * noise.standard_normal(n)).astype(precision)
            own = dict(numbers)
            if "step" in own:
                own["step"] = step
            if "momentum_product" in own:
                product *= 0.9 * (1 - 0.5 * 0.96**step)
                own["momentum_product"] = product
            getattr(module, name)(w, g, *states, **own)
        return w

    import fastnn.reference as reference

    truth = run(reference, np.float64)
    found = run(backend, dtype)
    if name == "lion_step" and dtype == np.float32:  # near 0 a rounding decides the sign, and a step is η whole
        assert np.median(np.abs(found - truth)) < 1e-5
        assert np.abs(found - truth).max() <= 4 * numbers["learning_rate"]
        return
    np.testing.assert_allclose(found, truth, rtol=1e-5 if dtype == np.float32 else 1e-12, atol=0)


def test_sum_of_squares_is_in_double(backend):
    g = np.full(100_003, 1e-3, np.float32)
    assert backend.sum_of_squares(g) == pytest.approx(100_003 * float(g[0]) ** 2, rel=1e-12)
    assert backend.sum_of_squares(np.full(3, 1e30, np.float32)) == pytest.approx(3e60, rel=1e-6)
    assert backend.sum_of_squares(np.zeros(0)) == 0.0
    assert type(backend.sum_of_squares(g)) is float


@pytest.mark.parametrize("n", [1, 7, 8, 9, 17, 31, 1000])
def test_nan_and_infinity_reach_the_sum_of_squares(backend, dtype, n):
    for place in range(0, n, max(1, n // 31)):
        g = np.ones(n, dtype)
        g[place] = np.nan
        assert np.isnan(backend.sum_of_squares(g))
        g[place] = -np.inf
        assert backend.sum_of_squares(g) == np.inf


def test_scale_and_clip_by_hand(backend, dtype):
    g = np.array([-3, 0.5, 2, np.nan, np.inf], dtype)
    backend.clip_values(g, 1.0)
    np.testing.assert_array_equal(g, np.array([-1, 0.5, 1, np.nan, 1], dtype))
    g = np.array([-3, 0.5], dtype)
    backend.scale(g, 0.5)
    np.testing.assert_array_equal(g, np.array([-1.5, 0.25], dtype))


def bad_calls(backend):
    w, g, m, v = (np.ones(5) for _ in range(4))
    lr = {"learning_rate": 0.1}
    yield TypeError, lambda: backend.sgd_step([1.0], [1.0], **lr)
    yield TypeError, lambda: backend.sgd_step(w, g.astype(np.float32), **lr)
    yield TypeError, lambda: backend.sgd_step(np.ones(5, np.int64), np.ones(5, np.int64), **lr)
    yield TypeError, lambda: backend.sgd_step(w, g, learning_rate="fast")
    yield ValueError, lambda: backend.sgd_step(w, np.ones(4), **lr)
    yield ValueError, lambda: backend.sgd_step(w, g, learning_rate=-0.1)
    yield ValueError, lambda: backend.sgd_step(w, g, learning_rate=float("nan"))
    yield ValueError, lambda: backend.sgd_step(w, g, learning_rate=0.1, momentum=0.9)
    yield ValueError, lambda: backend.sgd_step(w, w, **lr)
    yield ValueError, lambda: backend.sgd_step(w.reshape(1, 5), g.reshape(1, 5), **lr)
    yield ValueError, lambda: backend.adam_step(w, g, m, m, step=1, **lr)
    yield ValueError, lambda: backend.adam_step(w, g, m, v, step=0, **lr)
    yield ValueError, lambda: backend.adamax_step(w, g, m, v, step=0, **lr)
    yield ValueError, lambda: backend.nadam_step(w, g, m, v, step=0, momentum_product=0.5, **lr)
    yield ValueError, lambda: backend.adagrad_step(w, g, np.ones(6), **lr)
    yield ValueError, lambda: backend.rmsprop_step(w, g, m, learning_rate=0.1, momentum=0.5)
    yield ValueError, lambda: backend.clip_values(g, -1.0)
    yield ValueError, lambda: backend.scale(g, float("nan"))
    frozen = np.ones(5)
    frozen.flags.writeable = False
    yield ValueError, lambda: backend.sgd_step(frozen, g, **lr)
    yield ValueError, lambda: backend.scale(frozen, 0.5)
    for array in (w, g, m, v):
        np.testing.assert_array_equal(array, np.ones(5))


def test_bad_calls_change_nothing(backend):
    count = 0
    for error, call in bad_calls(backend):
        with pytest.raises(error):
            call()
        count += 1
    assert count == 20


def test_the_gradient_may_be_read_only(backend):
    for row in registry.kernels("optimizers"):
        if len(row.in_place) < 2 and row.name != "sgd_step":
            continue
        case = next(
            case for case in row.cases(np.random.default_rng(1), np.dtype(np.float64)) if case.args[0].size == 7
        )
        case.args[1].flags.writeable = False
        getattr(backend, row.name)(*case.args, **case.kwargs)


@pytest.mark.parametrize("width", [1, 3, 17, 64])
@pytest.mark.parametrize(("name", "given", "numbers"), CHOICES)
def test_steps_by_rows_equal_the_full_step_bit_for_bit(backend, dtype, rng, name, given, numbers, width):
    shape, rows = (23, width), np.array([0, 1, 5, 21, 22])
    count = 2 + STEPS[name][0]
    tables = [(rng.random(shape) + 0.1).astype(dtype) for _ in range(count)]
    tables += [(rng.random(shape) / 4).astype(dtype) if taken else None for taken in given]
    whole = [None if table is None else table.reshape(-1).copy() for table in tables]
    some = [None if table is None else table.copy() for table in tables]
    step = getattr(backend, name)
    step(*whole, **numbers)
    step(*some, **numbers, rows=rows)
    others = np.delete(np.arange(len(tables[0])), rows)
    for before, all_rows, some_rows in zip(tables, whole, some, strict=True):
        if before is not None:
            np.testing.assert_array_equal(some_rows[rows], all_rows.reshape(shape)[rows], strict=True)
            np.testing.assert_array_equal(some_rows[others], before[others], strict=True)


@pytest.mark.parametrize(
    ("rows", "error"),
    [([3], IndexError), ([-1, 0], IndexError), ([0, 2**40], IndexError), ([1, 1], ValueError), ([2, 0], ValueError),
     ([[0]], ValueError), ([0.0], TypeError), (np.array([0], np.uint64), TypeError)],
)  # fmt: skip
def test_rows_that_do_not_fit_change_nothing(backend, rows, error):
    w, g = np.ones((3, 2)), np.ones((3, 2))
    with pytest.raises(error, match="rows"):
        backend.sgd_step(w, g, learning_rate=0.1, rows=rows)
    np.testing.assert_array_equal(w, np.ones((3, 2)))


def test_rows_need_tables_and_tables_need_rows(backend):
    with pytest.raises(ValueError, match="w must be a table"):
        backend.sgd_step(np.ones(6), np.ones(6), learning_rate=0.1, rows=[0])
    with pytest.raises(ValueError, match="w must be flat"):
        backend.sgd_step(np.ones((3, 2)), np.ones((3, 2)), learning_rate=0.1)
    with pytest.raises(ValueError, match="g must have the shape of w"):
        backend.sgd_step(np.ones((3, 2)), np.ones((2, 3)), learning_rate=0.1, rows=[0])


def test_no_rows_and_empty_rows(backend):
    w = np.ones((3, 2))
    backend.sgd_step(w, np.ones((3, 2)), learning_rate=0.1, rows=[])
    np.testing.assert_array_equal(w, np.ones((3, 2)))
    backend.sgd_step(np.ones((3, 0)), np.ones((3, 0)), learning_rate=0.1, rows=[0, 2])

"""The books' optimizers beside their formulas, on dictionaries, lists, numbers and views."""

import numpy as np
import pytest

import fastnn.compat.book as book
from tests.compat.book import plain

OPTIMIZERS = {
    "SGD": {}, "Momentum": {"momentum": 0.8}, "Nesterov": {}, "AdaGrad": {}, "RMSprop": {"decay_rate": 0.9},
    "Adam": {"beta1": 0.8, "beta2": 0.99},
}  # fmt: skip


def gradients(shapes, steps, dtype):
    rng = np.random.default_rng(1)
    return [[rng.standard_normal(shape).astype(dtype) for shape in shapes] for _ in range(steps)]


def parameters(shapes, dtype):
    rng = np.random.default_rng(0)
    return [rng.standard_normal(shape).astype(dtype) for shape in shapes]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_lists_and_dictionaries(name, dtype):
    shapes = [(3, 5), (7,), (2, 3, 2, 2), (9000,), ()]
    made = [getattr(module, name)(lr=0.05, **OPTIMIZERS[name]) for module in (book, book, plain)]
    params = [parameters(shapes, dtype) for _ in made]
    named = dict(zip("abcde", params[1], strict=True))
    for grads in gradients(shapes, 20, dtype):
        made[0].update(params[0], grads)
        made[1].update(named, dict(zip("abcde", grads, strict=True)))
        made[2].update(params[2], grads)
    # twenty steps, of a few roundings of numbers of about 1 each; Adam's first divide by small roots
    bound = 200 * np.finfo(dtype).eps
    for got, by_name, wanted in zip(params[0], named.values(), params[2], strict=True):
        np.testing.assert_allclose(got, wanted, rtol=bound, atol=bound)
        np.testing.assert_array_equal(got, by_name)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_numbers_of_the_first_books_comparison(name):
    ours, theirs = (getattr(module, name)(lr=0.1) for module in (book, plain))
    params, expected = {"x": -7.0, "y": 2.0}, {"x": np.array([-7.0]), "y": np.array([2.0])}
    for _ in range(10):
        ours.update(params, {"x": params["x"] / 10, "y": 2 * params["y"]})
        theirs.update(expected, {"x": expected["x"] / 10, "y": 2 * expected["y"]})
    assert params["x"] == pytest.approx(expected["x"][0], rel=1e-12)
    assert params["y"] == pytest.approx(expected["y"][0], rel=1e-12)


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("view", [lambda a: a.T, lambda a: a[::2], lambda a: a[:, 1:]])
def test_views_are_changed_in_place(name, view):
    ours, theirs = (getattr(module, name)(lr=0.1) for module in (book, plain))
    whole, expected = parameters([(6, 5)], float)[0], parameters([(6, 5)], float)[0]
    for _ in range(3):
        g = np.full(view(whole).shape, 0.5)
        ours.update([view(whole)], [g])
        theirs.update([view(expected)], [g])
    np.testing.assert_allclose(whole, expected, rtol=1e-12)


def test_float64_gradients_of_float32_weights():
    w = np.ones(3, np.float32)
    book.SGD(lr=0.5).update([w], [np.ones(3)])
    np.testing.assert_array_equal(w, np.full(3, 0.5, np.float32))


def test_adam_counts_its_steps_and_shows_its_moments():
    optimizer = book.Adam()
    assert optimizer.m is None
    params = {"W": np.ones((2, 2))}
    optimizer.update(params, {"W": np.ones((2, 2))})
    assert optimizer.iter == 1
    np.testing.assert_allclose(optimizer.m["W"], 0.1)
    assert optimizer.v["W"].shape == (2, 2)

"""The built-in digits: shapes, repeatability, variety."""

import time

import numpy as np
import pytest

from fastnn.datasets import digits
from fastnn.datasets._strokes import STYLES, distance_fields


@pytest.fixture(scope="module")
def sample():
    return digits.load_data(n_train=3000, n_test=1000, seed=3)


def test_shapes_and_types(sample):
    (x_train, y_train), (x_test, y_test) = sample
    assert x_train.shape == (3000, 28, 28)
    assert y_train.shape == (3000,)
    assert x_test.shape == (1000, 28, 28)
    assert y_test.shape == (1000,)
    assert {a.dtype for a in (x_train, y_train, x_test, y_test)} == {np.dtype(np.uint8)}
    assert np.bincount(y_train).tolist() == [300] * 10
    assert np.bincount(y_test).tolist() == [100] * 10


@pytest.mark.parametrize(("n_train", "n_test"), [(0, 0), (1, 7), (999, 1001)])
def test_a_smaller_set_is_the_beginning_of_a_larger_one(sample, n_train, n_test):
    (x_train, y_train), (x_test, _y_test) = digits.load_data(n_train, n_test, seed=3)
    (more_x, more_y), (more_x_test, _) = sample
    np.testing.assert_array_equal(x_train, more_x[:n_train])
    np.testing.assert_array_equal(y_train, more_y[:n_train])
    np.testing.assert_array_equal(x_test[:1000], more_x_test[:n_test])


def test_the_seed_determines_the_images(sample):
    (other, _), _ = digits.load_data(100, 0, seed=4)
    (x_train, _y_train), (x_test, _) = sample
    assert (other != x_train[:100]).any(axis=(1, 2)).all()
    assert (x_test != x_train[:1000]).any(axis=(1, 2)).all()
    assert len(np.unique(x_train.reshape(3000, -1), axis=0)) == 3000


def test_ink_on_blank_paper(sample):
    x = sample[0][0]
    assert 0.6 < (x == 0).mean() < 0.85  # like MNIST: mostly blank
    assert (x.max(axis=(1, 2)) > 120).all()  # and every digit is visible
    border = np.concatenate([x[:, 0], x[:, -1], x[:, :, 0], x[:, :, -1]], axis=1)
    assert (border > 128).mean() < 0.01  # and stays inside


def test_a_linear_model_is_not_enough(sample):
    """Least squares on the pixels learns something, but stays well below 0.9."""
    (x_train, y_train), (x_test, y_test) = sample
    a = np.c_[x_train.reshape(3000, -1) / 255, np.ones(3000)]
    b = np.c_[x_test.reshape(1000, -1) / 255, np.ones(1000)]
    w = np.linalg.solve(a.T @ a + 10 * np.eye(785), a.T @ np.eye(10)[y_train])
    accuracy = ((b @ w).argmax(axis=1) == y_test).mean()
    assert 0.5 < accuracy < 0.9


@pytest.mark.parametrize("argument", ["n_train", "n_test", "seed"])
def test_bad_numbers(argument):
    with pytest.raises(ValueError, match=f"{argument} must be 0 or more. Received: -1"):
        digits.load_data(**{argument: -1})
    with pytest.raises(TypeError, match=f"{argument} must be an integer.*Received: 1.5"):
        digits.load_data(**{argument: 1.5})


def test_ten_thousand_in_about_a_second():
    start = time.process_time()
    digits.load_data()
    assert time.process_time() - start < 3.0  # about 0.5 s on a core from 2020; room for a busy machine


def test_distance_to_a_straight_stroke():
    grid = np.linspace(0, 1, 11, dtype=np.float32)
    fields = distance_fields([[(0.5, 0.0), (0.5, 1.0)]], grid, np.zeros((1, 2, 2)))
    np.testing.assert_allclose(fields[0], np.broadcast_to(abs(grid - 0.5), (11, 11)), atol=1e-6)


def test_every_style_has_room_for_its_shake():
    assert len(STYLES) == 10
    assert max(sum(map(len, style)) for styles in STYLES for style in styles) <= digits._KNOTS

"""Losses of one's own: functions and subclasses, with and without a gradient."""

import numpy as np
import pytest

from fastnn import losses
from tests.losses.test_gradients import numeric


def by_row(y_true, y_pred):
    return np.mean((y_pred - y_true) ** 4, axis=-1)


by_row.gradient = lambda y_true, y_pred: 4 * (y_pred - y_true) ** 3 / y_pred.shape[-1]


def by_element(y_true, y_pred):
    return (y_pred - y_true) ** 4


by_element.gradient = lambda y_true, y_pred: 4 * (y_pred - y_true) ** 3


def one_number(y_true, y_pred):
    return np.mean((y_pred - y_true) ** 4)


one_number.gradient = lambda y_true, y_pred: 4 * (y_pred - y_true) ** 3 / y_pred.size


def by_example(y_true, y_pred):
    return np.mean((y_pred - y_true) ** 4, axis=tuple(range(1, y_pred.ndim)))


by_example.gradient = lambda y_true, y_pred: 4 * (y_pred - y_true) ** 3 / y_pred[0].size


class Subclass(losses.Loss):
    def call(self, y_true, y_pred):
        return by_row(y_true, y_pred)

    def gradient(self, y_true, y_pred):
        return by_row.gradient(y_true, y_pred)


@pytest.mark.parametrize("function", [by_row, by_element, one_number, by_example, Subclass()])
@pytest.mark.parametrize("shape", [(5, 3), (2, 3, 4)])
def test_value_and_gradient(function, shape):
    rng = np.random.default_rng(3)
    y, t = rng.normal(size=shape), rng.normal(size=shape)
    loss = losses.get(function)
    values, ctx = loss.forward(y.copy(), loss.check_targets(shape, t))
    assert values.size == np.size(loss.call(t, y))
    assert values.mean() == pytest.approx(np.mean((y - t) ** 4))
    assert loss(t, y) == pytest.approx(np.mean((y - t) ** 4))
    scale = rng.uniform(0.2, 1, values.shape)
    dy = loss.backward(scale, ctx)
    np.testing.assert_allclose(dy, numeric(lambda v: (loss.forward(v, t)[0] * scale).sum(), y), atol=1e-5, rtol=1e-3)


def test_flat_targets_meet_column_predictions():
    y, t = np.ones((4, 1), np.float32), np.arange(4)
    loss = losses.get(by_row)
    np.testing.assert_allclose(loss.forward(y, loss.check_targets((None, 1), t))[0], [1, 0, 1, 16])


def test_without_a_gradient_it_measures_but_does_not_train():
    def mine(y_true, y_pred):
        return np.abs(y_pred - y_true)

    loss = losses.get(mine)
    assert loss.name == "mine"
    assert loss(np.zeros((2, 1)), np.ones((2, 1))) == 1
    _, ctx = loss.forward(np.ones((2, 1)), np.zeros((2, 1)))
    with pytest.raises(TypeError, match=r"mine\.gradient = lambda y_true, y_pred"):
        loss.backward(np.ones(2), ctx)


def test_wrong_shapes_are_told():
    loss = losses.get(lambda y_true, y_pred: np.ones(3))
    with pytest.raises(
        ValueError, match=r"one value for each row of predictions, shape \(2,\).*Received: shape \(3,\)"
    ):
        loss.forward(np.ones((2, 4)), np.ones((2, 4)))
    bad = losses.FunctionLoss(lambda y_true, y_pred: np.ones(2), name="bad")
    bad.function.gradient = lambda y_true, y_pred: np.ones(2)
    _, ctx = bad.forward(np.ones((2, 4)), np.ones((2, 4)))
    with pytest.raises(ValueError, match=r"The gradient of the loss bad has the shape of y_pred, \(2, 4\)"):
        bad.backward(np.ones(2), ctx)


def test_a_subclass_without_call():
    with pytest.raises(NotImplementedError, match="call"):
        losses.Loss()([1.0], [1.0])

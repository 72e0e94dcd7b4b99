"""The gradient checker finds wrong gradients, and says where."""

import numpy as np
import pytest

from fastnn import Sequential, layers, reference
from fastnn.inspect import check_gradients, gradient_check, kernel_check


class Wrong(layers.Layer):
    """y = w·x² with a chosen mistake in the gradients."""

    def __init__(self, mistake, **settings):
        super().__init__(dtype="float64", **settings)
        self.mistake = mistake

    def build(self, input_shape):
        self.w = self.add_weight(input_shape[1:], "ones", name="w")

    def compute_output_shape(self, input_shape):
        return input_shape

    def forward(self, x, training=False):
        return self.w.value * x * x, x

    def backward(self, dy, ctx):
        dx = 2 * self.w.value * ctx * dy
        self.w.grad[...] = (dy * ctx * ctx).sum(axis=0)
        if self.mistake == "dx":
            dx[1, 2] *= 1.1
        if self.mistake == "w":
            self.w.grad[0] = 0
        if self.mistake == "nan":
            dx[0, 0] = np.nan
        return dx


X = np.linspace(-2, 3, 15).reshape(3, 5)


def test_a_right_layer_passes():
    result = gradient_check(Wrong(None), X)
    assert result
    assert result.ok
    assert result.max_error < 1e-6


@pytest.mark.parametrize(("mistake", "index"), [("dx", (1, 2)), ("w", (0,)), ("nan", (0, 0))])
def test_a_wrong_gradient_is_named(mistake, index):
    layer = Wrong(mistake)
    result = gradient_check(layer, X)
    assert not result
    assert result.worst == (f"{layer.name}/w" if mistake == "w" else "x")
    assert result.arrays[result.worst].index == index
    assert str(result).count("<- wrong") == 1


def test_a_model_is_checked_layer_by_layer():
    model = Sequential([layers.Dense(4, activation="tanh", dtype="float64"), Wrong("w", name="suspect")])
    result = gradient_check(model, X)
    assert not result
    assert result.worst == "suspect/w"
    assert len(result.arrays) == 4


def test_dropout_draws_the_same_mask_at_each_call_and_its_counter_is_put_back():
    model = Sequential([layers.Dense(6, dtype="float64"), layers.Dropout(0.5, dtype="float64")])
    assert gradient_check(model, X, training=True)
    assert model.layers[1].calls == 0


def test_weights_and_input_are_put_back():
    layer, x = Wrong(None), X.copy()
    layer.ensure_built((None, 5))
    gradient_check(layer, x)
    np.testing.assert_array_equal(x, X)
    np.testing.assert_array_equal(layer.w.value, np.ones(5))


def test_float32_is_refused():
    with pytest.raises(TypeError, match="float64"):
        gradient_check(layers.Dense(3, dtype="float32"), X)


def test_samples_limit_the_work_and_repeat():
    calls = []
    x = np.ones(1000)

    def objective():
        calls.append(1)
        return float(x.sum())

    result = check_gradients(objective, {"x": x}, {"x": np.ones(1000)}, samples=7)
    assert result
    assert len(calls) == 14
    assert result.arrays["x"].checked == 7


def test_bad_arguments():
    with pytest.raises(ValueError, match="Received"):
        check_gradients(lambda: 0.0, {"x": np.ones(3)}, {"y": np.ones(3)})
    with pytest.raises(ValueError, match="Received"):
        check_gradients(lambda: 0.0, {"x": np.ones(3)}, {"x": np.ones(4)})


def test_a_swapped_kernel_pair_fails():
    result = kernel_check(reference.tanh, lambda dy, y, arrays: {"x": dy * y * (1 - y)}, {"x": X})
    assert not result

"""Every call of the table against TensorFlow itself: values, shapes, dtypes; and gradients."""

import numpy as np
import pytest

import fastnn.compat.tensorflow as tf

from .table import CALLS, GRADIENTS

theirs = pytest.importorskip("tensorflow", reason="TensorFlow is not installed")

START = (
    np.array([[0.5, 1.5, 2.0], [1.25, 0.1, 0.75]], "float32"),
    np.array([[1.0, -2.0, 0.5], [0.25, 3.0, 1.75]], "float32"),
)


def plain(value):
    """As NumPy has it; strings as strings."""
    if hasattr(value, "numpy") and not isinstance(value, np.ndarray):
        value = value.numpy()
    array = np.asarray(value)
    if array.dtype.kind in "SO":
        return np.vectorize(lambda text: text.decode() if isinstance(text, bytes) else text, otypes=[object])(array)
    return array


@pytest.mark.parametrize("call", CALLS)
def test_a_call(call):
    expected = plain(eval(call, {"tf": theirs}))
    found = eval(call, {"tf": tf})
    assert isinstance(found, tf.Tensor), type(found)
    assert found.shape == expected.shape
    assert found.dtype == expected.dtype
    if expected.dtype == object:
        assert plain(found).tolist() == expected.tolist()
    else:
        np.testing.assert_allclose(found.numpy(), expected, rtol=2e-6, atol=1e-6)


@pytest.mark.parametrize("expression", GRADIENTS)
def test_a_gradient(expression):
    grads = []
    for module in (theirs, tf):
        x, w = map(module.Variable, START)
        with module.GradientTape() as tape:
            y = eval(expression, {"tf": module, "x": x, "w": w})
        grads.append((plain(y), *tape.gradient(y, [x, w])))
    np.testing.assert_allclose(grads[1][0], grads[0][0], rtol=2e-6, atol=1e-6)
    for mine, other in zip(grads[1][1:], grads[0][1:], strict=True):
        assert (mine is None) == (other is None)
        if other is not None:
            other = theirs.convert_to_tensor(other)
            np.testing.assert_allclose(mine.numpy(), other.numpy(), rtol=1e-5, atol=1e-6)
            assert mine.dtype == other.dtype.as_numpy_dtype

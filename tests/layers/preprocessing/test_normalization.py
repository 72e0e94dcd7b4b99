"""Normalization: statistics by hand, axes, batches, back again; what it refuses."""

import numpy as np
import pytest

import fastnn
from fastnn import layers
from fastnn.data import Dataset

X = np.random.default_rng(3).standard_normal((20, 4, 3)) * [1, 5, 0.1] + [0, 100, -3]


def adapted(data, **settings):
    layer = layers.Normalization(dtype="float64", **settings)
    layer.adapt(data)
    return layer


@pytest.mark.parametrize(("axis", "around"), [(-1, (0, 1)), (1, (0, 2)), ((1, 2), (0,)), (None, (0, 1, 2))])
def test_numbers(axis, around):
    for data in (X, [X[:7], X[7:]], Dataset.from_tensor_slices(X).batch(6)):
        layer = adapted(data, axis=axis)
        y = layer(X)
        np.testing.assert_allclose(y, (X - X.mean(around, keepdims=True)) / X.std(around, keepdims=True), atol=1e-9)
    back = layers.Normalization(axis, layer.mean, layer.variance, invert=True, dtype="float64")
    np.testing.assert_allclose(back(y), X)


def test_a_feature_that_never_changes_is_not_divided_by_zero():
    assert adapted(np.ones((5, 2)))(np.ones((1, 2))).tolist() == [[0, 0]]


def test_adapt_forgets_what_was_before():
    layer = adapted(X + 50)
    layer.adapt(X)
    np.testing.assert_array_equal(layer(X), adapted(X)(X))


def test_statistics_travel_with_the_model(tmp_path):
    layer = layers.Normalization()
    layer.adapt(X)
    model = fastnn.Sequential([layers.Input((4, 3)), layer, layers.Flatten(), layers.Dense(1)])
    model.compile("adam", "mse")
    model.fit(X, X[:, 0, 0], verbose=0)
    assert [w.name for w in layer.weights] == ["mean", "variance", "count"]
    assert not layer.trainable_weights
    np.testing.assert_allclose(layer.mean.ravel(), X.mean((0, 1)), rtol=1e-5)
    model.save(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(fastnn.models.load_model(tmp_path / "m.safetensors").predict(X), model.predict(X))
    given = fastnn.Sequential([layers.Input((3,)), layers.Normalization(mean=[1, 2, 3], variance=4.0)])
    given.save(tmp_path / "g.safetensors")
    assert fastnn.models.load_model(tmp_path / "g.safetensors").predict([[3.0, 2, 1]]).tolist() == [[1, 0, -1]]


@pytest.mark.parametrize(("call", "words"), [
    (lambda: layers.Normalization(mean=1.0), "mean and variance, or neither"),
    (lambda: layers.Normalization(mean=1.0, variance=-1.0), "not be negative"),
    (lambda: layers.Normalization(mean=np.nan, variance=1.0), "finite"),
    (lambda: layers.Normalization(axis="last"), "axis='last'"),
    (lambda: layers.Normalization(axis=0), "0 in axis"),
    (lambda: layers.Normalization(axis=3)(np.ones((2, 3))), r"axes \(3,\)"),
    (lambda: layers.Normalization(mean=[1, 2], variance=[1, 1])(np.ones((2, 3))), "statistics that fit"),
    (lambda: layers.Normalization(mean=0.0, variance=1.0).adapt(X), "that were given"),
    (lambda: layers.Normalization().adapt(np.ones((0, 3))), "needs data"),
    (lambda: layers.Normalization().adapt([np.ones((2, 3)), np.ones((2, 4))]), "as it was built for"),
    (lambda: layers.Normalization()(layers.Input((None,))), "known size"),
])  # fmt: skip
def test_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()

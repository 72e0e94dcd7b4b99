"""Gradients of the losses against central differences, alone and behind a softmax or sigmoid."""

import numpy as np
import pytest

from fastnn import losses
from tests.backends import each_backend  # noqa: F401

pytestmark = pytest.mark.usefixtures("each_backend")


def numeric(f, x, h=1e-6):
    slope = np.empty_like(x)
    for i in np.ndindex(x.shape):
        kept = x[i]
        x[i] = kept + h
        up = f(x)
        x[i] = kept - h
        slope[i] = (up - f(x)) / (2 * h)
        x[i] = kept
    return slope


def example(name, shape, seed=0):
    """Predictions and targets where the loss is smooth."""
    rng = np.random.default_rng(seed)
    positive = name in ("KLDivergence", "Poisson", "MeanSquaredLogarithmicError")
    y = rng.uniform(0.1, 0.9, shape) if positive or "crossentropy" in name.lower() else rng.normal(size=shape)
    if name.startswith("Sparse"):
        return y, rng.integers(0, shape[-1], shape[:-1])
    if name == "CategoricalGeneralizedCrossEntropy":
        return y, rng.integers(0, shape[-1], shape[:-1])
    if name in ("CategoricalCrossentropy", "CategoricalFocalCrossentropy", "CategoricalHinge"):
        return y, np.eye(shape[-1])[rng.integers(0, shape[-1], shape[:-1])]
    if name in ("BinaryCrossentropy", "BinaryFocalCrossentropy", "Dice", "Tversky", "Hinge", "SquaredHinge"):
        return y, rng.integers(0, 2, shape).astype(float)
    return y, rng.uniform(0.1, 0.9, shape)


CASES = [
    ("MeanSquaredError", {}), ("MeanAbsoluteError", {}), ("MeanAbsolutePercentageError", {}),
    ("MeanSquaredLogarithmicError", {}), ("Huber", {"delta": 0.3}), ("LogCosh", {}), ("KLDivergence", {}),
    ("Poisson", {}), ("Hinge", {}), ("SquaredHinge", {}), ("CategoricalHinge", {}), ("CosineSimilarity", {}),
    ("BinaryCrossentropy", {}), ("BinaryCrossentropy", {"from_logits": True}),
    ("BinaryCrossentropy", {"label_smoothing": 0.2}), ("CategoricalCrossentropy", {}),
    ("CategoricalCrossentropy", {"from_logits": True}), ("CategoricalCrossentropy", {"label_smoothing": 0.2}),
    ("SparseCategoricalCrossentropy", {}), ("SparseCategoricalCrossentropy", {"from_logits": True}),
    ("SparseCategoricalCrossentropy", {"ignore_class": 1}),
    ("SparseCategoricalCrossentropy", {"ignore_class": 1, "from_logits": True}),
    ("BinaryFocalCrossentropy", {"gamma": 1.5}), ("BinaryFocalCrossentropy", {"from_logits": True, "axis": 0}),
    ("BinaryFocalCrossentropy", {"apply_class_balancing": True, "label_smoothing": 0.2}),
    ("CategoricalFocalCrossentropy", {"gamma": 1.5}), ("CategoricalFocalCrossentropy", {"label_smoothing": 0.2}),
    ("CategoricalFocalCrossentropy", {"from_logits": True}), ("CategoricalGeneralizedCrossEntropy", {"q": 0.3}),
    ("Dice", {}), ("Dice", {"axis": -1}), ("Dice", {"axis": (0, -1)}), ("Tversky", {"alpha": 0.3, "beta": 0.8}),
    ("Tversky", {"axis": 0}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "options"), CASES)
@pytest.mark.parametrize("shape", [(7, 5), (1, 3), (2, 3, 4)])
def test_gradient(name, options, shape):
    loss = getattr(losses, name)(**options)
    y, t = example(name, shape)
    t = loss.check_targets(shape, t)
    values, ctx = loss.forward(y.copy(), t)
    scale = np.random.default_rng(1).uniform(0.2, 1, values.shape)
    dy = loss.backward(scale.copy(), ctx)
    assert dy.shape == y.shape
    slope = numeric(lambda v: (loss.forward(v, t)[0] * scale).sum(), y)
    np.testing.assert_allclose(dy, slope, atol=1e-5, rtol=1e-3)


@pytest.mark.parametrize("options", [{"gamma": 3.0}, {"gamma": 2.0, "remove_diagonal": False}])
def test_gradient_of_circle_loss(options):
    rng = np.random.default_rng(4)
    y, t = rng.normal(size=(6, 3)), np.array([0, 1, 0, 2, 1, 1])
    y /= np.sqrt((y**2).sum(axis=1, keepdims=True))
    loss = losses.Circle(**options)
    values, ctx = loss.forward(y.copy(), t)
    scale = rng.uniform(0.2, 1, len(values))
    slope = numeric(lambda v: loss.forward(v, t)[0] @ scale, y)
    np.testing.assert_allclose(loss.backward(scale, ctx), slope, atol=1e-5, rtol=1e-3)


@pytest.mark.parametrize("shape", [(7, 5), (2, 3, 4)])
@pytest.mark.parametrize(
    ("name", "options", "activation"),
    [
        ("SparseCategoricalCrossentropy", {}, "softmax"),
        ("SparseCategoricalCrossentropy", {"ignore_class": 0}, "softmax"),
        ("CategoricalCrossentropy", {"label_smoothing": 0.1}, "softmax"),
        ("BinaryCrossentropy", {"label_smoothing": 0.1}, "sigmoid"),
        ("BinaryFocalCrossentropy", {"label_smoothing": 0.1, "apply_class_balancing": True}, "sigmoid"),
        ("Crossentropy", {}, "softmax"),
        ("Crossentropy", {}, "sigmoid"),
    ],
)
def test_on_logits_is_the_activation_and_the_loss(name, options, activation, shape):
    plain = getattr(losses, name)(**options)
    loss = plain.on_logits(activation)
    z = np.random.default_rng(2).normal(size=shape)
    _, t = example("SparseCategoricalCrossentropy" if name == "Crossentropy" else name, shape)
    t = loss.check_targets(shape, t)
    values, p, ctx = loss.forward(z.copy(), t)
    e = np.exp(z)
    expected = e / e.sum(-1, keepdims=True) if activation == "softmax" else e / (1 + e)
    np.testing.assert_allclose(p, expected, rtol=1e-12)
    np.testing.assert_allclose(values, plain.forward(expected, t)[0], rtol=1e-9)
    scale = np.random.default_rng(1).uniform(0.2, 1, len(values))
    dz = loss.backward(scale.copy(), ctx)
    assert dz.shape == shape
    np.testing.assert_allclose(dz, numeric(lambda v: loss.forward(v, t)[0] @ scale, z), atol=1e-5, rtol=1e-3)


def test_binary_crossentropy_by_shape_on_a_sigmoid():
    plain, z, t = losses.get("ce"), np.array([[2.0], [-1.0]]), np.array([1.0, 0.0])
    loss = plain.on_logits("sigmoid")
    values, p, ctx = loss.forward(z, loss.check_targets((None, 1), t))
    np.testing.assert_allclose(p, 1 / (1 + np.exp(-z)))
    np.testing.assert_allclose(loss.backward(np.ones(2), ctx), p - t[:, None])
    np.testing.assert_allclose(values, np.log1p(np.exp([-2.0, -1.0])))


def test_a_saturated_prediction_still_learns():
    loss = losses.SparseCategoricalCrossentropy().on_logits("softmax")
    values, _, ctx = loss.forward(np.array([[500.0, -500.0]], np.float32), np.array([1]))
    assert values[0] == 1000
    np.testing.assert_array_equal(loss.backward(np.ones(1, np.float32), ctx), [[1, -1]])


def test_on_logits_only_where_there_is_such_a_form():
    assert losses.MeanSquaredError().on_logits("softmax") is None
    assert losses.BinaryCrossentropy().on_logits("softmax") is None
    assert losses.CategoricalCrossentropy().on_logits("sigmoid") is None
    with pytest.warns(UserWarning, match="from_logits=True, but the last layer ends in a softmax"):
        losses.CategoricalCrossentropy(from_logits=True).on_logits("softmax")

"""Values of the losses: against Keras' numbers, reductions and weights, functions and names."""

import numpy as np
import pytest

from fastnn import losses
from tests.backends import each_backend  # noqa: F401
from tests.losses.golden import BITS, GOLDEN, LOGITS, NEAR, REAL, SURE

pytestmark = pytest.mark.usefixtures("each_backend")


@pytest.mark.parametrize(("name", "options", "y_true", "y_pred", "expected"), GOLDEN)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_keras_numbers(name, options, y_true, y_pred, expected, dtype):
    loss = getattr(losses, name)(reduction=None, **options)
    values = loss(np.asarray(y_true), np.asarray(y_pred, dtype))
    assert values.dtype == dtype
    np.testing.assert_allclose(values, expected, rtol=1e-9 if dtype == "float64" else 2e-6, atol=1e-7)


@pytest.mark.parametrize(("name", "options", "y_true", "y_pred", "expected"), GOLDEN)
def test_forward_gives_the_values_of_rows(name, options, y_true, y_pred, expected):
    loss = getattr(losses, name)(**options)
    y = np.asarray(y_pred)
    found, _ = loss.forward(y, loss.check_targets(y.shape, np.asarray(y_true)))
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-7)


@pytest.mark.parametrize(("function", "cls"), losses.functions.CLASSES.items())
def test_function_and_class_agree(function, cls):
    name, _, y_true, y_pred, expected = next(g for g in GOLDEN if g[0] == cls.__name__ and not g[1])
    options = {"q": 0.5} if cls is losses.CategoricalGeneralizedCrossEntropy else {}
    np.testing.assert_allclose(function(y_true, np.asarray(y_pred), **options), expected, rtol=1e-6, atol=1e-7)
    assert isinstance(losses.get(function), cls)
    assert isinstance(losses.get(function.__name__), cls)
    assert isinstance(losses.get(name), cls)


def test_reductions():
    y, t, w = np.asarray(NEAR), np.asarray(REAL), np.array([1.0, 3.0])
    a, b = 1.4375, 2.6875  # rows of the mean squared error
    make = losses.MeanSquaredError
    assert make()(t, y) == pytest.approx((a + b) / 2)
    assert make()(t, y, w) == pytest.approx((a + 3 * b) / 2)  # divided by the rows, not by the weights
    assert make(reduction="mean_with_sample_weight")(t, y, w) == pytest.approx((a + 3 * b) / 4)
    assert make(reduction="sum")(t, y, w) == pytest.approx(a + 3 * b)
    np.testing.assert_allclose(make(reduction=None)(t, y, w), [a, 3 * b])


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "mean", "sum", "mean_with_sample_weight"])
@pytest.mark.parametrize("weights", [None, [1.0, 3.0]])
def test_scale_is_the_reduction_of_a_training_step(reduction, weights):
    y, t = np.asarray(NEAR), np.asarray(REAL)
    loss = losses.MeanSquaredError(reduction=reduction)
    values, _ = loss.forward(y, t)
    weights = None if weights is None else np.asarray(weights)
    assert values @ loss.scale(2, weights, np.float64) == pytest.approx(loss(t, y, weights))


def test_scale_spreads_example_weights_over_rows():
    np.testing.assert_allclose(losses.MeanSquaredError().scale(4, np.array([1.0, 3.0])), [0.25, 0.25, 0.75, 0.75])
    with pytest.raises(ValueError, match=r"one value for each of 4 rows\. Received: 3"):
        losses.MeanSquaredError().scale(4, np.ones(3))
    with pytest.raises(ValueError, match="one number"):
        losses.MeanSquaredError(reduction=None).scale(4)


def test_ignored_class_counts_for_nothing():
    loss = losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=-1)
    alone = losses.SparseCategoricalCrossentropy(from_logits=True)([1], LOGITS[:1])
    assert loss([1, -1], LOGITS) == pytest.approx(alone)  # the mean is over the rows that count
    np.testing.assert_allclose(
        losses.sparse_categorical_crossentropy([1, -1], LOGITS, from_logits=True, ignore_class=-1), [alone, 0]
    )
    assert loss([-1, -1], LOGITS) == 0


def test_more_axes():
    rng = np.random.default_rng(0)
    y, t = rng.random((2, 3, 5)), rng.random((2, 3, 5))
    values = losses.mean_squared_error(t, y)
    assert values.shape == (2, 3)
    np.testing.assert_allclose(values, ((y - t) ** 2).mean(-1))
    np.testing.assert_allclose(losses.MeanSquaredError()(t, y), ((y - t) ** 2).mean())
    labels = rng.integers(0, 5, (2, 3))
    p = y / y.sum(-1, keepdims=True)
    expected = -np.log(np.take_along_axis(p, labels[..., None], -1))[..., 0]
    np.testing.assert_allclose(losses.sparse_categorical_crossentropy(labels, p), expected)


@pytest.mark.parametrize("name", ["ce", "crossentropy"])
def test_crossentropy_chooses_by_shape(name):
    loss = losses.get(name)
    assert loss([1, 2], SURE) == pytest.approx(losses.SparseCategoricalCrossentropy()([1, 2], SURE))
    assert loss([[1], [2]], SURE) == pytest.approx(losses.SparseCategoricalCrossentropy()([1, 2], SURE))
    assert loss(np.eye(3)[[1, 2]], SURE) == pytest.approx(losses.SparseCategoricalCrossentropy()([1, 2], SURE))
    assert loss([1, 0], [[0.9], [0.4]]) == pytest.approx(losses.BinaryCrossentropy()([1, 0], [[0.9], [0.4]]))


def test_saturated_logits_stay_finite_in_float32():
    z = np.array([[1000.0, -1000.0]], np.float32)
    assert losses.SparseCategoricalCrossentropy(from_logits=True)([1], z) == 2000
    assert losses.BinaryCrossentropy(from_logits=True)([[0, 1]], z) == 1000


@pytest.mark.parametrize("alias", ["mse", "MAE", "mape", "msle", "bce", "cce", "kld", "logcosh", "Huber", "huber"])
def test_aliases(alias):
    assert isinstance(losses.get(alias), losses.Loss)


def test_get_and_config():
    loss = losses.get({"class_name": "Huber", "config": {"delta": 2.0}})
    assert loss.delta == 2.0
    assert losses.get(losses.serialize(loss)).get_config() == loss.get_config()
    assert losses.get(None) is None
    assert losses.get(loss) is loss
    for cls in losses.functions.CLASSES.values():
        assert cls.from_config(cls().get_config()).get_config() == cls().get_config()
    with pytest.raises(ValueError, match="Did you mean 'mean_squared_error'"):
        losses.get("mean_square_error")
    with pytest.raises(TypeError, match="Received: 3"):
        losses.get(3)


def test_inputs_are_unchanged():
    for name, options, y_true, y_pred, _ in GOLDEN:
        y, t = np.asarray(y_pred), np.asarray(y_true)
        before = y.copy(), t.copy()
        loss = getattr(losses, name)(**options)
        values, ctx = loss.forward(y, loss.check_targets(y.shape, t))
        loss.backward(np.ones_like(values), ctx)
        np.testing.assert_array_equal(y, before[0])
        np.testing.assert_array_equal(t, before[1])


def test_hinge_leaves_signed_labels_alone():
    signed = 2 * np.asarray(BITS) - 1
    y = np.array([[1.0, -2.0], [0.5, 3.0]])
    np.testing.assert_allclose(losses.hinge(signed, y), losses.hinge(BITS, y))


@pytest.mark.parametrize("from_logits", [False, True])
def test_values_of_an_ignored_class_are_not_scaled(from_logits):
    options = {"from_logits": from_logits, "reduction": None}
    y = LOGITS if from_logits else SURE
    plain = losses.SparseCategoricalCrossentropy(**options)([1, 2], y)
    found = losses.SparseCategoricalCrossentropy(ignore_class=-1, **options)([1, -1], y)
    np.testing.assert_allclose(found, [plain[0], 0])
    summed = losses.SparseCategoricalCrossentropy(from_logits, ignore_class=-1, reduction="sum")
    assert summed([1, -1], y) == pytest.approx(plain[0])
    mean = losses.SparseCategoricalCrossentropy(from_logits, ignore_class=-1)
    assert mean([1, -1], y, [3.0, 5.0]) == pytest.approx(3 * plain[0])
    weighted = losses.SparseCategoricalCrossentropy(from_logits, -1, "mean_with_sample_weight")
    assert weighted([1, -1], y, [3.0, 5.0]) == pytest.approx(plain[0])


@pytest.mark.parametrize("axis", [0, 1, 2, -2])
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("BinaryCrossentropy", {"label_smoothing": 0.2}),
        ("BinaryCrossentropy", {"from_logits": True}),
        ("CategoricalCrossentropy", {"label_smoothing": 0.2}),
        ("CategoricalCrossentropy", {"from_logits": True}),
        ("SparseCategoricalCrossentropy", {"ignore_class": 1}),
        ("SparseCategoricalCrossentropy", {"from_logits": True}),
        ("CosineSimilarity", {}),
    ],
)
def test_classes_along_another_axis(name, options, axis):
    rng = np.random.default_rng(axis + 2)
    last = rng.uniform(0.1, 0.9, (3, 4, 5))
    t = rng.integers(0, 5, (3, 4)) if name.startswith("Sparse") else np.eye(5)[rng.integers(0, 5, (3, 4))]
    moved = np.moveaxis(last, -1, axis)
    labels = t if name.startswith("Sparse") else np.moveaxis(t, -1, axis)
    along, plain = (
        getattr(losses, name)(axis=axis, reduction=None, **options),
        getattr(losses, name)(reduction=None, **options),
    )
    np.testing.assert_allclose(along(labels, moved), plain(t, last), rtol=1e-12)
    values, ctx = along.forward(moved, along.check_targets(moved.shape, labels))
    scale = rng.uniform(0.2, 1, len(values))
    other, other_ctx = plain.forward(last, plain.check_targets(last.shape, t))
    np.testing.assert_allclose(values, other)
    np.testing.assert_allclose(
        np.moveaxis(along.backward(scale, ctx), axis, -1), plain.backward(scale, other_ctx), rtol=1e-12
    )
    with pytest.raises(ValueError, match="There is no axis 3"):
        getattr(losses, name)(axis=3)(labels, moved)
    with pytest.raises(TypeError, match=r"axis is an integer\. Received: axis=True"):
        getattr(losses, name)(axis=True)

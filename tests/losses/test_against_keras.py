"""Losses beside Keras' own: classes, functions, reductions, weights, what is left out, and their configs."""

import numpy as np
import pytest

from fastnn import losses
from tests.losses.test_gradients import example

keras = pytest.importorskip("keras", reason="Keras is an extra of the benchmarks")

CASES = [
    ("MeanSquaredError", {}),
    ("CosineSimilarity", {"axis": 1}),
    ("BinaryCrossentropy", {"label_smoothing": 0.2, "axis": 1}),
    ("CategoricalCrossentropy", {"axis": 1}),
    ("SparseCategoricalCrossentropy", {"ignore_class": 1}),
    ("SparseCategoricalCrossentropy", {"ignore_class": 1, "from_logits": True}),
    ("BinaryFocalCrossentropy", {"apply_class_balancing": True, "gamma": 1.5}),
    ("BinaryFocalCrossentropy", {"from_logits": True, "axis": 1}),
    ("CategoricalFocalCrossentropy", {"alpha": [0.1, 0.2, 0.3, 0.4], "label_smoothing": 0.1}),
    ("CategoricalFocalCrossentropy", {"from_logits": True, "axis": 1}),
    ("Dice", {"axis": (0, 2)}),
    ("Dice", {"axis": None}),
    ("Tversky", {"axis": 2, "alpha": 0.3, "beta": 0.9}),
]


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "mean", "sum", "mean_with_sample_weight", None])
@pytest.mark.parametrize("weights", [False, True])
@pytest.mark.parametrize(("name", "options"), CASES)
def test_values(name, options, weights, reduction):
    y, t = example(name, (3, 4, 4))
    if name == "CategoricalFocalCrossentropy":
        t = np.eye(4)[t.argmax(-1)]
    theirs = getattr(keras.losses, name)(reduction=reduction, dtype="float64", **options)
    ours = getattr(losses, name)(reduction=reduction, **options)
    shape = ours(t, y).shape if reduction is None else getattr(losses, name)(reduction=None, **options)(t, y).shape
    weight = np.random.default_rng(3).uniform(0.5, 2, shape or (3,)) if weights else None
    np.testing.assert_allclose(ours(t, y, weight), np.asarray(theirs(t, y, weight)), rtol=1e-6)


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", "mean_with_sample_weight"])
def test_circle_leaves_out_what_has_no_pair(reduction):
    rng = np.random.default_rng(0)
    y, t = rng.normal(size=(7, 4)), np.array([0, 0, 1, 2, 2, 2, 3])
    y /= np.sqrt((y**2).sum(axis=1, keepdims=True))
    theirs = keras.losses.Circle(reduction=reduction, dtype="float64")(t, y)
    assert losses.Circle(reduction=reduction)(t, y) == pytest.approx(float(theirs), rel=1e-6)


@pytest.mark.parametrize("function", losses.functions.CLASSES, ids=lambda f: f.__name__)
def test_configs_are_those_of_keras(function):
    cls = losses.functions.CLASSES[function]
    theirs, ours = getattr(keras.losses, cls.__name__)().get_config(), cls().get_config()
    assert theirs.items() <= ours.items()
    assert hasattr(keras.losses, function.__name__)

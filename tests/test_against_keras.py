"""Losses, metrics and optimizers beside Keras itself, on random data; skipped where Keras is not installed."""

import numpy as np
import pytest

from fastnn import losses, metrics, optimizers
from tests.optimizers.arena import SHAPES, arena, fill

keras = pytest.importorskip("keras", reason="Keras is not installed")
tf = pytest.importorskip("tensorflow", reason="TensorFlow is not installed")
pytestmark = pytest.mark.filterwarnings("default")

N, C = 9, 5


def data():
    rng = np.random.default_rng(0)
    shares = rng.uniform(0.05, 0.95, (N, C)).astype("float32")
    one_hot = np.eye(C, dtype="float32")[rng.integers(0, C, N)]
    return {
        "positive": rng.uniform(0.05, 1, (N, C)).astype("float32"),
        "logits": rng.normal(size=(N, C)).astype("float32") * 3,
        "shares": shares / shares.sum(1, keepdims=True),
        "one_hot": one_hot,
        "labels": one_hot.argmax(1),
        "bits": rng.integers(0, 2, (N, C)).astype("float32"),
        "weights": rng.uniform(0.1, 2, N).astype("float32"),
    }


LOSSES = [
    ("MeanSquaredError", {}, "positive", "logits"),
    ("MeanAbsoluteError", {}, "positive", "logits"),
    ("MeanAbsolutePercentageError", {}, "positive", "logits"),
    ("MeanSquaredLogarithmicError", {}, "positive", "logits"),
    ("Huber", {"delta": 0.3}, "positive", "logits"),
    ("LogCosh", {}, "positive", "logits"),
    ("KLDivergence", {}, "positive", "shares"),
    ("Poisson", {}, "positive", "shares"),
    ("Hinge", {}, "bits", "logits"),
    ("SquaredHinge", {}, "bits", "logits"),
    ("CategoricalHinge", {}, "one_hot", "logits"),
    ("CosineSimilarity", {}, "positive", "logits"),
    ("BinaryCrossentropy", {}, "bits", "shares"),
    ("BinaryCrossentropy", {"from_logits": True, "label_smoothing": 0.2}, "bits", "logits"),
    ("CategoricalCrossentropy", {"label_smoothing": 0.1}, "one_hot", "shares"),
    ("CategoricalCrossentropy", {"from_logits": True}, "one_hot", "logits"),
    ("SparseCategoricalCrossentropy", {}, "labels", "shares"),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, "labels", "logits"),
    ("SparseCategoricalCrossentropy", {"from_logits": True, "ignore_class": 1}, "labels", "logits"),
]


@pytest.mark.parametrize(("name", "options", "true", "pred"), LOSSES)
def test_loss_and_gradient(name, options, true, pred):
    d = data()
    t, y, w = d[true], d[pred], d["weights"]
    ours, theirs = getattr(losses, name)(**options), getattr(keras.losses, name)(**options)
    variable = tf.Variable(y)
    with tf.GradientTape() as tape:
        value = theirs(t, variable, sample_weight=w)
    assert float(ours(t, y, w)) == pytest.approx(float(value), rel=1e-5)
    _, ctx = ours.forward(y, ours.check_targets((None, C), t))
    dy = ours.backward(ours.scale(N, w), ctx)
    expected = tape.gradient(value, variable).numpy()
    np.testing.assert_allclose(dy, expected, rtol=1e-4, atol=1e-6 * np.abs(expected).max())


METRICS = [
    ("BinaryAccuracy", {"threshold": 0.2}, "bits", "shares"),
    ("CategoricalAccuracy", {}, "one_hot", "shares"),
    ("SparseCategoricalAccuracy", {}, "labels", "shares"),
    ("TopKCategoricalAccuracy", {"k": 2}, "one_hot", "shares"),
    ("SparseTopKCategoricalAccuracy", {"k": 2}, "labels", "shares"),
    ("Precision", {"thresholds": [0.1, 0.3, 0.2]}, "bits", "shares"),
    ("Recall", {"top_k": 3, "class_id": 2}, "one_hot", "shares"),
    ("AUC", {}, "bits", "shares"),
    ("AUC", {"curve": "PR", "num_thresholds": 17}, "bits", "shares"),
    ("AUC", {"curve": "PR", "summation_method": "majoring"}, "bits", "shares"),
    ("AUC", {"multi_label": True, "num_labels": C, "label_weights": [1.0, 2.0, 3.0, 0.0, 1.0]}, "bits", "shares"),
    ("AUC", {"label_weights": [1.0, 2.0, 3.0, 0.0, 1.0]}, "bits", "shares"),
    ("AUC", {"from_logits": True}, "bits", "logits"),
    ("F1Score", {"average": "weighted"}, "one_hot", "shares"),
    ("FBetaScore", {"average": "micro", "beta": 2.0, "threshold": 0.2}, "bits", "shares"),
    ("RootMeanSquaredError", {}, "positive", "logits"),
    ("R2Score", {"num_regressors": 2}, "positive", "logits"),
    ("CosineSimilarity", {}, "positive", "logits"),
    ("LogCoshError", {}, "positive", "logits"),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, "labels", "logits"),
]


@pytest.mark.parametrize(("name", "options", "true", "pred"), METRICS)
def test_metric(name, options, true, pred):
    d = data()
    ours, theirs = getattr(metrics, name)(**options), getattr(keras.metrics, name)(**options)
    for metric in (ours, theirs):
        metric.update_state(d[true], d[pred])
        metric.update_state(d[true][:4], d[pred][:4], sample_weight=d["weights"][:4])
    np.testing.assert_allclose(ours.result(), np.asarray(theirs.result()), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("SGD", {"momentum": 0.9, "nesterov": True}),
        ("Adam", {"amsgrad": True}),
        ("RMSprop", {"momentum": 0.5, "centered": True}),
        *((n, o) for n in ("SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adadelta", "Adamax", "Nadam")
          for o in ({}, {"weight_decay": 0.1}, {"clipnorm": 1.0}, {"global_clipnorm": 2.0}, {"clipvalue": 0.5},
                    {"use_ema": True, "ema_momentum": 0.8, "ema_overwrite_frequency": 3},
                    {"gradient_accumulation_steps": 4, "learning_rate": 0.05})),
    ],
)  # fmt: skip
def test_optimizer(name, options):
    parameters, value, grad = arena("float32")
    theirs = getattr(keras.optimizers, name)(**options)
    ours = getattr(optimizers, name)(**options)
    variables = [keras.Variable(p.value.copy(), name=key) for key, p in zip(SHAPES, parameters, strict=True)]
    for optimizer in (ours, theirs):
        if options.get("weight_decay"):
            optimizer.exclude_from_weight_decay(var_names=["bias"])
    theirs.build(variables)
    ours.build(parameters, value, grad)
    rng = np.random.default_rng(1)
    for _ in range(30):
        fill(parameters, rng, size=3)
        theirs.apply([keras.ops.convert_to_tensor(p.grad.copy()) for p in parameters])
        ours.step()
    theirs.finalize_variable_values(variables)
    ours.finalize_variable_values()
    for parameter, variable in zip(parameters, variables, strict=True):
        np.testing.assert_allclose(parameter.value, variable.numpy(), rtol=1e-5, atol=1e-5)
    assert ours.iterations == int(theirs.iterations)
    for mine, other in zip(ours.variables, theirs.variables, strict=True):
        np.testing.assert_allclose(mine, other.numpy(), rtol=1e-4, atol=1e-5)
    assert set(theirs.get_config()) - set(ours.get_config()) <= {"loss_scale_factor"}

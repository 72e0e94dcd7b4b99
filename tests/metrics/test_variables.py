"""Metrics of the user's own, written with variables as in Keras."""

import numpy as np
import pytest

import fastnn
from fastnn import layers, metrics, ops
from fastnn.keras.metrics import Metric


class TruePositives(Metric):
    def __init__(self, name="true_positives", **settings):
        super().__init__(name=name, **settings)
        self.count = self.add_variable(shape=(), initializer="zeros", name="count")
        self.each = self.add_weight((3,), name="each")

    def update_state(self, y_true, y_pred, sample_weight=None):
        hit = ops.cast(y_true, "int32") == ops.cast(ops.argmax(y_pred, axis=-1), "int32")
        self.count.assign_add(ops.sum(ops.cast(hit, "float32")))
        self.each.assign_add(ops.one_hot(y_true[hit], 3).sum(axis=0))

    def result(self):
        return self.count


Y = np.array([0, 1, 2, 2])
P = np.array([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.8, 0.1, 0.1], [0.1, 0.1, 0.8]])


def test_variables_accumulate_and_are_reset():
    metric = TruePositives()
    assert [v.name for v in metric.variables] == ["count", "each"]
    assert [v.dtype for v in metric.variables] == ["float32", "float32"]
    metric.update_state(Y, P)
    metric.update_state(Y[:2], P[:2])
    assert float(metric.result()) == 5
    np.testing.assert_array_equal(metric.each.value, [2, 2, 1])
    metric.count.assign_sub(2)
    assert float(metric.result()) == 3
    metric.reset_state()
    assert float(metric.result()) == 0
    assert TruePositives(dtype="float64").count.dtype == "float64"


def test_a_run_goes_on_from_its_state():
    metric, other = TruePositives(), TruePositives()
    metric.update_state(Y, P)
    state = metric.get_state()
    metric.update_state(Y, P)
    other.set_state(state)
    assert float(other.result()) == 3
    np.testing.assert_array_equal(other.each.value, [1, 1, 1])
    assert other.count is other.variables[0]
    with pytest.raises(ValueError, match="zip"):
        other.set_state({"variables": state["variables"][:1]})


def test_fit_logs_numbers():
    model = fastnn.Sequential([layers.Input((4,)), layers.Dense(3, "softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=[TruePositives(), "accuracy"])
    x, y = np.random.default_rng(0).normal(size=(40, 4)), np.arange(40) % 3
    history = model.fit(x, y, batch_size=8, epochs=2, verbose=0).history
    for hits, accuracy in zip(history["true_positives"], history["accuracy"], strict=True):
        assert hits == round(accuracy * 40)
    assert type(history["true_positives"][0]) is float
    assert (
        history["true_positives"][0] != history["true_positives"][1] or history["accuracy"][0] == history["accuracy"][1]
    )


def test_a_metric_without_variables_says_what_it_lacks():
    with pytest.raises(NotImplementedError, match=r"Metric has no reset_state\(\)"):
        metrics.Metric().reset_state()

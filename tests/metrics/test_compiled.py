"""Names, functions and shapes: which metric a user means, and all metrics of a model together."""

import numpy as np
import pytest

from fastnn import losses, metrics
from fastnn.metrics import CompiledMetrics


@pytest.mark.parametrize("typed", ["accuracy", "acc", "ACC"])
@pytest.mark.parametrize(
    ("y_shape", "t_shape", "cls"),
    [
        ((None, 1), (None, 1), "BinaryAccuracy"),
        ((None, 1), (None,), "BinaryAccuracy"),
        ((None, 10), (None,), "SparseCategoricalAccuracy"),
        ((None, 10), (None, 1), "SparseCategoricalAccuracy"),
        ((None, 10), (None, 10), "CategoricalAccuracy"),
        ((None, 7, 10), (None, 7), "SparseCategoricalAccuracy"),
    ],
)
def test_accuracy_by_shape(typed, y_shape, t_shape, cls):
    metric = metrics.get(typed, y_shape=y_shape, t_shape=t_shape)
    assert type(metric).__name__ == cls
    assert metric.name == typed
    cross = metrics.get("ce", y_shape=y_shape, t_shape=t_shape)
    assert type(cross).__name__ == cls.replace("Accuracy", "Crossentropy")
    assert cross.name == "ce"


@pytest.mark.parametrize("name", ["mse", "mae", "rmse", "auc", "precision", "Recall", "f1_score", "r2_score", "AUC"])
def test_a_name_stays_as_typed(name):
    assert metrics.get(name).name == name


def test_names_of_classes():
    expected = {
        "KLDivergence": "kl_divergence", "F1Score": "f1_score", "FBetaScore": "fbeta_score", "AUC": "auc",
        "LogCoshError": "logcosh", "TopKCategoricalAccuracy": "top_k_categorical_accuracy", "R2Score": "r2_score",
    }  # fmt: skip
    for cls, name in expected.items():
        assert getattr(metrics, cls)().name == name


def test_functions_of_ones_own():
    def gap(y_true, y_pred):
        return np.abs(y_true - y_pred)

    def number(y_true, y_pred):
        return np.max(y_pred)

    compiled = CompiledMetrics([gap, number, losses.mean_squared_error, losses.Huber()])
    compiled.update(np.array([1.0, 2.0]), np.array([[1.5], [2.0]]))
    assert compiled.result() == pytest.approx(
        {"gap": 0.25, "number": 2, "mean_squared_error": 0.125, "huber_loss": 0.0625}
    )


def test_weighted_metrics_alone_see_the_weights():
    compiled = CompiledMetrics(["mae"], weighted_metrics=["mae", "mse"])
    compiled.update(np.array([[0.0], [0.0]]), np.array([[1.0], [3.0]]), np.array([3.0, 1.0]))
    assert compiled.result() == pytest.approx({"mae": 2, "weighted_mae": 1.5, "mse": 3})
    compiled.reset()
    assert compiled.result() == {"mae": 0, "weighted_mae": 0, "mse": 0}


def test_two_of_a_kind_get_numbers():
    compiled = CompiledMetrics([metrics.Precision(class_id=0), metrics.Precision(class_id=1)])
    compiled.update(np.eye(2), np.eye(2))
    assert compiled.result() == {"precision": 1, "precision_1": 1}


def test_built_once():
    compiled = CompiledMetrics(["accuracy"])
    assert compiled.metrics == []
    compiled.build((None, 3), (None,))
    first = compiled.metrics
    compiled.build((None, 1), (None, 1))
    assert compiled.metrics == first
    assert CompiledMetrics().result() == {}


def test_directions():
    assert metrics.get("mae").direction == "down"
    assert metrics.get("auc").direction == "up"
    assert metrics.get(losses.mean_squared_error).direction == "down"
    assert metrics.get(metrics.binary_accuracy).direction == "up"
    assert metrics.get(lambda y_true, y_pred: 0.0).direction is None


def test_errors_teach():
    with pytest.raises(TypeError, match=r"metrics must be a list.*Use metrics=\['accuracy'\]"):
        CompiledMetrics("accuracy")
    with pytest.raises(ValueError, match="Did you mean 'accuracy'"):
        metrics.get("acuracy")
    with pytest.raises(TypeError, match="Received: 7"):
        metrics.get(7)
    assert metrics.get(None) is None
    assert CompiledMetrics([None]).built

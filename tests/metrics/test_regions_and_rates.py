"""IoU, rates at the best threshold, correlations; metrics that stand in two lists; variables and configs."""

import copy

import numpy as np
import pytest

from fastnn import Input, Sequential, losses, metrics
from fastnn.layers import Dense

RNG = np.random.default_rng(0)
LABELS, GUESSES = RNG.integers(-1, 4, (6, 5)), RNG.integers(-1, 4, (6, 5))
SCORES = RNG.random((6, 5, 3)).astype(np.float32)
BITS, CHANCES = RNG.integers(0, 2, (40, 3)), RNG.random((40, 3)).astype(np.float32)

# name, arguments, y_true, y_pred
CASES = [
    ("IoU", {"num_classes": 3, "target_class_ids": [0, 2]}, LABELS, GUESSES),
    ("IoU", {"num_classes": 3, "target_class_ids": [1], "ignore_class": 2}, LABELS, GUESSES),
    ("MeanIoU", {"num_classes": 3, "sparse_y_pred": False}, LABELS, SCORES),
    ("MeanIoU", {"num_classes": 3}, np.zeros((2, 2), int), np.ones((2, 2), int)),
    ("BinaryIoU", {"target_class_ids": [1], "threshold": 0.3}, BITS, CHANCES),
    ("OneHotIoU", {"num_classes": 3, "target_class_ids": [0, 1]}, SCORES[::-1], SCORES),
    ("OneHotMeanIoU", {"num_classes": 3}, SCORES[::-1], SCORES),
    ("SensitivityAtSpecificity", {"specificity": 0.7}, BITS, CHANCES),
    ("SpecificityAtSensitivity", {"sensitivity": 0.6, "num_thresholds": 11, "class_id": 1}, BITS, CHANCES),
    ("PrecisionAtRecall", {"recall": 0.4}, BITS, CHANCES),
    ("RecallAtPrecision", {"precision": 0.55, "num_thresholds": 1}, BITS, CHANCES),
    ("PearsonCorrelation", {}, SCORES[::-1], SCORES),
    ("ConcordanceCorrelation", {"axis": 1}, SCORES[::-1], SCORES),
    ("SparseTopKCategoricalAccuracy", {"k": 2}, LABELS % 3, SCORES),
    ("TopKCategoricalAccuracy", {"k": 2}, np.eye(3)[LABELS % 3], SCORES),
    ("R2Score", {"class_aggregation": "variance_weighted_average"}, CHANCES[::-1], CHANCES),
    ("R2Score", {"class_aggregation": None}, CHANCES[::-1], CHANCES),
    ("R2Score", {"num_regressors": 2}, CHANCES[::-1], CHANCES),
    ("Precision", {"thresholds": [0.2, 0.7]}, BITS, CHANCES),
    ("Recall", {"top_k": 2}, BITS, CHANCES),
    ("FalseNegatives", {"thresholds": 0.4}, BITS, CHANCES),
    ("AUC", {"num_thresholds": 20, "multi_label": True}, BITS, CHANCES),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, LABELS % 3, SCORES),
]


def make(name, options):
    return getattr(metrics, name)(**options)


@pytest.mark.parametrize(("name", "options", "t", "y"), CASES)
@pytest.mark.parametrize("weights", [False, True])
def test_beside_keras(name, options, t, y, weights):
    keras = pytest.importorskip("keras", reason="Keras is an extra of the benchmarks")
    theirs, ours = getattr(keras.metrics, name)(**options), make(name, options)
    shape = t.shape if "IoU" in name and t.ndim == 2 else t.shape[:1]
    if weights and "IoU" in name and t.ndim > 2:
        shape = t.shape[:2]
    for part in (slice(0, 2), slice(2, None)):
        weight = RNG.integers(1, 4, shape)[part] if weights else None
        for metric in (theirs, ours):
            metric.update_state(t[part], y[part], weight)
    np.testing.assert_allclose(ours.result(), np.asarray(theirs.result()), rtol=1e-5, atol=1e-6)
    names = [v.name for v in theirs.variables]
    assert [v.name for v in ours.variables][: len(names)] == names or name == "R2Score"
    if name != "R2Score":
        for mine, other in zip(ours.variables, theirs.variables, strict=True):
            np.testing.assert_allclose(mine.numpy(), other.numpy(), rtol=1e-5)
    assert ours.get_config() | theirs.get_config() | {"name": ours.name} == ours.get_config()
    assert theirs.name.startswith(ours.name)  # where Keras counts, it counts those of other tests too


@pytest.mark.parametrize(("name", "options", "t", "y"), CASES)
def test_config_and_copies(name, options, t, y):
    first = make(name, options)
    again = metrics.get(metrics.serialize(first))
    assert again.get_config() == first.get_config()
    np.testing.assert_array_equal(first(t, y), again(t, y))
    again.set_state(copy.deepcopy(first.get_state()))
    first.update_state(t[:2], y[:2])
    again.update_state(t[:2], y[:2])
    np.testing.assert_array_equal(first.result(), again.result())
    first.reset_state()
    np.testing.assert_array_equal(first(t, y), make(name, options)(t, y))


def test_iou_by_hand():
    t, y = np.array([0, 0, 1, 1, 2]), np.array([0, 1, 1, 1, 0])
    assert metrics.MeanIoU(4)(t, y) == pytest.approx((1 / 3 + 2 / 3 + 0) / 3)  # class 3 does not occur
    assert metrics.IoU(3, [1])(t, y, [1, 2, 1, 1, 5]) == pytest.approx(2 / 4)
    assert metrics.IoU(3, [0], ignore_class=2)(t, y) == pytest.approx(1 / 2)
    assert metrics.MeanIoU(2)([5], [5]) == 0
    rows = np.eye(3)[[[0, 1, 2, 0]]], np.eye(3)[[[0, 1, 1, 0]]]
    along = [np.moveaxis(one, -1, 1) for one in rows]
    assert metrics.OneHotMeanIoU(3, axis=1)(*along) == metrics.OneHotMeanIoU(3)(*rows) == pytest.approx(0.5)
    with pytest.raises(ValueError, match=r"a label for each prediction.*Use sparse_y_pred=False"):
        metrics.MeanIoU(3)(np.zeros(4), np.zeros((4, 3)))
    with pytest.raises(ValueError, match=r"target_class_ids are from 0 to 2\. Received: target_class_ids=\[3\]"):
        metrics.IoU(3, [3])


def test_rates_by_hand():
    t, y = [0, 0, 0, 1, 1], [0, 0.3, 0.8, 0.3, 0.8]
    assert metrics.SensitivityAtSpecificity(0.5)(t, y) == 0.5
    assert metrics.SpecificityAtSensitivity(0.9)(t, y) == pytest.approx(1 / 3)
    assert metrics.PrecisionAtRecall(0.9)(t, y) == pytest.approx(2 / 4)
    assert metrics.RecallAtPrecision(0.99)(t, y) == 0.0
    with pytest.raises(ValueError, match=r"recall is a number from 0 to 1. Received: recall=1.5"):
        metrics.PrecisionAtRecall(1.5)
    with pytest.raises(ValueError, match=r"class_id is below the number of classes, 3. Received: class_id=3"):
        metrics.PrecisionAtRecall(0.5, class_id=3)(BITS, CHANCES)


def test_correlations_by_hand():
    t, y = RNG.normal(size=(4, 9)), RNG.normal(size=(4, 9))
    expected = [np.corrcoef(a, b)[0, 1] for a, b in zip(t, y, strict=True)]
    np.testing.assert_allclose(metrics.pearson_correlation(t, y), expected)
    assert metrics.PearsonCorrelation()(t, y) == pytest.approx(np.mean(expected))
    spread = t.var(1) + y.var(1) + (t.mean(1) - y.mean(1)) ** 2
    expected = 2 * np.array([np.cov(a, b, bias=True)[0, 1] for a, b in zip(t, y, strict=True)]) / (spread + 1e-7)
    np.testing.assert_allclose(metrics.concordance_correlation(t, y), expected)


def test_variables_are_what_has_been_counted():
    metric = metrics.Precision()
    metric.update_state(BITS[:, 0], CHANCES[:, 0])
    tp, fp = (v.numpy() for v in metric.variables)
    assert metric.result() == pytest.approx(tp[0] / (tp[0] + fp[0]))
    np.testing.assert_array_equal(metric.true_positives, tp)
    assert [v.name for v in metrics.Mean().variables] == ["total", "count"]
    assert metrics.Mean(dtype="float64").variables[0].dtype == "float64"
    with pytest.raises(ValueError, match="read-only"):
        metric.variables[0].assign([0.0])


def test_a_metric_in_two_lists_counts_each_batch_once():
    ones = metrics.TruePositives(name="ones")
    model = Sequential([Input((1,)), Dense(1, kernel_initializer="ones")])
    model.compile("sgd", "mse", metrics=[ones, ones], weighted_metrics=[ones])
    x, y, weight = np.ones((4, 1)), np.array([1.0, 1, 0, 1]), np.array([1.0, 2, 3, 4])
    found = model.evaluate(x, y, sample_weight=weight, verbose=0, return_dict=True)
    assert found == {"loss": 0.75, "ones": 3.0, "ones_1": 3.0, "weighted_ones": 7.0}
    assert ones.result() == 3.0


def test_functions_by_their_names_in_the_logs():
    model = Sequential([Input((1,)), Dense(1, kernel_initializer="ones")])
    model.compile("sgd", "mse", metrics=[metrics.mean_squared_error, lambda t, y: y, metrics.binary_accuracy])
    found = model.evaluate(np.ones((4, 1)), np.ones(4), verbose=0, return_dict=True)
    assert found == {"loss": 0.0, "mean_squared_error": 0.0, "lambda": 1.0, "binary_accuracy": 1.0}
    assert metrics.categorical_crossentropy is losses.categorical_crossentropy

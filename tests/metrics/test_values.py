"""Values of the metrics: against Keras' numbers, batch by batch, and by hand."""

import numpy as np
import pytest

from fastnn import metrics
from tests.backends import each_backend  # noqa: F401
from tests.metrics.golden import GOLDEN

pytestmark = pytest.mark.usefixtures("each_backend")


@pytest.mark.parametrize(("name", "options", "data", "plain", "weighted"), GOLDEN)
def test_keras_numbers(name, options, data, plain, weighted):
    t, y, w = data
    metric = getattr(metrics, name)(**options)
    y = y.astype(np.float32)
    assert np.shape(metric(t, y)) == np.shape(plain)
    np.testing.assert_allclose(metric.result(), plain, rtol=2e-6, atol=1e-6)
    metric.reset_state()
    np.testing.assert_allclose(metric(t, y, w), weighted, rtol=2e-6, atol=1e-6)


@pytest.mark.parametrize(("name", "options", "data", "plain", "weighted"), GOLDEN)
def test_batches_add_up(name, options, data, plain, weighted):
    t, y, w = data
    metric = getattr(metrics, name)(**options)
    for rows in (slice(0, 1), slice(1, None)):
        metric.update_state(t[rows], y[rows], w[rows])
    np.testing.assert_allclose(metric.result(), weighted, rtol=2e-6, atol=1e-6)


@pytest.mark.parametrize(("name", "options", "data", "plain", "weighted"), GOLDEN)
def test_config_makes_an_equal_metric(name, options, data, plain, weighted):
    metric = getattr(metrics, name)(**options, name="mine")
    again = metrics.get(metrics.serialize(metric))
    assert again.name == "mine"
    assert again.get_config() == metric.get_config()
    t, y, _ = data
    np.testing.assert_array_equal(metric(t, y), again(t, y))


def test_mean_and_sum():
    mean = metrics.Mean()
    assert mean.result() == 0
    mean.update_state(3.0)
    mean.update_state([[1.0, 2.0], [3.0, 4.0]])  # rows 1.5 and 3.5, each one example
    assert mean.result() == pytest.approx((3 + 1.5 + 3.5) / 3)
    mean.reset_state()
    mean.update_state([[1.0, 2.0], [3.0, 4.0]], [1.0, 3.0])
    assert mean.result() == pytest.approx((1.5 + 3 * 3.5) / 4)
    mean.reset_state()
    mean.update_state([[1.0, 2.0], [3.0, 4.0]], [[1.0, 0.0], [0.0, 1.0]])
    assert mean.result() == pytest.approx(2.5)
    total = metrics.Sum()
    total.update_state([1.0, 2.0], [1.0, 0.5])
    assert total.result() == 2


def test_an_empty_batch_changes_nothing():
    mean = metrics.Mean()
    mean.update_state([2.0, 4.0])
    mean.update_state(np.zeros((0, 3)))
    assert mean.result() == 3


@pytest.mark.parametrize("shape", [(4,), (4, 1)])
def test_sparse_labels_of_either_shape(shape):
    y = np.eye(3)[[0, 1, 2, 2]]
    assert metrics.SparseCategoricalAccuracy()(np.array([0, 1, 2, 0]).reshape(shape), y) == 0.75


def test_binary_accuracy_is_strict_at_the_threshold():
    assert metrics.BinaryAccuracy()([0.0, 1.0], [0.5, 0.5]) == 0.5


def test_ties_count_for_top_k():
    y = np.array([[0.5, 0.5, 0.5, 0.1]])
    assert metrics.SparseTopKCategoricalAccuracy(k=1)([2], y) == 1
    assert metrics.SparseTopKCategoricalAccuracy(k=1)([3], y) == 0
    assert metrics.SparseTopKCategoricalAccuracy(k=2, from_sorted_ids=True)([3], [[1, 3, 0]]) == 1


def test_nan_is_never_a_right_answer():
    assert metrics.BinaryAccuracy()([1.0, 1.0], [np.nan, 1.0]) == 0.5
    assert metrics.Precision()([1, 0], [np.nan, 0.9]) == 0
    assert metrics.SparseTopKCategoricalAccuracy(k=3)([0], [[np.nan, 1.0, 2.0]]) == 0


def test_auc_of_every_order_equals_the_share_of_right_pairs():
    rng = np.random.default_rng(5)
    t, y = rng.integers(0, 2, 200), rng.integers(0, 101, 200) / 100
    right = (y[t == 1][:, None] > y[t == 0]).mean() + 0.5 * (y[t == 1][:, None] == y[t == 0]).mean()
    assert metrics.AUC(num_thresholds=1001)(t, y) == pytest.approx(right, abs=1e-12)


def test_auc_from_logits():
    z = np.array([-3.0, 0.5, 2.0, -1.0])
    expected = metrics.AUC()([0, 1, 1, 0], 1 / (1 + np.exp(-z)))
    assert metrics.AUC(from_logits=True)([0, 1, 1, 0], z) == expected


def test_undefined_scores_are_zero():
    assert metrics.Precision().result() == 0
    assert metrics.Recall()([0, 0], [0.9, 0.1]) == 0
    assert metrics.AUC().result() == 0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: metrics.Precision(thresholds=1.5), "thresholds=1.5"),
        (lambda: metrics.Precision(thresholds=[0.5, None]), "Thresholds must be numbers"),
        (lambda: metrics.AUC(curve="ROCK"), "curve"),
        (lambda: metrics.AUC(num_thresholds=1), "at least 2"),
        (lambda: metrics.AUC(num_thresholds=10**12), "at most 1,000,000. Received: num_thresholds=1000000000000"),
        (lambda: metrics.AUC(num_labels=2), "multi_label=True"),
        (lambda: metrics.F1Score(average="mean"), "average"),
        (lambda: metrics.FBetaScore(beta=0.0), "beta"),
        (lambda: metrics.R2Score(class_aggregation="sum"), "class_aggregation"),
        (lambda: metrics.BinaryAccuracy()(np.ones(3), np.ones(4)), r"y_true.shape=\(3,\), y_pred.shape=\(4,\)"),
        (lambda: metrics.SparseCategoricalAccuracy()(np.eye(3), np.eye(3)), "'categorical_accuracy'"),
        (lambda: metrics.Precision()(np.ones(3), np.ones(4)), "one shape"),
        (lambda: metrics.F1Score()([1, 0], [1.0, 0.0]), "one-hot or multi-hot rows"),
        (lambda: metrics.R2Score()([1.0], [1.0]), r"\(N, outputs\)"),
    ],
)
def test_errors_teach(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_adjusted_r2_of_too_few_values_warns():
    metric = metrics.R2Score(num_regressors=5)
    metric.update_state([[1.0], [2.0]], [[1.0], [1.5]])
    with pytest.warns(UserWarning, match="adjusted R²"):
        metric.result()

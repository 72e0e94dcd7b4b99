"""What users give as targets: shapes as Keras matches them, and errors that teach."""

import numpy as np
import pytest

from fastnn import losses


@pytest.mark.parametrize(
    ("t", "y"),
    [(np.arange(4.0), np.ones((4, 1))), (np.arange(4.0)[:, None], np.ones((4, 1))), (np.arange(4), np.ones((4, 1)))],
)
def test_one_output(t, y, monkeypatch):
    loss = losses.MeanSquaredError()
    np.testing.assert_allclose(loss.forward(y, loss.check_targets((None, 1), t))[0], [1, 0, 1, 4])


def test_column_targets_for_flat_predictions():
    assert losses.MeanSquaredError()(np.ones((4, 1)), np.zeros(4)) == 1


def test_whole_array_is_checked_without_a_copy():
    t = np.zeros((1000, 3))
    assert np.shares_memory(losses.MeanSquaredError().check_targets((None, 3), t), t)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "int64", "float32", "float64", "bool"])
@pytest.mark.parametrize("shape", [(4,), (4, 1)])
def test_labels_of_any_numeric_dtype(dtype, shape):
    t = np.array([0, 1, 1, 0]).astype(dtype).reshape(shape)
    found = losses.SparseCategoricalCrossentropy().check_targets((None, 2), t)
    assert found.dtype == np.int64
    np.testing.assert_array_equal(found, [0, 1, 1, 0])


@pytest.mark.parametrize(
    ("loss", "y_shape", "t", "message"),
    [
        ("mse", (None, 3), np.zeros((5, 2)), r"shape \(None, 3\).*Received: targets of shape \(None, 2\)"),
        ("mse", (None, 3), np.zeros(5), r"Received: targets of shape \(None,\)"),
        ("mse", (None, 2), np.array([[0.0, np.nan]]), "NaN or infinity in example 0"),
        ("mae", (None, 1), np.r_[np.zeros(70000), np.inf], "example 70000"),
        ("sparse_categorical_crossentropy", (None, 3), np.eye(3), "categorical_crossentropy"),
        ("sparse_categorical_crossentropy", (None, 3), np.array([0, 3]), r"0 to 2.*Received: 3 at index 1.*use y - 1"),
        ("sparse_categorical_crossentropy", (None, 3), np.array([0, -1]), "Received: -1 at index 1"),
        ("sparse_categorical_crossentropy", (None, 3), np.array([0, 0.5]), "Received: 0.5 at index 1"),
        ("sparse_categorical_crossentropy", (None, 3), np.array([0, np.nan]), "NaN or infinity in example 1"),
        ("sparse_categorical_crossentropy", (4, 3), np.array([0, 1]), r"one integer label per row.*\(2,\)"),
        ("categorical_crossentropy", (None, 3), np.array([0, 1]), "sparse_categorical_crossentropy"),
        ("categorical_crossentropy", (None, 3), np.array([[0, 2.0, 0]]), "row of probabilities"),
        ("binary_crossentropy", (None, 1), np.array([-1, 1]), r"from 0 to 1. Received: \[-1\] in example 0"),
    ],
)
def test_bad_targets(loss, y_shape, t, message):
    with pytest.raises(ValueError, match=message):
        losses.get(loss).check_targets(y_shape, t)


@pytest.mark.parametrize("loss", ["mse", "sparse_categorical_crossentropy", "binary_crossentropy"])
def test_words_are_no_targets(loss):
    with pytest.raises(TypeError, match="Received: dtype"):
        losses.get(loss).check_targets((None, 1), np.array(["cat", "dog"]))


def test_ignored_label_may_be_out_of_range():
    loss = losses.SparseCategoricalCrossentropy(ignore_class=255)
    np.testing.assert_array_equal(loss.check_targets((None, 3), np.array([0, 255], np.uint8)), [0, 255])
    with pytest.raises(ValueError, match="Received: 254"):
        loss.check_targets((None, 3), np.array([254, 255], np.uint8))


def test_a_single_class_is_a_warning():
    with pytest.warns(UserWarning, match="binary_crossentropy"):
        losses.CategoricalCrossentropy().check_targets((None, 1), np.ones((2, 1)))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: losses.Huber(delta=0), "delta"),
        (lambda: losses.BinaryCrossentropy(label_smoothing=2), "label_smoothing"),
        (lambda: losses.MeanSquaredError(reduction="average"), "reduction"),
    ],
)
def test_bad_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()

"""Each line of docs/differences.md is true."""

import re
from pathlib import Path

import numpy as np
import pytest

from fastnn import Input, Sequential, layers, losses, metrics, optimizers, saving

PAGE = Path(__file__).parent.parent / "docs" / "differences.md"
TESTS = {}


def difference(phrase):
    def enter(test):
        TESTS[phrase] = test
        return test

    return enter


def model(*layers_, shape=(3,), **compiled):
    made = Sequential([Input(shape), *layers_])
    made.compile(**({"optimizer": "sgd", "loss": "mse"} | compiled))
    return made


@difference("NaN targets")
def _nan():
    with pytest.raises(ValueError, match="NaN or infinity in example 1"):
        model(layers.Dense(1)).fit(np.ones((2, 3)), np.array([0.0, np.nan]), verbose=0)


@difference("Broadcast targets")
def _broadcast():
    with pytest.raises(ValueError, match="targets of the same shape"):
        losses.mean_squared_error(np.ones((4, 1)), np.ones((4, 3)))
    assert losses.mean_squared_error(np.ones(4), np.ones((4, 1))).shape == (4,)


@difference("Targets out of range")
def _range():
    with pytest.raises(ValueError, match="targets from 0 to 1"):
        losses.binary_crossentropy([[2.0]], [[0.5]])
    with pytest.raises(ValueError, match="labels from 0 to 1"):
        losses.sparse_categorical_crossentropy([2], [[0.5, 0.5]])


@difference("Losses that are not finite")
def _finite():
    made = model(layers.Dense(1), optimizer=optimizers.SGD(1e30))
    with pytest.raises((FloatingPointError, ArithmeticError, ValueError, RuntimeError), match=r"weights"):
        made.fit(np.full((8, 3), 1e10, np.float32), np.ones((8, 1)), epochs=20, verbose=0)
    assert all(np.isfinite(w).all() for w in made.get_weights())


@difference("Labels without an alignment")
def _alignment():
    with pytest.raises(ValueError, match="need 5 steps"):
        losses.ctc([[1, 1, 1]], np.zeros((1, 4, 3)))


@difference("Float16")
def _float16():
    with pytest.raises((ValueError, TypeError), match="float32"):
        layers.Dense(2, dtype="float16")


@difference("Code in files")
def _code():
    made = Sequential([Input((3,)), layers.Lambda(lambda x: x + 1)])
    with pytest.raises((ValueError, TypeError), match="register"):
        made.to_json()
    assert hasattr(saving, "register_keras_serializable")


@difference("Strides and dilation together")
def _dilation():
    assert layers.Conv2D(2, 2, strides=2, dilation_rate=2)(np.ones((1, 9, 9, 1), np.float32)).shape == (1, 4, 4, 2)


@difference("IoU along another axis")
def _iou():
    assert metrics.OneHotMeanIoU(2, axis=1)(np.eye(2)[None], np.eye(2)[None]) == 1


@difference("Metrics in two lists")
def _two_lists():
    ones = metrics.TruePositives(name="ones")
    made = model(layers.Dense(1, kernel_initializer="ones"), metrics=[ones], weighted_metrics=[ones])
    found = made.evaluate(np.ones((2, 3)), np.ones(2), sample_weight=np.array([1.0, 2.0]), verbose=0, return_dict=True)
    assert (found["ones"], found["weighted_ones"]) == (2.0, 3.0)


@difference("Label smoothing along another axis")
def _smoothing():
    y, t = np.full((1, 3, 2), 1 / 3), np.eye(3)[[0, 1]].T[None]
    found = losses.categorical_crossentropy(t, y, label_smoothing=0.3, axis=1)
    np.testing.assert_allclose(found, np.full((1, 2), np.log(3)), rtol=1e-6)  # targets still sum to 1


@difference("Numbers in float64")
def _numbers():
    assert optimizers.Adam().get_config()["learning_rate"] == 0.001
    assert isinstance(metrics.MeanSquaredError()([[0.1]], [[0.2]]), float)


@difference("Random draws")
def _draws():
    one, two = (layers.Dense(2, kernel_initializer="glorot_uniform") for _ in "ab")
    from fastnn import initializers

    for layer in (one, two):
        layer.kernel_initializer = initializers.GlorotUniform(seed=3)
        layer.build((None, 3))
    np.testing.assert_array_equal(one.get_weights()[0], two.get_weights()[0])


@difference("Arrays")
def _arrays():
    y = layers.Dense(2)(np.ones((1, 3)))
    assert isinstance(y, np.ndarray)
    np.testing.assert_array_equal(y.numpy(), y)
    assert isinstance(losses.mean_squared_error([[1.0]], [[1.0]]), np.ndarray)


@difference("Losses by name")
def _by_name():
    assert isinstance(losses.get("mse"), losses.Loss)
    assert isinstance(metrics.get("mse"), metrics.Metric)


@difference("Names of metrics")
def _names():
    assert [metrics.Precision().name for _ in "ab"] == ["precision", "precision"]
    made = model(layers.Dense(1), metrics=[metrics.Precision(), metrics.Precision()])
    found = made.evaluate(np.ones((2, 3)), np.ones(2), verbose=0, return_dict=True)
    assert set(found) == {"loss", "precision", "precision_1"}


@difference("Variables of metrics")
def _variables():
    mean = metrics.Mean()
    total, _ = mean.variables
    mean.update_state([3.0])
    assert (total.numpy(), mean.variables[0].numpy()) == (0, 3)
    with pytest.raises(ValueError, match="read-only"):
        total.assign(1.0)


@difference("Configs")
def _configs():
    config = layers.Dense(2).get_config()
    assert (config["kernel_initializer"], config["dtype"]) == ("glorot_uniform", "float32")
    nested = {"class_name": "GlorotUniform", "config": {"seed": 1}}
    assert layers.Dense.from_config(config | {"kernel_initializer": nested}).units == 2


@difference("The mask behind GlobalAveragePooling1D")
def _pooled():
    layer = layers.GlobalAveragePooling1D()
    assert not layer.supports_masking
    x, mask = np.array([[[1.0], [3.0], [8.0]]]), np.array([[True, True, False]])
    assert layer(x, mask=mask).item() == 2
    assert layer.compute_mask(x, mask) is None


@difference("Masks behind layers of sequences")
def _masks():
    x, mask = np.ones((1, 3, 2), np.float32), np.array([[True, True, False]])
    for layer in (
        layers.RNN(layers.SimpleRNNCell(2), return_sequences=True),
        layers.Bidirectional(layers.LSTM(2, return_sequences=True)),
        layers.TimeDistributed(layers.Dense(2)),
    ):
        layer(x)
        np.testing.assert_array_equal(layer.compute_mask(x, mask), mask)


@pytest.mark.parametrize("phrase", TESTS)
def test_each_line_is_true(phrase):
    TESTS[phrase]()


def test_the_page_has_these_lines_and_no_others():
    assert re.findall(r"^- \*\*(.+?)\*\*:", PAGE.read_text(encoding="utf-8"), re.MULTILINE) == list(TESTS)

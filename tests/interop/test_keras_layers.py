"""Every layer that Keras has too, both ways through its own files; skipped where Keras is not installed."""

import numpy as np
import pytest

from fastnn import Model, layers
from fastnn.interop.keras.names import OWN
from fastnn.models import load_model
from tests.layers.examples import EXAMPLES
from tests.layers.test_every_layer import NAMES, made

keras = pytest.importorskip("keras", reason="Keras is not installed")
pytestmark = pytest.mark.filterwarnings("default")

UNKNOWN = {*OWN, "InputLayer", "Lambda"}
BEYOND_KERAS = {
    "Conv1DTranspose-2": "TensorFlow has no transposed convolution with channels first on a CPU",
    "Conv2DTranspose-2": "TensorFlow has no transposed convolution with channels first on a CPU",
    "EinsumDense-1": "Keras takes the length of a kernel from output_shape, which is open",
    "GroupQueryAttention-0": "Keras wants queries and values of one depth",
    "RMSNormalization-1": "Keras multiplies by a scale over several axes in the wrong shape",
}
NO_H5 = {"AlphaDropout-1": "Keras cannot copy the config of its noise_shape"}
SHARED = [name for name in NAMES if name.rsplit("-", 1)[0] not in UNKNOWN]


def model_of(name):
    """A model of an example, whose weights and statistics are all different numbers."""
    layer, x, options = made(name)
    xs = x if isinstance(x, list) else [x]
    inputs = [layers.Input(one.shape[1:], dtype=one.dtype.name) for one in xs]
    inputs = inputs if isinstance(x, list) else inputs[0]
    model = Model(inputs, layer(inputs, **options))
    fill(model, 7)
    return model, x


def fill(model, seed):
    rng = np.random.default_rng(seed)
    model.set_weights([rng.uniform(0.2, 0.8, w.shape) if w.dtype.kind == "f" else w for w in model.get_weights()])


def assert_same(left, right):
    """Outputs to 1e-5, one or several."""
    left, right = (list(y) if isinstance(y, (list, tuple)) else [y] for y in (left, right))
    assert len(left) == len(right)
    for one, two in zip(left, right, strict=True):
        np.testing.assert_allclose(np.asarray(one), np.asarray(two), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", [name for name in SHARED if name not in BEYOND_KERAS])
def test_a_layer_predicts_the_same_in_keras_and_back_again(name, tmp_path):
    ours, x = model_of(name)
    ours.save(tmp_path / "ours.keras")
    theirs = keras.saving.load_model(tmp_path / "ours.keras")
    assert_same(theirs(x), ours.predict_on_batch(x))

    fill(theirs, 8)
    theirs.save(tmp_path / "theirs.keras")
    again = load_model(tmp_path / "theirs.keras")
    assert_same(again.predict_on_batch(x), theirs(x))
    assert [layer.name for layer in again.layers] == [layer.name for layer in ours.layers]

    theirs.save_weights(tmp_path / "theirs.weights.h5")
    ours.load_weights(tmp_path / "theirs.weights.h5")
    assert_same(ours.predict_on_batch(x), theirs(x))


@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5")
@pytest.mark.parametrize("name", [name for name in SHARED if name not in BEYOND_KERAS | NO_H5])
def test_a_layer_comes_from_the_h5_that_keras_writes_in_the_words_of_keras_2(name, tmp_path):
    ours, x = model_of(name)
    ours.save(tmp_path / "ours.keras")
    theirs = keras.saving.load_model(tmp_path / "ours.keras")
    theirs.save(tmp_path / "theirs.h5")
    assert_same(load_model(tmp_path / "theirs.h5").predict_on_batch(x), theirs(x))


def test_every_layer_is_in_the_sweep():
    assert {name.rsplit("-", 1)[0] for name in SHARED} | UNKNOWN == set(EXAMPLES)
    assert not [name for name in OWN if hasattr(keras.layers, name)]

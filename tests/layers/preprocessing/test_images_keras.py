"""Layers that change images beside Keras on TensorFlow, by ranges of one value; skipped without it."""

import numpy as np
import pytest

from fastnn import layers

keras = pytest.importorskip("keras", reason="Keras is not installed")
pytest.importorskip("tensorflow", reason="TensorFlow is not installed")
pytestmark = [
    pytest.mark.filterwarnings("default"),
    pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="the baseline is Keras on TensorFlow"),
]

X = np.random.default_rng(5).uniform(0, 255, (3, 8, 12, 3)).astype("float32")
FILLS = [{"fill_mode": mode} for mode in ("reflect", "nearest")] + [{"fill_mode": "constant", "fill_value": 7.0}]
LAYERS = [
    *[lambda k, f=f, a=a: k.RandomRotation((a, a), **f) for f in FILLS for a in (0.1, -0.3)],
    *[lambda k, f=f: k.RandomTranslation((0.2, 0.2), (-0.3, -0.3), **f) for f in FILLS],
    *[lambda k, f=f: k.RandomZoom((0.3, 0.3), (-0.4, -0.4), **f) for f in FILLS],
    lambda k: k.RandomZoom((-0.2, -0.2)),
    lambda k: k.RandomTranslation((0.5, 0.5), (0.25, 0.25), "wrap"),
    lambda k: k.RandomZoom((0.3, 0.3), interpolation="nearest"),
    lambda k: k.RandomBrightness((-0.3, -0.3)),
    lambda k: k.CenterCrop(4, 5),
    lambda k: k.CenterCrop(20, 6),
    lambda k: k.RandomCrop(8, 12),
    lambda k: k.Resizing(5, 17),
    lambda k: k.Resizing(20, 7, "nearest"),
    lambda k: k.Resizing(5, 5, crop_to_aspect_ratio=True),
    lambda k: k.Resizing(30, 5, pad_to_aspect_ratio=True, fill_value=3.0),
]


@pytest.mark.parametrize("make", LAYERS, ids=[str(i) for i in range(len(LAYERS))])
def test_numbers(make):
    ours, theirs = make(layers), make(keras.layers)
    for x in (X, X[0]):
        # Places are float32 in Keras: at sides of 12 pixels, to 1e-6; pixels differ by at most 255.
        np.testing.assert_allclose(ours(x, training=True), np.asarray(theirs(x, training=True)), atol=2e-3)
    assert set(ours.get_config()) >= set(theirs.get_config()) - {"dtype", "trainable", "name"}


def test_erasing():
    settings = {"factor": (1, 1), "scale": (0.2, 0.2), "fill_value": 3.0}
    ours, theirs = (np.asarray(k.RandomErasing(**settings)(X, training=True)) for k in (layers, keras.layers))
    for y in (ours, theirs):
        assert 0.05 < (y == 3).mean() < 0.35

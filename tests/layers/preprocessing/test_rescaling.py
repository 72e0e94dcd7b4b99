"""Layers that bring data into range."""

import numpy as np
import pytest

import fastnn
from fastnn import layers
from fastnn.layers import Rescaling


def test_values_and_dtypes():
    pixels = np.array([[[0, 51], [102, 255]]], np.uint8)
    y = Rescaling(1 / 255)(pixels)
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, [[[0, 0.2], [0.4, 1]]], rtol=1e-6)
    np.testing.assert_allclose(
        Rescaling([1, 2], offset=[-1.0, 0.5], dtype="float64")(pixels), pixels * [1.0, 2] + [-1, 0.5]
    )
    np.testing.assert_allclose(Rescaling(np.float32(2))([[1.0]]), [[2]])


def test_a_model_takes_pixels_as_they_are():
    x, y = np.random.default_rng(0).integers(0, 256, (16, 8, 8, 3), np.uint8), np.arange(16) % 2
    model = fastnn.Sequential(
        [layers.Input((8, 8, 3)), Rescaling(1 / 255), layers.Conv2D(4, 3), layers.Flatten(), layers.Dense(2, "softmax")]
    )
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.fit(x, y, verbose=0)
    plain = fastnn.Sequential([layers.Input((8, 8, 3)), *model.layers[1:]])
    np.testing.assert_allclose(model.predict(x, verbose=0), plain.predict(x / np.float32(255), verbose=0), rtol=1e-5)


def test_the_config_makes_it_again():
    layer = Rescaling([1, 2], offset=3, name="range")
    config = layer.get_config()
    assert (config["scale"], config["offset"]) == ([1.0, 2.0], 3.0)
    assert Rescaling.from_config(config).get_config() == config


@pytest.mark.parametrize("scale", ["255", None, [[1.0]], float("nan"), True, {}])
def test_what_is_no_scale_is_refused(scale):
    with pytest.raises(
        ValueError, match=r"scale of Rescaling must be a finite number.*Received: scale=.*Use Rescaling\(1 / 255\)"
    ):
        Rescaling(scale)


def test_numbers_that_do_not_fit_the_last_axis_are_refused():
    with pytest.raises(ValueError, match=r"expects 2 features on the last axis, as many as scale has. Received: .*3"):
        Rescaling([1, 2])(np.ones((4, 3)))

"""Small models and data that the tests of this folder share."""

import numpy as np
import pytest

from fastnn import Sequential, layers, utils


@pytest.fixture(autouse=True)
def _seeded():
    utils.clear_session()
    utils.set_random_seed(11)


@pytest.fixture
def digits():
    """70 images (8, 8) of uint8 and their labels 0..2, which a model can learn: the label is the brightest third."""
    rng = np.random.default_rng(5)
    x = rng.integers(0, 60, (70, 9, 8)).astype(np.uint8)
    y = rng.integers(0, 3, 70)
    for image, label in zip(x, y, strict=True):
        image[3 * label : 3 * label + 3] += 120
    return x, y


def mlp(**settings):
    """Dense 6 relu, Dense 3 softmax on (9, 8)."""
    return Sequential(
        [
            layers.Input(shape=(9, 8)),
            layers.Flatten(**settings),
            layers.Dense(6, activation="relu", **settings),
            layers.Dense(3, activation="softmax", **settings),
        ]
    )


def cnn(**settings):
    """Conv, pool, conv, pool, dropout, dense on (9, 8, 1)."""
    return Sequential(
        [
            layers.Conv2D(4, 3, activation="relu", input_shape=(9, 8, 1), **settings),
            layers.MaxPooling2D(2, **settings),
            layers.Conv2D(5, 2, padding="same", **settings),
            layers.ReLU(**settings),
            layers.MaxPooling2D((2, 1), **settings),
            layers.Flatten(**settings),
            layers.Dropout(0.3, **settings),
            layers.Dense(6, **settings),
            layers.Activation("tanh", **settings),
            layers.Dense(3, **settings),
            layers.Softmax(**settings),
        ]
    )

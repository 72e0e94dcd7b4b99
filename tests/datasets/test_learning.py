"""The accuracy of three models on the data sets; takes minutes of training, so it is marked slow."""

import numpy as np
import pytest

from fastnn.cli import demo
from fastnn.datasets import digits, fashion_mnist
from fastnn.layers import Dense, Flatten
from fastnn.models import Sequential
from fastnn.utils import set_random_seed

from .test_images import REAL

pytestmark = pytest.mark.slow


def best_accuracy(model, data, epochs: int) -> float:
    """Return the best test accuracy within the given number of epochs."""
    (x_train, y_train), (x_test, y_test) = data
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    scaled = [images * np.float32(1 / 255) for images in (x_train, x_test)]
    history = model.fit(scaled[0], y_train, epochs=epochs, validation_data=(scaled[1], y_test), verbose=0)
    return max(history.history["val_accuracy"])


def test_digits_need_more_than_a_linear_model():
    (x_train, y_train), (x_test, y_test) = digits.load_data()
    set_random_seed(0)
    linear = Sequential([Flatten(input_shape=(28, 28)), Dense(10, activation="softmax")])
    assert 0.7 < best_accuracy(linear, ((x_train, y_train), (x_test, y_test)), epochs=5) < 0.9
    set_random_seed(0)
    channels = (x_train[..., None], y_train), (x_test[..., None], y_test)
    assert best_accuracy(demo._cnn(), channels, epochs=5) > 0.97


@pytest.mark.skipif(not REAL, reason="FASTNN_DATA is not set")
def test_mlp_on_fashion_mnist():
    set_random_seed(0)
    mlp = Sequential([Flatten(input_shape=(28, 28)), Dense(256, activation="relu"), Dense(10, activation="softmax")])
    assert best_accuracy(mlp, fashion_mnist.load_data(REAL), epochs=10) > 0.87

"""What a user with a type checker writes: every public name of the README, under ``mypy --strict`` and pyright.

It is checked (`.ci/run`), and run by nobody; `test_users_script.py` compares its names with the README's.
"""

from __future__ import annotations

import pathlib
from typing import Any

import numpy as np

import fastnn
import fastnn as keras
from fastnn import Input, Model, callbacks, compat, inspect, interop, kernels, layers, ops, reference
from fastnn.data import Dataset
from fastnn.datasets import digits, fashion_mnist, mnist
from fastnn.keras.layers import GRU
from fastnn.layers import LSTM, Bidirectional, Dense, Dropout, Embedding, Layer, Parameter
from fastnn.models import Sequential, load_model


def images() -> float:
    (x_train, y_train), (x_test, y_test) = digits.load_data()
    x_train, x_test = x_train.reshape(-1, 28, 28, 1) / 255, x_test.reshape(-1, 28, 28, 1) / 255

    model = keras.Sequential()
    model.add(layers.Conv2D(32, (3, 3), activation="relu", input_shape=(28, 28, 1)))
    model.add(layers.MaxPooling2D((2, 2)))
    model.add(layers.Conv2D(64, (3, 3), activation="relu"))
    model.add(layers.Flatten())
    model.add(layers.Dense(64, activation="relu"))
    model.add(layers.Dropout(0.2))
    model.add(layers.Dense(10, activation="softmax"))
    model.summary()

    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(x_train, y_train, epochs=5, validation_data=(x_test, y_test))
    loss, accuracy = model.evaluate(x_test, y_test)
    best: float = max(history.history["val_accuracy"])
    print(loss, accuracy, model.predict(x_test[:1]).argmax())
    return best


def other_words() -> float:
    compat.install()
    tf, book = compat.tensorflow, compat.book
    x = tf.constant([[1.0, 2.0]])
    layer = book.Affine(np.ones((2, 1)), np.zeros(1))
    return float(tf.reduce_sum(x)) + float(layer.forward(np.ones((1, 2)))[0, 0])


def other_images() -> int:
    (x, _), _ = fashion_mnist.load_data()
    (more, _), _ = mnist.load_data()
    return len(x) + len(more)


def sequences() -> dict[str, list[float]]:
    rng = np.random.default_rng(0)
    x = [rng.integers(1, 100, rng.integers(5, 30)).tolist() for _ in range(4000)]
    y = [ids[0] < ids[-1] for ids in x]

    dataset = Dataset.from_tensor_slices((x, y))
    test = dataset.take(500).padded_batch(16)
    train = dataset.skip(500).shuffle(10000).padded_batch(16)

    model = Sequential([Input((None,), dtype="int64"), Embedding(100, 64, mask_zero=True)])
    model.add(Bidirectional(LSTM(64, return_sequences=True)))
    model.add(Bidirectional(GRU(32)))
    model.add(Dense(64, activation="relu"))
    model.add(Dropout(0.2))
    model.add(Dense(1, activation="sigmoid"))
    model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
    return model.fit(train, epochs=5, validation_data=test).history


class Scale(layers.Layer):
    """A layer whose ``call`` is traced."""

    w: Parameter

    def build(self, input_shape: tuple[int, ...]) -> None:
        self.w = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="w")

    def call(self, inputs: Any) -> Any:
        return ops.tanh(inputs) * self.w


class Double(Layer):
    """A layer that writes its backward."""

    def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, None]:
        return 2 * x, None

    def backward(self, dy: np.ndarray, ctx: None) -> np.ndarray:
        return 2 * dy


class Twice(Model):
    """A model that writes ``call``, with a mask."""

    def __init__(self, units: int) -> None:
        super().__init__()
        self.dense = layers.Dense(units)

    def call(self, x: Any, training: bool = False, mask: Any = None) -> Any:
        return self.dense(x) + self.dense(Scale()(x), training=training)


def any_shape() -> Model:
    x = Input((28, 28, 1))
    y = layers.Conv2D(8, 3, padding="same", activation="relu")(x)
    z = layers.BatchNormalization()(layers.Conv2D(8, 3, padding="same")(y))
    y = layers.Activation("relu")(y + z) + 2 * x
    model = Model(x, layers.Dense(10, activation="softmax")(layers.GlobalAveragePooling2D()(y)))
    parameters: int = model.count_params()
    print(parameters, Scale()(np.zeros((2, 3))).shape, Twice(3)(np.zeros((2, 3))).shape)
    return model


def files(model: Model, path: pathlib.Path) -> bool:
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(np.zeros((1, 28, 28, 1)), np.zeros(1), callbacks=[callbacks.BackupAndRestore("backup")])
    model.save(path)
    again = fastnn.models.load_model(path)
    x = np.zeros((1, 28, 28, 1))
    return bool((again.predict(x, verbose=0) == load_model(path).predict(x, verbose=0)).all())


def exchange(model: Model, module: Any) -> None:
    interop.export_onnx(model, "model.onnx")
    interop.import_onnx("model.onnx").summary()
    interop.load_torch_state_dict(model, interop.to_torch_state_dict(model))
    interop.from_torch(module).summary()
    interop.from_keras("model.keras").summary()
    interop.to_keras(model).summary()


def what_is_inside() -> bool:
    x, w = np.array([[1.0, 2.0]]), np.array([[1.0, -1.0], [3.0, -1.0]])
    y: np.ndarray = kernels.dense_forward(x, w, activation="relu")
    y = reference.dense_forward(x, w, activation="relu")
    model = fastnn.Sequential(
        [layers.Dense(8, "tanh", dtype="float64"), layers.Dense(1, dtype="float64"), Double(dtype="float64")]
    )
    y = model.predict(x, verbose=0)
    with fastnn.backend.use("reference"):
        same = np.allclose(model.predict(x, verbose=0), y)
    with kernels.Workspace():
        kernels.exp(x)
    print(kernels.isa(), kernels.get_num_threads(), fastnn.__version__)
    return bool(same) and inspect.gradient_check(model, x).ok

"""fit, evaluate and predict on datasets."""

import numpy as np
import pytest

import fastnn
from fastnn import layers
from fastnn.data import Dataset
from fastnn.utils import set_random_seed


def dense(inputs=3):
    model = fastnn.Sequential([layers.Dense(4, activation="tanh", input_shape=(inputs,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


@pytest.fixture
def xy():
    rng = np.random.default_rng(0)
    x = rng.integers(0, 255, (50, 3), np.uint8)
    return x, x.sum(axis=1) / 500


def test_the_lines_of_the_notes(xy):
    """``fit(dataset, epochs=10)`` of ``from_tensor_slices((X, y)).shuffle(10000).batch(16)``."""
    x, y = xy

    def run():
        set_random_seed(1)
        dataset = Dataset.from_tensor_slices((x / 255, y)).shuffle(10000).batch(16)
        return dense().fit(dataset, epochs=10, verbose=0).history["loss"]

    losses = run()
    assert len(losses) == 10
    assert losses[-1] < losses[0] / 2
    assert run() == losses


def test_unshuffled_batches_equal_those_of_arrays(xy):
    x, y = xy
    dataset = Dataset.from_tensor_slices((x, y)).batch(16)
    histories, weights = [], []
    for data, settings in (
        ((x, y), {"batch_size": 16, "shuffle": False}),
        ((dataset,), {}),
        ((dataset.prefetch(2),), {}),
    ):
        set_random_seed(2)
        model = dense()
        histories.append(model.fit(*data, epochs=2, verbose=0, **settings).history["loss"])
        weights.append(model.get_weights())
    assert histories[0] == histories[1] == histories[2]
    for a, b in zip(weights[0], weights[1], strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(model.predict(dataset, verbose=0), model.predict(x, batch_size=16, verbose=0))
    assert model.evaluate(dataset, verbose=0) == model.evaluate(x, y, batch_size=16, verbose=0)
    np.testing.assert_array_equal(
        model.predict(dataset.map(lambda a, b: a), verbose=0), model.predict(x, batch_size=16, verbose=0)
    )


def test_unknown_and_endless_lengths(xy):
    dataset = Dataset.from_tensor_slices(xy).batch(16)
    model = dense()
    history = model.fit(dataset.filter(lambda a, b: True), epochs=2, verbose=0, validation_data=dataset.take(1))
    assert sorted(history.history) == ["loss", "val_loss"]
    model.fit(dataset.repeat(), epochs=2, steps_per_epoch=3, verbose=0)


def test_sample_weights(xy):
    x, y = xy
    weight = np.zeros(50)
    weight[:10] = 1
    weighted = Dataset.from_tensor_slices((x, y, weight)).batch(50)
    model = dense()
    expected = model.evaluate(x, y, sample_weight=weight, batch_size=50, verbose=0)
    assert model.evaluate(weighted, verbose=0) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("arrays", [False, True])
def test_every_validation_uses_the_same_batches(arrays):
    x = np.arange(12, dtype=np.float32)[:, None]
    model = fastnn.Sequential([layers.Dense(1, kernel_initializer="ones", trainable=False, input_shape=(1,))])
    model.compile("sgd", "mse")
    held_out = (x, 0 * x) if arrays else Dataset.from_tensor_slices((x, 0 * x)).batch(4).repeat()
    size = 4 if arrays else None
    history = model.fit(
        x, x, epochs=3, validation_data=held_out, validation_batch_size=size, validation_steps=2, verbose=0
    )
    assert history.history["val_loss"] == [np.mean(x[:8] ** 2)] * 3


def test_validation_by_a_generator_continues():
    x = np.arange(12, dtype=np.float32)[:, None]
    model = fastnn.Sequential([layers.Dense(1, kernel_initializer="ones", trainable=False, input_shape=(1,))])
    model.compile("sgd", "mse")
    batches = ((x[i : i + 4], 0 * x[i : i + 4]) for i in (0, 4, 8))
    history = model.fit(x, x, epochs=3, validation_data=batches, validation_steps=1, verbose=0)
    np.testing.assert_allclose(history.history["val_loss"], (x**2).reshape(3, 4).mean(1), rtol=1e-6)

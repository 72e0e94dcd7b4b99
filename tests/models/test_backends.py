"""The two backends and the seed: the same curve to rounding, and the same run again, bit for bit."""

import numpy as np
import pytest

from fastnn import Sequential, backend, layers, utils

from .conftest import cnn, mlp


def stochastic(**settings):
    return Sequential(
        [
            layers.Conv2D(4, 3, activation="relu", input_shape=(9, 8, 1), **settings),
            layers.StochasticPooling2D(2, **settings),
            layers.SeparableConv2D(4, 2, activation="elu", **settings),
            layers.GlobalAveragePooling2D(**settings),
            layers.Dropout(0.2, **settings),
            layers.Dense(3, activation="softmax", **settings),
        ]
    )


def run(make, x, y, seed=4, **settings):
    utils.set_random_seed(seed)
    model = make(**settings)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(x / 255, y, batch_size=16, epochs=3, validation_split=0.2, verbose=0)
    return history.history, model.get_weights()


def built():
    try:
        import fastnn.kernels  # noqa: F401
    except ImportError:
        return False
    return True


@pytest.mark.skipif(not built(), reason="the compiled kernels are not built")
@pytest.mark.parametrize("make", [mlp, cnn, stochastic])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_compiled_and_reference_train_alike(digits, make, dtype):
    curves, weights = [], []
    for name in ("compiled", "reference"):
        with backend.use(name):
            history, w = run(make, *digits, dtype=dtype)
        curves.append(history)
        weights.append(w)
    close = {"rtol": 1e-9, "atol": 1e-11} if dtype == "float64" else {"rtol": 1e-3, "atol": 1e-4}
    assert list(curves[0]) == list(curves[1])
    for name in ("loss", "val_loss"):
        np.testing.assert_allclose(curves[0][name], curves[1][name], **close)
    for a, b in zip(*weights, strict=True):
        np.testing.assert_allclose(a, b, **close)


@pytest.mark.parametrize("make", [mlp, cnn, stochastic])
def test_a_seed_repeats_a_run_bit_for_bit(digits, make):
    first, again, other = run(make, *digits), run(make, *digits), run(make, *digits, seed=5)
    assert first[0] == again[0]
    for a, b in zip(first[1], again[1], strict=True):
        np.testing.assert_array_equal(a, b)
    assert first[0] != other[0]


def test_the_backend_may_change_between_calls(digits):
    x, y = digits
    model = mlp()
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.fit(x / 255, y, verbose=0)
    here = model.predict(x / 255, verbose=0)
    with backend.use("reference"):
        np.testing.assert_allclose(model.predict(x / 255, verbose=0), here, rtol=1e-5)
        model.fit(x / 255, y, verbose=0)
    model.fit(x / 255, y, verbose=0)
    assert model.optimizer.iterations == 9


def test_keys_and_names():
    utils.set_random_seed(1)
    keys = [utils.draw_key() for _ in range(1000)]
    assert len(set(keys)) == 1000
    assert all(0 <= key < 2**64 for key in keys)
    assert abs(sum(key.bit_count() for key in keys) / 64000 - 0.5) < 0.01
    utils.set_random_seed(1)
    assert utils.draw_key() == keys[0]
    for wrong in (-1, 1.5, "a", True, 2**32):
        with pytest.raises(ValueError, match="seed must be"):
            utils.set_random_seed(wrong)
    assert utils.draw_key() == keys[1]


def test_a_seed_governs_numpy_and_random_too():
    import random

    draws = []
    for _ in range(2):
        utils.set_random_seed(3)
        draws.append((random.random(), np.random.rand(), utils.random_generator().random()))  # noqa: NPY002
    assert draws[0] == draws[1]
    assert utils.random_generator(5).random() == utils.random_generator(5).random()


def test_two_threads_train_two_models(digits):
    from threading import Thread

    x, y = digits
    results = {}

    def work(name):
        model = models[name]
        for _ in range(5):
            model.fit(x / 255, y, shuffle=False, verbose=0)
        results[name] = model.get_weights()

    models = {name: mlp() for name in range(4)}
    start = models[0].get_weights()
    for model in models.values():
        model.set_weights(start)
        model.compile("adam", "sparse_categorical_crossentropy")
    work(0)
    threads = [Thread(target=work, args=(name,)) for name in (1, 2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for name in (1, 2, 3):
        for a, b in zip(results[0], results[name], strict=True):
            np.testing.assert_array_equal(a, b)


def test_one_model_answers_several_threads(digits):
    from concurrent.futures import ThreadPoolExecutor

    x, _ = digits
    model = mlp()
    expected = model.predict(x, verbose=0)
    with ThreadPoolExecutor(4) as pool:
        for got in pool.map(lambda i: model.predict(x[: i + 1], verbose=0), range(60)):
            np.testing.assert_allclose(got, expected[: len(got)], rtol=1e-4, atol=1e-6)

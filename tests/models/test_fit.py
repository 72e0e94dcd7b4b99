"""fit, evaluate and predict against a training written by hand, and the rules of Keras about data."""

import numpy as np
import pytest

from fastnn import Input, Sequential, callbacks, layers, losses, metrics, optimizers

from .conftest import cnn, mlp


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


class ByHand:
    """Dense 4 tanh, Dense 3 softmax, trained by SGD with momentum in plain NumPy."""

    def __init__(self, weights, rate=0.1, momentum=0.9):
        self.w = [w.astype(np.float64) for w in weights]
        self.v = [np.zeros_like(w) for w in self.w]
        self.rate, self.momentum = rate, momentum

    def forward(self, x, y, weight):
        w1, b1, w2, b2 = self.w
        h = np.tanh(x @ w1 + b1)
        p = softmax(h @ w2 + b2)
        return h, p, float((-np.log(p[np.arange(len(y)), y]) * weight).sum() / len(y)), (p.argmax(1) == y)

    def step(self, x, y, weight):
        h, p, loss, hits = self.forward(x, y, weight)
        dz = (p - np.eye(3)[y]) * weight[:, None] / len(y)
        dh = dz @ self.w[2].T * (1 - h * h)
        for w, v, g in zip(self.w, self.v, (x.T @ dh, dh.sum(0), h.T @ dz, dz.sum(0)), strict=True):
            v[...] = self.momentum * v - self.rate * g
            w += v
        return loss, hits


def small(dtype="float64"):
    return Sequential(
        [
            Input(shape=(5,)),
            layers.Dense(4, activation="tanh", dtype=dtype),
            layers.Dense(3, activation="softmax", dtype=dtype),
        ]
    )


def data(n=23):
    rng = np.random.default_rng(3)
    return rng.standard_normal((n, 5)), rng.integers(0, 3, n)


@pytest.mark.parametrize("fuse", [True, False])
def test_training_is_that_by_hand(fuse):
    x, y = data()
    weight = np.random.default_rng(4).random(23)
    model = small()
    hand = ByHand(model.get_weights())
    model.compile(
        optimizers.SGD(0.1, momentum=0.9),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
        weighted_metrics=[metrics.SparseCategoricalAccuracy(name="hits")],
        fuse=fuse,
    )
    history = model.fit(
        x,
        y,
        batch_size=5,
        epochs=3,
        shuffle=False,
        sample_weight=weight,
        validation_data=(x[:7], y[:7]),
        validation_batch_size=4,
        verbose=0,
    ).history
    assert list(history) == ["accuracy", "hits", "loss", "val_accuracy", "val_hits", "val_loss"]
    for epoch in range(3):
        total, hits, weighted = 0.0, 0, 0.0
        for i in range(0, 23, 5):
            part = slice(i, i + 5)
            loss, good = hand.step(x[part], y[part], weight[part])
            total += loss * len(good)
            hits += good.sum()
            weighted += (good * weight[part]).sum()
        np.testing.assert_allclose(history["loss"][epoch], total / 23, rtol=1e-10)
        np.testing.assert_allclose(history["accuracy"][epoch], hits / 23, rtol=1e-10)
        np.testing.assert_allclose(history["hits"][epoch], weighted / weight.sum(), rtol=1e-10)
        _, _, loss, good = hand.forward(x[:7], y[:7], np.ones(7))
        np.testing.assert_allclose(history["val_loss"][epoch], loss, rtol=1e-10)
        np.testing.assert_allclose(history["val_accuracy"][epoch], good.mean(), rtol=1e-10)
    for a, b in zip(model.get_weights(), hand.w, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)
    _, p, loss, good = hand.forward(x, y, np.ones(23))
    np.testing.assert_allclose(model.predict(x, batch_size=4, verbose=0), p, rtol=1e-9)
    np.testing.assert_allclose(model.evaluate(x, y, verbose=0), [loss, good.mean(), good.mean()], rtol=1e-9)
    _, _, loss, _ = hand.forward(x, y, weight)
    np.testing.assert_allclose(model.evaluate(x, y, sample_weight=weight, verbose=0)[0], loss, rtol=1e-9)


def test_train_on_batch_is_one_step():
    x, y = data(6)
    model = small()
    hand = ByHand(model.get_weights())
    model.compile(optimizers.SGD(0.1, momentum=0.9), "sparse_categorical_crossentropy", metrics=["acc"])
    for _ in range(3):
        loss, good = hand.step(x, y, np.ones(6))
        np.testing.assert_allclose(model.train_on_batch(x, y), [loss, good.mean()], rtol=1e-10)
    _, _, loss, good = hand.forward(x, y, np.ones(6))
    result = model.test_on_batch(x, y, return_dict=True)
    assert list(result) == ["acc", "loss"]
    np.testing.assert_allclose(result["loss"], loss, rtol=1e-10)
    for a, b in zip(model.get_weights(), hand.w, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


def test_regularizers_are_in_the_loss_and_pull_at_the_weights():
    x = np.random.default_rng(0).standard_normal((8, 3))
    y = np.zeros((8, 2))
    model = Sequential(
        [
            Input(shape=(3,)),
            layers.Dense(2, kernel_regularizer="l2", bias_regularizer="l1", activity_regularizer="l2", dtype="float64"),
        ]
    )
    model.set_weights([np.full((3, 2), 0.5), [1.0, -2.0]])
    w, b = model.get_weights()
    model.compile(optimizers.SGD(0.1), "mse")
    z = x @ w + b
    loss = (z**2).mean() + 0.01 * (w**2).sum() + 0.01 * np.abs(b).sum() + 0.01 * (z**2).sum() / 8
    np.testing.assert_allclose(model.evaluate(x, y, verbose=0), loss, rtol=1e-10)
    np.testing.assert_allclose(model.train_on_batch(x, y), loss, rtol=1e-10)
    dz = 2 * z / 16 + 0.01 * 2 * z / 8
    np.testing.assert_allclose(model.get_weights()[0], w - 0.1 * (x.T @ dz + 0.02 * w), rtol=1e-9)
    np.testing.assert_allclose(model.get_weights()[1], b - 0.1 * (dz.sum(0) + 0.01 * np.sign(b)), rtol=1e-9)


def test_constraints_hold_after_every_step():
    model = Sequential([Input(shape=(3,)), layers.Dense(2, kernel_constraint="non_neg", bias_constraint="max_norm")])
    model.compile(optimizers.SGD(0.5), "mse")
    x = np.random.default_rng(0).standard_normal((32, 3))
    model.fit(x, x @ [[-5.0, 1], [1, -5], [1, 1]] + 9, epochs=5, verbose=0)
    kernel, bias = model.get_weights()
    assert kernel.min() == 0
    assert kernel.max() > 0
    assert np.linalg.norm(bias) < 2.0001


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int64", "float16", "float64", "bool"])
def test_any_dtype_of_images(digits, dtype):
    x, y = digits
    x = x.astype(dtype)
    runs = []
    for given in (x, x.astype(np.float32)):
        model = mlp()
        model.set_weights([np.linspace(-0.1, 0.1, w.size).reshape(w.shape) for w in model.get_weights()])
        model.compile("adam", "sparse_categorical_crossentropy")
        runs.append(model.fit(given, y, epochs=2, shuffle=False, verbose=0).history["loss"])
        np.testing.assert_array_equal(model.predict(given, verbose=0), model.predict(x.astype(np.float32), verbose=0))
    assert runs[0] == runs[1]


@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64", "float32", "float64"])
@pytest.mark.parametrize("column", [False, True])
def test_any_dtype_of_labels(digits, dtype, column):
    x, y = digits
    model = mlp()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    given = y.astype(dtype)[:, None] if column else y.astype(dtype)
    history = model.fit(x / 255, given, epochs=60, verbose=0)
    assert history.history["accuracy"][-1] > 0.9


def test_strided_read_only_memory_mapped_and_list_data(digits, tmp_path):
    x, y = digits
    np.save(tmp_path / "x.npy", x)
    backwards = np.ascontiguousarray(x[::-1])[::-1]
    frozen = x.copy()
    frozen.flags.writeable = False
    results = []
    for given in (x, backwards, frozen, np.load(tmp_path / "x.npy", mmap_mode="r"), x.tolist(), x[..., None]):
        model = mlp()
        model.set_weights([np.linspace(-0.1, 0.1, w.size).reshape(w.shape) for w in model.get_weights()])
        model.compile("sgd", "sparse_categorical_crossentropy")
        targets = y.tolist() if isinstance(given, list) else y
        results.append(model.fit(given, targets, shuffle=False, verbose=0).history["loss"])
    assert all(result == results[0] for result in results)


def test_images_without_channel_axis_are_taken_as_keras_takes_them(digits):
    x, _ = digits
    model = cnn()
    np.testing.assert_array_equal(model(x), model(x[..., None]))


def test_big_arrays_are_not_copied(monkeypatch):
    import tracemalloc

    x = np.zeros((20_000, 28, 28), np.uint8)
    y = np.zeros(20_000, np.int64)
    model = Sequential([layers.Flatten(input_shape=(28, 28)), layers.Dense(2)])
    model.compile("sgd", losses.SparseCategoricalCrossentropy(from_logits=True))
    tracemalloc.start()
    model.fit(x, y, batch_size=500, steps_per_epoch=4, validation_split=0.1, validation_steps=2, verbose=0)
    model.evaluate(x, y, steps=2, verbose=0)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < x.nbytes / 2


def test_validation_split_takes_the_tail_before_shuffling():
    x = np.arange(11, dtype=np.float64)[:, None]
    seen = []

    class Spy(layers.Layer):
        def forward(self, x, training=False):
            seen.append((training, x.ravel().tolist()))
            return x, None

        def backward(self, dy, ctx):
            return dy

    model = Sequential([Input(shape=(1,)), Spy(dtype="float64"), layers.Dense(1, dtype="float64")])
    model.compile("sgd", "mse")
    seen.clear()
    model.fit(x, x, batch_size=4, epochs=2, validation_split=0.3, verbose=0)
    train = [rows for training, rows in seen if training]
    valid = [rows for training, rows in seen if not training]
    assert valid == [[7, 8, 9, 10]] * 2
    assert [len(rows) for rows in train] == [4, 3] * 2
    assert sorted(train[0] + train[1]) == sorted(train[2] + train[3]) == list(range(7))
    assert train[:2] != train[2:]


def test_shuffle_false_keeps_the_order():
    x = np.arange(7, dtype=np.float32)[:, None]
    model = Sequential([Input(shape=(1,)), layers.Dense(1, kernel_initializer="zeros")])
    model.compile(optimizers.SGD(0.0), "mse")
    losses_seen = []

    class Keep(callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            losses_seen.append(logs["loss"])

    model.fit(x, x, batch_size=1, shuffle=False, callbacks=[Keep()], verbose=0)
    running = np.cumsum(np.arange(7.0) ** 2) / np.arange(1, 8)
    np.testing.assert_allclose(losses_seen, running)


def test_class_weight_is_sample_weight(digits):
    x, y = digits
    runs = []
    for settings, targets, loss in (
        ({"class_weight": {0: 2.0, 2: 0.5}}, y, "sparse_categorical_crossentropy"),
        ({"sample_weight": np.array([2.0, 1.0, 0.5])[y]}, y, "sparse_categorical_crossentropy"),
        ({"class_weight": {0: 2.0, 2: 0.5}}, np.eye(3)[y], "categorical_crossentropy"),
    ):
        model = mlp()
        model.set_weights([np.linspace(-0.1, 0.1, w.size).reshape(w.shape) for w in model.get_weights()])
        model.compile("sgd", loss)
        runs.append(model.fit(x / 255, targets, shuffle=False, epochs=2, verbose=0, **settings).history["loss"])
    assert runs[0] == runs[1]
    np.testing.assert_allclose(runs[0], runs[2], rtol=1e-5)


def test_batches_from_iterables(digits):
    x, y = digits
    x = x / 255
    batches = [(x[i : i + 20], y[i : i + 20]) for i in range(0, 70, 20)]

    class Again:
        def __iter__(self):
            return iter(batches)

    def generator():
        while True:
            yield from batches

    runs = []
    for source, settings in (
        (x, {"batch_size": 20, "shuffle": False}),
        (batches, {}),
        (Again(), {}),
        (generator(), {"steps_per_epoch": 4}),
    ):
        model = Sequential([layers.Flatten(), layers.Dense(3, activation="softmax", kernel_initializer="ones")])
        model.compile("sgd", "sparse_categorical_crossentropy")
        targets = y if source is x else None
        validation = (x, y) if source is x else batches
        history = model.fit(source, targets, epochs=2, validation_data=validation, verbose=0, **settings).history
        runs.append(history["loss"])
        np.testing.assert_allclose(model.evaluate(batches, verbose=0), model.evaluate(x, y, verbose=0), rtol=1e-6)
        np.testing.assert_array_equal(model.predict(batches, verbose=0), model.predict(x, batch_size=20, verbose=0))
    assert all(run == runs[0] for run in runs)


def test_steps_per_epoch_goes_on_where_it_stopped():
    x = np.arange(5, dtype=np.float32)[:, None]
    seen = []

    def forever():
        for value in x:
            seen.append(value.item())
            yield value[None], value[None]

    class Source:
        def __iter__(self):
            return forever()

    model = Sequential([Input(shape=(1,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    seen.clear()
    model.fit(Source(), steps_per_epoch=2, epochs=4, verbose=0)
    assert seen == [0, 1, 2, 3, 4, 0, 1, 2]


def test_initial_epoch_and_validation_freq(digits):
    x, y = digits
    model = mlp()
    model.compile("sgd", "sparse_categorical_crossentropy")
    history = model.fit(x, y, epochs=7, initial_epoch=2, validation_data=(x, y), validation_freq=2, verbose=0)
    assert history.epoch == [2, 3, 4, 5, 6]
    assert len(history.history["loss"]) == 5
    assert len(history.history["val_loss"]) == 2
    history = model.fit(x, y, epochs=4, validation_data=(x, y), validation_freq=[1, 4], verbose=0)
    assert len(history.history["val_loss"]) == 2
    assert model.history is history


def test_evaluate_and_predict_results(digits):
    x, y = digits
    model = mlp()
    model.compile("sgd", "sparse_categorical_crossentropy")
    assert isinstance(model.evaluate(x, y, verbose=0), float)
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["sparse_top_k_categorical_accuracy", "accuracy"])
    result = model.evaluate(x, y, verbose=0)
    named = model.evaluate(x, y, verbose=0, return_dict=True)
    assert list(named) == ["accuracy", "loss", "sparse_top_k_categorical_accuracy"]
    assert result == [named[name] for name in model.metrics_names]
    assert model.metrics_names == ["loss", "sparse_top_k_categorical_accuracy", "accuracy"]
    assert model.predict(x, verbose=0).shape == (70, 3)
    assert model.predict(x[:1], verbose=0).shape == (1, 3)
    assert model.predict(x, steps=1, verbose=0).shape == (32, 3)


def test_binary_accuracy_of_one_output():
    x = np.random.default_rng(0).standard_normal((40, 2))
    y = (x[:, 0] > 0).astype(int)
    model = Sequential([layers.Dense(1, activation="sigmoid")])
    model.compile(optimizers.Adam(0.1), "binary_crossentropy", metrics=["accuracy"])
    history = model.fit(x, y, epochs=20, verbose=0).history
    assert history["accuracy"][-1] > 0.9
    np.testing.assert_allclose(
        model.evaluate(x, y, verbose=0)[1], ((model.predict(x, verbose=0)[:, 0] > 0.5) == y).mean()
    )


def test_saturated_predictions_still_learn():
    model = Sequential([Input(shape=(1,)), layers.Dense(1, activation="sigmoid")])
    model.set_weights([[[100.0]], [0.0]])
    model.compile(optimizers.SGD(1.0), "binary_crossentropy")
    loss = model.train_on_batch(np.ones((1, 1)), np.zeros((1, 1)))
    assert loss == 100
    np.testing.assert_allclose(model.get_weights()[0], 99, rtol=1e-6)


def test_results_are_the_users_own(digits):
    x, y = digits
    model = mlp()
    model.compile("sgd", "sparse_categorical_crossentropy")
    first = model.predict_on_batch(x[:32])
    kept = first.copy()
    called = model(x[:32])
    model.predict_on_batch(x[32:64])
    model.train_on_batch(x[:32], y[:32])
    np.testing.assert_array_equal(first, kept)
    np.testing.assert_array_equal(called, kept)


def test_call_in_training_mode_drops(digits):
    x, _ = digits
    model = cnn()
    assert (model(x, training=True) != model(x)).any()
    np.testing.assert_array_equal(model(x), model(x))


def test_outputs_of_more_than_two_axes():
    x = np.random.default_rng(0).standard_normal((12, 4, 3))
    y = np.random.default_rng(1).integers(0, 2, (12, 4))
    model = Sequential([Input(shape=(4, 3)), layers.Dense(2, activation="softmax", dtype="float64")])
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    p = model.predict(x, verbose=0)
    loss, accuracy = model.evaluate(x, y, verbose=0)
    np.testing.assert_allclose(loss, -np.log(np.take_along_axis(p, y[..., None], 2)).mean(), rtol=1e-9)
    np.testing.assert_allclose(accuracy, (p.argmax(-1) == y).mean())
    weight = np.arange(12.0)
    weighted = -np.log(np.take_along_axis(p, y[..., None], 2))[..., 0] * weight[:, None]
    np.testing.assert_allclose(
        model.evaluate(x, y, sample_weight=weight, verbose=0, return_dict=True)["loss"], weighted.mean(), rtol=1e-9
    )
    assert model.fit(x, y, epochs=3, verbose=0).history["loss"][2] < loss

"""Sequences of many lengths: models whose length is open, data sets that pad batch by batch, and what is refused."""

import io

import numpy as np
import pytest

from fastnn import Sequential, layers
from fastnn.callbacks import ProgressBar
from fastnn.data import Dataset
from fastnn.models.workspaces import Workspaces


def model_of(*first, units=1, **settings):
    """Ids → one output, from these first layers on."""
    model = Sequential(
        [
            *first,
            layers.Embedding(12, 4, mask_zero=True),
            layers.GlobalAveragePooling1D(),
            layers.Dense(units, activation="sigmoid"),
        ]
    )
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"], **settings)
    return model


def sentences(n=20, seed=0):
    """Lists of ids of many lengths, and labels."""
    rng = np.random.default_rng(seed)
    rows = [rng.integers(1, 12, rng.integers(1, 9)) for _ in range(n)]
    return rows, np.array([row.mean() > 6 for row in rows], int)


def dataset_of(n=20, seed=0):
    rows, labels = sentences(n, seed)
    return Dataset.from_generator(lambda: zip(rows, labels, strict=True))


# Lengths that are open.


@pytest.mark.parametrize("first", [(), (layers.Input(shape=(None,)),)], ids=["no shape", "open shape"])
def test_batches_of_many_lengths(first):
    model = model_of(*first)
    for length in (5, 3, 9, 1):
        x = np.ones((2, length), int)
        assert model.predict(x, verbose=0).shape == (2, 1)
        assert model.train_on_batch(x, np.ones(2)) is not None
    assert model.input_shape == (None, None)
    assert model.layers[0].output_shape == (None, None, 4)


def test_the_summary_shows_open_lengths():
    lines = []
    model = model_of(layers.Input(shape=(None,)))
    model.summary(print_fn=lines.append)
    assert "(None, None, 4)" in lines[0]
    model = Sequential([layers.Input(shape=(None, 8)), layers.Conv1D(64, 3, padding="causal"), layers.Dense(2)])
    model.summary(print_fn=lines.append)
    assert "(None, None, 64)" in lines[1]
    assert "(None, None, 2)" in lines[1]


def test_a_shape_that_was_said_stays():
    model = model_of(layers.Input(shape=(5,)))
    with pytest.raises(ValueError, match=r"takes examples of shape \(5,\).*Received: x of shape \(2, 3\)"):
        model.predict(np.ones((2, 3), int), verbose=0)
    model = model_of()
    model.build((None, 5))
    with pytest.raises(ValueError, match=r"takes examples of shape \(5,\)"):
        model.predict(np.ones((2, 3), int), verbose=0)


def test_a_length_that_weights_depend_on_stays():
    model = Sequential([layers.Embedding(12, 4), layers.Flatten(), layers.Dense(1)])
    model.predict(np.ones((2, 5), int), verbose=0)
    before = [layer.output_shape for layer in model.layers]
    with pytest.raises(ValueError, match=r"takes examples of shape \(5,\).*Received: x of shape \(2, 3\)"):
        model.predict(np.ones((2, 3), int), verbose=0)
    assert [layer.output_shape for layer in model.layers] == before
    assert model.input_shape == (None, 5)


def test_nested_models_open_up_too():
    inner = Sequential([layers.Embedding(12, 4), layers.Dense(3)])
    model = Sequential([inner, layers.GlobalMaxPooling1D()])
    for length in (5, 3):
        model.predict(np.ones((2, length), int), verbose=0)
    assert inner.output_shape == (None, None, 3)
    assert inner.layers[0].output_shape == (None, None, 4)


def test_targets_are_held_to_the_length_of_their_inputs():
    model = Sequential([layers.Input((None,)), layers.Embedding(12, 4), layers.Dense(3, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    for length in (4, 6):
        x = np.ones((2, length), int)
        model.fit(x, x, verbose=0)
        with pytest.raises(ValueError, match=rf"shape \(None, {length}\).*Received: targets of shape \(2, 5\)"):
            model.fit(x, np.ones((2, 5), int), verbose=0)
        with pytest.raises(ValueError, match=rf"shape \(None, {length}\)"):
            model.train_on_batch(x, np.ones(2, int))


# Ids on their way in.


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.int64, np.uint64, np.float32, np.float64])
def test_ids_of_any_dtype_train_alike(dtype):
    x = np.random.default_rng(0).integers(0, 12, (20, 5))
    y = x[:, 0] % 2
    start = model_of(layers.Input((None,)))
    runs = []
    for given in (x, x.astype(dtype), np.asfortranarray(x.astype(dtype)), x.astype(dtype).tolist()):
        model = model_of(layers.Input((None,)))
        model.set_weights(start.get_weights())
        runs.append(model.fit(given, y, batch_size=8, verbose=0, shuffle=False).history["loss"])
        model.evaluate(given, y, verbose=0)
        np.testing.assert_array_equal(model.predict(given, verbose=0), model.predict(x, verbose=0))
    assert all(run == runs[0] for run in runs)


def test_large_ids_are_not_rounded():
    class Parity(layers.Layer):
        takes_ids = True

        def forward(self, x, training=False):
            return (x % 2).astype(self.dtype), None

    odd = 2**60 + 1  # no float holds it
    model = Sequential([layers.Input((None,)), Parity()])
    x = np.array([[odd, odd - 1]])
    for given in (x, x.astype(np.uint64), x.tolist()):
        assert model.predict(given, verbose=0).tolist() == [[1, 0]]
        assert model(given).tolist() == [[1, 0]]
    assert Parity()(x).tolist() == [[1, 0]]


@pytest.mark.parametrize("bad", [12, -1])
@pytest.mark.parametrize(
    "call",
    [
        lambda model, x, wrong, y: model.fit(wrong, y, verbose=0),
        lambda model, x, wrong, y: model.fit(x, y, validation_data=(wrong, y), verbose=0),
        lambda model, x, wrong, y: model.evaluate(wrong, y, verbose=0),
        lambda model, x, wrong, y: model.predict(wrong, verbose=0),
        lambda model, x, wrong, y: model.train_on_batch(wrong, y),
        lambda model, x, wrong, y: model(wrong),
    ],
    ids=["fit", "validation", "evaluate", "predict", "train_on_batch", "call"],
)
def test_an_id_out_of_range_changes_nothing(call, bad):
    model = model_of(layers.Input((None,)))
    x = np.random.default_rng(0).integers(0, 12, (200, 5))
    wrong = x.copy()
    wrong[150, 2] = bad
    before = model.get_weights()
    with pytest.raises(ValueError, match=rf"ids from 0 to 11. Received: {bad} at index \(150, 2\)"):
        call(model, x, wrong, x[:, 0] % 2)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("x", "kind", "words"),
    [
        ([[1, 2], [3]], ValueError, r"ragged list of 2 rows. Use x = fastnn.utils.pad_sequences\(x\)"),
        (np.array([[1, 2], [3]], dtype=object), TypeError, "pad_sequences"),
        (np.zeros((2, 0), int), ValueError, r"not hold empty examples. Received: x of shape \(2, 0\)"),
        (np.zeros((0, 3), int), ValueError, "at least one example"),
        ([[0.5, 1.0]], ValueError, "whole numbers"),
        (np.ones((2, 3, 4), int), ValueError, r"Received: x of shape \(2, 3, 4\)"),
    ],
)
def test_inputs_that_are_refused(x, kind, words):
    model = model_of(layers.Input((None,)))
    for call in (lambda: model.fit(x, np.ones(len(x)), verbose=0), lambda: model.predict(x, verbose=0)):
        with pytest.raises(kind, match=words):
            call()


@pytest.mark.parametrize("dtype", ["int64", "float32"])
def test_a_model_that_has_run_still_refuses(dtype):
    """The quick way, on a batch that is ready as it is, looks at as much as the first call."""
    ids = dtype == "int64"
    model = model_of(layers.Input((None,))) if ids else Sequential([layers.Input((None, 3)), layers.GRU(2)])
    shape = (2, 4) if ids else (2, 4, 3)
    x = np.ones(shape, dtype)
    for _ in range(2):
        model.predict_on_batch(x)
        with pytest.raises(ValueError, match="not hold empty"):
            model.predict_on_batch(x[:, :0].copy())
        with pytest.raises(ValueError, match="Received"):
            model.predict_on_batch(np.full(shape, 12) if ids else x[..., :2].copy())


# Data sets.


def test_a_data_set_trains_evaluates_and_predicts():
    data = dataset_of(40)
    model = model_of()
    model.optimizer.learning_rate = 0.05
    train = data.shuffle(40, seed=1).padded_batch(8).prefetch(1)
    history = model.fit(train, epochs=30, validation_data=data.padded_batch(16), verbose=0).history
    assert history["accuracy"][-1] > 0.9
    assert set(history) == {"accuracy", "loss", "val_accuracy", "val_loss"}
    one_by_one = model.evaluate(data.batch(1), verbose=0)
    np.testing.assert_allclose(model.evaluate(data.padded_batch(16), verbose=0), one_by_one, rtol=1e-5)
    assert history["val_loss"][-1] == pytest.approx(one_by_one[0], rel=1e-5)
    np.testing.assert_allclose(
        model.predict(data.padded_batch(16), verbose=0), model.predict(data.batch(1), verbose=0), rtol=1e-4, atol=1e-6
    )
    assert model.input_shape == (None, None)


def test_arrays_and_the_data_set_of_them_train_alike():
    rng = np.random.default_rng(0)
    x, y, w = rng.integers(0, 12, (30, 5)), rng.integers(0, 2, 30), rng.uniform(0.5, 2, 30)
    runs = []
    start = model_of(layers.Input((None,))).get_weights()
    for arguments, settings in (
        ((x, y), {"sample_weight": w, "batch_size": 8, "shuffle": False}),
        ((Dataset.from_tensor_slices((x, y, w)).batch(8),), {}),
        ((Dataset.from_tensor_slices((x, y, w)).batch(8).repeat(),), {"steps_per_epoch": 4}),
    ):
        model = model_of(layers.Input((None,)))
        model.set_weights(start)
        runs.append(model.fit(*arguments, epochs=3, verbose=0, **settings).history)
    assert runs[0] == runs[1] == runs[2]


def test_each_epoch_draws_its_own_order_and_the_first_batch_is_not_drawn_twice():
    drawn = []

    def note(x, y):
        drawn.append(int(x))
        return x[None], y[None]

    data = Dataset.from_tensor_slices((np.arange(6), np.arange(6) % 2)).shuffle(6, seed=0).map(note).batch(2)
    model = model_of()
    model.fit(data, epochs=2, verbose=0)
    assert sorted(drawn[:6]) == sorted(drawn[6:]) == list(range(6))
    assert drawn[:6] != drawn[6:]


def test_steps_of_unknown_number_in_the_progress_bar():
    out = io.StringIO()
    model = model_of()
    data = dataset_of(20).filter(lambda x, y: len(x) > 2).padded_batch(4)
    with pytest.raises(TypeError):
        len(data)
    bar = ProgressBar(out)
    model.fit(data, epochs=2, callbacks=[bar])
    steps = sum(1 for _ in data)
    assert out.getvalue().count(f"{steps}/{steps} ━") == 2
    assert bar._expected == steps  # the second epoch knows what the first has seen


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda m, d: m.fit(d.batch(4).repeat()), r"never ends.*steps_per_epoch=100"),
        (lambda m, d: m.fit(d.batch(4), validation_data=d.batch(4).repeat()), r"never ends.*validation_steps=100"),
        (lambda m, d: m.evaluate(d.batch(4).repeat()), r"never ends.*steps=100"),
        (lambda m, d: m.predict(d.batch(4).repeat()), r"never ends.*steps=100"),
        (lambda m, d: m.fit(d.batch(4), np.ones(8)), r"together, \(x, y\). Received: a Dataset, and a separate y"),
        (lambda m, d: m.fit(d), r"Received: x of shape \(5,\).*dataset.batch\(32\)"),
        (lambda m, d: m.fit(d.batch(4), batch_size=4), "batch_size works only with arrays"),
        (lambda m, d: m.fit(d.batch(4), sample_weight=np.ones(8)), "sample_weight works only with arrays"),
        (lambda m, d: m.fit(d.batch(4), validation_split=0.5), "validation_split works only with arrays"),
        (lambda m, d: m.fit(d.take(0).batch(4)), "yields no batch"),
        (lambda m, d: m.predict(d.take(0).batch(4)), "yields no batch"),
        (lambda m, d: m.fit(d.map(lambda x, y: x).batch(4)), r"fit needs targets"),
    ],
)
def test_data_sets_that_are_refused(call, words):
    model = model_of(layers.Input((None,)))
    data = Dataset.from_tensor_slices((np.ones((8, 5), int), np.ones(8, int)))
    before = model.get_weights()
    with pytest.raises(ValueError, match=words):
        call(model, data)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_outputs_of_several_lengths_do_not_make_one_array():
    model = Sequential([layers.Input((None,)), layers.Embedding(12, 4), layers.Dense(3)])
    batches = iter([np.ones((4, 8), int), np.ones((4, 7), int)])
    with pytest.raises(ValueError, match=r"same length.*Received: outputs of shape \(4, 8, 3\) and \(4, 7, 3\)"):
        model.predict(batches, verbose=0)


# Memory.


def test_workspaces_do_not_grow_without_end():
    spaces = Workspaces()
    first = spaces.of((1, 1), True)
    for length in range(1, 200):
        space = spaces.of((1, length), True)
        assert spaces.of((1, length), True) is space
        assert spaces.of((1, 1), True) is first  # in use, so it stays
    assert len(spaces._spaces) <= 64
    assert spaces.of((1, 2), True) is not None
    assert len(spaces._spaces) <= 64


def test_workspaces_are_bounded_in_bytes(monkeypatch):
    monkeypatch.setattr("fastnn.models.workspaces._BYTES", 1 << 20)
    model = Sequential([layers.Input((None, 4)), layers.Dense(64), layers.Dense(64)])
    model.compile("sgd", "mse")
    for length in range(100, 160):
        model.predict(np.zeros((8, length, 4), np.float32), verbose=0)
    held = sum(getattr(space, "nbytes", 0) for space in model._workspaces._spaces.values())
    one = 8 * 160 * 64 * 4 * 2
    assert held <= (1 << 20) + one + 128
    assert len(model._workspaces._spaces) < 10

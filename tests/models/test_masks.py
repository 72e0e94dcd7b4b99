"""Masks in models: padded sequences train as the unpadded ones would, losses and metrics count what counts."""

import warnings

import numpy as np
import pytest

from fastnn import Sequential, layers, losses, metrics
from tests.backends import each_backend  # noqa: F401

LENGTHS = (6, 1, 4, 3)


def padded(rng, vocabulary=9):
    """Sequences of ids of these lengths, padded behind with 0."""
    x = rng.integers(1, vocabulary, (len(LENGTHS), max(LENGTHS)))
    for row, n in zip(x, LENGTHS, strict=True):
        row[n:] = 0
    return x


def tagger(units=3, activation="softmax", **settings):
    """Ids → one output a time step."""
    return Sequential(
        [
            layers.Embedding(9, 4, mask_zero=True, **settings),
            layers.Dense(5, activation="tanh", **settings),
            layers.Dropout(0.0, **settings),
            layers.Dense(units, activation=activation, **settings),
        ]
    )


def classifier(**settings):
    """Ids → the mean of what counts → one output."""
    return Sequential(
        [
            layers.Embedding(9, 4, mask_zero=True, **settings),
            layers.Dense(5, activation="tanh", **settings),
            layers.GlobalAveragePooling1D(**settings),
            layers.Dense(1, activation="sigmoid", **settings),
        ]
    )


def steps_apart(make, x, y, loss, weights):
    """The change of all weights by one SGD step on the whole batch, and on each sequence alone, unpadded."""
    start = make(dtype="float64")
    start.build((None, None))
    changes, values = [], []
    for batches in ([(x, y)], [(x[i : i + 1, :n], y[i : i + 1]) for i, n in enumerate(LENGTHS)]):
        total, value = None, 0.0
        for (a, b), share in zip(batches, [1.0] if len(batches) == 1 else weights, strict=True):
            model = make(dtype="float64")
            model.build((None, None))
            model.set_weights(start.get_weights())
            model.compile("sgd", loss)
            value += share * model.train_on_batch(a, b[:, : a.shape[1]] if b.ndim > 1 and b.shape[1] > 1 else b)
            moved = [share * (w - v) for w, v in zip(model.get_weights(), start.get_weights(), strict=True)]
            total = moved if total is None else [t + m for t, m in zip(total, moved, strict=True)]
        changes.append(total)
        values.append(value)
    assert values[0] == pytest.approx(values[1], rel=1e-12)
    for whole, parts in zip(*changes, strict=True):
        np.testing.assert_allclose(whole, parts, rtol=1e-9, atol=1e-15)
    assert any(change.any() for change in changes[0])


@pytest.mark.parametrize(
    ("units", "activation", "loss"),
    [
        (3, "softmax", "sparse_categorical_crossentropy"),
        (3, "softmax", "categorical_crossentropy"),
        (1, "sigmoid", "binary_crossentropy"),
        (2, None, "mse"),
        (2, "tanh", "cosine_similarity"),
    ],
)
def test_many_to_many_padded_trains_as_unpadded(each_backend, units, activation, loss):  # noqa: F811
    rng = np.random.default_rng(0)
    x = padded(rng)
    if loss.startswith("sparse"):
        y = rng.integers(0, 3, x.shape)
    elif loss.startswith("categorical"):
        y = np.eye(3)[rng.integers(0, 3, x.shape)]
    else:
        y = rng.integers(0, 2, (*x.shape, units)).astype(np.float64)
    shares = [n / sum(LENGTHS) for n in LENGTHS]  # the mean is over the time steps that count
    steps_apart(lambda **k: tagger(units, activation, **k), x, y, loss, shares)


RECURRENT = {
    "simple rnn": lambda n, **k: [layers.SimpleRNN(4, return_sequences=n, **k)],
    "lstm": lambda n, **k: [layers.LSTM(4, return_sequences=n, **k)],
    "lstm backwards": lambda n, **k: [layers.LSTM(4, return_sequences=n, go_backwards=not n, **k)],
    "gru": lambda n, **k: [layers.GRU(4, return_sequences=n, **k)],
    "gru reset before": lambda n, **k: [layers.GRU(4, return_sequences=n, reset_after=False, **k)],
    "gelu, step by step": lambda n, **k: [layers.SimpleRNN(4, activation="gelu", return_sequences=n, **k)],
    "output to output": lambda n, **k: [layers.SimpleRNN(4, recurrence="output", return_sequences=n, **k)],
    "bidirectional, stacked": lambda n, **k: [
        layers.Bidirectional(layers.LSTM(3, return_sequences=True, **k)),
        layers.SpatialDropout1D(0.0, **k),
        layers.Bidirectional(layers.GRU(2, return_sequences=n, **k), merge_mode="sum"),
    ],
}


def recurrent(case, sequences, head):
    """A maker of models with these recurrent layers in the middle."""
    return lambda **settings: Sequential(
        [
            layers.Embedding(9, 4, mask_zero=True, **settings),
            *RECURRENT[case](sequences, **settings),
            *head(**settings),
        ]
    )


def test_many_to_one_padded_trains_as_unpadded(each_backend):  # noqa: F811
    rng = np.random.default_rng(0)
    steps_apart(classifier, padded(rng), rng.integers(0, 2, (4, 1)), "binary_crossentropy", [1 / 4] * 4)


@pytest.mark.parametrize("case", RECURRENT)
def test_recurrent_many_to_one_padded_trains_as_unpadded(each_backend, case):  # noqa: F811
    rng = np.random.default_rng(0)
    make = recurrent(case, False, lambda **k: [layers.Dense(1, activation="sigmoid", **k)])
    steps_apart(make, padded(rng), rng.integers(0, 2, (4, 1)), "binary_crossentropy", [1 / 4] * 4)


@pytest.mark.parametrize("case", RECURRENT)
def test_recurrent_many_to_many_padded_trains_as_unpadded(each_backend, case):  # noqa: F811
    rng = np.random.default_rng(0)
    x = padded(rng)
    make = recurrent(case, True, lambda **k: [layers.TimeDistributed(layers.Dense(3, activation="softmax", **k))])
    shares = [n / sum(LENGTHS) for n in LENGTHS]
    steps_apart(make, x, rng.integers(0, 3, x.shape), "sparse_categorical_crossentropy", shares)


def test_fused_or_not_makes_no_difference():
    rng = np.random.default_rng(0)
    x = padded(rng)
    y = rng.integers(0, 3, x.shape)
    runs = []
    weights = None
    for fuse in (True, False):
        model = Sequential(
            [layers.Embedding(9, 4, mask_zero=True), layers.Dense(3), layers.ReLU(), layers.Dense(3), layers.Softmax()]
        )
        model.build((None, None))
        weights = weights or model.get_weights()
        model.set_weights(weights)
        model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"], fuse=fuse)
        runs.append(model.fit(x, y, epochs=3, verbose=0, shuffle=False).history)
    assert runs[0]["accuracy"] == runs[1]["accuracy"]
    np.testing.assert_allclose(runs[0]["loss"], runs[1]["loss"], rtol=1e-6)


# Loss and metrics.


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", "mean_with_sample_weight"])
@pytest.mark.parametrize("weighted", ["no", "examples", "steps"])
def test_loss_and_metrics_by_hand(reduction, weighted):
    rng = np.random.default_rng(1)
    x = padded(rng)
    y = rng.integers(0, 3, x.shape)
    mask = x != 0
    weight = {"no": None, "examples": rng.uniform(0.5, 2, 4), "steps": rng.uniform(0.5, 2, x.shape)}[weighted]
    model = tagger()
    model.build((None, None))
    loss = losses.SparseCategoricalCrossentropy(reduction=reduction)
    model.compile("sgd", loss, metrics=["accuracy", "sparse_categorical_crossentropy"], weighted_metrics=["accuracy"])
    p = model.predict(x, verbose=0)
    values = -np.log(np.take_along_axis(p, y[..., None], -1)[..., 0])
    w = np.ones(x.shape) if weight is None else np.broadcast_to(weight if weight.ndim > 1 else weight[:, None], x.shape)
    divisor = {"sum_over_batch_size": mask.sum(), "sum": 1, "mean_with_sample_weight": (mask * w).sum()}[reduction]
    hits = p.argmax(-1) == y
    found = model.evaluate(x, y, sample_weight=weight, verbose=0, return_dict=True)
    assert found["loss"] == pytest.approx((mask * w * values).sum() / divisor, rel=1e-5)
    assert found["accuracy"] == pytest.approx((mask * hits).sum() / mask.sum())
    assert found["weighted_accuracy"] == pytest.approx((mask * w * hits).sum() / (mask * w).sum())
    assert found["sparse_categorical_crossentropy"] == pytest.approx(values[mask].mean(), rel=1e-5)


def test_ignored_labels_and_masks_together():
    rng = np.random.default_rng(1)
    x = padded(rng)
    y = rng.integers(0, 3, x.shape)
    model = tagger()
    model.compile("sgd", losses.SparseCategoricalCrossentropy(ignore_class=1))
    found = model.evaluate(x, y, verbose=0)
    values = -np.log(np.take_along_axis(model.predict(x, verbose=0), y[..., None], -1)[..., 0])
    counts = (x != 0) & (y != 1)
    assert found == pytest.approx(values[counts].mean(), rel=1e-5)


def test_class_weights_of_sequences_count_by_time_step():
    rng = np.random.default_rng(1)
    x = padded(rng)
    y = rng.integers(0, 3, x.shape)
    changes = []
    for targets, loss in (
        (y, "sparse_categorical_crossentropy"),
        (y[..., None], "sparse_categorical_crossentropy"),
        (np.eye(3)[y], "categorical_crossentropy"),
    ):
        for settings in ({"class_weight": {1: 5.0, 2: 0.0}}, {"sample_weight": np.array([1.0, 5.0, 0.0])[y]}):
            model = tagger()
            model.build((None, None))
            model.set_weights([np.linspace(-1, 1, w.size).reshape(w.shape) for w in model.get_weights()])
            model.compile("sgd", loss)
            model.fit(x, targets, verbose=0, shuffle=False, **settings)
            changes.append(np.concatenate([w.ravel() for w in model.get_weights()]))
    for change in changes[1:]:
        np.testing.assert_allclose(change, changes[0], rtol=1e-5, atol=1e-7)


def test_a_batch_without_any_step_that_counts_has_loss_0():
    model = tagger()
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    assert model.train_on_batch(np.zeros((2, 3), int), np.ones((2, 3), int)) == [0.0, 0.0]


@pytest.mark.parametrize(
    "metric", [metrics.Precision(), metrics.AUC(), metrics.BinaryAccuracy(), metrics.MeanSquaredError()]
)
def test_every_metric_sees_the_mask(metric):
    rng = np.random.default_rng(0)
    x = padded(rng)
    y = rng.integers(0, 2, x.shape)
    model = tagger(1, "sigmoid")
    model.compile("sgd", "binary_crossentropy", metrics=[metric])
    found = model.evaluate(x, y, verbose=0)[1]
    p, mask = model.predict(x, verbose=0)[..., 0], x != 0
    metric.reset_state()
    metric.update_state(y[mask][:, None], p[mask][:, None])
    assert found == pytest.approx(metric.result(), rel=1e-6)


# Where masks go.


class Spy(layers.Layer):
    """Passes everything on, and keeps the mask that it was given."""

    uses_mask = supports_masking = True

    def forward(self, x, training=False, mask=None):
        self.seen = mask
        return x, None

    def backward(self, dy, ctx):
        return dy


def test_a_mask_goes_through_nested_models_and_ends_where_it_is_used():
    inner = Sequential([layers.Embedding(9, 4, mask_zero=True), layers.Dense(3)])
    spies = Spy(), Spy()
    model = Sequential([inner, Sequential([layers.ReLU(), spies[0]]), layers.GlobalAveragePooling1D(), spies[1]])
    x = padded(np.random.default_rng(0))
    for run in (lambda: model.predict(x, verbose=0), lambda: model(x, training=True), lambda: model.forward(x)):
        spies[0].seen = "nothing"
        run()
        np.testing.assert_array_equal(spies[0].seen, x != 0)
        assert spies[1].seen is None
    np.testing.assert_array_equal(inner.compute_mask(x), x != 0)
    assert inner.takes_ids


def test_a_mask_may_be_given():
    spy = Spy()
    model = Sequential([layers.Dense(2), spy, layers.GlobalAveragePooling1D()])
    x = np.random.default_rng(0).standard_normal((2, 3, 4)).astype(np.float32)
    mask = np.array([[True, False, True], [True, True, False]])
    y = model(x, mask=mask)
    np.testing.assert_array_equal(spy.seen, mask)
    np.testing.assert_allclose(y[0], model(x[:1, [0, 2]])[0], rtol=1e-6)
    np.testing.assert_array_equal(model(x, mask=mask, training=True), y)
    model(x)
    assert spy.seen is None


def test_masking_layer_in_a_model():
    x = np.random.default_rng(0).standard_normal((2, 5, 3)).astype(np.float32)
    x[0, 3:] = -1
    model = Sequential([layers.Masking(-1), layers.Dense(4), layers.GlobalAveragePooling1D()])
    np.testing.assert_allclose(model.predict(x, verbose=0)[0], model.predict(x[:1, :3], verbose=0)[0], rtol=1e-5)


@pytest.mark.parametrize(
    ("dropping", "shape"),
    [
        (layers.Flatten, (None, 6)),
        (lambda: layers.Conv1D(3, 2), (None, None)),
        (layers.MaxPooling1D, (None, None)),
        (layers.GlobalMaxPooling1D, (None, None)),
    ],
)
def test_a_mask_that_is_dropped_is_named(dropping, shape):
    layer = dropping()
    model = Sequential([layers.Embedding(9, 4, mask_zero=True, name="words"), layers.Dense(4), layer, Spy()])
    model.build(shape)
    with pytest.warns(UserWarning, match=f'"{layer.name}".*mask of "words"'):
        model(padded(np.random.default_rng(0)))
    assert model.layers[-1].seen is None


def test_no_warning_where_there_is_no_mask_or_it_is_used():
    x = padded(np.random.default_rng(0))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Sequential([layers.Embedding(9, 4), layers.Conv1D(3, 2), layers.GlobalMaxPooling1D()])(x)
        Sequential([layers.Embedding(9, 4, mask_zero=True), layers.GlobalAveragePooling1D(), layers.Flatten()])(x)


@pytest.mark.parametrize("shape", [(4, 2), (3,), (4, 6, 2)])
def test_weights_of_another_shape_are_refused(shape):
    x = padded(np.random.default_rng(0))
    model = tagger()
    model.compile("sgd", "sparse_categorical_crossentropy")
    with pytest.raises(ValueError, match=r"one per time step, shape \(4, 6\)"):
        model.fit(x, np.ones(x.shape, int), sample_weight=np.ones(shape), verbose=0)


@pytest.mark.parametrize("loss", ["sparse_categorical_crossentropy", "binary_crossentropy", "categorical_crossentropy"])
@pytest.mark.parametrize("shape", [(4,), (4, 1)])
def test_one_target_an_example_for_one_output_a_step(loss, shape):
    units = 1 if loss.startswith("binary") else 3
    model = tagger(units)
    model.compile("sgd", loss)
    with pytest.raises(ValueError, match=r"Received: targets of shape.*leave return_sequences=True out"):
        model.fit(padded(np.random.default_rng(0)), np.zeros(shape, int), verbose=0)


def test_a_mask_for_predictions_without_time_steps():
    class Last(Spy):
        """Takes the last step, and forgets to end the mask."""

        def compute_output_shape(self, input_shape):
            return (input_shape[0], input_shape[2])

        def forward(self, x, training=False, mask=None):
            return x[:, -1].copy(), x.shape

    model = Sequential([layers.Embedding(9, 1, mask_zero=True), Last()])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match=r"shape \(4, 6\), came with 4 predictions.*supports_masking = False"):
        model.train_on_batch(padded(np.random.default_rng(0)), np.zeros((4, 1)))

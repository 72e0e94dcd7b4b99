"""Sequences in Keras and here, weights carried across: windows over time, masks, losses and metrics of many outputs.

Training is by SGD: on TensorFlow, Keras hands an embedding's gradient to Adam with one entry for each place of an id,
and squares these one by one before it adds them.
"""

import numpy as np
import pytest

import fastnn

keras = pytest.importorskip("keras", reason="Keras is not installed")

from .test_keras_agreement import CLOSE, both, pytestmark, stack  # noqa: E402

__all__ = ["pytestmark"]

SERIES = (9, 4)
LAYERS = {
    "conv": lambda k: k.Conv1D(5, 3, activation="relu"),
    "conv causal dilated": lambda k: k.Conv1D(5, 3, padding="causal", dilation_rate=2),
    "conv causal strided": lambda k: k.Conv1D(5, 4, padding="causal", strides=2, use_bias=False),
    "conv same strided": lambda k: k.Conv1D(5, 4, padding="same", strides=3, activation="tanh"),
    "conv groups": lambda k: k.Conv1D(6, 2, groups=2),
    "max": lambda k: k.MaxPooling1D(),
    "max same": lambda k: k.MaxPooling1D(3, strides=2, padding="same"),
    "average": lambda k: k.AveragePooling1D(2),
    "average same": lambda k: k.AvgPool1D(4, strides=3, padding="same"),
    "global max": lambda k: k.GlobalMaxPool1D(),
    "global average": lambda k: k.GlobalAveragePooling1D(keepdims=True),
    "padding": lambda k: k.ZeroPadding1D((1, 3)),
    "cropping": lambda k: k.Cropping1D((2, 1)),
    "up sampling": lambda k: k.UpSampling1D(3),
    "spatial dropout": lambda k: k.SpatialDropout1D(0.5),
    "masking": lambda k: k.Masking(),
    "dense": lambda k: k.Dense(3, activation="softmax"),
    "time distributed": lambda k: k.TimeDistributed(k.Dense(3, activation="softmax")),
}


@pytest.mark.parametrize("case", LAYERS)
@pytest.mark.parametrize("length", [9, None])
def test_a_layer(case, length):
    theirs, ours = both(stack(lambda k: k.Input((length, 4)), LAYERS[case]))
    x = np.random.default_rng(0).standard_normal((3, *SERIES)).astype(np.float32)
    assert ours.output_shape == theirs.output_shape
    assert [w.shape for w in ours.get_weights()] == [w.shape for w in theirs.get_weights()]
    np.testing.assert_allclose(ours(x), np.asarray(theirs(x)), rtol=1e-4, atol=1e-5)


def words(*rest, mask_zero=True):
    """A maker of models that start with an embedding of 12 ids."""
    return stack(lambda k: k.Input((None,)), lambda k: k.Embedding(12, 4, mask_zero=mask_zero), *rest)


TAGGER = words(lambda k: k.Dense(5, activation="tanh"), lambda k: k.Dense(3, activation="softmax"))
LSTM_TAGGER = words(
    lambda k: k.Bidirectional(k.LSTM(3, return_sequences=True)),
    lambda k: k.GRU(4, return_sequences=True),
    lambda k: k.TimeDistributed(k.Dense(3, activation="softmax")),
)
ONE = {"loss": "binary_crossentropy", "metrics": ["accuracy"]}
SPARSE = {"loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"], "weighted_metrics": ["accuracy"]}
RNG = np.random.default_rng(3)
STEP_WEIGHTS = RNG.uniform(0.5, 2, (9, 6))

RUNS = {
    "mean": (words(lambda k: k.GlobalAveragePooling1D(), lambda k: k.Dense(1, activation="sigmoid")), ONE, "one", {}),
    "max after conv": (
        words(
            lambda k: k.Conv1D(5, 3, activation="tanh", padding="causal"),
            lambda k: k.MaxPooling1D(2),
            lambda k: k.GlobalMaxPooling1D(),
            lambda k: k.Dense(1, activation="sigmoid"),
            mask_zero=False,
        ),
        ONE,
        "one",
        {},
    ),
    "stacked recurrent": (
        words(
            lambda k: k.Bidirectional(k.LSTM(3, return_sequences=True)),
            lambda k: k.Dropout(0.0),
            lambda k: k.Bidirectional(k.SimpleRNN(3)),
            lambda k: k.Dense(1, activation="sigmoid"),
        ),
        ONE,
        "one",
        {},
    ),
    "recurrent tags": (LSTM_TAGGER, SPARSE, "labels", {}),
    "tags": (TAGGER, SPARSE, "labels", {}),
    "tags (B, T, 1)": (TAGGER, SPARSE, "column", {}),
    "tags one-hot": (TAGGER, {"loss": "categorical_crossentropy", "metrics": ["accuracy", "mse"]}, "one-hot", {}),
    "tags weighted": (TAGGER, SPARSE, "labels", {"sample_weight": STEP_WEIGHTS}),
    "tags weighted (B, 1)": (TAGGER, SPARSE, "labels", {"sample_weight": STEP_WEIGHTS[:, :1]}),
    "tags by sum": (
        TAGGER,
        {"loss": lambda lib: lib.losses.SparseCategoricalCrossentropy(reduction="sum")},
        "labels",
        {},
    ),
    "tags, one ignored": (
        TAGGER,
        {"loss": lambda lib: lib.losses.SparseCategoricalCrossentropy(ignore_class=1)},
        "labels",
        {},
    ),
    "bits": (words(lambda k: k.Dense(1, activation="sigmoid")), ONE, "bits", {}),
    "numbers": (words(lambda k: k.Dense(2)), {"loss": "mse", "metrics": ["mae"]}, "numbers", {}),
    "no mask": (
        words(lambda k: k.Dense(3, activation="softmax"), mask_zero=False),
        SPARSE,
        "labels",
        {"sample_weight": STEP_WEIGHTS},
    ),
}


@pytest.mark.parametrize("case", RUNS)
def test_a_training(case):
    make, compile_settings, kind, settings = RUNS[case]
    rng = np.random.default_rng(0)
    x = rng.integers(1, 12, (9, 6))
    for row, length in zip(x, (6, 3, 1, 4, 5, 2, 6, 3, 2), strict=True):
        row[length:] = 0
    labels = rng.integers(0, 3, x.shape)
    y = {
        "one": labels[:, :1] % 2,
        "labels": labels,
        "column": labels[..., None],
        "one-hot": np.eye(3)[labels],
        "bits": labels[..., None] % 2,
        "numbers": rng.standard_normal((*x.shape, 2)),
    }[kind]
    curves, results, weights = [], [], []
    for library, model in zip((keras, fastnn), both(make), strict=True):
        compiled = {k: v(library) if callable(v) else v for k, v in compile_settings.items()}
        model.compile(library.optimizers.SGD(0.1), **compiled)
        curves.append(model.fit(x, y, batch_size=4, epochs=2, shuffle=False, verbose=0, **settings).history)
        results.append(model.evaluate(x, y, batch_size=4, verbose=0, return_dict=True))
        weights.append(model.get_weights())
    assert list(curves[0]) == list(curves[1])
    for name in curves[0]:
        np.testing.assert_allclose(curves[1][name], curves[0][name], err_msg=name, **CLOSE)
    for name, value in results[0].items():
        np.testing.assert_allclose(results[1][name], value, err_msg=name, **CLOSE)
    for ours, theirs in zip(weights[1], weights[0], strict=True):
        np.testing.assert_allclose(ours, theirs, **CLOSE)

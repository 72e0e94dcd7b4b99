"""The same script, weights carried across, in Keras and here; skipped where Keras is not installed."""

import numpy as np
import pytest

import fastnn

keras = pytest.importorskip("keras", reason="Keras is not installed")
pytestmark = [
    pytest.mark.filterwarnings("default"),
    pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="the baseline is Keras on TensorFlow"),
]

CLOSE = {"rtol": 2e-4, "atol": 2e-5}


def both(make):
    """The model of ``make(library)`` in Keras and here, with one set of weights."""
    theirs, ours = make(keras), make(fastnn)
    rng = np.random.default_rng(1)
    weights = [rng.uniform(-0.3, 0.3, w.shape).astype(np.float32) for w in theirs.get_weights()]
    theirs.set_weights(weights)
    ours.set_weights(weights)
    return theirs, ours


def stack(*parts):
    """A maker of Sequential from functions of ``layers``."""
    return lambda library: library.Sequential([part(library.layers) for part in parts])


IMAGES = (8, 9, 4)
LAYERS = {
    "conv": lambda k: k.Conv2D(5, (3, 2), activation="relu"),
    "conv same strided": lambda k: k.Conv2D(5, 3, strides=(2, 3), padding="same", activation="tanh"),
    "conv same even": lambda k: k.Conv2D(5, 2, padding="same", activation="elu"),
    "conv dilated": lambda k: k.Conv2D(5, 3, dilation_rate=2, use_bias=False),
    "conv gelu": lambda k: k.Conv2D(5, 1, activation="gelu"),
    "depthwise": lambda k: k.DepthwiseConv2D(3, depth_multiplier=2, padding="same"),
    "separable": lambda k: k.SeparableConv2D(6, 3, depth_multiplier=2, activation="sigmoid"),
    "max": lambda k: k.MaxPooling2D((2, 3)),
    "max same": lambda k: k.MaxPooling2D(3, strides=2, padding="same"),
    "average": lambda k: k.AveragePooling2D(2),
    "average same": lambda k: k.AveragePooling2D(3, strides=2, padding="same"),
    "global max": lambda k: k.GlobalMaxPooling2D(),
    "global average": lambda k: k.GlobalAveragePooling2D(keepdims=True),
    "padding": lambda k: k.ZeroPadding2D(((1, 2), (0, 3))),
    "flatten": lambda k: k.Flatten(),
    "reshape": lambda k: k.Reshape((6, -1)),
    "dense on images": lambda k: k.Dense(3, activation="softmax"),
    "relu": lambda k: k.ReLU(max_value=0.6, negative_slope=0.1, threshold=0.2),
    "leaky relu": lambda k: k.LeakyReLU(),
    "leaky relu function": lambda k: k.Activation("leaky_relu"),
    "elu": lambda k: k.ELU(0.5),
    "softmax": lambda k: k.Softmax(axis=1),
    "hard sigmoid": lambda k: k.Activation("hard_sigmoid"),
    "silu": lambda k: k.Activation("silu"),
    "selu": lambda k: k.Activation("selu"),
    "softplus": lambda k: k.Activation("softplus"),
}


@pytest.mark.parametrize("case", LAYERS)
def test_a_layer(case):
    theirs, ours = both(stack(lambda k: k.Input(IMAGES), LAYERS[case]))
    x = np.random.default_rng(0).standard_normal((3, *IMAGES)).astype(np.float32)
    assert ours.output_shape == theirs.output_shape
    assert [w.shape for w in ours.get_weights()] == [w.shape for w in theirs.get_weights()]
    np.testing.assert_allclose(ours(x), np.asarray(theirs(x)), rtol=1e-4, atol=1e-5)


MLP = stack(
    lambda k: k.Input((9, 8)),
    lambda k: k.Flatten(),
    lambda k: k.Dense(12, activation="relu", kernel_regularizer="l2"),
    lambda k: k.Dense(3, activation="softmax"),
)
CNN = stack(
    lambda k: k.Input((9, 8, 1)),
    lambda k: k.Conv2D(6, 3, activation="relu", activity_regularizer="l2"),
    lambda k: k.MaxPooling2D(),
    lambda k: k.Conv2D(5, 2, activation="relu"),
    lambda k: k.MaxPooling2D(2),
    lambda k: k.Flatten(),
    lambda k: k.Dense(3),
    lambda k: k.Activation("softmax"),
)
BINARY = stack(
    lambda k: k.Input((9, 8)),
    lambda k: k.Flatten(),
    lambda k: k.Dense(5, activation="tanh", kernel_constraint="max_norm"),
    lambda k: k.Dense(1, activation="sigmoid"),
)

RUNS = {
    "mlp adam": (MLP, {"optimizer": "adam", "loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]}, {}),
    "mlp default optimizer": (MLP, {"loss": "sparse_categorical_crossentropy"}, {}),
    "mlp one-hot": (
        MLP,
        {"optimizer": "sgd", "loss": "categorical_crossentropy", "metrics": ["acc", "mse"]},
        {"one_hot": True},
    ),
    "mlp class weight": (
        MLP,
        {
            "optimizer": "sgd",
            "loss": "sparse_categorical_crossentropy",
            "metrics": ["accuracy"],
            "weighted_metrics": ["sparse_categorical_accuracy"],
        },
        {"class_weight": {0: 3.0, 2: 0.2}},
    ),
    "mlp sample weight": (
        MLP,
        {"optimizer": "sgd", "loss": "sparse_categorical_crossentropy"},
        {"sample_weight": np.linspace(0, 2, 70)},
    ),
    "mlp mse": (MLP, {"optimizer": "sgd", "loss": "mse", "metrics": ["mae"]}, {"one_hot": True}),
    "cnn": (CNN, {"optimizer": "adam", "loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]}, {}),
    "binary": (
        BINARY,
        {"optimizer": "adam", "loss": "binary_crossentropy", "metrics": ["accuracy", "precision", "recall"]},
        {"binary": True},
    ),
}


@pytest.mark.parametrize("case", RUNS)
def test_a_training(case, digits):
    make, compile_settings, settings = RUNS[case]
    x, y = digits
    settings = dict(settings)
    if settings.pop("one_hot", False):
        y = np.eye(3)[y]
    if settings.pop("binary", False):
        y = (y == 1).astype(int)
    curves, results, outputs = [], [], []
    for model in both(make):
        model.compile(**compile_settings)
        run = model.fit(x / 255, y, epochs=3, shuffle=False, validation_split=0.21, verbose=0, **settings)
        curves.append(run.history)
        results.append(model.evaluate(x / 255, y, verbose=0))
        outputs.append(model.predict(x / 255, verbose=0))
    assert list(curves[0]) == list(curves[1])
    for name in curves[0]:
        np.testing.assert_allclose(curves[1][name], curves[0][name], err_msg=name, **CLOSE)
    np.testing.assert_allclose(results[1], results[0], **CLOSE)
    np.testing.assert_allclose(outputs[1], outputs[0], **CLOSE)


def test_train_on_batch(digits):
    x, y = digits
    rows = []
    for model in both(MLP):
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        rows.append([model.train_on_batch(x[:8] / 255, y[:8]) for _ in range(3)])
        rows[-1].append(model.test_on_batch(x[:8] / 255, y[:8]))
    np.testing.assert_allclose(rows[1], rows[0], **CLOSE)


@pytest.mark.parametrize("trained", [False, True])
@pytest.mark.parametrize("settings", [{}, {"line_length": 71}, {"show_trainable": True}])
def test_summary(digits, monkeypatch, trained, settings):
    monkeypatch.setenv("COLUMNS", "90")
    x, y = digits
    texts = []
    keras.utils.clear_session()
    for model in both(CNN):
        if trained:
            model.compile("adam", "sparse_categorical_crossentropy")
            model.fit(x, y, verbose=0)
        pieces = []
        model.summary(print_fn=pieces.append, **settings)
        texts.append("\n".join(line.rstrip() for line in "".join(pieces).strip().split("\n")))
    if trained:  # Keras counts its step as one byte size or another; the numbers of weights must agree
        texts = [text.rsplit("(", 1)[0] for text in texts]
    assert texts[1] == texts[0]

"""Small things in which a script would notice that it is not Keras 3: arguments, errors, names, aliases."""

import numpy as np
import pytest

from fastnn import activations, constraints, initializers, layers, metrics, optimizers, regularizers

ACCEPTED = {
    "softmax over two axes": lambda: layers.Softmax(axis=(1, 2))(np.ones((1, 2, 3), np.float32)).sum(),
    "labels with axes of length 1 elsewhere": lambda: metrics.SparseCategoricalAccuracy()(
        np.array([[2], [1]]), np.array([[[0.1, 0.6, 0.3], [0.05, 0.95, 0]]])
    ),
    "a constraint that allows all": lambda: constraints.Constraint()(np.ones(2)).sum(),
    "no optimizer": lambda: optimizers.get(None),
    "no metric": lambda: metrics.get(None),
    "an input layer in Keras 2's words": lambda: layers.InputLayer(input_shape=[3]).batch_shape,
    "masks of ids": lambda: tuple(layers.Embedding(3, 2, mask_zero=zero).supports_masking for zero in (True, False)),
}
EXPECTED = (1.0, 0.5, 2.0, None, None, (None, 3), (True, False))


@pytest.mark.parametrize(("what", "expected"), list(zip(ACCEPTED, EXPECTED, strict=True)))
def test_what_is_accepted(what, expected):
    assert ACCEPTED[what]() == (pytest.approx(expected) if isinstance(expected, float) else expected)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: layers.Dense(2, trainable="no"), ValueError, "trainable='no'"),
        (lambda: layers.Cropping1D((1,)), ValueError, r"two for the beginning and the end. Received: cropping=\(1,\)"),
        (lambda: layers.ZeroPadding1D((1,)), ValueError, r"Received: padding=\(1,\)"),
        (lambda: layers.ZeroPadding1D("1"), ValueError, "Received: padding='1'"),
        (lambda: layers.ZeroPadding1D((1, 2, 3)), ValueError, r"Received: padding=\(1, 2, 3\)"),
        (lambda: layers.Cropping1D((1, "2")), ValueError, r"Received: cropping=\(1, '2'\)"),
        (lambda: layers.RepeatVector("3"), TypeError, "Received: n='3'"),
        (lambda: layers.RepeatVector(3.0), TypeError, "Received: n=3.0"),
        (lambda: layers.RepeatVector(0), ValueError, "Received: n=0"),
        (lambda: metrics.FBetaScore(beta=1), ValueError, r"Use beta=1\.0"),
        (lambda: optimizers.get(3), ValueError, "Received: 3"),
        (lambda: optimizers.get("typo"), ValueError, "no optimizer named 'typo'"),
        (lambda: layers.InputLayer((3,), input_shape=(3,)), ValueError, "shape and input_shape are one"),
    ],
)
def test_what_is_refused_with_keras_exception(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_older_names_are_the_classes():
    assert constraints.max_norm is constraints.MaxNorm
    assert constraints.min_max_norm is constraints.MinMaxNorm
    assert constraints.non_neg is constraints.NonNeg
    assert constraints.unit_norm is constraints.UnitNorm
    assert regularizers.l1_l2 is regularizers.L1L2
    assert regularizers.orthogonal_regularizer is regularizers.OrthogonalRegularizer
    for name in initializers.__all__:
        if name.islower() and name not in ("compute_fans", "get", "deserialize", "serialize"):
            assert type(initializers.get(name)) is getattr(initializers, name), name
    assert initializers.OrthogonalInitializer is initializers.Orthogonal
    for module in (initializers, constraints, regularizers):
        assert module.deserialize is module.get


def test_a_dense_layers_config_has_keras_entries():
    found = layers.Dense(2, name="d", activation=activations.relu).get_config()
    keys = (
        "name trainable dtype units activation use_bias kernel_initializer bias_initializer kernel_regularizer "
        "bias_regularizer kernel_constraint bias_constraint activity_regularizer"
    )
    assert set(keys.split()) <= set(found)
    assert found["activation"] == "relu"

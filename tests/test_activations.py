"""Activation functions and the objects that layers hold."""

import math

import numpy as np
import pytest

import fastnn
from fastnn import activations, layers
from fastnn.activations import Activation, ClippedRelu, Formula, LogSoftmax, Softmax, Sparsemax, activation_of, formulas
from tests.backends import each_backend  # noqa: F401
from tests.losses.test_gradients import numeric

pytestmark = pytest.mark.usefixtures("each_backend")

X = np.array([-3.0, -1.0, -0.25, 0.0, 0.5, 2.0])
SELU = 1.0507009873554805, 1.6732632423543772

FUNCTIONS = [
    ("linear", {}, lambda x: x),
    ("identity", {}, lambda x: x),
    ("relu", {}, lambda x: max(x, 0)),
    ("relu", {"negative_slope": 0.1}, lambda x: x if x > 0 else 0.1 * x),
    ("relu", {"max_value": 1.5}, lambda x: min(max(x, 0), 1.5)),
    ("relu", {"threshold": 0.75}, lambda x: x if x > 0.75 else 0),
    (
        "relu",
        {"negative_slope": 0.1, "max_value": 1.5, "threshold": 0.75},
        lambda x: min(x, 1.5) if x > 0.75 else 0.1 * (x - 0.75),
    ),
    ("relu6", {}, lambda x: min(max(x, 0), 6)),
    ("leaky_relu", {}, lambda x: x if x > 0 else 0.2 * x),
    ("leaky_relu", {"negative_slope": 0.3}, lambda x: x if x > 0 else 0.3 * x),
    ("elu", {}, lambda x: x if x > 0 else math.expm1(x)),
    ("elu", {"alpha": 0.5}, lambda x: x if x > 0 else 0.5 * math.expm1(x)),
    ("selu", {}, lambda x: SELU[0] * (x if x > 0 else SELU[1] * math.expm1(x))),
    ("sigmoid", {}, lambda x: 1 / (1 + math.exp(-x))),
    ("tanh", {}, math.tanh),
    ("softplus", {}, lambda x: math.log1p(math.exp(x))),
    ("softsign", {}, lambda x: x / (1 + abs(x))),
    ("gelu", {}, lambda x: x * (1 + math.erf(x / math.sqrt(2))) / 2),
    ("gelu", {"approximate": True}, lambda x: x / 2 * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))),
    ("silu", {}, lambda x: x / (1 + math.exp(-x))),
    ("swish", {}, lambda x: x / (1 + math.exp(-x))),
    ("hard_sigmoid", {}, lambda x: min(max(x / 6 + 0.5, 0), 1)),
    ("exponential", {}, math.exp),
    ("mish", {}, lambda x: x * math.tanh(math.log1p(math.exp(x)))),
    ("hard_silu", {}, lambda x: x * min(max(x / 6 + 0.5, 0), 1)),
    ("hard_swish", {}, lambda x: x * min(max(x / 6 + 0.5, 0), 1)),
    ("log_sigmoid", {}, lambda x: -math.log1p(math.exp(-x))),
    ("celu", {"alpha": 0.4}, lambda x: x if x > 0 else 0.4 * math.expm1(x / 0.4)),
    ("squareplus", {}, lambda x: (x + math.sqrt(x * x + 4)) / 2),
    ("squareplus", {"b": 0}, lambda x: max(x, 0)),
    ("sparse_plus", {}, lambda x: 0 if x < -1 else x if x > 1 else (x + 1) ** 2 / 4),
    ("sparse_sigmoid", {}, lambda x: min(max((x + 1) / 2, 0), 1)),
    ("hard_tanh", {}, lambda x: min(max(x, -1), 1)),
    ("tanh_shrink", {}, lambda x: x - math.tanh(x)),
    ("soft_shrink", {"threshold": 0.3}, lambda x: math.copysign(max(abs(x) - 0.3, 0), x)),
    ("hard_shrink", {}, lambda x: x if abs(x) > 0.5 else 0),
    ("threshold", {"threshold": 0.25, "default_value": -7.0}, lambda x: x if x > 0.25 else -7.0),
    ("step", {}, lambda x: float(x > 0)),
]


@pytest.mark.parametrize(("name", "options", "formula"), FUNCTIONS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_function(name, options, formula, dtype):
    x = X.astype(dtype)
    y = getattr(activations, name)(x, **options)
    assert y.dtype == dtype
    np.testing.assert_allclose(
        y, [formula(v) for v in X.tolist()], rtol=1e-6 if dtype == "float32" else 1e-12, atol=1e-7
    )


def test_lists_and_integers_are_read():
    np.testing.assert_array_equal(activations.relu([-1, 2]), [0, 2])
    assert activations.relu(np.array([-1, 2])).dtype == np.float32


def test_softmax_along_any_axis():
    x = np.random.default_rng(0).normal(size=(2, 3, 4))
    e = np.exp(x)
    np.testing.assert_allclose(activations.softmax(x), e / e.sum(-1, keepdims=True))
    np.testing.assert_allclose(activations.softmax(x, axis=1), e / e.sum(1, keepdims=True))
    np.testing.assert_allclose(activations.softmax(x, axis=(1, 2)), e / e.sum((1, 2), keepdims=True))
    np.testing.assert_allclose(activations.log_softmax(x, axis=0), x - np.log(e.sum(0, keepdims=True)))
    np.testing.assert_array_equal(activations.softmax([1000.0, 1000.0]), [0.5, 0.5])


OBJECTS = [
    *(Activation(name) for name in ("linear", "sigmoid", "tanh", "softplus", "gelu", "gelu_tanh", "silu", "selu")),
    Activation("leaky_relu", 0.3), Activation("elu", 0.5), Activation("relu"), Activation("exponential"),
    ClippedRelu(0.1, 1.5, 0.75), activation_of("softsign"), Softmax(), Softmax(axis=0), Softmax(axis=(0, 1)),
    LogSoftmax(), LogSoftmax(axis=1), Sparsemax(), Sparsemax(axis=0), Sparsemax(axis=(0, 1)), formulas.Mish(),
    formulas.HardSilu(), formulas.LogSigmoid(), formulas.Celu(0.7), formulas.Squareplus(), formulas.Squareplus(0.5),
    formulas.SparsePlus(), formulas.SparseSigmoid(), formulas.HardTanh(), formulas.TanhShrink(),
    formulas.SoftShrink(0.3), formulas.HardShrink(0.7), formulas.Threshold(0.2, -1.0),
]  # fmt: skip


@pytest.mark.parametrize("activation", OBJECTS, ids=repr)
def test_backward(activation):
    rng = np.random.default_rng(1)
    x, dy = rng.normal(size=(3, 5)), rng.normal(size=(3, 5))
    y, ctx = activation.forward(x.copy())
    np.testing.assert_array_equal(y, activation(x))
    dx = activation.backward(dy.copy(), ctx)
    np.testing.assert_allclose(dx, numeric(lambda v: np.sum(dy * activation(v)), x), atol=1e-5, rtol=1e-3)
    out_y, out_dx = np.full_like(x, np.nan), np.full_like(x, np.nan)
    found, ctx = activation.forward(x, y=out_y)
    assert found is out_y
    assert activation.backward(dy, ctx, dx=out_dx) is out_dx
    np.testing.assert_array_equal(out_y, y)
    np.testing.assert_array_equal(out_dx, dx)


@pytest.mark.parametrize("x", [np.nan, np.inf, -np.inf])
def test_clipped_relu_at_the_ends(x):
    y = ClippedRelu(max_value=6.0)(np.array([x]))
    np.testing.assert_array_equal(y, [x if np.isnan(x) else min(max(x, 0), 6)])


@pytest.mark.parametrize("activation", [one for one in OBJECTS if isinstance(one, Formula)], ids=repr)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_formulas_at_the_ends(activation, dtype):
    x = np.array([np.nan, -1e30, -200.0, 0.0, 200.0, 1e30], dtype)
    with np.errstate(all="raise", under="ignore"):
        y, ctx = activation.forward(x)
        dx = activation.backward(np.ones_like(x), ctx)
    assert y.dtype == dx.dtype == dtype
    assert np.isnan(y[0])
    assert np.isfinite(y[1:]).all()
    assert (np.abs(dx[1:]) <= 1.2).all()


def test_sparsemax_is_the_nearest_point():
    """At the minimum of |y − x|² over the simplex, x − y is constant where y > 0 and smaller elsewhere (KKT)."""
    x = np.random.default_rng(2).normal(size=(50, 7)) * 2
    y = activations.sparsemax(x)
    np.testing.assert_allclose(y.sum(axis=-1), 1)
    assert (y >= 0).all()
    assert 0 < (y == 0).mean() < 1
    tau = (x - y).max(axis=-1, keepdims=True)
    np.testing.assert_allclose(np.where(y > 0, x - y, tau), np.broadcast_to(tau, x.shape))
    np.testing.assert_array_equal(activations.sparsemax([[1e30, 0.0]]), [[1, 0]])


def test_glu_halves_an_axis():
    x = np.random.default_rng(3).normal(size=(2, 6, 4))
    np.testing.assert_allclose(activations.glu(x), x[..., :2] / (1 + np.exp(-x[..., 2:])))
    np.testing.assert_allclose(activations.glu(x, axis=1), x[:, :3] / (1 + np.exp(-x[:, 3:])))
    a = layers.Input((6, 4))
    model = fastnn.Model(a, activations.glu(a, axis=-2))
    assert model.output_shape == (None, 3, 4)
    np.testing.assert_allclose(model.predict(x, verbose=0), activations.glu(x, axis=1), rtol=1e-5)


def square(x):
    return x * x


square.gradient = lambda dy, x, y: dy * 2 * x


def test_an_activation_of_ones_own():
    mine = activation_of(square)
    assert (mine.name, mine.fusible) == ("square", False)
    y, ctx = mine.forward(np.array([3.0], np.float32))
    assert y.dtype == np.float32
    np.testing.assert_array_equal(mine.backward(np.ones(1, np.float32), ctx), [6])
    plain = activation_of(np.sin)
    _, ctx = plain.forward(np.ones(2))
    with pytest.raises(TypeError, match=r"sin\.gradient = lambda dy, x, y"):
        plain.backward(np.ones(2), ctx)


@pytest.mark.parametrize("name", [name for name in activations.__all__ if name.islower()])
def test_get_by_name_and_by_function(name):
    if name in ("get", "activation_of", "serialize", "deserialize", "glu", "threshold"):
        return
    by_name, by_function = activation_of(name), activation_of(getattr(activations, name))
    assert by_name == by_function
    assert activation_of(by_name) is by_name
    assert activation_of(activations.serialize(by_name)) == by_name
    np.testing.assert_array_equal(by_name(X), getattr(activations, name)(X))


@pytest.mark.parametrize("activation", OBJECTS, ids=repr)
def test_serialize(activation):
    assert activation_of(activations.serialize(activation)) == activation


def test_fusible_is_what_the_kernels_can_do():
    from fastnn.reference.activations import FUSIBLE

    assert set(activations.FUSIBLE) == set(FUSIBLE)
    assert Activation("leaky_relu").fusible
    assert not Activation("leaky_relu", 0.3).fusible
    assert not Activation("gelu").fusible


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: activation_of("rellu"), ValueError, "Did you mean 'relu'"),
        (lambda: activation_of(3), TypeError, "Received: 3"),
        (lambda: activation_of([1]), TypeError, r"Received: \[1\]"),
        (lambda: Activation("relu", 0.1), ValueError, "relu has no alpha"),
        (lambda: Activation("elu", -1), ValueError, "alpha=-1"),
        (lambda: Activation("softmax"), ValueError, "no activation kernel named 'softmax'"),
        (lambda: ClippedRelu(max_value=-1), ValueError, "max_value=-1"),
        (lambda: activation_of("glu"), ValueError, r"halves an axis. Use layers.Lambda\(activations.glu\)"),
        (
            lambda: activation_of(activations.threshold),
            ValueError,
            "no default numbers. Use activation=lambda x",
        ),
        (lambda: activations.glu(np.ones((2, 3))), ValueError, r"even length. Received: shape \(2, 3\), axis=-1"),
        (lambda: activations.celu(1.0, alpha=0), ValueError, "alpha must be a number > 0. Received: alpha=0"),
        (lambda: activations.squareplus(1.0, b=-1), ValueError, "b must be a number ≥ 0. Received: b=-1"),
        (lambda: activations.threshold(1.0, None, 0), ValueError, "threshold must be a number. Received"),
    ],
)
def test_errors_teach(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_get_gives_the_functions_themselves():
    for name in ("relu", "softmax", "gelu", "leaky_relu", "glu"):
        assert activations.get(name) is getattr(activations, name)
        assert activations.get(getattr(activations, name)) is getattr(activations, name)
    assert activations.get(None) is activations.linear
    assert activations.deserialize(activations.serialize(activations.tanh)) is activations.tanh
    leaky = activations.Activation("leaky_relu", 0.4)
    assert activations.get(leaky) is leaky
    assert activations.get(activations.serialize(leaky)) == leaky
    with pytest.raises(ValueError, match="Did you mean 'relu'"):
        activations.get("rellu")
    with pytest.raises(TypeError, match="Received: 3"):
        activations.get(3)

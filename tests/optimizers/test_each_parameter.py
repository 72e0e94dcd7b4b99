"""Lamb, Ftrl, Adafactor and Muon beside their papers' recurrences, parameter by parameter, and beside Keras'."""

import numpy as np
import pytest

from fastnn import optimizers
from tests.backends import each_backend  # noqa: F401
from tests.optimizers.arena import arena, fill

pytestmark = pytest.mark.usefixtures("each_backend")

SHAPES = {"kernel": (3, 4), "bias": (4,), "cube": (2, 3, 2), "tall": (5, 2), "embeddings": (3, 2)}


def lamb(lr=0.001, b1=0.9, b2=0.999, eps=1e-7, decay=0.0):
    m = v = 0.0

    def step(w, g, t):
        nonlocal m, v
        w -= lr * decay * w
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g**2
        u = m / (1 - b1**t) / (np.sqrt(v / (1 - b2**t)) + eps)
        norm, length = np.sqrt((w**2).sum()), np.sqrt((u**2).sum())
        w -= lr * (norm / length if norm and length else 1) * u

    return step


def ftrl(lr=0.001, power=-0.5, start=0.1, l1=0.0, l2=0.0, shrinkage=0.0, beta=0.0):
    n, z = start, 0.0

    def step(w, g, t):
        nonlocal n, z
        grown = n + g**2
        z = z + g + 2 * shrinkage * w - (grown**-power - n**-power) / lr * w
        n = grown
        w[...] = (np.clip(z, -l1, l1) - z) / (n**-power / lr + 2 * (l2 + beta / (2 * lr)))

    return step


def adafactor(lr=0.001, decay=-0.8, eps1=1e-30, eps2=1e-3, threshold=1.0):
    r = c = v = 0.0

    def step(w, g, t):
        nonlocal r, c, v
        keep, squares = 1 - t**decay, g**2 + eps1
        size = max(eps2, np.sqrt((w**2).mean())) * min(lr, t**-0.5)
        if g.ndim > 1:
            r, c = keep * r + (1 - keep) * squares.mean(-1), keep * c + (1 - keep) * squares.mean(-2)
            v = r[..., None] * c[..., None, :] / r.mean(-1)[..., None, None]
        else:
            v = keep * v + (1 - keep) * squares
        u = g / np.sqrt(v)
        w -= size * u / max(1, np.sqrt((u**2).mean()) / threshold)

    return step


def adamw(lr=0.001, b1=0.9, b2=0.999, eps=1e-7, decay=0.004):
    m = v = 0.0

    def step(w, g, t):
        nonlocal m, v
        w -= lr * decay * w
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g**2
        w -= lr * np.sqrt(1 - b2**t) / (1 - b1**t) * m / (np.sqrt(v) + eps)

    return step


def muon(lr=0.001, momentum=0.95, nesterov=True, rate=0.2, steps=5, decay=0.004):
    m = 0.0

    def step(w, g, t):
        nonlocal m
        w -= lr * decay * w
        m = momentum * m + g
        x = g + momentum * m if nesterov else m
        x = x / (np.sqrt((x**2).sum()) + 1e-7)
        for _ in range(steps):  # as for the matrix lying down: x xᵀ x = x (xᵀ x)
            x = 3.4445 * x - 4.7750 * x @ x.T @ x + 2.0315 * x @ x.T @ x @ x.T @ x
        w -= lr * np.sqrt(max(w.shape)) * rate * x

    return step


def muon_or_adam(shape, **options):
    return muon(**options) if len(shape) == 2 and shape != SHAPES["embeddings"] else adamw()


STRICT = {"l1_regularization_strength": 0.05, "l2_regularization_strength": 0.02, "beta": 0.3}
CASES = [
    ("Lamb", {}, lambda shape: lamb()),
    ("Lamb", {"weight_decay": 0.1}, lambda shape: lamb(decay=0.1)),
    ("Ftrl", {}, lambda shape: ftrl()),
    (
        "Ftrl",
        {"learning_rate": 0.1, "learning_rate_power": -0.4, "l2_shrinkage_regularization_strength": 0.01, **STRICT},
        lambda shape: ftrl(0.1, -0.4, l1=0.05, l2=0.02, shrinkage=0.01, beta=0.3),
    ),
    ("Adafactor", {}, lambda shape: adafactor()),
    ("Adafactor", {"learning_rate": 0.5, "clip_threshold": 0.5}, lambda shape: adafactor(0.5, threshold=0.5)),
    ("Muon", {}, muon_or_adam),
    ("Muon", {"nesterov": False, "ns_steps": 3}, lambda shape: muon_or_adam(shape, nesterov=False, steps=3)),
]


@pytest.mark.parametrize(("name", "options", "make"), CASES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_hundred_steps_beside_the_paper(name, options, make, dtype):
    parameters, value, grad = arena(dtype, shapes=SHAPES, pad=3)
    optimizer = getattr(optimizers, name)(**options)
    optimizer.build(parameters, value, grad)
    exact = [p.value.astype(np.float64) for p in parameters]
    twins = [make(p.value.shape) for p in parameters]
    rng = np.random.default_rng(1)
    for t in range(1, 101):
        fill(parameters, rng)
        before = grad.copy()
        optimizer.step()
        np.testing.assert_array_equal(grad, before)
        for w, p, twin in zip(exact, parameters, twins, strict=True):
            twin(w, p.grad.astype(np.float64), t)
    # Roundings of 6e-8 · |w|, a hundred times; Ftrl's z is a difference of numbers that grow.
    tolerance = {"rtol": 1e-4, "atol": 1e-4} if dtype == "float32" else {"rtol": 1e-9, "atol": 1e-11}
    for w, p in zip(exact, parameters, strict=True):
        np.testing.assert_allclose(p.value, w, **tolerance)


def test_ftrl_leaves_weak_weights_at_zero():
    parameters, value, grad = arena(shapes={"w": (4,)})
    optimizer = optimizers.Ftrl(0.1, l1_regularization_strength=1.0)
    optimizer.build(parameters, value, grad)
    value[:] = 0
    grad[:] = [0.1, -0.1, 5.0, -5.0]
    optimizer.step()
    np.testing.assert_array_equal(value == 0, [True, True, False, False])


def test_muon_steps_are_orthogonal_and_patterns_name_layers():
    from fastnn import Input, Sequential
    from fastnn.layers import Dense

    model = Sequential([Input((4,)), Dense(4, name="hidden"), Dense(3, name="head")])
    optimizer = optimizers.Muon(0.1, exclude_layers=["head"], weight_decay=None, ns_steps=20, muon_a=1.5, muon_b=-0.5,
                                muon_c=0.0, rms_rate=None)  # fmt: skip
    model.compile(optimizer, "mse")
    before = model.get_layer("hidden").get_weights()[0]
    rng = np.random.default_rng(0)
    model.train_on_batch(rng.normal(size=(64, 4)), rng.normal(size=(64, 3)))
    moved = (model.get_layer("hidden").get_weights()[0] - before) / 0.1
    # Newton and Schulz with (1.5, −0.5) go to singular values of 1; rank 3, since three outputs pull.
    np.testing.assert_allclose(np.linalg.svd(moved)[1][:3], 1, atol=1e-2)
    paths = {p.path: optimizer.by_adam(p) for p in optimizer.parameters}
    assert paths == {"hidden/kernel": False, "hidden/bias": True, "head/kernel": True, "head/bias": True}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: optimizers.Ftrl(learning_rate_power=0.5), "learning_rate_power is a number, 0 or less"),
        (lambda: optimizers.Ftrl(l1_regularization_strength=-1), "l1_regularization_strength must be"),
        (lambda: optimizers.Adafactor(clip_threshold=0), "clip_threshold is a number above 0"),
        (lambda: optimizers.Muon(momentum=1), "momentum must be in"),
        (lambda: optimizers.Lamb(beta_1=1), "beta_1 must be in"),
        (lambda: optimizers.Muon(exclude_layers="head"), r"Use exclude_layers=\['head'\]"),
    ],
)
def test_numbers_out_of_range(make, message):
    with pytest.raises((ValueError, TypeError), match=message):
        make()


@pytest.fixture
def float64_keras():
    keras = pytest.importorskip("keras", reason="Keras is an extra of the benchmarks")
    before = keras.backend.floatx()
    keras.backend.set_floatx("float64")
    yield keras
    keras.backend.set_floatx(before)


@pytest.mark.parametrize("extra", [{}, {"gradient_accumulation_steps": 2, "use_ema": True}, {"clipnorm": 0.5}])
@pytest.mark.parametrize(("name", "options", "make"), CASES)
def test_beside_keras(name, options, make, extra, float64_keras):
    keras = float64_keras
    parameters, value, grad = arena(shapes=SHAPES)
    ours = getattr(optimizers, name)(**options, **extra)
    ours.build(parameters, value, grad)
    theirs = getattr(keras.optimizers, name)(**options, **extra)
    variables = [keras.Variable(p.value.copy(), name=p.name, dtype="float64") for p in parameters]
    theirs.build(variables)
    rng = np.random.default_rng(1)
    for _ in range(7):
        fill(parameters, rng)
        theirs.apply([p.grad.copy() for p in parameters], variables)
        ours.step()
    for p, variable in zip(parameters, variables, strict=True):
        np.testing.assert_allclose(p.value, variable.numpy(), rtol=1e-6, atol=1e-6)
    kept = [(array.shape, array) for array in ours.variables[2:]]
    others = [(tuple(v.shape), v.numpy()) for v in theirs.variables[2:]]
    assert [shape for shape, _ in kept] == [shape for shape, _ in others]
    for (_, mine), (_, other) in zip(kept, others, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-4, atol=1e-4)
    rate = ours.get_config()["learning_rate"]
    assert theirs.get_config()["learning_rate"] == pytest.approx(rate)
    same = {"name": None, "learning_rate": rate}
    assert ours.get_config() | same == theirs.get_config() | same

"""Around the step: learning rates, state, names and errors."""

import numpy as np
import pytest

from fastnn import layers, optimizers, utils
from fastnn.optimizers import schedules
from tests.backends import each_backend  # noqa: F401
from tests.optimizers.arena import arena, fill
from tests.optimizers.twins import TWINS


def run(optimizer, parts, steps, seed):
    rng = np.random.default_rng(seed)
    for _ in range(steps):
        fill(parts[0], rng)
        optimizer.step()


@pytest.mark.usefixtures("each_backend")
@pytest.mark.parametrize("case", TWINS)
def test_state_goes_on_bit_for_bit(case):
    name, options, _ = TWINS[case]
    options = options | {"use_ema": True, "gradient_accumulation_steps": 2}
    make = getattr(optimizers, name)
    unbroken, parts = make(**options), arena("float32")
    unbroken.build(*parts)
    run(unbroken, parts, 5, seed=1)
    state, weights = unbroken.get_state(), parts[1].copy()
    run(unbroken, parts, 6, seed=2)

    resumed, again = make(**options), arena("float32", seed=9)
    resumed.build(*again)
    again[1][:] = weights
    resumed.set_state(state)
    run(resumed, again, 6, seed=2)
    np.testing.assert_array_equal(again[1], parts[1])
    for mine, other in zip(resumed.variables, unbroken.variables, strict=True):
        np.testing.assert_array_equal(mine, other)


def test_a_state_that_does_not_fit_changes_nothing():
    optimizer, parts = optimizers.Adam(), arena()
    with pytest.raises(ValueError, match="once it is built"):
        optimizer.set_state({})
    optimizer.build(*parts)
    run(optimizer, parts, 2, seed=1)
    state = optimizer.get_state()
    with pytest.raises(ValueError, match="Received"):
        optimizer.set_state({k: v for k, v in state.items() if k != "momentum"})
    with pytest.raises(ValueError, match="velocity must have shape"):
        optimizer.set_state(state | {"velocity": np.zeros(3), "momentum": np.full_like(state["momentum"], 7.0)})
    np.testing.assert_array_equal(optimizer.state["momentum"], state["momentum"])


def test_variables_are_keras_list():
    shapes = [(3, 4), (4,), (5,)]
    parts = arena()
    for optimizer, expected in (
        (optimizers.SGD(), [(), ()]),
        (optimizers.SGD(momentum=0.9), [(), (), *shapes]),
        (optimizers.Adam(), [(), (), *(shape for shape in shapes for _ in "mv")]),
        (optimizers.Adam(amsgrad=True), [(), (), *(shape for shape in shapes for _ in "mv"), *shapes]),
        (optimizers.RMSprop(momentum=0.9, centered=True), [(), (), *shapes * 3]),
        (optimizers.Nadam(), [(), (), *(shape for shape in shapes for _ in "mv"), ()]),
        (optimizers.SGD(schedules.CosineDecay(0.1, 10)), [()]),
    ):
        optimizer.build(*parts)
        assert [v.shape for v in optimizer.variables] == expected


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize(
    "make",
    [
        lambda: optimizers.Adam(0.1, amsgrad=True),
        lambda: optimizers.Nadam(0.1),
        lambda: optimizers.SGD(schedules.CosineDecay(0.1, 10), momentum=0.9, use_ema=True),
    ],
)
def test_variables_go_back_in_the_order_in_which_they_were_listed(make, backwards):
    one, two = arena(), arena()
    first, second = make(), make()
    first.build(*one)
    second.build(*two)
    run(first, one, 3, 1)
    orders = [parts[0][::-1] if backwards else parts[0] for parts in (one, two)]
    second.set_variables(first.variables_of(orders[0]), orders[1])
    for name, value in first.get_state().items():
        np.testing.assert_allclose(second.get_state()[name], value, rtol=1e-6)
    before = second.get_state()
    with pytest.raises(ValueError, match=r"variables of this .* have the shapes"):
        second.set_variables(first.variables[:-1])
    for name, value in before.items():
        np.testing.assert_array_equal(second.get_state()[name], value)


def test_learning_rate_is_a_number_a_schedule_or_a_function():
    optimizer = optimizers.SGD(0.5)
    assert optimizer.learning_rate == 0.5
    optimizer.learning_rate = np.float32(0.25)
    assert optimizer.learning_rate == 0.25
    assert optimizers.SGD(lambda: 0.125).learning_rate == 0.125
    optimizer = optimizers.SGD(schedules.ExponentialDecay(1.0, 1, 0.5))
    parts = arena(shapes={"w": (1,)})
    optimizer.build(*parts)
    parts[1][:] = 0
    for _ in range(3):
        parts[2][:] = -1
        optimizer.step()
    assert parts[1][0] == 1 + 0.5 + 0.25
    assert optimizer.learning_rate == 0.125
    with pytest.raises(TypeError, match="follows a ExponentialDecay"):
        optimizer.learning_rate = 0.1
    optimizer.learning_rate = schedules.PiecewiseConstantDecay([1], [1.0, 2.0])
    assert optimizer.learning_rate == 2.0


@pytest.mark.parametrize("rate", [layers.Dense(1), lambda step: 0.1])
def test_a_learning_rate_that_needs_arguments_is_refused(rate):
    optimizer = optimizers.SGD(0.5)
    with pytest.raises(TypeError, match=r"a function without arguments; this one cannot.*use a LearningRateSchedule"):
        optimizer.learning_rate = rate
    assert optimizer.learning_rate == 0.5


@pytest.mark.parametrize("value", [None, "0.1", float("nan"), 10**400])
def test_the_function_of_a_learning_rate_returns_a_finite_number(value):
    with pytest.raises(TypeError, match=r"must return a finite number. Received: "):
        optimizers.SGD(lambda: value).learning_rate  # noqa: B018


def test_built_again_for_the_same_model_keeps_its_state():
    optimizer, parts = optimizers.Adam(), arena()
    optimizer.build(*parts)
    run(optimizer, parts, 2, seed=1)
    momentum = optimizer.state["momentum"].copy()
    optimizer.build(*parts)
    np.testing.assert_array_equal(optimizer.state["momentum"], momentum)
    with pytest.raises(ValueError, match=r"21 trainable weights. Received: 3"):
        optimizer.build(*arena(shapes={"w": (3,)}))
    with pytest.raises(ValueError, match="kernel is not part of"):
        optimizers.Adam().build(parts[0], np.zeros(21), parts[2])


NAMES = (
    "sgd", "adam", "adamw", "adamax", "nadam", "rmsprop", "adagrad", "adadelta", "lion", "lamb", "ftrl", "adafactor",
    "muon",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_names_and_config(name):
    utils.clear_session()
    optimizer = optimizers.get(name)
    assert optimizer.name == {"adamw": "adam_w", "rmsprop": "rm_sprop"}.get(name, name)  # as Keras 3 writes them
    assert type(optimizer)().name == f"{optimizer.name}_1"
    assert type(optimizers.get(type(optimizer).__name__)) is type(optimizer)
    assert type(optimizers.get(name.upper())) is type(optimizer)
    assert type(optimizers.get(type(optimizer))) is type(optimizer)
    assert optimizers.get(optimizer) is optimizer
    options = {"learning_rate": schedules.CosineDecay(0.1, 20, alpha=0.5), "clipnorm": 2.0, "weight_decay": 0.25}
    changed = type(optimizer)(**options)
    again = optimizers.get(optimizers.serialize(changed))
    assert again.get_config() == changed.get_config()
    assert again.learning_rate == changed.learning_rate == 0.1


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: optimizers.Adam(lr=0.1), TypeError, "Use learning_rate="),
        (lambda: optimizers.Adam(learning_rate=-1), ValueError, "learning_rate=-1"),
        (lambda: optimizers.Adam(learning_rate=float("nan")), ValueError, "learning_rate=nan"),
        (lambda: optimizers.Adam(learning_rate=None), ValueError, "learning_rate=None"),
        (lambda: optimizers.Adam(beta_1=1.0), ValueError, "beta_1=1.0"),
        (lambda: optimizers.Adam(epsilon=-1), ValueError, "epsilon=-1"),
        (lambda: optimizers.SGD(momentum=2), ValueError, "momentum=2"),
        (lambda: optimizers.RMSprop(rho=2), ValueError, "rho=2"),
        (lambda: optimizers.SGD(clipnorm=1.0, clipvalue=1.0), ValueError, "Only one of"),
        (lambda: optimizers.SGD(clipnorm=-1.0), ValueError, "clipnorm=-1.0"),
        (lambda: optimizers.SGD(ema_momentum=2), ValueError, "ema_momentum=2"),
        (lambda: optimizers.SGD(gradient_accumulation_steps=1), ValueError, "integer of at least 2"),
        (lambda: optimizers.SGD(loss_scale_factor=2.0), ValueError, "no loss scale"),
        (lambda: optimizers.AdamW(weight_decay=None), ValueError, "weight_decay=None"),
        (lambda: optimizers.get("adamm"), ValueError, "Did you mean 'adam'"),
        (lambda: optimizers.get(lambda: 1), ValueError, "optimizer must be a name"),
    ],
)
def test_errors_teach(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_step_makes_one_kernel_call(monkeypatch):
    from fastnn import backend

    optimizer, parts = optimizers.Adam(weight_decay=0.1), arena()
    optimizer.build(*parts)
    calls, kernels = [], backend.active()
    step = kernels.adam_step
    monkeypatch.setattr(kernels, "adam_step", lambda *a, **k: (calls.append(a[0].size), step(*a, **k)))
    optimizer.step()
    assert calls == [21]

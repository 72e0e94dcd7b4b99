"""Steps of the optimizers: Keras' numbers, and a thousand steps beside a twin written from the papers."""

import numpy as np
import pytest

from fastnn import optimizers
from tests.backends import each_backend  # noqa: F401
from tests.optimizers.arena import arena, fill
from tests.optimizers.twins import TWINS

pytestmark = pytest.mark.usefixtures("each_backend")

START = [1.0, -2.0, 0.5]
GRADIENTS = [[0.5, -1.0, 2.0], [1.0, 0.25, -3.0], [-0.5, 4.0, 0.125]]
# What three steps with these gradients make of START in Keras 3 (float64, but its learning rate is a float32).
GOLDEN = [
    ("SGD", {}, [0.99, -2.0325, 0.50875]),
    ("SGD", {"momentum": 0.9}, [0.9724500005722045, -2.0176500006079676, 0.5015500006198883]),
    ("SGD", {"momentum": 0.9, "nesterov": True}, [0.9652050011718273, -2.0483850001263617, 0.5101450005209446]),
    ("Adam", {}, [0.9976147547056505, -1.9990587075004291, 0.49941691799494853]),
    ("AdamW", {}, [0.9976027666136525, -1.9990347174730494, 0.499410925027782]),
    ("RMSprop", {}, [0.9953401558274229, -2.000723546432829, 0.4993930333031965]),
    ("RMSprop", {"momentum": 0.5, "centered": True}, [0.990851224478649, -1.998595184317203, 0.49808091663932735]),
    ("Adagrad", {}, [0.9986894676293188, -2.0002439456578402, 0.4998066232513198]),
    ("Adadelta", {"learning_rate": 1.0}, [0.9979062906266861, -2.0010605044010217, 0.5001700249430242]),
    ("Adamax", {}, [0.9979394975699086, -1.9989725895643204, 0.499328110278998]),
    ("Nadam", {}, [0.9983259717525829, -2.0001364837010196, 0.4997389270509416]),
    ("Adam", {"weight_decay": 0.1}, [0.9973150812048723, -1.9984590144238867, 0.4992671082105702]),
    ("SGD", {"clipnorm": 1.0}, [0.9959051309274312, -2.006341764239499, 0.5004186714017427]),
    ("SGD", {"clipvalue": 0.5}, [0.995, -2.0025, 0.49875]),
    ("SGD", {"global_clipnorm": 1.0}, [0.9959051309274312, -2.006341764239499, 0.5004186714017427]),
    ("Adam", {"gradient_accumulation_steps": 3}, [0.999000016162419, -2.0009999904052633, 0.5009999824823558]),
    ("SGD", {"use_ema": True, "ema_momentum": 0.5, "ema_overwrite_frequency": 2}, [0.995, -2.03125, 0.49375]),
]


@pytest.mark.parametrize(("name", "options", "expected"), GOLDEN)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_keras_numbers(name, options, expected, dtype):
    parameters, value, grad = arena(dtype, shapes={"w": (3,)})
    value[:] = START
    optimizer = getattr(optimizers, name)(**options)
    optimizer.build(parameters, value, grad)
    for g in GRADIENTS:
        grad[:] = g
        optimizer.step()
    np.testing.assert_allclose(value, expected, rtol=2e-7, atol=1e-7)


@pytest.mark.parametrize("case", TWINS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_thousand_steps_beside_the_twin(case, dtype):
    name, options, make = TWINS[case]
    optimizer, twin = getattr(optimizers, name)(**options), make()
    parameters, value, grad = arena(dtype, pad=3)
    optimizer.build(parameters, value, grad)
    exact, rng = value.astype(np.float64), np.random.default_rng(1)
    for t in range(1, 1001):
        fill(parameters, rng)
        before = grad.copy()
        optimizer.step()
        np.testing.assert_array_equal(grad, before)
        twin(exact, grad.astype(np.float64), t)
    assert optimizer.iterations == 1000
    # A float32 weight of size 1 is rounded to 6e-8 a thousand times: √1000 · 6e-8 = 2e-6 for independent roundings.
    tolerance = {"rtol": 1e-5, "atol": 1e-5} if dtype == "float32" else {"rtol": 1e-10, "atol": 1e-12}
    np.testing.assert_allclose(value, exact, **tolerance)
    np.testing.assert_array_equal(value[12:15], 0)  # the padding


def test_weight_decay_leaves_out_what_is_excluded():
    parameters, value, grad = arena()
    optimizer = optimizers.SGD(1.0, weight_decay=0.1)
    optimizer.exclude_from_weight_decay(var_list=[parameters[1]], var_names=["gam"])
    optimizer.build(parameters, value, grad)
    before = value.copy()
    optimizer.step()
    np.testing.assert_allclose(value[:12], 0.9 * before[:12])
    np.testing.assert_array_equal(value[12:], before[12:])
    with pytest.raises(ValueError, match="once the optimizer is built"):
        optimizer.exclude_from_weight_decay(var_names=["bias"])


def test_clipnorm_is_for_each_parameter_and_global_clipnorm_for_all():
    for word, expected in (("clipnorm", [1, 1, 1]), ("global_clipnorm", None)):
        parameters, value, grad = arena()
        optimizer = optimizers.SGD(1.0, **{word: 1.0})
        optimizer.build(parameters, value, grad)
        before = value.copy()
        fill(parameters, np.random.default_rng(2), size=10)
        optimizer.step()
        moved = before - value
        if expected is None:
            assert np.linalg.norm(moved) == pytest.approx(1)
        else:
            np.testing.assert_allclose([np.linalg.norm(m) for m in np.split(moved, [12, 16])], expected)


@pytest.mark.parametrize("word", ["clipnorm", "global_clipnorm"])
def test_short_gradients_are_left_alone(word):
    parameters, value, grad = arena()
    optimizer = optimizers.SGD(1.0, **{word: 100.0})
    optimizer.build(parameters, value, grad)
    before = value.copy()
    fill(parameters, np.random.default_rng(2))
    optimizer.step()
    np.testing.assert_array_equal(value, before - grad)


def test_accumulated_steps_equal_one_step_by_the_mean():
    few, many = optimizers.Adam(0.1), optimizers.Adam(0.1, gradient_accumulation_steps=4)
    (p, value, grad), (q, value4, grad4) = arena(), arena()
    few.build(p, value, grad)
    many.build(q, value4, grad4)
    rng = np.random.default_rng(3)
    for _ in range(3):
        batch = rng.normal(size=(4, len(value)))
        grad[:] = batch.mean(axis=0)
        few.step()
        for g in batch:
            grad4[:] = g
            many.step()
    np.testing.assert_allclose(value4, value, rtol=1e-12)
    assert many.iterations == few.iterations == 3


def test_moving_average_becomes_the_weights_at_the_end():
    parameters, value, grad = arena(shapes={"w": (1,)})
    value[:] = 0
    optimizer = optimizers.SGD(1.0, use_ema=True, ema_momentum=0.5)
    optimizer.build(parameters, value, grad)
    for _ in range(3):
        grad[:] = -1
        optimizer.step()
    assert value[0] == 3
    optimizer.finalize_variable_values()  # ((1 + 2) / 2 + 3) / 2
    assert value[0] == 2.25

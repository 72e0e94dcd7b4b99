"""``apply`` and ``apply_gradients``: the same steps as training makes, on weights wherever they are."""

import numpy as np
import pytest

import fastnn
from fastnn import layers, optimizers
from fastnn.graph import GradientTape
from fastnn.layers.variable import Variable

X = np.random.default_rng(0).normal(size=(8, 5)).astype("float32")
Y = np.random.default_rng(1).normal(size=(8, 2)).astype("float32")


def network(**settings):
    fastnn.utils.set_random_seed(3)
    dense = layers.Dense(4, activation="tanh", **settings)
    return fastnn.Sequential([layers.Input((5,)), dense, layers.BatchNormalization(), layers.Dense(2)])


def step(model, optimizer, weights=None):
    weights = model.trainable_variables if weights is None else weights
    with GradientTape() as tape:
        loss = fastnn.losses.MeanSquaredError()(Y, model(X, training=True))
    optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
    return float(loss)


@pytest.mark.parametrize(
    "make",
    [
        lambda: optimizers.SGD(0.1, momentum=0.9),
        lambda: optimizers.Adam(0.01, clipnorm=0.1),
        lambda: optimizers.AdamW(optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)),
        lambda: optimizers.RMSprop(0.01, use_ema=True, ema_overwrite_frequency=2),
        lambda: optimizers.Lamb(0.01),
        lambda: optimizers.Adam(0.01, gradient_accumulation_steps=2),
    ],
)
def test_a_loop_makes_the_steps_of_fit(make):
    model, twin, optimizer = network(kernel_constraint="max_norm"), network(kernel_constraint="max_norm"), make()
    twin.compile(make(), "mse", fuse=True)
    for _ in range(4):
        assert abs(step(model, optimizer) - twin.train_on_batch(X, Y)) < 1e-6
    for mine, other in zip(model.weights, twin.weights, strict=True):
        np.testing.assert_allclose(mine.value, other.value, rtol=2e-4, atol=1e-5)
    assert int(optimizer.iterations) == int(twin.optimizer.iterations)


def test_weights_without_a_gradient_stay_with_their_state():
    a, b, c = Variable([1.0, 2.0]), Variable([3.0]), Variable([4.0])
    optimizer = optimizers.Adam(0.1)
    optimizer.apply([np.ones(2), np.ones(1), np.ones(1)], [a, b, c])
    kept = b.numpy(), [part.copy() for part in optimizer.split(optimizer.state["momentum"])]
    with pytest.warns(UserWarning, match="no gradient and stay as they are: variable"):
        optimizer.apply([np.ones(2), None, np.ones(1)], [a, b, c])
    assert b.numpy() == kept[0]
    assert optimizer.split(optimizer.state["momentum"])[1] == kept[1][1]
    for place in (0, 2):
        assert (optimizer.split(optimizer.state["momentum"])[place] != kept[1][place]).all()
    optimizer.apply([np.ones(1)], [b])
    assert b.numpy() != kept[0]


def test_state_follows_weights_that_a_model_takes():
    model, optimizer = network(), optimizers.Adam(0.05)
    weights = model.trainable_variables
    optimizer.build(weights)
    step(model, optimizer)
    state = [part.copy() for part in optimizer.split(optimizer.state["momentum"])]
    model.layers[0].trainable = False
    model.compile("sgd", "mse")
    model.fit(X, Y, verbose=0)  # the weights live in new arrays, in another order
    model.layers[0].trainable = True
    optimizer.apply([np.zeros(w.shape) for w in weights], weights)
    for before, after in zip(state, optimizer.split(optimizer.state["momentum"]), strict=True):
        np.testing.assert_allclose(after, 0.9 * before, rtol=1e-6)


def test_the_learning_rate_is_a_number_that_can_be_assigned():
    optimizer = optimizers.SGD(0.5)
    rate = optimizer.learning_rate
    assert (rate, rate.numpy(), rate.value, float(rate)) == (0.5, np.float32(0.5), 0.5, 0.5)
    assert rate.assign(0.25) == optimizer.learning_rate == optimizer.lr == 0.25
    optimizer.lr = 0.125
    assert optimizer.learning_rate == 0.125
    assert optimizer.iterations.numpy() == optimizer.iterations.value == 0
    with pytest.raises(TypeError, match="follows a CosineDecay"):
        optimizers.SGD(optimizers.schedules.CosineDecay(0.1, 5)).learning_rate.assign(0.1)


def test_what_is_refused_changes_nothing():
    a, b = Variable([1.0, 2.0]), Variable([3.0])
    optimizer = optimizers.SGD(0.1)
    for grads, weights, words in (
        ([None], [a], "No gradient was given for any weight. Received: None for variable"),
        ([np.ones(3)], [a], r"has the shape of its weight, \(2,\)"),
        ([np.ones(2)], [a, b], "There is a gradient for each weight. Received: 1 for 2"),
        ([np.ones(1)], [Variable(1, trainable=False)], "has the shape"),
        ([np.ones(())], [Variable(1)], 'one dtype, "float32" or "float64". Received: int32'),
    ):
        with pytest.raises(ValueError, match=words):
            optimizer.apply(grads, weights)
    assert not optimizer.built
    optimizer.apply([np.ones(2)], [a])
    before = a.numpy()
    with pytest.raises(ValueError, match=r"built for 1 weights. Received: <Variable .* which is not among them"):
        optimizer.apply([np.ones(2), np.ones(1)], [a, b])
    assert a.numpy().tolist() == before.tolist()
    assert int(optimizer.iterations) == 1

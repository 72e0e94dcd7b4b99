"""The arena: all weights in one buffer, gradients in another; layers shared by models."""

import numpy as np

from fastnn import Input, Sequential, layers
from fastnn.arena import Arena

from .conftest import mlp


def test_weights_are_views_one_behind_another(digits):
    model = mlp()
    before = model.get_weights()
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(*digits, epochs=0, verbose=0)
    arena = model._arena
    assert arena.value.ctypes.data % 64 == 0
    assert arena.grad.ctypes.data % 64 == 0
    assert arena.value.size == arena.grad.size == model.count_params()
    start = 0
    for p, w in zip(model.weights, before, strict=True):
        for flat, view in ((arena.value, p.value), (arena.grad, p.grad)):
            assert view.ctypes.data == flat.ctypes.data + 4 * start
            assert view.shape == p.shape
        np.testing.assert_array_equal(p.value, w)
        start += w.size


def test_what_training_changes_comes_first():
    model = Sequential([Input(shape=(3,)), layers.Dense(4), layers.Dense(2)])
    model.layers[0].trainable = False
    model.compile("sgd", "mse")
    x, y = np.ones((4, 3)), np.zeros((4, 2))
    frozen, free = model.layers[0].get_weights(), model.layers[1].get_weights()
    model.fit(x, y, verbose=0)
    assert [p.name for p in model._arena.trainable] == ["kernel", "bias"]
    assert model._arena.trainable_value.size == 10
    assert model.layers[1].kernel.value.ctypes.data == model._arena.value.ctypes.data
    for a, b in zip(frozen, model.layers[0].get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert (free[0] != model.layers[1].get_weights()[0]).any()


def test_a_frozen_layer_in_the_middle_passes_the_gradient_on():
    model = Sequential([Input(shape=(3,)), layers.Dense(4), layers.Dense(4), layers.Dense(2)])
    model.layers[1].trainable = False
    model.compile("sgd", "mse")
    before = model.get_weights()
    model.fit(np.ones((4, 3)), np.ones((4, 2)), verbose=0)
    changed = [(a != b).any() for a, b in zip(before, model.get_weights(), strict=True)]
    assert changed == [True, True, False, False, True, True]


def test_trainable_is_settled_at_the_first_step_after_compile():
    x, y = np.random.default_rng(0).random((4, 9, 8)), np.array([0, 1, 2, 0])
    model = mlp()

    def changed():
        before = model.get_weights()
        model.train_on_batch(x, y)
        return [bool((a != b).any()) for a, b in zip(before, model.get_weights(), strict=True)]

    model.compile("sgd", "sparse_categorical_crossentropy")
    model(x)
    model.layers[1].trainable = False
    assert changed() == [False, False, True, True]
    model.layers[1].trainable = True
    assert changed() == [False, False, True, True]
    model.compile("sgd", "sparse_categorical_crossentropy")
    assert changed() == [True, True, True, True]
    model.trainable = False
    assert model.trainable_weights == []
    model.compile("sgd", "sparse_categorical_crossentropy")
    assert changed() == [False, False, False, False]


def test_two_models_share_layers():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((32, 3)), rng.standard_normal((32, 2))
    shared = layers.Dense(4, activation="tanh")
    first = Sequential([Input(shape=(3,)), shared, layers.Dense(2)])
    second = Sequential([Input(shape=(3,)), layers.Dense(3), shared, layers.Dense(2)])
    for model in (first, second):
        model.compile("adam", "mse")
    for model in (first, second, first, first, second):
        before = shared.get_weights()[0]
        loss = model.fit(x, y, epochs=2, verbose=0).history["loss"]
        assert loss[1] < loss[0]
        assert (shared.get_weights()[0] != before).any()
        assert shared.kernel.arena is model._arena
    assert first.optimizer.iterations == 6
    np.testing.assert_allclose(first(x), first.layers[1](shared(x)), rtol=1e-5, atol=1e-6)


def test_claim_brings_values_back():
    layer = layers.Dense(2)
    layer.ensure_built((None, 3))
    one = Arena(layer.weights, [], "float32")
    two = Arena(layer.weights, [], "float32")
    assert two.whole
    assert not one.whole
    layer.kernel.value[...] = 5
    one.claim()
    assert one.whole
    assert not two.whole
    np.testing.assert_array_equal(one.value[:6], 5)

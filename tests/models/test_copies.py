"""A copy of a model is a model of its own."""

import copy
import pickle

import numpy as np
import pytest

from fastnn import Sequential, layers, optimizers, utils

from .conftest import cnn, mlp


def weights(model):
    return [w.tolist() for w in model.get_weights()]


def trained(model, digits):
    model.compile(optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(*digits, verbose=0)
    return model


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_a_copy_trains_on_as_the_first_would_and_apart_from_it(copied, digits):
    model = trained(cnn(), digits)
    before = weights(model)
    twin = copied(model)
    assert weights(twin) == before
    runs = []
    for one in (twin, model):
        utils.set_random_seed(4)
        runs.append(one.fit(*digits, epochs=2, verbose=0).history)
        assert weights(one) != before
        assert weights(model) == before or one is model
    assert runs[0] == runs[1]
    assert weights(twin) == weights(model)
    np.testing.assert_array_equal(twin.predict(digits[0], verbose=0), model.predict(digits[0], verbose=0))


def test_a_copy_of_an_unbuilt_model():
    twin = copy.deepcopy(Sequential([layers.Dense(3)]))
    assert not twin.built
    assert twin.predict(np.ones((2, 4)), verbose=0).shape == (2, 3)


def test_a_copied_layer_leaves_the_first_model_alone(digits):
    model = trained(mlp(), digits)
    before = weights(model)
    other = Sequential([copy.deepcopy(layer) for layer in model.layers])
    other.build((None, 9, 8))
    assert weights(other) == before
    trained(other, digits)
    assert weights(model) == before

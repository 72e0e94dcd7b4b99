"""Arguments that no C integer holds, that are None, or that share memory: refused in words, and nothing is changed."""

import re

import numpy as np
import pytest

from fastnn import kernels, layers, reference

BOTH = pytest.mark.parametrize("K", [kernels, reference], ids=["kernels", "reference"])


@BOTH
@pytest.mark.parametrize("size", [2**63, 2**64, 2**70])
def test_sizes_beyond_a_c_integer(K, size):
    w, g, m, v = np.zeros((4, 3))
    dy = np.zeros((2, 3))
    calls = {
        "step": lambda: K.adam_step(w, g, m, v, step=size, learning_rate=0.1),
        "vocabulary": lambda: K.embedding_backward(dy, [0, 1], size),
        "n": lambda: K.random_bits(size, 0, 0),
    }
    for name, call in calls.items():
        with pytest.raises(ValueError, match=re.escape(f"{name} must be less than 2**63. Received: {name}={size}.")):
            call()
    with pytest.raises(ValueError, match=r"n must be less than 2\*\*63"):
        K.random_normal(size, 0, 0)
    with pytest.raises(ValueError, match=r"step must be at least 1\. Received: step=0"):
        K.nadam_step(w, g, m, v, step=0, momentum_product=1.0, learning_rate=0.1)
    with pytest.raises(TypeError, match=r"step must be an integer\. Received: step=1\.0"):
        K.adamax_step(w, g, m, v, step=1.0, learning_rate=0.1)


@BOTH
def test_strides_beyond_a_c_integer(K):
    x, w = np.zeros((1, 3, 3, 1)), np.zeros((1, 1, 1, 1))
    with pytest.raises(ValueError, match=r"strides must be less than 2\*\*31"):
        K.conv2d_forward(x, w, strides=2**63)
    with pytest.raises(ValueError, match=r"pool_size must be less than 2\*\*31"):
        K.max_pool2d_forward(x, 2**63)


@pytest.mark.parametrize("count", [2**63, 2**70, -(2**70), 257, 0, 1.0, True])
def test_numbers_of_threads(count):
    before = kernels.get_num_threads()
    with pytest.raises(ValueError, match="The number of threads must be an integer from 1 to 256"):
        kernels.set_num_threads(count)
    assert kernels.get_num_threads() == before


@pytest.mark.parametrize(
    "make",
    [
        lambda: layers.ZeroPadding1D(2**63),
        lambda: layers.Cropping1D((0, 2**63)),
        lambda: layers.UpSampling1D(2**63),
        lambda: layers.ZeroPadding2D(2**63),
        lambda: layers.Dense(2**63),
        lambda: layers.Embedding(2**63, 2),
        lambda: layers.Conv2D(2**63, 3),
        lambda: layers.Conv2D(1, 2**63),
        lambda: layers.LSTM(2**63),
        lambda: layers.MaxPooling2D(2**63),
        lambda: layers.RepeatVector(2**63),
    ],
)
def test_sizes_of_layers(make):
    with pytest.raises(ValueError, match=r"2\*\*31"):
        make()


@BOTH
def test_none_is_not_a_number(K):
    for x in (None, [None], [1.0, None], [[1.0], [None]]):
        with pytest.raises(TypeError, match="x must be"):
            K.sigmoid(x)
    assert K.sigmoid([]).shape == (0,)
    assert K.sigmoid([False, 0]).tolist() == [0.5, 0.5]


@BOTH
def test_words_are_not_numbers(K):
    with pytest.raises(TypeError, match="x must be"):
        K.sigmoid(["1.0", "2.0"])


@BOTH
@pytest.mark.parametrize("missing", ["dy", "x", "w", "y"])
def test_the_gradient_of_conv_pool_needs_its_arrays(K, missing):
    x, w = np.ones((1, 4, 4, 1)), np.ones((1, 1, 1, 2))
    y, argmax = kernels.conv2d_pool_forward(x, w, [0.0, 0.0])
    given = {"dy": y, "x": x, "w": w, "y": y} | {missing: None}
    with pytest.raises(TypeError, match=f"{missing} must be"):
        K.conv2d_pool_backward(*given.values(), argmax)


STEPS = {
    "sgd_step": ({}, ()),
    "adam_step": ({"step": 1}, ("m", "v")),
    "rmsprop_step": ({}, ("velocity",)),
    "adagrad_step": ({}, ("accumulator",)),
    "adadelta_step": ({}, ("accumulated_gradient", "accumulated_delta")),
    "adamax_step": ({"step": 1}, ("m", "u")),
    "lion_step": ({}, ("m",)),
    "nadam_step": ({"step": 1, "momentum_product": 1.0}, ("m", "v")),
}


@BOTH
@pytest.mark.parametrize("wrong", [None, [1.0, 2.0], "w", 1.0], ids=repr)
@pytest.mark.parametrize("step", STEPS)
def test_a_step_needs_arrays(K, step, wrong):
    numbers, state = STEPS[step]
    for position, name in enumerate(("w", "g", *state)):
        arrays = [np.ones(2) for _ in ("w", "g", *state)]
        arrays[position] = wrong
        with pytest.raises(TypeError, match=rf"^{name} must be a float32 or float64 array"):
            getattr(K, step)(*arrays, learning_rate=0.1, **numbers)
        assert all(a is wrong or (a == 1).all() for a in arrays)


@BOTH
@pytest.mark.parametrize("change", ["scale", "clip_values"])
def test_what_is_changed_in_place_is_an_array(K, change):
    for wrong in (None, [1.0], 1.0):
        with pytest.raises(TypeError, match="g must be a float32 or float64 array"):
            getattr(K, change)(wrong, 0.5)


@BOTH
def test_the_advice_for_a_table_is_a_view(K):
    table = np.ones((3, 2))
    with pytest.raises(ValueError, match=r"w must be flat.*Use w\.reshape\(-1\)\.$"):
        K.sgd_step(table, table.copy(), learning_rate=0.1)
    with pytest.raises(ValueError, match=r"w must be flat.*Use w\.T\.reshape\(-1\): w\.reshape\(-1\) copies"):
        K.sgd_step(table.T, table.T.copy(), learning_rate=0.1)
    K.sgd_step(table.T.T.reshape(-1), np.ones(6), learning_rate=0.5)
    assert (table == 0.5).all()
    with pytest.raises(ValueError, match=r"w must be flat.*np\.ascontiguousarray"):
        K.sgd_step(np.ones((3, 4))[:, ::2], table.copy(), learning_rate=0.1)


@BOTH
def test_two_results_in_one_array(K):
    x, w, u = np.ones((2, 3, 4)), np.ones((4, 20)), np.ones((5, 20))
    both = np.full((2, 5), np.nan)
    with pytest.raises(ValueError, match=r"c=? must not (share memory with h=|overlap)"):
        K.lstm_forward(x, w, u, h=both, c=both)
    assert np.isnan(both).all()
    with pytest.raises(ValueError, match=r"dw=? must not (share memory with dx=|overlap)"):
        K.dense_backward(np.ones((3, 3)), np.ones((3, 3)), np.ones((3, 3)), dx=(a := np.ones((3, 3))), dw=a)


def test_a_refusal_does_not_depend_on_what_was_called_before():
    x, w = np.ones((1, 5, 5, 1)), np.ones((2, 2, 1, 1))
    kernels.conv2d_pool_forward(x, w, [0.0], strides=(1, 1), dilation=(1, 1))
    kernels.conv2d_forward(x, w, strides=(1, 1), dilation=1, groups=1, padding=((1, 1), (1, 1)))
    kernels.conv2d_backward(np.ones((1, 4, 4, 1)), x, w)
    for wrong in (1.0, (1.0, 1), (1, 1.0), np.float64(1)):
        for name in ("strides", "dilation"):
            with pytest.raises(TypeError, match=f"{name} must"):
                kernels.conv2d_forward(x, w, **{name: wrong})
            with pytest.raises(TypeError, match=f"{name} must"):
                kernels.conv2d_pool_forward(x, w, [0.0], **{name: wrong})
    with pytest.raises(TypeError):
        kernels.conv2d_forward(x, w, groups=1.0)
    with pytest.raises(TypeError):
        kernels.conv2d_forward(x, w, padding=((1.0, 1), (1, 1)))
    for right in (np.int64(1), [1, 1], (np.int32(1), 1)):
        assert (kernels.conv2d_forward(x, w, strides=right) == kernels.conv2d_forward(x, w)).all()


@pytest.mark.parametrize("layer", [layers.LayerNormalization, layers.RMSNormalization, layers.BatchNormalization])
def test_an_axis_is_an_integer_whatever_was_used_before(layer):
    x = np.ones((2, 3, 4), np.float32)
    layer(axis=1)(x), layer(axis=2)(x)
    with pytest.raises((TypeError, ValueError), match="axis"):
        layer(axis=1.0)(x)

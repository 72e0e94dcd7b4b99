"""Masks as they are handed to layers: what is taken for one, where it stands among the arguments, and Softmax's own."""

import numpy as np
import pytest

import fastnn
from fastnn import layers
from fastnn.inspect import kernel_check
from tests.backends import each_backend  # noqa: F401


def some(shape, seed=0, dtype="float32"):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


# What is taken for a mask.

MASK = np.array([[1, 1, 0], [0, 1, 1]])


@pytest.mark.parametrize("dtype", ["bool", "int8", "int64", "uint8", "uint64", "float32", "float64", "float16"])
@pytest.mark.parametrize("layer", [layers.GlobalAveragePooling1D(), layers.LSTM(2, return_sequences=True)])
def test_numbers_are_masks(layer, dtype):
    x = some((2, 3, 5))
    np.testing.assert_array_equal(layer(x, mask=MASK.astype(dtype)), layer(x, mask=MASK.astype(bool)))
    assert (layer(x, mask=MASK.astype(dtype)) != layer(x)).any()


@pytest.mark.parametrize("value", [2, -1, 0.25, 1e-30])
def test_all_but_zero_counts(value):
    x = some((2, 3, 5))
    layer = layers.GlobalAveragePooling1D()
    np.testing.assert_array_equal(layer(x, mask=MASK * np.array(value)), layer(x, mask=MASK.astype(bool)))


def test_a_list_is_a_mask():
    x = some((2, 3, 5))
    layer = layers.GlobalAveragePooling1D()
    np.testing.assert_array_equal(layer(x, MASK.tolist()), layer(x, mask=MASK.astype(bool)))


# Where it stands among the arguments.


def test_the_second_argument_of_a_masked_mean_is_its_mask():
    x = np.array([[[1.0], [3.0], [8.0]]])
    layer = layers.GlobalAveragePooling1D()
    assert layer(x, np.array([[True, True, False]])).item() == 2
    assert layer(x, np.array([[True, True, False]]), True).item() == 2
    assert layer(x, training=True).item() == 4


# Softmax.


@pytest.mark.parametrize("axis", [-1, 1, [1, 2]])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_masked_softmax_is_the_softmax_of_what_counts(each_backend, axis, dtype):  # noqa: F811
    x = 5 * some((3, 4, 7), dtype=dtype)
    mask = np.random.default_rng(1).random(x.shape) < 0.6
    mask[0, 0], mask[:, :, 0], mask[1] = False, False, False
    mask[2, 1, 3] = True
    x[~mask] = np.nan  # does not count
    y = layers.Softmax(axis, dtype=dtype)(x, mask)
    e = np.exp(np.where(mask, x, 0).astype("float64")) * mask
    total = e.sum(axis=tuple(axis) if isinstance(axis, list) else axis, keepdims=True)
    expected = np.divide(e, total, out=np.zeros_like(e), where=total > 0)
    np.testing.assert_allclose(y, expected, rtol=5e-6, atol=1e-12)
    assert not y[~mask].any()


def test_no_mask_and_a_mask_of_ones_are_the_same():
    x = some((3, 7))
    layer = layers.Softmax()
    np.testing.assert_array_equal(layer(x, np.ones(x.shape, int)), layer(x))


@pytest.mark.parametrize("shape", [(3, 4, 7), (1, 4, 7), (3, 1, 7), (1, 1, 7), (3, 4, 1)])
def test_masks_stretch_over_axes_of_length_one(shape):
    x = some((3, 4, 7))
    mask = np.random.default_rng(1).random(shape) < 0.5
    layer = layers.Softmax()
    np.testing.assert_array_equal(layer(x, mask), layer(x, np.broadcast_to(mask, x.shape)))


def test_a_mask_of_time_steps_counts_where_the_sum_runs_over_time():
    x = some((2, 3, 5))
    np.testing.assert_array_equal(layers.Softmax(1)(x, MASK), layers.Softmax(1)(x, MASK[:, :, None]))
    np.testing.assert_array_equal(layers.Softmax(-2)(x, MASK), layers.Softmax(1)(x, MASK))
    np.testing.assert_array_equal(layers.Softmax()(x, MASK), layers.Softmax()(x))
    scores = some((2, 3))
    y = layers.Softmax()(scores, MASK)
    np.testing.assert_array_equal(y == 0, MASK == 0)
    np.testing.assert_allclose(y.sum(1), 1, rtol=1e-6)


@pytest.mark.parametrize(
    ("mask", "words"),
    [
        (np.ones((2, 3, 4)), r"one value for each value of the input, shape \(2, 3, 5\).*Received: shape \(2, 3, 4\)"),
        (np.ones((2, 2, 5)), r"Received: shape \(2, 2, 5\)"),
        (np.ones((2, 5)), r"each time step, shape \(2, 3\).*Received: shape \(2, 5\)"),
        (np.ones((1, 2, 3, 5)), r"Received: shape \(1, 2, 3, 5\)"),
    ],
)
def test_masks_that_do_not_fit_are_refused(mask, words):
    with pytest.raises(ValueError, match=words):
        layers.Softmax()(some((2, 3, 5)), mask)


def test_only_masks_of_time_steps_travel_on():
    x = some((2, 3, 5))
    layer = layers.Softmax()
    assert layer.compute_mask(x, MASK.astype(bool)).tolist() == MASK.astype(bool).tolist()
    assert layer.compute_mask(x, np.ones((2, 3, 5), bool)) is None
    assert layer.compute_mask(x) is None
    assert layer.compute_mask(x[:, :, 0], MASK.astype(bool)) is None  # no step is left


# In models.


def test_a_mask_may_be_an_input_of_a_model():
    for shape in ((5,), (4, 5)):
        x, m = layers.Input(shape), layers.Input(shape)
        model = fastnn.Model([x, m], layers.Softmax()(x, m))
        scores, mask = some((3, *shape)), np.random.default_rng(1).random((3, *shape)) < 0.6
        mask[..., 0] = True
        expected = layers.Softmax()(scores, mask)
        np.testing.assert_allclose(model.predict([scores, 3 * mask], verbose=0), expected, rtol=1e-6)
        model.compile("sgd", "categorical_crossentropy")
        target = np.zeros_like(scores)
        target[..., 0] = 1
        loss = model.evaluate([scores, mask], target, verbose=0)
        assert loss == pytest.approx(-np.log(expected[..., 0]).mean(), rel=1e-5)


def test_a_softmax_over_time_at_the_end_of_a_model_leaves_padding_out():
    """The loss starts from the logits elsewhere; here it must see what the mask leaves."""
    ids = layers.Input((5,), dtype="int64")
    scores = layers.Embedding(9, 1, mask_zero=True)(ids)
    flat = layers.Lambda(lambda x: x[:, :, 0], mask=lambda x, mask: mask)(scores)
    model = fastnn.Model(ids, layers.Softmax()(flat))
    data = np.array([[3, 4, 0, 0, 0], [5, 6, 7, 0, 0]])
    p = model.predict(data, verbose=0)
    np.testing.assert_array_equal(p == 0, data == 0)
    np.testing.assert_allclose(p.sum(1), 1, rtol=1e-6)
    model.compile("sgd", "categorical_crossentropy")
    target = np.eye(5)[[0, 2]]
    assert model.evaluate(data, target, verbose=0) == pytest.approx(-np.log(p[[0, 1], [0, 2]]).mean(), rel=1e-5)
    model.fit(data, target, verbose=0)


@pytest.mark.parametrize("axis", [-1, 1])
def test_gradient_of_masked_softmax(axis):
    mask = np.random.default_rng(2).random((2, 3, 5)) < 0.6
    mask[0, 0], mask[:, :, 1] = False, False
    layer = layers.Softmax(axis, dtype="float64", input_shape=(3, 5))
    layer.ensure_built((None, 3, 5))
    result = kernel_check(
        lambda x: layer.forward(x, False, mask),
        lambda dy, results, arrays: {"x": layer.backward(dy, results[1])},
        {"x": some((2, 3, 5), dtype="float64")},
    )
    assert result, f"\n{result}"
    dy = some((2, 3, 5), dtype="float64")
    dy[~mask] = np.nan  # nobody looks at what the mask leaves out
    dx = layer.backward(dy, layer.forward(some((2, 3, 5), dtype="float64"), False, mask)[1])
    assert np.isfinite(dx).all()
    assert not dx[~mask].any()


def test_bad_axes_are_refused():
    for axis in (0, 3, [1, 0], -3):
        with pytest.raises(ValueError, match="Received: input shape"):
            layers.Softmax(axis)(some((2, 3, 5)))
    layer = layers.Softmax([1, 2])
    assert layer.get_config()["axis"] == [1, 2]
    assert layers.Softmax.from_config(layer.get_config()).get_config() == layer.get_config()


def test_statistics_of_each_time_step_cannot_leave_steps_out():
    layer, x = layers.BatchNormalization(axis=1, name="norm"), np.ones((2, 9, 4), "float32")
    mask = np.ones((2, 9), bool)
    with pytest.raises(ValueError, match=r'"norm".*axis of the mask.*Received: a mask of shape \(2, 9\).*Use axis=-1'):
        layer(x, training=True, mask=mask)
    assert (layer(x, mask=mask) == layer(x)).all()  # out of training the mask has no part

"""Normalization of rows and of groups: values worked out by hand, any axes, masks, what is refused."""

import numpy as np
import pytest

from fastnn import layers
from fastnn.inspect import gradient_check
from tests.backends import each_backend  # noqa: F401

ROW_NORMS = [layers.LayerNormalization, layers.RMSNormalization]


def some(shape, seed=0, dtype="float64"):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def test_layer_normalization_by_hand(each_backend):  # noqa: F811
    layer = layers.LayerNormalization(epsilon=0.0, dtype="float64")
    x = np.array([[1.0, 3.0], [10.0, 2.0]])
    np.testing.assert_array_equal(layer(x), [[-1, 1], [1, -1]])
    layer.set_weights([[2.0, 3.0], [10.0, 20.0]])
    y, ctx = layer.forward(x)
    np.testing.assert_array_equal(y, [[8, 23], [12, 17]])
    # With two numbers a row y does not depend on x: the gradient of x is 0.
    np.testing.assert_allclose(layer.backward(np.array([[1.0, 0.0], [0.0, 4.0]]), ctx), 0, atol=1e-15)
    np.testing.assert_array_equal(layer.gamma.grad, [-1, -4])
    np.testing.assert_array_equal(layer.beta.grad, [1, 4])


def test_rms_normalization_by_hand(each_backend):  # noqa: F811
    layer = layers.RMSNormalization(epsilon=0.0, dtype="float64")
    x = np.array([[2.0, -2.0], [3.0, 3.0]])
    layer(x)
    layer.set_weights([[2.0, 5.0]])
    y, ctx = layer.forward(x)
    np.testing.assert_array_equal(y, [[2, -5], [2, 5]])
    # dx = r·(t − x̂·mean (t·x̂)) with r = ½, ⅓, t = (2, 0), (0, 10).
    dx = layer.backward(np.array([[1.0, 0.0], [0.0, 2.0]]), ctx)
    np.testing.assert_allclose(dx, [[0.5, 0.5], [-5 / 3, 5 / 3]], rtol=1e-15)
    np.testing.assert_array_equal(layer.scale.grad, [1, 2])


@pytest.mark.parametrize("make", ROW_NORMS)
@pytest.mark.parametrize("axis", [-1, 1, 2, 3, [3], [2, 3], [3, 2], [1, 3], (1, -1), [-2, 1], [1, 2, 3]])
def test_statistics_over_any_axes(make, axis):
    """Against NumPy's mean over these axes; weights have their sizes, in ascending order."""
    x = some((7, 3, 4, 5))
    layer = make(axis=axis, dtype="float64")
    layer.build(x.shape)
    axes = tuple(sorted(a % 4 for a in (axis if isinstance(axis, (list, tuple)) else [axis])))
    weights = [some(tuple(x.shape[a] for a in axes), seed) for seed, _ in enumerate(layer.weights)]
    layer.set_weights(weights)
    spread = [np.expand_dims(w, tuple(a for a in range(4) if a not in axes)) for w in weights]
    u = x - x.mean(axes, keepdims=True) if make is layers.LayerNormalization else x
    expected = u / np.sqrt((u * u).mean(axes, keepdims=True) + layer.epsilon) * spread[0] + sum(spread[1:])
    # The same numbers in another order of addition: at most 60 terms, 60·2⁻⁵³ of values around 3.
    np.testing.assert_allclose(layer(x), expected, rtol=1e-12, atol=1e-12)
    result = gradient_check(layer, x, samples=20)
    assert result, f"\n{result}"


@pytest.mark.parametrize("make", ROW_NORMS)
@pytest.mark.parametrize("axis", [-1, 1, [1, 3]])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_residual_in_the_same_pass(make, axis, dtype, each_backend):  # noqa: F811
    """The fused form gives what the sum and the norm give one after the other, and adds the gradient of the sum."""
    x, residual, dy, dtotal = (some((2, 3, 4, 9), seed, dtype) for seed in range(4))
    layer = make(axis=axis, dtype=dtype)
    layer.build(x.shape)
    wanted, ctx = layer.forward(x + residual)
    dx, weights = layer.backward(dy, ctx) + dtotal, [p.grad.copy() for p in layer.weights]
    y, total, ctx = layer.forward_as(x, residual)
    eps = np.finfo(dtype).eps
    np.testing.assert_array_equal(total, x + residual)
    np.testing.assert_array_equal(y, wanted)
    # dx + dtotal is rounded once or fused into the last product: a rounding of either term.
    np.testing.assert_allclose(layer.backward_as(dy, ctx, True, dtotal), dx, rtol=8 * eps, atol=8 * eps)
    for p, old in zip(layer.weights, weights, strict=True):
        np.testing.assert_array_equal(p.grad, old)


def test_center_and_scale_leave_their_weights_out():
    for center in (False, True):
        for scale in (False, True):
            layer = layers.LayerNormalization(center=center, scale=scale)
            layer.build((None, 3))
            assert [w.name for w in layer.weights] == ["gamma"] * scale + ["beta"] * center


def test_the_scaling_that_keras_has_left_behind():
    """rms_scaling: over the standard deviation, the mean left in."""
    with pytest.warns(UserWarning, match=r"not by the root mean square. Use RMSNormalization"):
        layer = layers.LayerNormalization([1, 2], 0.5, rms_scaling=True, dtype="float64")
    x = some((4, 3, 2))
    layer(x)
    assert [w.name for w in layer.weights] == ["gamma"]
    gamma = some((3, 2), 1)
    layer.set_weights([gamma])
    np.testing.assert_allclose(layer(x), x / np.sqrt(x.var((1, 2), keepdims=True) + 0.5) * gamma, rtol=1e-13)
    result = gradient_check(layer, x, samples=20)
    assert result, f"\n{result}"
    with pytest.warns(UserWarning, match="root mean square"):
        assert layers.LayerNormalization.from_config(layer.get_config()).rms_scaling


@pytest.mark.parametrize("make", ROW_NORMS)
def test_the_mask_goes_on(make):
    layer, mask = make(), np.array([[True, False, True]])
    assert layer.compute_mask(some((1, 3, 2)), mask) is mask


@pytest.mark.parametrize("make", ROW_NORMS)
def test_nan_stays_in_its_row(make, each_backend):  # noqa: F811
    x = some((3, 9), dtype="float32")
    x[1, 8] = np.nan
    y = make()(x)
    assert np.isnan(y[1]).all()
    assert np.isfinite(y[[0, 2]]).all()


@pytest.mark.parametrize("make", ROW_NORMS)
def test_arguments_that_are_refused(make):
    name = make.__name__
    for axis in (1.0, True, "1", None, [1, 0.5], {1: 2}):
        with pytest.raises(TypeError, match=f"axis of {name} must be an integer or a list of integers. .*axis="):
            make(axis=axis)
    for axis in ([], [1, 1], (2, 3, 2)):
        with pytest.raises(
            ValueError, match=f"axis of {name} must name at least one axis, and each only once. Received: axis="
        ):
            make(axis=axis)
    for epsilon in (-1e-3, np.nan, np.inf, "small", None, True):
        with pytest.raises(ValueError, match=f"epsilon of {name} must be a number ≥ 0. Received: epsilon="):
            make(epsilon=epsilon)
    with pytest.raises(TypeError, match=rf"{name} has no argument 'epsilom'. Did you mean epsilon="):
        make(epsilom=1)


@pytest.mark.parametrize("make", ROW_NORMS)
def test_shapes_that_are_refused(make):
    with pytest.raises(ValueError, match=r"an input that has axis 3. Received: input shape \(None, 4\)"):
        make(axis=3).build((None, 4))
    with pytest.raises(ValueError, match=r"an input that has axis \[1, -3\]"):
        make(axis=[1, -3]).build((None, 4))
    with pytest.raises(ValueError, match=r"axis=\[1, -1\] names different axes. Received: input shape \(None, 4\)"):
        make(axis=[1, -1]).build((None, 4))
    for axis in (0, [0, 1], -2):
        with pytest.raises(ValueError, match=r"to leave out the batch, axis 0. Received: input shape \(None, 4\)"):
            make(axis=axis).build((None, 4))
    for shape in ((None, None), (None, 0)):
        with pytest.raises(ValueError, match=r"an input whose axis 1 has a known size, at least 1. Received: "):
            make().build(shape)
    layer = make(axis=[1, 2])
    layer.build((None, 3, 4))
    for x in (some((2, 4, 3)), some((2, 3))):
        with pytest.raises(ValueError, match="Received: input shape"):
            layer(x)
    assert layer(some((2, 3, 4, 5), dtype="float32")).shape == (2, 3, 4, 5)


def test_other_arguments_of_layer_normalization_that_are_refused():
    for word in ("center", "scale", "rms_scaling"):
        with pytest.raises(ValueError, match=f"{word} of LayerNormalization must be True or False. .*{word}='yes'"):
            layers.LayerNormalization(**{word: "yes"})
    for word in ("gamma_initializer", "beta_regularizer", "gamma_constraint"):
        with pytest.raises(ValueError, match=f"{word} of LayerNormalization: "):
            layers.LayerNormalization(**{word: "nonsense"})


# GroupNormalization.


def test_group_normalization_by_hand(each_backend):  # noqa: F811
    """Two positions, four channels in two groups: means 2 and 4, variances 1 and 4."""
    layer = layers.GroupNormalization(2, epsilon=0.0, dtype="float64")
    x = np.array([[[1.0, 3.0, 6.0, 2.0], [3.0, 1.0, 2.0, 6.0]]])
    np.testing.assert_array_equal(layer(x), [[[-1, 1, 1, -1], [1, -1, -1, 1]]])
    layer.set_weights([[1.0, 2.0, 3.0, 4.0], [0.0, 1.0, 0.0, -1.0]])
    y, ctx = layer.forward(x)
    np.testing.assert_array_equal(y, [[[-1, 3, 3, -5], [1, -1, -3, 3]]])
    layer.backward(np.array([[[1.0, 1.0, 1.0, 1.0], [0.0, 0.0, 0.0, 2.0]]]), ctx)
    np.testing.assert_array_equal(layer.gamma.grad, [-1, 1, 1, 1])
    np.testing.assert_array_equal(layer.beta.grad, [1, 1, 1, 3])


@pytest.mark.parametrize("axis", [1, 2, 3, -1, -2, -3])
@pytest.mark.parametrize("groups", [1, 2, 6, -1])
def test_groups_on_any_axis(axis, groups):
    """The same as with the channels last, and turned back."""
    shape = [2, 3, 4, 5]
    shape[axis] = 6
    x, dy = some(shape), some(shape, 1)
    layer, last = (layers.GroupNormalization(groups, at, dtype="float64") for at in (axis, -1))
    turned, weights = np.moveaxis(x, axis, -1), [some((6,), 2), some((6,), 3)]
    for one, data in ((layer, x), (last, turned)):
        one(data)
        one.set_weights(weights)
    y, ctx = layer.checked_forward(x)
    expected, other = last.checked_forward(np.ascontiguousarray(turned))
    np.testing.assert_array_equal(np.moveaxis(y, axis, -1), expected)
    dx = layer.backward(dy, ctx)
    np.testing.assert_array_equal(
        np.moveaxis(dx, axis, -1), last.backward(np.ascontiguousarray(np.moveaxis(dy, axis, -1)), other)
    )
    for p, q in zip(layer.weights, last.weights, strict=True):
        np.testing.assert_array_equal(p.grad, q.grad)


def test_group_normalization_keeps_its_settings():
    layer = layers.GroupNormalization(-1)
    layer(some((2, 3, 6), dtype="float32"))
    assert layer.get_config()["groups"] == -1
    for center in (False, True):
        for scale in (False, True):
            layer = layers.GroupNormalization(3, center=center, scale=scale)
            layer.build((None, 6))
            assert [w.name for w in layer.weights] == ["gamma"] * scale + ["beta"] * center
    mask = np.array([[True, False, True]])
    assert layer.compute_mask(some((1, 3, 6)), mask) is mask
    assert layers.GroupNormalization(2).compute_output_shape((None, None, None, 4)) == (None, None, None, 4)


def test_group_normalization_refuses():
    for groups in (0, -2, 1.5, "2", None, True):
        with pytest.raises(ValueError, match=r"a positive integer, or -1 for a group for each channel. Received: "):
            layers.GroupNormalization(groups)
    for axis in ([1], 1.0, None, True):
        with pytest.raises(TypeError, match=r"axis of GroupNormalization must be an integer. Received: axis="):
            layers.GroupNormalization(2, axis)
    with pytest.raises(ValueError, match="epsilon of GroupNormalization must be a number ≥ 0"):
        layers.GroupNormalization(2, epsilon=-1)
    with pytest.raises(ValueError, match="beta_constraint of GroupNormalization: "):
        layers.GroupNormalization(2, beta_constraint="nonsense")
    for channels in (6, 2):
        with pytest.raises(ValueError, match=rf"groups divide evenly. .* Use a divisor of {channels} for groups"):
            layers.GroupNormalization(4).build((None, channels))
    with pytest.raises(ValueError, match=r"an input whose axis 2 has a known size"):
        layers.GroupNormalization(4).build((None, 3, None))
    with pytest.raises(ValueError, match=r"an input that has axis 2"):
        layers.GroupNormalization(4, 2).build((None, 3))
    with pytest.raises(ValueError, match=r"to leave out the batch"):
        layers.GroupNormalization(4, 0).build((None, 3))
    layer = layers.GroupNormalization(2)
    layer.build((None, 4))
    with pytest.raises(ValueError, match=r"4 channels on axis -1. Received: input shape \(None, 6\)"):
        layer(some((2, 6)))


# UnitNormalization.


@pytest.mark.parametrize("axis", [-1, 1, [1, 2], (3, 1), [1, 2, 3]])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_rows_have_length_one(axis, dtype, each_backend):  # noqa: F811
    x = some((3, 4, 5, 9), dtype=dtype)
    y = layers.UnitNormalization(axis, dtype=dtype)(x)
    axes = tuple(axis) if isinstance(axis, (list, tuple)) else axis
    # A length is a sum of at most 180 squares; three more roundings to the quotient.
    np.testing.assert_allclose(np.sqrt((y * y).sum(axes)), 1, rtol=100 * np.finfo(dtype).eps)
    lengths = np.sqrt((x * x).sum(axes, keepdims=True))
    np.testing.assert_allclose(y, x / lengths, rtol=100 * np.finfo(dtype).eps)


def test_unit_normalization_by_hand_and_of_almost_nothing(each_backend):  # noqa: F811
    layer = layers.UnitNormalization(dtype="float64")
    x = np.array([[3.0, 4.0], [0.0, 0.0], [3e-14, 4e-14], [np.nan, 1.0]])
    y, ctx = layer.forward(x)
    np.testing.assert_allclose(y, [[0.6, 0.8], [0, 0], [0.03, 0.04], [np.nan, np.nan]], rtol=1e-15)
    dx = layer.backward(np.ones((4, 2)), ctx)
    # (t − y·(t·y)) / |x| with t = (1, 1): (1 − 0.6·1.4, 1 − 0.8·1.4) / 5
    np.testing.assert_allclose(dx[:3], [[0.032, -0.024], [1e12, 1e12], [1e12, 1e12]], rtol=1e-13)
    assert np.isnan(dx[3]).all()
    assert layer.backward(np.ones((4, 2)), ctx, need_dx=False) is None
    assert layer.weights == []
    with pytest.raises(TypeError, match="axis of UnitNormalization must be an integer or a list of integers"):
        layers.UnitNormalization(0.5)

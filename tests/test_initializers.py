"""Initial values: their distributions, seeds, shapes and names."""

import math

import numpy as np
import pytest

from fastnn import initializers, utils

BIG = (300, 200)
FANS = (300, 200)
TRUNCATED = 0.87962566103423978  # the standard deviation of a standard normal cut off at 2


@pytest.mark.parametrize(
    ("name", "limit"),
    [
        ("glorot_uniform", math.sqrt(6 / (300 + 200))),
        ("he_uniform", math.sqrt(6 / 300)),
        ("lecun_uniform", math.sqrt(3 / 300)),
        ("uniform", 0.05),
        ("RandomUniform", 0.05),
    ],
)
def test_uniform(name, limit):
    w = initializers.get(name)(BIG, "float64")
    assert np.abs(w).max() < limit
    assert np.abs(w).max() > 0.999 * limit
    # The mean of n draws from U(±a) has standard deviation a/√(3n): five of them.
    assert abs(w.mean()) < 5 * limit / math.sqrt(3 * w.size)
    assert w.std() == pytest.approx(limit / math.sqrt(3), rel=0.01)


@pytest.mark.parametrize(
    ("name", "stddev", "cut"),
    [
        ("glorot_normal", math.sqrt(2 / 500), 2 / TRUNCATED),
        ("he_normal", math.sqrt(2 / 300), 2 / TRUNCATED),
        ("lecun_normal", math.sqrt(1 / 300), 2 / TRUNCATED),
        ("truncated_normal", 0.05 * TRUNCATED, 2 / TRUNCATED),
        ("normal", 0.05, 6),
    ],
)
def test_normal(name, stddev, cut):
    w = initializers.get(name)(BIG, "float64")
    assert w.std() == pytest.approx(stddev, rel=0.015)
    assert abs(w.mean()) < 5 * stddev / math.sqrt(w.size)
    assert np.abs(w).max() <= cut * stddev * (1 + 1e-12)
    assert np.abs(w).max() > 0.95 * min(cut, 3.5) * stddev


@pytest.mark.parametrize(
    ("shape", "fans"),
    [
        ((), (1, 1)), ((7,), (7, 7)), ((3, 5), (3, 5)), ((4, 3, 5), (12, 20)),
        ((3, 3, 32, 64), (288, 576)), ((5, 5, 1, 1), (25, 25)),
    ],
)  # fmt: skip
def test_fans(shape, fans):
    assert initializers.compute_fans(shape) == fans


def test_fans_of_given_axes():
    assert initializers.compute_fans((8, 2, 5), [0], [1, 2]) == (8, 10)
    assert initializers.compute_fans((2, 5, 8), [0, 1], [2]) == (10, 8)
    assert initializers.compute_fans((4,), [], [0]) == (1, 4)
    by_shape = initializers.GlorotUniform(seed=1)((8, 2, 5), "float64")
    by_axes = initializers.GlorotUniform(seed=1, input_axes=[0], output_axes=[1, 2])((8, 2, 5), "float64")
    # Fans by shape are those of a convolution, 8·2 and 8·5; both draw the same numbers from ±√(6 / (fan_in + fan_out)).
    np.testing.assert_allclose(by_axes, by_shape * math.sqrt((16 + 40) / (8 + 10)), rtol=1e-12)
    for initializer in (initializers.HeNormal(seed=4), initializers.VarianceScaling(2.0, "fan_out", "uniform", 5)):
        aware = initializer.with_axes([0], [1, 2])
        assert type(aware) is type(initializer)
        assert aware.get_config() == initializer.get_config() | {"input_axes": [0], "output_axes": [1, 2]}
        assert aware.with_axes([1], [0]) is aware
        again = type(aware).from_config(aware.get_config())
        np.testing.assert_array_equal(again((3, 2, 4)), aware((3, 2, 4)))
    with pytest.raises(ValueError, match="given together"):
        initializers.GlorotUniform(input_axes=[0])


@pytest.mark.parametrize(
    "initializer",
    [
        "zeros", "ones", initializers.Constant(3), "uniform", "normal", "truncated_normal", "glorot_uniform",
        "glorot_normal", "he_uniform", "he_normal", "lecun_uniform", "lecun_normal",
        initializers.VarianceScaling(0.5, "fan_out", "untruncated_normal"),
    ],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("shape", [(), (0,), (1,), (3, 0), (7,)])
def test_any_shape_a_single_number_included(initializer, shape):
    for dtype in ("float32", "float64"):
        w = initializers.get(initializer)(shape, dtype)
        assert isinstance(w, np.ndarray)
        assert (w.shape, w.dtype) == (shape, dtype)
        assert w.flags.writeable
        assert w.flags.c_contiguous
        assert np.isfinite(w).all()


@pytest.mark.parametrize("shape", [(), (4,)])
def test_matrices_are_refused_other_shapes(shape):
    for initializer in (initializers.Identity(), initializers.Orthogonal()):
        with pytest.raises(ValueError, match="Received"):
            initializer(shape)


def test_a_truncated_single_number_is_drawn_again():
    draws = [float(initializers.TruncatedNormal(stddev=1.0)(())) for _ in range(2000)]
    assert max(map(abs, draws)) <= 2
    assert np.std(draws) == pytest.approx(TRUNCATED, rel=0.06)  # ±4 standard errors of a deviation from 2,000 draws


def test_a_constant_array_is_copied():
    mine = np.arange(3.0)
    w = initializers.Constant(mine)((3,), "float64")
    w += 1
    np.testing.assert_array_equal(mine, [0, 1, 2])


def test_constants():
    assert initializers.Zeros()((2, 3)).dtype == np.float32
    np.testing.assert_array_equal(initializers.get("ones")((2,), "float64"), [1, 1])
    np.testing.assert_array_equal(initializers.Constant(3)((2,)), [3, 3])
    np.testing.assert_array_equal(initializers.get(np.arange(6).reshape(2, 3))((2, 3)), [[0, 1, 2], [3, 4, 5]])
    np.testing.assert_array_equal(initializers.Identity(2.0)((2, 3)), [[2, 0, 0], [0, 2, 0]])


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (4, 4), (2, 3, 4)])
def test_orthogonal(shape):
    w = initializers.Orthogonal(gain=2.0)(shape, "float64").reshape(-1, shape[-1]) / 2
    product = w @ w.T if len(w) < w.shape[1] else w.T @ w
    np.testing.assert_allclose(product, np.eye(len(product)), atol=1e-12)


def test_orthogonal_has_no_preferred_sign():
    first = [initializers.Orthogonal()((3, 3), "float64")[0, 0] > 0 for _ in range(400)]
    assert 0.35 < np.mean(first) < 0.65  # six standard deviations around ½


def test_seeds():
    utils.set_random_seed(1)
    a, b = initializers.GlorotUniform()((3, 4)), initializers.GlorotUniform()((3, 4))
    assert not np.array_equal(a, b)
    utils.set_random_seed(1)
    initializers.Zeros()((3,))  # takes nothing from the stream
    np.testing.assert_array_equal(initializers.GlorotUniform()((3, 4)), a)
    fixed = initializers.HeNormal(seed=3)
    np.testing.assert_array_equal(fixed((3, 4)), fixed((3, 4)))


def test_precisions_start_from_the_same_point():
    init = initializers.GlorotNormal(seed=1)
    np.testing.assert_array_equal(init((5, 4), "float32"), init((5, 4), "float64").astype(np.float32))


@pytest.mark.parametrize("name", [n for n in initializers.__all__ if n[0].isupper() and n != "Initializer"])
def test_config(name):
    init = getattr(initializers, name)()
    again = initializers.get(initializers.serialize(init))
    assert type(again) is type(init)
    assert again.get_config() == init.get_config()
    w = init((3, 4), "float32")
    assert (w.shape, w.dtype, w.flags.c_contiguous, w.flags.writeable) == ((3, 4), np.float32, True, True)


def test_a_function_is_an_initializer():
    def mine(shape, dtype=None):
        return np.full(shape, 7, dtype)

    assert initializers.get(mine) is mine
    assert initializers.get(None) is None


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: initializers.VarianceScaling(scale=0), "scale=0"),
        (lambda: initializers.VarianceScaling(mode="fan"), "mode='fan'"),
        (lambda: initializers.VarianceScaling(distribution="flat"), "distribution='flat'"),
        (lambda: initializers.Orthogonal()((3,)), "at least two sizes"),
        (lambda: initializers.Identity()((3,)), "two sizes"),
        (lambda: initializers.Zeros()((-1, 2)), "negative"),
        (lambda: initializers.get("glorot_unifrom"), "Did you mean 'glorot_uniform'"),
    ],
)
def test_errors_teach(make, message):
    with pytest.raises(ValueError, match=message):
        make()

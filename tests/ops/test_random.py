"""Random numbers: repeatable, of their distribution, new in each run of a node."""

import numpy as np
import pytest

import fastnn
from fastnn import ops
from fastnn.layers import Layer
from fastnn.ops.random import SeedGenerator
from tests.backends import each_backend  # noqa: F401
from tests.ops.harness import check_gradient

pytestmark = pytest.mark.usefixtures("each_backend")
random = ops.random


def draws(seed=None):
    return [
        random.normal((3, 5), seed=seed),
        random.uniform((3, 5), seed=seed),
        random.uniform((3, 5), dtype="float64", seed=seed),
        random.randint((3, 5), 0, 1000, seed=seed),
        random.dropout(np.ones((3, 5), "float32"), 0.5, seed=seed),
    ]


def test_a_run_repeats_from_the_seed():
    fastnn.utils.set_random_seed(3)
    first = draws()
    again = draws()
    fastnn.utils.set_random_seed(3)
    for a, b, other in zip(first, draws(), again, strict=True):
        np.testing.assert_array_equal(a, b)
        assert (a != other).any()


def test_an_integer_gives_the_same_numbers_a_stream_others():
    for a, b in zip(draws(5), draws(5), strict=True):
        np.testing.assert_array_equal(a, b)
    stream = SeedGenerator(5)
    for a, b in zip(draws(stream), draws(stream), strict=True):
        assert (a != b).any()
    assert stream.calls == 10
    assert SeedGenerator(**stream.get_config()).key == stream.key


def test_the_same_numbers_on_both_backends():
    with fastnn.backend.use("reference"):
        expected = draws(5)
    for a, b in zip(draws(5), expected, strict=True):
        np.testing.assert_array_equal(a, b)


def test_distributions():
    """Means and deviations within 5 standard errors."""
    n = 20_000
    z = random.normal((n,), mean=2.0, stddev=3.0, dtype="float64", seed=1)
    assert abs(z.mean() - 2) < 5 * 3 / n**0.5
    assert abs(z.std() - 3) < 5 * 3 / (2 * n) ** 0.5
    assert abs((abs(z - 2) < 3).mean() - 0.6827) < 5 * 0.47 / n**0.5
    for dtype in ("float32", "float64"):
        u = random.uniform((n,), -1, 3, dtype=dtype, seed=2)
        assert -1 <= u.min() < -0.99
        assert 2.99 < u.max() <= 3
        assert abs(u.mean() - 1) < 5 * 4 / (12 * n) ** 0.5
    k = random.randint((n,), -2, 3, seed=3)
    counts = np.bincount(k + 2)
    assert len(counts) == 5
    assert (abs(counts - n / 5) < 5 * (n * 0.16) ** 0.5).all()
    y = random.dropout(np.ones(n), 0.25, seed=4)
    assert abs((y == 0).mean() - 0.25) < 5 * 0.433 / n**0.5
    np.testing.assert_allclose(y[y != 0], 4 / 3)


def test_dtypes_and_shapes():
    assert random.normal((2, 3)).dtype == random.uniform((2, 3)).dtype == np.float32
    assert random.normal((2, 3), dtype="float64").dtype == np.float64
    assert random.randint((2, 3), 0, 5).dtype == np.int64
    for shape in [(), (0,), (1,), (7,), (2, 3), (3, 0)]:
        for draw in (random.normal, random.uniform):
            assert draw(shape).shape == shape
        assert random.randint(shape, 0, 2).shape == shape
    assert random.normal((2, 3), mean=np.ones(3), stddev=[1.0, 2.0, 3.0]).shape == (2, 3)
    assert fastnn.random.normal is random.normal


def test_noise_shape():
    y = random.dropout(np.ones((4, 6, 5)), 0.5, noise_shape=(None, 1, 5), seed=1)
    np.testing.assert_array_equal(y, np.broadcast_to(y[:, :1], y.shape))
    assert {0.0, 2.0} == set(y.ravel())
    y = random.dropout(np.ones((4, 6, 5)), 0.5, noise_shape=(1, 5), seed=1)
    np.testing.assert_array_equal(y, np.broadcast_to(y[:1, :1], y.shape))


class Sampling(Layer):
    """The layer between encoder and decoder of a variational autoencoder, as a tutorial writes it."""

    def __init__(self, seed=None, **settings):
        super().__init__(**settings)
        self.seed_generator = SeedGenerator(seed)

    def call(self, inputs):
        mean, log_var = inputs
        epsilon = random.normal(ops.shape(mean), seed=self.seed_generator, dtype=mean.dtype)
        return mean + ops.exp(0.5 * log_var) * epsilon


class Noise(Layer):
    def call(self, x):
        return x + random.normal(ops.shape(x)) + random.uniform((1,)) + ops.cast(random.randint((1,), 0, 9), x.dtype)


def test_a_node_draws_anew_in_each_run():
    for layer, x in ((Sampling(3), [np.zeros((4, 2), "float32")] * 2), (Noise(), np.zeros((4, 2), "float32"))):
        first = layer(x)
        assert first.shape == (4, 2)
        assert (layer(x) != first).any()


def test_a_layer_repeats_from_the_seed():
    x = [np.zeros((4, 2), "float32"), np.ones((4, 2), "float32")]
    runs = []
    for _ in range(2):
        fastnn.utils.set_random_seed(11)
        layer, noise = Sampling(), Noise()
        runs.append([layer(x), layer(x), noise(x[0]), noise(x[0])])
    for a, b in zip(*runs, strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_gradient_goes_through_what_was_drawn():
    def function(m, v):
        return m + ops.exp(v) * random.normal((3, 2), seed=5, dtype="float64") * random.dropout(m, 0.5, seed=3)

    rng = np.random.default_rng(0)
    result = check_gradient(function, [rng.standard_normal((3, 2)), rng.standard_normal((3, 2))])
    assert result, str(result)
    result = check_gradient(
        lambda m: random.dropout(m, 0.5, noise_shape=(None, 1, 2), seed=3), [rng.standard_normal((3, 4, 2))]
    )
    assert result, str(result)


def test_parameters_of_a_distribution_have_gradients():
    result = check_gradient(
        lambda m, s: (
            random.normal((5, 3), m, s, dtype="float64", seed=1) + random.uniform((3,), m, s, "float64", seed=2)
        ),
        [np.arange(3.0), np.arange(1.0, 4)],
    )
    assert result, str(result)

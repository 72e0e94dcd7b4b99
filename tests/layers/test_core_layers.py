"""Permute, Identity, EinsumDense, PReLU, positions, noise: values by hand, what is drawn, what is refused."""

import numpy as np
import pytest

import fastnn
from fastnn import layers
from fastnn.utils import set_random_seed
from tests.backends import each_backend  # noqa: F401


def some(shape, seed=0, dtype="float32"):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


# Permute, Identity, PReLU.


@pytest.mark.parametrize("dims", [(1,), (2, 1), (1, 2, 3), (3, 1, 2), (2, 3, 1), (4, 2, 1, 3)])
def test_permute_is_a_transposition_and_goes_back(dims):
    x = some((3, 7, 8, 9, 2)[: 1 + len(dims)])
    layer = layers.Permute(dims)
    y = layer(x)
    np.testing.assert_array_equal(y, x.transpose(0, *dims))
    assert y.flags.c_contiguous
    np.testing.assert_array_equal(layer.backward(y, None), x)
    assert layer.compute_output_shape((None, *x.shape[1:])) == (None, *y.shape[1:])


@pytest.mark.parametrize("dims", [(0, 1), (1, 1), (2,), (1, 3), (), 2, (1.5, 2), "21"])
def test_permute_refuses_what_is_no_order(dims):
    with pytest.raises(ValueError, match=r"each once and without the batch. Received: dims="):
        layers.Permute(dims)
    with pytest.raises(ValueError, match=r"an input of rank 3, for dims=\(2, 1\). Received: input shape \(None, 4\)"):
        layers.Permute((2, 1))(some((2, 4)))


def test_prelu_by_hand(each_backend):  # noqa: F811
    layer = layers.PReLU(dtype="float64")
    x = np.array([[-2.0, 0.0, 3.0], [-4.0, 5.0, np.nan]])
    layer(x)
    layer.set_weights([[0.5, 0.25, 2.0]])
    np.testing.assert_array_equal(layer(x), [[-1.0, 0.0, 3.0], [-2.0, 5.0, np.nan]])
    _, ctx = layer.forward(x[:1])
    dx = layer.backward(np.array([[1.0, 10.0, 100.0]]), ctx)
    np.testing.assert_array_equal(dx, [[0.5, 0.0, 100.0]])
    np.testing.assert_array_equal(layer.alpha.grad, [-2.0, 0.0, 0.0])


def test_prelu_shares_slopes_along_axes():
    x = some((2, 3, 4, 5))
    for shared, shape in ((None, (3, 4, 5)), ([1, 2], (1, 1, 5)), (3, (3, 4, 1)), ((1, 2, 3), (1, 1, 1))):
        layer = layers.PReLU("ones", shared_axes=shared)
        np.testing.assert_array_equal(layer(x), x)
        assert layer.alpha.shape == shape
    layer = layers.PReLU(shared_axes=[1])
    assert layer.compute_output_shape((None, None, 5)) == (None, None, 5)
    layer.build((None, None, 5))
    assert layer.alpha.shape == (1, 5)
    for length in (1, 7):
        assert layer(some((2, length, 5))).shape == (2, length, 5)


def test_prelu_refuses():
    for shared in (0, [-1], ["a"], [1.5]):
        with pytest.raises(ValueError, match="Received: shared_axes="):
            layers.PReLU(shared_axes=shared)
    with pytest.raises(ValueError, match=r"the axes shared_axes=\[3\]"):
        layers.PReLU(shared_axes=3)(some((2, 4)))
    with pytest.raises(ValueError, match=r"Use shared_axes=\[1\] for one slope along that axis"):
        layers.PReLU().build((None, None, 5))
    layer = layers.PReLU()
    layer(some((2, 4)))
    with pytest.raises(ValueError, match=r"slopes of shape \(4,\), as when it was built"):
        layer(some((2, 5)))


# EinsumDense.

FORMS = [
    # equation, output_shape, bias_axes, shape of x, of the kernel, of the bias
    ("ab,bc->ac", 3, "c", (7, 5), (5, 3), (3,)),
    ("abc,cd->abd", (None, 3), "d", (2, 7, 5), (5, 3), (3,)),
    ("abc,cd->abd", (7, 3), "bd", (2, 7, 5), (5, 3), (7, 3)),
    ("abc,cde->abde", (None, 3, 4), "de", (2, 7, 5), (5, 3, 4), (3, 4)),
    ("abc,cde->abde", (None, 3, 4), "d", (2, 7, 5), (5, 3, 4), (3, 1)),
    ("abc,cde->abde", (None, 3, 4), "e", (2, 7, 5), (5, 3, 4), (4,)),
    ("abcd,cde->abe", (None, 3), "e", (2, 7, 5, 4), (5, 4, 3), (3,)),
    ("abcd,dce->abe", (None, 3), "e", (2, 7, 5, 4), (4, 5, 3), (3,)),
    ("abc,dc->abd", (None, 3), "d", (2, 7, 5), (3, 5), (3,)),
    ("abc,cd->adb", (3, None), "d", (2, 7, 5), (5, 3), (3, 1)),
    ("abc,bd->acd", (None, 3), "d", (2, 7, 5), (7, 3), (3,)),
    ("abc,bd->adc", (3, 5), "dc", (2, 7, 5), (7, 3), (3, 5)),
    ("abc,bcd->ad", 3, "d", (2, 7, 5), (7, 5, 3), (3,)),
    ("abc,bcd->abd", (None, 3), "bd", (2, 7, 5), (7, 5, 3), (7, 3)),
    ("abc,bc->ab", None, "b", (2, 7, 5), (7, 5), (7,)),
    ("abc,bc->abc", (7, 5), None, (2, 7, 5), (7, 5), None),
    ("abc,bd->ad", 3, "d", (2, 7, 5), (7, 3), (3,)),
    ("ab,c->abc", (None, 3), None, (2, 7), (3,), None),
    ("ab,b->a", (), None, (2, 7), (7,), None),
    ("...x,xy->...y", 3, "y", (2, 7, 5), (5, 3), (3,)),
    ("...x,xy->...y", 3, "y", (2, 4, 7, 5), (5, 3), (3,)),
    ("...x,xy->...y", 3, "y", (7, 5), (5, 3), (3,)),
    ("...xy,yxz->...z", 3, None, (2, 4, 7, 5), (5, 7, 3), None),
    ("ab...,bc->ac...", 3, "c", (2, 7, 5, 4), (7, 3), (3, 1, 1)),
    ("ab...,bc->ac...", 3, "c", (2, 7), (7, 3), (3,)),
]


@pytest.mark.parametrize(("equation", "wanted", "bias_axes", "shape", "kernel", "bias"), FORMS)
@pytest.mark.parametrize("activation", [None, "tanh", "softmax"])
def test_einsum_dense_is_einsum(each_backend, equation, wanted, bias_axes, shape, kernel, bias, activation):  # noqa: F811
    if equation == "ab,b->a" and activation == "softmax":
        return  # nothing but the batch is left to sum over
    settings = {"bias_initializer": "normal", "dtype": "float64"}
    layer = layers.EinsumDense(equation, (wanted,) if wanted is None else wanted, activation, bias_axes, **settings)
    x = some(shape, dtype="float64")
    y = layer(x)
    assert layer.kernel.shape == kernel
    assert (layer.bias.shape if layer.bias is not None else None) == bias
    z = np.einsum(equation, x, layer.kernel.value) + (0 if bias is None else layer.bias.value)
    expected = fastnn.activations.activation_of(activation)(np.ascontiguousarray(z))
    np.testing.assert_allclose(y, expected, rtol=1e-12, atol=1e-12)
    assert layer.compute_output_shape((None, *shape[1:])) == (None, *y.shape[1:])
    # The gradient, by einsum again: of Σ r·y, with a linear activation.
    if activation is None:
        r = some(y.shape, 1, "float64")
        y, ctx = layer.forward(x)
        dx = layer.backward(r, ctx)
        h = 1e-6
        for array, gradient in ((x, dx), *((p.value, p.grad) for p in layer.weights)):
            direction = some(array.shape, 2, "float64")
            array += h * direction
            above = (r * layer.forward(x)[0]).sum()
            array -= 2 * h * direction
            below = (r * layer.forward(x)[0]).sum()
            array += h * direction
            assert (above - below) / (2 * h) == pytest.approx((gradient * direction).sum(), rel=1e-6, abs=1e-7)


def test_einsum_dense_starts_from_its_true_fans():
    """Keras reads them off the axes: (D, N, H) has D inputs and N·H outputs, and is not a convolution."""
    for equation, wanted, shape, fan_in, fan_out in (
        ("abc,cde->abde", (None, 8, 16), (2, 3, 128), 128, 128),
        ("abcd,cde->abe", (None, 64), (2, 3, 8, 32), 256, 64),
    ):
        layer = layers.EinsumDense(equation, wanted)
        layer(some(shape))
        limit = np.sqrt(6 / (fan_in + fan_out))
        assert 0.99 * limit < np.abs(layer.kernel.value).max() <= limit
    layer = layers.EinsumDense("abc,cde->abde", (None, 8, 16), kernel_initializer="ones")
    layer(some((2, 3, 4)))
    assert (layer.kernel.value == 1).all()


@pytest.mark.parametrize(
    ("equation", "wanted", "shape", "words"),
    [
        ("ab,bc", 3, None, "An equation must have the form"),
        ("ab->ab", 3, None, "An equation must have the form"),
        ("...ab,bc->ac", 3, None, "An equation must have the form"),
        (7, 3, None, "Received: equation=7"),
        ("aab,bc->ac", 3, None, "'a' twice"),
        ("ab,bd->ac", 3, None, "Received: 'd' once"),
        ("ab,bc->acd", (3, 4), None, "Received: 'd' once"),
        ("ab,bc->ac", 0, None, "Received: output_shape=0"),
        ("ab,bc->ac", "x", None, "Received: output_shape='x'"),
        ("ab,bc->ca", 3, (2, 5), "The batch must be the first axis"),
        ("ab,bc->ac", (3, 4), (2, 5), "an entry for each of the axes c"),
        ("ab,bc->ac", 3, (2, 7, 5), "needs inputs of rank 2. Received: input shape"),
        ("...ab,bc->...ac", (7, 3), (7, 5), "needs inputs of rank 3 or more"),
        ("abc,cd->abd", (6, 3), (2, 7, 5), "Axis 'b' of .* has 7 cells in the input and 6 in output_shape"),
        ("abc,cd->abd", (7, None), (2, 7, 5), "Axis 'd' of .* so its size must be known"),
    ],
)
def test_einsum_dense_refuses(equation, wanted, shape, words):
    with pytest.raises(ValueError, match=words):
        layers.EinsumDense(equation, wanted)(some(shape or (2, 3)))


def test_einsum_dense_refuses_what_does_not_fit_its_kernel():
    with pytest.raises(ValueError, match="bias_axes of EinsumDense must be letters of the output"):
        layers.EinsumDense("ab,bc->ac", 3, bias_axes="b")
    layer = layers.EinsumDense("ab,bc->ac", 3)
    layer(some((2, 5)))
    with pytest.raises(ValueError, match=r"a kernel of shape \(5, 3\) fits. Received: input shape \(None, 6\)"):
        layer(some((2, 6)))


# Positions.


def test_positions_are_rows_of_the_table_for_every_sequence():
    layer = layers.PositionEmbedding(9, "normal")
    y = layer(some((2, 4, 3)))
    table = layer.position_embeddings.value
    np.testing.assert_array_equal(y, [table[:4]] * 2)
    np.testing.assert_array_equal(layer(some((1, 2, 4, 3)), start_index=5), [[table[5:9]] * 2])
    _, ctx = layer.forward(some((2, 4, 3)), False, 3)
    dy = some((2, 4, 3), 1)
    assert layer.backward(dy, ctx) is None
    np.testing.assert_allclose(layer.position_embeddings.grad[3:7], dy.sum(0), rtol=1e-6)
    assert not layer.position_embeddings.grad[[0, 1, 2, 7, 8]].any()


def test_sines_are_those_of_the_paper():
    y = layers.SinePositionEncoding(100, dtype="float64")(np.zeros((2, 5, 7)), start_index=3)
    for t in range(5):
        for i in range(7):
            angle = (t + 3) / 100 ** (2 * (i // 2) / 7)
            assert y[1, t, i] == pytest.approx(np.cos(angle) if i % 2 else np.sin(angle), abs=1e-12)


def test_tables_of_sines_grow_and_change():
    layer = layers.SinePositionEncoding()
    first = layer(np.zeros((1, 3, 4)))
    np.testing.assert_array_equal(layer(np.zeros((1, 9, 4)))[:, :3], first)
    np.testing.assert_array_equal(layer(np.zeros((1, 3, 4))), first)
    assert layer(np.zeros((1, 3, 6))).shape == (1, 3, 6)


def test_positions_that_are_refused():
    with pytest.raises(ValueError, match=r"at most sequence_length=4 time steps.*Use PositionEmbedding\(5\)"):
        layers.PositionEmbedding(4)(some((2, 5, 3)))
    with pytest.raises(ValueError, match=r"counted from start_index=2.*Use PositionEmbedding\(6\)"):
        layers.PositionEmbedding(4)(some((2, 4, 3)), start_index=2)
    with pytest.raises(ValueError, match="sequence_length of PositionEmbedding must be a positive integer"):
        layers.PositionEmbedding(0)
    for layer in (layers.PositionEmbedding(4), layers.SinePositionEncoding()):
        with pytest.raises(ValueError, match=r"sequences \(batch, time, features\).*Use|use x\[..., None\]|Received"):
            layer(some((2, 4)))
        for start in (-1, 1.5, "a"):
            with pytest.raises(ValueError, match="Received: start_index="):
                layer(some((2, 2, 3)), start_index=start)
    for longest in (0, -1, "a", float("inf")):
        with pytest.raises(ValueError, match="Received: max_wavelength="):
            layers.SinePositionEncoding(longest)


def test_tokens_and_positions_are_the_sum_of_both():
    layer = layers.TokenAndPositionEmbedding(7, 5, 3, mask_zero=True)
    ids = np.array([[3, 1, 0], [6, 0, 0]])
    y = layer(ids)
    words, places = (p.value for p in layer.weights)
    np.testing.assert_array_equal(y, words[ids] + places[:3])
    np.testing.assert_array_equal(layer(ids, start_index=2), words[ids] + places[2:5])
    np.testing.assert_array_equal(layer.compute_mask(ids), ids != 0)
    with pytest.raises(ValueError, match="a vocabulary of 7"):
        layer([[7]])
    with pytest.raises(ValueError, match="at most sequence_length=5"):
        layer(np.zeros((1, 6), int))


def test_tokens_and_positions_learn():
    set_random_seed(1)
    ids = np.random.default_rng(0).integers(1, 9, (64, 6))
    target = (ids[:, 0] > 4).astype("float32")[:, None]  # what stands at the first place decides
    model = fastnn.Sequential(
        [
            layers.TokenAndPositionEmbedding(9, 6, 8),
            layers.Dense(16, "relu"),
            layers.GlobalAveragePooling1D(),
            layers.Dense(1, "sigmoid"),
        ]
    )
    model.compile(fastnn.optimizers.Adam(0.02), "binary_crossentropy", metrics=["accuracy"])
    history = model.fit(ids, target, epochs=60, verbose=0)
    assert history.history["accuracy"][-1] > 0.95


# Noise.

DRAWING = {
    "noise": lambda **k: layers.GaussianNoise(0.5, **k),
    "factors": lambda **k: layers.GaussianDropout(0.2, **k),
    "alpha": lambda **k: layers.AlphaDropout(0.3, **k),
    "channels": lambda **k: layers.SpatialDropout2D(0.5, **k),
}


@pytest.mark.parametrize("make", DRAWING.values(), ids=DRAWING)
def test_runs_repeat_and_draws_differ(each_backend, make):  # noqa: F811
    x = some((4, 5, 6, 7))
    found = []
    for _ in range(2):
        set_random_seed(5)
        layer = make()
        np.testing.assert_array_equal(layer(x), x)
        found.append([layer(x, training=True), layer(x, training=True)])
    np.testing.assert_array_equal(found[0], found[1])
    assert (found[0][0] != found[0][1]).any()
    seeded = [make(seed=3)(x, training=True) for _ in range(2)]
    np.testing.assert_array_equal(*seeded)
    assert (seeded[0] != make(seed=4)(x, training=True)).any()


@pytest.mark.parametrize("make", DRAWING.values(), ids=DRAWING)
@pytest.mark.parametrize("x", [np.zeros((2, 0, 3, 3)), np.ones((1, 1, 1, 1))])
def test_few_numbers(make, x):
    assert make()(x, training=True).shape == x.shape


def test_noise_has_the_deviation_asked_for():
    n = 100_000
    x = np.full((n // 100, 100), 3.0)
    for layer, deviation in (
        (layers.GaussianNoise(0.7, dtype="float64"), 0.7),
        (layers.GaussianNoise(2.0, dtype="float64"), 2.0),  # Keras allows no more than 1
        (layers.GaussianDropout(0.2, dtype="float64"), 3 * 0.5),
    ):
        y = layer(x, training=True)
        assert abs(y.mean() - 3) < 5 * deviation / np.sqrt(n)
        assert abs(y.std() / deviation - 1) < 5 / np.sqrt(2 * n)  # five standard errors
    assert (layers.GaussianNoise(0)(x, True) == 3).all()
    assert (layers.GaussianDropout(0)(x, True) == 3).all()


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_alpha_dropout_keeps_mean_and_variance(rate):
    n = 400_000
    x = some((n // 100, 100), dtype="float64")
    y = layers.AlphaDropout(rate, seed=2)(x, training=True)
    assert abs(y.mean()) < 0.02
    assert abs(y.var() - 1) < 0.03
    dropped, counts = np.unique(y, return_counts=True)
    assert abs(counts.max() / n - rate) < 0.005  # the dropped cells alone share a value
    slope = ((1 - rate) * (1 + rate * 1.7580993408473766**2)) ** -0.5
    assert dropped[counts.argmax()] == pytest.approx(-1.7580993408473766 * slope * (1 - rate))


def test_alpha_dropout_drops_by_its_noise_shape():
    y = layers.AlphaDropout(0.5, (None, 1, None), seed=1)(np.full((4, 9, 8), 2.0), training=True)
    assert (y == y[:, :1]).all()
    assert len(np.unique(y)) == 2


def test_spatial_dropout_drops_channels():
    for layout, axes in (("channels_last", (1, 2)), ("channels_first", (2, 3))):
        layer = layers.SpatialDropout2D(0.5, layout, seed=1)
        y = layer(np.ones((20, 6, 6, 6), "float32"), training=True)
        assert set(np.unique(y)) == {0, 2}
        assert (y.min(axis=axes) == y.max(axis=axes)).all()
        assert 0.3 < (y > 0).mean() < 0.7
    with pytest.raises(ValueError, match=r"images \(batch, channels, height, width\)"):
        layers.SpatialDropout2D(0.5, "channels_first")(np.ones((2, 3, 4)))


@pytest.mark.parametrize(
    "make",
    [
        lambda: layers.GaussianNoise(-0.1), lambda: layers.GaussianNoise("a"),
        lambda: layers.GaussianNoise(float("nan")),
        lambda: layers.GaussianDropout(1.0), lambda: layers.GaussianDropout(-0.1), lambda: layers.AlphaDropout(1),
        lambda: layers.AlphaDropout(0.5, (0, 1)), lambda: layers.SpatialDropout2D(2),
        lambda: layers.SpatialDropout2D(0.5, "first"),
        lambda: layers.ActivityRegularization(l1=-1),
    ],
)  # fmt: skip
def test_bad_settings_are_refused(make):
    with pytest.raises(ValueError, match="Received"):
        make()


def test_activity_regularization_adds_to_the_loss():
    x = some((8, 5))
    model = fastnn.Sequential([layers.Input((5,)), layers.ActivityRegularization(l1=0.1, l2=0.2)])
    model.compile("sgd", "mse")
    penalty = (0.1 * np.abs(x).sum() + 0.2 * (x**2).sum()) / 8
    assert model.evaluate(x, x, verbose=0) == pytest.approx(penalty, rel=1e-5)
    np.testing.assert_array_equal(model.predict(x, verbose=0), x)


def test_masks_pass_through():
    x, mask = some((2, 3, 4)), np.array([[True, True, False], [True, False, False]])
    for layer in (
        layers.Identity(), layers.ActivityRegularization(), layers.PReLU(), layers.GaussianNoise(0.1),
        layers.GaussianDropout(0.1), layers.AlphaDropout(0.1), layers.PositionEmbedding(3),
        layers.SinePositionEncoding(),
    ):  # fmt: skip
        layer(x)
        assert layer.compute_mask(x, mask) is mask, layer
    for layer in (layers.Permute((2, 1)), layers.EinsumDense("abc,cd->abd", (None, 2))):
        layer(x)
        assert layer.compute_mask(x, mask) is None

"""params and grads, W and dW, promises, dtypes, tied weights."""

import pickle

import numpy as np
import pytest

import fastnn.compat.book as book


def affine(rng, dtype=float):
    return book.Affine(rng.standard_normal((4, 3)).astype(dtype), rng.standard_normal(3).astype(dtype))


def test_the_first_books_gradients_are_new_ones_each_time():
    rng = np.random.default_rng(0)
    layer = affine(rng)
    assert layer.dW is None
    seen = []
    for _ in range(2):
        layer.forward(rng.standard_normal((2, 4)))
        layer.backward(rng.standard_normal((2, 3)))
        seen.append((layer.dW, layer.dW.copy(), layer.db))
    (first, copy, _), (second, _, _) = seen
    np.testing.assert_array_equal(first, copy)
    assert not np.shares_memory(first, second)


def test_the_second_books_gradients_are_assigned_in_place():
    rng = np.random.default_rng(0)
    layer = affine(rng)
    dW, db = layer.grads
    assert not dW.any()
    layer.forward(rng.standard_normal((2, 4)))
    layer.backward(rng.standard_normal((2, 3)))
    assert layer.grads[0] is dW is layer.dW
    assert layer.grads[1] is db is layer.db
    assert dW.any()
    assert db.any()


def test_a_layer_reads_the_array_that_it_was_given_last():
    rng = np.random.default_rng(0)
    layer = affine(rng)
    x, W = rng.standard_normal((2, 4)), rng.standard_normal((4, 3))
    layer.W = W
    np.testing.assert_allclose(layer.forward(x), x @ W + layer.b, rtol=1e-13)
    assert layer.params[0] is W


@pytest.mark.parametrize(
    ("of_x", "of_W", "of_y"), [("f4", "f8", "f8"), ("u1", "f8", "f8"), ("f8", "f4", "f8"), ("f4", "f4", "f4")]
)
def test_dtypes_are_numpys(of_x, of_W, of_y):
    rng = np.random.default_rng(0)
    x = rng.integers(0, 5, (6, 4)).astype(of_x)
    layer = affine(rng, of_W)
    y = layer.forward(x)
    assert y.dtype == np.dtype(of_y)
    np.testing.assert_allclose(y, np.dot(x, layer.W) + layer.b, rtol=1e-5)
    grads = layer.grads
    layer.backward(np.ones_like(y))
    np.testing.assert_allclose(grads[0], np.dot(x.T, np.ones_like(y)), rtol=1e-5)
    assert grads[0].dtype == np.dtype(of_W)


def test_images_stay_in_the_memory_order_of_the_kernels():
    rng = np.random.default_rng(0)
    x = book.Convolution(rng.standard_normal((5, 2, 3, 3)), np.zeros(5)).forward(rng.standard_normal((2, 2, 8, 8)))
    assert x.shape == (2, 5, 6, 6)
    for layer in (book.Relu(), book.Sigmoid(), book.Pooling(2, 2, 2)):
        y = layer.forward(x)
        assert y.transpose(0, 2, 3, 1).flags.c_contiguous
        dx = layer.backward(np.ascontiguousarray(y))
        assert dx.shape == x.shape
        assert dx.transpose(0, 2, 3, 1).flags.c_contiguous
    relu = book.Relu()
    relu.forward(x)
    np.testing.assert_array_equal(relu.mask, x <= 0)


def test_equal_windows_give_equal_numbers():
    """Behind a convolution stands a maximum: of equal numbers the first gets the gradient, as in the book."""
    rng = np.random.default_rng(0)
    x = np.broadcast_to(rng.standard_normal((1, 32, 1, 1)), (1, 32, 12, 12))
    y = book.Convolution(rng.standard_normal((33, 32, 3, 3)), rng.standard_normal(33)).forward(x)
    assert (y == y[:, :, :1, :1]).all()


def test_tied_weights_are_read_in_place_and_their_gradients_added():
    rng = np.random.default_rng(0)
    W = rng.standard_normal((6, 4)).astype("f")
    embedding, affine = book.TimeEmbedding(W), book.TimeAffine(W.T, np.zeros(6, "f"))
    ids = rng.integers(0, 6, (2, 3))
    x = embedding.forward(ids)
    np.testing.assert_allclose(affine.forward(x), x @ W.T, rtol=1e-5, atol=1e-6)
    grads = embedding.grads + affine.grads
    dout = rng.standard_normal((2, 3, 6)).astype("f")
    embedding.backward(affine.backward(dout))
    expected = np.zeros_like(W)
    np.add.at(expected, ids, dout @ W)
    expected += np.einsum("btv,btd->vd", dout, x)
    params, grads = book.remove_duplicate(embedding.params + affine.params, grads)
    assert len(params) == 2
    np.testing.assert_allclose(grads[0], expected, rtol=1e-4, atol=1e-5)
    before = W.copy()
    for optimizer in (book.SGD(0.1), book.Adam(0.1)):
        optimizer.update([affine.W], [grads[0].T])
    assert not np.allclose(W, before)


PROMISES = {
    "Affine": (lambda rng: affine(rng), (2, 4)),
    "MatMul": (lambda rng: book.MatMul(rng.standard_normal((4, 3))), (2, 4)),
    "transposed weights": (lambda rng: book.MatMul(rng.standard_normal((3, 4)).T), (2, 4)),
    "Convolution": (lambda rng: book.Convolution(rng.standard_normal((2, 3, 2, 2)), np.zeros(2)), (2, 3, 4, 5)),
}


@pytest.mark.parametrize("name", PROMISES)
def test_a_promise_is_kept_whatever_changes_meanwhile(name):
    """The gradient is that of the weights and of dout as they were in backward."""
    make, shape = PROMISES[name]
    rng = np.random.default_rng(0)
    layer = make(rng)
    x = rng.standard_normal(shape)
    dout = rng.standard_normal(layer.forward(x).shape)
    once, again = dout.copy(), dout.copy()
    if name == "Convolution":  # as it comes from a layer of images: in the memory order of the kernels
        once = np.ascontiguousarray(once.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    promise = layer.backward(once)
    assert not isinstance(promise, np.ndarray)
    assert (promise.shape, promise.dtype, promise.ndim) == (shape, np.dtype(float), len(shape))
    weights = [p.copy() for p in layer.params]
    once *= 5
    layer.params[0] *= 7
    found = np.asarray(promise)
    for param, value in zip(layer.params, weights, strict=True):
        param[...] = value
    layer.forward(x)
    now = layer.backward(again)
    assert isinstance(now, np.ndarray)
    np.testing.assert_allclose(found, now, rtol=1e-12, atol=1e-13)


def promised(value=None):
    from fastnn.compat.book._deferred import Deferred

    value = np.array([1.0, 2.0, 3.0]) if value is None else value
    return Deferred(value.shape, value.dtype, lambda: value)


def test_a_promise_is_used_as_an_array():
    a = np.array([1.0, 2.0, 3.0])
    for use in (
        lambda x: x + 1, lambda x: 1 - x, lambda x: x @ x, lambda x: -x, np.exp, np.sum, lambda x: x.sum(),
        lambda x: x[1:], lambda x: np.concatenate([x, [x[0]]]), lambda x: x.reshape(3, 1), lambda x: list(x), len,
        lambda x: x.T, lambda x: np.add(x, x, out=np.empty(3)), lambda x: np.asarray(x, np.float32), lambda x: x > 1.5,
        lambda x: np.array(x), lambda x: x.copy(), repr, lambda x: pickle.loads(pickle.dumps(x)), np.linalg.norm,
        lambda x: np.dot(x, np.eye(3)), lambda x: x.tolist(), lambda x: np.allclose(x, a), lambda x: 2 in x,
    ):  # fmt: skip
        np.testing.assert_array_equal(use(promised()), use(a))
    x = promised()
    x[0] = 7
    x += 1
    np.testing.assert_array_equal(x, [8, 3, 4])
    assert float(promised(np.array(2.0))) == 2.0
    assert bool(promised(np.array([1.0])))
    with pytest.raises(AttributeError):
        _ = promised().no_such_name
    with pytest.raises(AttributeError):
        _ = promised().__no_such_name__


def test_names_of_the_modules():
    for module, names in {
        "layers": {"Affine", "Convolution", "np", "softmax", "im2col"},
        "time_layers": {"TimeLSTM", "TimeSoftmaxWithLoss", "Affine", "np", "sigmoid"},
        "np": {"np", "GPU"},
        "functions": {"cross_entropy_error", "np"},
        "optimizer": {"SGD", "Adam"},
        "util": {"clip_grads", "preprocess", "np"},
        "negative_sampling_layer": {"NegativeSamplingLoss"},
        "attention_layer": {"TimeAttention"},
    }.items():
        found: dict = {}
        exec(f"from fastnn.compat.book.{module} import *", found)
        assert names <= set(found), module
    for name in book.__all__:
        assert getattr(book, name) is not None

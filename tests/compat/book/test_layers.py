"""Every layer beside plain NumPy: values, gradients of inputs and weights, in both precisions, on both backends."""

import numpy as np
import pytest

import fastnn.compat.book as book
from fastnn import backend
from tests.compat.book import plain

DTYPES = (np.float32, np.float64)
LAYERS = {  # name: (arguments: shapes of weights, or numbers), shape of x
    "Affine": ([(5, 3), (3,)], (7, 5)),
    "Affine of images": ([(24, 3), (3,)], (2, 4, 3, 2)),
    "MatMul": ([(5, 3)], (7, 5)),
    "TimeAffine": ([(5, 3), (3,)], (2, 7, 5)),
    "Relu": ([], (9, 17)),
    "Sigmoid": ([], (9, 17)),
    "Softmax": ([], (9, 17)),
    "BatchNormalization": ([(5,), (5,)], (7, 5)),
    "BatchNormalization of images": ([(24,), (24,)], (7, 4, 3, 2)),
    "Convolution": ([(4, 3, 3, 2), (4,)], (2, 3, 7, 8)),
    "Convolution, stride and padding": ([(4, 3, 3, 3), (4,), 2, 1], (2, 3, 8, 7)),
    "Pooling": ([2, 2, 2], (2, 3, 7, 8)),
    "Pooling, overlapping": ([3, 2, 1], (2, 3, 7, 8)),
    "Pooling, padding": ([2, 2, 2, 1], (2, 3, 6, 8)),
    "TimeRNN": ([(5, 4), (4, 4), (4,)], (3, 6, 5)),
    "TimeLSTM": ([(5, 16), (4, 16), (16,)], (3, 6, 5)),
    "TimeGRU": ([(5, 12), (4, 12), (12,)], (3, 6, 5)),
    "TimeBiLSTM": ([(5, 16), (4, 16), (16,)] * 2, (3, 6, 5)),
}


@pytest.fixture(params=["compiled", "reference"], autouse=True)
def kernels(request):
    with backend.use(request.param):
        yield request.param


def made(module, name, arguments, rng, dtype):
    values = [rng.standard_normal(a).astype(dtype) if isinstance(a, tuple) else a for a in arguments]
    return getattr(module, name.split()[0].rstrip(","))(*values)


def tolerance(dtype):
    """Sums of at most a hundred products, through six steps of a state: some hundred roundings."""
    return {"rtol": 500 * np.finfo(dtype).eps, "atol": 500 * np.finfo(dtype).eps}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", LAYERS)
def test_layers_agree_with_plain_numpy(name, dtype):
    arguments, shape = LAYERS[name]
    ours, theirs = (made(module, name, arguments, np.random.default_rng(0), dtype) for module in (book, plain))
    rng = np.random.default_rng(1)
    # TimeBiLSTM of plain NumPy and the recurrent layers keep their states in float32, as the book's do
    precision = np.float32 if name.startswith("Time") and name != "TimeAffine" else dtype
    for _ in range(2):  # the second backward is not a promise any more
        x = rng.standard_normal(shape).astype(dtype)
        y, expected = ours.forward(x), theirs.forward(x)
        np.testing.assert_allclose(y, expected, **tolerance(precision))
        dout = rng.standard_normal(y.shape).astype(dtype)
        before = dout.copy()
        np.testing.assert_allclose(ours.backward(dout), theirs.backward(dout.copy()), **tolerance(precision))
        np.testing.assert_array_equal(dout, before)
        for grad, wanted in zip(ours.grads, theirs.grads, strict=True):
            np.testing.assert_allclose(grad, wanted, **tolerance(precision))
            assert grad.dtype == dtype


@pytest.mark.parametrize("name", ["TimeRNN", "TimeLSTM", "TimeGRU"])
def test_states_are_carried_and_set(name):
    arguments, shape = LAYERS[name]
    ours, theirs = (made(module, name, arguments, np.random.default_rng(0), np.float32) for module in (book, plain))
    ours.stateful = theirs.stateful = True
    rng = np.random.default_rng(1)
    for _ in range(2):
        x = rng.standard_normal(shape).astype(np.float32)
        np.testing.assert_allclose(ours.forward(x), theirs.forward(x), **tolerance(np.float32))
    h = rng.standard_normal((shape[0], 4)).astype(np.float32)
    for layer in (ours, theirs):
        layer.set_state(h)
    np.testing.assert_allclose(ours.forward(x), theirs.forward(x), **tolerance(np.float32))
    dhs = rng.standard_normal((*shape[:2], 4)).astype(np.float32)
    ours.backward(dhs), theirs.backward(dhs)
    np.testing.assert_allclose(ours.dh, theirs.dh, **tolerance(np.float32))
    ours.reset_state(), theirs.reset_state()
    np.testing.assert_allclose(ours.forward(x), theirs.forward(x), **tolerance(np.float32))


@pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU"])
def test_cells_are_one_step_of_the_layers(name):
    from tests.compat.book.plain import recurrent

    arguments, _ = LAYERS["Time" + name]
    ours, theirs = (made(module, name, arguments, np.random.default_rng(0), np.float64) for module in (book, recurrent))
    rng = np.random.default_rng(1)
    x, *states = rng.standard_normal((3, 5)), *rng.standard_normal((2 if name == "LSTM" else 1, 3, 4))
    new, expected = ours.forward(x, *states), theirs.forward(x, *states)
    np.testing.assert_allclose(new if name == "LSTM" else (new,), expected, **tolerance(np.float64))
    back = rng.standard_normal((len(states), 3, 4))
    for got, wanted in zip(ours.backward(*back), theirs.backward(*back), strict=True):
        np.testing.assert_allclose(got, wanted, **tolerance(np.float64))
    for grad, wanted in zip(ours.grads, theirs.grads, strict=True):
        np.testing.assert_allclose(grad, wanted, **tolerance(np.float64))


@pytest.mark.parametrize(("name", "shape"), [("Embedding", (9,)), ("Embedding", (2, 5)), ("TimeEmbedding", (2, 5))])
def test_embeddings_add_up_what_stands_twice(name, shape):
    rng = np.random.default_rng(0)
    W, ids = rng.standard_normal((4, 3)), rng.integers(0, 4, shape)
    ours, theirs = getattr(book, name)(W), getattr(plain, name)(W)
    np.testing.assert_array_equal(ours.forward(ids), theirs.forward(ids))
    for _ in range(2):
        dout = rng.standard_normal((*shape, 3))
        assert ours.backward(dout) is None
        theirs.backward(dout)
        np.testing.assert_allclose(ours.grads[0], theirs.grads[0], rtol=1e-14)


@pytest.mark.parametrize("targets", ["labels", "one-hot rows", "one-hot integers"])
def test_softmax_with_loss(targets):
    rng = np.random.default_rng(0)
    x, t = rng.standard_normal((7, 5)), rng.integers(0, 5, 7)
    t = {"labels": t, "one-hot rows": np.eye(5)[t], "one-hot integers": np.eye(5, dtype=int)[t]}[targets]
    ours, theirs = book.SoftmaxWithLoss(), plain.SoftmaxWithLoss()
    assert ours.forward(x, t) == pytest.approx(theirs.forward(x, t), rel=1e-14)
    np.testing.assert_allclose(ours.backward(3), theirs.backward(3), rtol=1e-13, atol=1e-16)
    x = x.astype(np.float32)
    ours.forward(x, t)
    assert ours.backward().dtype == np.float32


def test_a_hopeless_prediction_costs_what_the_book_says():
    assert book.SoftmaxWithLoss().forward(np.array([[0.0, 1000.0]]), np.array([0])) == pytest.approx(-np.log(1e-7))


def test_sigmoid_with_loss():
    rng = np.random.default_rng(0)
    x, t = rng.standard_normal(7), rng.integers(0, 2, 7)
    ours, theirs = book.SigmoidWithLoss(), plain.SigmoidWithLoss()
    assert ours.forward(x, t) == pytest.approx(theirs.forward(x, t), rel=1e-14)
    np.testing.assert_allclose(ours.backward(), theirs.backward(), rtol=1e-13)
    over_time = book.TimeSigmoidWithLoss()
    assert over_time.forward(x[:6].reshape(2, 3), t[:6].reshape(2, 3)) == pytest.approx(theirs.forward(x[:6], t[:6]))
    np.testing.assert_allclose(over_time.backward().ravel(), theirs.backward(), rtol=1e-13)


@pytest.mark.parametrize("one_hot", [False, True])
def test_time_softmax_with_loss_leaves_out_ignored_labels(one_hot):
    rng = np.random.default_rng(0)
    x, t = rng.standard_normal((2, 4, 5)).astype(np.float32), rng.integers(0, 5, (2, 4))
    if one_hot:
        t = np.eye(5)[t]
    else:
        t[0, 1] = t[1, 3] = -1
    ours, theirs = book.TimeSoftmaxWithLoss(), plain.TimeSoftmaxWithLoss()
    assert ours.forward(x, t) == pytest.approx(theirs.forward(x, t), rel=1e-6)
    dx = ours.backward()
    np.testing.assert_allclose(dx, theirs.backward(), rtol=1e-5, atol=1e-8)
    if not one_hot:
        assert not dx[0, 1].any()
        assert not dx[1, 3].any()
    ours.ignore_label = 0
    t = np.array([[0, 1, 2, 3], [0, 0, 4, 1]])
    ours.forward(x, t)
    assert not ours.backward()[:, 0].any()


@pytest.mark.parametrize("name", ["Dropout", "TimeDropout"])
def test_dropout_draws_what_numpy_draws(name):
    x = np.ones((5, 6, 7), np.float32)
    ours, theirs = getattr(book, name)(0.3), getattr(plain, name)(0.3)
    np.random.seed(7)
    y = ours.forward(x)
    np.random.seed(7)
    np.testing.assert_array_equal(y, theirs.forward(x))
    np.testing.assert_array_equal(ours.backward(x), theirs.backward(x))
    assert y.dtype == np.float32


def test_running_statistics_normalize_out_of_training():
    rng = np.random.default_rng(0)
    ours, theirs = (m.BatchNormalization(np.ones(4), np.zeros(4)) for m in (book, plain))
    for _ in range(3):
        x = rng.standard_normal((9, 4)) * 3 + 1
        ours.forward(x, train_flg=True), theirs.forward(x, train_flg=True)
    np.testing.assert_allclose(ours.running_var, theirs.running_var, rtol=1e-13)
    np.testing.assert_allclose(ours.forward(x, False), theirs.forward(x, False), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("encoder", [6, 1])
def test_attention_at_every_step(encoder):
    rng = np.random.default_rng(0)
    hs, queries, dout = rng.standard_normal((3, encoder, 5)), *rng.standard_normal((2, 3, 4, 5))
    ours, theirs = book.TimeAttention(), plain.TimeAttention()
    np.testing.assert_allclose(ours.forward(hs, queries), theirs.forward(hs, queries), rtol=1e-12)
    np.testing.assert_allclose(ours.attention_weights, theirs.attention_weights, rtol=1e-12)
    for got, wanted in zip(ours.backward(dout), theirs.backward(dout), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-11, atol=1e-13)
    step = book.Attention()
    np.testing.assert_allclose(step.forward(hs, queries[:, 1]), ours.forward(hs, queries)[:, 1], rtol=1e-12)
    dhs, dh = step.backward(dout[:, 1])
    only = np.zeros_like(dout)
    only[:, 1] = dout[:, 1]
    theirs.forward(hs, queries)
    wanted_dhs, wanted_dqueries = theirs.backward(only)
    np.testing.assert_allclose(dhs, wanted_dhs, rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(dh, wanted_dqueries[:, 1], rtol=1e-11, atol=1e-13)

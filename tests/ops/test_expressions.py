"""Random expressions: on arrays and traced the same bits, gradients by finite differences, compiled against twins."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fastnn import backend, ops
from tests.ops.harness import check_gradient, traced

SMOOTH = ["tanh", "sin", "sigmoid", "softplus", "erf", "gelu", "silu", "square", "softmax", "negative", "log_sigmoid"]
PAIRS = ["add", "subtract", "multiply"]


@st.composite
def shapes(draw):
    return tuple(draw(st.lists(st.integers(1, 4), min_size=1, max_size=3)))


@st.composite
def expressions(draw, depth=4):
    """A function of a list of arrays, and its text; every result is of moderate size, so that differences tell."""
    if depth == 0 or draw(st.integers(0, 5)) == 0:
        i = draw(st.integers(0, 2))
        return (lambda xs: xs[i]), f"x{i}"
    part, text = draw(expressions(depth=depth - 1))
    kind = draw(st.sampled_from(["one", "one", "two", "two", "reduce", "shape", "where", "norm", "product", "number"]))
    if kind == "one":
        name = draw(st.sampled_from(SMOOTH))
        return (lambda xs: getattr(ops, name)(_with_axis(part(xs)))), f"{name}({text})"
    if kind == "two":
        other, text2 = draw(expressions(depth=depth - 1))
        name = draw(st.sampled_from(PAIRS))
        return (lambda xs: ops.tanh(_pair(name, part(xs), other(xs)))), f"tanh({name}({text}, {text2}))"
    if kind == "reduce":
        name, keepdims = draw(st.sampled_from(["sum", "mean", "logsumexp", "var"])), draw(st.booleans())
        return (lambda xs: ops.tanh(getattr(ops, name)(_with_axis(part(xs)), -1, keepdims))), f"tanh({name}({text}))"
    if kind == "shape":
        which = draw(st.integers(0, 4))
        return (lambda xs: _reshaped(which, _with_axis(part(xs)))), f"shape{which}({text})"
    if kind == "where":
        other, text2 = draw(expressions(depth=depth - 1))
        return (lambda xs: _choice(part(xs), other(xs))), f"where(mask, {text}, {text2})"
    if kind == "norm":
        return (lambda xs: ops.normalize(ops.add(_with_axis(part(xs)), 2.0))), f"normalize({text} + 2)"
    if kind == "product":
        return (lambda xs: ops.tanh(_product(_with_axis(part(xs))))), f"tanh(product({text}))"
    number = draw(st.sampled_from([0.5, 2, -1.5]))
    # NumPy makes scalars of arrays without axes, whose dtype counts as little as that of a number
    return (lambda xs: number - _with_axis(part(xs)) * number), f"({number} - {text}·{number})"


def _with_axis(x):
    return x if ops.ndim(x) else ops.expand_dims(x, 0)


def _pair(name, a, b):
    """Both of the shape of the first: the second is reduced to its sum where they do not broadcast."""
    try:
        np.broadcast_shapes(ops.shape(a), ops.shape(b))
    except ValueError:
        b = ops.tanh(ops.sum(b))
    return getattr(ops, name)(a, b)


def _reshaped(which, x):
    if which == 0:
        return ops.ravel(x)
    if which == 1:
        return ops.transpose(x)
    if which == 2:
        return x[..., ::-1]
    if which == 3:
        return ops.concatenate([x, 2 * x[..., :1]], -1)
    return ops.stack([x, x[..., [0] * ops.shape(x)[-1]]], 0) if ops.ndim(x) < 3 else ops.sum(x, 0)


def _choice(a, b):
    mask = np.resize([True, False, False], ops.shape(a))
    try:
        np.broadcast_shapes(ops.shape(a), ops.shape(b))
    except ValueError:
        b = ops.mean(b)
    return ops.where(mask, a, b)


def _product(x):
    x = ops.reshape(x, (-1, ops.shape(x)[-1]))
    return ops.einsum("ij,kj->ik", x, x) if ops.shape(x)[0] < 6 else ops.matmul(ops.transpose(x), x)


def arrays_of(shapes, seed):
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(shape) for shape in shapes]


quick = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)


@quick
@given(expressions(), st.lists(shapes(), min_size=3, max_size=3), st.integers(0, 99))
def test_gradients_of_random_expressions(expression, shapes, seed):
    function, text = expression
    arrays = arrays_of(shapes, seed)
    result = check_gradient(lambda *xs: function(xs), arrays, seed, samples=12)
    assert result, f"{text}: {result}"


@quick
@given(
    expressions(),
    st.lists(shapes(), min_size=3, max_size=3),
    st.integers(0, 99),
    st.sampled_from(["float32", "float64"]),
)
def test_random_expressions_traced_and_on_both_backends(expression, shapes, seed, dtype):
    """The twins differ from the kernels by roundings, which a few levels of functions with slopes around 1 pass on."""
    function, text = expression
    arrays = [a.astype(dtype) for a in arrays_of(shapes, seed)]
    found = {}
    for name in ("compiled", "reference"):
        with backend.use(name):
            expected = function(arrays)
            _, (y,), _ = traced(lambda *xs: function(xs), arrays)
            assert y.dtype == dtype
            np.testing.assert_array_equal(y, expected, err_msg=text)
            found[name] = y
    eps = np.finfo(dtype).eps
    np.testing.assert_allclose(found["compiled"], found["reference"], rtol=2000 * eps, atol=2000 * eps, err_msg=text)


@pytest.mark.parametrize("threads", [2, 3])
def test_the_same_bits_at_any_number_of_threads(threads):
    kernels = pytest.importorskip("fastnn.kernels")
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal(shape).astype("float32") for shape in [(64, 40, 96), (96, 96), (64, 40), (3, 70, 64)]]

    def function(x, w, s, large):
        y = ops.softmax(ops.gelu(x @ w) * s[..., None])
        y = y + ops.mean(ops.matmul(large, ops.swapaxes(large, 1, 2)))
        return ops.einsum("bqd,bkd->bqk", y, ops.tanh(x)) + ops.logsumexp(y, -1, keepdims=True)

    before = kernels.get_num_threads()
    found = []
    try:
        for count in (1, threads):
            kernels.set_num_threads(count)
            layer, (y,), ctx = traced(function, arrays)
            found.append([y, *layer.backward(np.ones((1, *y.shape), "float32"), ctx)])
    finally:
        kernels.set_num_threads(before)
    for a, b in zip(*found, strict=True):
        np.testing.assert_array_equal(a, b)

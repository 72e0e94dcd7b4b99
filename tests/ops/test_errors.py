"""What is refused, on arrays and on symbols in the same words, and what to use instead."""

import numpy as np
import pytest

from fastnn import ops
from fastnn.graph import Source, record

X = np.ones((2, 3), "float32")


def both(array):
    return [array, record(Source(), [], array.shape, array.dtype.name)]


ERRORS = [
    (
        lambda x: ops.add(x, np.ones((2, 4))),
        ValueError,
        r"ops\.add can stretch only axes of length 1.*\(2, 3\).*\(2, 4\).*axis -1",
    ),
    (lambda x: ops.where(x > 0, x, np.ones(4)), ValueError, r"ops\.where can stretch"),
    (lambda x: ops.where(x > 0), TypeError, r"numpy\.nonzero"),
    (lambda x: ops.sum(x, axis=2), ValueError, r"ops\.sum.*\(2, 3\).*from -2 to 1.*axis=2"),
    (lambda x: ops.sum(x, axis="a"), TypeError, r"axis of ops\.sum must be an integer. Received: axis='a'"),
    (lambda x: ops.mean(x, axis=(0, -2)), ValueError, r"ops\.mean: each axis can be given only once"),
    (lambda x: ops.argmax(x, axis=(0, 1)), TypeError, r"axis of ops\.argmax must be an integer"),
    (lambda x: ops.softmax(x, axis=3), ValueError, r"ops\.softmax"),
    (lambda x: ops.cumsum(x, axis=2), ValueError, r"ops\.cumsum"),
    (lambda x: ops.norm(x, "nuc"), ValueError, r"ops\.norm.*ord='nuc'"),
    (lambda x: ops.norm(x, 1), ValueError, r"single axis"),
    (lambda x: ops.matmul(x, x), ValueError, r"ops\.matmul.*\(2, 3\) and \(2, 3\)"),
    (lambda x: ops.matmul(x, 2.0), ValueError, r"Use ops\.multiply"),
    (lambda x: ops.einsum("ij,jk->ik", x, x), ValueError, r'"j" of lengths 3 and 2'),
    (lambda x: ops.einsum("ij,jk->ik", x), ValueError, r"for 2 operands. Received: 1"),
    (lambda x: ops.einsum("ijk->ik", x), ValueError, r"a letter for each axis"),
    (lambda x: ops.einsum("ij->iz", x), ValueError, r"each letter of the result"),
    (lambda x: ops.einsum("ij->ii", x), ValueError, r"each letter of the result"),
    (lambda x: ops.einsum("i j..k", x), ValueError, r"takes subscripts such as"),
    (lambda x: ops.einsum("ii->i", x), ValueError, r"equal lengths"),
    (lambda x: ops.tensordot(x, x, axes=([0, 1], [0])), ValueError, r"equally many axes"),
    (lambda x: ops.reshape(x, (4, 2)), ValueError, r"ops\.reshape must keep the number.*\(2, 3\).*\(4, 2\)"),
    (lambda x: ops.reshape(x, (-1, -1)), ValueError, r"only one size can be -1"),
    (lambda x: ops.reshape(x, (4, -1)), ValueError, r"must keep the number"),
    (lambda x: ops.reshape(x, (2, 3, None)), ValueError, r"None means"),
    (lambda x: ops.reshape(x, "ab"), TypeError, r"ops\.reshape: newshape must contain integers"),
    (lambda x: ops.transpose(x, (0, 0)), ValueError, r"ops\.transpose"),
    (lambda x: ops.transpose(x, (0,)), ValueError, r"ops\.transpose: axes must name each axis once"),
    (lambda x: ops.squeeze(x, 0), ValueError, r"ops\.squeeze can remove only axes of length 1.*\(2, 3\), axis=0"),
    (lambda x: ops.expand_dims(x, 4), ValueError, r"ops\.expand_dims"),
    (lambda x: ops.expand_dims(x, (0, 0)), ValueError, r"each axis can be given only once"),
    (lambda x: ops.moveaxis(x, (0, 1), 0), ValueError, r"the same length"),
    (lambda x: ops.broadcast_to(x, (4, 3)), ValueError, r"ops\.broadcast_to can stretch"),
    (lambda x: ops.broadcast_to(x, (3,)), ValueError, r"ops\.broadcast_to can stretch"),
    (lambda x: ops.repeat(x, [1, 2], 1), ValueError, r"ops\.repeat.*3 indices.*2 numbers"),
    (lambda x: ops.repeat(x, -1), ValueError, r"ops\.repeat"),
    (lambda x: ops.pad(x, ((1, 1), (1, 1), (1, 1))), ValueError, r"ops\.pad: pad_width must have a pair for each axis"),
    (lambda x: ops.pad(x, -1), ValueError, r"none below 0"),
    (lambda x: ops.pad(x, 1, mode="cubic"), ValueError, r"mode='cubic'"),
    (lambda x: ops.pad(x, 1, mode="edge", constant_values=2), ValueError, r'only with mode="constant"'),
    (lambda x: ops.concatenate([x, np.ones((3, 2))], 1), ValueError, r"ops\.concatenate joins.*\(2, 3\), \(3, 2\)"),
    (lambda x: ops.concatenate([x, np.ones(3)]), ValueError, r"ops\.concatenate joins"),
    (lambda x: ops.concatenate([]), TypeError, r"at least one array"),
    (lambda x: ops.stack([x, np.ones((3, 2))]), ValueError, r"joins arrays"),
    (lambda x: ops.split(x, 2, 1), ValueError, r"ops\.split cuts an axis into equal parts.*length 3"),
    (lambda x: ops.unstack(x, 3), ValueError, r"has 2 slices. Received: num=3"),
    (lambda x: ops.getitem(x, (0, 0, 0)), IndexError, r"3 indices.*\(2, 3\)"),
    (lambda x: ops.getitem(x, 5), IndexError, r"axis 0 of \(2, 3\) has length 2. Received: index 5"),
    (lambda x: ops.getitem(x, "a"), TypeError, r"Received: 'a'"),
    (lambda x: ops.getitem(x, np.array([0.5])), TypeError, r"dtype float64"),
    (lambda x: ops.getitem(x, np.ones((2, 3), bool)), TypeError, r"Use ops\.where"),
    (lambda x: ops.getitem(x, ([0, 1], [0, 1, 2])), ValueError, r"can stretch only axes"),
    (lambda x: ops.take(x, [0.5], axis=0), TypeError, r"ops\.take takes integers.*ops\.cast"),
    (lambda x: ops.take_along_axis(x, [0], axis=0), ValueError, r"same number of axes"),
    (lambda x: ops.one_hot(x, 3), TypeError, r"ops\.one_hot takes integers"),
    (lambda x: ops.one_hot([1], 3, sparse=True), ValueError, r"dense arrays"),
    (lambda x: ops.top_k(x, 4), ValueError, r"k must be at most 3"),
    (lambda x: ops.tril(x[0]), ValueError, r"ops\.tril takes matrices"),
    (lambda x: ops.cast(x, "complex64"), ValueError, r"ops\.cast supports the dtypes"),
    (lambda x: ops.cast(x, "float16"), ValueError, r"Received: dtype='float16'"),
    (lambda x: ops.binary_crossentropy(x, x[0]), ValueError, r"target and output must have the same shape"),
    (lambda x: ops.categorical_crossentropy(x[:, :2], x), ValueError, r"\(2, 2\) and \(2, 3\)"),
    (lambda x: ops.normalize(x, order=0), ValueError, r"order must be a positive integer"),
    (lambda x: ops.random.dropout(x, 1.5), ValueError, r"rate must be a number from 0 to 1"),
    (lambda x: ops.random.dropout(x, 0.5, noise_shape=(3, 3)), ValueError, r"noise_shape"),
    (lambda x: ops.leaky_relu(x, "a"), ValueError, r"Received"),
]


@pytest.mark.parametrize(("call", "error", "match"), ERRORS, ids=range(len(ERRORS)))
def test_refused_on_arrays_and_on_symbols(call, error, match):
    for x in both(X):
        with pytest.raises(error, match=match):
            call(x)


VALUES = [
    (lambda: ops.take(X, [2], axis=0), IndexError, r"ops\.take: axis 0 has length 2. Received: indices from 2 to 2"),
    (lambda: ops.take(X, [-3], axis=0), IndexError, r"from -3 to -3"),
    (lambda: X[0] if ops.getitem(X, [5]) is None else None, IndexError, r"5 to 5"),
    (lambda: ops.take_along_axis(X, [[3]], axis=1), IndexError, r"ops\.take_along_axis: axis 1 has length 3"),
    (
        lambda: ops.sparse_categorical_crossentropy([0, 3], X),
        ValueError,
        r"labels must be from 0 to 2. Received: .* 0 to 3",
    ),
    (lambda: ops.sparse_categorical_crossentropy([0, -1], X), ValueError, r"from -1 to 0"),
    (lambda: ops.max(np.ones((0, 3)), axis=0), ValueError, r"ops\.max of an empty array"),
    (lambda: ops.zeros((None, 3)), ValueError, r"Use ops\.zeros_like"),
    (lambda: ops.full((2.5,), 1), TypeError, r"a shape must contain integers"),
    (lambda: ops.arange(3, step=2), TypeError, r"a stop before a step"),
    (lambda: ops.arange(record(Source(), [], (), "int64")), TypeError, r"within the call of a layer"),
    (lambda: ops.random.normal((None, 2)), ValueError, r"random\.normal needs a known shape"),
    (lambda: ops.random.randint((2,), 3, 3), ValueError, r"minval must be below maxval"),
    (lambda: ops.random.uniform((2,), dtype="int32"), ValueError, r"Use randint"),
    (lambda: ops.random.uniform((2,), seed="a"), TypeError, r"seed must be an integer"),
    (lambda: ops.convert_to_numpy(record(Source(), [], (2,), "float32")), TypeError, r"model\.predict"),
    (lambda: ops.sum([record(Source(), [], (2,), "float32")]), TypeError, r"Use ops\.stack"),
    (lambda: ops.squeeze(record(Source(), [], (None, 1), "float32")), ValueError, r"Use squeeze\(x, axis=\.\.\.\)"),
]


@pytest.mark.parametrize(("call", "error", "match"), VALUES, ids=range(len(VALUES)))
def test_refused_values(call, error, match):
    with pytest.raises(error, match=match):
        call()


@pytest.mark.parametrize(
    ("name", "match"),
    [
        ("while_loop", "a Python loop"),
        ("conv", r"layers\.Conv2D"),
        ("cond", r"ops\.where"),
        ("sofmax", r"Did you mean ops\.softmax"),
        ("fft", "has no function 'fft'"),
    ],
)
def test_a_function_that_is_not_here(name, match):
    with pytest.raises(AttributeError, match=match):
        getattr(ops, name)
    assert not hasattr(ops, "__wrapped__")

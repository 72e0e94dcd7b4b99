"""Tensors and buffers as data: DLPack, the buffer protocol, ``__array__``; memory is shared where it can be."""

import array
import subprocess
import sys

import numpy as np
import pytest

import fastnn
from fastnn import layers
from fastnn.data import Dataset
from fastnn.data.foreign import has_axes, is_arraylike, to_array
from fastnn.models.inputs import is_iterable_data

X = np.random.default_rng(0).random((6, 3)).astype(np.float32)


class Capsule:
    """An array that only DLPack gets at."""

    def __init__(self, values):
        self.values = values

    def __dlpack__(self, **options):
        return self.values.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.values.__dlpack_device__()


class Elsewhere(Capsule):
    """One whose memory is not the CPU's."""

    def __dlpack__(self, **options):
        raise BufferError("The memory is on another device.")

    __dlpack_device__ = None


class Array:
    """An array that ``__array__`` gives."""

    def __init__(self, values):
        self.values = values

    def __array__(self, dtype=None, copy=None):
        return self.values


FORMS = {"dlpack": Capsule, "buffer": memoryview, "array": Array}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_every_call_takes_them(form):
    model = fastnn.Sequential([layers.Dense(1, input_shape=(3,))])
    model.compile("sgd", "mse")
    x, y = form(X), form(X[:, 0].copy())
    assert not is_iterable_data(x, None)
    assert np.shares_memory(to_array("x", x), X)
    expected = model.predict(X, verbose=0)
    found = model.predict(x, verbose=0)
    assert type(found) is np.ndarray
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(model(x), expected)
    assert model.evaluate(x, y, verbose=0) == model.evaluate(X, X[:, 0], verbose=0)
    assert model.train_on_batch(x, y, sample_weight=y) > 0
    model.fit(x, y, verbose=0, validation_data=(x, y))
    model.fit([(x, y)], verbose=0)
    np.testing.assert_array_equal([row for row, _ in Dataset.from_tensor_slices((x, y))], X)
    with pytest.raises(TypeError, match=r"Received: a list of 2 arrays"):
        model.predict([x, x], verbose=0)


def test_flat_buffers():
    model = fastnn.Sequential([layers.Embedding(5, 2), layers.GlobalAveragePooling1D()])
    ids = array.array("q", [1, 2, 3])
    np.testing.assert_array_equal(model.predict(memoryview(ids).cast("b").cast("q", (1, 3)), verbose=0),
                                  model.predict(np.array([[1, 2, 3]]), verbose=0))  # fmt: skip
    np.testing.assert_array_equal(list(Dataset.from_tensor_slices(ids)), [1, 2, 3])


def test_what_is_not_an_array():
    for value in (b"bytes", "text", 3, 2.5, None, [1], (1,), {"a": 1}, np.ndarray, Dataset.range(2), iter([])):
        assert not is_arraylike(value), value
    assert is_arraylike(np.float32(1))
    assert not has_axes(np.float32(1))
    assert not has_axes(np.array(1.0))


def test_memory_that_numpy_does_not_reach():
    with pytest.raises(TypeError, match=r"x must be an array that NumPy can read. Received: Elsewhere, which says"):
        to_array("x", Elsewhere(X))
    with pytest.raises(TypeError, match=r"x must be an array of numbers. Received: object. Use x = np.asarray\(x\)"):
        fastnn.Sequential([layers.Dense(1)]).predict(object(), verbose=0)


def test_masked_arrays():
    x = np.ma.masked_array(X, np.zeros(X.shape, bool))
    np.testing.assert_array_equal(to_array("x", x), X)
    x[2, 1] = np.ma.masked
    with pytest.raises(ValueError, match=r"x must not have missing values. .* masked array. Use x.filled\(0\)"):
        fastnn.Sequential([layers.Dense(1)]).predict(x, verbose=0)


def test_sparse_matrices_say_what_to_do():
    sparse = pytest.importorskip("scipy.sparse", reason="SciPy is not installed")
    with pytest.raises(TypeError, match=r"Received: csr_\w+. Use x = x.toarray\(\)"):
        fastnn.Sequential([layers.Dense(1)]).predict(sparse.csr_matrix(X), verbose=0)


def test_tensors():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    tensor = torch.tensor(X)
    assert np.shares_memory(to_array("x", tensor), tensor.numpy())
    model = fastnn.Sequential([layers.Dense(1, input_shape=(3,))])
    model.compile("sgd", "mse")
    assert model.evaluate(tensor, tensor[:, 0], verbose=0) == model.evaluate(X, X[:, 0], verbose=0)
    with pytest.raises(TypeError, match=r"requires grad.*Use x = x.detach\(\).cpu\(\).numpy\(\)"):
        model.predict(tensor.clone().requires_grad_(), verbose=0)
    with pytest.raises(TypeError, match=r"Received: Tensor.*Use x = x.detach\(\).cpu\(\).float\(\).numpy\(\)"):
        model.predict(tensor.to(torch.bfloat16), verbose=0)


def test_no_library_is_imported():
    code = (
        "import sys; import numpy as np; import fastnn; from fastnn import layers;"
        "from fastnn.data import Dataset; Dataset.from_tensor_slices(memoryview(np.ones((2, 2))));"
        "fastnn.Sequential([layers.Dense(1)]).predict(memoryview(np.ones((2, 2))), verbose=0);"
        "print(sorted({'pandas', 'polars', 'pyarrow', 'torch', 'scipy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"

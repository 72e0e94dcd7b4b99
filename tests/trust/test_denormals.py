"""Numbers below the smallest normal one: zero in the recurrent kernels, kept elsewhere, whoever computes them."""

import ctypes
import ctypes.util
import platform
import time

import numpy as np
import pytest

from fastnn import kernels, reference

# Where Linux' fenv_t keeps the register that says what happens to denormals, and the bits that make them zero.
_REGISTERS = {"x86_64": (7, 0x8040), "aarch64": (0, 1 << 24)}
SIZES = B, T, D, U = 64, 10, 8, 8


class Mode:
    """The floating-point mode of this thread."""

    def __init__(self):
        self.word, self.bits = _REGISTERS[platform.machine()]
        self.libm = ctypes.CDLL(ctypes.util.find_library("m"))
        self.environment = (ctypes.c_uint32 * 16)()

    @property
    def flushes(self):
        self.libm.fegetenv(self.environment)
        return self.environment[self.word] & self.bits == self.bits

    @flushes.setter
    def flushes(self, value):
        self.libm.fegetenv(self.environment)
        self.environment[self.word] &= ~self.bits
        self.environment[self.word] |= self.bits * value
        self.libm.fesetenv(self.environment)


@pytest.fixture
def mode():
    if platform.system() != "Linux" or platform.machine() not in _REGISTERS:
        pytest.skip("this test knows the floating-point environment of Linux on x86-64 and arm64")
    mode = Mode()
    assert not mode.flushes
    yield mode
    mode.flushes = False


@pytest.fixture(params=[1, 2, 3])
def threads(request):
    before = kernels.get_num_threads()
    kernels.set_num_threads(request.param)
    yield request.param
    kernels.set_num_threads(before)


@pytest.fixture(params=["float32", "float64"])
def small(request):
    """A denormal number."""
    return np.finfo(request.param).tiny / np.dtype(request.param).type(3)


def recurrent(backend, name, small):
    """All results of a family's two kernels, from inputs and a gradient that are denormal."""
    x, dy, one = np.full((B, T, D), small), np.full((B, T, U), small), np.eye(U, dtype=small.dtype)
    names = {"activation": "linear"}
    if name == "output_rnn":
        y, hidden = backend.output_rnn_forward(x, one, one / 2, None, one, None, **names)
        return y, hidden, *backend.output_rnn_backward(dy, None, x, one, one / 2, one, y, hidden, **names)[:2]
    if name == "simple_rnn":
        y, h = backend.simple_rnn_forward(x, one, one / 2, **names)
        return y, h, *backend.simple_rnn_backward(dy, None, x, one, one / 2, y, **names)[:2]
    names["recurrent_activation"] = "linear"
    gates = {"lstm": 4, "gru": 3}[name]
    w, u = np.tile(one, gates), np.zeros((U, gates * U), small.dtype)
    b = np.ones(4 * U, small.dtype) if name == "lstm" else np.zeros((2, 3 * U), small.dtype)
    b[2 * U : 3 * U] = 0
    y, *rest = getattr(backend, f"{name}_forward")(x, w, u, b, **names)
    kept = rest[-2:]
    none = (None,) * (2 if name == "lstm" else 1)
    return y, rest[0], *getattr(backend, f"{name}_backward")(dy, *none, x, w, u, y, *kept, **names)[:2]


@pytest.mark.parametrize("name", ["simple_rnn", "output_rnn", "lstm", "gru"])
def test_recurrent_kernels_take_denormals_for_zero_and_leave_the_mode_as_it_was(name, small, threads, mode):
    twins = recurrent(reference, name, small)
    assert all(((array != 0) & (abs(array) < np.finfo(small.dtype).tiny)).any() for array in (twins[0], twins[2]))
    for array in recurrent(kernels, name, small):
        np.testing.assert_array_equal(array, np.zeros_like(array))
    assert not mode.flushes
    assert np.multiply(small, small.dtype.type(0.5)) != 0
    mode.flushes = True
    recurrent(kernels, name, small)
    assert mode.flushes


def test_a_refused_call_leaves_the_mode_as_it_was(mode):
    with pytest.raises(ValueError, match="w must have one row"):
        kernels.simple_rnn_forward(np.zeros((1, 1, 2)), np.zeros((3, 1)), np.zeros((1, 1)))
    assert not mode.flushes


def test_other_kernels_keep_denormals_behind_a_recurrent_one(small, threads):
    x, one = np.full((512, 64), small), np.eye(64, dtype=small.dtype)
    for _ in range(20):
        recurrent(kernels, "lstm", small)
        np.testing.assert_array_equal(kernels.dense_forward(x, one, algorithm="dense"), x)


def test_workers_compute_in_the_mode_of_the_caller(small, threads, mode):
    x, one = np.full((512, 64), small), np.eye(64, dtype=small.dtype)
    for _ in range(20):
        mode.flushes = True
        y = kernels.dense_forward(x, one, algorithm="dense")
        mode.flushes = False
        assert not y.any()
        np.testing.assert_array_equal(kernels.dense_forward(x, one, algorithm="dense"), x)


def test_vanishing_states_and_gradients_cost_no_more_than_others():
    """An LSTM whose cells halve with every step: denormal from step 126 on, and gradients on their way back."""
    rng = np.random.default_rng(1)
    w, u = rng.standard_normal((D, 4 * U), "float32") / 4, np.zeros((U, 4 * U), "float32")
    dh = np.ones((B, U), "float32")

    def seconds(x):
        found = []
        for _ in range(7):
            start = time.perf_counter()
            y, _, _, gates, cells = kernels.lstm_forward(x, w, u)
            kernels.lstm_backward(None, dh, None, x, w, u, y, gates, cells)
            found.append(time.perf_counter() - start)
        return min(found), abs(cells[:, -1]).max()

    lively, vanishing = np.ones((2, B, 240, D), "float32")
    vanishing[:, 1:] = 0
    (normal, cell), (tiny, nothing) = seconds(lively), seconds(vanishing)
    assert cell > 0.1
    assert nothing < 1e-30
    assert tiny < 3 * normal

"""Fixtures of the kernel tests: both backends, both precisions."""

import importlib
import importlib.util

import numpy as np
import pytest

COMPILED = importlib.util.find_spec("fastnn.kernels._core") is not None
NOT_BUILT = "the compiled kernels are not built here; type pip install -e ."


@pytest.fixture(params=["compiled", "reference"])
def backend(request):
    """Each of the two sets of kernels."""
    if request.param == "compiled" and not COMPILED:
        pytest.skip(NOT_BUILT)
    return importlib.import_module("fastnn.kernels" if request.param == "compiled" else "fastnn.reference")


@pytest.fixture
def compiled():
    """The compiled kernels."""
    if not COMPILED:
        pytest.skip(NOT_BUILT)
    return importlib.import_module("fastnn.kernels")


@pytest.fixture(params=["float32", "float64"])
def dtype(request):
    """Each precision."""
    return np.dtype(request.param)


@pytest.fixture
def rng():
    """A random generator with a fixed seed."""
    return np.random.default_rng(20240607)


@pytest.fixture
def threads(compiled):
    """A function that sets the number of threads, which is restored afterwards."""
    before = compiled.get_num_threads()
    yield compiled.set_num_threads
    compiled.set_num_threads(before)

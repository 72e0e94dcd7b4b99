"""A fixture that runs a test on both sets of kernels; import it into a test file and ask for ``each_backend``."""

import importlib

import pytest

from fastnn import backend

__all__ = ["each_backend"]


@pytest.fixture(params=["compiled", "reference"])
def each_backend(request):
    """The name of the backend in force."""
    try:
        importlib.import_module("fastnn.kernels")
    except ImportError:
        if request.param == "compiled":
            pytest.skip("the kernels are not built here")
    with backend.use(request.param):
        yield request.param

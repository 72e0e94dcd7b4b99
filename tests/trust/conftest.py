"""The trust tests need the compiled kernels."""

import importlib.util

import pytest


@pytest.fixture(autouse=True)
def _compiled():
    if importlib.util.find_spec("fastnn.kernels._core") is None:
        pytest.skip("the compiled kernels are not built here; type pip install -e .")

"""fastnn: neural networks on the CPU, in Keras' words, on kernels written in C with a NumPy twin beside each.

>>> import fastnn
>>> from fastnn import layers
>>> model = fastnn.Sequential([layers.Dense(10, activation="softmax", input_shape=(784,))])
>>> model.count_params()
7850
"""

import importlib
import sys
from typing import TYPE_CHECKING, Any

from . import absent, backend
from ._version import __version__

if TYPE_CHECKING:
    from . import (
        activations,
        callbacks,
        compat,
        constraints,
        data,
        datasets,
        graph,
        initializers,
        inspect,
        interop,
        keras,
        kernels,
        layers,
        losses,
        metrics,
        models,
        ops,
        optimizers,
        preprocessing,
        random,
        reference,
        regularizers,
        saving,
        text,
        utils,
    )
    from .layers import Input, Layer
    from .models import Model, Sequential

__all__ = [
    "Input",
    "Layer",
    "Model",
    "Sequential",
    "__version__",
    "backend",
    "activations",
    "callbacks",
    "compat",
    "constraints",
    "data",
    "datasets",
    "graph",
    "initializers",
    "inspect",
    "interop",
    "keras",
    "kernels",
    "layers",
    "losses",
    "metrics",
    "models",
    "ops",
    "optimizers",
    "preprocessing",
    "random",
    "reference",
    "regularizers",
    "saving",
    "text",
    "utils",
]

_NAMES = {"Input": "layers", "Layer": "layers", "Model": "models", "Sequential": "models"}
_MODULES = frozenset(__all__) - {*_NAMES, "__version__", "backend"}

_absent = absent.answer(__name__, depth=2)

if hasattr(sys.modules.get("threadpoolctl"), "register"):
    importlib.import_module(f"{__name__}.utils").register_threadpoolctl()


if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        """Load a part of the package when it is first asked for, so that ``import fastnn`` stays quick."""
        if name in _MODULES:
            return importlib.import_module(f"{__name__}.{name}")
        if name in _NAMES:
            value = getattr(importlib.import_module(f"{__name__}.{_NAMES[name]}"), name)
            globals()[name] = value
            return value
        return _absent(name)


def __dir__() -> list[str]:
    return sorted(__all__)

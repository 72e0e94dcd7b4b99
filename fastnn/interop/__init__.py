"""Exchange with other libraries: models, weights and estimators in their words.

Each part needs a library that an extra installs, and imports it when it is first used.
"""

import functools
import importlib
from typing import TYPE_CHECKING, Any

from .. import absent
from ..saving import formats

if TYPE_CHECKING:
    from .keras import from_keras, to_keras
    from .onnx import export_onnx, import_onnx
    from .optuna import OptunaPruning
    from .pytorch import from_torch, load_torch_state_dict, to_torch_state_dict
    from .sklearn import FastnnClassifier, FastnnRegressor, FastnnTransformer

__all__ = [
    "FastnnClassifier",
    "FastnnRegressor",
    "FastnnTransformer",
    "OptunaPruning",
    "export_onnx",
    "from_keras",
    "from_torch",
    "import_onnx",
    "load_torch_state_dict",
    "to_keras",
    "to_torch_state_dict",
]

_PARTS: dict[str, str] = {
    "FastnnClassifier": "sklearn",
    "FastnnRegressor": "sklearn",
    "FastnnTransformer": "sklearn",
    "OptunaPruning": "optuna",
    "export_onnx": "onnx",
    "from_keras": "keras",
    "from_torch": "pytorch",
    "import_onnx": "onnx",
    "load_torch_state_dict": "pytorch",
    "to_keras": "keras",
    "to_torch_state_dict": "pytorch",
}
"""Public names, and the module of this package that each comes from."""

_FORMATS: dict[str, str] = {
    ".h5": "keras",
    ".hdf5": "keras",
    ".keras": "keras",
}
"""Endings of files, and the module of this package that reads and writes them."""

for _suffix, _module in _FORMATS.items():
    formats.enter(_suffix, functools.partial(importlib.import_module, f"{__name__}.{_module}"))

_absent = absent.answer(__name__, depth=2)


if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        """Load a part when it is first asked for, so that nothing is imported for the sake of the others."""
        if name in _PARTS:
            value = getattr(importlib.import_module(f"{__name__}.{_PARTS[name]}"), name)
            globals()[name] = value
            return value
        return _absent(name)


def __dir__() -> list[str]:
    return sorted(__all__)

"""fastnn under the name ``keras``, for scripts that import Keras through TensorFlow: only the package name changes.

``from tensorflow.keras.layers import LSTM`` becomes ``from fastnn.keras.layers import LSTM``; ``tf.keras.Sequential``
and ``tf.data.Dataset`` work after ``import fastnn as tf``. All modules but ``backend`` are those of fastnn itself.

>>> import fastnn as tf
>>> from fastnn.keras.layers import LSTM
>>> tf.keras.layers.LSTM is LSTM is tf.layers.LSTM
True
"""

import importlib
import sys
from typing import TYPE_CHECKING

from .. import (
    absent,
    activations,
    callbacks,
    constraints,
    datasets,
    initializers,
    layers,
    losses,
    metrics,
    models,
    ops,
    optimizers,
    preprocessing,
    random,
    regularizers,
    saving,
    utils,
)
from .._version import __version__
from ..layers import Input, Layer
from ..models import Model, Sequential

__all__ = [
    "Input",
    "Layer",
    "Model",
    "Sequential",
    "__version__",
    "activations",
    "backend",
    "callbacks",
    "constraints",
    "datasets",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "models",
    "ops",
    "optimizers",
    "preprocessing",
    "random",
    "regularizers",
    "saving",
    "utils",
]

_DEEPER = (
    "datasets.boston_housing",
    "datasets.california_housing",
    "datasets.cifar10",
    "datasets.cifar100",
    "datasets.fashion_mnist",
    "datasets.imdb",
    "datasets.reuters",
    "datasets.mnist",
    "optimizers.schedules",
    "preprocessing.image",
    "preprocessing.sequence",
    "preprocessing.text",
)
_SHARED = [name for name in __all__ if name.islower() and name not in ("__version__", "backend")]
for _name in (*_SHARED, *_DEEPER):  # so that import finds them under this module
    sys.modules[f"{__name__}.{_name}"] = importlib.import_module(f"fastnn.{_name}")

from . import backend  # noqa: E402 (the module of this package; fastnn.backend is another)

if not TYPE_CHECKING:
    __getattr__ = absent.answer(__name__)

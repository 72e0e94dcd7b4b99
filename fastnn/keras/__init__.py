"""fastnn under the name ``keras``, for scripts that import Keras through TensorFlow: only the package name changes.

``from tensorflow.keras.layers import LSTM`` becomes ``from fastnn.keras.layers import LSTM``; ``tf.keras.Sequential``
and ``tf.data.Dataset`` work after ``import fastnn as tf``. All modules are those of fastnn itself.

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
from ..layers import Input, Layer
from ..models import Model, Sequential

__all__ = [
    "Input",
    "Layer",
    "Model",
    "Sequential",
    "activations",
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
    "datasets.fashion_mnist",
    "datasets.mnist",
    "optimizers.schedules",
    "preprocessing.sequence",
    "preprocessing.text",
)
for _name in (*(name for name in __all__ if name.islower()), *_DEEPER):  # so that import finds them under this module
    sys.modules[f"{__name__}.{_name}"] = importlib.import_module(f"fastnn.{_name}")

if not TYPE_CHECKING:
    __getattr__ = absent.answer(__name__)

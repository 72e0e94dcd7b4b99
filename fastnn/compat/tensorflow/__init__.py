"""TensorFlow's words: ``import fastnn.compat.tensorflow as tf`` where a script has ``import tensorflow as tf``.

``tf.keras`` is ``fastnn.keras`` itself.

>>> import fastnn
>>> import fastnn.compat.tensorflow as tf
>>> from fastnn.compat.tensorflow.keras.layers import Dense
>>> tf.keras.layers.Dense is Dense is fastnn.layers.Dense
True
"""

import sys
from typing import TYPE_CHECKING

from ... import absent, keras
from ..._version import __version__ as _version
from . import config, data
from .functions import autograph, function
from .words import INSTEAD

__all__ = ["__version__", "autograph", "config", "data", "function", "keras"]

__version__ = f"2.21.0+fastnn.{_version}"
"""The TensorFlow whose words these are, for scripts that compare; then that of fastnn."""

for _name in [name for name in sys.modules if name == keras.__name__ or name.startswith(f"{keras.__name__}.")]:
    sys.modules[__name__ + _name.removeprefix("fastnn")] = sys.modules[_name]  # so that import finds them below tf

absent.INSTEAD.setdefault("compat.tensorflow", INSTEAD)

if not TYPE_CHECKING:
    __getattr__ = absent.answer(__name__)

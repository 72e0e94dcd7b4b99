"""Other people's words for what fastnn has: scripts written for TensorFlow or Keras, and the classes of books.

``import fastnn.compat.tensorflow as tf`` changes one line of a script; ``install()`` lets it stay untouched.

>>> import fastnn.compat.tensorflow as tf
>>> float(tf.reduce_sum(tf.constant([1.0, 2.0])))
3.0
"""

import importlib
from typing import TYPE_CHECKING, Any

from .. import absent
from .installing import install, uninstall

if TYPE_CHECKING:
    from . import book, tensorflow

__all__ = ["book", "install", "tensorflow", "uninstall"]

_MODULES = ("book", "tensorflow")
_absent = absent.answer(__name__, depth=2)

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        """Load a part when it is first asked for."""
        if name in _MODULES:
            return importlib.import_module(f"{__name__}.{name}")
        return _absent(name)


def __dir__() -> list[str]:
    return sorted(__all__)

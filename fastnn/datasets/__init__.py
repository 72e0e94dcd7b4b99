"""Data sets used by the examples, the demo and the lessons.

========================  ==============================================================
``mnist``                 handwritten digits, 60,000 + 10,000, read from IDX or .npz files
``fashion_mnist``         clothing, the same shapes, with ``class_names``
``digits``                digits drawn from strokes: no file, no network, any number
``nsmc``                  Korean film reviews, positive or negative, 150,000 + 50,000
``sst2``                  English sentences about films, positive or negative, 9,613
``korsts``                pairs of Korean sentences, similarity 0 to 5
``tiny_shakespeare``      a text of 1.1 million characters
``temperature``           a series: the minimum temperature of 3,650 days
``pollution``             a series: fine dust and weather in 43,824 hours
========================  ==============================================================

Each module has ``load_data()``. For images it returns ``(x_train, y_train), (x_test, y_test)`` as uint8 arrays, and
downloads a set that it does not find. The other sets are read from files that you put in place yourself.
"""

from typing import TYPE_CHECKING

from .. import absent
from . import digits, fashion_mnist, korsts, mnist, nsmc, pollution, sst2, temperature, tiny_shakespeare

__all__ = ["digits", "fashion_mnist", "korsts", "mnist", "nsmc", "pollution", "sst2", "temperature", "tiny_shakespeare"]

if not TYPE_CHECKING:
    __getattr__ = absent.answer(__name__)

"""Data sets that the examples, the demo and the lessons train on.

========================  ==============================================================
``mnist``                 handwritten digits, 60,000 + 10,000, read from IDX or .npz files
``fashion_mnist``         articles of clothing, the same shapes, with ``class_names``
``digits``                digits drawn from strokes: no file, no network, any number
``nsmc``                  Korean reviews of films, good or bad, 150,000 + 50,000
``korsts``                pairs of Korean sentences, 0 to 5 alike
``tiny_shakespeare``      a text of 1.1 million characters
``temperature``           a series: the lowest temperature of 3,650 days
``pollution``             a series: fine dust and weather in 43,824 hours
========================  ==============================================================

Each has ``load_data()``. Of images it gives ``(x_train, y_train), (x_test, y_test)`` as uint8 arrays, and what is found
nowhere is downloaded; the others are read from files that somebody has put into place.
"""

from .. import absent
from . import digits, fashion_mnist, korsts, mnist, nsmc, pollution, temperature, tiny_shakespeare

__all__ = ["digits", "fashion_mnist", "korsts", "mnist", "nsmc", "pollution", "temperature", "tiny_shakespeare"]

__getattr__ = absent.answer(__name__)

"""Data sets that the examples, the demo and the lessons train on.

========================  ==============================================================
``mnist``                 handwritten digits, 60,000 + 10,000, read from IDX or .npz files
``fashion_mnist``         articles of clothing, the same shapes, with ``class_names``
``digits``                digits drawn from strokes: no file, no network, any number
========================  ==============================================================

Each has ``load_data()``, which gives ``(x_train, y_train), (x_test, y_test)`` as uint8 arrays.
"""

from . import digits, fashion_mnist, mnist

__all__ = ["digits", "fashion_mnist", "mnist"]

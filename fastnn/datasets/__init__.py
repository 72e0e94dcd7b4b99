"""Data sets used by the examples, the demo and the lessons.

========================  ==============================================================
``mnist``                 handwritten digits, 60,000 + 10,000, read from IDX or .npz files
``fashion_mnist``         clothing, the same shapes, with ``class_names``
``cifar10``, ``cifar100``  photographs of 32×32 pixels, 50,000 + 10,000, of 10 or 100 classes
``digits``                digits drawn from strokes: no file, no network, any number
``nsmc``                  Korean film reviews, positive or negative, 150,000 + 50,000
``sst2``                  English sentences about films, positive or negative, 9,613
``korsts``                pairs of Korean sentences, similarity 0 to 5
``tiny_shakespeare``      a text of 1.1 million characters
``imdb``                  film reviews as numbers of words, positive or negative, 25,000 + 25,000
``reuters``               news as numbers of words, of 46 topics, 11,228
``boston_housing``        a table of 506 rows; ``california_housing``: of 20,640
``temperature``           a series: the minimum temperature of 3,650 days
``pollution``             a series: fine dust and weather in 43,824 hours
========================  ==============================================================

Each module has ``load_data()``. For images it returns ``(x_train, y_train), (x_test, y_test)`` as uint8 arrays, and
downloads a set that it does not find. The other sets are read from files that you put in place yourself.
"""

from typing import TYPE_CHECKING

from .. import absent
from . import (
    boston_housing,
    california_housing,
    cifar10,
    cifar100,
    digits,
    fashion_mnist,
    imdb,
    korsts,
    mnist,
    nsmc,
    pollution,
    reuters,
    sst2,
    temperature,
    tiny_shakespeare,
)

__all__ = [
    "boston_housing",
    "california_housing",
    "cifar10",
    "cifar100",
    "digits",
    "fashion_mnist",
    "imdb",
    "korsts",
    "mnist",
    "nsmc",
    "pollution",
    "reuters",
    "sst2",
    "temperature",
    "tiny_shakespeare",
]

if not TYPE_CHECKING:
    __getattr__ = absent.answer(__name__)

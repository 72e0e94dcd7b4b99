"""Fashion-MNIST: 70,000 images of clothing, 28×28 grey pixels (Zalando; MIT licence)."""

from __future__ import annotations

import os
from pathlib import Path

from ._images import Arrays, ImageSet

__all__ = ["class_names", "find", "load_data"]

class_names: list[str] = [
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
]
"""The names of the ten classes, in label order."""

_SET = ImageSet(
    folder="fashion-mnist",
    npz="fashion-mnist.npz",
    mirrors=(
        "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
        "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
    ),
    files=(
        (26_421_880, "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
        (29_515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
        (4_422_102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
        (5_148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
    ),
)


def load_data(path: str | os.PathLike[str] | None = None) -> Arrays:
    """Load Fashion-MNIST: ``(x_train, y_train), (x_test, y_test)``.

    Parameters
    ----------
    path : folder with the four IDX files (.gz or unpacked) or ``fashion-mnist.npz``, or such an .npz file.
        By default the set is searched for in ``$FASTNN_DATA`` and in the user's cache, and downloaded into
        the cache (31 MB) if it is in neither.

    Returns
    -------
    x_train : uint8 (60000, 28, 28), grey values 0 (background) to 255
    y_train : uint8 (60000,), labels 0 to 9; ``class_names[label]`` is the name
    x_test : uint8 (10000, 28, 28)
    y_test : uint8 (10000,)

    Raises
    ------
    FileNotFoundError
        If ``path`` does not hold the set.
    ConnectionError
        If the set is not found and cannot be downloaded; the message says which files to put where.
    ValueError
        If a file is damaged.

    Notes
    -----
    Source: H. Xiao, K. Rasul, R. Vollgraf, "Fashion-MNIST: a novel image dataset for benchmarking machine
    learning algorithms", arXiv:1708.07747.

    Examples
    --------
    >>> from fastnn.datasets import fashion_mnist
    >>> (x_train, y_train), (x_test, y_test) = fashion_mnist.load_data()  # doctest: +SKIP
    >>> fashion_mnist.class_names[9]
    'Ankle boot'
    """
    return _SET.load(path)


def find(path: str | os.PathLike[str] | None = None) -> Path | None:
    """Return the place that ``load_data(path)`` would read from, or ``None`` if it would have to download the set.

    Examples
    --------
    >>> from fastnn.datasets import fashion_mnist
    >>> fashion_mnist.find("/a/folder/that/is/not/there") is None
    True
    """
    return _SET.find(path)

"""MNIST: 70,000 handwritten digits of 28×28 grey pixels (LeCun, Cortes, Burges; CC BY-SA 3.0)."""

from __future__ import annotations

import os
from pathlib import Path

from ._images import Arrays, ImageSet

__all__ = ["class_names", "find", "load_data"]

class_names: list[str] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]
"""The names of the ten classes, in label order."""

_SET = ImageSet(
    folder="mnist",
    npz="mnist.npz",
    mirrors=("https://storage.googleapis.com/cvdf-datasets/mnist/", "https://ossci-datasets.s3.amazonaws.com/mnist/"),
    files=(
        (9_912_422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
        (28_881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
        (1_648_877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
        (4_542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
    ),
)


def load_data(path: str | os.PathLike[str] | None = None) -> Arrays:
    """Load MNIST: ``(x_train, y_train), (x_test, y_test)``.

    Parameters
    ----------
    path : folder with the four IDX files (.gz or unpacked) or ``mnist.npz``, or such an .npz file.
        By default the set is searched for in ``$FASTNN_DATA`` and in the user's cache, and downloaded into
        the cache (12 MB) if it is in neither.

    Returns
    -------
    x_train : uint8 (60000, 28, 28), grey values 0 (background) to 255 (ink)
    y_train : uint8 (60000,), labels 0 to 9
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
    Source: Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-based learning applied to document
    recognition", Proceedings of the IEEE 86, 1998.

    Examples
    --------
    >>> from fastnn.datasets import mnist
    >>> (x_train, y_train), (x_test, y_test) = mnist.load_data()  # doctest: +SKIP
    >>> x_train.shape, x_train.dtype  # doctest: +SKIP
    ((60000, 28, 28), dtype('uint8'))
    """
    return _SET.load(path)


def find(path: str | os.PathLike[str] | None = None) -> Path | None:
    """Return the place that ``load_data(path)`` would read from, or ``None`` if it would have to download the set.

    Examples
    --------
    >>> from fastnn.datasets import mnist
    >>> mnist.find("/a/folder/that/is/not/there") is None
    True
    """
    return _SET.find(path)

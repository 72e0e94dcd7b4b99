"""The layers of both books' ``common/layers.py``: ``from fastnn.compat.book.layers import *``."""

from . import functions
from ._activations import Relu, Sigmoid, Softmax
from ._affine import Affine, MatMul
from ._batch_normalization import BatchNormalization
from ._convolution import Convolution, Pooling
from ._dropout import Dropout
from ._embedding import Embedding
from ._losses import SigmoidWithLoss, SoftmaxWithLoss
from .functions import *  # noqa: F403  (as in the books: who imports the layers has the functions too)
from .util import col2im, im2col

__all__ = [
    "Affine",
    "BatchNormalization",
    "Convolution",
    "Dropout",
    "Embedding",
    "MatMul",
    "Pooling",
    "Relu",
    "Sigmoid",
    "SigmoidWithLoss",
    "Softmax",
    "SoftmaxWithLoss",
    "col2im",
    "im2col",
]
__all__ += functions.__all__

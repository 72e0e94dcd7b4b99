"""The books' classes in plain NumPy, written from their formulas, which fastnn.compat.book must agree with.

They compute as the books do: windows copied into a matrix, a layer for each time step, an array for each intermediate
value.
"""

from tests.compat.book.plain.images import BatchNormalization, Convolution, Pooling, col2im, im2col
from tests.compat.book.plain.layers import (
    Affine,
    Dropout,
    Embedding,
    MatMul,
    Relu,
    Sigmoid,
    SigmoidWithLoss,
    Softmax,
    SoftmaxWithLoss,
    TimeAffine,
    TimeDropout,
    TimeEmbedding,
    TimeSoftmaxWithLoss,
)
from tests.compat.book.plain.recurrent import TimeBiLSTM, TimeGRU, TimeLSTM, TimeRNN
from tests.compat.book.plain.training import (
    SGD,
    AdaGrad,
    Adam,
    Momentum,
    Nesterov,
    RMSprop,
    clip_grads,
    remove_duplicate,
)
from tests.compat.book.plain.words import EmbeddingDot, NegativeSamplingLoss, TimeAttention, UnigramSampler

__all__ = [
    "SGD",
    "AdaGrad",
    "Adam",
    "Affine",
    "BatchNormalization",
    "Convolution",
    "Dropout",
    "Embedding",
    "EmbeddingDot",
    "MatMul",
    "Momentum",
    "NegativeSamplingLoss",
    "Nesterov",
    "Pooling",
    "RMSprop",
    "Relu",
    "Sigmoid",
    "SigmoidWithLoss",
    "Softmax",
    "SoftmaxWithLoss",
    "TimeAffine",
    "TimeAttention",
    "TimeBiLSTM",
    "TimeDropout",
    "TimeEmbedding",
    "TimeGRU",
    "TimeLSTM",
    "TimeRNN",
    "TimeSoftmaxWithLoss",
    "UnigramSampler",
    "clip_grads",
    "col2im",
    "im2col",
    "remove_duplicate",
]

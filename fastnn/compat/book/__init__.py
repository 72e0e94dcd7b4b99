"""The classes of the books "Deep Learning from Scratch" 1 and 2 over compiled kernels.

A book's script runs with its imports changed: ``from common.layers import *`` becomes
``from fastnn.compat.book.layers import *``. Names, arguments, ``params`` and ``grads``, the order of gates, images
(N, C, H, W) and the protocol of ``forward`` and ``backward`` are the books'. All names are here too.

    >>> import numpy as np
    >>> from fastnn.compat.book import Affine, Relu
    >>> layers = [Affine(np.ones((2, 1)), np.zeros(1)), Relu()]
    >>> x = np.array([[1.0, 2.0]])
    >>> for layer in layers:
    ...     x = layer.forward(x)
    >>> x
    array([[3.]])
"""

from .attention_layer import Attention, AttentionWeight, TimeAttention, WeightSum
from .base_model import BaseModel
from .functions import (
    cross_entropy_error,
    identity_function,
    mean_squared_error,
    relu,
    relu_grad,
    sigmoid,
    sigmoid_grad,
    softmax,
    softmax_loss,
    step_function,
    sum_squared_error,
)
from .gradient import numerical_gradient, numerical_gradient_2d
from .layers import (
    Affine,
    BatchNormalization,
    Convolution,
    Dropout,
    Embedding,
    MatMul,
    Pooling,
    Relu,
    Sigmoid,
    SigmoidWithLoss,
    Softmax,
    SoftmaxWithLoss,
)
from .multi_layer_net import MultiLayerNet
from .multi_layer_net_extend import MultiLayerNetExtend
from .negative_sampling_layer import EmbeddingDot, NegativeSamplingLoss, UnigramSampler
from .optimizer import SGD, AdaGrad, Adam, Momentum, Nesterov, RMSprop
from .time_layers import (
    GRU,
    LSTM,
    RNN,
    TimeAffine,
    TimeBiLSTM,
    TimeDropout,
    TimeEmbedding,
    TimeGRU,
    TimeLSTM,
    TimeRNN,
    TimeSigmoidWithLoss,
    TimeSoftmaxWithLoss,
)
from .trainer import RnnlmTrainer, Trainer, remove_duplicate
from .util import (
    analogy,
    clip_grads,
    col2im,
    conv_output_size,
    convert_one_hot,
    cos_similarity,
    create_co_matrix,
    create_contexts_target,
    eval_perplexity,
    eval_seq2seq,
    im2col,
    most_similar,
    normalize,
    ppmi,
    preprocess,
    shuffle_dataset,
    smooth_curve,
    to_cpu,
    to_gpu,
)

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "SGD",
    "AdaGrad",
    "Adam",
    "Affine",
    "Attention",
    "AttentionWeight",
    "BaseModel",
    "BatchNormalization",
    "Convolution",
    "Dropout",
    "Embedding",
    "EmbeddingDot",
    "MatMul",
    "Momentum",
    "MultiLayerNet",
    "MultiLayerNetExtend",
    "NegativeSamplingLoss",
    "Nesterov",
    "Pooling",
    "RMSprop",
    "Relu",
    "RnnlmTrainer",
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
    "TimeSigmoidWithLoss",
    "TimeSoftmaxWithLoss",
    "Trainer",
    "UnigramSampler",
    "WeightSum",
    "analogy",
    "clip_grads",
    "col2im",
    "conv_output_size",
    "convert_one_hot",
    "cos_similarity",
    "create_co_matrix",
    "create_contexts_target",
    "cross_entropy_error",
    "eval_perplexity",
    "eval_seq2seq",
    "identity_function",
    "im2col",
    "mean_squared_error",
    "most_similar",
    "normalize",
    "numerical_gradient",
    "numerical_gradient_2d",
    "ppmi",
    "preprocess",
    "relu",
    "relu_grad",
    "remove_duplicate",
    "shuffle_dataset",
    "sigmoid",
    "sigmoid_grad",
    "smooth_curve",
    "softmax",
    "softmax_loss",
    "step_function",
    "sum_squared_error",
    "to_cpu",
    "to_gpu",
]

"""Layers: parameters and calls to the kernels.  One idea a file; ``base.py`` says what every layer is."""

from ..text import TextVectorization
from .activation import ELU, Activation, LeakyReLU, ReLU, Softmax
from .base import Layer, Parameter
from .bidirectional import Bidirectional
from .conv1d import Conv1D
from .conv2d import Conv2D
from .dense import Dense
from .depthwise_conv2d import DepthwiseConv2D, SeparableConv2D
from .dropout import Dropout, SpatialDropout1D
from .embedding import Embedding
from .global_pooling import GlobalAveragePooling2D, GlobalMaxPooling2D
from .global_pooling1d import GlobalAveragePooling1D, GlobalMaxPooling1D
from .gru import GRU, GRUCell
from .input_layer import Input, InputLayer
from .lengths import Cropping1D, UpSampling1D, ZeroPadding1D
from .lstm import LSTM, LSTMCell
from .masking import Masking
from .output_rnn import OutputRNNCell
from .pooling import AveragePooling2D, MaxPooling2D, StochasticPooling2D
from .pooling1d import AveragePooling1D, MaxPooling1D
from .repeat_vector import RepeatVector
from .rnn import RNN
from .shaping import Flatten, Reshape
from .simple_rnn import SimpleRNN, SimpleRNNCell
from .stacked_cells import StackedRNNCells
from .time_distributed import TimeDistributed
from .zero_padding2d import ZeroPadding2D

AvgPool1D = AveragePooling1D
AvgPool2D = AveragePooling2D
Convolution1D = Conv1D
Convolution2D = Conv2D
DepthwiseConvolution2D = DepthwiseConv2D
GlobalAvgPool1D = GlobalAveragePooling1D
GlobalAvgPool2D = GlobalAveragePooling2D
GlobalMaxPool1D = GlobalMaxPooling1D
GlobalMaxPool2D = GlobalMaxPooling2D
MaxPool1D = MaxPooling1D
MaxPool2D = MaxPooling2D
SeparableConvolution2D = SeparableConv2D

__all__ = [
    "ELU",
    "GRU",
    "LSTM",
    "RNN",
    "Activation",
    "AveragePooling1D",
    "AveragePooling2D",
    "AvgPool1D",
    "AvgPool2D",
    "Bidirectional",
    "Conv1D",
    "Conv2D",
    "Convolution1D",
    "Convolution2D",
    "Cropping1D",
    "Dense",
    "DepthwiseConv2D",
    "DepthwiseConvolution2D",
    "Dropout",
    "Embedding",
    "Flatten",
    "GRUCell",
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "GlobalAvgPool1D",
    "GlobalAvgPool2D",
    "GlobalMaxPool1D",
    "GlobalMaxPool2D",
    "GlobalMaxPooling1D",
    "GlobalMaxPooling2D",
    "Input",
    "InputLayer",
    "LSTMCell",
    "Layer",
    "LeakyReLU",
    "Masking",
    "MaxPool1D",
    "MaxPool2D",
    "MaxPooling1D",
    "MaxPooling2D",
    "OutputRNNCell",
    "Parameter",
    "ReLU",
    "RepeatVector",
    "Reshape",
    "SeparableConv2D",
    "SeparableConvolution2D",
    "SimpleRNN",
    "SimpleRNNCell",
    "Softmax",
    "SpatialDropout1D",
    "StackedRNNCells",
    "StochasticPooling2D",
    "TimeDistributed",
    "TextVectorization",
    "UpSampling1D",
    "ZeroPadding1D",
    "ZeroPadding2D",
]

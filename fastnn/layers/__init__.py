"""Layers: parameters and calls to the kernels.  One idea a file; ``base.py`` says what every layer is."""

from .activation import ELU, Activation, LeakyReLU, ReLU, Softmax
from .base import Layer, Parameter
from .conv2d import Conv2D
from .dense import Dense
from .depthwise_conv2d import DepthwiseConv2D, SeparableConv2D
from .dropout import Dropout
from .embedding import Embedding
from .global_pooling import GlobalAveragePooling2D, GlobalMaxPooling2D
from .input_layer import Input, InputLayer
from .masking import Masking
from .pooling import AveragePooling2D, MaxPooling2D, StochasticPooling2D
from .shaping import Flatten, Reshape
from .zero_padding2d import ZeroPadding2D

AvgPool2D = AveragePooling2D
Convolution2D = Conv2D
DepthwiseConvolution2D = DepthwiseConv2D
GlobalAvgPool2D = GlobalAveragePooling2D
GlobalMaxPool2D = GlobalMaxPooling2D
MaxPool2D = MaxPooling2D
SeparableConvolution2D = SeparableConv2D

__all__ = [
    "ELU",
    "Activation",
    "AveragePooling2D",
    "AvgPool2D",
    "Conv2D",
    "Convolution2D",
    "Dense",
    "DepthwiseConv2D",
    "DepthwiseConvolution2D",
    "Dropout",
    "Embedding",
    "Flatten",
    "GlobalAveragePooling2D",
    "GlobalAvgPool2D",
    "GlobalMaxPool2D",
    "GlobalMaxPooling2D",
    "Input",
    "InputLayer",
    "Layer",
    "LeakyReLU",
    "Masking",
    "MaxPool2D",
    "MaxPooling2D",
    "Parameter",
    "ReLU",
    "Reshape",
    "SeparableConv2D",
    "SeparableConvolution2D",
    "Softmax",
    "StochasticPooling2D",
    "ZeroPadding2D",
]

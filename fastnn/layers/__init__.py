"""Layers: parameters and calls to the kernels.  One idea a file; ``base.py`` says what every layer is."""

from typing import TYPE_CHECKING

from .. import absent
from .attention.attention import AdditiveAttention, Attention
from .attention.group_query_attention import GroupQueryAttention
from .attention.multi_head_attention import MultiHeadAttention
from .base import Layer, Parameter
from .convolution.conv1d import Conv1D
from .convolution.conv1d_transpose import Conv1DTranspose
from .convolution.conv2d import Conv2D
from .convolution.conv2d_transpose import Conv2DTranspose
from .convolution.depthwise_conv1d import DepthwiseConv1D, SeparableConv1D
from .convolution.depthwise_conv2d import DepthwiseConv2D, SeparableConv2D
from .core.activation import ELU, Activation, LeakyReLU, ReLU, Softmax
from .core.dense import Dense
from .core.einsum_dense import EinsumDense
from .core.embedding import Embedding
from .core.identity import Identity
from .core.input_layer import Input, InputLayer
from .core.lambda_layer import Lambda
from .core.masking import Masking
from .core.positions import PositionEmbedding, SinePositionEncoding
from .core.prelu import PReLU
from .core.token_and_position_embedding import TokenAndPositionEmbedding
from .merging.concatenate import Concatenate, concatenate
from .merging.dot import Dot, dot
from .merging.elementwise import (
    Add,
    Average,
    Maximum,
    Minimum,
    Multiply,
    Subtract,
    add,
    average,
    maximum,
    minimum,
    multiply,
    subtract,
)
from .normalization.batch_normalization import BatchNormalization
from .normalization.group_normalization import GroupNormalization
from .normalization.layer_normalization import LayerNormalization
from .normalization.rms_normalization import RMSNormalization
from .normalization.unit_normalization import UnitNormalization
from .pooling.global_pooling1d import GlobalAveragePooling1D, GlobalMaxPooling1D
from .pooling.global_pooling2d import GlobalAveragePooling2D, GlobalMaxPooling2D
from .pooling.pooling1d import AveragePooling1D, MaxPooling1D
from .pooling.pooling2d import AveragePooling2D, MaxPooling2D, StochasticPooling2D
from .preprocessing.category_encoding import CategoryEncoding
from .preprocessing.crops import CenterCrop, RandomCrop, Resizing
from .preprocessing.discretization import Discretization
from .preprocessing.hashed_crossing import HashedCrossing
from .preprocessing.hashing import Hashing
from .preprocessing.integer_lookup import IntegerLookup
from .preprocessing.mix_up import MixUp
from .preprocessing.normalization import Normalization
from .preprocessing.random_affine import RandomRotation, RandomShear, RandomTranslation, RandomZoom
from .preprocessing.random_color import RandomBrightness, RandomContrast
from .preprocessing.random_erasing import RandomErasing
from .preprocessing.random_flip import RandomFlip
from .preprocessing.rescaling import Rescaling
from .preprocessing.string_lookup import StringLookup
from .preprocessing.text_vectorization import TextVectorization
from .recurrent.bidirectional import Bidirectional
from .recurrent.gru import GRU, GRUCell
from .recurrent.lstm import LSTM, LSTMCell
from .recurrent.output_rnn import OutputRNNCell
from .recurrent.rnn import RNN
from .recurrent.simple_rnn import SimpleRNN, SimpleRNNCell
from .recurrent.stacked_cells import StackedRNNCells
from .recurrent.time_distributed import TimeDistributed
from .regularization.activity_regularization import ActivityRegularization
from .regularization.alpha_dropout import AlphaDropout
from .regularization.dropout import Dropout, SpatialDropout1D, SpatialDropout2D
from .regularization.noise import GaussianDropout, GaussianNoise
from .reshaping.flatten_reshape import Flatten, Reshape
from .reshaping.permute import Permute
from .reshaping.repeat_vector import RepeatVector
from .reshaping.resize1d import Cropping1D, UpSampling1D, ZeroPadding1D
from .reshaping.up_sampling2d import UpSampling2D
from .reshaping.zero_padding2d import Cropping2D, ZeroPadding2D

AvgPool1D = AveragePooling1D
AvgPool2D = AveragePooling2D
Convolution1D = Conv1D
Convolution1DTranspose = Conv1DTranspose
Convolution2D = Conv2D
Convolution2DTranspose = Conv2DTranspose
DepthwiseConvolution2D = DepthwiseConv2D
GlobalAvgPool1D = GlobalAveragePooling1D
GlobalAvgPool2D = GlobalAveragePooling2D
GlobalMaxPool1D = GlobalMaxPooling1D
GlobalMaxPool2D = GlobalMaxPooling2D
MaxPool1D = MaxPooling1D
MaxPool2D = MaxPooling2D
SeparableConvolution1D = SeparableConv1D
SeparableConvolution2D = SeparableConv2D

__all__ = [
    "ELU",
    "GRU",
    "LSTM",
    "RNN",
    "Activation",
    "ActivityRegularization",
    "Add",
    "AlphaDropout",
    "Average",
    "AveragePooling1D",
    "AveragePooling2D",
    "AvgPool1D",
    "AvgPool2D",
    "BatchNormalization",
    "Bidirectional",
    "CategoryEncoding",
    "CenterCrop",
    "Concatenate",
    "Conv1D",
    "Conv1DTranspose",
    "Conv2D",
    "Conv2DTranspose",
    "Convolution1D",
    "Convolution1DTranspose",
    "Convolution2D",
    "Convolution2DTranspose",
    "Cropping1D",
    "Cropping2D",
    "Dense",
    "DepthwiseConv1D",
    "DepthwiseConv2D",
    "DepthwiseConvolution2D",
    "Discretization",
    "Dot",
    "Dropout",
    "EinsumDense",
    "Embedding",
    "Flatten",
    "GRUCell",
    "GaussianDropout",
    "GaussianNoise",
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "GlobalAvgPool1D",
    "GlobalAvgPool2D",
    "GlobalMaxPool1D",
    "GlobalMaxPool2D",
    "GlobalMaxPooling1D",
    "GlobalMaxPooling2D",
    "GroupNormalization",
    "HashedCrossing",
    "Hashing",
    "Identity",
    "Input",
    "InputLayer",
    "LSTMCell",
    "IntegerLookup",
    "Lambda",
    "Layer",
    "LayerNormalization",
    "LeakyReLU",
    "Masking",
    "MaxPool1D",
    "MaxPool2D",
    "MaxPooling1D",
    "MaxPooling2D",
    "Maximum",
    "Minimum",
    "MixUp",
    "Multiply",
    "Normalization",
    "OutputRNNCell",
    "PReLU",
    "Parameter",
    "Permute",
    "PositionEmbedding",
    "RMSNormalization",
    "RandomBrightness",
    "RandomContrast",
    "RandomCrop",
    "RandomErasing",
    "RandomFlip",
    "RandomRotation",
    "RandomShear",
    "RandomTranslation",
    "RandomZoom",
    "ReLU",
    "RepeatVector",
    "Rescaling",
    "Reshape",
    "Resizing",
    "SeparableConv1D",
    "SeparableConv2D",
    "SeparableConvolution1D",
    "SeparableConvolution2D",
    "SimpleRNN",
    "SimpleRNNCell",
    "SinePositionEncoding",
    "Softmax",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "StackedRNNCells",
    "StochasticPooling2D",
    "StringLookup",
    "Subtract",
    "TextVectorization",
    "TimeDistributed",
    "TokenAndPositionEmbedding",
    "UnitNormalization",
    "UpSampling1D",
    "UpSampling2D",
    "ZeroPadding1D",
    "ZeroPadding2D",
    "add",
    "average",
    "concatenate",
    "dot",
    "maximum",
    "minimum",
    "multiply",
    "subtract",
    "AdditiveAttention",
    "Attention",
    "GroupQueryAttention",
    "MultiHeadAttention",
]

if not TYPE_CHECKING:
    __getattr__ = absent.answer(__name__)

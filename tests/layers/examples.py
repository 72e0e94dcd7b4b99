"""One or more examples of every layer class: what the sweep of test_every_layer.py runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from fastnn import layers

__all__ = ["EXAMPLES", "PREPARING", "Example", "classes", "data"]

ROWS, IMAGE, SERIES, IDS = (3, 5), (2, 7, 8, 4), (2, 9, 4), (3, 6)
CHANNELS_FIRST = {"data_format": "channels_first"}


class Example(NamedTuple):
    """``make(**settings)`` gives the layer; ``shape`` is that of its input, or a list of shapes of its inputs."""

    make: Callable[..., Any]
    shape: Any
    options: dict[str, Any] = {}  # of the call  # noqa: RUF012


def of(cls: Any, shape: Any, *arguments: Any, call: dict[str, Any] | None = None, **named: Any) -> Example:
    return Example(lambda **settings: cls(*arguments, **named, **settings), shape, call or {})


def cell(cls: Any, *arguments: Any, **named: Any) -> Example:
    """A cell takes one step; an RNN runs it over a sequence."""
    return Example(lambda **k: layers.RNN(cls(*arguments, **named, **k), return_sequences=True, **k), SERIES)


EXAMPLES: dict[str, list[Example]] = {
    "Activation": [of(layers.Activation, ROWS, "gelu")],
    "ActivityRegularization": [of(layers.ActivityRegularization, ROWS, 0.1, 0.2)],
    "Add": [of(layers.Add, [ROWS, ROWS, ROWS])],
    "AdditiveAttention": [
        of(layers.AdditiveAttention, [SERIES, (2, 5, 4)]),
        of(
            layers.AdditiveAttention,
            [SERIES, (2, 5, 3), (2, 5, 4)],
            use_scale=False,
            dropout=0.3,
            call={"return_attention_scores": True, "use_causal_mask": True},
        ),
    ],
    "AlphaDropout": [of(layers.AlphaDropout, SERIES, 0.3), of(layers.AlphaDropout, SERIES, 0.3, (None, 1, None))],
    "Attention": [
        of(layers.Attention, [SERIES, (2, 5, 4)], use_scale=True, call={"return_attention_scores": True}),
        of(layers.Attention, [SERIES, (2, 5, 3), (2, 5, 4)], dropout=0.3, call={"use_causal_mask": True}),
        of(layers.Attention, [SERIES, (2, 5, 4)], True, "concat", 0.2, seed=4, call={"return_attention_scores": True}),
    ],
    "Average": [of(layers.Average, [ROWS, ROWS])],
    "AveragePooling1D": [of(layers.AveragePooling1D, SERIES, 3, strides=2, padding="same")],
    "AveragePooling2D": [of(layers.AveragePooling2D, IMAGE, (3, 2), **CHANNELS_FIRST)],
    "BatchNormalization": [of(layers.BatchNormalization, IMAGE), of(layers.BatchNormalization, SERIES, axis=1)],
    "Bidirectional": [
        Example(lambda **k: layers.Bidirectional(layers.LSTM(3, return_sequences=True, **k), **k), SERIES),
        Example(lambda **k: layers.Bidirectional(layers.GRU(3, dropout=0.3, **k), merge_mode="sum", **k), SERIES),
    ],
    "Concatenate": [of(layers.Concatenate, [SERIES, SERIES]), of(layers.Concatenate, [SERIES, (2, 5, 4)], axis=1)],
    "Conv1D": [of(layers.Conv1D, SERIES, 3, 4, padding="causal", dilation_rate=2, activation="tanh")],
    "Conv2D": [of(layers.Conv2D, IMAGE, 3, (3, 2), strides=2, padding="same", activation="relu")],
    "Conv1DTranspose": [
        of(layers.Conv1DTranspose, SERIES, 3, 4, strides=2, padding="same", activation="tanh"),
        of(layers.Conv1DTranspose, SERIES, 3, 2, strides=3, output_padding=2, activation="gelu", use_bias=False),
        of(layers.Conv1DTranspose, SERIES, 5, 3, dilation_rate=2, **CHANNELS_FIRST),
    ],
    "Conv2DTranspose": [
        of(layers.Conv2DTranspose, IMAGE, 3, (3, 2), strides=2, padding="same", activation="relu"),
        of(layers.Conv2DTranspose, IMAGE, 5, 3, strides=(1, 4), output_padding=(0, 3), activation="gelu"),
        of(layers.Conv2DTranspose, IMAGE, 3, 2, dilation_rate=(2, 1), **CHANNELS_FIRST),
    ],
    "Cropping1D": [of(layers.Cropping1D, SERIES, (1, 3))],
    "Cropping2D": [of(layers.Cropping2D, IMAGE, ((1, 0), (2, 3))), of(layers.Cropping2D, IMAGE, 1, **CHANNELS_FIRST)],
    "Dense": [of(layers.Dense, ROWS, 4, "relu"), of(layers.Dense, SERIES, 3, "softmax", use_bias=False)],
    "DepthwiseConv1D": [
        of(layers.DepthwiseConv1D, SERIES, 3, strides=2, padding="same", depth_multiplier=2, activation="tanh"),
        of(layers.DepthwiseConv1D, SERIES, 2, dilation_rate=2, activation="gelu", use_bias=False, **CHANNELS_FIRST),
    ],
    "DepthwiseConv2D": [of(layers.DepthwiseConv2D, IMAGE, 3, depth_multiplier=2, activation="tanh")],
    "Dot": [of(layers.Dot, [ROWS, ROWS], 1), of(layers.Dot, [SERIES, SERIES], (2, 2), normalize=True)],
    "Dropout": [of(layers.Dropout, ROWS, 0.4), of(layers.Dropout, SERIES, 0.4, (None, None, 1), seed=3)],
    "ELU": [of(layers.ELU, ROWS, 0.7)],
    "EinsumDense": [
        of(layers.EinsumDense, SERIES, "abc,cde->abde", (None, 2, 3), bias_axes="de", activation="tanh"),
        of(layers.EinsumDense, SERIES, "abc,bcd->abd", (None, 3), bias_axes="bd"),
        of(layers.EinsumDense, IMAGE, "...x,xy->...y", 3, activation="gelu", bias_axes="y"),
    ],
    "Embedding": [of(layers.Embedding, IDS, 7, 4)],
    "Flatten": [of(layers.Flatten, IMAGE), of(layers.Flatten, IMAGE, **CHANNELS_FIRST)],
    "GRU": [
        of(layers.GRU, SERIES, 3, return_sequences=True),
        of(layers.GRU, SERIES, 3, reset_after=False, dropout=0.2),
    ],
    "GRUCell": [cell(layers.GRUCell, 3, recurrent_dropout=0.2)],
    "GaussianDropout": [of(layers.GaussianDropout, ROWS, 0.3)],
    "GaussianNoise": [of(layers.GaussianNoise, ROWS, 0.3)],
    "GlobalAveragePooling1D": [of(layers.GlobalAveragePooling1D, SERIES, keepdims=True)],
    "GlobalAveragePooling2D": [of(layers.GlobalAveragePooling2D, IMAGE, **CHANNELS_FIRST)],
    "GlobalMaxPooling1D": [of(layers.GlobalMaxPooling1D, SERIES)],
    "GlobalMaxPooling2D": [of(layers.GlobalMaxPooling2D, IMAGE, keepdims=True)],
    "GroupQueryAttention": [
        of(layers.GroupQueryAttention, [SERIES, (2, 5, 6)], 3, 4, 2, call={"return_attention_scores": True}),
        of(layers.GroupQueryAttention, [SERIES], 2, 3, 1, dropout=0.3, use_gate=True, call={"use_causal_mask": True}),
    ],
    "GroupNormalization": [
        of(layers.GroupNormalization, IMAGE, 2, gamma_initializer="uniform", beta_initializer="normal"),
        of(layers.GroupNormalization, IMAGE, -1, axis=1, center=False),
    ],
    "Identity": [of(layers.Identity, ROWS)],
    "InputLayer": [of(layers.InputLayer, ROWS, ROWS[1:])],
    "LSTM": [of(layers.LSTM, SERIES, 3, return_sequences=True, recurrent_dropout=0.2), of(layers.LSTM, SERIES, 3)],
    "LSTMCell": [cell(layers.LSTMCell, 3, unit_forget_bias=False)],
    "Lambda": [of(layers.Lambda, ROWS, lambda x: x * x + 1), of(layers.Lambda, [ROWS, ROWS], lambda x: x[0] * x[1])],
    "LayerNormalization": [
        of(layers.LayerNormalization, SERIES),
        of(layers.LayerNormalization, IMAGE, axis=[3, 1], beta_initializer="normal", gamma_initializer="uniform"),
        of(layers.LayerNormalization, IMAGE, axis=(-3, -2, -1), center=False, scale=False),
    ],
    "LeakyReLU": [of(layers.LeakyReLU, ROWS, 0.1)],
    "Masking": [of(layers.Masking, SERIES)],
    "MaxPooling1D": [of(layers.MaxPooling1D, SERIES, 4, padding="same")],
    "MaxPooling2D": [of(layers.MaxPooling2D, IMAGE, 3, strides=2, padding="same")],
    "Maximum": [of(layers.Maximum, [ROWS, ROWS])],
    "Minimum": [of(layers.Minimum, [ROWS, ROWS])],
    "MultiHeadAttention": [
        of(layers.MultiHeadAttention, [SERIES], 2, 3, dropout=0.2, sliding_window=3),
        of(layers.MultiHeadAttention, [SERIES, (2, 5, 6)], 2, 3, 5, output_shape=(2, 3), use_bias=False),
        of(
            layers.MultiHeadAttention,
            [SERIES, (2, 5, 6), (2, 5, 7)],
            2,
            3,
            use_gate=True,
            call={"return_attention_scores": True, "use_causal_mask": True},
        ),
        of(layers.MultiHeadAttention, [(2, 3, 4, 5)], 2, 3, attention_axes=2, call={"return_attention_scores": True}),
        of(layers.MultiHeadAttention, [(2, 3, 4, 5), (2, 2, 6, 5)], 2, 3),
    ],
    "Multiply": [of(layers.Multiply, [ROWS, ROWS, ROWS])],
    "OutputRNNCell": [cell(layers.OutputRNNCell, 5, output_units=3)],
    "PReLU": [of(layers.PReLU, ROWS, "uniform"), of(layers.PReLU, IMAGE, "uniform", shared_axes=[1, 2])],
    "Permute": [of(layers.Permute, IMAGE, (3, 1, 2))],
    "PositionEmbedding": [of(layers.PositionEmbedding, SERIES, 11, call={"start_index": 2})],
    "RMSNormalization": [of(layers.RMSNormalization, SERIES), of(layers.RMSNormalization, IMAGE, axis=[1, 2])],
    "RNN": [cell(lambda u, **k: [layers.LSTMCell(u, **k), layers.SimpleRNNCell(2, activation="gelu", **k)], 3)],
    "ReLU": [of(layers.ReLU, ROWS, max_value=0.5, negative_slope=0.1, threshold=0.2)],
    "RepeatVector": [of(layers.RepeatVector, ROWS, 3)],
    "Rescaling": [of(layers.Rescaling, IMAGE, 1 / 255), of(layers.Rescaling, ROWS, [1, 2, 3, 4, 5], offset=-1.0)],
    "Reshape": [of(layers.Reshape, IMAGE, (7, -1))],
    "SeparableConv1D": [
        of(layers.SeparableConv1D, SERIES, 5, 3, depth_multiplier=2, padding="same", activation="relu"),
        of(layers.SeparableConv1D, SERIES, 3, 4, strides=3, activation="gelu"),
    ],
    "SeparableConv2D": [of(layers.SeparableConv2D, IMAGE, 5, 3, depth_multiplier=2, padding="same")],
    "SimpleRNN": [of(layers.SimpleRNN, SERIES, 3, return_sequences=True, go_backwards=True)],
    "SimpleRNNCell": [cell(layers.SimpleRNNCell, 3, dropout=0.2)],
    "SinePositionEncoding": [of(layers.SinePositionEncoding, SERIES, 100, call={"start_index": 2})],
    "Softmax": [of(layers.Softmax, ROWS), of(layers.Softmax, SERIES, [1, 2])],
    "SpatialDropout1D": [of(layers.SpatialDropout1D, SERIES, 0.4)],
    "SpatialDropout2D": [
        of(layers.SpatialDropout2D, IMAGE, 0.4),
        of(layers.SpatialDropout2D, IMAGE, 0.4, **CHANNELS_FIRST),
    ],
    "StackedRNNCells": [
        cell(lambda u, **k: layers.StackedRNNCells([layers.GRUCell(u, **k), layers.LSTMCell(2, **k)], **k), 3)
    ],
    "StochasticPooling2D": [of(layers.StochasticPooling2D, IMAGE, 2)],
    "Subtract": [of(layers.Subtract, [ROWS, ROWS])],
    "TimeDistributed": [Example(lambda **k: layers.TimeDistributed(layers.Dense(3, "tanh", **k), **k), SERIES)],
    "TokenAndPositionEmbedding": [
        of(layers.TokenAndPositionEmbedding, IDS, 7, 11, 4, mask_zero=True, call={"start_index": 2})
    ],
    "UnitNormalization": [of(layers.UnitNormalization, SERIES), of(layers.UnitNormalization, IMAGE, [1, -1])],
    "UpSampling1D": [of(layers.UpSampling1D, SERIES, 3)],
    "UpSampling2D": [
        of(layers.UpSampling2D, IMAGE, (1, 3)),
        of(layers.UpSampling2D, IMAGE, 2, interpolation="bilinear"),
        of(layers.UpSampling2D, IMAGE, (3, 2), interpolation="bilinear", **CHANNELS_FIRST),
    ],
    "ZeroPadding1D": [of(layers.ZeroPadding1D, SERIES, (1, 3))],
    "ZeroPadding2D": [of(layers.ZeroPadding2D, IMAGE, ((1, 0), (2, 3)))],
}
"""By the name of the class; aliases (AvgPool1D) are not classes of their own."""


PREPARING: dict[str, list[Example]] = {
    "CenterCrop": [of(layers.CenterCrop, IMAGE, 4, 5), of(layers.CenterCrop, IMAGE, 9, 5, **CHANNELS_FIRST)],
    "MixUp": [of(layers.MixUp, IMAGE)],
    "RandomBrightness": [of(layers.RandomBrightness, IMAGE, 0.2, (-100, 100))],
    "RandomContrast": [of(layers.RandomContrast, IMAGE, 0.2, (-100, 100))],
    "RandomCrop": [of(layers.RandomCrop, IMAGE, 4, 5), of(layers.RandomCrop, IMAGE, 9, 9)],
    "RandomErasing": [of(layers.RandomErasing, IMAGE, (1, 1), fill_value=0.5)],
    "RandomFlip": [of(layers.RandomFlip, IMAGE), of(layers.RandomFlip, IMAGE, **CHANNELS_FIRST)],
    "RandomRotation": [of(layers.RandomRotation, IMAGE, 0.3), of(layers.RandomRotation, IMAGE, 0.3, "constant")],
    "RandomShear": [of(layers.RandomShear, IMAGE, 0.3, 0.2)],
    "RandomTranslation": [of(layers.RandomTranslation, IMAGE, 0.3, 0.2, "wrap", **CHANNELS_FIRST)],
    "RandomZoom": [of(layers.RandomZoom, IMAGE, 0.3, interpolation="nearest"), of(layers.RandomZoom, IMAGE, 0.1, 0.4)],
    "Resizing": [
        of(layers.Resizing, IMAGE, 4, 11),
        of(layers.Resizing, IMAGE, 5, 5, pad_to_aspect_ratio=True),
        of(layers.Resizing, IMAGE, 5, 3, "nearest", crop_to_aspect_ratio=True, **CHANNELS_FIRST),
    ],
    "Normalization": [
        of(layers.Normalization, IMAGE),
        of(layers.Normalization, ROWS, None, 0.5, 4.0, invert=True),
    ],
}
"""Layers that prepare data, which no other library but Keras has; for the sweep alone."""


def classes() -> dict[str, type]:
    """Every exported layer class, by its own name; those that prepare data have tests of their own."""
    found = {getattr(layers, name) for name in layers.__all__}
    kinds = {cls for cls in found if isinstance(cls, type) and issubclass(cls, layers.Layer)}
    prepare = {cls for cls in kinds if ".preprocessing." in cls.__module__} - {layers.Rescaling}
    return {cls.__name__: cls for cls in kinds - prepare - {layers.Layer}}


def data(layer: Any, shape: Any, dtype: str, seed: int = 1) -> Any:
    """Inputs for a layer: ids where it takes ids, else normal numbers; a list where it takes several."""
    rng = np.random.default_rng(seed)
    if isinstance(shape, list):
        return [rng.standard_normal(one).astype(dtype) for one in shape]
    return rng.integers(0, 5, shape) if layer.takes_ids else rng.standard_normal(shape).astype(dtype)

"""Models with branches in Keras' functional API, for Keras and for fastnn: ``k`` holds the words of either.

``rate`` is that of dropout, ``last`` the activation of the last layer.
"""

from __future__ import annotations

from typing import Any


def transformer(k: Any, rate: float, last: str | None) -> Any:
    ids = k.Input((100,), dtype="int32")
    x = k.Embedding(10_000, 64)(ids)
    x = k.Add()([x, k.PositionEmbedding(100)(x)])
    for _ in range(2):
        y = k.MultiHeadAttention(num_heads=4, key_dim=16)(x, x)
        x = k.LayerNormalization()(k.Add()([x, k.Dropout(rate)(y)]))
        y = k.Dense(256, activation="relu")(x)
        y = k.Dense(64)(y)
        x = k.LayerNormalization()(k.Add()([x, k.Dropout(rate)(y)]))
    x = k.GlobalAveragePooling1D()(x)
    return k.Model(ids, k.Dense(1, activation=last)(x))


def resnet(k: Any, rate: float, last: str | None) -> Any:
    def conv_norm(x: Any, filters: int, kernel_size: int, strides: int = 1) -> Any:
        x = k.Conv2D(filters, kernel_size, strides=strides, padding="same", use_bias=False)(x)
        return k.BatchNormalization()(x)

    images = k.Input((28, 28, 1))
    x = k.Activation("relu")(conv_norm(images, 32, 3))
    for filters, strides in ((32, 1), (32, 1), (64, 2), (64, 1), (128, 2), (128, 1)):
        y = k.Activation("relu")(conv_norm(x, filters, 3, strides))
        y = conv_norm(y, filters, 3)
        if x.shape[-1] != filters:
            x = conv_norm(x, filters, 1, strides)
        x = k.Activation("relu")(k.Add()([y, x]))
    x = k.GlobalAveragePooling2D()(x)
    return k.Model(images, k.Dense(10, activation=last)(x))


def gpt(k: Any, rate: float, last: str | None) -> Any:
    ids = k.Input((128,), dtype="int32")
    x = k.Embedding(96, 128)(ids)
    x = k.Add()([x, k.PositionEmbedding(128)(x)])
    for _ in range(4):
        y = k.LayerNormalization()(x)
        y = k.MultiHeadAttention(num_heads=4, key_dim=32)(y, y, use_causal_mask=True)
        x = k.Add()([x, y])
        y = k.LayerNormalization()(x)
        y = k.Dense(512, activation="gelu")(y)
        y = k.Dense(128)(y)
        x = k.Add()([x, y])
    x = k.LayerNormalization()(x)
    return k.Model(ids, k.Dense(96, activation=last)(x))


GRAPHS = {"transformer": transformer, "resnet": resnet, "gpt": gpt}

"""Modules of rows of features: dense, embedding, normalization, recurrent, elementwise."""

from __future__ import annotations

from typing import Any

from ... import layers
from .blocks import activation_named, encoder_block
from .chain import Chain, Conversion, require

__all__ = ["KEEPS_FEATURES", "ROW_MODULES"]


# Dense layers and embeddings.


def _linear(module: Any, path: str, chain: Chain, rest: list[Any]) -> None:
    require(
        not chain.image, path, module, "on images, where it reads their rows. Use nn.Flatten before it, or nn.Conv2d"
    )
    bias = module.bias is not None
    layer = layers.Dense(module.out_features, use_bias=bias, name=path, dtype=chain.dtype)
    chain.add_weighted(layer, module, (None, module.in_features))
    chain.consumed()


def _embedding(module: Any, path: str, chain: Chain, rest: list[Any]) -> None:
    require(module.max_norm is None and not module.scale_grad_by_freq, path, module, "with rows that it rescales")
    require(
        module.padding_idx is None, path, module,
        "whose row padding_idx does not learn. Use padding_idx=None and a mask: layers.Embedding(..., mask_zero=True)",
    )  # fmt: skip
    layer = layers.Embedding(module.num_embeddings, module.embedding_dim, name=path, dtype=chain.dtype)
    chain.add_weighted(layer, module, (None, None))
    chain.rank, chain.image = 3, False


# Normalization.


def _batch_norm(module: Any, path: str, chain: Chain, rest: list[Any]) -> None:
    require(
        module.track_running_stats and isinstance(module.momentum, (int, float)),
        path,
        module,
        "without moving averages",
    )
    layer = layers.BatchNormalization(
        momentum=1 - module.momentum, epsilon=module.eps, center=module.affine, scale=module.affine, name=path,
        dtype=chain.dtype,
    )  # fmt: skip
    chain.add_weighted(layer, module, (None, module.num_features))
    if type(module).__name__ == "BatchNorm2d":
        chain.image, chain.rank, chain.channels = True, 4, module.num_features


def _layer_norm(module: Any, path: str, chain: Chain, rest: list[Any]) -> None:
    shape = tuple(module.normalized_shape)
    images = len(shape) == 3
    ok = images if chain.image else len(shape) == 1
    require(ok, path, module, "over axes other than the last one of rows, or all of images")
    rms = type(module).__name__ == "RMSNorm"
    epsilon = module.eps if module.eps is not None else _smallest(chain.dtype)
    axis: Any = (1, 2, 3) if images else -1
    settings = {"axis": axis, "epsilon": epsilon, "name": path, "dtype": chain.dtype}
    affine = module.elementwise_affine
    if rms:
        require(affine, path, module, "without weights")
        layer = layers.RMSNormalization(**settings)
    else:
        layer = layers.LayerNormalization(center=affine and module.bias is not None, scale=affine, **settings)
    built = (None, *shape[1:], shape[0]) if images else (None, *shape)
    chain.add_weighted(layer, module, built)


def _smallest(dtype: str) -> float:
    return 2.0**-23 if dtype == "float32" else 2.0**-52


def _group_norm(module: Any, path: str, chain: Chain, rest: list[Any]) -> None:
    instance = type(module).__name__.startswith("Instance")
    channels = module.num_features if instance else module.num_channels
    require(not (instance and module.track_running_stats), path, module, "with moving averages")
    groups = channels if instance else module.num_groups
    layer = layers.GroupNormalization(
        groups, epsilon=module.eps, center=module.affine, scale=module.affine, name=path, dtype=chain.dtype
    )
    chain.add_weighted(layer, module, (None, None, channels))
    chain.image, chain.channels = True, channels


# Recurrent layers.


def _recurrent(module: Any, path: str, chain: Chain, rest: list[Any]) -> None:
    require(not getattr(module, "proj_size", 0), path, module, "with a projection of its state")
    require(not chain.image, path, module, "on the output of a convolution, where it reads channels as time")
    features = module.input_size
    for i in range(module.num_layers):
        name = path if module.num_layers == 1 else f"{path}_l{i}"
        kind = {"LSTM": layers.LSTM, "GRU": layers.GRU, "RNN": layers.SimpleRNN}[type(module).__name__]
        settings: dict[str, Any] = {"return_sequences": True, "use_bias": module.bias, "dtype": chain.dtype}
        if kind is layers.SimpleRNN:
            settings["activation"] = module.nonlinearity
        if module.bidirectional:
            layer: Any = layers.Bidirectional(kind(module.hidden_size, **settings), name=name)
        else:
            layer = kind(module.hidden_size, name=name, **settings)
        chain.add_weighted(layer, module, (None, None, features), i)
        if module.dropout and i < module.num_layers - 1:
            chain.add(layers.Dropout(module.dropout, name=f"{name}_dropout", dtype=chain.dtype))
        features = module.hidden_size * (2 if module.bidirectional else 1)
    chain.rank, chain.image = 3, False


def _encoder(module: Any, path: str, chain: Chain, rest: list[Any]) -> None:
    chain.add(encoder_block(module, path, chain.dtype))
    chain.rank, chain.image = 3, False


# Elementwise.

_ACTIVATIONS = {
    "SELU": "selu", "Sigmoid": "sigmoid", "Tanh": "tanh", "Softplus": "softplus", "SiLU": "silu", "ReLU6": "relu6",
    "Hardsigmoid": "hard_sigmoid", "Softsign": "softsign", "Softmax": "softmax", "LogSoftmax": "log_softmax",
}  # fmt: skip


def _plain(module: Any, path: str, chain: Chain, rest: list[Any]) -> None:
    kind = type(module).__name__
    settings: dict[str, Any] = {"name": path, "dtype": chain.dtype}
    if kind in ("Softmax", "LogSoftmax"):
        last = module.dim == 1 if chain.image else module.dim == -1 or (module.dim == 1 and chain.rank in (None, 2))
        last = last or (not chain.image and module.dim == 2 and chain.rank == 3)
        require(last, path, module, "over an axis other than that of the features")
    if kind == "Softplus":
        require(module.beta == 1, path, module, "with a beta of its own")
    if kind == "ReLU":
        chain.add(layers.ReLU(**settings))
    elif kind == "LeakyReLU":
        chain.add(layers.LeakyReLU(module.negative_slope, **settings))
    elif kind == "ELU":
        chain.add(layers.ELU(module.alpha, **settings))
    elif kind == "Identity":
        chain.add(layers.Identity(**settings))
    elif kind == "GELU":
        chain.add(layers.Activation(activation_named("gelu", module.approximate), **settings))
    else:
        chain.add(layers.Activation(_ACTIVATIONS[kind], **settings))


def _prelu(module: Any, path: str, chain: Chain, rest: list[Any]) -> None:
    n = module.num_parameters
    require(n == 1 or chain.image or chain.rank == 2, path, module, "whose axes are not known here. Use one parameter")
    require(chain.rank is not None, path, module, "as the first module, where the rank of the input is not known")
    axes = list(range(1, chain.rank if n == 1 else chain.rank - 1))
    layer = layers.PReLU(shared_axes=axes or None, name=path, dtype=chain.dtype)
    chain.add_weighted(layer, module, (None, *(None,) * (chain.rank - 2), n))


def _dropout(module: Any, path: str, chain: Chain, rest: list[Any]) -> None:
    kinds = {
        "Dropout1d": layers.SpatialDropout1D,
        "Dropout2d": layers.SpatialDropout2D,
        "AlphaDropout": layers.AlphaDropout,
    }
    chain.add(kinds.get(type(module).__name__, layers.Dropout)(module.p, name=path, dtype=chain.dtype))


KEEPS_FEATURES: tuple[Conversion, ...] = (_linear, _plain, _dropout, _batch_norm)
"""Those that take flattened features in whatever order they come."""

ROW_MODULES: dict[str, Conversion] = {
    "Linear": _linear,
    "Embedding": _embedding,
    **dict.fromkeys(("BatchNorm1d", "BatchNorm2d"), _batch_norm),
    **dict.fromkeys(("LayerNorm", "RMSNorm"), _layer_norm),
    **dict.fromkeys(("GroupNorm", "InstanceNorm1d", "InstanceNorm2d"), _group_norm),
    **dict.fromkeys(("LSTM", "GRU", "RNN"), _recurrent),
    "TransformerEncoderLayer": _encoder,
    "PReLU": _prelu,
    **dict.fromkeys(("Dropout", "Dropout1d", "Dropout2d", "AlphaDropout"), _dropout),
    **dict.fromkeys((*_ACTIVATIONS, "ReLU", "LeakyReLU", "ELU", "Identity", "GELU"), _plain),
}
"""What makes layers of each module."""

"""Modules of images and sequences with channels: convolutions, pooling, sizes, flattening."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ... import layers
from .chain import Chain, Conversion, require

__all__ = ["IMAGE_MODULES"]


# Convolutions.


def _conv(module: Any, path: str, chain: Chain, rest: list[Any]) -> None:
    rank = len(module.kernel_size)
    require(module.padding_mode == "zeros", path, module, f"with padding_mode={module.padding_mode!r}")
    same = module.padding == "same" or (
        module.padding != "valid"
        and all(s == 1 for s in module.stride)
        and all(2 * p == d * (k - 1) for p, d, k in _triples(module))
    )
    if module.padding not in ("same", "valid") and not same and any(module.padding):
        chain.add(_padding(module.padding, path, chain))
    settings: dict[str, Any] = {
        "strides": module.stride, "padding": "same" if same else "valid", "use_bias": module.bias is not None,
        "name": path, "dtype": chain.dtype,
    }  # fmt: skip
    depthwise = module.groups == module.in_channels > 1
    dilated = _layer("DepthwiseConv" if depthwise else "Conv", rank)
    settings["dilation_rate"] = module.dilation
    if rank == 1:
        settings |= {"strides": module.stride[0], "dilation_rate": module.dilation[0]}
    kernel = module.kernel_size if rank == 2 else module.kernel_size[0]
    if depthwise:
        layer = dilated(kernel, depth_multiplier=module.out_channels // module.in_channels, **settings)
    else:
        layer = dilated(module.out_channels, kernel, groups=module.groups, **settings)
    _add_image(layer, module, chain, rank, module.in_channels, module.out_channels)


def _conv_transpose(module: Any, path: str, chain: Chain, rest: list[Any]) -> None:
    rank = len(module.kernel_size)
    require(module.groups == 1, path, module, "with groups")

    def size(value: Any) -> Any:
        return tuple(value) if rank == 2 else value[0]

    layer = _layer("Conv", rank, "Transpose")(
        module.out_channels, size(module.kernel_size), strides=size(module.stride), padding="valid",
        output_padding=size(module.output_padding), dilation_rate=size(module.dilation),
        use_bias=module.bias is not None, name=path, dtype=chain.dtype,
    )  # fmt: skip
    _add_image(layer, module, chain, rank, module.in_channels, module.out_channels)
    if any(module.padding):
        cut = tuple((p, p) for p in module.padding)
        chain.add(_layer("Cropping", rank)(cut if rank == 2 else cut[0], name=f"{path}_crop", dtype=chain.dtype))


def _triples(module: Any) -> Iterator[tuple[int, int, int]]:
    return zip(module.padding, module.dilation, module.kernel_size, strict=True)


def _layer(stem: str, rank: int, end: str = "") -> Any:
    return getattr(layers, f"{stem}{rank}D{end}")


def _padding(padding: Sequence[int], path: str, chain: Chain) -> Any:
    both = tuple((p, p) for p in padding)
    rank = len(both)
    return _layer("ZeroPadding", rank)(both if rank == 2 else both[0], name=f"{path}_pad", dtype=chain.dtype)


def _add_image(layer: Any, module: Any, chain: Chain, rank: int, channels: int, out: int) -> None:
    chain.add_weighted(layer, module, (None, *(None,) * rank, channels))
    chain.image, chain.rank, chain.channels = True, rank + 2, out


# Pooling and sizes.


def _pool(module: Any, path: str, chain: Chain, rest: list[Any]) -> None:
    kind, rank = type(module).__name__[:3], int(type(module).__name__[-2])
    pool, strides, padding = (
        (size,) * rank if isinstance(size, int) else tuple(size)
        for size in (module.kernel_size, module.stride, module.padding)
    )
    dilation = getattr(module, "dilation", 1)
    require(not module.ceil_mode, path, module, "with ceil_mode")
    require(dilation in (1, (1,) * rank), path, module, "with a dilation")
    require(not getattr(module, "return_indices", False), path, module, "which gives indices too")
    require(getattr(module, "divisor_override", None) is None, path, module, "with a divisor of its own")
    same = any(padding) and all(s == 1 and 2 * p == k - 1 for s, p, k in zip(strides, padding, pool, strict=True))
    if any(padding) and not (same and (kind == "Max" or not module.count_include_pad)):
        as_zeros = module.count_include_pad if kind == "Avg" else chain.nonnegative
        require(as_zeros, path, module, "whose padding is not one of zeros. Use padding=0 and a module that pads")
        chain.add(_padding(padding, path, chain))
        same = False
    layer = _layer("MaxPooling" if kind == "Max" else "AveragePooling", rank)(
        pool if rank == 2 else pool[0], strides if rank == 2 else strides[0], padding="same" if same else "valid",
        name=path, dtype=chain.dtype,
    )  # fmt: skip
    chain.add(layer)
    chain.image, chain.rank = True, rank + 2


def _global_pool(module: Any, path: str, chain: Chain, rest: list[Any]) -> None:
    rank = int(type(module).__name__[-2])
    one = module.output_size in (1, (1,) * rank)
    require(one, path, module, "whose windows depend on the input. Use an output size of 1, or a pool of fixed windows")
    kind = "GlobalAveragePooling" if "Avg" in type(module).__name__ else "GlobalMaxPooling"
    chain.add(_layer(kind, rank)(keepdims=True, name=path, dtype=chain.dtype))
    chain.image, chain.rank = True, rank + 2


def _upsample(module: Any, path: str, chain: Chain, rest: list[Any]) -> None:
    factor = module.scale_factor
    factors = factor if isinstance(factor, tuple) else (factor, factor)
    whole = factor is not None and len(factors) == 2 and all(float(f).is_integer() for f in factors)
    require(whole, path, module, "whose factors are not two whole numbers")
    require(module.mode in ("nearest", "bilinear") and not module.align_corners, path, module, "of this mode")
    size = tuple(int(f) for f in factors)
    chain.add(layers.UpSampling2D(size, interpolation=module.mode, name=path, dtype=chain.dtype))
    chain.image, chain.rank = True, 4


def _zero_pad(module: Any, path: str, chain: Chain, rest: list[Any]) -> None:
    pads = module.padding
    require(getattr(module, "value", 0) == 0, path, module, "of another value")
    require(min(pads) >= 0, path, module, "which crops")
    rank = len(pads) // 2
    size = pads if rank == 1 else ((pads[2], pads[3]), (pads[0], pads[1]))
    chain.add(_layer("ZeroPadding", rank)(tuple(size), name=path, dtype=chain.dtype))
    chain.image, chain.rank = True, rank + 2


def _flatten(module: Any, path: str, chain: Chain, rest: list[Any]) -> None:
    require((module.start_dim, module.end_dim) == (1, -1), path, module, "of some axes only")
    require(
        chain.rank is not None, path, module,
        "as the first module, where its input is not known. Call from_torch(module, input_shape=...) with the shape of "
        "one example",
    )  # fmt: skip
    chain.flatten(layers.Flatten(name=path, dtype=chain.dtype))


def _unflatten(module: Any, path: str, chain: Chain, rest: list[Any]) -> None:
    shape = tuple(module.unflattened_size)
    require(module.dim in (1, -1) and len(shape) in (2, 3), path, module, "of another axis or to another rank")
    chain.add(layers.Reshape(shape, name=path, dtype=chain.dtype))
    decisive = next((m for m in rest if any(True for _ in m.parameters()) or "Pool" in type(m).__name__), None)
    image = len(shape) == 3 or type(decisive).__name__.endswith("1d")
    if image:
        axes = (2, 3, 1) if len(shape) == 3 else (2, 1)
        chain.add(layers.Permute(axes, name=f"{path}_order", dtype=chain.dtype))
    chain.image, chain.rank, chain.channels = image, len(shape) + 1, shape[0] if image else None


IMAGE_MODULES: dict[str, Conversion] = {
    **dict.fromkeys(("Conv1d", "Conv2d"), _conv),
    **dict.fromkeys(("ConvTranspose1d", "ConvTranspose2d"), _conv_transpose),
    **dict.fromkeys(("MaxPool1d", "MaxPool2d", "AvgPool1d", "AvgPool2d"), _pool),
    **dict.fromkeys(("AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AdaptiveMaxPool1d", "AdaptiveMaxPool2d"), _global_pool),
    "Upsample": _upsample,
    **dict.fromkeys(("ZeroPad1d", "ZeroPad2d", "ConstantPad1d", "ConstantPad2d"), _zero_pad),
    "Flatten": _flatten,
    "Unflatten": _unflatten,
}
"""What makes layers of each module."""

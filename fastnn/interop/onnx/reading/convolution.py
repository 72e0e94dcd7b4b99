"""Convolution and pooling as layers with channels last; transposes wait at both ends."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .... import layers, ops
from ..layout import first_to_last, last_to_first
from .node import OnnxNode
from .reader import Reader
from .table import reads
from .values import Tensor, is_open

__all__: list[str] = []


def _geometry(node: OnnxNode, x: Tensor, sizes: list[int], transposed: bool = False) -> tuple[Any, Any, Any, str]:
    """Strides, dilation, cells before and after each axis, and the word for them if there is one."""
    rank = x.rank - 2
    if rank not in (1, 2):
        raise node.refusal("sequences (N, C, T) or images (N, C, H, W)", f"an input of rank {x.rank}")
    strides = node.attribute("strides", [1] * rank)
    dilation = node.attribute("dilations", [1] * rank)
    auto, pads = node.attribute("auto_pad", "NOTSET"), node.attribute("pads", [0] * (2 * rank))
    if auto in ("SAME_UPPER",):
        return strides, dilation, [(0, 0)] * rank, "same"
    if auto == "SAME_LOWER":
        raise node.refusal("auto_pad SAME_UPPER, VALID or NOTSET", "SAME_LOWER")
    ends = [(0, 0)] * rank if auto == "VALID" else list(zip(pads[:rank], pads[rank:], strict=True))
    if min(n for pair in ends for n in pair) < 0:
        raise node.refusal("pads of at least 0", f"pads={pads}")
    if transposed or not any(map(any, ends)):
        return strides, dilation, ends, "valid"
    same = [_same(n, k, s, d) for n, k, s, d in zip(x.sizes[2:], sizes, strides, dilation, strict=True)]
    return strides, dilation, ends, "same" if same == ends else ""


def _same(length: int, size: int, stride: int, dilation: int) -> tuple[int, int] | None:
    """What "same" adds to an axis; unknown where the length is open and the stride is not 1."""
    if is_open(length) and stride != 1:
        return None
    total = max((-(-length // stride) - 1) * stride + dilation * (size - 1) + 1 - length, 0)
    return total // 2, total - total // 2


def _channels_last(r: Reader, x: Tensor) -> Tensor:
    return r.plain(r.transpose(x, first_to_last(x.rank)))


def _back(r: Reader, y: Tensor) -> Tensor:
    return r.transpose(y, last_to_first(y.rank))


def _zeros_around(r: Reader, node: OnnxNode, x: Tensor, ends: list[tuple[int, int]]) -> Tensor:
    """A ZeroPadding layer before one that knows no such padding."""
    make: Any = layers.ZeroPadding1D if len(ends) == 1 else layers.ZeroPadding2D
    padding = ends[0] if len(ends) == 1 else tuple(ends)
    return r.layer(node, None, lambda **k: make(padding, **k), [], x)


@reads("Conv")
def convolution(r: Reader, node: OnnxNode) -> Tensor:
    """Conv1D, Conv2D, or the depthwise ones where every channel has a group of its own."""
    x, kernel = node.x(), node.array(1, "weights")
    sizes, groups = list(kernel.shape[2:]), node.attribute("group", 1)
    strides, dilation, ends, word = _geometry(node, x, sizes)
    moved = _channels_last(r, x)
    if not word:
        moved = _zeros_around(r, node, moved, ends)
    bias = [node.array(2, "bias")] if node.get(2) is not None else []
    settings: dict[str, Any] = {
        "kernel_size": sizes if len(sizes) > 1 else sizes[0],
        "strides": tuple(strides) if len(sizes) > 1 else strides[0],
        "dilation_rate": tuple(dilation) if len(sizes) > 1 else dilation[0],
        "padding": word or "valid",
        "use_bias": bool(bias),
    }
    channels, filters = x.sizes[1], kernel.shape[0]
    axes = (*range(2, kernel.ndim), 1, 0)
    weights = np.ascontiguousarray(kernel.transpose(axes))  # (…, C / groups, F)
    if groups == channels and groups > 1:
        depth: Any = layers.DepthwiseConv1D if len(sizes) == 1 else layers.DepthwiseConv2D
        multiplier = filters // channels
        weights = weights.reshape(*sizes, channels, multiplier)
        make: Callable[..., Any] = lambda **k: depth(depth_multiplier=multiplier, **settings, **k)  # noqa: E731
    else:
        plain: Any = layers.Conv1D if len(sizes) == 1 else layers.Conv2D
        make = lambda **k: plain(filters, groups=groups, **settings, **k)  # noqa: E731
    return _back(r, r.layer(node, _key(node), make, [weights, *bias], moved))


def _key(node: OnnxNode) -> Any:
    names = tuple(getattr(one, "name", "") for one in node.inputs[1:])
    return names if all(names) else None


@reads("ConvTranspose")
def transposed(r: Reader, node: OnnxNode) -> Tensor:
    """Without padding, and what the file cuts off and adds at the ends by layers behind it."""
    x, kernel = node.x(), node.array(1, "weights")
    if node.attribute("group", 1) != 1:
        raise node.refusal("one group", f"group={node.attribute('group')}")
    sizes = list(kernel.shape[2:])
    strides, dilation, ends, word = _geometry(node, x, sizes, transposed=True)
    if word == "same" or "output_shape" in node.attributes:
        raise node.refusal("pads in numbers", "auto_pad or output_shape")
    extra = node.attribute("output_padding", [0] * len(sizes))
    bias = [node.array(2, "bias")] if node.get(2) is not None else []
    one = len(sizes) == 1
    make: Any = layers.Conv1DTranspose if one else layers.Conv2DTranspose
    settings: dict[str, Any] = {
        "kernel_size": sizes[0] if one else sizes,
        "strides": strides[0] if one else tuple(strides),
        "dilation_rate": dilation[0] if one else tuple(dilation),
        "output_padding": extra[0] if one else tuple(extra),
        "use_bias": bool(bias),
    }
    weights = np.ascontiguousarray(kernel.transpose(*range(2, kernel.ndim), 1, 0))  # (…, F, C)
    filters = kernel.shape[1]
    y = r.layer(
        node,
        _key(node),
        lambda **k: make(filters, padding="valid", **settings, **k),
        [weights, *bias],
        _channels_last(r, x),
    )
    if any(map(any, ends)):
        crop: Any = layers.Cropping1D if one else layers.Cropping2D
        y = r.layer(node, None, lambda **k: crop(ends[0] if one else tuple(ends), **k), [], y)
    return _back(r, y)


@reads("MaxPool", "AveragePool")
def pooling(r: Reader, node: OnnxNode) -> list[Tensor]:
    x, sizes = node.x(), list(node.attribute("kernel_shape"))
    strides, dilation, ends, word = _geometry(node, x, sizes)
    if any(d != 1 for d in dilation) or any(node.used[1:]):
        raise node.refusal("a window without dilation, whose indices are not used", "dilations, or used indices")
    moved = _channels_last(r, x)
    mean = node.op == "AveragePool"
    whole = node.attribute("ceil_mode", 0) and any(
        is_open(n) or (n + sum(e) - k) % s for n, e, k, s in zip(x.sizes[2:], ends, sizes, strides, strict=True)
    )
    if whole:
        raise node.refusal("windows that all fit", "ceil_mode=1 with a window that does not")
    counts_zeros = mean and node.attribute("count_include_pad", 0) and any(map(any, ends))
    if counts_zeros:
        moved, word = _zeros_around(r, node, moved, ends), "valid"
    elif not word:
        if mean:
            raise node.refusal('the padding of "same", none, or count_include_pad=1', f"pads={ends}")
        widths = [(0, 0), *ends, (0, 0)]
        moved, word = r.apply(lambda a: ops.pad(a, widths, constant_values=-np.inf), moved), "valid"
    kinds = {
        ("MaxPool", 1): layers.MaxPooling1D,
        ("MaxPool", 2): layers.MaxPooling2D,
        ("AveragePool", 1): layers.AveragePooling1D,
        ("AveragePool", 2): layers.AveragePooling2D,
    }
    kind: Any = kinds[node.op, len(sizes)]
    size, stride = (sizes[0], strides[0]) if len(sizes) == 1 else (tuple(sizes), tuple(strides))
    return [_back(r, r.layer(node, None, lambda **k: kind(size, stride, word, **k), [], moved))]


@reads("GlobalAveragePool", "GlobalMaxPool")
def global_pooling(r: Reader, node: OnnxNode) -> Tensor:
    x = node.x()
    name = {"GlobalAveragePool": "GlobalAveragePooling", "GlobalMaxPool": "GlobalMaxPooling"}[node.op]
    kind = getattr(layers, f"{name}{x.rank - 2}D", None)
    if kind is None:
        raise node.refusal("sequences (N, C, T) or images (N, C, H, W)", f"an input of rank {x.rank}")
    return _back(r, r.layer(node, None, lambda **k: kind(keepdims=True, **k), [], _channels_last(r, x)))


@reads("Resize", "Upsample")
def resize(r: Reader, node: OnnxNode) -> Tensor:
    """Whole factors: each pixel repeated, or between half-pixel centres."""
    x = node.x()
    factors = _factors(node, x)
    mode, centres = node.attribute("mode", "nearest"), node.attribute("coordinate_transformation_mode", "half_pixel")
    if x.rank not in (3, 4) or factors is None or factors[:2] != [1, 1]:
        raise node.refusal("whole factors for the last one or two axes", f"factors {factors} for rank {x.rank}")
    nearest = mode == "nearest"
    rounding = node.attribute("nearest_mode", "round_prefer_floor")
    if nearest and not (
        (centres == "asymmetric" and rounding == "floor")
        or node.op == "Upsample"
        or (centres in ("half_pixel", "pytorch_half_pixel") and rounding in ("round_prefer_floor", "round_prefer_ceil"))
    ):
        raise node.refusal("pixels repeated", f"coordinate_transformation_mode={centres}, nearest_mode={rounding}")
    if not nearest and (mode != "linear" or centres not in ("half_pixel", "pytorch_half_pixel") or x.rank != 4):
        raise node.refusal("nearest pixels, or linear ones of images by half-pixel centres", f"{mode}, {centres}")
    moved = _channels_last(r, x)
    if x.rank == 3:
        return _back(r, r.layer(node, None, lambda **k: layers.UpSampling1D(factors[2], **k), [], moved))
    size, word = (factors[2], factors[3]), "nearest" if nearest else "bilinear"
    return _back(r, r.layer(node, None, lambda **k: layers.UpSampling2D(size, interpolation=word, **k), [], moved))


def _factors(node: OnnxNode, x: Tensor) -> list[int] | None:
    """How much longer each axis becomes, in whole numbers."""
    scales = node.attribute("scales")
    place = 1 if node.op == "Upsample" or len(node.inputs) == 2 else 2
    if scales is None and node.get(place) is not None and node.array(place).size:
        scales = node.array(place, "scales").tolist()
    if scales is None and node.get(3) is not None:
        scales = [int(n) / m for n, m in zip(node.array(3, "sizes"), x.sizes, strict=True)]
    if scales is None or any(not math.isclose(s, round(s), abs_tol=1e-6) or s < 1 for s in scales):
        return None
    return [round(s) for s in scales]

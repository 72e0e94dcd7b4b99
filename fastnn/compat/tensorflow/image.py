"""``tf.image``: sizes, flips, crops and colours of images (height, width, channels), or a batch of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ... import absent, ops
from ... import random as draws
from ...graph import Tensor, as_tensor
from .tensors import as_dtype, integers_kept, numbers_of, tensor

__all__ = [
    "ResizeMethod", "adjust_brightness", "adjust_contrast", "adjust_gamma", "central_crop", "convert_image_dtype",
    "crop_to_bounding_box", "flip_left_right", "flip_up_down", "grayscale_to_rgb", "pad_to_bounding_box",
    "per_image_standardization", "random_brightness", "random_contrast", "random_crop", "random_flip_left_right",
    "random_flip_up_down", "resize", "resize_with_crop_or_pad", "rgb_to_grayscale", "rot90", "transpose",
]  # fmt: skip


class ResizeMethod:
    """Names of ways to compute pixels between pixels."""

    BILINEAR = "bilinear"
    NEAREST_NEIGHBOR = "nearest"


def resize(
    images: Any, size: Any, method: str = "bilinear", preserve_aspect_ratio: bool = False, antialias: bool = False,
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """Images of another size (height, width); float32 for "bilinear".

    Raises
    ------
    ValueError
        For other ways than "bilinear" and "nearest", and ``antialias=True``.

    Examples
    --------
    >>> resize([[[1.0], [3.0]]], (1, 4))[0, :, 0].tolist()
    [1.0, 1.5, 2.5, 3.0]
    """
    if method not in ("bilinear", "nearest") or antialias:
        raise ValueError(
            f'resize supports method="bilinear" and "nearest", without antialias. Received: method={method!r}, '
            f"antialias={antialias}. Use Pillow: Image.resize."
        )
    (x,) = numbers_of("image.resize", images)
    height, width = (int(n) for n in np.asarray(size))
    if preserve_aspect_ratio:
        scale = min(height / x.shape[-3], width / x.shape[-2])
        height, width = (round(n * scale) for n in x.shape[-3:-1])
    for axis, count in ((-3, height), (-2, width)):
        x = _along(x, axis, count, method)
    return as_tensor(x)


def _along(x: np.ndarray, axis: int, count: int, method: str) -> np.ndarray:
    """One axis of another size: each new pixel lies between two old ones, measured from middle to middle."""
    n = x.shape[axis]
    if method == "nearest":
        return x.take(np.minimum(((np.arange(count) + 0.5) * (n / count)).astype(np.int64), n - 1), axis)
    at = np.clip((np.arange(count) + 0.5) * (n / count) - 0.5, 0, n - 1)
    low = at.astype(np.int64)
    weight = (at - low).astype(np.float32).reshape(-1, *[1] * (-axis - 1))
    x = x.astype(np.float32, copy=False)
    return x.take(low, axis) * (1 - weight) + x.take(np.minimum(low + 1, n - 1), axis) * weight


# The other way round.


def flip_left_right(image: Any) -> Any:
    """Left is right."""
    return integers_kept(ops.flip(tensor(image), -2), tensor(image))


def flip_up_down(image: Any) -> Any:
    """Above is below."""
    return integers_kept(ops.flip(tensor(image), -3), tensor(image))


def transpose(image: Any, name: str | None = None) -> Any:
    """Rows are columns."""
    return integers_kept(ops.swapaxes(tensor(image), -3, -2), tensor(image))


def rot90(image: Any, k: int = 1, name: str | None = None) -> Tensor:
    """Turned to the left, by ``k`` right angles."""
    return as_tensor(np.rot90(numbers_of("image.rot90", image)[0], k, axes=(-3, -2)))


def _by_chance(change: Callable[[Any], Any], image: Any, seed: Any) -> Any:
    x = tensor(image)
    if len(x.shape) == 3:
        return change(x) if float(draws.uniform((), seed=seed)) < 0.5 else x
    chosen = np.asarray(draws.uniform((len(x), 1, 1, 1), seed=seed)) < 0.5
    return integers_kept(ops.where(chosen, change(x), x), x)


def random_flip_left_right(image: Any, seed: int | None = None) -> Any:
    """Left is right, for half of the images."""
    return _by_chance(flip_left_right, image, seed)


def random_flip_up_down(image: Any, seed: int | None = None) -> Any:
    """Above is below, for half of the images."""
    return _by_chance(flip_up_down, image, seed)


# Parts.


def crop_to_bounding_box(
    image: Any, offset_height: int, offset_width: int, target_height: int, target_width: int
) -> Any:
    """The part that begins at this place, of this size."""
    x = tensor(image)
    return x[..., offset_height : offset_height + target_height, offset_width : offset_width + target_width, :]


def pad_to_bounding_box(
    image: Any, offset_height: int, offset_width: int, target_height: int, target_width: int
) -> Any:
    """In a larger image of zeros, at this place."""
    x = tensor(image)
    height, width = x.shape[-3:-1]
    pads = [
        *[(0, 0)] * (len(x.shape) - 3),
        (offset_height, target_height - offset_height - height),
        (offset_width, target_width - offset_width - width),
        (0, 0),
    ]
    return integers_kept(ops.pad(x, pads), x)


def central_crop(image: Any, central_fraction: float) -> Any:
    """The share in the middle."""
    x = tensor(image)
    cuts = [int((n - n * central_fraction) / 2) for n in x.shape[-3:-1]]
    sizes = [n - 2 * cut for n, cut in zip(x.shape[-3:-1], cuts, strict=True)]
    return crop_to_bounding_box(x, *cuts, *sizes)


def resize_with_crop_or_pad(image: Any, target_height: int, target_width: int) -> Any:
    """The middle of the image, or the image in the middle of zeros."""
    x = tensor(image)
    height, width = x.shape[-3:-1]
    top, left = max((height - target_height) // 2, 0), max((width - target_width) // 2, 0)
    x = crop_to_bounding_box(x, top, left, min(height, target_height), min(width, target_width))
    above, before = max((target_height - height) // 2, 0), max((target_width - width) // 2, 0)
    return pad_to_bounding_box(x, above, before, target_height, target_width)


def random_crop(value: Any, size: Any, seed: int | None = None, name: str | None = None) -> Any:
    """A part of this shape, at any place."""
    x = tensor(value)
    starts = [
        int(np.asarray(draws.randint((), 0, n - wanted + 1, seed=seed)))
        for n, wanted in zip(x.shape, np.asarray(size), strict=True)
    ]
    return x[tuple(slice(start, start + int(n)) for start, n in zip(starts, np.asarray(size), strict=True))]


# Colours.


def convert_image_dtype(image: Any, dtype: Any, saturate: bool = False, name: str | None = None) -> Tensor:
    """Another dtype, and its range: integers from 0 to their largest, reals from 0 to 1."""
    (x,), wanted = numbers_of("image.convert_image_dtype", image), as_dtype(dtype)
    if x.dtype == wanted or (x.dtype.kind == "f" and wanted.kind == "f"):
        return as_tensor(x.astype(wanted))
    if wanted.kind == "f":
        return as_tensor(x.astype(wanted) * wanted.type(1 / np.iinfo(x.dtype).max))
    if x.dtype.kind == "f":
        scaled = x * (np.iinfo(wanted).max + 0.5)
        limits = np.iinfo(wanted)
        return as_tensor((np.clip(scaled, limits.min, limits.max) if saturate else scaled).astype(wanted))
    return as_tensor((x / np.iinfo(x.dtype).max * np.iinfo(wanted).max).astype(wanted))


def rgb_to_grayscale(images: Any, name: str | None = None) -> Any:
    """One channel: 0.2989 red, 0.587 green, 0.114 blue."""
    x = tensor(images)
    whole = np.dtype(x.dtype).kind in "iu"
    real = convert_image_dtype(x, "float32") if whole else x
    grey = ops.sum(real * np.array([0.2989, 0.587, 0.114], np.float32), -1, keepdims=True)
    return convert_image_dtype(grey, x.dtype, saturate=True) if whole else grey


def grayscale_to_rgb(images: Any, name: str | None = None) -> Any:
    """Three channels that are the same."""
    x = tensor(images)
    return integers_kept(ops.repeat(x, 3, -1), x)


def _in_reals(image: Any, change: Callable[[Any], Any]) -> Any:
    """A change of reals from 0 to 1, of images of any dtype."""
    x = tensor(image)
    if np.dtype(x.dtype).kind == "f":
        return change(x)
    return convert_image_dtype(change(convert_image_dtype(x, "float32")), x.dtype, saturate=True)


def adjust_brightness(image: Any, delta: Any) -> Any:
    """``delta`` added to reals from 0 to 1."""
    return _in_reals(image, lambda x: ops.add(x, delta))


def adjust_contrast(images: Any, contrast_factor: Any) -> Any:
    """The distance from the mean of each channel times a factor."""

    def change(x: Any) -> Any:
        mean = ops.mean(x, (-3, -2), keepdims=True)
        return (x - mean) * contrast_factor + mean

    return _in_reals(images, change)


def adjust_gamma(image: Any, gamma: float = 1, gain: float = 1) -> Any:
    """``gain · x^gamma``."""
    return _in_reals(image, lambda x: ops.power(x, gamma) * gain)


def random_brightness(image: Any, max_delta: float, seed: int | None = None) -> Any:
    """``adjust_brightness`` by a number from -max_delta to max_delta."""
    return adjust_brightness(image, float(draws.uniform((), -max_delta, max_delta, seed=seed)))


def random_contrast(image: Any, lower: float, upper: float, seed: int | None = None) -> Any:
    """``adjust_contrast`` by a factor from ``lower`` to ``upper``."""
    return adjust_contrast(image, float(draws.uniform((), lower, upper, seed=seed)))


def per_image_standardization(image: Any) -> Any:
    """Mean 0 and variance 1 in each image."""
    x = ops.cast(tensor(image), "float32")
    axes = (-3, -2, -1)
    least = 1 / np.sqrt(np.float32(np.prod(x.shape[-3:])))
    return (x - ops.mean(x, axes, keepdims=True)) / ops.maximum(ops.std(x, axes, keepdims=True), float(least))


__getattr__ = absent.answer(__name__)

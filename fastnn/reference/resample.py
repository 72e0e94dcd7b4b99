"""Twins of resizing.

Legend: N = images, H W = height and width, C = channels, OH OW = height and width of the resized images.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fastnn import checks
from fastnn.shapes import resize2d_output_shape

__all__ = ["resize2d_backward", "resize2d_forward"]

_INTERPOLATIONS = ("nearest", "bilinear")


def _looks(length: int, out: int, interpolation: str, dtype: np.dtype) -> tuple[np.ndarray, np.ndarray]:
    """Return the pixel that each of `out` outputs looks at, and the weight of the pixel after it."""
    unit = 2 * out  # places in parts of a pixel, 1 / unit each
    centre = (2 * np.arange(out) + 1) * length
    if interpolation == "nearest":
        return centre // unit, np.zeros(out, dtype)
    place = np.clip(centre - out, 0, (length - 1) * unit)
    return place // unit, (place % unit / unit).astype(dtype)


def _stretch(x: np.ndarray, axis: int, out: int, interpolation: str) -> np.ndarray:
    """Return `x` with `out` pixels along `axis`."""
    low, upper = _looks(x.shape[axis], out, interpolation, x.dtype)
    a = upper.reshape(-1, *(1,) * (x.ndim - 1 - axis))
    first, second = x.take(low, axis), x.take(np.minimum(low + 1, x.shape[axis] - 1), axis)
    return np.where(a == 0, first, (1 - a) * first + a * second)


def _shrink(dy: np.ndarray, axis: int, length: int, interpolation: str) -> np.ndarray:
    """Return the adjoint: each entry of `dy` added to the pixels that it looked at, by their weights."""
    low, upper = _looks(length, dy.shape[axis], interpolation, dy.dtype)
    dy = np.moveaxis(dy, axis, 0)
    a = upper.reshape(-1, 1, 1, 1)
    dx = np.zeros((length, *dy.shape[1:]), dy.dtype)
    np.add.at(dx, low, (1 - a) * dy)
    between = upper != 0
    np.add.at(dx, low[between] + 1, (a * dy)[between])
    return np.moveaxis(dx, 0, axis)


def resize2d_forward(
    x: np.ndarray, size: int | Sequence[int], interpolation: str = "bilinear", *, y: np.ndarray | None = None
) -> np.ndarray:
    """Images resized to `size`: the nearest pixel, or the two nearest ones along each axis, weighted.

    Pixel q has its centre at q + ½ and looks at u = (q + ½) · n / out − ½, along the rows and along the columns.
    nearest: y[q] = x[⌊u + ½⌋]. bilinear: y[q] = (1 − a) · x[⌊u⌋] + a · x[⌊u⌋ + 1], a = u − ⌊u⌋, u kept within the
    image.

    Parameters
    ----------
    x : array (N, H, W, C)
    size : int or (OH, OW)
    interpolation : {"nearest", "bilinear"}
    y : array (N, OH, OW, C), optional
        Where to write the result.

    Raises
    ------
    TypeError, ValueError
        If the dtype, the rank, the size or the name do not fit.

    Examples
    --------
    >>> x = np.array([0.0, 4.0]).reshape(1, 1, 2, 1)
    >>> resize2d_forward(x, (1, 4), "nearest").ravel(), resize2d_forward(x, (1, 4)).ravel()
    (array([0., 0., 4., 4.]), array([0., 1., 3., 4.]))
    """
    x = checks.real("x", x, 4)
    checks.choice("interpolation", interpolation, _INTERPOLATIONS)
    shape = resize2d_output_shape(x.shape, size)
    y = checks.result("y", y, shape, x.dtype, x)
    with np.errstate(all="ignore"):
        y[...] = _stretch(_stretch(x, 2, shape[2], interpolation), 1, shape[1], interpolation)
    return y


def resize2d_backward(
    dy: np.ndarray, input_shape: Sequence[int], interpolation: str = "bilinear", *, dx: np.ndarray | None = None
) -> np.ndarray:
    """Gradient of resizing: dx[s] = Σ of weight · dy[q] over the outputs q that looked at pixel s.

    Parameters
    ----------
    dy : array (N, OH, OW, C)
    input_shape : (N, H, W, C)
    interpolation : that of the forward kernel
    dx : array (N, H, W, C), optional
        Where to write the result.

    Raises
    ------
    TypeError, ValueError
        If the dtype, a shape or the name do not fit.

    Examples
    --------
    >>> dy = np.array([1.0, 2.0, 3.0, 4.0]).reshape(1, 1, 4, 1)
    >>> resize2d_backward(dy, (1, 1, 2, 1), "nearest").ravel(), resize2d_backward(dy, (1, 1, 2, 1)).ravel()
    (array([3., 7.]), array([3.25, 6.75]))
    """
    dy = checks.real("dy", dy, 4)
    checks.choice("interpolation", interpolation, _INTERPOLATIONS)
    _, h, w, _ = input_shape = checks.image_shape("input_shape", input_shape)
    checks.at_least_one("dy", dy, 1, 2)
    checks.shape("dy", dy, resize2d_output_shape(input_shape, dy.shape[1:3]), "(N, OH, OW, C)")
    dx = checks.result("dx", dx, input_shape, dy.dtype, dy)
    with np.errstate(all="ignore"):
        dx[...] = _shrink(_shrink(dy, 1, h, interpolation), 2, w, interpolation)
    return dx

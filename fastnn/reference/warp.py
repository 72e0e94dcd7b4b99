"""Twins of warping: images turned, shifted, stretched and sheared.

Legend: N = images, H W = height and width, C = channels.
"""

from __future__ import annotations

import numpy as np

from fastnn import checks

__all__ = ["warp2d_backward", "warp2d_forward"]

_INTERPOLATIONS = ("nearest", "bilinear")
_FILL_MODES = ("constant", "nearest", "reflect", "wrap")
_BITS = 32
_ONE = 1 << _BITS  # places are counted in parts of a pixel, 2⁻³² each


def _looks(steps: np.ndarray, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Return where each pixel looks, rows and columns (N, H, W), in parts of a pixel."""
    along, down = np.arange(width), np.arange(height)[:, None]
    columns, rows = (
        steps[:, i, None, None] * along + steps[:, i + 1, None, None] * down + steps[:, i + 2, None, None]
        for i in (0, 3)
    )
    return rows, columns


def _pixels(places: np.ndarray, length: int, interpolation: str, fill_mode: str, dtype: np.dtype) -> list:
    """Return the two pixels of an axis that each place lies between, −1 for none, and their weights."""
    last = (length - 1) * _ONE
    if fill_mode == "reflect":
        places = places % (2 * length * _ONE)
        places = np.where(places >= length * _ONE, 2 * length * _ONE - _ONE - places, places)
    if fill_mode == "wrap":
        places = places % (length * _ONE)
    elif fill_mode != "constant":
        places = np.clip(places, 0, last)
    if interpolation == "nearest":  # halves go away from 0
        places = np.sign(places) * ((np.abs(places) + _ONE // 2) // _ONE) * _ONE
    low, upper = places >> _BITS, (places % _ONE / _ONE).astype(dtype)
    pairs = []
    for at, weight in ((low, 1 - upper), (low + 1, upper)):
        at = at % length if fill_mode == "wrap" else np.where((at >= 0) & (at < length), at, -1)
        pairs.append((at, weight))
    return pairs


def _looked_at(steps, shape, interpolation, fill_mode, dtype):
    """Yield the rows, columns and weights of the four pixels that each pixel of an image looks at."""
    rows, columns = _looks(steps, *shape[1:3])
    across = _pixels(columns, shape[2], interpolation, fill_mode, dtype)
    for row, b in _pixels(rows, shape[1], interpolation, fill_mode, dtype):
        yield row, b, across


def warp2d_forward(
    x: np.ndarray,
    steps: np.ndarray,
    interpolation: str = "bilinear",
    fill_mode: str = "reflect",
    fill_value: float = 0.0,
    *,
    y: np.ndarray | None = None,
) -> np.ndarray:
    """Images whose pixel at row i, column j is that of x at row b0·j + b1·i + b2, column a0·j + a1·i + a2.

    Between pixels: the nearest one, or the two nearest ones along each axis, weighted.  Beyond the image:
    ``fill_value``; the nearest pixel; the image in a mirror (d c b a | a b c d | d c b a); the image again
    (a b c d | a b c d).

    Parameters
    ----------
    x : array (N, H, W, C)
    steps : int64 array (N, 6)
        a0, a1, a2, b0, b1, b2 for each image, in units of 2⁻³² pixels.
    interpolation : {"nearest", "bilinear"}
    fill_mode : {"constant", "nearest", "reflect", "wrap"}
    fill_value : float
        For "constant".
    y : array (N, H, W, C), optional
        Where to write the result.

    Raises
    ------
    TypeError, ValueError
        If a dtype, the rank, a shape or a name does not fit, or a position is 2²⁸ pixels or more.

    Examples
    --------
    >>> x = np.array([1.0, 2.0, 3.0]).reshape(1, 1, 3, 1)
    >>> warp2d_forward(x, np.array([[2, 0, 1, 0, 2, 0]]) * 2**31).ravel()
    array([1.5, 2.5, 3. ])
    """
    x = checks.real("x", x, 4)
    checks.choice("interpolation", interpolation, _INTERPOLATIONS)
    checks.choice("fill_mode", fill_mode, _FILL_MODES)
    fill = x.dtype.type(checks.number("fill_value", fill_value))
    steps = checks.steps("steps", steps, checks.image_shape("x.shape", x.shape))
    y = checks.result("y", y, x.shape, x.dtype, x, steps)
    n = np.arange(len(x))[:, None, None]
    with np.errstate(all="ignore"):
        total = np.zeros(x.shape, x.dtype)
        for row, b, across in _looked_at(steps, x.shape, interpolation, fill_mode, x.dtype):
            line = np.zeros(x.shape, x.dtype)
            for column, a in across:
                inside = (row >= 0) & (column >= 0)
                line += _weighted(a, np.where(inside[..., None], x[n, row, column], fill))
            total += _weighted(b, line)
        y[...] = total
    return y


def _weighted(weight: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return weight · values, 0 where nothing is taken."""
    return np.where(weight[..., None] == 0, 0, weight[..., None] * values)


def warp2d_backward(
    dy: np.ndarray,
    steps: np.ndarray,
    interpolation: str = "bilinear",
    fill_mode: str = "reflect",
    *,
    dx: np.ndarray | None = None,
) -> np.ndarray:
    """Gradient of warping: dx[s] = Σ of weight · dy[q] over the pixels q that looked at pixel s.

    Parameters
    ----------
    dy : array (N, H, W, C)
    steps, interpolation, fill_mode : those of the forward kernel
    dx : array (N, H, W, C), optional
        Where to write the result.

    Raises
    ------
    TypeError, ValueError
        If a dtype, the rank, a shape or a name does not fit, or a position is 2²⁸ pixels or more.

    Examples
    --------
    >>> dy = np.array([1.0, 2.0, 3.0]).reshape(1, 1, 3, 1)
    >>> warp2d_backward(dy, np.array([[2, 0, 1, 0, 2, 0]]) * 2**31).ravel()
    array([0.5, 1.5, 4. ])
    """
    dy = checks.real("dy", dy, 4)
    checks.choice("interpolation", interpolation, _INTERPOLATIONS)
    checks.choice("fill_mode", fill_mode, _FILL_MODES)
    steps = checks.steps("steps", steps, checks.image_shape("dy.shape", dy.shape))
    dx = checks.result("dx", dx, dy.shape, dy.dtype, dy, steps)
    total = np.zeros(dy.shape, dy.dtype)
    n = np.broadcast_to(np.arange(len(dy))[:, None, None], dy.shape[:3])
    with np.errstate(all="ignore"):
        for row, b, across in _looked_at(steps, dy.shape, interpolation, fill_mode, dy.dtype):
            for column, a in across:
                taken = (row >= 0) & (column >= 0) & (a != 0) & (b != 0)
                np.add.at(total, (n[taken], row[taken], column[taken]), (a * b)[taken][:, None] * dy[taken])
    dx[...] = total
    return dx

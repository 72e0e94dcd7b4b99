"""Digits drawn from strokes: an image set of any size that needs no file and no network.

A digit is drawn in three steps. A *hand* jitters the knots of one style of the digit, and the distance of every point
of the plane from the pen's path is computed once per hand. Each image then samples one of these distance fields
through an affine map (size, rotation, slant, position) and an elastic one (a smooth random displacement). Wherever the
distance is less than half the pen's width there is ink, with a soft edge and a strength and noise that vary per image.
"""

from __future__ import annotations

import operator

import numpy as np

from ._images import Arrays
from ._strokes import STYLES, distance_fields

__all__ = ["class_names", "load_data"]

class_names: list[str] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]
"""The names of the ten classes, in label order."""

_SIDE = 28
_HANDS = 8  # for each style of each digit
_KNOTS = 32  # random shifts drawn per hand; no style has more knots
_BLOCK = 1000  # images drawn together
_GRID = np.linspace(-0.35, 1.35, 52, dtype=np.float32)  # the coordinates at which the distance fields are computed
_CONTROL = 6  # knots of the elastic displacement along each axis

_TRAIN, _TEST, _WRITERS = 0, 1, 2  # streams of random numbers


def load_data(n_train: int = 10000, n_test: int = 2000, seed: int = 0) -> Arrays:
    """Draw digits: ``(x_train, y_train), (x_test, y_test)``.

    Parameters
    ----------
    n_train, n_test : numbers of images
    seed : the same seed gives the same images; a smaller set is the beginning of a larger one

    Returns
    -------
    x_train : uint8 (n_train, 28, 28), 0 (background) to 255 (ink)
    y_train : uint8 (n_train,), labels 0 to 9; each class makes up a tenth of every thousand images
    x_test : uint8 (n_test, 28, 28)
    y_test : uint8 (n_test,)

    Raises
    ------
    ValueError
        If a number is negative.
    TypeError
        If a number is not an integer.

    Notes
    -----
    The elastic distortion follows P. Simard, D. Steinkraus, J. Platt, "Best practices for convolutional neural
    networks applied to visual document analysis", ICDAR 2003. Random numbers: Philox, keyed by the seed.

    Examples
    --------
    >>> from fastnn.datasets import digits
    >>> (x_train, y_train), (x_test, y_test) = digits.load_data(n_train=20, n_test=5)
    >>> x_train.shape, x_train.dtype, y_test.shape
    ((20, 28, 28), dtype('uint8'), (5,))
    """
    n_train, n_test, seed = _count("n_train", n_train), _count("n_test", n_test), _count("seed", seed)
    fields = _write(_random(seed, _WRITERS))
    return _draw(fields, n_train, seed, _TRAIN), _draw(fields, n_test, seed, _TEST)


def _count(name: str, value: int) -> int:
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be an integer, for example {name}=1000. Received: {value!r}") from None
    if number < 0:
        raise ValueError(f"{name} must be 0 or more. Received: {number}")
    return number


def _random(seed: int, *stream: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(seed, spawn_key=stream)))


def _write(rng: np.random.Generator) -> np.ndarray:
    """Return the distance fields of all hands: (digits, styles · hands, G, G)."""
    digits = []
    for styles in STYLES:
        shakes = [np.clip(rng.normal(0, 0.03, (_HANDS, _KNOTS, 2)), -0.06, 0.06) for _ in styles]
        fields = [distance_fields(style, _GRID, shake) for style, shake in zip(styles, shakes, strict=True)]
        digits.append(np.concatenate(fields))
    return np.stack(digits)


def _draw(fields: np.ndarray, count: int, seed: int, stream: int) -> tuple[np.ndarray, np.ndarray]:
    x = np.empty((count, _SIDE, _SIDE), np.uint8)
    y = np.empty(count, np.uint8)
    for begin in range(0, count, _BLOCK):
        rng = _random(seed, stream, begin)
        part = slice(begin, min(begin + _BLOCK, count))
        labels = rng.permutation(np.arange(_BLOCK) % 10)
        images = _block(fields, labels, rng)
        x[part], y[part] = images[: part.stop - begin], labels[: part.stop - begin]
    return x, y


def _block(fields: np.ndarray, labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw one image per label: uint8 (n, 28, 28)."""
    n = len(labels)
    hand = rng.integers(0, fields.shape[1], n)
    x, y, size = _look(n, rng)
    distance = _interpolate(fields, labels * fields.shape[1] + hand, x, y)

    pixels = distance * (20 * size)  # from the unit square to pixels
    half_width = rng.uniform(0.6, 1.7, (n, 1, 1)).astype(np.float32)
    strength = rng.uniform(0.7, 1.0, (n, 1, 1)).astype(np.float32)
    ink = np.clip(half_width + np.float32(0.5) - pixels, 0, 1) * strength
    noise = rng.standard_normal(ink.shape, np.float32)
    noise *= rng.uniform(0.0, 0.08, (n, 1, 1)).astype(np.float32) * (1 + ink)
    ink += noise
    ink -= np.float32(0.04)  # keeps most of the paper blank
    return (np.clip(ink, 0, 0.96) * np.float32(255 / 0.96)).astype(np.uint8)


def _look(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the point of the unit square that each pixel samples, x and y (n, 28, 28), and the sizes (n, 1, 1)."""

    def draw(low: float, high: float) -> np.ndarray:
        return rng.uniform(low, high, (n, 1, 1)).astype(np.float32)

    size, aspect = draw(0.8, 1.15), draw(0.8, 1.15)
    angle, slant = draw(-0.25, 0.25), draw(-0.3, 0.3)
    across = np.arange(_SIDE, dtype=np.float32) - np.float32((_SIDE - 1) / 2)
    px, py = across[None, None, :] - draw(-2.2, 2.2), across[None, :, None] - draw(-2.2, 2.2)

    cos, sin = np.cos(angle), np.sin(angle)
    u = (cos * px + sin * py) / (20 * size * aspect)
    v = (cos * py - sin * px) / (20 * size)
    bend = rng.normal(0, 0.034, (2, n, _CONTROL, _CONTROL)).astype(np.float32)
    smooth = _bspline(_SIDE, _CONTROL)
    bend = smooth @ bend @ smooth.T
    return u + slant * v + bend[0] + np.float32(0.5), v + bend[1] + np.float32(0.5), size


def _bspline(points: int, knots: int) -> np.ndarray:
    """Return the weights (points, knots) of a uniform cubic B-spline, scaled to keep its coefficients' variance."""
    at = np.linspace(1, knots - 2, points)[:, None]
    d = np.abs(at - np.arange(knots))
    weight = np.where(d < 1, 2 / 3 - d**2 + d**3 / 2, np.clip(2 - d, 0, None) ** 3 / 6)
    return (weight / np.sqrt((weight**2).sum(axis=1, keepdims=True))).astype(np.float32)


def _interpolate(fields: np.ndarray, index: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Read field ``index[n]`` at (x[n], y[n]), bilinearly; outside the grid, use its nearest edge."""
    side = len(_GRID)
    scale = np.float32((side - 1) / (_GRID[-1] - _GRID[0]))
    x = np.clip((x - _GRID[0]) * scale, 0, np.float32(side - 1.001))
    y = np.clip((y - _GRID[0]) * scale, 0, np.float32(side - 1.001))
    column, row = x.astype(np.int32), y.astype(np.int32)
    x -= column
    y -= row
    cell = (index.astype(np.int32) * (side * side))[:, None, None] + row * np.int32(side) + column
    flat = fields.reshape(-1)
    top = flat[cell] + (flat[cell + 1] - flat[cell]) * x
    cell += side
    low = flat[cell] + (flat[cell + 1] - flat[cell]) * x
    return top + (low - top) * y

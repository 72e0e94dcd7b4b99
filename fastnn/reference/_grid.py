"""Window positions, shared by all kinds of pooling."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fastnn import checks
from fastnn.reference._windows import add_windows, windows
from fastnn.shapes import pair, pool2d_output_shape, pool2d_padding

Size = int | Sequence[int]


class Grid:
    """The window positions of one pooling on images of `shape`."""

    def __init__(self, shape: Sequence[int], pool_size: Size, strides: Size | None, padding: str):
        self.output_shape = pool2d_output_shape(shape, pool_size, strides, padding)
        checks.image_shape("the shape (N, H, W, C)", shape)
        self.shape = tuple(shape)
        self.size = pair("pool_size", pool_size)
        self.strides = self.size if strides is None else pair("strides", strides)
        self.pads = pool2d_padding(shape, pool_size, strides, padding)

    def cells(self, x: np.ndarray, fill: float = 0) -> np.ndarray:
        """Return the windows of x, (N, OH, OW, PH·PW, C)."""
        view = windows(x, self.size, self.strides, self.pads, fill=fill)
        return view.reshape(*view.shape[:3], self.size[0] * self.size[1], view.shape[5])

    def real(self) -> np.ndarray:
        """Return which cells are inside the image, bool (1, OH, OW, PH·PW, 1)."""
        return self.cells(np.ones((1, *self.shape[1:3], 1), bool))

    def spread(self, cells: np.ndarray) -> np.ndarray:
        """Adjoint of `cells`: add (N, OH, OW, PH·PW, C) to the positions they come from, (N, H, W, C)."""
        cells = cells.reshape(*cells.shape[:3], *self.size, cells.shape[4])
        return add_windows(cells, self.shape, self.strides, self.pads)

    def gather(self, cells: np.ndarray, which: np.ndarray) -> np.ndarray:
        """Return the cell `which` (N, OH, OW, C) of each window."""
        return np.take_along_axis(cells, which[:, :, :, None, :], axis=3)[:, :, :, 0]

    def put(self, dy: np.ndarray, which: np.ndarray) -> np.ndarray:
        """Adjoint of `gather`: dy at the cell `which`, zero elsewhere."""
        count = np.arange(self.size[0] * self.size[1])[:, None]
        return np.where(count == which[:, :, :, None, :], dy[:, :, :, None, :], np.zeros((), dy.dtype))


def winners(name: str, which: np.ndarray, grid: Grid) -> np.ndarray:
    """Check an int32 array (N, OH, OW, C) of window cells: each must be a cell inside the image."""
    if not isinstance(which, np.ndarray) or which.dtype != np.int32:
        received = getattr(which, "dtype", type(which))
        raise TypeError(f"{name} must be the int32 array of the forward kernel. Received: {received}.")
    checks.shape(name, which, grid.output_shape, "(N, OH, OW, C)")
    cells = grid.size[0] * grid.size[1]
    if which.size and (which.min() < 0 or which.max() >= cells):
        raise IndexError(f"{name} must hold cells from 0 to {cells - 1}. Received: {which.min()} to {which.max()}.")
    real = np.broadcast_to(grid.real(), (*grid.output_shape[:3], cells, grid.output_shape[3]))
    if not grid.gather(real, which).all():
        raise IndexError(f"{name} must not hold cells in the padding. Received: an array of another forward call.")
    return which


def selected_backward(dy, name, which, input_shape, pool_size, strides, padding, dx) -> np.ndarray:
    """Return the gradient of a pooling that selected the cell `which` of each window."""
    dy = checks.real("dy", dy, 4)
    grid = Grid(checks.image_shape("input_shape", input_shape), pool_size, strides, padding)
    checks.shape("dy", dy, grid.output_shape, "(N, OH, OW, C)")
    which = winners(name, which, grid)
    dx = checks.result("dx", dx, grid.shape, dy.dtype, dy, which)
    dx[...] = grid.spread(grid.put(dy, which))
    return dx


def weights(grid: Grid, x: np.ndarray) -> np.ndarray:
    """Return each cell's weight in double, max(x, 0), or 1 for all real cells if none is positive; padding weighs 0."""
    positive = np.maximum(grid.cells(x).astype(np.float64), 0)
    none = ~((positive > 0) | np.isnan(positive)).any(axis=3, keepdims=True)
    return np.where(none, grid.real(), positive)

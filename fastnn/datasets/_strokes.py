"""The shapes of the digits 0 to 9 as pen strokes, and the distance of points from the pen's path.

A style is a list of strokes; a stroke is a list of knots ``(x, y)`` in the unit square, x to the right and y
downwards, joined by a Catmull-Rom spline. A knot written twice makes a corner.
"""

from __future__ import annotations

import numpy as np

__all__ = ["STYLES", "distance_fields"]

Stroke = list[tuple[float, float]]


def _ellipse(x: float, y: float, rx: float, ry: float, start: float, stop: float, knots: int = 9) -> Stroke:
    """Return an arc of an ellipse; angles are in turns, 0 at the right, 0.25 at the bottom."""
    angles = 2 * np.pi * np.linspace(start, stop, knots)
    return [(x + rx * float(np.cos(a)), y + ry * float(np.sin(a))) for a in angles]


def _curve(knots: str) -> Stroke:
    """Return a stroke through knots written in hundredths: ``"20,28 30,10"``."""
    return [(int(x) / 100, int(y) / 100) for x, y in (knot.split(",") for knot in knots.split())]


def _line(knots: str) -> Stroke:
    """Return a stroke of straight segments: every inner knot is a corner."""
    first, *inner, last = _curve(knots)
    return [first, *(knot for corner in inner for knot in (corner, corner)), last]


STYLES: list[list[list[Stroke]]] = [
    [  # 0: an oval; a narrow one; one that does not close
        [_ellipse(0.50, 0.50, 0.32, 0.46, -0.25, 0.75, 11)],
        [_ellipse(0.50, 0.50, 0.22, 0.46, -0.20, 0.80, 11)],
        [_ellipse(0.50, 0.52, 0.36, 0.42, -0.17, 0.76, 11)],
    ],
    [  # 1: a bar; with a flag; with a flag and a foot
        [_line("50,4 50,50 50,96")],
        [_line("32,24 52,5 52,96")],
        [_line("32,24 52,5 52,94"), _line("28,95 76,95")],
    ],
    [  # 2: with a corner; with a loop; with a flat back
        [_curve("20,28 30,10 52,4 74,16 74,36 50,64 18,94 18,94 50,94 82,92")],
        [_curve("22,22 40,5 66,8 74,28 60,56 34,88 18,90 20,78 36,78 60,92 84,86")],
        [_curve("18,14 44,6 70,14 72,36 46,66 22,92 22,92 80,96")],
    ],
    [  # 3: two bowls; with a flat top; with a small loop between the bowls
        [_curve("22,16 44,4 70,12 70,34 42,47 42,47 74,58 78,80 50,96 20,86")],
        [_curve("22,7 76,7 76,7 46,42 46,42 76,56 76,82 46,96 20,84")],
        [_curve("20,20 42,4 68,14 64,36 44,50 36,46 46,42 70,56 72,82 44,97 16,90")],
    ],
    [  # 4: open; closed at the top; drawn in one stroke
        [_line("26,6 20,54 82,54"), _line("68,6 66,96")],
        [_line("64,96 64,4 14,62 86,62")],
        [_curve("24,8 18,34 24,52 48,54 74,42"), _line("76,8 70,50 66,96")],
    ],
    [  # 5: with corners; with the top drawn last; slanted, in one stroke
        [_curve("78,6 30,6 30,6 24,44 24,44 54,38 78,58 70,86 42,96 18,86")],
        [_curve("34,8 28,46 28,46 60,44 74,66 60,92 34,94 20,84"), _line("34,8 82,5")],
        [_curve("84,5 56,8 42,12 34,40 46,46 66,62 60,88 34,97 14,90")],
    ],
    [  # 6: a curved stem and a loop; straight and narrow; wide open
        [_curve("70,8 44,20 24,50 24,80 48,96 74,82 72,60 48,50 26,68")],
        [_curve("44,4 30,40 26,76 44,95 66,84 64,64 46,58 28,74")],
        [_curve("78,14 58,4 34,20 18,56 30,88 58,95 80,78 66,58 40,60 22,72")],
    ],
    [  # 7: plain; with a bar; with a bent stem and a hook
        [_line("18,8 80,8 42,96")],
        [_line("18,10 80,8 44,96"), _line("34,52 76,50")],
        [_curve("18,24 20,10 20,10 50,10 82,6 82,6 58,42 48,96")],
    ],
    [  # 8: an S that returns; two rings; a narrow one
        [_curve("70,16 48,4 28,18 38,40 66,58 74,80 50,96 26,80 36,58 62,40 70,16")],
        [_ellipse(0.50, 0.27, 0.22, 0.21, 0.25, 1.25), _ellipse(0.50, 0.72, 0.28, 0.24, -0.25, 0.75)],
        [_curve("62,8 42,6 36,24 50,46 62,70 52,94 38,88 38,66 54,44 66,22 62,8")],
    ],
    [  # 9: a loop and a straight stem; with a bent stem; drawn in one stroke
        [_ellipse(0.48, 0.30, 0.24, 0.25, 0.0, -1.0), _line("72,26 70,60 66,96")],
        [_curve("74,16 50,4 26,22 34,46 58,46 74,20 74,20 76,60 60,92 28,92")],
        [_curve("70,22 54,6 30,16 28,40 50,50 70,30 72,14 70,50 58,97")],
    ],
]

_CATMULL_ROM = 0.5 * np.array([[0, 2, 0, 0], [-1, 0, 1, 0], [2, -5, 4, -1], [-1, 3, -3, 1]], np.float32)


def _spline(knots: np.ndarray, pieces: int) -> np.ndarray:
    """Return points on the splines through ``knots`` (V, K, 2): (V, (K-1)·pieces + 1, 2)."""
    ends = 2 * knots[:, [0, -1]] - knots[:, [1, -2]]
    padded = np.concatenate([ends[:, :1], knots, ends[:, 1:]], axis=1)
    t = np.arange(pieces, dtype=np.float32)[:, None] / pieces
    basis = t ** np.arange(4) @ _CATMULL_ROM  # (pieces, 4)
    windows = np.lib.stride_tricks.sliding_window_view(padded, 4, axis=1)  # (V, K-1, 2, 4)
    points = np.einsum("vkxj,pj->vkpx", windows, basis).reshape(len(knots), -1, 2)
    return np.concatenate([points, knots[:, -1:]], axis=1)


def distance_fields(style: list[Stroke], grid: np.ndarray, shake: np.ndarray, pieces: int = 4) -> np.ndarray:
    """Return the distance of every grid point from the pen's path, for V hands that write one style.

    Parameters
    ----------
    style : the strokes
    grid : (G,), the grid coordinates along x and along y
    shake : (V, knots, 2), the offset that each hand adds to each knot; equal knots of a style move together

    Returns
    -------
    float32 (V, G, G), distances; rows run along y
    """
    flat = np.array([knot for stroke in style for knot in stroke], np.float32)
    _, same = np.unique(flat, axis=0, return_inverse=True)
    knots = flat + shake[:, same.ravel()].astype(np.float32)
    best = np.full((len(shake), len(grid), len(grid)), np.inf, np.float32)
    x, y = grid[None, None, :], grid[None, :, None]
    begin = 0
    for stroke in style:
        points = _spline(knots[:, begin : begin + len(stroke)], pieces)
        begin += len(stroke)
        for i in range(points.shape[1] - 1):
            ax, ay = points[:, i, 0, None, None], points[:, i, 1, None, None]
            bx, by = points[:, i + 1, 0, None, None] - ax, points[:, i + 1, 1, None, None] - ay
            along = ((x - ax) * bx + (y - ay) * by) / (bx * bx + by * by + 1e-12)
            along = np.clip(along, 0, 1)
            np.minimum(best, (x - ax - along * bx) ** 2 + (y - ay - along * by) ** 2, out=best)
    return np.sqrt(best)

"""A diagram as an SVG picture, without any other program."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape

from .diagram import Box, Diagram
from .diagram_layout import Layout, laid_out

__all__ = ["svg_of"]

SIZE, LINE, PAD, MARGIN = 13, 18.0, 10.0, 12.0
LETTER, BOLD = 0.58 * SIZE, 0.64 * SIZE  # mean widths of a letter, on the safe side
INK, TITLE, PAPER, FRAME = "#333333", "#3b5b7d", "#ffffff", "#f2f5f9"


@dataclass
class _Placed:
    """A diagram with the size of each box, its layout, and likewise the inside of boxes."""

    diagram: Diagram
    inside: list[_Placed | None] = field(default_factory=list)
    sizes: list[tuple[float, float]] = field(default_factory=list)
    layout: Layout = field(default_factory=lambda: Layout([], [], 0.0, 0.0))


def svg_of(diagram: Diagram, rankdir: str = "TB") -> str:
    """The text of an SVG file.

    Parameters
    ----------
    diagram : Diagram
    rankdir : {"TB", "BT", "LR", "RL"}
        Which way the arrows go: T top, B bottom, L left, R right.

    Examples
    --------
    >>> svg_of(Diagram([Box("Dense", [])])).startswith("<svg xmlns=")
    True
    """
    placed = _place(diagram, rankdir)
    width, height = _turned(placed.layout.width, placed.layout.height, rankdir)
    parts = _drawn(placed, rankdir, MARGIN, MARGIN)
    size = f"{width + 2 * MARGIN:.0f}", f"{height + 2 * MARGIN:.0f}"
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{size[0]}" height="{size[1]}" '
        f'viewBox="0 0 {size[0]} {size[1]}" font-family="Helvetica, Arial, sans-serif" font-size="{SIZE}">'
    )
    marker = (
        '<defs><marker id="tip" viewBox="0 0 10 10" refX="10" refY="5" markerWidth="7" markerHeight="7" '
        f'orient="auto"><path d="M0 0L10 5L0 10z" fill="{INK}"/></marker></defs>'
    )
    return "\n".join([head, marker, f'<rect width="100%" height="100%" fill="{PAPER}"/>', *parts, "</svg>"]) + "\n"


def _place(diagram: Diagram, rankdir: str) -> _Placed:
    placed = _Placed(diagram)
    for box in diagram.boxes:
        inner = None if box.inside is None else _place(box.inside, rankdir)
        placed.inside.append(inner)
        placed.sizes.append(_size(box, inner, rankdir))
    placed.layout = laid_out([_turned(*size, rankdir) for size in placed.sizes], diagram.arrows)
    return placed


def _size(box: Box, inner: _Placed | None, rankdir: str) -> tuple[float, float]:
    width = max(len(box.title) * BOLD, *(len(text) * LETTER for text in box.rows), 0) + 2 * PAD
    height = LINE * (1 + len(box.rows)) + (PAD if box.rows or inner else PAD / 2)
    if inner is None:
        return width, height
    across, down = _turned(inner.layout.width, inner.layout.height, rankdir)
    return max(width, across + 2 * PAD), height + down + 2 * PAD


def _turned(a: float, b: float, rankdir: str) -> tuple[float, float]:
    """Width and height of a layout from top to bottom; and the other way round."""
    return (a, b) if rankdir in ("TB", "BT") else (b, a)


def _point(x: float, y: float, layout: Layout, rankdir: str) -> tuple[float, float]:
    y = layout.height - y if rankdir in ("BT", "RL") else y
    return _turned(x, y, rankdir)


def _drawn(placed: _Placed, rankdir: str, left: float, top: float) -> list[str]:
    parts = []
    for path in placed.layout.paths:
        points = [_point(x, y, placed.layout, rankdir) for x, y in path]
        parts.append(_arrow([(x + left, y + top) for x, y in points], rankdir in ("TB", "BT")))
    boxes = zip(placed.diagram.boxes, placed.inside, placed.sizes, placed.layout.centres, strict=True)
    for box, inner, (width, height), centre in boxes:
        x, y = _point(*centre, placed.layout, rankdir)
        corner = (left + x - width / 2, top + y - height / 2)
        parts += _box(box, corner, width, height, inner is not None)
        if inner is not None:
            across, _ = _turned(inner.layout.width, inner.layout.height, rankdir)
            below = LINE * (1 + len(box.rows)) + 2 * PAD
            parts += _drawn(inner, rankdir, corner[0] + (width - across) / 2, corner[1] + below)
    return parts


def _box(box: Box, corner: tuple[float, float], width: float, height: float, opened: bool) -> list[str]:
    x, y = corner
    bar = LINE + PAD / 2
    frame = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="4"'
    if not box.rows and not opened:
        parts = [f'<rect {frame} fill="{TITLE}"/>']
    else:
        head = f"M{x:.1f} {y + bar:.1f}v{4 - bar:.1f}q0 -4 4 -4h{width - 8:.1f}q4 0 4 4v{bar - 4:.1f}z"
        parts = [
            f'<rect {frame} fill="{FRAME if opened else PAPER}" stroke="{TITLE}"/>',
            f'<path d="{head}" fill="{TITLE}"/>',
        ]
    for i, text in enumerate((box.title, *box.rows)):
        ink, weight = (PAPER, ' font-weight="bold"') if i == 0 else (INK, "")
        at = y + PAD / 2 + LINE * (i + 0.72) - (2 if i == 0 else 0)
        parts.append(
            f'<text x="{x + width / 2:.1f}" y="{at:.1f}" text-anchor="middle" fill="{ink}"{weight}>'
            f"{escape(text)}</text>"
        )
    return parts


def _arrow(points: list[tuple[float, float]], upright: bool) -> str:
    """A line through points: curved from rank to rank, straight through a rank."""
    text = f"M{points[0][0]:.1f} {points[0][1]:.1f}"
    for i, (x, y) in enumerate(points[1:]):
        before = points[i]
        if i % 2:  # through a rank, beside its boxes
            text += f"L{x:.1f} {y:.1f}"
        elif upright:
            half = (before[1] + y) / 2
            text += f"C{before[0]:.1f} {half:.1f} {x:.1f} {half:.1f} {x:.1f} {y:.1f}"
        else:
            half = (before[0] + x) / 2
            text += f"C{half:.1f} {before[1]:.1f} {half:.1f} {y:.1f} {x:.1f} {y:.1f}"
    return f'<path d="{text}" fill="none" stroke="{INK}" marker-end="url(#tip)"/>'

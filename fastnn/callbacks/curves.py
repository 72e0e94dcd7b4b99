"""Curves of a training as SVG within HTML, for notebooks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

__all__ = ["curves_html"]

_WIDTH, _HEIGHT = 300, 200
_LEFT, _TOP, _RIGHT, _BOTTOM = 52, 26, 288, 168  # the box that the curves are drawn in
_STYLES = {"training": 'stroke="#1f77b4"', "validation": 'stroke="#ff7f0e" stroke-dasharray="5 3"'}


def curves_html(history: Mapping[str, Sequence[Any]]) -> str:
    """A panel for each name, with a curve of training and one of validation; the loss last.

    Parameters
    ----------
    history : mapping of str to sequence of numbers
        One value an epoch; of metrics with several values the mean is drawn.

    Examples
    --------
    >>> html = curves_html({"loss": [2.0, 1.0], "val_loss": [3.0, 2.5]})
    >>> html.count("<svg"), html.count("<polyline")
    (1, 2)
    """
    names = list(dict.fromkeys(name.removeprefix("val_") for name in history))
    names.sort(key=lambda name: (name == "learning_rate", name == "loss"))
    panels = []
    for name in names:
        curves = {
            label: [float(np.mean(value)) for value in history[key]]
            for label, key in (("training", name), ("validation", f"val_{name}"))
            if key in history
        }
        panels.append(_panel(name.replace("_", " "), curves))
    return f"<div>{''.join(panels)}</div>" if panels else "<div>No epoch has finished yet.</div>"


def _panel(title: str, curves: Mapping[str, Sequence[float]]) -> str:
    finite = [value for values in curves.values() for value in values if math.isfinite(value)]
    low, high = (min(finite), max(finite)) if finite else (0.0, 1.0)
    epochs = max(map(len, curves.values()))
    lines = [_curve(values, label, low, high, epochs) for label, values in curves.items()]
    last = " · ".join(f"{label} {values[-1]:.4g}" for label, values in curves.items() if values)
    return (
        f'<svg width="{_WIDTH}" height="{_HEIGHT}" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'font-family="sans-serif" font-size="11" fill="currentColor">'
        f"<title>{escape(title)}: {escape(last)}</title>"
        f"{_text(_LEFT, 16, title, 'start', bold=True)}"
        f'<rect x="{_LEFT}" y="{_TOP}" width="{_RIGHT - _LEFT}" height="{_BOTTOM - _TOP}" fill="none" '
        f'stroke="currentColor" stroke-opacity="0.3"/>'
        f"{_text(_LEFT - 4, _TOP + 9, f'{high:.4g}', 'end')}{_text(_LEFT - 4, _BOTTOM, f'{low:.4g}', 'end')}"
        f"{_text(_LEFT, _BOTTOM + 14, '1', 'start')}{_text(_RIGHT, _BOTTOM + 14, f'epoch {epochs}', 'end')}"
        f"{''.join(lines)}{_text(_LEFT, _HEIGHT - 4, last, 'start')}</svg>"
    )


def _curve(values: Sequence[float], label: str, low: float, high: float, epochs: int) -> str:
    """A line through the finite values; a dot where there is one."""
    points = [
        (
            _LEFT + (_RIGHT - _LEFT) * (i / (epochs - 1) if epochs > 1 else 0.5),
            _BOTTOM - (_BOTTOM - _TOP) * ((value - low) / (high - low) if high > low else 0.5),
        )
        for i, value in enumerate(values)
        if math.isfinite(value)
    ]
    places = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    style = f'fill="none" stroke-width="1.5" {_STYLES[label]}'
    if len(points) == 1:
        [(x, y)] = points
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" {style}/>'
    return f'<polyline points="{places}" {style}/>'


def _text(x: float, y: float, words: str, anchor: str, bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}"{weight}>{escape(words)}</text>'

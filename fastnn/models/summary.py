"""The table of ``model.summary()``: Keras' columns, drawn with the same lines."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from ..layers.base import Layer

__all__ = ["readable_bytes", "summary_text"]


def readable_bytes(n: float) -> str:
    """A number of bytes as people read it.

    Examples
    --------
    >>> readable_bytes(814120)
    '795.04 KB'
    """
    for unit in ("B", "KB", "MB", "GB", "TB"):
        if n < 1024:
            return f"{n:.2f} {unit}"
        n /= 1024
    return f"{n:.2f} PB"


def summary_text(
    model: Any,
    line_length: int | None = None,
    positions: Sequence[float] | None = None,
    expand_nested: bool = False,
    show_trainable: bool = False,
) -> str:
    """The whole text of a summary.

    Raises
    ------
    ValueError
        If a column is too narrow to write in.
    """
    header, ends, longest = ["Layer (type)", "Output Shape", "Param #"], list(positions or (0.45, 0.80, 1.0)), 88
    align = ["<", "<", ">"]
    if show_trainable:
        header, align = [*header, "Trainable"], [*align, "^"]
        ends, longest = [0.9 * end for end in ends] + [1.0], longest + 12
    line_length = line_length or min(longest, shutil.get_terminal_size().columns - 4)
    widths = _column_widths(line_length, ends)
    rows = [row for layer in model.layers for row in _rows(layer, expand_nested, show_trainable, 0)]
    lines = [
        f'Model: "{model.name}"',
        _rule("┏━┳┓", widths),
        *_cells(header, widths, align, "┃"),
        _rule("┡━╇┩", widths),
    ]
    for i, row in enumerate(rows):
        if i:
            lines.append(_rule("├─┼┤", widths))
        lines += _cells(row, widths, align, "│")
    return "\n".join([*lines, _rule("└─┴┘", widths), *_totals(model)])


def _column_widths(line_length: int, ends: Sequence[float]) -> list[int]:
    """Cells between the vertical lines; what padding and lines take is shared out over the columns."""
    stops = [0, *(int(end * line_length) for end in ends)]
    widths = [stop - start for start, stop in pairwise(stops)]
    if min(widths) < 4:
        raise ValueError(
            f"A summary needs columns of at least 4 characters. Received: line_length={line_length}, positions={ends}."
        )
    left = 3 * len(widths) + 1
    for i, width in enumerate(widths):
        share = round(left / (len(widths) - i))
        left -= share
        widths[i] = width + 2 - share
    return widths


def _rule(marks: str, widths: Sequence[int]) -> str:
    first, line, middle, last = marks
    return first + middle.join(line * width for width in widths) + last


def _cells(texts: Sequence[str], widths: Sequence[int], align: Sequence[str], bar: str) -> list[str]:
    """One row of the table, in as many lines as its longest cell needs."""
    wrapped = [_wrap(text, width - 2) for text, width in zip(texts, widths, strict=True)]
    lines = []
    for i in range(max(map(len, wrapped))):
        parts = [
            f" {cell[i] if i < len(cell) else '':{side}{width - 2}} "
            for cell, width, side in zip(wrapped, widths, align, strict=True)
        ]
        lines.append(bar + bar.join(parts) + bar)
    return lines


def _wrap(text: str, width: int) -> list[str]:
    """Lines of at most ``width`` characters; a word that is longer ends in an ellipsis."""
    lines = textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False) or [""]
    return [line if len(line) <= width else line[: width - 1] + "…" for line in lines]


def _rows(layer: Layer, expand_nested: bool, show_trainable: bool, depth: int) -> list[list[str]]:
    prefix = "   " * depth + "└ " if depth else ""
    shape = "?" if layer.output_shape is None else f"({', '.join(map(str, layer.output_shape))})"
    row = [
        f"{prefix}{layer.name} ({type(layer).__name__})",
        shape,
        f"{layer.count_params():,}" if layer.built else "0 (unbuilt)",
    ]
    if show_trainable:
        row.append("-" if not layer.weights else "Y" if layer.trainable else "N")
    rows = [row]
    if expand_nested:
        for child in getattr(layer, "layers", ()):
            rows += _rows(child, True, show_trainable, depth + 1)
    return rows


def _totals(model: Any) -> list[str]:
    def count(parameters: Any) -> tuple[int, int]:
        return sum(p.value.size for p in parameters), sum(p.value.nbytes for p in parameters)

    trainable, frozen = count(model.trainable_weights), count(model.non_trainable_weights)
    optimizer = None
    if model.optimizer is not None and model.optimizer.built:
        state = model.optimizer.variables
        optimizer = (sum(v.size for v in state), sum(v.nbytes for v in state))
    total = [sum(numbers) for numbers in zip(trainable, frozen, optimizer or (0, 0), strict=True)]
    lines = [("Total", total), ("Trainable", trainable), ("Non-trainable", frozen)]
    if optimizer is not None:
        lines.append(("Optimizer", optimizer))
    return [f" {word} params: {n:,} ({readable_bytes(size)})" for word, (n, size) in lines]

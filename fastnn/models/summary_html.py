"""The table of ``model.summary()`` in HTML, for notebooks."""

from __future__ import annotations

from html import escape
from typing import Any

from .summary import summary_rows, summary_totals

__all__ = ["summary_html"]


def summary_html(model: Any) -> str:
    """The summary as an HTML table with its totals.

    Examples
    --------
    >>> from fastnn import Sequential
    >>> from fastnn.layers import Dense
    >>> html = summary_html(Sequential([Dense(3, input_shape=(2,), name="a<b")]))
    >>> "a&lt;b (Dense)" in html, "a<b" in html
    (True, False)
    """
    header, rows = summary_rows(model, False, False)
    lines = [_row("th", header), *(_row("td", row) for row in rows)]
    totals = "<br>".join(map(escape, summary_totals(model)))
    return (
        f"<div><b>Model: {escape(model.name)}</b> ({escape(type(model).__name__)})\n"
        f"<table>\n{chr(10).join(lines)}\n</table>\n{totals}</div>"
    )


def _row(tag: str, cells: list[str]) -> str:
    parts = [
        f'<{tag} style="text-align:{"right" if i == 2 else "left"}">{escape(cell)}</{tag}>'  # numbers of weights
        for i, cell in enumerate(cells)
    ]
    return f"<tr>{''.join(parts)}</tr>"

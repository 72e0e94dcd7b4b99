"""The moving line in a terminal or notebook: a tqdm bar that shows our words."""

from __future__ import annotations

import shutil
from typing import Any, TextIO

from tqdm import tqdm

__all__ = ["Bar"]


class Bar(tqdm):
    """``12/1875 ━━━       3s 2ms/step - loss: 0.4``; without a total, no bar.

    Parameters
    ----------
    out : text file
    total : int or None
    width : int
        Of the bar, in characters.
    """

    monitor_interval = 0

    def __init__(self, out: TextIO, total: int | None, width: int):
        self.words = ""
        shape = f"{{count}} {{bar:{width}}} {{words}}" if total else "{count} {words}"
        # delay: nothing is drawn before the first ``show``
        super().__init__(total=total, file=out, bar_format=shape, ascii=" ━", leave=False, miniters=1, delay=1e-9)

    @property
    def format_dict(self) -> dict[str, Any]:
        settings = super().format_dict
        n, total = settings["n"], settings["total"]
        count = f"{n:{len(str(total))}d}/{total}" if total else f"{n:7d}/Unknown"
        return {**settings, "count": count, "words": self.words}

    def display(self, msg: str | None = None, pos: int | None = None) -> bool:
        """Write the line, cut to the width of the terminal; there is one bar, so it never moves to another line."""
        self.ncols = shutil.get_terminal_size().columns - 1 if self.fp.isatty() else None
        self.sp(str(self) if msg is None else msg)
        return True

    def show(self, n: int, words: str) -> None:
        """Draw the line for step ``n``."""
        self.n, self.words = n, words
        self.refresh()

"""The progress bar: Keras' words, drawn by tqdm, and quiet in log files.

    1875/1875 ━━━━━━━━━━━━━━━━━━━━ 3s 2ms/step - accuracy: 0.9312 - loss: 0.2341

In a terminal or notebook the line moves, refreshed by time and not by step.  Anywhere else (a file, a pipe) it is
written once, at the end, without control characters.
"""

from __future__ import annotations

import sys
import time
from typing import Any, TextIO

import numpy as np

from .callback import Callback

__all__ = ["ProgressBar"]

_INTERVAL = 0.1
_WIDTH = 20


class ProgressBar(Callback):
    """Shows how far an epoch is, with its time and metrics; ``fit``, ``evaluate`` and ``predict`` add one by
    themselves.

    Parameters
    ----------
    file : text file, optional
        Where to write; default ``sys.stdout``, looked up at each epoch.
    """

    def __init__(self, file: TextIO | None = None):
        super().__init__()
        self.file = file
        self._in_fit = False
        self._bar: Any = None
        self._due = float("inf")
        self._seen: int | None = None  # steps of the last epoch, where nobody knows them beforehand

    # The moments.

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._in_fit, self._seen = True, None

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self.close()
        self._in_fit = False

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        epochs = self.params.get("epochs") or 1
        if self._verbose and epochs > 1:
            self._write(f"Epoch {epoch + 1}/{epochs}\n")
        self._start()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._finish(logs)
        self._seen = self._step

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        if not self._in_fit:
            self._start()

    def on_test_end(self, logs: dict[str, Any] | None = None) -> None:
        if not self._in_fit:
            self._finish(logs)

    def on_predict_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._start(measures=False)

    def on_predict_end(self, logs: dict[str, Any] | None = None) -> None:
        self._finish(None)

    def tick(self, step: int) -> None:
        """A step (counted from 1) is done; costs a look at the clock unless a refresh is due."""
        self._step = step
        now = time.perf_counter()
        if step == 1:
            self._first = now
        if now >= self._due:
            self._refresh(now)

    def close(self) -> None:
        """Take a moving line away, for instance because training was broken off."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None
        self._due = float("inf")

    # The line.

    @property
    def _verbose(self) -> int:
        verbose = self.params.get("verbose", 1)
        return 1 if verbose == "auto" else int(verbose)

    @property
    def _out(self) -> TextIO:
        return self.file or sys.stdout

    def _write(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()

    def _start(self, measures: bool = True) -> None:
        self.close()
        self._measures = measures
        self._step, self._total = 0, self.params.get("steps")
        self._expected = self._seen if self._total is None else self._total
        self._begin = self._first = time.perf_counter()
        if self._verbose == 1 and _moves(self._out):
            self._due = self._begin + _INTERVAL

    def _refresh(self, now: float) -> None:
        if self._bar is None:
            from .bar import Bar

            self._bar = Bar(self._out, self._expected, _WIDTH)
        seconds = self._seconds_a_step(now)
        left = now - self._begin if self._expected is None else seconds * max(self._expected - self._step, 0)
        logs = self.model.current_logs() if self._measures and self.model is not None else {}
        self._bar.show(self._step, f"{_duration(left)}{_step_time(seconds)}{_numbers(logs)}")
        self._due = time.perf_counter() + _INTERVAL

    def _finish(self, logs: dict[str, Any] | None) -> None:
        now = time.perf_counter()
        self.close()
        total = self._total if self._total is not None else self._step
        line = (
            f"{now - self._begin:.0f}s" + (" -" if self._verbose == 2 else "") + _step_time(self._seconds_a_step(now))
        )
        if self._verbose == 1:
            self._write(f"{total}/{total} {'━' * _WIDTH} {line}{_numbers(logs or {})}\n")
        elif self._verbose == 2:
            self._write(f"{total}/{total} - {line}{_numbers(logs or {})}\n")

    def _seconds_a_step(self, now: float) -> float:
        """Without the first step, which pays for all first times."""
        if self._step > 1:
            return (now - self._first) / (self._step - 1)
        return now - self._begin if self._step else 0.0


def _moves(out: TextIO) -> bool:
    """Whether a line written there may move."""
    return bool(getattr(out, "isatty", lambda: False)()) or ("ipykernel" in sys.modules and out is sys.stdout)


def _duration(seconds: float) -> str:
    """
    >>> _duration(5), _duration(75), _duration(7325)
    ('5s', '1:15', '2:02:05')
    """
    s = int(seconds)
    if s > 3600:
        return f"{s // 3600}:{s % 3600 // 60:02d}:{s % 60:02d}"
    return f"{s // 60}:{s % 60:02d}" if s > 60 else f"{s}s"


def _step_time(seconds: float) -> str:
    """
    >>> _step_time(0.0021), _step_time(0.00012), _step_time(2.5)
    (' 2ms/step', ' 120us/step', ' 2s/step')
    """
    if seconds >= 1 or seconds == 0:
        return f" {seconds:.0f}s/step"
    return f" {seconds * 1e3:.0f}ms/step" if seconds >= 1e-3 else f" {seconds * 1e6:.0f}us/step"


def _numbers(logs: dict[str, Any]) -> str:
    """
    >>> _numbers({"accuracy": 0.5, "loss": 0.00012})
    ' - accuracy: 0.5000 - loss: 1.2000e-04'
    """
    parts = []
    for name, value in logs.items():
        v = float(np.mean(value))
        parts.append(f" - {name}: {v:.4f}" if abs(v) > 1e-3 or v != v else f" - {name}: {v:.4e}")
    return "".join(parts)

"""What callbacks share that watch one number of the logs."""

from __future__ import annotations

from typing import Any

from fastnn.callbacks.callback import Callback

from ..user_warnings import warn

__all__ = ["MonitorCallback"]


class MonitorCallback(Callback):
    """Base of callbacks that ask whether ``logs[monitor]`` got better.

    Parameters
    ----------
    monitor : str
        The name in the logs, "val_loss" or "accuracy" for example.
    mode : {"auto", "min", "max"}
        Which way is better; "auto" asks the metric.
    min_delta : float
        A smaller change does not count as better.
    """

    def __init__(self, monitor: str = "val_loss", mode: str = "auto", min_delta: float = 0.0):
        super().__init__()
        if mode not in ("auto", "min", "max"):
            raise ValueError(f'mode must be "auto", "min" or "max". Received: mode={mode!r}.')
        self.monitor, self.mode, self.min_delta = monitor, mode, abs(float(min_delta))
        self.best: float | None = None
        self._sign = 0

    def _direction(self) -> int:
        """1 if more is better, −1 if less is."""
        if self.mode != "auto":
            return 1 if self.mode == "max" else -1
        name = self.monitor.removeprefix("val_")
        if name == "loss" or name.endswith("_loss"):
            return -1
        for metric in getattr(self.model, "metrics", ()):
            if metric.name == name and metric.direction is not None:
                return 1 if metric.direction == "up" else -1
        raise ValueError(
            f'{type(self).__name__} cannot tell whether a higher or lower {self.monitor!r} is better. Use mode="max" '
            'or mode="min".'
        )

    def better(self, value: float, than: float | None) -> bool:
        """True if ``value`` is better than ``than`` by more than ``min_delta``; anything is better than None."""
        if not self._sign:
            self._sign = self._direction()
        return than is None or self._sign * (value - than) > self.min_delta

    def watched(self, logs: dict[str, Any] | None) -> float | None:
        """The watched number; None, with a warning that lists what there is, if the logs lack it."""
        value = (logs or {}).get(self.monitor)
        if value is None:
            warn(
                f"{type(self).__name__} watches {self.monitor!r}, which is not in the logs. "
                f"There are: {', '.join(logs or {})}. "
                + ("Give fit validation_data or validation_split." if self.monitor.startswith("val_") else ""),
            )
        return value

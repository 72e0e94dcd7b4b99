"""The position and state of a call of fit, from which another process can continue with the same bits.

Weights, optimizer, counters of draws and states of layers are read from a file.  So are running losses and metrics,
and what callbacks remember.  The data are drawn again, up to the batch that comes next, and not trained on: whatever
they draw from, a shuffle or the user's generator, is then in the same state.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from ..saving import run_file
from ..user_warnings import warn
from .feeds import Epochs

__all__ = ["Run"]


class Run:
    """The state of one call of ``fit``; its backups are written between two batches, or two epochs.

    Parameters
    ----------
    model : Model
    step : Step
    train : Epochs
    validation : Epochs or None
    validates : callable
        Whether an epoch, counted from 0, is followed by validation.
    callbacks : iterable of Callback
    epoch : int
        The first one.

    Attributes
    ----------
    epoch, batch : int
        What comes next: the epoch, and the batch within it.
    passed : int
        The batches of all epochs that have ended.
    logs : dict or None
        Of the last epoch that ended.
    ended : bool
        Whether no batch is left, because the file is of a run that was stopped.
    wanted : str or None
        The path of the file that a callback has asked for; written once all callbacks have had the moment.
    """

    def __init__(
        self,
        model: Any,
        step: Any,
        train: Epochs,
        validation: Epochs | None,
        validates: Any,
        callbacks: Any,
        epoch: int,
    ):
        self.model, self.step, self.train, self.validation = model, step, train, validation
        self.validates, self.callbacks = validates, callbacks
        self.first = self.epoch = epoch
        self.batch = self.passed = 0
        self.logs: dict[str, Any] | None = None
        self.wanted: Any = None
        self.ended = False
        self._found: Any = None
        self._begin = {name: feed.batches.get_state() for name, feed in self._feeds()}

    def _feeds(self) -> list[tuple[str, Epochs]]:
        pairs = [("training data", self.train), ("validation data", self.validation)]
        return [(name, feed) for name, feed in pairs if feed is not None]

    def __enter__(self) -> Run:
        self.model.current_run = self
        return self

    def __exit__(self, *error: object) -> None:
        self.model.current_run = None

    # Saving.

    def end_epoch(self, logs: dict[str, Any]) -> None:
        """Note that the next epoch comes, and write the file that a callback has asked for."""
        self.passed += self.batch
        self.epoch, self.batch, self.logs = self.epoch + 1, 0, logs
        if self.wanted is not None:
            self.save()

    def save(self) -> None:
        """Write the file that a callback has asked for."""
        path, self.wanted = self.wanted, None
        run_file.save_run(path, self.model, self._state())

    def _state(self) -> dict[str, Any]:
        step = self.step
        return {
            "first": self.first,
            "epoch": self.epoch,
            "batch": self.batch,
            "passed": self.passed,
            "logs": self.logs,
            "stopped": self.model.stop_training,
            "data": {name: feed.describe() for name, feed in self._feeds()},
            "begin": self._begin,
            "losses": [step.total, step.count, step._totals],
            "metrics": [metric.get_state() for metric in self.model.metrics],
            "callbacks": {name: callback.get_state() for name, callback in self._remembering()},
        }

    def _remembering(self) -> list[tuple[str, Any]]:
        """The callbacks that remember something, by names: the class, and a number."""
        names: Counter[str] = Counter()
        found = []
        for callback in self.callbacks:
            if hasattr(callback, "get_state") and hasattr(callback, "set_state"):
                kind = type(callback).__name__
                names[kind] += 1
                found.append((f"{kind} {names[kind]}", callback))
        return found

    # Going on.

    def go_on_from(self, paths: Sequence[str]) -> None:
        """Go on from the first of these files that is there and whole, once all callbacks have begun.

        Raises
        ------
        ValueError
            If all that are there are damaged, or it is the file of another model, or of a call with other data, or the
            data cannot be repeated; nothing has changed then.
        """
        for name, feed in self._feeds():
            if isinstance(getattr(feed.batches, "source", None), Iterator):
                raise ValueError(
                    "A resumed run reads its data again, but a generator yields its batches only once. Received: "
                    f"{name}, a generator. Use fastnn.data.Dataset.from_generator(function)."
                )
        there = [path for path in paths if os.path.exists(path)]
        for i, path in enumerate(there):
            try:
                backup = run_file.read_run(path)
            except (OSError, ValueError) as error:
                if i + 1 == len(there):
                    raise ValueError(
                        f'The backup cannot be read. {error} Delete the folder "{os.path.dirname(path)}" to start over.'
                    ) from error
                warn(f"{error} Training continues from the previous backup, {there[i + 1]}.")
                continue
            self._check(path, backup)
            self._found = backup
            return

    def _check(self, path: str, backup: run_file.Backup) -> None:
        """Refuse the backup of another run."""
        try:
            run_file.check_run(self.model, backup)
            run = backup[1]["run"]
            for name, feed in self._feeds():
                theirs, ours = run["data"].get(name), feed.describe()
                if theirs != ours:
                    raise ValueError(f"It was made with {_words(theirs, ours)}. Received: {_words(ours, theirs)}.")
            if len(run["metrics"]) != len(self.model.metrics):
                raise ValueError(
                    f"It was made with {len(run['metrics'])} metrics. Received: {len(self.model.metrics)} metrics."
                )
        except ValueError as error:
            raise ValueError(
                f'The backup "{path}" belongs to another training. {error} Use the model and the data that it was made '
                f'with, or delete the folder "{os.path.dirname(path)}" to start over.'
            ) from error

    def resume(self) -> None:
        """Be where the file says, if there is one."""
        if self._found is None:
            return
        run = self._found[1]["run"]
        for name in ("first", "epoch", "batch", "passed", "logs"):
            setattr(self, name, run[name])
        self.ended, self._begin = run["stopped"], run["begin"]
        for name, feed in self._feeds():
            feed.batches.set_state(self._begin[name])
        if not self.over:
            self._draw_again()
        self._put_back()
        if not self.batch:
            self._found = None

    @property
    def over(self) -> bool:
        """Whether nothing is left to do: the file is of a run that was stopped, after its last epoch."""
        return self.ended and not self.batch

    def _draw_again(self) -> None:
        """Draw the data of the epochs that have ended."""
        drawn = 0
        for epoch in range(self.first, self.epoch):
            drawn += self.train.skip()
            if self.validation is not None and self.validates(epoch):
                self.validation.skip()
        if drawn != self.passed:
            raise ValueError(
                f"The backup was made after epochs with {self.passed} batches in total. Received: data with {drawn}. "
                "Use the same data, or delete the backup to start over."
            )

    def begin_epoch(self) -> None:
        """After ``on_epoch_begin``: in a resumed epoch, callbacks have already handled it, so restore their state."""
        if self._found is not None:
            self._put_back()
            self._found = None

    def _put_back(self) -> None:
        """All state but that of the data."""
        run = self._found[1]["run"]
        run_file.restore_run(self.model, self._found)
        self.step.total, self.step.count, self.step._totals = run["losses"]
        for metric, state in zip(self.model.metrics, run["metrics"], strict=True):
            metric.set_state(state)
        for name, callback in self._remembering():
            if name in run["callbacks"]:
                callback.set_state(run["callbacks"][name])
        self.model.stop_training = run["stopped"]


def _words(these: dict[str, Any] | None, those: dict[str, Any] | None) -> str:
    """What differs between two descriptions of data: "batch_size=32"."""
    if these is None or those is None:
        return "no data of the kind" if these is None else str(these)
    return ", ".join(f"{key}={value!r}" for key, value in these.items() if those.get(key, ()) != value)

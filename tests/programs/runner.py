"""Runs a program line by line, and holds every line to what is promised of any call.

A line that is refused raises an error that teaches, and leaves every model and layer of the program as it was.  A line
that is taken leaves the arrays as they were.  Nothing else is raised, whatever the line asks for.
"""

from __future__ import annotations

import contextlib
import io
import re
import traceback
import warnings
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import fastnn
from fastnn import seeds
from fastnn.layers import Layer
from fastnn.models import Model
from fastnn.utils import clear_session
from tests.models.random_graphs import counters, walk

__all__ = ["Broken", "Session", "failing", "replayed", "script", "shrunk"]

PRELUDE = """\
import numpy as np
from fastnn import Input, Model, Sequential, callbacks, constraints, initializers, layers, losses, metrics, models, ops
from fastnn import optimizers, regularizers, utils
from tests.models.random_graphs import Recipe, Step, made
from tests.programs.promises import *
"""
PACKAGE = str(Path(fastnn.__file__).parent)
REFUSALS = (ValueError, TypeError, IndexError, FloatingPointError, OSError)
TAUGHT = re.compile(
    r"Received|Known:|\b(Add|Build|Call|Choose|Compile|Create|Define|Did you mean|Give|Install|Make|Pass|Scale|Set|"
    r"Start|Use|Write)\b"
)
BINDING = re.compile(r"missing \d+ required|unexpected keyword|takes .* positional|multiple values")
NAME = re.compile(r"\b[a-z]+\d+\b")
DATA = re.compile(r"a\d+\b")  # lines of NumPy alone


class Broken(AssertionError):
    """A promise that a line breaks; ``kind`` is the same for other lines that break it in the same way."""

    def __init__(self, kind: str, words: str):
        super().__init__(words)
        self.kind = kind


# What is looked at.


def digest(value: Any) -> Any:
    """A value as plain data that compares by bits."""
    if isinstance(value, np.ndarray):
        if value.dtype == object:
            return repr(value.tolist())
        return value.dtype.str, value.shape, zlib.crc32(np.ascontiguousarray(value).tobytes())
    if isinstance(value, (list, tuple)):
        return [digest(one) for one in value]
    if isinstance(value, dict):
        return [(name, digest(one)) for name, one in value.items()]
    if isinstance(value, fastnn.callbacks.History):
        return digest(value.history)
    return repr(value) if isinstance(value, (int, float, np.generic, str)) else type(value).__name__


def state_of(layer: Layer) -> dict[str, Any]:
    """All of a model or layer that a refused call could change."""
    found: dict[str, Any] = {}
    for i, part in enumerate(walk(layer)):
        shapes = part.built, part.input_shape, part.output_shape, part.trainable
        found[f"{i}: {part.name}"] = (
            shapes,
            [(p.name, digest(np.asarray(p.value))) for p in part.weights],
            digest(getattr(part, "states", None) or []),
        )
    found["draws"] = [part.calls for part in counters(layer)]
    if isinstance(layer, Model):
        found["model"] = layer.shape_declared, len(layer.layers), digest(layer.loss), layer.compiled
        optimizer = layer.optimizer
        if layer.compiled and optimizer is not None:
            begun = optimizer.built and optimizer.iterations  # made for training, but without a step, it is as new
            variables = digest([np.asarray(v) for v in optimizer.variables]) if begun else None
            found["optimizer"] = type(optimizer), variables, int(optimizer.iterations), float(optimizer.learning_rate)
            found["metrics"] = [m.name for m in layer.metrics]
    return found


def without_training(state: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The layers, as they are before or after what is made for training."""
    return {
        name: {k: v for k, v in parts.items() if ":" in k or k in ("draws", "position")}
        for name, parts in state.items()
    }


def difference(before: dict[str, Any], after: dict[str, Any]) -> str:
    """Where two states differ first."""
    for name, one in before.items():
        for part in {**one, **after[name]}:
            old, new = one.get(part), after[name].get(part)
            if old != new:
                return f"{name}, {part}: {old} -> {new}"
    return "nothing"


# Running.


class Session:
    """The names of a program, the lines that were run, those that were refused, and what each gave."""

    def __init__(self, title: str = "program"):
        self.title = title
        self.lines: list[str] = []
        self.refused: list[str] = []
        self.results: list[Any] = []
        self.names: dict[str, Any] = {}
        exec(PRELUDE, self.names)
        self._given = set(self.names)

    def own(self, kind: type = object) -> dict[str, Any]:
        """What the program has made, of a class."""
        return {n: value for n, value in self.names.items() if n not in self._given and isinstance(value, kind)}

    def state(self, line: str | None = None) -> dict[str, dict[str, Any]]:
        """All that a refused line leaves as it is: of the models and layers that it names, or of all."""
        named = None if line is None else set(NAME.findall(line))
        made = {n: state_of(value) for n, value in self.own(Layer).items() if named is None or n in named}
        return made | {"stream": {"position": seeds.Stream().position()}}

    def outcome(self) -> Any:
        """What another run must give, bit for bit."""
        return {"results": dict(enumerate(self.results))} | self.state()

    def prepare(self, line: str) -> bool:
        """Run a line of NumPy alone, if NumPy lets it."""
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            try:
                exec(line, self.names)
            except Exception:
                return False
        self.lines.append(line)
        return True

    def run(self, line: str) -> bool:
        """Run a line; whether it was taken.

        Raises
        ------
        Broken
            If the line breaks a promise.
        """
        if DATA.match(line):
            return self.prepare(line)
        before, arrays = self.state(line), digest(self.own(np.ndarray))
        self.lines.append(line)
        try:
            with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
                warnings.simplefilter("ignore")  # numbers that are not finite, masks that end
                self.results.append(digest(self._value(line)))
        except REFUSALS as error:
            self.refused.append(line)
            self.results.append(type(error).__name__)
            judge(error)
            after = self.state(line)
            if isinstance(error, FloatingPointError):  # the model is ready to go on, with its last good weights
                halfway = ".fit(" in line
                before, after = ({} if halfway else without_training(state) for state in (before, after))
            if after != before:
                raise Broken("changed", f"A refused line changed {difference(before, after)}.\n{error!r}") from error
        except Exception as error:
            raise Broken(f"{type(error).__name__}, {where(error)}", told(error)) from error
        if digest({name: self.names[name] for name, _ in arrays}) != arrays:
            raise Broken("arrays", "A line changed arrays that were handed in.")
        return line not in self.refused

    def _value(self, line: str) -> Any:
        title = f"{self.title}, line {len(self.lines)}: {line}"  # stands in tracebacks, those of crashes too
        try:
            code = compile(line, title, "eval")
        except SyntaxError:
            exec(compile(line, title, "exec"), self.names)
            return None
        return eval(code, self.names)


def judge(error: Exception) -> None:
    """An error comes from a ``raise`` of the library and says what came or what to do.

    Raises
    ------
    Broken
        If it does not.
    """
    frames = traceback.extract_tb(error.__traceback__)
    inside = [frame for frame in frames if frame.filename.startswith(PACKAGE) and "locks.py" not in frame.filename]
    words, last = str(error), frames[-1]
    if BINDING.search(words) and (not inside or "raise" in (last.line or "")):  # Python's, of the call in the line
        return
    cython = not Path(last.filename).is_absolute() and last.filename.startswith("fastnn")
    raised = cython or (last.filename.startswith(PACKAGE) and (last.line or "").startswith("raise"))
    if not raised or not (isinstance(error, OSError) or TAUGHT.search(words)):
        raise Broken(f"untaught {type(error).__name__}, {where(error)}", told(error)) from error


def where(error: BaseException) -> str:
    """The last place in the library that an error passed."""
    frames = traceback.extract_tb(error.__traceback__)
    last = ([frame for frame in frames if frame.filename.startswith(PACKAGE)] or list(frames))[-1]
    return f"{last.filename.removeprefix(PACKAGE)}:{last.lineno}"


def told(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))[-1500:]


# Running again.


def replayed(lines: Sequence[str], title: str = "program") -> Session:
    """Run the lines of a program from its beginning, names counted from there."""
    clear_session()
    session = Session(title)
    for line in lines:
        session.run(line)
    return session


def failing(lines: Sequence[str]) -> tuple[list[str], str]:
    """The lines that are refused on the way to a broken promise, and its words."""
    clear_session()
    session = Session()
    try:
        for line in lines:
            session.run(line)
    except Broken as error:
        return session.refused, str(error)
    return session.refused, ""


def shrunk(lines: list[str], kind: str) -> list[str]:
    """The lines that are needed to break a promise in the same way; the last one breaks it."""

    def breaks(some: list[str]) -> bool:
        try:
            replayed(some)
        except Broken as broken:
            return broken.kind == kind
        except Exception:  # a name is missing
            return False
        return False

    i = len(lines) - 2
    while i >= 0:
        without = lines[:i] + lines[i + 1 :]
        if breaks(without):
            lines = without
        i -= 1
    return lines


def script(lines: Sequence[str], refused: Sequence[str] = ()) -> str:
    """A program as one can paste it: lines that are refused are let pass."""
    body = [f"with refused():\n    {line}" if line in refused and line is not lines[-1] else line for line in lines]
    return PRELUDE + "\n" + "\n".join(body)

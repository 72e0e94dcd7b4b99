"""Prepare targets for predictions: match shapes as Keras does, check labels, refuse NaN."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastnn import backend
from fastnn.graph import Symbol
from fastnn.shapes import Shape

from ..user_warnings import warn

__all__ = [
    "axis_last",
    "chances",
    "check_axis",
    "fit",
    "labels",
    "like",
    "match",
    "moved_back",
    "moved_last",
    "one_hot",
    "real",
    "refuse_nan",
    "refuse_outside",
    "rows",
    "same_shape",
]

_CHUNK = 1 << 16
_REAL = (np.dtype(np.float32), np.dtype(np.float64))


def real(x: Any) -> np.ndarray:
    """Return an array of real numbers; any other numeric dtype is converted to ``floatx``."""
    x = np.asarray(x)
    if x.dtype in _REAL:
        return x
    if x.dtype.kind not in "biuf":
        raise TypeError(f"A loss needs arrays of numbers. Received: dtype {x.dtype}.")
    return x.astype(backend.floatx())


def rows(y: np.ndarray) -> np.ndarray:
    """Reshape the array to (M, C): all axes but the last are merged."""
    return y if y.ndim == 2 else y.reshape(-1, y.shape[-1] if y.ndim else 1)


def check_axis(axis: Any) -> int:
    """The axis as an int; TypeError for what is none, ``True`` included."""
    if isinstance(axis, bool) or not isinstance(axis, (int, np.integer)):
        raise TypeError(f"axis is an integer. Received: axis={axis!r}.")
    return int(axis)


def axis_last(shape: Sequence[int | None], axis: int) -> Shape:
    """The shape with this axis moved to the end."""
    if axis == -1 and shape:
        return tuple(shape)
    if not -len(shape) <= axis < len(shape):
        raise ValueError(f"There is no axis {axis} in predictions of shape {_text(shape)}. Received: axis={axis}.")
    rest: list[Any] = list(shape)
    length = rest.pop(axis)
    return (*rest, length)


def moved_last(y: np.ndarray, axis: int) -> np.ndarray:
    """The array with this axis moved to the end."""
    if axis == -1:
        return y
    axis_last(y.shape, axis)
    return np.ascontiguousarray(np.moveaxis(y, axis, -1))


def moved_back(rows: np.ndarray, shape: tuple[int, ...], axis: int) -> np.ndarray:
    """Rows (M, C) in this shape again, C along the axis."""
    if rows.shape == shape and axis == -1:
        return rows
    if axis == -1:
        return rows.reshape(shape)
    return np.ascontiguousarray(np.moveaxis(rows.reshape(axis_last(shape, axis)), -1, axis))


def match(y_shape: Sequence[int | None], t: np.ndarray) -> np.ndarray:
    """Add or drop a last axis of size 1, so that targets have as many axes as predictions: (N,) for (N, 1)."""
    if t.ndim == len(y_shape) - 1 and y_shape[-1] == 1:
        return t[..., None]
    if t.ndim == len(y_shape) + 1 and t.shape[-1] == 1:
        return t[..., 0]
    return t


def fit(y: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Return the targets in the shape and dtype of the predictions ``y``."""
    if t.shape != y.shape:
        t = same_shape("The loss", y.shape, t)
    return t if t.dtype == y.dtype else t.astype(y.dtype)


def like(t: Any, y: Any) -> Any:
    """Targets in the shape and dtype of the predictions; symbols are as they are to be already."""
    return t if isinstance(t, Symbol) else fit(y, np.asarray(t))


def same_shape(name: str, y_shape: Sequence[int | None], t: np.ndarray, hint: str = "") -> np.ndarray:
    """Match targets to the shape of the predictions (None is any size), or raise a ValueError that says what to do."""
    matched = match(y_shape, t)
    if not _agree(y_shape, matched.shape):
        hint = _one_an_example(y_shape, t) or hint
        if not hint and matched.ndim == len(y_shape) - 1 and t.dtype.kind in "iu":
            hint = 'For integer class labels, use loss="sparse_categorical_crossentropy".'
        raise ValueError(
            f"{name} compares predictions of shape {_text(y_shape)} with targets of the same shape. "
            f"Received: targets of shape {_text((None, *t.shape[1:]) if y_shape[:1] == (None,) else t.shape)}. "
            + (hint or f"Give the last layer as many units as a target has values, or reshape y to {_text(y_shape)}.")
        )
    return matched


def chances(name: str, y_shape: Sequence[int | None], t: Any) -> np.ndarray:
    """Targets from 0 to 1 in the shape of the predictions, one by one."""
    t = same_shape(name, y_shape, np.asarray(t))
    refuse_nan(name, t)
    refuse_outside(name, t, 0, 1, "For labels −1 and 1, use (y + 1) / 2.")
    return t


def one_hot(name: str, y_shape: Sequence[int | None], t: Any, axis: int = -1) -> np.ndarray:
    """Targets in the shape of the predictions that are distributions over the classes along ``axis``."""
    classes = axis_last(y_shape, axis)[-1]
    if classes == 1:
        warn(
            f"{name} of a single class is always 0. For two classes in one unit, use "
            "Dense(1, activation='sigmoid') and loss='binary_crossentropy'.",
        )
    hint = (
        f'For integer labels, use loss="sparse_categorical_crossentropy", or one-hot rows: '
        f"np.eye({classes})[y]. Otherwise give the last layer as many units as a target has classes."
    )
    t = same_shape(name, y_shape, np.asarray(t), hint)
    refuse_nan(name, t)
    refuse_outside(name, t, 0, 1, "Each target must be a row of probabilities.")
    return t


def _one_an_example(y_shape: Sequence[int | None], t: np.ndarray) -> str:
    """Return the advice for predictions per time step with targets per example."""
    if len(y_shape) == 3 and (t.ndim == 1 or (t.ndim == 2 and t.shape[1] == 1)):
        return (
            "The model makes one prediction per time step. For one per example, leave return_sequences=True out "
            "of the last recurrent layer, or add GlobalAveragePooling1D()."
        )
    return ""


def _agree(expected: Sequence[int | None], shape: Sequence[int]) -> bool:
    return len(expected) == len(shape) and all(e is None or e == s for e, s in zip(expected, shape, strict=True))


def _text(shape: Sequence[int | None]) -> str:
    return f"({', '.join(str(n) for n in shape)}{',' if len(shape) == 1 else ''})"


def labels(name: str, y_shape: Shape, t: np.ndarray, ignore: int | None = None) -> np.ndarray:
    """Return integer class labels, int64, shaped like the predictions without the last axis, each in [0, classes).

    Raises
    ------
    TypeError
        If they are not numbers.
    ValueError
        If the shape does not fit, or a label is not an integer or is out of range.
    """
    classes = y_shape[-1]
    if t.ndim == len(y_shape) and t.shape[-1] == classes != 1:
        raise ValueError(
            f"{name} needs integer labels of shape {_text(y_shape[:-1])}. Received: targets of shape {t.shape}, like "
            'one-hot rows. Use loss="categorical_crossentropy", or y.argmax(axis=-1).'
        )
    if t.ndim == len(y_shape) and t.shape[-1] == 1:
        t = t[..., 0]
    if not _agree(y_shape[:-1], t.shape):
        raise ValueError(
            f"{name} needs one integer label per row of predictions: shape {_text(y_shape[:-1])}. "
            f"Received: targets of shape {t.shape}. {_one_an_example(y_shape, t)}".rstrip()
        )
    if t.dtype.kind not in "biuf":
        raise TypeError(f"{name} needs integer labels. Received: dtype {t.dtype}. Use y.astype(np.int64).")
    if t.dtype.kind == "f":
        refuse_nan(name, t)
        if (wrong := np.flatnonzero(t != np.rint(t))).size:
            raise ValueError(
                f"{name} needs integer labels. Received: {t.flat[wrong[0]]} at index {wrong[0]}. "
                'For real-valued targets, use loss="mean_squared_error".'
            )
    if classes is None:
        raise ValueError(
            f"{name} needs a fixed number of classes, the last axis of the predictions. Received: predictions of shape "
            f"{_text(y_shape)}. Use a Dense layer with a unit for each class as the last layer."
        )
    found = np.ascontiguousarray(t, dtype=np.int64)
    if found.size and found.view(np.uint64).max() >= classes:  # a negative label is a huge one
        bad = (found < 0) | (found >= classes)
        if ignore is not None:
            bad &= found != ignore
        if (wrong := np.flatnonzero(bad)).size:
            label = found.flat[wrong[0]]
            hint = " For labels that start at 1, use y - 1." if label == classes else ""
            if classes == 1:
                hint = ' For two classes in one unit, use activation="sigmoid" and loss="binary_crossentropy".'
            raise ValueError(
                f"{name} needs labels from 0 to {classes - 1}, since the last layer has {classes} units. "
                f"Received: {label} at index {wrong[0]}.{hint}"
            )
    return found


def _chunks(t: np.ndarray):
    step = max(1, _CHUNK * len(t) // max(1, t.size))
    for start in range(0, len(t), step):
        yield start, t[start : start + step]


def refuse_nan(name: str, t: np.ndarray) -> None:
    """Raise ValueError if a target is NaN or infinite; reads in chunks and copies nothing."""
    if t.dtype.kind not in "biuf":
        raise TypeError(f"{name} needs numeric targets. Received: dtype {t.dtype}. Use y.astype(np.float32).")
    if t.dtype.kind != "f" or not t.ndim:
        return
    for start, piece in _chunks(t):
        finite = np.isfinite(piece)
        if not finite.all():
            example = start + int(np.argmin(finite.reshape(len(piece), -1).all(axis=1)))
            raise ValueError(
                f"{name} needs finite targets. Received: NaN or infinity in example {example}. "
                "Remove such examples, or use y = np.nan_to_num(y)."
            )


def refuse_outside(name: str, t: np.ndarray, low: float, high: float, hint: str) -> None:
    """Raise ValueError if a target is outside [low, high]."""
    if t.dtype.kind == "b" or not t.ndim:
        return
    for start, piece in _chunks(t):
        if piece.size and not (piece.min() >= low and piece.max() <= high):
            bad = ((piece < low) | (piece > high)).reshape(len(piece), -1).any(axis=1)
            example = start + int(np.argmax(bad))
            raise ValueError(
                f"{name} needs targets from {low} to {high}. "
                f"Received: {np.ravel(t[example])[:4]} in example {example}. {hint}"
            )

"""Convert the user's data to arrays; refuse wrong data, and say how to fix them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..lookup import is_number
from .foreign import has_axes, is_arraylike, refuse_texts, to_array
from .texts import as_texts, is_text

__all__ = ["check_lengths", "read_array", "unpack", "weights_of_classes"]


def read_array(name: str, value: Any, texts: bool = False) -> np.ndarray:
    """Return an array of numbers; with ``texts``, of texts too.

    Arrays are not copied; lists become arrays, and so does what ``to_array`` reads: tables, columns, tensors, buffers.

    Raises
    ------
    TypeError
        If it does not hold numbers.
    ValueError
        If it is a ragged list, a single number, or empty.

    Examples
    --------
    >>> read_array("x", [[1, 2], [3, 4]]).shape
    (2, 2)
    """
    if isinstance(value, (list, tuple)):
        array = _read_list(name, value)
    elif is_arraylike(value):
        array = to_array(name, value, texts)
    else:
        use = f"{name}.toarray()" if hasattr(value, "toarray") else f"np.asarray({name})"
        raise TypeError(f"{name} must be an array of numbers. Received: {type(value).__name__}. Use {name} = {use}.")
    if texts and is_text(array.dtype) and array.size and array.ndim:
        return array if array.dtype.kind in "UT" else as_texts(name, array)
    refuse_texts(name, array)
    if array.dtype == object:
        raise TypeError(
            f"{name} must be an array of numbers. Received: an array of objects, which lists of unequal length make. "
            f"Use {name} = fastnn.utils.pad_sequences({name}) if they are sequences, else {name}.astype(np.float32)."
        )
    if array.dtype.kind not in "biuf" or array.dtype.itemsize > 8 or not array.dtype.isnative:
        raise TypeError(
            f"{name} must hold bools, integers, or floats of at most 64 bits in native byte order. Received: dtype "
            f'{array.dtype.str!r}. Use {name} = {name}.astype("float32").'
        )
    if array.ndim == 0:
        raise ValueError(f"{name} must have examples along its first axis. Received: a single number, {value!r}.")
    if array.shape[0] == 0:
        raise ValueError(f"{name} must hold at least one example. Received: an empty array of shape {array.shape}.")
    return array


def _read_list(name: str, value: Any) -> np.ndarray:
    numbers = {kind: issubclass(kind, (int, float, str, list, tuple, np.generic)) for kind in set(map(type, value))}
    if not all(numbers.values()) and any(has_axes(v) for v in value if not numbers[type(v)]):
        if len({np.shape(v) for v in value if isinstance(v, np.ndarray)}) > 1:
            raise TypeError(
                f"{name} must be one array with examples along its first axis. Received: a {type(value).__name__} of "
                f"{len(value)} arrays of different shapes. Use {name} = fastnn.utils.pad_sequences({name}) if they "
                f"are sequences, or {name} = {name}[0] if you mean one of them."
            )
        raise TypeError(
            f"{name} must be one array with examples along its first axis. Received: a {type(value).__name__} of "
            f"{len(value)} arrays. "
            f"Use {name} = np.stack({name}) if each is an example, or {name} = {name}[0] if you mean one of them."
        )
    try:
        return np.asarray(value)
    except ValueError:
        raise ValueError(
            f"{name} must be an array, or a list whose rows have equal length. Received: a ragged "
            f"{type(value).__name__} of "
            f"{len(value)} rows. Use {name} = fastnn.utils.pad_sequences({name})."
        ) from None


def check_lengths(**arrays: np.ndarray | None) -> int:
    """Return the number of examples, which all given arrays must share.

    Raises
    ------
    ValueError
        If they differ.
    """
    lengths = {name: len(array) for name, array in arrays.items() if array is not None}
    if len(set(lengths.values())) > 1:
        text = ", ".join(f"{name}: {n}" for name, n in lengths.items())
        raise ValueError(f"{' and '.join(lengths)} must hold the same number of examples. Received: {text}.")
    return next(iter(lengths.values()))


def weights_of_classes(class_weight: Any, y: np.ndarray, rank: int = 1) -> np.ndarray:
    """Return one weight per label from ``{class: weight}``; missing classes weigh 1; one-hot rows count by argmax.

    Parameters
    ----------
    class_weight : dict
    y : array
    rank : int
        Axes of the labels: 1 for one label per example, 2 for one label per time step.

    Raises
    ------
    ValueError
        If ``class_weight`` is not such a dict, or the labels are not integers.

    Examples
    --------
    >>> weights_of_classes({1: 3.0}, np.array([0, 1, 2])).tolist()
    [1.0, 3.0, 1.0]
    """
    if not isinstance(class_weight, dict) or not all(
        isinstance(k, (int, np.integer)) and is_number(v) for k, v in class_weight.items()
    ):
        raise ValueError(f"class_weight must map classes to weights: {{0: 1.0, 1: 5.0}}. Received: {class_weight!r}.")
    labels = y
    if y.ndim == rank + 1:
        labels = y[..., 0] if y.shape[-1] == 1 else y.argmax(axis=-1)
    if labels.ndim != rank or (labels.dtype.kind == "f" and (labels != np.rint(labels)).any()):
        raise ValueError(
            f"class_weight needs one integer label or one-hot row per {'example' if rank == 1 else 'time step'}. "
            f"Received: targets of shape {y.shape} and dtype {y.dtype}."
        )
    weights = np.ones(labels.shape)
    for label, weight in class_weight.items():
        weights[labels == label] = weight
    return weights


def unpack(data: Any, what: str) -> tuple[Any, Any, Any]:
    """Split (x,), (x, y) or (x, y, sample_weight) into three parts, None for those that are missing.

    Raises
    ------
    ValueError
        If it is none of these.
    """
    if isinstance(data, (tuple, list)) and 1 <= len(data) <= 3:
        x, y, weight = (*data, None, None)[:3]
        return x, y, weight
    if is_arraylike(data):
        return data, None, None
    raise ValueError(f"{what} must be (x, y) or (x, y, sample_weight). Received: {type(data).__name__}.")

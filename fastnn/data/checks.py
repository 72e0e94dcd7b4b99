"""What users hand in as data, read as arrays; wrong things are refused with what to type."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..lookup import is_number

__all__ = ["check_lengths", "read_array", "unpack", "weights_of_classes"]


def read_array(name: str, value: Any) -> np.ndarray:
    """An array of numbers, as it comes: arrays are not copied; lists of numbers and data frames become arrays.

    Raises
    ------
    TypeError
        If it holds no numbers.
    ValueError
        If it is a ragged list, a single number, or empty.

    Examples
    --------
    >>> read_array("x", [[1, 2], [3, 4]]).shape
    (2, 2)
    """
    if isinstance(value, np.ndarray):
        array = value
    elif isinstance(value, (list, tuple)):
        array = _read_list(name, value)
    elif hasattr(value, "to_numpy"):
        array = np.asarray(value.to_numpy())
    elif hasattr(value, "__array__"):
        array = np.asarray(value)
    else:
        raise TypeError(
            f"{name} is an array of numbers. Received: {type(value).__name__}. Type {name} = np.asarray({name})."
        )
    if array.dtype.kind in "USTO" and array.size and isinstance(array.flat[0], (str, bytes)):
        hint = f"Type {name} = np.unique({name}, return_inverse=True)[1] if they name classes."
        if name == "x":
            hint = "Words become ids first, by fastnn.text.TextVectorization or Tokenizer."
        raise TypeError(f"{name} holds numbers. Received: texts, {str(array.flat[0])!r} the first. {hint}")
    if array.dtype == object:
        raise TypeError(
            f"{name} is an array of numbers. Received: an array of objects, as lists of different lengths make. "
            f"Type {name} = fastnn.utils.pad_sequences({name}) if they are sequences, else {name}.astype(np.float32)."
        )
    if array.dtype.kind not in "biuf" or array.dtype.itemsize > 8 or not array.dtype.isnative:
        raise TypeError(
            f"{name} holds numbers: bool, integers, or floats of at most 64 bits in native byte order. Received: dtype "
            f'{array.dtype.str!r}. Type {name} = {name}.astype("float32").'
        )
    if array.ndim == 0:
        raise ValueError(f"{name} has examples along its first axis. Received: a single number, {value!r}.")
    if array.shape[0] == 0:
        raise ValueError(f"{name} holds at least one example. Received: an empty array of shape {array.shape}.")
    return array


def _read_list(name: str, value: Any) -> np.ndarray:
    if any(isinstance(v, np.ndarray) for v in value):
        if len({np.shape(v) for v in value if isinstance(v, np.ndarray)}) > 1:
            raise TypeError(
                f"{name} is one array, examples along its first axis. Received: a {type(value).__name__} of "
                f"{len(value)} arrays of different shapes. Type {name} = fastnn.utils.pad_sequences({name}) if they "
                f"are sequences, or {name} = {name}[0] if one of them is meant."
            )
        raise TypeError(
            f"{name} is one array, examples along its first axis. Received: a {type(value).__name__} of "
            f"{len(value)} arrays. "
            f"Type {name} = np.stack({name}) if each is an example, or {name} = {name}[0] if one of them is meant."
        )
    try:
        return np.asarray(value)
    except ValueError:
        raise ValueError(
            f"{name} is an array; the rows of a list must have the same length. Received: a ragged "
            f"{type(value).__name__} of "
            f"{len(value)} rows. Type {name} = fastnn.utils.pad_sequences({name})."
        ) from None


def check_lengths(**arrays: np.ndarray | None) -> int:
    """The common number of examples of all arrays given.

    Raises
    ------
    ValueError
        If they differ.
    """
    lengths = {name: len(array) for name, array in arrays.items() if array is not None}
    if len(set(lengths.values())) > 1:
        text = ", ".join(f"{name}: {n}" for name, n in lengths.items())
        raise ValueError(f"{' and '.join(lengths)} hold the same number of examples. Received: {text}.")
    return next(iter(lengths.values()))


def weights_of_classes(class_weight: Any, y: np.ndarray, rank: int = 1) -> np.ndarray:
    """One weight a label from ``{class: weight}``; a class that is missing weighs 1; one-hot rows count by argmax.

    Parameters
    ----------
    class_weight : dict
    y : array
    rank : int
        Axes of the labels: 1 for one label an example, 2 for one label a time step.

    Raises
    ------
    ValueError
        If it is no such dict, or labels are not integers.

    Examples
    --------
    >>> weights_of_classes({1: 3.0}, np.array([0, 1, 2])).tolist()
    [1.0, 3.0, 1.0]
    """
    if not isinstance(class_weight, dict) or not all(
        isinstance(k, (int, np.integer)) and is_number(v) for k, v in class_weight.items()
    ):
        raise ValueError(f"class_weight is a dict of class to weight, {{0: 1.0, 1: 5.0}}. Received: {class_weight!r}.")
    labels = y
    if y.ndim == rank + 1:
        labels = y[..., 0] if y.shape[-1] == 1 else y.argmax(axis=-1)
    if labels.ndim != rank or (labels.dtype.kind == "f" and (labels != np.rint(labels)).any()):
        raise ValueError(
            f"class_weight needs one integer label, or one-hot row, {'an example' if rank == 1 else 'a time step'}. "
            f"Received: targets of shape {y.shape} and dtype {y.dtype}."
        )
    weights = np.ones(labels.shape)
    for label, weight in class_weight.items():
        weights[labels == label] = weight
    return weights


def unpack(data: Any, what: str) -> tuple[Any, Any, Any]:
    """(x,), (x, y) or (x, y, sample_weight) as three things, None for what is missing.

    Raises
    ------
    ValueError
        If it is neither.
    """
    if isinstance(data, (tuple, list)) and 1 <= len(data) <= 3:
        return (*data, None, None)[:3]
    if isinstance(data, np.ndarray):
        return data, None, None
    raise ValueError(f"{what} is (x, y) or (x, y, sample_weight). Received: {type(data).__name__}.")

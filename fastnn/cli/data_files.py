"""Data files as arrays: CSV by columns, NPZ by names, IDX whole; distinguished by their first bytes."""

from __future__ import annotations

from typing import Any
from zipfile import BadZipFile

import numpy as np

from ..datasets._idx import read_idx
from .csv_file import column_names, read_columns

__all__ = ["find_inputs", "read_inputs", "read_target", "separator_of"]

_ZIP, _GZIP, _IDX = b"PK", b"\x1f\x8b", b"\0\0"


def separator_of(path: str, given: str | None) -> str:
    r"""Return the separator of a CSV file: the given one, else a tab in a .tsv file, else a comma.

    Examples
    --------
    >>> separator_of("a.tsv", None), separator_of("a.csv", ";"), separator_of("a.csv", None)
    ('\t', ';', ',')
    """
    if given is not None:
        return given
    return "\t" if path.lower().endswith((".tsv", ".tab")) else ","


def find_inputs(path: str, target: str | None, given: list[str] | None, drop: list[str], separator: str) -> list[str]:
    """Return the names of the inputs in a file: as given, else all columns but the target and those dropped.

    Raises
    ------
    ValueError
        If a name is not in the file, or there is nothing left.
    """
    kind = _kind(path)
    if kind == "IDX":
        return []
    if kind == "NPZ":
        names = given or ["x"]
        if len(names) > 1:
            raise ValueError(
                f"One array of {path} is the input. Received: --inputs {' '.join(names)}. Name one of them."
            )
        return names
    header = column_names(path, separator)
    named = [*([target] if target else []), *(given or []), *drop]
    if unknown := [name for name in named if name not in header]:
        raise ValueError(
            f"{path} has no column {unknown[0]!r}. Its columns: {', '.join(map(repr, header))}. Received: separator "
            f"{separator!r}. Use --separator where the file has another."
        )
    names = [name for name in given or header if name != target and name not in drop]
    if not names:
        raise ValueError(f"{path} has no columns left to learn from. Its columns: {', '.join(map(repr, header))}.")
    return names


def read_inputs(path: str, names: list[str], separator: str) -> np.ndarray:
    """Return the inputs (N, …): columns side by side, or an array.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is damaged, lacks a name, or holds a value that is not a number.
    """
    kind = _kind(path)
    if kind == "CSV":
        columns = read_columns(path, names, (), separator)
        return np.stack([columns[name] for name in names], axis=1)
    array = read_idx(path) if kind == "IDX" else _from_npz(path, names[0] if names else "x", "--inputs")
    if array.dtype.kind not in "biuf" or not array.ndim or not len(array):
        raise ValueError(
            f"{path}: the inputs must be an array of numbers with one row per example. Received: {array.dtype} of "
            f"shape {array.shape}."
        )
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ValueError(f"{path}: the inputs hold NaN or infinity. Use numpy.nan_to_num, or take these examples out.")
    return array


def read_target(path: str, name: str | None, separator: str) -> np.ndarray:
    """Return the target (N,) or (N, …): numbers where all values are, else strings.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is damaged, or lacks the name.
    """
    kind = _kind(path)
    if kind == "IDX":
        if name is None:
            raise ValueError(f"{path} holds only inputs. Name the file of their labels with --target FILE.")
        return _plain(path, read_idx(name))
    if kind == "NPZ":
        return _plain(path, _from_npz(path, name or "y", "--target"))
    if name is None:
        names = ", ".join(map(repr, column_names(path, separator)))
        raise ValueError(f"Which column of {path} is the target? Use --target with one of {names}.")
    words = read_columns(path, [name], [name], separator)[name]
    try:
        numbers = words.astype(np.float64)
    except ValueError:
        return words
    return numbers if np.isfinite(numbers).all() else words


def _plain(path: str, array: np.ndarray) -> np.ndarray:
    """Targets as numbers or Python strings, one axis for single values."""
    if array.dtype.kind not in "biufU" or not array.ndim:
        raise ValueError(
            f"{path}: the target must be an array of numbers or strings with one row per example. Received: "
            f"{array.dtype} of shape {array.shape}."
        )
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ValueError(f"{path}: the target holds NaN or infinity. Take these examples out.")
    if array.ndim > 1 and array.shape[-1] == 1:
        array = array[..., 0]
    return array.astype(object) if array.dtype.kind == "U" else array


def _kind(path: str) -> str:
    with open(path, "rb") as file:
        head = file.read(2)
    return {_ZIP: "NPZ", _GZIP: "IDX", _IDX: "IDX"}.get(head, "CSV")


def _from_npz(path: str, name: str, option: str) -> np.ndarray:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            names = arrays.files
            found: Any = arrays[name] if name in names else None
    except (BadZipFile, EOFError, ValueError) as error:
        raise ValueError(
            f"{path} is not an NPZ file of plain arrays: {error}. Use numpy.savez(path, x=x, y=y)."
        ) from None
    if found is None:
        raise ValueError(
            f"{path} has no array {name!r}. Its arrays: {', '.join(map(repr, names))}. Use {option} with one of them."
        )
    return found

"""Data sets of files in folders: a folder a class, its files the examples."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from .. import backend
from ..data import Dataset
from ..seeds import random_generator
from .categories import to_categorical
from .image_files import img_to_array, load_img

__all__ = ["image_dataset_from_directory", "text_dataset_from_directory"]

_PICTURES = (".bmp", ".gif", ".jpeg", ".jpg", ".png")
_SUBSETS = ("training", "validation", "both")


def _listed(directory: Any, labels: Any, class_names: Any, endings: tuple[str, ...], follow_links: bool) -> Any:
    """The files, a number for each, and the names of the classes."""
    root = Path(directory)
    if not root.is_dir():
        raise ValueError(
            f"There is no folder {os.fspath(directory)!r}. Use the folder that holds a folder for each class."
        )

    def files(place: Path) -> list[Path]:
        found = [Path(top) / name for top, _, names in os.walk(place, followlinks=follow_links) for name in names]
        return sorted(file for file in found if file.name.lower().endswith(endings) and not file.name.startswith("."))

    if not (isinstance(labels, str) and labels == "inferred"):
        paths = files(root)
        if labels is not None and len(labels) != len(paths):
            raise ValueError(f"labels are one for each file. Received: {len(labels)} labels for {len(paths)} files.")
        return paths, np.zeros(len(paths), np.int64) if labels is None else np.asarray(labels), list(class_names or [])
    there = sorted(place.name for place in root.iterdir() if place.is_dir() and not place.name.startswith("."))
    names = there if class_names is None else list(class_names)
    if class_names is not None and set(names) != set(there):
        raise ValueError(f"class_names are the names of the folders, {there}. Received: {class_names!r}.")
    parts = [files(root / name) for name in names]
    return list(chain.from_iterable(parts)), np.repeat(np.arange(len(names)), [len(part) for part in parts]), names


def _targets(label_mode: Any, numbers: np.ndarray, classes: int) -> np.ndarray | None:
    if label_mode == "int":
        return numbers
    if label_mode == "categorical":
        return to_categorical(numbers, classes).astype(np.float32)
    if label_mode == "binary":
        if classes != 2:
            raise ValueError(f'label_mode="binary" is for two classes. Received: {classes}. Use label_mode="int".')
        return numbers.astype(np.float32)[:, None]
    if label_mode is None:
        return None
    raise ValueError(f"label_mode must be 'int', 'categorical', 'binary' or None. Received: label_mode={label_mode!r}.")


def _made(
    directory: Any,
    labels: Any,
    label_mode: Any,
    class_names: Any,
    endings: tuple[str, ...],
    read: Callable[[str], Any],
    batch_size: int | None,
    shuffle: bool,
    seed: int | None,
    validation_split: float | None,
    subset: str | None,
    follow_links: bool,
    verbose: Any,
) -> Any:
    if (validation_split is None) != (subset is None):
        raise ValueError(
            f"validation_split and subset go together. Received: {validation_split!r} and {subset!r}. Use "
            'validation_split=0.2, subset="both".'
        )
    if subset is not None and subset not in _SUBSETS:
        raise ValueError(f"subset must be one of {', '.join(_SUBSETS)}. Received: subset={subset!r}.")
    if validation_split is not None and not 0 < validation_split < 1:
        raise ValueError(f"validation_split is between 0 and 1. Received: {validation_split!r}.")
    if validation_split is not None and subset != "both" and shuffle and seed is None:
        raise ValueError("Two calls divide the same files alike by the same seed. Received: seed=None. Use seed=1337.")
    paths, numbers, names = _listed(directory, labels, class_names, endings, follow_links)
    if not paths:
        raise ValueError(
            f"There are no files that end in {', '.join(endings)} in {os.fspath(directory)!r}. Received: an empty set."
        )
    if verbose:
        print(f"Found {len(paths)} files" + (f" belonging to {len(names)} classes." if names else "."))
    if shuffle:
        order = np.arange(len(paths))
        np.random.RandomState(random_generator().integers(10**6) if seed is None else seed).shuffle(order)
        paths, numbers = [paths[i] for i in order], numbers[order]
    texts = np.array([os.fspath(path) for path in paths], object)
    targets = _targets(None if labels is None else label_mode, numbers, len(names) or int(numbers.max()) + 1)

    def dataset(rows: slice) -> Any:
        chosen, y = texts[rows], None if targets is None else targets[rows]
        found = Dataset.from_tensor_slices(chosen if y is None else (chosen, y))
        if shuffle:
            found = found.shuffle(len(chosen), seed=seed)
        found = found.map(read if y is None else lambda path, label: (read(path), label))
        found = found if batch_size is None else found.batch(batch_size)
        found.class_names, found.file_paths = names, chosen.tolist()  # type: ignore[attr-defined]
        return found

    if validation_split is None:
        return dataset(slice(None))
    cut = len(paths) - int(validation_split * len(paths))
    if cut in (0, len(paths)):
        raise ValueError(
            f"validation_split={validation_split} of {len(paths)} files leaves one part empty. Use another."
        )
    parts = {"training": slice(cut), "validation": slice(cut, None)}
    return tuple(map(dataset, parts.values())) if subset == "both" else dataset(parts[str(subset)])


def image_dataset_from_directory(
    directory: str | os.PathLike[str],
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    color_mode: str = "rgb",
    batch_size: int | None = 32,
    image_size: tuple[int, int] = (256, 256),
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    interpolation: str = "bilinear",
    follow_links: bool = False,
    crop_to_aspect_ratio: bool = False,
    data_format: str | None = None,
    verbose: bool = True,
) -> Any:
    """A ``Dataset`` of the pictures in a folder, read when their batch is due; needs Pillow.

    Parameters
    ----------
    directory : path
        With a folder for each class, unless ``labels`` says otherwise.
    labels : "inferred", list of int, or None
        From the folders; one for each file in alphabetical order; none.
    label_mode : {"int", "categorical", "binary"} or None
        Numbers, one-hot rows, 0. and 1., or no labels.
    class_names : list of str, optional
        The folders in the order of their numbers; by default alphabetical.
    color_mode : {"rgb", "rgba", "grayscale"}
    batch_size : int or None
        None: pictures one by one.
    image_size : (height, width)
    shuffle, seed
        The order is drawn anew each time.
    validation_split, subset
        Which share is for validation, and which part is wanted: "training", "validation", or "both" as a pair.
    interpolation : {"bilinear", "nearest"}
    follow_links : bool
    crop_to_aspect_ratio : bool
        Whether proportions stay, and what is too much is cut off on both sides.
    data_format : {"channels_last", "channels_first"}
    verbose : bool

    Returns
    -------
    Dataset of float32 (N, height, width, channels) and labels, with ``class_names`` and ``file_paths``

    Raises
    ------
    ValueError
        If there are no files, or an argument has none of these values.
    ImportError
        Without Pillow; the message says what to install.
    """
    height, width = image_size

    def read(path: str) -> np.ndarray:
        image = img_to_array(load_img(path, color_mode))
        if crop_to_aspect_ratio:
            high, wide = image.shape[:2]
            rows, columns = max(min(high, wide * height // width), 1), max(min(wide, high * width // height), 1)
            top, left = (high - rows) // 2, (wide - columns) // 2
            image = np.ascontiguousarray(image[top : top + rows, left : left + columns])
        resized = backend.active().resize2d_forward(image[None], (height, width), interpolation)[0]
        return img_to_array(resized, data_format)

    return _made(
        directory, labels, label_mode, class_names, _PICTURES, read, batch_size, shuffle, seed, validation_split,
        subset, follow_links, verbose,
    )  # fmt: skip


def text_dataset_from_directory(
    directory: str | os.PathLike[str],
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    batch_size: int | None = 32,
    max_length: int | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    follow_links: bool = False,
    verbose: bool = True,
) -> Any:
    """A ``Dataset`` of the .txt files in a folder, read when their batch is due.

    Parameters
    ----------
    directory, labels, label_mode, class_names, batch_size, shuffle, seed, validation_split, subset, follow_links
        As for ``image_dataset_from_directory``.
    max_length : int, optional
        The characters to read of each file.
    verbose : bool

    Returns
    -------
    Dataset of texts (N,) and labels, with ``class_names`` and ``file_paths``

    Raises
    ------
    ValueError
        If there are no files, or an argument has none of these values.
    """

    def read(path: str) -> str:
        return Path(path).read_text("utf-8")[:max_length]

    return _made(
        directory, labels, label_mode, class_names, (".txt",), read, batch_size, shuffle, seed, validation_split,
        subset, follow_links, verbose,
    )  # fmt: skip

"""HDF5 files, read with care: arrays at paths, no larger than the file, and nothing that leads out of it.

An HDF5 file may point to other files (external links, external storage, virtual data sets), claim arrays of any size,
and hold groups that contain themselves.  Here each step of a path is a plain link to a group or an array of numbers
that is stored as it is; anything else is refused before it is opened.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from ... import extras

__all__ = ["Hdf5File", "opened", "written"]

_USE = "A file of Keras (.keras, .h5)"
_DEPTH = 64


def _h5py() -> Any:
    return extras.library("h5py", "keras", _USE)


class Hdf5File:
    """An open file, whose arrays are found by paths.

    Parameters
    ----------
    file : h5py.File
    size : int
        Of the file in bytes: no array is larger.
    """

    def __init__(self, file: Any, size: int):
        self.file, self.size = file, size
        self.h5py = _h5py()

    def group(self, path: str) -> Any:
        """The group at a path, None if there is none."""
        return self.group_below(self.file, path) if path else self.file

    def _step(self, group: Any, name: str, path: str) -> Any:
        link = group.get(name, getlink=True)
        if link is None:
            return None
        if not isinstance(link, self.h5py.HardLink):
            raise ValueError(f"{path!r} is a link to elsewhere; a weights file must hold its weights itself.")
        return group[name]

    def arrays(self, path: str) -> dict[str, Any]:
        """The data sets right below a path, by name, unread; none if the path is not there."""
        group = self.group(path)
        if group is None:
            return {}
        found = {name: self._step(group, name, f"{path}/{name}") for name in group}
        return {name: one for name, one in found.items() if isinstance(one, self.h5py.Dataset)}

    def array(self, group: Any, path: str) -> Any:
        """The data set at a path below a group, unread; None if there is none."""
        found = self._below(group, path)
        return found if isinstance(found, self.h5py.Dataset) else None

    def group_below(self, group: Any, path: str) -> Any:
        """The group at a path below another; None if there is none."""
        found = self._below(group, path)
        return found if isinstance(found, self.h5py.Group) else None

    def _below(self, group: Any, path: str) -> Any:
        for step in path.split("/"):
            if not isinstance(group, self.h5py.Group) or not step or step.strip(".") == "":
                return None
            group = self._step(group, step, path)
        return group

    def paths(self, group: Any, depth: int = 0, seen: set[Any] | None = None) -> Iterator[str]:
        """The paths of all data sets below a group; a group that occurs in two places is visited once."""
        seen = set() if seen is None else seen
        info = self.h5py.h5o.get_info(group.id)
        if depth > _DEPTH or (info.fileno, info.addr) in seen:
            return
        seen.add((info.fileno, info.addr))
        for name in group:
            found = self._step(group, name, name)
            if isinstance(found, self.h5py.Dataset):
                yield name
            elif isinstance(found, self.h5py.Group):
                yield from (f"{name}/{rest}" for rest in self.paths(found, depth + 1, seen))

    def numbers(self, dataset: Any) -> np.ndarray:
        """The numbers of a data set.

        Raises
        ------
        ValueError
            If they are not numbers, are not stored plainly in this file, or are larger than it.
        """
        name, shape, dtype = dataset.name, dataset.shape, dataset.dtype
        stored = dataset.id.get_create_plist()
        if dataset.is_virtual or stored.get_external_count():
            raise ValueError(f"{name!r} holds no numbers of its own: they are in another file.")
        if stored.get_nfilters():
            raise ValueError(f"{name!r} is compressed, which Keras does not write. Save it again with Keras.")
        if dtype.kind not in "biuf" or dtype.itemsize > 8:
            raise ValueError(f"{name!r} must hold numbers, not {dtype}.")
        if shape is None or math.prod(shape) * dtype.itemsize > self.size:
            raise ValueError(f"{name!r} of shape {shape} is larger than its file of {self.size} bytes.")
        return np.asarray(dataset[()])

    def text(self, holder: Any, name: str) -> str | None:
        """An attribute that is a string; None if it is not there."""
        value = self._attribute(holder, name)
        if value is None:
            return None
        value = value.item() if isinstance(value, np.ndarray) and value.ndim == 0 else value
        value = value.decode("utf-8") if isinstance(value, bytes) else value
        if not isinstance(value, str):
            raise ValueError(f"Its attribute {name!r} is not text.")
        return value

    def texts(self, holder: Any, name: str) -> list[str] | None:
        """An attribute that is a list of strings, or a row of such attributes with numbers; None if it is not there."""
        parts = [self._attribute(holder, name)]
        if parts[0] is None:
            parts = []
            while (part := self._attribute(holder, f"{name}{len(parts)}")) is not None:
                parts.append(part)
            if not parts:
                return None
        flat = [one for part in parts for one in np.asarray(part).reshape(-1).tolist()]
        return [one.decode("utf-8") if isinstance(one, bytes) else str(one) for one in flat]

    def _attribute(self, holder: Any, name: str) -> Any:
        if name not in holder.attrs:
            return None
        space = holder.attrs.get_id(name)
        if math.prod(space.shape or ()) * space.dtype.itemsize > self.size:
            raise ValueError(f"Its attribute {name!r} is larger than its file of {self.size} bytes.")
        return holder.attrs[name]


@contextmanager
def opened(source: Any, size: int) -> Iterator[Hdf5File]:
    """The file at a path, or in a buffer, of this many bytes."""
    with _h5py().File(source, "r") as file:
        yield Hdf5File(file, size)


def written(target: Any, groups: dict[str, tuple[str, list[np.ndarray]]]) -> None:
    """Write arrays in Keras' layout.

    Parameters
    ----------
    target : path or buffer
    groups : dict
        Path of a layer or optimizer → its name, and its arrays, which are numbered.
    """
    with _h5py().File(os.fspath(target) if isinstance(target, (str, os.PathLike)) else target, "w") as file:
        for path, (name, arrays) in groups.items():
            group = file.create_group(f"{path}/vars" if path else "vars")
            group.attrs["name"] = name
            for i, array in enumerate(arrays):
                group[str(i)] = array

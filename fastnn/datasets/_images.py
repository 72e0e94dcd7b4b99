"""Find and load an image data set in the style of MNIST: four IDX files, or one .npz file.

``_files`` says where it is searched for; ``path`` may also be an .npz file. A set that is not found is downloaded into
the cache.
"""

from __future__ import annotations

import io
import math
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ._files import cache, search
from ._idx import DEFLATE_LIMIT, read_idx

__all__ = ["Arrays", "ImageSet"]

Arrays = tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]

_NAMES = ("x_train", "y_train", "x_test", "y_test")
_STEMS = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


@dataclass(frozen=True)
class ImageSet:
    """One data set: its name, its servers, and the lengths and checksums of its files.

    Parameters
    ----------
    folder : name of its folder, ``"mnist"``
    npz : name of its .npz file, ``"mnist.npz"``
    mirrors : https addresses of folders that serve the four .gz files
    files : (bytes, SHA-256) of the four .gz files: training images, training labels, test images, test labels
    """

    folder: str
    npz: str
    mirrors: tuple[str, ...]
    files: tuple[tuple[int, str], ...]

    def find(self, path: str | os.PathLike[str] | None = None) -> Path | None:
        """Return the folder or .npz file with the set, or ``None``; reads and downloads nothing."""
        named = self._named(path)
        if named and path is not None and (place := Path(path).expanduser()).is_file():
            return place
        return search(self.folder, self._in, path if named else None)

    def load(self, path: str | os.PathLike[str] | None = None) -> Arrays:
        """Load the set, downloading it first if it is not found and no ``path`` was given."""
        found = self.find(path)
        if found is None:
            if path is not None and self._named(path):
                raise FileNotFoundError(f"{os.fspath(path)} does not contain {self.folder}. {self._advice()}")
            found = self._download()
        arrays = _read_npz(found) if found.is_file() else [read_idx(_idx_file(found, stem)) for stem in _STEMS]
        x_train, y_train, x_test, y_test = arrays
        _check(found, x_train, y_train)
        _check(found, x_test, y_test)
        return (x_train, y_train), (x_test, y_test)

    def _named(self, path: str | os.PathLike[str] | None) -> bool:
        """Return whether ``path`` is a place to search; Keras' ``path="mnist.npz"`` is only a name in the cache."""
        return path is not None and (os.fspath(path) != self.npz or Path(self.npz).exists())

    def _in(self, folder: Path) -> Path | None:
        """Return ``folder`` if it has the four IDX files, or the .npz file in it or beside it."""
        if all(_idx_file(folder, stem) for stem in _STEMS):
            return folder
        return next((file for file in (folder / self.npz, folder.parent / self.npz) if file.is_file()), None)

    def _download(self) -> Path:
        from ._download import fetch  # urllib takes longer to import than all of fastnn

        folder = cache() / self.folder
        try:
            for stem, (size, sha256) in zip(_STEMS, self.files, strict=True):
                if _idx_file(folder, stem) is None:
                    name = f"{stem}.gz"
                    fetch([mirror + name for mirror in self.mirrors], folder / name, size, sha256)
        except ConnectionError as error:
            raise ConnectionError(f"{error}\n{self._advice()}") from None
        return folder

    def _advice(self) -> str:
        names = ", ".join(f"{stem}.gz" for stem in _STEMS)
        return (
            f"Put the four files {names} (or {self.npz}) into {cache() / self.folder}, or into a folder of your "
            f'own and call load_data(path="that folder"), or set FASTNN_DATA to the folder that contains '
            f"{self.folder}/. The files are served by {' and '.join(self.mirrors)}."
        )


def _idx_file(folder: Path, stem: str) -> Any:
    for file in (folder / f"{stem}.gz", folder / stem):
        if file.is_file():
            return file
    return None


def _read_npz(path: Path) -> list[np.ndarray]:
    """Read the four arrays of an .npz file; like ``read_idx``, check every byte."""
    content = path.read_bytes()
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return [_read_npy(archive, name, path, len(content) * DEFLATE_LIMIT) for name in _NAMES]
    except ValueError:
        raise
    except Exception as error:  # hostile bytes make zipfile raise a dozen kinds of exception
        raise _broken(path, "an intact .npz file", str(error)) from None


def _read_npy(archive: zipfile.ZipFile, name: str, path: Path, room: int) -> np.ndarray:
    """Read one array of the archive, if its header agrees with ``room``, the bytes that it can hold."""
    if f"{name}.npy" not in archive.namelist():
        raise _broken(path, f"the arrays {', '.join(_NAMES)}", f"no {name}")
    with archive.open(f"{name}.npy") as file:
        try:
            readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
            shape, fortran, dtype = readers[np.lib.format.read_magic(file)](file)
        except Exception as error:
            raise _broken(path, f"an .npy header at the start of {name}", str(error)) from None
        need = math.prod(shape)  # Python integers: no overflow
        if dtype != np.uint8 or fortran or min(shape, default=0) < 0 or need > room:
            raise _broken(
                path, f"{name} to be uint8, in row-major order, and complete", f"dtype {dtype}, shape {shape}"
            )
        data = np.empty(need, np.uint8)
        reader: Any = file
        if (have := reader.readinto(data)) < need:
            raise _broken(path, f"{need:,} bytes in {name}", f"{have:,}")
        return data.reshape(shape)


def _check(path: Path, x: np.ndarray, y: np.ndarray) -> None:
    """Check the promise of ``load_data``: uint8 images of 28×28 and as many uint8 labels below 10."""
    if x.dtype != np.uint8 or x.ndim != 3 or x.shape[1:] != (28, 28):
        raise _broken(path, "uint8 images of shape (count, 28, 28)", f"dtype {x.dtype}, shape {x.shape}")
    if y.dtype != np.uint8 or y.shape != x.shape[:1]:
        raise _broken(path, f"{len(x):,} uint8 labels", f"dtype {y.dtype}, shape {y.shape}")
    if y.size and y.max() > 9:
        raise _broken(path, "labels from 0 to 9", f"{y.max()}")


def _broken(path: Path, expected: str, received: str) -> ValueError:
    return ValueError(
        f"{path} cannot be used: expected {expected}. Received: {received}. Delete it and load the data set again."
    )

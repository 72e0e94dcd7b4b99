"""The container: one safetensors file of weights, and what belongs to them as JSON in its header.

The JSON says its version and carries a checksum of each array and of itself, so that a damaged file is told from
another model.  Reading takes no more memory than the file's size, times a small number.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from .atomic import replace_file

__all__ = ["VERSION", "check_path", "read_file", "sealed", "write_file"]

VERSION = 1
"""The version of the header; a higher one is refused."""

_KEY, _SUM = "fastnn", ', "checksum": '
_DTYPES = {"F32": "float32", "F64": "float64"}
_PYTORCH = "fastnn.interop.to_torch_state_dict(model) and load_torch_state_dict(model, state_dict)"
_ELSEWHERE = {
    ".onnx": "fastnn.interop.export_onnx(model, path) and import_onnx(path)",
    ".pt": _PYTORCH,
    ".pth": _PYTORCH,
}
"""What reads and writes files of other programs that `save` and `load_model` do not, by their endings."""


def check_path(path: Any, what: str) -> str:
    """The path as a string.

    Raises
    ------
    TypeError
        If it is not a path.
    ValueError
        If it has the ending of a format that other functions read and write.
    """
    if not isinstance(path, (str, bytes, os.PathLike)):
        raise TypeError(f'{what} takes the path of a file. Received: {path!r}. Use "model.safetensors".')
    path = os.fsdecode(path)
    ending = os.path.splitext(path)[1].lower()
    if ending in _ELSEWHERE:
        raise ValueError(
            f'{what} does not know files that end in {ending}. Received: "{path}". Use {_ELSEWHERE[ending]}, or '
            '"model.safetensors".'
        )
    return path


def write_file(path: str, tensors: Mapping[str, np.ndarray], header: dict[str, Any]) -> None:
    """Write arrays and header, whole or not at all."""
    from safetensors.numpy import save_file

    arrays = {name: np.asarray(array, order="C") for name, array in tensors.items()}
    sums = {name: zlib.crc32(_bytes(array)) for name, array in arrays.items()}
    text = json.dumps({"format_version": VERSION, **header, "crc32": sums}, allow_nan=False, ensure_ascii=False)
    replace_file(path, lambda beside: save_file(arrays, beside, {_KEY: sealed(text)}))


def sealed(text: str) -> str:
    """JSON of a dict with the checksum of all before it as its last entry.

    Examples
    --------
    >>> sealed('{"a": 1}')
    '{"a": 1, "checksum": 2057863684}'
    """
    body = text[:-1]
    return f"{body}{_SUM}{zlib.crc32(body.encode())}}}"


def _bytes(array: np.ndarray) -> memoryview:
    little = array.astype(array.dtype.newbyteorder("<"), copy=False)
    return little.reshape(-1).view(np.uint8).data


def read_file(path: str) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The arrays of a file by name, and its header.

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    ValueError
        If it is not whole, or of another format or a later version.
    """
    if not os.path.exists(path):
        raise FileNotFoundError(f'The file "{path}" does not exist.')
    if os.path.isdir(path):
        raise IsADirectoryError(f'"{path}" is a folder. Use the path of the file in it.')
    _refuse_other_formats(path)
    try:
        return _read(path)
    except (OSError, MemoryError, ImportError):  # not for what the file holds
        raise
    except Exception as error:
        raise ValueError(
            f'"{path}" is not an intact file of this format: {error} Use the file that model.save or '
            "model.save_weights wrote, or an older copy of it."
        ) from error


def _refuse_other_formats(path: str) -> None:
    with open(path, "rb") as file:
        head = file.read(8)
    for begins, name, end in ((b"PK\x03\x04", "a zip file", ".keras"), (b"\x89HDF", "an HDF5 file", ".h5")):
        if head.startswith(begins):
            raise ValueError(
                f'"{path}" is {name}, whatever its ending. If Keras wrote it, give it a name that ends in {end}, by '
                "which its format is known; else use a file that model.save wrote."
            )


def _read(path: str) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    from safetensors import safe_open

    with safe_open(path, framework="np") as file:
        header = _header(file.metadata() or {})
        sums, arrays = header.pop("crc32"), {}
        if set(sums) != set(file.keys()):
            raise ValueError("its arrays are not the ones that its header lists.")
        for name in file.keys():  # noqa: SIM118
            kind = file.get_slice(name).get_dtype()
            if kind not in _DTYPES:
                raise ValueError(f"array {name!r} has dtype {kind}, and weights are F32 or F64.")
            arrays[name] = np.asarray(file.get_tensor(name), _DTYPES[kind])
            if zlib.crc32(_bytes(arrays[name])) != sums[name]:
                raise ValueError(f"the numbers of {name!r} have changed since they were written.")
    return arrays, header


def _header(metadata: dict[str, str]) -> dict[str, Any]:
    if _KEY not in metadata:
        raise ValueError("it was not written by fastnn.")
    text = metadata[_KEY]
    if sealed(text.rpartition(_SUM)[0] + "}") != text:
        raise ValueError("its header has changed since it was written.")
    header = json.loads(text)
    version = header.get("format_version")
    if not isinstance(version, int) or version < 1:
        raise ValueError(f"its version is {version!r}.")
    if version > VERSION:
        raise ValueError(f"it has version {version}, and this fastnn reads up to {VERSION}. Install a newer one.")
    return header

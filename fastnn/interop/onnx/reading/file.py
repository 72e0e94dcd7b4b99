"""ONNX files on their way in: whole, small enough, and with their weights beside them at most."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ....extras import library

__all__ = ["MOST_NUMBERS", "array_of", "check_model", "read_model"]

MOST_NUMBERS = 1 << 24
"""What constants that the file computes may hold: a small file must not ask for a large memory."""


def read_model(path: str | os.PathLike[str]) -> Any:
    """The ModelProto of a file; weights in files beside it are not read yet.

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    ValueError
        If it is not an ONNX file.
    """
    onnx = library("onnx", "onnx", "import_onnx")
    with open(path, "rb") as file:
        content = file.read()
    model = onnx.ModelProto()
    try:
        model.ParseFromString(content)
    except Exception as error:  # protobuf's own, which has no public name in all of its versions
        raise ValueError(f"{os.fspath(path)!r} is not an ONNX file: {error}.") from error
    _check_names(model.graph, path)
    if not model.graph.node and not model.graph.output:
        raise ValueError(f"{os.fspath(path)!r} is not an ONNX file, or holds no graph. Received: {len(content)} bytes.")
    return model


def _check_names(graph: Any, path: str | os.PathLike[str]) -> None:
    """Refuse names that are not text, which protobuf returns as bytes or fails on."""
    try:
        names = [
            *(w for n in graph.node for w in (n.op_type, n.domain, n.name, *n.input, *n.output)),
            *(w for n in graph.node for w in (a.name for a in n.attribute)),
            *(one.name for one in (*graph.input, *graph.output, *graph.initializer)),
        ]
        broken = next((name for name in names if not isinstance(name, str)), None)
    except UnicodeDecodeError as error:
        broken = error.object
    if broken is not None:
        raise ValueError(f"{os.fspath(path)!r} is damaged: a name in it is not text. Received: {broken!r:.80}.")


def check_model(model: Any, path: str | os.PathLike[str], known: Callable[[str], Any]) -> None:
    """Have onnx check names, order and attributes of the nodes; bytes of weights are checked where they are read.

    Parameters
    ----------
    model : ModelProto
    path : str or Path
        Named in errors.
    known : callable
        Tells of an operator whether it can be read: some exporters write ones that ONNX does not have.

    Raises
    ------
    ValueError
        If the file breaks the rules of the format.
    """
    onnx = library("onnx", "onnx", "import_onnx")
    bare = onnx.ModelProto()
    bare.CopyFrom(model)
    for tensor in bare.graph.initializer:
        tensor.CopyFrom(onnx.TensorProto(name=tensor.name, data_type=onnx.TensorProto.FLOAT, dims=[0]))
    for node in bare.graph.node:
        if node.domain == "" and not onnx.defs.has(node.op_type) and known(node.op_type):
            node.op_type = "Identity"
            del node.attribute[:], node.input[1:]
    try:
        onnx.checker.check_model(bare)
    except (onnx.checker.ValidationError, UnicodeDecodeError) as error:
        raise ValueError(f"{os.fspath(path)!r} breaks the rules of ONNX: {error}") from error


def array_of(tensor: Any, folder: Path) -> np.ndarray:
    """The numbers of a tensor of the file, or of a file in the same folder.

    Raises
    ------
    ValueError
        If the numbers are fewer than the shape says, or their file is elsewhere.
    """
    onnx = library("onnx", "onnx", "import_onnx")
    if tensor.data_location == onnx.TensorProto.EXTERNAL:
        tensor = _from_beside(onnx, tensor, folder)
    if any(n < 0 for n in tensor.dims):
        raise ValueError(f"The sizes of tensor {tensor.name!r} must be at least 0. Received: {list(tensor.dims)}.")
    try:
        array = onnx.numpy_helper.to_array(tensor)
    except (TypeError, ValueError, KeyError, OverflowError) as error:
        raise ValueError(
            f"The tensor {tensor.name!r} of shape {list(tensor.dims)} cannot be read: {error}. The file is damaged, or "
            "of a dtype that NumPy does not have."
        ) from error
    kind = array.dtype.kind
    if kind == "f" and array.dtype != np.float64:
        return array.astype(np.float32)
    return array.astype(np.int64) if kind in "iu" else array


def _from_beside(onnx: Any, tensor: Any, folder: Path) -> Any:
    """A copy of a tensor with the numbers that are in another file of the folder."""
    entries = {entry.key: entry.value for entry in tensor.external_data}
    location = entries.get("location", "")
    if not location or location != os.path.basename(location) or "\\" in location or location in (".", ".."):
        raise ValueError(
            "The weights of an ONNX file must be in it, or in a file in the same folder. Received: tensor "
            f"{tensor.name!r} in {location!r}. Move that file beside the model."
        )
    beside = folder / location
    if beside.is_symlink() or not beside.is_file():
        raise ValueError(
            f"The weights of tensor {tensor.name!r} are in the file {location!r}, which must be a plain file beside "
            f"the model. Received: no such file in {os.fspath(folder)!r}. Copy it there."
        )
    try:
        start = int(entries.get("offset", 0))
        dtype = onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type)
        size = math.prod(tensor.dims) * np.dtype(dtype).itemsize
        length = int(entries.get("length", size))
    except (TypeError, ValueError, KeyError) as error:
        raise ValueError(f"The place of tensor {tensor.name!r} in {location!r} cannot be read: {error}.") from error
    if length != size or start < 0 or length < 0 or start + length > beside.stat().st_size:
        raise ValueError(
            f"Tensor {tensor.name!r} of shape {list(tensor.dims)} takes {size} bytes. Received: {length} bytes from "
            f"{start} on in {location!r}, a file of {beside.stat().st_size}."
        )
    copy = onnx.TensorProto(name=tensor.name, data_type=tensor.data_type, dims=tensor.dims)
    with open(beside, "rb") as file:
        file.seek(start)
        copy.raw_data = file.read(length)
    return copy

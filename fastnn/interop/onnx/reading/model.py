"""import_onnx: an ONNX file as a model."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ....models import Model
from ....user_warnings import warn
from .file import check_model, read_model
from .reader import Reader
from .table import reader_of

__all__ = ["import_onnx"]


def import_onnx(
    path: str | os.PathLike[str], input_shape: Any = None, outputs: Sequence[str] | None = None, name: str | None = None
) -> Model:
    """Read an ONNX file as a model that predicts the same, can be trained and saved.

    Products with matrices of the file become Dense layers, tables Embedding, convolutions, pooling, normalization and
    recurrent operators the layers of these names, with the weights of the file; all else becomes operations of
    ``fastnn.ops``.  Inputs and outputs are those of the file, in its order of axes; within, images have channels last.
    The batch is open, even where the file fixes its size, unless the file computes with that size.

    Parameters
    ----------
    path : str or Path
        Weights may be in another file of the same folder, as PyTorch's exporter writes them.
    input_shape : tuple, or list of tuple, optional
        Shapes of the inputs, batch first, in place of those of the file; None where a size is open.
    outputs : list of str, optional
        Names of values of the graph that the model gives; the file's outputs by default.
    name : str, optional

    Returns
    -------
    Model

    Raises
    ------
    ImportError
        If onnx is not installed.
    ValueError
        If the file is damaged or breaks the rules of ONNX, its weights are elsewhere, or a node does something that no
        layer does; the error names the node.
    NotImplementedError
        If an operator is not supported; the error lists those that are.

    Examples
    --------
    >>> model = import_onnx("digits.onnx")  # doctest: +SKIP
    >>> model.compile("adam", "sparse_categorical_crossentropy")  # doctest: +SKIP
    >>> model.fit(images, labels)  # doctest: +SKIP
    """
    file = read_model(path)
    folder = Path(path).resolve().parent
    wanted = [spec.name for spec in file.graph.output] if outputs is None else list(outputs)
    given = {spec.name for node in [file.graph] for spec in node.input} | {n for x in file.graph.node for n in x.output}
    for one in wanted:
        if one not in given:
            raise ValueError(
                f"outputs= must name values of the graph. Received: {one!r}; the graph has {sorted(given)[:20]}."
            )
    shapes = _shapes(file.graph, input_shape)
    Reader(file, folder, shapes, wanted).refuse_unknown()
    check_model(file, path, reader_of)
    try:
        return _model(Reader(file, folder, shapes, wanted, open_batch=True), name)
    except (ValueError, TypeError, IndexError):
        if input_shape is not None or not _fixed_batch(file.graph):
            raise
    model = _model(Reader(file, folder, shapes, wanted), name)
    warn(
        f"{os.fspath(path)!r} computes with the size of the batch that it was made with, so the model takes batches of "
        f"that size: its inputs have the shape {model.input_shape}. Export the file with an open batch if that is not "
        "what you want.",
    )
    return model


def _model(reader: Reader, name: str | None) -> Model:
    outputs = reader.read()
    inputs = reader.inputs
    if not inputs or not outputs:
        raise ValueError(
            f"A model must have inputs and outputs. Received: a graph with {len(inputs)} and {len(outputs)}."
        )
    return Model(inputs if len(inputs) > 1 else inputs[0], outputs if len(outputs) > 1 else outputs[0], name=name)


def _shapes(graph: Any, input_shape: Any) -> dict[str, Any]:
    if input_shape is None:
        return {}
    weights = {tensor.name for tensor in graph.initializer}
    names = [spec.name for spec in graph.input if spec.name not in weights]
    several = bool(input_shape) and all(isinstance(one, (list, tuple)) for one in input_shape)
    shapes = [tuple(one) for one in (input_shape if several else [input_shape])]
    if len(shapes) != len(names):
        raise ValueError(f"The file has the inputs {names}. Received: input_shape={input_shape!r}.")
    return dict(zip(names, shapes, strict=True))


def _fixed_batch(graph: Any) -> bool:
    """Whether an input of the file has a batch of a given size."""
    return any(d.dim_value > 0 for spec in graph.input for d in spec.type.tensor_type.shape.dim[:1])

"""export_onnx: a model as an ONNX file that predicts the same."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from ...._version import __version__
from ....extras import library
from ....models import Model
from ....models.network import reads_ids
from ....saving.atomic import replace_file
from .value import Shape, Value
from .walk import Walk
from .writer import Writer

__all__ = ["export_onnx"]

OLDEST = 17
"""The operator set that brought LayerNormalization."""


def export_onnx(
    model: Model, path: str | os.PathLike[str] | None = None, opset: int = 18, input_shape: Any = None
) -> Any:
    """Write a model as an ONNX file, which onnxruntime and other tools run.

    The file holds the model as it predicts: dropout is gone, normalization uses its stored statistics.  Sizes that the
    model leaves open, the batch and lengths of sequences, stay open.  Masks travel inside the file as they do in the
    model.  The order of axes is that of the model, channels last; transposes around convolutions are written only where
    they do not undo each other.

    Parameters
    ----------
    model : Model
        Built: from ``Input(...)``, or called or fitted once.
    path : str or Path, optional
        Where to write; None writes no file.
    opset : int
        The version of ONNX's operators, from 17.
    input_shape : tuple or list of tuple, optional
        Shapes of the inputs, batch first, None where a size is open; the model's own by default.

    Returns
    -------
    onnx.ModelProto

    Raises
    ------
    ImportError
        If onnx is not installed.
    NotImplementedError
        If a layer of your own computes on arrays, or a layer has no form in ONNX.
    ValueError
        If the model is not built, a ``call`` cannot be traced, or an argument does not fit.

    Examples
    --------
    >>> from fastnn import Sequential
    >>> from fastnn.layers import Dense
    >>> file = export_onnx(Sequential([Dense(3, activation="relu", input_shape=(4,))]))  # doctest: +SKIP
    >>> [node.op_type for node in file.graph.node]  # doctest: +SKIP
    ['MatMul', 'Add', 'Relu']
    """
    if not isinstance(model, Model):
        raise TypeError(
            f"export_onnx writes a model. Received: a {type(model).__name__}. Use Sequential([...]) around a layer."
        )
    onnx = library("onnx", "onnx", "export_onnx")
    newest = onnx.defs.onnx_opset_version()
    if isinstance(opset, bool) or not isinstance(opset, int) or not OLDEST <= opset <= newest:
        raise ValueError(
            f"opset must be an integer from {OLDEST} to {newest}. Received: opset={opset!r}. Use opset=18."
        )
    writer = Writer(opset)
    inputs = _inputs(model, input_shape)
    for value in inputs:
        writer.name(value.name)
    outputs, _ = Walk(writer).operation(model, inputs, [])
    made = _proto(writer, model, inputs, outputs)
    onnx.checker.check_model(made, full_check=True)
    if path is not None:
        replace_file(os.fspath(path), lambda beside: onnx.save(made, beside))
    return made


def _inputs(model: Model, input_shape: Any) -> list[Value]:
    """The inputs of the model as values; integers where it reads ids."""
    if model.graph is None and (not model.built or model.input_shape is None) and input_shape is None:
        raise ValueError(
            f'Model "{model.name}" has no shapes yet. Call model.build(input_shape), model(x) or model.fit(...) first.'
        )
    given = _shapes(model.input_shape if input_shape is None else input_shape)
    if model.graph is None:
        if not model.built:
            model.ensure_built(given[0] if len(given) == 1 else given)
        dtypes, _ = vars(model).get("_first_call", ([], None))
        dtypes = list(dtypes) if len(dtypes) == len(given) else [model.dtype] * len(given)
        names = ["input" if len(given) == 1 else f"input_{i}" for i in range(len(given))]
    else:
        symbols = model.graph.input_symbols
        if len(given) != len(symbols):
            raise ValueError(f'Model "{model.name}" has {len(symbols)} inputs. Received: input_shape={input_shape!r}.')
        if input_shape is not None:
            model.compute_output_shape(given[0] if len(given) == 1 else given)
        dtypes = ["int64" if reads_ids(model.graph, symbol) else symbol.dtype for symbol in symbols]
        names = [symbol.name for symbol in symbols]
    return [Value(name, shape, dtype) for name, shape, dtype in zip(names, given, dtypes, strict=True)]


def _shapes(shape: Any) -> list[Shape]:
    several = isinstance(shape, (list, tuple)) and bool(shape) and all(isinstance(s, (list, tuple)) for s in shape)
    return [tuple(one) for one in (shape if several else [shape])]


def _proto(writer: Writer, model: Model, inputs: Sequence[Value], outputs: Sequence[Value]) -> Any:
    """The file: outputs under the names of the model's outputs, open sizes under names of their own."""
    onnx = writer.onnx
    ends = []
    for value, name in zip(outputs, _output_names(model, len(outputs)), strict=True):
        made = writer.name(name)
        source = writer.constant(value.array) if value.array is not None else value
        writer.nodes.append(onnx.helper.make_node("Identity", [writer.read(source)], [made]))
        ends.append(writer.info(Value(made, value.shape, value.dtype), _axes(made, value.rank)))
    starts = [writer.info(value, _axes(value.name, value.rank)) for value in inputs]
    constants = list(writer.constants.values())
    graph = onnx.helper.make_graph(writer.nodes, model.name, starts, ends, constants)
    opsets = [onnx.helper.make_opsetid("", writer.opset)]
    version = onnx.helper.find_min_ir_version_for(opsets)
    return onnx.helper.make_model(
        graph, opset_imports=opsets, ir_version=version, producer_name="fastnn", producer_version=__version__
    )


def _output_names(model: Model, count: int) -> list[str]:
    names = list(model.output_names) if model.graph is not None else []
    if len(names) != count:
        names = ["output" if count == 1 else f"output_{i}" for i in range(count)]
    return names


def _axes(name: str, rank: int) -> list[str]:
    """Names of sizes that are open: the batch is that of all inputs."""
    return ["batch", *(f"{name}_axis_{axis}" for axis in range(1, rank))][:rank]

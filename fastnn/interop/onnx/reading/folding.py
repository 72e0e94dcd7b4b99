"""Constants of a file that are computed from constants and sizes, by onnx's own reference of its operators."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ....extras import library
from .file import MOST_NUMBERS
from .node import OnnxNode
from .values import Known

__all__ = ["FOLDED", "folded"]

_WORDS = """
Abs Add And Cast CastLike Ceil Clip Concat Constant ConstantOfShape Div Equal Exp Expand Floor Gather Greater
GreaterOrEqual Identity Less LessOrEqual Log Max Min Mod Mul Neg Not Or Pow Range Reciprocal ReduceMax ReduceMin
ReduceProd ReduceSum Reshape Round Sign Slice Split Sqrt Squeeze Sub Tile Transpose Trilu Unsqueeze Where Xor
"""
FOLDED = frozenset(_WORDS.split())
_SHAPED = ("ConstantOfShape", "Expand", "Tile", "Range")
"""Operators whose output has a size that is the number in an input."""


def folded(reader: Any, node: OnnxNode) -> Any:
    """The outputs of a node whose inputs are all known; None where it is better read as operations of the model.

    Raises
    ------
    ValueError
        If the result would be large without a reason in the file, or the numbers do not fit.
    """
    if node.op == "Constant":
        return _constant(node)
    if node.op not in FOLDED or not node.inputs:
        return None
    known = [one for one in node.inputs if isinstance(one, Known)]
    is_open = any(one.open for one in known)
    if is_open and (node.op in _SHAPED or (node.op == "Slice" and not node.inputs[0].open)):  # type: ignore[union-attr]
        return None
    if node.op == "Identity":
        return known[0]
    _check_size(node, known)
    reference = library("onnx.reference", "onnx", "import_onnx")
    run = reference.ReferenceEvaluator(node.proto, opsets={"": reader.opset})
    feeds = {name: one.array for name, one in zip(node.proto.input, node.inputs, strict=True) if isinstance(one, Known)}
    try:
        with np.errstate(all="ignore"):
            found = run.run(None, feeds)
    except (ValueError, TypeError, IndexError, RuntimeError, ZeroDivisionError, AttributeError) as error:
        raise ValueError(f"{node} does not fit its constants: {error}.") from error
    arrays = [_as_read(np.asarray(one)) for one in found]
    return [Known(one, inexact=is_open and _has_fractions(one)) for one in arrays]


def _constant(node: OnnxNode) -> Known:
    ((name, value),) = list(node.attributes.items())[:1] or [("", None)]
    if name in ("value", "value_float", "value_floats", "value_int", "value_ints"):
        array = np.asarray(value, np.float32 if "float" in name else None)
        return Known(_as_read(array), name=node.proto.output[0])
    if name in ("value_string", "value_strings"):
        return Known(np.asarray(value, dtype=object))
    raise node.refusal("value= of numbers", f"{name or 'no value'}")


def _as_read(array: np.ndarray) -> np.ndarray:
    kind = array.dtype.kind
    if kind == "f":
        return array if array.dtype == np.float64 else array.astype(np.float32)
    return array.astype(np.int64) if kind in "iu" else array


def _has_fractions(array: np.ndarray) -> bool:
    return array.dtype.kind == "f" and not bool((array == np.round(array)).all())


def _check_size(node: OnnxNode, known: list[Known]) -> None:
    """Refuse what would be large, before it is made."""
    arrays = [one.array for one in known]
    given = sum(a.size for a in arrays)
    try:
        if node.op == "ConstantOfShape":
            size = math.prod(int(n) for n in arrays[0].ravel().tolist())
        elif node.op == "Expand":
            size = math.prod(np.broadcast_shapes(arrays[0].shape, tuple(int(n) for n in arrays[1].ravel().tolist())))
        elif node.op == "Tile":
            size = arrays[0].size * math.prod(int(n) for n in arrays[1].ravel().tolist())
        elif node.op == "Range":
            start, limit, step = (float(a) for a in arrays)
            size = int(abs((limit - start) / step)) if step else MOST_NUMBERS + 1
        elif node.op == "Gather":
            size = arrays[0].size * max(1, arrays[1].size)
            size = arrays[1].size * math.prod(arrays[0].shape[1:]) if node.attribute("axis", 0) == 0 else size
        elif node.op in ("Concat", "Split", "Slice", "Reshape", "Transpose", "Squeeze", "Unsqueeze", "Clip", "Trilu"):
            size = given
        else:
            size = math.prod(np.broadcast_shapes(*(a.shape for a in arrays)))
    except (ValueError, OverflowError, TypeError) as error:
        raise ValueError(f"{node} does not fit its constants: {error}.") from error
    if size > max(MOST_NUMBERS, 2 * given):
        raise ValueError(
            f"{node} computes a constant of {size} numbers from {given}. Constants that a file computes hold at most "
            f"{MOST_NUMBERS}."
        )

"""Products with weights as Dense layers, tables of rows as Embedding layers."""

from __future__ import annotations

from typing import Any

import numpy as np

from .... import layers, ops
from .node import OnnxNode
from .reader import Reader
from .table import reads
from .values import Known, Tensor

__all__: list[str] = []


def _dense(r: Reader, node: OnnxNode, key: Any, x: Tensor, kernel: np.ndarray, bias: np.ndarray | None) -> Tensor:
    weights = [np.ascontiguousarray(kernel), *([] if bias is None else [bias])]
    units = kernel.shape[1]
    return r.layer(node, key, lambda **k: layers.Dense(units, use_bias=bias is not None, **k), weights, x)


@reads("MatMul")
def matmul(r: Reader, node: OnnxNode) -> Tensor:
    """A Dense layer where the second factor is a matrix of the file; its bias is the sum that follows."""
    x, w = node.inputs
    if not isinstance(x, Tensor) or not isinstance(w, Known) or w.array.ndim != 2 or x.rank < 2:
        return r.apply(ops.matmul, x, w)  # type: ignore[arg-type]
    if x.dtype not in ("float32", "float64"):
        return r.apply(ops.matmul, x, w)
    follower, bias = _bias_behind(r, node, w.array.shape[1])
    y = _dense(
        r, node, (w.name or id(w), bias.name if bias else ""), x, r.constant(w), None if bias is None else bias.array
    )
    if follower is not None:
        r.values[follower] = y
    return y


def _bias_behind(r: Reader, node: OnnxNode, units: int) -> tuple[str | None, Known | None]:
    """The sum with a row of the file that is all that reads a product: the name of what it gives, and the row."""
    name = node.proto.output[0]
    readers = r.readers.get(name, [])
    if len(readers) != 1 or name in r.outputs or readers[0].op_type != "Add":
        return None, None
    other = next((one for one in readers[0].input if one != name), "")
    value = r.values.get(other) or (r.value(other) if r.is_weight(other) else None)
    if isinstance(value, Known) and value.array.shape == (units,) and not value.open:
        return readers[0].output[0], value
    return None, None


@reads("Gemm")
def gemm(r: Reader, node: OnnxNode) -> Tensor:
    """alpha · A · B + beta · C, with A and B turned if they say so."""
    a, b, c = node.get(0), node.get(1), node.get(2)
    alpha, beta = node.attribute("alpha", 1.0), node.attribute("beta", 1.0)
    if isinstance(a, Tensor) and isinstance(b, Known) and not node.attribute("transA", 0):
        kernel = b.array.T if node.attribute("transB", 0) else b.array
        bias = None
        if isinstance(c, Known) and c.array.size in (1, kernel.shape[1]):
            bias = np.broadcast_to(np.ravel(c.array) * np.float32(beta), kernel.shape[1:]).astype(kernel.dtype)
        if c is None or bias is not None:
            key = (b.name or id(b), c.name or id(c)) if isinstance(c, Known) else (b.name or id(b), "")
            return _dense(r, node, key, a, kernel * kernel.dtype.type(alpha), bias)
    turned: list[Any] = [
        r.apply(ops.transpose, one) if isinstance(one, Tensor) and node.attribute(name, 0)
        else Known(one.array.T) if isinstance(one, Known) and node.attribute(name, 0) else one
        for one, name in ((a, "transA"), (b, "transB"))
    ]  # fmt: skip
    y = r.apply(lambda p, q: ops.matmul(p, q) * alpha, *turned)
    return y if c is None else r.apply(lambda p, q: p + q * beta, y, c)


@reads("Gather")
def gather(r: Reader, node: OnnxNode) -> Tensor:
    """An Embedding where ids choose rows of a table of the file; one place, or several, along an axis of a value."""
    x, places, axis = node.get(0), node.get(1), node.attribute("axis", 0)
    if isinstance(x, Known):
        ids = node.x(1)
        if axis == 0 and x.array.ndim == 2 and x.name and x.array.dtype.kind == "f":
            rows, wide = x.array.shape
            make: Any = lambda **k: layers.Embedding(rows, wide, **{**k, "dtype": str(x.array.dtype)})  # noqa: E731
            return r.layer(node, x.name, make, [x.array], ids)
        return r.apply(lambda a: ops.take(r.constant(x), a, axis=axis), ids)
    source = node.x()
    if isinstance(places, Known) and places.array.ndim == 0:
        place = int(r.constant(places).item())
        key = (*[slice(None)] * (axis % source.rank), place)
        return r.apply(lambda a: a[key], source)
    return r.apply(lambda a, i: ops.take(a, i, axis=axis), source, places)  # type: ignore[arg-type]


@reads("GatherElements")
def gather_elements(r: Reader, node: OnnxNode) -> Tensor:
    axis = node.attribute("axis", 0)
    return r.apply(lambda a, i: ops.take_along_axis(a, i, axis=axis), node.x(), node.get(1))  # type: ignore[arg-type]


@reads("ArrayFeatureExtractor")
def array_feature_extractor(r: Reader, node: OnnxNode) -> Tensor:
    """Labels by their place, as scikit-learn's exporter writes them; columns of a value."""
    labels, places = node.get(0), node.get(1)
    if isinstance(labels, Known):
        if labels.array.dtype.kind not in "if":
            raise node.refusal(
                "labels that are numbers",
                "labels of text",
                "Use import_onnx(path, outputs=[...]) with the probabilities.",
            )
        row = labels.array.reshape(1, -1)
        return r.apply(lambda i: ops.take(row, ops.reshape(i, (-1,)), axis=1), node.x(1))
    return r.apply(lambda a, i: ops.take(a, ops.reshape(i, (-1,)), axis=-1), labels, places)  # type: ignore[arg-type]


@reads("Scaler")
def scaler(r: Reader, node: OnnxNode) -> Tensor:
    """(x - offset) · scale, as scikit-learn's exporter writes a StandardScaler."""
    offset, scale = (np.asarray(node.attribute(name, [0.0]), np.float32) for name in ("offset", "scale"))
    return r.apply(lambda x: ops.multiply(ops.cast(x, "float32") - offset, scale), node.x())


@reads("ZipMap")
def zip_map(r: Reader, node: OnnxNode) -> Tensor:
    """The probabilities; the dicts that scikit-learn's exporter makes of them are not arrays."""
    return node.x()

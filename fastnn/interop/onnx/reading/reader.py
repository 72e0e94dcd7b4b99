"""The reader: walks the nodes of an ONNX graph, folds constants, and records layers and operations for the rest."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .... import ops
from ....extras import library
from ....graph import Node, Symbol, as_symbol
from ....layers import Input, Layer
from ....layers.support.unfilled import unfilled
from ..layout import after, inverse
from .file import array_of
from .folding import FOLDED, folded
from .node import OnnxNode
from .table import reader_of, supported
from .values import PRIMES, Known, Tensor

__all__ = ["Reader", "filled"]

Value = Known | Tensor

_DOMAINS = ("", "ai.onnx", "ai.onnx.ml")
_DTYPES = {1: "float32", 7: "int64", 6: "int64", 11: "float64", 9: "int64", 10: "float32"}
"""The dtype of an input here, for that of the file; truths come in as integers."""
_UNTAUGHT = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What readers, layers and operations raise where a node of the file does not fit what it reads."""


class Reader:
    """Makes a graph of symbols from an ONNX graph.

    Parameters
    ----------
    model : ModelProto
    folder : Path
        Where the file is: weights may be in other files there.
    shapes : dict of str to tuple
        Shapes of inputs that differ from those of the file, None where a size is open.
    outputs : list of str
        The values that are wanted.
    open_batch : bool
        Whether the first axis of every input is open, whatever size the file gives it.
    """

    def __init__(
        self, model: Any, folder: Path, shapes: dict[str, Any], outputs: Sequence[str], open_batch: bool = False
    ):
        self.onnx = library("onnx", "onnx", "import_onnx")
        self.folder, self.outputs = folder, list(outputs)
        self.graph = model.graph
        self.opset = next((o.version for o in model.opset_import if o.domain in ("", "ai.onnx")), 1)
        self.values: dict[str, Value] = {}
        self.layers: dict[Any, Layer] = {}
        self.names: set[str] = set()
        self.sizes: dict[int, tuple[int, ...]] = {}
        """The sizes of every symbol, open ones as primes."""
        self.opened: dict[int, int] = {}
        """The size that the file gives a batch which is open here, and the prime in its place."""
        self.open_batch = open_batch
        self.readers: dict[str, list[Any]] = {}
        self._primes: dict[Any, int] = {}
        self._kept: list[Symbol] = []
        self.made_of_zeros: set[int] = set()
        """Symbols, by id, that are zeros whatever the model is given."""
        self.sources: dict[int, tuple[Tensor, int]] = {}
        """For each prime the input and axis whose size it stands for."""
        self.inputs: list[Symbol] = []
        self._tensors = {tensor.name: tensor for tensor in self.graph.initializer}
        self._shapes = shapes
        self._transposed: dict[Any, Tensor] = {}

    # The walk.

    def read(self) -> list[Symbol]:
        """The symbols of the outputs."""
        nodes = self._needed()
        for spec in self.graph.input:
            if spec.name not in self._tensors:
                self._add_input(spec)
        readers = {name for node in nodes for name in self._all_inputs(node)} | set(self.outputs)
        for node in nodes:
            for name in node.input:
                self.readers.setdefault(name, []).append(node)
        for proto in nodes:
            if all(not name or name in self.values for name in proto.output):
                continue  # read together with the node before it
            inputs = [self.value(name) if name else None for name in proto.input]
            node = OnnxNode(proto, inputs, self._attributes(proto), [name in readers for name in proto.output])
            try:
                found = self._read_node(node)
            except _UNTAUGHT as error:
                if str(error).startswith("Node "):
                    raise
                raise ValueError(f"{node} does not fit its inputs: {error}") from error
            for name, value in zip(proto.output, found if isinstance(found, list) else [found], strict=False):
                self.values[name] = value
        return [self.plain(self.tensor(self.value(name))).symbol for name in self.outputs]

    def refuse_unknown(self) -> None:
        """Raise the error of the first node that no function reads."""
        for node in self._needed():
            if node.domain not in _DOMAINS or not (reader_of(node.op_type) or node.op_type in FOLDED):
                raise refusal(node)

    def _needed(self) -> list[Any]:
        """The nodes that lead to the outputs, in their order."""
        wanted, found = set(self.outputs), []
        for node in reversed(self.graph.node):
            if wanted & set(node.output):
                wanted |= set(self._all_inputs(node))
                found.append(node)
        return found[::-1]

    @staticmethod
    def _all_inputs(node: Any) -> list[str]:
        return [name for name in node.input if name]

    def _read_node(self, node: OnnxNode) -> Value | list[Value]:
        if all(one is None or isinstance(one, Known) for one in node.inputs):
            known = folded(self, node)
            if known is not None:
                return known
        function = reader_of(node.op)
        if function is None:
            raise refusal(node.proto)
        return function(self, node)

    def _attributes(self, proto: Any) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for attribute in proto.attribute:
            value = self.onnx.helper.get_attribute_value(attribute)
            if isinstance(value, bytes):
                value = value.decode("utf-8", "replace")
            elif isinstance(value, list) and value and isinstance(value[0], bytes):
                value = [one.decode("utf-8", "replace") for one in value]
            elif isinstance(value, self.onnx.TensorProto):
                value = array_of(value, self.folder)
            found[attribute.name] = value
        return found

    # Inputs and constants.

    def _add_input(self, spec: Any) -> None:
        """A symbol for an input of the graph; each open size gets a prime, axes of one name the same."""
        kind = spec.type.tensor_type
        if not spec.type.HasField("tensor_type") or kind.elem_type not in _DTYPES:
            raise ValueError(
                f"The inputs of a model must be numbers. Received: input {spec.name!r} of another type. Use "
                "import_onnx(path, outputs=[...]) if no output that you need depends on it."
            )
        words = [d.dim_param or None if not d.HasField("dim_value") else d.dim_value for d in kind.shape.dim]
        given = self._shapes.get(spec.name)
        if not kind.HasField("shape") and given is None:
            raise ValueError(
                f"The file does not state the shape of input {spec.name!r}. Pass input_shape=, batch first."
            )
        if given is not None:
            words = [w if n is None and isinstance(w, str) else n for n, w in zip(given, words or given, strict=True)]
        fixed = words[0] if words else None
        if self.open_batch and given is None and isinstance(fixed, int) and fixed > 0:
            words[0] = "batch of the file"
        shape = [n if isinstance(n, int) and n > 0 else None for n in words]
        if not shape:
            raise ValueError(f"An input must have a batch axis. Received: input {spec.name!r}, a single number.")
        name = self.unique(spec.name)
        symbol = Input(shape[1:], shape[0], _DTYPES[kind.elem_type], name)
        sizes = tuple(self._prime(word, n) for word, n in zip(words, shape, strict=True))
        if words[0] == "batch of the file":
            self.opened[int(fixed or 0)] = sizes[0]
        tensor = Tensor(symbol, sizes)
        self.inputs.append(symbol)
        self.sizes[id(symbol)] = sizes
        for axis, size in enumerate(sizes):
            if shape[axis] is None:
                self.sources.setdefault(size, (tensor, axis))
        if kind.elem_type == 9:
            tensor = self.apply(lambda x: x != 0, tensor)
        self.values[spec.name] = tensor

    def _prime(self, word: Any, size: int | None) -> int:
        if size is not None:
            return size
        taken = self._primes
        key = word if isinstance(word, str) else len(taken)
        if key not in taken:
            if len(taken) == len(PRIMES):
                raise ValueError(f"At most {len(PRIMES)} sizes can be open. Pass input_shape= with known sizes.")
            taken[key] = PRIMES[len(taken)]
        return taken[key]

    def value(self, name: str) -> Value:
        """The value of a name of the graph; weights are read on first use."""
        if name not in self.values:
            if name not in self._tensors:
                raise ValueError(f"The file is damaged: a node reads {name!r}, which nothing computes.")
            self.values[name] = Known(array_of(self._tensors[name], self.folder), name=name)
        return self.values[name]

    def is_weight(self, name: str) -> bool:
        """Whether a name is that of a tensor of the file."""
        return name in self._tensors

    def is_zero(self, value: Any) -> bool:
        """Whether a value is zeros of an open size, or cut out of them."""
        while isinstance(value, Tensor):
            node = value.symbol.node
            if id(value.symbol) in self.made_of_zeros:
                return True
            if getattr(node.operation, "name", "") not in ("get_item", "cast", "transpose", "squeeze", "expand_dims"):
                return False
            value = Tensor(node.inputs[0], ())
        return False

    def unique(self, name: str) -> str:
        """A name for a layer, from one of the file."""
        word = re.sub(r"\W+", "_", name.removeprefix("onnx::")).strip("_") or "layer"
        number, found = 0, word
        while found in self.names:
            number += 1
            found = f"{word}_{number}"
        self.names.add(found)
        return found

    # Recording.

    def record(self, output: Any) -> Any:
        """Tensors for new symbols, with their sizes worked out."""
        if isinstance(output, (list, tuple)):
            return [self.record(one) for one in output]
        return Tensor(output, self._sizes_of(output))

    def _sizes_of(self, symbol: Symbol) -> tuple[int, ...]:
        """The sizes of a symbol: computed from those of its inputs, through the shapes of the operations."""
        pending = [symbol]
        while pending:
            node: Node = pending[-1].node
            if id(pending[-1]) in self.sizes:
                pending.pop()
            elif missing := [s for s in node.inputs if id(s) not in self.sizes]:
                pending += missing
            elif not node.inputs:
                self.sizes[id(pending.pop())] = tuple(n or 0 for n in node.outputs[0].shape)
            else:
                given: Any = [self.sizes[id(s)] for s in node.inputs]
                options = {k: v for k, v in node.options.items() if k not in ("training", "template")}
                shape = node.operation.compute_output_shape(given if node.takes_several else given[0], **options)
                batch = given[0][:1]
                for output, one in zip(node.outputs, shape if node.gives_several else [shape], strict=True):
                    sizes = (*batch, *one[1:]) if one and one[0] is None else one
                    self.sizes[id(output)] = tuple(int(n) for n in sizes)
        self._kept.append(symbol)  # a symbol that is gone would give its id to another
        return self.sizes[id(symbol)]

    def layer(
        self, node: OnnxNode, key: Any, make: Callable[..., Layer], weights: Sequence[np.ndarray], *inputs: Tensor
    ) -> Any:
        """The output of a layer with these weights; nodes that share weights, by ``key``, share the layer."""
        key = None if key is None else (node.op, key, str(sorted(node.attributes.items(), key=str)))
        symbols = [self.plain(one).symbol for one in inputs]
        layer = self.layers.get(key)
        if layer is None:
            layer = make(name=self.unique(node.proto.name or node.proto.output[0]), dtype=_real(symbols[0].dtype))
            if key is not None:
                self.layers[key] = layer
            output = filled(layer, weights, symbols if len(symbols) > 1 else symbols[0])
        else:
            output = layer(symbols if len(symbols) > 1 else symbols[0])
        return self.record(output)

    def apply(self, function: Callable[..., Any], *values: Value) -> Any:
        """The result of operations on values in the order of their axes."""
        return self.record(function(*(self.operand(one) for one in values)))

    def elementwise(self, function: Callable[..., Any], *values: Value) -> Tensor:
        """The result of an elementwise operation, on the arrays as they lie where their orders agree."""
        tensors = [one for one in values if isinstance(one, Tensor)]
        rank = max(one.rank if isinstance(one, Tensor) else one.array.ndim for one in values)
        orders = {one.order for one in tensors}
        if len(orders) == 1 and None not in orders and all(one.rank == rank for one in tensors):
            (order,) = orders
            back = inverse(order)  # type: ignore[arg-type]
            laid = [one.symbol if isinstance(one, Tensor) else self._laid(one, rank, back) for one in values]
            found = self.record(function(*laid))
            return Tensor(found.symbol, tuple(found.sizes[axis] for axis in order or ()), order)
        return self.apply(function, *values)

    def _laid(self, known: Known, rank: int, back: Sequence[int]) -> Any:
        array = self.constant(known)
        return array if array.size == 1 else array.reshape((1,) * (rank - array.ndim) + array.shape).transpose(back)

    def operand(self, value: Value) -> Any:
        """A value as operations take it: a symbol, or an array."""
        return self.plain(value).symbol if isinstance(value, Tensor) else self.constant(value)

    def constant(self, known: Known) -> np.ndarray:
        """The numbers of a constant that goes into the model."""
        if known.open:
            raise ValueError(
                "The file computes with a size that is open, and not only on shapes. Received: an open batch or "
                "length. Pass input_shape= with sizes that are all known."
            )
        return known.array

    def tensor(self, value: Value) -> Tensor:
        """A value as a symbol; a constant that is an output becomes one."""
        return value if isinstance(value, Tensor) else self.record(as_symbol(self.constant(value)))

    # Axes.

    def transpose(self, x: Tensor, axes: Sequence[int]) -> Tensor:
        """A value with its axes in another order, which waits."""
        return Tensor(x.symbol, tuple(x.sizes[axis] for axis in axes), after(x.order, axes))

    def plain(self, x: Tensor) -> Tensor:
        """The value as a symbol with its axes in place."""
        if x.order is None:
            return x
        key = (id(x.symbol), x.order)
        if key not in self._transposed:
            self._transposed[key] = self.record(ops.transpose(x.symbol, x.order))
        return self._transposed[key]


def filled(layer: Layer, weights: Sequence[np.ndarray], x: Any, **call: Any) -> Any:
    """What a new layer gives for symbols; it has these weights, and never made others or larger ones."""
    with unfilled(sum(weight.size for weight in weights) * np.dtype(layer.dtype).itemsize):
        output = layer(x, **call)
    layer.set_weights(list(weights))
    return output


def refusal(node: Any) -> NotImplementedError:
    """The error of a node that cannot be read."""
    word = node.op_type if node.domain in _DOMAINS else f"{node.domain}.{node.op_type}"
    return NotImplementedError(
        f"Node {node.name or node.output[0]!r} ({word}) cannot be read: there is no layer or operation for it. "
        f"Supported: {', '.join(supported())}. Use import_onnx(path, outputs=[...]) for values before it."
    )


def _real(dtype: str) -> str:
    return dtype if dtype in ("float32", "float64") else "float32"

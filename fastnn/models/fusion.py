"""Fusion: neighbours in a graph that one kernel computes together.

    Conv2D(relu or linear) [+ relu] + MaxPooling2D   →  one pass, and only the outputs that pooling keeps
    Dense or convolution (linear) + an activation    →  the activation applied as the kernel stores
    BatchNormalization [+ residual] [+ ReLU]         →  one pass
    Dense or convolution + BatchNormalization        →  in inference the norm is folded into the weights
    sum of two + LayerNormalization, RMSNormalization  →  one pass, which gives the sum too where others read it
    x + PositionEmbedding(x), SinePositionEncoding(x)  →  one pass, and no array of vectors that repeat
    final softmax or sigmoid + its crossentropy      →  the loss starts from the logits (the head)
    TimeDistributed(Dense), (an activation)          →  the layer inside, which takes sequences itself

Two nodes join only where the edge between them has a single reader and is not an output of the model.  The user still
holds single layers; ``compile(fuse=False)`` runs them one by one (except the head, which also keeps saturated
predictions learning, as TensorFlow does).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeGuard

import numpy as np

from ..backend import active
from ..graph import Node, Operation, Symbol
from ..layers.base import Layer, Parameter
from ..layers.convolution.conv1d import Conv1D
from ..layers.convolution.conv2d import Conv2D
from ..layers.convolution.convolving import Convolving
from ..layers.convolution.depthwise_conv2d import DepthwiseConv2D
from ..layers.core.activation import ActivationLayer
from ..layers.core.dense import Dense
from ..layers.core.positions import PositionEmbedding, SinePositionEncoding
from ..layers.merging.elementwise import Add
from ..layers.normalization.batch_normalization import BatchNormalization
from ..layers.normalization.layer_normalization import LayerNormalization
from ..layers.normalization.rms_normalization import RMSNormalization
from ..layers.pooling.pooling2d import MaxPooling2D
from ..layers.recurrent.time_distributed import TimeDistributed
from ..layers.support.fused_activation import FusedActivation, fused_activation
from ..layers.support.row_norm import RowNorm, axes_within
from ..ops.arithmetic import Add as AddFunction
from ..ops.function import wanted

__all__ = ["ConvPool", "WithActivation", "fused", "split_head"]


class FusedLayers(Operation):
    """Base of operations that compute what several layers compute one after another."""

    layer: Any
    layers: tuple[Layer, ...]

    @property
    def weights(self) -> Sequence[Parameter]:
        return self.layer.weights

    @property
    def name(self) -> str:  # type: ignore[override]
        """The names of the layers, joined."""
        return "+".join(layer.name for layer in self.layers)

    @property
    def supports_masking(self) -> bool:  # type: ignore[override]
        """Whether each of the layers passes the mask on."""
        return all(layer.supports_masking for layer in self.layers)

    def compute_mask(self, x: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray | None:
        return mask if self.supports_masking else None


class WithActivation(FusedLayers):
    """A Dense or convolution layer, with the activation of ``rule`` in place of its own."""

    def __init__(self, layer: Dense | Convolving, rule: FusedActivation, others: Sequence[Layer] = ()):
        self.layer, self.rule, self.layers = layer, rule, (layer, *others)

    def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, Any]:
        return self.layer.forward_as(x, self.rule)

    def backward(self, dy: np.ndarray, ctx: Any, need_dx: bool = True) -> np.ndarray | None:
        return self.layer.backward_as(dy, ctx, self.rule, need_dx)


class ConvPool(FusedLayers):
    """Convolution, bias, activation and max pooling in one pass."""

    def __init__(self, conv: Conv2D, activation: str, pool: MaxPooling2D, others: Sequence[Layer] = ()):
        self.layer, self.layers = conv, (conv, *others, pool)
        self.settings = (pool.pool_size, conv.strides, conv.padding, conv.dilation_rate, activation)

    def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, Any]:
        conv = self.layer
        bias = conv.bias.value if conv.bias is not None else None
        y, argmax = active().conv2d_pool_forward(x, conv.kernel.value, bias, *self.settings)
        return y, (x, y, argmax)

    def backward(self, dy: np.ndarray, ctx: Any, need_dx: bool = True) -> np.ndarray | None:
        conv, bias = self.layer, self.layer.bias
        x, y, argmax = ctx
        dx, _, _ = active().conv2d_pool_backward(
            dy,
            x,
            conv.kernel.value,
            y,
            argmax,
            *self.settings,
            need_dx=need_dx,
            need_db=bias is not None,
            dw=conv.kernel.grad,
            db=bias.grad if bias is not None else None,
        )
        return dx


class NormWithRelu(FusedLayers):
    """Batch normalization and the ReLU behind it in one pass."""

    uses_mask = True

    def __init__(self, norm: BatchNormalization, relu: Layer):
        self.layer, self.layers = norm, (norm, relu)

    def forward(self, x: np.ndarray, training: bool = False, mask: np.ndarray | None = None) -> tuple[np.ndarray, Any]:
        return self.layer.forward_as(x, training, mask, "relu")

    def backward(self, dy: np.ndarray, ctx: Any, need_dx: bool = True) -> np.ndarray | None:
        return self.layer.backward_as(dy, ctx, need_dx)[0]


class NormWithResidual(FusedLayers):
    """Batch normalization, the sum with a residual, and the ReLU behind it if there is one, in one pass.

    The inputs are what is normalized and the residual.
    """

    takes_several = True
    selects_gradients = True
    uses_mask = True

    def __init__(self, norm: BatchNormalization, add: Any, relu: Layer | None = None):
        self.layer, self.add = norm, add
        self.layers = (norm, add) if relu is None else (norm, add, relu)
        self.activation = "linear" if relu is None else "relu"

    def forward(self, x: list[np.ndarray], training: bool = False, mask: Any = None) -> tuple[np.ndarray, Any]:
        return self.layer.forward_as(x[0], training, None if mask is None else mask[0], self.activation, x[1])

    def backward(self, dy: np.ndarray, ctx: Any, need_dx: Any = True) -> list[np.ndarray | None]:
        first, second = wanted(need_dx, 2)
        cut = self.activation != "linear"
        dx, dresidual = self.layer.backward_as(dy, ctx, first, second and cut)
        return [dx, dresidual if cut else dy if second else None]

    def compute_mask(self, x: Any, mask: Any = None) -> np.ndarray | None:
        return self.add.compute_mask(x, mask) if self.supports_masking else None


class NormOfSum(FusedLayers):
    """The sum of two arrays and the norm of its rows in one pass; the outputs are the norm and, if it is kept, the sum.

    In a Transformer that normalizes first, the sum goes on as the residual stream: its gradient is added in the same
    pass as well.
    """

    takes_several = True
    selects_gradients = True

    def __init__(self, add: Any, norm: RowNorm, keeps_sum: bool):
        self.layer, self.add, self.layers, self.gives_several = norm, add, (add, norm), keeps_sum

    def forward(self, x: list[np.ndarray], training: bool = False) -> tuple[Any, Any]:
        y, total, ctx = self.layer.forward_as(*x)
        return [y, total] if self.gives_several else y, ctx

    def backward(self, dy: Any, ctx: Any, need_dx: Any = True) -> list[np.ndarray | None]:
        need = wanted(need_dx, 2)
        dy, dtotal = dy if self.gives_several else (dy, None)
        if dy is None:  # no loss depends on the norm
            for p in self.weights:
                p.grad[...] = 0
            dx = dtotal
        else:
            dx = self.layer.backward_as(dy, ctx, any(need), dtotal)
        return [dx if needed else None for needed in need]

    def compute_mask(self, x: Any, mask: Any = None) -> Any:
        mask = self.add.compute_mask(x, mask) if self.supports_masking else None
        return [mask, mask] if self.gives_several else mask


class WithPositions(FusedLayers):
    """x plus the vectors of the places in it: the rows of the table are added to every sequence."""

    def __init__(self, positions: PositionEmbedding | SinePositionEncoding, add: Any):
        self.layer, self.layers = positions, (positions, add)

    def forward(self, x: np.ndarray, training: bool = False, start_index: int = 0) -> tuple[np.ndarray, Any]:
        return x + self.layer.rows(x.shape, start_index), start_index

    def backward(self, dy: np.ndarray, ctx: Any, need_dx: bool = True) -> np.ndarray | None:
        self.layer.backward(dy, ctx)
        return dy if need_dx else None


class FoldedNorm(FusedLayers):
    """A linear Dense or convolution layer and the batch normalization behind it, and a ReLU if there is one.

    In training the two run one after the other.  In inference the normalization is y = x·scale + shift with numbers
    that do not depend on x, so the layer runs with kernel·scale and bias·scale + shift.  Both are computed in each
    call: that is never stale, and costs as much as a pass over an output of the size of the kernel.  A smaller output
    is normalized in a pass of its own.
    """

    uses_mask = True

    def __init__(self, layer: Any, norm: BatchNormalization, relu: Layer | None = None):
        self.layer, self.norm = layer, norm
        self.layers = (layer, norm) if relu is None else (layer, norm, relu)
        self.rule = fused_activation(None) if relu is None else fused_activation("relu")

    @property
    def weights(self) -> Sequence[Parameter]:
        return [*self.layer.weights, *self.norm.weights]

    def forward(self, x: np.ndarray, training: bool = False, mask: np.ndarray | None = None) -> tuple[np.ndarray, Any]:
        if training or not self._folding_pays(x):
            return self._one_by_one(x, training, mask)
        layer, (scale, shift) = self.layer, self.norm.scale_and_shift()
        kernel, bias = layer.weights_for_kernel()
        folded = kernel * scale, shift if bias is None else bias * scale + shift
        return layer.forward_as(x, self.rule, folded)[0], x

    def _one_by_one(self, x: np.ndarray, training: bool, mask: np.ndarray | None) -> tuple[np.ndarray, Any]:
        z, before = self.layer.forward_as(x, self.layer.rule)
        mask = mask if self.layer.supports_masking else None
        y, after = self.norm.forward_as(z, training, mask, self.rule.fused)
        return y, (before, after)

    def _folding_pays(self, x: np.ndarray) -> bool:
        places = x.size // x.shape[-1] // math.prod(getattr(self.layer, "strides", ()))
        return places * self.norm.moving_mean.value.size >= 2 * self.layer.kernel.value.size

    def backward(self, dy: np.ndarray, ctx: Any, need_dx: bool = True) -> np.ndarray | None:
        if isinstance(ctx, np.ndarray):  # the input of a folded run, which kept nothing else
            _, ctx = self._one_by_one(ctx, False, None)
        before, after = ctx
        dz = self.norm.backward_as(dy, after)[0]
        return self.layer.backward_as(dz, before, self.layer.rule, need_dx)


class _Readers:
    """Who reads each symbol of a graph."""

    def __init__(self, nodes: Sequence[Node], outputs: Sequence[Symbol]):
        self._nodes: dict[int, list[Node]] = {}
        for node in nodes:
            for symbol in node.reads:
                self._nodes.setdefault(id(symbol), []).append(node)
        self._outputs = [id(symbol) for symbol in outputs]

    def next_after(self, node: Node) -> Node | None:
        """The one node that reads what ``node`` gives, if it reads nothing else and nobody else looks at it."""
        reader = self.only_reader(node)
        return reader if reader is not None and len(reader.reads) == 1 else None

    def only_reader(self, node: Node) -> Node | None:
        """The one node that reads what ``node`` gives, if nobody else looks at it; it may read more."""
        symbol = node.outputs[0]
        readers = self._nodes.get(id(symbol), [])
        if len(node.outputs) != 1 or len(readers) != 1 or id(symbol) in self._outputs:
            return None
        reader = readers[0]
        return reader if len(reader.outputs) == 1 and not reader.options else None

    def all_of(self, symbol: Symbol) -> list[Node]:
        """The nodes that read a symbol, each as often as it does."""
        return self._nodes.get(id(symbol), [])

    def only_output(self, symbol: Symbol) -> bool:
        """Whether a symbol is an output once, and nothing else reads it."""
        return self._outputs.count(id(symbol)) == 1 and not self._nodes.get(id(symbol))


def fused(nodes: Sequence[Node], outputs: Sequence[Symbol]) -> list[Node]:
    """The nodes with neighbours joined where one kernel computes them."""
    readers, found = _Readers(nodes, outputs), []
    sums, gone = _residual_sums(nodes, readers)
    _sums_with_positions(nodes, readers, sums, gone)
    _norms_of_sums(nodes, outputs, readers, sums, gone)
    for node in nodes:
        if id(node) in sums:
            found.append(sums[id(node)])
        if id(node) in gone:
            continue
        operation = _at_every_step(node.operation)
        rest = [operation]
        last = node
        while (following := readers.next_after(last)) is not None and id(following) not in gone and len(rest) < 3:
            rest.append(_at_every_step(following.operation))
            last = following
        joined = None if node.options else _joined(rest, node)
        if joined is None:
            found.append(node if operation is node.operation else _with_operation(node, operation, node.outputs))
            continue
        block, taken = joined
        last: Any = node
        for _ in range(taken - 1):
            last = readers.next_after(last)
            gone.add(id(last))
        found.append(_with_operation(node, block, last.outputs))
    return found


def _residual_sums(nodes: Sequence[Node], readers: _Readers) -> tuple[dict[int, Node], set[int]]:
    """Sums of a batch normalization and a residual: the joined nodes by the sum's node, and the nodes they replace.

    A joined node runs where the sum ran: by then both inputs are there.
    """
    givers = {id(symbol): node for node in nodes for symbol in node.outputs}
    sums: dict[int, Node] = {}
    gone: set[int] = set()
    for node in nodes:
        if type(node.operation) not in (Add, AddFunction) or node.options or len(node.reads) != 2:
            continue
        for place, symbol in enumerate(node.inputs):
            norm, residual = givers.get(id(symbol)), node.inputs[1 - place]
            if not _is_norm(norm) or readers.only_reader(norm) is not node or not _alike(symbol, residual):
                continue
            relu = readers.next_after(node)
            taken = [norm, node, *([relu] if relu is not None and _is_relu(relu.operation) else [])]
            block = NormWithResidual(*(one.operation for one in taken))
            twin = Node(block, [norm.inputs[0], residual], None, [norm.masks[0], None])
            twin.outputs = list(taken[-1].outputs)
            sums[id(node)] = twin
            gone.update(map(id, taken))
            break
    return sums, gone


def _sums_with_positions(nodes: Sequence[Node], readers: _Readers, sums: dict[int, Node], gone: set[int]) -> None:
    """Sums of an array and the vectors of its places: the joined nodes run where the sums ran."""
    sequences = {id(symbol): node for node in nodes if _is_positions(node) for symbol in node.outputs}
    for node in nodes:
        if type(node.operation) not in (Add, AddFunction) or node.options or len(node.reads) != 2:
            continue
        for place, symbol in enumerate(node.inputs):
            positions, x = sequences.get(id(symbol)), node.inputs[1 - place]
            if positions is None or positions.inputs[0] is not x or readers.only_reader(positions) is not node:
                continue
            block = WithPositions(positions.operation, node.operation)
            twin = Node(block, [x], positions.options)
            twin.outputs = list(node.outputs)
            sums[id(node)] = twin
            gone.update((id(positions), id(node)))
            break


def _is_positions(node: Node) -> bool:
    positions = type(node.operation) in (PositionEmbedding, SinePositionEncoding)
    return positions and len(node.reads) == 1 and node.outputs[0].dtype == node.inputs[0].dtype


def _norms_of_sums(
    nodes: Sequence[Node], outputs: Sequence[Symbol], readers: _Readers, sums: dict[int, Node], gone: set[int]
) -> None:
    """Sums of two arrays whose rows are normalized: the joined nodes run where the sums ran."""
    for node in nodes:
        if type(node.operation) not in (Add, AddFunction) or id(node) in gone or node.options or len(node.reads) != 2:
            continue
        total = node.outputs[0]
        norm = next((n for n in readers.all_of(total) if id(n) not in gone and _is_row_norm(n, total)), None)
        if norm is None or not _alike(*node.inputs):
            continue
        keeps_sum = len(readers.all_of(total)) > 1 or any(total is symbol for symbol in outputs)
        twin = Node(NormOfSum(node.operation, norm.operation, keeps_sum), node.inputs)
        twin.gives_several, twin.outputs = keeps_sum, [*norm.outputs, *([total] if keeps_sum else [])]
        sums[id(node)] = twin
        gone.update((id(node), id(norm)))


def _is_row_norm(node: Node, x: Symbol) -> bool:
    """Whether a node normalizes rows as they lie in memory, and can add a residual to them."""
    norm = node.operation
    if type(norm) not in (LayerNormalization, RMSNormalization) or node.options or len(node.reads) != 1:
        return False
    axes = axes_within(norm.axis, x.shape, norm)
    return norm.takes_residual and norm.dtype == x.dtype and axes == tuple(range(axes[0], len(x.shape)))


def _is_norm(node: Node | None) -> TypeGuard[Node]:
    return node is not None and type(node.operation) is BatchNormalization and not node.options


def _alike(a: Symbol, b: Symbol) -> bool:
    """Whether arrays of both have one shape and dtype, whatever the size of the batch."""
    return a.shape == b.shape and None not in a.shape[1:] and a.dtype == b.dtype


def _with_operation(node: Node, operation: Any, outputs: Sequence[Symbol]) -> Node:
    twin = Node(operation, node.inputs, node.options, node.masks)
    twin.gives_several, twin.outputs = node.gives_several, list(outputs)
    return twin


def _at_every_step(layer: Any) -> Any:
    """The layer inside a TimeDistributed, where it runs on sequences as it does on single steps."""
    if type(layer) is not TimeDistributed:
        return layer
    inner = _at_every_step(layer.layer)
    if type(inner) is Dense:
        return inner
    elementwise = _is_activation(inner) and getattr(inner.rule.activation, "axis", -1) == -1
    return inner if elementwise else layer


def _joined(rest: list[Any], node: Node) -> tuple[Any, int] | None:
    """One operation for the first of ``rest``, that of ``node``, and how many it takes, or None."""
    first = rest[0]
    if type(rest[0]) is BatchNormalization and len(rest) > 1 and _is_relu(rest[1]):
        return NormWithRelu(first, rest[1]), 2
    if not _takes_rule(first):
        return None
    if len(rest) > 1 and _folds(first, rest[1], len(node.outputs[0].shape)):
        relu = rest[2:] if len(rest) > 2 and _is_relu(rest[2]) else []
        return FoldedNorm(first, rest[1], *relu), 2 + len(relu)
    rule, taken = first.rule, 1
    if rule.name == "linear" and not rule.separate and len(rest) > 1 and _is_activation(rest[1]):
        after = rest[1].rule
        if not after.separate:
            rule, taken = after, 2
    if len(rest) > taken and _pools(first, rule, rest[taken]):
        return ConvPool(first, rule.name, rest[taken], rest[1:taken]), taken + 1
    return (WithActivation(first, rule, rest[1:taken]), taken) if taken > 1 else None


def _is_activation(layer: Any) -> bool:
    return isinstance(layer, ActivationLayer) and not layer._traced


def _is_relu(layer: Any) -> bool:
    return _is_activation(layer) and layer.rule.fused == "relu"


def _folds(layer: Any, norm: Any, rank: int) -> bool:
    """Whether a layer can take over the scale and shift of the normalization behind it."""
    linear = layer.rule.name == "linear" and not layer.rule.separate
    plain = type(layer) in (Dense, Conv1D, Conv2D, DepthwiseConv2D)
    return plain and linear and type(norm) is BatchNormalization and norm.axis in (-1, rank - 1)


def _takes_rule(layer: Any) -> bool:
    """Whether ``layer.forward_as`` runs the layer with another activation."""
    return isinstance(layer, (Dense, Convolving)) and not layer._traced and not getattr(layer, "channels_first", False)


def _pools(conv: Layer, rule: FusedActivation, pool: Any) -> bool:
    """Whether the kernel ``conv2d_pool`` computes this pair."""
    return (
        type(conv) is Conv2D
        and type(pool) is MaxPooling2D
        and conv.groups == 1
        and conv.algorithm == "auto"
        and not conv.channels_first
        and not pool.channels_first
        and not rule.separate
        and rule.name in ("relu", "linear")
        and pool.strides == pool.pool_size
        and pool.padding == "valid"
        and pool.pool_size[0] * pool.pool_size[1] <= 256
    )


def split_head(
    nodes: Sequence[Node], outputs: Sequence[Symbol], place: int
) -> tuple[list[Node], list[Symbol], str | None]:
    """The graph without a final softmax or sigmoid of one output, and the name of that activation.

    Parameters
    ----------
    nodes, outputs
        Of a graph that has not been fused.
    place : int
        Which output.

    Returns
    -------
    nodes, outputs
        Changed where there is such a head; the output is then what enters it.
    name : "softmax", "sigmoid" or None
    """
    unchanged = list(nodes), list(outputs), None
    symbol = outputs[place]
    node = next((n for n in nodes if n.outputs and n.outputs[0] is symbol), None)
    if node is None or node.options or len(node.outputs) != 1 or not _Readers(nodes, outputs).only_output(symbol):
        return unchanged
    operation = _at_every_step(node.operation)
    rule: Any = getattr(operation, "rule", None)
    name = getattr(rule, "name", None)
    if name not in ("softmax", "sigmoid") or getattr(rule.activation, "axis", -1) != -1:
        return unchanged
    over_time = getattr(operation, "uses_mask", False) and len(symbol.shape) == 2
    if over_time and any(getattr(n.operation, "makes_mask", False) for n in nodes):
        return unchanged  # a softmax over time steps leaves out those that a mask does
    if _is_activation(operation) and len(node.reads) == 1:
        rest, logits = [n for n in nodes if n is not node], node.inputs[0]
    elif _takes_rule(operation):
        twin = Node(WithActivation(operation, fused_activation(None)), node.inputs, None, node.masks)
        logits = Symbol(symbol.shape, symbol.dtype, twin, 0, f"{symbol.name}_logits")
        twin.outputs = [logits]
        rest = [twin if n is node else n for n in nodes]
    else:
        return unchanged
    return rest, [logits if i == place else s for i, s in enumerate(outputs)], name

"""Sums of two arrays, joined with the nodes before or after them.

A joined node runs where the sum ran: by then both inputs are there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeGuard

from ...graph import Node, Symbol
from ...layers.core.positions import PositionEmbedding, SinePositionEncoding
from ...layers.merging.elementwise import Add
from ...layers.normalization.batch_normalization import BatchNormalization
from ...layers.normalization.layer_normalization import LayerNormalization
from ...layers.normalization.rms_normalization import RMSNormalization
from ...layers.support.row_norm import axes_within
from ...ops.arithmetic import Add as AddFunction
from .blocks import NormOfSum, NormWithResidual, WithPositions
from .kinds import is_relu
from .readers import Readers

__all__ = ["norms_of_sums", "residual_sums", "sums_with_positions"]


def residual_sums(nodes: Sequence[Node], readers: Readers) -> tuple[dict[int, Node], set[int]]:
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
            taken = [norm, node, *([relu] if relu is not None and is_relu(relu.operation) else [])]
            block = NormWithResidual(*(one.operation for one in taken))
            twin = Node(block, [norm.inputs[0], residual], None, [norm.masks[0], None])
            twin.outputs = list(taken[-1].outputs)
            sums[id(node)] = twin
            gone.update(map(id, taken))
            break
    return sums, gone


def sums_with_positions(nodes: Sequence[Node], readers: Readers, sums: dict[int, Node], gone: set[int]) -> None:
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


def norms_of_sums(
    nodes: Sequence[Node], outputs: Sequence[Symbol], readers: Readers, sums: dict[int, Node], gone: set[int]
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

"""The table of ``model.summary()``: Keras' columns, drawn with the same lines."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Sequence
from itertools import chain, count, pairwise
from typing import Any

from ..layers.base import Layer, unique
from ..layers.support.symbolic_call import ActivityPenalty

__all__ = ["readable_bytes", "summary_rows", "summary_text", "summary_totals"]


def readable_bytes(n: float) -> str:
    """A number of bytes as people read it.

    Examples
    --------
    >>> readable_bytes(814120)
    '795.04 KB'
    """
    for unit in ("B", "KB", "MB", "GB", "TB"):
        if n < 1024:
            return f"{n:.2f} {unit}"
        n /= 1024
    return f"{n:.2f} PB"


def summary_text(
    model: Any,
    line_length: int | None = None,
    positions: Sequence[float] | None = None,
    expand_nested: bool = False,
    show_trainable: bool = False,
) -> str:
    """The whole text of a summary.

    Raises
    ------
    ValueError
        If a column is too narrow to write in.
    """
    header, rows = summary_rows(model, expand_nested, show_trainable)
    connected = "Connected to" in header
    align = ["<", "<", ">", *(["<"] if connected else []), *(["^"] if show_trainable else [])]
    ends, longest = ([0.30, 0.56, 0.74, 1.0], 108) if connected else ([0.45, 0.80, 1.0], 88)
    ends = list(positions or ends)
    if show_trainable:
        ends, longest = [0.9 * end for end in ends] + [1.0], longest + 12
    line_length = line_length or min(longest, shutil.get_terminal_size().columns - 4)
    widths = _column_widths(line_length, ends)
    lines = [
        f'Model: "{model.name}"',
        _rule("┏━┳┓", widths),
        *_cells(header, widths, align, "┃"),
        _rule("┡━╇┩", widths),
    ]
    for i, row in enumerate(rows):
        if i:
            lines.append(_rule("├─┼┤", widths))
        lines += _cells(row, widths, align, "│")
    return "\n".join([*lines, _rule("└─┴┘", widths), *(f" {line}" for line in summary_totals(model))])


def summary_rows(model: Any, expand_nested: bool, show_trainable: bool) -> tuple[list[str], list[list[str]]]:
    """The header of the table and its rows; for graphs other than chains, with a column for the inputs."""
    connected = not _is_chain(model)
    header = ["Layer (type)", "Output Shape", "Param #"]
    header += (["Connected to"] if connected else []) + (["Trainable"] if show_trainable else [])
    names: dict[int, Any] = _names(model) if connected else {}
    links = _links(model, names) if connected else None
    shapes = {id(node.operation): node.outputs[0].shape for node in reversed(model.graph.nodes)} if connected else {}
    rows = []
    for item in _items(model, connected):
        name = names.get(id(item), item.name)
        rows += _rows(item, name, links, expand_nested, show_trainable, 0, shapes.get(id(item)))
    return header, rows


def _column_widths(line_length: int, ends: Sequence[float]) -> list[int]:
    """Cells between the vertical lines; what padding and lines take is shared out over the columns."""
    stops = [0, *(int(end * line_length) for end in ends)]
    widths = [stop - start for start, stop in pairwise(stops)]
    if min(widths) < 4:
        raise ValueError(
            f"A summary needs columns of at least 4 characters. Received: line_length={line_length}, positions={ends}."
        )
    left = 3 * len(widths) + 1
    for i, width in enumerate(widths):
        share = round(left / (len(widths) - i))
        left -= share
        widths[i] = width + 2 - share
    return widths


def _rule(marks: str, widths: Sequence[int]) -> str:
    first, line, middle, last = marks
    return first + middle.join(line * width for width in widths) + last


def _cells(texts: Sequence[str], widths: Sequence[int], align: Sequence[str], bar: str) -> list[str]:
    """One row of the table, in as many lines as its longest cell needs."""
    wrapped = [_wrap(text, width - 2) for text, width in zip(texts, widths, strict=True)]
    lines = []
    for i in range(max(map(len, wrapped))):
        parts = [
            f" {cell[i] if i < len(cell) else '':{side}{width - 2}} "
            for cell, width, side in zip(wrapped, widths, align, strict=True)
        ]
        lines.append(bar + bar.join(parts) + bar)
    return lines


def _wrap(text: str, width: int) -> list[str]:
    """Lines of at most ``width`` characters; a word that is longer ends in an ellipsis."""
    lines = textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False) or [""]
    return [line if len(line) <= width else line[: width - 1] + "…" for line in lines]


def _is_chain(model: Any) -> bool:
    """Whether each node reads what the one before gives, and nothing else: then nothing needs to be said of it."""
    graph = getattr(model, "graph", None)
    if graph is None:
        return True
    nodes = _visible(graph)
    if len(graph.input_symbols) > 1 or len(graph.output_symbols) > 1:
        return False
    last = graph.input_symbols[0]
    for node in nodes:
        if len(node.reads) != 1 or node.inputs[0] is not last or len(node.outputs) != 1:
            return False
        last = node.outputs[0]
    return len({id(node.operation) for node in nodes}) == len(nodes)


def _visible(graph: Any) -> list[Any]:
    """The nodes that the table shows: not constants, and not the penalty that belongs to a layer."""
    return [node for node in graph.nodes if node.inputs and not isinstance(node.operation, ActivityPenalty)]


def _items(model: Any, connected: bool) -> list[Any]:
    """What has a row: layers, and where the table shows connections the operators between them too."""
    if not connected:
        return list(model.layers)
    entries = [symbol.node.operation for symbol in model.graph.input_symbols]
    return unique([*entries, *(node.operation for node in _visible(model.graph))])


def _names(model: Any) -> dict[int, str]:
    """What the table calls each operator of a graph: those of one name are numbered, around the names of the layers."""
    operators = unique([node.operation for node in _visible(model.graph) if not isinstance(node.operation, Layer)])
    taken, found = {layer.name for layer in model.layers}, {}
    for operator in operators:
        candidates = chain([operator.name], (f"{operator.name}_{i}" for i in count(1)))
        found[id(operator)] = name = next(name for name in candidates if name not in taken)
        taken.add(name)
    return found


def _links(model: Any, operators: dict[int, str]) -> dict[int, list[str]]:
    """For each layer or operator the ones that it reads, as Keras writes them: ``dense[0][0]``."""
    uses: dict[int, int] = {}
    names: dict[int, str] = {}
    for symbol in model.graph.input_symbols:
        names[id(symbol)] = f"{symbol.node.operation.name}[0][0]"
    found: dict[int, list[str]] = {}
    for node in model.graph.nodes:
        operation = node.operation
        if isinstance(operation, ActivityPenalty):
            names[id(node.outputs[0])] = names[id(node.inputs[0])]
            continue
        number = uses.get(id(operation), 0)
        uses[id(operation)] = number + 1
        for i, symbol in enumerate(node.outputs if node.reads else ()):
            names[id(symbol)] = f"{operators.get(id(operation), operation.name)}[{number}][{i}]"
        if node.inputs:
            found.setdefault(id(operation), []).extend(names.get(id(symbol), "a constant") for symbol in node.reads)
    return found


def _rows(
    layer: Any,
    name: str,
    links: dict[int, list[str]] | None,
    expand_nested: bool,
    show_trainable: bool,
    depth: int,
    shape: Any = None,
) -> list[list[str]]:
    prefix = "   " * depth + "└ " if depth else ""
    is_layer = isinstance(layer, Layer)
    row = [
        f"{prefix}{name} ({type(layer).__name__})",
        _shape_text(layer.output_shape if is_layer else shape),
        (f"{layer.count_params():,}" if layer.built else "0 (unbuilt)") if is_layer else "0",
    ]
    if links is not None:
        row.append(", ".join(links.get(id(layer), [])) or "-")
    if show_trainable:
        row.append("-" if not layer.weights else "Y" if layer.trainable else "N")
    rows = [row]
    if expand_nested:
        graph = links is not None and getattr(layer, "graph", None) is not None
        inner = _links(layer, _names(layer)) if graph else links
        for child in getattr(layer, "layers", ()):
            rows += _rows(child, child.name, inner, True, show_trainable, depth + 1)
    return rows


def _shape_text(shape: Any) -> str:
    if shape is None:
        return "?"
    if isinstance(shape, list):
        return f"[{', '.join(map(_shape_text, shape))}]"
    return f"({', '.join(map(str, shape))})"


def summary_totals(model: Any) -> list[str]:
    """The lines below the table: numbers of weights, and their bytes."""

    def sizes(parameters: Any) -> tuple[int, int]:
        return sum(p.value.size for p in parameters), sum(p.value.nbytes for p in parameters)

    trainable, frozen = sizes(model.trainable_weights), sizes(model.non_trainable_weights)
    optimizer = None
    if model.optimizer is not None and model.optimizer.built:
        state = model.optimizer.variables
        optimizer = (sum(v.size for v in state), sum(v.nbytes for v in state))
    total = [sum(numbers) for numbers in zip(trainable, frozen, optimizer or (0, 0), strict=True)]
    lines = [("Total", total), ("Trainable", trainable), ("Non-trainable", frozen)]
    if optimizer is not None:
        lines.append(("Optimizer", optimizer))
    return [f"{word} params: {n:,} ({readable_bytes(size)})" for word, (n, size) in lines]

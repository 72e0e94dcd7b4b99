"""A model as boxes and arrows: what ``plot_model`` draws."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = ["Box", "Diagram", "Labels", "diagram_of"]


@dataclass
class Labels:
    """The text in the boxes; options have the names of ``plot_model``."""

    show_shapes: bool = False
    show_dtype: bool = False
    show_layer_names: bool = False
    expand_nested: bool = False
    show_layer_activations: bool = False
    show_trainable: bool = False


@dataclass
class Box:
    """One call of a layer or an operator.

    Attributes
    ----------
    title : str
    rows : list of str
        The lines below the title.
    inside : Diagram or None
        Of a model within the model, where it is shown expanded.
    """

    title: str
    rows: list[str]
    inside: Diagram | None = None


@dataclass
class Diagram:
    """Boxes in an order in which they run, and arrows between them, as pairs of their numbers."""

    boxes: list[Box] = field(default_factory=list)
    arrows: list[tuple[int, int]] = field(default_factory=list)


def diagram_of(model: Any, labels: Labels) -> Diagram:
    """The diagram of a model: a box for each input and each call, so a shared layer has a box for each use.

    Raises
    ------
    ValueError
        If the model has no graph: it is not built, or it writes ``call``.
    """
    graph = getattr(model, "graph", None)
    if graph is None:
        name = getattr(model, "name", type(model).__name__)
        if getattr(model, "_traced", False):
            hint = "It defines call, which is traced for each shape. Use Model(inputs, outputs) for a graph to draw."
        else:
            hint = "Call model.build(input_shape), or start it with Input(shape=...)."
        raise ValueError(f'plot_model needs a built model. Received: "{name}", without a graph. {hint}')
    found, makers, uses = Diagram(), {}, {}
    for symbol in graph.input_symbols:
        makers[id(symbol)] = len(found.boxes)
        found.boxes.append(_box(symbol.node, labels, 0))
    for node in graph.nodes:
        if not node.inputs:
            continue  # a constant
        if getattr(node.operation, "name", "") == "activity_penalty":  # belongs to the layer before
            makers[id(node.outputs[0])] = makers.get(id(node.inputs[0]))
            continue
        place = len(found.boxes)
        use = uses[id(node.operation)] = uses.get(id(node.operation), 0) + 1
        found.boxes.append(_box(node, labels, use))
        sources = {makers[id(symbol)]: None for symbol in node.reads if makers.get(id(symbol)) is not None}
        found.arrows += [(source, place) for source in sources]
        makers |= {id(symbol): place for symbol in node.outputs}
    return found


def _box(node: Any, labels: Labels, use: int) -> Box:
    operation = node.operation
    layer = operation if hasattr(operation, "count_params") else None
    kind = type(operation).__name__
    name = getattr(operation, "name", "") or kind
    title = name if layer is None else f"{name} ({kind})" if labels.show_layer_names else kind
    if layer is not None and use > 1:
        title += f", call {use}"
    rows = []
    activation = getattr(getattr(layer, "activation", None), "name", None)
    if labels.show_layer_activations and activation is not None:
        rows.append(f"Activation: {activation}")
    if labels.show_shapes:
        if node.inputs:
            rows.append(f"Input shape: {_listed([symbol.shape for symbol in node.inputs])}")
        rows.append(f"Output shape: {_listed([symbol.shape for symbol in node.outputs])}")
    if labels.show_dtype:
        rows.append(f"Output dtype: {_listed(list(dict.fromkeys(symbol.dtype for symbol in node.outputs)))}")
    if labels.show_trainable and layer is not None:
        rows.append(f"Trainable: {bool(layer.trainable)}")
    nested = labels.expand_nested and getattr(operation, "graph", None) is not None
    return Box(title, rows, diagram_of(operation, labels) if nested else None)


def _listed(values: list[Any]) -> str:
    texts = [str(value) for value in values]
    return texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"

"""Pictures of models: ``plot_model`` and ``model_to_dot``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from .diagram import Diagram, Labels, diagram_of
from .diagram_svg import svg_of

__all__ = ["model_to_dot", "plot_model"]

RANKDIRS = ("TB", "BT", "LR", "RL")
FORMATS = ("png", "pdf", "svg", "dot", "jpg", "jpeg")


def plot_model(
    model: Any,
    to_file: Any = "model.png",
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = False,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 200,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
) -> Any:
    """Draw a model as boxes and arrows, into a file.

    With the package ``graphviz`` and its program the picture is theirs.  Without them an ``.svg`` is drawn here, and
    ``.dot`` is text in any case.

    Parameters
    ----------
    model : Model
        That is built.
    to_file : str or path
        Its ending says which kind: .svg, .dot, and with graphviz .png, .pdf, .jpg.
    show_shapes, show_dtype, show_layer_names, show_layer_activations, show_trainable : bool
        What the boxes say beside the class.
    rankdir : {"TB", "LR", "BT", "RL"}
        Which way the arrows go: from top to bottom, from left to right, ….
    expand_nested : bool
        Also draw the inside of nested models.
    dpi : int
        Dots per inch of a .png.

    Returns
    -------
    The picture for a notebook, where IPython is running; else None.

    Raises
    ------
    ValueError
        If the model has no graph, or for an unknown kind of file or direction; nothing is written then.
    ImportError
        If the kind of file needs graphviz, which is not there.

    Examples
    --------
    >>> import fastnn, tempfile
    >>> from pathlib import Path
    >>> model = fastnn.Sequential([fastnn.Input((4,)), fastnn.layers.Dense(8), fastnn.layers.Dense(1)])
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = Path(folder.name, "model.svg")
    >>> _ = plot_model(model, path, show_shapes=True)
    >>> path.read_text().count("Dense")
    2
    >>> folder.cleanup()
    """
    path = Path(to_file)
    kind = path.suffix[1:].lower()
    if kind not in FORMATS:
        raise ValueError(
            f'plot_model writes only files that end in {", ".join(FORMATS)}. Received: to_file="{to_file}".'
        )
    _check_direction(rankdir)
    labels = Labels(
        show_shapes, show_dtype, show_layer_names, expand_nested, show_layer_activations, show_trainable
    )  # fmt: skip
    diagram = diagram_of(model, labels)
    dot = _dot(diagram, rankdir, dpi)
    if kind == "dot":
        path.write_text(dot, encoding="utf-8")
        return None
    picture = _by_graphviz(dot, "jpg" if kind == "jpeg" else kind)
    if picture is None and kind == "svg":
        picture = svg_of(diagram, rankdir).encode()
    if picture is None:
        raise ImportError(
            f"A .{kind} of a model needs the package graphviz and the program dot. Received: to_file={str(to_file)!r}, "
            'and one of them is missing. Use to_file="model.svg", which needs neither; or call pip install graphviz, '
            "and install the program from graphviz.org."
        )
    path.write_bytes(picture)
    if "IPython" not in sys.modules or kind == "pdf":
        return None
    from IPython import display

    return display.SVG(filename=str(path)) if kind == "svg" else display.Image(filename=str(path))


def model_to_dot(
    model: Any,
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = True,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 200,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
) -> str:
    """The model in the language of graphviz, as text.

    Parameters
    ----------
    model : Model
    show_shapes, show_dtype, show_layer_names, rankdir, expand_nested, dpi, show_layer_activations, show_trainable
        As for ``plot_model``.

    Raises
    ------
    ValueError
        As ``plot_model``.

    Examples
    --------
    >>> import fastnn
    >>> model = fastnn.Sequential([fastnn.Input((4,)), fastnn.layers.Dense(1)])
    >>> "n0 -> n1" in model_to_dot(model)
    True
    """
    _check_direction(rankdir)
    labels = Labels(
        show_shapes, show_dtype, show_layer_names, expand_nested, show_layer_activations, show_trainable
    )  # fmt: skip
    return _dot(diagram_of(model, labels), rankdir, dpi)


def _check_direction(rankdir: Any) -> None:
    if rankdir not in RANKDIRS:
        raise ValueError(f"rankdir must be one of {', '.join(RANKDIRS)}. Received: rankdir={rankdir!r}.")


def _dot(diagram: Diagram, rankdir: str, dpi: int) -> str:
    lines = [
        "digraph model {",
        f"  graph [rankdir={rankdir}, dpi={int(dpi)}, compound=true];",
        '  node [shape=box, fontname="Helvetica", fontsize=13];',
    ]
    _dot_boxes(diagram, "n", lines)
    return "\n".join([*lines, "}", ""])


def _dot_boxes(diagram: Diagram, prefix: str, lines: list[str]) -> None:
    """Boxes and arrows; an expanded model is a cluster, whose arrows end at its first box and start at its last."""
    ends = []
    for i, box in enumerate(diagram.boxes):
        label = "\\n".join(_quoted(text) for text in (box.title, *box.rows))
        if box.inside is None:
            lines.append(f'  {prefix}{i} [label="{label}"];')
            ends.append((f"{prefix}{i}", f"{prefix}{i}", ""))
            continue
        lines.append(f'  subgraph cluster_{prefix}{i} {{ label="{label}"; fontname="Helvetica";')
        first, last = _dot_boxes_of(box.inside, f"{prefix}{i}_", lines)
        lines.append("  }")
        ends.append((first, last, f"cluster_{prefix}{i}"))
    for source, target in diagram.arrows:
        tail, head = ends[source], ends[target]
        options = [f"ltail={tail[2]}"] * bool(tail[2]) + [f"lhead={head[2]}"] * bool(head[2])
        lines.append(f"  {tail[1]} -> {head[0]}" + (f" [{', '.join(options)}];" if options else ";"))


def _dot_boxes_of(diagram: Diagram, prefix: str, lines: list[str]) -> tuple[str, str]:
    """The boxes of an expanded model; gives the names of the first and the last that has no box inside."""
    _dot_boxes(diagram, prefix, lines)

    def deepest(box_number: int, last: bool) -> str:
        name, inside = f"{prefix}{box_number}", diagram.boxes[box_number].inside
        while inside is not None:
            number = len(inside.boxes) - 1 if last else 0
            name, inside = f"{name}_{number}", inside.boxes[number].inside
        return name

    return deepest(0, False), deepest(len(diagram.boxes) - 1, True)


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _by_graphviz(dot: str, kind: str) -> bytes | None:
    """The picture that graphviz draws; None where its package or its program is not there."""
    try:
        import graphviz
    except ImportError:
        return None
    try:
        return graphviz.Source(dot).pipe(format=kind)
    except graphviz.ExecutableNotFound:
        return None

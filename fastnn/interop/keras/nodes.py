"""Who reads what in a functional model, as Keras writes it: calls, and references to outputs of earlier calls."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from ...graph import flatten
from ...layers.base import Layer
from .settings import read_value

__all__ = ["connected"]

Reference = tuple[str, int, int]


def connected(config: dict[str, Any], layers: dict[str, Any], where: str, call: Callable[..., Any]) -> tuple[Any, Any]:
    """Inputs and outputs of a functional model, its layers called as the config says.

    Raises
    ------
    ValueError
        If calls refer to missing calls, or to each other in a circle.
    """
    calls = {
        (entry["name"], i): _Call(node, f'Layer "{entry["name"]}"')
        for entry in config["layers"]
        for i, node in enumerate(_nodes(entry))
    }
    given: dict[tuple[str, int], list[Any]] = {}
    for name, layer in layers.items():
        if type(layer).__name__ == "InputLayer" and (name, 0) not in calls:
            given[name, 0] = [layer.output]
    offsets = _offsets(calls, given, layers, config)
    waiting: dict[tuple[str, int], list[tuple[str, int]]] = {}
    needs: dict[tuple[str, int], int] = {}
    for place, one in calls.items():
        sources = {(name, index - offsets.get(name, 0)) for name, index, _ in one.references}
        for source in sources:
            if source not in calls and source not in given:
                raise ValueError(f'{one.where} of {where} reads "{source[0]}", which returns nothing to it.')
        open_sources = [source for source in sources if source not in given]
        needs[place] = len(open_sources)
        for source in open_sources:
            waiting.setdefault(source, []).append(place)

    def symbol(reference: Reference) -> Any:
        name, index, part = reference
        found = given.get((name, index - offsets.get(name, 0)))
        if found is None or not 0 <= part < len(found):
            raise ValueError(f'{where} refers to output {part} of "{name}", which does not exist.')
        return found[part]

    ready = deque(place for place, count in needs.items() if count == 0)
    while ready:
        place = ready.popleft()
        one = calls[place]
        arguments, options = one.filled(symbol)
        given[place] = flatten(call(layers[place[0]], arguments, options, one.where))
        for later in waiting.get(place, ()):
            needs[later] -= 1
            if needs[later] == 0:
                ready.append(later)
    if len(given) < len(calls):
        raise ValueError(f"{where} has calls that depend on each other in a circle.")
    ends = [_structure(config.get(key), symbol, where) for key in ("input_layers", "output_layers")]
    return ends[0], ends[1]


class _Call:
    """One call of a layer: its arguments, with references for symbols."""

    def __init__(self, node: Any, where: str):
        self.where = where
        self.references: list[Reference] = []
        if isinstance(node, dict):
            arguments, options = node.get("args", []), node.get("kwargs", {})
            if not isinstance(arguments, list) or not isinstance(options, dict):
                raise ValueError(f"{where} must be called with args and kwargs. Received: {node!r:.80}.")
            self.arguments, self.options = self._cut(arguments), self._cut(options)
        else:  # Keras 2: a list of references, each with the options of the call
            parts = node if isinstance(node, list) else []
            if not parts or not all(isinstance(part, list) and _is_reference(part[:3]) for part in parts):
                raise ValueError(f"{where} must be called on outputs of other layers. Received: {node!r:.80}.")
            inputs = [self._place(part[:3]) for part in parts]
            self.arguments = inputs if len(inputs) == 1 else [inputs]
            options = parts[0][3] if len(parts[0]) > 3 and isinstance(parts[0][3], dict) else {}
            self.options = {key: self._cut_old(value) for key, value in options.items()}

    def _place(self, reference: Any) -> _Place:
        name, index, part = reference
        self.references.append((name, index, part))
        return _Place(len(self.references) - 1)

    def _cut(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._cut(part) for part in value]
        if not isinstance(value, dict):
            return value
        if value.get("class_name") == "__keras_tensor__":
            config = value.get("config")
            history = config.get("keras_history") if isinstance(config, dict) else None
            if not _is_reference(history):
                raise ValueError(
                    f"{self.where} is called on a tensor that no layer returned. Received: {history!r:.80}."
                )
            return self._place(history)
        if "class_name" in value:
            return _Plain(read_value(value, self.where))
        return {key: self._cut(part) for key, part in value.items()}

    def _cut_old(self, value: Any) -> Any:
        if isinstance(value, list):
            if _is_reference(value):
                return value[2] if value[0] == "_CONSTANT_VALUE" else self._place(value)
            return [self._cut_old(part) for part in value]
        return value

    def filled(self, symbol: Callable[[Reference], Any]) -> tuple[list[Any], dict[str, Any]]:
        """Arguments and options, with symbols."""

        def fill(value: Any) -> Any:
            if isinstance(value, _Place):
                return symbol(self.references[value.index])
            if isinstance(value, _Plain):
                return value.value
            if isinstance(value, list):
                return [fill(part) for part in value]
            return {key: fill(part) for key, part in value.items()} if isinstance(value, dict) else value

        return fill(self.arguments), fill(self.options)


class _Place:
    """Stands where a reference was."""

    def __init__(self, index: int):
        self.index = index


class _Plain:
    """A value that is read already."""

    def __init__(self, value: Any):
        self.value = value


def _nodes(entry: dict[str, Any]) -> list[Any]:
    found = entry.get("inbound_nodes", [])
    if not isinstance(found, list):
        raise ValueError(f'Layer "{entry["name"]}" must list its calls. Received: {found!r:.80}.')
    return [node for node in found if node]


def _is_reference(value: Any) -> bool:
    if not isinstance(value, list) or len(value) != 3:
        return False
    name, index, part = value
    if name == "_CONSTANT_VALUE":
        return True
    return isinstance(name, str) and all(isinstance(n, int) and not isinstance(n, bool) for n in (index, part))


def _offsets(calls: Any, given: Any, layers: dict[str, Layer], config: dict[str, Any]) -> dict[str, int]:
    """In files of Keras 2 models count the call that made them, so their calls inside another are numbered from 1."""
    counts: dict[str, int] = {}
    for name, _ in [*calls, *given]:
        counts[name] = counts.get(name, 0) + 1
    highest: dict[str, int] = {}
    ends = [reference for key in ("input_layers", "output_layers") for reference in _references(config.get(key))]
    for name, index, _ in [*(r for one in calls.values() for r in one.references), *ends]:
        highest[name] = max(index, highest.get(name, 0))
    return {
        name: 1
        for name, layer in layers.items()
        if hasattr(layer, "graph") and highest.get(name, 0) == counts.get(name, 0) > 0
    }


def _references(structure: Any) -> Iterator[Reference]:
    if _is_reference(structure):
        yield tuple(structure)
    elif isinstance(structure, (list, dict)):
        for part in structure.values() if isinstance(structure, dict) else structure:
            yield from _references(part)


def _structure(value: Any, symbol: Callable[[Reference], Any], where: str) -> Any:
    """Inputs or outputs in their structure; a list of one is that one."""
    if _is_reference(value):
        return symbol(tuple(value))
    if isinstance(value, dict):
        return {key: _structure(part, symbol, where) for key, part in value.items()}
    if not isinstance(value, list) or not value:
        raise ValueError(f"{where} must list its inputs and outputs. Received: {value!r:.80}.")
    parts = [_structure(part, symbol, where) for part in value]
    return parts[0] if len(parts) == 1 else parts

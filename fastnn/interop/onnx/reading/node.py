"""A node of an ONNX graph as its reader sees it: inputs, attributes, and what newer versions made inputs."""

from __future__ import annotations

from typing import Any

import numpy as np

from .values import Known, Tensor

__all__ = ["OnnxNode"]

Given = Known | Tensor | None


class OnnxNode:
    """One node.

    Parameters
    ----------
    proto : NodeProto
    inputs : list of Known, Tensor or None
    attributes : dict
        Plain values, strings as str, tensors as arrays.
    used : list of bool
        Which outputs something reads.
    """

    def __init__(self, proto: Any, inputs: list[Given], attributes: dict[str, Any], used: list[bool]):
        self.proto, self.inputs, self.attributes, self.used = proto, inputs, attributes, used
        self.op: str = proto.op_type

    def __str__(self) -> str:
        return f"Node {self.proto.name or self.proto.output[0]!r} ({self.op})"

    def get(self, place: int) -> Given:
        """An input; None where it was left out."""
        return self.inputs[place] if place < len(self.inputs) else None

    @property
    def operands(self) -> list[Known | Tensor]:
        """The inputs of an operator that has no optional ones."""
        return [one for one in self.inputs if one is not None]

    def x(self, place: int = 0) -> Tensor:
        """An input that is a symbol."""
        value = self.get(place)
        if not isinstance(value, Tensor):
            raise self.refusal(f"input {place} computed by the model", "a constant")
        return value

    def array(self, place: int, what: str = "a constant") -> np.ndarray:
        """An input that is a constant."""
        value = self.get(place)
        if not isinstance(value, Known):
            raise self.refusal(f"{what} as input {place}", "none" if value is None else "a value the model computes")
        return value.array

    def numbers(self, name: str, place: int) -> list[int] | None:
        """Integers that are an attribute in some versions and an input in others; None where they are neither."""
        if name in self.attributes:
            return [int(n) for n in np.ravel(self.attributes[name])]
        return None if self.get(place) is None else [int(n) for n in np.ravel(self.array(place, f"{name}"))]

    def attribute(self, name: str, default: Any = None) -> Any:
        """An attribute, or its default."""
        return self.attributes.get(name, default)

    def refusal(self, expected: str, received: str, hint: str = "") -> ValueError:
        """The error of a node that cannot be read."""
        return ValueError(f"{self} can be read with {expected}. Received: {received}.{' ' * bool(hint)}{hint}")

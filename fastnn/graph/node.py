"""Nodes: an operation, the symbols that it reads, and the symbols that it gives."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from .symbol import Symbol

__all__ = ["Cast", "Constant", "Node", "Operation", "Source", "WeightSource", "as_symbol", "record", "refuse_texts"]

_serial = itertools.count()


class Operation:
    """What a node computes; layers have the same methods and attributes.

    A subclass writes ``compute_output_shape``, ``forward`` and ``backward``.  It holds settings only: whatever belongs
    to one call travels in ``ctx``.
    """

    takes_several: bool = False
    gives_several: bool = False
    uses_mask: bool = False
    makes_mask: bool = False
    supports_masking: bool = False
    takes_texts: bool = False
    """Whether the inputs may be texts, symbols of dtype "string"."""
    selects_gradients: bool = False
    """With ``takes_several``: whether ``backward`` gets ``need_dx`` as a tuple, with one flag for each input."""
    follows: bool = False
    """Whether it belongs to the layer before it, and Keras would not count it as a step of its own."""
    activity_regularizer: Any = None
    name: str = ""

    @property
    def weights(self) -> Sequence[Any]:
        """The parameters that ``backward`` writes gradients of."""
        return ()

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Shape of the output, or a list of shapes; None where a size is not known."""
        raise NotImplementedError

    def output_dtype(self, dtypes: Sequence[str]) -> str:
        """The dtype of the outputs, from those of the inputs."""
        return dtypes[0]

    def compute_mask(self, x: Any, mask: Any = None) -> Any:
        """The mask of the output: none, unless a subclass says otherwise."""
        return None

    def forward(self, x: Any, training: bool = False) -> tuple[Any, Any]:
        """The output, and what ``backward`` needs."""
        raise NotImplementedError

    def backward(self, dy: Any, ctx: Any, need_dx: bool = True) -> Any:
        """The gradient of the input, or a list with one for each; None where there is no slope."""
        raise NotImplementedError


class Source(Operation):
    """A node without inputs; a plan puts its value in place before it runs."""


class Constant(Source):
    """An array that does not change.

    Parameters
    ----------
    value : array
    """

    def __init__(self, value: Any):
        self.value = np.asarray(value)


class Cast(Operation):
    """The same values in another dtype.

    Parameters
    ----------
    dtype : str
    """

    name = "cast"
    supports_masking = True

    def __init__(self, dtype: str):
        self.dtype = dtype

    def compute_mask(self, x: Any, mask: Any = None) -> Any:
        return mask

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def output_dtype(self, dtypes: Sequence[str]) -> str:
        return self.dtype

    def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, Any]:
        return x.astype(self.dtype, copy=False), x.dtype

    def backward(self, dy: np.ndarray, ctx: Any, need_dx: bool = True) -> np.ndarray | None:
        return dy.astype(ctx, copy=False) if ctx.kind == "f" else None


class WeightSource(Source):
    """A parameter that a traced ``call`` uses as an array.

    Parameters
    ----------
    parameter : Parameter
    """

    def __init__(self, parameter: Any):
        self.parameter = parameter

    @property
    def weights(self) -> Sequence[Any]:
        return (self.parameter,)


class Node:
    """One use of an operation.

    Parameters
    ----------
    operation : Operation or Layer
    inputs : list of Symbol
    options : dict
        Call arguments that are not arrays; ``forward`` gets them by name.

    Attributes
    ----------
    masks : list of Symbol or None
        The mask of each input where the call gave one; None: the mask that came along with the input.  Behind them
        may stand masks of something else, as of the pairs of queries and keys.
    outputs : list of Symbol
    gives_several : bool
        Whether the operation gives a list in this call.
    serial : int
        Nodes are numbered as they are recorded, so each comes after those that it reads.
    """

    __slots__ = ("gives_several", "inputs", "masks", "operation", "options", "outputs", "serial")

    def __init__(
        self,
        operation: Any,
        inputs: Sequence[Symbol],
        options: dict[str, Any] | None = None,
        masks: Sequence[Symbol | None] | None = None,
    ):
        self.operation, self.inputs, self.options = operation, list(inputs), dict(options or {})
        self.masks: list[Symbol | None] = [None] * len(self.inputs) if masks is None else list(masks)
        self.outputs: list[Symbol] = []
        self.gives_several = False
        self.serial = next(_serial)

    @property
    def takes_several(self) -> bool:
        """Whether the operation gets a list in this call: some take one array or several, as RNN with states."""
        return self.operation.takes_several or len(self.inputs) > 1

    @property
    def reads(self) -> list[Symbol]:
        """All symbols that must be there before the node can run."""
        return [*self.inputs, *(mask for mask in self.masks if mask is not None)]

    def __repr__(self) -> str:
        return f"<Node {getattr(self.operation, 'name', '') or type(self.operation).__name__}>"


def record(
    operation: Any,
    inputs: Sequence[Symbol],
    shape: Any,
    dtype: Any,
    options: dict[str, Any] | None = None,
    masks: Sequence[Symbol | None] | None = None,
) -> Any:
    """A new node; gives the symbol of its output, or a list where the operation gives several.

    Parameters
    ----------
    operation : Operation or Layer
    inputs : list of Symbol
    shape : tuple, or list of tuples where there are several outputs
    dtype : str, or list of str
    options, masks : optional
        As for ``Node``.

    Raises
    ------
    TypeError
        If an input holds texts, and the operation computes with numbers.
    """
    refuse_texts(operation, inputs)
    node = Node(operation, inputs, options, masks)
    several = node.gives_several = isinstance(shape, list)
    shapes = shape if several else [shape]
    dtypes = dtype if isinstance(dtype, list) else [dtype] * len(shapes)
    name = getattr(operation, "name", "") or type(operation).__name__
    node.outputs = [
        Symbol(tuple(one), kind, node, i, name if i == 0 else f"{name}_{i}")
        for i, (one, kind) in enumerate(zip(shapes, dtypes, strict=True))
    ]
    return list(node.outputs) if several else node.outputs[0]


def refuse_texts(operation: Any, inputs: Sequence[Symbol]) -> None:
    """Raise TypeError if an operation that computes with numbers gets texts."""
    for symbol in inputs:
        if symbol.dtype == "string" and not getattr(operation, "takes_texts", False):
            name = getattr(operation, "name", "") or type(operation).__name__
            raise TypeError(
                f'"{name}" ({type(operation).__name__}) needs numbers. Received: {symbol!r}, which holds texts. Use '
                "TextVectorization, StringLookup or Hashing before it."
            )


def as_symbol(value: Any, dtype: str | None = None) -> Symbol:
    """A symbol as it is; a parameter or array as the symbol of a source.

    Parameters
    ----------
    value : Symbol, Parameter, array or number
    dtype : str, optional
        For numbers, which have no dtype of their own.
    """
    if isinstance(value, Symbol):
        return value
    if hasattr(value, "value") and hasattr(value, "grad"):
        return record(WeightSource(value), [], value.shape, value.dtype)
    array = np.asarray(value)
    if isinstance(value, (bool, int, float, list, tuple)) and dtype is not None:
        array = array.astype(dtype)
    if array.dtype == np.float16:
        array = array.astype(np.float32)
    elif array.dtype.kind in "iu":
        array = array.astype(np.int64)
    return record(Constant(array), [], array.shape, array.dtype.name)

"""Symbols: stand-ins for arrays that are not computed yet.

``Input(shape=(4,))`` gives a symbol; a layer, an operator or a function of ``fastnn.ops`` called on symbols computes
nothing, but records a node and gives the symbols of its outputs.
"""

from __future__ import annotations

import linecache
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..shapes import Shape
from .structure import flatten

__all__ = ["Operators", "Symbol", "SymbolError", "contains_symbols", "install_operators"]

_PACKAGE = str(Path(__file__).resolve().parent.parent)


class SymbolError(TypeError):
    """Code that needs the numbers of a symbol, which are not there before the model runs."""


def users_line() -> str:
    """The line of the user's code that led here, as ``file:number: code``; empty where there is none."""
    frame = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith((_PACKAGE, "<__array_function__")):
        frame = frame.f_back
    if frame is None:
        return ""
    name, number = frame.f_code.co_filename, frame.f_lineno
    code = linecache.getline(name, number).strip()
    return f"{Path(name).name}:{number}" + (f": {code}" if code else "")


if TYPE_CHECKING:

    class Operators:
        """The operators that ``install_operators`` gives a class."""

        def _unary(self) -> Any: ...
        def _binary(self, other: Any) -> Any: ...

        __neg__ = __abs__ = __invert__ = _unary
        __add__ = __sub__ = __mul__ = __truediv__ = __floordiv__ = __mod__ = __pow__ = __matmul__ = _binary
        __radd__ = __rsub__ = __rmul__ = __rtruediv__ = __rfloordiv__ = __rmod__ = __rpow__ = __rmatmul__ = _binary
        __and__ = __or__ = __rand__ = __ror__ = __getitem__ = __lt__ = __le__ = __gt__ = __ge__ = _binary
else:
    Operators = object


class Symbol(Operators):
    """One array of a graph, before it is computed.

    Attributes
    ----------
    shape : tuple of int or None
        None where the size is only known when the graph runs: the batch, a length that varies.
    dtype : str
        "float32", "float64", "int64", "bool" or "string".
    node : Node
        What computes it.
    index : int
        Which output of the node it is.
    name : str

    Examples
    --------
    >>> from fastnn.layers import Input
    >>> Input(shape=(28, 28)).shape
    (None, 28, 28)
    """

    __slots__ = ("__weakref__", "dtype", "index", "name", "node", "shape")

    def __init__(self, shape: Shape, dtype: str, node: Any, index: int = 0, name: str = ""):
        self.shape: Shape = tuple(shape)
        self.dtype, self.node, self.index, self.name = dtype, node, index, name

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    rank = ndim

    def __repr__(self) -> str:
        return f"<Symbol {self.name!r} shape={self.shape} dtype={self.dtype}>"

    # What needs numbers is refused, with the line and what to write instead.

    def _refuse(self, what: str, instead: str) -> Any:
        line = users_line()
        raise SymbolError(
            f"{what} needs the numbers of an array, but {self!r} is symbolic: it gets numbers when the model runs. "
            f"{instead}" + (f" At {line}" if line else "")
        )

    def __bool__(self) -> bool:
        return self._refuse(
            "A condition (if, while, and, or, not)",
            "Use fastnn.ops.where(condition, a, b) to choose between values.",
        )

    def __float__(self) -> float:
        return self._refuse("float(...)", "Use operators and fastnn.ops, which take symbols.")

    __int__ = __index__ = __float__  # type: ignore[assignment]

    def __len__(self) -> int:
        if self.shape and self.shape[0] is not None:
            return self.shape[0]
        return self._refuse("len(...)", "Use fastnn.ops.shape(x)[0] or another axis of x.shape.")

    def __iter__(self) -> Any:
        if not self.shape or self.shape[0] is None:
            return self._refuse("A loop over the batch", "Use operators and fastnn.ops on the whole array.")
        return (self[i] for i in range(self.shape[0]))

    def __array__(self, *arguments: Any, **options: Any) -> Any:
        return self._refuse(
            "A NumPy function", "Use the function of the same name in fastnn.ops, such as fastnn.ops.mean(x)."
        )

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        operator = _UFUNCS.get(getattr(ufunc, "__name__", ""))
        if method == "__call__" and operator in _OPERATORS and not options:  # array + symbol
            return _OPERATORS[operator](*inputs)
        return self._refuse(f"numpy.{ufunc.__name__}", f"Use fastnn.ops.{ufunc.__name__} if it exists.")

    def __array_function__(self, function: Any, types: Any, arguments: Any, options: Any) -> Any:
        return self._refuse(f"numpy.{function.__name__}", f"Use fastnn.ops.{function.__name__} if it exists.")

    def numpy(self) -> Any:
        """Refused: a symbol has no numbers."""
        return self._refuse(".numpy()", "Call model.predict(x) to compute the output of a model.")


_UFUNCS = {
    "add": "add",
    "subtract": "subtract",
    "multiply": "multiply",
    "divide": "divide",
    "true_divide": "divide",
    "power": "power",
    "matmul": "matmul",
    "greater": "greater",
    "greater_equal": "greater_equal",
    "less": "less",
    "less_equal": "less_equal",
    "equal": "equal",
    "not_equal": "not_equal",
    "floor_divide": "floor_divide",
    "remainder": "mod",
    "maximum": "maximum",
    "minimum": "minimum",
}
_OPERATORS: dict[str, Callable[..., Any]] = {}
_BINARY = {
    "add": "add",
    "sub": "subtract",
    "mul": "multiply",
    "truediv": "divide",
    "pow": "power",
    "matmul": "matmul",
    "floordiv": "floor_divide",
    "mod": "mod",
    "and": "logical_and",
    "or": "logical_or",
}
_COMPARISONS = {
    "gt": "greater",
    "ge": "greater_equal",
    "lt": "less",
    "le": "less_equal",
    "eq": "equal",
    "ne": "not_equal",
}


def install_operators(functions: dict[str, Callable[..., Any]], cls: Any = Symbol) -> None:
    """Give a class the operators that these functions compute, by the names of ``fastnn.ops``.

    Parameters
    ----------
    functions : dict of callable
        "add", "subtract", …, "negative", "absolute", "getitem".
    cls : type
        Symbol, or another class whose objects can occur in expressions; only symbols are compared element by element.
    """

    def forward(function: Callable[..., Any]) -> Callable[..., Any]:
        return lambda self, other: function(self, other)

    def reflected(function: Callable[..., Any]) -> Callable[..., Any]:
        return lambda self, other: function(other, self)

    for word, name in _BINARY.items():
        setattr(cls, f"__{word}__", forward(functions[name]))
        setattr(cls, f"__r{word}__", reflected(functions[name]))
    cls.__neg__ = lambda self: functions["negative"](self)
    cls.__abs__ = lambda self: functions["absolute"](self)
    cls.__getitem__ = lambda self, key: functions["getitem"](self, key)
    if cls is not Symbol:
        cls.__array_ufunc__ = None  # array * weight: NumPy leaves it to the operators of the weight
    if cls is Symbol:
        _OPERATORS.update(functions)
        for word, name in _COMPARISONS.items():
            setattr(cls, f"__{word}__", forward(functions[name]))
        cls.__hash__ = object.__hash__
        cls.__invert__ = lambda self: functions["logical_not"](self)


def contains_symbols(*structures: Any) -> bool:
    """Whether a symbol is among the leaves.

    Examples
    --------
    >>> contains_symbols([1, 2], {"a": 3})
    False
    """
    return any(isinstance(leaf, Symbol) for leaf in flatten(structures))

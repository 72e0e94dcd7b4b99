"""A function of arrays, written in operators and ``fastnn.ops``, with the backward that its trace gives."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .graph import Graph
from .node import Source, as_symbol, record
from .plan import Plan
from .structure import flatten
from .tracing import tracing

__all__ = ["TracedFunction"]

_MOST = 64


class TracedFunction:
    """A function that is run once on symbols for each shape of its arguments, and has a backward then.

    Parameters
    ----------
    function : callable
        Of arrays; gives one array, or a number.
    wanted : int
        Which argument the gradient is of.

    Examples
    --------
    >>> from fastnn import ops
    >>> square = TracedFunction(lambda x: ops.square(x))
    >>> y, ctx = square.forward(np.array([1.0, -3.0]))
    >>> y.tolist(), square.backward(np.ones(2), ctx).tolist()
    ([1.0, 9.0], [2.0, -6.0])
    """

    def __init__(self, function: Callable[..., Any], wanted: int = 0):
        self.function, self.wanted = function, wanted
        self._plans: OrderedDict[Any, Plan] = OrderedDict()

    def __getstate__(self) -> dict[str, Any]:
        """A copy is traced again."""
        return {"function": self.function, "wanted": self.wanted, "_plans": OrderedDict()}

    def _plan(self, arrays: Sequence[np.ndarray]) -> Plan:
        key = tuple([(a.shape, a.dtype.name) for a in arrays])
        plan = self._plans.get(key)
        if plan is None:
            symbols = [record(Source(), [], a.shape, a.dtype.name) for a in arrays]
            for i, symbol in enumerate(symbols):
                symbol.name = f"argument_{i}"
            dtype = arrays[self.wanted].dtype.name
            with tracing():
                found = self.function(*symbols)
                outputs = [as_symbol(leaf, dtype) for leaf in flatten(found)]
            graph = Graph(symbols, outputs)
            plan = self._plans[key] = Plan(symbols, outputs, graph.nodes, input_gradients=True)
            if len(self._plans) > _MOST:
                self._plans.popitem(last=False)
        return plan

    def forward(self, *arrays: np.ndarray) -> tuple[np.ndarray, Any]:
        """The value, and what ``backward`` needs.

        Raises
        ------
        SymbolError
            If the function needs the numbers of its arguments, as NumPy functions do.
        """
        plan = self._plan(arrays)
        outputs, tape, _ = plan.forward(arrays, True)
        return outputs[0], (plan, tape)

    def backward(self, dy: np.ndarray, ctx: Any) -> np.ndarray | None:
        """The gradient of the wanted argument; None where the value does not depend on it."""
        plan, tape = ctx
        return plan.backward([dy], list(tape))[self.wanted]

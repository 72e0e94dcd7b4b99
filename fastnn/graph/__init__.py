"""Graphs: symbols that stand for arrays, nodes that compute them, and plans that run nodes forward and backward.

This floor knows neither layers nor models.  A node holds an *operation*: anything with ``forward(x, training) -> (y,
ctx)`` and ``backward(dy, ctx, need_dx) -> dx``, such as a layer or one of ``fastnn.ops``.
"""

from .function import TracedFunction
from .graph import Graph
from .node import Cast, Constant, Node, Operation, Source, WeightSource, as_symbol, record, refuse_texts
from .plan import Plan, take_back
from .structure import flatten, pack
from .symbol import Operators, Symbol, SymbolError, contains_symbols, install_operators
from .tracing import is_tracing, losses_of_trace, tracing
from .updates import Attempt, commit, latest_value, next_draw, on_refusal, update_later

__all__ = [
    "Attempt",
    "Cast",
    "Constant",
    "Graph",
    "Node",
    "Operation",
    "Operators",
    "Plan",
    "Source",
    "Symbol",
    "SymbolError",
    "TracedFunction",
    "WeightSource",
    "as_symbol",
    "commit",
    "contains_symbols",
    "flatten",
    "install_operators",
    "is_tracing",
    "latest_value",
    "losses_of_trace",
    "next_draw",
    "on_refusal",
    "pack",
    "record",
    "refuse_texts",
    "take_back",
    "tracing",
    "update_later",
]

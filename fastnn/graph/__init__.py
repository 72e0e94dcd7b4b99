"""Graphs: symbols that represent arrays, nodes that compute them, and plans that run nodes forward and backward.

This package knows neither layers nor models.  A node holds an *operation*: anything with ``forward(x, training) -> (y,
ctx)`` and ``backward(dy, ctx, need_dx) -> dx``, such as a layer or one of ``fastnn.ops``.
"""

from .following import is_followed, is_recording, note, unrecorded
from .function import TracedFunction
from .graph import Graph
from .node import Cast, Constant, Node, Operation, Source, WeightSource, as_symbol, record, refuse_texts
from .plan import Plan, take_back
from .structure import flatten, pack
from .symbol import Operators, Symbol, SymbolError, contains_symbols, install_operators
from .tape import GradientTape
from .tensor import Tensor, as_tensor, given_out, install_functions
from .tracing import is_tracing, losses_of_trace, tracing
from .updates import Attempt, commit, latest_value, next_draw, on_refusal, update_later

__all__ = [
    "Attempt",
    "Cast",
    "Constant",
    "GradientTape",
    "Graph",
    "Node",
    "Operation",
    "Operators",
    "Plan",
    "Source",
    "Symbol",
    "SymbolError",
    "Tensor",
    "TracedFunction",
    "WeightSource",
    "as_symbol",
    "as_tensor",
    "commit",
    "contains_symbols",
    "flatten",
    "given_out",
    "install_functions",
    "install_operators",
    "is_followed",
    "is_recording",
    "is_tracing",
    "latest_value",
    "losses_of_trace",
    "next_draw",
    "note",
    "on_refusal",
    "pack",
    "record",
    "refuse_texts",
    "take_back",
    "tracing",
    "unrecorded",
    "update_later",
]

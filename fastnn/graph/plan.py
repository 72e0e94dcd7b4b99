"""The plan: nodes in the order in which they run, over numbered slots, forward and backward.

Each symbol of a graph has a slot, a place in a list.  Running the plan forward fills the slots one after another;
running it backward fills a second list with the gradients.  A chain is the simplest plan: every node reads the slot
that the node before it filled.

- A slot is emptied as soon as its last reader has run, so that a workspace can use the array again; what ``backward``
  needs is in the ``ctx`` of the nodes.
- Where several nodes read a slot, their gradients are added in one fixed order, the reverse of the order of the nodes.
  The first one is never written into, since a layer may hand through the array that it was given.
- A parameter that several nodes use gets the sum of their gradients, in the same order.
- Masks have slots of their own, and only where a node makes one.
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import Any

import numpy as np

from .. import backend
from .node import Constant, Node, WeightSource
from .symbol import Symbol

__all__ = ["Plan", "keeping_tapes", "take_back"]

_keeping: ContextVar[bool] = ContextVar("fastnn_keeping_tapes", default=False)

Values = list[Any]
Forward = Callable[[Values, bool | None], Any]
Backward = Callable[[Values, Any], None]


class Plan:
    """Nodes that run from input symbols to output symbols.

    Parameters
    ----------
    inputs, outputs : list of Symbol
    nodes : list of Node
        In an order in which they can run.
    trained : collection of Parameter, optional
        The parameters whose gradients are wanted; ``backward`` visits what leads to them and nothing else.  None: all.
    input_gradients : bool
        Whether ``backward`` also gives the gradients of the inputs.
    masked_inputs : sequence of bool, optional
        Which inputs come with a mask; default none.

    Attributes
    ----------
    has_masks : bool
        Whether any output may come with a mask.
    penalized : bool
        Whether a node adds a penalty to the loss.
    """

    def __init__(
        self,
        inputs: Sequence[Symbol],
        outputs: Sequence[Symbol],
        nodes: Sequence[Node],
        trained: Collection[Any] | None = None,
        input_gradients: bool = False,
        masked_inputs: Sequence[bool] | None = None,
    ):
        self.nodes = [node for node in nodes if not isinstance(node.operation, Constant)]
        self._slots: dict[int, int] = {}
        self._inputs = [self._slot(symbol) for symbol in inputs]
        for node in nodes:
            for symbol in node.outputs:
                self._slot(symbol)
        self._outputs = [self._slots[id(symbol)] for symbol in outputs]
        self._masks = self._lay_masks(inputs, masked_inputs or [False] * len(inputs))
        self._start: Values = [None] * (len(self._slots) + len(self._masks))
        for node in nodes:
            if isinstance(node.operation, Constant):
                self._start[self._slots[id(node.outputs[0])]] = node.operation.value
        self._lay_forward()
        self._input_gradients = input_gradients
        self._lay_backward(None if trained is None else {id(p) for p in trained}, input_gradients)
        self._penalties = [
            (i, node.operation.penalty_of)
            for i, node in enumerate(self.nodes)
            if getattr(node.operation, "penalizes", False)
        ]
        self.penalized = bool(self._penalties)
        self._mask_outputs = [self._masks.get(slot) for slot in self._outputs]
        self.has_masks = any(slot is not None for slot in self._mask_outputs)
        self._no_masks: list[Any] = [None] * len(self._outputs)

    def _slot(self, symbol: Symbol) -> int:
        return self._slots.setdefault(id(symbol), len(self._slots))

    # Laying the plan.

    def _lay_masks(self, inputs: Sequence[Symbol], masked: Sequence[bool]) -> dict[int, int]:
        """The slot of the mask for each slot that may have one."""
        found = [self._slots[id(symbol)] for symbol, has in zip(inputs, masked, strict=True) if has]
        seen = set(found)
        for node in self.nodes:
            operation = node.operation
            incoming = any(
                given is not None or self._slots[id(s)] in seen
                for s, given in itertools.zip_longest(node.inputs, node.masks)
            )
            if operation.makes_mask or (incoming and (operation.supports_masking or operation.uses_mask)):
                for symbol in node.outputs:
                    slot = self._slots[id(symbol)]
                    if slot not in seen:
                        seen.add(slot)
                        found.append(slot)
        first = len(self._slots)
        return {slot: first + i for i, slot in enumerate(found)}

    def _lay_forward(self) -> None:
        kept = set(self._outputs) | {i for i, value in enumerate(self._start) if value is not None}
        last_reader: dict[int, int] = {}
        for i, node in enumerate(self.nodes):
            for slot in self._touched(node):
                last_reader[slot] = i
        self._forwards: list[Forward] = []
        for i, node in enumerate(self.nodes):
            dead = tuple(sorted({s for s in self._touched(node) if last_reader[s] == i and s not in kept}))
            self._forwards.append(self._forward_of(node, dead))

    def _touched(self, node: Node) -> list[int]:
        return [self._slots[id(symbol)] for symbol in (*node.reads, *node.outputs)]

    def _sources(self, node: Node) -> list[int]:
        return [self._slots[id(symbol)] for symbol in node.inputs]

    def _targets(self, node: Node) -> list[int]:
        return [self._slots[id(symbol)] for symbol in node.outputs]

    def _forward_of(self, node: Node, dead: tuple[int, ...]) -> Forward:
        """The function that runs a node: reads its slots, fills its slots, empties the dead ones, gives its ctx."""
        operation, options = node.operation, dict(node.options)
        fixed = options.pop("training", None)
        sources, targets = self._sources(node), self._targets(node)
        if isinstance(operation, WeightSource):
            return _read_weight(operation.parameter, targets[0])
        masks = [
            self._masks.get(slot) if given is None else self._slots[id(given)]
            for slot, given in itertools.zip_longest(sources, node.masks)
        ]
        mask_targets = [self._masks.get(slot) for slot in targets]
        forward, source, target = operation.forward, sources[0] if sources else -1, targets[0]
        masked = any(slot is not None for slot in (*masks, *mask_targets))
        if not (masked or node.options or node.takes_several or node.gives_several):
            return _simple_forward(forward, source, target, dead)

        takes, gives, uses = node.takes_several, node.gives_several, operation.uses_mask
        mask_after = _mask_after(operation) if any(slot is not None for slot in mask_targets) else None

        def run_any(values: Values, training: bool | None) -> Any:
            if fixed is not None:
                training = fixed
            if takes:
                x: Any = [values[slot] for slot in sources]
                mask: Any = [None if slot is None else values[slot] for slot in masks] if masked else None
                if masked and all(one is None for one in mask):
                    mask = None
            else:
                x = values[source]
                mask = None if masks[0] is None else values[masks[0]]
            y, ctx = forward(x, training, mask, **options) if uses else forward(x, training, **options)
            if gives:
                for slot, part in zip(targets, y, strict=True):
                    values[slot] = part
            else:
                values[target] = y
            if mask_after is not None:
                after = mask_after(x, mask, ctx)
                for i, slot in enumerate(mask_targets):
                    if slot is not None:
                        values[slot] = after[i] if isinstance(after, list) else after if i == 0 else None
            for slot in dead:
                values[slot] = None
            return ctx

        return run_any

    def _lay_backward(self, trained: set[int] | None, input_gradients: bool) -> None:
        wanted = set(self._inputs) if input_gradients else set()
        visited = []
        parts = [self._outputs.count(slot) for slot in range(len(self._slots))]
        for i, node in enumerate(self.nodes):
            learns = any(trained is None or id(p) in trained for p in node.operation.weights)
            if learns or any(slot in wanted for slot in self._sources(node)):
                wanted.update(self._targets(node))
                visited.append(i)
        uses: dict[int, list[int]] = {}
        for i in visited:
            for p in {id(p): p for p in self.nodes[i].operation.weights}.values():
                uses.setdefault(id(p), []).append(i)
        self._backwards: list[tuple[int, Backward]] = []
        for i in reversed(visited):
            node = self.nodes[i]
            need = [slot in wanted for slot in self._sources(node)]
            again = [p for p in node.operation.weights if uses[id(p)][-1] != i]  # used by a node that comes later too
            first = [p for p in node.operation.weights if uses[id(p)][-1] == i]
            for slot, want in zip(self._sources(node), need, strict=True):
                parts[slot] += want
            run = self._backward_of(node, need, _unique(first), _unique(again))
            self._backwards.append((i, run))
        self._backwards = [(i, self._quick_backward(i, uses, parts, wanted, run)) for i, run in self._backwards]

    def _backward_of(self, node: Node, need: list[bool], first: list[Any], again: list[Any]) -> Backward:
        """The function that takes a node's gradient back: reads those of its outputs, adds to those of its inputs."""
        operation = node.operation
        sources, targets = self._sources(node), self._targets(node)
        if isinstance(operation, WeightSource):
            return _write_gradient(operation.parameter, targets[0], bool(again))
        call = _backward_call(operation, need)
        if again:
            call = _adding(call, again)
        takes, gives, target = node.takes_several, node.gives_several, targets[0]
        source, needed = (sources[0] if sources else -1), any(need)
        penalizes = getattr(operation, "penalizes", False)

        def run(grads: Values, ctx: Any) -> None:
            if gives:
                dy: Any = [_take(grads, slot) for slot in targets]
                missing = all(part is None for part in dy)
            else:
                dy = _take(grads, target)
                missing = dy is None
            if missing and not penalizes:  # no loss depends on this node
                for p in first:
                    p.grad[...] = 0
                    p.rows = None
                return
            dx = call(dy, ctx)
            if not needed:
                return
            if takes:
                for slot, part, want in zip(sources, dx, need, strict=True):
                    if want and part is not None:
                        _add_to(grads, slot, part)
            elif dx is not None:
                _add_to(grads, source, dx)

        return run

    def _quick_backward(
        self, place: int, uses: dict[int, list[int]], parts: list[int], wanted: set[int], general: Backward
    ) -> Backward:
        """The quick way of a node in a chain: one gradient in and one out, and no other node adds to either."""
        node = self.nodes[place]
        operation = node.operation
        if node.takes_several or node.gives_several or isinstance(operation, WeightSource):
            return general
        source, target = self._slots[id(node.inputs[0])], self._slots[id(node.outputs[0])]
        if any(uses[id(p)] != [place] for p in operation.weights) or parts[source] > 1 or parts[target] != 1:
            return general
        needed = source in wanted
        call = _backward_call(operation, [needed])

        def run(grads: Values, ctx: Any) -> None:
            dy = grads[target]
            if dy is None:  # what follows has no slope
                general(grads, ctx)
                return
            dx = call(dy, ctx)
            grads[target] = None
            if needed:
                grads[source] = dx

        return run

    # Running it.

    def forward(
        self, inputs: Sequence[np.ndarray], training: bool | None, masks: Sequence[Any] | None = None
    ) -> tuple[list[np.ndarray], list[Any], list[Any]]:
        """The outputs, the tape that ``backward`` and ``penalty`` need, and the mask of each output (None: all count).

        Parameters
        ----------
        inputs : list of array
        training : bool or None
            None is false to all but layers that are at work unless told otherwise.
        masks : list of array or None, optional
            For the inputs that were said to have one.
        """
        values = self._start.copy()
        values[: len(inputs)] = inputs  # the slots of the inputs are the first
        if masks is not None:
            for slot, mask in zip(self._inputs, masks, strict=True):
                if slot in self._masks:
                    values[self._masks[slot]] = mask
        tape: list[Any] = []
        for run in self._forwards:
            tape.append(run(values, training))
        outputs: list[np.ndarray] = []
        for slot in self._outputs:
            outputs.append(values[slot])
        if not self.has_masks:
            return outputs, tape, self._no_masks
        return outputs, tape, [None if slot is None else values[slot] for slot in self._mask_outputs]

    def infer(self, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
        """The outputs alone: nothing is kept for ``backward``."""
        values = self._start.copy()
        values[: len(inputs)] = inputs
        for run in self._forwards:
            run(values, False)
        return [values[slot] for slot in self._outputs]

    def backward(self, gradients: Sequence[np.ndarray | None], tape: list[Any]) -> list[np.ndarray | None]:
        """Take gradients of the outputs back; those of the parameters land in the parameters.

        Parameters
        ----------
        gradients : list of array or None
            None for an output that no loss depends on.
        tape : list
            Of ``forward``; it is emptied, but for ``keeping_tapes``.

        Returns
        -------
        list of array or None
            The gradients of the inputs, None where there is none; empty unless they were asked for.
        """
        grads: Values = [None] * len(self._start)
        for slot, dy in zip(self._outputs, gradients, strict=True):
            if dy is not None:
                _add_to(grads, slot, dy)
        if _keeping.get():
            tape = tape.copy()
        for i, run in self._backwards:
            ctx, tape[i] = tape[i], None
            run(grads, ctx)
        return [_take(grads, slot) for slot in self._inputs] if self._input_gradients else []

    def penalty(self, tape: list[Any]) -> float:
        """What the nodes of a forward run add to the loss."""
        return sum(penalty_of(tape[i]) for i, penalty_of in self._penalties)


@contextmanager
def keeping_tapes(keep: bool = True) -> Iterator[None]:
    """A block in which ``backward`` leaves tapes as they are, so that it may be called on them again."""
    token = _keeping.set(keep)
    try:
        yield
    finally:
        _keeping.reset(token)


class _Sum:
    """A gradient that was added up here, in an array that nobody else holds."""

    __slots__ = ("array",)

    def __init__(self, array: np.ndarray):
        self.array = array


def _add_to(grads: Values, slot: int, part: np.ndarray) -> None:
    """Add to the gradient of a slot; an array that came from a layer is never written into."""
    held = grads[slot]
    if held is None:
        grads[slot] = part
    elif type(held) is _Sum:
        backend.active().merge_forward([held.array, part], "add", y=held.array)
    else:
        grads[slot] = _Sum(backend.active().merge_forward([held, part], "add"))


def _take(grads: Values, slot: int) -> np.ndarray | None:
    """The gradient of a slot, which is empty afterwards."""
    held, grads[slot] = grads[slot], None
    return held.array if type(held) is _Sum else held


def _simple_forward(forward: Callable[..., Any], source: int, target: int, dead: tuple[int, ...]) -> Forward:
    """One array in, one out, no mask: the quick way, which every node of a chain goes."""

    def run(values: Values, training: bool | None) -> Any:
        values[target], ctx = forward(values[source], training)
        return ctx

    def run_and_empty(values: Values, training: bool | None) -> Any:
        values[target], ctx = forward(values[source], training)
        for slot in dead:
            values[slot] = None
        return ctx

    def run_and_empty_source(values: Values, training: bool | None) -> Any:
        values[target], ctx = forward(values[source], training)
        values[source] = None
        return ctx

    return run_and_empty_source if dead == (source,) else run_and_empty if dead else run


def _mask_after(operation: Any) -> Callable[[Any, Any, Any], Any]:
    """The function of input, mask and ctx that gives the mask of the output."""
    if hasattr(operation, "mask_of"):  # it has been computed on the way
        return lambda x, mask, ctx: operation.mask_of(ctx)
    return lambda x, mask, ctx: operation.compute_mask(x, mask)


def _read_weight(parameter: Any, slot: int) -> Forward:
    def run(values: Values, training: bool | None) -> None:
        values[slot] = parameter.value

    return run


def _write_gradient(parameter: Any, slot: int, add: bool) -> Backward:
    def run(grads: Values, ctx: None) -> None:
        dy = _take(grads, slot)
        if add:
            if dy is not None:
                parameter.grad += dy
        else:
            parameter.grad[...] = 0 if dy is None else dy
        parameter.rows = None

    return run


@lru_cache(maxsize=512)
def _takes_need_dx(backward: Any) -> bool:
    """Whether a ``backward`` wants to know if the gradient of its input is needed; a custom layer need not."""
    return "need_dx" in inspect.signature(backward).parameters


def take_back(operation: Any, dy: Any, ctx: Any, need_dx: bool | tuple[bool, ...] = True) -> Any:
    """``operation.backward``, with ``need_dx`` if it accepts that."""
    if getattr(operation, "selects_gradients", False):
        return operation.backward(dy, ctx, need_dx)
    return _backward_call(operation, [bool(need_dx)])(dy, ctx)


def _backward_call(operation: Any, need: list[bool]) -> Callable[[Any, Any], Any]:
    backward = operation.backward
    if getattr(operation, "selects_gradients", False):
        wanted = tuple(need)
        return lambda dy, ctx: backward(dy, ctx, wanted)
    if any(need) or not _takes_need_dx(getattr(backward, "__func__", backward)):
        return backward
    return lambda dy, ctx: backward(dy, ctx, need_dx=False)


def _adding(call: Callable[[Any, Any], Any], parameters: list[Any]) -> Callable[[Any, Any], Any]:
    """``backward`` of a node whose parameters other nodes also use: its gradients are added to theirs."""
    spare = {id(p): (np.zeros_like(p.value), None) for p in parameters}

    def run(dy: Any, ctx: Any) -> Any:
        sums = [(p, p.grad, p.rows) for p in parameters]
        for p in parameters:
            p.grad, p.rows = spare[id(p)]
        try:
            return call(dy, ctx)
        finally:
            for p, total, rows in sums:
                part, own_rows = p.grad, p.rows
                spare[id(p)] = (part, own_rows)
                p.grad = total
                if own_rows is None:
                    total += part
                    p.rows = None
                else:
                    total[own_rows] += part[own_rows]
                    p.rows = None if rows is None else np.union1d(rows, own_rows)

    return run


def _unique(parameters: Sequence[Any]) -> list[Any]:
    return list({id(p): p for p in parameters}.values())

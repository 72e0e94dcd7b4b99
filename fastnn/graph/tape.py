"""``GradientTape``: records operations on tensors and weights in a block, and computes their gradients.

A tape notes the operations that were called, with the ``ctx`` that each gave, and takes gradients back through their
own ``backward``: the operations and formulas of a plan, in the order in which the user's code ran.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np

from ..user_warnings import warn
from .following import note, open_tapes
from .node import Operation
from .plan import keeping_tapes, take_back
from .structure import flatten, pack
from .tensor import Tensor, as_tensor

__all__ = ["GradientTape"]


@dataclass
class _Record:
    """One call: the operation, whom its inputs and outputs are known as (None: not followed), and its ``ctx``."""

    operation: Any
    inputs: list[int | None]
    outputs: list[int]
    ctx: Any
    weights: list[Any]
    takes_several: bool
    gives_several: bool


class GradientTape:
    """Records what a ``with`` block computes, for gradients.

    Trainable weights and variables are watched automatically; other arrays after ``watch(x)``.

    Parameters
    ----------
    persistent : bool
        Whether ``gradient`` may be called more than once; the tape then keeps its memory until it is deleted.
    watch_accessed_variables : bool
        False: weights too are followed only after ``watch``.

    Examples
    --------
    >>> import fastnn.compat.tensorflow as tf
    >>> x = tf.Variable(3.0)
    >>> with GradientTape() as tape:
    ...     y = x * x
    >>> float(tape.gradient(y, x))
    6.0
    """

    def __init__(self, persistent: bool = False, watch_accessed_variables: bool = True):
        self._persistent, self._watches = persistent, watch_accessed_variables
        self._used = self._shares = False
        self.reset()

    def reset(self) -> None:
        """Forget everything that was recorded."""
        self._records: list[_Record] = []
        self._known: dict[int, Any] = {}

    def __enter__(self) -> GradientTape:
        if self in open_tapes.get():
            raise ValueError("This GradientTape is already open. Create another one for the inner block.")
        tapes = (*open_tapes.get(), self)
        open_tapes.set(tapes)
        if len(tapes) > 1:  # one must not free what the others still need
            for tape in tapes:
                tape._shares = True
        return self

    def __exit__(self, *error: object) -> None:
        open_tapes.set(tuple(tape for tape in open_tapes.get() if tape is not self))

    @contextmanager
    def stop_recording(self) -> Iterator[None]:
        """A block within the block, in which nothing is recorded."""
        before = open_tapes.get()
        open_tapes.set(tuple(tape for tape in before if tape is not self))
        try:
            yield
        finally:
            open_tapes.set(before)

    # What is followed.

    def watch(self, tensor: Any) -> None:
        """Follow these arrays too.

        Parameters
        ----------
        tensor : Tensor, variable, or a list of them

        Raises
        ------
        TypeError
            For other objects, such as a NumPy array, whose operators a tape cannot see.
        """
        for leaf in flatten(tensor):
            if not isinstance(leaf, Tensor) and not _is_parameter(leaf):
                raise TypeError(
                    "watch follows tensors and variables. Received: "
                    f"{type(leaf).__name__}. Use x = tf.constant(x) before the block, and compute with that x."
                )
            if np.dtype(leaf.dtype).kind != "f":
                warn(
                    f"Only reals have gradients. Received: watch of a tensor of dtype {leaf.dtype}. Use "
                    "tf.constant(3.0) instead of tf.constant(3)."
                )
            self._known[id(leaf)] = leaf

    def watched_variables(self) -> tuple[Any, ...]:
        """The weights and variables used so far."""
        return tuple(value for value in self._known.values() if _is_parameter(value))

    def follows(self, value: Any) -> bool:
        """Whether the gradient of this value is known here."""
        return id(value) in self._known or (self._watches and _is_parameter(value) and value.trainable)

    def note(
        self,
        operation: Any,
        inputs: Sequence[Any],
        outputs: Sequence[Any],
        ctx: Any,
        weights: Sequence[Any],
        form: tuple[bool, bool],
    ) -> None:
        """Note a call, if any of its inputs or weights is followed."""
        followed = [value for value in (*inputs, *weights) if self.follows(value)]
        if not followed:
            return
        self._known |= {id(value): value for value in (*followed, *outputs)}
        keys = [id(value) if id(value) in self._known else None for value in inputs]
        learning = [weight for weight in weights if id(weight) in self._known]
        self._records.append(_Record(operation, keys, [id(value) for value in outputs], ctx, learning, *form))

    # Gradients.

    def gradient(
        self, target: Any, sources: Any, output_gradients: Any = None, unconnected_gradients: Any = "none"
    ) -> Any:
        """The gradient of the target, or of the sum of its numbers, with respect to each source.

        Parameters
        ----------
        target : Tensor, or a list of them, which are added
        sources : weight, variable, Tensor, or a list or dict of them
        output_gradients : array, or one for each target, optional
            Factors of the numbers of the target.
        unconnected_gradients : {"none", "zero"}
            The result for a source on which the target does not depend.

        Returns
        -------
        Tensor or None, in the structure of the sources

        Raises
        ------
        RuntimeError
            On the second call of a tape that is not persistent.
        """
        if self._used and not self._persistent:
            raise RuntimeError(
                "A GradientTape can compute gradients only once. Use tf.GradientTape(persistent=True), or one call "
                "with all sources: tape.gradient(loss, [a, b])."
            )
        targets, wanted = flatten(target), flatten(sources)
        seeds = [None] * len(targets) if output_gradients is None else flatten(output_gradients)
        zero = getattr(unconnected_gradients, "value", unconnected_gradients) == "zero"
        grads = self._back(targets, seeds, wanted)
        found = [_result(grads.get(id(source)), source, zero) for source in wanted]
        self._used = True
        if not self._persistent:
            self.reset()
        given = [part for part in found if part is not None]
        note(_Derivative(), [*wanted, *targets], given, None, form=(True, True))
        return pack(sources, found) if isinstance(sources, (list, tuple, dict)) else found[0]

    def _back(self, targets: Sequence[Any], seeds: Sequence[Any], sources: Sequence[Any]) -> dict[int, np.ndarray]:
        """The gradients of all values on the way from the targets to the sources, by their keys."""
        useful = {id(source) for source in sources if self.follows(source)}
        ends = set(useful)
        path = []
        for record in self._records:
            if useful.intersection(record.inputs) or any(id(w) in useful for w in record.weights):
                useful.update(record.outputs)
                path.append(record)
        grads: dict[int, np.ndarray] = {}
        for target, seed in zip(targets, seeds, strict=True):
            if id(target) in useful:
                start = np.ones(target.shape, target.dtype) if seed is None else np.asarray(seed, target.dtype)
                _add(grads, id(target), np.broadcast_to(start, target.shape))
        with keeping_tapes(self._persistent or self._shares):
            for record in reversed(path):
                take = grads.get if self._persistent else grads.pop
                dys = [grads.get(key) if key in ends else take(key, None) for key in record.outputs]
                if any(dy is not None for dy in dys):
                    self._through(record, dys, useful, grads)
        return grads

    def _through(self, record: _Record, dys: list[Any], useful: set[int], grads: dict[int, np.ndarray]) -> None:
        """Take gradients back through one call."""
        need = tuple(key in useful for key in record.inputs)
        operation = record.operation
        flags = need if getattr(operation, "selects_gradients", False) else any(need)
        dx = take_back(operation, dys if record.gives_several else dys[0], record.ctx, flags)
        parts = dx if record.takes_several else [dx]
        for key, wants, part in zip(record.inputs, need, parts, strict=False):
            if key is not None and wants and part is not None:
                _add(grads, key, part)
        for weight in record.weights:
            if id(weight) in useful:
                _add(grads, id(weight), weight.grad.copy())

    def jacobian(self, target: Any, sources: Any) -> Any:
        """The derivatives of each number of the target: shape of the target, then that of the source."""
        if not self._persistent:
            raise RuntimeError("jacobian runs backward once for each number. Use tf.GradientTape(persistent=True).")
        rows = []
        for i in range(target.size):
            seed = np.zeros(target.shape, target.dtype)
            seed.reshape(-1)[i] = 1
            rows.append(flatten(self.gradient(target, sources, seed)))
        found = [None if column[0] is None else _stacked(column, target.shape) for column in zip(*rows, strict=True)]
        return pack(sources, found) if isinstance(sources, (list, tuple, dict)) else found[0]


class _Derivative(Operation):
    """Gradients as outputs of an operation that has no ``backward`` of its own."""

    takes_several = True

    def backward(self, dy: Any, ctx: Any, need_dx: bool = True) -> NoReturn:
        raise NotImplementedError(
            "The gradient of a gradient is not known: the backward of an operation is written out, and has none of its "
            "own. Call tape.gradient after all with blocks; where a penalty on gradients is meant, use differences: "
            "(f(x + h) - f(x - h)) / (2 * h)."
        )


def _is_parameter(value: Any) -> bool:
    return hasattr(value, "grad") and hasattr(value, "value")


def _add(grads: dict[int, np.ndarray], key: int, part: np.ndarray) -> None:
    grads[key] = part if key not in grads else grads[key] + part


def _result(grad: np.ndarray | None, source: Any, zero: bool) -> Any:
    if grad is None:
        return as_tensor(np.zeros(source.shape, source.dtype)) if zero else None
    return as_tensor(np.array(grad, source.dtype).reshape(source.shape))


def _stacked(column: Sequence[np.ndarray], shape: tuple[int, ...]) -> Any:
    return as_tensor(np.stack(column).reshape(*shape, *column[0].shape))

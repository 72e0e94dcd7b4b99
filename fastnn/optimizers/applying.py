"""Gradients from a ``GradientTape``: ``apply`` writes them where a step reads them, and makes the step."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from fastnn.arena import Arena
from fastnn.graph.numbers import Count, Number
from fastnn.user_warnings import warn

__all__ = ["Applying", "Rate", "home_of"]


class Rate(Number):
    """The learning rate as users read it: a number that can also be assigned to."""

    __slots__ = ("_optimizer",)
    _optimizer: Any

    @classmethod
    def of(cls, rate: float, optimizer: Any) -> Rate:
        """The number, and whose it is."""
        found = cls(rate)
        found._optimizer = optimizer
        return found

    @property
    def value(self) -> Rate:
        """The number itself, as Keras' variables have it."""
        return self

    def assign(self, value: Any) -> Rate:
        """Let the optimizer have another one: the same as ``optimizer.learning_rate = value``."""
        self._optimizer.learning_rate = float(value)
        return Rate.of(float(value), self._optimizer)


class Applying:
    """The part of an optimizer that takes gradients from outside."""

    built: bool
    build: Any
    step: Any
    parameters: list[Any]
    state: dict[str, np.ndarray]
    iterations: Any
    _parameters: list[Any]
    _pieces: list[Any]
    _value: np.ndarray
    _grad: np.ndarray
    _runs: Any

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Any]], *accepted: Any, **named: Any) -> Count:
        """Update weights from pairs ``zip(gradients, weights)``, and give the number of steps.

        Parameters
        ----------
        grads_and_vars : iterable of (array, weight)
            A weight whose gradient is None stays as it is.
        *accepted, **named
            ``name`` and ``skip_gradients_aggregation`` of older versions; without effect.

        Raises
        ------
        ValueError
            If all gradients are None, or one does not fit its weight; nothing has changed then.

        Examples
        --------
        >>> import fastnn.compat.tensorflow as tf
        >>> v, optimizer = tf.Variable(3.0), tf.keras.optimizers.SGD(0.1)
        >>> with tf.GradientTape() as tape:
        ...     loss = v * v
        >>> optimizer.apply_gradients(zip(tape.gradient(loss, [v]), [v]))
        1
        >>> round(float(v), 3)
        2.4
        """
        pairs = list(grads_and_vars)
        self.apply([gradient for gradient, _ in pairs], [weight for _, weight in pairs])
        return self.iterations

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Any] | None = None) -> None:
        """Update weights from their gradients.

        Parameters
        ----------
        grads : list of array or None
            A weight whose gradient is None stays as it is.
        trainable_variables : list of Parameter, optional
            Default: those that the optimizer was built for.

        Raises
        ------
        ValueError
            If all gradients are None, one does not fit its weight, or a weight is not among those that the optimizer
            was built for; nothing has changed then.
        """
        weights = list(self.parameters if trainable_variables is None else trainable_variables)
        arrays = _checked(list(grads), weights)
        self._settle(weights)
        given = {id(weight): array for weight, array in zip(weights, arrays, strict=True) if array is not None}
        self._grad[...] = 0
        for parameter in self._parameters:
            parameter.rows = None
            if id(parameter) in given:
                parameter.grad[...] = given[id(parameter)]
        self._step_of(given)
        for weight in weights:
            if getattr(weight, "constraint", None) is not None and id(weight) in given:
                weight.value[...] = weight.constraint(weight.value)

    def _step_of(self, given: dict[int, Any]) -> None:
        """A step of these parameters; the others, and their state, stay as they are."""
        if len(given) == len(self._parameters):
            self.step()
            return
        everything = self._parameters, self._pieces
        chosen = [pair for pair in zip(*everything, strict=True) if id(pair[0]) in given]
        self._parameters, self._pieces, self._runs = [p for p, _ in chosen], [piece for _, piece in chosen], None
        try:
            self.step()
        finally:
            (self._parameters, self._pieces), self._runs = everything, None

    def _settle(self, weights: Sequence[Any]) -> None:
        """Be built for these weights, where they are now."""
        if not self.built:
            self.build(weights, *home_of(weights))
            return
        mine = {id(parameter) for parameter in self._parameters}
        strange = next((weight for weight in weights if id(weight) not in mine), None)
        if strange is not None:
            raise ValueError(
                f"This optimizer was built for {len(mine)} weights. Received: {strange!r}, which is not among them. "
                "Use an optimizer for each list of weights, or optimizer.build(model.trainable_variables) first."
            )
        if not all(_within(parameter, self._value) for parameter in self._parameters):
            self._move(*home_of(self._parameters))

    def _move(self, value: np.ndarray, grad: np.ndarray) -> None:
        """Go along with parameters that live in other arrays now, with their state."""
        parameters, pieces = self._parameters, self._pieces
        before = {name: [array[piece].copy() for piece, _ in pieces] for name, array in self.state.items()}
        self.built, self.state = False, {}
        self.build(parameters, value, grad)
        for name, parts in before.items():
            for part, (piece, _) in zip(parts, self._pieces, strict=True):
                self.state[name][piece] = part


def _checked(grads: list[Any], weights: list[Any]) -> list[np.ndarray | None]:
    """The gradients as arrays."""
    if len(grads) != len(weights):
        raise ValueError(f"There is a gradient for each weight. Received: {len(grads)} for {len(weights)} weights.")
    missing = [weight.name for weight, gradient in zip(weights, grads, strict=True) if gradient is None]
    if len(missing) == len(weights):
        raise ValueError(
            f"No gradient was given for any weight. Received: None for {', '.join(missing) or 'no weight'}. "
            "Compute the loss within the block of the GradientTape, by calls of the model, operators and functions of "
            "tf: what NumPy computes has no gradient."
        )
    if missing:
        warn(f"These weights have no gradient and stay as they are: {', '.join(missing)}.")
    arrays = [None if gradient is None else np.asarray(gradient) for gradient in grads]
    for array, weight in zip(arrays, weights, strict=True):
        if array is not None and array.shape != weight.shape:
            raise ValueError(
                f"A gradient has the shape of its weight, {weight.shape} for {weight.name!r}. Received: {array.shape}."
            )
    return arrays


def home_of(weights: Sequence[Any]) -> tuple[np.ndarray, np.ndarray]:
    """The two flat arrays that hold all these weights: those of their model, or new ones."""
    arena = getattr(weights[0], "arena", None)
    if arena is not None and arena.whole and all(weight.arena is arena for weight in weights):
        if all(_within(weight, arena.trainable_value) for weight in weights):
            return arena.trainable_value, arena.trainable_grad
        return arena.value, arena.grad
    dtypes = {np.dtype(weight.dtype).name for weight in weights}
    if len(dtypes) > 1 or not dtypes <= {"float32", "float64"}:
        raise ValueError(
            f'Weights are of one dtype, "float32" or "float64". Received: {", ".join(sorted(dtypes))}.'
            " Use tf.Variable(..., dtype=tf.float32), and trainable=False for what only counts."
        )
    arena = Arena(weights, [], dtypes.pop())
    return arena.value, arena.grad


def _within(weight: Any, flat: np.ndarray) -> bool:
    start = weight.value.ctypes.data - flat.ctypes.data
    return 0 <= start <= start + weight.value.nbytes <= flat.nbytes

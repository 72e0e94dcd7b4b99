"""The base of optimizers whose step of a weight depends on the whole array that it stands in."""

from __future__ import annotations

import types
from typing import Any

import numpy as np

from fastnn.optimizers.optimizer import Optimizer

__all__ = ["EachParameter", "decayed"]


class EachParameter(Optimizer):
    """Updates parameter by parameter, by ``update_one``, instead of all in one kernel call."""

    def update_all(self, kernels, rate, decay):
        for parameter, (piece, excluded) in zip(self._parameters, self._pieces, strict=True):
            arrays = [array.reshape(parameter.value.shape) for array in self._cut(piece)]
            own_decay = 0.0 if excluded else self.decay_of(parameter, decay)
            self.update_one(kernels, parameter, arrays[0], arrays[1], arrays[2:], rate, own_decay)

    def decay_of(self, parameter: Any, decay: float) -> float:
        """The weight decay of a parameter that is not excluded from it."""
        return decay

    def update_one(
        self,
        kernels: types.ModuleType,
        parameter: Any,
        w: np.ndarray,
        g: np.ndarray,
        slots: list[np.ndarray],
        learning_rate: float,
        weight_decay: float,
    ) -> None:
        """Update one parameter's weights ``w`` from their gradients ``g``; all arrays have its shape."""
        raise NotImplementedError(f"{type(self).__name__} has no update_one.")

    def listed(self, parameter: Any, slots: list[np.ndarray]) -> list[np.ndarray]:
        """What ``variables`` lists of a parameter's slots, in Keras' order and shapes."""
        return slots

    def _in_turn(self, state, parameters):
        places = {id(parameter): i for i, parameter in enumerate(self._parameters)}
        parts = {name: self.split(state[name]) for group in self._groups() for name in group}
        found = []
        for name in (name for name in parts if name not in self.slots):
            found += [parts[name][places[id(parameter)]] for parameter in parameters]
        for parameter in parameters:
            place = places[id(parameter)]
            found += self.listed(parameter, [parts[name][place] for name in self.slots])
        return found


def decayed(w: np.ndarray, learning_rate: float, weight_decay: float) -> None:
    """``w −= w·weight_decay·learning_rate``, in place."""
    if weight_decay:
        w *= w.dtype.type(1 - weight_decay * learning_rate)

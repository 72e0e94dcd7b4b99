"""Optimizers that scale each weight's step by its own past squared gradients: RMSprop, Adagrad, Adadelta."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastnn.lookup import is_number
from fastnn.optimizers.optimizer import Optimizer

__all__ = ["Adadelta", "Adagrad", "RMSprop"]


def _share(word: str, value: float) -> float:
    if not is_number(value) or not 0 <= value <= 1:
        raise ValueError(f"{word} must be in [0, 1]. Received: {word}={value!r}.")
    return float(value)


class RMSprop(Optimizer):
    """``v = ρ·v + (1 − ρ)·g²``, ``w −= η·g / √(v + ε)``; with momentum ``u = μ·u + step``, ``w −= u``.

    Parameters
    ----------
    learning_rate : float or schedule
    rho, momentum : float
        In [0, 1].
    epsilon : float
    centered : bool
        Whether to subtract the squared mean gradient from v, so that the root is taken of the variance.
    **options
        Those of ``Optimizer``: weight_decay, clipnorm, …

    References
    ----------
    Hinton: Neural Networks for Machine Learning, lecture 6e, 2012.
    """

    paired = 1
    visits = "touched"

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
        **options: Any,
    ):
        super().__init__(learning_rate, **options)
        self._check(epsilon=epsilon)
        self.rho, self.momentum, self.epsilon = _share("rho", rho), _share("momentum", momentum), float(epsilon)
        self.centered = bool(centered)
        self.slots = ("velocity", *["momentum"] * bool(momentum), *["average_gradient"] * self.centered)

    def update(self, kernels, w, g, slots, learning_rate, weight_decay, rows=None):
        named = dict(zip(self.slots, slots, strict=True))
        kernels.rmsprop_step(
            w, g, named["velocity"], named.get("momentum"), named.get("average_gradient"),
            learning_rate=learning_rate, rho=self.rho, momentum=self.momentum, epsilon=self.epsilon,
            weight_decay=weight_decay, rows=rows,
        )  # fmt: skip

    def get_config(self):
        return super().get_config() | {
            "rho": self.rho,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "centered": self.centered,
        }


class Adagrad(Optimizer):
    """``a += g²``, ``w −= η·g / √(a + ε)``, where a starts at ``initial_accumulator_value``.

    References
    ----------
    Duchi, Hazan, Singer: Adaptive Subgradient Methods for Online Learning and Stochastic Optimization, JMLR 2011.
    """

    slots = ("accumulator",)
    visits = "live"

    def __init__(
        self,
        learning_rate: Any = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float = 1e-7,
        **options: Any,
    ):
        super().__init__(learning_rate, **options)
        self._check(initial_accumulator_value=initial_accumulator_value, epsilon=epsilon)
        self.initial_accumulator_value, self.epsilon = float(initial_accumulator_value), float(epsilon)

    def initial(self, slot, value):
        return np.full_like(value, self.initial_accumulator_value if slot == "accumulator" else 0.0)

    def update(self, kernels, w, g, slots, learning_rate, weight_decay, rows=None):
        kernels.adagrad_step(
            w, g, *slots, learning_rate=learning_rate, epsilon=self.epsilon, weight_decay=weight_decay, rows=rows
        )  # fmt: skip

    def get_config(self):
        return super().get_config() | {
            "initial_accumulator_value": self.initial_accumulator_value,
            "epsilon": self.epsilon,
        }


class Adadelta(Optimizer):
    """``a = ρ·a + (1 − ρ)·g²``, ``δ = −√(d + ε)/√(a + ε)·g``, ``d = ρ·d + (1 − ρ)·δ²``, ``w += η·δ``.

    References
    ----------
    Zeiler: ADADELTA: An Adaptive Learning Rate Method, 2012.
    """

    slots = ("accumulated_gradient", "accumulated_delta")
    visits = "touched"

    def __init__(self, learning_rate: Any = 0.001, rho: float = 0.95, epsilon: float = 1e-7, **options: Any):
        super().__init__(learning_rate, **options)
        self._check(epsilon=epsilon)
        self.rho, self.epsilon = _share("rho", rho), float(epsilon)

    def update(self, kernels, w, g, slots, learning_rate, weight_decay, rows=None):
        kernels.adadelta_step(
            w, g, *slots,
            learning_rate=learning_rate, rho=self.rho, epsilon=self.epsilon, weight_decay=weight_decay, rows=rows,
        )  # fmt: skip

    def get_config(self):
        return super().get_config() | {"rho": self.rho, "epsilon": self.epsilon}

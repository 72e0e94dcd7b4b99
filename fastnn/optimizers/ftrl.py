"""Ftrl: follow the regularized leader; sparse weights for models of very many features."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastnn.lookup import is_number
from fastnn.optimizers.each_parameter import decayed
from fastnn.optimizers.optimizer import Optimizer

__all__ = ["Ftrl"]


class Ftrl(Optimizer):
    """``n' = n + g²``, ``z += g + 2·λₛ·w − (n'⁻ᵖ − n⁻ᵖ)/η·w``, ``w = (clip(z, ±λ₁) − z) / (n'⁻ᵖ/η + 2·λ₂ + β/η)``.

    Weights whose z stays within λ₁ are exactly 0.

    Parameters
    ----------
    learning_rate : float or schedule
    learning_rate_power : float
        p, at most 0.
    initial_accumulator_value : float
        Where n starts.
    l1_regularization_strength, l2_regularization_strength : float
        λ₁ and λ₂.
    l2_shrinkage_regularization_strength : float
        λₛ, which acts on gradients alone.
    beta : float
    **options
        Those of ``Optimizer``: weight_decay, clipnorm, …

    References
    ----------
    McMahan et al.: Ad Click Prediction: a View from the Trenches, KDD 2013.
    """

    slots = ("accumulator", "linear")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        l2_shrinkage_regularization_strength: float = 0.0,
        beta: float = 0.0,
        **options: Any,
    ):
        super().__init__(learning_rate, **options)
        self._check(
            initial_accumulator_value=initial_accumulator_value,
            l1_regularization_strength=l1_regularization_strength,
            l2_regularization_strength=l2_regularization_strength,
            l2_shrinkage_regularization_strength=l2_shrinkage_regularization_strength,
        )
        if not is_number(learning_rate_power) or learning_rate_power > 0:
            raise ValueError(
                f"learning_rate_power is a number, 0 or less. Received: learning_rate_power={learning_rate_power!r}."
            )
        if not is_number(beta):
            raise ValueError(f"beta is a number. Received: beta={beta!r}.")
        self.learning_rate_power, self.initial_accumulator_value = learning_rate_power, initial_accumulator_value
        self.l1_regularization_strength = l1_regularization_strength
        self.l2_regularization_strength = l2_regularization_strength
        self.l2_shrinkage_regularization_strength = l2_shrinkage_regularization_strength
        self.beta = beta

    def initial(self, slot, value):
        return np.full_like(value, self.initial_accumulator_value if slot == "accumulator" else 0.0)

    def update(self, kernels, w, g, slots, learning_rate, weight_decay):
        accumulator, linear = slots
        decayed(w, learning_rate, weight_decay)
        before = self._power(accumulator)
        accumulator += g * g
        after = self._power(accumulator)
        linear += g + 2 * self.l2_shrinkage_regularization_strength * w - (after - before) / learning_rate * w
        curvature = after / learning_rate + 2 * self.l2_regularization_strength + self.beta / learning_rate
        bound = self.l1_regularization_strength
        w[...] = (np.clip(linear, -bound, bound) - linear) / curvature

    def _power(self, accumulator: np.ndarray) -> np.ndarray:
        return np.sqrt(accumulator) if self.learning_rate_power == -0.5 else accumulator**-self.learning_rate_power

    def get_config(self):
        return super().get_config() | {
            "learning_rate_power": self.learning_rate_power,
            "initial_accumulator_value": self.initial_accumulator_value,
            "l1_regularization_strength": self.l1_regularization_strength,
            "l2_regularization_strength": self.l2_regularization_strength,
            "l2_shrinkage_regularization_strength": self.l2_shrinkage_regularization_strength,
            "beta": self.beta,
        }

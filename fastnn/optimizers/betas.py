"""The base of optimizers with two decay rates."""

from __future__ import annotations

from typing import Any

from fastnn.lookup import is_number
from fastnn.optimizers.optimizer import Optimizer

__all__ = ["Betas"]


class Betas(Optimizer):
    """Keeps running means with the decay rates ``beta_1`` and ``beta_2``, both in [0, 1)."""

    visits = "touched"

    def __init__(self, learning_rate: Any, beta_1: float, beta_2: float, **options: Any):
        super().__init__(learning_rate, **options)
        for word, value in (("beta_1", beta_1), ("beta_2", beta_2)):
            if not is_number(value) or not 0 <= value < 1:
                raise ValueError(f"{word} must be in [0, 1). Received: {word}={value!r}.")
        self.beta_1, self.beta_2 = float(beta_1), float(beta_2)

    def get_config(self):
        return super().get_config() | {"beta_1": self.beta_1, "beta_2": self.beta_2}

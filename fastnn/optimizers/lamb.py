"""Lamb: Adam whose step in each parameter is as long as the parameter is large."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fastnn.optimizers.betas import Betas
from fastnn.optimizers.each_parameter import EachParameter, decayed

__all__ = ["Lamb"]


class Lamb(EachParameter, Betas):
    """``u = m̂ / (√v̂ + ε)`` as in Adam, then ``w −= η·‖w‖/‖u‖·u`` in each parameter; 1 for the quotient if a norm is 0.

    Made for large batches.

    Parameters
    ----------
    learning_rate : float or schedule
    beta_1, beta_2 : float
        In [0, 1).
    epsilon : float
    **options
        Those of ``Optimizer``: weight_decay, clipnorm, …

    References
    ----------
    You et al.: Large Batch Optimization for Deep Learning: Training BERT in 76 minutes, ICLR 2020.
    """

    slots = ("momentum", "velocity")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        **options: Any,
    ):
        super().__init__(learning_rate, beta_1, beta_2, **options)
        self._check(epsilon=epsilon)
        self.epsilon = float(epsilon)

    def update_one(self, kernels, parameter, w, g, slots, learning_rate, weight_decay):
        decayed(w, learning_rate, weight_decay)
        step, u = self.current_step, np.zeros(w.size, w.dtype)
        # Adam's step of a zero vector is −u: its ε stands beside √v, Lamb's beside √v̂ = √(v / (1 − β₂ᵗ)).
        kernels.adam_step(
            u, g.reshape(-1), *(slot.reshape(-1) for slot in slots),
            step=step, learning_rate=1.0, beta_1=self.beta_1, beta_2=self.beta_2,
            epsilon=self.epsilon * math.sqrt(1 - self.beta_2**step),
        )  # fmt: skip
        length, size = (math.sqrt(kernels.sum_of_squares(a)) for a in (u, w.reshape(-1)))
        kernels.scale(u, learning_rate * (size / length if size and length else 1.0))
        w += u.reshape(w.shape)

    def get_config(self):
        return super().get_config() | {"epsilon": self.epsilon}

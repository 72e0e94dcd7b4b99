"""Lion: the sign of the mean gradient."""

from __future__ import annotations

from typing import Any

from fastnn.optimizers.betas import Betas

__all__ = ["Lion"]


class Lion(Betas):
    """``w −= η·sign(β₁·m + (1 − β₁)·g)``, ``m += (1 − β₂)(g − m)``: every weight moves by η.

    A learning rate of a third to a tenth of Adam's suits it, and as many times the weight decay.

    Parameters
    ----------
    learning_rate : float or schedule
    beta_1, beta_2 : float
        In [0, 1).
    **options
        Those of ``Optimizer``: weight_decay, clipnorm, …

    References
    ----------
    Chen et al.: Symbolic Discovery of Optimization Algorithms, NeurIPS 2023.
    """

    slots = ("momentum",)

    def __init__(self, learning_rate: Any = 0.001, beta_1: float = 0.9, beta_2: float = 0.99, **options: Any):
        super().__init__(learning_rate, beta_1, beta_2, **options)

    def update(self, kernels, w, g, slots, learning_rate, weight_decay, rows=None):
        kernels.lion_step(
            w, g, *slots,
            learning_rate=learning_rate, beta_1=self.beta_1, beta_2=self.beta_2, weight_decay=weight_decay, rows=rows,
        )  # fmt: skip

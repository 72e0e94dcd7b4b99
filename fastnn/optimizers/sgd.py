"""Stochastic gradient descent, with or without momentum."""

from __future__ import annotations

from typing import Any

from fastnn.lookup import is_number
from fastnn.optimizers.optimizer import Optimizer

__all__ = ["SGD"]


class SGD(Optimizer):
    """``w −= η·g``; with momentum μ: ``v = μ·v − η·g``, ``w += v`` (Nesterov: ``w += μ·v − η·g``).

    Parameters
    ----------
    learning_rate : float or schedule
    momentum : float
        In [0, 1].
    nesterov : bool
    **options
        Those of ``Optimizer``: weight_decay, clipnorm, …

    References
    ----------
    Sutskever, Martens, Dahl, Hinton: On the importance of initialization and momentum in deep learning, ICML 2013.
    """

    def __init__(self, learning_rate: Any = 0.01, momentum: float = 0.0, nesterov: bool = False, **options: Any):
        super().__init__(learning_rate, **options)
        if not is_number(momentum) or not 0 <= momentum <= 1:
            raise ValueError(f"momentum must be in [0, 1]. Received: momentum={momentum!r}.")
        self.momentum, self.nesterov = float(momentum), bool(nesterov)
        self.slots = ("momentum",) if momentum else ()
        self.visits = "touched" if momentum else "live"

    def update(self, kernels, w, g, slots, learning_rate, weight_decay, rows=None):
        kernels.sgd_step(
            w, g, *slots,
            learning_rate=learning_rate, momentum=self.momentum, nesterov=self.nesterov, weight_decay=weight_decay,
            rows=rows,
        )  # fmt: skip

    def get_config(self):
        return super().get_config() | {"momentum": self.momentum, "nesterov": self.nesterov}

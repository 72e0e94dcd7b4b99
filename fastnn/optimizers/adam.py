"""Adam and its relatives: the mean gradient over the root mean square (in Adamax, over the largest gradient)."""

from __future__ import annotations

from typing import Any

from fastnn.optimizers.betas import Betas

__all__ = ["Adam", "AdamW", "Adamax", "Nadam"]


class _Moments(Betas):
    """Base of the four optimizers: two decay rates and an epsilon."""

    def __init__(self, learning_rate: Any, beta_1: float, beta_2: float, epsilon: float, **options: Any):
        super().__init__(learning_rate, beta_1, beta_2, **options)
        self._check(epsilon=epsilon)
        self.epsilon = float(epsilon)

    def get_config(self):
        return super().get_config() | {"epsilon": self.epsilon}


class Adam(_Moments):
    """``m += (1 − β₁)(g − m)``, ``v += (1 − β₂)(g² − v)``, ``w −= η·√(1 − β₂ᵗ)/(1 − β₁ᵗ)·m / (√v + ε)``.

    Parameters
    ----------
    learning_rate : float or schedule
    beta_1, beta_2 : float
        In [0, 1).
    epsilon : float
    amsgrad : bool
        Whether to divide by the largest v so far.
    **options
        Those of ``Optimizer``: weight_decay, clipnorm, …

    References
    ----------
    Kingma, Ba: Adam: A Method for Stochastic Optimization, 2014.
    Reddi, Kale, Kumar: On the Convergence of Adam and Beyond, 2018.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **options: Any,
    ):
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **options)
        self.amsgrad = bool(amsgrad)
        self.slots = ("momentum", "velocity", "velocity_hat") if amsgrad else ("momentum", "velocity")

    def update(self, kernels, w, g, slots, learning_rate, weight_decay, rows=None):
        kernels.adam_step(
            w, g, *slots,
            step=self.current_step, learning_rate=learning_rate, beta_1=self.beta_1, beta_2=self.beta_2,
            epsilon=self.epsilon, weight_decay=weight_decay, rows=rows,
        )  # fmt: skip

    def get_config(self):
        return super().get_config() | {"amsgrad": self.amsgrad}


class AdamW(Adam):
    """Adam with decoupled weight decay, ``w −= η·weight_decay·w`` before each step.

    References
    ----------
    Loshchilov, Hutter: Decoupled Weight Decay Regularization, 2017.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **options: Any,
    ):
        if weight_decay is None:
            raise ValueError(
                "AdamW needs a weight_decay. Received: weight_decay=None. Use Adam, or weight_decay=0.004."
            )
        super().__init__(learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay=weight_decay, **options)


class Adamax(_Moments):
    """``m += (1 − β₁)(g − m)``, ``u = max(β₂·u, |g|)``, ``w −= η/(1 − β₁ᵗ)·m / (u + ε)``.

    References
    ----------
    Kingma, Ba: Adam: A Method for Stochastic Optimization, 2014, section 7.
    """

    slots = ("momentum", "norm")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        **options: Any,
    ):
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **options)

    def update(self, kernels, w, g, slots, learning_rate, weight_decay, rows=None):
        kernels.adamax_step(
            w, g, *slots,
            step=self.current_step, learning_rate=learning_rate, beta_1=self.beta_1, beta_2=self.beta_2,
            epsilon=self.epsilon, weight_decay=weight_decay, rows=rows,
        )  # fmt: skip


class Nadam(_Moments):
    """Adam with Nesterov momentum: ``m̂`` combines the next momentum and this gradient; momentum grows slowly.

    ``μₜ = β₁(1 − ½·0.96ᵗ)``, ``m̂ = μₜ₊₁·m/(1 − Πμ·μₜ₊₁) + (1 − μₜ)·g/(1 − Πμ)``, ``w −= η·m̂ / (√(v/(1 − β₂ᵗ)) + ε)``.

    References
    ----------
    Dozat: Incorporating Nesterov Momentum into Adam, ICLR workshop 2016.
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
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **options)
        self.momentum_product = 1.0

    def begin_step(self):
        self.momentum_product *= self.beta_1 * (1 - 0.5 * 0.96**self.current_step)

    def update(self, kernels, w, g, slots, learning_rate, weight_decay, rows=None):
        kernels.nadam_step(
            w, g, *slots,
            step=self.current_step, momentum_product=self.momentum_product, learning_rate=learning_rate,
            beta_1=self.beta_1, beta_2=self.beta_2, epsilon=self.epsilon, weight_decay=weight_decay, rows=rows,
        )  # fmt: skip

    def numbers(self):
        return {"momentum_product": self.momentum_product}

    def set_numbers(self, numbers):
        self.momentum_product = numbers["momentum_product"]

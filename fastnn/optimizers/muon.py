"""Muon: the momentum of a matrix made orthogonal."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastnn.lookup import is_number
from fastnn.optimizers.each_parameter import EachParameter, decayed

__all__ = ["Muon"]


class Muon(EachParameter):
    """``m = μ·m + g``, ``w −= η·√max(rows, columns)·rms_rate·orthogonal(g + μ·m)`` for matrices; the rest by AdamW.

    ``orthogonal`` brings all singular values near 1, by Newton's and Schulz's iteration
    ``x ← a·x + (b·x·xᵀ + c·(x·xᵀ)²)·x``.

    Parameters
    ----------
    learning_rate : float or schedule
    adam_beta_1, adam_beta_2, adam_weight_decay, epsilon : float
        AdamW's numbers, for vectors, arrays of three and more axes, embeddings and what ``exclude_layers`` names.
    weight_decay : float, optional
        That of matrices.
    exclude_layers : list of str, optional
        Patterns; parameters whose path ("dense/kernel") holds one go by AdamW. Name the output layer here.
    exclude_embeddings : bool
        Whether embeddings go by AdamW.
    muon_a, muon_b, muon_c : float
        The iteration's coefficients.
    adam_lr_ratio : float
        AdamW's learning rate over the matrices'.
    momentum : float
    ns_steps : int
        Iterations.
    nesterov : bool
        Whether g + μ·m is made orthogonal, or m.
    rms_rate : float or None
        The root mean square of a step; None leaves the factor out.
    **options
        Those of ``Optimizer``: clipnorm, use_ema, …

    References
    ----------
    Jordan et al.: Muon: An optimizer for hidden layers in neural networks, 2024.
    Liu et al.: Muon is Scalable for LLM Training, 2025.
    """

    slots = ("momentum", "velocity")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        adam_beta_1: float = 0.9,
        adam_beta_2: float = 0.999,
        adam_weight_decay: float | None = 0.004,
        epsilon: float = 1e-7,
        weight_decay: float | None = 0.004,
        exclude_layers: Sequence[str] | None = None,
        exclude_embeddings: bool = True,
        muon_a: float = 3.4445,
        muon_b: float = -4.7750,
        muon_c: float = 2.0315,
        adam_lr_ratio: float = 1,
        momentum: float = 0.95,
        ns_steps: int = 5,
        nesterov: bool = True,
        rms_rate: float | None = 0.2,
        **options: Any,
    ):
        super().__init__(learning_rate, weight_decay=weight_decay, **options)
        self._check(adam_weight_decay=adam_weight_decay, epsilon=epsilon, adam_lr_ratio=adam_lr_ratio)
        for word, value in (("adam_beta_1", adam_beta_1), ("adam_beta_2", adam_beta_2), ("momentum", momentum)):
            if not is_number(value) or not 0 <= value < 1:
                raise ValueError(f"{word} must be in [0, 1). Received: {word}={value!r}.")
        if isinstance(exclude_layers, str):
            raise TypeError(
                f"exclude_layers is a list of patterns. Received: exclude_layers={exclude_layers!r}. "
                f"Use exclude_layers=[{exclude_layers!r}]."
            )
        self.adam_beta_1, self.adam_beta_2, self.adam_weight_decay = adam_beta_1, adam_beta_2, adam_weight_decay
        self.epsilon, self.adam_lr_ratio = epsilon, adam_lr_ratio
        self.exclude_layers, self.exclude_embeddings = list(exclude_layers or ()), bool(exclude_embeddings)
        self.muon_a, self.muon_b, self.muon_c = muon_a, muon_b, muon_c
        self.momentum, self.ns_steps, self.nesterov, self.rms_rate = momentum, ns_steps, bool(nesterov), rms_rate

    def by_adam(self, parameter: Any) -> bool:
        """Whether AdamW updates this parameter."""
        path = getattr(parameter, "path", parameter.name)
        return (
            parameter.value.ndim != 2
            or (self.exclude_embeddings and "embedding" in path.lower())
            or any(re.search(pattern, path) for pattern in self.exclude_layers)
        )

    def decay_of(self, parameter, decay):
        return self.adam_weight_decay or 0.0 if self.by_adam(parameter) else decay

    def update_one(self, kernels, parameter, w, g, slots, learning_rate, weight_decay):
        momentum, velocity = slots
        decayed(w, learning_rate, weight_decay)
        if self.by_adam(parameter):
            kernels.adam_step(
                *(a.reshape(-1) for a in (w, g, momentum, velocity)),
                step=self.current_step, learning_rate=learning_rate * self.adam_lr_ratio,
                beta_1=self.adam_beta_1, beta_2=self.adam_beta_2, epsilon=self.epsilon,
            )  # fmt: skip
            return
        momentum *= momentum.dtype.type(self.momentum)
        momentum += g
        direction = g + w.dtype.type(self.momentum) * momentum if self.nesterov else momentum
        longest = 1.0 if self.rms_rate is None else math.sqrt(max(w.shape)) * self.rms_rate
        w -= w.dtype.type(learning_rate * longest) * self._orthogonal(kernels, direction)

    def _orthogonal(self, kernels: Any, x: np.ndarray) -> np.ndarray:
        """A matrix with the singular vectors of x, and singular values near 1."""
        tall = x.shape[0] > x.shape[1]
        x = np.ascontiguousarray(x.T) if tall else x
        x = x / x.dtype.type(math.sqrt(kernels.sum_of_squares(x.reshape(-1))) + 1e-7)
        a, b, c = (x.dtype.type(number) for number in (self.muon_a, self.muon_b, self.muon_c))
        for _ in range(self.ns_steps):
            square = kernels.gemm_nt(x, x)
            x = a * x + kernels.gemm_nn(b * square + c * kernels.gemm_nn(square, square), x)
        return x.T if tall else x

    def listed(self, parameter, slots):
        return slots if self.by_adam(parameter) else slots[:1]

    def get_config(self):
        return super().get_config() | {
            "adam_beta_1": self.adam_beta_1,
            "adam_beta_2": self.adam_beta_2,
            "epsilon": self.epsilon,
            "exclude_layers": self.exclude_layers,
            "muon_a": self.muon_a,
            "muon_b": self.muon_b,
            "muon_c": self.muon_c,
            "adam_lr_ratio": self.adam_lr_ratio,
            "momentum": self.momentum,
            "ns_steps": self.ns_steps,
            "nesterov": self.nesterov,
            "exclude_embeddings": self.exclude_embeddings,
            "adam_weight_decay": self.adam_weight_decay,
            "rms_rate": self.rms_rate,
        }

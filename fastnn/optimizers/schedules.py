"""Learning rates that depend on the step: ``schedule(step)`` returns the rate; steps count from 0.

>>> ExponentialDecay(0.1, decay_steps=10, decay_rate=0.5)(20)
0.025
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from fastnn.lookup import lookup, names_of
from fastnn.lookup import serialize as serialize

__all__ = [
    "CosineDecay",
    "CosineDecayRestarts",
    "ExponentialDecay",
    "InverseTimeDecay",
    "LearningRateSchedule",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
    "deserialize",
    "serialize",
]  # fmt: skip


class LearningRateSchedule:
    """Base of all schedules; a subclass implements ``__call__(step)`` and keeps its arguments as attributes."""

    def __call__(self, step: int) -> float:
        """Return the learning rate of ``step``."""
        raise NotImplementedError(
            f"{type(self).__name__} has no __call__(step). Define one that returns the learning rate."
        )

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that create an equal schedule."""
        return dict(vars(self))

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> LearningRateSchedule:
        """Create the schedule that ``get_config`` described."""
        return cls(**config)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self)) and type(self) is type(other) and self.get_config() == other.get_config()

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self.get_config().items())})"


def _positive(**steps: float) -> None:
    for word, value in steps.items():
        if value <= 0:
            raise ValueError(f"{word} must be positive. Received: {word}={value!r}.")


class ExponentialDecay(LearningRateSchedule):
    """``initial · decay_rate^(step / decay_steps)``; ``staircase`` rounds the exponent down."""

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        name: str = "ExponentialDecay",
    ):
        _positive(decay_steps=decay_steps)
        self.initial_learning_rate, self.decay_steps, self.decay_rate = initial_learning_rate, decay_steps, decay_rate
        self.staircase, self.name = staircase, name

    def __call__(self, step):
        p = step / self.decay_steps
        return self.initial_learning_rate * self.decay_rate ** (math.floor(p) if self.staircase else p)


class PiecewiseConstantDecay(LearningRateSchedule):
    """``values[i]`` up to and including step ``boundaries[i]``, the last value after all of them."""

    def __init__(self, boundaries: Sequence[float], values: Sequence[float], name: str = "PiecewiseConstant"):
        if len(boundaries) != len(values) - 1:
            raise ValueError(
                "There must be one more value than boundaries. "
                f"Received: {len(boundaries)} boundaries, {len(values)} values."
            )
        if list(boundaries) != sorted(boundaries):
            raise ValueError(f"boundaries must ascend. Received: boundaries={list(boundaries)!r}.")
        self.boundaries, self.values, self.name = list(boundaries), list(values), name

    def __call__(self, step):
        return float(self.values[sum(step > boundary for boundary in self.boundaries)])


class PolynomialDecay(LearningRateSchedule):
    """``(initial − end) · (1 − step / decay_steps)^power + end``, then ``end``; ``cycle`` stretches and restarts it."""

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        name: str = "PolynomialDecay",
    ):
        _positive(decay_steps=decay_steps)
        self.initial_learning_rate, self.decay_steps = initial_learning_rate, decay_steps
        self.end_learning_rate, self.power, self.cycle, self.name = end_learning_rate, power, cycle, name

    def __call__(self, step):
        steps = self.decay_steps * max(1, math.ceil(step / self.decay_steps)) if self.cycle else self.decay_steps
        left = 1 - min(step, steps) / steps
        return (self.initial_learning_rate - self.end_learning_rate) * left**self.power + self.end_learning_rate


class InverseTimeDecay(LearningRateSchedule):
    """``initial / (1 + decay_rate · step / decay_steps)``; ``staircase`` rounds the quotient down."""

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        name: str = "InverseTimeDecay",
    ):
        _positive(decay_steps=decay_steps)
        self.initial_learning_rate, self.decay_steps, self.decay_rate = initial_learning_rate, decay_steps, decay_rate
        self.staircase, self.name = staircase, name

    def __call__(self, step):
        p = step / self.decay_steps
        return self.initial_learning_rate / (1 + self.decay_rate * (math.floor(p) if self.staircase else p))


def _cosine(fraction: float, alpha: float) -> float:
    return (1 - alpha) * 0.5 * (1 + math.cos(math.pi * fraction)) + alpha


class CosineDecay(LearningRateSchedule):
    """Half a cosine from ``initial`` down to ``alpha·initial`` over ``decay_steps``, after an optional warm-up.

    Parameters
    ----------
    initial_learning_rate : float
    decay_steps : int
    alpha : float
        The lowest rate, as a fraction of the rate where the decay starts.
    warmup_target : float, optional
        The rate first grows from ``initial_learning_rate`` to this over ``warmup_steps``; the decay starts here.
    warmup_steps : int

    References
    ----------
    Loshchilov, Hutter: SGDR: Stochastic Gradient Descent with Warm Restarts, 2016.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        alpha: float = 0.0,
        name: str = "CosineDecay",
        warmup_target: float | None = None,
        warmup_steps: int = 0,
    ):
        _positive(decay_steps=decay_steps)
        self.initial_learning_rate, self.decay_steps, self.alpha, self.name = (
            initial_learning_rate,
            decay_steps,
            alpha,
            name,
        )
        self.warmup_target, self.warmup_steps = warmup_target, warmup_steps

    def __call__(self, step):
        start = self.initial_learning_rate
        if self.warmup_target is not None:
            if step < self.warmup_steps:
                return start + (self.warmup_target - start) * step / self.warmup_steps
            start, step = self.warmup_target, step - self.warmup_steps
        return start * _cosine(min(step, self.decay_steps) / self.decay_steps, self.alpha)


class CosineDecayRestarts(LearningRateSchedule):
    """Half a cosine, repeated: each cycle is ``t_mul`` times as long and ``m_mul`` times as high as the previous one.

    References
    ----------
    Loshchilov, Hutter: SGDR: Stochastic Gradient Descent with Warm Restarts, 2016.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        first_decay_steps: int,
        t_mul: float = 2.0,
        m_mul: float = 1.0,
        alpha: float = 0.0,
        name: str = "SGDRDecay",
    ):
        _positive(first_decay_steps=first_decay_steps)
        if t_mul < 1:
            raise ValueError(f"t_mul must be at least 1: cycles cannot get shorter. Received: t_mul={t_mul!r}.")
        self.initial_learning_rate, self.first_decay_steps = initial_learning_rate, first_decay_steps
        self.t_mul, self.m_mul, self.alpha, self.name = t_mul, m_mul, alpha, name

    def __call__(self, step):
        run, length, begin = 0, float(self.first_decay_steps), 0.0
        if self.t_mul == 1:
            run = math.floor(step / length)
            begin = run * length
        else:
            while step >= begin + length:
                run, begin, length = run + 1, begin + length, length * self.t_mul
        height = self.m_mul**run
        wave = 0.5 * height * (1 + math.cos(math.pi * (step - begin) / length))
        return self.initial_learning_rate * ((1 - self.alpha) * wave + self.alpha)


_TABLE = names_of(
    [ExponentialDecay, PiecewiseConstantDecay, PolynomialDecay, InverseTimeDecay, CosineDecay, CosineDecayRestarts]
)


def deserialize(config: dict[str, Any]) -> LearningRateSchedule:
    """Create the schedule that ``serialize`` described."""
    return lookup("learning-rate schedule", config, _TABLE)

"""Layers that draw random numbers: a key, and a counter of draws, so that a run repeats from its seed."""

from __future__ import annotations

from typing import Any

from ... import utils
from ...graph import next_draw
from ..base import Layer, Shape
from .arguments import seed_of

__all__ = ["DrawingLayer"]


class DrawingLayer(Layer):
    """Base of dropout and noise: draws are a function of the layer's ``key`` and of how often it has drawn.

    Parameters
    ----------
    seed : int, optional
        A fixed key; None takes one from ``fastnn.utils.set_random_seed``, when the layer is built.

    Attributes
    ----------
    key : int
    calls : int
        Draws so far.
    """

    supports_masking = True

    def __init__(self, seed: int | None = None, **settings: Any):
        super().__init__(**settings)
        self.seed, self.calls = seed_of(seed, self), 0

    def build(self, input_shape: Shape) -> None:
        self.key = utils.draw_key() if self.seed is None else self.seed % (1 << 64)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def next_call(self) -> int:
        """The counter of this draw."""
        return next_draw(self)

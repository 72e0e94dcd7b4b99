"""What acts in training alone: dropout, noise and penalties are gone from the file."""

from __future__ import annotations

from typing import Any, NoReturn

from ....layers import (
    ActivityRegularization,
    AlphaDropout,
    Dropout,
    GaussianDropout,
    GaussianNoise,
    MixUp,
    RandomBrightness,
    RandomContrast,
    RandomErasing,
    RandomFlip,
    RandomRotation,
    RandomShear,
    RandomTranslation,
    RandomZoom,
)
from ....layers.support.symbolic_call import ActivityPenalty
from ....ops.random import Draw, Drop
from .table import Call, converts
from .value import Value
from .writer import Writer

__all__: list[str] = []


@converts(Dropout, AlphaDropout, GaussianDropout, GaussianNoise, ActivityRegularization, ActivityPenalty)
@converts(RandomFlip, RandomRotation, RandomTranslation, RandomZoom, RandomShear)
@converts(RandomBrightness, RandomContrast, RandomErasing, MixUp)
def left_out(w: Writer, layer: Any, call: Call) -> Value:
    return call.x


@converts(Draw, Drop)
def drawn(w: Writer, operation: Any, call: Call) -> NoReturn:
    raise ValueError(
        "An ONNX file holds a model as it predicts, without random numbers. Received: a call that draws "
        f"({operation.name}) in prediction too. Use if training: ... around it, in call(self, x, training=False)."
    )

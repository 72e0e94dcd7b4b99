"""What a layer is to those that join it with its neighbours."""

from __future__ import annotations

from typing import Any

from ...layers.convolution.convolving import Convolving
from ...layers.core.activation import ActivationLayer
from ...layers.core.dense import Dense
from ...layers.recurrent.time_distributed import TimeDistributed

__all__ = ["at_every_step", "is_activation", "is_relu", "takes_rule"]


def at_every_step(layer: Any) -> Any:
    """The layer inside a TimeDistributed, where it runs on sequences as it does on single steps."""
    if type(layer) is not TimeDistributed:
        return layer
    inner = at_every_step(layer.layer)
    if type(inner) is Dense:
        return inner
    elementwise = is_activation(inner) and getattr(inner.rule.activation, "axis", -1) == -1
    return inner if elementwise else layer


def is_activation(layer: Any) -> bool:
    return isinstance(layer, ActivationLayer) and not layer._traced


def is_relu(layer: Any) -> bool:
    return is_activation(layer) and layer.rule.fused == "relu"


def takes_rule(layer: Any) -> bool:
    """Whether ``layer.forward_as`` runs the layer with another activation."""
    return isinstance(layer, (Dense, Convolving)) and not layer._traced and not getattr(layer, "channels_first", False)

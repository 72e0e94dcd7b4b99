"""What a layer does with its ``activation=``: which part its kernel takes over, and what runs after the kernel."""

from __future__ import annotations

from typing import Any

from ... import activations

__all__ = ["FusedActivation", "fused_activation"]


class FusedActivation:
    """An activation as a layer uses it.

    Attributes
    ----------
    activation : Activation
        The object behind it, with ``forward(x) -> (y, ctx)`` and ``backward(dy, ctx) -> dx``.
    fused : str
        What the layer tells its kernel: the activation's name, or "linear" where the kernel cannot compute it.
    separate : bool
        Whether ``forward`` and ``backward`` of the rule run beside the kernel.
    """

    __slots__ = ("activation", "backward", "forward", "fused", "name", "separate")

    def __init__(self, activation: Any):
        self.activation = activation
        self.name = getattr(activation, "name", type(activation).__name__)
        self.fused = self.name if getattr(activation, "fusible", False) else "linear"
        self.separate = not getattr(activation, "fusible", False)
        self.forward, self.backward = activation.forward, activation.backward


def fused_activation(activation: Any) -> FusedActivation:
    """The rule for what was given as ``activation=``: None, a name, a function, or an object with forward and backward.

    Raises
    ------
    ValueError
        For an unknown name.
    TypeError
        For anything that is not an activation.
    """
    if hasattr(activation, "forward") and hasattr(activation, "backward") and not isinstance(activation, type):
        return FusedActivation(activation)
    return FusedActivation(activations.activation_of(activation))

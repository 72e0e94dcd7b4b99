"""What makes a model a layer, to stand inside another model or a wrapper: the weights of its layers, run one by one."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..layers.base import Layer, Parameter

__all__ = ["LayerOfLayers"]


class LayerOfLayers(Layer):
    """Base of models; a subclass says its ``layers`` and ``leaves``."""

    uses_mask = True

    @property
    def layers(self) -> list[Layer]:
        """The layers in order."""
        raise NotImplementedError

    def leaves(self) -> list[tuple[Layer, bool]]:
        """All layers that are no models, in order, each with whether the models around it let it be trained."""
        raise NotImplementedError

    @property
    def trainable(self) -> bool:
        """Whether training changes the weights; setting it sets all layers. Compile the model again afterwards."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)
        for layer in self.layers:
            layer.trainable = value

    @property
    def weights(self) -> list[Parameter]:
        """All parameters, layer by layer."""
        return [p for layer, _ in self.leaves() for p in layer.weights]

    @property
    def trainable_weights(self) -> list[Parameter]:
        """The parameters that training changes."""
        return [p for layer, free in self.leaves() if free for p in layer.trainable_weights]

    @property
    def non_trainable_weights(self) -> list[Parameter]:
        """The parameters that training leaves alone."""
        trainable = {id(p) for p in self.trainable_weights}
        return [p for p in self.weights if id(p) not in trainable]

    @property
    def takes_ids(self) -> bool:
        """Whether the first layer takes ids."""
        first = next(iter(self.leaves()), None)
        return first is not None and first[0].takes_ids

    def check_ids(self, ids: np.ndarray) -> None:
        """Raise the error of an id that the first layer does not know."""
        self.leaves()[0][0].check_ids(ids)

    @property
    def supports_masking(self) -> bool:
        """Whether a mask of the input comes out with the output."""
        return all(layer.supports_masking for layer, _ in self.leaves())

    def compute_mask(self, x: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray | None:
        """The mask of the output: runs the layers, since each may make a mask of what the one before gives."""
        return self._run(x, False, mask)[2]

    def forward(self, x: np.ndarray, training: bool = False, mask: np.ndarray | None = None) -> tuple[np.ndarray, Any]:
        return self._run(x, training, mask)[:2]

    def backward(self, dy: np.ndarray, ctx: Any) -> np.ndarray | None:
        for (layer, _), piece in zip(reversed(self.leaves()), reversed(ctx), strict=True):
            dy = layer.backward(dy, piece)
        return dy

    def _run(self, x: np.ndarray, training: bool, mask: Any) -> tuple[np.ndarray, list[Any], Any]:
        """All layers one by one: the output, what ``backward`` needs, and the mask of the output."""
        tape = []
        for layer, _ in self.leaves():
            y, ctx = layer.forward(x, training, mask) if layer.uses_mask else layer.forward(x, training)
            mask = layer.compute_mask(x, mask)
            tape.append(ctx)
            x = y
        return x, tape, mask

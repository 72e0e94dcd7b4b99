"""Masks on their way through a model: which block wants them, passes them on, ends or drops them."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..layers.base import Layer

__all__ = ["part_of", "warn_of_dropped_masks"]

After = Callable[[np.ndarray, np.ndarray | None], np.ndarray | None]


def part_of(block: Any) -> tuple[Callable[..., tuple[np.ndarray, Any]], bool, After]:
    """A block's ``forward``, whether that takes the mask, and the function of input and mask that gives the next mask.

    A block of several layers passes the mask on if each of them does.
    """
    layers = getattr(block, "layers", None)
    if layers is None:
        return block.forward, block.uses_mask, block.compute_mask
    return block.forward, False, _same if all(layer.supports_masking for layer in layers) else _none


def _same(x: np.ndarray, mask: np.ndarray | None) -> np.ndarray | None:
    return mask


def _none(x: np.ndarray, mask: np.ndarray | None) -> None:
    return None


def warn_of_dropped_masks(layers: Sequence[Layer]) -> None:
    """Say where a mask gets lost: at a layer that neither uses it nor passes it on."""
    maker = None
    for layer in layers:
        if maker is not None and not layer.supports_masking:
            if not (layer.uses_mask or layer.makes_mask):
                warnings.warn(
                    f'Layer "{layer.name}" ({type(layer).__name__}) does not pass on the mask that "{maker.name}" '
                    "makes: from here on padded time steps count like all others. A layer that ends the mask by using "
                    "it, such as LSTM or GlobalAveragePooling1D, avoids this.",
                    stacklevel=3,
                )
            maker = None
        if layer.makes_mask:
            maker = layer

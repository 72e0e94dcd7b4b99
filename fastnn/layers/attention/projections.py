"""Linear projections of one array into heads: one pass over the array for all of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...backend import active
from ..core.einsum_dense import EinsumDense

__all__ = ["project", "project_backward"]


def project(x: np.ndarray, layers: Sequence[EinsumDense]) -> list[np.ndarray]:
    """The outputs of several ``EinsumDense("...d,dnh->...nh")`` without activation: (..., D) → (..., heads, depth)."""
    rows = x.reshape(-1, x.shape[-1])
    biases = None if layers[0].bias is None else [layer.bias.value.reshape(-1) for layer in layers]
    found = active().projections_forward(rows, _matrices(layers), biases)
    outer = x.shape[:-1]
    return [y.reshape(outer + layer.kernel.shape[1:]) for y, layer in zip(found, layers, strict=True)]


def project_backward(
    dy: Sequence[np.ndarray], x: np.ndarray, layers: Sequence[EinsumDense], need_dx: bool = True
) -> np.ndarray | None:
    """The gradient of ``x``, the sum over all layers; those of their weights are theirs."""
    rows = x.reshape(-1, x.shape[-1])
    matrices = _matrices(layers)
    biased = layers[0].bias is not None
    dx, _, _ = active().projections_backward(
        [a.reshape(-1, w.shape[1]) for a, w in zip(dy, matrices, strict=True)],
        rows,
        matrices,
        need_dx=need_dx,
        need_db=biased,
        dw=[layer.kernel.grad.reshape(w.shape) for layer, w in zip(layers, matrices, strict=True)],
        db=[layer.bias.grad.reshape(-1) for layer in layers] if biased else None,
    )
    return None if dx is None else dx.reshape(x.shape)


def _matrices(layers: Sequence[EinsumDense]) -> list[np.ndarray]:
    return [layer.kernel.value.reshape(layer.kernel.shape[0], -1) for layer in layers]

"""What several layers compute one after another, as one operation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...backend import active
from ...graph import Operation
from ...layers.base import Layer, Parameter
from ...layers.convolution.conv2d import Conv2D
from ...layers.convolution.convolving import Convolving
from ...layers.core.dense import Dense
from ...layers.core.positions import PositionEmbedding, SinePositionEncoding
from ...layers.normalization.batch_normalization import BatchNormalization
from ...layers.pooling.pooling2d import MaxPooling2D
from ...layers.support.fused_activation import FusedActivation, fused_activation
from ...layers.support.row_norm import RowNorm
from ...ops.function import wanted

__all__ = ["ConvPool", "FoldedNorm", "NormOfSum", "NormWithRelu", "NormWithResidual", "WithActivation", "WithPositions"]


class FusedLayers(Operation):
    """Base of operations that compute what several layers compute one after another."""

    layer: Any
    layers: tuple[Layer, ...]

    @property
    def weights(self) -> Sequence[Parameter]:
        return self.layer.weights

    @property
    def name(self) -> str:  # type: ignore[override]
        """The names of the layers, joined."""
        return "+".join(layer.name for layer in self.layers)

    @property
    def supports_masking(self) -> bool:  # type: ignore[override]
        """Whether each of the layers passes the mask on."""
        return all(layer.supports_masking for layer in self.layers)

    def compute_mask(self, x: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray | None:
        return mask if self.supports_masking else None


class WithActivation(FusedLayers):
    """A Dense or convolution layer, with the activation of ``rule`` in place of its own."""

    def __init__(self, layer: Dense | Convolving, rule: FusedActivation, others: Sequence[Layer] = ()):
        self.layer, self.rule, self.layers = layer, rule, (layer, *others)

    def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, Any]:
        return self.layer.forward_as(x, self.rule)

    def backward(self, dy: np.ndarray, ctx: Any, need_dx: bool = True) -> np.ndarray | None:
        return self.layer.backward_as(dy, ctx, self.rule, need_dx)


class ConvPool(FusedLayers):
    """Convolution, bias, activation and max pooling in one pass."""

    def __init__(self, conv: Conv2D, activation: str, pool: MaxPooling2D, others: Sequence[Layer] = ()):
        self.layer, self.layers = conv, (conv, *others, pool)
        self.settings = (pool.pool_size, conv.strides, conv.padding, conv.dilation_rate, activation)

    def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, Any]:
        conv = self.layer
        bias = conv.bias.value if conv.bias is not None else None
        y, argmax = active().conv2d_pool_forward(x, conv.kernel.value, bias, *self.settings)
        return y, (x, y, argmax)

    def backward(self, dy: np.ndarray, ctx: Any, need_dx: bool = True) -> np.ndarray | None:
        conv, bias = self.layer, self.layer.bias
        x, y, argmax = ctx
        dx, _, _ = active().conv2d_pool_backward(
            dy,
            x,
            conv.kernel.value,
            y,
            argmax,
            *self.settings,
            need_dx=need_dx,
            need_db=bias is not None,
            dw=conv.kernel.grad,
            db=bias.grad if bias is not None else None,
        )
        return dx


class NormWithRelu(FusedLayers):
    """Batch normalization and the ReLU behind it in one pass."""

    uses_mask = True

    def __init__(self, norm: BatchNormalization, relu: Layer):
        self.layer, self.layers = norm, (norm, relu)

    def forward(self, x: np.ndarray, training: bool = False, mask: np.ndarray | None = None) -> tuple[np.ndarray, Any]:
        return self.layer.forward_as(x, training, mask, "relu")

    def backward(self, dy: np.ndarray, ctx: Any, need_dx: bool = True) -> np.ndarray | None:
        return self.layer.backward_as(dy, ctx, need_dx)[0]


class NormWithResidual(FusedLayers):
    """Batch normalization, the sum with a residual, and the ReLU behind it if there is one, in one pass.

    The inputs are the array to normalize and the residual.
    """

    takes_several = True
    selects_gradients = True
    uses_mask = True

    def __init__(self, norm: BatchNormalization, add: Any, relu: Layer | None = None):
        self.layer, self.add = norm, add
        self.layers = (norm, add) if relu is None else (norm, add, relu)
        self.activation = "linear" if relu is None else "relu"

    def forward(self, x: list[np.ndarray], training: bool = False, mask: Any = None) -> tuple[np.ndarray, Any]:
        return self.layer.forward_as(x[0], training, None if mask is None else mask[0], self.activation, x[1])

    def backward(self, dy: np.ndarray, ctx: Any, need_dx: Any = True) -> list[np.ndarray | None]:
        first, second = wanted(need_dx, 2)
        cut = self.activation != "linear"
        dx, dresidual = self.layer.backward_as(dy, ctx, first, second and cut)
        return [dx, dresidual if cut else dy if second else None]

    def compute_mask(self, x: Any, mask: Any = None) -> np.ndarray | None:
        return self.add.compute_mask(x, mask) if self.supports_masking else None


class NormOfSum(FusedLayers):
    """The sum of two arrays and the norm of its rows in one pass; the outputs are the norm and, if it is kept, the sum.

    In a Transformer that normalizes first, the sum continues as the residual stream: its gradient is added in the same
    pass as well.
    """

    takes_several = True
    selects_gradients = True

    def __init__(self, add: Any, norm: RowNorm, keeps_sum: bool):
        self.layer, self.add, self.layers, self.gives_several = norm, add, (add, norm), keeps_sum

    def forward(self, x: list[np.ndarray], training: bool = False) -> tuple[Any, Any]:
        y, total, ctx = self.layer.forward_as(*x)
        return [y, total] if self.gives_several else y, ctx

    def backward(self, dy: Any, ctx: Any, need_dx: Any = True) -> list[np.ndarray | None]:
        need = wanted(need_dx, 2)
        dy, dtotal = dy if self.gives_several else (dy, None)
        if dy is None:  # no loss depends on the norm
            for p in self.weights:
                p.grad[...] = 0
            dx = dtotal
        else:
            dx = self.layer.backward_as(dy, ctx, any(need), dtotal)
        return [dx if needed else None for needed in need]

    def compute_mask(self, x: Any, mask: Any = None) -> Any:
        mask = self.add.compute_mask(x, mask) if self.supports_masking else None
        return [mask, mask] if self.gives_several else mask


class WithPositions(FusedLayers):
    """x plus the vectors of the places in it: the rows of the table are added to every sequence."""

    def __init__(self, positions: PositionEmbedding | SinePositionEncoding, add: Any):
        self.layer, self.layers = positions, (positions, add)

    def forward(self, x: np.ndarray, training: bool = False, start_index: int = 0) -> tuple[np.ndarray, Any]:
        return x + self.layer.rows(x.shape, start_index), start_index

    def backward(self, dy: np.ndarray, ctx: Any, need_dx: bool = True) -> np.ndarray | None:
        self.layer.backward(dy, ctx)
        return dy if need_dx else None


class FoldedNorm(FusedLayers):
    """A linear Dense or convolution layer and the batch normalization behind it, and a ReLU if there is one.

    In training the two run in sequence.  In inference the normalization is y = x·scale + shift with numbers
    that do not depend on x, so the layer runs with kernel·scale and bias·scale + shift.  Both are computed in each
    call: that is never stale, and costs as much as a pass over an output of the size of the kernel.  A smaller output
    is normalized in a pass of its own.
    """

    uses_mask = True

    def __init__(self, layer: Any, norm: BatchNormalization, relu: Layer | None = None):
        self.layer, self.norm = layer, norm
        self.layers = (layer, norm) if relu is None else (layer, norm, relu)
        self.rule = fused_activation(None) if relu is None else fused_activation("relu")

    @property
    def weights(self) -> Sequence[Parameter]:
        return [*self.layer.weights, *self.norm.weights]

    def forward(self, x: np.ndarray, training: bool = False, mask: np.ndarray | None = None) -> tuple[np.ndarray, Any]:
        if training or not self._folding_pays(x):
            return self._one_by_one(x, training, mask)
        layer, (scale, shift) = self.layer, self.norm.scale_and_shift()
        kernel, bias = layer.weights_for_kernel()
        folded = kernel * scale, shift if bias is None else bias * scale + shift
        return layer.forward_as(x, self.rule, folded)[0], x

    def _one_by_one(self, x: np.ndarray, training: bool, mask: np.ndarray | None) -> tuple[np.ndarray, Any]:
        z, before = self.layer.forward_as(x, self.layer.rule)
        mask = mask if self.layer.supports_masking else None
        y, after = self.norm.forward_as(z, training, mask, self.rule.fused)
        return y, (before, after)

    def _folding_pays(self, x: np.ndarray) -> bool:
        places = x.size // x.shape[-1] // math.prod(getattr(self.layer, "strides", ()))
        return places * self.norm.moving_mean.value.size >= 2 * self.layer.kernel.value.size

    def backward(self, dy: np.ndarray, ctx: Any, need_dx: bool = True) -> np.ndarray | None:
        if isinstance(ctx, np.ndarray):  # the input of a folded run, which kept nothing else
            _, ctx = self._one_by_one(ctx, False, None)
        before, after = ctx
        dz = self.norm.backward_as(dy, after)[0]
        return self.layer.backward_as(dz, before, self.layer.rule, need_dx)

"""Models with branches in PyTorch; each takes the weights from an iterator, in Keras' order."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

EPSILON = 1e-3  # Keras' for both normalizations

Weights = Iterator[torch.Tensor]


def transformer(w: Weights, rate: float) -> nn.Sequential:
    return nn.Sequential(Words(w), *(EncoderBlock(w, rate) for _ in range(2)), MeanOverTime(), dense(w))


def resnet(w: Weights, rate: float) -> nn.Sequential:
    stem = ConvNorm(conv(w), batch_norm(w)), nn.ReLU(inplace=True)
    blocks = (ResidualBlock(w, stride) for stride in (1, 1, 2, 1, 2, 1))
    return nn.Sequential(*stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), dense(w))


def gpt(w: Weights, rate: float) -> nn.Sequential:
    return nn.Sequential(Words(w), *(DecoderBlock(w) for _ in range(4)), layer_norm(w), dense(w))


GRAPHS = {"transformer": transformer, "resnet": resnet, "gpt": gpt}


def dense(w: Weights) -> nn.Linear:
    kernel, bias = next(w), next(w)
    layer = nn.Linear(*kernel.shape)
    layer.weight.data, layer.bias.data = kernel.T.contiguous(), bias.clone()
    return layer


def layer_norm(w: Weights) -> nn.LayerNorm:
    scale, offset = next(w), next(w)
    layer = nn.LayerNorm(len(scale), EPSILON)
    layer.weight.data, layer.bias.data = scale.clone(), offset.clone()
    return layer


class Words(nn.Module):
    """Vectors of the ids plus those of their places."""

    def __init__(self, w: Weights) -> None:
        super().__init__()
        self.words = nn.Embedding.from_pretrained(next(w).clone(), freeze=False)
        self.places = nn.Parameter(next(w).clone())

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return self.words(ids) + self.places


class Attention(nn.Module):
    """Self-attention; query, key and value come from one product."""

    def __init__(self, w: Weights, causal: bool) -> None:
        super().__init__()
        kernels, biases = zip(*((next(w), next(w)) for _ in range(3)), strict=True)
        width, self.heads, depth = kernels[0].shape
        together = torch.cat([kernel.reshape(width, -1) for kernel in kernels], dim=1)
        self.project = dense(iter((together, torch.cat([bias.reshape(-1) for bias in biases]))))
        self.output = dense(iter((next(w).reshape(self.heads * depth, width), next(w))))
        self.causal = causal

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, steps, _ = x.shape
        q, k, v = self.project(x).view(batch, steps, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        y = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=self.causal)
        return self.output(y.transpose(1, 2).reshape(batch, steps, -1))


class EncoderBlock(nn.Module):
    """Sums are normalized (post-norm)."""

    def __init__(self, w: Weights, rate: float) -> None:
        super().__init__()
        self.attention, self.norm1 = Attention(w, causal=False), layer_norm(w)
        self.feed_forward, self.norm2 = nn.Sequential(dense(w), nn.ReLU(), dense(w)), layer_norm(w)
        self.dropout = nn.Dropout(rate)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.norm1(x + self.dropout(self.attention(x)))
        return self.norm2(x + self.dropout(self.feed_forward(x)))


class DecoderBlock(nn.Module):
    """Inputs are normalized (pre-norm); a step sees itself and what came before."""

    def __init__(self, w: Weights) -> None:
        super().__init__()
        self.attention = nn.Sequential(layer_norm(w), Attention(w, causal=True))
        self.feed_forward = nn.Sequential(layer_norm(w), dense(w), nn.GELU(), dense(w))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self.attention(x)
        return x + self.feed_forward(x)


class MeanOverTime(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean(1)


class PaddedBehind(nn.Conv2d):
    """A convolution with stride 2 that pads as Keras does, below and to the right only: an option that Conv2d lacks."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(nn.functional.pad(x, (0, 1, 0, 1)))


def conv(w: Weights, stride: int = 1) -> nn.Conv2d:
    """Without a bias; half as large as the input where the stride is 2."""
    kernel = next(w)
    size, _, channels, filters = kernel.shape
    kind, padding = (PaddedBehind, 0) if size > stride > 1 else (nn.Conv2d, size // 2)
    layer = kind(channels, filters, size, stride, padding, bias=False)
    layer.weight.data = kernel.permute(3, 2, 0, 1).contiguous()
    return layer


def batch_norm(w: Weights) -> nn.BatchNorm2d:
    scale, offset, mean, variance = (next(w).clone() for _ in range(4))
    layer = nn.BatchNorm2d(len(scale), EPSILON, momentum=0.01)
    layer.weight.data, layer.bias.data = scale, offset
    layer.running_mean, layer.running_var = mean, variance
    return layer


class ConvNorm(nn.Sequential):
    """A convolution and its batch normalization."""

    def fold(self) -> None:
        """At inference they are one convolution."""
        self[0], self[1] = fuse_conv_bn_eval(self[0], self[1]), nn.Identity()


class ResidualBlock(nn.Module):
    """Two convolutions; where the first has a stride, the other branch is a projection."""

    def __init__(self, w: Weights, stride: int) -> None:
        super().__init__()
        self.first = ConvNorm(conv(w, stride), batch_norm(w))
        second, projection = conv(w), conv(w, stride) if stride > 1 else None
        self.second = ConvNorm(second, batch_norm(w))
        self.shortcut = ConvNorm(projection, batch_norm(w)) if projection else nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = nn.functional.relu(self.first(x), inplace=True)
        return nn.functional.relu(self.second(y) + self.shortcut(x), inplace=True)


def fold_norms(model: nn.Module) -> nn.Module:
    """Batch normalizations join the convolutions before them, for inference."""
    model.eval()
    for module in list(model.modules()):
        if isinstance(module, ConvNorm):
            module.fold()
    return model

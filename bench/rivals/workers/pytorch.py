"""PyTorch: fused Adam, ``inference_mode``; modes: default, channels_last, and either with ``torch.compile``."""

from __future__ import annotations

from functools import partial
from math import sqrt

import numpy as np
import torch
import torch._inductor.config
from torch import nn

from bench.rivals.workers.pytorch_graphs import GRAPHS, fold_norms
from bench.rivals.workers.worker import Job, Run, is_binary, serve


def mlp(w: list[torch.Tensor]) -> nn.Sequential:
    return nn.Sequential(nn.Flatten(), dense(w[0], w[1]), nn.ReLU(), dense(w[2], w[3]))


def cnn(w: list[torch.Tensor]) -> nn.Sequential:
    blocks = [layer for i in (0, 2, 4) for layer in (conv(w[i], w[i + 1]), nn.ReLU(), nn.MaxPool2d(2))]
    return nn.Sequential(*blocks, nn.Flatten(), dense(w[6], w[7]), nn.ReLU(), dense(w[8], w[9]))


def bilstm(w: list[torch.Tensor]) -> nn.Sequential:
    first, second = recurrent(nn.LSTM, w[1:7]), recurrent(nn.LSTM, w[7:13])
    ends = dense(w[13], w[14]), nn.ReLU(), dense(w[15], w[16])
    return nn.Sequential(embedding(w[0]), Sequences(first), LastState(second), *ends)


def classifier(cell: type[nn.RNNBase], w: list[torch.Tensor]) -> nn.Sequential:
    return nn.Sequential(embedding(w[0]), LastState(recurrent(cell, w[1:4])), dense(w[4], w[5]))


MODELS = {
    "mlp": mlp,
    "cnn": cnn,
    "bilstm": bilstm,
    "simplernn": partial(classifier, nn.RNN),
    "gru": partial(classifier, nn.GRU),
    "lstm": partial(classifier, nn.LSTM),
}


def build(job: Job, weights: list[np.ndarray]) -> nn.Module:
    w = [torch.tensor(array) for array in weights]  # copies: training writes into them
    return MODELS[job.model](w) if job.model in MODELS else GRAPHS[job.model](iter(w), job.dropout)


def dense(w: torch.Tensor, b: torch.Tensor) -> nn.Linear:
    layer = nn.Linear(*w.shape)
    layer.weight.data, layer.bias.data = w.T.contiguous(), b.clone()
    return layer


def conv(w: torch.Tensor, b: torch.Tensor) -> nn.Conv2d:
    layer = nn.Conv2d(w.shape[2], w.shape[3], tuple(w.shape[:2]))
    layer.weight.data, layer.bias.data = w.permute(3, 2, 0, 1).contiguous(), b.clone()
    return layer


def embedding(w: torch.Tensor) -> nn.Embedding:
    return nn.Embedding.from_pretrained(w.clone(), freeze=False)


def recurrent(cell: type[nn.RNNBase], w: list[torch.Tensor]) -> nn.RNNBase:
    """A cell from kernel, recurrent kernel and bias, or from these of both directions.

    LSTM's gates stand in Keras' order, GRU's first two change places. PyTorch has two biases everywhere; where Keras
    has one, that of the state stays zero, untrained.
    """
    layer = cell(w[0].shape[0], w[1].shape[0], batch_first=True, bidirectional=len(w) == 6)
    for i, suffix in enumerate(("", "_reverse")[: len(w) // 3]):
        kernel, state_kernel, bias = w[3 * i : 3 * i + 3]
        if cell is nn.GRU:
            kernel, state_kernel, bias = (reset_first(a) for a in (kernel, state_kernel, bias))
        both = bias.ndim == 2
        getattr(layer, f"weight_ih_l0{suffix}").data = kernel.T.contiguous()
        getattr(layer, f"weight_hh_l0{suffix}").data = state_kernel.T.contiguous()
        getattr(layer, f"bias_ih_l0{suffix}").data = (bias[0] if both else bias).clone()
        state_bias = getattr(layer, f"bias_hh_l0{suffix}")
        state_bias.data = bias[1].clone() if both else torch.zeros_like(bias)
        state_bias.requires_grad = both
    return layer


def reset_first(a: torch.Tensor) -> torch.Tensor:
    """Gates z, r, h as r, z, h."""
    z, r, h = a.chunk(3, dim=-1)
    return torch.cat((r, z, h), dim=-1)


class Sequences(nn.Module):
    """The outputs of all steps."""

    def __init__(self, layer: nn.RNNBase) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x)[0]


class LastState(Sequences):
    """The state after the last step, of both directions if there are two."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        states = self.layer(x)[1]
        h = states[0] if isinstance(states, tuple) else states
        return torch.cat((h[0], h[1]), dim=1) if len(h) == 2 else h[0]


def tensor(batch: np.ndarray, memory_format: torch.memory_format) -> torch.Tensor:
    """A ready batch; images go from NHWC to PyTorch's order of axes."""
    t = torch.from_numpy(batch)
    return t.permute(0, 3, 1, 2).contiguous(memory_format=memory_format) if t.ndim == 4 else t


def class_loss(z: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Of classes along the last axis, at one place or at many."""
    return nn.functional.cross_entropy(z.flatten(0, -2), y.flatten())


def prepare(job: Job) -> Run:
    torch.set_num_threads(job.threads)
    torch.set_flush_denormal(True)
    layout, _, compiled = job.mode.partition("+")
    memory_format = torch.channels_last if layout == "channels_last" else torch.contiguous_format
    weights, x, y = job.load()
    binary = is_binary(weights)
    model = build(job, weights).to(memory_format=memory_format)
    x = [tensor(batch, memory_format) for batch in x]
    y = [torch.from_numpy(labels) for labels in y]
    torch._inductor.config.freezing = (
        not job.training
    )  # the compiler may fold an inference model's weights into its code
    maybe = torch.compile if compiled else lambda function: function

    if not job.training:
        last = nn.Sigmoid() if binary else nn.Softmax(dim=-1)
        infer = maybe(nn.Sequential(fold_norms(model), last).eval())

        @torch.inference_mode()
        def predict(i: int) -> torch.Tensor:
            return infer(x[i % len(x)])

        return Run(predict)

    optimizer = torch.optim.Adam(model.parameters(), lr=job.learning_rate, eps=1e-7, fused=True)
    entropy = nn.functional.binary_cross_entropy_with_logits if binary else class_loss
    loss_of = maybe(lambda x, y: entropy(model(x), y))

    group = optimizer.param_groups[0]

    def step(i: int) -> torch.Tensor:
        group["eps"] = 1e-7 / sqrt(1 - 0.999 ** (i + 1))  # Keras' rule: ε joins √v before the bias correction
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of(x[i % len(x)], y[i % len(x)])
        loss.backward()
        optimizer.step()
        return loss.detach()

    return Run(step)


if __name__ == "__main__":
    serve(prepare)

"""PyTorch: fused Adam, ``inference_mode``; modes: default, channels_last, and either with ``torch.compile``."""

from __future__ import annotations

from math import sqrt

import numpy as np
import torch
import torch._inductor.config
from torch import nn

from bench.rivals.workers.worker import Job, Run, serve


def mlp(w: list[torch.Tensor]) -> nn.Sequential:
    return nn.Sequential(nn.Flatten(), dense(w[0], w[1]), nn.ReLU(), dense(w[2], w[3]))


def cnn(w: list[torch.Tensor]) -> nn.Sequential:
    blocks = [layer for i in (0, 2, 4) for layer in (conv(w[i], w[i + 1]), nn.ReLU(), nn.MaxPool2d(2))]
    return nn.Sequential(*blocks, nn.Flatten(), dense(w[6], w[7]), nn.ReLU(), dense(w[8], w[9]))


MODELS = {"mlp": mlp, "cnn": cnn}


def dense(w: torch.Tensor, b: torch.Tensor) -> nn.Linear:
    layer = nn.Linear(*w.shape)
    layer.weight.data, layer.bias.data = w.T.contiguous(), b.clone()
    return layer


def conv(w: torch.Tensor, b: torch.Tensor) -> nn.Conv2d:
    layer = nn.Conv2d(w.shape[2], w.shape[3], tuple(w.shape[:2]))
    layer.weight.data, layer.bias.data = w.permute(3, 2, 0, 1).contiguous(), b.clone()
    return layer


def tensor(batch: np.ndarray, memory_format: torch.memory_format) -> torch.Tensor:
    """A ready batch; images go from NHWC to PyTorch's order of axes."""
    t = torch.from_numpy(batch)
    return t.permute(0, 3, 1, 2).contiguous(memory_format=memory_format) if t.ndim == 4 else t


def prepare(job: Job) -> Run:
    torch.set_num_threads(job.threads)
    torch.set_flush_denormal(True)
    layout, _, compiled = job.mode.partition("+")
    memory_format = torch.channels_last if layout == "channels_last" else torch.contiguous_format
    weights, x, y = job.load()
    model = MODELS[job.model]([torch.from_numpy(w) for w in weights]).to(memory_format=memory_format)
    x = [tensor(batch, memory_format) for batch in x]
    y = [torch.from_numpy(labels) for labels in y]
    torch._inductor.config.freezing = (
        not job.training
    )  # the compiler may fold an inference model's weights into its code
    maybe = torch.compile if compiled else lambda function: function

    if not job.training:
        infer = maybe(nn.Sequential(model, nn.Softmax(dim=1)).eval())

        @torch.inference_mode()
        def predict(i: int) -> torch.Tensor:
            return infer(x[i % len(x)])

        return Run(predict)

    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, eps=1e-7, fused=True)
    loss_of = maybe(lambda x, y: nn.functional.cross_entropy(model(x), y))

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

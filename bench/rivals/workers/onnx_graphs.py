"""Models with branches in ONNX, written node by node; weights are taken in Keras' order."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from onnx import NodeProto, TensorProto, helper, numpy_helper

EPSILON = 1e-3  # Keras' for both normalizations
MICROSOFT = "com.microsoft"


class Graph:
    """Nodes, and the constants that they read.

    ``fused`` uses ONNX Runtime's own operator for attention instead of products and softmax. ``steps`` are those of a
    sequence.
    """

    def __init__(self, weights: list[np.ndarray], steps: int, fused: bool) -> None:
        self.weights: Iterator[np.ndarray] = iter(weights)
        self.steps, self.fused = steps, fused
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []

    def node(self, kind: str, *inputs: str | np.ndarray, outputs: int = 1, **attributes: object) -> str | list[str]:
        """Add a node; an array among its inputs becomes a constant."""
        names = [name if isinstance(name, str) else self.constant(name) for name in inputs]
        made = [f"{kind}{len(self.nodes)}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(kind, names, made, **attributes))
        return made[0] if outputs == 1 else made

    def constant(self, array: np.ndarray) -> str:
        name = f"constant{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def take(self) -> np.ndarray:
        return next(self.weights)


def transformer(g: Graph, ids: str) -> str:
    x = words(g, ids)
    for _ in range(2):
        x = layer_norm(g, g.node("Add", x, attention(g, x, causal=False)))
        x = layer_norm(g, g.node("Add", x, feed_forward(g, x, "Relu")))
    return dense(g, g.node("ReduceMean", x, np.array([1]), keepdims=0))


def resnet(g: Graph, x: str) -> str:
    x = g.node("Relu", batch_norm(g, conv(g, x)))
    for stride in (1, 1, 2, 1, 2, 1):
        y = g.node("Relu", batch_norm(g, conv(g, x, stride)))
        y = conv(g, y)
        if stride > 1:
            x = conv(g, x, stride)
        y = batch_norm(g, y)
        if stride > 1:
            x = batch_norm(g, x)
        x = g.node("Relu", g.node("Add", y, x))
    return dense(g, g.node("Flatten", g.node("GlobalAveragePool", x)))


def gpt(g: Graph, ids: str) -> str:
    x = words(g, ids)
    for _ in range(4):
        x = g.node("Add", x, attention(g, layer_norm(g, x), causal=True))
        x = g.node("Add", x, feed_forward(g, layer_norm(g, x), "Gelu"))
    return dense(g, layer_norm(g, x))


GRAPHS = {"transformer": transformer, "resnet": resnet, "gpt": gpt}


def words(g: Graph, ids: str) -> str:
    return g.node("Add", g.node("Gather", g.take(), ids), g.take())


def dense(g: Graph, x: str) -> str:
    return g.node("Add", g.node("MatMul", x, g.take()), g.take())


def feed_forward(g: Graph, x: str, activation: str) -> str:
    return dense(g, g.node(activation, dense(g, x)))


def layer_norm(g: Graph, x: str) -> str:
    return g.node("LayerNormalization", x, g.take(), g.take(), epsilon=EPSILON)


def conv(g: Graph, x: str, stride: int = 1) -> str:
    """Half as large as the input where the stride is 2; Keras then pads below and to the right only."""
    kernel = g.take().transpose(3, 2, 0, 1)
    size = kernel.shape[-1]
    pads = [size // 2] * 4 if stride == 1 else [0, 0, (size - 1) // 2, (size - 1) // 2]
    return g.node("Conv", x, kernel, strides=[stride, stride], pads=pads)


def batch_norm(g: Graph, x: str) -> str:
    return g.node("BatchNormalization", x, *(g.take() for _ in range(4)), epsilon=EPSILON)


def attention(g: Graph, x: str, causal: bool) -> str:
    """Self-attention; without the runtime's own operator, one product gives query, key and value."""
    kernels, biases = zip(*((g.take(), g.take()) for _ in range(3)), strict=True)
    width, heads, depth = kernels[0].shape
    kernels, biases = [w.reshape(width, -1) for w in kernels], [b.reshape(-1) for b in biases]
    if g.fused:
        queries = (g.node("Add", g.node("MatMul", x, w), b) for w, b in zip(kernels, biases, strict=True))
        y = g.node("MultiHeadAttention", *queries, domain=MICROSOFT, num_heads=heads, unidirectional=int(causal))
    else:
        y = plain_attention(g, x, np.concatenate(kernels, 1), np.concatenate(biases), heads, depth, causal)
    return g.node("Add", g.node("MatMul", y, g.take().reshape(-1, width)), g.take())


def plain_attention(
    g: Graph, x: str, kernel: np.ndarray, bias: np.ndarray, heads: int, depth: int, causal: bool
) -> str:
    together = g.node("Add", g.node("MatMul", x, kernel), bias)
    by_head = g.node("Reshape", together, np.array([0, 0, 3 * heads, depth]))
    q, k, v = g.node("Split", by_head, np.array([heads] * 3), outputs=3, axis=2)
    q = g.node("Mul", g.node("Transpose", q, perm=[0, 2, 1, 3]), np.float32(depth**-0.5))
    scores = g.node("MatMul", q, g.node("Transpose", k, perm=[0, 2, 3, 1]))
    if causal:
        scores = g.node("Add", scores, np.triu(np.full((g.steps, g.steps), -1e9, np.float32), 1))
    weighted = g.node("MatMul", g.node("Softmax", scores, axis=-1), g.node("Transpose", v, perm=[0, 2, 1, 3]))
    return g.node("Reshape", g.node("Transpose", weighted, perm=[0, 2, 1, 3]), np.array([0, 0, heads * depth]))

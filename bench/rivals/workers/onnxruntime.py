"""ONNX Runtime: the model written with the ``onnx`` package.

Modes: spinning or sleeping threads; "+fused" takes the runtime's own operator for attention.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import onnxruntime
from onnx import ModelProto, NodeProto, TensorProto, checker, helper, numpy_helper

from bench.rivals.workers.onnx_graphs import GRAPHS, MICROSOFT, Graph
from bench.rivals.workers.worker import Job, Run, is_binary, serve


def mlp() -> list[NodeProto]:
    return [node("Flatten", "x", "flat"), *dense("flat", 0, "hidden", relu=True), *dense("hidden", 2, "z"), softmax()]


def cnn() -> list[NodeProto]:
    nodes, name = [], "x"
    for i in (0, 2, 4):
        nodes += [
            node("Conv", name, f"conv{i}", inputs=[f"w{i}", f"w{i + 1}"]),
            node("Relu", f"conv{i}", f"relu{i}"),
            node("MaxPool", f"relu{i}", name := f"pool{i}", kernel_shape=[2, 2], strides=[2, 2]),
        ]
    return [
        *nodes,
        node("Flatten", name, "flat"),
        *dense("flat", 6, "hidden", relu=True),
        *dense("hidden", 8, "z"),
        softmax(),
    ]


def bilstm() -> list[NodeProto]:
    return [
        *embedding("e"),
        recurrent("LSTM", "e", 1, ["states", ""], hidden_size=64, direction="bidirectional"),
        node("Transpose", "states", "steps", perm=[0, 2, 1, 3]),  # (T, directions, B, U) → (T, B, directions, U)
        node("Reshape", "steps", "joined", inputs=["shape3"]),
        recurrent("LSTM", "joined", 4, ["", "last"], hidden_size=32, direction="bidirectional"),
        node("Transpose", "last", "rows", perm=[1, 0, 2]),
        node("Reshape", "rows", "h", inputs=["shape2"]),
        *dense("h", 7, "hidden", relu=True),
        *dense("hidden", 9, "z"),
        sigmoid(),
    ]  # fmt: skip


def classifier(cell: str, **attributes: object) -> list[NodeProto]:
    return [
        *embedding("e"),
        recurrent(cell, "e", 1, ["", "last"], hidden_size=64, **attributes),
        node("Reshape", "last", "h", inputs=["shape2"]),
        *dense("h", 4, "z"),
        sigmoid(),
    ]


MODELS = {
    "mlp": mlp,
    "cnn": cnn,
    "bilstm": bilstm,
    "simplernn": partial(classifier, "RNN"),
    "gru": partial(classifier, "GRU", linear_before_reset=1),
    "lstm": partial(classifier, "LSTM"),
}
GATES = {"simplernn": (0,), "gru": (0, 1, 2), "lstm": (0, 3, 1, 2), "bilstm": (0, 3, 1, 2)}
"""ONNX' order of gates in Keras' numbers: LSTM i, o, f, c; GRU z, r, h as Keras has them."""


def node(kind: str, x: str, y: str, inputs: list[str] | None = None, **attributes: object) -> NodeProto:
    return helper.make_node(kind, [x, *(inputs or [])], [y], **attributes)


def dense(x: str, i: int, y: str, relu: bool = False) -> list[NodeProto]:
    product = f"{y}_linear" if relu else y
    nodes = [node("Gemm", x, product, inputs=[f"w{i}", f"w{i + 1}"])]
    return [*nodes, node("Relu", product, y)] if relu else nodes


def embedding(y: str) -> list[NodeProto]:
    """Time comes first, as the recurrent operators want it."""
    return [node("Transpose", "x", "ids", perm=[1, 0]), helper.make_node("Gather", ["w0", "ids"], [y])]


def recurrent(kind: str, x: str, i: int, outputs: list[str], **attributes: object) -> NodeProto:
    """Outputs: the states of all steps (T, directions, B, U) and the last ones (directions, B, U); "" is not made."""
    return helper.make_node(kind, [x, f"w{i}", f"w{i + 1}", f"w{i + 2}"], outputs, **attributes)


def sigmoid() -> NodeProto:
    return node("Sigmoid", "z", "y")


def softmax() -> NodeProto:
    return node("Softmax", "z", "y", axis=-1)


def channels_first(a: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(a.transpose(0, 3, 1, 2)) if a.ndim == 4 else a


def operands(job: Job, weights: list[np.ndarray]) -> list[np.ndarray]:
    """Weights as ONNX wants them: filters OIHW; W, R and B of the recurrent operators with an axis of directions."""
    if job.model not in GATES:
        return [np.ascontiguousarray(w.transpose(3, 2, 0, 1)) if w.ndim == 4 else w for w in weights]
    layers = [weights[1:7], weights[7:13]] if job.model == "bilstm" else [weights[1:4]]
    cells = [operand for layer in layers for operand in stacked(layer, GATES[job.model])]
    return [weights[0], *cells, *weights[1 + sum(map(len, layers)) :]]


def stacked(layer: list[np.ndarray], gates: tuple[int, ...]) -> list[np.ndarray]:
    """A layer's W (directions, G·U, D), R (directions, G·U, U) and B (directions, 2·G·U)."""

    def ordered(a: np.ndarray) -> np.ndarray:
        parts = np.split(a, len(gates), axis=-1)
        return np.concatenate([parts[gate] for gate in gates], axis=-1)

    kernels, state_kernels, biases = layer[0::3], layer[1::3], layer[2::3]
    both = [b if b.ndim == 2 else np.stack((b, np.zeros_like(b))) for b in biases]
    return [
        np.stack([ordered(w).T for w in kernels]),
        np.stack([ordered(u).T for u in state_kernels]),
        np.stack([ordered(b).ravel() for b in both]),
    ]


def shapes(job: Job, ids: tuple[int, ...]) -> dict[str, np.ndarray]:
    """The constant shapes that the sequence models reshape to; ``ids`` is (batch, steps)."""
    if job.model not in GATES:
        return {}
    rows = {"shape2": [ids[0], 64]}
    if job.model == "bilstm":
        rows["shape3"] = [ids[1], ids[0], 128]
    return {name: np.asarray(shape, np.int64) for name, shape in rows.items()}


def chain(job: Job, weights: list[np.ndarray], x: np.ndarray) -> tuple[list[NodeProto], list[TensorProto]]:
    """Nodes and constants of a model without branches."""
    constants = {f"w{i}": w for i, w in enumerate(operands(job, weights))} | shapes(job, x.shape)
    return MODELS[job.model](), [
        numpy_helper.from_array(np.ascontiguousarray(a), name) for name, a in constants.items()
    ]


def graph(job: Job, weights: list[np.ndarray], x: np.ndarray) -> tuple[list[NodeProto], list[TensorProto]]:
    """Nodes and constants of a model with branches."""
    g = Graph(weights, steps=x.shape[1], fused="fused" in job.mode)
    z = GRAPHS[job.model](g, "x")
    last = helper.make_node("Sigmoid", [z], ["y"]) if is_binary(weights) else helper.make_node("Softmax", [z], ["y"])
    return [*g.nodes, last], g.constants


def build(job: Job, weights: list[np.ndarray], x: np.ndarray, places: tuple[int, ...]) -> ModelProto:
    """``places`` are the axes of the labels between batch and classes: of a model that answers at every step."""
    nodes, constants = (graph if job.model in GRAPHS else chain)(job, weights, x)
    element = TensorProto.INT64 if x.dtype == np.int64 else TensorProto.FLOAT
    inputs = [helper.make_tensor_value_info("x", element, x.shape)]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, [len(x), *places, weights[-1].shape[-1]])]
    operators = [helper.make_opsetid("", 20), helper.make_opsetid(MICROSOFT, 1)]
    model = helper.make_model(
        helper.make_graph(nodes, job.model, inputs, outputs, constants), opset_imports=operators, ir_version=10
    )
    checker.check_model(model)
    return model


def prepare(job: Job) -> Run:
    weights, x, y = job.load()
    x = [channels_first(batch) for batch in x]
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = job.threads
    options.inter_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.add_session_config_entry("session.intra_op.allow_spinning", "1" if "spinning" in job.mode else "0")
    places = () if is_binary(weights) else y[0].shape[1:]
    model = build(job, weights, x[0], places).SerializeToString()
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return Run(lambda i: session.run(None, {"x": x[i % len(x)]})[0])


if __name__ == "__main__":
    serve(prepare)

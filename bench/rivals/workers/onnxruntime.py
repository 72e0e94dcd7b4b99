"""ONNX Runtime: the model written with the ``onnx`` package; modes: spinning or sleeping threads."""

from __future__ import annotations

import numpy as np
import onnxruntime
from onnx import ModelProto, NodeProto, TensorProto, checker, helper, numpy_helper

from bench.rivals.workers.worker import Job, Run, serve


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


MODELS = {"mlp": mlp, "cnn": cnn}


def node(kind: str, x: str, y: str, inputs: list[str] | None = None, **attributes: object) -> NodeProto:
    return helper.make_node(kind, [x, *(inputs or [])], [y], **attributes)


def dense(x: str, i: int, y: str, relu: bool = False) -> list[NodeProto]:
    product = f"{y}_linear" if relu else y
    nodes = [node("Gemm", x, product, inputs=[f"w{i}", f"w{i + 1}"])]
    return [*nodes, node("Relu", product, y)] if relu else nodes


def softmax() -> NodeProto:
    return node("Softmax", "z", "y", axis=-1)


def channels_first(a: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(a.transpose(0, 3, 1, 2)) if a.ndim == 4 else a


def build(job: Job, weights: list[np.ndarray], shape: tuple[int, ...]) -> ModelProto:
    oihw = [np.ascontiguousarray(w.transpose(3, 2, 0, 1)) if w.ndim == 4 else w for w in weights]
    graph = helper.make_graph(
        MODELS[job.model](),
        job.model,
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [shape[0], weights[-1].shape[-1]])],
        [numpy_helper.from_array(w, f"w{i}") for i, w in enumerate(oihw)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    checker.check_model(model)
    return model


def prepare(job: Job) -> Run:
    weights, x, _ = job.load()
    x = [channels_first(batch) for batch in x]
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = job.threads
    options.inter_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.add_session_config_entry("session.intra_op.allow_spinning", "1" if job.mode == "spinning" else "0")
    model = build(job, weights, x[0].shape).SerializeToString()
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return Run(lambda i: session.run(None, {"x": x[i % len(x)]})[0])


if __name__ == "__main__":
    serve(prepare)

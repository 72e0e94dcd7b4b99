"""What to use for names of TensorFlow that are not here; the errors say it."""

from __future__ import annotations

__all__ = ["INSTEAD"]


def _each(names: str, words: str) -> dict[str, str]:
    return dict.fromkeys(names.split(), words)


_GRAPHS = "TensorFlow 2 has no graphs and sessions for users either. Use model.fit, or tf.GradientTape in a loop."

INSTEAD = {
    **_each("Session placeholder global_variables_initializer get_default_graph reset_default_graph Graph", _GRAPHS),
    **_each("distribute device", "There is one device, the CPU, whose threads all kernels use. Leave it out."),
    **_each("estimator feature_column", "Use tf.keras models, with one Input a feature and Concatenate."),
    **_each("lite tpu xla", "Use model.save, or fastnn.interop.export_onnx to run the model elsewhere."),
    **_each("saved_model train", "Use model.save(path) and tf.keras.models.load_model(path)."),
    **_each("sparse SparseTensor", "Arrays are dense. Use scipy.sparse before training, and .toarray() by batches."),
    **_each("ragged RaggedTensor", "Use tf.keras.utils.pad_sequences, and mask_zero=True in Embedding."),
    **_each("while_loop map_fn scan foldl foldr", "Use a Python loop."),
    **_each("cond case switch_case", "Use tf.where(condition, a, b), or an if of Python on numbers."),
    **_each("py_function numpy_function", "Call the NumPy function itself; arrays are NumPy arrays."),
    **_each("queue lookup", "Use a dict of Python, or tf.keras.layers.StringLookup."),
    **_each("audio signal", "Use scipy.signal before training."),
    **_each("Module", "Use tf.keras.layers.Layer."),
    "summary": "Use the callback tf.keras.callbacks.TensorBoard.",
    "profiler": "Use python -m cProfile, or fastnn bench.",
    "vectorized_map": "Use operators and functions on the whole array.",
}

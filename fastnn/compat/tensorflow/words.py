"""What to use for names of TensorFlow that are not here; the errors say it."""

from __future__ import annotations

__all__ = ["INSTEAD"]


def _each(names: str, words: str) -> dict[str, str]:
    return dict.fromkeys(names.split(), words)


_GRAPHS = "TensorFlow 2 has no graphs and sessions for users either. Use model.fit, or tf.GradientTape in a loop."
_LAYER = "Use the layer: tf.keras.layers.{}."

INSTEAD: dict[str, dict[str, str]] = {
    "compat.tensorflow": {
        **_each("Session placeholder global_variables_initializer get_default_graph reset_default_graph", _GRAPHS),
        **_each("Graph InteractiveSession ConfigProto GPUOptions", _GRAPHS),
        **_each("distribute device", "There is one device, the CPU, whose threads all kernels use. Leave it out."),
        **_each("estimator feature_column", "Use tf.keras models, with one Input a feature and Concatenate."),
        **_each("lite tpu xla", "Use model.save, or fastnn.interop.export_onnx to run the model elsewhere."),
        **_each("saved_model train", "Use model.save(path) and tf.keras.models.load_model(path)."),
        **_each("sparse SparseTensor", "Arrays are dense. Use x.toarray() of a matrix of scipy.sparse, by batches."),
        **_each("ragged RaggedTensor", "Use tf.keras.utils.pad_sequences, and mask_zero=True in Embedding."),
        **_each("while_loop map_fn scan foldl foldr vectorized_map", "Use a loop, or functions on whole arrays."),
        **_each("cond case switch_case", "Use tf.where(condition, a, b), or a Python if on numbers."),
        **_each("py_function numpy_function", "Call the NumPy function itself; arrays are NumPy arrays."),
        **_each("queue lookup", "Use a Python dict, or tf.keras.layers.StringLookup."),
        **_each("audio signal", "Use scipy.signal before training."),
        **_each("gradients hessians", "Use tf.GradientTape."),
        "Module": "Use tf.keras.layers.Layer.",
        "TensorArray": "Use a list, and tf.stack.",
        "summary": "Use the callback tf.keras.callbacks.TensorBoard.",
        "profiler": "Use python -m cProfile, or fastnn bench.",
    },
    "compat.tensorflow.nn": {
        **_each("conv2d convolution atrous_conv2d", _LAYER.format("Conv2D")),
        **_each("conv1d", _LAYER.format("Conv1D")),
        **_each("depthwise_conv2d", _LAYER.format("DepthwiseConv2D")),
        **_each("separable_conv2d", _LAYER.format("SeparableConv2D")),
        **_each("conv2d_transpose", _LAYER.format("Conv2DTranspose")),
        **_each("max_pool max_pool2d pool", _LAYER.format("MaxPooling2D")),
        **_each("avg_pool avg_pool2d", _LAYER.format("AveragePooling2D")),
        **_each("batch_normalization fused_batch_norm", _LAYER.format("BatchNormalization")),
        **_each("nce_loss sampled_softmax_loss", "Use the whole softmax: SparseCategoricalCrossentropy."),
        **_each("ctc_loss ctc_greedy_decoder", "Use one label a time step with SparseCategoricalCrossentropy."),
        **_each("experimental RNNCellDeviceWrapper", "Use tf.keras.layers."),
    },
    "compat.tensorflow.data": {
        **_each("TFRecordDataset FixedLengthRecordDataset", "Use arrays in .npy files, and from_tensor_slices."),
        "Iterator": "Use iter(dataset).",
        "DatasetSpec": "Use dataset.element_spec.",
        "NumpyIterator": "Use dataset.as_numpy_iterator().",
    },
    "compat.tensorflow.io": {
        **_each(
            "TFRecordWriter parse_single_example parse_example parse_tensor serialize_tensor FixedLenFeature "
            "VarLenFeature TFRecordOptions",
            "Use arrays in .npy or .npz files: numpy.save, numpy.load.",
        ),
        **_each("decode_csv", "Use numpy.genfromtxt or pandas.read_csv, then tf.data.Dataset.from_tensor_slices."),
        **_each("decode_wav", "Use scipy.io.wavfile.read."),
    },
}
"""By module and name."""

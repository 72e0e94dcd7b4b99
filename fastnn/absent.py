"""Names that are not there: the error says what there is instead.

A package has a line ``__getattr__ = absent.answer(__name__)``.  ``fastnn.layers.ConvLSTM2D`` is then an AttributeError
that names another way to the same end, and ``from fastnn.layers import ConvLSTM2D`` an ImportError with the same words.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from types import FrameType
from typing import NoReturn

__all__ = ["INSTEAD", "answer"]


def answer(module: str, depth: int = 1) -> Callable[[str], NoReturn]:
    """The ``__getattr__`` of a module: it raises the error of a name that the module does not have.

    Parameters
    ----------
    module : str
    depth : int
        Calls from whoever asked for the name: 2 where the module's own ``__getattr__`` calls this one.

    Examples
    --------
    >>> answer("fastnn.lookup")("snakecase")
    Traceback (most recent call last):
        ...
    AttributeError: fastnn.lookup has no snakecase. Did you mean snake_case?
    """

    def __getattr__(name: str) -> NoReturn:
        if name.startswith("_"):  # asked for by Python itself
            raise AttributeError(f"module {module!r} has no attribute {name!r}", name=name, obj=sys.modules.get(module))
        message = f"{module} has no {name}. {_instead(module, name)}"
        if _imports(sys._getframe(depth)):
            raise ImportError(message, name=module)
        raise AttributeError(message)

    return __getattr__


def _imports(frame: FrameType) -> bool:
    """Whether the frame is at ``from module import name``, where the words of an AttributeError would be lost."""
    import opcode

    return frame.f_code.co_code[frame.f_lasti] == opcode.opmap["IMPORT_FROM"]


def _instead(module: str, name: str) -> str:
    """What to use for a name that a module does not have."""
    told = INSTEAD.get(module.removeprefix("fastnn."), {}).get(name)
    if told is not None:
        return told
    import difflib

    names = _public(module)
    close = difflib.get_close_matches(_letters(name), names, n=3)
    if close:
        return f"Did you mean {' or '.join(names[letters] for letters in close)}?"
    return f"There is: {', '.join(sorted(names.values(), key=str.lower))}."


def _public(module: str) -> dict[str, str]:
    """The public names of a module, by their letters."""
    names: Iterable[str] = getattr(sys.modules.get(module), "__all__", ())
    return {_letters(name): name for name in names}


def _letters(name: str) -> str:
    return name.replace("_", "").lower()


def _each(names: str, words: str) -> dict[str, str]:
    return dict.fromkeys(names.split(), words)


_VOLUMES = "There are no layers for volumes. Use TimeDistributed({}) to go through a volume slice by slice."
_FILES = "Use model.save(path), and fastnn.models.load_model(path)."
_FOREIGN = "Write a Layer whose call is made of layers, operators and fastnn.ops."
_MAPPED = "Use fastnn.data.Dataset and its map and batch."

_TOP = {
    "applications": "There are no trained models to load. Use the layers of fastnn.layers.",
    "config": "Use fastnn.backend.set_floatx, and fastnn.backend.set_backend.",
    "export": _FILES,
    **_each("mixed_precision dtype_policies DTypePolicy", 'Use dtype="float32" or "float64"; there is no float16.'),
    **_each("distribution device", "There is one device, the CPU. Use fastnn.kernels.set_num_threads for its threads."),
    **_each("KerasTensor", "Use fastnn.graph.Symbol."),
    **_each("quantizers Quantizer", "Weights are float32 or float64."),
    **_each("Optimizer Loss Metric Initializer Regularizer", "Use the class of that name in its own module."),
    "Variable": "Use self.add_weight within a Layer.",
    "tree": "Use lists, tuples and dicts.",
    "version": "Use fastnn.__version__.",
}

INSTEAD: dict[str, dict[str, str]] = {
    "fastnn": _TOP,
    "keras": _TOP,
    "layers": {
        **_each(
            "ConvLSTM1D ConvLSTM2D ConvLSTM3D",
            "Use TimeDistributed(Conv2D(...)), TimeDistributed(Flatten()) and LSTM, or an RNN over a cell of your own.",
        ),
        **_each("Conv3D Convolution3D", _VOLUMES.format("Conv2D(...)")),
        **_each("Conv3DTranspose Convolution3DTranspose", _VOLUMES.format("Conv2DTranspose(...)")),
        **_each("MaxPooling3D MaxPool3D", _VOLUMES.format("MaxPooling2D(...)")),
        **_each("AveragePooling3D AvgPool3D", _VOLUMES.format("AveragePooling2D(...)")),
        **_each(
            "GlobalMaxPooling3D GlobalMaxPool3D",
            "Use GlobalMaxPooling2D after Reshape((depth * height, width, channels)).",
        ),
        **_each(
            "GlobalAveragePooling3D GlobalAvgPool3D",
            "Use GlobalAveragePooling2D after Reshape((depth * height, width, channels)).",
        ),
        "Cropping3D": _VOLUMES.format("Cropping2D(...)"),
        "UpSampling3D": _VOLUMES.format("UpSampling2D(...)"),
        "ZeroPadding3D": _VOLUMES.format("ZeroPadding2D(...)"),
        "SpatialDropout3D": "Use Dropout(rate, noise_shape=(None, 1, 1, 1, None)).",
        **_each(
            "AdaptiveAveragePooling1D AdaptiveAveragePooling2D AdaptiveAveragePooling3D",
            "Use GlobalAveragePooling2D for one value a channel, or AveragePooling2D with pool_size = size // wanted.",
        ),
        **_each(
            "AdaptiveMaxPooling1D AdaptiveMaxPooling2D AdaptiveMaxPooling3D",
            "Use GlobalMaxPooling2D for one value a channel, or MaxPooling2D with pool_size = size // wanted.",
        ),
        **_each(
            "LocallyConnected1D LocallyConnected2D",
            "Use Conv1D or Conv2D; or EinsumDense, with a kernel for every place.",
        ),
        "ThresholdedReLU": "Use Lambda(lambda x: x * (x > theta)).",
        "CuDNNLSTM": "Use LSTM.",
        "CuDNNGRU": "Use GRU.",
        "SpectralNormalization": "Use kernel_constraint=fastnn.constraints.MaxNorm() to bound a kernel.",
        "ReversibleEmbedding": "Use Embedding, and a Layer whose call multiplies by its table, transposed.",
        **_each(
            """
            AugMix AutoContrast ContrastLimitedAdaptiveHistogramEqualization CutMix Equalization MaxNumBoundingBoxes
            Pipeline RandAugment RandomColorDegeneration RandomColorJitter RandomElasticTransform RandomGaussianBlur
            RandomGrayscale RandomHeight RandomHue RandomInvert RandomPerspective RandomPosterization RandomSaturation
            RandomSharpness RandomWidth Solarization
            """,
            "Use fastnn.data.Dataset.map with a NumPy function that changes an image.",
        ),
        **_each("STFTSpectrogram MelSpectrogram", "Use scipy.signal.stft before training."),
        "DenseFeatures": "Use Concatenate on one Input a feature.",
        **_each("TFSMLayer JaxLayer FlaxLayer TorchModuleWrapper", _FOREIGN),
        "Wrapper": "Write a Layer that keeps the layer inside as an attribute and calls it in its own call.",
        "InputSpec": "Use build(self, input_shape) to check the shape, and self.refuse_shape to say what was expected.",
        "serialize": "Use layer.get_config().",
        "deserialize": "Use the class of the layer: Dense.from_config(config).",
    },
    "losses": {
        "Reduction": 'Use reduction="sum", "sum_over_batch_size" or None.',
    },
    "optimizers": {
        "ScheduleFreeAdamW": "Use AdamW with a schedule of fastnn.optimizers.schedules.",
        "LossScaleOptimizer": "There is no float16 whose gradients would need scaling. Use the optimizer itself.",
        **_each(
            "MultiOptimizer OptimizerMap", "Use one optimizer for all weights, and trainable = False on layers to hold."
        ),
        "legacy": "Use the optimizers of fastnn.optimizers.",
    },
    "callbacks": {
        "OrbaxCheckpoint": "Use BackupAndRestore, or ModelCheckpoint and fastnn.models.load_model, to go on.",
        "ProgbarLogger": "Use verbose=1 in fit; ProgressBar is what it adds.",
        "RemoteMonitor": "Use JSONLogger, or LambdaCallback(on_epoch_end=...) to send numbers anywhere.",
    },
    "initializers": {**_each("STFT STFTInitializer stft", "Use Constant(array) with the array wanted.")},
    "utils": {
        "audio_dataset_from_directory": _MAPPED,
        "FeatureSpace": "Use one Input a feature and Concatenate; to_categorical for categories.",
        **_each("serialize_keras_object deserialize_keras_object", "Use get_config() and from_config(config)."),
        **_each(
            "enable_interactive_logging disable_interactive_logging is_interactive_logging_enabled",
            "Use the argument verbose of fit, evaluate and predict.",
        ),
        **_each("pack_x_y_sample_weight unpack_x_y_sample_weight", "Use a tuple (x, y, sample_weight)."),
        "is_keras_tensor": "Use isinstance(x, fastnn.graph.Symbol).",
        "get_source_inputs": "Use model.inputs.",
        "standardize_dtype": "Use numpy.dtype(dtype).name.",
        "bounding_boxes": _MAPPED,
        "Config": "Use a dict.",
        "legacy": "Use the functions of fastnn.utils.",
    },
    "models": {"model_from_config": "Use model_from_json(model.to_json()), or Model.from_config(model.get_config())."},
    "saving": {
        **_each("KerasFileEditor", "Use safetensors.safe_open(path, 'np') to look into a file."),
        **_each("serialize_keras_object deserialize_keras_object", "Use get_config() and from_config(config)."),
    },
}
"""What to use for names of Keras, and of older ones, that fastnn does not have; by module and name."""

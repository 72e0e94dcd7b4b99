"""Every layer as ONNX: the file gives in onnxruntime what the layer gives, with open sizes and known ones."""

import pytest

import fastnn
from fastnn import layers
from fastnn.layers import Input
from fastnn.utils import set_random_seed
from tests.interop.onnx_session import listed, same, shuffled
from tests.layers.examples import EXAMPLES, data

onnx = pytest.importorskip("onnx")
export_onnx = pytest.importorskip("fastnn.interop.onnx").export_onnx

NAMES = [f"{name}-{i}" for name, examples in sorted(EXAMPLES.items()) for i in range(len(examples))]
AXES_APART = ("MultiHeadAttention-3", "MultiHeadAttention-4")  # attend over axes whose sizes they have to know

WORDS = (
    "GlobalAveragePooling2D-0",
    "UpSampling2D-1",
    "MultiHeadAttention-0",
    "LayerNormalization-1",
    "LSTM-0",
    "GroupNormalization-0",
    "ZeroPadding2D-0",
    "Softmax-1",
)
"""Layers whose operators changed from version to version."""


def model_of(name):
    """A model of the layer alone, and inputs for it."""
    cls, number = name.rsplit("-", 1)
    make, shape, options = EXAMPLES[cls][int(number)]
    set_random_seed(3)
    layer = make()
    x = data(layer, shape, "float32")
    inputs = [Input(one.shape[1:], dtype="int64" if layer.takes_ids else None) for one in listed(x)]
    if isinstance(layer, layers.InputLayer):
        return fastnn.Model(layer.output, layers.Activation("tanh")(layer.output)), x
    if isinstance(layer, (layers.MultiHeadAttention, layers.GroupQueryAttention)):
        y = layer(*(inputs if len(inputs) > 1 else inputs * 2), **options)
    else:
        y = layer(inputs if isinstance(shape, list) else inputs[0], **options)
    return shuffled(fastnn.Model(inputs, y)), x


@pytest.mark.parametrize("name", NAMES)
def test_the_file_of_a_layer_gives_what_the_layer_gives(name):
    model, x = model_of(name)
    same(model, x, export_onnx)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in AXES_APART])
def test_lengths_stay_open(name):
    """The time of sequences and the width of images, where the layer can do without knowing them."""
    model, x = model_of(name)
    shapes = [(None, None, *one.shape[2:]) if one.ndim > 2 else (None, *one.shape[1:]) for one in listed(x)]
    try:
        model.compute_output_shape(shapes if len(shapes) > 1 else shapes[0])
    except ValueError:
        shapes = [(None, *one.shape[1:]) for one in listed(x)]
    file = same(model, x, export_onnx, input_shape=shapes if len(shapes) > 1 else shapes[0])
    assert file.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "batch"


@pytest.mark.parametrize("opset", [17, 20, 23])
def test_other_versions_of_the_operators(opset):
    """Reductions, resizing, attention, normalization and recurrence in the words of each version."""
    newest = onnx.defs.onnx_opset_version()
    if opset > newest:
        pytest.skip(f"this onnx knows the operators up to version {newest}")
    for name in WORDS:
        model, x = model_of(name)
        same(model, x, export_onnx, opset=opset)

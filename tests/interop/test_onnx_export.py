"""Models as ONNX: masks, states, calls of one's own, operations, shared and nested models, transposes, refusals."""

import numpy as np
import pytest

import fastnn
from fastnn import layers, ops
from fastnn.layers import Input, Layer
from fastnn.utils import set_random_seed
from tests.interop.onnx_session import CLOSE, run, same, shuffled

onnx = pytest.importorskip("onnx")
export_onnx = pytest.importorskip("fastnn.interop.onnx").export_onnx

RNG = np.random.default_rng(7)
IDS = np.array([[3, 1, 0, 0, 2], [0, 0, 5, 4, 1], [0, 0, 0, 0, 0]])
"""Padding behind, in front, with a hole, and of a whole row."""


def kinds(file):
    return [node.op_type for node in file.graph.node]


# Masks.

MASKED = {
    "lstm": lambda e: layers.LSTM(3)(e),
    "gru, reset before": lambda e: layers.GRU(3, reset_after=False, return_sequences=True)(e),
    "backwards, zero output": lambda e: layers.SimpleRNN(
        3, go_backwards=True, return_sequences=True, zero_output_for_mask=True
    )(e),
    "backwards, zero output at the end": lambda e: layers.LSTM(3, go_backwards=True, zero_output_for_mask=True)(e),
    "two after each other": lambda e: layers.LSTM(3)(layers.GRU(4, return_sequences=True)(e)),
    "bidirectional": lambda e: layers.LSTM(3)(layers.Bidirectional(layers.GRU(2, return_sequences=True))(e)),
    "cells on top of each other": lambda e: layers.RNN([layers.LSTMCell(3), layers.OutputRNNCell(4, output_units=2)])(
        e
    ),
    "states": lambda e: layers.LSTM(3, return_sequences=True, return_state=True)(e),
    "mean over time": lambda e: layers.GlobalAveragePooling1D()(layers.Dense(3, "tanh")(e)),
    "softmax over time": lambda e: layers.Softmax(axis=1)(e),
    "attention to itself": lambda e: layers.MultiHeadAttention(2, 3)(e, e, use_causal_mask=True),
    "attention": lambda e: layers.Attention()([layers.Dropout(0.5)(e), e]),
    "additive attention": lambda e: layers.AdditiveAttention()([e, layers.Activation("gelu")(e)]),
    "a product": lambda e: layers.LSTM(2)(
        layers.Multiply()([e, layers.Embedding(6, 4, mask_zero=True)(e.node.inputs[0])])
    ),
    "an extreme of one masked": lambda e: layers.Maximum()([e, layers.Conv1D(4, 1)(layers.Identity()(e))]),
    "joined along time": lambda e: layers.LSTM(2)(layers.Concatenate(axis=1)([e, e])),
    "joined along features": lambda e: layers.LSTM(2)(layers.Concatenate()([e, layers.LayerNormalization()(e)])),
    "masking": lambda e: layers.GRU(3)(layers.Masking(0.5)(layers.ReLU(threshold=0.5)(e))),
    "steps": lambda e: layers.LSTM(2)(layers.TimeDistributed(layers.Dense(3))(e)),
}


@pytest.mark.filterwarnings("ignore:Layer .* does not pass on the mask")
@pytest.mark.parametrize("name", MASKED)
@pytest.mark.parametrize("length", [5, None])
def test_masks_travel_along(name, length):
    set_random_seed(1)
    ids = Input((length,), dtype="int64")
    model = shuffled(fastnn.Model(ids, MASKED[name](layers.Embedding(6, 4, mask_zero=True)(ids))))
    same(model, IDS, export_onnx)


def test_a_mask_among_the_inputs():
    x, mask = Input((4, 3)), Input((4, 4), dtype="int64")
    model = shuffled(fastnn.Model([x, mask], layers.MultiHeadAttention(2, 3)(x, x, attention_mask=mask)))
    same(model, [RNG.standard_normal((3, 4, 3), "float32"), RNG.integers(0, 2, (3, 4, 4))], export_onnx)


def test_states_go_in_and_out():
    x, h, c = Input((None, 3)), Input((4,)), Input((4,))
    y, *states = layers.LSTM(4, return_sequences=True, return_state=True)(x, initial_state=[h, c])
    z, last = layers.GRU(4, return_state=True)(y, initial_state=[h])
    model = shuffled(fastnn.Model([x, h, c], [z, last, *states]))
    shapes = [(3, 6, 3), (3, 4), (3, 4)]
    file = same(model, [RNG.standard_normal(s, "float32") for s in shapes], export_onnx)
    assert {"LSTM", "GRU"} <= set(kinds(file))
    assert kinds(file).count("Transpose") == 1  # both run over (T, N, D), and nothing turns back between them


@pytest.mark.parametrize(
    "activation", ["relu", "linear", "hard_sigmoid", "softplus", "elu", "gelu", "softsign", "mish"]
)
def test_activations_of_recurrent_layers(activation):
    """Those that the operators of ONNX know, and others, which a Scan computes."""
    x = RNG.standard_normal((2, 5, 3), "float32") / 2
    for kind in (layers.LSTM, layers.GRU, layers.SimpleRNN):
        set_random_seed(2)
        same(fastnn.Sequential([Input((5, 3)), kind(4, activation=activation)]), x, export_onnx)


# Calls of one's own.


class Block(Layer):
    def __init__(self, units, **settings):
        super().__init__(**settings)
        self.inner, self.norm = layers.Dense(units, "relu"), layers.LayerNormalization()

    def build(self, input_shape):
        self.scale = self.add_weight((input_shape[-1],), "ones", name="scale")

    def call(self, x, training=False):
        y = self.inner(x * self.scale)
        if training:
            y = y + 1
        return self.norm(ops.concatenate([y, ops.mean(x, axis=-1, keepdims=True)], axis=-1))


class Classifier(fastnn.Model):
    def __init__(self):
        super().__init__()
        self.block, self.head = Block(5), layers.Dense(2)

    def call(self, inputs):
        a, b = inputs
        logits = self.head(self.block(a))
        return {"classes": ops.softmax(logits), "both": logits + ops.sum(b, axis=-1, keepdims=True)}


def test_a_layer_and_a_model_that_write_call():
    x = [RNG.standard_normal((3, 4), "float32"), RNG.standard_normal((3, 2), "float32")]
    model = Classifier()
    model(x)
    shuffled(model)
    expected = model(x)
    file = export_onnx(model)
    for one, other in zip(run(file, x), expected.values(), strict=True):
        np.testing.assert_allclose(one, other, **CLOSE)
    assert kinds(file).count("Add") == 3  # of two biases, and of the sums of b; the one of training is gone


def test_an_inherited_call_and_a_function_as_activation():
    class Doubled(layers.Dense):
        def call(self, x):
            return 2 * super().call(x)

    model = fastnn.Sequential([Input((3,)), Doubled(4), layers.Dense(2, lambda x: ops.tanh(x) * x), Block(3)])
    same(shuffled(model), RNG.standard_normal((3, 3), "float32"), export_onnx)


def test_sizes_of_a_call_stay_open():
    class Heads(Layer):
        def call(self, x):
            n, t, d = x.shape
            split = ops.transpose(ops.reshape(x, (n, t, 2, d // 2)), (0, 2, 1, 3))
            scores = ops.softmax(ops.matmul(split, ops.transpose(split, (0, 1, 3, 2))))
            return ops.reshape(ops.transpose(ops.matmul(scores, split), (0, 2, 1, 3)), (n, t, d))

    model = fastnn.Sequential([Input((None, 6)), Heads()])
    file = export_onnx(model)
    for steps in (1, 4, 7):
        x = RNG.standard_normal((3, steps, 6), "float32")
        np.testing.assert_allclose(run(file, x)[0], model(x), **CLOSE)


X = Input((4, 6))
FUNCTIONS = {
    "arithmetic": lambda x: (x + 2) * x / (1 + ops.absolute(x)) - x**2 + ops.square(x) - ops.maximum(x, 0.5),
    "division": lambda x: ops.mod(x, 0.7) + ops.floor_divide(x, 0.4) + ops.mod(x, -0.3),
    "integers": lambda x: ops.cast(ops.cast(x * 9, "int64") % 4 + ops.cast(x * 9, "int64") // 2, "float32"),
    "comparisons": lambda x: ops.where((x > 0) & ~(x >= 1) | (x != x), x, ops.sign(x)),
    "numbers that are none": lambda x: ops.where(ops.isfinite(ops.log(x)), x, 0.0),
    "exponentials": lambda x: (
        ops.exp(x) + ops.log1p(ops.absolute(x)) + ops.expm1(x) + ops.erf(x) + ops.rsqrt(x * x + 1)
    ),
    "angles": lambda x: ops.sin(x) + ops.cos(x) + ops.tan(x / 4),
    "rounding": lambda x: ops.round(x, 1) + ops.floor(x) + ops.ceil(x) + ops.clip(x, -0.5, 0.5),
    "reductions": lambda x: (
        ops.sum(x, axis=1)
        + ops.max(x, axis=1)
        - ops.min(x, axis=1) * ops.prod(x, axis=1)
        + ops.var(x, axis=1)
        + ops.logsumexp(x, axis=1)
    ),
    "truths": lambda x: ops.where(ops.any(x > 1, axis=2) & ops.all(x > -2, axis=2), 1.0, 2.0),
    "places": lambda x: ops.cast(ops.argmax(x, axis=-1) + ops.argmin(x, axis=1, keepdims=True)[:, 0, :1], "float32"),
    "cumulative": lambda x: ops.cumsum(x, axis=1) + ops.tril(x) - ops.triu(x, 1),
    "shapes": lambda x: ops.squeeze(ops.expand_dims(ops.moveaxis(ops.reshape(x, (None, 3, -1)), 1, 2), 1), 1),
    "turns": lambda x: ops.flip(x, 1) + ops.roll(x, 2, axis=2) + ops.roll(x, -1, axis=1),
    "repeats": lambda x: ops.repeat(x, 2, axis=2)[:, :, ::2] + ops.tile(x, (1, 2, 1))[:, 4:],
    "padding": lambda x: (
        ops.pad(x, ((0, 0), (1, 0), (0, 2)), constant_values=2.0)[:, 1:, :-2]
        + ops.pad(x, ((0, 0), (0, 1), (0, 0)), mode="reflect")[:, :4]
    ),
    "pieces": lambda x: ops.stack(ops.split(x, 3, axis=2), axis=1) + ops.split(x, [2, 4], axis=-1)[1][:, None],
    "slices": lambda x: x[:, 1:4:2, ..., None] + x[:, -1, None, ::-1, None],
    "an array of places": lambda x: x[:, :, np.array([5, 0, 0])] + ops.take(x, [1, 2, 3], axis=2),
    "places along": lambda x: ops.take_along_axis(x, ops.argmax(x, axis=2)[..., None], axis=2),
    "largest": lambda x: ops.top_k(x, 2).values + ops.cast(ops.top_k(x, 2).indices, "float32"),
    "one hot": lambda x: ops.one_hot(ops.argmax(x, axis=2), 6, axis=1),
    "products": lambda x: ops.einsum("ntd,nsd->nts", x, x) + ops.matmul(x, ops.swapaxes(x, 1, 2)),
    "activations": lambda x: (
        ops.gelu(x) + ops.selu(x) + ops.relu6(x * 5) + ops.softplus(x) + ops.log_softmax(x, axis=1)
    ),
    "more activations": lambda x: ops.silu(x) + ops.hard_sigmoid(x) + ops.leaky_relu(x) + ops.elu(x) + ops.softsign(x),
    "rare activations": lambda x: ops.hard_silu(x) + ops.log_sigmoid(x) + ops.celu(x, 0.4) + ops.squareplus(x, 0.5),
    "sparse activations": lambda x: (
        ops.sparse_plus(x) + ops.sparse_sigmoid(x) + ops.hard_tanh(ops.glu(ops.concatenate([x, 2 * x], -1)))
    ),
    "shrinks": lambda x: (
        ops.tanh_shrink(x) + ops.soft_shrink(x) + ops.hard_shrink(x, 0.3) + ops.threshold(x, 0.2, -1.0)
    ),
    "constants": lambda x: x * np.arange(6, dtype="float32") + ops.ones_like(x) + ops.zeros_like(x[:, :1]),
    "losses": lambda x: ops.categorical_crossentropy(ops.softmax(x[..., ::-1]), ops.softmax(x)),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_operations(name):
    model = fastnn.Model(X, FUNCTIONS[name](X))
    same(model, RNG.standard_normal((3, 4, 6), "float32"), export_onnx)


# Graphs.


def test_shared_layers_are_stored_once_and_models_inside_are_expanded():
    encoder = fastnn.Sequential([Input((4,)), layers.Dense(300, "tanh"), layers.Dropout(0.5), layers.Dense(3)])
    a, b = Input((4,), name="left"), Input((4,), name="right")
    model = fastnn.Model({"left": a, "right": b}, {"near": layers.dot([encoder(a), encoder(b)], 1), "code": encoder(a)})
    x = {name: RNG.standard_normal((3, 4), "float32") for name in ("left", "right")}
    file = export_onnx(model)
    assert [spec.name for spec in file.graph.input] == ["left", "right"]
    assert [spec.name for spec in file.graph.output] == ["near", "code"]
    assert sum(tensor.dims == [4, 300] for tensor in file.graph.initializer) == 1
    for one, other in zip(run(file, list(x.values())), model(x).values(), strict=True):
        np.testing.assert_allclose(one, other, **CLOSE)


def test_transposes_stand_at_the_ends_of_convolutions_alone():
    x = Input((8, 8, 3))
    y = layers.BatchNormalization()(layers.Conv2D(4, 3, padding="same", activation="relu")(x))
    z = layers.MaxPooling2D()(layers.Add()([y, layers.DepthwiseConv2D(3, padding="same")(y)]))
    z = layers.GlobalAveragePooling2D()(
        layers.Concatenate()([z, layers.UpSampling2D(1)(layers.PReLU(shared_axes=[1, 2])(z))])
    )
    model = shuffled(fastnn.Model(x, layers.Dense(2)(z)))
    file = same(model, RNG.standard_normal((3, 8, 8, 3), "float32"), export_onnx)
    assert kinds(file).count("Transpose") == 1
    assert "BatchNormalization" in kinds(file)


def test_float64_and_an_output_that_is_an_input():
    x = Input((3,), dtype="float64")
    model = fastnn.Model(x, [x, layers.Dense(2, "relu", dtype="float64")(x)])
    data = RNG.standard_normal((3, 3))
    file = export_onnx(model)
    for one, other in zip(run(file, data), model(data), strict=True):
        assert one.dtype == np.float64
        np.testing.assert_allclose(one, other, rtol=1e-12)


def test_names_of_the_user_s_meet_those_of_the_file():
    x = Input((3,), name="MatMul")
    model = fastnn.Model(x, [layers.Dense(2, name="MatMul_1")(x), layers.Dense(2, "relu", name="constant")(x), x])
    same(model, RNG.standard_normal((3, 3), "float32"), export_onnx)


def test_the_file_is_what_is_given_back(tmp_path):
    model = fastnn.Sequential([Input((3,)), layers.Dense(2)])
    made = export_onnx(model, tmp_path / "model.onnx")
    assert onnx.load(tmp_path / "model.onnx").SerializeToString() == made.SerializeToString()
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]


# Refusals.


class OnArrays(Layer):
    def forward(self, x, training=False):
        return 2 * x, None

    def backward(self, dy, ctx):
        return 2 * dy


class Sizes(Layer):
    def call(self, x):
        return ops.reshape(x, (x.shape[0] * x.shape[1], x.shape[2]))


def test_what_cannot_be_written_is_refused(tmp_path):
    path = tmp_path / "model.onnx"

    def refused(error, match, *parts, shape=(3, 2), **options):
        with pytest.raises(error, match=match):
            export_onnx(fastnn.Sequential([Input(shape), *parts]), path, **options)
        assert not path.exists()

    refused(NotImplementedError, r"own forward.*Write def call\(self, x\)", OnArrays())
    refused(NotImplementedError, "carries its states.*return_state=True", layers.LSTM(2, stateful=True))
    refused(ValueError, "cannot be traced for inputs of shapes.*input_shape=", Sizes())
    refused(ValueError, "without random numbers.*if training", layers.Lambda(lambda x: fastnn.random.dropout(x, 0.5)))
    refused(ValueError, "opset must be an integer from 17", layers.Dense(2), opset=9)
    with pytest.raises(ValueError, match="has no shapes yet"):
        export_onnx(fastnn.Sequential([layers.Dense(2)]))
    with pytest.raises(TypeError, match=r"writes a model\. Received: a Dense"):
        export_onnx(layers.Dense(2))
    numpy_inside = fastnn.Sequential([Input((3,)), layers.Dense(2, lambda x: np.tanh(x))])
    with pytest.raises(ValueError, match=r"cannot be traced.*fastnn\.ops in it"):
        export_onnx(numpy_inside)


def test_a_call_with_sizes_goes_once_they_are_known():
    model = fastnn.Sequential([Input((3, 2)), Sizes()])
    x = RNG.standard_normal((4, 3, 2), "float32")
    np.testing.assert_array_equal(run(export_onnx(model, input_shape=(4, 3, 2)), x)[0], model(x))


def test_a_mask_of_code_on_arrays_is_refused():
    class Own(layers.Dense):
        def compute_mask(self, x, mask=None):
            return mask

    model = fastnn.Sequential(
        [Input((5,), dtype="int64"), layers.Embedding(6, 4, mask_zero=True), Own(2), layers.LSTM(2)]
    )
    with pytest.raises(NotImplementedError, match="makes a mask by its own compute_mask"):
        export_onnx(model)

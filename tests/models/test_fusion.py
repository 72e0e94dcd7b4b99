"""Fusion: which layers are joined, and that no number changes beyond rounding."""

from itertools import pairwise

import numpy as np
import pytest

from fastnn import Input, Model, Sequential, layers, optimizers, utils
from fastnn.graph import Constant, as_symbol, record
from fastnn.layers.support.symbolic_call import ActivityPenalty
from fastnn.models.fusion import fused, split_head
from fastnn.models.fusion.blocks import ConvPool, FoldedNorm, NormWithResidual, WithActivation

from .conftest import cnn, mlp


def chain(stack):
    """The nodes of layers in a row, and the last symbol; the layers are not built."""
    start = symbol = as_symbol(np.zeros((1, 1)))
    nodes = []
    for layer in stack:
        symbol = record(layer, [symbol], (None, 1), "float32")
        nodes.append(symbol.node)
        if layer.activity_regularizer is not None:
            symbol = record(ActivityPenalty(layer.activity_regularizer), [symbol], (None, 1), "float32")
            nodes.append(symbol.node)
    assert isinstance(start.node.operation, Constant)
    return nodes, symbol


def operations(nodes):
    return [node.operation for node in nodes]


def kinds(nodes):
    return [type(operation).__name__ for operation in operations(nodes)]


@pytest.mark.parametrize(
    ("stack", "expected"),
    [
        ([layers.Conv2D(2, 3, activation="relu"), layers.MaxPooling2D()], ["ConvPool"]),
        ([layers.Conv2D(2, 3), layers.MaxPooling2D()], ["ConvPool"]),
        ([layers.Conv2D(2, 3), layers.ReLU(), layers.MaxPooling2D(), layers.Flatten()], ["ConvPool", "Flatten"]),
        ([layers.Conv2D(2, 3), layers.Activation("relu"), layers.MaxPooling2D((3, 2))], ["ConvPool"]),
        ([layers.Conv2D(2, 3), layers.Activation("tanh"), layers.MaxPooling2D()], ["WithActivation", "MaxPooling2D"]),
        ([layers.Conv2D(2, 3, activation="tanh"), layers.MaxPooling2D()], ["Conv2D", "MaxPooling2D"]),
        ([layers.Conv2D(2, 3), layers.MaxPooling2D(3, strides=2)], ["Conv2D", "MaxPooling2D"]),
        ([layers.Conv2D(2, 3), layers.MaxPooling2D(padding="same")], ["Conv2D", "MaxPooling2D"]),
        ([layers.Conv2D(2, 3, groups=2), layers.MaxPooling2D()], ["Conv2D", "MaxPooling2D"]),
        ([layers.Conv2D(2, 3, algorithm="im2col"), layers.MaxPooling2D()], ["Conv2D", "MaxPooling2D"]),
        (
            [
                layers.Conv2D(2, 3, data_format="channels_first"),
                layers.MaxPooling2D(data_format="channels_first"),
            ],
            ["Conv2D", "MaxPooling2D"],
        ),
        (
            [layers.Conv2D(2, 3, activity_regularizer="l2"), layers.MaxPooling2D()],
            ["Conv2D", "ActivityPenalty", "MaxPooling2D"],
        ),
        ([layers.Conv2D(2, 3), layers.AveragePooling2D(2)], ["Conv2D", "AveragePooling2D"]),
        ([layers.BatchNormalization(), layers.ReLU()], ["NormWithRelu"]),
        ([layers.BatchNormalization(), layers.Activation("tanh")], ["BatchNormalization", "Activation"]),
        (
            [layers.Conv2D(2, 3), layers.BatchNormalization(), layers.ReLU(), layers.Flatten()],
            ["FoldedNorm", "Flatten"],
        ),
        ([layers.Conv2D(2, 3), layers.BatchNormalization(), layers.Flatten()], ["FoldedNorm", "Flatten"]),
        ([layers.DepthwiseConv2D(3), layers.BatchNormalization(), layers.ReLU()], ["FoldedNorm"]),
        ([layers.Conv1D(2, 3), layers.BatchNormalization(-1), layers.Activation("relu")], ["FoldedNorm"]),
        ([layers.Dense(2), layers.BatchNormalization(1), layers.Activation("tanh")], ["FoldedNorm", "Activation"]),
        ([layers.TimeDistributed(layers.Dense(2)), layers.BatchNormalization()], ["FoldedNorm"]),
        ([layers.Dense(2, activation="relu"), layers.BatchNormalization()], ["Dense", "BatchNormalization"]),
        ([layers.Dense(2, activation="gelu"), layers.BatchNormalization()], ["Dense", "BatchNormalization"]),
        ([layers.Dense(2), layers.ReLU(), layers.BatchNormalization()], ["WithActivation", "BatchNormalization"]),
        ([layers.Dense(2), layers.BatchNormalization(axis=0)], ["Dense", "BatchNormalization"]),
        ([layers.SeparableConv2D(2, 3), layers.BatchNormalization()], ["SeparableConv2D", "BatchNormalization"]),
        (
            [layers.Conv2D(2, 3, data_format="channels_first"), layers.BatchNormalization(), layers.ReLU()],
            ["Conv2D", "NormWithRelu"],
        ),
        (
            [layers.Dense(2, activity_regularizer="l2"), layers.BatchNormalization()],
            ["Dense", "ActivityPenalty", "BatchNormalization"],
        ),
        ([layers.Dense(2), layers.Activation("sigmoid")], ["WithActivation"]),
        ([layers.Dense(2), layers.ReLU(), layers.Dense(2)], ["WithActivation", "Dense"]),
        ([layers.Dense(2), layers.LeakyReLU(0.3)], ["Dense", "LeakyReLU"]),
        ([layers.Dense(2), layers.LeakyReLU(0.2)], ["WithActivation"]),
        ([layers.Dense(2), layers.ReLU(max_value=6)], ["Dense", "ReLU"]),
        ([layers.Dense(2), layers.Softmax()], ["Dense", "Softmax"]),
        ([layers.Dense(2, activation="relu"), layers.ReLU()], ["Dense", "ReLU"]),
        ([layers.Dense(2, activation="gelu"), layers.ReLU()], ["Dense", "ReLU"]),
        ([layers.Dense(2), layers.Dropout(0.5), layers.ReLU()], ["Dense", "Dropout", "ReLU"]),
        ([layers.DepthwiseConv2D(3), layers.ReLU()], ["WithActivation"]),
        ([layers.TimeDistributed(layers.Dense(2)), layers.ReLU()], ["WithActivation"]),
        ([layers.TimeDistributed(layers.TimeDistributed(layers.Dense(2)))], ["Dense"]),
        ([layers.TimeDistributed(layers.Softmax()), layers.Dense(2)], ["Softmax", "Dense"]),
        ([layers.TimeDistributed(layers.Softmax(axis=1))], ["TimeDistributed"]),
        ([layers.TimeDistributed(layers.Flatten())], ["TimeDistributed"]),
        ([layers.Conv1D(2, 3), layers.ReLU(), layers.MaxPooling1D()], ["WithActivation", "MaxPooling1D"]),
        ([layers.Conv2D(2, 3, data_format="channels_first"), layers.ReLU()], ["Conv2D", "ReLU"]),
        ([layers.Conv1D(2, 3, data_format="channels_first"), layers.ReLU()], ["Conv1D", "ReLU"]),
        ([layers.DepthwiseConv2D(3), layers.MaxPooling2D()], ["DepthwiseConv2D", "MaxPooling2D"]),
    ],
)
def test_which_are_joined(stack, expected):
    nodes, last = chain(stack)
    joined = fused(nodes, [last])
    assert kinds(joined) == expected
    assert joined[-1].outputs[0] is last
    for before, after in pairwise(joined):
        assert after.inputs[0] is before.outputs[0]


def test_normalization_and_relu_train_as_the_two_layers():
    rows = []
    for fuse in (True, False):
        utils.set_random_seed(0)
        stack = [layers.Dense(6, dtype="float64"), layers.BatchNormalization(dtype="float64")]
        model = Sequential([Input((4,)), *stack, layers.ReLU(dtype="float64"), layers.Dense(1, dtype="float64")])
        model.compile(optimizers.SGD(0.1), "mse", fuse=fuse)
        data = np.random.default_rng(1).standard_normal((20, 4))
        history = model.fit(data, data[:, 0], epochs=4, verbose=0, shuffle=False).history
        rows.append((history["loss"], model.get_weights()))
    np.testing.assert_allclose(rows[0][0], rows[1][0], rtol=1e-10)
    for one, other in zip(rows[0][1], rows[1][1], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-8, atol=1e-12)


def residual_model(dtype="float64", **settings):
    """A stem, a block with an identity, one with a projection, and one whose sum nothing follows; two inputs."""
    utils.set_random_seed(5)
    set_to = {"dtype": dtype}

    def conv_norm(x, filters, size, strides=1):
        x = layers.Conv2D(filters, size, strides=strides, padding="same", use_bias=filters == 4, **set_to)(x)
        return layers.BatchNormalization(epsilon=0.01, momentum=0.7, **set_to)(x)

    images, other = Input((6, 7, 2), dtype=dtype), Input((6, 7, 4), dtype=dtype)
    x = start = layers.ReLU(**set_to)(conv_norm(images, 4, 3))
    y = conv_norm(layers.ReLU(**set_to)(conv_norm(x, 4, 3)), 4, 3)
    x = layers.Activation("relu", **set_to)(layers.Add(**set_to)([y, x]))
    y = conv_norm(layers.ReLU(**set_to)(conv_norm(x, 5, 3, 2)), 5, 3)
    x = layers.ReLU(**set_to)(layers.Add(**set_to)([conv_norm(x, 5, 1, 2), y]))
    side = start + conv_norm(other, 4, 3)
    x = layers.Concatenate(**set_to)([layers.GlobalAveragePooling2D(**set_to)(a) for a in (x, side)])
    model = Model([images, other], layers.Dense(3, activation="softmax", **set_to)(x))
    model.compile(optimizers.SGD(0.2, momentum=0.9), "sparse_categorical_crossentropy", **settings)
    return model


def residual_data(n=10):
    rng = np.random.default_rng(8)
    return [rng.standard_normal((n, 6, 7, 2)), rng.standard_normal((n, 6, 7, 4))], rng.integers(0, 3, n)


def test_the_tail_of_a_residual_block_is_one_pass():
    model, (x, t) = residual_model(), residual_data()
    model.train_on_batch(x, t)
    program = model.program(x, True)
    names = kinds(program.training.nodes)
    assert names.count("NormWithResidual") == 3
    assert names.count("FoldedNorm") == 4  # the stem, the first of each block, the projection or what stands beside it
    assert {"BatchNormalization", "Add", "ReLU", "Activation", "NormWithRelu"}.isdisjoint(names)
    tails = [o.name.split("+") for o in operations(program.training.nodes) if type(o) is NormWithResidual]
    assert [len(parts) for parts in tails] == [3, 3, 2]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_fused_residual_blocks_train_and_predict_as_single_layers(dtype):
    x, t = residual_data()
    runs = []
    for fuse in (True, False):
        model = residual_model(dtype, fuse=fuse)
        history = model.fit(x, t, epochs=4, batch_size=5, shuffle=False, verbose=0).history["loss"]
        runs.append([history, model.predict(x, verbose=0), model.predict([a[:1] for a in x]), *model.get_weights()])
    close = {"rtol": 1e-9, "atol": 1e-11} if dtype == "float64" else {"rtol": 2e-3, "atol": 2e-4}
    for one, other in zip(*runs, strict=True):
        np.testing.assert_allclose(one, other, **close)


@pytest.mark.parametrize("change", ["set_weights", "assign", "value", "training"])
def test_a_folded_normalization_is_never_stale(change):
    x, t = residual_data()
    fused_model, plain = residual_model(), residual_model(fuse=False)
    before = fused_model.predict(x, verbose=0)
    for model in (fused_model, plain):
        rng = np.random.default_rng(4)
        if change == "set_weights":
            model.set_weights([w + 0.1 * rng.random(w.shape) for w in model.get_weights()])
        elif change == "training":
            model.train_on_batch(x, t)
        else:
            for p in model.weights:
                new = p.value + 0.1 * rng.random(p.shape)
                if change == "assign":
                    p.assign(new)
                else:
                    p.value[...] = new
    after = fused_model.predict(x, verbose=0)
    assert np.abs(after - before).max() > 1e-3
    np.testing.assert_allclose(after, plain.predict(x, verbose=0), rtol=1e-9)


FOLDED = {
    "conv": (layers.Conv2D(5, 3, padding="same", dtype="float64"), (6, 7, 2)),
    "strided": (layers.Conv2D(4, 3, strides=2, use_bias=False, groups=2, dtype="float64"), (9, 9, 2)),
    "depthwise": (layers.DepthwiseConv2D(3, depth_multiplier=2, dtype="float64"), (6, 7, 3)),
    "sequence": (layers.Conv1D(5, 3, padding="causal", dtype="float64"), (11, 2)),
    "dense": (layers.Dense(5, bias_initializer="ones", dtype="float64"), (3,)),
    "dense on sequences": (layers.Dense(5, use_bias=False, dtype="float64"), (4, 3)),
}


@pytest.mark.parametrize("kind", FOLDED)
@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("rows", [1, 30])
def test_values_and_gradients_of_a_folded_normalization(kind, relu, training, rows):
    layer, shape = FOLDED[kind]
    norm, after = layers.BatchNormalization(dtype="float64"), layers.ReLU(dtype="float64")
    rng = np.random.default_rng(3)
    x = rng.standard_normal((rows, *shape))
    norm(layer(x))
    for p in norm.weights:
        p.value[...] = rng.random(p.shape) + 0.5
    z, before = layer.forward(x, training)
    expected, middle = norm.forward(z, training)
    if relu:
        expected, end = after.forward(expected, training)
    dy = rng.standard_normal(expected.shape)
    dz = norm.backward(after.backward(dy, end) if relu else dy, middle)
    gradients = [layer.backward(dz, before), *(p.grad.copy() for p in (*layer.weights, *norm.weights))]
    block = FoldedNorm(layer, norm, *([after] if relu else []))
    y, ctx = block.forward(x, training)
    np.testing.assert_allclose(y, expected, rtol=1e-10, atol=1e-12)
    if rows == 30:
        assert isinstance(ctx, np.ndarray) is not training  # folded in inference and nowhere else
    for p in block.weights:
        p.grad[...] = np.nan
    dx = block.backward(dy, ctx)
    for got, want in zip([dx, *(p.grad for p in block.weights)], gradients, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-11)


def test_what_keeps_a_sum_from_joining():
    """An output between, a second reader, shapes that broadcast, three arrays, the same array twice."""
    start = Input((4,))
    norm = layers.BatchNormalization()(start)
    cases = {
        "joined": (layers.Add()([norm, start]), ["NormWithResidual"]),
        "twice": (layers.Add()([norm, norm]), ["BatchNormalization", "Add"]),
        "three": (layers.Add()([norm, start, start]), ["BatchNormalization", "Add"]),
        "relu": (layers.Activation("relu")(layers.Add()([start, norm])), ["NormWithResidual"]),
        "tanh": (layers.Activation("tanh")(layers.Add()([start, norm])), ["NormWithResidual", "Activation"]),
        "subtract": (layers.Subtract()([norm, start]), ["BatchNormalization", "Subtract"]),
    }
    for label, (end, expected) in cases.items():
        graph = Model(start, end).graph
        assert kinds(fused(graph.nodes, graph.output_symbols)) == expected, label
    graph = Model(start, [layers.Add()([norm, start]), norm]).graph
    assert kinds(fused(graph.nodes, graph.output_symbols)) == ["BatchNormalization", "Add"]
    open_size = Input((None, 4))
    graph = Model(open_size, layers.Add()([layers.BatchNormalization()(open_size), open_size])).graph
    assert kinds(fused(graph.nodes, graph.output_symbols)) == ["BatchNormalization", "Add"]


def test_masks_pass_a_joined_sum():
    """Sequences of different lengths: statistics of the steps that count, and the mask of the sum."""
    rng = np.random.default_rng(6)
    x = rng.standard_normal((12, 5, 3))
    for i in range(12):
        x[i, 2 + i % 4 :] = 0
    runs = []
    for fuse in (True, False):
        utils.set_random_seed(1)
        start = Input((5, 3), dtype="float64")
        inside = layers.Masking(dtype="float64")(start)
        y = layers.BatchNormalization(dtype="float64")(layers.Dense(3, dtype="float64")(inside))
        y = layers.ReLU(dtype="float64")(layers.Add(dtype="float64")([y, inside]))
        model = Model(start, layers.Dense(1, dtype="float64")(layers.LSTM(4, dtype="float64")(y)))
        model.compile(optimizers.SGD(0.1), "mse", fuse=fuse)
        loss = model.fit(x, x[:, 0, 0], epochs=3, shuffle=False, verbose=0).history["loss"]
        runs.append([loss, model.predict(x, verbose=0), *model.get_weights()])
        assert ("NormWithResidual" in kinds(model.program([x], True).training.nodes)) is fuse
    for one, other in zip(*runs, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)


def test_an_edge_with_two_readers_stays():
    dense, relu = layers.Dense(2), layers.ReLU()
    nodes, last = chain([dense, relu])
    between = nodes[0].outputs[0]
    assert kinds(fused(nodes, [last])) == ["WithActivation"]
    assert kinds(fused(nodes, [last, between])) == ["Dense", "ReLU"]
    other = record(layers.Flatten(), [between], (None, 1), "float32")
    assert kinds(fused([*nodes, other.node], [last, other])) == ["Dense", "ReLU", "Flatten"]


@pytest.mark.parametrize(
    ("stack", "head", "left"),
    [
        ([layers.Dense(2, activation="softmax")], "softmax", ["WithActivation"]),
        ([layers.Dense(2, activation="sigmoid")], "sigmoid", ["WithActivation"]),
        ([layers.Dense(2), layers.Activation("softmax")], "softmax", ["Dense"]),
        ([layers.Dense(2), layers.Softmax()], "softmax", ["Dense"]),
        ([layers.Dense(2), layers.Activation("sigmoid")], "sigmoid", ["Dense"]),
        ([layers.Dense(2), layers.Softmax(axis=1)], None, ["Dense", "Softmax"]),
        ([layers.TimeDistributed(layers.Dense(2, activation="softmax"))], "softmax", ["WithActivation"]),
        ([layers.Dense(2), layers.TimeDistributed(layers.Softmax())], "softmax", ["Dense"]),
        ([layers.Dense(2, activation="relu")], None, ["Dense"]),
        ([layers.Dense(2, activation="softmax", activity_regularizer="l2")], None, ["Dense", "ActivityPenalty"]),
        ([layers.Dense(2, activation="sigmoid"), layers.Flatten()], None, ["Dense", "Flatten"]),
        ([], None, []),
    ],
)
def test_head(stack, head, left):
    nodes, last = chain(stack)
    shorter, outputs, found = split_head(nodes, [last], 0)
    assert found == head
    assert kinds(fused(shorter, outputs)) == left


@pytest.mark.parametrize("make", [mlp, cnn])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_fused_training_is_unfused_training(digits, make, dtype):
    x, y = digits
    model, start = make(dtype=dtype), None
    rng = np.random.default_rng(2)
    start = [rng.uniform(-0.4, 0.4, w.shape) for w in model.get_weights()]
    runs = []
    for fuse in (True, False):
        model.set_weights(start)
        for layer in model.layers:
            if isinstance(layer, layers.Dropout):
                layer.calls = 0
        model.compile(optimizers.SGD(0.05, momentum=0.9), "sparse_categorical_crossentropy", fuse=fuse)
        history = model.fit(x / 255, y, epochs=3, shuffle=False, verbose=0)
        runs.append((history.history["loss"], model.get_weights(), model.predict(x / 255, verbose=0)))
    close = {"rtol": 1e-10, "atol": 1e-12} if dtype == "float64" else {"rtol": 2e-4, "atol": 2e-5}
    np.testing.assert_allclose(runs[0][0], runs[1][0], **close)
    for a, b in zip(runs[0][1], runs[1][1], strict=True):
        np.testing.assert_allclose(a, b, **close)
    np.testing.assert_allclose(runs[0][2], runs[1][2], **close)


def test_the_cnn_of_the_notes_runs_in_few_blocks():
    model = cnn()
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.train_on_batch(np.zeros((2, 9, 8, 1)), np.zeros(2, int))
    program = model.program([np.zeros((2, 9, 8, 1))], True)
    names = kinds(program.training.nodes)
    assert names == ["ConvPool", "ConvPool", "Flatten", "Dropout", "WithActivation", "Dense"]
    assert program.from_logits == [True]


class Scale(layers.Layer):
    """y = w·x, which notes whether the gradient of its input was wanted."""

    def build(self, input_shape):
        self.w = self.add_weight((), "ones", name="w")

    def compute_output_shape(self, input_shape):
        return input_shape

    def forward(self, x, training=False):
        return x * self.w.value, x

    def backward(self, dy, ctx, need_dx=True):
        self.wanted = need_dx
        self.w.grad[...] = (dy * ctx).sum()
        return dy * self.w.value if need_dx else None


def test_the_first_layer_that_learns_makes_no_input_gradient():
    stack = [Scale() for _ in range(3)]
    model = Sequential([Input((2,)), *stack])
    for frozen, expected in ((0, [False, True, True]), (1, [None, False, True]), (3, [None, None, None])):
        for i, layer in enumerate(stack):
            layer.trainable, layer.wanted = i >= frozen, None
        model.compile("sgd", "mse")
        model.fit(np.ones((2, 2)), np.zeros((2, 2)), verbose=0)
        assert [layer.wanted for layer in stack] == expected


@pytest.mark.parametrize("pool", [(2, 2), (3, 3), (1, 2)])
@pytest.mark.parametrize("activation", ["relu", None])
@pytest.mark.parametrize("padding", ["valid", "same"])
def test_conv_pool_block_is_its_two_layers(pool, activation, padding):
    rng = np.random.default_rng(1)
    conv = layers.Conv2D(5, 3, activation=activation, padding=padding, dtype="float64")
    after = layers.MaxPooling2D(pool, dtype="float64")
    Sequential([Input(shape=(11, 8, 3)), conv, after])
    x = rng.standard_normal((2, 11, 8, 3))
    block = ConvPool(conv, conv.rule.name, after)
    y, ctx = block.forward(x, True)
    h, conv_ctx = conv.forward(x, True)
    expected, pool_ctx = after.forward(h, True)
    np.testing.assert_allclose(y, expected, rtol=1e-12, atol=1e-12)
    dy = rng.standard_normal(y.shape)
    dx = block.backward(dy, ctx)
    grads = [p.grad.copy() for p in conv.weights]
    np.testing.assert_allclose(dx, conv.backward(after.backward(dy, pool_ctx), conv_ctx), rtol=1e-10, atol=1e-12)
    for g, p in zip(grads, conv.weights, strict=True):
        np.testing.assert_allclose(g, p.grad, rtol=1e-10, atol=1e-12)


def test_with_activation_is_its_two_layers():
    rng = np.random.default_rng(1)
    dense, after = layers.Dense(5, dtype="float64"), layers.Activation("elu", dtype="float64")
    dense.ensure_built((None, 4))
    x = rng.standard_normal((3, 4))
    block = WithActivation(dense, after.rule)
    y, ctx = block.forward(x)
    h, dense_ctx = dense.forward(x)
    expected, after_ctx = after.forward(h)
    np.testing.assert_allclose(y, expected, rtol=1e-12)
    dy = rng.standard_normal(y.shape)
    dx = block.backward(dy, ctx)
    grad = dense.kernel.grad.copy()
    np.testing.assert_allclose(dx, dense.backward(after.backward(dy, after_ctx), dense_ctx), rtol=1e-10)
    np.testing.assert_allclose(grad, dense.kernel.grad, rtol=1e-10)


def norm_model(dtype="float64", masked=False, **settings):
    """A block that normalizes after its sum, two that normalize before, so that their sums go on, and a last norm."""
    utils.set_random_seed(6)
    set_to = {"dtype": dtype}
    ids = Input((5,), dtype="int32")
    x = layers.Embedding(9, 6, mask_zero=masked, **set_to)(ids)
    x = layers.LayerNormalization(**set_to)(layers.Add(**set_to)([x, layers.Dense(6, "tanh", **set_to)(x)]))
    stream = layers.add([x, layers.Dense(6, "tanh", **set_to)(x)], **set_to)
    for norm in (layers.RMSNormalization(**set_to), layers.LayerNormalization([1, 2], scale=False, **set_to)):
        stream = stream + layers.Dense(6, "tanh", **set_to)(norm(stream))
    last = layers.LayerNormalization(gamma_initializer="uniform", **set_to)(stream)
    model = Model(ids, [layers.Dense(1, **set_to)(last), layers.Dense(2, **set_to)(stream)])
    model.compile(optimizers.SGD(0.01, momentum=0.9), "mse", **settings)
    return model


def norm_data(n=12):
    rng = np.random.default_rng(3)
    return rng.integers(0, 9, (n, 5)), [rng.standard_normal((n, 5, 1)), rng.standard_normal((n, 5, 2))]


def test_a_sum_and_its_norm_are_one_pass():
    model, (x, t) = norm_model(), norm_data()
    model.train_on_batch(x, t)
    nodes = model.program([x], True).training.nodes
    blocks = [o for o in operations(nodes) if type(o).__name__ == "NormOfSum"]
    assert [o.gives_several for o in blocks] == [False, True, True, True]
    assert {"Add", "LayerNormalization", "RMSNormalization"}.isdisjoint(kinds(nodes))
    assert blocks[0].name.startswith("add")
    assert "+layer_normalization" in blocks[0].name


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_norms_of_sums_train_and_predict_as_single_layers(dtype, masked):
    x, t = norm_data()
    runs = []
    for fuse in (True, False):
        model = norm_model(dtype, masked, fuse=fuse)
        history = model.fit(x, t, epochs=4, batch_size=5, shuffle=False, verbose=0).history["loss"]
        runs.append([history, *model.predict(x, verbose=0), *model.predict(x[:1], verbose=0), *model.get_weights()])
    close = {"rtol": 1e-9, "atol": 1e-11} if dtype == "float64" else {"rtol": 2e-3, "atol": 2e-4}
    for one, other in zip(*runs, strict=True):
        np.testing.assert_allclose(one, other, **close)


def norm_graph(first=(4, 6), second=(4, 6), norm=None, between=None):
    """Two inputs, their sum, its norm: the nodes and the symbols of the sum and of the output."""
    a, b = Input(first), Input(second)
    total = a + b
    x = total if between is None else between(total)
    y = (norm or layers.LayerNormalization())(x)
    return [total.node, *([x.node] if between else []), y.node], total, y


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, ["NormOfSum"]),
        ({"norm": layers.RMSNormalization(axis=[1, 2])}, ["NormOfSum"]),
        ({"norm": layers.LayerNormalization(axis=1)}, ["Add", "LayerNormalization"]),  # rows apart in memory
        ({"norm": layers.UnitNormalization()}, ["Add", "UnitNormalization"]),
        ({"norm": layers.LayerNormalization(dtype="float64")}, ["Add", "LayerNormalization"]),
        ({"second": (1, 6)}, ["Add", "LayerNormalization"]),  # a sum that broadcasts
        ({"first": (None, 6), "second": (None, 6)}, ["Add", "LayerNormalization"]),  # lengths may differ
        ({"between": layers.Dropout(0.5)}, ["Add", "Dropout", "LayerNormalization"]),
    ],
)
def test_which_sums_join_their_norm(settings, expected):
    nodes, _, y = norm_graph(**settings)
    assert kinds(fused(nodes, [y])) == expected


def test_a_sum_that_is_an_output_or_is_read_twice_comes_out_too():
    nodes, total, y = norm_graph()
    (block,) = fused(nodes, [y, total])
    assert block.outputs == [y, total]
    other = layers.RMSNormalization()(total)
    assert kinds(fused([*nodes, other.node], [y, other])) == ["NormOfSum", "RMSNormalization"]
    (block,) = fused(nodes, [y])
    assert block.outputs == [y]


@pytest.mark.parametrize("which", [0, 1])
def test_a_norm_or_a_sum_that_no_loss_depends_on(which):
    """The gradient of what is left is as in the single layers; weights of an unused norm have the gradient 0."""
    a, b = Input((4, 6), dtype="float64"), Input((4, 6), dtype="float64")
    dense = layers.Dense(6, dtype="float64")
    total = dense(a) + b
    norm = layers.LayerNormalization(dtype="float64")
    rng = np.random.default_rng(0)
    x, t = [rng.standard_normal((3, 4, 6)) for _ in range(2)], rng.standard_normal((3, 4, 6))
    gradients = []
    model = Model([a, b], [norm(total), total])
    for fuse in (True, False):
        model.compile("sgd", ["mse", None][:: 1 if which == 0 else -1], fuse=fuse)
        start = model.get_weights()
        model.train_on_batch(x, [t, t])
        gradients.append([p.grad.copy() for p in model.weights])
        model.set_weights(start)
    for one, other in zip(*gradients, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-14)
    assert (norm.gamma.grad != 0).any() == (which == 0)


def positions_graph(positions=None, second=None, **options):
    """x, the vectors of its places (or those of another array), and their sum: the nodes and the sum."""
    x = Input((4, 6))
    places = (positions or layers.PositionEmbedding(9))(x, **options)
    total = layers.Add()([x, places] if second is None else second(x, places))
    nodes = {places.node, *(s.node for s in total.node.inputs if s is not x), total.node}
    return sorted(nodes, key=lambda node: node.serial), total


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, ["WithPositions"]),
        ({"start_index": 3}, ["WithPositions"]),
        ({"positions": layers.SinePositionEncoding()}, ["WithPositions"]),
        ({"second": lambda x, places: [places, x]}, ["WithPositions"]),
        ({"second": lambda x, places: [places, places]}, ["PositionEmbedding", "Add"]),
        ({"second": lambda x, places: [x, places, x]}, ["PositionEmbedding", "Add"]),
        ({"second": lambda x, places: [layers.ReLU()(x), places]}, ["PositionEmbedding", "ReLU", "Add"]),
        ({"positions": layers.SinePositionEncoding(dtype="float64")}, ["SinePositionEncoding", "Add"]),
    ],
)
def test_which_vectors_of_places_join_their_sum(settings, expected):
    nodes, total = positions_graph(**settings)
    assert kinds(fused(nodes, [total])) == expected
    assert "WithPositions" not in kinds(fused(nodes, [total, nodes[0].outputs[0]]))


@pytest.mark.parametrize("masked", [False, True])
def test_sums_with_vectors_of_places_have_the_bits_of_the_single_layers(masked):
    ids, t = np.random.default_rng(5).integers(0, 9, (12, 5)), np.random.default_rng(6).standard_normal((12, 1))
    runs = []
    for fuse in (True, False):
        utils.set_random_seed(2)
        x = start = Input((5,), dtype="int64")
        x = layers.Embedding(9, 4, mask_zero=masked)(x)
        learned = layers.PositionEmbedding(8)
        x = learned(x, start_index=2) + x
        x = layers.Add()([x, layers.SinePositionEncoding()(x)])
        x = x + learned(x)  # its gradient is the sum over both places
        model = Model(start, layers.Dense(1)(layers.GlobalAveragePooling1D()(x)))
        model.compile(optimizers.Adam(0.1), "mse", fuse=fuse)
        losses = model.fit(ids, t, epochs=3, batch_size=5, shuffle=False, verbose=0).history["loss"]
        names = kinds(model.program([ids], True).training.nodes)
        assert names.count("WithPositions") == (3 if fuse else 0)
        runs.append([losses, model.predict(ids, verbose=0), *model.get_weights()])
    for one, other in zip(*runs, strict=True):
        np.testing.assert_array_equal(one, other)

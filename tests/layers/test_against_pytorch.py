"""Every layer that PyTorch has beside its module, with the same weights: outputs and gradients, training both ways.

Weights, and their gradients, go through ``fastnn.interop``.  In float64, so that a difference is a difference.  Skipped
without PyTorch.
"""

import numpy as np
import pytest

from fastnn import backend, layers
from fastnn.graph import take_back
from fastnn.interop.pytorch.parts import parts_of_layer
from tests.layers.examples import classes

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
nn = torch.nn
F = nn.functional

CLOSE = {"rtol": 1e-6, "atol": 1e-8}  # a few thousand roundings
ROWS, SERIES, IMAGE, IDS = (3, 5), (3, 9, 4), (3, 7, 8, 4), (3, 6)


class Call(nn.Module):
    """A function as a module, with modules in it whose parameters count."""

    def __init__(self, function, **modules):
        super().__init__()
        self.function = function
        for name, module in modules.items():
            setattr(self, name, module)

    def forward(self, *x):
        return self.function(self, *x)


def recurrent(kind, **settings):
    """All outputs, and final states where they are asked for."""
    return Call(lambda self, x: self.own(x)[0], own=kind(4, 3, batch_first=True, **settings))


def attention(**settings):
    return Call(
        lambda self, q, v, k: self.own(q, k, v)[0], own=nn.MultiheadAttention(6, 2, batch_first=True, **settings)
    )


TABLE = {
    "Activation": (lambda: layers.Activation("gelu"), nn.GELU, ROWS),
    "Activation tanh": (lambda: layers.Activation("tanh"), nn.Tanh, ROWS),
    "Activation silu": (lambda: layers.Activation("silu"), nn.SiLU, ROWS),
    "Activation selu": (lambda: layers.Activation("selu"), nn.SELU, ROWS),
    "Activation softplus": (lambda: layers.Activation("softplus"), nn.Softplus, ROWS),
    "Activation softsign": (lambda: layers.Activation("softsign"), nn.Softsign, ROWS),
    "Activation hard_sigmoid": (lambda: layers.Activation("hard_sigmoid"), nn.Hardsigmoid, ROWS),
    "Activation relu6": (lambda: layers.Activation("relu6"), nn.ReLU6, ROWS),
    "Activation log_softmax": (lambda: layers.Activation("log_softmax"), lambda: nn.LogSoftmax(-1), ROWS),
    "Add": (layers.Add, lambda: Call(lambda self, a, b: a + b), [ROWS, ROWS]),
    "Attention": (
        layers.Attention, lambda: Call(lambda self, q, v: F.scaled_dot_product_attention(q, v, v, scale=1.0)),
        [SERIES, (3, 5, 4)],
    ),
    "Average": (layers.Average, lambda: Call(lambda self, a, b: (a + b) / 2), [ROWS, ROWS]),
    "AveragePooling1D": (lambda: layers.AveragePooling1D(3, 2), lambda: nn.AvgPool1d(3, 2), SERIES),
    "AveragePooling2D": (lambda: layers.AveragePooling2D((3, 2), 2), lambda: nn.AvgPool2d((3, 2), 2), IMAGE),
    "BatchNormalization": (
        lambda: layers.BatchNormalization(momentum=1.0, epsilon=1e-5), lambda: nn.BatchNorm2d(4, momentum=0.0), IMAGE
    ),
    "BatchNormalization rows": (
        lambda: layers.BatchNormalization(momentum=1.0, epsilon=1e-5, scale=False, center=False),
        lambda: nn.BatchNorm1d(5, momentum=0.0, affine=False), ROWS,
    ),
    "Bidirectional": (
        lambda: layers.Bidirectional(layers.LSTM(3, return_sequences=True)),
        lambda: recurrent(nn.LSTM, bidirectional=True), SERIES,
    ),
    "Concatenate": (layers.Concatenate, lambda: Call(lambda self, a, b: torch.cat([a, b], -1)), [ROWS, (3, 2)]),
    "Conv1D": (
        lambda: layers.Conv1D(6, 3, strides=2, groups=2), lambda: nn.Conv1d(4, 6, 3, 2, groups=2), SERIES
    ),
    "Conv1D same": (lambda: layers.Conv1D(6, 5, padding="same"), lambda: nn.Conv1d(4, 6, 5, padding="same"), SERIES),
    "Conv1DTranspose": (
        lambda: layers.Conv1DTranspose(6, 2, strides=3), lambda: nn.ConvTranspose1d(4, 6, 2, 3, output_padding=1),
        SERIES
    ),
    "Conv2D": (
        lambda: layers.Conv2D(6, (3, 2), dilation_rate=2, groups=2),
        lambda: nn.Conv2d(4, 6, (3, 2), dilation=2, groups=2), IMAGE,
    ),
    "Conv2D strides": (
        lambda: layers.Conv2D(3, 3, strides=(2, 3), use_bias=False), lambda: nn.Conv2d(4, 3, 3, (2, 3), bias=False),
        IMAGE
    ),
    "Conv2DTranspose": (
        lambda: layers.Conv2DTranspose(6, (3, 2), strides=2, output_padding=1),
        lambda: nn.ConvTranspose2d(4, 6, (3, 2), 2, output_padding=1), IMAGE,
    ),
    "Cropping1D": (lambda: layers.Cropping1D((1, 3)), lambda: Call(lambda self, x: x[:, :, 1:-3]), SERIES),
    "Cropping2D": (
        lambda: layers.Cropping2D(((1, 2), (3, 1))), lambda: Call(lambda self, x: x[:, :, 1:-2, 3:-1]), IMAGE
    ),
    "Dense": (lambda: layers.Dense(4), lambda: nn.Linear(5, 4), ROWS),
    "Dense series": (lambda: layers.Dense(3, use_bias=False), lambda: nn.Linear(4, 3, bias=False), SERIES),
    "DepthwiseConv1D": (
        lambda: layers.DepthwiseConv1D(3, strides=2, depth_multiplier=2), lambda: nn.Conv1d(4, 8, 3, 2, groups=4),
        SERIES
    ),
    "DepthwiseConv2D": (
        lambda: layers.DepthwiseConv2D(3, depth_multiplier=2, dilation_rate=2),
        lambda: nn.Conv2d(4, 8, 3, dilation=2, groups=4), IMAGE,
    ),
    "Dot": (lambda: layers.Dot(1), lambda: Call(lambda self, a, b: (a * b).sum(1, keepdim=True)), [ROWS, ROWS]),
    "ELU": (lambda: layers.ELU(0.7), lambda: nn.ELU(0.7), ROWS),
    "Embedding": (lambda: layers.Embedding(7, 4), lambda: nn.Embedding(7, 4), IDS),
    "Flatten": (layers.Flatten, nn.Flatten, (*ROWS, 2)),
    "GRU": (lambda: layers.GRU(3, return_sequences=True), lambda: recurrent(nn.GRU), SERIES),
    "GlobalAveragePooling1D": (layers.GlobalAveragePooling1D, lambda: Call(lambda self, x: x.mean(2)), SERIES),
    "GlobalAveragePooling2D": (layers.GlobalAveragePooling2D, lambda: Call(lambda self, x: x.mean((2, 3))), IMAGE),
    "GlobalMaxPooling1D": (layers.GlobalMaxPooling1D, lambda: Call(lambda self, x: x.amax(2)), SERIES),
    "GlobalMaxPooling2D": (layers.GlobalMaxPooling2D, lambda: Call(lambda self, x: x.amax((2, 3))), IMAGE),
    "GroupNormalization": (lambda: layers.GroupNormalization(2, epsilon=1e-5), lambda: nn.GroupNorm(2, 4), IMAGE),
    "GroupQueryAttention": (
        lambda: layers.GroupQueryAttention(3, 4, 2, use_bias=False),
        lambda: Call(grouped, q=nn.Linear(4, 12, False), k=nn.Linear(4, 6, False), v=nn.Linear(4, 6, False),
                     o=nn.Linear(12, 4, False)), [SERIES, (3, 5, 4)],
    ),
    "Identity": (layers.Identity, nn.Identity, ROWS),
    "LSTM": (lambda: layers.LSTM(3, return_sequences=True), lambda: recurrent(nn.LSTM), SERIES),
    "LSTM without bias": (
        lambda: layers.LSTM(3, return_sequences=True, use_bias=False), lambda: recurrent(nn.LSTM, bias=False), SERIES
    ),
    "LayerNormalization": (lambda: layers.LayerNormalization(epsilon=1e-5), lambda: nn.LayerNorm(5), ROWS),
    "LayerNormalization images": (
        lambda: layers.LayerNormalization(axis=(1, 2, 3), epsilon=1e-5), lambda: nn.LayerNorm((4, 7, 8)), IMAGE
    ),
    "LeakyReLU": (lambda: layers.LeakyReLU(0.1), lambda: nn.LeakyReLU(0.1), ROWS),
    "MaxPooling1D": (lambda: layers.MaxPooling1D(3, 2), lambda: nn.MaxPool1d(3, 2), SERIES),
    "MaxPooling2D": (lambda: layers.MaxPooling2D((3, 2), 2), lambda: nn.MaxPool2d((3, 2), 2), IMAGE),
    "Maximum": (layers.Maximum, lambda: Call(lambda self, a, b: torch.maximum(a, b)), [ROWS, ROWS]),
    "Minimum": (layers.Minimum, lambda: Call(lambda self, a, b: torch.minimum(a, b)), [ROWS, ROWS]),
    "MultiHeadAttention": (
        lambda: layers.MultiHeadAttention(2, 3), attention, [(3, 4, 6), (3, 5, 6), (3, 5, 6)]
    ),
    "MultiHeadAttention sizes": (
        lambda: layers.MultiHeadAttention(2, 3, use_bias=False), lambda: attention(kdim=2, vdim=4, bias=False),
        [(3, 4, 6), (3, 5, 4), (3, 5, 2)],
    ),
    "Multiply": (layers.Multiply, lambda: Call(lambda self, a, b: a * b), [ROWS, ROWS]),
    "PReLU": (lambda: layers.PReLU(shared_axes=[1, 2]), lambda: nn.PReLU(4), IMAGE),
    "Permute": (lambda: layers.Permute((2, 1)), lambda: Call(lambda self, x: x.transpose(1, 2)), (*ROWS, 2)),
    "RMSNormalization": (lambda: layers.RMSNormalization(epsilon=1e-5), lambda: nn.RMSNorm(5, 1e-5), ROWS),
    "ReLU": (layers.ReLU, nn.ReLU, ROWS),
    "RepeatVector": (lambda: layers.RepeatVector(3), lambda: Call(lambda self, x: x[:, None].expand(-1, 3, -1)), ROWS),
    "Rescaling": (lambda: layers.Rescaling(0.5, -1), lambda: Call(lambda self, x: x / 2 - 1), IMAGE),
    "Reshape": (lambda: layers.Reshape((2, 5)), lambda: nn.Unflatten(1, (2, 5)), (3, 10)),
    "SeparableConv1D": (
        lambda: layers.SeparableConv1D(6, 3, depth_multiplier=2),
        lambda: Call(lambda self, x: self.pointwise(self.depthwise(x)), depthwise=nn.Conv1d(4, 8, 3, groups=4,
        bias=False),
                     pointwise=nn.Conv1d(8, 6, 1)), SERIES,
    ),
    "SeparableConv2D": (
        lambda: layers.SeparableConv2D(6, 3),
        lambda: Call(lambda self, x: self.pointwise(self.depthwise(x)), depthwise=nn.Conv2d(4, 4, 3, groups=4,
        bias=False),
                     pointwise=nn.Conv2d(4, 6, 1)), IMAGE,
    ),
    "SimpleRNN": (
        lambda: layers.SimpleRNN(3, activation="relu", return_sequences=True),
        lambda: recurrent(nn.RNN, nonlinearity="relu"), SERIES,
    ),
    "Softmax": (layers.Softmax, lambda: nn.Softmax(-1), ROWS),
    "Subtract": (layers.Subtract, lambda: Call(lambda self, a, b: a - b), [ROWS, ROWS]),
    "TimeDistributed": (lambda: layers.TimeDistributed(layers.Dense(3)), lambda: nn.Linear(4, 3), SERIES),
    "UnitNormalization": (layers.UnitNormalization, lambda: Call(lambda self, x: F.normalize(x, dim=-1)), ROWS),
    "UpSampling1D": (lambda: layers.UpSampling1D(3), lambda: nn.Upsample(scale_factor=3), SERIES),
    "UpSampling2D": (lambda: layers.UpSampling2D((2, 3)), lambda: nn.Upsample(scale_factor=(2, 3)), IMAGE),
    "UpSampling2D bilinear": (
        lambda: layers.UpSampling2D(2, interpolation="bilinear"), lambda: nn.Upsample(scale_factor=2,
        mode="bilinear"), IMAGE
    ),
    "ZeroPadding1D": (lambda: layers.ZeroPadding1D((1, 2)), lambda: nn.ZeroPad1d((1, 2)), SERIES),
    "ZeroPadding2D": (lambda: layers.ZeroPadding2D(((1, 2), (0, 3))), lambda: nn.ZeroPad2d((0, 3, 1, 2)), IMAGE),
}  # fmt: skip

CHANNELS = ("1D", "2D")
ELSEWHERE = {
    "its moments are those of a random draw": (
        "AlphaDropout", "Dropout", "GaussianDropout", "GaussianNoise", "SpatialDropout1D", "SpatialDropout2D",
        "StochasticPooling2D",
    ),
    "one step of the layers in the table": ("GRUCell", "LSTMCell", "SimpleRNNCell", "RNN", "StackedRNNCells"),
    "PyTorch has no such layer": (
        "ActivityRegularization", "AdditiveAttention", "EinsumDense", "InputLayer", "Lambda", "Masking",
        "OutputRNNCell",
        "PositionEmbedding", "SinePositionEncoding", "TokenAndPositionEmbedding",
    ),
}  # fmt: skip
CHANNELS_TOO = ("BatchNormalization", "GroupNormalization", "LayerNormalization images", "PReLU")


def grouped(self, x, value):
    """Heads of queries that share heads of keys and values."""
    q, k, v = self.q(x).view(3, -1, 4, 3), self.k(value).view(3, -1, 2, 3), self.v(value).view(3, -1, 2, 3)
    q, k, v = (a.transpose(1, 2) for a in (q, k.repeat_interleave(2, 2), v.repeat_interleave(2, 2)))
    return self.o(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(3, -1, 12))


def test_the_table_has_every_layer():
    found = {name.split()[0] for name in TABLE} | {name for names in ELSEWHERE.values() for name in names}
    assert found == set(classes())


def turned(name):
    """Whether PyTorch has the channels in front."""
    return name.split()[0].endswith((*CHANNELS, "Transpose")) or name in CHANNELS_TOO


def front(x, name):
    return np.ascontiguousarray(np.moveaxis(x, -1, 1)) if turned(name) and x.ndim > 2 else x


def back(x, name):
    x = x.detach().numpy()
    return np.moveaxis(x, 1, -1) if turned(name) and x.ndim > 2 else x


def listed(value):
    return list(value) if isinstance(value, (list, tuple)) else [value]


def arrays_of(layer, values):
    """Arrays, one for each weight of the layer, by PyTorch's names and in its layouts."""
    at = {id(parameter): value for parameter, value in zip(layer.weights, values, strict=True)}
    if isinstance(layer, layers.GroupQueryAttention):
        return {f"{part}.weight": (v.reshape(v.shape[0], -1) if part != "o" else v.reshape(-1, v.shape[-1])).T
                for part, v in zip("qkvo", values, strict=True)}  # fmt: skip
    return {
        f"{part.name}.{leaf}".strip("."): array
        for part in parts_of_layer(layer, "")
        for leaf, array in part.form.write(part.names, [at[id(p)] for p in part.parameters]).items()
    }


@pytest.fixture(autouse=True)
def double():
    backend.set_floatx("float64")
    yield
    backend.set_floatx("float32")


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("name", TABLE)
def test_outputs_and_gradients(name, training):
    make, theirs, shapes = TABLE[name]
    rng = np.random.default_rng(0)
    layer, module = make(), theirs().double().train(training)
    single = not isinstance(shapes, list)
    xs = [
        rng.integers(0, 7, s) if layer.takes_ids else rng.standard_normal(s) for s in ([shapes] if single else shapes)
    ]
    layer(*xs) if name.startswith(("MultiHead", "GroupQuery")) else layer(xs[0] if single else xs)
    weights = [rng.uniform(0.2, 0.7, w.shape) * rng.choice([-1, 1], w.shape) for w in layer.weights]
    weights = [abs(w) if p.name == "moving_variance" else w for w, p in zip(weights, layer.weights, strict=True)]
    layer.set_weights(weights)
    own = "own." if hasattr(module, "own") else ""
    module.load_state_dict({f"{own}{k}": torch.from_numpy(v.copy()) for k, v in arrays_of(layer, weights).items()})

    tensors = [torch.from_numpy(front(x, name)).requires_grad_(x.dtype.kind == "f") for x in xs]
    expected = module(*tensors)
    y, ctx = layer.checked_forward(xs[0] if single and not layer.takes_several else xs, training, None, {})
    np.testing.assert_allclose(y, back(expected, name), **CLOSE)
    dy = rng.standard_normal(y.shape)
    parameters = {key.removeprefix(own): p for key, p in module.named_parameters()}
    learned = [t for t in tensors if t.requires_grad] + list(parameters.values())
    slopes = torch.autograd.grad(expected, learned, torch.from_numpy(front(dy, name))) if learned else ()
    count = len(slopes) - len(parameters)
    dx = listed(take_back(layer, dy, ctx, True))
    for one, slope in zip([d for d, x in zip(dx, xs, strict=True) if x.dtype.kind == "f"], slopes[:count], strict=True):
        np.testing.assert_allclose(one, back(slope, name), **CLOSE)
    grads = arrays_of(layer, [w.grad if w.trainable else w.value for w in layer.weights])
    for (key, parameter), slope in zip(parameters.items(), slopes[count:], strict=True):
        if "bias_hh" not in key or name == "GRU":  # the layer has one bias, and PyTorch two with the same gradient
            np.testing.assert_allclose(grads[key], slope, err_msg=key, **CLOSE)
        assert grads[key].shape == tuple(parameter.shape)

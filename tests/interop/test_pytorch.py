"""Models made of PyTorch's modules: outputs, three training steps, the module's own keys back; skipped without it."""

import numpy as np
import pytest

import fastnn
from fastnn.interop import from_torch, load_torch_state_dict, to_torch_state_dict

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
nn = torch.nn
row = nn.Sequential


def images(*shape):
    return np.random.default_rng(0).standard_normal((3, *shape)).astype("float32")


def ids(length=7, vocabulary=11):
    return np.random.default_rng(0).integers(0, vocabulary, (3, length))


class First(nn.Module):
    """The outputs of a recurrent module, without its states."""

    def __init__(self, module):
        super().__init__()
        self.module = module

    def forward(self, x):
        return self.module(x)[0]


def encoder(**settings):
    return nn.TransformerEncoderLayer(8, 2, 12, 0.0, batch_first=True, **settings)


ROWS = {
    "mlp": (lambda: row(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 2)), images(6)),
    "nested": (lambda: row(row(nn.Linear(6, 4), nn.Tanh()), nn.Identity(), nn.Linear(4, 2)), images(6)),
    "without bias": (lambda: row(nn.Linear(6, 2, bias=False)), images(6)),
    "of a table": (lambda: row(nn.Flatten(), nn.Linear(12, 3), nn.PReLU(3)), images(3, 4)),
    "batch norm": (lambda: row(nn.Linear(6, 8), nn.BatchNorm1d(8, eps=1e-3, momentum=0.2), nn.SiLU()), images(6)),
    "layer norm": (lambda: row(nn.Linear(6, 8), nn.LayerNorm(8), nn.GELU()), images(5, 6)),
    "rms norm": (lambda: row(nn.Linear(6, 8), nn.RMSNorm(8), nn.GELU("tanh")), images(5, 6)),
    "activations": (
        lambda: row(
            nn.Linear(6, 8), nn.LeakyReLU(0.1), nn.ELU(0.7), nn.SELU(), nn.Softplus(), nn.Hardsigmoid(), nn.Softsign(),
            nn.ReLU6(), nn.Dropout(0.0), nn.Softmax(dim=-1), nn.LogSoftmax(dim=1), nn.Sigmoid(),
        ), images(6),
    ),
    "embedding": (lambda: row(nn.Embedding(11, 4), nn.Linear(4, 2)), ids()),
    "encoder": (lambda: row(nn.Embedding(11, 8), encoder()), ids()),
    "encoder, norms first": (lambda: row(encoder(norm_first=True, activation="gelu", bias=False)), images(7, 8)),
    "stacked encoders": (lambda: row(nn.TransformerEncoder(encoder(), 2, nn.LayerNorm(8))), images(7, 8)),
    "double": (lambda: row(nn.Linear(6, 3)).double(), images(6).astype("float64")),
}  # fmt: skip

RECURRENT = {
    f"{kind}, {label}": (kind, settings)
    for kind in ("LSTM", "GRU", "RNN")
    for label, settings in {
        "plain": {}, "two layers": {"num_layers": 2}, "both ways": {"bidirectional": True},
        "two layers both ways without bias": {"bidirectional": True, "num_layers": 2, "bias": False},
    }.items()
}  # fmt: skip

IMAGES = {
    "flattened first": (lambda: row(nn.Flatten(), nn.Linear(24, 2)), images(2, 3, 4)),
    "cnn": (
        lambda: row(
            nn.Conv2d(2, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 5, (3, 2)), nn.Dropout(0.0),
            nn.Tanh(), nn.Flatten(), nn.Dropout(0.0), nn.Linear(5 * 2 * 2, 7), nn.ReLU(), nn.Linear(7, 3),
        ), images(2, 8, 6),
    ),
    "strides, padding, dilation, groups": (
        lambda: row(
            nn.Conv2d(2, 4, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(4), nn.ReLU(),
            nn.MaxPool2d(3, 2, 1), nn.Conv2d(4, 6, 2, padding=(1, 2), dilation=2, groups=2), nn.AvgPool2d(2, 1, 1),
        ), images(2, 9, 11),
    ),
    "depthwise": (
        lambda: row(nn.Conv2d(3, 6, 3, padding="same", groups=3), nn.Conv2d(6, 2, 1), nn.AdaptiveAvgPool2d(1),
                              nn.Flatten(), nn.Linear(2, 2)), images(3, 6, 5),
    ),
    "norms": (
        lambda: row(nn.GroupNorm(2, 4), nn.Conv2d(4, 4, 2), nn.InstanceNorm2d(4, affine=True),
                              nn.LayerNorm([4, 4, 3]), nn.PReLU(4), nn.PReLU()), images(4, 5, 4),
    ),
    "flattened into norms": (
        lambda: row(nn.Conv2d(2, 3, 2), nn.Flatten(), nn.BatchNorm1d(3 * 3 * 4), nn.Linear(36, 2)), images(2, 4, 5),
    ),
    "flattened at the end": (lambda: row(nn.Conv2d(2, 3, 2), nn.ReLU(), nn.Flatten()), images(2, 4, 5)),
    "flattened into a layer norm": (
        lambda: row(nn.Conv2d(2, 3, 2), nn.Flatten(), nn.LayerNorm(36), nn.Linear(36, 2)), images(2, 4, 5),
    ),
    "decoder": (
        lambda: row(nn.Flatten(), nn.Linear(40, 12), nn.Unflatten(1, (3, 2, 2)), nn.ReLU(),
                              nn.ConvTranspose2d(3, 4, 3, 2, 1, 1), nn.Upsample(scale_factor=2),
                    nn.ZeroPad2d((1, 0, 2, 1)),
                              nn.ConvTranspose2d(4, 2, (2, 3))), images(2, 4, 5),
    ),
    "bilinear": (
        lambda: row(nn.Conv2d(2, 3, 1), nn.Upsample(scale_factor=(2, 3), mode="bilinear"),
                              nn.AdaptiveMaxPool2d((1, 1))), images(2, 4, 5),
    ),
    "sequences": (
        lambda: row(nn.Conv1d(2, 4, 3, stride=2, padding=2), nn.BatchNorm1d(4), nn.ReLU(), nn.MaxPool1d(2),
                              nn.ConvTranspose1d(4, 3, 4, 2, 1), nn.Conv1d(3, 3, 2, groups=3), nn.AvgPool1d(2, 1),
                              nn.Flatten(), nn.Linear(12, 2)), images(2, 9),
    ),
    "unflattened sequence": (
        lambda: row(nn.Linear(6, 12), nn.Unflatten(1, (3, 4)), nn.Conv1d(3, 2, 2), nn.AdaptiveAvgPool1d(1)),
        images(6),
    ),
}  # fmt: skip


def ours_of(x):
    """Channels last, of an array or tensor of images."""
    x = np.asarray(x.detach() if hasattr(x, "detach") else x)
    return np.ascontiguousarray(np.moveaxis(x, 1, -1)) if x.ndim > 2 else x


def agree(module, x, turned, runs=None):
    """Outputs to 1e-5; then three steps of SGD, after which all weights agree, by the module's keys."""
    torch.manual_seed(0)
    runs = module if runs is None else runs
    given = ours_of(x) if turned else x
    tensor = torch.from_numpy(x)
    model = from_torch(module, input_shape=given.shape[1:])
    runs.eval()
    y = runs(tensor)
    found = model.predict(given, verbose=0)
    np.testing.assert_allclose(found, ours_of(y) if turned else y.detach(), rtol=1e-5, atol=1e-5)
    t = np.random.default_rng(1).standard_normal(tuple(y.shape)).astype(x.dtype if x.dtype.kind == "f" else "float32")
    model.compile(fastnn.optimizers.SGD(0.1), "mse")
    runs.train()
    optimizer = torch.optim.SGD(runs.parameters(), 0.1) if list(runs.parameters()) else None
    for _ in range(3):
        loss = model.train_on_batch(given, ours_of(t) if turned else t)
        expected = nn.functional.mse_loss(runs(tensor), torch.from_numpy(t))
        assert loss == pytest.approx(expected.item(), rel=1e-4)
        optimizer.zero_grad()
        expected.backward()
        optimizer.step()
    state, written = module.state_dict(), to_torch_state_dict(model)
    assert set(written) == set(state)
    for key, value in state.items():
        if key.endswith(("running_var", "num_batches_tracked")):  # PyTorch divides by n − 1 here, Keras' rule by n
            continue
        if "bias_hh" in key and not value.any():  # the layer has one bias, which is PyTorch's sum
            continue
        np.testing.assert_allclose(written[key], value, rtol=1e-4, atol=1e-5, err_msg=key)
    module.load_state_dict({key: torch.from_numpy(array) for key, array in written.items()})
    runs.eval()
    y = runs(tensor)
    found = model.predict(given, verbose=0)
    np.testing.assert_allclose(found, ours_of(y) if turned else y.detach(), rtol=1e-4, atol=1e-4)
    return model


@pytest.mark.parametrize("name", ROWS)
def test_rows(name):
    torch.manual_seed(1)
    make, x = ROWS[name]
    agree(make(), x, turned=False)


@pytest.mark.parametrize("name", RECURRENT)
def test_recurrent(name):
    torch.manual_seed(1)
    kind, settings = RECURRENT[name]
    module = row(row(getattr(nn, kind)(4, 3, batch_first=True, **settings)))
    for key, parameter in module.named_parameters():
        if "bias_hh" in key and kind != "GRU":  # two biases that are added learn twice as fast as one
            parameter.requires_grad_(False).zero_()
    agree(module, images(5, 4), turned=False, runs=First(module[0][0]))


@pytest.mark.parametrize("name", IMAGES)
def test_images(name):
    torch.manual_seed(1)
    make, x = IMAGES[name]
    agree(make(), x, turned=True)


def test_a_module_alone():
    torch.manual_seed(1)
    for module, x in ((nn.Linear(4, 2), images(4)), (nn.GRU(4, 3, 2, batch_first=True), images(5, 4))):
        model = from_torch(module)
        y = module(torch.from_numpy(x))
        y = y[0] if isinstance(y, tuple) else y
        np.testing.assert_allclose(model.predict(x, verbose=0), y.detach(), atol=1e-5)
        written = to_torch_state_dict(model, like=module.state_dict())
        module.load_state_dict({key: torch.from_numpy(array) for key, array in written.items()})
        y = module(torch.from_numpy(x))
        np.testing.assert_allclose(
            model.predict(x, verbose=0), (y[0] if isinstance(y, tuple) else y).detach(), atol=1e-5
        )


@pytest.mark.parametrize("settings", [{}, {"kdim": 5, "vdim": 3}, {"bias": False}])
def test_attention(settings):
    torch.manual_seed(1)
    module = nn.MultiheadAttention(8, 2, batch_first=True, **settings)
    q, k, v = images(4, 8), images(6, settings.get("kdim", 8)), images(6, settings.get("vdim", 8))
    model = from_torch(module)
    expected = module(*map(torch.from_numpy, (q, k, v)))[0]
    np.testing.assert_allclose(model.predict([q, k, v], verbose=0), expected.detach(), atol=1e-5)
    written = to_torch_state_dict(model, names={"attention": ""})
    assert {key: array.shape for key, array in written.items()} == {
        k: tuple(v.shape) for k, v in module.state_dict().items()
    }
    for key, value in module.state_dict().items():
        np.testing.assert_array_equal(written[key], value)


def test_frozen_modules_stay_frozen():
    module = row(nn.Linear(3, 2), nn.Linear(2, 1))
    module[0].requires_grad_(False)
    model = from_torch(module, (3,))
    assert [layer.trainable for layer in model.layers] == [False, True]


def test_a_file_keeps_the_model(tmp_path):
    pytest.importorskip("safetensors", reason="safetensors is not installed beside PyTorch")
    module = row(nn.Conv2d(2, 3, 2), nn.GELU("tanh"), nn.Flatten(), nn.Linear(36, 2))
    x = ours_of(images(2, 4, 5))
    model = from_torch(module, x.shape[1:])
    model.save(tmp_path / "m.safetensors")
    again = fastnn.models.load_model(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))
    assert to_torch_state_dict(again).keys() == module.state_dict().keys()


def test_tensors_of_a_state_dict():
    module = row(nn.Linear(3, 2), nn.ReLU(), nn.Linear(2, 1))
    model = fastnn.Sequential([fastnn.layers.Dense(2, "relu"), fastnn.layers.Dense(1)])
    model.build((None, 3))
    load_torch_state_dict(model, module.state_dict())
    np.testing.assert_allclose(
        model.predict(images(3), verbose=0), module(torch.from_numpy(images(3))).detach(), atol=1e-6
    )
    with pytest.raises(TypeError, match=r"0.weight must be an array.*Use 0.weight = 0.weight.detach\(\)"):
        load_torch_state_dict(model, dict(module.named_parameters()))
    with pytest.raises(TypeError, match=r"Use module.state_dict\(\), or from_torch\(module\)"):
        load_torch_state_dict(model, module)


class Own(nn.Module):
    def forward(self, x):
        return x


class OwnConv(nn.Conv2d):
    def forward(self, x):
        return x


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: 3, TypeError, r"from_torch needs a torch.nn.Module. Received: int. Use load_torch_state_dict"),
        (
            lambda: row(nn.Linear(2, 2), Own()),
            TypeError,
            r"no counterpart for 1, Own\(\). Use fastnn.Model with",
        ),
        (lambda: OwnConv(1, 1, 1), TypeError, r"no counterpart for this module, OwnConv"),
        (lambda: nn.Conv3d(1, 1, 1), TypeError, r"no counterpart for this module, Conv3d"),
        (lambda: nn.Conv2d(1, 1, 3, padding=1, padding_mode="reflect"), ValueError, r"with padding_mode='reflect'"),
        (lambda: nn.MaxPool2d(3, 2, 1), ValueError, r"whose padding is not one of zeros"),
        (lambda: nn.MaxPool2d(3, ceil_mode=True), ValueError, r"with ceil_mode"),
        (lambda: nn.AdaptiveAvgPool2d(2), ValueError, r"Use an output size of 1"),
        (
            lambda: row(nn.Conv2d(1, 2, 2), nn.Linear(3, 2)),
            ValueError,
            r"1 cannot be converted.*Use nn.Flatten",
        ),
        (lambda: row(nn.Conv1d(1, 2, 2), nn.LSTM(2, 2)), ValueError, r"where it reads channels as time"),
        (
            lambda: row(nn.Linear(2, 2).half()),
            ValueError,
            r"float32 or float64.*float16.*Use module.float\(\)",
        ),
        (
            lambda: row(*[nn.Linear(2, 2)] * 2),
            ValueError,
            r"1 cannot be .* sharing its weights. Use a fastnn.Model",
        ),
        (lambda: nn.LSTM(3, 2, proj_size=1), ValueError, r"with a projection of its state"),
        (lambda: nn.Embedding(3, 2, padding_idx=0), ValueError, r"padding_idx does not learn. Use .*mask_zero=True"),
        (lambda: nn.Softmax(dim=0), ValueError, r"over an axis other than that of the features"),
        (lambda: nn.BatchNorm1d(2, momentum=None), ValueError, r"without moving averages"),
        (lambda: row(nn.ReLU(), nn.Flatten()), ValueError, r"from_torch\(module, input_shape="),
        (lambda: nn.Flatten(2), ValueError, r"of some axes only"),
        (lambda: nn.ConvTranspose2d(2, 2, 2, groups=2), ValueError, r"with groups"),
    ],
)
def test_what_has_no_counterpart(make, error, words):
    with pytest.raises(error, match=words):
        from_torch(make())


def test_a_shape_with_the_channels_first_is_told_where_they_belong():
    with pytest.raises(ValueError, match=r"Received: input_shape=\(3, 8, 9\). Use .*channels last, as in \(8, 9, 3\)"):
        from_torch(nn.Sequential(nn.Conv2d(3, 2, 3)), input_shape=(3, 8, 9))
    with pytest.raises(ValueError, match=r"features|made for 4"):
        from_torch(nn.Sequential(nn.Linear(4, 2)), input_shape=(3,))

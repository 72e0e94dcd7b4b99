"""State dicts of PyTorch without PyTorch: layouts by hand, names by order and by mapping, and what does not fit."""

import numpy as np
import pytest
from safetensors.numpy import save_file

import fastnn
from fastnn import layers
from fastnn.interop import load_torch_state_dict, to_torch_state_dict
from fastnn.interop.pytorch.parts import order_of_features

RNG = np.random.default_rng(0)


def model_of(*rows, shape):
    model = fastnn.Sequential(list(rows))
    model.build((None, *shape))
    return model


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def test_dense_is_turned():
    model = model_of(layers.Dense(2, name="a"), shape=(3,))
    kernel, bias = model.get_weights()
    written = to_torch_state_dict(model)
    np.testing.assert_array_equal(written["a.weight"], kernel.T)
    np.testing.assert_array_equal(written["a.bias"], bias)
    assert written["a.weight"].flags.c_contiguous


def test_convolutions_by_hand():
    """Filter f of PyTorch at channel c, row i, column j is kernel[i, j, c, f]."""
    model = model_of(layers.Conv2D(4, (2, 3), name="c"), layers.DepthwiseConv2D(2, depth_multiplier=3, name="d"),
                     layers.Conv2DTranspose(5, (3, 2), name="t"), shape=(6, 7, 2))  # fmt: skip
    written = to_torch_state_dict(model)
    kernel, _, depthwise, _, transposed, _ = model.get_weights()
    assert written["c.weight"][3, 1, 0, 2] == kernel[0, 2, 1, 3]
    assert written["d.weight"].shape == (12, 1, 2, 2)
    assert written["d.weight"][2 * 3 + 1, 0, 1, 0] == depthwise[1, 0, 2, 1]
    assert written["t.weight"].shape == (12, 5, 3, 2)
    assert written["t.weight"][7, 4, 2, 1] == transposed[2, 1, 4, 7]


def test_gates_by_hand():
    """PyTorch's GRU, as its page writes it, on the written weights."""
    model = model_of(layers.GRU(3, name="g", bias_initializer="normal"), shape=(1, 2))
    state, x = to_torch_state_dict(model), RNG.standard_normal((4, 2)).astype("float32")
    w, v = x @ state["g.weight_ih_l0"].T + state["g.bias_ih_l0"], state["g.bias_hh_l0"]
    r, z = sigmoid(w[:, :3] + v[:3]), sigmoid(w[:, 3:6] + v[3:6])
    n = np.tanh(w[:, 6:] + r * v[6:])
    np.testing.assert_allclose(model.predict(x[:, None], verbose=0), (1 - z) * n, rtol=1e-5, atol=1e-6)
    model = model_of(layers.LSTM(3, name="l", bias_initializer="normal"), shape=(1, 2))
    state = to_torch_state_dict(model)
    i, _, g, o = np.split(x @ state["l.weight_ih_l0"].T + state["l.bias_ih_l0"] + state["l.bias_hh_l0"], 4, axis=1)
    expected = sigmoid(o) * np.tanh(sigmoid(i) * np.tanh(g))
    np.testing.assert_allclose(model.predict(x[:, None], verbose=0), expected, rtol=1e-5, atol=1e-6)


def test_flattened_images():
    """The dense layer reads PyTorch's channels, rows, columns; passing through what keeps features in place."""
    assert order_of_features(12, 3).tolist() == np.arange(12).reshape(2, 2, 3).transpose(2, 0, 1).ravel().tolist()
    model = model_of(
        layers.Conv2D(3, 2), layers.Flatten(), layers.ReLU(),
        layers.BatchNormalization(beta_initializer="normal", name="n"),
        layers.Dropout(0.5), layers.Dense(2, name="d"), shape=(4, 5, 1),
    )  # fmt: skip
    state = to_torch_state_dict(model)
    x = RNG.standard_normal((2, 3, 4, 3)).astype("float32")  # what the convolution gives
    rest = fastnn.Model(model.layers[1].input, model.output)
    first = np.maximum(x.transpose(0, 3, 1, 2).reshape(2, -1), 0) / np.sqrt(1.001) + state["n.bias"]
    np.testing.assert_allclose(
        rest.predict(x, verbose=0), first @ state["d.weight"].T + state["d.bias"], rtol=1e-4, atol=1e-5
    )
    before = model.get_weights()
    load_torch_state_dict(model, state)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_flattened_sequences():
    """Channels of a convolution are in front in PyTorch, features of a recurrent layer are not."""
    x = RNG.standard_normal((2, 4, 3)).astype("float32")
    for layer, turn in ((layers.Conv1D(3, 1), True), (layers.Identity(), False)):
        model = model_of(layer, layers.Flatten(), layers.Dense(2, name="d"), shape=(4, 3))
        if turn:
            model.layers[0].set_weights([np.eye(3)[None], np.zeros(3)])
        flat = (x.transpose(0, 2, 1) if turn else x).reshape(2, -1)
        expected = flat @ to_torch_state_dict(model)["d.weight"].T
        np.testing.assert_allclose(model.predict(x, verbose=0), expected, rtol=1e-4, atol=1e-5)


def test_nested_models_and_branches():
    inner = fastnn.Sequential([layers.Conv2D(3, 2, name="c"), layers.Flatten(name="f")], name="inner")
    x = layers.Input((4, 5, 2))
    y = layers.Dense(2, name="d")(layers.Add()([inner(x), inner(x)]))
    model = fastnn.Model(x, y)
    state = to_torch_state_dict(model)
    assert list(state) == ["inner.c.weight", "inner.c.bias", "d.weight", "d.bias"]
    before = model.predict(np.ones((1, 4, 5, 2)), verbose=0)
    load_torch_state_dict(model, {key: array * 1 for key, array in state.items()})
    np.testing.assert_array_equal(model.predict(np.ones((1, 4, 5, 2)), verbose=0), before)


EVERY = {
    "convolutions": ((6, 5, 4), [
        layers.Conv2D(4, 2, groups=2), layers.DepthwiseConv2D(2, depth_multiplier=2), layers.SeparableConv2D(3, 2),
        layers.Conv2DTranspose(4, 2, strides=2), layers.GroupNormalization(2),
        layers.LayerNormalization(axis=(1, 2, 3)),
        layers.PReLU(shared_axes=[1, 2]), layers.BatchNormalization(), layers.Flatten(), layers.Dense(3),
    ]),
    "sequences": ((9, 4), [
        layers.Conv1D(4, 2, groups=2), layers.DepthwiseConv1D(2), layers.SeparableConv1D(3, 2),
        layers.Conv1DTranspose(4, 2),
        layers.RMSNormalization(), layers.TimeDistributed(layers.Dense(3)), layers.LSTM(3, return_sequences=True),
        layers.Bidirectional(layers.GRU(2, return_sequences=True)), layers.PositionEmbedding(7),
        layers.SimpleRNN(2, use_bias=False), layers.Dense(2, use_bias=False),
    ]),
    "ids": ((7,), [layers.TokenAndPositionEmbedding(11, 7, 4), layers.GlobalAveragePooling1D()]),
}  # fmt: skip


@pytest.mark.parametrize("name", EVERY)
def test_there_and_back(name):
    """All weights, from random ones written and read into a model of other random ones."""
    shape, rows = EVERY[name]
    model = model_of(*(type(layer).from_config(layer.get_config()) for layer in rows), shape=shape)
    model.set_weights([RNG.standard_normal(w.shape) for w in model.get_weights()])
    state = {k: RNG.standard_normal(a.shape).astype("float32") for k, a in to_torch_state_dict(model).items()}
    state = {k: a * 0 if "bias_hh" in k and "gru" not in k and "bidir" not in k else a for k, a in state.items()}
    load_torch_state_dict(model, state)
    again = to_torch_state_dict(model)
    for key, array in state.items():
        if "num_batches_tracked" not in key:
            np.testing.assert_array_equal(again[key], array, err_msg=key)


def test_names_by_order_and_by_mapping(tmp_path):
    model = model_of(
        layers.LSTM(3, return_sequences=True), layers.LSTM(3, name="two"), layers.Dense(1, name="head"), shape=(5, 2)
    )
    own = to_torch_state_dict(model)
    keys = ["rnn.weight_ih_l0", "rnn.weight_hh_l0", "rnn.bias_ih_l0", "rnn.bias_hh_l0",
            "rnn.weight_ih_l1", "rnn.weight_hh_l1", "rnn.bias_ih_l1", "rnn.bias_hh_l1",
            "fc.weight", "fc.bias"]  # fmt: skip
    ordered = to_torch_state_dict(model, like=keys)
    assert list(ordered) == keys
    first = model.layers[0].name
    names = {first: "rnn", "two": ("rnn", 1), "head": "fc"}
    mapped = to_torch_state_dict(model, names=names)
    assert mapped.keys() == ordered.keys()
    for key in keys:
        np.testing.assert_array_equal(mapped[key], ordered[key])
    x = RNG.standard_normal((2, 5, 2))
    expected = model.predict(x, verbose=0)
    save_file(ordered, tmp_path / "w.safetensors")
    for given, named in ((ordered, None), (mapped, names), (own, None), (tmp_path / "w.safetensors", names)):
        model.set_weights([w * 0 for w in model.get_weights()])
        load_torch_state_dict(model, given, names=named)
        np.testing.assert_array_equal(model.predict(x, verbose=0), expected)


def test_files_keep_no_order(tmp_path):
    model = model_of(*(layers.Dense(2, name=f"d{i}") for i in range(11)), shape=(2,))
    model.set_weights([RNG.standard_normal(w.shape) for w in model.get_weights()])
    weights, path = model.get_weights(), tmp_path / "w.safetensors"
    save_file(to_torch_state_dict(model, names={f"d{i}": str(2 * i) for i in range(11)}), path)
    model.set_weights([w * 0 for w in weights])
    load_torch_state_dict(model, path)
    for a, b in zip(weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    save_file(to_torch_state_dict(model, names={f"d{i}": f"fc{i}" for i in range(11)}), path)
    with pytest.raises(ValueError, match=r"keeps no order of its arrays.*Use names="):
        load_torch_state_dict(model, path)


def test_a_module_of_its_own():
    written = to_torch_state_dict(model_of(layers.Dense(1, name="d"), shape=(2,)), names={"d": ""})
    assert list(written) == ["weight", "bias"]


def two():
    return model_of(layers.Dense(2, name="a"), layers.Dense(2, name="b"), shape=(2,))


A = {"a.weight": np.ones((2, 2)), "a.bias": np.ones(2)}
B = {"b.weight": np.ones((2, 2)), "b.bias": np.ones(2)}
WRONG = [
    (A, ValueError, r"1 modules, \['a'\], and 2 layers, \['a', 'b'\]. Use names="),
    ({**A, **B, "c.weight": np.ones(2)}, ValueError, r"no layer for \['c.weight'\]"),
    (
        {**A, "b.weight": np.ones((2, 2))},
        ValueError,
        r'"b" needs the arrays \[\'b.bias\', \'b.weight\'\]. Received: \[\'b.w',
    ),
    ({**A, **B, "b.bias": np.ones(3)}, ValueError, r'b.bias must have shape \(2,\) for layer "b". Received: \(3,\)'),
    ({**A, **B, "b.bias": np.array(["a", "b"])}, TypeError, r"b.bias must hold numbers"),
    ({**A, **B, "b.bias": 3}, TypeError, r"Received: int for 'b.bias'.*checkpoint\[\"state_dict\"\]"),
    ({**A, "c.weight": np.ones((2, 2))}, ValueError, r"\"b\" pairs up with 'c' of state_dict.*Received: \['weight'\]"),
    ([1], TypeError, r"A state dict must be a dict of arrays by name. Received: list"),
    ("weights.pt", ValueError, r"pickles run code.*Received: 'weights.pt'. Call safetensors.torch.save_file"),
]


@pytest.mark.parametrize(("state", "error", "words"), WRONG, ids=[words[:20] for _, _, words in WRONG])
def test_what_does_not_fit_changes_nothing(state, error, words):
    model = two()
    before = model.get_weights()
    with pytest.raises(error, match=words):
        load_torch_state_dict(model, state)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_models_that_do_not_fit():
    with pytest.raises(ValueError, match=r"needs a built model. Call model.build"):
        to_torch_state_dict(fastnn.Sequential([layers.Dense(1)]))
    with pytest.raises(ValueError, match=r"names must name layers with weights, \['a', 'b'\]. Received: \['c'\]"):
        to_torch_state_dict(two(), names={"c": "x"})
    with pytest.raises(ValueError, match=r"Use names or like, not both"):
        to_torch_state_dict(two(), names={}, like=list(A | B))
    with pytest.raises(ValueError, match=r"The weights of layer \"e\" \(EinsumDense\) have no counterpart"):
        to_torch_state_dict(model_of(layers.EinsumDense("ab,bc->ac", 3, name="e"), shape=(2,)))
    with pytest.raises(ValueError, match=r"with reset_after=False. Use reset_after=True"):
        to_torch_state_dict(model_of(layers.GRU(3, reset_after=False), shape=(2, 2)))

"""ONNX files as models: those of other exporters, of one's own, damaged and hostile ones."""

import json
from pathlib import Path

import numpy as np
import pytest

import fastnn
from fastnn import layers
from fastnn.layers import Input
from tests.interop.onnx_session import CLOSE, listed, run, shuffled
from tests.interop.test_onnx_layers import NAMES, model_of

onnx = pytest.importorskip("onnx")
from fastnn.interop import export_onnx, import_onnx  # noqa: E402

FILES = sorted((Path(__file__).parent / "onnx_files").glob("*.onnx"))
RNG = np.random.default_rng(5)


def imported(name):
    return import_onnx(Path(__file__).parent / "onnx_files" / f"{name}.onnx")


def kinds(model):
    return [type(layer).__name__ for layer in model.layers]


# Files of other exporters.


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_model_gives_what_the_exporter_s_library_gave(path):
    """For the inputs of the file, and for the first row alone: the batch is open."""
    stored = np.load(path.with_suffix(".npz"))
    model, x = import_onnx(path), stored["x"]
    for rows in (None, 1):
        for i, y in enumerate(listed(model(x[:rows]))):
            np.testing.assert_allclose(y, stored[f"y{i}"][:rows], rtol=1e-4, atol=1e-5)


def test_there_are_files():
    assert len(FILES) > 20


LENGTHS = [
    "torch_lstm_script",
    "torch_gru_dynamo",
    "torch_states_dynamo",
    "torch_causal_script",
    "torch_encoder_dynamo",
]


@pytest.mark.parametrize("name", LENGTHS)
def test_open_lengths_stay_open(name):
    model = imported(name)
    file = onnx.load(Path(__file__).parent / "onnx_files" / f"{name}.onnx")
    for n, t in ((2, 1), (1, 9), (3, 4)):
        x = RNG.standard_normal((n, t, 4), "float32") if "states" in name else RNG.integers(0, 7, (n, t))
        for one, other in zip(listed(model(x)), run(file, x), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def test_weights_are_those_of_layers_and_learn(tmp_path):
    """An imported model is one like any other: trained, saved, loaded, written as ONNX again."""
    model = imported("torch_cnn_dynamo")
    assert [kind for kind in kinds(model) if kind in ("Conv2D", "MaxPooling2D", "AveragePooling2D", "Dense")] == [
        "Conv2D",
        "MaxPooling2D",
        "Conv2D",
        "AveragePooling2D",
        "Dense",
    ]
    x, y = RNG.standard_normal((16, 2, 8, 8), "float32"), RNG.standard_normal((16, 3), "float32")
    model.compile("adam", "mse")
    before = [w.copy() for w in model.get_weights()]
    losses = model.fit(x, y, epochs=4, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    assert all((a != b).any() for a, b in zip(before, model.get_weights(), strict=True))
    model.save(tmp_path / "model.safetensors")
    again = fastnn.models.load_model(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(again(x), model(x))
    np.testing.assert_allclose(run(export_onnx(again), x)[0], model(x), **CLOSE)


def test_images_lie_channels_last_between_convolutions():
    """One transpose at the input, one before the product with all pixels; batch norms and sums need none."""
    model = imported("torch_cnn_script")
    assert [getattr(node.operation, "name", "") for node in model.graph.nodes].count("transpose") == 2


def test_recurrent_operators_become_layers():
    assert kinds(imported("torch_lstm_script"))[1:] == ["Embedding", "LSTM", "LSTM", "Dense"]
    assert kinds(imported("torch_gru_dynamo"))[1:] == ["Embedding", "Bidirectional", "Bidirectional", "Dense"]
    assert "SimpleRNN" in kinds(imported("torch_rnn_script"))


# Files of one's own.


@pytest.mark.parametrize("name", NAMES)
def test_there_and_back(name, tmp_path):
    model, x = model_of(name)
    export_onnx(model, tmp_path / "model.onnx")
    if "Scan" in {node.op_type for node in onnx.load(tmp_path / "model.onnx").graph.node}:
        with pytest.raises(NotImplementedError, match=r"\(Scan\) cannot be read"):
            import_onnx(tmp_path / "model.onnx")
        return
    back = import_onnx(tmp_path / "model.onnx")
    for one, other in zip(listed(back(x)), listed(model(x)), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def test_shared_weights_are_one_layer(tmp_path):
    shared, a, b = layers.Dense(3, "tanh"), Input((4,), name="a"), Input((4,), name="b")
    model = shuffled(fastnn.Model([a, b], layers.Subtract()([shared(a), shared(b)])))
    export_onnx(model, tmp_path / "model.onnx")
    back = import_onnx(tmp_path / "model.onnx")
    assert back.count_params() == model.count_params()
    assert [symbol.name for symbol in back.graph.input_symbols] == ["a", "b"]


# Parts, shapes, refusals.


def graph_of(nodes, inputs=(("x", ["n", 4]),), outputs=("y",), weights=(), opset=18):
    """A model of nodes as (op, inputs, outputs, attributes)."""
    made = [onnx.helper.make_node(op, read, given, **attributes) for op, read, given, attributes in nodes]
    starts = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape) for name, shape in inputs]
    ends = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [None]) for name in outputs]
    tensors = [onnx.numpy_helper.from_array(np.asarray(value), name) for name, value in dict(weights).items()]
    graph = onnx.helper.make_graph(made, "graph", starts, ends, tensors)
    return onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", opset)], ir_version=10)


@pytest.fixture
def read(tmp_path):
    def read(file, **options):
        onnx.save(file, tmp_path / "model.onnx")
        return import_onnx(tmp_path / "model.onnx", **options)

    return read


def test_only_what_leads_to_the_outputs_is_read(read):
    file = graph_of([("Relu", ["x"], ["r"], {}), ("NonZero", ["r"], ["z"], {}), ("Cast", ["z"], ["y"], {"to": 1})])
    with pytest.raises(NotImplementedError, match=r"Node 'z' \(NonZero\) cannot be read.*Supported: Abs, Add"):
        read(file)
    x = RNG.standard_normal((2, 4), "float32")
    np.testing.assert_array_equal(read(file, outputs=["r"])(x), np.maximum(x, 0))
    with pytest.raises(ValueError, match=r"must name values of the graph\. Received: 'nothing'"):
        read(file, outputs=["nothing"])


def test_numbers_computed_from_open_sizes_are_not_baked_in(read):
    """x / rows: the number of rows is not known, and no number in its place goes into the model."""
    nodes = [
        ("Shape", ["x"], ["s"], {"start": 0, "end": 1}),
        ("Cast", ["s"], ["f"], {"to": 1}),
        ("Div", ["x", "f"], ["y"], {}),
    ]
    with pytest.raises(ValueError, match="computes with a size that is open"):
        read(graph_of(nodes))
    x = RNG.standard_normal((3, 4), "float32")
    np.testing.assert_allclose(read(graph_of(nodes), input_shape=(3, 4))(x), x / 3, rtol=1e-6)


def test_a_batch_that_the_file_fixes_is_open_unless_it_counts(read):
    flat = [("Reshape", ["x", "shape"], ["y"], {})]
    model = read(graph_of(flat, [("x", [1, 2, 3])], weights={"shape": np.array([1, 6])}))
    assert model.input_shape == (None, 2, 3)
    assert model(np.ones((5, 2, 3))).shape == (5, 6)
    rows = graph_of([("Add", ["x", "rows"], ["y"], {})], [("x", [2, 3])], weights={"rows": np.ones((2, 3), "float32")})
    with pytest.warns(UserWarning, match="computes with the size of the batch"):
        model = read(rows)
    assert model.input_shape == (2, 3)


@pytest.mark.parametrize("allowzero", [0, 1])
def test_open_sizes_are_brought_together_and_apart(allowzero, read):
    """(n, t, 4) → (n·t, 4) → (n, t, 4), where no size but 4 is known."""
    nodes = [
        ("Shape", ["x"], ["s"], {}),
        ("Reshape", ["x", "rows"], ["r"], {}),
        ("Relu", ["r"], ["p"], {}),
        ("Reshape", ["p", "s"], ["y"], {"allowzero": allowzero}),
    ]
    model = read(graph_of(nodes, [("x", ["n", "t", 4])], weights={"rows": np.array([-1, 4])}))
    x = RNG.standard_normal((3, 5, 4), "float32")
    np.testing.assert_array_equal(model(x), np.maximum(x, 0))


def test_weights_beside_the_file(tmp_path):
    weights = RNG.standard_normal((4, 300), "float32")
    file = graph_of([("MatMul", ["x", "w"], ["y"], {})], weights={"w": weights})
    onnx.save(file, tmp_path / "model.onnx", save_as_external_data=True, location="weights.bin", size_threshold=0)
    x = RNG.standard_normal((2, 4), "float32")
    np.testing.assert_allclose(import_onnx(tmp_path / "model.onnx")(x), x @ weights, **CLOSE)
    stored = onnx.load(tmp_path / "model.onnx", load_external_data=False)
    whole = (tmp_path / "weights.bin").read_bytes()

    def refused(match, **entries):
        tensor = stored.graph.initializer[0]
        for entry in tensor.external_data:
            entry.value = str(entries.get(entry.key, entry.value))
        (tmp_path / "changed.onnx").write_bytes(stored.SerializeToString())
        with pytest.raises(ValueError, match=match):
            import_onnx(tmp_path / "changed.onnx")

    for location in ("/etc/passwd", "../weights.bin", "folder/weights.bin", "..", "", "a\\b"):
        refused("in a file in the same folder", location=location)
    refused("no such file", location="missing.bin")
    (tmp_path / "link.bin").symlink_to("/etc/passwd")
    refused("a plain file", location="link.bin")
    refused("takes 4800 bytes", location="weights.bin", offset=8)
    refused("takes 4800 bytes", offset=-4)
    refused("takes 4800 bytes", offset=0, length=1 << 40)
    (tmp_path / "weights.bin").write_bytes(whole[:-1])
    refused("takes 4800 bytes", length=4800)


def test_small_files_ask_for_no_large_memory(read):
    huge = np.array([1 << 20, 1 << 20])
    far = {"to": 1}
    for nodes, weights in (
        ([("ConstantOfShape", ["s"], ["c"], {}), ("Add", ["x", "c"], ["y"], {})], {"s": huge}),
        (
            [("Expand", ["o", "s"], ["c"], {}), ("Add", ["x", "c"], ["y"], {})],
            {"o": np.ones((1, 1), "float32"), "s": huge},
        ),
        (
            [("Tile", ["o", "s"], ["c"], {}), ("Add", ["x", "c"], ["y"], {})],
            {"o": np.ones((1, 1), "float32"), "s": huge},
        ),
        (
            [("Range", ["a", "b", "d"], ["i"], {}), ("Cast", ["i"], ["c"], far), ("Add", ["x", "c"], ["y"], {})],
            {"a": np.int64(0), "b": np.int64(1 << 50), "d": np.int64(1)},
        ),
    ):
        with pytest.raises(ValueError, match="Constants that a file computes hold at most"):
            read(graph_of(nodes, weights=weights))
    wide = [("x", ["n", 1 << 33])]
    one = np.ones(1, "float32")
    with pytest.raises(ValueError, match="can be read with weights of shape"):
        read(graph_of([("LayerNormalization", ["x", "g"], ["y"], {})], wide, weights={"g": one}))
    with pytest.raises(ValueError, match="more than the whole file"):
        read(graph_of([("BatchNormalization", ["x", *"gbmv"], ["y"], {})], wide, weights=dict.fromkeys("gbmv", one)))


def test_damaged_files_are_refused(tmp_path):
    """Every file with bytes changed: an error in words, or a model."""
    rng = np.random.default_rng(0)
    whole = [bytearray(path.read_bytes()) for path in FILES if path.stat().st_size < 4000]
    outcomes = []
    for number in range(300):
        content = bytearray(whole[number % len(whole)])
        for place in rng.integers(0, len(content), 1 + number % 4):
            content[place] = rng.integers(256)
        path = tmp_path / "model.onnx"
        path.write_bytes(content if number % 5 else content[: len(content) // 2])
        try:
            import_onnx(path)
            outcomes.append("a model")
        except (ValueError, NotImplementedError):
            outcomes.append("an error")
    assert outcomes.count("an error") > 100


def test_what_is_no_onnx_file_is_refused(tmp_path):
    path = tmp_path / "model.onnx"
    for content in (b"", b"hello there", json.dumps({"a": 1}).encode(), b"\x00" * 100):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="is not an ONNX file"):
            import_onnx(path)
    with pytest.raises(FileNotFoundError):
        import_onnx(tmp_path / "missing.onnx")

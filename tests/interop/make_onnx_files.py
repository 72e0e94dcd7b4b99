"""Makes the ONNX files of tests/interop/onnx_files, each with inputs and what the library that wrote it gives for them.

Run it as ``python -m tests.interop.make_onnx_files torch`` where PyTorch is installed, with ``keras`` where Keras on
TensorFlow and tf2onnx are, and with ``sklearn`` where scikit-learn and skl2onnx are.  The models are small, with
random weights.
"""

from __future__ import annotations

import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parent / "onnx_files"


def store(name, path, x, outputs):
    """The file without the notes of the exporter, and the arrays beside it."""
    import onnx

    model = onnx.load(path)
    for part in (
        model,
        model.graph,
        *model.graph.node,
        *model.graph.input,
        *model.graph.output,
        *model.graph.value_info,
    ):
        part.ClearField("doc_string")
        if hasattr(part, "metadata_props"):
            del part.metadata_props[:]
    del model.graph.value_info[:]
    FOLDER.mkdir(exist_ok=True)
    onnx.save(model, FOLDER / f"{name}.onnx")
    np.savez(FOLDER / f"{name}.npz", x=x, **{f"y{i}": y for i, y in enumerate(outputs)})


def torch_models():
    """Name to (module, input, axes that are open)."""
    import torch
    from torch import nn
    from torch.nn import functional as F

    class Cnn(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.norm = nn.Conv2d(2, 4, 3, padding=1), nn.BatchNorm2d(4)
            self.second, self.head = nn.Conv2d(4, 4, 3, stride=2, padding=1, groups=2), nn.Linear(16, 3)

        def forward(self, x):
            y = F.max_pool2d(torch.relu(self.norm(self.first(x))), 2)
            return self.head(torch.flatten(torch.relu(self.second(y) + F.avg_pool2d(y, 2)), 1))

    class UpAndDown(nn.Module):
        def __init__(self):
            super().__init__()
            self.down, self.up = nn.Conv2d(3, 4, 3, padding=1), nn.ConvTranspose2d(4, 4, 3, 2, 1, output_padding=1)
            self.nearest, self.head = nn.Upsample(scale_factor=2), nn.Linear(4, 2)

        def forward(self, x):
            y = F.max_pool2d(self.down(x), 2)
            z = torch.cat([self.nearest(y) + self.up(y), F.pad(x, (0, 0, 0, 0))], 1)[:, :4]
            return self.head(F.silu(z).mean((2, 3)))

    class Recurrent(nn.Module):
        def __init__(self, kind, both):
            super().__init__()
            self.words = nn.Embedding(7, 4)
            self.steps = getattr(nn, kind)(4, 3, num_layers=2, batch_first=True, bidirectional=both)
            self.head = nn.Linear(6 if both else 3, 2)

        def forward(self, x):
            return self.head(self.steps(self.words(x))[0][:, -1])

    class States(nn.Module):
        def __init__(self):
            super().__init__()
            self.steps = nn.LSTM(4, 3, bidirectional=True, batch_first=True)

        def forward(self, x):
            y, (h, c) = self.steps(x)
            return y, torch.cat([h[0], c[1]], -1)

    class Encoder(nn.Module):
        def __init__(self):
            super().__init__()
            self.words, self.places = nn.Embedding(9, 8), nn.Parameter(torch.randn(1, 16, 8))
            block = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, activation="gelu")
            self.blocks = nn.TransformerEncoder(block, 1, enable_nested_tensor=False)
            self.head = nn.Linear(8, 3)

        def forward(self, x):
            return self.head(self.blocks(self.words(x) + self.places[:, : x.shape[1]]).mean(1))

    class Causal(nn.Module):
        def __init__(self):
            super().__init__()
            self.words, self.norm = nn.Embedding(9, 8), nn.LayerNorm(8)
            self.qkv, self.out = nn.Linear(8, 24), nn.Linear(8, 8)
            self.wide = nn.Sequential(nn.Linear(8, 16), nn.GELU(approximate="tanh"), nn.Linear(16, 8))

        def forward(self, x):
            y = self.words(x)
            n, t, d = y.shape
            q, k, v = (a.view(n, t, 2, d // 2).transpose(1, 2) for a in self.qkv(self.norm(y)).split(d, 2))
            seen = torch.tril(torch.ones(t, t)).view(1, 1, t, t)
            weights = ((q @ k.transpose(-2, -1)) / (d // 2) ** 0.5).masked_fill(seen == 0, float("-inf")).softmax(-1)
            y = y + self.out((weights @ v).transpose(1, 2).contiguous().view(n, t, d))
            return y + self.wide(self.norm(y))

    class Sequence(nn.Module):
        def __init__(self):
            super().__init__()
            self.window, self.norm = nn.Conv1d(3, 4, 3, padding=1), nn.GroupNorm(2, 4)
            self.steps = nn.LSTM(4, 3, batch_first=True)

        def forward(self, x):
            y = F.avg_pool1d(F.elu(self.norm(self.window(x))), 2)
            return self.steps(y.transpose(1, 2))[0].amax(1)

    torch.manual_seed(0)
    ids = torch.tensor([[1, 2, 3, 0, 4], [5, 6, 0, 1, 1], [2, 2, 2, 3, 3]])
    batch, both = {0: "n"}, {0: "n", 1: "t"}
    mlp = nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Dropout(0.5), nn.Linear(5, 3), nn.Softmax(-1))
    return {
        "mlp": (mlp, torch.randn(3, 4), batch),
        "cnn": (Cnn(), torch.randn(3, 2, 8, 8), batch),
        "up_and_down": (UpAndDown(), torch.randn(3, 3, 8, 8), batch),
        "lstm": (Recurrent("LSTM", False), ids, both),
        "gru": (Recurrent("GRU", True), ids, both),
        "rnn": (Recurrent("RNN", False), ids, both),
        "states": (States(), torch.randn(3, 6, 4), both),
        "encoder": (Encoder(), ids, both),
        "causal": (Causal(), ids, both),
        "sequence": (Sequence(), torch.randn(3, 3, 8), batch),
    }


FIXED = ("cnn", "lstm", "causal")
"""Models that are exported with all sizes as they are, too."""


def from_torch():
    """By both exporters of PyTorch, the sizes open; one more with all sizes as they are."""
    import torch

    for name, (module, x, axes) in torch_models().items():
        module.eval()
        for part in module.modules():
            if isinstance(part, torch.nn.BatchNorm2d):
                part.running_mean.uniform_(-0.5, 0.5)
                part.running_var.uniform_(0.5, 1.5)
        found = module(x)
        outputs = [y.detach().numpy() for y in (found if isinstance(found, tuple) else (found,))]
        with tempfile.TemporaryDirectory() as folder:
            path = str(Path(folder) / "model.onnx")
            fixed = ("fixed", {"dynamo": False, "opset_version": 17})
            script = (
                "script",
                {"dynamo": False, "opset_version": 17, "input_names": ["x"], "dynamic_axes": {"x": axes}},
            )
            shapes = ({axis: torch.export.Dim(word) for axis, word in axes.items()},)
            dynamo = ("dynamo", {"dynamo": True, "dynamic_shapes": shapes, "external_data": False, "verbose": False})
            for kind, options in (fixed, script, dynamo):
                if kind == "fixed" and name not in FIXED:
                    continue
                if name == "encoder" and kind == "script":  # its lengths are those of the example, whatever it is told
                    continue
                torch.onnx.export(module, (x,), path, **options)
                store(f"torch_{name}_{kind}", path, x.numpy(), outputs)


def from_keras():
    """By tf2onnx, which Keras calls on TensorFlow."""
    import keras
    from keras import layers as L

    keras.utils.set_random_seed(1)
    image, series, words = L.Input((8, 8, 2)), L.Input((5, 4)), L.Input((5,), dtype="int32")
    y = L.MaxPooling2D()(L.BatchNormalization()(L.Conv2D(4, 3, padding="same", activation="relu")(image)))
    cnn = keras.Model(image, L.Dense(3, "softmax")(L.GlobalAveragePooling2D()(L.SeparableConv2D(4, 3)(y))))
    y = L.Bidirectional(L.LSTM(2))(L.LSTM(3, return_sequences=True)(series))
    lstm = keras.Model(series, L.Dense(2)(y))
    y = L.Embedding(9, 8)(words)
    y = L.LayerNormalization()(L.MultiHeadAttention(2, 4)(y, y) + y)
    y = L.LayerNormalization()(L.Dense(8, "relu")(y) + y)
    transformer = keras.Model(words, L.Dense(2)(L.GlobalAveragePooling1D()(y)))
    rng = np.random.default_rng(0)
    inputs = rng.random((3, 8, 8, 2), "float32"), rng.random((3, 5, 4), "float32"), rng.integers(0, 9, (3, 5), "int32")
    for name, model, x in zip(("cnn", "lstm", "transformer"), (cnn, lstm, transformer), inputs, strict=True):
        with tempfile.TemporaryDirectory() as folder:
            path = str(Path(folder) / "model.onnx")
            y = np.asarray(model(x))  # Keras exports models that have been called
            model.export(path, format="onnx", verbose=False)
            store(f"keras_{name}", path, x, [y])


def from_sklearn():
    """By skl2onnx."""
    from skl2onnx import to_onnx
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    x = np.random.default_rng(0).normal(size=(60, 4)).astype("float32")
    labels = (x[:, 0] + x[:, 1] > 0).astype(int) + (x[:, 2] > 1)
    three = make_pipeline(StandardScaler(), MLPClassifier((5, 3), activation="tanh", max_iter=30, random_state=0))
    line = MLPRegressor(hidden_layer_sizes=(6,), activation="logistic", max_iter=30, random_state=0)
    three.fit(x, labels)
    line.fit(x, x[:, 0])
    few = x[:5]
    for name, model, outputs in (
        ("classifier", three, [three.predict(few), three.predict_proba(few).astype("float32")]),
        ("regressor", line, [line.predict(few).astype("float32")[:, None]]),
    ):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.onnx"
            path.write_bytes(to_onnx(model, few).SerializeToString())
            store(f"sklearn_{name}", path, few, outputs)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    for word in sys.argv[1:]:
        {"torch": from_torch, "keras": from_keras, "sklearn": from_sklearn}[word]()

"""``fastnn train``, ``predict``, ``evaluate``, ``summary`` and ``convert`` on files, as a user calls them."""

import gzip
import json
import os
import struct
import subprocess
import sys

import numpy as np
import pytest

from fastnn import cli, layers, models
from tests.cli.tables import MLP, NAMES, flowers, model


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def data(folder):
    flowers(folder / "flowers.csv")
    return ["flowers.csv", "--model", model(folder / "mlp.json"), "--target", "colour", "--quiet"]


def answer(capsys, *arguments):
    """The one JSON object that a command prints, and what it says beside it."""
    capsys.readouterr()
    assert cli.main([*map(str, arguments), "--json"]) == 0
    out, err = capsys.readouterr()
    assert out.count("\n") == 1
    return json.loads(out), err


def refusal(capsys, *arguments):
    """The one line on stderr of a command that is refused."""
    capsys.readouterr()
    assert cli.main([*map(str, arguments)]) == 1
    out, err = capsys.readouterr()
    assert not out
    assert err.splitlines()[-1].startswith(f"fastnn {arguments[0]}: ")
    assert "Traceback" not in err
    return err.splitlines()[-1]


def test_from_a_csv_file_to_labels(data, folder, capsys):
    learned, said = answer(
        capsys, "train", *data, "--standardize", "--epochs", 40, "--learning-rate", 0.02, "--output", "m.safetensors"
    )
    assert learned["classes"] == sorted(NAMES)
    assert (learned["examples"], learned["validation_examples"], learned["weights"]) == (72, 18, 115)
    assert len(learned["history"]["val_accuracy"]) == 40
    assert "sparse_categorical_crossentropy" in said
    assert "blau, green, red, dark" in said

    labels = flowers(folder / "new.csv", 60, seed=1)
    text = (folder / "new.csv").read_text()
    (folder / "unlabelled.csv").write_text("".join(f"{','.join(row.split(',')[:3])}\n" for row in text.splitlines()))
    measured, _ = answer(capsys, "evaluate", "m.safetensors", "new.csv")
    assert measured["accuracy"] == 1.0
    predicted, _ = answer(capsys, "predict", "m.safetensors", "unlabelled.csv")
    assert predicted["predictions"] == [NAMES[label] for label in labels]
    assert np.allclose(np.sum(predicted["probabilities"], axis=1), 1)

    assert cli.main(["predict", "m.safetensors", "new.csv", "--probabilities", "--output", "out.csv"]) == 0
    assert capsys.readouterr().out == ""
    rows = (folder / "out.csv").read_text().splitlines()
    assert rows[0] == 'colour,probability,blau,green,"red, dark"'
    assert len(rows) == 61
    assert cli.main(["predict", "m.safetensors", "new.csv"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 61

    again = models.load_model(folder / "m.safetensors")
    schema = json.loads((folder / "m.schema.json").read_text())
    x = np.loadtxt(folder / "unlabelled.csv", delimiter=",", skiprows=1)
    by_hand = again.predict(((x - schema["shift"]) / schema["scale"]).astype("float32"), verbose=0)
    assert cli.main(["predict", "m.safetensors", "new.csv", "--output", "out.npy"]) == 0
    np.testing.assert_array_equal(np.load(folder / "out.npy"), by_hand)


def test_the_same_command_gives_the_same_weights(data, folder):
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        assert cli.main(["train", *data, "--epochs", "2", "--seed", str(seed), "--output", f"{name}.safetensors"]) == 0
    a, b, c = [models.load_model(folder / f"{name}.safetensors").get_weights()[0] for name in "abc"]
    np.testing.assert_array_equal(a, b)
    assert (a != c).any()


def test_numbers_from_a_csv_file(data, folder, capsys):
    model(folder / "line.json", [{"Dense": {"units": 1}}])
    learned, said = answer(
        capsys, "train", "flowers.csv", "--model", "line.json", "--target", "width", "--drop", "colour", "height",
        "--quiet",
    )  # fmt: skip
    assert learned["classes"] is None
    assert set(learned["history"]) == {"loss", "mae", "val_loss", "val_mae"}
    assert "Loss: mse, since 'width' holds numbers" in said
    predicted, _ = answer(capsys, "predict", "model.safetensors", "flowers.csv")
    assert np.shape(predicted["predictions"]) == (90, 1)


def test_two_classes_and_one_output(folder, capsys):
    (folder / "t.csv").write_text("x;answer\n" + "".join(f"{i};{'yes' if i > 9 else 'no'}\n" for i in range(20)))
    model(folder / "m.json", [{"Dense": {"units": 1, "activation": "sigmoid"}}])
    arguments = ["t.csv", "--separator", ";"]
    learned, said = answer(
        capsys, "train", *arguments, "--model", "m.json", "--target", "answer", "--standardize", "--epochs", 60,
        "--learning-rate", 0.3, "--validation-split", 0, "--quiet",
    )  # fmt: skip
    assert learned["classes"] == ["no", "yes"]
    assert learned["validation_examples"] == 0
    assert "binary_crossentropy" in said
    predicted, _ = answer(capsys, "predict", "model.safetensors", *arguments)
    assert predicted["predictions"] == ["no"] * 10 + ["yes"] * 10


def test_arrays_and_a_python_file(folder, capsys):
    rng = np.random.default_rng(0)
    np.savez(folder / "d.npz", x=rng.integers(0, 256, (40, 6, 6)).astype("uint8"), y=rng.integers(0, 4, (40, 1)))
    (folder / "cnn.py").write_text(
        "from fastnn import Sequential, layers, ops\n\n"
        "class Double(layers.Layer):\n    def call(self, x):\n        return ops.add(x, x)\n\n"
        "def build():\n"
        "    return Sequential([layers.Input((6, 6, 1)), layers.Conv2D(4, 3), Double(), layers.Flatten(),\n"
        "                       layers.Dense(4, 'softmax')])\n"
    )
    learned, _ = answer(capsys, "train", "d.npz", "--model", "cnn.py", "--divide-by", 255, "--epochs", 1, "--quiet")
    assert learned["classes"] == [0, 1, 2, 3]
    assert "Double" in refusal(capsys, "predict", "model.safetensors", "d.npz")
    predicted, _ = answer(capsys, "predict", "model.safetensors", "d.npz", "--custom", "cnn.py")
    assert len(predicted["predictions"]) == 40
    shown, _ = answer(capsys, "summary", "cnn.py")
    assert [layer["class"] for layer in shown["layers"]] == ["Conv2D", "Double", "Flatten", "Dense"]
    assert shown["weights"] == 4 * 10 + 64 * 4 + 4


def test_images_and_labels_in_idx_files(folder, capsys):
    pixels = np.arange(30 * 4, dtype=np.uint8)
    (folder / "images").write_bytes(b"\0\0\x08\x03" + struct.pack(">3I", 30, 2, 2) + pixels.tobytes())
    labels = b"\0\0\x08\x01" + struct.pack(">I", 30) + bytes(i % 3 for i in range(30))
    (folder / "labels.gz").write_bytes(gzip.compress(labels))
    (folder / "m.json").write_text(json.dumps(["Flatten", *MLP]))
    learned, _ = answer(capsys, "train", "images", "--target", "labels.gz", "--model", "m.json", "--quiet")
    assert learned["classes"] == [0, 1, 2]
    measured, _ = answer(capsys, "evaluate", "model.safetensors", "images", "--target", "labels.gz")
    assert measured["examples"] == 30


def test_a_model_in_yaml(data, folder, capsys):
    pytest.importorskip("yaml", reason="PyYAML is not installed")
    (folder / "m.yaml").write_text("- Dense: {units: 5, activation: relu}\n- Dense: {units: 3, activation: softmax}\n")
    answer(capsys, "train", *data, "--model", "m.yaml", "--epochs", 1)
    (folder / "m.yaml").write_text("- [unclosed")
    assert "m.yaml is not YAML" in refusal(capsys, "train", *data, "--model", "m.yaml")
    (folder / "m.yaml").write_text("!!python/object/apply:os.system ['touch ran']")
    assert "m.yaml is not YAML" in refusal(capsys, "train", *data, "--model", "m.yaml")
    assert not (folder / "ran").exists()


def test_yaml_without_its_library(data, folder, capsys, monkeypatch):
    (folder / "m.yaml").write_text("- Flatten")
    monkeypatch.setitem(sys.modules, "yaml", None)
    assert "pip install 'fastnn-kernels[yaml]'" in refusal(capsys, "train", *data, "--model", "m.yaml")


def weights(path):
    return np.concatenate([w.ravel() for w in models.load_model(path).get_weights()])


def test_going_on_for_more_epochs(data, folder, capsys):
    end = ["--checkpoint", "last.safetensors", "--resume", "--log", "log.csv"]
    whole, _ = answer(capsys, "train", *data, "--epochs", 5, "--output", "whole.safetensors")
    first, _ = answer(capsys, "train", *data, "--epochs", 2, *end)
    then, said = answer(capsys, "train", *data, "--epochs", 5, *end)
    assert (first["first_epoch"], then["first_epoch"]) == (0, 2)
    assert then["history"] == whole["history"]
    assert "Resumed from last.safetensors after epoch 2 of 5" in said
    assert len((folder / "log.csv").read_text().splitlines()) == 6
    for name in ("last", "model"):
        np.testing.assert_array_equal(weights(f"{name}.safetensors"), weights("whole.safetensors"))
    again, said = answer(capsys, "train", *data, "--epochs", 5, *end)
    assert (again["history"], again["first_epoch"]) == (whole["history"], 5)
    assert "Resumed" not in said
    anew, _ = answer(capsys, "train", *data, "--epochs", 1, *end[:2])
    assert len(anew["history"]["loss"]) == 1


def test_going_on_is_refused(data, folder, capsys):
    end = ["--checkpoint", "last.safetensors", "--resume"]
    answer(capsys, "train", *data, "--epochs", 1, *end)
    before = weights("last.safetensors")

    def refused(*change):
        return refusal(capsys, "train", *data, "--epochs", 9, *end, *change)

    assert "other columns" in refused("--inputs", "height", "length", "width")
    assert "made with batch_size=32. Received: batch_size=7" in refused("--batch-size", 7)
    line = refused("--seed", 1)
    assert "was trained with --seed 0. Received: --seed 1" in line
    assert "--model last.safetensors" in line
    assert "with no --learning-rate. Received: --learning-rate 0.5" in refused("--learning-rate", 0.5)
    other = "sparse_top_k_categorical_accuracy"
    assert f"Received: --metrics {other}" in refused("--metrics", other)
    np.testing.assert_array_equal(weights("last.safetensors"), before)
    (folder / "last.backup" / "latest.safetensors").write_bytes(b"damaged")
    assert 'Delete the folder "last.backup" to start over' in refused()
    (folder / "last.backup" / "latest.safetensors").unlink()
    (folder / "last.backup").rmdir()
    assert "its backup last.backup, which is missing" in refused()


KILLED = """
import os, signal, sys
from fastnn import callbacks, cli

def kill(self, batch, logs=None):
    if self.model.optimizer.iterations == int(sys.argv[1]):
        os.kill(os.getpid(), signal.SIGKILL)

callbacks.ModelCheckpoint.on_train_batch_end = kill
sys.exit(cli.main(sys.argv[2:]))
"""


@pytest.mark.skipif(os.name == "nt", reason="kill -9")
def test_a_run_that_is_killed_goes_on_to_the_same_bits(data, folder, capsys):
    """Epochs have three steps: it is killed before the first backup, and in the third epoch."""

    def arguments(name):
        end = ["--resume", "--log", f"{name}.jsonl", "--output", f"{name}-end.safetensors"]
        return ["train", *data, "--epochs", "5", "--checkpoint", f"{name}.safetensors", *end]

    assert cli.main(arguments("whole")) == 0
    for steps in ("2", "8"):
        command = [sys.executable, "-c", KILLED, steps, *arguments("broken")]
        assert subprocess.run(command, capture_output=True).returncode == -9
    capsys.readouterr()
    assert cli.main(arguments("broken")) == 0
    assert "Resumed from broken.safetensors after epoch 2 of 5" in capsys.readouterr().err
    for name in ("{}.safetensors", "{}-end.safetensors"):
        np.testing.assert_array_equal(weights(name.format("whole")), weights(name.format("broken")))
    assert (folder / "whole.jsonl").read_text() == (folder / "broken.jsonl").read_text()


def test_logs(data, folder, capsys):
    learned, _ = answer(capsys, "train", *data, "--epochs", 2, "--log", "log.jsonl")
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    assert [line["val_loss"] for line in lines] == learned["history"]["val_loss"]
    pytest.importorskip("tensorboard", reason="tensorboard is not installed")
    assert cli.main(["train", *data, "--epochs", "1", "--tensorboard", "logs/one"]) == 0
    assert {path.name for path in (folder / "logs/one").iterdir()} == {"train", "validation"}


def test_a_model_that_is_compiled_keeps_its_loss(data, folder, capsys):
    (folder / "m.py").write_text(
        "from fastnn import Sequential, layers\n"
        "model = Sequential([layers.Input((3,)), layers.Dense(3, 'softmax')])\n"
        "model.compile('sgd', 'sparse_categorical_crossentropy', metrics=['sparse_top_k_categorical_accuracy'])\n"
    )
    learned, _ = answer(capsys, "train", *data, "--model", "m.py", "--epochs", 1)
    assert "sparse_top_k_categorical_accuracy" in learned["history"]
    learned, _ = answer(capsys, "train", *data, "--model", "m.py", "--epochs", 1, "--optimizer", "adam",
                        "--validation", "flowers.csv")  # fmt: skip
    assert set(learned["history"]) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    assert learned["validation_examples"] == learned["examples"] == 90


BROKEN_TABLES = {
    "a,b\n1,2\n3\n": "line 3: 2 fields expected",
    "a,b\n1,2\n,4\n": "line 3, column 'a': the value is missing",
    "a,b\n1,2\nNA,4\n": "line 3, column 'a': the value is missing",
    "a,b\n1,2\n3,\n": "line 3, column 'b': the value is missing",
    "a,b\n1,2\nx,4\n": "line 3, column 'a': a number expected. Received: 'x'",
    "a,b\n1,2\ninf,4\n": "line 3, column 'a': a number expected. Received: 'inf'",
    'a,b\n"1\n",2\n"x\n",4\n': "line 5, column 'a'",
    'a,b\n1,2\n"3,4\n': "line 3: unexpected end of data",
    "a,a\n1,2\n": "two columns are called 'a'",
    "1,2\n3,4\n": "the first line must name the columns",
    ",b\n3,4\n": "column 1 has no name",
    "": "t.csv is empty",
    "a,b\n": "no rows",
    "a;b\n1;2\n": "has no column 'b'",
}


@pytest.mark.parametrize("text", BROKEN_TABLES)
def test_broken_tables_are_refused_with_line_and_column(text, folder, capsys):
    (folder / "t.csv").write_text(text)
    model(folder / "m.json", [{"Dense": {"units": 1}}])
    line = refusal(capsys, "train", "t.csv", "--model", "m.json", "--target", "b", "--validation-split", 0)
    assert BROKEN_TABLES[text] in line
    assert sorted(path.name for path in folder.iterdir()) == ["m.json", "t.csv"]


@pytest.mark.parametrize("extra", [b"\xff\xfe", b"caf\xe9"])
def test_a_table_in_another_encoding(extra, folder, capsys):
    (folder / "t.csv").write_bytes(b"a,b\n1,2\n" + extra + b",3\n")
    model(folder / "m.json", [{"Dense": {"units": 1}}])
    assert "is not text in UTF-8" in refusal(capsys, "train", "t.csv", "--model", "m.json", "--target", "b")


def test_a_table_from_a_spreadsheet(folder, capsys):
    """A byte-order mark, lines that end in CR LF, quotes, spaces, empty lines at the end."""
    (folder / "t.csv").write_bytes('\ufeff"länge", y\r\n"1.5", 2\r\n2,3\r\n\r\n'.encode())
    model(folder / "m.json", [{"Dense": {"units": 1}}])
    learned, _ = answer(
        capsys, "train", "t.csv", "--model", "m.json", "--target", "y", "--validation-split", 0, "--quiet"
    )
    assert learned["examples"] == 2
    assert json.loads((folder / "model.schema.json").read_text())["inputs"] == ["länge"]


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (["--model", "none.json"], "The file none.json does not exist"),
        (["--model", "m.txt"], "A model file must end in"),
        (["--target", "color"], "has no column 'color'"),
        (["--inputs", "widht"], "has no column 'widht'"),
        (["--loss", "mean"], "mean"),
        (["--optimizer", "adamm"], "adamm"),
        (["--resume"], "--checkpoint"),
        (["--output", "m.h5"], ".safetensors"),
        (["--output", "none/m.safetensors"], "mkdir -p none"),
        (["--validation", "none.csv"], "none.csv"),
        (["--validation-split", "0.999"], "cannot be split"),
        (["--inputs", "width", "--model", "wide.json"], "the model reads (3,)"),
        (["--model", "two.json"], 'End it with Dense(3, activation="softmax")'),
        (["--model", "linear.json"], "ends in linear, which gives no probabilities"),
        (["--model", "typo.json"], "Dens"),
        (["--model", "broken.json"], "is not JSON"),
        (["--model", "number.json"], "does not describe a model"),
        (["--model", "raises.py"], "raises.py, line 3: ZeroDivisionError: division by zero"),
        (["--model", "syntax.py"], "syntax.py, line 1: SyntaxError"),
        (["--model", "nothing.py"], "does not define a model"),
        (["--learning-rate", "1e30"], "loss is"),
    ],
)  # fmt: skip
def test_what_is_refused(data, folder, capsys, change, line):
    model(folder / "two.json", [{"Dense": {"units": 2, "activation": "softmax"}}])
    model(folder / "linear.json", [{"Dense": {"units": 3}}])
    model(folder / "typo.json", [{"Dens": {"units": 3}}])
    model(folder / "number.json", 3)
    wide = models.Sequential([layers.Input((3,)), layers.Dense(3, "softmax")])
    (folder / "wide.json").write_text(wide.to_json())
    (folder / "broken.json").write_text("[")
    (folder / "raises.py").write_text("def build():\n    x = 1\n    return x / 0\n")
    (folder / "syntax.py").write_text("def build(:\n")
    (folder / "nothing.py").write_text("x = 1\n")
    assert line in refusal(capsys, "train", *data, *change)
    assert not (folder / "model.safetensors").exists()


def test_ids_beyond_the_vocabulary_are_the_users_to_mend(folder, capsys):
    (folder / "t.csv").write_text("word,y\n1,0\n9,1\n")
    model(folder / "m.json", [{"Embedding": {"input_dim": 5, "output_dim": 2}}, "Flatten", {"Dense": {"units": 1}}])
    line = refusal(
        capsys,
        "train",
        "t.csv",
        "--model",
        "m.json",
        "--target",
        "y",
        "--validation-split",
        0,
        "--loss",
        "mse",
        "--quiet",
    )
    assert "Received:" in line


def test_an_error_in_the_users_layer_shows_where_it_is(data, folder):
    (folder / "m.py").write_text(
        "from fastnn import Sequential, layers\n"
        "class Wrong(layers.Layer):\n    def call(self, x):\n        return x + {}['scale']\n"
        "def build():\n    return Sequential([Wrong(), layers.Dense(3, 'softmax')])\n"
    )
    with pytest.raises(KeyError, match="scale") as caught:
        cli.main(["train", *data, "--model", "m.py"])
    assert any(str(entry.path).endswith("m.py") for entry in caught.traceback)


def test_a_model_that_writes_call_is_refused_before_the_training(data, folder, capsys):
    (folder / "m.py").write_text(
        "from fastnn import Model, layers\n"
        "class Mine(Model):\n"
        "    def __init__(self):\n        super().__init__()\n        self.d = layers.Dense(3, 'softmax')\n"
        "    def call(self, x):\n        return self.d(x)\n"
        "model = Mine()\n"
    )
    assert "defines call" in refusal(capsys, "train", *data, "--model", "m.py")


def test_a_class_that_the_model_does_not_know(data, folder, capsys):
    assert cli.main(["train", *data, "--epochs", "1"]) == 0
    (folder / "new.csv").write_text("width,length,height,colour\n1,2,3,violet\n")
    refused = refusal(capsys, "evaluate", "model.safetensors", "new.csv")
    assert "a value that is new to the model: 'violet'" in refused
    (folder / "new.csv").write_text("width,length,colour\n1,2,green\n")
    assert "has no column 'height'" in refusal(capsys, "predict", "model.safetensors", "new.csv")


def test_a_damaged_schema(data, folder, capsys):
    assert cli.main(["train", *data, "--epochs", "1"]) == 0
    good = (folder / "model.schema.json").read_text()
    for text in ("", "[]", "{}", '{"version": 1, "inputs": 3}', good.replace('"version": 1', '"version": 2'),
                 '{"version": 1, "inputs": ["a"], "classes": [[1]]}', '{"version": 1, "x": 1}'):  # fmt: skip
        (folder / "model.schema.json").write_text(text)
        assert "model.schema.json" in refusal(capsys, "predict", "model.safetensors", "flowers.csv")
    (folder / "model.schema.json").unlink()
    assert cli.main(["predict", "model.safetensors", "flowers.csv", "--inputs", "width", "length", "height"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("output_0,output_1,output_2\n")
    assert "model.schema.json was not found" in err


def test_convert_takes_the_schema_along(data, folder, capsys):
    assert cli.main(["train", *data, "--epochs", "1"]) == 0
    assert cli.main(["convert", "model.safetensors", "other.safetensors"]) == 0
    assert "exists already" in refusal(capsys, "convert", "model.safetensors", "other.safetensors")
    assert cli.main(["convert", "model.safetensors", "other.safetensors", "--overwrite"]) == 0
    one, _ = answer(capsys, "predict", "model.safetensors", "flowers.csv")
    two, _ = answer(capsys, "predict", "other.safetensors", "flowers.csv")
    assert one == two
    assert cli.main(["convert", "model.safetensors", "layers.json"]) == 0
    shown, _ = answer(capsys, "summary", "layers.json")
    assert shown["weights"] == 115
    assert "layers without weights" in refusal(capsys, "convert", "model.safetensors", "m.txt")


@pytest.mark.parametrize(("suffix", "library"), [(".keras", "h5py"), (".onnx", "onnx")])
def test_convert_to_other_formats_and_back(data, folder, capsys, suffix, library):
    pytest.importorskip(library, reason=f"{library} is not installed")
    assert cli.main(["train", *data, "--epochs", "1"]) == 0
    assert cli.main(["convert", "model.safetensors", f"model{suffix}"]) == 0
    assert cli.main(["convert", f"model{suffix}", "back.safetensors"]) == 0
    one, _ = answer(capsys, "predict", "model.safetensors", "flowers.csv")
    two, _ = answer(capsys, "predict", "back.safetensors", "flowers.csv")
    np.testing.assert_allclose(one["probabilities"], two["probabilities"], atol=1e-6)


def test_summary_of_a_model(data, folder, capsys):
    assert cli.main(["train", *data, "--epochs", "1"]) == 0
    capsys.readouterr()
    assert cli.main(["summary", "model.safetensors"]) == 0
    out = capsys.readouterr().out
    assert "(Dense)" in out
    assert "Classes: blau, green, red, dark" in out
    shown, _ = answer(capsys, "summary", "mlp.json")
    assert shown["weights"] is None
    shown, _ = answer(capsys, "summary", "mlp.json", "--input-shape", 3)
    assert (shown["weights"], shown["input_shape"]) == (115, [None, 3])


@pytest.mark.parametrize(
    "arguments",
    [
        ["train"], ["train", "x.csv"],
        ["train", "x.csv", "--model", "m.json", "--epochs", "0"],
        ["train", "x.csv", "--model", "m.json", "--validation-split", "1"],
        ["train", "x.csv", "--model", "m.json", "--learning-rate", "nan"],
        ["train", "x.csv", "--model", "m.json", "--divide-by", "0"],
        ["train", "x.csv", "--model", "m.json", "--seed", "4294967296"],
        ["train", "x.csv", "--model", "m.json", "--separator", ";;"],
        ["train", "x.csv", "--model", "m.json", "--standardize", "--divide-by", "2"],
        ["predict", "m.safetensors"], ["evaluate"], ["convert", "m.safetensors"], ["summary"],
    ],
)  # fmt: skip
def test_usage(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    assert caught.value.code == 2
    assert "usage: fastnn" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["train", "predict", "evaluate", "convert", "summary"])
def test_help_shows_examples(command, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main([command, "--help"])
    assert caught.value.code == 0
    assert f"examples:\n  fastnn {command} " in capsys.readouterr().out

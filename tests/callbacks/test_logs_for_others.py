"""JSONLogger and TensorBoard: the files are read back, by Python's parser and by TensorBoard's own reader."""

import json
import sys

import numpy as np
import pytest

from fastnn import Sequential, callbacks, layers, utils
from tests.callbacks.fakes import train


def fitted(*given, epochs=3, **settings):
    """A model that was trained on 24 examples in batches of 5, with validation, and its history."""
    utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    x, y = rng.random((30, 4)).astype("float32"), rng.integers(0, 3, 30)
    model = Sequential([layers.Input((4,)), layers.Dense(5, "tanh"), layers.Dense(3, "softmax", name="head")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(
        x, y, batch_size=5, epochs=epochs, validation_split=0.2, verbose=0, callbacks=list(given), **settings
    )
    return model, history.history


def test_json_lines(tmp_path):
    path = tmp_path / "log.jsonl"
    _, history = fitted(callbacks.JSONLogger(path))
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line.pop("epoch") for line in lines] == [0, 1, 2]
    assert lines == [{name: values[i] for name, values in history.items()} for i in range(3)]
    fitted(callbacks.JSONLogger(path, append=True), initial_epoch=2)
    assert [json.loads(line)["epoch"] for line in path.read_text().splitlines()] == [0, 1, 2, 2]
    fitted(callbacks.JSONLogger(str(path)), epochs=1)
    assert len(path.read_text().splitlines()) == 1


@pytest.mark.parametrize("append", [False, True])
def test_json_lines_of_epochs_that_are_trained_again_are_cut_off(tmp_path, append):
    """The backup is that of the first epoch; the second had its line, and the third was in the middle of a line."""
    path = tmp_path / "log.jsonl"
    path.write_text('{"epoch": 7}\n')
    logger = callbacks.JSONLogger(path, append=append)
    logger.on_train_begin()
    kept = []
    for epoch in (0, 1):
        logger.on_epoch_begin(epoch)
        logger.on_epoch_end(epoch, {"loss": 1.0 - epoch})
        kept.append(logger.get_state())
    logger.on_train_end()
    with path.open("a") as file:
        file.write('{"epoch": 2, "lo')
    again = callbacks.JSONLogger(path, append=append)
    again.on_train_begin()
    again.set_state(kept[0])
    again.on_epoch_begin(1)
    again.on_epoch_end(1, {"loss": 0.0})
    again.on_train_end()
    before = [7] if append else []
    assert [json.loads(line)["epoch"] for line in path.read_text().splitlines()] == [*before, 0, 1]


def test_json_has_no_nan(tmp_path):
    path = tmp_path / "log.jsonl"
    train(callbacks.JSONLogger(path), [{"손실": np.float32(np.inf), "each": np.array([0.5, np.nan]), "n": 1}])
    assert path.read_text(encoding="utf-8") == '{"epoch": 0, "손실": null, "each": [0.5, null], "n": 1}\n'


@pytest.fixture
def read():
    """From a folder to {tag: [(step, value), …]}."""
    pytest.importorskip("tensorboard", reason="tensorboard is not installed")
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

    def read(folder):
        found: dict = {}
        for file in sorted(folder.iterdir()):
            for event in EventFileLoader(str(file)).Load():  # gives tensors, as TensorBoard itself sees all values
                for value in event.summary.value:
                    found.setdefault(value.tag, []).append((event.step, value))
        return found

    return read


def scalars(entries):
    from tensorboard.util.tensor_util import make_ndarray

    return [(step, float(make_ndarray(value.tensor))) for step, value in entries]


def test_numbers_of_epochs(tmp_path, read):
    _, history = fitted(callbacks.TensorBoard(tmp_path, write_graph=False, write_steps_per_second=True))
    trained, validated = read(tmp_path / "train"), read(tmp_path / "validation")
    assert set(trained) == {"epoch_loss", "epoch_accuracy", "epoch_learning_rate", "epoch_steps_per_second"}
    for name in ("loss", "accuracy"):
        assert scalars(trained[f"epoch_{name}"]) == [(i, np.float32(v)) for i, v in enumerate(history[name])]
        expected = [np.float32(value) for value in history[f"val_{name}"]]
        assert scalars(validated[f"epoch_{name}"]) == list(enumerate(expected))
        assert scalars(validated[f"evaluation_{name}_vs_iterations"]) == list(zip((5, 10, 15), expected, strict=True))
    assert scalars(trained["epoch_learning_rate"]) == [(i, np.float32(0.001)) for i in range(3)]
    assert all(rate > 0 for _, rate in scalars(trained["epoch_steps_per_second"]))


@pytest.mark.parametrize(("frequency", "steps"), [("batch", range(1, 16)), (4, (4, 8, 12)), ("epoch", ())])
def test_numbers_of_batches(tmp_path, read, frequency, steps):
    _, history = fitted(callbacks.TensorBoard(tmp_path, update_freq=frequency))
    found = scalars(read(tmp_path / "train").get("batch_loss", []))
    assert [step for step, _ in found] == list(steps)
    if frequency == "batch":
        assert [value for step, value in found if step % 5 == 0] == [np.float32(v) for v in history["loss"]]


def test_a_run_that_goes_on_counts_its_batches_on(tmp_path, read):
    class Break(callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if self.model.optimizer.iterations == 7:
                raise KeyboardInterrupt

    def board():
        backup = callbacks.BackupAndRestore(tmp_path / "backup", save_freq=6)
        return callbacks.TensorBoard(tmp_path / "logs", update_freq=4, write_graph=False), backup

    with pytest.raises(KeyboardInterrupt):
        fitted(*board(), Break())
    _, history = fitted(*board())
    trained = read(tmp_path / "logs" / "train")
    assert sorted(step for step, _ in trained["batch_loss"]) == [4, 8, 12]
    assert sorted(scalars(trained["epoch_loss"])) == [(i, np.float32(v)) for i, v in enumerate(history["loss"])]


def test_histograms_of_weights(tmp_path, read):
    from tensorboard.util.tensor_util import make_ndarray

    model, _ = fitted(callbacks.TensorBoard(tmp_path, histogram_freq=2))
    found = {tag: entries for tag, entries in read(tmp_path / "train").items() if tag.endswith("/histogram")}
    assert set(found) == {f"{path}/histogram" for path in model.named_weights()}
    for path, weight in model.named_weights().items():
        entries = found[f"{path}/histogram"]
        assert [step for step, _ in entries] == [0, 2]
        buckets = make_ndarray(entries[-1][1].tensor)  # rows of left edge, right edge, count
        assert buckets[:, 2].sum() == weight.value.size
        assert buckets[0, 0] == pytest.approx(weight.value.min())
        assert buckets[-1, 1] == pytest.approx(weight.value.max())


def test_the_table_of_layers(tmp_path, read):
    from tensorboard.util.tensor_util import make_ndarray

    fitted(callbacks.TensorBoard(tmp_path))
    [(step, value)] = read(tmp_path / "train")["model"]
    assert step == 0
    assert "head (Dense)" in make_ndarray(value.tensor).item().decode()
    assert value.metadata.plugin_data.plugin_name == "text"


def test_each_training_adds_a_file(tmp_path, read):
    board = callbacks.TensorBoard(tmp_path)
    fitted(board)
    fitted(board)
    assert len(scalars(read(tmp_path / "train")["epoch_loss"])) == 6


def test_beside_evaluate_it_is_quiet(tmp_path, read):
    board = callbacks.TensorBoard(tmp_path)
    model, _ = fitted()
    model.evaluate(np.zeros((3, 4)), np.zeros(3), verbose=0, callbacks=[board])
    assert not list(tmp_path.iterdir())
    model, _ = fitted(board)
    before = read(tmp_path / "validation")
    model.evaluate(np.zeros((3, 4)), np.zeros(3), verbose=0, callbacks=[board])
    assert read(tmp_path / "validation").keys() == before.keys()
    assert len(list((tmp_path / "validation").iterdir())) == 1


@pytest.mark.parametrize(
    "settings",
    [
        {"write_images": True}, {"profile_batch": 2}, {"profile_batch": (2, 4)}, {"embeddings_freq": 1},
        {"embeddings_metadata": {"a": 1}}, {"histogram_freq": -1}, {"histogram_freq": 1.5}, {"update_freq": 0},
        {"update_freq": "step"}, {"update_freq": True},
    ],
)  # fmt: skip
def test_what_is_not_written_is_refused(settings):
    with pytest.raises(ValueError, match="Received") as caught:
        callbacks.TensorBoard(**settings)
    assert repr(*settings.values()) in str(caught.value)


def test_without_its_library_fit_says_how_to_install_it(tmp_path, monkeypatch):
    for name in [name for name in sys.modules if name.startswith("tensorboard.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    with pytest.raises(ImportError, match=r"pip install 'fastnn-kernels\[tensorboard\]'"):
        fitted(callbacks.TensorBoard(tmp_path))
    assert not list(tmp_path.iterdir())

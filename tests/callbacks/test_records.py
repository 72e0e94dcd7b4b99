"""Callbacks that write down what happens: History and CSVLogger."""

import sys

import numpy as np
import pytest

from fastnn.callbacks import CSVLogger, History
from tests.callbacks.fakes import FakeModel, train

LOGS = [{"accuracy": 0.5, "loss": 2.0}, {"accuracy": 0.75, "loss": 1.0}]
WITH_VALIDATION = [entry | {"val_accuracy": 0.25, "val_loss": 3.0} for entry in LOGS]


def test_history():
    history, model = History(), FakeModel()
    train(history, WITH_VALIDATION, model)
    assert history.history == {
        "accuracy": [0.5, 0.75], "loss": [2.0, 1.0], "val_accuracy": [0.25, 0.25], "val_loss": [3.0, 3.0],
    }  # fmt: skip
    assert list(history.history) == ["accuracy", "loss", "val_accuracy", "val_loss"]
    assert history.epoch == [0, 1]
    assert history.params == {"epochs": 2}
    assert model.history is history


def test_plot():
    pytest.importorskip("matplotlib").use("Agg")
    from matplotlib import pyplot

    history = History()
    train(history, WITH_VALIDATION)
    figure = history.plot(title="A run")
    assert [axis.get_title() for axis in figure.axes] == ["accuracy", "loss"]
    training, validation = figure.axes[1].lines
    assert training.get_label() == "training"
    assert validation.get_label() == "validation"
    np.testing.assert_array_equal(training.get_xydata(), [[1, 2], [2, 1]])
    np.testing.assert_array_equal(validation.get_ydata(), [3, 3])
    assert len(history.plot("loss").axes) == 1
    with pytest.raises(ValueError, match=r"no 'acc'. Known: 'accuracy', 'loss'"):
        history.plot(["acc"])
    with pytest.raises(ValueError, match="Train first"):
        History().plot()
    pyplot.close("all")


def test_plot_without_matplotlib_names_the_extra(monkeypatch):
    history = History()
    train(history, LOGS)
    for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"fastnn-kernels\[plot\]"):
        history.plot()


def test_csv(tmp_path):
    path = tmp_path / "log.csv"
    train(CSVLogger(path), WITH_VALIDATION)
    assert path.read_text().splitlines() == [
        "epoch,accuracy,loss,val_accuracy,val_loss", "0,0.5,2.0,0.25,3.0", "1,0.75,1.0,0.25,3.0",
    ]  # fmt: skip


def test_csv_without_validation_appended_with_another_separator(tmp_path):
    path = tmp_path / "log.csv"
    for _ in range(2):
        train(CSVLogger(str(path), separator=";", append=True), [{"loss": 1.0, "each": np.array([1.0, 2.0])}])
    assert path.read_text().splitlines() == [
        "epoch;each;loss;val_each;val_loss", "0;[1.0, 2.0];1.0;NA;NA", "0;[1.0, 2.0];1.0;NA;NA",
    ]  # fmt: skip


def test_csv_starts_anew_each_time(tmp_path):
    path = tmp_path / "log.csv"
    logger = CSVLogger(path)
    train(logger, LOGS)
    train(logger, LOGS[:1])
    assert len(path.read_text().splitlines()) == 2

"""``fastnn demo``: on the digits or on Fashion-MNIST, with and without matplotlib."""

import importlib.util
import os
import sys

import numpy as np
import pytest

from fastnn.cli import demo, main, pictures

HAS_MATPLOTLIB = importlib.util.find_spec("matplotlib") is not None


@pytest.fixture
def no_data(tmp_path, monkeypatch):
    """A machine without data sets."""
    monkeypatch.delenv("FASTNN_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


@pytest.fixture
def small(no_data, monkeypatch):
    """Use few digits, so that a demo takes a second."""
    load = demo.datasets.digits.load_data
    monkeypatch.setattr(demo.datasets.digits, "load_data", lambda n_train: load(n_train, n_test=64))


def test_it_trains_and_reports(small, tmp_path, capsys):
    picture = tmp_path / "out.png"
    assert main(["demo", "--epochs", "1", "--samples", "96", "--output", str(picture)]) == 0
    output = capsys.readouterr().out
    assert "built-in digits: 96 images, tested on 64" in output
    assert "60,554" in output
    assert "test accuracy  0." in output
    assert "images/s" in output
    assert "GFLOP/s" in output
    assert picture.exists() == HAS_MATPLOTLIB


def test_the_figures_on_the_twins(small, tmp_path):
    figures = demo.demo(1, 64, 16, str(tmp_path / "out.png"), "reference")
    assert 0 <= figures["accuracy"] <= 1
    assert "share_of_peak" not in figures
    assert figures["gflops"] == pytest.approx(figures["images_per_second"] * FLOPS / 1e9)


MACS = [26 * 26 * 9 * 32, 11 * 11 * 9 * 32 * 64, 3 * 3 * 9 * 64 * 64, 64 * 64, 64 * 10]
FLOPS = 2 * (3 * sum(MACS) - MACS[0])


def test_operations_of_a_step():
    model = demo._cnn()
    assert model.count_params() == 60554
    assert demo._training_flops(model) == FLOPS


def test_without_matplotlib_it_says_how_to_install_it(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    output = pictures.save_demo(tmp_path / "out.png", {}, *[np.empty(0)] * 3, [])
    assert "pip install" in output
    assert "plot" in output
    assert not (tmp_path / "out.png").exists()


@pytest.mark.skipif(not HAS_MATPLOTLIB, reason="matplotlib is not installed")
@pytest.mark.parametrize("count", [1, 7, 8, 9])
def test_the_picture(tmp_path, count):
    rng = np.random.default_rng(0)
    history = {"accuracy": [0.5, 0.6], "val_accuracy": [0.4, 0.5], "loss": [2, 1], "val_loss": [2.0, 1.5]}
    images, labels = rng.random((count, 28, 28, 1)), rng.integers(0, 3, count)
    output = pictures.save_demo(tmp_path / "out.png", history, images, labels, rng.random((count, 3)), ["a", "b", "c"])
    assert str(tmp_path / "out.png") in output
    assert (tmp_path / "out.png").read_bytes().startswith(b"\x89PNG")


def test_too_few_epochs_are_refused_before_anything_is_created(tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(["demo", "--epochs", "0", "--output", str(tmp_path / "out.png")])
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
@pytest.mark.skipif(not os.environ.get("FASTNN_DATA"), reason="FASTNN_DATA is not set")
def test_fashion_mnist_is_used_when_it_is_found(tmp_path, capsys):
    figures = demo.demo(2, 12000, 32, str(tmp_path / "out.png"))
    assert "Fashion-MNIST from" in capsys.readouterr().out
    assert figures["accuracy"] > 0.75

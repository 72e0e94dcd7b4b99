"""The progress bar: in a log file, in a terminal, by words."""

import io
import re

import numpy as np
import pytest

from fastnn import callbacks
from fastnn.callbacks import progress_bar

from .conftest import mlp


class Terminal(io.StringIO):
    def isatty(self):
        return True


def compiled():
    model = mlp()
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


TIME = r"\d+s \d+(s|ms|us)/step"
NUMBERS = r" - accuracy: \d\.\d{4} - loss: \d+\.\d{4}"
VALIDATED = r" - val_accuracy: \d\.\d{4} - val_loss: \d+\.\d{4}"


@pytest.mark.parametrize("verbose", ["auto", 1])
def test_one_line_an_epoch_in_a_log_file(digits, capsys, verbose):
    x, y = digits
    compiled().fit(x, y, epochs=2, validation_data=(x, y), verbose=verbose)
    out = capsys.readouterr().out
    line = f"3/3 ━{{20}} {TIME}{NUMBERS}{VALIDATED}\n"
    assert re.fullmatch(f"Epoch 1/2\n{line}Epoch 2/2\n{line}", out)


def test_one_epoch_has_no_heading(digits, capsys):
    compiled().fit(*digits)
    assert re.fullmatch(f"3/3 ━{{20}} {TIME}{NUMBERS}\n", capsys.readouterr().out)


def test_verbose_2(digits, capsys):
    compiled().fit(*digits, epochs=2, verbose=2)
    line = rf"3/3 - \d+s - \d+(s|ms|us)/step{NUMBERS}\n"
    assert re.fullmatch(f"Epoch 1/2\n{line}Epoch 2/2\n{line}", capsys.readouterr().out)


def test_verbose_0_is_silent(digits, capsys):
    x, y = digits
    model = compiled()
    model.fit(x, y, verbose=0)
    model.evaluate(x, y, verbose=0)
    model.predict(x, verbose=0)
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


def test_evaluate_and_predict(digits, capsys):
    x, y = digits
    model = compiled()
    model.evaluate(x, y)
    assert re.fullmatch(f"3/3 ━{{20}} {TIME}{NUMBERS}\n", capsys.readouterr().out)
    model.predict(x)
    assert re.fullmatch(f"3/3 ━{{20}} {TIME}\n", capsys.readouterr().out)


def test_unknown_length(digits, capsys):
    x, y = digits
    compiled().fit(iter([(x, y)] * 5))
    assert re.fullmatch(f"5/5 ━{{20}} {TIME}{NUMBERS}\n", capsys.readouterr().out)


@pytest.mark.parametrize("known", [True, False])
def test_a_terminal_sees_it_move(digits, monkeypatch, known):
    x, y = digits
    x = x / 255
    monkeypatch.setattr(progress_bar, "_INTERVAL", 0.0)
    monkeypatch.setenv("COLUMNS", "100")
    terminal = Terminal()
    source = (x, y) if known else (iter([(x, y)] * 3),)
    compiled().fit(*source, callbacks=[callbacks.ProgressBar(terminal)])
    out = terminal.getvalue()
    if known:
        assert re.search(r"\r1/3 ━━━━━━ *\d+s \d+(ms|us|s)/step - accuracy: \S+ - loss: \S+\r", out)
        assert re.search(r"\r3/3 ━{20} \d+s", out)
    else:
        assert re.search(rf"\r      2/Unknown {TIME}{NUMBERS}", out)
    last = out.rsplit("\r", 1)[1]
    assert re.fullmatch(f"3/3 ━{{20}} {TIME}{NUMBERS}\n", last)
    assert out.endswith("\n")


def test_an_error_takes_the_line_away(digits, monkeypatch):
    x, y = digits
    monkeypatch.setattr(progress_bar, "_INTERVAL", 0.0)
    terminal = Terminal()
    with pytest.raises(ValueError, match="Received: 9"):
        compiled().fit(iter([(x, y), (x, y + 9)]), callbacks=[callbacks.ProgressBar(terminal)])
    assert terminal.getvalue().endswith("\r")


def test_small_and_unfinite_numbers():
    assert progress_bar._numbers({"loss": 0.0005, "a": -2.0, "b": 1e-3, "c": float("nan")}) == (
        " - loss: 5.0000e-04 - a: -2.0000 - b: 1.0000e-03 - c: nan"
    )
    assert progress_bar._numbers({"f1": np.array([0.5, 1.0])}) == " - f1: 0.7500"

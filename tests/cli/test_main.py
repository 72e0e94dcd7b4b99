"""The command line as a whole: arguments, exit status, messages."""

import subprocess
import sys

import pytest

from fastnn import cli
from fastnn._version import __version__


@pytest.mark.parametrize(
    "arguments", [[], ["dance"], ["demo", "--epochs", "0"], ["demo", "--samples", "-3"], ["demo", "--batch-size", "x"]]
)
def test_invalid_arguments(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    assert caught.value.code == 2
    assert "usage: fastnn" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--help"], ["demo", "--help"], ["info", "--help"], ["bench", "--help"]])
def test_help(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    assert caught.value.code == 0
    assert "usage: fastnn" in capsys.readouterr().out


def test_version(capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"fastnn {__version__}\n"


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (ValueError("no"), 1, "fastnn info: no"),
        (FileNotFoundError("There is\nno file."), 1, "fastnn info: There is no file."),
        (ImportError("pip install it"), 1, "fastnn info: pip install it"),
        (IndexError("ids must be in [0, 9). Received: 9."), 1, "fastnn info: ids must be in [0, 9). Received: 9."),
        (KeyboardInterrupt(), 130, "Stopped."),
    ],
)
def test_an_error_becomes_one_line_and_a_status(monkeypatch, capsys, error, status, line):
    def run(options):
        raise error

    monkeypatch.setattr("fastnn.cli.info.run", run)
    assert cli.main(["info"]) == status
    assert capsys.readouterr().err.strip() == line


@pytest.mark.parametrize("error", [TypeError("'NoneType' object is not iterable"), KeyError("x"), IndexError("list")])
def test_a_fault_shows_its_traceback(monkeypatch, capsys, error):
    def run(options):
        raise error

    monkeypatch.setattr("fastnn.cli.info.run", run)
    with pytest.raises(type(error)) as caught:
        cli.main(["info"])
    assert caught.value is error
    assert capsys.readouterr().err == ""


def test_python_m_fastnn():
    done = subprocess.run([sys.executable, "-m", "fastnn", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"fastnn {__version__}\n"

"""Random programs: models of any layers, called in any order, hostile arguments among them (runner.py: what holds).

300 of them run here, 20,000 as ``slow``, each written from its number.  A program that breaks a promise is printed as a
script that can be pasted; ``python -m tests.programs 1234`` runs number 1234 again, and ``python -m tests.programs 0
5000`` all of these numbers.
"""

import inspect

import pytest

from fastnn import layers
from tests.layers.examples import classes

pytest.importorskip("fastnn.kernels", reason="the kernels are not built here", exc_type=ImportError)
from .__main__ import broken
from .words import CLASSES, VALUES, parameters

PIECE, MANY = 20, 250


def piece(first, count):
    found = [words for number in range(first, first + count) if (words := broken(number))]
    assert not found, "\n\n".join(found)


@pytest.mark.parametrize("first", range(0, 300, PIECE))
def test_promises_hold(first, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # a program may save under any name
    piece(first, PIECE)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(300, 20_300, MANY))
def test_promises_hold_for_many(first, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    piece(first, MANY)


def test_programs_write_every_layer_with_every_parameter():
    assert set(CLASSES) == set(classes())
    for name in CLASSES:
        for parameter in parameters(name):
            assert f"{name}.{parameter}" in VALUES or parameter in VALUES, f"enter {name}({parameter}=) in words.py"
    base = inspect.signature(layers.Layer.__init__).parameters.values()
    assert {p.name for p in base if p.kind is p.KEYWORD_ONLY} <= set(VALUES)

"""What notebooks show: models as tables, histories as curves, the moving bar."""

import io
import re
import sys
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from fastnn import Input, Model, Sequential, layers
from fastnn.callbacks import History, ProgressBar, progress_bar

SVG = "{*}"


def trained():
    model = Sequential([Input((4,)), layers.Dense(3, "softmax", name='<b>&"head"')], name="<script>alert(1)</script>")
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    rng = np.random.default_rng(0)
    return model, model.fit(
        rng.random((20, 4)), rng.integers(0, 3, 20), epochs=4, validation_split=0.2, verbose=0, batch_size=4
    )


def parsed(shown):
    """The HTML as a tree: what notebooks get is well-formed."""
    return ET.fromstring(shown._repr_html_().replace("<br>", "<br/>"))


def test_a_model_is_a_table():
    model, _ = trained()
    html = model._repr_html_()
    assert "<script>" not in html
    assert "<b>&" not in html
    cells = [cell.text for cell in parsed(model).iter("td")]
    assert cells == ['<b>&"head" (Dense)', "(None, 3)", "15"]
    assert "Trainable params: 15 (60.00 B)" in html
    assert "Optimizer params:" in html


def test_a_graph_has_its_connections():
    x = Input((4,))
    y = layers.Dense(4, name="first")(x)
    model = Model(x, layers.Dense(1, name="last")(x + y))
    rows = [[cell.text for cell in row] for row in parsed(model).iter("tr")]
    assert rows[0] == ["Layer (type)", "Output Shape", "Param #", "Connected to"]
    assert rows[-1][0] == "last (Dense)"
    text = []
    model.summary(print_fn=text.append, line_length=120)
    assert all(row[0] in text[0] for row in rows[1:])


def test_a_model_that_is_not_built():
    assert "0 (unbuilt)" in Sequential([layers.Dense(3)])._repr_html_()


def test_a_history_is_curves():
    _, history = trained()
    panels = parsed(history).findall(f"{SVG}svg")
    assert [panel.find(f"{SVG}text").text for panel in panels] == ["accuracy", "loss"]
    for panel, name in zip(panels, ("accuracy", "loss"), strict=True):
        lines = panel.findall(f"{SVG}polyline")
        assert len(lines) == 2
        for line, key in zip(lines, (name, f"val_{name}"), strict=True):
            points = np.array([point.split(",") for point in line.get("points").split()], float)
            assert len(points) == 4
            assert (np.diff(points[:, 0]) > 0).all()
            values = history.history[key]
            np.testing.assert_array_equal(np.sign(np.diff(values)), -np.sign(np.diff(points[:, 1])))  # y points down
        numbers = [value for key in (name, f"val_{name}") for value in history.history[key]]
        assert {f"{min(numbers):.4g}", f"{max(numbers):.4g}"} <= {text.text for text in panel.findall(f"{SVG}text")}


def test_curves_with_gaps():
    history = History()
    assert "No epoch" in history._repr_html_()
    history.history = {"<x>": [np.nan, 1.0, np.inf, 2.0], "each": [np.array([1.0, 3.0])] * 4, "gone": [np.nan] * 4}
    html = history._repr_html_()
    assert "<x>" not in html
    assert "nan," not in html
    assert ",nan" not in html
    assert len(re.findall(r"\d+\.\d,\d+\.\d", html)) == 2 + 4
    history.history = {"loss": [0.5]}
    assert "<circle" in history._repr_html_()


def test_ipython_shows_them():
    formatters = pytest.importorskip("IPython.core.formatters", reason="IPython is not installed")
    model, history = trained()
    for shown in (model, history):
        data, _ = formatters.DisplayFormatter().format(shown)
        assert data["text/html"] == shown._repr_html_()
        assert "text/plain" in data


def test_the_bar_moves_in_a_notebook(monkeypatch):
    """The text of a notebook's cell is not a terminal, and carriage returns work there."""
    out = io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(progress_bar, "_INTERVAL", 0.0)
    x, y = np.zeros((40, 4)), np.zeros(40, int)
    model = Sequential([Input((4,)), layers.Dense(3, "softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.fit(x, y, batch_size=4)
    assert "\r" not in out.getvalue()  # a pipe or file
    monkeypatch.setitem(sys.modules, "ipykernel", object())
    model.fit(x, y, batch_size=4)
    moved = out.getvalue()
    assert moved.count("\r") >= 10
    assert re.search(r"\r +5/10 ━+", moved)
    assert moved.rstrip("\n").splitlines()[-1].startswith("10/10 ━━━━━━━━━━━━━━━━━━━━ ")
    elsewhere = io.StringIO()  # not the cell's own output
    model.fit(x, y, batch_size=4, callbacks=[ProgressBar(elsewhere)])
    assert "\r" not in elsewhere.getvalue()

"""plot_model: what is in the pictures, how boxes are laid out, and what is refused."""

import builtins
import sys
import types
import xml.etree.ElementTree as ElementTree
from itertools import pairwise

import numpy as np
import pytest

from fastnn import Input, Model, Sequential, layers, utils
from fastnn.utils.diagram import Labels, diagram_of
from fastnn.utils.diagram_layout import GAP, laid_out
from fastnn.utils.diagram_svg import svg_of

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def alone(monkeypatch):
    """Without graphviz."""
    real = builtins.__import__

    def without(name, *arguments, **named):
        if name == "graphviz":
            raise ImportError(name)
        return real(name, *arguments, **named)

    monkeypatch.delitem(sys.modules, "graphviz", raising=False)
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    monkeypatch.setattr(builtins, "__import__", without)


def branched():
    utils.clear_session()
    x, extra = Input((8,), name="x"), Input((3,), name="extra")
    shared = layers.Dense(4, activation="tanh", name="shared", activity_regularizer="l2")
    inner = Sequential([layers.Dense(4, name="deep"), layers.Dropout(0.1, name="drop")], name="inner")
    h = shared(x) + inner(shared(2 * x))
    y = layers.Concatenate(name="joined")([h, layers.Dense(2, name="side", trainable=False)(extra)])
    return Model([x, extra], [layers.Dense(1, name="head")(y), h])


def texts(svg):
    return [element.text for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def test_boxes_and_arrows():
    found = diagram_of(branched(), Labels(show_layer_names=True))
    titles = [box.title for box in found.boxes]
    assert titles[:2] == ["x (InputLayer)", "extra (InputLayer)"]
    assert titles.count("shared (Dense)") == titles.count("shared (Dense), call 2") == 1
    arrows = {(titles[a], titles[b]) for a, b in found.arrows}
    assert ("shared (Dense), call 2", "inner (Sequential)") in arrows
    assert {a for a, b in arrows if b == "add"} == {"shared (Dense)", "inner (Sequential)"}
    assert ("x (InputLayer)", "multiply") in arrows
    assert all(a < b for a, b in found.arrows)
    assert all(box.inside is None for box in found.boxes)


def test_what_the_boxes_say():
    everything = Labels(True, True, True, True, True, True)
    boxes = {box.title: box for box in diagram_of(branched(), everything).boxes}
    assert boxes["shared (Dense)"].rows == [
        "Activation: tanh", "Input shape: (None, 8)", "Output shape: (None, 4)", "Output dtype: float32",
        "Trainable: True",
    ]  # fmt: skip
    assert boxes["joined (Concatenate)"].rows[0] == "Input shape: [(None, 4), (None, 2)]"
    assert boxes["side (Dense)"].rows[-1] == "Trainable: False"
    assert "Trainable" not in " ".join(boxes["add"].rows)
    inside = boxes["inner (Sequential)"].inside
    assert [box.title.split()[0] for box in inside.boxes] == ["inner_input", "deep", "drop"]
    assert [box.title for box in diagram_of(branched(), Labels()).boxes].count("Dense") == 3


@pytest.mark.parametrize("rankdir", ["TB", "BT", "LR", "RL"])
def test_a_picture_without_graphviz(alone, tmp_path, rankdir):
    path = tmp_path / "model.svg"
    assert utils.plot_model(branched(), path, show_layer_names=True, expand_nested=True, rankdir=rankdir) is None
    written = texts(path.read_text())
    assert {"x (InputLayer)", "deep (Dense)", "head (Dense)", "add"} <= set(written)
    root = ElementTree.fromstring(path.read_text())
    width, height = float(root.get("width")), float(root.get("height"))
    places = {t.text: (float(t.get("x")), float(t.get("y"))) for t in root.iter(f"{SVG}text")}
    for x, y in places.values():
        assert 0 < x < width
        assert 0 < y < height
    axis, sign = {"TB": (1, 1), "BT": (1, -1), "LR": (0, 1), "RL": (0, -1)}[rankdir]
    assert sign * places["x (InputLayer)"][axis] < sign * places["add"][axis] < sign * places["head (Dense)"][axis]
    boxes = [tuple(float(r.get(k)) for k in ("x", "y", "width", "height")) for r in list(root.iter(f"{SVG}rect"))[1:]]
    for i, a in enumerate(boxes):  # two boxes are apart, or one is within the other
        for b in boxes[:i]:
            across = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
            down = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
            apart = across <= 0.2 or down <= 0.2
            assert apart or (across > min(a[2], b[2]) - 0.2 and down > min(a[3], b[3]) - 0.2)


def test_names_are_escaped(alone, tmp_path):
    model = Sequential([Input((2,)), layers.Dense(1, name='a<b>&"c"')])
    utils.plot_model(model, tmp_path / "m.svg", show_layer_names=True)
    assert 'a<b>&"c" (Dense)' in texts((tmp_path / "m.svg").read_text())
    assert '\\"c\\" (Dense)' in utils.model_to_dot(model)


def test_a_long_arrow_goes_beside_the_boxes():
    """0 → 1 → 2 → 3, and 0 → 3: no point of the long one is within a box."""
    sizes = [(40.0, 20.0)] * 4
    layout = laid_out(sizes, [(0, 1), (1, 2), (2, 3), (0, 3)])
    assert [y for _, y in layout.centres] == sorted(y for _, y in layout.centres)
    (long,) = [path for path in layout.paths if len(path) > 2]
    for x, y in long[1:-1]:
        for (cx, cy), (w, h) in zip(layout.centres, sizes, strict=True):
            assert abs(x - cx) >= w / 2 + GAP / 2 - 1e-6 or abs(y - cy) > h / 2 + 1e-6


def test_boxes_of_a_rank_keep_their_distance_and_crossings_are_sorted_out():
    rng = np.random.default_rng(0)
    sizes = [(float(w), 20.0) for w in rng.uniform(10, 90, 9)]
    layout = laid_out(sizes, [(0, i) for i in range(1, 8)] + [(i, 8) for i in range(1, 8)])
    row = sorted((x, w) for (x, _), (w, _) in zip(layout.centres[1:8], sizes[1:8], strict=True))
    for (a, v), (b, w) in pairwise(row):
        assert b - a >= (v + w) / 2 + GAP - 1e-6
    a, b, c, d = (x for x, _ in laid_out([(10.0, 10.0)] * 4, [(0, 3), (1, 2)]).centres)
    assert (a < b) == (d < c)
    assert laid_out([], []).centres == []


def test_the_text_of_graphviz(tmp_path):
    utils.plot_model(branched(), tmp_path / "m.dot", expand_nested=True, show_layer_names=True, rankdir="LR", dpi=96)
    text = (tmp_path / "m.dot").read_text()
    assert text.startswith("digraph model {\n  graph [rankdir=LR, dpi=96")
    assert text.count("{") == text.count("}") == 2
    assert "subgraph cluster_n" in text
    assert "lhead=cluster_n" in text
    assert "ltail=cluster_n" in text


def test_graphviz_draws_where_it_is(monkeypatch, tmp_path):
    seen = []

    class Source:
        def __init__(self, dot):
            seen.append(dot)

        def pipe(self, format):
            return b"a picture in " + format.encode()

    fake = types.SimpleNamespace(Source=Source, ExecutableNotFound=type("ExecutableNotFound", (Exception,), {}))
    monkeypatch.setitem(sys.modules, "graphviz", fake)
    utils.plot_model(branched(), tmp_path / "m.pdf")
    assert (tmp_path / "m.pdf").read_bytes() == b"a picture in pdf"
    assert seen[0].startswith("digraph")

    def lost(self, format):
        raise fake.ExecutableNotFound

    monkeypatch.setattr(Source, "pipe", lost)
    with pytest.raises(ImportError, match="the program dot"):
        utils.plot_model(branched(), tmp_path / "n.pdf")
    utils.plot_model(branched(), tmp_path / "n.svg")
    assert texts((tmp_path / "n.svg").read_text())


def test_what_is_refused(alone, tmp_path):
    model = branched()
    for kind in ("png", "pdf"):
        path = tmp_path / f"m.{kind}"
        with pytest.raises(ImportError, match=rf'Received: to_file=.*m.{kind}.*Use to_file="model.svg".*pip install'):
            utils.plot_model(model, path)
        assert not path.exists()
    with pytest.raises(ValueError, match=r"files that end in png, pdf, .*Received: to_file=\"model\.txt\""):
        utils.plot_model(model, "model.txt")
    with pytest.raises(ValueError, match=r"rankdir must be one of TB, BT, LR, RL. Received: rankdir='down'"):
        utils.model_to_dot(model, rankdir="down")
    with pytest.raises(ValueError, match=r"needs a built model.*Call model.build\(input_shape\)"):
        utils.plot_model(Sequential([layers.Dense(1)]), tmp_path / "m.svg")

    class Written(Model):
        def call(self, x):
            return x

    with pytest.raises(ValueError, match=r"It defines call.*Use Model\(inputs, outputs\)"):
        utils.plot_model(Written(), tmp_path / "m.svg")
    assert list(tmp_path.iterdir()) == []


def test_a_model_without_names_and_rows():
    svg = svg_of(diagram_of(Sequential([Input((2,)), layers.Dense(1)]), Labels()))
    assert texts(svg) == ["InputLayer", "Dense"]

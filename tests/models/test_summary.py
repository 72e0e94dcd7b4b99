"""The text of model.summary(), letter by letter as Keras prints it on a terminal of 80 columns."""

import pytest

from fastnn import Input, Model, Sequential, layers
from fastnn.models.summary import readable_bytes

UNTRAINED = """\
Model: "sequential"
┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━┓
┃ Layer (type)                    ┃ Output Shape           ┃       Param # ┃
┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━┩
│ flatten (Flatten)               │ (None, 784)            │             0 │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ dense (Dense)                   │ (None, 256)            │       200,960 │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ dense_1 (Dense)                 │ (None, 10)             │         2,570 │
└─────────────────────────────────┴────────────────────────┴───────────────┘
 Total params: 203,530 (795.04 KB)
 Trainable params: 203,530 (795.04 KB)
 Non-trainable params: 0 (0.00 B)
"""

UNBUILT = """\
Model: "sequential"
┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━┓
┃ Layer (type)                    ┃ Output Shape           ┃       Param # ┃
┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━┩
│ dense (Dense)                   │ ?                      │   0 (unbuilt) │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ dense_1 (Dense)                 │ ?                      │   0 (unbuilt) │
└─────────────────────────────────┴────────────────────────┴───────────────┘
 Total params: 0 (0.00 B)
 Trainable params: 0 (0.00 B)
 Non-trainable params: 0 (0.00 B)
"""

LONG_NAMES = """\
Model: "sequential"
┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━┓
┃ Layer (type)                    ┃ Output Shape           ┃       Param # ┃
┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━┩
│ global_average_pooling2d        │ (None, 3)              │             0 │
│ (GlobalAveragePooling2D)        │                        │               │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ dense (Dense)                   │ (None, 2)              │             8 │
└─────────────────────────────────┴────────────────────────┴───────────────┘
 Total params: 26 (108.00 B)
 Trainable params: 8 (32.00 B)
 Non-trainable params: 0 (0.00 B)
 Optimizer params: 18 (76.00 B)
"""


@pytest.fixture(autouse=True)
def _terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")


def test_before_training(capsys):
    Sequential([layers.Flatten(input_shape=(28, 28)), layers.Dense(256, activation="relu"), layers.Dense(10)]).summary()
    assert capsys.readouterr().out == UNTRAINED


def test_unbuilt(capsys):
    Sequential([layers.Dense(3), layers.Dense(4)]).summary()
    assert capsys.readouterr().out == UNBUILT


def test_after_training_with_a_name_that_wraps(capsys):
    import numpy as np

    model = Sequential([layers.GlobalAveragePooling2D(input_shape=(4, 4, 3)), layers.Dense(2)])
    model.compile("adam", "mse")
    model.fit(np.zeros((2, 4, 4, 3)), np.zeros((2, 2)), verbose=0)
    model.summary()
    assert capsys.readouterr().out == LONG_NAMES


def test_print_fn_line_length_nested_and_trainable(monkeypatch):
    base = Sequential([layers.Input(shape=(4,)), layers.Dense(3)], name="base")
    base.trainable = False
    model = Sequential([base, layers.Dense(2), layers.Dropout(0.5)])
    texts = []
    model.summary(print_fn=texts.append, expand_nested=True, show_trainable=True, line_length=100)
    assert len(texts) == 1
    lines = texts[0].split("\n")
    assert all(len(line) == 100 for line in lines[1:-3])
    assert [line.split("│")[1].strip() for line in lines if line.startswith("│")] == [
        "base (Sequential)",
        "└ dense (Dense)",
        "dense_1 (Dense)",
        "dropout (Dropout)",
    ]
    assert [line.split("│")[4].strip() for line in lines if line.startswith("│")] == ["N", "N", "Y", "-"]
    assert lines[-1] == " Non-trainable params: 15 (60.00 B)"
    monkeypatch.setenv("COLUMNS", "200")
    model.summary(print_fn=texts.append)
    assert len(texts[1].split("\n")[1]) == 88
    with pytest.raises(ValueError, match="at least 4 characters"):
        model.summary(line_length=10)


def test_readable_bytes():
    assert [readable_bytes(n) for n in (0, 1023, 1024, 5 * 2**20, 3 * 2**50)] == [
        "0.00 B",
        "1023.00 B",
        "1.00 KB",
        "5.00 MB",
        "3.00 PB",
    ]


def test_operators_of_one_kind_have_names_of_their_own():
    """As in Keras: otherwise nobody could see which of them a layer reads.  Layers keep their names."""
    x = Input((4,))
    y = layers.Dense(4, name="a")(x) + x
    y = layers.Dense(4, name="add_1")(y) + y
    y = layers.Add(name="b")([y, y + x])
    texts = []
    Model(x, y).summary(print_fn=texts.append, line_length=160)
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in texts[0].splitlines() if "│" in line]
    assert [(row[0], row[3]) for row in rows[1:]] == [
        ("a (Dense)", f"{x.name}[0][0]"),
        ("add (Add)", f"a[0][0], {x.name}[0][0]"),
        ("add_1 (Dense)", "add[0][0]"),
        ("add_2 (Add)", "add_1[0][0], add[0][0]"),
        ("add_3 (Add)", f"add_2[0][0], {x.name}[0][0]"),
        ("b (Add)", "add_2[0][0], add_3[0][0]"),
    ]

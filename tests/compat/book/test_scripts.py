"""The books' scripts give the losses of plain NumPy, step by step: the same draws, the same formulas."""

from types import SimpleNamespace

import numpy as np
import pytest

import fastnn.compat.book as book
from tests.compat.book import made_data, plain
from tests.compat.book.scripts import SCRIPTS

SMALL = SimpleNamespace(
    mnist=lambda: made_data.mnist(100),
    words=lambda length=4000: made_data.words(length, 200),
    additions=lambda: made_data.additions(300),
    dates=lambda: made_data.dates(300),
    BATCH=16,
    UNITS=24,
)
STEPS = {"two_layer_net": 40, "simple_conv_net": 8, "deep_conv_net": 3, "attention_seq2seq": 2}
STEPS["better_rnnlm"] = 3  # at its learning rate of 20 losses go up and down, and a rounding grows from step to step


def losses(namespace, name):
    np.random.seed(1)
    return np.array(list(SCRIPTS[name](namespace, STEPS.get(name, 6), SMALL)), float)


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_losses_of_a_script(name):
    """1e-6 of the loss; float32 rounds at 6e-8, and each step carries the roundings of the one before on."""
    expected = losses(plain, name)
    assert expected[-1] != expected[0]
    np.testing.assert_allclose(losses(book, name), expected, rtol=1e-6)


def test_learning_goes_on_past_the_first_steps():
    found = losses(book, "simple_conv_net")
    assert found[-1] < found[0]

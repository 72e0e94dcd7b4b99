"""CTC against the sum over all alignments, one by one, and against TensorFlow's; and what it refuses."""

import itertools

import numpy as np
import pytest

from fastnn import losses
from tests.losses.test_gradients import numeric


def collapsed(path):
    """Runs once, blanks not at all."""
    return [k for k, _ in itertools.groupby(path) if k != 0]


def by_enumeration(labels, z):
    """−log of the sum of the probabilities of all paths that collapse to the labels."""
    p = np.exp(z - z.max(axis=-1, keepdims=True))
    p /= p.sum(axis=-1, keepdims=True)
    steps, classes = z.shape
    wanted = [k for k in labels if k]
    total = sum(
        np.prod([p[t, k] for t, k in enumerate(path)])
        for path in itertools.product(range(classes), repeat=steps)
        if collapsed(path) == wanted
    )
    return -np.log(total)


LABELS = np.array([[1, 2, 3], [2, 2, 0], [3, 0, 0], [0, 0, 0], [1, 1, 2]])


@pytest.fixture
def logits():
    return np.random.default_rng(0).normal(size=(5, 5, 4))


def test_is_the_sum_over_all_alignments(logits):
    expected = [by_enumeration(t, z) for t, z in zip(LABELS, logits, strict=True)]
    np.testing.assert_allclose(losses.ctc(LABELS, logits), expected, rtol=1e-12)
    assert losses.CTC()(LABELS, logits) == pytest.approx(np.mean(expected))
    found = losses.CTC(reduction=None)(LABELS, logits.astype(np.float32))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_gradient(logits):
    loss = losses.CTC()
    values, ctx = loss.forward(logits, LABELS)
    scale = np.random.default_rng(1).uniform(0.2, 1, len(values))
    slope = numeric(lambda z: loss.forward(z, LABELS)[0] @ scale, logits.copy())
    np.testing.assert_allclose(loss.backward(scale, ctx), slope, atol=1e-6, rtol=1e-5)


def test_against_tensorflow(logits):
    keras = pytest.importorskip("keras", reason="Keras is an extra of the benchmarks")
    found = np.asarray(keras.losses.CTC(reduction=None)(LABELS, logits))
    np.testing.assert_allclose(losses.ctc(LABELS, logits), found, rtol=1e-5)


def test_a_model_learns_a_sequence_without_times():
    from fastnn import Input, Sequential
    from fastnn.layers import Dense, SimpleRNN
    from fastnn.optimizers import Adam

    rng = np.random.default_rng(0)
    y = rng.integers(1, 4, (16, 2))
    x = np.repeat(np.eye(4, dtype=np.float32)[y], 3, axis=1) + rng.normal(0, 0.1, (16, 6, 4)).astype(np.float32)
    model = Sequential([Input((6, 4)), SimpleRNN(8, return_sequences=True, seed=1), Dense(4)])
    model.compile(Adam(0.02), losses.CTC())
    before = model.evaluate(x, y, verbose=0)
    model.fit(x, y, epochs=40, batch_size=8, verbose=0)
    assert model.evaluate(x, y, verbose=0) < before / 3


@pytest.mark.parametrize(
    ("t", "message"),
    [
        ([[1, 0, 2]], r"0 is the blank, which only fills up labels behind. Received: \[1 0 2\] in example 0"),
        ([[1, 1, 1]], r"labels of example 0 need 5 steps.* Received: predictions of 4 steps"),
        ([[1, 3, 0]], "Received: 3"),
        ([1, 2], r"labels of shape \(N, length\).*targets of shape \(2,\)"),
    ],
)
def test_what_has_no_alignment_is_refused(t, message):
    with pytest.raises(ValueError, match=message):
        losses.ctc(t, np.zeros((1, 4, 3)))

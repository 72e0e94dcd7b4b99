"""Penalties and constraints on weights."""

import numpy as np
import pytest

from fastnn import constraints, regularizers
from tests.backends import each_backend  # noqa: F401
from tests.losses.test_gradients import numeric

W = np.array([[1.0, -2.0, 0.5], [3.0, 0.25, -1.0]])


@pytest.mark.usefixtures("each_backend")
@pytest.mark.parametrize(
    ("regularizer", "penalty"),
    [
        (regularizers.L1(0.1), 0.1 * 7.75),  # Σ|w| = 7.75
        (regularizers.L2(0.1), 0.1 * 15.3125),  # Σw² = 15.3125
        (regularizers.L1L2(0.1, 0.2), 0.1 * 7.75 + 0.2 * 15.3125),
        (regularizers.L1L2(), 0),
        # one pair of rows: |3 − 0.5 − 0.5| / (√5.25 · √10.0625)
        (regularizers.OrthogonalRegularizer(0.3), 0.3 * 2 / np.sqrt(5.25 * 10.0625)),
        (regularizers.OrthogonalRegularizer(0.3, "columns"), None),
    ],
)
def test_penalty_and_gradient(regularizer, penalty):
    before = W.copy()
    if penalty is not None:
        assert regularizer(W) == pytest.approx(penalty)
    np.testing.assert_allclose(regularizer.gradient(W), numeric(regularizer, W.copy()), atol=1e-7)
    np.testing.assert_array_equal(W, before)
    w = W.astype(np.float32)
    assert regularizer.gradient(w).dtype == np.float32
    assert regularizer(w) == pytest.approx(regularizer(W), rel=1e-6)


@pytest.mark.parametrize(
    ("constraint", "expected"),
    [
        # column norms √10, √4.0625, √1.25
        (constraints.MaxNorm(2), W * [2 / np.sqrt(10), 2 / np.sqrt(4.0625), 1]),
        (constraints.MaxNorm(2, axis=1), W * [[2 / np.sqrt(5.25)], [2 / np.sqrt(10.0625)]]),
        (constraints.UnitNorm(), W / np.sqrt([10, 4.0625, 1.25])),
        (constraints.UnitNorm(axis=[0, 1]), W / np.sqrt(15.3125)),
        (constraints.NonNeg(), [[1, 0, 0.5], [3, 0.25, 0]]),
        (
            constraints.MinMaxNorm(1.5, 2.0, rate=0.5),
            W * [0.5 + 1 / np.sqrt(10), 0.5 + 1 / np.sqrt(4.0625), 0.5 + 0.75 / np.sqrt(1.25)],
        ),
    ],
)
def test_constraint(constraint, expected):
    before = W.copy()
    np.testing.assert_allclose(constraint(W), expected, rtol=1e-6)
    np.testing.assert_array_equal(W, before)
    assert constraint(W.astype(np.float32)).dtype == np.float32


def test_zero_weights_and_nan():
    np.testing.assert_array_equal(constraints.UnitNorm()(np.zeros((2, 2))), np.zeros((2, 2)))
    assert np.isnan(constraints.NonNeg()(np.array([np.nan])))[0]


@pytest.mark.parametrize("name", ["L1", "L2", "L1L2", "OrthogonalRegularizer", "l1", "l2"])
def test_regularizer_names_and_config(name):
    regularizer = regularizers.get(name)
    assert regularizers.get(regularizers.serialize(regularizer)).get_config() == regularizer.get_config()


@pytest.mark.parametrize("name", ["MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm", "max_norm", "non_neg"])
def test_constraint_names_and_config(name):
    constraint = constraints.get(name)
    assert constraints.get(constraints.serialize(constraint)).get_config() == constraint.get_config()


def test_defaults_and_errors():
    assert (regularizers.L1().l1, regularizers.L2().l2) == (0.01, 0.01)
    assert regularizers.get(None) is None
    assert constraints.get(None) is None
    with pytest.raises(ValueError, match="l2=-1"):
        regularizers.L2(-1)
    with pytest.raises(ValueError, match="mode='both'"):
        regularizers.OrthogonalRegularizer(mode="both")
    with pytest.raises(ValueError, match="needs a matrix"):
        regularizers.OrthogonalRegularizer()(np.ones(3))
    with pytest.raises(ValueError, match="Did you mean 'l2'"):
        regularizers.get("l22")


def test_older_words():
    assert regularizers.l2(0.1)(W) == regularizers.L2(0.1)(W)
    assert regularizers.l1(0.1)(W) == regularizers.L1(0.1)(W)
    assert regularizers.l1_l2(0.1, 0.2)(W) == regularizers.L1L2(0.1, 0.2)(W)

"""Losses: values by hand, saturation, gradients, labels."""

import math

import numpy as np
import pytest

from fastnn.inspect import kernel_check
from fastnn.reference.losses import _POINTWISE
from fastnn.registry.losses import _outputs
from tests.kernels.harness import Contract


class TestContract(Contract):
    family = "losses"


Z, LABELS = np.array([[0.0, math.log(3)], [math.log(3), 0.0]]), np.array([1, 1])
P = np.array([[0.25, 0.75], [0.75, 0.25]])


def close(dtype) -> dict:
    return {"rtol": 10 * np.finfo(dtype).eps, "strict": True}


def test_softmax_cross_entropy_by_hand(backend, dtype):
    expected = np.array([-math.log(0.75), -math.log(0.25)], dtype)
    z, one_hot = Z.astype(dtype), np.eye(2, dtype=dtype)[LABELS]
    for t in (LABELS, LABELS.astype(np.int32), LABELS.tolist(), one_hot):
        loss, p = backend.softmax_cross_entropy_forward(z, t)
        np.testing.assert_allclose(loss, expected, **close(dtype))
        np.testing.assert_allclose(p, P.astype(dtype), **close(dtype))
        dz = backend.softmax_cross_entropy_backward(P.astype(dtype), t, np.array([0.5, 2], dtype))
        np.testing.assert_allclose(dz, np.array([[0.125, -0.125], [1.5, -1.5]], dtype), **close(dtype))


def test_label_smoothing_by_hand(backend, dtype):
    """ε = 0.2 of two classes: q = (0.1, 0.9)."""
    loss, _ = backend.softmax_cross_entropy_forward(Z.astype(dtype), LABELS, 0.2)
    expected = [-0.1 * math.log(0.25) - 0.9 * math.log(0.75), -0.1 * math.log(0.75) - 0.9 * math.log(0.25)]
    np.testing.assert_allclose(loss, np.array(expected, dtype), **close(dtype))
    categorical = backend.categorical_cross_entropy_forward(P.astype(dtype), LABELS, 0.2)
    np.testing.assert_allclose(categorical, np.array(expected, dtype), **close(dtype))
    loss, _ = backend.sigmoid_cross_entropy_forward(np.zeros((1, 3), dtype), np.ones((1, 3), dtype), 0.2)
    np.testing.assert_allclose(loss, np.array([math.log(2)], dtype), **close(dtype))


def test_saturated_logits_still_learn(backend, dtype):
    """On logits the loss grows linearly and the gradient is p − q, however wrong the prediction is."""
    loss, p = backend.softmax_cross_entropy_forward(np.array([[0, 1000]], dtype), [0])
    assert loss[0] == 1000
    np.testing.assert_array_equal(backend.softmax_cross_entropy_backward(p, [0], np.ones(1, dtype)), [[-1, 1]])
    z, t = np.array([[-1000, 1000]], dtype), np.array([[1, 0]], dtype)
    loss, p = backend.sigmoid_cross_entropy_forward(z, t)
    assert loss[0] == 1000
    np.testing.assert_array_equal(backend.sigmoid_cross_entropy_backward(p, t, np.ones(1, dtype)), [[-0.5, 0.5]])


def test_an_excluded_class_costs_nothing(backend, dtype):
    z = np.array([[0, 0, -np.inf]], dtype)
    for t in (np.array([0]), np.array([[1, 0, 0]], dtype)):
        loss, p = backend.softmax_cross_entropy_forward(z, t)
        np.testing.assert_allclose(loss, np.array([math.log(2)], dtype), **close(dtype))
        assert p[0, 2] == 0
    assert backend.softmax_cross_entropy_forward(z, [2])[0][0] == np.inf


def test_a_nan_logit_propagates_even_without_a_target(backend, dtype):
    z = np.array([[0, np.nan, 0]], dtype)
    for t in (np.array([0]), np.array([[1, 0, 0]], dtype)):
        loss, p = backend.softmax_cross_entropy_forward(z, t)
        assert np.isnan(loss).all()
        assert np.isnan(p).all()


def test_sigmoid_cross_entropy_by_hand(backend, dtype):
    loss, p = backend.sigmoid_cross_entropy_forward(np.array([[0, math.log(3)]], dtype), np.array([[1, 0]], dtype))
    np.testing.assert_allclose(loss, np.array([(math.log(2) + math.log(4)) / 2], dtype), **close(dtype))
    np.testing.assert_allclose(p, np.array([[0.5, 0.75]], dtype), **close(dtype))
    dz = backend.sigmoid_cross_entropy_backward(p, np.array([[1, 0]], dtype), np.array([2], dtype))
    np.testing.assert_allclose(dz, np.array([[-0.5, 0.75]], dtype), **close(dtype))


def test_probabilities_are_renormalised_and_clipped(backend, dtype):
    loss = backend.categorical_cross_entropy_forward(np.array([[1, 3]], dtype), [1])
    np.testing.assert_allclose(loss, np.array([-math.log(0.75)], dtype), **close(dtype))
    loss = backend.categorical_cross_entropy_forward(np.array([[1, 0]], dtype), [1])
    np.testing.assert_allclose(loss, np.array([-math.log(1e-7)], dtype), rtol=1e-6)
    dp = backend.categorical_cross_entropy_backward(np.array([[1, 3]], dtype), [1], np.ones(1, dtype))
    np.testing.assert_allclose(dp, np.array([[0.25, -1 / 12]], dtype), **close(dtype))


# One example with two outputs, y = (0.5, 2), t = (1, −1): loss and dy at scale 1.
E = math.e
POINTWISE = {
    "mean_squared_error": (4.625, (-0.5, 3.0)),
    "mean_absolute_error": (1.75, (-0.5, 0.5)),
    "mean_absolute_percentage_error": (175.0, (-50.0, 50.0)),
    "huber": ((0.125 + 2.5) / 2, (-0.25, 0.5)),
    "log_cosh": ((math.log(math.cosh(0.5)) + math.log(math.cosh(3))) / 2, (-math.tanh(0.5) / 2, math.tanh(3) / 2)),
    "hinge": (1.75, (-0.5, 0.5)),
    "squared_hinge": ((0.25 + 9) / 2, (-0.5, 3.0)),
}
# The same with y = (0.5, 0.25), t = (1, 0.5), where the loss wants them in the unit interval.
UNIT = {
    "binary_crossentropy": (
        (math.log(2) - 0.5 * math.log(0.25) - 0.5 * math.log(0.75)) / 2,
        (-1.0, -0.25 / (0.25 * 0.75) / 2),
    ),
    "poisson": (
        (0.5 - math.log(0.5 + 1e-7) + 0.25 - 0.5 * math.log(0.25 + 1e-7)) / 2,
        ((1 - 1 / (0.5 + 1e-7)) / 2, (1 - 0.5 / (0.25 + 1e-7)) / 2),
    ),
    "kl_divergence": (math.log(2) + 0.5 * math.log(2), (-2.0, -2.0)),
    "mean_squared_logarithmic_error": (
        (math.log(1.5 / 2) ** 2 + math.log(1.25 / 1.5) ** 2) / 2,
        (math.log(1.5 / 2) / 1.5, math.log(1.25 / 1.5) / 1.25),
    ),
}


def test_every_pointwise_loss_has_golden_values():
    assert set(POINTWISE) | set(UNIT) == set(_POINTWISE)


@pytest.mark.parametrize("kind", _POINTWISE)
def test_pointwise_losses_by_hand(backend, dtype, kind):
    y, t = ([[0.5, 2]], [[1, -1]]) if kind in POINTWISE else ([[0.5, 0.25]], [[1, 0.5]])
    y, t = np.array(y, dtype), np.array(t, dtype)
    loss, dy = (POINTWISE | UNIT)[kind]
    near = {"rtol": 20 * np.finfo(dtype).eps, "strict": True}
    np.testing.assert_allclose(backend.pointwise_loss_forward(y, t, kind), np.array([loss], dtype), **near)
    result = backend.pointwise_loss_backward(y, t, np.ones(1, dtype), kind)
    np.testing.assert_allclose(result, np.array([dy], dtype), **near)


@pytest.mark.parametrize("kind", ["binary_crossentropy", "kl_divergence"])
def test_clipped_predictions_have_finite_losses(backend, dtype, kind):
    y, t = np.array([[0, 1, -1, 2]], dtype), np.array([[1, 0, 1, 0]], dtype)
    assert np.isfinite(backend.pointwise_loss_forward(y, t, kind)).all()
    assert np.isfinite(backend.pointwise_loss_backward(y, t, np.ones(1, dtype), kind)).all()


SMOOTHING = [0.0, 0.2]


@pytest.mark.parametrize("smoothing", SMOOTHING)
@pytest.mark.parametrize("dense", [False, True])
@pytest.mark.parametrize("name", ["softmax_cross_entropy", "categorical_cross_entropy"])
def test_gradient_of_cross_entropies(backend, rng, name, dense, smoothing):
    forward, backward = getattr(backend, f"{name}_forward"), getattr(backend, f"{name}_backward")
    t = rng.random((5, 7)) if dense else rng.integers(0, 7, 5)
    z = rng.standard_normal((5, 7)) if name.startswith("softmax") else 0.1 + rng.random((5, 7))

    def gradient(dloss, result, arrays):
        scores = result[1] if name.startswith("softmax") else arrays["z"]
        return {"z": backward(scores, t, dloss, smoothing)}

    result = kernel_check(lambda z: forward(z, t, smoothing), gradient, {"z": z})
    assert result, str(result)


@pytest.mark.parametrize("smoothing", SMOOTHING)
def test_gradient_of_sigmoid_cross_entropy(backend, rng, smoothing):
    t = rng.random((5, 3))
    result = kernel_check(
        lambda z: backend.sigmoid_cross_entropy_forward(z, t, smoothing),
        lambda dloss, result, _: {"z": backend.sigmoid_cross_entropy_backward(result[1], t, dloss, smoothing)},
        {"z": rng.standard_normal((5, 3)) * 2},
    )
    assert result, str(result)


@pytest.mark.parametrize("kind", _POINTWISE)
def test_gradient_of_pointwise_losses(backend, rng, kind):
    y, t = _outputs(rng, (5, 7), np.dtype(np.float64), kind)
    result = kernel_check(
        lambda y: backend.pointwise_loss_forward(y, t, kind, 0.7),
        lambda dloss, _, arrays: {"y": backend.pointwise_loss_backward(arrays["y"], t, dloss, kind, 0.7)},
        {"y": y},
    )
    assert result, str(result)


@pytest.mark.parametrize("bad", [7, -1, 2**31, 2**40])
def test_a_label_out_of_range_writes_nothing(backend, bad):
    z, scale, labels = np.ones((3, 7)), np.ones(3), np.array([0, 6, bad])
    loss, p = np.full(3, np.nan), np.full((3, 7), np.nan)
    for call in (
        lambda: backend.softmax_cross_entropy_forward(z, labels, loss=loss, p=p),
        lambda: backend.softmax_cross_entropy_backward(z, labels, scale, dz=p),
        lambda: backend.categorical_cross_entropy_forward(z, labels, loss=loss),
        lambda: backend.categorical_cross_entropy_backward(z, labels, scale, dp=p),
    ):
        with pytest.raises(IndexError, match="t"):
            call()
    assert np.isnan(loss).all()
    assert np.isnan(p).all()


def test_bad_targets_and_numbers(backend):
    z, t, scale = np.ones((3, 7)), np.zeros(3, np.int64), np.ones(3)
    for error, call in (
        (TypeError, lambda: backend.softmax_cross_entropy_forward(z, np.array([0.0, 1.0, np.nan]))),
        (TypeError, lambda: backend.softmax_cross_entropy_forward(z, np.zeros((3, 7), np.float32))),
        (TypeError, lambda: backend.sigmoid_cross_entropy_forward(z, t)),
        (ValueError, lambda: backend.softmax_cross_entropy_forward(z, np.zeros(4, np.int64))),
        (ValueError, lambda: backend.softmax_cross_entropy_forward(z, np.zeros((3, 6)))),
        (ValueError, lambda: backend.softmax_cross_entropy_forward(np.ones((3, 0)), t)),
        (ValueError, lambda: backend.softmax_cross_entropy_forward(z, t, -0.1)),
        (ValueError, lambda: backend.softmax_cross_entropy_forward(z, t, 1.5)),
        (ValueError, lambda: backend.softmax_cross_entropy_backward(z, t, np.ones(4))),
        (ValueError, lambda: backend.sigmoid_cross_entropy_forward(z, np.ones((3, 6)))),
        (ValueError, lambda: backend.pointwise_loss_forward(z, z, "mse")),
        (ValueError, lambda: backend.pointwise_loss_forward(z, np.ones((7, 3)), "huber")),
        (ValueError, lambda: backend.pointwise_loss_forward(z, z + 1, "huber", -1.0)),
        (ValueError, lambda: backend.pointwise_loss_forward(np.ones((3, 0)), np.ones((3, 0)), "huber")),
        (ValueError, lambda: backend.pointwise_loss_backward(z, z + 1, scale[:2], "huber")),
    ):
        with pytest.raises(error):
            call()


@pytest.mark.parametrize("kind", _POINTWISE)
def test_nan_predictions_propagate(backend, dtype, kind):
    y, t = np.full((3, 5), 0.5, dtype), np.full((3, 5), 0.25, dtype)
    for column in range(5):
        sick = y.copy()
        sick[1, column] = np.nan
        np.testing.assert_array_equal(np.isnan(backend.pointwise_loss_forward(sick, t, kind)), [False, True, False])


@pytest.mark.parametrize("integer", [np.int64, np.uint8, bool])
def test_integer_rows_are_targets(backend, dtype, integer):
    rng = np.random.default_rng(0)
    z, rows = rng.standard_normal((5, 4)).astype(dtype), np.eye(4)[[0, 3, 1, 1, 2]]
    for name in ("softmax_cross_entropy", "sigmoid_cross_entropy"):
        forward, backward = (getattr(backend, f"{name}_{way}") for way in ("forward", "backward"))
        loss, p = forward(z, rows.astype(integer))
        np.testing.assert_array_equal(loss, forward(z, rows.astype(dtype))[0])
        scale = np.full(5, 0.2, dtype)
        np.testing.assert_array_equal(backward(p, rows.astype(integer), scale), backward(p, rows.astype(dtype), scale))


@pytest.mark.parametrize("scale", [2, 0.5, np.float32(0.5), np.int64(3)])
def test_a_number_scales_all_rows(backend, dtype, scale):
    rng = np.random.default_rng(0)
    p, t = rng.random((5, 4)).astype(dtype), rng.random((5, 4)).astype(dtype)
    each = np.full(5, scale, dtype)
    for call in (
        lambda s: backend.softmax_cross_entropy_backward(p, t, s),
        lambda s: backend.softmax_cross_entropy_backward(p, np.arange(5) % 4, s),
        lambda s: backend.sigmoid_cross_entropy_backward(p, t, s),
        lambda s: backend.categorical_cross_entropy_backward(p, t, s),
        lambda s: backend.pointwise_loss_backward(p, t, s, "huber"),
    ):
        np.testing.assert_array_equal(call(scale), call(each))

"""attention: values by hand, masks, dropout, heads that are shared, memory, gradients."""

import numpy as np
import pytest

from fastnn.inspect import kernel_check
from tests.kernels.harness import Contract


class TestContract(Contract):
    family = "attention"


Q = np.array([[[[1.0]]]])
K = np.log([[[[3.0]], [[1.0]]]])
V = np.array([[[[8.0]], [[0.0]]]])


def draw(rng, dtype, batch=2, queries=9, keys=13, heads=4, shared=2, depth=5, width=3):
    shapes = ((batch, queries, heads, depth), (batch, keys, shared, depth), (batch, keys, shared, width))
    return [rng.standard_normal(shape).astype(dtype) for shape in shapes]


def test_values_by_hand(backend, dtype):
    """Scores ln 3 and 0: weights 3/4 and 1/4 (within the error of a logarithm and an exponential)."""
    q, k, v = (a.astype(dtype) for a in (Q, K, V))
    y, lse, scores = backend.attention_forward(q, k, v, need_scores=True)
    rtol = 8 * np.finfo(dtype).eps
    np.testing.assert_allclose(y.ravel(), [6], rtol)
    np.testing.assert_allclose(np.exp(lse).ravel(), [4], rtol)
    np.testing.assert_allclose(scores.ravel(), [0.75, 0.25], rtol)
    # dw = 8, 0; their mean 6; ds = 0.75 · 2, 0.25 · −6
    dq, dk, dv = backend.attention_backward(np.ones_like(q), q, k, v, y, lse)
    np.testing.assert_allclose(dk.ravel(), [1.5, -1.5], 2 * rtol)
    np.testing.assert_allclose(dv.ravel(), [0.75, 0.25], rtol)
    np.testing.assert_allclose(dq.ravel(), [1.5 * np.log(3)], 4 * rtol)


def test_the_scale_is_that_of_the_depth(backend, rng):
    q, k, v = draw(rng, np.float64, depth=16)
    given = backend.attention_forward(q, k, v, scale=0.25)
    for one, other in zip(backend.attention_forward(q, k, v)[:2], given[:2], strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_single_key_gives_its_value(backend, dtype, rng):
    q, k, v = draw(rng, dtype, keys=1, heads=2)
    y, _, scores = backend.attention_forward(q, k, v, need_scores=True)
    np.testing.assert_array_equal(y, np.broadcast_to(v, y.shape))
    np.testing.assert_array_equal(scores, 1)


def test_large_scores_do_not_overflow(backend, dtype):
    q = np.full((1, 2, 1, 1), 1e4, dtype)
    k = np.array([1e3, 1e3, -1e3], dtype).reshape(1, 3, 1, 1)
    v = np.array([2.0, 4.0, 8.0], dtype).reshape(1, 3, 1, 1)
    y, lse, _ = backend.attention_forward(q, k, v)
    np.testing.assert_array_equal(y.ravel(), [3, 3])
    assert np.isfinite(lse).all()


MASKS = ("mask2", "mask3", "mask4", "query_mask", "key_mask", "causal", "window")


def sight(name, rng, batch, heads, queries, keys):
    """The argument, and the same as an array (B, N, Tq, Tk)."""
    i, j = np.arange(queries)[:, None], np.arange(keys)
    shape = (batch, heads, queries, keys)
    if name == "causal":
        return {"causal": True}, np.broadcast_to(j <= i, shape)
    if name == "window":
        return {"window": 3}, np.broadcast_to(abs(i - j) < 3, shape)
    if name == "query_mask":
        mask = rng.random((batch, queries)) < 0.6
        return {name: mask}, np.broadcast_to(mask[:, None, :, None], shape)
    if name == "key_mask":
        mask = rng.random((batch, keys)) < 0.6
        return {name: mask}, np.broadcast_to(mask[:, None, None], shape)
    rank = int(name[-1])
    mask = rng.random(shape[1 if rank == 3 else -rank :] if rank != 3 else (batch, queries, keys)) < 0.5
    return {"mask": mask}, np.broadcast_to(mask[:, None] if rank == 3 else mask, shape)


@pytest.mark.parametrize("name", MASKS)
@pytest.mark.parametrize("keys", [13, 150])
def test_all_ways_to_mask_are_one(compiled, dtype, rng, name, keys):
    """Each against the same pairs in a mask of all of them: to rounding, as the order of the sums differs."""
    q, k, v = draw(rng, dtype, queries=70, keys=keys)
    given, seen = sight(name, rng, 2, 4, 70, keys)
    tolerance = 200 * np.finfo(dtype).eps
    results = []
    for options in (given, {"mask": np.ascontiguousarray(seen)}):
        y, lse, scores = compiled.attention_forward(q, k, v, **options, need_scores=True)
        assert (scores[~seen] == 0).all()
        results.append((y, lse, scores, *compiled.attention_backward(np.cos(y), q, k, v, y, lse, **options)))
    for one, other in zip(*results, strict=True):
        np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance)


def test_any_byte_but_zero_is_true(compiled, rng):
    """NumPy takes the bytes of a view as they are; most of these have a last bit of 0."""
    q, k, v = draw(rng, np.float32, heads=1, shared=1)
    seen = rng.random((2, 9, 13)) < 0.5
    odd = np.where(seen, 6, 0).astype(np.uint8).view(bool)
    flat = [np.ascontiguousarray(a[:, :, 0]) for a in (q, k, v)]
    for one, other in zip(*(compiled.attention_forward(q, k, v, mask=m)[:2] for m in (seen, odd)), strict=True):
        np.testing.assert_array_equal(one, other)
    results = [compiled.additive_attention_forward(*flat, mask=m) for m in (seen, odd)]
    for one, other in zip(*results, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_query_that_sees_nothing(backend, dtype, rng):
    """y = 0, lse = −∞, and no gradient through it, whatever stands in dy."""
    q, k, v = draw(rng, dtype, queries=3, keys=5)
    mask = np.ones((2, 4, 3, 5), bool)
    mask[1, 2, 1] = False
    y, lse, scores = backend.attention_forward(q, k, v, mask, need_scores=True)
    blind = ~mask.any(axis=-1)
    assert (y.swapaxes(1, 2)[blind] == 0).all()
    assert (lse[blind] == -np.inf).all()
    assert np.isfinite(lse[~blind]).all()
    assert (scores[blind] == 0).all()
    np.testing.assert_allclose(scores.sum(-1)[~blind], 1, rtol=20 * np.finfo(dtype).eps)
    dy = rng.standard_normal(y.shape).astype(dtype)
    gradients = backend.attention_backward(dy, q, k, v, y, lse, mask)
    assert (gradients[0][1, 1, 2] == 0).all()
    dy[1, 1, 2] = 1e6
    for one, other in zip(gradients, backend.attention_backward(dy, q, k, v, y, lse, mask), strict=True):
        np.testing.assert_array_equal(one, other)


def test_keys_that_are_not_seen_may_hold_anything(compiled, dtype, rng):
    """NaN in padding shows nowhere: such rows are never read."""
    q, k, v = draw(rng, dtype)
    key_mask = np.arange(13) < np.array([[4], [13]])
    expected = compiled.attention_forward(q, k, v, key_mask=key_mask)
    k[0, 4:], v[0, 4:] = np.nan, np.nan
    got = compiled.attention_forward(q, k, v, key_mask=key_mask)
    for one, other in zip(got[:2], expected[:2], strict=True):
        np.testing.assert_array_equal(one, other)
    y, lse, _ = got
    gradients = compiled.attention_backward(np.ones_like(y), q, k, v, y, lse, key_mask=key_mask)
    assert all(np.isfinite(g).all() for g in gradients)
    assert (gradients[1][0, 4:] == 0).all()
    assert (gradients[2][0, 4:] == 0).all()


def test_shared_heads_are_repeated_heads(backend, rng):
    q, k, v = draw(rng, np.float64, heads=6, shared=2)
    y, lse, _ = backend.attention_forward(q, k, v, causal=True)
    whole = [np.repeat(a, 3, axis=2) for a in (k, v)]
    other, other_lse, _ = backend.attention_forward(q, *whole, causal=True)
    np.testing.assert_array_equal(y, other)
    dq, dk, dv = backend.attention_backward(y, q, k, v, y, lse, causal=True)
    gradients = backend.attention_backward(y, q, *whole, other, other_lse, causal=True)
    np.testing.assert_array_equal(dq, gradients[0])
    for shared, each in ((dk, gradients[1]), (dv, gradients[2])):
        np.testing.assert_allclose(shared, each.reshape(2, 13, 2, 3, -1).sum(axis=3), rtol=1e-12, atol=1e-13)


# ---- dropout ----


def test_dropout_has_the_words_of_its_pairs(backend, rng):
    """Against weights that are dropped by hand: the word of pair (r, j) is number r · 4⌈Tk / 4⌉ + j."""
    q, k, v = draw(rng, np.float64)
    key, call, rate = 11, 3, 0.4
    plain, _, scores = backend.attention_forward(q, k, v, need_scores=True)
    y, lse, same = backend.attention_forward(q, k, v, rate=rate, key=key, call=call, need_scores=True)
    np.testing.assert_array_equal(same, scores)
    bits = backend.random_bits(2 * 4 * 9 * 16, key, call).reshape(2, 4, 9, 16)[..., :13]
    kept = bits < (1 - rate) * 2.0**32
    assert 0.5 < kept.mean() < 0.7
    values = np.repeat(v, 2, axis=2)
    np.testing.assert_allclose(y, np.einsum("bnij,bjnv->binv", scores * kept / (1 - rate), values), rtol=1e-12)
    assert not np.array_equal(plain, y)
    _, _, dv = backend.attention_backward(y, q, k, v, y, lse, rate=rate, key=key, call=call)
    each = np.einsum("bnij,binv->bjnv", scores * kept / (1 - rate), y)
    np.testing.assert_allclose(dv, each.reshape(2, 13, 2, 2, -1).sum(axis=3), rtol=1e-11, atol=1e-13)


def test_dropout_of_all_and_of_nothing(backend, dtype, rng):
    q, k, v = draw(rng, dtype)
    y, lse, _ = backend.attention_forward(q, k, v, rate=1.0)
    assert (y == 0).all()
    assert all((g == 0).all() for g in backend.attention_backward(np.ones_like(y), q, k, v, y, lse, rate=1.0))
    for one, other in zip(
        backend.attention_forward(q, k, v, rate=0.0, key=5), backend.attention_forward(q, k, v), strict=True
    ):
        assert one is other is None or np.array_equal(one, other)


def test_dropout_does_not_depend_on_what_else_is_asked_or_masked(compiled, dtype, rng):
    """A pair is kept or not by its place alone: padding another sequence does not move it."""
    q, k, v = draw(rng, dtype, queries=60, keys=141)
    options = {"rate": 0.3, "key": 1, "call": 2}
    y, _, _ = compiled.attention_forward(q, k, v, **options)
    key_mask = np.ones((2, 141), bool)
    key_mask[1, ::3] = False
    masked, _, _ = compiled.attention_forward(q, k, v, key_mask=key_mask, **options)
    np.testing.assert_array_equal(masked[0], y[0])


# ---- gradients ----


@pytest.mark.parametrize("words", ["", "causal", "masks", "dropout", "window"])
def test_gradient(backend, rng, words):
    q, k, v = draw(rng, np.float64, queries=5, keys=6)
    options = {
        "": {},
        "causal": {"causal": True},
        "masks": {"mask": rng.random((2, 4, 5, 6)) < 0.6, "key_mask": rng.random((2, 6)) < 0.7},
        "dropout": {"rate": 0.3, "key": 4, "call": 5},
        "window": {"window": 2, "scale": 0.9},
    }[words]
    kept = {}

    def forward(q, k, v):
        kept["y"], kept["lse"], _ = backend.attention_forward(q, k, v, **options)
        return kept["y"]

    def backward(dy, y, arrays):
        gradients = backend.attention_backward(dy, arrays["q"], arrays["k"], arrays["v"], y, kept["lse"], **options)
        return dict(zip("qkv", gradients, strict=True))

    result = kernel_check(forward, backward, {"q": q, "k": k, "v": v})
    assert result, str(result)


def test_gradient_through_the_scores(backend, rng):
    q, k, v = draw(rng, np.float64, queries=5, keys=6)
    factor = rng.standard_normal((2, 4, 5, 6))
    options = {"rate": 0.3, "key": 4, "call": 5, "causal": True}
    kept = {}

    def forward(q, k, v):
        y, lse, scores = backend.attention_forward(q, k, v, **options, need_scores=True)
        kept.update(y=y, lse=lse, scores=scores)
        return np.concatenate([y.ravel(), (scores * factor).ravel()])

    def backward(dout, out, arrays):
        y = kept["y"]
        gradients = backend.attention_backward(
            dout[: y.size].reshape(y.shape), arrays["q"], arrays["k"], arrays["v"], y, kept["lse"], **options,
            scores=kept["scores"], dscores=dout[y.size :].reshape(factor.shape) * factor,
        )  # fmt: skip
        return dict(zip("qkv", gradients, strict=True))

    result = kernel_check(forward, backward, {"q": q, "k": k, "v": v})
    assert result, str(result)


def test_gradient_of_additive_attention(backend, rng):
    q, k, v, w = (rng.standard_normal(shape) for shape in ((2, 5, 3), (2, 6, 3), (2, 6, 4), (3,)))
    options = {"rate": 0.3, "key": 4, "call": 5, "key_mask": rng.random((2, 6)) < 0.8, "causal": True}
    factor, kept = rng.standard_normal((2, 5, 6)), {}

    def forward(q, k, v, w):
        y, kept["weights"] = backend.additive_attention_forward(q, k, v, w, **options)
        return np.concatenate([y.ravel(), (kept["weights"] * factor).ravel()])

    def backward(dout, out, arrays):
        dy, dweights = dout[:40].reshape(2, 5, 4), dout[40:].reshape(factor.shape) * factor
        a, weights = arrays, kept["weights"]
        gradients = backend.additive_attention_backward(
            dy, a["q"], a["k"], a["v"], weights, a["w"], **options, dweights=dweights
        )
        return dict(zip("qkvw", gradients, strict=True))

    result = kernel_check(forward, backward, {"q": q, "k": k, "v": v, "w": w})
    assert result, str(result)


def test_gradient_of_self_attention(backend, rng):
    kept = {}

    def forward(x):
        y, kept["weights"] = backend.self_attention_forward(x)
        return y

    result = kernel_check(
        forward,
        lambda dy, y, arrays: {"x": backend.self_attention_backward(dy, arrays["x"], kept["weights"])},
        {"x": rng.standard_normal((2, 5, 3)) / 2},
    )
    assert result, str(result)


def test_self_attention_is_attention_of_one_head(backend, rng):
    x = rng.standard_normal((3, 7, 5))
    y, weights = backend.self_attention_forward(x)
    head = x[:, :, None]
    other, _, scores = backend.attention_forward(head, head, head, scale=1.0, need_scores=True)
    np.testing.assert_allclose(y, other[:, :, 0], rtol=1e-11)
    np.testing.assert_allclose(weights, scores[:, 0], rtol=1e-11)


# ---- bad calls ----


def test_bad_calls(backend, rng):
    q, k, v = draw(rng, np.float64)
    y, lse, _ = backend.attention_forward(q, k, v)
    for error, match, change in (
        (ValueError, "heads", {"q": q[:, :, :3]}),
        (ValueError, "heads", {"k": k[:, :-1]}),
        (ValueError, "heads", {"v": v[:1]}),
        (ValueError, "heads", {"k": k[..., :-1]}),
        (ValueError, "mask", {"mask": np.ones((9, 12), bool)}),
        (ValueError, "mask", {"mask": np.ones((2, 3, 9, 13), bool)}),
        (ValueError, "mask", {"mask": np.ones(13, bool)}),
        (TypeError, "mask", {"mask": np.ones((9, 13))}),
        (ValueError, "query_mask", {"query_mask": np.ones((2, 13), bool)}),
        (TypeError, "key_mask", {"key_mask": np.ones((2, 13), int)}),
        (ValueError, "window", {"window": 0}),
        (TypeError, "window", {"window": 1.5}),
        (ValueError, "rate", {"rate": 1.5}),
        (ValueError, "key", {"key": -1}),
        (ValueError, "scale", {"scale": np.nan}),
    ):
        with pytest.raises(error, match=match):
            backend.attention_forward(**({"q": q, "k": k, "v": v} | change))
    with pytest.raises(ValueError, match="need_scores"):
        backend.attention_backward(y, q, k, v, y, lse, dscores=np.ones((2, 4, 9, 13)))
    with pytest.raises(ValueError, match="lse"):
        backend.attention_backward(y, q, k, v, y, lse[:, :1])
    with pytest.raises(ValueError, match="D"):
        backend.additive_attention_forward(q[:, :, 0], k[:, :, 0, 1:], v[:, :, 0])
    with pytest.raises(ValueError, match="x"):
        backend.self_attention_forward(np.ones((2, 0, 3)))


def test_a_refused_result_changes_no_other(backend, rng):
    q, k, v = draw(rng, np.float64)
    y = np.full((2, 9, 4, 3), np.nan)
    with pytest.raises(ValueError, match="lse"):
        backend.attention_forward(q, k, v, y=y, lse=np.empty((3, 3, 3)))
    assert np.isnan(y).all()

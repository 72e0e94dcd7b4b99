"""Attention layers beside Keras, same weights: outputs, scores, gradients, masks; skipped without it."""

import numpy as np
import pytest

from fastnn import layers

keras = pytest.importorskip("keras", reason="Keras is not installed")
tf = pytest.importorskip("tensorflow", reason="TensorFlow is not installed")
pytestmark = [
    pytest.mark.filterwarnings("default"),
    pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="the baseline is Keras on TensorFlow"),
]

B, TQ, TK, D = 3, 5, 7, 6
CLOSE = {"rtol": 1e-4, "atol": 5e-5}  # float32: sums of a hundred products of numbers around 5
RNG = np.random.default_rng(0)
STEPS_Q, STEPS_K = RNG.random((B, TQ)) < 0.7, RNG.random((B, TK)) < 0.7
STEPS_Q[:, 0] = STEPS_K[:, 0] = True  # Keras gives a query that sees nothing a mean of all; here it gets nothing
PAIRS = RNG.random((B, TQ, TK)) < 0.6
PAIRS[:, :, 0] = True
HEADS = {
    "plain": (lambda k: k.MultiHeadAttention(2, 3), {}),
    "no bias": (lambda k: k.MultiHeadAttention(2, 3, use_bias=False), {}),
    "value_dim": (lambda k: k.MultiHeadAttention(3, 2, value_dim=5), {}),
    "output_shape": (lambda k: k.MultiHeadAttention(2, 3, output_shape=(4,)), {}),
    "scores": (lambda k: k.MultiHeadAttention(2, 3), {"return_attention_scores": True}),
    "causal": (lambda k: k.MultiHeadAttention(2, 3), {"use_causal_mask": True}),
    "pairs": (lambda k: k.MultiHeadAttention(2, 3), {"attention_mask": PAIRS}),
    "numbers": (lambda k: k.MultiHeadAttention(2, 3), {"attention_mask": PAIRS.astype("int32")}),
    "values": (lambda k: k.MultiHeadAttention(2, 3), {"value_mask": STEPS_K}),
    "window": (lambda k: k.MultiHeadAttention(2, 3, sliding_window=2), {}),
    "gate": (lambda k: k.MultiHeadAttention(2, 3, use_gate=True), {"use_causal_mask": True}),
    "groups": (lambda k: k.GroupQueryAttention(3, 4, 2), {}),
    "groups masked": (lambda k: k.GroupQueryAttention(3, 4, 1), {"attention_mask": PAIRS, "use_causal_mask": True}),
    "groups gate": (lambda k: k.GroupQueryAttention(3, 4, 2, use_gate=True), {}),
}
SINGLE = {
    "dot": lambda k: k.Attention(),
    "scale": lambda k: k.Attention(use_scale=True),
    "concat": lambda k: k.Attention(use_scale=True, score_mode="concat"),
    "additive": lambda k: k.AdditiveAttention(),
    "additive, no scale": lambda k: k.AdditiveAttention(use_scale=False),
}


def some(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


def compare(ours, theirs, x, call):
    """Outputs, input gradients and weight gradients; `call(layer, inputs)` calls either layer."""
    variables = [tf.constant(a) for a in x]
    call(theirs, variables)
    call(ours, x)
    assert [tuple(w.shape) for w in theirs.weights] == [w.shape for w in ours.weights]
    weights = [some(*w.shape, seed=i) for i, w in enumerate(ours.weights)]
    theirs.set_weights(weights)
    ours.set_weights(weights)
    with tf.GradientTape() as tape:
        tape.watch(variables)
        expected = call(theirs, variables)
        expected = list(expected) if isinstance(expected, (list, tuple)) else [expected]
        dy = [some(*y.shape, seed=9 + i) for i, y in enumerate(expected)]
        total = sum(tf.reduce_sum(y * d) for y, d in zip(expected, dy, strict=True))
    gradients = tape.gradient(total, [*variables, *theirs.trainable_variables], unconnected_gradients="zero")
    found = call(ours, x)
    for a, b in zip(found if isinstance(found, list) else [found], expected, strict=True):
        np.testing.assert_allclose(a, b.numpy(), **CLOSE)
    return dy, [g.numpy() for g in gradients]


@pytest.mark.parametrize("name", HEADS)
def test_heads(name):
    make, options = HEADS[name]
    ours, theirs, x = make(layers), make(keras.layers), [some(B, TQ, D), some(B, TK, 4, seed=1), some(B, TK, 5, seed=2)]
    dy, expected = compare(ours, theirs, x, lambda layer, inputs: layer(*inputs, **options))
    masks = [None, options.get("value_mask"), None]
    if "attention_mask" in options:
        masks.append(options["attention_mask"].astype(bool))
    flags = {k: v for k, v in options.items() if k in ("return_attention_scores", "use_causal_mask")}
    _, ctx = ours.forward(x, True, masks, **flags)
    dx = ours.backward(dy if len(dy) > 1 else dy[0], ctx)
    for a, b in zip([*dx, *(w.grad for w in ours.weights)], expected, strict=True):
        np.testing.assert_allclose(a, b, **CLOSE)


@pytest.mark.parametrize("axes", [None, (1,), (2,), (1, 2)])
def test_axes(axes):
    def make(k):
        return k.MultiHeadAttention(2, 3, attention_axes=axes)

    x = [some(2, 3, 4, D), some(2, 3, 4, 5, seed=1)]
    call = lambda layer, inputs: layer(*inputs, return_attention_scores=True)  # noqa: E731
    dy, expected = compare(ours := make(layers), make(keras.layers), x, call)
    _, ctx = ours.forward(x, True, None, return_attention_scores=True)
    for a, b in zip([*ours.backward(dy, ctx), *(w.grad for w in ours.weights)], expected, strict=True):
        np.testing.assert_allclose(a, b, **CLOSE)


@pytest.mark.parametrize("masks", [None, [STEPS_Q, STEPS_K], [None, STEPS_K]])
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("name", SINGLE)
def test_one_head(name, causal, masks):
    ours, theirs = SINGLE[name](layers), SINGLE[name](keras.layers)
    x = [some(B, TQ, D), some(B, TK, 4, seed=1), some(B, TK, D, seed=2)]
    call = lambda layer, inputs: layer(inputs, mask=masks, use_causal_mask=causal)  # noqa: E731
    dy, expected = compare(ours, theirs, x, call)
    _, ctx = ours.forward(x, True, None if masks is None else [*masks, None], use_causal_mask=causal)
    for a, b in zip([*ours.backward(dy[0], ctx), *(w.grad for w in ours.weights)], expected, strict=True):
        np.testing.assert_allclose(a, b, **CLOSE)


@pytest.mark.parametrize("make", [HEADS["plain"][0], HEADS["groups"][0], *SINGLE.values()])
def test_settings_are_theirs(make):
    ours, theirs = make(layers).get_config(), make(keras.layers).get_config()
    theirs.pop("dtype")
    assert set(theirs) <= {*ours, "dtype"}
    for name in theirs:
        if isinstance(theirs[name], (int, float, bool)) and name != "name":
            assert ours[name] == theirs[name], name

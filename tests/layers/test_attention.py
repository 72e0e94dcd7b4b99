"""Attention layers: what they compute, in NumPy's einsum; what a query may see; their place in models; their errors."""

import numpy as np
import pytest

import fastnn
from fastnn import layers, ops
from fastnn.inspect import gradient_check
from fastnn.models import Model, Sequential
from tests.backends import each_backend  # noqa: F401

B, TQ, TK, D = 3, 5, 7, 6
CLOSE = {"rtol": 1e-12, "atol": 1e-12}  # float64, sums of at most 40 numbers around 1


def some(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def spelled_out(layer, query, value, key, sees):
    """Output and weights of all pairs, from the definition; `sees` (B, 1 or N, Tq, Tk): who sees whom."""
    projections = [
        np.einsum("btd,dnh->btnh", x, dense.kernel.value) + (dense.bias.value if dense.bias is not None else 0)
        for x, dense in ((query, layer.query_dense), (key, layer.key_dense), (value, layer.value_dense))
    ]
    q, k, v = projections
    k, v = (np.repeat(a, q.shape[2] // a.shape[2], axis=2) for a in (k, v))
    scores = np.einsum("bqnh,bknh->bnqk", q, k) / np.sqrt(q.shape[-1])
    powers = np.where(sees, np.exp(scores), 0)
    total = powers.sum(-1, keepdims=True)
    weights = np.divide(powers, total, out=np.zeros_like(powers), where=total > 0)
    heads = np.einsum("bnqk,bknh->bqnh", weights, v)
    if layer.gate_dense is not None:
        gate = np.einsum("btd,dnh->btnh", query, layer.gate_dense.kernel.value) + layer.gate_dense.bias.value
        heads = heads / (1 + np.exp(-gate))
    out = layer.output_dense
    return np.einsum("bqnh,nhd->bqd", heads, out.kernel.value) + out.bias.value, weights


def with_random_biases(layer):
    layer.set_weights([some(*w.shape, seed=i) / 2 for i, w in enumerate(layer.weights)])


MAKE = {
    "heads": lambda **k: layers.MultiHeadAttention(2, 3, 4, dtype="float64", **k),
    "groups": lambda **k: layers.GroupQueryAttention(3, 4, 2, dtype="float64", **k),
}
EVERYTHING = np.ones((1, 1, TQ, TK), bool)
STEPS_Q = np.random.default_rng(1).random((B, TQ)) < 0.7
STEPS_K = np.random.default_rng(2).random((B, TK)) < 0.7
PAIRS = np.random.default_rng(3).random((B, TQ, TK)) < 0.6
CAUSAL = np.tri(TQ, TK, dtype=bool)
DISTANCE = np.abs(np.arange(TQ)[:, None] - np.arange(TK))
NEAR = DISTANCE < 3
SIGHT = {
    "everything": ({}, {}, EVERYTHING),
    "causal": ({}, {"use_causal_mask": True}, CAUSAL[None, None]),
    "window": ({"sliding_window": 3}, {}, NEAR[None, None]),
    "causal window": ({"sliding_window": 3}, {"use_causal_mask": True}, (NEAR & CAUSAL)[None, None]),
    "queries": ({}, {"query_mask": STEPS_Q}, STEPS_Q[:, None, :, None] & EVERYTHING),
    "values": ({}, {"value_mask": STEPS_K}, STEPS_K[:, None, None] & EVERYTHING),
    "pairs": ({}, {"attention_mask": PAIRS}, PAIRS[:, None]),
    "pairs for all": ({}, {"attention_mask": PAIRS[0]}, PAIRS[None, :1]),
    "a row for all": ({}, {"attention_mask": STEPS_K[:, None]}, STEPS_K[:, None, None] & EVERYTHING),
    "one row": ({}, {"attention_mask": STEPS_K[:1]}, STEPS_K[None, None, :1] & EVERYTHING),
    "one column": ({}, {"attention_mask": PAIRS[:, :, :1]}, PAIRS[:, None, :, :1] & EVERYTHING),
    "all": (
        {"sliding_window": 4, "use_gate": True},
        {"query_mask": STEPS_Q, "value_mask": STEPS_K, "attention_mask": PAIRS, "use_causal_mask": True},
        (STEPS_Q[:, :, None] & STEPS_K[:, None] & PAIRS & CAUSAL & (DISTANCE < 4))[:, None],
    ),
}


@pytest.mark.parametrize("kind", MAKE)
@pytest.mark.parametrize("name", SIGHT)
def test_outputs_and_scores_are_those_of_the_definition(each_backend, kind, name):  # noqa: F811
    settings, options, sees = SIGHT[name]
    layer = MAKE[kind](**settings)
    query, value, key = some(B, TQ, D), some(B, TK, 4, seed=1), some(B, TK, 5, seed=2)
    layer(query, value, key)
    with_random_biases(layer)
    y, scores = layer(query, value, key, return_attention_scores=True, **options)
    expected, weights = spelled_out(layer, query, value, key, sees)
    np.testing.assert_allclose(y, expected, **CLOSE)
    np.testing.assert_allclose(scores, weights, **CLOSE)
    np.testing.assert_array_equal(layer(query, value, key, **options), y)


def test_masks_for_each_head():
    layer = MAKE["heads"]()
    query, value = some(B, TQ, D), some(B, TK, D, seed=1)
    layer(query, value)
    mask = np.stack([PAIRS, ~PAIRS], axis=1)
    y, scores = layer(query, value, attention_mask=mask, return_attention_scores=True)
    expected, weights = spelled_out(layer, query, value, value, mask)
    np.testing.assert_allclose(scores, weights, **CLOSE)
    np.testing.assert_allclose(y, expected, **CLOSE)


@pytest.mark.parametrize("dtype", ["int64", "uint8", "float32"])
def test_numbers_are_attention_masks(dtype):
    layer = MAKE["heads"]()
    query, value = some(B, TQ, D), some(B, TK, D, seed=1)
    y = layer(query, value, attention_mask=PAIRS)
    np.testing.assert_array_equal(layer(query, value, attention_mask=PAIRS.astype(dtype)), y)


def test_a_query_that_sees_nothing_gets_the_bias_and_gives_no_gradient():
    layer = MAKE["heads"]()
    query, value = some(1, TQ, D), some(1, TK, D, seed=1)
    layer(query, value)
    with_random_biases(layer)
    mask = np.ones((TQ, TK), bool)
    mask[2] = False
    x, masks = [query, value], [None, None, mask]
    y, ctx = layer.forward(x, False, masks)
    np.testing.assert_array_equal(y[0, 2], layer.output_dense.bias.value)
    dq, dv = layer.backward(some(*y.shape), ctx)
    assert (dq[0, 2] == 0).all()
    assert (dq[0, 1] != 0).all()
    assert np.isfinite(dv).all()


@pytest.mark.parametrize("kind", MAKE)
def test_one_array_three_times_is_three_arrays(kind):
    """A sequence that attends to itself is one input of the node, whose gradients are added up inside."""
    x, dy = some(B, TQ, D), some(B, TQ, D, seed=9)
    layer = MAKE[kind](use_gate=True)
    y = layer(x, x)
    np.testing.assert_array_equal(layer(x, x.copy(), x.copy()), y)
    np.testing.assert_array_equal(layer(x, x.copy()), y)
    gradients = []
    for inputs in ([x], [x, x.copy()], [x, x.copy(), x.copy()]):
        _, ctx = layer.forward(inputs, True)
        gradients.append([sum(layer.backward(dy, ctx)), *(w.grad.copy() for w in layer.weights)])
    for other in gradients[1:]:
        for a, b in zip(gradients[0], other, strict=True):
            np.testing.assert_allclose(a, b, **CLOSE)


@pytest.mark.parametrize("axes", [None, (1,), (2,), (1, 2), (2, 1)])
def test_attention_over_some_axes(axes):
    """Axes that are not attended over are more batches."""
    x = some(2, 3, 4, D)
    layer = layers.MultiHeadAttention(2, 3, attention_axes=axes, dtype="float64")
    y, scores = layer(x, x, return_attention_scores=True)
    flat = layers.MultiHeadAttention(2, 3, dtype="float64")
    flat.build([(None, None, D)])
    flat.set_weights(layer.get_weights())
    if axes in (None, (1, 2), (2, 1)):
        np.testing.assert_allclose(y.reshape(2, 12, D), flat(x.reshape(2, 12, D), x.reshape(2, 12, D)), **CLOSE)
        assert scores.shape == ((2, 2, 3, 4, 3, 4) if axes != (2, 1) else (2, 2, 4, 3, 4, 3))
    else:
        rows = x if axes == (2,) else x.transpose(0, 2, 1, 3)
        one = np.stack([flat(part, part) for part in rows])
        np.testing.assert_allclose(y, one if axes == (2,) else one.transpose(0, 2, 1, 3), **CLOSE)
        assert scores.shape == ((2, 3, 2, 4, 4) if axes == (2,) else (2, 4, 2, 3, 3))
    mask = np.random.default_rng(5).random(scores.shape) < 0.8
    _, hidden = layer(x, x, attention_mask=mask, return_attention_scores=True)
    assert (hidden[~mask] == 0).all()
    assert (hidden[mask] > 0).all()


def test_dropout_of_scores():
    x = some(B, TQ, D)
    layer = MAKE["heads"](dropout=0.5, seed=3)
    plain, scores = layer(x, x, return_attention_scores=True)
    np.testing.assert_array_equal(layer(x, x), plain)
    one, other = layer(x, x, training=True), layer(x, x, training=True)
    assert (one != plain).any()
    assert (one != other).any()
    np.testing.assert_array_equal(layer(x, x, training=True, return_attention_scores=True)[1], scores)  # before dropout
    again = MAKE["heads"](dropout=0.5, seed=3)
    again(x, x)
    again.set_weights(layer.get_weights())
    np.testing.assert_array_equal(again(x, x, training=True), one)


# In models.


def encoder(**settings):
    ids = layers.Input((TQ,), dtype="int64")
    x = layers.Embedding(9, D, mask_zero=True)(ids)
    x = layers.Add()([x, layers.MultiHeadAttention(2, 3, **settings)(x, x)])
    x = layers.GlobalAveragePooling1D()(x)
    return Model(ids, layers.Dense(2, activation="softmax")(x))


def test_masks_come_along_with_the_sequences():
    model = encoder()
    ids = np.array([[3, 4, 5, 0, 0], [1, 2, 0, 0, 0]])
    longer = np.pad(ids, [(0, 0), (0, 0)])
    longer[:, 3:] = 0
    y = model.predict(ids, verbose=0)
    for row, length in zip(range(2), (3, 2), strict=True):
        short = np.zeros((1, TQ), "int64")
        short[0, :length] = ids[row, :length]
        np.testing.assert_allclose(model.predict(short, verbose=0)[0], y[row], rtol=1e-6)
    attention = model.layers[2]
    x = some(2, TQ, D).astype("float32")
    padded = x.copy()
    padded[0, 3:] = 77  # hidden keys make no difference
    mask = ids != 0
    np.testing.assert_array_equal(
        attention(x, x, query_mask=mask, value_mask=mask)[0, :3],
        attention(padded, padded, query_mask=mask, value_mask=mask)[0, :3],
    )


def test_a_mask_of_pairs_is_an_input_of_a_model():
    query, value = layers.Input((TQ, D)), layers.Input((TK, D))
    mask = layers.Input((TQ, TK), dtype="bool")
    attention = layers.MultiHeadAttention(2, 3, dtype="float64")
    model = Model([query, value, mask], attention(query, value, attention_mask=mask, use_causal_mask=True))
    q, v = some(B, TQ, D), some(B, TK, D, seed=1)
    y = model.predict([q, v, PAIRS], verbose=0)
    np.testing.assert_allclose(y, attention(q, v, attention_mask=PAIRS, use_causal_mask=True), rtol=1e-6)
    again = Model.from_config(model.get_config())
    again.set_weights(model.get_weights())
    np.testing.assert_array_equal(again.predict([q, v, PAIRS], verbose=0), y)


def test_a_mask_computed_in_call():
    """As tutorials write a decoder: the mask of the ids, stretched over the queries, and the scores asked for."""

    class Block(layers.Layer):
        def __init__(self, **settings):
            super().__init__(**settings)
            self.attention = layers.MultiHeadAttention(2, 3)
            self.norm = layers.Dense(D)
            self.supports_masking = True

        def call(self, inputs, mask=None):
            pairs = None if mask is None else ops.cast(mask[:, None, :], "int32")
            y, _ = self.attention(
                query=inputs, value=inputs, key=inputs, attention_mask=pairs, return_attention_scores=True
            )
            return self.norm(inputs + y)

    block = Block()
    x = some(2, TQ, D).astype("float32")
    mask = np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]], bool)
    y = block(x, mask=mask)
    a, _ = block.attention(x, x, query_mask=mask, value_mask=mask, return_attention_scores=True)
    np.testing.assert_allclose(y, block.norm(x + a), rtol=1e-6, atol=1e-6)
    model = Sequential([layers.Embedding(9, D, mask_zero=True), Block(), layers.GlobalAveragePooling1D()])
    model.compile("adam", "mse")
    ids = np.random.default_rng(0).integers(0, 9, (8, TQ))
    history = model.fit(ids, np.zeros((8, D), "float32"), epochs=20, verbose=0).history["loss"]
    assert history[-1] < history[0]


def test_scores_as_an_output_and_in_the_loss():
    x = layers.Input((TQ, D))
    y, scores = layers.MultiHeadAttention(2, 3)(x, x, return_attention_scores=True)
    model = Model(x, [y, scores])
    model.compile("sgd", "mse")
    data, targets = some(B, TQ, D), [some(B, TQ, D, seed=1), some(B, 2, TQ, TQ, seed=2)]
    losses = [model.train_on_batch(data, targets)[0] for _ in range(5)]
    assert losses[-1] < losses[0]
    only = Model(x, scores)  # nothing depends on the output
    only.compile("sgd", "mse")
    attention = only.layers[1]
    before = [p.value.copy() for p in attention.weights]
    only.train_on_batch(data, targets[1])
    moved = [np.abs(p.value - old).max() > 1e-7 for p, old in zip(attention.weights, before, strict=True)]
    assert moved == [True, True, True, False, False, False, False, False]  # a bias of keys moves all scores alike


def test_trains_with_dropout_in_the_same_bits_at_any_number_of_threads():
    from fastnn import kernels

    found = []
    for count in (1, 2, 3):
        before = kernels.get_num_threads()
        kernels.set_num_threads(count)
        try:
            fastnn.utils.set_random_seed(5)
            model = encoder(dropout=0.3)
            model.compile("adam", "sparse_categorical_crossentropy")
            rng = np.random.default_rng(0)
            model.fit(rng.integers(0, 9, (32, TQ)), rng.integers(0, 2, 32), epochs=3, verbose=0, shuffle=False)
            found.append(model.get_weights())
        finally:
            kernels.set_num_threads(before)
    for other in found[1:]:
        for a, b in zip(found[0], other, strict=True):
            np.testing.assert_array_equal(a, b)


def test_gradients_through_a_model_with_masks():
    ids = layers.Input((TQ,), dtype="int64")
    x = layers.Embedding(9, D, mask_zero=True, dtype="float64")(ids)
    y = layers.MultiHeadAttention(2, 3, dtype="float64")(x, x, use_causal_mask=True)
    y = layers.Attention(use_scale=True, dtype="float64")([y, x])
    y = layers.AdditiveAttention(dtype="float64")([y, x])
    y = layers.GlobalAveragePooling1D(dtype="float64")(y)
    model = Model(ids, layers.Dense(2, dtype="float64")(y))
    data = np.array([[3, 4, 5, 0, 0], [1, 2, 7, 8, 0]])
    assert gradient_check(model, data).ok


# One head, no projections.


@pytest.mark.parametrize("masks", [None, [STEPS_Q, STEPS_K], [None, STEPS_K], [STEPS_Q, None]])
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("kind", ["dot", "scale", "concat", "additive"])
def test_one_head(each_backend, kind, causal, masks):  # noqa: F811
    query, value, key = some(B, TQ, D), some(B, TK, 4, seed=1), some(B, TK, D, seed=2)
    layer = {
        "dot": lambda: layers.Attention(dtype="float64"),
        "scale": lambda: layers.Attention(use_scale=True, dtype="float64"),
        "concat": lambda: layers.Attention(True, "concat", dtype="float64"),
        "additive": lambda: layers.AdditiveAttention(dtype="float64"),
    }[kind]()
    layer([query, value, key])
    layer.set_weights([some(*w.shape, seed=7 + i) for i, w in enumerate(layer.weights)])
    y, scores = layer([query, value, key], mask=masks, return_attention_scores=True, use_causal_mask=causal)
    scale = 1 if layer.scale is None else layer.scale.value
    if kind in ("dot", "scale"):
        raw = scale * np.einsum("bqd,bkd->bqk", query, key)
    elif kind == "concat":
        raw = layer.concat_score_weight.value * np.tanh(scale * (query[:, :, None] + key[:, None])).sum(-1)
    else:
        raw = (scale * np.tanh(query[:, :, None] + key[:, None])).sum(-1)
    sees = np.broadcast_to(CAUSAL if causal else True, raw.shape)
    if masks is not None and masks[1] is not None:
        sees = sees & masks[1][:, None]
    if masks is not None and masks[0] is not None:
        sees = sees & masks[0][:, :, None]
    powers = np.where(sees, np.exp(raw), 0)
    total = powers.sum(-1, keepdims=True)
    weights = np.divide(powers, total, out=np.zeros_like(powers), where=total > 0)
    np.testing.assert_allclose(scores, weights, **CLOSE)
    np.testing.assert_allclose(y, weights @ value, **CLOSE)


# Errors.


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda x: layers.MultiHeadAttention(2, 3)(x), TypeError, r"Use layer\(x, x\)"),
        (
            lambda x: layers.MultiHeadAttention(0, 3),
            ValueError,
            "num_heads of MultiHeadAttention must be a positive integer",
        ),
        (lambda x: layers.MultiHeadAttention(2, 3, dropout=2), ValueError, "dropout of MultiHeadAttention"),
        (lambda x: layers.MultiHeadAttention(2, 3, output_shape=(2, 0)), ValueError, "output_shape"),
        (lambda x: layers.MultiHeadAttention(2, 3, attention_axes=(2,))(x, x), ValueError, r"axes \(2,\) between"),
        (lambda x: layers.MultiHeadAttention(2, 3)(x, x[:1]), ValueError, "one batch"),
        (lambda x: layers.MultiHeadAttention(2, 3)(x, x, x[:, :2]), ValueError, "a value and a key of the same length"),
        (lambda x: layers.MultiHeadAttention(2, 3)(x[0], x[0]), ValueError, r"\(batch, time, features\)"),
        (
            lambda x: layers.MultiHeadAttention(2, 3)(x, x, attention_mask=np.ones((2, TQ))),
            ValueError,
            "where any axis may be 1. Received: shape",
        ),
        (
            lambda x: layers.MultiHeadAttention(2, 3)(x, x, attention_mask=np.full((TQ, TQ), np.nan)),
            ValueError,
            "Received: NaN at index",
        ),
        (lambda x: layers.MultiHeadAttention(2, 3)(x, x, query_mask=np.ones((B, 2))), ValueError, "mask of layer"),
        (lambda x: layers.GroupQueryAttention(3, 4, 3), ValueError, "must divide num_query_heads"),
        (lambda x: layers.Attention()([x, x[:1]]), ValueError, "one batch"),
        (lambda x: layers.Attention()(x), TypeError, r"Use Attention\(\)\(\[query, value\]\)"),
        (lambda x: layers.Attention()([x]), ValueError, "two or three inputs"),
        (lambda x: layers.Attention()([x, x[:, :, :2]]), ValueError, "same number of features"),
        (lambda x: layers.Attention(score_mode="sum"), ValueError, '"dot" or "concat"'),
        (lambda x: layers.Attention()([x, x], mask=np.ones((B, TQ))), ValueError, r"\[query_mask, value_mask\]"),
    ],
)
def test_errors_say_what_to_use(call, error, words):
    with pytest.raises(error, match=words):
        call(some(B, TQ, D))


def test_the_number_of_features_stays():
    layer = layers.MultiHeadAttention(2, 3)
    layer(some(B, TQ, D), some(B, TK, 4))
    with pytest.raises(ValueError, match="4 features of the key"):
        layer(some(B, TQ, D), some(B, TK, 5))
    with pytest.raises(ValueError, match="6 features of the query"):
        layer(some(B, TQ, 5), some(B, TK, 4))

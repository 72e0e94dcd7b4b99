"""Layers that make one array of several: values, broadcasting, masks, gradients, errors, config, in models."""

import numpy as np
import pytest

from fastnn import Model, backend, layers
from fastnn.inspect import gradient_check, kernel_check
from fastnn.utils import set_random_seed
from tests.backends import each_backend  # noqa: F401

ELEMENTWISE = ["Add", "Multiply", "Average", "Maximum", "Minimum"]
BY_NUMPY = {
    "Add": np.add.reduce,
    "Multiply": np.multiply.reduce,
    "Average": lambda x: np.mean(x, axis=0),
    "Maximum": np.maximum.reduce,
    "Minimum": np.minimum.reduce,
}


def some(*shapes, seed=0, dtype="float32"):
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(shape).astype(dtype) for shape in shapes]


CASES = {
    **{name: (lambda name=name, **k: getattr(layers, name)(**k), [(3, 4, 5)] * 3) for name in ELEMENTWISE},
    **{
        f"{name} broadcast": (lambda name=name, **k: getattr(layers, name)(**k), [(3, 4, 5), (3, 1, 5), (3, 5)])
        for name in ELEMENTWISE
    },
    "Subtract": (lambda **k: layers.Subtract(**k), [(3, 7), (3, 7)]),
    "Subtract broadcast": (lambda **k: layers.Subtract(**k), [(3, 1, 5), (3, 4, 1)]),
    "one input": (lambda **k: layers.Add(**k), [(3, 7)]),
    "Concatenate": (lambda **k: layers.Concatenate(**k), [(3, 4, 5), (3, 4, 1), (3, 4, 9)]),
    "Concatenate steps": (lambda **k: layers.Concatenate(1, **k), [(3, 4, 5), (3, 1, 5)]),
    "Dot": (lambda **k: layers.Dot(1, **k), [(3, 7), (3, 7)]),
    "Dot of sequences": (lambda **k: layers.Dot((1, 2), **k), [(3, 4, 5), (3, 6, 4)]),
    "Dot last": (lambda **k: layers.Dot(-1, **k), [(3, 4, 5), (3, 6, 5)]),
    "Dot with a vector": (lambda **k: layers.Dot((2, 1), **k), [(3, 4, 5), (3, 5)]),
    "Dot of images": (lambda **k: layers.Dot((2, 1), **k), [(2, 3, 4, 5), (2, 4, 6)]),
    "cosine": (lambda **k: layers.Dot(1, normalize=True, **k), [(3, 7), (3, 7)]),
    "cosine of sequences": (lambda **k: layers.Dot((2, 1), normalize=True, **k), [(3, 4, 5), (3, 5, 2)]),
}


@pytest.mark.parametrize("case", CASES)
def test_gradients(each_backend, case):  # noqa: F811
    make, shapes = CASES[case]
    result = gradient_check(make(dtype="float64"), some(*shapes, dtype="float64"))
    assert result, f"\n{result}"
    assert len(result.arrays) == len(shapes)


@pytest.mark.parametrize("case", CASES)
def test_only_the_gradients_that_are_wanted(case):
    make, shapes = CASES[case]
    layer, x = make(), some(*shapes)
    layer.ensure_built([(None, *s[1:]) for s in shapes])
    y, ctx = layer.forward(x)
    (dy,) = some(y.shape, seed=3)
    full = layer.backward(dy, ctx)
    for which in range(len(x)):
        need = tuple(i == which for i in range(len(x)))
        part = layer.backward(dy, ctx, need)
        assert [g is not None for g in part] == list(need)
        np.testing.assert_array_equal(part[which], full[which])


@pytest.mark.parametrize("case", CASES)
def test_shapes_config_and_symbols_agree(case):
    make, shapes = CASES[case]
    layer, x = make(), some(*shapes)
    expected = layer(x)
    open_shapes = [(None, *s[1:]) for s in shapes]
    assert layer.compute_output_shape(open_shapes) == (None, *expected.shape[1:])
    again = type(layer).from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    np.testing.assert_array_equal(again(x), expected)
    inputs = [layers.Input(shape=s[1:]) for s in shapes]
    model = Model(inputs, make()(inputs))
    np.testing.assert_array_equal(model.predict(x if len(x) > 1 else x[0], verbose=0), expected)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_values(each_backend, name):  # noqa: F811
    x = some((3, 4, 5), (3, 4, 5), (3, 4, 5))
    np.testing.assert_allclose(getattr(layers, name)()(x), BY_NUMPY[name](x), rtol=1e-6)
    np.testing.assert_array_equal(getattr(layers, name.lower())(x), getattr(layers, name)()(x))


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_lower_ranks_are_stretched_after_the_batch(name):
    a, b = some((3, 4, 5), (3, 5))
    np.testing.assert_allclose(
        getattr(layers, name)()([a, b]), BY_NUMPY[name](np.broadcast_arrays(a, b[:, None])), rtol=1e-6
    )


def test_dot_values():
    a, b = some((3, 4, 5), (3, 6, 4))
    np.testing.assert_allclose(layers.Dot((1, 2))([a, b]), np.einsum("nki,njk->nij", a, b), rtol=1e-5, atol=1e-6)
    u, v = some((3, 7), (3, 7))
    np.testing.assert_allclose(layers.dot([u, v]), (u * v).sum(1, keepdims=True), rtol=1e-5, atol=1e-6)
    cosine = (u * v).sum(1, keepdims=True) / (np.linalg.norm(u, axis=1) * np.linalg.norm(v, axis=1))[:, None]
    np.testing.assert_allclose(layers.dot([u, v], 1, normalize=True), cosine, rtol=1e-5, atol=1e-6)


def test_the_cosine_of_a_zero_vector_is_zero_and_has_a_gradient():
    layer = layers.Dot(1, normalize=True)
    y, ctx = layer.forward([np.zeros((1, 3)), np.ones((1, 3))])
    assert y.item() == 0
    assert all(np.isfinite(g).all() for g in layer.backward(np.ones((1, 1)), ctx))


# Masks.

A_MASK, B_MASK = np.array([[1, 1, 0, 0], [1, 0, 1, 0]], bool), np.array([[1, 0, 1, 0], [1, 1, 0, 0]], bool)


@pytest.mark.parametrize("name", [*ELEMENTWISE, "Subtract"])
def test_a_step_counts_if_it_counts_in_any_input(name):
    layer, x = getattr(layers, name)(), some((2, 4, 3), (2, 4, 3))
    np.testing.assert_array_equal(layer.compute_mask(x, [A_MASK, B_MASK]), A_MASK | B_MASK)
    assert layer.compute_mask(x, [A_MASK, None]) is None
    assert layer.compute_mask(x, None) is None


@pytest.mark.parametrize("name", ["Multiply", "Maximum", "Minimum"])
@pytest.mark.parametrize("masks", [(A_MASK, B_MASK), (A_MASK, None), (None, B_MASK)], ids=["both", "first", "second"])
def test_masked_steps_leave_the_other_inputs_as_they_are(each_backend, name, masks):  # noqa: F811
    a, b = some((2, 4, 3), (2, 4, 3), dtype="float64")
    layer = getattr(layers, name)(dtype="float64")
    y = layer([a, b], mask=list(masks))
    counts_a, counts_b = (np.ones((2, 4), bool) if m is None else m for m in masks)
    both, merged = counts_a & counts_b, BY_NUMPY[name]([a, b])
    np.testing.assert_allclose(y[both], merged[both])
    np.testing.assert_array_equal(y[counts_a & ~counts_b], a[counts_a & ~counts_b])
    np.testing.assert_array_equal(y[~counts_a & counts_b], b[~counts_a & counts_b])
    gone = ~counts_a & ~counts_b
    np.testing.assert_array_equal(y[gone], np.zeros_like(a[gone]) if name == "Multiply" else a[gone])


@pytest.mark.parametrize("name", ["Multiply", "Maximum", "Minimum"])
def test_masked_gradients(name):
    masks, layer = [A_MASK, B_MASK, A_MASK], getattr(layers, name)(dtype="float64")

    def forward(a, b, c):
        return layer.forward([a, b, c], False, masks)

    result = kernel_check(
        lambda a, b, c: forward(a, b, c)[0],
        lambda dy, y, arrays: dict(zip("abc", layer.backward(dy, forward(**arrays)[1]), strict=True)),
        dict(zip("abc", some((2, 4, 3), (2, 4, 3), (2, 4, 3), dtype="float64"), strict=True)),
    )
    assert result, str(result)


def test_masks_of_joined_inputs():
    x = some((2, 4, 3), (2, 4, 3))
    steps, features = layers.Concatenate(1), layers.Concatenate(-1)
    np.testing.assert_array_equal(steps.compute_mask(x, [A_MASK, B_MASK]), np.concatenate([A_MASK, B_MASK], 1))
    np.testing.assert_array_equal(
        steps.compute_mask(x, [A_MASK, None]), np.concatenate([A_MASK, np.ones((2, 4), bool)], 1)
    )
    np.testing.assert_array_equal(features.compute_mask(x, [A_MASK, B_MASK]), A_MASK | B_MASK)
    assert features.compute_mask(x, [A_MASK, None]).all()
    assert features.compute_mask(x, [None, None]) is None
    assert layers.Dot(-1).compute_mask(x, [A_MASK, B_MASK]) is None


def test_masks_travel_through_a_merge_in_a_model():
    ids = np.array([[3, 1, 0, 0], [2, 0, 0, 0]])
    inputs = layers.Input(shape=(4,), dtype="int64")
    embedded = layers.Embedding(5, 3, mask_zero=True)(inputs)
    merged = layers.Add()([embedded, layers.Dense(3)(embedded)])
    model = Model(inputs, layers.GlobalAveragePooling1D()(merged))
    whole = Model(inputs, merged).predict(ids, verbose=0)
    expected = np.stack([whole[0, :2].mean(0), whole[1, :1].mean(0)])
    np.testing.assert_allclose(model.predict(ids, verbose=0), expected, rtol=1e-5, atol=1e-6)


# Models.


def test_a_residual_model_trains_the_same_on_both_backends():
    x, t = some((64, 8), (64, 2))
    losses = []
    for name in ("compiled", "reference"):
        set_random_seed(5)
        inputs = layers.Input(shape=(8,))
        h = layers.Dense(8, activation="relu")(inputs)
        h = layers.Add()([h, inputs])
        h = layers.Concatenate()([h, layers.Dense(4)(h)])
        model = Model(inputs, layers.Dense(2)(h))
        model.compile(optimizer="sgd", loss="mse")
        with backend.use(name):
            losses.append(model.fit(x, t, epochs=3, batch_size=16, shuffle=False, verbose=0).history["loss"])
    assert losses[0][-1] < losses[0][0]
    np.testing.assert_allclose(*losses, rtol=1e-4)


def test_an_input_that_is_added_to_itself_has_twice_the_gradient():
    inputs = layers.Input(shape=(3,), dtype="float64")
    dense = layers.Dense(3, use_bias=False, dtype="float64")
    h = dense(inputs)
    model = Model(inputs, layers.Add(dtype="float64")([h, h, dense(h)]))
    assert model.count_params() == 9
    result = gradient_check(model, some((4, 3), dtype="float64")[0])
    assert result, str(result)


# Errors.


@pytest.mark.parametrize(
    ("make", "shapes", "words"),
    [
        (layers.Add, [(2, 4, 5), (2, 14, 5)], r"input 1: \(None, 14, 5\)\n +\^\^ axis 1"),
        (layers.Add, [(2, 4), (3, 4)], "batches of different sizes"),
        (layers.Concatenate, [(2, 4, 5), (2, 14, 5)], r"\^\^ axis 1"),
        (layers.Concatenate, [(2, 4, 5), (2, 5)], "the same rank"),
        (lambda: layers.Concatenate(3), [(2, 4, 5), (2, 4, 5)], "axis 3"),
        (layers.Concatenate, [(2, 4), (3, 4)], "axis 0"),
        (layers.Subtract, [(2, 4)] * 3, "takes two inputs. Received: 3"),
        (lambda: layers.Dot(1), [(2, 4)] * 3, "takes two inputs. Received: 3"),
        (lambda: layers.Dot(1), [(2, 4), (2, 5)], "equal lengths"),
        (lambda: layers.Dot(1), [(2, 4), (3, 4)], "equal lengths"),
        (lambda: layers.Dot(0), [(2, 4), (2, 4)], "axis 0"),
        (lambda: layers.Dot(2), [(2, 4), (2, 4)], "axes=2"),
    ],
)
def test_shapes_that_do_not_fit(make, shapes, words):
    layer = make()
    with pytest.raises(ValueError, match=words) as caught:
        layer([np.zeros(s, "float32") for s in shapes])
    assert "Received" in str(caught.value)


def test_conflicts_of_symbols_are_drawn():
    a, b = layers.Input(shape=(4, 5)), layers.Input(shape=(4, 6))
    with pytest.raises(ValueError, match=r"axis 2[\s\S]*The shapes that led here"):
        layers.Add()([a, b])


@pytest.mark.parametrize(
    ("make", "kind", "words"),
    [
        (lambda: layers.Concatenate("1"), TypeError, "axis='1'"),
        (lambda: layers.Concatenate(1.0), TypeError, "axis=1.0"),
        (lambda: layers.Dot("1"), TypeError, "axes='1'"),
        (lambda: layers.Dot((1, 2, 3)), ValueError, r"axes=\(1, 2, 3\)"),
        (lambda: layers.Dot((1, 2.0)), ValueError, "axes"),
        (lambda: layers.Dot(1, normalize="no"), ValueError, "normalize='no'"),
        (lambda: layers.Add(1), TypeError, "positional argument"),
        (lambda: layers.Add()(np.ones((2, 3))), TypeError, "takes a list of arrays"),
        (lambda: layers.Add()([]), ValueError, "at least one input"),
    ],
)
def test_bad_settings_and_calls(make, kind, words):
    with pytest.raises(kind, match=words):
        make()

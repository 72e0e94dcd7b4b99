"""Merging layers beside Keras: outputs, gradients and masks; skipped without it."""

import numpy as np
import pytest

from fastnn import layers

keras = pytest.importorskip("keras", reason="Keras is not installed")
tf = pytest.importorskip("tensorflow", reason="TensorFlow is not installed")
pytestmark = [
    pytest.mark.filterwarnings("default"),
    pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="the baseline is Keras on TensorFlow"),
]

CLOSE = {"rtol": 1e-4, "atol": 1e-5}
SEVERAL = ("Add", "Multiply", "Average", "Maximum", "Minimum")
CASES = [
    *(
        (name, {}, shapes)
        for name in SEVERAL
        for shapes in ([(3, 4, 5)] * 3, [(3, 4, 5), (3, 5)], [(3, 1, 5), (3, 4, 1)])
    ),
    ("Subtract", {}, [(3, 4, 5), (3, 4, 5)]),
    ("Concatenate", {}, [(3, 4, 5), (3, 4, 2)]),
    ("Concatenate", {"axis": 1}, [(3, 4, 5), (3, 2, 5)]),
    ("Dot", {"axes": 1}, [(3, 7), (3, 7)]),
    ("Dot", {"axes": (1, 2)}, [(3, 4, 5), (3, 6, 4)]),
    ("Dot", {"axes": -1}, [(3, 4, 5), (3, 6, 5)]),
    ("Dot", {"axes": (2, 1), "normalize": True}, [(3, 4, 5), (3, 5, 2)]),
]


def some(shapes, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(shape).astype(np.float32) for shape in shapes]


@pytest.mark.parametrize(("name", "options", "shapes"), CASES)
def test_outputs_gradients_and_shapes(name, options, shapes):
    ours, theirs = getattr(layers, name)(**options), getattr(keras.layers, name)(**options)
    x = some(shapes)
    variables = [tf.Variable(a) for a in x]
    with tf.GradientTape() as tape:
        y = theirs(variables)
        (dy,) = some([y.shape], seed=1)
        total = tf.reduce_sum(y * dy)
    ours.ensure_built([(None, *s[1:]) for s in shapes])
    mine, ctx = ours.forward(x)
    np.testing.assert_allclose(mine, y.numpy(), **CLOSE)
    for got, want in zip(ours.backward(dy, ctx), tape.gradient(total, variables), strict=True):
        np.testing.assert_allclose(got, want.numpy(), **CLOSE)
    open_shapes = [(None, *s[1:]) for s in shapes]
    assert ours.compute_output_shape(open_shapes) == tuple(theirs.compute_output_shape(open_shapes))


A, B = np.array([[1, 1, 0, 0], [1, 0, 1, 0]], bool), np.array([[1, 0, 1, 0], [1, 1, 0, 0]], bool)


@pytest.mark.parametrize("masks", [(A, B), (A, None), (None, B)], ids=["both", "first", "second"])
@pytest.mark.parametrize(
    ("name", "options"),
    [*((name, {}) for name in (*SEVERAL, "Subtract")), ("Concatenate", {"axis": 1}), ("Concatenate", {"axis": -1})],
)
def test_masks_and_masked_outputs(name, options, masks):
    ours, theirs = getattr(layers, name)(**options), getattr(keras.layers, name)(**options)
    x = some([(2, 4, 3), (2, 4, 3)])
    tensors = [tf.convert_to_tensor(a) for a in x]
    for tensor, mask in zip(tensors, masks, strict=True):
        if mask is not None:
            keras.src.backend.set_keras_mask(tensor, tf.convert_to_tensor(mask))
    y = theirs(tensors)
    np.testing.assert_allclose(ours(x, mask=list(masks)), y.numpy(), **CLOSE)
    got, want = ours.compute_mask(x, list(masks)), keras.src.backend.get_keras_mask(y)
    assert (got is None) == (want is None)
    if got is not None:
        np.testing.assert_array_equal(got, want.numpy())

"""Values and gradients beside ``keras.ops``, in the same words; skipped where Keras is not installed."""

import inspect

import numpy as np
import pytest

from fastnn import ops
from tests.ops import table
from tests.ops.harness import several, traced
from tests.ops.table import CASES

keras = pytest.importorskip("keras", reason="Keras is not installed")
tf = pytest.importorskip("tensorflow", reason="TensorFlow is not installed")
pytestmark = pytest.mark.filterwarnings("default")

OURS_ALONE = {"getitem", "TopK"}  # words that Keras does not have
SHARED = sorted({case.name for case in CASES} - OURS_ALONE)


def theirs(case, monkeypatch):
    """The call of a case, with the functions of Keras."""
    if case.ours is getattr(ops, case.name):
        return getattr(keras.ops, case.name)
    monkeypatch.setattr(table, "ops", keras.ops)
    return case.ours


@pytest.mark.parametrize("name", SHARED)
def test_the_words_are_those_of_keras(name):
    ours, other = (inspect.signature(getattr(module, name)).parameters for module in (ops, keras.ops))
    assert list(ours) == [word for word in other if other[word].kind is not inspect.Parameter.VAR_KEYWORD]
    for word, parameter in ours.items():
        assert parameter.default == other[word].default, word


@pytest.mark.parametrize("name", SHARED)
def test_values_and_gradients(name, monkeypatch):
    done = 0
    for case in (case for case in CASES if case.name == name):
        if name == "vstack" and case.draws[0].shape == (3,):
            continue  # Keras on TensorFlow puts vectors into one, where NumPy makes them rows
        rng = np.random.default_rng(7)
        arrays = [draw(rng, "float64") for draw in case.draws]
        layer, found, ctx = traced(case.ours, arrays)
        inputs = [tf.constant(a) for a in arrays]
        with monkeypatch.context() as patch, tf.GradientTape() as tape:
            tape.watch(inputs)
            try:
                expected = several(theirs(case, patch)(*inputs))
            except (TypeError, ValueError, tf.errors.InvalidArgumentError):
                continue  # what Keras refuses
            total = sum(tf.reduce_sum(y) for y in expected if y.dtype.is_floating)
        done += 1
        for y, e in zip(found, expected, strict=True):
            np.testing.assert_allclose(y, np.asarray(e), rtol=1e-6, atol=1e-6, err_msg=str(case))
        reals = [i for i, a in enumerate(arrays) if a.dtype.kind == "f"]
        if not (case.slope and reals):
            continue
        dy = [np.ones_like(y[None]) if y.dtype.kind == "f" else None for y in found]
        dx = layer.backward(dy if ctx.found.gives_several else dy[0], ctx)
        dx = dx if isinstance(dx, list) else [dx]
        for i, e in zip(reals, tape.gradient(total, [inputs[i] for i in reals]), strict=True):
            e = 0 if e is None else np.asarray(tf.convert_to_tensor(e))
            np.testing.assert_allclose(0 if dx[i] is None else dx[i][0], e, rtol=1e-6, atol=1e-6, err_msg=str(case))
    assert done

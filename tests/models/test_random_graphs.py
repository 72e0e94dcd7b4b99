"""Random models: what holds for every model must hold for any that Hypothesis puts together (random_graphs.py).

``FASTNN_EXAMPLES=1000 pytest tests/models/test_random_graphs.py`` draws more models, and new ones each time.
"""

import importlib.util
import json
import os

import hypothesis
import numpy as np
import pytest
from hypothesis import given

from fastnn import Model, backend, optimizers

from .random_graphs import counters, data, made, recipes, rewind, slope_agrees, walk
from .random_operations import CUSTOM, RANDOM_IN_INFERENCE

pytestmark = pytest.mark.filterwarnings("ignore:Layer .* does not pass on the mask")
BUILT = importlib.util.find_spec("fastnn.kernels._core") is not None
needs_kernels = pytest.mark.skipif(not BUILT, reason="the kernels are not built here")
EXAMPLES = int(os.environ.get("FASTNN_EXAMPLES", "0"))


def examples(count):
    """So many models, the same in each run; or as many new ones as FASTNN_EXAMPLES says."""
    return hypothesis.settings(
        max_examples=EXAMPLES or count,
        derandomize=not EXAMPLES,
        deadline=None,
        database=None,
        phases=[hypothesis.Phase.generate, hypothesis.Phase.shrink],
        suppress_health_check=list(hypothesis.HealthCheck),
    )


# A model is at most 20 steps of about 3 nodes.  A node adds a few roundings of sums of at most 200 products, and passes
# on those before it times its slope, which is seldom above 2 (norms divide by at least √0.1).  Some 10⁵ roundings of
# the largest number are far below any wrong term, and above what was ever seen.
ROUNDINGS = 1e5


def assert_close(got, expected, dtype="float64", words=""):
    assert len(got) == len(expected)
    for one, other in zip(got, expected, strict=True):
        largest = max(1.0, float(np.abs(other).max(initial=0)))
        bound = ROUNDINGS * np.finfo(dtype).eps * largest
        np.testing.assert_allclose(one, other, rtol=0, atol=bound, err_msg=words)


def assert_same(got, expected):
    for one, other in zip(got, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def several(outputs):
    return list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]


def ready(recipe, dtype="float64", optimizer=None, fuse=True, **settings):
    """A compiled model of a recipe, with its inputs and targets; skips recipes without one."""
    found = made(recipe, dtype, **settings)
    hypothesis.assume(found is not None)
    x, y = data(recipe, found)
    found.model.compile(optimizer or optimizers.SGD(0.1), found.losses, fuse=fuse)
    return found.model, x, y


def trained(model, x, y, steps=3):
    """Losses of a few steps, the weights after them, and predictions."""
    rewind(model)
    losses = [np.array(model.train_on_batch(x, y)) for _ in range(steps)]
    return [*losses, *model.get_weights(), *several(model.predict(x, verbose=0))]


@needs_kernels
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_compiled_and_reference_predict_the_same(dtype):
    @examples(40)
    @given(recipes())
    def check(recipe):
        found = []
        for kernels in ("compiled", "reference"):
            with backend.use(kernels):
                model, x, _ = ready(recipe, dtype)
                found.append(several(model.predict(x, verbose=0)))
        assert_close(*found, dtype)

    check()


@needs_kernels
@examples(40)
@given(recipes())
def test_compiled_and_reference_train_the_same(recipe):
    found = []
    for kernels in ("compiled", "reference"):
        with backend.use(kernels):
            model, x, y = ready(recipe)
            found.append(trained(model, x, y))
    assert_close(*found)


@examples(40)
@given(recipes())
def test_fused_layers_train_as_single_ones(recipe):
    found = []
    for fuse in (True, False):
        model, x, y = ready(recipe, fuse=fuse)
        found.append(trained(model, x, y))
    assert_close(*found)


@examples(30)
@given(recipes())
def test_gradients_of_the_loss(recipe):
    """An update by SGD(1) is the gradient; along one direction of each weight it is the slope of the loss."""
    model, x, y = ready(recipe, optimizer=optimizers.SGD(1.0))
    for p in model.weights:
        p.constraint = None  # the update alone
    start = model.get_weights()

    def loss(weights):
        model.set_weights(weights)
        rewind(model)
        return float(np.ravel(model.train_on_batch(x, y))[0])

    middle = loss(start)
    gradients = [a - p.value for a, p in zip(start, model.weights, strict=True)]
    trained = {id(p) for p in model.trainable_weights}
    rng = np.random.default_rng(2)
    for i, p in enumerate(model.weights):
        if id(p) not in trained:
            continue
        way = rng.standard_normal(p.shape)
        assert_slope(lambda h: loss([*start[:i], start[i] + h * way, *start[i + 1 :]]), middle,  # noqa: B023
                     float((gradients[i] * way).sum()), p.name)  # fmt: skip


@examples(30)
@given(recipes())
def test_gradients_of_the_inputs(recipe):
    """A model as a layer: Σ r·y along one direction of each input."""
    model, x, _ = ready(recipe)
    x = [np.array(a, np.int64 if a.dtype.kind in "iu" else np.float64) for a in x]

    def forward(arrays, training=True):
        rewind(model)
        y, ctx = model.forward(arrays if model.takes_several else arrays[0], training)
        return several(y), ctx

    y, ctx = forward(x)
    rng = np.random.default_rng(3)
    r = [rng.standard_normal(one.shape) for one in y]
    dx = several(model.backward(r if model.gives_several else r[0], ctx))
    middle = sum(float((a * b).sum()) for a, b in zip(r, y, strict=True)) + model.penalty_of(forward(x)[1])
    for i, a in enumerate(x):
        if a.dtype.kind != "f":
            continue
        way = rng.standard_normal(a.shape)

        def along(h):
            outputs, ctx = forward([*x[:i], a + h * way, *x[i + 1 :]])  # noqa: B023
            return sum(float((p * q).sum()) for p, q in zip(r, outputs, strict=True)) + model.penalty_of(ctx)

        slope = 0.0 if dx[i] is None else float((dx[i] * way).sum())
        assert_slope(along, middle, slope, f"input {i}")


def assert_slope(function, middle, slope, name):
    if not slope_agrees(function, middle, slope, name):
        hypothesis.event("a corner")


@needs_kernels
@examples(8)
@given(recipes())
def test_threads_change_no_bit(recipe):
    from fastnn import kernels

    before, found = kernels.get_num_threads(), []
    try:
        for count in (1, 2, 3):
            kernels.set_num_threads(count)
            with backend.use("compiled"):
                wide = made(recipe, "float32", width=6)
                hypothesis.assume(wide is not None)
                x, y = data(recipe, wide, batch=130)
                wide.model.compile(optimizers.SGD(0.1), wide.losses)
                found.append(trained(wide.model, x, y, 2))
    finally:
        kernels.set_num_threads(before)
    assert_same(found[1], found[0])
    assert_same(found[2], found[0])


@examples(25)
@given(recipes(without=RANDOM_IN_INFERENCE))
def test_a_config_makes_the_same_model(recipe):
    model, x, _ = ready(recipe)
    config = model.get_config()
    if "lambda" not in {step.name for s in recipe.steps for step in (s, *s.inside)}:  # a function is not data
        config = json.loads(json.dumps(config))
    again = Model.from_config(config, CUSTOM)
    assert [(p.name, p.shape, p.trainable) for p in again.weights] == [
        (p.name, p.shape, p.trainable) for p in model.weights
    ]
    again.set_weights(model.get_weights())
    rewind(model)
    assert_same(several(again.predict(x, verbose=0)), several(model.predict(x, verbose=0)))


@examples(25)
@given(recipes(without=RANDOM_IN_INFERENCE))
def test_examples_do_not_see_each_other(recipe):
    """Predictions do not depend on the batch that an example is in, and stay as they are when the model goes on."""
    model, x, y = ready(recipe)
    whole = several(model.predict(x, verbose=0))
    kept = [a.copy() for a in whole]
    assert_close(several(model.predict(x, batch_size=3, verbose=0)), whole)
    model.train_on_batch(x, y)
    model.predict([a[:1] for a in x], verbose=0)
    assert_same(whole, kept)


def state(model):
    """All that a refused call could change."""
    optimizer = model.optimizer
    return {
        "weights": [w.tolist() for w in model.get_weights()],
        "optimizer": [np.array(v).tolist() for v in optimizer.variables] if optimizer.built else None,
        "iterations": int(optimizer.iterations),
        "shapes": (model.built, model.input_shape, model.output_shape, model.shape_declared),
        "layers": [(layer.name, layer.built, layer.input_shape, layer.output_shape) for layer in walk(model)],
        "draws": [part.calls for part in counters(model)],
        "metrics": [m.name for m in model.metrics],
    }


def refusals(model, x, y):
    """Calls that must be refused, by what is wrong with them."""
    names = model.output_names
    first = x[0]
    longer = np.concatenate([first, first], axis=-1)
    calls = {
        "another number of targets": (x, [*y, np.zeros((len(first), 1))]),
        "targets of another length": (x, [None if t is None else t[1:] for t in y]),
        "unknown names of outputs": (x, {**dict(zip(names, y, strict=True)), "nothing": y[0]}),
        "another number of inputs": ([*x, first], y),
        "words": ([np.array([["a"]] * len(first)), *x[1:]], y),
    }
    if None not in model.inputs[0].shape[1:]:
        calls["another shape"] = ([longer, *x[1:]], y)
    targets = [i for i, t in enumerate(y) if t is not None and t.dtype.kind == "f"]
    if targets:
        calls["NaN"] = (x, [np.full_like(t, np.nan) if i in targets else t for i, t in enumerate(y)])
        calls["a loss that is infinite"] = (x, [np.full_like(t, 1e200) if i in targets else t for i, t in enumerate(y)])
    return calls


@examples(25)
@given(recipes(heads=("as it is", "softmax", "sigmoid", "no loss")))
def test_refused_calls_change_nothing(recipe):
    model, x, y = ready(recipe, optimizer=optimizers.SGD(0.1, momentum=0.9))
    model.train_on_batch(x, y)
    before = state(model)
    weights = np.ones(len(x[0]) + 1)
    for word, (inputs, targets) in refusals(model, x, y).items():
        for call in ("train_on_batch", "test_on_batch"):
            if word == "a loss that is infinite" and call == "test_on_batch":
                continue
            with pytest.raises((TypeError, ValueError, FloatingPointError)), np.errstate(all="ignore"):
                getattr(model, call)(inputs, targets)
            assert state(model) == before, f"{call}, {word}"
    with pytest.raises(ValueError, match="sample_weight"):
        model.train_on_batch(x, y, sample_weight=weights)
    assert state(model) == before
    model.train_on_batch(x, y)  # and goes on

"""One sweep over every exported layer: shapes, configs, both backends, gradients, threads, and inputs left alone."""

import contextlib
import importlib.util
import json

import numpy as np
import pytest

from fastnn import backend, layers
from fastnn.graph import take_back
from fastnn.inspect import gradient_check
from fastnn.utils import set_random_seed
from tests.layers.examples import EXAMPLES, PREPARING, classes, data

ALL = EXAMPLES | PREPARING
NAMES = [f"{name}-{i}" for name, examples in sorted(ALL.items()) for i in range(len(examples))]
BUILT = importlib.util.find_spec("fastnn.kernels._core") is not None


def example(name):
    cls, number = name.rsplit("-", 1)
    return ALL[cls][int(number)]


def open_shapes(shape):
    """The shapes of the inputs, with any size of the batch."""
    return [(None, *one[1:]) for one in shape] if isinstance(shape, list) else (None, *shape[1:])


def made(name, dtype="float32"):
    """The layer of an example, its inputs and the options of its call."""
    make, shape, options = example(name)
    set_random_seed(3)
    layer = make(dtype=dtype)
    return layer, data(layer, shape, dtype), options


def results(layer, x, options, training):
    """Outputs, gradients of the inputs that have one, and those of the weights, of one run forward and back."""
    y, ctx = layer.checked_forward(arguments(layer, x), training, None, options)
    ys = y if isinstance(y, list) else [y]
    rng = np.random.default_rng(5)
    dys = [rng.standard_normal(one.shape).astype(one.dtype) for one in ys]
    for p in layer.weights:
        p.grad[...] = np.nan
        p.rows = None
    dx = take_back(layer, dys if isinstance(y, list) else dys[0], ctx, True)
    dxs = [] if layer.takes_ids else dx if isinstance(dx, list) else [dx]
    return [np.array(one) for one in [*ys, *(d for d in dxs if d is not None), *(p.grad for p in layer.weights)]]


def quiet(layer):
    """What keeps a layer from drawing: those that change images at random do so unless told otherwise."""
    return {"training": False} if layer.training_by_default else {}


def arguments(layer, x):
    """What forward takes: a list from layers that take several, and from those that write a call."""
    return [x] if layer.takes_several and not isinstance(x, list) else x


@contextlib.contextmanager
def number_of_threads(kernels, count):
    before = kernels.get_num_threads()
    kernels.set_num_threads(count)
    try:
        yield
    finally:
        kernels.set_num_threads(before)


def test_every_layer_has_its_examples():
    assert set(EXAMPLES) == set(classes()), "enter what is new in tests/layers/examples.py"
    for name, examples in EXAMPLES.items():
        for make, *_ in examples:
            layer = make()
            inside = [type(part).__name__ for part in walk(layer)]
            assert name in inside, f"an example of {name} is a {inside[0]}"


def walk(layer):
    yield layer
    for child in layer.children:
        yield from walk(child)


@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith("Lambda-")])  # a function is not data
def test_the_config_makes_the_same_layer(name):
    make, shape, _ = example(name)
    layer = make(dtype="float64", name="mine", trainable=False)
    for _ in range(2):  # unbuilt, then built
        config = layer.get_config()
        assert (config["name"], config["dtype"], config["trainable"]) == ("mine", "float64", False)
        again = type(layer).from_config(json.loads(json.dumps(config)))
        assert type(again) is type(layer)
        assert again.get_config() == config
        assert again.ensure_built(open_shapes(shape)) == layer.ensure_built(open_shapes(shape))
        assert [(p.name, p.shape, p.trainable) for p in again.weights] == [
            (p.name, p.shape, p.trainable) for p in layer.weights
        ]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_output_has_the_shape_foretold(name, dtype):
    make, shape, options = example(name)
    layer = make(dtype=dtype)
    foretold = make(dtype=dtype).compute_output_shape(open_shapes(shape), **options)
    y = layer(data(layer, shape, dtype), **options)
    ys, shapes = (y, foretold) if isinstance(y, list) else ([y], [foretold])
    for one, expected in zip(ys, shapes, strict=True):
        assert one.dtype == dtype
        assert (None, *one.shape[1:]) == tuple(expected)
        assert len(one) == len(data(layer, shape, dtype)[0] if isinstance(shape, list) else data(layer, shape, dtype))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("batch", [0, 1])
def test_batches_of_no_example_and_of_one(name, batch):
    layer, x, options = made(name)
    several = isinstance(x, list)
    y = layer(x, **quiet(layer), **options)
    few = layer([one[:batch] for one in x] if several else x[:batch], **quiet(layer), **options)
    for one, other in zip(*((a if isinstance(a, list) else [a]) for a in (few, y)), strict=True):
        assert one.shape == (batch, *other.shape[1:])
        assert np.isfinite(one).all()
        np.testing.assert_allclose(one, other[:batch], rtol=1e-5, atol=1e-6)
    few = [one[:batch] for one in x] if several else x[:batch]
    for training in (False, True):
        for one in results(layer, few, options, training):
            assert np.isfinite(one).all()


@pytest.mark.skipif(not BUILT, reason="the kernels are not built here")
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_compiled_and_reference_agree(name, training, dtype):
    found = []
    for kernels in ("compiled", "reference"):
        with backend.use(kernels):
            layer, x, options = made(name, dtype)
            layer(x, **options)
            found.append(results(layer, x, options, training))
    # Sums of at most 200 products of numbers around 1, a few layers deep: 1,000 roundings of their size.
    close = 1000 * np.finfo(dtype).eps
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, rtol=close, atol=close)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("training", [False, True])
def test_gradients(name, training):
    layer, x, options = made(name, "float64")
    layer(x, **options)
    result = gradient_check(layer, x, training=training, samples=25)
    assert result, f"\n{result}"
    inputs = 0 if layer.takes_ids else len(x) if isinstance(x, list) else 1
    assert len(result.arrays) == inputs + len(layer.trainable_weights)


@pytest.mark.skipif(not BUILT, reason="the kernels are not built here")
@pytest.mark.parametrize("name", NAMES)
def test_threads_change_no_bit(name):
    from fastnn import kernels

    found = []
    for count in (1, 2, 3):
        with number_of_threads(kernels, count), backend.use("compiled"):
            layer, x, options = made(name)
            layer(x, **options)
            found.append(results(layer, x, options, True))
    for other in found[1:]:
        for one, same in zip(found[0], other, strict=True):
            np.testing.assert_array_equal(one, same)


@pytest.mark.parametrize("name", NAMES)
def test_strided_and_read_only_inputs(name):
    layer, x, options = made(name)
    expected = layer(x, **quiet(layer), **options)

    def spread(array):
        room = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), array.dtype)[..., ::2]
        room[...] = array
        room.flags.writeable = False
        return room

    y = layer([spread(one) for one in x] if isinstance(x, list) else spread(x), **quiet(layer), **options)
    for one, other in zip(*((a if isinstance(a, list) else [a]) for a in (y, expected)), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("training", [False, True])
def test_what_is_handed_in_stays_as_it_is(name, training):
    layer, x, options = made(name)
    before = [np.array(one) for one in (x if isinstance(x, list) else [x])]
    layer(x, **options)
    y, ctx = layer.checked_forward(arguments(layer, x), training, None, options)
    dy = [np.ones_like(one) for one in y] if isinstance(y, list) else np.ones_like(y)
    weights = [p.value.copy() for p in layer.trainable_weights]
    take_back(layer, dy, ctx, True)
    for one, old in zip(x if isinstance(x, list) else [x], before, strict=True):
        np.testing.assert_array_equal(one, old)
    for one in dy if isinstance(dy, list) else [dy]:
        assert (one == 1).all()
    for p, old in zip(layer.trainable_weights, weights, strict=True):
        np.testing.assert_array_equal(p.value, old)


@pytest.mark.parametrize("name", NAMES)
def test_the_gradient_of_the_input_may_be_left_out(name):
    layer, x, options = made(name)
    layer(x, **options)
    y, ctx = layer.checked_forward(arguments(layer, x), False, None, options)
    dy = [np.ones_like(one) for one in y] if isinstance(y, list) else np.ones_like(y)
    take_back(layer, dy, ctx, True)
    wanted = [p.grad.copy() for p in layer.trainable_weights]
    y, ctx = layer.checked_forward(arguments(layer, x), False, None, options)
    for p in layer.trainable_weights:
        p.grad[...] = np.nan
        p.rows = None
    take_back(layer, dy, ctx, False)
    for p, old in zip(layer.trainable_weights, wanted, strict=True):
        np.testing.assert_allclose(p.grad, old, rtol=1e-5, atol=1e-6)


@pytest.mark.filterwarnings("ignore:Layer .* does not pass on the mask")
def test_layers_run_as_the_middle_of_a_model():
    """Every layer on one array, between others: fit takes one step, and predict gives what the layer gives."""
    import fastnn

    for name in NAMES:
        make, shape, _ = example(name)
        if isinstance(shape, list):
            continue
        set_random_seed(2)
        layer = make()
        if layer.gives_several or isinstance(layer, layers.InputLayer):
            continue
        x = data(layer, shape, "float32")
        model = fastnn.Sequential([layers.Input(shape[1:]), layer, layers.Flatten(), layers.Dense(1)])
        model.compile("sgd", "mse")
        before = [p.value.copy() for p in layer.trainable_weights]
        model.fit(x, np.ones((len(x), 1)), verbose=0)
        assert all((p.value != old).any() for p, old in zip(layer.trainable_weights, before, strict=True)), name
        inner = fastnn.Sequential([layers.Input(shape[1:]), layer])
        np.testing.assert_allclose(
            inner.predict(x, verbose=0), layer(x, **quiet(layer)), rtol=1e-5, atol=1e-6, err_msg=name
        )

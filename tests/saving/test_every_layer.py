"""A sweep over every exported layer: as the middle of a model it is saved, loaded, and trained on to the same bits."""

import json

import numpy as np
import pytest

from fastnn import Model, Sequential, layers, ops, saving
from tests.layers.examples import EXAMPLES, classes
from tests.layers.test_every_layer import NAMES, made
from tests.saving.models import same

UNSAVED = ("InputLayer", "Lambda", "Layer")


@saving.register_keras_serializable("tests")
def doubled(x):
    return 2 * x


def model_of(name):
    """A model around an example: inputs, the layer, one number an example."""
    layer, x, options = made(name)
    xs = x if isinstance(x, list) else [x]
    inputs = [layers.Input(one.shape[1:], dtype=one.dtype.name) for one in xs]
    outputs = layer(inputs if isinstance(x, list) else inputs[0], **options)
    ends = [layers.Dense(1)(layers.Flatten()(y)) for y in (outputs if isinstance(outputs, list) else [outputs])]
    model = Model(inputs, ends[0] if len(ends) == 1 else layers.add(ends))
    return model, xs, np.linspace(-1, 1, len(xs[0]), dtype="float32").reshape(-1, 1)


@pytest.mark.parametrize("name", [name for name in NAMES if name.rsplit("-", 1)[0] not in UNSAVED])
@pytest.mark.filterwarnings("ignore:Layer .* does not pass on the mask")
def test_a_model_with_this_layer_goes_on_from_its_file(name, tmp_path):
    model, xs, y = model_of(name)
    model.compile("adam", "mse")
    model.train_on_batch(xs, y)
    model.save(tmp_path / "m.safetensors")
    again = saving.load_model(tmp_path / "m.safetensors")
    assert same(model, again)
    assert [layer.get_config() for layer in again.layers] == [layer.get_config() for layer in model.layers]
    assert again.train_on_batch(xs, y) == model.train_on_batch(xs, y)
    assert again.train_on_batch(xs, y) == model.train_on_batch(xs, y)
    assert same(model, again)
    np.testing.assert_array_equal(again.predict_on_batch(xs), model.predict_on_batch(xs))
    assert json.loads(again.to_json()) == json.loads(model.to_json())


def test_every_layer_is_in_the_sweep():
    assert set(EXAMPLES) == set(classes())
    assert set(UNSAVED) <= {*EXAMPLES, "Layer"}


def test_a_lambda_of_a_registered_function_is_saved_and_one_without_a_name_refused(tmp_path):
    for function in (doubled, ops.square):
        model = Sequential([layers.Input((3,)), layers.Lambda(function, name="twice"), layers.Dense(1)])
        model.save(tmp_path / "m.safetensors")
        again = saving.load_model(tmp_path / "m.safetensors")
        assert again.layers[0].function is function
        np.testing.assert_array_equal(again.predict_on_batch(np.eye(3)), model.predict_on_batch(np.eye(3)))
    model = Sequential([layers.Input((3,)), layers.Lambda(lambda x: x, name="odd")])
    with pytest.raises(ValueError, match=r'"odd" has a function without a name.*register_keras_serializable'):
        model.save(tmp_path / "n.safetensors")
    assert not (tmp_path / "n.safetensors").exists()


EXPRESSIONS = {
    "operators": lambda x: (2 * x - 1) / (x * x + 3.0) ** 0.5,
    "comparisons": lambda x: ops.where(x > 0.5, x, -x),
    "indexing": lambda x: x[:, 1:3, ..., None][..., 0] + x[:, -1:, :],
    "shapes": lambda x: ops.transpose(ops.reshape(ops.expand_dims(x, 1), (-1, 4, 3)), (0, 2, 1))[:, :, :3],
    "reductions": lambda x: x - ops.mean(x, axis=(1, 2), keepdims=True) + ops.max(x, axis=-1, keepdims=True),
    "products": lambda x: ops.einsum("nij,nkj->nik", x, x) + ops.matmul(x, ops.transpose(x, (0, 2, 1))),
    "constants": lambda x: x * np.linspace(0, 1, 4, dtype="float32") + ops.ones((3, 4)),
    "joining": lambda x: ops.stack([x, ops.tanh(x)], axis=1),
    "parts": lambda x: ops.split(x, 2, axis=2)[1],
    "repeats": lambda x: ops.repeat(ops.tile(x, (1, 2, 1)), 2, axis=1),
    "nonlinear": lambda x: ops.softmax(ops.gelu(x), axis=1) + ops.clip(x, -0.5, 0.5) + ops.leaky_relu(x, 0.3),
    "one hot": lambda x: ops.one_hot(ops.argmax(x, axis=-1), 5),
    "several": lambda x: ops.top_k(x, 2)[0],
    "casts": lambda x: ops.cast(ops.cast(x * 3, "int64"), "float32"),
    "norms": lambda x: ops.normalize(x, axis=-1) + ops.logsumexp(x, axis=-1, keepdims=True),
    "padded": lambda x: ops.pad(x, ((0, 0), (1, 0), (0, 2))),
}


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_operations_between_layers_come_back(name, tmp_path):
    x = layers.Input((3, 4))
    y = EXPRESSIONS[name](layers.Dense(4)(x))
    model = Model(x, layers.Dense(1)(layers.Flatten()(y)))
    model.compile("sgd", "mse")
    model.save(tmp_path / "m.safetensors")
    again = saving.load_model(tmp_path / "m.safetensors")
    batch = np.random.default_rng(1).standard_normal((5, 3, 4)).astype("float32")
    assert again.train_on_batch(batch, np.ones((5, 1))) == model.train_on_batch(batch, np.ones((5, 1)))
    assert same(model, again)

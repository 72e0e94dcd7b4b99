"""Tensors, variables and dtypes: what ``tf.constant`` gives, and what a user does with it."""

import copy
import pickle

import numpy as np
import pytest

import fastnn
import fastnn.compat.tensorflow as tf

from .table import CALLS


@pytest.mark.parametrize("call", CALLS)
def test_every_call_gives_a_tensor(call):
    """Values are those of TensorFlow: test_against_tensorflow.py."""
    assert isinstance(eval(call, {"tf": tf}), tf.Tensor)


def test_a_tensor_is_an_array_with_numpy():
    x = tf.constant([[1.0, 2.0], [3.0, 4.0]])
    assert isinstance(x, np.ndarray)
    assert type(x.numpy()) is np.ndarray
    assert type(x[0, 1].numpy()) is np.float32
    assert (x.shape, x.get_shape(), x.dtype == tf.float32, x.dtype.name) == ((2, 2), (2, 2), True, "float32")
    assert x[0].numpy().tolist() == [1, 2]
    assert [float(v) for v in x[1]] == [3, 4]
    assert f"{x[0, 0]:.2f} {round(x[1, 0], 1)} {int(x[0, 1])} {x.sum().numpy()}" == "1.00 3.0 2 10.0"
    assert repr(x[0]) == "array([1., 2.], dtype=float32)"
    assert str(x[0]) == "[1. 2.]"
    assert len({tf.constant(1), tf.constant(1), tf.constant(2)}) == 2
    with pytest.raises(TypeError, match=r"has no hash. Use its numbers: x.tolist\(\)"):
        hash(x)
    with pytest.raises(TypeError, match="without axes cannot be iterated"):
        iter(x[0, 0])
    numbers = x.numpy()
    numbers[0] = 9
    assert x[0, 0] == 1
    same = x
    x += 1
    assert (same[0, 0], x[0, 0]) == (1, 2)
    for other in (copy.deepcopy(x), pickle.loads(pickle.dumps(x)), copy.copy(x)):
        assert isinstance(other, tf.Tensor)
        assert (other == x).all()
    assert (1 / tf.constant(0.0)).numpy() == np.inf


def test_strings_are_bytes_for_numpy_and_text_in_the_array():
    x = tf.constant(["é", "b"])
    assert x.dtype == tf.string
    assert x[0].numpy() == "é".encode()
    assert x.numpy().tolist() == ["é".encode(), b"b"]
    assert x.tolist() == ["é", "b"]
    assert tf.strings.join(["a", "b"]).numpy().decode() == "ab"


def test_dtypes_are_those_of_tensorflow():
    assert [tf.constant(v).dtype.name for v in (1, 1.0, [1, 2], True, np.ones(2), np.arange(3))] == [
        "int32", "float32", "int32", "bool", "float64", "int64",
    ]  # fmt: skip
    assert (tf.constant([1, 2]) + 1).dtype == tf.int32
    assert tf.add(tf.constant([1, 2]), tf.constant([3, 4])).dtype == tf.int32
    assert tf.constant([1, 2], tf.int64).dtype == tf.int64
    assert tf.as_dtype("string") == tf.string
    assert tf.TensorShape([None, 3]).as_list() == [None, 3]
    with pytest.raises(TypeError, match="A tensor must be made of numbers or strings"):
        tf.constant([object()])


def test_what_layers_models_and_losses_give_are_tensors():
    model = fastnn.Sequential([fastnn.layers.Dense(2, input_shape=(3,))])
    x = np.ones((4, 3), "float32")
    assert type(model(x).numpy()) is np.ndarray
    assert type(model(x, training=True).numpy()) is np.ndarray
    assert type(model.layers[0](x).numpy()) is np.ndarray
    assert type(model.predict(x, verbose=0)) is np.ndarray
    assert type(tf.keras.losses.MeanSquaredError()(x, x).numpy()) is np.float32
    assert tf.keras.losses.mean_squared_error(x, x).numpy().shape == (4,)
    assert tf.keras.activations.relu(x).numpy().shape == (4, 3)
    outer = fastnn.Model(model.inputs, [model.outputs[0], model.layers[0].output])
    assert [type(y.numpy()) for y in outer(x)] == [np.ndarray] * 2


def test_a_variable():
    v = tf.Variable(3.0, name="v")
    assert v.assign_add(1.0).numpy() == 4
    assert (v.dtype, v.shape, v.name, v.trainable) == ("float32", (), "v", True)
    assert [float(y) for y in (v + 1, 1 - v, v * v, 2 / v, v**2, -v, abs(v))] == [5, -3, 16, 0.5, 16, -4, 4]
    assert (bool(v > 3), bool(v <= 3), bool(v >= 4), bool(v < 4)) == (True, False, True, False)
    assert (2 * v).numpy() == 8
    assert (float(v), int(v)) == (4.0, 4)
    assert "numpy=" in repr(v)
    counter = tf.Variable(0, trainable=False)
    assert counter.assign_add(1).numpy() == 1
    with pytest.raises(TypeError, match=r"holds int32. Received: float64. Use tf.cast"):
        counter.assign(1.5)
    with pytest.raises(ValueError, match=r"must have shape \(\). Received: an array of shape \(2,\)"):
        v.assign([1.0, 2.0])
    assert (v.numpy(), counter.numpy()) == (4, 1)
    with pytest.raises(TypeError, match="A variable holds numbers"):
        tf.Variable("text")
    rows = tf.Variable(lambda: tf.ones((2, 3)))
    assert rows[1].numpy().tolist() == [1, 1, 1]
    assert tf.matmul(rows, rows, transpose_b=True).numpy().tolist() == [[3, 3], [3, 3]]
    assert (len(rows), rows.ndim, rows.read_value().shape) == (2, 2, (2, 3))


def test_random_numbers_repeat_and_have_their_distribution():
    tf.random.set_seed(7)
    first = [tf.random.normal((3,)), tf.random.uniform((3,), 0, 10, tf.int32), tf.random.shuffle(tf.range(9))]
    tf.random.set_seed(7)
    again = [tf.random.normal((3,)), tf.random.uniform((3,), 0, 10, tf.int32), tf.random.shuffle(tf.range(9))]
    for a, b in zip(first, again, strict=True):
        assert a.tolist() == b.tolist()
    assert sorted(first[2].tolist()) == list(range(9))
    assert first[1].dtype == tf.int32
    assert abs(tf.random.normal((20000,), 3.0, 2.0)).shape == (20000,)
    x = tf.random.truncated_normal((20000,), 3.0, 2.0).numpy()
    assert np.abs((x - 3) / 2).max() <= 2
    assert abs(x.mean() - 3) < 0.05
    drawn = tf.random.categorical(np.log([[0.2, 0.8], [1.0, 1e-9]]), 5000).numpy()
    assert abs(drawn[0].mean() - 0.8) < 0.03
    assert drawn[1].sum() == 0
    assert abs(tf.random.poisson((5000,), 4.0).numpy().mean() - 4) < 0.2
    assert abs(tf.random.gamma((5000,), 4.0, 2.0).numpy().mean() - 2) < 0.1
    pair = [tf.random.stateless_normal((2,), (1, 2)).tolist() for _ in range(2)]
    assert pair[0] == pair[1] != tf.random.stateless_normal((2,), (2, 1)).tolist()
    a, b = tf.random.Generator.from_seed(1), tf.random.Generator.from_seed(1)
    assert a.normal((2,)).tolist() == b.normal((2,)).tolist() != a.normal((2,)).tolist()
    with pytest.raises(ValueError, match="needs a maxval"):
        tf.random.uniform((2,), dtype=tf.int32)


def test_symbols_pass_through_the_functions():
    x = tf.keras.Input((4,))
    y = tf.reduce_mean(tf.square(tf.nn.relu(x) - 1.0), axis=-1, keepdims=True)
    z = tf.concat([y, tf.expand_dims(tf.math.exp(x)[:, 0], 1), tf.cast(x > 0, tf.float32)], axis=-1)
    model = tf.keras.Model(x, z)
    data = np.array([[1.0, -1.0, 2.0, 0.0]], "float32")
    expected = [[np.mean((np.maximum(data, 0) - 1) ** 2), np.e, 1, 0, 1, 0]]
    np.testing.assert_allclose(model(data), expected, rtol=1e-6)
    with pytest.raises(fastnn.graph.SymbolError, match="needs the numbers"):
        tf.where(x > 0)


def test_files_and_assertions(tmp_path):
    path = str(tmp_path / "a" / "b.txt")
    tf.io.write_file(path, "hello")
    assert tf.io.read_file(tf.constant(path)) == b"hello"
    assert tf.io.gfile.exists(path)
    assert tf.io.gfile.listdir(str(tmp_path)) == ["a"]
    assert tf.io.matching_files(str(tmp_path / "*" / "*.txt")) == [path]
    with tf.io.gfile.GFile(path) as file:
        assert file.read() == "hello"
    tf.io.gfile.copy(path, path + "2")
    with pytest.raises(FileExistsError, match="overwrite=True"):
        tf.io.gfile.copy(path, path + "2")
    tf.debugging.assert_equal([1, 2], [1, 2])
    tf.debugging.assert_near(1.0, 1.0 + 1e-7)
    tf.debugging.assert_shapes([(tf.ones((2, 3)), ("n", 3)), (tf.ones((2,)), ("n",))])
    for call in (
        lambda: tf.debugging.assert_equal([1, 2], [1, 3]),
        lambda: tf.debugging.check_numerics([np.nan], "bad"),
        lambda: tf.debugging.assert_shapes([(tf.ones((2, 3)), ("n", "n"))]),
        lambda: tf.debugging.Assert(False, ["no"]),
    ):
        with pytest.raises(ValueError, match="Received"):
            call()
    assert (tf.test.is_gpu_available(), tf.executing_eagerly()) == (False, True)


def test_names_that_are_not_there_say_what_to_use():
    for name, words in (
        ("lite", "export_onnx"), ("Session", "no graphs and sessions"), ("Variabel", "Did you mean Variable"),
        ("nn.conv2d", r"tf.keras.layers.Conv2D"), ("data.TFRecordDataset", "from_tensor_slices"),
        ("math.bessel", "Did you mean|There is"), ("strings.ngrams", "There is"), ("random.nothing", "There is"),
        ("linalg.expm", "There is|Did you mean"), ("config.optimizer", "There is|Did you"), ("io.decode_csv", "pandas"),
    ):  # fmt: skip
        part = tf
        *path, last = name.split(".")
        for step in path:
            part = getattr(part, step)
        with pytest.raises(AttributeError, match=words):
            getattr(part, last)


def test_variables_among_the_attributes_of_a_layer_are_its_weights():
    class Linear(tf.keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.w = tf.Variable(tf.ones((3, 2)))
            self.steps = tf.Variable(0, trainable=False)

        def call(self, x):
            return tf.matmul(x, self.w)

    layer = Linear()
    model = tf.keras.Sequential([tf.keras.Input((3,)), layer])
    assert layer.weights == model.trainable_variables == [layer.w]
    model.compile("sgd", "mse")
    before = layer.w.numpy()
    model.fit(np.ones((4, 3)), np.zeros((4, 2)), verbose=0)
    assert (layer.w.numpy() < before).all()

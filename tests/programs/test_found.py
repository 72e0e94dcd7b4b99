"""Programs that broke a promise once, cut down to the lines that matter."""

import pytest

from .runner import replayed

FOUND = {
    "a metric that refuses the shapes does so before the model is prepared": """
x = Input((6, 5, 2))
model = Model(x, layers.Conv2D(3, 2)(x))
model.compile("adam", "hinge", metrics=[metrics.F1Score()])
a1 = np.ones((8, 6, 5, 2))
a2 = np.ones((8, 5, 4, 3))
model.test_on_batch(a1, a2)
model.fit(a1, a2, verbose=0)
""",
    "a batch of two inputs of open lengths, with integers as targets": """
x1, x2 = Input((None, 2)), Input((5,), dtype="int64")
y = layers.Attention()([x1, layers.Embedding(7, 2)(x2)])
model = Model([x1, x2], y)
model.compile("sgd", "cosine_similarity", metrics=["accuracy"])
a1, a2, a3 = np.ones((3, 5, 2), "float32"), np.ones((3, 5), int), np.ones((3, 5, 2), "float32")
model.fit([a1, a2], a3, verbose=0)
a1, a2, a3 = np.ones((1, 1, 2), "float32"), np.ones((1, 5), int), np.ones((1, 1, 2), int)
model.test_on_batch([a1, a2], a3)
""",
    "labels for predictions without a fixed number of classes": """
x = Input((4,))
model = Model(x, ops.tanh(x) @ ops.swapaxes(x, -1, -2))
model.compile("sgd", losses.SparseCategoricalCrossentropy(from_logits=True))
model.fit(np.ones((4, 4)), np.zeros(4, int), verbose=0)
""",
    "a shape that holds other numbers, known when the data come": """
x = Input((5, 3))
model = Model(x, ops.reshape(x, (-1, 2)))
model.predict(np.ones((3, 5, 3)), verbose=0)
""",
    "a length that a layer refuses, before metrics are bound": """
model = Sequential([Input((None, 3)), layers.Reshape(())])
model.compile("adamax", "mse", metrics=[metrics.RootMeanSquaredError()])
model.fit(np.ones((3, 3, 3)), np.ones(3), verbose=0)
""",
    "targets of other byte orders and longer floats": """
model = Sequential([Input((3,)), layers.Dense(1)])
model.compile("adagrad", "mse", metrics=["mae"])
model.fit(np.ones((4, 3)), np.ones((4, 1), ">f4"), verbose=0)
model.fit(np.ones((4, 3)), np.ones((4, 1), "longdouble"), verbose=0)
model.train_on_batch(np.ones((4, 3)), np.ones((4, 1), ">f4"))
""",
    "a layer in a model and in a model within it": """
x = Input((9, 1), dtype="float64")
y = layers.Dropout(0.3, dtype="float64")(layers.LSTM(2, dtype="float64")(x))
inner = Model(x, y)
model = Model(x, [layers.Dense(3, dtype="float64")(inner(x)), layers.Dense(1, dtype="float64")(y)])
a1 = np.ones((3, 9, 1))
comes_back_from_its_file(model, a1)
shared = layers.Dense(3)
x = Input((5, 3))
model = Model(x, layers.add([shared(x), layers.TimeDistributed(shared)(x)]))
a1 = np.ones((2, 5, 3))
comes_back_from_its_file(model, a1)
comes_back_from_its_file(models.clone_model(model), a1)
model = Sequential([Input((3,)), Sequential([shared]), shared])
comes_back_from_its_file(model, a1[0])
""",
    "keys drawn by a call that is refused": """
utils.set_random_seed(1)
model = Sequential()
model.add(Input((5,), dtype="int64"))
model.add(layers.TokenAndPositionEmbedding(9, 3, 2))
layer = layers.Dense(3)
Sequential([Input((3,)), layer, layers.Conv2D(2, 2)])
model = Sequential([layers.Dense(3), layers.Dropout(0.5)])
model.compile("sgd", "mse")
model.fit(np.ones((4, 3)), np.ones((4, 1)), verbose=0)
""",
    "layers that are frozen after training": """
model = Sequential([Input((3,)), layers.Dense(2), layers.Dense(1)])
model.compile("adam", "mse")
model.fit(np.ones((4, 3)), np.ones((4, 1)), verbose=0)
model.layers[0].trainable = False
a1 = np.ones((4, 3))
comes_back_from_its_file(model, a1)
""",
    "slopes of PReLU for another number of channels": """
x = Input((1, 3, 2))
layer = layers.PReLU()
y = layer(layers.Conv2D(1, 1)(x))
layer(x)
""",
    "lengths that do not fit, known when the data come": """
x = Input((None, 3))
model = Model(x, ops.concatenate([x, layers.ZeroPadding1D()(x)], axis=-1))
model.predict(np.ones((1, 1, 3)), verbose=0)
model = Sequential([layers.Lambda(lambda x: 1)])
model.predict(np.ones((1, 3)), verbose=0)
""",
    "callbacks that are none, before a model is measured": """
model = Sequential([Input((4, 1)), layers.Dense(1)])
model.compile("adam", "mse", metrics=[metrics.Precision()])
model.evaluate(np.ones((2, 4, 1)), np.ones((2, 4, 1)), verbose=0, callbacks=range(3))
model.predict(np.ones((2, 4, 1)), verbose=0, callbacks=range(3))
""",
    "keys drawn for an order of the data, when the validation is refused": """
model = Sequential([Input((3,)), layers.Dense(1)])
model.compile("sgd", "mse")
model.train_on_batch(np.ones((4, 3)), np.ones((4, 1)))
model.fit(np.ones((4, 3)), np.ones((4, 1)), verbose=0, validation_data="0")
model.compute_output_shape(())
model.compute_output_shape([(None, 3), (None, 3)])
""",
    "regularizers without a gradient, and layers in the place of one": """
layers.Dense(2, kernel_regularizer=lambda w: 0.1)
layers.Dense(2, kernel_regularizer=layers.Dense(2))
layers.Dense(2, bias_constraint=layers.Dense(2))
""",
    "a layer on a single number": """
x = layers.Lambda(lambda x: 1)(Input((3,)))
layers.Reshape(())(x)
layers.Flatten()(x)
""",
    "functions that do not take what they are called with": """
layers.Dense(2, activation=lambda: 0)
layers.LSTM(2, recurrent_activation=lambda: 0)
model = Sequential([Input((3,)), layers.Dense(1)])
model.compile("sgd", lambda: 0)
model.compile("sgd", layers.Dense(2))
model.compile("sgd", layers.Dense)
model.compile("sgd", "mse", metrics=[lambda: 0])
model.compile("sgd", "mse", loss_weights="nonsense")
model.compile("sgd", "mse", loss_weights=[{}])
model.compile("sgd", "mse", fuse=np.zeros((0, 3)))
""",
    "settings of every layer": """
layers.Dense(2, dtype=2**31)
layers.Dense(2, dtype={})
layers.Dense(2, dtype="nonsense")
layers.Dense(2, trainable=np.array([1, 2]))
layers.Dense(2, batch_input_shape=lambda: 0)
layers.Dense(2, batch_input_shape="")
layers.Dense(2, batch_input_shape=np.array(2))
layers.Dense(2, batch_input_shape=())
Input((3,), dtype="nonsense")
Input((3,), dtype=complex)
Input(batch_shape=2)
Input(batch_shape=())
layers.GaussianNoise(0.1, seed={"a": 1})
layers.LSTM(2, seed=layers.Dense)
layers.StochasticPooling2D(seed="0")
layers.GlobalAveragePooling2D(data_format=np.array([1, 2]))
layers.Lambda(ops.sin, arguments=[None])
layers.MultiHeadAttention(2, 1, output_shape=2**31)
layers.EinsumDense("ab,bc->ac", 2**63)
layers.Lambda(ops.sin, output_shape=3)
layers.ActivityRegularization(0.1, activity_regularizer="l2")
layers.Dense(3, bias_initializer=np.zeros((0, 3)))(Input((2,)))
layers.Softmax(axis=())
""",
    "calls of a model": """
model = Sequential()
model.pop()
model.build(layers.Dense)
model = Sequential([Input((3,)), layers.Dense(1)])
model.compile("sgd", "mse")
model.set_weights(float("inf"))
model.set_weights({})
model.get_layer({})
model.get_layer(np.zeros((0, 3)))
model.get_layer(index=(1,))
model.get_layer(index=np.float64(0.5))
model.get_layer(index=np.array([1, 2]))
model.compute_output_shape(np.float64(0.5))
model.compute_output_shape(object())
model.fit(np.ones((4, 3)), np.ones((4, 1)), verbose=0, validation_split=np.array([1, 2]))
model.fit(np.ones((4, 3)), np.ones((4, 1)), verbose=np.array([1, 2]))
model.fit(np.ones((4, 3)), np.ones((4, 1)), verbose=0, shuffle=np.array([1, 2]))
inner = Sequential([Input((3,)), layers.Dense(3)])
described = Sequential([Input((3,)), inner, layers.Dense(1, name="last")]).to_json()
models.model_from_json(described.replace('"Dense", "config": {"name": "last"', '"Dens", "config": {"name": "last"'))
model = Sequential([layers.Lambda(lambda x: 1)])
model.compile(loss="huber", metrics=["mse"])
model.fit(np.ones((3, 5)), np.ones(3), verbose=0)
optimizers.SGD(layers.Dense(1))
""",
}


@pytest.mark.parametrize("title", FOUND)
def test_promises_hold(title):
    replayed(FOUND[title].strip().splitlines(), title)

"""``GradientTape``: gradients of functions, layers, models and losses; what it refuses."""

import numpy as np
import pytest

import fastnn
import fastnn.compat.tensorflow as tf
from fastnn import layers

from .table import GRADIENTS

RNG = np.random.default_rng(0)
X = np.array([[0.5, 1.5, 2.0], [1.25, 0.1, 0.75]])
W = np.array([[1.0, -2.0, 0.5], [0.25, 3.0, 1.75]])


def differences(function, array, h=1e-6):
    """The slope of the sum of ``function(array)``, by central differences."""
    found = np.zeros_like(array)
    for place in np.ndindex(array.shape):
        sides = []
        for step in (h, -h):
            moved = array.copy()
            moved[place] += step
            sides.append(float(np.sum(function(moved))))
        found[place] = (sides[0] - sides[1]) / (2 * h)
    return found


@pytest.mark.parametrize("expression", [e for e in GRADIENTS if "stop_gradient" not in e and "float64" not in e])
def test_a_function_against_differences(expression):
    x, w = tf.Variable(X), tf.Variable(W)
    with tf.GradientTape() as tape:
        y = eval(expression, {"tf": tf, "x": x, "w": w})
    dx, dw = tape.gradient(y, [x, w], unconnected_gradients=tf.UnconnectedGradients.ZERO)
    numeric_x = differences(lambda a: eval(expression, {"tf": tf, "x": tf.constant(a), "w": tf.constant(W)}), X)
    numeric_w = differences(lambda a: eval(expression, {"tf": tf, "x": tf.constant(X), "w": tf.constant(a)}), W)
    np.testing.assert_allclose(dx, numeric_x, atol=1e-5, rtol=1e-3)
    np.testing.assert_allclose(dw, numeric_w, atol=1e-5, rtol=1e-3)


def network():
    fastnn.utils.set_random_seed(1)
    return fastnn.Sequential(
        [
            layers.Input((6, 5)),
            layers.Conv1D(4, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.LSTM(3),
            layers.Dense(3, kernel_regularizer=None),
        ]
    )


X3, LABELS = RNG.normal(size=(7, 6, 5)).astype("float32"), np.array([0, 1, 2, 0, 1, 2, 0])


class Subclassed(fastnn.Model):
    def __init__(self):
        super().__init__()
        self.inner = network()

    def call(self, x, training=False):
        return self.inner(x, training=training)


@pytest.mark.parametrize("kind", ["whole", "layer by layer", "subclassed"])
@pytest.mark.parametrize("persistent", [False, True])
def test_a_model_has_the_gradients_of_training(kind, persistent):
    loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    twin = network()
    twin.compile("sgd", loss)
    expected_loss = twin.train_on_batch(X3, LABELS)
    expected = [p.grad.copy() for p in twin.trainable_weights]
    model = Subclassed() if kind == "subclassed" else network()
    with tf.GradientTape(persistent=persistent) as tape:
        if kind == "layer by layer":
            logits = X3
            for layer in model.layers:
                logits = layer(logits, training=True)
        else:
            logits = model(X3, training=True)
        value = loss(LABELS, logits)
    assert abs(float(value) - expected_loss) < 1e-6
    for _ in range(1 + persistent):
        found = tape.gradient(value, model.trainable_variables)
        for mine, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(mine, other, rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize(
    "loss",
    [
        lambda t, y: tf.keras.losses.MeanSquaredError()(t, y),
        lambda t, y: tf.keras.losses.MeanSquaredError()(t, y, sample_weight=[1.0, 2.0]),
        lambda t, y: tf.keras.losses.MeanAbsoluteError(reduction="sum")(t, y),
        lambda t, y: tf.keras.losses.Huber(reduction=None)(t, y) * [1.0, 2.0],
        lambda t, y: tf.keras.losses.MeanSquaredError(reduction="none")(t, y, sample_weight=[3.0, 2.0]),
        lambda t, y: tf.keras.losses.CategoricalCrossentropy(from_logits=True)(tf.nn.softmax(t), y),
        lambda t, y: tf.keras.losses.mean_squared_error(t, y) * 2,
        lambda t, y: tf.keras.losses.get(lambda a, b: tf.reduce_mean((a - b) ** 4))(t, y),
        lambda t, y: tf.keras.losses.get(lambda a, b: (a - b) ** 4)(t, y),
        lambda t, y: tf.keras.losses.CosineSimilarity()(t, y),
        lambda t, y: tf.keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.1)(
            tf.cast(t > 0, "float64"), y
        ),
    ],
)
def test_a_loss_against_differences(loss):
    y = tf.Variable(X)
    with tf.GradientTape() as tape:
        value = loss(W, y)
    plain = loss(W, tf.constant(X))
    np.testing.assert_allclose(value, plain, rtol=1e-12)
    np.testing.assert_allclose(tape.gradient(value, y), differences(lambda a: loss(W, a), X), atol=1e-5, rtol=1e-3)


def test_what_is_followed():
    x, v, still = tf.constant(3.0), tf.Variable(2.0), tf.Variable(5.0, trainable=False)
    with tf.GradientTape() as tape:
        y = x * v * still
    assert [g if g is None else float(g) for g in tape.gradient(y, [x, v, still])] == [None, 15.0, None]
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch([x, still])
        y = x * v * still
    assert [g if g is None else float(g) for g in tape.gradient(y, {"x": x, "v": v, "s": still}).values()] == [
        10,
        None,
        6,
    ]
    with tf.GradientTape(persistent=True) as tape:
        y = v * v
        with tape.stop_recording():
            z = v * v
    assert float(tape.gradient(y, v)) == 4
    assert tape.gradient(z, v) is None
    assert tape.gradient(z, v, unconnected_gradients="zero").numpy() == 0
    assert tape.watched_variables() == (v,)
    assert float(tape.gradient(v, v)) == 1
    assert tape.gradient([y, y], v).numpy() == 8
    assert tape.gradient(y, v, output_gradients=tf.constant(3.0)).numpy() == 12


def test_two_tapes_at_once_as_in_a_gan():
    g, d = tf.Variable(2.0), tf.Variable(3.0)
    with tf.GradientTape() as first, tf.GradientTape() as second:
        fake = g * 2
        score = d * fake
        loss_g, loss_d = -score, score * score
    assert first.gradient(loss_g, g).numpy() == -6
    assert second.gradient(loss_d, d).numpy() == 2 * 12 * 4


def test_operators_of_numpy_and_of_python_are_followed():
    x = tf.constant(X)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        ys = [2 * x, x / 2, 1 - x, x**2, -x, np.exp(x), np.ones((2, 3)) * x, x[0], x[x > 1], x.sum(), x.T, np.mean(x)]
        ys += [x.reshape(-1) ** 2, sum(x), x @ x.T]
        total = x
        total += x
        total *= 3
    for y in (*ys, total):
        assert tape.gradient(y, x) is not None
    assert tape.gradient(total, x).tolist() == np.full((2, 3), 6.0).tolist()
    assert tape.gradient(x[x > 1], x) is None  # after the block
    jacobian = tape.jacobian(ys[7], x)
    assert jacobian.shape == (3, 2, 3)
    assert jacobian.numpy()[:, 0].tolist() == np.eye(3).tolist()


def test_a_kept_tape_does_not_feel_the_update():
    v = tf.Variable([1.0, 2.0])
    with tf.GradientTape(persistent=True) as tape:
        y = v * v
    first = tape.gradient(y, v).numpy()
    v.assign_sub(first)
    assert tape.gradient(y, v).numpy().tolist() == first.tolist() == [2, 4]


def test_a_gradient_of_the_users_own():
    @tf.custom_gradient
    def clipped(x):
        return x * 1.0, lambda dy: tf.clip_by_value(dy, -0.5, 0.5)

    x = tf.Variable([1.0, 2.0])
    with tf.GradientTape() as tape:
        y = clipped(x) * [0.25, 4.0]
    assert tape.gradient(y, x).numpy().tolist() == [0.25, 0.5]
    with pytest.raises(TypeError, match="Write a Layer with forward and backward"):
        clipped(layers.Input((2,)))


def test_what_is_refused():
    x = tf.Variable([1.0, 2.0])
    with tf.GradientTape() as tape:
        y = x * x
    tape.gradient(y, x)
    with pytest.raises(RuntimeError, match=r"can compute gradients only once. Use tf.GradientTape\(persistent=True\)"):
        tape.gradient(y, x)
    with tf.GradientTape() as tape, pytest.raises(TypeError, match=r"Received: ndarray. Use x = tf.constant\(x\)"):
        tape.watch(np.ones(2))
    with tf.GradientTape() as tape, pytest.warns(UserWarning, match="Only reals have gradients"):
        tape.watch(tf.constant(3))
    with tf.GradientTape() as tape:
        with pytest.raises(ValueError, match="already open"):
            tape.__enter__()
        c = x * 1.0
        with pytest.raises(TypeError, match=r"cannot be written into. Use tf.where"):
            c[0] = 3.0
        with pytest.raises(NotImplementedError, match=r"tf.math.cumprod has no gradient here. Use tf.stop_gradient"):
            tf.math.cumprod(x)
    with pytest.raises(RuntimeError, match="persistent=True"):
        tape.jacobian(c, x)
    c[0] = 3.0
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            y = x * x
        slope = tf.reduce_sum(inner.gradient(y, x) ** 2)
    with pytest.raises(NotImplementedError, match="The gradient of a gradient is not known"):
        outer.gradient(slope, x)
    with tf.GradientTape() as tape:
        pass
    assert not fastnn.graph.is_recording()


def test_penalties_of_weights_stand_in_losses():
    fastnn.utils.set_random_seed(2)
    model = fastnn.Sequential(
        [layers.Dense(3, kernel_regularizer="l2", bias_regularizer="l1", input_shape=(5,)), layers.Dense(1)]
    )
    kernel, bias = model.layers[0].weights
    bias.assign([0.5, -1.0, 2.0])
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model(np.zeros((2, 5)))) * 0.0 + sum(model.losses)
    expected = 0.01 * (kernel.numpy() ** 2).sum() + 0.01 * 3.5
    np.testing.assert_allclose(loss, expected, rtol=1e-6)
    dk, db, *_ = tape.gradient(loss, model.trainable_variables)
    np.testing.assert_allclose(dk, 0.02 * kernel.numpy(), rtol=1e-6)
    np.testing.assert_allclose(db, 0.01 * np.sign(bias.numpy()), rtol=1e-6)
    assert layers.Dense(2, input_shape=(3,)).losses == []


def test_a_gan_of_models_has_the_gradients_of_persistent_tapes():
    fastnn.utils.set_random_seed(4)
    gen = fastnn.Sequential([layers.Dense(4, activation="relu", input_shape=(3,)), layers.Dense(5)])
    disc = fastnn.Sequential([layers.Dense(4, activation="tanh", input_shape=(5,)), layers.Dense(1)])
    bce, noise = tf.keras.losses.BinaryCrossentropy(from_logits=True), RNG.normal(size=(6, 3)).astype("float32")

    def losses():
        score = disc(gen(noise, training=True), training=True)
        return bce(tf.ones_like(score), score), bce(tf.zeros_like(score), score)

    with tf.GradientTape() as first, tf.GradientTape() as second:
        of_gen, of_disc = losses()
    found = [first.gradient(of_gen, gen.trainable_variables), second.gradient(of_disc, disc.trainable_variables)]
    with tf.GradientTape(persistent=True) as tape:
        of_gen, of_disc = losses()
    expected = [tape.gradient(of_gen, gen.trainable_variables), tape.gradient(of_disc, disc.trainable_variables)]
    for mine, other in zip([*found[0], *found[1]], [*expected[0], *expected[1]], strict=True):
        assert np.abs(other).max() > 0
        np.testing.assert_array_equal(mine, other)


@pytest.mark.parametrize("make", [network, Subclassed, lambda: layers.Dense(2), lambda: layers.LSTM(2)])
def test_the_gradient_of_an_input_that_is_a_variable(make):
    call, image = make(), tf.Variable(X3)
    with tf.GradientTape() as tape:
        y = tf.reduce_sum(call(image) ** 2)
    watched = tf.constant(X3)
    with tf.GradientTape() as other:
        other.watch(watched)
        z = tf.reduce_sum(call(watched) ** 2)
    found, expected = tape.gradient(y, image), other.gradient(z, watched)
    assert np.abs(expected).max() > 0
    np.testing.assert_array_equal(found, expected)

"""Words of Keras 2 and TensorFlow 1 in scripts of today: they work with a warning, or the error says what to write."""

import numpy as np
import pytest

import fastnn.compat.tensorflow as tf

X = np.random.default_rng(0).normal(size=(12, 3)).astype("float32")
Y = np.arange(12) % 2


def model(units=2, activation="softmax"):
    found = tf.keras.Sequential([tf.keras.layers.Dense(units, activation, input_shape=(3,))])
    found.compile("sgd", "sparse_categorical_crossentropy" if units > 1 else "binary_crossentropy", metrics=["acc"])
    return found


def batches():
    while True:
        yield X, Y


def test_calls_of_keras_2_work_with_a_warning():
    m = model()
    with pytest.warns(UserWarning, match=r"no fit_generator any more. Use model.fit."):
        history = m.fit_generator(batches(), 2, epochs=1, verbose=0, workers=4, use_multiprocessing=False)
    assert list(history.history) == ["acc", "loss"]
    with pytest.warns(UserWarning, match="Use model.evaluate"):
        assert len(m.evaluate_generator(batches(), steps=1, verbose=0)) == 2
    with pytest.warns(UserWarning, match="Use model.predict"):
        assert m.predict_generator(batches(), 2, verbose=0).shape == (24, 2)
    with pytest.warns(UserWarning, match=r"Use np.argmax\(model.predict\(x\), axis=-1\)"):
        assert m.predict_classes(X).tolist() == m.predict(X, verbose=0).argmax(1).tolist()
    with pytest.warns(UserWarning, match="Use model.predict"):
        assert m.predict_proba(X).shape == (12, 2)
    with pytest.warns(UserWarning, match="predict_classes"):
        assert set(model(1, "sigmoid").predict_classes(X).ravel().tolist()) <= {0, 1}


def test_arguments_of_keras_2_say_the_word_of_today():
    with pytest.raises(TypeError, match=r"no argument lr. .*Use learning_rate=\."):
        tf.keras.optimizers.Adam(lr=0.1)
    with pytest.raises(TypeError, match=r"no argument decay. .*InverseTimeDecay\(learning_rate, 1, decay\)"):
        tf.keras.optimizers.SGD(0.1, decay=1e-6)


def test_what_is_left_of_tensorflow_1():
    tf.compat.v1.set_random_seed(1)
    tf.compat.v1.logging.set_verbosity(tf.compat.v1.logging.ERROR)
    tf.get_logger().setLevel("ERROR")
    with pytest.raises(AttributeError, match=r"tf\.compat\.v1\.Session is of TensorFlow 1"):
        tf.compat.v1.Session  # noqa: B018


def test_a_step_of_ones_own_is_refused_before_anything_is_trained():
    class Own(tf.keras.Sequential):
        def train_step(self, data):
            raise AssertionError("not called")

        test_step = train_step

    m = Own([tf.keras.layers.Dense(1, input_shape=(3,))])
    m.compile("sgd", "mse")
    for call in (lambda: m.fit(X, Y, verbose=0), lambda: m.evaluate(X, Y, verbose=0)):
        with pytest.raises(NotImplementedError, match=r"does not call Own.t\w+_step. Write the loop: .*GradientTape"):
            call()

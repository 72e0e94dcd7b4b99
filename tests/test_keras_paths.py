"""Scripts written for Keras, with only the package name in their imports changed."""

import subprocess
import sys

import numpy as np
import pytest

TEXTS = """
first = ["나는 학교에 간다", "그는 밥을 먹는다", "날씨가 참 좋다", "비가 많이 온다"] * 10
second = ["나는 학교에 가요", "기차가 늦었다", "오늘은 날씨가 좋다", "영화가 재미있다"] * 10
y = np.array([1, 0, 1, 0] * 10)

tokenizer = Tokenizer(num_words=5000, oov_token="<OOV>")
tokenizer.fit_on_texts(first + second)
joined = [a + b for a, b in zip(tokenizer.texts_to_sequences(first), tokenizer.texts_to_sequences(second))]
X = pad_sequences(joined, maxlen=12, padding="post")
"""
LAYERS = """
model = Sequential()
model.add(Embedding(5000, 64))
model.add(Bidirectional(LSTM(64, return_sequences=True)))
model.add(Bidirectional(LSTM(32)))
model.add(Dense(64, activation="relu"))
model.add(Dropout(0.2))
model.add(Dense(1, activation="sigmoid"))
model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
history = model.fit(dataset, epochs=2, validation_data=(X, y))
model.summary()
print(model.evaluate(X, y, verbose=0), model.predict(X[:2]).shape, history.history["val_accuracy"])
"""
THROUGH_TENSORFLOW = f"""
import numpy as np
import tensorflow as tf
from tensorflow.keras.layers import LSTM, Bidirectional, Dense, Dropout, Embedding
from tensorflow.keras.models import Sequential
from tensorflow.keras.preprocessing.sequence import pad_sequences
from tensorflow.keras.preprocessing.text import Tokenizer
{TEXTS}
tf.keras.utils.set_random_seed(1)
dataset = tf.data.Dataset.from_tensor_slices((X, y)).shuffle(10000).batch(16).prefetch(tf.data.AUTOTUNE)
{LAYERS}
"""
KERAS_ALONE = f"""
import numpy as np
import keras
from keras.layers import LSTM, Bidirectional, Dense, Dropout, Embedding
from keras.models import Sequential
from keras.preprocessing.sequence import pad_sequences
from keras.preprocessing.text import Tokenizer
from keras.data import Dataset
{TEXTS}
keras.utils.set_random_seed(1)
dataset = Dataset.from_tensor_slices((X, y)).shuffle(10000).batch(16)
{LAYERS}
"""


@pytest.mark.parametrize(
    ("script", "word"), [(THROUGH_TENSORFLOW, "tensorflow"), (KERAS_ALONE, "keras")], ids=["tensorflow", "keras"]
)
def test_the_bilstm_of_a_lesson(script, word):
    lines = script.splitlines()
    for i, line in enumerate(lines):
        if line == f"import {word}":
            lines[i] = f"import fastnn as {word}"
        elif line.startswith(("import ", "from ")):
            lines[i] = line.replace(word, "fastnn")
    command = [sys.executable, "-W", "error", "-c", "\n".join(lines)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    for text in ("Epoch 2/2", "3/3", "66,048", "41,216", "4,160", "(2, 1)"):
        assert text in done.stdout


def test_keras_is_fastnn_itself():
    import fastnn
    import fastnn.keras.preprocessing.text as text
    from fastnn.keras import layers, ops, random
    from fastnn.keras.optimizers.schedules import CosineDecay

    assert (ops, random) == (fastnn.ops, fastnn.random)
    assert fastnn.keras.layers is layers is fastnn.layers
    assert text is fastnn.preprocessing.text
    assert CosineDecay is fastnn.optimizers.schedules.CosineDecay


def test_the_backend_of_older_scripts():
    import fastnn
    from fastnn.keras import backend as K

    assert fastnn.keras.backend is K
    assert K is not fastnn.backend
    y, p = np.array([[1.0, 0.0], [0.0, 1.0]], "float32"), np.array([[0.8, 0.2], [0.4, 0.6]], "float32")

    def dice(y_true, y_pred):
        both = K.sum(K.flatten(y_true) * K.flatten(y_pred))
        return 1 - (2 * both + K.epsilon()) / (K.sum(y_true) + K.sum(y_pred) + K.epsilon())

    assert abs(float(dice(y, p)) - 0.3) < 1e-6
    model = fastnn.Sequential([fastnn.layers.Input((2,)), fastnn.layers.Dense(2, "sigmoid")])
    model.compile("sgd", dice)
    model.fit(y, y, verbose=0)
    K.set_value(model.layers[0].bias, [1.0, 2.0])
    assert K.get_value(model.layers[0].bias).tolist() == [1, 2]
    K.set_epsilon(1e-7)
    for call, words in (
        (lambda: K.set_epsilon(1e-3), "1e-7 in the kernels"),
        (lambda: K.set_image_data_format("channels_first"), "data_format="),
    ):
        with pytest.raises(ValueError, match=words):
            call()
    K.set_value(model.optimizer.learning_rate, 0.125)
    assert K.get_value(model.optimizer.lr) == model.optimizer.learning_rate.numpy() == 0.125
    with pytest.raises(TypeError, match=r"model\.optimizer\.learning_rate = value"):
        K.set_value(0.1, 0.2)


def test_every_function_of_the_backend_runs():
    """Once each, on an array; values are those of ``ops``, which has tests of its own."""
    from fastnn.keras import backend as K

    x = np.array([[0.25, 0.5], [0.75, 1.0]], "float32")
    special = {
        "arange": (3,), "binary_crossentropy": (x, x), "categorical_crossentropy": (x, x), "cast": (x, "int32"),
        "clip": (x, 0.3, 0.6), "concatenate": ([x, x],), "constant": (1.0,), "dot": (x, x),
        "batch_dot": (x[None], x[None]),
        "equal": (x, x), "not_equal": (x, x), "greater": (x, x), "greater_equal": (x, x), "less": (x, x),
        "less_equal": (x, x), "maximum": (x, x), "minimum": (x, x), "expand_dims": (x, 0), "eye": (2,),
        "one_hot": (np.array([0, 1]), 2), "ones": ((2,),), "zeros": ((2,),), "permute_dimensions": (x, (1, 0)),
        "pow": (x, 2), "random_normal": ((2,),), "random_uniform": ((2,),), "reshape": (x, (4,)), "tile": (x, (2, 1)),
        "sparse_categorical_crossentropy": (np.array([0, 1]), x), "stack": ([x, x],), "switch": (x > 0.5, x, -x),
    }  # fmt: skip
    settings = {"backend", "clear_session", "epsilon", "floatx", "image_data_format", "set_epsilon", "set_floatx"}
    settings |= {"set_image_data_format", "set_value", "update", "update_add", "update_sub"}
    for name in sorted(set(K.__all__) - settings):
        assert getattr(K, name)(*special.get(name, (x,))) is not None, name
    assert K.backend() == "fastnn"

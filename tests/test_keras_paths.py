"""Scripts written for Keras, with only the package name in their imports changed."""

import subprocess
import sys

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

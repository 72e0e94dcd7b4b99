"""Models that read texts: trained, predicted from, saved; beside numbers; and what is refused."""

import numpy as np
import pytest

import fastnn
from fastnn import layers
from fastnn.data import Dataset

TEXTS = np.array(["good film", "a bad film", "good good", "so bad"] * 8)
LABELS = np.array([1, 0, 1, 0] * 8)


def vectorizer(**settings):
    layer = layers.TextVectorization(**settings)
    layer.adapt(TEXTS)
    return layer


def classifier(inputs=True):
    model = fastnn.Sequential(
        [
            *([layers.Input((1,), dtype="string")] if inputs else []),
            vectorizer(output_sequence_length=4),
            layers.Embedding(20, 4, mask_zero=True),
            layers.GlobalAveragePooling1D(),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(fastnn.optimizers.Adam(0.05), "binary_crossentropy", metrics=["accuracy"])
    return model


@pytest.mark.parametrize("x", [TEXTS, TEXTS[:, None], TEXTS.tolist(), TEXTS.astype("S"), TEXTS.astype(object)],
                         ids=["array", "column", "list", "bytes", "objects"])  # fmt: skip
@pytest.mark.parametrize("inputs", [True, False])
def test_a_model_trains_on_texts(x, inputs):
    fastnn.utils.set_random_seed(1)
    model = classifier(inputs)
    model.fit(x, LABELS, epochs=15, batch_size=8, verbose=0, validation_split=0.25)
    assert model.evaluate(x, LABELS, verbose=0)[1] == 1
    good, bad = model.predict(["good", "bad"], verbose=0)[:, 0]
    assert good > 0.5 > bad
    np.testing.assert_allclose(model(np.array([["good"], ["bad"]]))[:, 0], [good, bad], rtol=1e-6)


def test_a_data_set_of_texts():
    model = classifier()
    data = Dataset.from_tensor_slices((TEXTS, LABELS)).shuffle(32, seed=1).batch(8)
    model.fit(data, epochs=2, verbose=0)
    assert model.predict(data, verbose=0).shape == (32, 1)


def test_a_model_of_texts_is_saved(tmp_path):
    model = classifier()
    model.fit(TEXTS, LABELS, epochs=2, verbose=0)
    model.save(tmp_path / "m.safetensors")
    again = fastnn.models.load_model(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(again.predict(TEXTS, verbose=0), model.predict(TEXTS, verbose=0))
    assert again.layers[0].get_vocabulary() == model.layers[0].get_vocabulary()
    again.fit(TEXTS, LABELS, verbose=0)
    model.fit(TEXTS, LABELS, verbose=0)
    np.testing.assert_array_equal(again.predict(TEXTS, verbose=0), model.predict(TEXTS, verbose=0))


def test_texts_beside_numbers(tmp_path):
    """Columns of a table, each with its own layer, in one model."""
    kind, age, size = (
        layers.Input((1,), dtype=d, name=n) for d, n in (("string", "kind"), ("int64", "age"), ("float32", "size"))
    )
    lookup = layers.StringLookup(vocabulary=["cat", "dog"], output_mode="one_hot")
    normal = layers.Normalization(mean=3.0, variance=4.0)
    crossed = layers.HashedCrossing(8, "one_hot")([kind, age])
    parts = [lookup(kind), layers.IntegerLookup(vocabulary=[1, 2], output_mode="one_hot")(age), normal(size), crossed]
    model = fastnn.Model([kind, age, size], layers.Dense(1)(layers.Concatenate()(parts)))
    model.compile("adam", "mse")
    rng = np.random.default_rng(0)
    x = {
        "kind": rng.choice(["cat", "dog", "cow"], 30),
        "age": rng.integers(0, 4, 30),
        "size": rng.standard_normal(30),
    }
    y = (x["kind"] == "dog") + x["size"]
    before = model.evaluate(x, y, verbose=0)
    model.fit(x, y, epochs=20, verbose=0)
    assert model.evaluate(x, y, verbose=0) < before
    model.fit(Dataset.from_tensor_slices((x, y)).batch(5), verbose=0)
    model.save(tmp_path / "m.safetensors")
    again = fastnn.models.load_model(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))


def test_a_model_of_texts_within_a_model():
    inner = fastnn.Sequential([layers.Input((1,), dtype="string"), vectorizer(output_mode="multi_hot")])
    outer = fastnn.Sequential([layers.Input((1,), dtype="string"), inner, layers.Dense(1)])
    outer.compile("sgd", "mse")
    outer.fit(TEXTS, LABELS, verbose=0)
    assert outer.predict(TEXTS, verbose=0).shape == (32, 1)


def test_a_class_that_writes_call():
    class Reader(fastnn.Model):
        def __init__(self):
            super().__init__()
            self.words, self.dense = vectorizer(output_mode="count"), layers.Dense(1)

        def call(self, x):
            return self.dense(self.words(x))

    model = Reader()
    model.compile("sgd", "mse")
    model.fit(TEXTS, LABELS, verbose=0)
    assert model.predict(TEXTS, verbose=0).shape == (32, 1)


def test_ids_come_back_as_texts():
    model = fastnn.Sequential(
        [layers.Input((2,), dtype="int64"), layers.StringLookup(vocabulary=["x", "y"], invert=True)]
    )
    assert model.predict([[1, 2], [0, 1]], verbose=0).tolist() == [["x", "y"], ["[UNK]", "x"]]


def test_hashing_reads_what_the_input_says():
    words = fastnn.Sequential([layers.Input((1,), dtype="string"), layers.Hashing(3)])
    assert words.predict(["A", "B"], verbose=0).ravel().tolist() == [1, 0]
    ids = fastnn.Sequential([layers.Hashing(3)])
    assert ids.predict(np.array([[5]]), verbose=0).shape == (1, 1)
    with pytest.raises(TypeError, match='Use Input\\(shape=\\(1,\\), dtype="string"\\)'):
        fastnn.Sequential([layers.Hashing(3)]).predict(np.array([["A"]]), verbose=0)


@pytest.mark.parametrize(("call", "words"), [
    (lambda: layers.Dense(2)(layers.Input((1,), dtype="string")), "needs numbers.*Use TextVectorization"),
    (lambda: -layers.Input((1,), dtype="string"), "needs numbers"),
    (lambda: layers.Concatenate()([layers.Input((1,), dtype="string"), layers.Input((1,))]), "needs numbers"),
    (lambda: classifier().fit(LABELS, LABELS, verbose=0), "x must hold texts for layer \"text_vectorization"),
    (lambda: classifier().predict(np.array(["a", 3], object)), "takes texts. Received: 3"),
])  # fmt: skip
def test_refused(call, words):
    with pytest.raises(TypeError, match=words):
        call()


def test_a_refused_call_changes_nothing():
    model = fastnn.Sequential([layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(TypeError, match=r"x must hold numbers.*the first 'good film'"):
        model.fit(TEXTS[:, None], LABELS, verbose=0)
    assert not model.built


def test_a_layer_of_ones_own_in_front_reads_numbers_unless_an_input_says_texts():
    class Own(layers.Layer):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(3)

        def call(self, x):
            return self.dense(x)

    for inner in (Own(), fastnn.Sequential([Own()])):
        model = fastnn.Sequential([inner, layers.Dense(1)])
        assert model.predict(np.ones((2, 4)), verbose=0).shape == (2, 1)

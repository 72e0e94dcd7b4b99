"""TextVectorization: Keras' numbers, Korean splits, and what it refuses."""

import unicodedata

import numpy as np
import pytest

import fastnn
from fastnn.data import Dataset
from fastnn.layers import TextVectorization
from fastnn.layers.preprocessing.tokens import jamo, syllables

TEXTS = ["b a c c", "d b  e", "Ab, ab! x"]
ORDER = ["c", "b", "ab", "x", "e", "d", "a"]  # Keras' order: ties in reverse alphabetical order


def adapted(texts=TEXTS, **settings):
    vectorize = TextVectorization(**settings)
    vectorize.adapt(texts)
    return vectorize


def test_ids():
    vectorize = adapted()
    assert vectorize.get_vocabulary() == ["", "[UNK]", *ORDER]
    assert vectorize.get_vocabulary(include_special_tokens=False) == ORDER
    assert vectorize.vocabulary_size() == 9
    ids = vectorize(TEXTS)
    assert ids.dtype == np.int64
    assert ids.tolist() == [[3, 8, 2, 2], [7, 3, 6, 0], [4, 4, 5, 0]]
    assert vectorize("b zzz").tolist() == [3, 1]
    assert vectorize(np.array([["b a"], ["c"]])).tolist() == [[3, 8], [2, 0]]
    assert vectorize([b"b a"]).tolist() == [[3, 8]]
    assert vectorize(["", ""]).shape == (2, 0)


def test_lengths_and_sizes():
    assert adapted(output_sequence_length=2)(TEXTS).tolist() == [[3, 8], [7, 3], [4, 4]]
    assert adapted(output_sequence_length=6)("b a").tolist() == [3, 8, 0, 0, 0, 0]
    small = adapted(max_tokens=4)
    assert small.get_vocabulary() == ["", "[UNK]", "c", "b"]
    assert small(TEXTS).tolist() == [[3, 1, 2, 2], [1, 3, 1, 0], [1, 1, 1, 0]]
    assert adapted(max_tokens=4, output_mode="count").get_vocabulary() == ["[UNK]", "c", "b", "ab"]


@pytest.mark.parametrize(
    ("mode", "row"),
    [
        ("multi_hot", [1, 0, 1, 0, 0, 0, 0, 0]),
        ("binary", [1, 0, 1, 0, 0, 0, 0, 0]),
        ("count", [2, 0, 1, 0, 0, 0, 0, 0]),
        ("tf_idf", [2 * 0.8844131, 0, 0.6931472, 0, 0, 0, 0, 0]),
    ],
)
def test_rows(mode, row):
    vectorize = adapted(output_mode=mode)
    assert vectorize.get_vocabulary() == ["[UNK]", *ORDER]
    rows = vectorize(["zzz b zzz", ""])
    assert rows.dtype == np.float32
    np.testing.assert_allclose(rows, [row, [0] * 8], rtol=1e-6)
    np.testing.assert_allclose(vectorize("zzz b zzz"), row, rtol=1e-6)
    padded = adapted(output_mode=mode, max_tokens=10, pad_to_max_tokens=True)
    np.testing.assert_allclose(padded("zzz b zzz"), [*row, 0, 0], rtol=1e-6)


@pytest.mark.parametrize(
    ("ngrams", "vocabulary", "ids"),
    [
        (2, ["b", "a", "c", "b c", "a b", "d", "c d", "c a"], [3, 2, 4, 3, 6, 5, 9]),
        ((2,), ["b c", "a b", "c d", "c a"], [3, 2, 5]),
        ((3, 1), ["b", "a", "c", "a b c", "d", "b c d", "b c a"], [5, 8, 3, 2, 4, 3]),
    ],
)
def test_ngrams(ngrams, vocabulary, ids):
    vectorize = adapted(["a b c a", "b", "a b c d"], ngrams=ngrams)
    assert vectorize.get_vocabulary(False) == vocabulary
    assert vectorize("a b c a").tolist() == ids


def test_standardizations_handle_only_ascii_as_in_keras():
    text = "Hey, ÀB Ünd-so [x]\tα\u3000β"
    for name, words in (
        ("lower", ["[x]", "hey,", "Àb", "Ünd-so", "α\u3000β"]),
        ("strip_punctuation", ["Hey", "x", "ÀB", "Ündso", "α\u3000β"]),
        ("lower_and_strip_punctuation", ["hey", "x", "Àb", "Ündso", "α\u3000β"]),
        (None, ["Hey,", "[x]", "ÀB", "Ünd-so", "α\u3000β"]),
        (str.lower, ["[x]", "hey,", "àb", "ünd-so", "α\u3000β"]),
        (np.char.upper, ["HEY,", "[X]", "ÀB", "ÜND-SO", "Α\u3000Β"]),
    ):
        assert sorted(adapted([text], standardize=name).get_vocabulary(False)) == sorted(words)


def test_splits():
    assert adapted(["a b", "가나 b"], split="character").get_vocabulary(False) == ["b", " ", "나", "가", "a"]
    assert adapted(["a-b", "b-c"], split=lambda text: text.split("-"), standardize=None)("a-b-c").tolist() == [4, 2, 3]
    whole = adapted(["a b", "c", "a b"], split=None)
    assert whole.get_vocabulary(False) == ["a b", "c"]
    assert whole(["a b", "c"]).tolist() == [2, 3]
    assert whole([["a b", "c"], ["c", "zz"]]).tolist() == [[2, 3], [3, 1]]
    assert whole("c") == 3
    rows = adapted(["a b", "c", "a b"], split=None, output_mode="multi_hot")
    assert rows(["a b", "c"]).tolist() == [0, 1, 1]
    assert rows([["a b", "c"], ["c", "zz"]]).tolist() == [[0, 1, 1], [1, 0, 1]]


def test_korean():
    text = "영화 GPU3 좋아요ㅋㅋ… 2,000원"
    tokens = ["영", "화", "GPU3", "좋", "아", "요", "ㅋ", "ㅋ", "…", "2", ",", "000", "원"]
    assert syllables(text) == tokens
    assert syllables(unicodedata.normalize("NFD", text)) == tokens
    assert "".join(jamo("닭을")) == unicodedata.normalize("NFD", "닭을")
    every = [chr(c) for c in range(0xAC00, 0xD7A4)]
    assert [unicodedata.normalize("NFC", "".join(jamo(s))) for s in every] == every
    vectorize = adapted(["재미 있다", "재미 없다"], split="syllable")
    assert vectorize.get_vocabulary() == ["", "[UNK]", "재", "미", "다", "있", "없"]
    assert vectorize(["재미없나"]).tolist() == [[2, 3, 6, 1]]
    assert adapted(["하나"], split="jamo")("한").tolist()[2] == 1  # the final 'ᆫ' is not the initial 'ᄂ'


def test_adapt_accepts_what_fit_accepts():
    expected = adapted().get_vocabulary()
    batches = Dataset.from_tensor_slices(TEXTS).batch(2)
    for data in (tuple(TEXTS), np.array(TEXTS), np.array(TEXTS)[:, None], batches, batches.unbatch(), iter([TEXTS])):
        assert adapted(data).get_vocabulary() == expected
    short = TextVectorization()
    short.adapt(batches, steps=1)
    assert short.get_vocabulary(False) == ["c", "b", "e", "d", "a"]
    short.adapt(["q"])
    assert short.get_vocabulary(False) == ["q"]


def test_given_vocabularies(tmp_path):
    for words in (["x", "y"], ["", "[UNK]", "x", "y"], np.array(["x", "y"])):
        vectorize = TextVectorization(vocabulary=words)
        assert vectorize(["y x z"]).tolist() == [[3, 2, 1]]
    (tmp_path / "words.txt").write_text("x\ny\n", encoding="utf-8")
    assert TextVectorization(vocabulary=tmp_path / "words.txt").get_vocabulary(False) == ["x", "y"]
    with pytest.raises(ValueError, match="cannot learn a vocabulary that was given"):
        vectorize.adapt(["q"])
    for words, weights in ((["x", "y"], [0.5, 0.25]), (["[UNK]", "x", "y"], [0.375, 0.5, 0.25])):
        rows = TextVectorization(output_mode="tf_idf", vocabulary=words, idf_weights=weights)(["x z y y", "z z"])
        assert rows.tolist() == [[0.375, 0.5, 0.5], [0.75, 0, 0]]


def test_a_refused_vocabulary_keeps_the_old_one():
    vectorize = TextVectorization(max_tokens=4, vocabulary=["x", "y"])
    for words, reason in (
        (["a", "a"], "once"),
        (["a", ""], "empty string"),
        ([], "at least one"),
        (["a", "b", "c"], "at most max_tokens=4"),
    ):
        with pytest.raises(ValueError, match=reason):
            vectorize.set_vocabulary(words)
    with pytest.raises(TypeError, match="Received: 3"):
        vectorize.set_vocabulary([3])
    with pytest.raises(ValueError, match="idf_weights"):
        vectorize.set_vocabulary(["a"], [1.0])
    assert vectorize.get_vocabulary(False) == ["x", "y"]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"output_mode": "ids"}, "output_mode must be one of 'int'"),
        ({"max_tokens": 1}, "max_tokens=1"),
        ({"pad_to_max_tokens": True}, "needs max_tokens"),
        ({"output_sequence_length": 0}, "output_sequence_length=0"),
        ({"output_sequence_length": 3, "output_mode": "count"}, "output_mode='count'"),
        ({"standardize": "upper"}, "'lower'"),
        ({"split": "words"}, "'syllable'"),
        ({"ngrams": 0}, "ngrams=0"),
        ({"ngrams": (1, "a")}, "ngrams"),
        ({"idf_weights": [1.0]}, "tf_idf"),
        ({"vocabulary": ["a"], "output_mode": "tf_idf"}, "one per token"),
        ({"vocabulary": ["a"], "output_mode": "tf_idf", "idf_weights": [1, 2]}, "shape"),
    ],
)
def test_settings_refused(settings, words):
    with pytest.raises(ValueError, match=words):
        TextVectorization(**settings)


def test_texts_refused():
    with pytest.raises(RuntimeError, match="adapt"):
        TextVectorization()(["a"])
    vectorize = adapted()
    with pytest.raises(TypeError, match="Received: 3, a int"):
        vectorize([3])
    with pytest.raises(ValueError, match="split=None"):
        vectorize([["a", "b"]])
    with pytest.raises(TypeError, match="lambda x, y: x"):
        vectorize.adapt(Dataset.from_tensor_slices((TEXTS, [1, 2, 3])))
    with pytest.raises(TypeError, match="Received: 3"):
        adapted([3])
    with pytest.raises(TypeError, match="a list"):
        adapted(standardize=str.split)


def test_config_includes_the_vocabulary():
    for vectorize in (adapted(), adapted(output_mode="tf_idf", ngrams=(1, 2)), TextVectorization(split="jamo")):
        again = TextVectorization.from_config(vectorize.get_config())
        assert again.get_config() == vectorize.get_config()
    np.testing.assert_array_equal(
        TextVectorization.from_config(adapted(output_mode="tf_idf").get_config())(TEXTS),
        adapted(output_mode="tf_idf")(TEXTS),
    )


def test_before_a_model():
    """Texts in a dataset, ids by map, their batches into fit."""
    texts, y = ["good film", "bad film", "good", "bad bad"] * 5, np.array([1, 0, 1, 0] * 5)
    vectorize = adapted(texts, output_mode="multi_hot")
    dataset = Dataset.from_tensor_slices((texts, y)).shuffle(20, seed=1).batch(4).map(lambda x, t: (vectorize(x), t))
    model = fastnn.Sequential(
        [fastnn.layers.Dense(1, activation="sigmoid", input_shape=(vectorize.vocabulary_size(),))]
    )
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    history = model.fit(dataset, epochs=30, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]
    ids = adapted(texts)
    rows = Dataset.from_tensor_slices(texts).map(ids).padded_batch(3)
    assert next(iter(rows)).tolist() == ids(texts[:3]).tolist()

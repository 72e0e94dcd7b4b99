"""Tokenizer, text_to_word_sequence and the hashes, against Keras' numbers."""

import json

import numpy as np
import pytest

from fastnn.preprocessing.text import Tokenizer, hashing_trick, one_hot, text_to_word_sequence, tokenizer_from_json

TEXTS = ["The cat sat on the mat.", "the dog; the CAT!"]


def fitted(texts=TEXTS, **settings):
    tokenizer = Tokenizer(**settings)
    tokenizer.fit_on_texts(texts)
    return tokenizer


def test_words():
    assert text_to_word_sequence("Hi, you!  it's\nx-y") == ["hi", "you", "it's", "x", "y"]
    assert text_to_word_sequence("Hi you", lower=False, filters="i") == ["H", "you"]
    assert text_to_word_sequence("a, b,c", split=",") == ["a", " b", "c"]
    assert text_to_word_sequence("a--b!c", filters="!", split="--") == ["a", "b", "c"]
    assert text_to_word_sequence("a]b^c\\d", filters="]^\\") == ["a", "b", "c", "d"]
    with pytest.raises(TypeError, match="Received: int"):
        text_to_word_sequence(3)


def test_index():
    tokenizer = fitted()
    assert tokenizer.word_index == {"the": 1, "cat": 2, "sat": 3, "on": 4, "mat": 5, "dog": 6}
    assert tokenizer.index_word[2] == "cat"
    assert tokenizer.word_counts["the"] == 4
    assert tokenizer.word_docs == {"the": 2, "cat": 2, "sat": 1, "on": 1, "mat": 1, "dog": 1}
    assert tokenizer.index_docs[1] == 2
    assert tokenizer.document_count == 2
    tokenizer.fit_on_texts(["dog dog dog dog dog"])
    assert tokenizer.word_index["dog"] == 1


def test_sequences():
    assert fitted().texts_to_sequences(["a cat on the dog", ""]) == [[2, 4, 1, 6], []]
    few = fitted(num_words=3)
    assert few.texts_to_sequences(TEXTS) == [[1, 2, 1], [1, 1, 2]]
    assert len(few.word_index) == 6
    unknown = fitted(num_words=4, oov_token="?")
    assert unknown.word_index["?"] == 1
    assert unknown.texts_to_sequences(TEXTS) == [[2, 3, 1, 1, 2, 1], [2, 1, 2, 3]]
    assert unknown.sequences_to_texts([[2, 3, 5, 99, 0]]) == ["the cat ? ? ?"]
    assert fitted().sequences_to_texts([[2, 99, 6]]) == ["cat dog"]
    characters = fitted(["abca"], char_level=True)
    assert characters.texts_to_sequences(["CAB x"]) == [[3, 1, 2]]
    own = fitted([["New York", "is"], ["New York"]], lower=False)
    assert own.word_index == {"New York": 1, "is": 2}
    assert fitted(["a-b b"], analyzer=lambda text: text.split("-")).word_index == {"a": 1, "b b": 2}
    occurs = fitted(["? a ?", "b"], oov_token="?", filters="")  # the token for unknown words is also a word
    assert occurs.texts_to_sequences(["b a c"]) == [[4, 3, 2]]


def test_matrices():
    tokenizer = fitted(num_words=4)
    for mode, row in (
        ("binary", [0, 1, 1, 1]),
        ("count", [0, 2, 1, 1]),
        ("freq", [0, 0.5, 0.25, 0.25]),
        ("tfidf", [0, (1 + np.log(2)) * np.log(1 + 2 / 3), np.log(1 + 2 / 3), np.log(1 + 2 / 2)]),
    ):
        matrix = tokenizer.texts_to_matrix([TEXTS[0], ""], mode)
        assert matrix.dtype == np.float64
        np.testing.assert_allclose(matrix, [row, [0, 0, 0, 0]])
    assert fitted().texts_to_matrix(TEXTS).shape == (2, 7)
    ids = Tokenizer(num_words=3)
    ids.fit_on_sequences([[1, 2], [1]])
    np.testing.assert_allclose(ids.sequences_to_matrix([[1, 9]], "tfidf"), [[0, np.log(1 + 2 / 3), 0]])


def test_what_is_refused():
    for call, error, words in (
        (lambda: Tokenizer(num_words=0), ValueError, "num_words=0"),
        (lambda: Tokenizer().fit_on_texts("one text"), TypeError, "list of texts"),
        (lambda: Tokenizer().sequences_to_matrix([[1]]), ValueError, "number of ids is unknown"),
        (lambda: Tokenizer(num_words=3).sequences_to_matrix([[1]], "tfidf"), ValueError, "documents"),
        (lambda: fitted().texts_to_matrix(TEXTS, "bm25"), ValueError, "'tfidf'"),
        (lambda: tokenizer_from_json("{}"), ValueError, "to_json"),
        (lambda: tokenizer_from_json("nothing"), ValueError, "to_json"),
        (lambda: one_hot("a", 1), ValueError, "n=1"),
        (lambda: hashing_trick("a", 9, "sha"), ValueError, "'sha'"),
    ):
        with pytest.raises(error, match=words):
            call()


def test_json():
    tokenizer = fitted(num_words=5, oov_token="?")
    again = tokenizer_from_json(tokenizer.to_json(indent=2))
    assert again.get_config() == tokenizer.get_config()
    assert again.texts_to_sequences(TEXTS) == tokenizer.texts_to_sequences(TEXTS)
    assert again.texts_to_matrix(TEXTS, "tfidf").tolist() == tokenizer.texts_to_matrix(TEXTS, "tfidf").tolist()
    assert json.loads(tokenizer.get_config()["word_index"])["the"] == 2


def test_hashes():
    assert hashing_trick("a b c", 50, "md5") == hashing_trick("A, b c!", 50) == one_hot("a b c", 50) == [15, 33, 1]
    assert hashing_trick("aa b", 5, hash_function=len) == [3, 2]
    assert hashing_trick("a-b", 9, analyzer=lambda text: text.split("-"), hash_function=ord) == [2, 3]
    assert set(one_hot(" ".join(map(str, range(1000))), 7)) == {1, 2, 3, 4, 5, 6}

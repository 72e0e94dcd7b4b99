"""Layers for categories: ids, rows, vocabularies, hashes, bins; what they refuse."""

import json

import numpy as np
import pytest

from fastnn import layers
from fastnn.data import Dataset
from fastnn.layers.preprocessing.hashes import farmhash64, siphash64


def test_hashes_are_the_published_ones():
    assert farmhash64(b"") == 0x9AE16A3B2F90404F
    # of TensorFlow 2: to_hash_bucket_fast(text, 2**62) for texts of each of the four ways
    for text, expected in HASHED.items():
        assert farmhash64(text.encode()) % 2**62 == expected
    key = (0x0706050403020100, 0x0F0E0D0C0B0A0908)  # the vectors of the paper
    assert siphash64(bytes(range(15)), key) == 0xA129CA6149BE45E5
    assert siphash64(b"", key) == 0x726FDB47DD0E0E31


HASHED = {
    "a": 3694432073954588131,
    "word": 2663746565843391168,
    "eight by": 3496694816787268769,
    "a text of two dozen ch.": 2034704217204588929,
    "a text of more than thirty-two, up to sixty-four letters": 831892053749670944,
    "x" * 65: 323337772074164025,
    "0123456789" * 20: 439712990348739477,
}


def test_string_lookup_by_hand():
    layer = layers.StringLookup(num_oov_indices=1, mask_token="")
    layer.adapt([["b", "a"], ["b", ""], ["c", "b"]])
    assert layer.get_vocabulary() == ["", "[UNK]", "b", "c", "a"]
    assert layer.get_vocabulary(include_special_tokens=False) == ["b", "c", "a"]
    assert layer([["a", "", "what"]]).tolist() == [[4, 0, 1]]
    assert layer("b") == 2
    back = layers.StringLookup(vocabulary=layer.get_vocabulary(), mask_token="", invert=True)
    assert back([[4, 0, 1, 99]]).tolist() == [["a", "", "[UNK]", "[UNK]"]]


def test_rows_by_hand():
    layer = layers.StringLookup(vocabulary=["x", "y"], output_mode="count")
    assert layer([["x", "x", "?"]]).tolist() == [[1, 2, 0]]
    weighed = layers.StringLookup(vocabulary=["x", "y"], output_mode="tf_idf", idf_weights=[0.5, 0.25])
    assert weighed([["x", "x", "?"], ["y", "y", "y"]]).tolist() == [[0.375, 1, 0], [0, 0, 0.75]]
    assert layers.IntegerLookup(vocabulary=[7, 9], output_mode="one_hot")([[9], [1]]).tolist() == [[0, 0, 1], [1, 0, 0]]
    assert layers.CategoryEncoding(3, "one_hot")([[1], [2]]).tolist() == [[0, 1, 0], [0, 0, 1]]
    assert layers.Discretization([0.0, 1.0], output_mode="count")([[0.5, -1, 0.2]]).tolist() == [[1, 2, 0]]


def test_unknown_values_share_ids():
    layer = layers.IntegerLookup(vocabulary=[100], num_oov_indices=3)
    assert layer([100, 3, 4, -1]).tolist() == [3, 0, 1, 2]
    words = layers.StringLookup(vocabulary=["a"], num_oov_indices=5)
    ids = words([f"word {i}" for i in range(200)])
    assert set(ids.tolist()) == set(range(5))


BATCHES = [np.array(["b", "a"]), np.array(["b"])]
DATA = [np.array(["b", "a", "b"]), ["b", "a", "b"], (b"b", b"a", b"b"), BATCHES,
        Dataset.from_tensor_slices(["b", "a", "b"]).batch(2)]  # fmt: skip


@pytest.mark.parametrize("data", DATA, ids=["array", "list", "bytes", "batches", "data set"])
def test_adapt_reads_what_fit_reads(data):
    layer = layers.StringLookup()
    layer.adapt(data)
    assert layer.get_vocabulary() == ["[UNK]", "b", "a"]
    layer.adapt(["z"])
    assert layer.get_vocabulary() == ["[UNK]", "z"]


def test_a_file_of_words(tmp_path):
    (tmp_path / "words.txt").write_text("x\ny\n", encoding="utf-8")
    for path in (tmp_path / "words.txt", str(tmp_path / "words.txt")):
        assert layers.StringLookup(vocabulary=path).get_vocabulary() == ["[UNK]", "x", "y"]


@pytest.mark.parametrize("layer", [
    layers.StringLookup(vocabulary=["x", "y"], num_oov_indices=2, mask_token="m", salt=5),
    layers.StringLookup(vocabulary=["x"], output_mode="tf_idf", idf_weights=[2.0]),
    layers.IntegerLookup(vocabulary=[3, -4], output_mode="multi_hot", max_tokens=7, pad_to_max_tokens=True),
    layers.Hashing(5, mask_value="", salt=(1, 2)), layers.HashedCrossing(5, "one_hot"),
    layers.CategoryEncoding(3, "count", dtype="float64"), layers.Discretization([1, 2.5], output_mode="one_hot"),
], ids=lambda layer: layer.name)  # fmt: skip
def test_the_config_makes_it_again(layer):
    config = json.loads(json.dumps(layer.get_config()))
    again = type(layer).from_config(config)
    assert again.get_config() == layer.get_config()


def test_what_was_learned_is_in_the_config():
    bins, words = layers.Discretization(num_bins=2), layers.StringLookup()
    bins.adapt([1.0, 2, 3, 4])
    words.adapt(["a", "b"])
    assert layers.Discretization.from_config(bins.get_config()).bin_boundaries == bins.bin_boundaries == [2.0]
    assert layers.StringLookup.from_config(words.get_config()).get_vocabulary() == words.get_vocabulary()


@pytest.mark.parametrize(("call", "error", "words"), [
    (lambda: layers.StringLookup()(["a"]), RuntimeError, "no vocabulary yet. Call layer.adapt"),
    (lambda: layers.StringLookup(vocabulary=["a"])([1]), TypeError, "takes texts. Received: 1, a int"),
    (lambda: layers.StringLookup(vocabulary=["a"])([["a"], ["b", "c"]]), ValueError, "rows of different lengths"),
    (lambda: layers.StringLookup(vocabulary=["a", "a"]), ValueError, r"once in a vocabulary.*\['a'\]"),
    (lambda: layers.StringLookup(vocabulary=[]), ValueError, "at least one token"),
    (lambda: layers.StringLookup(vocabulary=["a"]).adapt(["b"]), ValueError, "a vocabulary that was given"),
    (lambda: layers.StringLookup(vocabulary=["a"], num_oov_indices=0)(["b"]), ValueError, "'b'. Use num_oov_indices=1"),
    (lambda: layers.StringLookup(max_tokens=1), ValueError, "max_tokens=1"),
    (lambda: layers.StringLookup(num_oov_indices=-1), ValueError, "num_oov_indices=-1"),
    (lambda: layers.StringLookup(invert=True, output_mode="count"), ValueError, "output_mode='count'"),
    (lambda: layers.StringLookup(sparse=True, output_mode="count"), ValueError, "sparse=True. Use sparse=False"),
    (lambda: layers.StringLookup(pad_to_max_tokens=True), ValueError, "needs max_tokens"),
    (lambda: layers.StringLookup(output_mode="ids"), ValueError, "output_mode must be one of 'int', 'one_hot'"),
    (lambda: layers.StringLookup(idf_weights=[1.0]), ValueError, "idf_weights of StringLookup need"),
    (lambda: layers.StringLookup(salt=-1), ValueError, "salt=-1"),
    (lambda: layers.StringLookup(max_tokens=2, vocabulary=["a", "b"]), ValueError, "at most max_tokens=2"),
    (lambda: layers.IntegerLookup(vocabulary=[1])(["a"]), TypeError, "Received: dtype"),
    (lambda: layers.IntegerLookup(vocabulary=[1])([1.5]), ValueError, "whole numbers. Received: 1.5"),
    (lambda: layers.IntegerLookup(oov_method="md5"), ValueError, "oov_method='md5'"),
    (lambda: layers.IntegerLookup(salt=3), ValueError, 'oov_method="farmhash"'),
    (lambda: layers.IntegerLookup(vocabulary_dtype="string"), ValueError, "vocabulary_dtype='string'"),
    (lambda: layers.Hashing(0), ValueError, "num_bins of Hashing"),
    (lambda: layers.Hashing(3, salt=(1, 2, 3)), ValueError, r"salt=\(1, 2, 3\)"),
    (lambda: layers.HashedCrossing(3)(np.array(["a"])), TypeError, "takes a list of arrays"),
    (lambda: layers.HashedCrossing(3)([np.array(["a"])]), ValueError, "two or more inputs"),
    (lambda: layers.HashedCrossing(3)([np.array(["a"]), np.array([["b"]])]), ValueError, "two or more inputs"),
    (lambda: layers.CategoryEncoding(), ValueError, "num_tokens=None. Use IntegerLookup"),
    (lambda: layers.CategoryEncoding(3)([3]), ValueError, "ids from 0 to 2. Received: 3"),
    (lambda: layers.CategoryEncoding(3)([-1]), ValueError, "Received: -1"),
    (lambda: layers.CategoryEncoding(3)([1], count_weights=[1.0]), ValueError, "output_mode='multi_hot'"),
    (lambda: layers.Discretization(), ValueError, "bin_boundaries=None, num_bins=None"),
    (lambda: layers.Discretization([2, 1]), ValueError, "ascending"),
    (lambda: layers.Discretization(num_bins=3)([1.0]), RuntimeError, "no boundaries yet. Call layer.adapt"),
    (lambda: layers.Discretization([1.0]).adapt([1.0]), ValueError, "num_bins"),
    (lambda: layers.Discretization(num_bins=2).adapt([np.nan]), ValueError, "NaN"),
    (lambda: layers.Discretization(num_bins=2, epsilon=0), ValueError, "epsilon=0"),
])  # fmt: skip
def test_refused(call, error, words):
    with pytest.raises(error, match=words):
        call()

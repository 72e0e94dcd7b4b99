"""Preprocessing layers beside Keras on TensorFlow: the same numbers and vocabularies; skipped without it."""

import numpy as np
import pytest

from fastnn import layers

keras = pytest.importorskip("keras", reason="Keras is not installed")
tf = pytest.importorskip("tensorflow", reason="TensorFlow is not installed")
pytestmark = [
    pytest.mark.filterwarnings("default"),
    pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="the baseline is Keras on TensorFlow"),
]

RNG = np.random.default_rng(7)
WORDS = np.array([["b", "a", "zz"], ["a", "", "b"], ["c", "b", "Ω"], ["unseen", "d", "?"]], object)
NUMBERS = np.array([[5, -3, 90], [5, 0, 5], [90, 7, 8], [1234567890123, -9, 3]])
REALS = RNG.standard_normal((40, 3)).astype("float32")
LOOKUPS = [
    {},
    {"num_oov_indices": 3},
    {"output_mode": "one_hot"},
    {"output_mode": "multi_hot", "num_oov_indices": 2},
    {"output_mode": "count", "max_tokens": 4},
    {"output_mode": "multi_hot", "max_tokens": 9, "pad_to_max_tokens": True},
    {"output_mode": "tf_idf"},
    {"max_tokens": 4},
]


def arrays(y):
    y = np.asarray(y)
    return np.vectorize(lambda t: t.decode() if isinstance(t, bytes) else t, [object])(y) if y.dtype == object else y


def same(ours, theirs):
    ours, theirs = arrays(ours), arrays(theirs)
    assert ours.shape == theirs.shape
    if ours.dtype == object:
        assert ours.tolist() == theirs.tolist()
    else:
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("settings", [*LOOKUPS, {"mask_token": ""}, {"mask_token": "", "output_mode": "count"},
                                      {"num_oov_indices": 4, "salt": 12, "mask_token": "a"}], ids=str)  # fmt: skip
def test_string_lookup(settings):
    pair = [k.StringLookup(**settings) for k in (layers, keras.layers)]
    for layer in pair:
        layer.adapt(WORDS[:3])
    assert pair[0].get_vocabulary() == pair[1].get_vocabulary()
    assert pair[0].vocabulary_size() == pair[1].vocabulary_size()
    same(*(layer(WORDS) for layer in pair))
    same(pair[0](WORDS[:, :1]), pair[1](WORDS[:, :1]))


@pytest.mark.parametrize("settings", [*LOOKUPS, {"mask_token": 0}, {"mask_token": 0, "output_mode": "count"},
                                      {"num_oov_indices": 5, "oov_method": "farmhash", "salt": [1, 2]}],
                         ids=str)  # fmt: skip
def test_integer_lookup(settings):
    pair = [k.IntegerLookup(**settings) for k in (layers, keras.layers)]
    for layer in pair:
        layer.adapt(NUMBERS[:3])
    assert pair[0].get_vocabulary() == pair[1].get_vocabulary()
    same(*(layer(NUMBERS) for layer in pair))


@pytest.mark.parametrize("mask", [None, ""])
def test_lookups_back(mask):
    given = {"vocabulary": ["x", "y", "z"], "invert": True, "mask_token": mask}
    ids = np.array([[0, 1, 2], [3, 4, 9]])
    same(layers.StringLookup(**given)(ids), keras.layers.StringLookup(**given)(ids))
    given = {"vocabulary": [12, 36], "invert": True}
    same(layers.IntegerLookup(**given)(ids), keras.layers.IntegerLookup(**given)(ids))


@pytest.mark.parametrize("mode", ["int", "one_hot", "multi_hot", "count"])
@pytest.mark.parametrize("salt", [None, 133, (133, 137)])
def test_hashing(mode, salt):
    for values, mask in ((WORDS, None), (WORDS, "a"), (NUMBERS, None), (NUMBERS, 5), (NUMBERS[:, :1], None)):
        settings = {"num_bins": 11, "salt": salt, "output_mode": mode, "mask_value": mask}
        same(layers.Hashing(**settings)(values), keras.layers.Hashing(**settings)(values))


def test_hashed_crossing():
    columns = [WORDS[:, :1], NUMBERS[:, 1:2], WORDS[:, 2:]]
    for settings in ({"num_bins": 7}, {"num_bins": 1000}, {"num_bins": 5, "output_mode": "one_hot"}):
        for given in (columns, [c[:, 0] for c in columns], columns[:2]):
            theirs = keras.layers.HashedCrossing(**settings)([tf.constant(c) for c in given])
            same(layers.HashedCrossing(**settings)(given), theirs)


@pytest.mark.parametrize("mode", ["multi_hot", "one_hot", "count"])
def test_category_encoding(mode):
    for ids in (np.array([[0, 2, 2], [3, 1, 0]]), np.array([[1], [3]]), np.array([1, 3, 3])):
        same(layers.CategoryEncoding(4, mode)(ids), keras.layers.CategoryEncoding(4, mode)(ids))
    if mode == "count":
        weights = np.array([[0.5, 1, 2], [3, 4, 5]])
        ids = np.array([[0, 2, 2], [3, 1, 0]])
        same(
            layers.CategoryEncoding(4, mode)(ids, count_weights=weights),
            keras.layers.CategoryEncoding(4, mode)(ids, count_weights=weights),
        )


@pytest.mark.parametrize("settings", [{"num_bins": 4}, {"num_bins": 3, "epsilon": 0.1}, {"num_bins": 1000}], ids=str)
def test_discretization(settings):
    for data in (REALS, [REALS[:20], REALS[20:]], REALS[:5]):
        pair = [k.Discretization(**settings) for k in (layers, keras.layers)]
        for layer in pair:
            layer.adapt(data)
        np.testing.assert_allclose(pair[0].bin_boundaries, pair[1].bin_boundaries, rtol=1e-6)
        same(*(layer(REALS) for layer in pair))
    for mode in ("one_hot", "int"):
        same(*(k.Discretization([-1.0, 0.0, 0.5], output_mode=mode)(REALS) for k in (layers, keras.layers)))


@pytest.mark.parametrize("axis", [-1, None, (1, 2), (-1, 1), 2])
@pytest.mark.parametrize("invert", [False, True])
def test_normalization(axis, invert):
    x = RNG.standard_normal((6, 4, 3)).astype("float32") * 3 + 1
    for data in (x, [x[:4], x[4:]]):
        pair = [k.Normalization(axis=axis, invert=invert) for k in (layers, keras.layers)]
        for layer in pair:
            layer.adapt(data)
        same(*(layer(x) for layer in pair))
    statistics = {"mean": [1.0, 2, 3], "variance": [4.0, 5, 6]} if axis in (-1, 2) else {"mean": 1.0, "variance": 2.0}
    same(*(k.Normalization(axis=axis, invert=invert, **statistics)(x) for k in (layers, keras.layers)))


@pytest.mark.parametrize("settings", [{}, {"output_mode": "multi_hot"}, {"output_mode": "tf_idf"},
                                      {"ngrams": 2, "output_sequence_length": 5}, {"max_tokens": 4}],
                         ids=str)  # fmt: skip
def test_text_vectorization(settings):
    texts = ["The cat sat.", "the dog, the CAT!", "a bird"]
    pair = [k.TextVectorization(**settings) for k in (layers, keras.layers)]
    for layer in pair:
        layer.adapt(texts)
    assert pair[0].get_vocabulary() == pair[1].get_vocabulary()
    same(*(layer(["the bird sat on a cat", "dog"]) for layer in pair))

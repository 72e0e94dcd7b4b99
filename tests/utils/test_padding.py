"""pad_sequences: Keras' values, and what it refuses."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastnn.preprocessing.sequence import pad_sequences as keras_place
from fastnn.utils import pad_sequences

ROWS = [[1], [2, 3], [4, 5, 6], []]


def test_defaults():
    padded = pad_sequences(ROWS)
    assert padded.dtype == np.int32
    assert padded.tolist() == [[0, 0, 1], [0, 2, 3], [4, 5, 6], [0, 0, 0]]
    assert keras_place is pad_sequences


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"padding": "post"}, [[1, 0, 0], [2, 3, 0], [4, 5, 6], [0, 0, 0]]),
        ({"maxlen": 2}, [[0, 1], [2, 3], [5, 6], [0, 0]]),
        ({"maxlen": 2, "truncating": "post"}, [[0, 1], [2, 3], [4, 5], [0, 0]]),
        ({"maxlen": 4, "value": -1, "padding": "post"}, [[1, -1, -1, -1], [2, 3, -1, -1], [4, 5, 6, -1], [-1] * 4]),
        ({"maxlen": 0}, [[], [], [], []]),
    ],
)
@pytest.mark.parametrize("form", [list, np.array, tuple])
def test_options(settings, expected, form):
    rows = [form(row) if row else form([]) for row in ROWS]
    assert pad_sequences(rows, **settings).tolist() == expected


@given(
    rows=st.lists(st.lists(st.integers(-9, 9), max_size=6), max_size=5),
    maxlen=st.integers(0, 7),
    padding=st.sampled_from(["pre", "post"]),
    truncating=st.sampled_from(["pre", "post"]),
)
def test_row_by_row(rows, maxlen, padding, truncating):
    padded = pad_sequences(rows, maxlen, padding=padding, truncating=truncating, value=99)
    assert padded.shape == (len(rows), maxlen)
    for row, result in zip(rows, padded.tolist(), strict=True):
        cut = row[:maxlen] if truncating == "post" else row[len(row) - min(len(row), maxlen) :]
        filling = [99] * (maxlen - len(cut))
        assert result == (filling + cut if padding == "pre" else cut + filling)


def test_vectors_floats_and_strings():
    assert pad_sequences([[[1, 2], [3, 4]], [[5, 6]]]).tolist() == [[[1, 2], [3, 4]], [[0, 0], [5, 6]]]
    assert pad_sequences([[0.5], [1.5, 2]], dtype="float32").tolist() == [[0, 0.5], [1.5, 2]]
    assert pad_sequences([[1.0, 2.0]]).tolist() == [[1, 2]]
    assert pad_sequences([["a", "bc"], ["d"]], dtype=object, value="x").tolist() == [["a", "bc"], ["x", "d"]]


@pytest.mark.parametrize(
    ("sequences", "settings", "words"),
    [
        ([], {}, "maxlen"),
        ([1, 2], {}, r"pad_sequences\(\[sequence\]\)"),
        (iter([[1]]), {}, "Use list"),
        ([[1]], {"padding": "front"}, 'padding must be "pre" or "post"'),
        ([[1]], {"truncating": "both"}, "truncating"),
        ([[1]], {"maxlen": -1}, "maxlen=-1"),
        ([[1]], {"value": "x"}, "dtype=object"),
        ([[1]], {"value": 0.5}, 'Padding with 0.5 needs dtype="float32"'),
        ([[1]], {"value": np.nan}, "Padding with nan"),
        ([[1.5]], {}, 'Received: 1.5. Use dtype="float32"'),
        ([[2**40]], {}, 'Use dtype="int64"'),
        ([np.array([2**40])], {}, 'Use dtype="int64"'),
        ([["a"]], {}, "numbers"),
        ([[[1, 2]], [[3]]], {}, "vectors of one length"),
    ],
)
def test_what_is_refused(sequences, settings, words):
    with pytest.raises(ValueError, match=words):
        pad_sequences(sequences, **settings)

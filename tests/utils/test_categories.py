"""to_categorical, vectorize_sequences, normalize."""

import numpy as np
import pytest

from fastnn.utils import normalize, to_categorical, vectorize_sequences


def test_to_categorical():
    rows = to_categorical([[0], [2]])
    assert rows.dtype == np.float64
    assert rows.tolist() == [[1, 0, 0], [0, 0, 1]]
    assert to_categorical(2).tolist() == [0, 0, 1]
    assert to_categorical([[0, 1], [1, 0]]).shape == (2, 2, 2)
    assert to_categorical([1.0, 0.0], num_classes=3).tolist() == [[0, 1, 0], [1, 0, 0]]
    assert to_categorical([], num_classes=3).shape == (0, 3)


@pytest.mark.parametrize(
    ("x", "classes", "error", "words"),
    [
        ([-1, 0], None, ValueError, "Received: class -1"),
        ([5], 3, ValueError, "from 0 to 2, since num_classes=3. Received: class 5"),
        ([1.5], None, ValueError, "needs integers.*1.5"),
        ([np.nan], None, ValueError, "nan"),
        (["a"], None, TypeError, "dtype"),
        ([], None, ValueError, "num_classes"),
    ],
)
def test_to_categorical_refuses(x, classes, error, words):
    with pytest.raises(error, match=words):
        to_categorical(x, classes)


@pytest.mark.parametrize("form", [list, np.array, tuple])
def test_vectorize_sequences_sets_exactly_those_cells(form):
    rows = vectorize_sequences([form([1, 42]), form([323])])
    assert (rows.shape, rows.dtype) == ((2, 10000), np.float32)
    assert [cell.tolist() for cell in np.nonzero(rows)] == [[0, 0, 1], [1, 42, 323]]
    assert rows.sum() == 3


def test_vectorize_sequences_of_a_flat_list_gives_one_hot_rows():
    for flat in ([2, 0, 2], np.array([2, 0, 2]), (np.int32(2), 0, 2)):
        assert vectorize_sequences(flat, 3).tolist() == [[0, 0, 1], [1, 0, 0], [0, 0, 1]]


def test_vectorize_sequences_forms():
    assert vectorize_sequences([[1, 1], []], 2, "uint8").tolist() == [[0, 1], [0, 0]]
    assert vectorize_sequences(np.array([[0, 1], [1, 1]], np.uint8), 2).tolist() == [[1, 1], [0, 1]]
    assert vectorize_sequences([np.array([1]), np.array([], int)], 2, bool).tolist() == [[False, True], [False] * 2]
    assert vectorize_sequences(np.array([[1, 2], [0]], object), 3).tolist() == [[0, 1, 1], [1, 0, 0]]
    assert vectorize_sequences([[], []], 2).shape == (2, 2)
    assert vectorize_sequences([], 2).shape == (0, 2)


@pytest.mark.parametrize(
    ("sequences", "dimension", "error", "words"),
    [
        ([[1, 3]], 3, ValueError, "from 0 to 2, since dimension=3. Received: id 3"),
        ([[-1]], 3, ValueError, "Received: id -1"),
        ([[1.0]], 3, TypeError, "float64"),
        ([["a"]], 3, TypeError, "Tokenizer"),
        ([[1], 2], 3, TypeError, "2 among lists"),
        ([[[1]]], 3, TypeError, "lists within lists"),
        (np.zeros((2, 2, 2), int), 3, ValueError, "shape"),
        ([[1]], 0, ValueError, "dimension=0"),
    ],
)
def test_vectorize_sequences_refuses(sequences, dimension, error, words):
    with pytest.raises(error, match=words):
        vectorize_sequences(sequences, dimension)


def test_normalize():
    x = np.arange(6.0).reshape(2, 3)
    np.testing.assert_allclose(np.linalg.norm(normalize(x), axis=-1), 1)
    np.testing.assert_allclose(np.linalg.norm(normalize(x, axis=0), axis=0), 1)
    np.testing.assert_allclose(normalize([[0, 1, 3]], order=1), [[0, 0.25, 0.75]])
    assert normalize(np.zeros(3)).tolist() == [0, 0, 0]
    for x, axis in ((3.0, -1), ([1.0], 1)):
        with pytest.raises(ValueError, match="axis"):
            normalize(x, axis)

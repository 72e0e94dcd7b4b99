"""padded_batch and bucket_by_sequence_length, against the values of tf.data."""

import numpy as np
import pytest

from fastnn.data import Dataset, TensorSpec

ROWS = [[0], [1, 2, 3, 4], [5, 6, 7], [7, 8, 9, 10, 11], [13, 14, 15, 16, 19, 20], [21, 22], [1] * 5, [2] * 3]


@pytest.fixture(params=["rows", "stream"])
def data(request):
    if request.param == "rows":
        return Dataset.from_tensor_slices(ROWS)
    return Dataset.from_generator(lambda: iter(ROWS), output_signature=TensorSpec((None,), "int64"))


def lists(dataset):
    return [batch.tolist() for batch in dataset]


def test_to_the_longest_of_the_batch(data):
    assert lists(data.padded_batch(3)) == [
        [[0, 0, 0, 0], [1, 2, 3, 4], [5, 6, 7, 0]],
        [[7, 8, 9, 10, 11, 0], [13, 14, 15, 16, 19, 20], [21, 22, 0, 0, 0, 0]],
        [[1, 1, 1, 1, 1], [2, 2, 2, 0, 0]],
    ]
    assert len(lists(data.padded_batch(3, drop_remainder=True))) == 2


def test_to_a_given_length(data):
    batch = lists(data.padded_batch(2, padded_shapes=[7], padding_values=-1))[0]
    assert batch == [[0, -1, -1, -1, -1, -1, -1], [1, 2, 3, 4, -1, -1, -1]]
    with pytest.raises(ValueError, match="at least as long as the elements"):
        lists(data.padded_batch(2, padded_shapes=[3]))
    with pytest.raises(ValueError, match="one entry per axis"):
        lists(data.padded_batch(2, padded_shapes=[None, None]))
    with pytest.raises(ValueError, match="padding_values"):
        lists(data.padded_batch(2, padding_values=0.5))


def test_structures_and_more_axes():
    data = Dataset.from_generator(lambda: ((np.ones((i, 3 - i)), {"y": i, "s": "a"}) for i in (1, 2)))
    x, rest = next(iter(data.padded_batch(2, padded_shapes=([None, 3], {"y": [], "s": []}), padding_values=(7, None))))
    assert x.tolist() == [[[1, 1, 7], [7, 7, 7]], [[1, 7, 7], [1, 7, 7]]]
    assert rest["y"].tolist() == [1, 2]
    assert rest["s"].tolist() == ["a", "a"]
    for wrong in ([None, 3], ([None, 3],), ([None, 3], {"y": []})):
        with pytest.raises(ValueError, match="nested like an element"):
            list(data.padded_batch(2, padded_shapes=wrong))
    with pytest.raises(ValueError, match="one rank"):
        list(Dataset.from_generator(lambda: iter([[1], [[1]]])).padded_batch(2))


def test_buckets(data):
    def bucketed(**settings):
        return lists(data.bucket_by_sequence_length(len, [3, 5], [2, 2, 2], **settings))

    full = [[[1, 2, 3, 4], [5, 6, 7, 0]], [[7, 8, 9, 10, 11, 0], [13, 14, 15, 16, 19, 20]], [[0, 0], [21, 22]]]
    assert bucketed() == [*full, [[2, 2, 2]], [[1, 1, 1, 1, 1]]]
    assert bucketed(drop_remainder=True) == full
    with pytest.raises(ValueError, match="one shape"):
        bucketed(no_padding=True)
    with pytest.raises(ValueError, match="last boundary, 5"):
        bucketed(pad_to_bucket_boundary=True)
    short = data.filter(lambda row: len(row) < 5)
    expected = [[[1, 2, 3, 4], [5, 6, 7, 0]], [[0, 0], [21, 22]], [[2, 2, 2, 0]]]
    assert lists(short.bucket_by_sequence_length(len, [3, 5], [2, 2, 2], pad_to_bucket_boundary=True)) == expected


def test_buckets_of_pairs():
    pairs = Dataset.from_tensor_slices((ROWS, np.arange(8)))
    batches = list(pairs.bucket_by_sequence_length(lambda x, y: len(x), [4], [3, 2], padding_values=(-1, 0)))
    assert sorted(i for _, y in batches for i in y.tolist()) == list(range(8))
    for x, y in batches:
        for row, i in zip(x.tolist(), y.tolist(), strict=True):
            assert [v for v in row if v != -1] == ROWS[i]


def test_what_buckets_refuse(data):
    for boundaries, sizes, words in (
        ([5, 3], [1, 1, 1], "increasing"),
        ([], [1], "increasing"),
        ([3], [1], "one entry more than bucket_boundaries, 2 here"),
        ([3], [1, 0], "bucket_batch_sizes=0"),
    ):
        with pytest.raises(ValueError, match=words):
            data.bucket_by_sequence_length(len, boundaries, sizes)
    with pytest.raises(TypeError, match="element_length_func"):
        list(data.bucket_by_sequence_length(lambda row: row, [3], [1, 1]))
    with pytest.raises(ValueError, match="padded_shapes"):
        data.map(abs).bucket_by_sequence_length(len, [9], [1, 1], pad_to_bucket_boundary=True)

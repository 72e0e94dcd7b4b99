"""timeseries_dataset_from_array and split_dataset, against the values of Keras."""

import numpy as np
import pytest

from fastnn.data import Dataset
from fastnn.preprocessing import timeseries_dataset_from_array
from fastnn.utils import set_random_seed, split_dataset


def lists(dataset):
    return [tuple(p.tolist() for p in e) if isinstance(e, tuple) else e.tolist() for e in dataset]


def test_windows():
    x = np.arange(8)
    assert lists(timeseries_dataset_from_array(x, None, 6, batch_size=2)) == [
        [[0, 1, 2, 3, 4, 5], [1, 2, 3, 4, 5, 6]],
        [[2, 3, 4, 5, 6, 7]],
    ]


def test_stride_rate_and_part():
    x = np.arange(20)
    data = timeseries_dataset_from_array(
        x, x * 10, 3, sequence_stride=2, sampling_rate=2, batch_size=4, start_index=3, end_index=15
    )
    assert lists(data) == [([[3, 5, 7], [5, 7, 9], [7, 9, 11], [9, 11, 13]], [30, 50, 70, 90])]
    singles = timeseries_dataset_from_array(x, x[4:] * 10, 4, batch_size=None)
    assert lists(singles)[-1] == ([15, 16, 17, 18], 190)
    assert len(singles) == 16


def test_features_and_vectors_as_targets():
    x = np.arange(12).reshape(6, 2)
    assert lists(timeseries_dataset_from_array(x, None, 4)) == [
        [[[0, 1], [2, 3], [4, 5], [6, 7]], [[2, 3], [4, 5], [6, 7], [8, 9]], [[4, 5], [6, 7], [8, 9], [10, 11]]]
    ]
    (window, target) = next(iter(timeseries_dataset_from_array(x, x + 100, 2, batch_size=3)))
    assert (window.shape, target.tolist()) == ((3, 2, 2), [[100, 101], [102, 103], [104, 105]])


def test_shuffled_windows():
    set_random_seed(1)
    x = np.arange(100)
    data = timeseries_dataset_from_array(x, x, 5, batch_size=10, shuffle=True)
    first, second = (np.concatenate([y for _, y in data]).tolist() for _ in range(2))
    assert sorted(first) == sorted(second) == list(range(96))
    assert len({tuple(first), tuple(second), tuple(range(96))}) == 3
    assert all((w[:, 0] == y).all() for w, y in data)
    a, b = (timeseries_dataset_from_array(x, None, 5, shuffle=True, seed=3) for _ in range(2))
    assert lists(a) == lists(b)


def test_windows_are_views():
    x = np.zeros((200_000, 5), np.float32)
    data = timeseries_dataset_from_array(x, None, 50_000, batch_size=None)  # 150 GB if stored
    assert np.shares_memory(next(iter(data)), x)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"sequence_length": 0}, "sequence_length=0"),
        ({"sequence_length": 11}, "sequence_length=11"),
        ({"sequence_length": 4, "sampling_rate": 4}, "spans 13 steps"),
        ({"sequence_length": 4, "start_index": 8}, "Received: 2 steps"),
        ({"sequence_length": 2, "sampling_rate": 0}, "sampling_rate=0"),
        ({"sequence_length": 2, "sequence_stride": 11}, "sequence_stride=11"),
        ({"sequence_length": 2, "batch_size": 0}, "batch_size=0"),
        ({"sequence_length": 2, "start_index": -1}, "start_index=-1"),
        ({"sequence_length": 2, "end_index": 11}, "end_index=11"),
        ({"sequence_length": 2, "targets": [1, 2], "start_index": 5}, "No targets"),
    ],
)
def test_windows_refused(settings, words):
    with pytest.raises(ValueError, match=words):
        timeseries_dataset_from_array(np.arange(10), **{"targets": None, **settings})


@pytest.mark.parametrize(
    ("sizes", "left", "right"),
    [
        ({"left_size": 0.8}, range(8), [8, 9]),
        ({"right_size": 0.25}, range(8), [8, 9]),
        ({"left_size": 0.25}, [0, 1], range(2, 10)),
        ({"left_size": 3}, range(3), range(3, 10)),
        ({"left_size": 3, "right_size": 0.2}, range(3), [8, 9]),
    ],
)
def test_split(sizes, left, right):
    for data in (np.arange(10), Dataset.range(10), Dataset.range(10).map(int)):
        parts = split_dataset(data, **sizes)
        assert [lists(part) for part in parts] == [list(left), list(right)]
        assert [len(part) for part in parts] == [len(left), len(right)]


def test_split_of_structures_and_orders():
    x = np.arange(20).reshape(10, 2)
    left, right = split_dataset((x, np.arange(10)), left_size=0.5, shuffle=True, seed=1)
    firsts = [int(y) for _, y in left], [int(y) for _, y in right]
    assert sorted(firsts[0] + firsts[1]) == list(range(10))
    assert firsts[0] != list(range(5))
    assert lists(left) == lists(left)
    shuffled = Dataset.from_tensor_slices([x, x]).shuffle(9)
    for data in (Dataset.range(30).shuffle(30), Dataset.range(30).map(int).shuffle(30)):
        left, right = split_dataset(data, right_size=10)
        assert sorted(lists(left) + lists(right)) == list(range(30))  # no example on both sides
    assert len(split_dataset(shuffled, left_size=1)[1]) == 1


@pytest.mark.parametrize(
    "sizes", [{}, {"left_size": 11}, {"left_size": 0}, {"left_size": 1.0}, {"left_size": 0.9, "right_size": 0.9}]
)
def test_split_refused(sizes):
    with pytest.raises(ValueError, match="left_size"):
        split_dataset(np.arange(10), **sizes)


def test_split_needs_finite_data():
    with pytest.raises(ValueError, match="finite dataset"):
        split_dataset(Dataset.range(3).repeat(), left_size=2)
    with pytest.raises(TypeError, match="Received: int"):
        split_dataset(3, left_size=2)

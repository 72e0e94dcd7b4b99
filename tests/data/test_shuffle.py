"""shuffle: its buffer, its orders, and how they repeat."""

import numpy as np
import pytest

from fastnn.data import Dataset
from fastnn.utils import set_random_seed


def orders(dataset, times=2):
    return [[int(i) for i in dataset] for _ in range(times)]


@pytest.mark.parametrize("size", [1, 2, 7, 30, 100])
@pytest.mark.parametrize("stream", [False, True])
def test_every_element_once_and_no_earlier_than_the_buffer_allows(size, stream):
    data = Dataset.range(30)
    data = (data.map(int) if stream else data).shuffle(size)
    (order,) = orders(data, 1)
    assert sorted(order) == list(range(30))
    for place, i in enumerate(order):
        assert place > i - size  # element i enters the buffer once i − size + 1 others have left it
    if size == 1:
        assert order == list(range(30))


def test_a_large_buffer_makes_every_order_equally_likely():
    counts = np.zeros((4, 4))
    data = Dataset.range(4).shuffle(4, seed=0)
    for _ in range(2000):
        counts[np.arange(4), [int(i) for i in data]] += 1
    # Each of the 16 counts is binomial(2000, 1/4): mean 500, σ 19.4; five σ.
    assert abs(counts - 500).max() < 97


def test_a_small_buffer_is_drawn_from_evenly():
    data = Dataset.range(6).shuffle(3, seed=1)
    first = np.bincount([next(iter(orders(data, 1)[0])) for _ in range(1500)], minlength=6)
    assert first[3:].sum() == 0
    assert abs(first[:3] - 500).max() < 92  # binomial(1500, 1/3), σ 18.3


def test_each_iteration_has_its_own_order():
    data = Dataset.range(100).shuffle(100, seed=3)
    a, b = orders(data)
    assert a != b
    again = Dataset.range(100).shuffle(100, seed=3)
    assert orders(again) == [a, b]
    twice = Dataset.range(100).shuffle(100, seed=3).repeat(2)
    assert orders(twice, 1) == [a + b]
    still = Dataset.range(100).shuffle(100, seed=3, reshuffle_each_iteration=False)
    assert orders(still) == [a, a]
    assert orders(still.repeat(2), 1) == [a + a]


def test_set_random_seed_governs_shuffles_without_a_seed():
    def run():
        set_random_seed(5)
        data = Dataset.range(50).shuffle(50).shuffle(10)
        return orders(data) + orders(data.prefetch(1))

    first = run()
    assert run() == first
    set_random_seed(6)
    assert orders(Dataset.range(50).shuffle(50).shuffle(10), 1) != first[:1]


def test_shuffling_an_endless_dataset():
    data = Dataset.range(3).repeat().shuffle(5, seed=0).take(3000)
    counts = np.bincount([int(i) for i in data])
    assert abs(counts - 1000).max() <= 5  # the buffer still holds some

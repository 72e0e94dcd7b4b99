"""prefetch: a thread that runs while it is needed, and then ends."""

import gc
import threading
import time

import numpy as np
import pytest

from fastnn import backend
from fastnn.data import Dataset


def threads():
    return [t for t in threading.enumerate() if t.name == "fastnn-prefetch"]


@pytest.fixture(autouse=True)
def none_left():
    assert not threads()
    yield
    gc.collect()
    assert not threads()


@pytest.mark.parametrize("size", [1, 3, 100])
def test_the_same_elements_in_order(size):
    data = Dataset.range(50).map(lambda i: i * 2).prefetch(size)
    assert [int(i) for i in data] == [int(i) for i in data] == list(range(0, 100, 2))


def test_elements_are_made_ahead_but_not_without_limit():
    made = []
    iterator = iter(Dataset.range(100).map(lambda i: made.append(i) or i).prefetch(3))
    next(iterator)
    deadline = time.monotonic() + 5
    while len(made) < 5 and time.monotonic() < deadline:
        time.sleep(0.001)
    time.sleep(0.02)
    assert len(made) == 5  # one consumed, three waiting, one held by the thread
    iterator.close()


def test_nothing_starts_before_the_first_element():
    iterator = iter(Dataset.range(3).map(abs).prefetch(1))
    assert not threads()
    del iterator


def test_leaving_early_ends_the_thread():
    data = Dataset.range(1000).map(lambda i: i).repeat().prefetch(2)
    for i in data:
        if i == 3:
            break
    del i
    gc.collect()
    assert not threads()
    chained = data.map(abs).prefetch(2).batch(2).prefetch(2)  # threads that feed other threads
    iterator = iter(chained)
    next(iterator)
    assert len(threads()) == 3
    del iterator
    deadline = time.monotonic() + 5
    while threads() and time.monotonic() < deadline:
        gc.collect()
        time.sleep(0.001)
    assert not threads()


def test_exceptions_reach_the_consumer():
    def numbers():
        yield 1
        raise KeyError("gone")

    iterator = iter(Dataset.from_generator(numbers).prefetch(4))
    assert next(iterator) == 1
    with pytest.raises(KeyError, match="gone"):
        next(iterator)
    assert list(iterator) == []


def test_the_thread_uses_the_backend_of_its_consumer():
    data = Dataset.range(1).map(lambda i: backend.active().__name__).prefetch(1)
    with backend.use("reference"):
        assert list(data) == [backend.active().__name__]


def test_rows_need_no_thread():
    data = Dataset.from_tensor_slices(np.arange(3)).prefetch(2)
    next(iter(data))
    assert not threads()

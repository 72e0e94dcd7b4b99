"""The switch between the two sets of kernels: blocks belong to their thread, ``set_backend`` to the process."""

import contextvars
import gc
import importlib.util
import threading
import time

import pytest

from fastnn import backend

START = backend.name()
OTHER = {"compiled": "reference", "reference": "compiled"}[START]

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("fastnn.kernels._core") is None, reason="the kernels are not built here"
)


@pytest.fixture(autouse=True)
def the_process_ends_as_it_began():
    yield
    found = backend.name()
    backend.set_backend(START)
    assert found == START


def seen_from_outside():
    """The backend of a thread that is in no block."""
    found = []
    thread = threading.Thread(target=contextvars.Context().run, args=(lambda: found.append(backend.name()),))
    thread.start()
    thread.join()
    return found[0]


def test_threads_in_blocks_are_never_seen_by_others():
    stop = threading.Event()
    strange = []

    def loop():
        while not stop.is_set():
            with backend.use(OTHER):
                if backend.name() != OTHER:
                    strange.append("in a block")

    def stand_by():
        while not stop.is_set():
            if backend.name() != START:
                strange.append("outside")

    threads = [threading.Thread(target=work) for work in (loop, loop, loop, stand_by)]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    stop.set()
    for thread in threads:
        thread.join()
    assert not strange
    assert backend.name() == seen_from_outside() == START


def test_objects_made_before_their_blocks():
    x = backend.use(OTHER)
    y = backend.use(OTHER)
    assert backend.name() == seen_from_outside() == START
    with x, y:
        assert backend.name() == OTHER
        assert seen_from_outside() == START
    assert backend.name() == seen_from_outside() == START


def test_blocks_in_blocks_and_one_object_twice():
    other, start = backend.use(OTHER), backend.use(START)
    with other:
        with start:
            assert backend.name() == START
            with other:
                assert backend.name() == OTHER
            assert backend.name() == START
        assert backend.name() == OTHER
    assert backend.name() == START


def test_one_object_in_several_threads():
    shared = backend.use(OTHER)
    both = threading.Barrier(2, timeout=10)
    found = []

    def enter():
        with shared:
            both.wait()
            found.append(backend.name())
            both.wait()
        found.append(backend.name())

    threads = [threading.Thread(target=enter) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found[:2] == [OTHER, OTHER]
    assert found[2:] == [START, START]


def test_blocks_that_end_out_of_order():
    """As those of two generators do, of which the first ends first."""

    def block(name):
        with backend.use(name):
            yield backend.name()

    first, second = block(OTHER), block(START)
    assert (next(first), next(second)) == (OTHER, START)
    first.close()
    assert backend.name() == START
    second.close()
    assert backend.name() == START
    first, second = block(START), block(OTHER)
    assert (next(first), next(second)) == (START, OTHER)
    first.close()
    assert backend.name() == OTHER
    second.close()
    assert backend.name() == START


def test_a_block_that_ends_by_an_error():
    with pytest.raises(KeyError), backend.use(OTHER):
        raise KeyError
    assert backend.name() == START


def test_a_block_that_ends_in_another_context():
    block = backend.use(OTHER)
    contextvars.copy_context().run(block.__enter__)
    block.__exit__(None, None, None)
    assert backend.name() == START


def test_the_process_is_switched_by_its_own_word():
    backend.set_backend(OTHER)
    assert backend.name() == seen_from_outside() == OTHER
    with backend.use(START):
        assert backend.name() == START
        assert seen_from_outside() == OTHER
        backend.set_backend(START)  # a block keeps what it asked for
    assert backend.name() == seen_from_outside() == START


def test_use_without_a_block_switches_nothing_and_says_what_to_call():
    with pytest.warns(RuntimeWarning, match=rf'Call fastnn.backend.set_backend\("{OTHER}"\)') as caught:
        backend.use(OTHER)
    assert backend.name() == seen_from_outside() == START
    assert caught[0].filename == __file__


def test_unknown_names_are_refused():
    for call in (backend.use, backend.set_backend):
        with pytest.raises(ValueError, match="Received: 'cuda'"):
            call("cuda")
    gc.collect()  # the object that was refused has nothing to warn of
    assert backend.name() == START

"""The source of all randomness.

Everything random in fastnn (initial weights, the order of examples, dropout masks, stochastic pooling) starts from a
64-bit *key* drawn from one stream.  ``set_random_seed`` restarts the stream: a script that calls it first can be
reproduced.
"""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np

__all__ = [
    "Keys", "Stream", "draw_key", "drawing_from", "given_back", "go_on_from", "random_generator", "set_aside",
    "set_random_seed",
]  # fmt: skip

_MASK = (1 << 64) - 1


class _Mine(threading.local):
    """How many keys of the process's stream this thread has drawn."""

    count = 0


_lock = threading.Lock()
_mine = _Mine()
_seed = int.from_bytes(os.urandom(8), "little")
_count = 0
_restarts = 0
_aside: ContextVar[bool] = ContextVar("aside", default=False)
_within: ContextVar[Keys | None] = ContextVar("within", default=None)


def _free_lock() -> None:
    """Give a forked child a lock of its own: the thread that held this one is not there."""
    global _lock
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_free_lock)


def _splitmix64(state: int) -> int:
    """Mix 64 bits so that neighbouring states give unrelated keys."""
    z = (state + 0x9E3779B97F4A7C15) & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return z ^ (z >> 31)


def set_random_seed(seed: int) -> None:
    """Make everything random from here on reproducible: weights, data order, dropout, stochastic pooling.

    Also seeds Python's ``random`` and NumPy's global generator, so that the user's own draws repeat too.

    Parameters
    ----------
    seed : int
        From 0 to 2³² − 1.

    Raises
    ------
    ValueError
        If seed is not such an integer; nothing is reseeded.

    Examples
    --------
    >>> set_random_seed(1)
    >>> first = draw_key()
    >>> set_random_seed(1)
    >>> draw_key() == first
    True
    """
    global _seed, _count, _restarts
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= seed < 1 << 32:
        raise ValueError(f"seed must be an integer from 0 to 2**32 - 1. Received: {seed!r}.")
    with _lock:
        _seed, _count, _restarts = int(seed), 0, _restarts + 1
    random.seed(int(seed))
    np.random.seed(int(seed))  # noqa: NPY002


def draw_key() -> int:
    """Return the next 64-bit key of the stream; a layer draws one when it is built.

    Returns
    -------
    int
        In [0, 2⁶⁴).

    References
    ----------
    Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, OOPSLA 2014 (SplitMix64).
    """
    global _count
    if _aside.get():
        return 0
    if (keys := _within.get()) is not None:
        return keys.draw_key()
    with _lock:
        _count += 1
        _mine.count += 1
        return _splitmix64(_splitmix64(_seed) ^ _count)


@contextmanager
def given_back() -> Iterator[None]:
    """If the block raises, the keys that it has drawn go back, so that a refused call leaves the stream as it was.

    Keys that another thread has drawn meanwhile are in use; then the stream stays where it is.

    Examples
    --------
    >>> set_random_seed(1)
    >>> try:
    ...     with given_back():
    ...         refused = draw_key()
    ...         raise ValueError
    ... except ValueError:
    ...     draw_key() == refused
    True
    """
    global _count
    keys, restarts = _within.get(), _restarts
    count, mine, inner = _count, _mine.count, 0 if keys is None else keys.count
    try:
        yield
    except BaseException:
        if keys is not None:
            keys.count = inner
        with _lock:
            if restarts == _restarts and _count - count == _mine.count - mine:
                _count, _mine.count = count, mine
        raise


def go_on_from(seed: int, count: int) -> None:
    """Move the global stream to a ``Stream.position()``, to resume an interrupted run.

    Within one seed it never goes back, since that would repeat keys that are in use.  In a block of ``drawing_from``
    the stream of the block is moved.
    """
    global _seed, _count
    seed, count = int(seed) & _MASK, int(count) & _MASK
    if (keys := _within.get()) is not None:
        keys.seed, keys.count = seed, max(count, keys.count) if seed == keys.seed else count
        return
    with _lock:
        _seed, _count = seed, max(count, _count) if seed == _seed else count


@contextmanager
def set_aside() -> Iterator[None]:
    """Within the block no key is taken from the stream: objects created there get their keys from a file."""
    token = _aside.set(True)
    try:
        yield
    finally:
        _aside.reset(token)


class Keys:
    """A stream beside that of the process, for a block of ``drawing_from``.

    Parameters
    ----------
    seed : int
    count : int
        How many keys it has given.
    """

    def __init__(self, seed: int, count: int = 0):
        self.seed, self.count = int(seed) & _MASK, int(count) & _MASK

    def draw_key(self) -> int:
        """The next key."""
        self.count += 1
        return _splitmix64(_splitmix64(self.seed) ^ self.count)


@contextmanager
def drawing_from(keys: Keys) -> Iterator[Keys]:
    """Within the block, in this thread of execution, keys come from ``keys``; the process's stream is left alone.

    Examples
    --------
    >>> with drawing_from(Keys(7)):
    ...     first = draw_key()
    >>> with drawing_from(Keys(7)):
    ...     draw_key() == first
    True
    """
    token = _within.set(keys)
    try:
        yield keys
    finally:
        _within.reset(token)


class Stream:
    """The stream as it was when a model was saved: the ``fit`` of the loaded model continues from there.

    The stream of the process is not touched, and ``set_random_seed`` takes over again when it is called.

    Parameters
    ----------
    seed, count : int, optional
        As ``position`` gave them; None: those of the process as it is now.

    Examples
    --------
    >>> set_random_seed(1)
    >>> stream = Stream()
    >>> stream.draw_key() == draw_key()
    True
    """

    def __init__(self, seed: int | None = None, count: int | None = None):
        keys = _within.get()
        with _lock:
            now = (_seed, _count) if keys is None else (keys.seed, keys.count)
            self.seed = now[0] if seed is None else int(seed) & _MASK
            self.count = now[1] if count is None else int(count) & _MASK
            self._restarts = _restarts

    @property
    def goes_on(self) -> bool:
        """Whether the process has not called ``set_random_seed`` since."""
        return self._restarts == _restarts

    def draw_key(self) -> int:
        """The next key."""
        if not self.goes_on:
            return draw_key()
        self.count += 1
        return _splitmix64(_splitmix64(self.seed) ^ self.count)

    def position(self) -> tuple[int, int]:
        """Seed and count, from which another stream can continue."""
        if self.goes_on:
            return self.seed, self.count
        with _lock:
            return _seed, _count


def random_generator(seed: int | None = None, stream: Stream | None = None) -> np.random.Generator:
    """Return a NumPy generator that starts from ``seed``, or from the next key of the stream.

    Parameters
    ----------
    seed : int, optional
        A fixed seed; None draws a key, so that ``set_random_seed`` governs the generator.
    stream : Stream, optional
        Where the key is drawn; default: from the stream of the process.
    """
    draw = draw_key if stream is None else stream.draw_key
    key = draw() if seed is None else int(seed) & _MASK
    return np.random.Generator(np.random.Philox(key=key))

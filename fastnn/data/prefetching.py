"""Make elements ahead of time in a thread."""

from __future__ import annotations

import contextvars
import queue
import threading
from collections.abc import Iterable, Iterator
from typing import Any

__all__ = ["prefetched"]

_LOOK_AROUND = 1.0  # seconds after which a waiting consumer checks that its thread is still alive


def prefetched(source: Iterable[Any], size: int) -> Iterator[Any]:
    """Yield the elements of ``source``, made up to ``size`` ahead of the consumer.

    A thread starts when the first element is requested. It ends after the last element, when an element raises (the
    consumer gets the exception), or when the consumer goes away, at the latest after the element it is working on.
    """
    ready: queue.Queue[tuple[str, Any]] = queue.Queue(size)
    left = threading.Event()
    context = contextvars.copy_context()  # the thread uses the backend of its consumer
    thread = threading.Thread(
        target=context.run, args=(_work, source, ready, left), name="fastnn-prefetch", daemon=True
    )
    thread.start()
    try:
        while True:
            kind, value = _wait(ready, thread)
            if kind == "end":
                return
            if kind == "error":
                raise value
            yield value
    finally:
        left.set()
        while not ready.empty():  # make room for a blocked thread, so that it sees that the consumer has gone
            ready.get_nowait()
        if thread is not threading.current_thread():
            thread.join(_LOOK_AROUND)


def _work(source: Iterable[Any], ready: queue.Queue[tuple[str, Any]], left: threading.Event) -> None:
    iterator: Any = None
    try:
        iterator = iter(source)
        for element in iterator:
            ready.put(("element", element))
            if left.is_set():
                return
        ready.put(("end", None))
    except BaseException as error:
        ready.put(("error", error))
    finally:
        if hasattr(iterator, "close"):
            iterator.close()


def _wait(ready: queue.Queue[tuple[str, Any]], thread: threading.Thread) -> tuple[str, Any]:
    while True:
        try:
            return ready.get(timeout=_LOOK_AROUND)
        except queue.Empty:
            if not thread.is_alive() and ready.empty():
                raise RuntimeError(
                    "The thread of prefetch has died, for example because the process was forked. Iterate again: "
                    "iter(dataset)."
                ) from None

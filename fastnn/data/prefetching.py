"""Elements made ahead of time, by a thread."""

from __future__ import annotations

import contextvars
import queue
import threading
from collections.abc import Iterable, Iterator
from typing import Any

__all__ = ["prefetched"]

_LOOK_AROUND = 1.0  # seconds after which a waiting consumer asks whether its thread still lives


def prefetched(source: Iterable[Any], size: int) -> Iterator[Any]:
    """The elements of ``source``, up to ``size`` of them ahead of the consumer.

    A thread starts with the first element that is asked for. It ends when the elements do, when one raises (the
    consumer gets the exception), or when the consumer goes away: at the latest once the element that it is at is made.
    """
    ready: queue.Queue[tuple[str, Any]] = queue.Queue(size)
    left = threading.Event()
    context = contextvars.copy_context()  # the thread works on the backend of the one who asks
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
        while not ready.empty():  # let a thread that waits for room go on, and see that nobody waits for it
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
                    "The thread of prefetch is gone, for example because the process was forked. Iterate anew: "
                    "iter(dataset)."
                ) from None

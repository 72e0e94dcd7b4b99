"""One lock a model: threads may share a model, one call at a time; and a forked child finds it free.

A fork copies only the thread that forks. A lock that another thread held at that moment would stay closed in the child
for good, so the child gets a new one. What the forking thread itself holds, it holds in the child too.
"""

from __future__ import annotations

import functools
import os
import threading
import weakref
from collections.abc import Callable
from typing import Any

__all__ = ["give_lock", "locked"]

_models: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()


def give_lock(model: Any) -> None:
    """Make ``model._lock``."""
    model._lock = threading.RLock()
    _models[id(model)] = model


def locked(method: Callable[..., Any]) -> Callable[..., Any]:
    """A method that waits until no other thread is in a call of the model."""

    @functools.wraps(method)
    def call(self: Any, *arguments: Any, **named: Any) -> Any:
        with self._lock:
            return method(self, *arguments, **named)

    return call


def _free_locks() -> None:
    for model in list(_models.values()):
        if model._lock.acquire(blocking=False):
            model._lock.release()
        else:  # a thread that does not exist here
            model._lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_free_locks)

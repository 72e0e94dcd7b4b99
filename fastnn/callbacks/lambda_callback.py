"""A callback made of functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastnn.callbacks.callback import HOOKS, Callback

__all__ = ["LambdaCallback"]


class LambdaCallback(Callback):
    """Calls the given functions at their moments.

    Parameters
    ----------
    **functions
        Named as the moments: ``on_epoch_end=lambda epoch, logs: print(epoch, logs["loss"])``.

    Raises
    ------
    TypeError
        For a name that is not a moment, or something that cannot be called.

    Examples
    --------
    >>> LambdaCallback(on_epoch_end=lambda epoch, logs: print(epoch, logs)).on_epoch_end(0, {})
    0 {}
    """

    def __init__(self, **functions: Callable[..., Any] | None):
        super().__init__()
        known = (*HOOKS, "on_batch_begin", "on_batch_end")
        for name, function in functions.items():
            if name not in known:
                raise TypeError(f"LambdaCallback has no argument {name!r}. Known: {', '.join(known)}.")
            if function is None:
                continue
            if not callable(function):
                raise TypeError(f"{name} must be a function. Received: {name}={function!r}.")
            setattr(self, name, function)

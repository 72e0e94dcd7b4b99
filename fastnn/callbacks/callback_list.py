"""All callbacks of one call of ``fit`` as one; moments that nobody overrides are empty functions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from fastnn.callbacks.callback import HOOKS, Callback

__all__ = ["CallbackList"]

_OLDER = {"on_train_batch_begin": "on_batch_begin", "on_train_batch_end": "on_batch_end"}


def _nothing(*args: Any) -> None:
    pass


class CallbackList:
    """Calls every callback at every moment, in order.

    Each moment is an attribute of the list: ``callbacks.on_epoch_end(epoch, logs)``.  One that no callback overrides is
    an empty function, and ``hears`` says so, so that a loop need not even gather its logs.

    Parameters
    ----------
    callbacks : iterable of Callback, optional
        Anything with some of a Callback's methods.
    model : Model, optional
    params : dict, optional

    Examples
    --------
    >>> class Count(Callback):
    ...     epochs = 0
    ...     def on_epoch_end(self, epoch, logs=None):
    ...         self.epochs += 1
    >>> count = Count()
    >>> callbacks = CallbackList([count])
    >>> callbacks.on_epoch_end(0, {}), count.epochs, callbacks.hears("on_train_batch_end")
    (None, 1, False)
    """

    def __init__(
        self,
        callbacks: Iterable[Any] | Callback | None = None,
        model: Any = None,
        params: dict[str, Any] | None = None,
    ):
        if callbacks is None:
            callbacks = []
        self.callbacks: list[Any] = list(callbacks) if isinstance(callbacks, (list, tuple)) else [callbacks]
        for callback in self.callbacks:
            if isinstance(callback, type) or not any(callable(getattr(callback, hook, None)) for hook in HOOKS):
                raise TypeError(
                    f"A callback must be an object with methods like on_epoch_end. Received: {callback!r}. "
                    + (
                        f"Type {callback.__name__}()."
                        if isinstance(callback, type)
                        else "Subclass fastnn.callbacks.Callback."
                    )
                )
        self.params = dict(params or {})
        for callback in self.callbacks:
            if params is not None and hasattr(callback, "set_params"):
                callback.set_params(self.params)
            if model is not None and hasattr(callback, "set_model"):
                callback.set_model(model)
        self.refresh()

    def refresh(self) -> None:
        """Look again at who overrides what; needed only when a callback got a new method."""
        self._heard = set()
        for hook in HOOKS:
            methods = [getattr(callback, hook) for callback in self.callbacks if _overrides(callback, hook)]
            if methods:
                self._heard.add(hook)
            setattr(self, hook, _nothing if not methods else methods[0] if len(methods) == 1 else _each(methods))

    if TYPE_CHECKING:

        def __getattr__(self, hook: str) -> Any:
            """One of the methods that ``refresh`` sets."""

    def append(self, callback: Any) -> None:
        """Add a callback at the end."""
        self.callbacks.append(callback)
        self.refresh()

    def hears(self, hook: str) -> bool:
        """True if any callback overrides the moment ``hook``."""
        return hook in self._heard

    def __iter__(self):
        return iter(self.callbacks)

    def __len__(self) -> int:
        return len(self.callbacks)


def _each(methods: list[Any]) -> Any:
    def call(*args: Any) -> None:
        for method in methods:
            method(*args)

    return call


def _overrides(callback: Any, hook: str) -> bool:
    for name in (hook, _OLDER.get(hook, hook)):
        method = getattr(callback, name, None)
        if callable(method) and getattr(method, "__func__", method) is not getattr(Callback, name):
            return True
    return False

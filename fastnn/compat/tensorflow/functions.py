"""``tf.function``: every function here is run as it stands, so this is the function itself."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

__all__ = ["autograph", "function"]


def function(func: Callable[..., Any] | None = None, **options: Any) -> Any:
    """The function itself; as ``@tf.function`` and as ``@tf.function(input_signature=...)``.

    Parameters
    ----------
    func : callable, optional
        Without it, a decorator.
    **options : accepted; there is nothing to compile, since models run on compiled kernels either way

    Examples
    --------
    >>> @function
    ... def double(x):
    ...     return 2 * x
    >>> @function(reduce_retracing=True)
    ... def triple(x):
    ...     return 3 * x
    >>> double(2), triple(2)
    (4, 6)
    """
    return _itself if func is None else func


def _itself(func: Callable[..., Any]) -> Callable[..., Any]:
    return func


autograph = SimpleNamespace(experimental=SimpleNamespace(do_not_convert=function))
"""``tf.autograph.experimental.do_not_convert``: nothing is converted, so the function itself."""

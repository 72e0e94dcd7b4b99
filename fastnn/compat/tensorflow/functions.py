"""Functions about functions: ``tf.function``, which returns the function itself, and ``tf.custom_gradient``."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from ... import ops
from ...graph import Operation, as_tensor, contains_symbols, given_out, unrecorded
from ...ops.function import is_parameter

__all__ = ["UnconnectedGradients", "autograph", "custom_gradient", "function", "group", "no_op"]


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


class UnconnectedGradients:
    """What ``tape.gradient`` gives for a source that the target does not depend on."""

    NONE = "none"
    ZERO = "zero"


def group(*inputs: Any, name: str | None = None) -> None:
    """Nothing: operations have run when they are called."""


no_op = group


class _Custom(Operation):
    """A function whose gradient the user wrote."""

    def __init__(self, name: str):
        self.name = name

    def backward(self, dy: Any, ctx: Callable[..., Any], need_dx: Any = True) -> list[Any]:
        found = ctx(*map(as_tensor, dy))
        return list(found) if isinstance(found, (list, tuple)) else [found]


def custom_gradient(f: Callable[..., Any]) -> Callable[..., Any]:
    """A function that gives its value and the function of its gradient: ``return y, lambda dy: dy * slope``.

    Examples
    --------
    >>> import fastnn.compat.tensorflow as tf
    >>> @custom_gradient
    ... def softplus(z):
    ...     return tf.math.log(tf.exp(z) + 1), lambda dy: dy / (1 + 1 / tf.exp(z))
    >>> x = tf.Variable(0.0)
    >>> with tf.GradientTape() as tape:
    ...     y = softplus(x)
    >>> float(tape.gradient(y, x))
    0.5
    """

    @functools.wraps(f)
    def run(*arguments: Any, **named: Any) -> Any:
        if contains_symbols(arguments, named):
            raise TypeError(
                f"{f.__name__} has a custom gradient, which runs on numbers. Received: a symbol. Write a Layer with "
                "forward and backward: def forward(self, x, training=False): return y, ctx"
            )
        with unrecorded():
            y, gradient = f(*(ops.convert_to_tensor(a) if is_parameter(a) else a for a in arguments), **named)
        parts = list(y) if isinstance(y, (list, tuple)) else [np.asarray(y)]
        found = given_out(_Custom(f.__name__), arguments, parts, gradient, True)
        return found if isinstance(y, (list, tuple)) else found[0]

    return run

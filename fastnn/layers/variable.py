"""Variable: a parameter outside of any layer, or as an attribute of one."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import constraints
from .parameter import Parameter

__all__ = ["Variable"]

_serial = itertools.count()


class Variable(Parameter):
    """A value that changes: read in operators and functions, written by ``assign``, followed by a ``GradientTape``.

    A layer that writes ``call`` has the real variables among its attributes as weights.

    Parameters
    ----------
    initial_value : array, number, list, or a function without arguments that gives one
    trainable : bool
        Whether a tape watches it automatically, and training changes it.
    name : str, optional
    dtype : optional
        Default: that of the array; of numbers and lists float32 and int32.
    constraint : str or object, optional
        Applied by an optimizer after its step.

    Raises
    ------
    TypeError
        If the value does not hold numbers.

    Examples
    --------
    >>> v = Variable([1.0, 2.0])
    >>> v.assign_add([1.0, 1.0]).numpy().tolist(), (2 * v).tolist()
    ([2.0, 3.0], [4.0, 6.0])
    """

    __slots__ = ("__weakref__",)

    def __init__(
        self,
        initial_value: Any = None,
        trainable: bool = True,
        name: str | None = None,
        dtype: Any = None,
        constraint: Any = None,
        shape: Sequence[int] | None = None,
    ):
        found: Any = initial_value() if isinstance(initial_value, Callable) else initial_value
        found = found.value if isinstance(found, Parameter) else found
        value = np.array(found, dtype, order="C", subok=False)
        if value.dtype.kind not in "biuf":
            raise TypeError(
                f"A variable holds numbers. Received: initial_value={found!r:.80}. Use an array, such as "
                "tf.Variable(tf.zeros((2, 3)))."
            )
        if dtype is None and not hasattr(found, "dtype"):
            value = value.astype({"f": np.float32, "i": np.int32}.get(value.dtype.kind, value.dtype))
        number = next(_serial)
        name = name or ("variable" if not number else f"variable_{number}")
        super().__init__(name, value, bool(trainable), None, constraints.get(constraint))

    def checked(self, value: Any) -> np.ndarray:
        """``value`` as an array that may be written into this variable.

        Raises
        ------
        TypeError
            If it does not hold numbers, or holds reals where the variable holds integers.
        ValueError
            If the shape differs.
        """
        array = super().checked(value)
        if not np.can_cast(array.dtype, self.dtype, "same_kind") and np.any(array != array.astype(self.dtype)):
            raise TypeError(
                f"Variable {self.name!r} holds {self.dtype}. Received: {array.dtype}. Use tf.cast(value, ...), or "
                "make it of reals: tf.Variable(0.0)."
            )
        return array

    def __repr__(self) -> str:
        return f"<Variable {self.name!r} shape={self.shape} dtype={self.dtype} numpy={self.value!r}>"

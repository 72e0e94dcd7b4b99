"""Parameter: one weight of a layer, with its gradient."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from ..graph import Operators, Tensor, as_tensor, install_operators, is_tracing
from ..ops import OPERATORS, convert_to_tensor, greater, greater_equal, less, less_equal

__all__ = ["Parameter", "as_input"]


class Parameter(Operators):
    """One weight of a layer: ``value`` and the gradient ``grad``, two arrays of one shape.

    Once a model owns the layer both are views into the model's two flat buffers, so write into them
    (``p.value[...] = w``) and never replace them.

    Attributes
    ----------
    name, shape, dtype : str, tuple of int, str
    path : str
        The name behind that of its layer: "dense/kernel".
    trainable : bool
    regularizer, constraint : object or None
    arena : object or None
        The buffers that ``value`` and ``grad`` are views of, once a model owns the layer.
    rows : array of int64 or None
        The only rows of ``grad`` that may hold anything but zero, ascending; None: any may.  The backward of a table
        (Embedding) sets it; code that writes to other rows of ``grad`` sets it to None.
    """

    __slots__ = (
        "arena",
        "constraint",
        "dtype",
        "grad",
        "name",
        "path",
        "regularizer",
        "rows",
        "shape",
        "trainable",
        "value",
    )

    def __init__(self, name: str, value: np.ndarray, trainable: bool, regularizer: Any, constraint: Any):
        self.name = self.path = name
        self.shape = value.shape
        self.dtype = value.dtype.name
        self.trainable = trainable
        self.regularizer = regularizer
        self.constraint = constraint
        self.value = value
        self.grad = np.zeros_like(value)
        self.arena: Any = None
        self.rows: np.ndarray | None = None

    def numpy(self) -> Any:
        """A copy of the value; of a single number a NumPy number."""
        return self.value.copy()[()]

    def read_value(self) -> Tensor:
        """A copy of the value, as a tensor."""
        return as_tensor(self.value.copy())

    def assign(self, value: Any) -> Self:
        """Write a value of the same shape; gives the weight itself.

        Raises
        ------
        TypeError, ValueError
            If it holds no real numbers, or the shape differs; nothing is written.
        """
        self.value[...] = self.checked(value)
        return self

    def assign_add(self, value: Any) -> Self:
        """Add a value of the same shape, or a number."""
        return self.assign(np.asarray(self.value + _array(value)))

    def assign_sub(self, value: Any) -> Self:
        """Subtract a value of the same shape, or a number."""
        return self.assign(np.asarray(self.value - _array(value)))

    def __float__(self) -> float:
        return float(self.value)

    def __int__(self) -> int:
        return int(self.value)

    def __len__(self) -> int:
        return len(self.value)

    def __lt__(self, other: Any) -> Any:
        return less(self, other)

    def __le__(self, other: Any) -> Any:
        return less_equal(self, other)

    def __gt__(self, other: Any) -> Any:
        return greater(self, other)

    def __ge__(self, other: Any) -> Any:
        return greater_equal(self, other)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self.value.ndim

    def checked(self, value: Any) -> np.ndarray:
        """``value`` as an array that may be written into this weight.

        Raises
        ------
        TypeError
            If it holds no real numbers.
        ValueError
            If the shape differs.
        """
        value = np.asarray(value)
        if value.dtype.kind not in "biuf":
            raise TypeError(f"Weight {self.name!r} must hold real numbers. Received: an array of dtype {value.dtype}.")
        if value.shape != self.shape:
            raise ValueError(
                f"Weight {self.name!r} must have shape {self.shape}. Received: an array of shape {value.shape}."
            )
        return value

    def __getstate__(self) -> dict[str, Any]:
        """A copy is independent: it owns its arrays until a model takes it."""
        return {name: getattr(self, name) for name in self.__slots__} | {"arena": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            setattr(self, name, value)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        """The value as an array, for NumPy; refused while a ``call`` is traced, where its gradient would be lost."""
        if is_tracing():
            raise TypeError(
                f"A NumPy function would use the current value of weight {self.name!r}, without its gradient. Use the "
                "function of the same name in fastnn.ops, such as fastnn.ops.square(w)."
            )
        return np.array(self.value, dtype, copy=copy is not False)

    def __repr__(self) -> str:
        return f"<Parameter {self.name!r} {self.shape} {self.dtype}>"


install_operators(OPERATORS, Parameter)  # w * 2, x @ w: in a traced call, and on arrays


def as_input(x: Any) -> Any:
    """What a layer is called on; a weight or variable as a tensor, whose tape it stays on."""
    return convert_to_tensor(x) if isinstance(x, Parameter) and not is_tracing() else x


def _array(value: Any) -> Any:
    return value.value if isinstance(value, Parameter) else np.asarray(value)

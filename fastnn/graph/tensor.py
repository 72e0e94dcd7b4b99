"""Tensors: NumPy arrays that users get from calls, which also answer ``.numpy()``, and which a tape can follow."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from .following import is_followed, note

__all__ = ["Tensor", "as_tensor", "given_out", "install_functions"]


class Tensor(np.ndarray):
    """A NumPy array with two additions: ``numpy()``, and a ``GradientTape`` that is open follows what is done to it.

    Calls of layers, models and losses on arrays give tensors.  Inside the kernels there are none.  ``x += y`` makes a
    new tensor, since others may hold the old one.

    Examples
    --------
    >>> x = as_tensor([1.0, 2.0])
    >>> x, x.numpy(), float(x[1])
    (array([1., 2.]), array([1., 2.]), 2.0)
    """

    __slots__ = ()

    def numpy(self) -> Any:
        """The numbers as a NumPy array of their own; a single one as a NumPy number; strings as bytes of UTF-8."""
        array = np.array(self, subok=False)
        if array.dtype == object:
            array = np.frompyfunc(lambda text: text.encode() if isinstance(text, str) else text, 1, 1)(array)
        return array[()] if isinstance(array, np.ndarray) else array

    def get_shape(self) -> tuple[int, ...]:
        """The same as ``shape``."""
        return self.shape

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        if method == "__call__" and not options and is_followed(*inputs):
            function = _FUNCTIONS.get(ufunc.__name__)
            if function is not None:
                return function(*inputs)
        if "out" in options:
            options["out"] = tuple(map(_plain, options["out"]))
        with np.errstate(all="ignore"):  # infinity and NaN are values here
            found = getattr(ufunc, method)(*map(_plain, inputs), **options)
        if isinstance(found, tuple):
            return tuple(map(as_tensor, found))
        return as_tensor(found) if isinstance(found, (np.ndarray, np.generic)) else found

    def __getitem__(self, key: Any) -> Any:
        if is_followed(self):
            if isinstance(key, np.ndarray) and key.dtype == bool:
                key = tuple(np.nonzero(key))
            return _FUNCTIONS["getitem"](self, key)
        found = super().__getitem__(key)
        return found if isinstance(found, np.ndarray) else as_tensor(np.asarray(found, self.dtype))

    def __setitem__(self, key: Any, value: Any) -> None:
        if is_followed(self):
            raise TypeError(
                "A tensor that an open GradientTape follows cannot be written into. Use tf.where(condition, a, b), or "
                "tf.concat of the parts."
            )
        super().__setitem__(key, value)

    def __iter__(self) -> Iterator[Any]:
        if not self.ndim:
            raise TypeError("A tensor without axes cannot be iterated. Use float(x) or x.numpy().")
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        return repr(_plain(self)[()])

    def __str__(self) -> str:
        return str(_plain(self))

    def __hash__(self) -> int:  # type: ignore[override]
        """Of a single number, so that ``set(labels)`` and dicts by label work; arrays have none."""
        if self.ndim:
            raise TypeError(f"A tensor of shape {self.shape} has no hash. Use its numbers: x.tolist().")
        return hash(self.item())

    def __round__(self, digits: int | None = None) -> Any:
        return round(self.item(), digits)

    @property
    def T(self) -> Any:
        """The axes in reverse."""
        return self.transpose()

    def __iadd__(self, other: Any) -> Any:
        return self + other

    def __isub__(self, other: Any) -> Any:
        return self - other

    def __imul__(self, other: Any) -> Any:
        return self * other

    def __itruediv__(self, other: Any) -> Any:
        return self / other

    def __ipow__(self, other: Any) -> Any:
        return self**other


def _method(name: str) -> Callable[..., Any]:
    """A method of arrays, by the function of the same name where a tape follows the tensor."""
    inherited = getattr(np.ndarray, name)

    @functools.wraps(inherited)
    def run(self: Any, *arguments: Any, **named: Any) -> Any:
        if not is_followed(self):
            return inherited(self, *arguments, **named)
        if name in ("reshape", "transpose") and arguments and not isinstance(arguments[0], (tuple, list)):
            arguments = (arguments,)
        return _FUNCTIONS[name](self, *arguments, **{key: one for key, one in named.items() if one is not None})

    return run


for _name in ("sum", "mean", "max", "min", "reshape", "transpose", "squeeze", "astype"):
    setattr(Tensor, _name, _method(_name))


def as_tensor(value: Any) -> Tensor:
    """An array, or what makes one, as a tensor over the same memory.

    Examples
    --------
    >>> as_tensor(3.0)
    np.float64(3.0)
    """
    return np.asarray(value).view(Tensor)


def _plain(value: Any) -> Any:
    return value.view(np.ndarray) if isinstance(value, Tensor) else value


def given_out(
    operation: Any, inputs: Sequence[Any], y: Any, ctx: Any, takes_several: bool, weights: Sequence[Any] = ()
) -> Any:
    """Return the outputs of a call on arrays as tensors, and let open tapes record the call.

    Parameters
    ----------
    operation : object with ``backward``
    inputs : list
        What the user gave.
    y, ctx
        From ``forward``: an array or a list of them.
    takes_several : bool
        Whether ``backward`` gives a list of gradients.
    weights : list of Parameter
        Those whose ``grad`` its ``backward`` assigns.
    """
    several = isinstance(y, (list, tuple))
    outputs = [as_tensor(part) for part in (y if several else [y])]
    note(operation, inputs, outputs, ctx, weights, (takes_several, several))
    return outputs if several else outputs[0]


_FUNCTIONS: dict[str, Callable[..., Any]] = {}


def install_functions(functions: dict[str, Callable[..., Any]]) -> None:
    """Define what NumPy's functions and methods do to tensors that a tape follows.

    Parameters
    ----------
    functions : dict of callable
        Those of ``numpy``, "add" or "exp", and methods, "sum" or "getitem".
    """
    _FUNCTIONS.update(functions)

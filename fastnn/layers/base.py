"""What every layer is: parameters, shapes, ``forward`` and ``backward``.

A layer holds parameters and settings only.  Everything that belongs to one call travels in ``ctx``, from ``forward`` to
``backward``, so one layer may stand at several places of a model.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import activations, backend, constraints, initializers, regularizers, utils
from ..lookup import serialize
from .support.array_checks import checked_mask, read_ids, read_values

__all__ = ["Layer", "Parameter", "Shape"]

Shape = tuple[int | None, ...]


class Parameter:
    """One weight of a layer: ``value`` and the gradient ``grad``, two arrays of one shape.

    Once a model owns the layer both are views into the model's two flat buffers, so write into them
    (``p.value[...] = w``) and never replace them.

    Attributes
    ----------
    name, shape, dtype : str, tuple of int, str
    trainable : bool
    regularizer, constraint : object or None
    arena : object or None
        The buffers that ``value`` and ``grad`` are views of, once a model owns the layer.
    rows : array of int64 or None
        The only rows of ``grad`` that may hold anything but zero, ascending; None: any may.  The backward of a table
        (Embedding) sets it; whoever writes to other rows of ``grad`` sets it to None.
    """

    __slots__ = ("arena", "constraint", "dtype", "grad", "name", "regularizer", "rows", "shape", "trainable", "value")

    def __init__(self, name: str, value: np.ndarray, trainable: bool, regularizer: Any, constraint: Any):
        self.name = name
        self.shape = value.shape
        self.dtype = value.dtype.name
        self.trainable = trainable
        self.regularizer = regularizer
        self.constraint = constraint
        self.value = value
        self.grad = np.zeros_like(value)
        self.arena: Any = None
        self.rows: np.ndarray | None = None

    def numpy(self) -> np.ndarray:
        """A copy of the value."""
        return self.value.copy()

    def assign(self, value: Any) -> None:
        """Write a value of the same shape.

        Raises
        ------
        TypeError, ValueError
            If it holds no real numbers, or the shape differs; nothing is written.
        """
        self.value[...] = self.checked(value)

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
            raise TypeError(f"Weight {self.name!r} holds real numbers. Received: an array of dtype {value.dtype}.")
        if value.shape != self.shape:
            raise ValueError(f"Weight {self.name!r} has shape {self.shape}. Received: an array of shape {value.shape}.")
        return value

    def __getstate__(self) -> dict[str, Any]:
        """A copy stands alone: its arrays are its own, until a model takes it."""
        return {name: getattr(self, name) for name in self.__slots__} | {"arena": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            setattr(self, name, value)

    def __repr__(self) -> str:
        return f"<Parameter {self.name!r} {self.shape} {self.dtype}>"


class Layer:
    """Base of all layers; a layer of your own is a subclass with ``forward`` and ``backward``.

    Parameters
    ----------
    name : str, optional
        Default: the class in snake_case and a number, ``dense``, ``dense_1``.
    dtype : {"float32", "float64"}, optional
        Default: ``fastnn.backend.floatx()``.
    trainable : bool
        Takes effect at the first training step after the model is compiled.
    input_shape : tuple of int, optional
        Shape of one example, on the first layer of a model; ``input_dim=n`` stands for ``(n,)``.
    batch_input_shape : tuple of int, optional
        The same with the size of the batch in front, which a stateful layer holds on to.
    activity_regularizer : optional
        Penalty on the output, divided by the batch size and added to the loss.

    Raises
    ------
    TypeError
        For an argument that the layer does not have.
    ValueError
        For a dtype that is not real.

    Examples
    --------
    >>> class Double(Layer):
    ...     def forward(self, x, training=False):
    ...         return 2 * x, None
    ...     def backward(self, dy, ctx):
    ...         return 2 * dy
    >>> Double()(np.ones((1, 2), "float32")).tolist()
    [[2.0, 2.0]]
    """

    needs_input_gradient: bool = True
    takes_ids: bool = False
    """Whether the input is ids, read as int64; a model whose first layer takes ids reads its data so."""
    makes_mask: bool = False
    """Whether ``compute_mask`` makes a mask of its own, from the input."""
    uses_mask: bool = False
    """Whether the mask is wanted: ``forward(x, training=False, mask=None)``."""
    supports_masking: bool = False
    """Whether the mask of the input is the mask of the output.  A layer with ``uses_mask`` alone ends the mask."""
    gives_several: bool = False
    """Whether a call gives a list of arrays, such as the output and the final states."""
    fields: tuple[str, ...] = ()
    """Names of the settings that ``get_config`` reports."""

    def __init__(
        self,
        *,
        name: str | None = None,
        dtype: str | None = None,
        trainable: bool = True,
        input_shape: Sequence[int | None] | None = None,
        input_dim: int | None = None,
        batch_input_shape: Sequence[int | None] | None = None,
        activity_regularizer: Any = None,
        **unknown: Any,
    ):
        if unknown:
            refuse_arguments(type(self), unknown)
        dtype = backend.floatx() if dtype is None else np.dtype(dtype).name
        if dtype not in ("float32", "float64"):
            raise ValueError(f'{type(self).__name__} computes in "float32" or "float64". Received: dtype={dtype!r}.')
        self.name = utils.unique_name(type(self)) if name is None else str(name)
        self.dtype = dtype
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self.built = False
        self.input_shape: Shape | None = None
        self.output_shape: Shape | None = None
        self.first_shape = (input_dim,) if input_shape is None and input_dim is not None else input_shape
        self.first_batch: int | None = None
        if batch_input_shape is not None:
            self.first_batch, *rest = batch_input_shape
            self.first_shape = tuple(rest)
        self._parameters: list[Parameter] = []
        self._trainable = bool(trainable)

    # What a layer says about itself: subclasses override these.

    def build(self, input_shape: Shape) -> None:
        """Make the parameters, by ``add_weight``; called once, when the shape of the input is known."""

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Shape of the output, with None for the batch; the default runs ``forward`` on one example of zeros."""
        x = np.zeros([1 if n is None else n for n in input_shape], np.int64 if self.takes_ids else self.dtype)
        return (None, *self.checked_forward(x)[0].shape[1:])

    def check_ids(self, ids: np.ndarray) -> None:
        """Raise the error of ids that a layer with ``takes_ids`` does not know; the default knows all."""

    def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, Any]:
        """Give the output, and ``ctx``: whatever ``backward`` needs."""
        raise NotImplementedError(
            f"{type(self).__name__} has no forward. Type: def forward(self, x, training=False): return y, ctx"
        )

    def backward(self, dy: np.ndarray, ctx: Any) -> np.ndarray | None:
        """Assign ``parameter.grad[...]`` of each parameter and give ``dx``."""
        raise NotImplementedError(
            f"{type(self).__name__} has no backward. Type: def backward(self, dy, ctx): return dx   "
            f"(and inside it, for each weight w: self.w.grad[...] = dw)"
        )

    def compute_mask(self, x: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray | None:
        """The mask of the output, bool (B, T), True where a time step counts; None: all count.

        Parameters
        ----------
        x : array
            The input.
        mask : array of bool (B, T), optional
            The mask of the input.
        """
        return mask if self.supports_masking else None

    def get_config(self) -> dict[str, Any]:
        """The arguments that make this layer again."""
        config = {name: plain(getattr(self, name)) for name in self.fields}
        return {"name": self.name, "trainable": self.trainable, "dtype": self.dtype, **config}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Layer:
        """A new, unbuilt layer from ``get_config``."""
        return cls(**config)

    # Parameters.

    def add_weight(
        self,
        name: str,
        shape: Sequence[int],
        initializer: Any = "glorot_uniform",
        regularizer: Any = None,
        constraint: Any = None,
        trainable: bool = True,
    ) -> Parameter:
        """Make a parameter of this layer.

        Raises
        ------
        ValueError
            If the initializer gives another shape.
        """
        make = initializers.get("glorot_uniform" if initializer is None else initializer)
        value = make(tuple(shape), dtype=self.dtype)
        value = np.ascontiguousarray(value, self.dtype)
        if value.shape != tuple(shape):
            raise ValueError(
                f'Weight "{name}" of layer "{self.name}" has shape {tuple(shape)}. '
                f"Received: an initializer that gives {value.shape}."
            )
        parameter = Parameter(name, value, trainable, regularizers.get(regularizer), constraints.get(constraint))
        self._parameters.append(parameter)
        return parameter

    @property
    def trainable(self) -> bool:
        """Whether training changes the weights; set it, then compile the model (again)."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)

    @property
    def trainable_weights(self) -> list[Parameter]:
        """The parameters that training changes."""
        return [p for p in self._parameters if p.trainable] if self._trainable else []

    @property
    def non_trainable_weights(self) -> list[Parameter]:
        """The parameters that training leaves alone."""
        return [p for p in self._parameters if not (p.trainable and self._trainable)]

    @property
    def parameters(self) -> list[Parameter]:
        """All parameters; another word for ``weights``."""
        return self.weights

    @property
    def weights(self) -> list[Parameter]:
        """All parameters, in Keras' order: those made trainable first."""
        return sorted(self._parameters, key=lambda p: not p.trainable)

    def count_params(self) -> int:
        """How many numbers the weights hold."""
        if not self.built:
            raise ValueError(f'Layer "{self.name}" has no weights yet. Build it first, by an input shape or by a call.')
        return sum(p.value.size for p in self.weights)

    def get_weights(self) -> list[np.ndarray]:
        """Copies of the weights."""
        return [p.value.copy() for p in self.weights]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Write all weights, in the order of ``get_weights``.

        Raises
        ------
        TypeError, ValueError
            If they hold no real numbers, or their number or a shape differs; nothing is written.
        """
        arrays, mine = list(weights), self.weights
        if len(arrays) != len(mine):
            hint = "" if mine else " Build it first, by an input shape or by a call."
            raise ValueError(f'"{self.name}" has {len(mine)} weights.{hint} Received: {len(arrays)} arrays.')
        checked = [p.checked(array) for p, array in zip(mine, arrays, strict=True)]
        for p, array in zip(mine, checked, strict=True):
            p.value[...] = array

    # Running a layer.

    def ensure_built(self, input_shape: Sequence[int | None]) -> Shape:
        """Build for this input shape unless built already, and give the output shape.

        Raises
        ------
        ValueError
            If the layer cannot take the shape; it stays unbuilt.
        """
        input_shape = tuple(input_shape)
        if not self.built:
            try:
                self.build(input_shape)
                output_shape = tuple(self.compute_output_shape(input_shape))
            except BaseException:
                self.unbuild()
                raise
            self.input_shape, self.output_shape, self.built = input_shape, output_shape, True
        return tuple(self.compute_output_shape(input_shape))

    def unbuild(self) -> None:
        """Undo ``build``: the weights are gone, and the layer may be built for another shape."""
        self.built, self.input_shape, self.output_shape = False, None, None
        self._parameters.clear()

    def checked_forward(
        self, x: np.ndarray, training: bool = False, mask: np.ndarray | None = None
    ) -> tuple[np.ndarray, Any]:
        """``forward``, and a clear error if it does not give ``(y, ctx)``."""
        result = self.forward(x, training, mask) if self.uses_mask else self.forward(x, training)
        if not (isinstance(result, tuple) and len(result) == 2 and isinstance(result[0], np.ndarray)):
            raise TypeError(
                f"{type(self).__name__}.forward(x, training=False) returns two things: the output array, and ctx, "
                "whatever "
                f"backward(dy, ctx) needs (None will do). Received: {type(result).__name__}. Type: return y, ctx"
            )
        if result[0].dtype != self.dtype:
            raise TypeError(
                f"{type(self).__name__}.forward gives an array of the layer's dtype, {self.dtype}. "
                f"Received: {result[0].dtype}. Type: return y.astype(x.dtype), ctx"
            )
        return result

    def __call__(self, x: Any, training: bool = False, mask: Any = None) -> np.ndarray:
        """The output for an array; builds the layer if need be.

        Parameters
        ----------
        x : array
        training : bool
        mask : array of bool (B, T), optional
            True where a time step counts; layers that do not use masks ignore it.
        """
        x = read_ids(x, self) if self.takes_ids else read_values(x, self)
        mask = None if mask is None else checked_mask(mask, x.shape, self)
        self.ensure_built((None, *x.shape[1:]))
        return self.checked_forward(x, training, mask)[0]

    def refuse_shape(self, expected: str, input_shape: Shape, hint: str = "") -> None:
        """Raise the error of an input of the wrong shape."""
        raise ValueError(
            f'Layer "{self.name}" ({type(self).__name__}) expects {expected}. Received: input shape {input_shape}.'
            + (f" {hint}" if hint else "")
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"


def refuse_arguments(cls: type, unknown: dict[str, Any]) -> None:
    """Raise the error of an argument that a class does not have, with the nearest that it has."""
    import inspect

    known = {name for c in cls.__mro__ if c is not object for name in inspect.signature(c.__init__).parameters}
    name = next(iter(unknown))
    near = difflib.get_close_matches(name, sorted(known - {"self", "unknown", "settings"}), n=1)
    hint = f" Did you mean {near[0]}=?" if near else ""
    raise TypeError(f"{cls.__name__} has no argument {name!r}.{hint} Received: {name}={unknown[name]!r}.")


def plain(value: Any) -> Any:
    """A setting as plain data, for ``get_config``: objects by name or as class and config."""
    if isinstance(value, activations.Activation):
        return activations.serialize(value)
    if hasattr(value, "get_config") or callable(value):
        return serialize(value)
    return list(value) if isinstance(value, tuple) else value

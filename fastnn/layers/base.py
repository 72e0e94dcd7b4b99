"""What every layer is: parameters, shapes, ``forward`` and ``backward``.

A layer holds parameters and settings only.  Everything that belongs to one call travels in ``ctx``, from ``forward`` to
``backward``, so one layer may be called in several places of a model.
"""

from __future__ import annotations

import difflib
import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

import numpy as np

from .. import activations, backend, constraints, initializers, regularizers, utils
from ..custom import of_own_arguments
from ..data.texts import as_texts
from ..graph import Node, Symbol, contains_symbols, flatten, given_out, is_tracing, update_later
from ..lookup import serialize
from ..seeds import given_back
from ..shapes import Shape
from .parameter import Parameter, as_input
from .support.array_checks import checked_mask, read_ids, read_values
from .support.penalties import penalties_of
from .support.symbolic_call import record_call
from .support.traced_call import call_built_in, install_trace, layers_among, note_loss
from .support.unfilled import room
from .variable import Variable

__all__ = ["Layer", "Parameter", "Shape"]


class Layer:
    """Base of all layers; a layer of your own is a subclass.

    Write its ``call`` with layers, operators and ``fastnn.ops``, and there is no backward to write: ``call`` runs once
    on symbols and becomes a graph of nodes.  Or write ``forward`` and ``backward``.

    Parameters
    ----------
    name : str, optional
        Default: the class in snake_case and a number, ``dense``, ``dense_1``.
    dtype : {"float32", "float64"}, optional
        Default: ``fastnn.backend.floatx()``.
    trainable : bool
        Takes effect at the first training step after the model is compiled.
    input_shape : tuple of int, optional
        Shape of one example, on the first layer of a model; ``input_dim=n`` means ``(n,)``.
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
    ...     def call(self, x):
    ...         return 2 * x
    >>> Double()(np.ones((1, 2), "float32")).tolist()
    [[2.0, 2.0]]

    The same with its backward written out:

    >>> class Double(Layer):
    ...     def forward(self, x, training=False):
    ...         return 2 * x, None
    ...     def backward(self, dy, ctx):
    ...         return 2 * dy
    >>> Double()(np.ones((1, 2), "float32")).tolist()
    [[2.0, 2.0]]
    """

    takes_ids: bool = False
    """Whether the input is ids, read as int64; a model whose first layer takes ids reads its data so."""
    takes_texts: bool = False
    """Whether the input may be texts: arrays of Python strings, symbols of dtype "string"."""
    takes_several: bool = False
    """Whether ``forward`` takes a list of arrays (and of masks), and ``backward`` gives a list of gradients."""
    gives_several: bool = False
    """Whether a call gives a list of arrays, such as the output and the final states."""
    makes_mask: bool = False
    """Whether ``compute_mask`` makes a mask of its own, from the input."""
    uses_mask: bool = False
    """Whether the mask is wanted: ``forward(x, training=False, mask=None)``."""
    training_by_default: bool = False
    """What ``training`` is in a call on arrays that leaves it open."""
    casts_inputs: bool = True
    """Whether integers on their way in become the layer's dtype."""
    supports_masking: bool = False
    """Whether the mask of the input is the mask of the output.  A layer with ``uses_mask`` alone ends the mask."""
    fields: tuple[str, ...] = ()
    """Names of the settings that ``get_config`` reports."""
    _traced: bool = False
    """Whether the class writes ``call``, and has ``forward`` and ``backward`` from its trace."""
    _builds_itself: bool = False
    """Whether ``build`` settles the shapes itself, as models do."""
    _calls_itself: bool = False
    """Whether ``__call__`` stays as it is in a subclass that writes ``call``, as in models."""

    def __init_subclass__(cls, **options: Any):
        super().__init_subclass__(**options)
        if "build" in vars(cls) and not cls._builds_itself:
            cls.build = built_once(cls.build)
        if "call" in vars(cls) and "forward" not in vars(cls):
            install_trace(cls)

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
        if not isinstance(trainable, (bool, np.bool_, int)) or trainable not in (0, 1):
            raise ValueError(
                f"trainable of {type(self).__name__} must be True or False. Received: trainable={trainable!r}."
            )
        real = backend.floatx() if dtype is None else name_of_dtype(dtype)
        if real not in ("float32", "float64"):
            raise ValueError(f'{type(self).__name__} computes in "float32" or "float64". Received: dtype={dtype!r}.')
        if name is not None and not isinstance(name, str):
            raise TypeError(f"name of {type(self).__name__} must be a string. Received: name={name!r}.")
        self.name = utils.unique_name(type(self)) if name is None else str(name)
        self.dtype = real
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self.built = False
        self.input_shape: Any = None
        self.output_shape: Any = None
        self.first_shape = (input_dim,) if input_shape is None and input_dim is not None else input_shape
        self.first_batch: int | None = None
        if batch_input_shape is not None:
            first = sequence_of("batch_input_shape", batch_input_shape, "(None, 28, 28)")
            if not first:
                raise ValueError(
                    "batch_input_shape must start with the size of the batch. Received: batch_input_shape=(). "
                    "Use batch_input_shape=(None, 4) for rows of 4 features."
                )
            self.first_batch, *rest = first
            self.first_shape = tuple(rest)
        self._parameters: list[Parameter] = []
        self._trainable = bool(trainable)
        self._nodes: list[Node] = []

    def __getstate__(self) -> dict[str, Any]:
        """What a copy takes over; it traces its ``call`` again."""
        return {name: value for name, value in vars(self).items() if name not in ("_traces", "_nodes")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, _nodes=[])

    # What a layer says about itself: subclasses override these.

    @of_own_arguments
    def build(self, input_shape: Any) -> None:
        """Make the parameters, by ``add_weight``; called once, when the shape of the input is known."""

    @of_own_arguments
    def compute_output_shape(self, input_shape: Any) -> Any:
        """Shape of the output, with None for the batch; the default runs ``forward`` on one example of zeros."""
        x = np.zeros([1 if n is None else n for n in input_shape], np.int64 if self.takes_ids else self.dtype)
        return (None, *self.checked_forward(x)[0].shape[1:])

    def output_dtype(self, dtypes: Sequence[str]) -> str:
        """The dtype of the outputs, given those of the inputs."""
        return self.dtype

    def check_ids(self, ids: np.ndarray) -> None:
        """Raise the error of ids that a layer with ``takes_ids`` does not know; the default knows all."""

    @of_own_arguments
    def forward(self, x: Any, training: bool = False) -> Any:
        """Give the output, and ``ctx``: whatever ``backward`` needs."""
        raise NotImplementedError(
            f"{type(self).__name__} has no call. Write: def call(self, x): return ... in operators, layers and "
            "fastnn.ops; or def forward(self, x, training=False): return y, ctx"
        )

    @of_own_arguments
    def backward(self, dy: Any, ctx: Any, need_dx: bool = True) -> Any:
        """Assign ``parameter.grad[...]`` of each parameter and give ``dx``.

        Parameters
        ----------
        dy : array
        ctx
            From ``forward``.
        need_dx : bool
            False where nobody wants the gradient of the input; a layer may leave this argument out.
        """
        raise NotImplementedError(
            f"{type(self).__name__} has no backward. Write: def backward(self, dy, ctx): return dx   "
            f"(and inside it, for each weight w: self.w.grad[...] = dw)"
        )

    @of_own_arguments
    def call(self, x: Any, training: bool | None = None, mask: Any = None) -> Any:
        """The output: what ``super().call(x)`` computes in a subclass that writes a ``call`` of its own.

        Parameters
        ----------
        x : array or Symbol
        training : bool, optional
            None: as the call around it.
        mask : array of bool or Symbol, optional
        """
        return call_built_in(self, x, training, mask)

    def compute_mask(self, x: Any, mask: Any = None) -> Any:
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
        shape: int | Sequence[int] | None = None,
        initializer: Any = None,
        regularizer: Any = None,
        constraint: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        name: str | None = None,
    ) -> Parameter:
        """Make a parameter of this layer.

        Parameters
        ----------
        shape : tuple of int
            Default: a single number, ().
        initializer : str or object
            Default: "glorot_uniform".
        regularizer, constraint : optional
        trainable : bool
        dtype : optional
            Accepted as Keras does; a weight has the dtype of its layer.
        name : str

        Raises
        ------
        ValueError
            If the initializer gives another shape.
        """
        shape = () if shape is None else (shape,) if isinstance(shape, int) else tuple(shape)
        number = len(self._parameters)
        name = name or (f"weight_{number}" if number else "weight")
        make = initializers.get("glorot_uniform" if initializer is None else initializer)
        here = room()
        value = np.asarray(make(shape, dtype=self.dtype)) if here is None else here.zeros(shape, self.dtype, name)
        value = np.ascontiguousarray(value, self.dtype).reshape(value.shape)
        if value.shape != shape:
            raise ValueError(
                f'Weight "{name}" of layer "{self.name}" has shape {shape}. '
                f"Received: an initializer that gives {value.shape}."
            )
        parameter = Parameter(name, value, trainable, regularizers.get(regularizer), constraints.get(constraint))
        parameter.path = f"{self.name}/{name}"
        self._parameters.append(parameter)
        return parameter

    def update_later(self, parameter: Parameter, value: np.ndarray) -> None:
        """Let a statistic take this value once the loss of the step has been found finite; outside a step at once."""
        update_later(parameter, value)

    def add_loss(self, loss: Any) -> None:
        """Add a number to the loss, within ``call``.

        Parameters
        ----------
        loss : Symbol
            A single number, or an array whose elements are added.
        """
        note_loss(self, loss)

    @property
    def children(self) -> list[Any]:
        """The layers that this one holds; of a class that writes ``call`` all that are among its attributes."""
        return layers_among(self, Layer) if self._traced else []

    @property
    def trainable(self) -> bool:
        """Whether training changes the weights; set it, then compile the model (again)."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)
        for child in self.children:
            child.trainable = value

    @property
    def own_parameters(self) -> list[Parameter]:
        """Those that ``add_weight`` made; of a class that writes ``call`` also the real variables it holds."""
        if not self._traced:
            return self._parameters
        held = [v for v in layers_among(self, Variable) if v.dtype in ("float32", "float64")]
        return unique([*self._parameters, *held])

    @property
    def weights(self) -> list[Parameter]:
        """All parameters, in Keras' order: its own, those made trainable first; then those of the layers inside."""
        own = sorted(self.own_parameters, key=lambda p: not p.trainable)
        return unique([*own, *(p for child in self.children for p in child.weights)])

    @property
    def trainable_weights(self) -> list[Parameter]:
        """The parameters that training changes."""
        if not self._trainable:
            return []
        own = [p for p in self.own_parameters if p.trainable]
        return unique([*own, *(p for child in self.children for p in child.trainable_weights)])

    @property
    def non_trainable_weights(self) -> list[Parameter]:
        """The parameters that training leaves alone."""
        trained = {id(p) for p in self.trainable_weights}
        return [p for p in self.weights if id(p) not in trained]

    @property
    def parameters(self) -> list[Parameter]:
        """All parameters; another word for ``weights``."""
        return self.weights

    @property
    def variables(self) -> list[Parameter]:
        """All parameters; another word for ``weights``."""
        return self.weights

    @property
    def trainable_variables(self) -> list[Parameter]:
        """The parameters that training changes; another word for ``trainable_weights``."""
        return self.trainable_weights

    @property
    def non_trainable_variables(self) -> list[Parameter]:
        """The parameters that training leaves alone; another word for ``non_trainable_weights``."""
        return self.non_trainable_weights

    @property
    def losses(self) -> list[Any]:
        """The penalties of the regularized weights, for a training loop of one's own: ``loss += sum(model.losses)``.

        What ``add_loss`` and ``activity_regularizer`` add belongs to a call: ``fit`` counts it, and a ``GradientTape``
        has its gradient in that of the call.
        """
        return penalties_of(self.trainable_weights)

    def count_params(self) -> int:
        """How many numbers the weights hold; a weight that is used twice counts once."""
        if not self.built:
            raise ValueError(
                f'Layer "{self.name}" has no weights yet. Build it first: call it on data, or layer.build(input_shape).'
            )
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
        arrays, mine = sequence_of("weights", weights, "a list of arrays, as get_weights() returns it"), self.weights
        if len(arrays) != len(mine):
            hint = "" if mine else " Build it first: call it on data, or layer.build(input_shape)."
            raise ValueError(f'"{self.name}" has {len(mine)} weights.{hint} Received: {len(arrays)} arrays.')
        checked = [p.checked(array) for p, array in zip(mine, arrays, strict=True)]
        for p, array in zip(mine, checked, strict=True):
            p.value[...] = array

    # Running a layer.

    def ensure_built(self, input_shape: Any, **options: Any) -> Any:
        """Build for this input shape unless built already, and give the output shape.

        Raises
        ------
        ValueError
            If the layer cannot take the shape; it stays unbuilt.
        """
        shape = as_shape(input_shape)
        if not self.built:
            self.build(shape)
        return as_shape(self.compute_output_shape(shape, **options))

    def unbuild(self) -> None:
        """Undo ``build``: the weights are gone, and the layer may be built for another shape."""
        self.built, self.input_shape, self.output_shape = False, None, None
        mine = {id(p) for p in self._parameters}
        for name, value in vars(self).items():
            if id(value) in mine:
                setattr(self, name, None)
        self._parameters.clear()
        vars(self).pop("_traces", None)
        for child in vars(self).pop("_built_inside", ()):
            child.unbuild()

    def checked_forward(
        self, x: Any, training: bool = False, mask: Any = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, Any]:
        """``forward``, and a clear error if it does not give ``(y, ctx)``."""
        masks = (mask,) if self.uses_mask else ()
        result = self.forward(x, training, *masks, **(options or {}))
        ok = isinstance(result, tuple) and len(result) == 2
        arrays = flatten(result[0]) if ok else []
        if not ok or not all(isinstance(y, np.ndarray) for y in arrays):
            raise TypeError(
                f"{type(self).__name__}.forward(x, training=False) must return two things: the output array and ctx, "
                f"whatever backward(dy, ctx) needs (None will do). Received: {type(result).__name__}. Use: return y, "
                "ctx"
            )
        for y in arrays:
            if y.dtype.kind == "f" and y.dtype != self.dtype:
                raise TypeError(
                    f"{type(self).__name__}.forward must return an array of the layer's dtype, {self.dtype}. Received: "
                    f"{y.dtype}. Use: return y.astype(x.dtype), ctx"
                )
        return result

    @of_own_arguments
    def __call__(self, x: Any, training: bool | None = None, mask: Any = None) -> Any:
        """The output for an array, or the symbol of it for a symbol; builds the layer if need be.

        Parameters
        ----------
        x : array or Symbol
            A list of them for a layer that takes several.
        training : bool, optional
            None: False for arrays, True for layers that change images at random; for symbols whether the model around
            it is training.
        mask : array of bool (B, T), optional
            True where a time step counts; layers that do not use masks ignore it.
        """
        return self.call_on(x, training, mask)

    def call_on(self, x: Any, training: bool | None = None, mask: Any = None, **options: Any) -> Any:
        """What ``__call__`` ends in: arrays are computed at once, symbols record a node.

        Parameters
        ----------
        x : array or Symbol, or a list with ``takes_several``
        training, mask
            As for ``__call__``; a list of masks with ``takes_several``.
        options : dict
            Further arguments that ``forward`` and ``compute_output_shape`` take by name.
        """
        x = as_input(x)
        several, given = self.is_several(x), x
        if is_tracing() or (contains_symbols(x) if several else isinstance(x, Symbol)):
            return record_call(self, x, training, mask, options)
        if several:
            x = self.read_several(x)
            if mask is not None:
                mask = self.checked_masks(mask, x)
            self.ensure_built([(None, *a.shape[1:]) for a in x], **options)
        else:
            x = self.read_input(x)
            mask = None if mask is None else checked_mask(mask, x.shape, self)
            self.ensure_built((None, *x.shape[1:]), **options)
        training = self.training_by_default if training is None else bool(training)
        y, ctx = self.checked_forward(x, training, mask, options)
        return given_out(self, list(given) if several else [given], y, ctx, several, self.trainable_weights)

    def checked_masks(self, masks: Sequence[Any], arrays: Sequence[np.ndarray]) -> list[np.ndarray | None]:
        """The masks of a call on a list of arrays, checked: one for each array, or None."""
        return [None if m is None else checked_mask(m, a.shape, self) for m, a in zip(masks, arrays, strict=True)]

    def is_several(self, x: Any) -> bool:
        """Whether a call on this input is one on a list of arrays; a layer may take one or several."""
        return self.takes_several

    def read_input(self, x: Any) -> np.ndarray:
        """The array of a call on one, checked."""
        if self.takes_texts and not self.takes_ids:
            return as_texts(f'Layer "{self.name}" ({type(self).__name__})', x)
        return read_ids(x, self) if self.takes_ids else read_values(x, self)

    def read_several(self, x: Any) -> list[np.ndarray]:
        """The arrays of a call with ``takes_several``, checked."""
        if not isinstance(x, (list, tuple)):
            raise TypeError(
                f'Layer "{self.name}" ({type(self).__name__}) takes a list of arrays. Received: {type(x).__name__}. '
                f"Use {type(self).__name__}()([a, b])."
            )
        return [read_values(a, self) for a in x]

    # Its place in a graph.

    @property
    def input(self) -> Any:
        """The symbol, or list of symbols, that the layer was first called on."""
        node = self._first_node()
        return node.inputs if node.takes_several else node.inputs[0]

    @property
    def output(self) -> Any:
        """The symbol, or list of symbols, that the layer gave at its first call."""
        node = self._first_node()
        return list(node.outputs) if node.gives_several else node.outputs[0]

    def _first_node(self) -> Node:
        if not self._nodes:
            raise AttributeError(
                f'Layer "{self.name}" has not been called on a symbol, so it has no input or output yet. Call it on '
                "Input(shape=...) or on the output of another layer, or put it into a Sequential and build that."
            )
        return self._nodes[0]

    def refuse_shape(self, expected: str, input_shape: Any, hint: str = "") -> NoReturn:
        """Raise the error of an input of the wrong shape."""
        raise ValueError(
            f'Layer "{self.name}" ({type(self).__name__}) expects {expected}. Received: input shape {input_shape}.'
            + (f" {hint}" if hint else "")
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"


def as_shape(shape: Any) -> Any:
    """A shape as a tuple; several as a list of tuples."""
    if isinstance(shape, (list, tuple)) and any(isinstance(part, (list, tuple)) for part in shape):
        return [tuple(part) for part in shape]
    return sequence_of("shape", shape, "(None, 4)")


def sequence_of(name: str, value: Any, example: str) -> tuple[Any, ...]:
    """A sequence as a tuple, or the error that shows one."""
    try:
        found = None if isinstance(value, (str, bytes, Mapping)) else tuple(value)
    except TypeError:  # not even an iterable
        found = None
    if found is None:
        raise TypeError(f"{name} must be a sequence. Received: {name}={value!r}. Use {example}.")
    return found


def name_of_dtype(dtype: Any) -> str | None:
    """The name of a dtype; None where it is not one."""
    try:
        return np.dtype(dtype).name
    except (TypeError, ValueError):
        return None


def unique(items: Sequence[Any]) -> list[Any]:
    """Each object once, in the order in which they come first."""
    return list({id(item): item for item in items}.values())


def built_once(build: Callable[..., None]) -> Callable[..., None]:
    """``build`` of a class, made to run once: it settles the shapes, and leaves nothing behind if it fails."""
    if hasattr(build, "unwrapped"):
        return build

    takes = len(inspect.signature(build).parameters) - 1  # build(self, query_shape, value_shape)

    @functools.wraps(build)
    def run(self: Any, *shapes: Any, **named: Any) -> None:
        if vars(self).get("_building"):  # super().build(input_shape)
            build(self, *shapes, **named)
            return
        if self.built:
            return
        if self._traced:
            self._built_inside = [child for child in self.children if not child.built]
        self._building = True
        try:
            spread = len(shapes) == 1 and isinstance(shapes[0], list) and takes == len(shapes[0]) > 1
            with given_back():
                build(self, *(shapes[0] if spread else shapes), **named)
                shape = as_shape(shapes[0]) if len(shapes) == 1 and not named else [as_shape(s) for s in shapes]
                self.built, self.input_shape = True, shape
                if not hasattr(self, "state_size"):  # a cell is run step by step, with states
                    self.output_shape = as_shape(self.compute_output_shape(shape))
        except BaseException:
            self.unbuild()
            raise
        finally:
            del self._building

    run.unwrapped = build  # type: ignore[attr-defined]
    return run


Layer.build = built_once(Layer.build)  # type: ignore[method-assign]


def refuse_arguments(cls: type, unknown: dict[str, Any]) -> None:
    """Raise the error of an argument that a class does not have, with the nearest that it has."""
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

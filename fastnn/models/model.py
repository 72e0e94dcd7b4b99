"""Model: a graph of layers, compiled with losses, metrics and an optimizer, and the calls that train and use it."""

from __future__ import annotations

import inspect
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from .. import custom, optimizers
from ..graph import Graph, Symbol, as_symbol, contains_symbols, flatten, is_tracing, pack
from ..layers.base import Layer, as_shape
from ..layers.support.array_checks import checked_mask
from ..layers.support.traced_call import call_traced, cut, trace_call
from . import training
from .arena import Arena
from .config import graph_config, graph_from_config
from .feeds import whole_number
from .inputs import batch_of, preparing, read_batch
from .locks import give_lock, locked
from .network import Network, fits, output_shapes, reads_ids
from .objectives import Objectives
from .program import Program, warn_of_dropped_masks
from .saved import Saved
from .step import Step, shapes_key
from .workspaces import Workspaces

__all__ = ["Model"]

_MOST_PROGRAMS = 64  # of a model that writes call: one for each shape of batch


class Model(Saved, Network):
    """A graph of layers, from inputs to outputs; or a subclass that writes ``call``.

    A model is a layer too: it may stand inside another one.

    Parameters
    ----------
    inputs, outputs : Symbol, or nested lists, tuples and dicts of them
        ``Input(shape=...)``, and what layers give for it.
    name : str, optional
    trainable : bool

    Attributes
    ----------
    layers : list of Layer
    optimizer, loss
        As compiled.
    history : History
        Of the last ``fit``.
    stop_training : bool
        A callback sets it to end ``fit`` after the batch.
    input_dtypes : list of str
        What batches of each input are read as: the dtype of the layers, or int64 where they take ids.
    shape_declared : bool
        Whether the input shape was said; a shape that was only seen in data leaves lengths open.

    Raises
    ------
    TypeError
        If inputs or outputs are not symbols.
    ValueError
        If an output needs an input that is not given, or two layers have one name.

    Examples
    --------
    >>> from fastnn.layers import Dense, Input, concatenate
    >>> left, right = Input(shape=(3,)), Input(shape=(2,))
    >>> joined = concatenate([Dense(4)(left), Dense(4)(right)])
    >>> model = Model([left, right], Dense(1)(joined))
    >>> model.count_params(), model.output_shape
    (37, (None, 1))
    """

    shape_declared = True
    random_stream: Any = None
    """Where ``fit`` draws the order of the data, in a model that goes on from a file; None: from the process."""

    def __init_subclass__(cls, **options: Any):
        if "call" in vars(cls) and "forward" not in vars(cls):
            cls._builds_itself = False
            if "build" not in vars(cls):
                cls.build = Layer.build
        super().__init_subclass__(**options)

    def __init__(
        self, inputs: Any = None, outputs: Any = None, name: str | None = None, trainable: bool = True, **settings: Any
    ):
        super().__init__(name=name, **settings)
        self._trainable = bool(trainable)
        give_lock(self)
        self.optimizer: Any = None
        self.loss: Any = None
        self.history: Any = None
        self.compiled, self.stop_training = False, False
        self.objectives = Objectives()
        self._fuse = True
        self._template: Any = None
        self.forget_plan()
        if inputs is not None or outputs is not None:
            if inputs is None or outputs is None:
                raise ValueError(
                    "A model has inputs and outputs. Received: one of the two. Use Model(inputs, outputs)."
                )
            self.set_graph(Graph(inputs, outputs))

    def __getstate__(self) -> dict[str, Any]:
        """What a copy takes over: layers, optimizer, history; it lays out buffers and order of its own."""
        left = ("_lock", "_arena", "_programs", "_step", "_workspaces", "_layer_plans")
        return {k: v for k, v in super().__getstate__().items() if k not in left}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        give_lock(self)
        self.forget_plan()

    def set_graph(self, graph: Graph) -> None:
        """Take another graph: the model is built, for the shapes of its symbols."""
        names: dict[str, Layer] = {}
        before, self.graph = self.graph, graph
        for layer in self.layers:
            if names.setdefault(layer.name, layer) is not layer:
                self.graph = before
                raise ValueError(
                    f'Two layers of a model cannot share a name. Received: "{layer.name}" twice. '
                    "Make one of them with another name=."
                )
        shapes = [symbol.shape for symbol in graph.input_symbols]
        ends = [symbol.shape for symbol in graph.output_symbols]
        self.input_shape = shapes[0] if isinstance(graph.inputs, Symbol) else shapes
        self.output_shape = ends[0] if isinstance(graph.outputs, Symbol) else ends
        self.built = True
        self.forget_plan()

    @property
    def inputs(self) -> list[Symbol]:
        """The symbols of the inputs."""
        return list(self._graph_or_error().input_symbols)

    @property
    def outputs(self) -> list[Symbol]:
        """The symbols of the outputs."""
        return list(self._graph_or_error().output_symbols)

    @property
    def input(self) -> Any:
        """The symbol of the input; a list or dict of them where there are several."""
        return self._graph_or_error().inputs

    @property
    def output(self) -> Any:
        """The symbol of the output; a list or dict of them where there are several."""
        return self._graph_or_error().outputs

    def _graph_or_error(self) -> Graph:
        if self.graph is None:
            raise AttributeError(
                f'Model "{self.name}" has no symbols of inputs and outputs. '
                + (
                    "It writes call, and is traced for the data it gets: use Model(inputs, outputs) to have symbols."
                    if self._traced
                    else "It is not built: begin it with Input(shape=...), or call model.build(input_shape)."
                )
            )
        return self.graph

    @property
    def input_names(self) -> list[str] | None:
        """The names of the inputs: the keys of a dict, or those of ``Input``; None where the data say what they are."""
        if self.graph is None:
            return None if self._traced else ["x"]
        if isinstance(self.graph.inputs, Mapping):
            return list(self.graph.inputs)
        return [symbol.node.operation.name or symbol.name for symbol in self.graph.input_symbols]

    @property
    def output_names(self) -> list[str]:
        """The names of the outputs: the keys of a dict, or those of the layers that give them."""
        if self.graph is None:
            return list(self.objectives.names)
        if isinstance(self.graph.outputs, Mapping):
            return list(self.graph.outputs)
        names: list[str] = []
        for symbol in self.graph.output_symbols:
            name = _layer_name(symbol)
            count = sum(other == name or other.startswith(f"{name}_") for other in names)
            names.append(f"{name}_{count}" if name in names else name)
        return names

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """The layer of this name, or at this place.

        Raises
        ------
        ValueError
            If there is none, or not exactly one of the two is given.
        """
        if (name is None) == (index is None):
            raise ValueError(f"Use name or index. Received: name={name!r}, index={index!r}.")
        if name is not None:
            for layer in self.layers:
                if layer.name == name:
                    return layer
            raise ValueError(f"There is no layer named {name!r}. The layers are {[x.name for x in self.layers]}.")
        if not -len(self.layers) <= index < len(self.layers):
            raise ValueError(f"There are {len(self.layers)} layers. Received: index={index}.")
        return self.layers[index]

    # Building.

    def build(self, input_shape: Any = None) -> None:
        """Nothing to do for a model of symbols; ``Sequential`` and models that write ``call`` build their layers."""
        self._require_layers()

    def _require_layers(self) -> None:
        if self.graph is None and not self._traced:
            raise NotImplementedError(
                f"{type(self).__name__} has nothing to run. Use Model(inputs, outputs) with symbols, or write "
                "def call(self, x): return ... in the subclass."
            )

    def ensure_built(self, input_shape: Any, **options: Any) -> Any:
        self._require_layers()
        if self._traced and self.graph is None:
            return super().ensure_built(input_shape, **options)
        return as_shape(self.compute_output_shape(as_shape(input_shape)))

    # The plan.

    def forget_plan(self) -> None:
        """Lay out buffers and order anew before the next call, because layers or their settings have changed."""
        self._arena: Arena | None = None
        self._programs: OrderedDict[Any, Program] = OrderedDict()
        self._step: Step | None = None
        self._settled = False
        self._workspaces = Workspaces()
        self._shapes: tuple[Any, Any] = (None, None)
        self.input_dtypes: list[str] = []
        vars(self).pop("_layer_plans", None)
        vars(self).pop("_traces", None)

    def ensure_ready(self, x_shapes: Sequence[tuple[int, ...]], dtypes: Sequence[Any] = ()) -> None:
        """Build for inputs of these shapes if need be, and bring buffers and plan up to date.

        Raises
        ------
        ValueError
            If a layer cannot take the shape; nothing is built then.
        """
        if not self.built:
            if self._traced:
                kinds = ["int64" if np.dtype(d).kind in "iu" else self.dtype for d in dtypes]
                self._first_call = (kinds, self._template)
            shapes = [(None, *shape[1:]) for shape in x_shapes]
            self.ensure_built(shapes[0] if len(shapes) == 1 else shapes)
            self.shape_declared = False
        if self._arena is None:
            self.dtype = self._common_dtype()
            if self.graph is not None:
                self.input_dtypes = [
                    "int64" if reads_ids(self.graph, symbol) else self.dtype for symbol in self.graph.input_symbols
                ]
                self.objectives.bind(self.output_names)
                warn_of_dropped_masks(self.graph)
            self._arena = Arena(self.trainable_weights, self.non_trainable_weights, self.dtype)
        elif not self._arena.whole:
            self._arena.claim()
        if self.graph is None:
            kinds = self.dtypes_of(dtypes=dtypes)
            self._program_of(tuple(x_shapes), tuple(kinds), False)  # its outputs have names

    def _common_dtype(self) -> str:
        """The dtype that the weights are of; without weights that of the layers, if they agree.

        Raises
        ------
        ValueError
            If weights are of several.
        """
        layers = [layer for layer, _ in self.leaves()]
        wanted = {layer.dtype for layer in layers if layer.dtype and layer.weights}
        if len(wanted) > 1:
            raise ValueError(
                f"All layers of a model compute in one dtype. Received: {sorted(wanted)}. "
                'Give all layers the same dtype=, or call fastnn.backend.set_floatx("float64") before making them.'
            )
        if not wanted and self.graph is not None:
            inputs = {id(symbol.node.operation) for symbol in self.graph.input_symbols}
            wanted = {layer.dtype for layer in layers if id(layer) not in inputs} or {
                symbol.dtype for symbol in self.graph.input_symbols if symbol.dtype.startswith("float")
            }
        return wanted.pop() if len(wanted) == 1 else self.dtype

    def dtypes_of(self, arrays: Sequence[np.ndarray] = (), dtypes: Sequence[Any] | None = None) -> list[str]:
        """What each input is read as."""
        if self.graph is not None:
            return self.input_dtypes
        kinds = [a.dtype for a in arrays] if dtypes is None else dtypes
        return ["int64" if np.dtype(kind).kind in "iu" else self.dtype for kind in kinds]

    def program(self, xs: Sequence[np.ndarray], training: bool) -> Program:
        """What runs the model on these inputs."""
        if self.graph is not None:
            return self._programs.get(None) or self._make_program(None, self.graph, len(self.graph.output_symbols))
        return self._program_of(tuple([x.shape for x in xs]), tuple([x.dtype.name for x in xs]), training)

    def _program_of(self, shapes: tuple[Any, ...], dtypes: tuple[str, ...], training: bool) -> Program:
        """The program of a model that writes ``call``, for inputs of these shapes."""
        key = (shapes, dtypes, training)
        found = self._programs.get(key)
        if found is not None:
            self._programs.move_to_end(key)
            return found
        traced = trace_call(self, shapes, dtypes, training, template=self._template)
        outputs = traced.structure
        names = list(outputs) if isinstance(outputs, Mapping) else [f"output_{i + 1}" for i in range(traced.outputs)]
        self.objectives.bind(names)
        self._structure = outputs
        return self._make_program(key, traced.graph, traced.outputs)

    def _make_program(self, key: Any, graph: Graph, outputs: int) -> Program:
        losses = self.objectives.losses if self.compiled else None
        found = self._programs[key] = Program(graph, outputs, self._arena.trainable, self._fuse, losses)
        if len(self._programs) > _MOST_PROGRAMS:
            self._programs.popitem(last=False)
        return found

    def takes(self, x: np.ndarray) -> bool:
        """Whether the model is ready for exactly this array as a batch of its only input."""
        arena = self._arena
        if arena is None or not arena.whole or not x.flags.c_contiguous:
            return False
        if self.graph is None:
            dtype = "int64" if x.dtype.kind in "iu" else self.dtype
            key = ((x.shape,), (dtype,), False)
            return self._template is None and x.dtype == dtype and key in self._programs
        if len(self.input_dtypes) != 1 or x.dtype != self.input_dtypes[0] or self.input_dtypes[0] == "int64":
            return False
        expected, shape = self.graph.input_symbols[0].shape, x.shape
        return shape[0] > 0 and (shape[1:] == expected[1:] or fits(expected, shape))

    def note_structure(self, x: Any) -> list[Any]:
        """The arrays among the data of a model that writes ``call``, which gets them in the structure they came in."""
        leaves: list[Any] = []
        if isinstance(x, (dict, list, tuple)) and any(isinstance(leaf, np.ndarray) for leaf in flatten(x)):
            first = next(iter(inspect.signature(self.call).parameters))
            self._template = {first: cut(x, leaves, True)}
            return leaves
        self._template = None
        return [x]

    def take_lengths(self, x_shapes: Sequence[tuple[int, ...]]) -> bool:
        """Whether inputs of these shapes pass too, though the model was built with data of another shape."""
        return False

    @property
    def batch_declared(self) -> int | None:
        """The size of all batches, where the input said one."""
        shape = None if self.graph is None else self.graph.input_symbols[0].shape
        return shape[0] if shape else None

    def output_shapes_for(self, x_shapes: Sequence[tuple[int, ...]]) -> list[tuple[int | None, ...]]:
        """The shape of each output for inputs of these shapes, with None for the batch alone."""
        if self.graph is None:
            known = next(
                program
                for (shapes, _, _), program in reversed(self._programs.items())
                if [s[1:] for s in shapes] == [s[1:] for s in x_shapes]
            )
            symbols = known.graph.output_symbols[: known.outputs]
            return [(None, *symbol.shape[1:]) for symbol in symbols]
        symbols = self.graph.output_symbols
        if not any(None in symbol.shape[1:] for symbol in symbols):
            return [(None, *symbol.shape[1:]) for symbol in symbols]
        key, shapes = self._shapes
        wanted = [shape[1:] for shape in x_shapes]
        if key != wanted:
            found = output_shapes(self.graph, [(None, *shape) for shape in wanted])
            shapes = [(None, *shape[1:]) for shape in found]
            self._shapes = (wanted, shapes)
        return shapes

    @property
    def settled(self) -> bool:
        """Whether data can change nothing any more: built for declared shapes, and bound to its losses and metrics."""
        if not self._settled and self._step is not None:
            self._settled = (
                self._step.optimizer is not None
                and self.graph is not None
                and self.shape_declared
                and all(metrics.built for metrics in self.objectives.metrics)
            )
        return self._settled

    def preparation(self) -> dict[str, Any]:
        """What reading data may change: given to ``take_back`` if the data are refused."""
        names = ("built", "input_shape", "output_shape", "shape_declared", "_template", "dtype", "graph", "_arena")
        kept = {name: getattr(self, name) for name in names}
        return kept | {"objectives": self.objectives.state()}

    def take_back(self, before: dict[str, Any]) -> None:
        """Be what one was before data were read that have been refused."""
        objectives = before.pop("objectives")
        if self.built and not before["built"]:
            self.unbuild()
        elif self.graph is not before["graph"] or before["_arena"] is not self._arena:
            self.forget_plan()
        before.pop("_arena")
        for name, value in before.items():
            setattr(self, name, value)
        self.objectives.set_state(objectives)

    # Compile.

    @locked
    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: Any = "auto",
        auto_scale_loss: bool = True,
        fuse: bool = True,
    ) -> None:
        """Say how to train: optimizer, loss, metrics.

        ``trainable`` of the layers, as it is at the first training step after this call, decides which weights training
        changes; to change it later, compile again.

        Parameters
        ----------
        optimizer : str or Optimizer
        loss : str, function or Loss
            With several outputs a list, or a dict by their names; one alone serves all outputs, None leaves one out.
        loss_weights : list or dict of float, optional
            How much the loss of each output counts; default 1.
        metrics, weighted_metrics : list, optional
            With several outputs a list of lists, or a dict. Only the second are weighted by ``sample_weight`` and
            ``class_weight``.
        fuse : bool
            Join neighbouring layers into one kernel where no number changes beyond rounding; False runs them one by
            one.
        run_eagerly, steps_per_execution, jit_compile, auto_scale_loss
            Accepted as Keras does; everything here is compiled already.

        Raises
        ------
        TypeError, ValueError
            For unknown names, or entries that are not those of the outputs; the model stays as it was compiled before.
        """
        self._require_layers_or_sequential()
        objectives = Objectives(loss, loss_weights, metrics, weighted_metrics)
        if self.graph is not None:
            objectives.bind(self.output_names)
        found_optimizer = optimizers.get(optimizer)
        self.loss, self.objectives, self.optimizer = loss, objectives, found_optimizer
        self._fuse, self.compiled = bool(fuse), True
        self.forget_plan()

    def _require_layers_or_sequential(self) -> None:
        self._require_layers()

    def require_compiled(self, what: str) -> None:
        """Raise unless ``compile`` was called."""
        if not self.compiled:
            raise ValueError(
                f'{what} needs a compiled model. Call model.compile(optimizer="adam", loss="mse") '
                "with the loss that fits your targets."
            )

    def require_loss(self) -> None:
        """Raise unless there is a loss to measure with."""
        adds = self.graph is None and any(len(p.graph.output_symbols) > p.outputs for p in self._programs.values())
        if not adds and not any(loss is not None for loss in self.objectives.losses):
            raise ValueError(
                'The model has no loss. Call model.compile(loss="mse", ...) with a loss that fits the targets.'
            )

    # Train and use.

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: str | int = "auto",
        callbacks: Sequence[Any] | None = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: dict[int, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: int | Sequence[int] = 1,
    ) -> Any:
        """Train.

        Parameters
        ----------
        x : array (N, …) of any numeric dtype, or an iterable of batches (x, y) or (x, y, sample_weight)
            A list, or a dict by names, where there are several inputs.
            Arrays are never copied whole: rows are drawn and cast batch by batch.  Sequences are padded to one length;
            a data set may pad each batch to its own.
        y : array (N, …)
            A list, or a dict by names, where there are several outputs.
        batch_size : int
            Default 32; the last batch of an epoch may be smaller.
        epochs, initial_epoch : int
            Train from epoch ``initial_epoch`` (the first is 0) up to ``epochs``.
        verbose : {"auto", 0, 1, 2}
            A progress bar (1 and "auto"), one line an epoch (2), nothing (0).
        callbacks : list of Callback
        validation_split : float
            Keep the last share of the arrays, before shuffling, to measure on after each epoch.
        validation_data : (x, y), (x, y, sample_weight) or iterable of batches
            Wins over ``validation_split``.
        shuffle : bool
            Draw a new order each epoch; ignored for iterables.
        class_weight : dict of int to float
            Weight of the loss of each class; missing ones weigh 1.
        sample_weight : array (N,), or (N, T) where outputs are sequences
            Weight of the loss of each example, or time step; the sum is still divided by their number.
        steps_per_epoch, validation_steps : int
            Batches an epoch; the next epoch goes on where this one stopped, while each validation starts again, so
            that all measure the same (a generator just goes on).
        validation_batch_size : int
            Default: batch_size.
        validation_freq : int or list of int
            Validate every so many epochs, or after these (counted from 1).

        Returns
        -------
        History
            ``.history`` maps "loss", the metrics and their "val_" forms to one value an epoch.

        Raises
        ------
        TypeError, ValueError
            For input that does not fit; nothing has changed then.
        FloatingPointError
            If the loss becomes NaN or infinite; the last good weights are kept.
        """
        settings = training.FitSettings(
            batch_size=batch_size,
            epochs=whole_number("epochs", epochs, 0),
            verbose=verbose,
            callbacks=callbacks,
            validation_split=validation_split,
            validation_data=validation_data,
            shuffle=shuffle,
            class_weight=class_weight,
            sample_weight=sample_weight,
            initial_epoch=whole_number("initial_epoch", initial_epoch, 0),
            steps_per_epoch=steps_per_epoch,
            validation_steps=validation_steps,
            validation_batch_size=validation_batch_size,
            validation_freq=validation_freq,
        )
        with self._lock:
            return training.fit(self, x, y, settings)

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: str | int = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Sequence[Any] | None = None,
        return_dict: bool = False,
    ) -> Any:
        """Measure loss and metrics.

        Returns
        -------
        float, list of float or dict
            The loss if there are no metrics; else ``[loss, *metrics]``; with ``return_dict`` by name.
        """
        with self._lock:
            logs = training.evaluate(self, x, y, batch_size, verbose, sample_weight, steps, callbacks)
            return logs if return_dict else self.in_order(logs)

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: str | int = "auto",
        steps: int | None = None,
        callbacks: Sequence[Any] | None = None,
    ) -> Any:
        """The outputs for all examples, batch by batch.

        Returns
        -------
        array (N, …), or a list or dict of them where there are several outputs
        """
        with self._lock:
            return training.predict(self, x, batch_size, verbose, steps, callbacks)

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: dict[int, float] | None = None,
        return_dict: bool = False,
    ) -> Any:
        """Learn from one batch, and give its loss and metrics (of the weights before the update).

        Raises
        ------
        TypeError, ValueError
            For input that does not fit; nothing has changed then.
        FloatingPointError
            If the loss is NaN or infinite; the weights are unchanged.
        """
        with self._lock:
            self.require_compiled("train_on_batch")
            if self.settled:
                batch, step = batch_of(self, x, y, sample_weight, class_weight), self._step
            else:
                with preparing(self):
                    batch = batch_of(self, x, y, sample_weight, class_weight)
                    step = self.trained_step()
            step.reset()
            step.train(*batch)
            return step.logs() if return_dict else self.in_order(step.logs())

    def test_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False) -> Any:
        """Measure loss and metrics on one batch."""
        with self._lock:
            self.require_compiled("test_on_batch")
            with preparing(self):
                batch = batch_of(self, x, y, sample_weight, what="test_on_batch")
                step = self.step()
            step.reset()
            step.test(*batch)
            return step.logs() if return_dict else self.in_order(step.logs())

    def predict_on_batch(self, x: Any) -> Any:
        """The outputs for one batch, in the structure of the outputs."""
        with self._lock:
            with preparing(self):
                xs = read_batch(self, x)
            return self.packed(self.infer(xs))

    def infer(self, xs: Sequence[np.ndarray]) -> list[np.ndarray]:
        """The outputs for ready arrays, as copies."""
        program = self.program(xs, False)
        with self._workspaces.of(shapes_key(xs), False):
            return [y.copy() for y in program.predicting.infer(xs)[: program.outputs]]

    def packed(self, outputs: Sequence[Any]) -> Any:
        """Outputs in the structure that the model gives them in."""
        structure = self.graph.outputs if self.graph is not None else self._structure
        return outputs[0] if not isinstance(structure, (list, tuple, dict)) else pack(structure, outputs)

    def __call__(self, x: Any, *arguments: Any, training: bool | None = None, mask: Any = None, **named: Any) -> Any:
        """The outputs for a batch, or symbols for symbols; with ``training=True`` dropout and its like are at work.

        Parameters
        ----------
        x : array (N, …) or Symbol; lists or dicts of them for several inputs
        training : bool, optional
        mask : array of bool (N, T), optional
            True where a time step counts.
        """
        if arguments and isinstance(arguments[0], (bool, type(None))) and training is None:
            training, *arguments = arguments  # type: ignore[assignment]
        if self._traced and self.graph is None:
            return call_traced(self, x, *arguments, training=training, mask=mask, **named)
        if arguments or named:
            raise TypeError(
                f'Model "{self.name}" is called on its inputs, training= and mask=. Received: {arguments or named}. '
                "Use a list for several inputs."
            )
        if is_tracing() or contains_symbols(x):
            x = pack(x, [as_symbol(leaf, self.dtype) for leaf in flatten(x)])
            self._build_on_symbols(x)
            return self.call_on_symbols(x, training, mask)
        if not training and mask is None:
            return self.predict_on_batch(x)
        with self._lock:
            with preparing(self):
                xs = read_batch(self, x)
                masks = [mask] if not isinstance(mask, (list, tuple)) or len(xs) == 1 else list(mask)
                masks += [None] * (len(xs) - len(masks))
                masks = [None if m is None else checked_mask(m, a.shape, self) for m, a in zip(masks, xs, strict=True)]
            program = self.program(xs, bool(training))
            plan = program.predicting if mask is None else program.masked(tuple(m is not None for m in masks))
            with self._workspaces.of(shapes_key(xs), bool(training)):
                outputs = plan.forward(xs, bool(training), None if mask is None else masks)[0]
                return self.packed([y.copy() for y in outputs[: program.outputs]])

    def _build_on_symbols(self, x: Any) -> None:
        """Build a model that is not built yet for the shapes of symbols."""
        self._require_layers()

    def step(self) -> Step:
        """The compiled step, made when first needed."""
        if self._step is None:
            self._step = Step(self.program, self._arena, self._workspaces, self.objectives)
        if self.graph is not None and self._step.fixed_program is None:
            self._step.fixed_program = self.program((), True)
        return self._step

    def trained_step(self) -> Step:
        """The step, with its optimizer built; the first one after ``compile`` settles which weights it trains."""
        step = self.step()
        if step.optimizer is not None:
            return step
        if [id(p) for p in self._arena.trainable] != [id(p) for p in self.trainable_weights]:
            programs = list(self._programs)
            self.forget_plan()
            shapes = [self.input_shape] if isinstance(self.input_shape, tuple) else self.input_shape
            self.ensure_ready(shapes if not programs or programs[0] is None else programs[-1][0], self._kinds(programs))
            step = self.step()
        if self._arena.trainable:
            self.optimizer.build(self._arena.trainable, self._arena.trainable_value, self._arena.trainable_grad)
            step.optimizer = self.optimizer
        return step

    def _kinds(self, programs: Sequence[Any]) -> Sequence[str]:
        return programs[-1][1] if programs and programs[-1] is not None else ()

    @locked
    def set_weights(self, weights: Sequence[Any]) -> None:
        """Write all weights, in the order of ``get_weights``, once no other thread is in a call of the model."""
        super().set_weights(weights)

    @locked
    def reset_state(self) -> None:
        """Let all stateful layers start from zeros again: the next batch goes on from nothing."""
        for layer, _ in self.leaves():
            if getattr(layer, "stateful", False):
                layer.reset_state()

    reset_states = reset_state

    def current_logs(self) -> dict[str, Any]:
        """Loss and metrics so far in this epoch or evaluation; the progress bar asks."""
        return {} if self._step is None else self._step.logs()

    def reset_metrics(self) -> None:
        """Forget the losses and metrics of all batches."""
        if self._step is not None:
            self._step.reset()

    @property
    def metrics(self) -> list[Any]:
        """The compiled metrics."""
        return [metric for compiled in self.objectives.metrics for metric in compiled.metrics]

    @property
    def metrics_names(self) -> list[str]:
        """ "loss", the losses of the outputs if there are several, then the metrics in the order of ``compile``."""
        outputs = self._step.output_losses() if self._step is not None else {}
        return ["loss", *outputs, *self.objectives.result()]

    def in_order(self, logs: dict[str, Any]) -> Any:
        """The logs as Keras lists them: the loss alone, or loss, losses of the outputs, metrics."""
        if len(logs) == 1:
            return logs["loss"]
        names = self.metrics_names
        if len(self.objectives.names) > 1:
            head = ["loss", *self._step.output_losses()]
            names = head + sorted(name for name in logs if name not in head)
        return [logs[name] for name in names]

    # Settings.

    def get_config(self) -> dict[str, Any]:
        """Name, layers and how they are connected, as plain data."""
        if self.graph is None:
            raise NotImplementedError(
                f"{type(self).__name__} writes call, so only you know what makes it again. Write get_config(self), "
                "which returns the arguments of __init__."
            )
        return {"name": self.name, "trainable": self._trainable, **graph_config(self.graph)}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        """A model of new layers from ``get_config``.

        Parameters
        ----------
        custom_objects : dict, optional
            Classes and functions of the user's own by name.
        """
        if "nodes" not in config:
            with custom.scope(custom_objects):
                return cls(**config)
        inputs, outputs = graph_from_config(config, custom_objects)
        return Model(inputs, outputs, name=config.get("name"), trainable=config.get("trainable", True))

    def summary(
        self,
        line_length: int | None = None,
        positions: Sequence[float] | None = None,
        print_fn: Callable[[str], Any] | None = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
    ) -> None:
        """Print the layers, their output shapes and numbers of weights.

        Parameters
        ----------
        line_length : int
            Default: 88, or the terminal less 4.
        positions : list of float
            Where columns end, as shares of the line.
        print_fn : callable
            Gets the whole text; default ``print``.
        expand_nested : bool
            Also show the layers of models inside.
        show_trainable : bool
            Add a column that says which layers training changes.
        """
        from .summary import summary_text

        (print_fn or print)(summary_text(self, line_length, positions, expand_nested, show_trainable))


def _layer_name(symbol: Symbol) -> str:
    """The name of the layer behind a symbol."""
    operation = symbol.node.operation
    if not isinstance(operation, Layer) and symbol.node.inputs:  # an operator, or the penalty of a layer
        return getattr(operation, "name", "") or _layer_name(symbol.node.inputs[0])
    return operation.name

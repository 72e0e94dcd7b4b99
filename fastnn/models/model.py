"""Model: a graph of layers, compiled with losses, metrics and an optimizer, and the calls that train and use it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import custom
from ..callbacks import History
from ..graph import Graph, Symbol, as_symbol, as_tensor, contains_symbols, flatten, is_recording, is_tracing, pack
from ..layers.base import Layer
from ..layers.parameter import as_input
from ..layers.support.array_checks import checked_mask
from ..layers.support.traced_call import call_traced
from . import training
from .compiled import Compiled
from .config import graph_config, graph_from_config
from .feeds import whole_number
from .inputs import batch_of, preparing, read_batch
from .inspected import Inspected
from .locks import give_lock, locked
from .objectives import Objectives
from .older import Older
from .saved import Saved
from .step import shapes_key
from .taped import call_on_tape

__all__ = ["Model"]


class Model(Saved, Inspected, Compiled, Older):
    """A graph of layers, from inputs to outputs; or a subclass that writes ``call``.

    A model is also a layer: it can be part of another model.

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

    random_stream: Any = None
    """Where ``fit`` draws the order of the data, in a model that goes on from a file; None: from the process."""

    current_run: Any = None
    """The ``fit`` under way: callbacks ask it for backups."""

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
                    "A model must have inputs and outputs. Received: one of the two. Use Model(inputs, outputs)."
                )
            self.set_graph(Graph(inputs, outputs))

    def __getstate__(self) -> dict[str, Any]:
        """The state of a copy: layers, optimizer, history; it allocates its own buffers and order."""
        left = ("_lock", "_arena", "_programs", "_step", "_workspaces", "_layer_plans", "current_run")
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
                    f'Layers of a model must have different names. Received: "{layer.name}" twice. Give one of them '
                    "another name=."
                )
        shapes = [symbol.shape for symbol in graph.input_symbols]
        ends = [symbol.shape for symbol in graph.output_symbols]
        self.input_shape = shapes[0] if isinstance(graph.inputs, Symbol) else shapes
        self.output_shape = ends[0] if isinstance(graph.outputs, Symbol) else ends
        self.built = True
        self.forget_plan()

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
    ) -> History:
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
            Batches per epoch; the next epoch continues where this one stopped, while each validation starts again, so
            that all measure the same (a generator simply continues).
        validation_batch_size : int
            Default: batch_size.
        validation_freq : int or list of int
            Validate every this many epochs, or after these epochs (counted from 1).

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

    # One batch.

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
        x = as_input(x)
        if self._traced and self.graph is None:
            return call_traced(self, x, *arguments, training=training, mask=mask, **named)
        if arguments or named:
            raise TypeError(
                f'Model "{self.name}" takes its inputs, training= and mask=. Received: {arguments or named}. Use a '
                "list for several inputs."
            )
        if is_tracing() or contains_symbols(x):
            x = pack(x, [as_symbol(leaf, self.dtype) for leaf in flatten(x)])
            self._build_on_symbols(x)
            return self.call_on_symbols(x, training, mask)
        by_default = training is None and any(layer.training_by_default for layer, _ in self.leaves())
        if not training and not by_default and mask is None and not is_recording():
            outputs = self.predict_on_batch(x)
            return pack(outputs, map(as_tensor, flatten(outputs)))
        with self._lock:
            with preparing(self):
                xs = read_batch(self, x)
                masks = [mask] if not isinstance(mask, (list, tuple)) or len(xs) == 1 else list(mask)
                masks += [None] * (len(xs) - len(masks))
                masks = [None if m is None else checked_mask(m, a.shape, self) for m, a in zip(masks, xs, strict=True)]
            if is_recording():
                return self.packed(
                    call_on_tape(self, flatten(x), xs, bool(training), masks if mask is not None else None)
                )
            program = self.program(xs, bool(training))
            plan = program.predicting if mask is None else program.masked(tuple(m is not None for m in masks))
            with self._workspaces.of(shapes_key(xs), bool(training)):
                outputs = plan.forward(xs, None if by_default else bool(training), None if mask is None else masks)[0]
                return self.packed([as_tensor(y.copy()) for y in outputs[: program.outputs]])

    @locked
    def set_weights(self, weights: Sequence[Any]) -> None:
        """Write all weights, in the order of ``get_weights``, once no other thread is in a call of the model."""
        super().set_weights(weights)

    @locked
    def reset_state(self) -> None:
        """Let all stateful layers start from zeros again, as before the first batch."""
        for layer, _ in self.leaves():
            if getattr(layer, "stateful", False):
                layer.reset_state()

    reset_states = reset_state

    # Settings.

    def get_config(self) -> dict[str, Any]:
        """Name, layers and how they are connected, as plain data."""
        if self.graph is None:
            raise NotImplementedError(
                f"{type(self).__name__} defines call, so only its code can recreate it. Define get_config(self), which "
                "returns the arguments of __init__."
            )
        return {"name": self.name, "trainable": self._trainable, **graph_config(self.graph)}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        """A model of new layers from ``get_config``.

        Parameters
        ----------
        custom_objects : dict, optional
            Custom classes and functions by name.
        """
        if "nodes" not in config:
            with custom.scope(custom_objects):
                return cls(**config)
        inputs, outputs = graph_from_config(config, custom_objects)
        return Model(inputs, outputs, name=config.get("name"), trainable=config.get("trainable", True))

"""Model: layers, compiled with a loss, metrics and an optimizer, and the calls that train and use them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import losses, metrics, optimizers
from ..layers.base import Layer
from ..layers.support.array_checks import checked_mask
from . import training
from .arena import Arena
from .as_layer import LayerOfLayers
from .inputs import batch_of, ready_rows
from .masks import warn_of_dropped_masks
from .plan import Chain
from .step import Step
from .workspaces import Workspaces

__all__ = ["Model"]


class Model(LayerOfLayers):
    """What models share; ``Sequential`` says which layers run in which order.

    A model is a layer too: it may stand inside another one.

    Attributes
    ----------
    layers : list of Layer
    optimizer, loss
        As compiled.
    history : History
        Of the last ``fit``.
    stop_training : bool
        A callback sets it to end ``fit`` after the batch.
    input_dtype : str
        What batches of inputs are read as: the dtype of the layers, or int64 where the first layer takes ids.
    shape_declared : bool
        Whether the input shape was said; a shape that was only seen in data leaves lengths open.
    """

    shape_declared = True

    def __init__(self, *, name: str | None = None, trainable: bool = True):
        super().__init__(name=name)
        self._trainable = bool(trainable)
        self._lock = threading.RLock()
        self.optimizer: Any = None
        self.loss: Any = None
        self.history: Any = None
        self.compiled, self.stop_training = False, False
        self._loss: Any = None
        self._metrics = metrics.CompiledMetrics()
        self._fuse = True
        self.forget_plan()

    def __getstate__(self) -> dict[str, Any]:
        """What a copy takes over: layers, optimizer, history; it lays out buffers and order of its own."""
        return {k: v for k, v in vars(self).items() if k not in ("_lock", "_arena", "_chain", "_step", "_workspaces")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, _lock=threading.RLock())
        self.forget_plan()

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """The layer of this name, or at this place.

        Raises
        ------
        ValueError
            If there is none, or not exactly one of the two is given.
        """
        if (name is None) == (index is None):
            raise ValueError(f"Give name or index. Received: name={name!r}, index={index!r}.")
        if name is not None:
            for layer in self.layers:
                if layer.name == name:
                    return layer
            raise ValueError(f"There is no layer named {name!r}. The layers are {[x.name for x in self.layers]}.")
        if not -len(self.layers) <= index < len(self.layers):
            raise ValueError(f"There are {len(self.layers)} layers. Received: index={index}.")
        return self.layers[index]

    # The plan.

    def forget_plan(self) -> None:
        """Lay out buffers and order anew before the next call, because layers or their settings have changed."""
        self._arena: Arena | None = None
        self._chain: Chain | None = None
        self._step: Step | None = None
        self._workspaces = Workspaces()
        self._shapes: tuple[Any, Any] = (None, None)
        self.input_dtype = self.dtype

    def ensure_ready(self, x_shape: tuple[int, ...]) -> None:
        """Build for inputs of this shape if need be, and bring buffers and plan up to date.

        Raises
        ------
        ValueError
            If a layer cannot take the shape; nothing is built then.
        """
        if not self.built:
            self.build((None, *x_shape[1:]))
            self.shape_declared = False
        if self._chain is None:
            wanted = {dtype for layer, _ in self.leaves() if (dtype := layer.dtype) and layer.weights} or {self.dtype}
            if len(wanted) > 1:
                raise ValueError(
                    f"All layers of a model compute in one dtype. Received: {sorted(wanted)}. "
                    'Give all layers the same dtype=, or call fastnn.backend.set_floatx("float64") before making them.'
                )
            self.dtype = wanted.pop()
            self.input_dtype = "int64" if self.takes_ids else self.dtype
            warn_of_dropped_masks([layer for layer, _ in self.leaves()])
            self._arena = Arena(self.trainable_weights, self.non_trainable_weights, self.dtype)
            self._chain = Chain([layer for layer, _ in self.leaves()], self._arena.trainable, self._fuse)
            self._chain.mark_first()
        elif not self._arena.whole:
            self._arena.take()
            self._chain.mark_first()

    def takes(self, shape: tuple[int, ...]) -> bool:
        """Whether the model is ready for an input of exactly this shape."""
        if self._chain is None or not self._arena.whole or len(shape) != len(self.input_shape) or not shape[0]:
            return False
        return self.input_shape[1:] == shape[1:] or all(
            e is None or e == n for e, n in zip(self.input_shape[1:], shape[1:], strict=True)
        )

    def take_length(self, x_shape: tuple[int, ...]) -> bool:
        """Whether inputs of this shape pass too, though the model was built with data of another shape."""
        return False

    def output_shape_for(self, x_shape: tuple[int, ...]) -> tuple[int | None, ...]:
        """The shape of the outputs for inputs of this shape, with None for the batch alone."""
        if None not in self.output_shape[1:]:
            return (None, *self.output_shape[1:])
        known, shape = self._shapes
        if known != x_shape[1:]:
            shape = (None, *self.compute_output_shape((self.input_shape[0], *x_shape[1:]))[1:])
            self._shapes = (x_shape[1:], shape)
        return shape

    def checked_targets(self, y: np.ndarray, x_shape: tuple[int, ...]) -> np.ndarray:
        """Targets for inputs of this shape as the loss takes them; metrics and the step are bound to their shape.

        Raises
        ------
        TypeError, ValueError
            If they do not fit the output of the model.
        """
        if self._loss is None:
            raise ValueError(
                'The model has no loss. Type model.compile(loss="mse", ...) with a loss that fits the targets.'
            )
        output_shape = self.output_shape_for(x_shape)
        t = self._loss.check_targets(output_shape, y)
        self._metrics.build(output_shape, y.shape)
        return t

    def step(self) -> Step:
        """The compiled step, made when first needed."""
        if self._step is None:
            leaves = [layer for layer, _ in self.leaves()]
            head = self._chain.head
            on_logits = self._loss.on_logits(head) if head else None
            chain = self._chain
            if on_logits is not None:
                chain = Chain(leaves, self._arena.trainable, self._fuse, without_head=True)
            self._step = Step(
                chain, self._arena, self._workspaces, on_logits or self._loss, on_logits is not None, self._metrics
            )
        return self._step

    # Compile.

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Sequence[Any] | None = None,
        weighted_metrics: Sequence[Any] | None = None,
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
        metrics, weighted_metrics : list, optional
            Only the second are weighted by ``sample_weight`` and ``class_weight``.
        fuse : bool
            Join neighbouring layers into one kernel where no number changes beyond rounding; False runs them one by
            one.
        run_eagerly, steps_per_execution, jit_compile, auto_scale_loss
            Accepted as Keras does; everything here is compiled already.

        Raises
        ------
        TypeError, ValueError
            For unknown names; the model stays as it was compiled before.
        """
        if loss_weights is not None:
            raise ValueError(
                "loss_weights weigh the losses of several outputs; this model has one. Received: "
                f"loss_weights={loss_weights!r}. "
                "Leave it out."
            )
        if isinstance(loss, (list, tuple, dict)):
            raise ValueError(
                f"This model has one output and takes one loss. Received: loss={loss!r}. Type loss=the one of it."
            )
        found_loss, found_optimizer = losses.get(loss), optimizers.get(optimizer)
        found_metrics = _compiled_metrics(metrics, weighted_metrics)
        self.loss, self._loss, self.optimizer, self._metrics = loss, found_loss, found_optimizer, found_metrics
        self._fuse, self.compiled = bool(fuse), True
        self.forget_plan()

    def require_compiled(self, what: str) -> None:
        """Raise unless ``compile`` was called."""
        if not self.compiled:
            raise ValueError(
                f'{what} needs a compiled model. Type model.compile(optimizer="adam", loss="mse") '
                "with the loss that fits your targets."
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
            Arrays are never copied whole: rows are drawn and cast batch by batch.  Sequences are padded to one length;
            a data set may pad each batch to its own.
        y : array (N, …)
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
        settings = {k: v for k, v in locals().items() if k != "self"}
        with self._lock:
            return training.fit(self, **settings)

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
            return logs if return_dict else self._in_order(logs)

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: str | int = "auto",
        steps: int | None = None,
        callbacks: Sequence[Any] | None = None,
    ) -> np.ndarray:
        """The outputs for all examples, batch by batch.

        Returns
        -------
        array (N, …)
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
        FloatingPointError
            If the loss is NaN or infinite; the weights are unchanged.
        """
        with self._lock:
            self.require_compiled("train_on_batch")
            batch = batch_of(self, x, y, sample_weight, class_weight)
            step = self.trained_step()
            step.reset()
            step.train(*batch)
            return step.logs() if return_dict else self._in_order(step.logs())

    def test_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False) -> Any:
        """Measure loss and metrics on one batch."""
        with self._lock:
            self.require_compiled("test_on_batch")
            batch = batch_of(self, x, y, sample_weight, what="test_on_batch")
            step = self.step()
            step.reset()
            step.test(*batch)
            return step.logs() if return_dict else self._in_order(step.logs())

    def predict_on_batch(self, x: Any) -> np.ndarray:
        """The outputs for one batch."""
        with self._lock:
            x = ready_rows(self, x)
            with self._workspaces.of(x.shape, False):
                return self._chain.infer(x).copy()

    def __call__(self, x: Any, training: bool = False, mask: Any = None) -> np.ndarray:
        """The outputs for a batch; with ``training=True`` dropout and its like are at work.

        Parameters
        ----------
        x : array (N, …)
        training : bool
        mask : array of bool (N, T), optional
            True where a time step counts.
        """
        if not training and mask is None:
            return self.predict_on_batch(x)
        with self._lock:
            x = ready_rows(self, x)
            mask = None if mask is None else checked_mask(mask, x.shape, self)
            with self._workspaces.of(x.shape, bool(training)):
                return self._chain.forward_masked(x, bool(training), mask)[0].copy()

    def trained_step(self) -> Step:
        """The step, with its optimizer built; the first one after ``compile`` settles which weights it trains."""
        step = self.step()
        if step.optimizer is not None:
            return step
        if [id(p) for p in self._arena.trainable] != [id(p) for p in self.trainable_weights]:
            self.forget_plan()
            self.ensure_ready(self.input_shape)
            step = self.step()
        if self._arena.trainable:
            self.optimizer.build(self._arena.trainable, self._arena.trainable_value, self._arena.trainable_grad)
            step.optimizer = self.optimizer
        return step

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
        return self._metrics.metrics

    @property
    def metrics_names(self) -> list[str]:
        """ "loss", then the metrics in the order of ``compile``."""
        return ["loss", *self._metrics.result()]

    def _in_order(self, logs: dict[str, Any]) -> Any:
        if len(logs) == 1:
            return logs["loss"]
        return [logs["loss"], *(logs[name] for name in self._metrics.result())]

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


def _compiled_metrics(plain: Any, weighted: Any) -> metrics.CompiledMetrics:
    if isinstance(plain, dict) or isinstance(weighted, dict):
        raise ValueError("metrics is a list; a dict names the outputs of models with several. Type metrics=[...].")
    return metrics.CompiledMetrics(plain, weighted)

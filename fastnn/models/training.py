"""The loops over batches and epochs: fit, evaluate, predict."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..callbacks import CallbackList, History, ProgressBar, TerminateOnNaN
from ..data.batches import IterableBatches
from ..data.checks import unpack
from ..lookup import is_number
from .feeds import Epochs, check_same_size, predict_batches, split_arrays, train_batches, whole_number
from .guard import Guard
from .inputs import is_iterable_data, preparing
from .run import Run
from .step import NotFinite

__all__ = ["FitSettings", "evaluate", "fit", "predict"]


@dataclass
class FitSettings:
    """The arguments of ``Model.fit``, which documents them."""

    batch_size: int | None
    epochs: int
    verbose: str | int
    callbacks: Any
    validation_split: float
    validation_data: Any
    shuffle: bool
    class_weight: Any
    sample_weight: Any
    initial_epoch: int
    steps_per_epoch: int | None
    validation_steps: int | None
    validation_batch_size: int | None
    validation_freq: Any


def fit(model: Any, x: Any, y: Any, settings: FitSettings) -> History:
    """The loop behind ``Model.fit``."""
    model.require_compiled("fit")
    _refuse_own_step(model, "train_step", "fit")
    epochs, initial_epoch = settings.epochs, settings.initial_epoch
    validates = _validation_epochs(settings.validation_freq)
    verbose = _verbosity(settings.verbose)
    CallbackList(settings.callbacks)  # refuses what is not a callback
    with preparing(model):
        train, validation = _feeds(model, x, y, settings)
        step = model.trained_step()
    guard = Guard(step.arena, step.optimizer)
    model.stop_training = False
    params = {"verbose": verbose, "epochs": epochs, "steps": train.steps}
    with (
        _callbacks(model, settings.callbacks, params, history=True) as (callbacks, bars),
        Run(model, step, train, validation, validates, callbacks, initial_epoch) as run,
    ):
        callbacks.on_train_begin(None)
        run.resume()
        while run.epoch < epochs and not run.over:
            _epoch(run, guard, callbacks, bars)
            if model.stop_training:
                break
        if step.optimizer is not None and epochs > initial_epoch:
            step.optimizer.finalize_variable_values()
            _check_last_update(model, guard, callbacks)
        callbacks.on_train_end(run.logs)
    return model.history


def _epoch(run: Run, guard: Guard, callbacks: Any, bars: Any) -> None:
    """An epoch, or the rest of an interrupted one, and its validation."""
    epoch, step = run.epoch, run.step
    if not run.batch:
        step.reset()
    callbacks.on_epoch_begin(epoch, None)
    run.begin_epoch()
    logs = _train_epoch(run, guard, callbacks, bars)
    if run.validation is not None and run.validates(epoch):
        step.reset()
        measured = _test_epoch(step, run.validation, callbacks, ())
        logs |= {f"val_{name}": value for name, value in measured.items()}
    logs = dict(sorted(logs.items()))
    callbacks.on_epoch_end(epoch, logs)
    run.end_epoch(logs)


def _feeds(model: Any, x: Any, y: Any, settings: FitSettings) -> tuple[Epochs, Epochs | None]:
    """The batches of training and of validation, all checked."""
    sample_weight, validation_data = settings.sample_weight, settings.validation_data
    cuts = not is_number(settings.validation_split) or settings.validation_split != 0
    if settings.validation_split is not None and cuts and validation_data is None:
        (x, y, sample_weight), validation_data = split_arrays(x, y, sample_weight, settings.validation_split)
    batches = train_batches(
        model,
        x,
        y,
        "fit",
        settings.batch_size,
        sample_weight,
        settings.class_weight,
        _truth("shuffle", settings.shuffle),
    )
    train = Epochs(batches, _optional_number("steps_per_epoch", settings.steps_per_epoch))
    if validation_data is None:
        return train, None
    size = _optional_number("validation_batch_size", settings.validation_batch_size)
    if size is None and not isinstance(batches, IterableBatches):
        size = settings.batch_size
    validation = _validation(model, validation_data, size, settings.validation_steps)
    check_same_size(model, batches, validation.batches)
    return train, validation


def _check_last_update(model: Any, guard: Guard, callbacks: Any) -> None:
    """The update after the last loss is not followed by another loss, so the weights themselves are looked at."""
    words = guard.check()
    if words is None:
        return
    model.reset_state()
    if any(isinstance(callback, TerminateOnNaN) for callback in callbacks):
        model.stop_training = True
        return
    raise NotFinite(
        f"Training stopped: the last update left weights that are NaN or infinite. {words} Often the learning rate is "
        "too high. Use optimizer=Adam(1e-4), scale the inputs (x / 255), or limit gradients with clipnorm=1.0.",
        float("nan"),
    )


def _train_epoch(run: Run, guard: Guard, callbacks: Any, bars: Any) -> dict[str, Any]:
    """All batches of one epoch that were not done before an interruption; gives its logs."""
    model, step, epoch = run.model, run.step, run.epoch
    before = callbacks.on_train_batch_begin if callbacks.hears("on_train_batch_begin") else None
    after = callbacks.on_train_batch_end if callbacks.hears("on_train_batch_end") else None
    learn, checkpoint, tick = step.train, guard.checkpoint, bars[0].tick if bars else None
    i, batches = run.batch - 1, run.train.after(run.batch)
    for i, (xs, ts, weights) in enumerate(() if run.ended else batches, run.batch):
        if before is not None:
            before(i, None)
        try:
            learn(xs, ts, weights, checkpoint)
        except NotFinite as error:
            return _lost(model, step, guard, callbacks, xs, i, epoch, error)
        if after is not None:
            after(i, step.logs())
        if tick is not None:
            tick(i + 1)
        run.batch = i + 1
        if run.wanted is not None:
            run.save()
        if model.stop_training:
            break
    if i < 0:
        raise ValueError(
            f"Epoch {epoch + 1} has no data: a generator yields its batches only once. Pass steps_per_epoch and an "
            "endless generator, or an object that can be iterated again."
        )
    return step.logs()


def _lost(
    model: Any, step: Any, guard: Guard, callbacks: Any, xs: Sequence[np.ndarray], i: int, epoch: int, error: NotFinite
) -> dict[str, Any]:
    """The loss is NaN or infinite: good weights are put back, and training ends, quietly if TerminateOnNaN is there."""
    words = guard.restore(xs)
    model.reset_state()  # the states that layers carry came from the lost run
    if any(isinstance(callback, TerminateOnNaN) for callback in callbacks):
        logs = step.logs() | {"loss": error.value}
        callbacks.on_train_batch_end(i, logs)
        model.stop_training = True
        return logs
    raise NotFinite(
        f"Training stopped: the loss is {error.value} at step {i + 1} of epoch {epoch + 1}. {words} "
        "Often the learning rate is too high, or inputs are large or hold NaN. Use optimizer=Adam(1e-4), scale "
        "the inputs (x / 255), or limit gradients with clipnorm=1.0.",
        error.value,
    ) from None


def _test_epoch(step: Any, epochs: Epochs, callbacks: Any, bars: Any) -> dict[str, Any]:
    """Measure on all batches; gives the logs."""
    callbacks.on_test_begin(None)
    before = callbacks.on_test_batch_begin if callbacks.hears("on_test_batch_begin") else None
    after = callbacks.on_test_batch_end if callbacks.hears("on_test_batch_end") else None
    for i, (xs, ts, weights) in enumerate(epochs):
        if before is not None:
            before(i, None)
        step.test(xs, ts, weights)
        if after is not None:
            after(i, step.logs())
        for bar in bars:
            bar.tick(i + 1)
    logs = step.logs()
    callbacks.on_test_end(logs)
    return logs


def evaluate(
    model: Any,
    x: Any,
    y: Any,
    batch_size: int | None,
    verbose: str | int,
    sample_weight: Any,
    steps: int | None,
    callbacks: Any,
) -> dict[str, Any]:
    """The loop behind ``Model.evaluate``; gives the logs."""
    model.require_compiled("evaluate")
    _refuse_own_step(model, "test_step", "evaluate")
    verbose = _verbosity(verbose)
    CallbackList(callbacks)
    with preparing(model):
        batches = train_batches(model, x, y, "evaluate", batch_size, sample_weight)
        epochs = Epochs(batches, _optional_number("steps", steps), "steps")
        step = model.step()
    step.reset()
    with _callbacks(model, callbacks, {"verbose": verbose, "epochs": 1, "steps": epochs.steps}) as (callbacks, bars):
        return _test_epoch(step, epochs, callbacks, bars)


def predict(model: Any, x: Any, batch_size: int | None, verbose: str | int, steps: int | None, callbacks: Any) -> Any:
    """The loop behind ``Model.predict``."""
    verbose = _verbosity(verbose)
    CallbackList(callbacks)
    with preparing(model):
        epochs = Epochs(predict_batches(model, x, batch_size), _optional_number("steps", steps), "steps")
    found: list[list[np.ndarray]] = []
    with _callbacks(model, callbacks, {"verbose": verbose, "epochs": 1, "steps": epochs.steps}) as (given, bars):
        given.on_predict_begin(None)
        for i, (xs, _, _) in enumerate(epochs):
            given.on_predict_batch_begin(i, None)
            outputs = model.infer(xs)
            if any(output.ndim == 0 for output in outputs):
                raise ValueError(
                    "predict needs outputs with an axis for the batch. Received: an output of shape (). Use operations "
                    "that keep the first axis, such as ops.mean(x, axis=-1)."
                )
            for first, now in zip(found[0] if found else outputs, outputs, strict=True):
                if now.shape[1:] != first.shape[1:]:
                    raise ValueError(
                        "predict returns one array, so all outputs must have the same length. Received: outputs of "
                        f"shape {first.shape} and {now.shape}. Call model.predict_on_batch(x) for each batch, or pad "
                        "all batches to one length."
                    )
            found.append(outputs)
            given.on_predict_batch_end(i, {"outputs": model.packed(outputs)})
            for bar in bars:
                bar.tick(i + 1)
        given.on_predict_end(None)
    if not found:
        raise ValueError("predict needs data. Received: an iterable that yields no batch.")
    return model.packed([np.concatenate(parts) for parts in zip(*found, strict=True)])


# What the three share.


def _refuse_own_step(model: Any, name: str, caller: str) -> None:
    """Say that a step of the user's own would not be called."""
    if hasattr(type(model), name):
        raise NotImplementedError(
            f"{caller} makes a step in compiled code, and does not call {type(model).__name__}.{name}. Write the loop: "
            "for x, y in dataset: with tf.GradientTape() as tape: ..., tape.gradient and optimizer.apply_gradients, "
            "with fastnn.compat.tensorflow as tf. A loss or metric of your own needs no step: pass it to compile."
        )


def _validation(model: Any, data: Any, batch_size: int | None, steps: int | None) -> Epochs:
    steps = _optional_number("validation_steps", steps)
    if isinstance(data, tuple) or (isinstance(data, list) and not is_iterable_data(data, None)):
        x, y, weight = unpack(data, "validation_data")
        batches = train_batches(model, x, y, "validation_data", batch_size, weight)
    else:
        batches = train_batches(model, data, None, "validation_data", None)
    return Epochs(batches, steps, "validation_steps", afresh=True)


@contextmanager
def _callbacks(
    model: Any, given: Any, params: dict[str, Any], history: bool = False
) -> Iterator[tuple[CallbackList, list]]:
    """The callbacks of a run in Keras' order: the user's, the progress bar, the history; and the bars among them."""
    own = [] if given is None else list(given) if isinstance(given, (list, tuple, CallbackList)) else [given]
    if params["verbose"] and not any(isinstance(callback, ProgressBar) for callback in own):
        own.append(ProgressBar())
    if history and not any(isinstance(callback, History) for callback in own):
        own.append(History())
    everything = CallbackList(own, model, params)
    bars = [callback for callback in own if isinstance(callback, ProgressBar)]
    try:
        yield everything, bars
    finally:
        for bar in bars:
            bar.close()


def _truth(name: str, value: Any) -> bool:
    """Whether a value counts as true, or the error of an array, which is neither."""
    if isinstance(value, np.ndarray):
        raise TypeError(f"{name} must be True or False. Received: {name}={value!r}.")
    return bool(value)


def _optional_number(name: str, value: Any) -> int | None:
    return None if value is None else whole_number(name, value)


def _verbosity(verbose: Any) -> int:
    if not isinstance(verbose, (str, int, np.integer)) or verbose not in ("auto", 0, 1, 2):
        raise ValueError(f'verbose must be "auto", 0, 1 or 2. Received: verbose={verbose!r}.')
    return 1 if verbose == "auto" else int(verbose)


def _validation_epochs(frequency: Any) -> Any:
    """The test whether to validate after an epoch, counted from 0."""
    if isinstance(frequency, (int, np.integer)) and not isinstance(frequency, bool) and frequency >= 1:
        return lambda epoch: (epoch + 1) % frequency == 0
    if isinstance(frequency, (list, tuple, set, range)):
        return lambda epoch: epoch + 1 in frequency
    raise ValueError(f"validation_freq must be an integer, at least 1, or a list of epochs. Received: {frequency!r}.")

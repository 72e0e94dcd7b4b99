"""The loops over batches and epochs: fit, evaluate, predict."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..callbacks import CallbackList, History, TerminateOnNaN
from ..data.batches import ArrayBatches, IterableBatches
from ..data.checks import unpack
from .guard import Guard
from .inputs import (
    Epochs,
    check_stateful,
    is_iterable_data,
    read_input,
    ready_rows,
    split_arrays,
    train_batches,
    whole_number,
)
from .progress import ProgressBar
from .step import NotFinite

__all__ = ["evaluate", "fit", "predict"]


def fit(
    model: Any,
    x: Any,
    y: Any,
    batch_size: int | None,
    epochs: int,
    verbose: str | int,
    callbacks: Any,
    validation_split: float,
    validation_data: Any,
    shuffle: bool,
    class_weight: Any,
    sample_weight: Any,
    initial_epoch: int,
    steps_per_epoch: int | None,
    validation_steps: int | None,
    validation_batch_size: int | None,
    validation_freq: Any,
) -> History:
    """The loop behind ``Model.fit``, whose page says what the arguments mean."""
    model.require_compiled("fit")
    epochs, initial_epoch = whole_number("epochs", epochs, 0), whole_number("initial_epoch", initial_epoch, 0)
    validates = _validation_epochs(validation_freq)
    verbose = _verbosity(verbose)
    CallbackList(callbacks)  # refuses what is no callback
    with _unbuilt_again(model):
        if validation_split and validation_data is None:
            (x, y, sample_weight), validation_data = split_arrays(x, y, sample_weight, validation_split)
        batches = train_batches(model, x, y, "fit", batch_size, sample_weight, class_weight, bool(shuffle))
        train = Epochs(batches, _optional_number("steps_per_epoch", steps_per_epoch))
        validation = None
        if validation_data is not None:
            size = _optional_number("validation_batch_size", validation_batch_size)
            if size is None and not isinstance(batches, IterableBatches):
                size = batch_size
            validation = _validation(model, validation_data, size, validation_steps)
        step = model.trained_step()
    guard = Guard(step.arena, step.optimizer)
    model.stop_training = False
    params = {"verbose": verbose, "epochs": epochs, "steps": train.steps}
    with _callbacks(model, callbacks, params, history=True) as (heard, bars):
        heard.on_train_begin(None)
        logs: dict[str, Any] | None = None
        for epoch in range(initial_epoch, epochs):
            step.reset()
            heard.on_epoch_begin(epoch, None)
            logs = _train_epoch(model, step, train, guard, heard, bars, epoch)
            if validation is not None and validates(epoch):
                step.reset()
                logs |= {f"val_{name}": value for name, value in _test_epoch(step, validation, heard, ()).items()}
            logs = dict(sorted(logs.items()))
            heard.on_epoch_end(epoch, logs)
            if model.stop_training:
                break
        if step.optimizer is not None and epochs > initial_epoch:
            step.optimizer.finalize_variable_values()
        heard.on_train_end(logs)
    return model.history


def _train_epoch(
    model: Any, step: Any, train: Epochs, guard: Guard, heard: Any, bars: Any, epoch: int
) -> dict[str, Any]:
    """All batches of one epoch; gives its logs."""
    before = heard.on_train_batch_begin if heard.heard("on_train_batch_begin") else None
    after = heard.on_train_batch_end if heard.heard("on_train_batch_end") else None
    learn, sound, tick = step.train, guard.sound, bars[0].tick if bars else None
    i = -1
    for i, (x, t, weight) in enumerate(train):
        if before is not None:
            before(i, None)
        try:
            learn(x, t, weight, sound)
        except NotFinite as error:
            return _lost(model, step, guard, heard, x, i, epoch, error)
        if after is not None:
            after(i, step.logs())
        if tick is not None:
            tick(i + 1)
        if model.stop_training:
            break
    if i < 0:
        raise ValueError(
            f"Epoch {epoch + 1} has no data: a generator gives its batches once. Pass steps_per_epoch and a "
            "generator that goes on "
            "for ever, or something that can be iterated again."
        )
    return step.logs()


def _lost(
    model: Any, step: Any, guard: Guard, heard: Any, x: np.ndarray, i: int, epoch: int, error: NotFinite
) -> dict[str, Any]:
    """The loss is no number: sound weights are put back, and training ends, quietly if TerminateOnNaN is there."""
    words = guard.restore(x)
    model.reset_state()  # what stateful layers carry came of the lost run
    if any(isinstance(callback, TerminateOnNaN) for callback in heard):
        logs = step.logs() | {"loss": error.value}
        heard.on_train_batch_end(i, logs)
        model.stop_training = True
        return logs
    raise NotFinite(
        f"Training stopped: the loss is {error.value} at step {i + 1} of epoch {epoch + 1}. {words} "
        "Often the learning rate is too high, or inputs are large or hold NaN. Type optimizer=Adam(1e-4), scale "
        "the inputs "
        "(x / 255), or limit gradients with clipnorm=1.0.",
        error.value,
    ) from None


def _test_epoch(step: Any, epochs: Epochs, heard: Any, bars: Any) -> dict[str, Any]:
    """Measure on all batches; gives the logs."""
    heard.on_test_begin(None)
    before = heard.on_test_batch_begin if heard.heard("on_test_batch_begin") else None
    after = heard.on_test_batch_end if heard.heard("on_test_batch_end") else None
    for i, (x, t, weight) in enumerate(epochs):
        if before is not None:
            before(i, None)
        step.test(x, t, weight)
        if after is not None:
            after(i, step.logs())
        for bar in bars:
            bar.tick(i + 1)
    logs = step.logs()
    heard.on_test_end(logs)
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
    verbose = _verbosity(verbose)
    with _unbuilt_again(model):
        batches = train_batches(model, x, y, "evaluate", batch_size, sample_weight)
        epochs = Epochs(batches, _optional_number("steps", steps), "steps")
        step = model.step()
    step.reset()
    with _callbacks(model, callbacks, {"verbose": verbose, "epochs": 1, "steps": epochs.steps}) as (heard, bars):
        return _test_epoch(step, epochs, heard, bars)


def predict(
    model: Any, x: Any, batch_size: int | None, verbose: str | int, steps: int | None, callbacks: Any
) -> np.ndarray:
    """The loop behind ``Model.predict``."""
    verbose = _verbosity(verbose)
    with _unbuilt_again(model):
        if is_iterable_data(x, None):
            batches = IterableBatches(x, lambda item: (ready_rows(model, unpack(item, "A batch")[0]), None, None))
        else:
            size = whole_number("batch_size", 32 if batch_size is None else batch_size)
            x = read_input(model, x)
            check_stateful(model, len(x), size)
            batches = ArrayBatches(x, batch_size=size, dtype=model.dtype, x_dtype=model.input_dtype)
        epochs = Epochs(batches, _optional_number("steps", steps), "steps")
    outputs = []
    with _callbacks(model, callbacks, {"verbose": verbose, "epochs": 1, "steps": epochs.steps}) as (heard, bars):
        heard.on_predict_begin(None)
        for i, (part, _, _) in enumerate(epochs):
            heard.on_predict_batch_begin(i, None)
            outputs.append(model.predict_on_batch(part))
            if outputs[-1].shape[1:] != outputs[0].shape[1:]:
                raise ValueError(
                    "predict gives one array, so all outputs have one length. Received: outputs of shape "
                    f"{outputs[0].shape} and {outputs[-1].shape}. Type model.predict_on_batch(x) for each batch, or "
                    "pad all batches to one length."
                )
            heard.on_predict_batch_end(i, {"outputs": outputs[-1]})
            for bar in bars:
                bar.tick(i + 1)
        heard.on_predict_end(None)
    if not outputs:
        raise ValueError("predict needs data. Received: an iterable that yields no batch.")
    return np.concatenate(outputs)


# What the three share.


def _validation(model: Any, data: Any, batch_size: int | None, steps: int | None) -> Epochs:
    steps = _optional_number("validation_steps", steps)
    if isinstance(data, tuple) or (isinstance(data, list) and not is_iterable_data(data, None)):
        x, y, weight = unpack(data, "validation_data")
        batches = train_batches(model, x, y, "validation_data", batch_size, weight)
    else:
        batches = train_batches(model, data, None, "validation_data", None)
    return Epochs(batches, steps, "validation_steps", afresh=True)


@contextmanager
def _unbuilt_again(model: Any) -> Iterator[None]:
    """Take back a building that happened inside, if an error ends the block."""
    built = model.built
    try:
        yield
    except BaseException:
        if not built and model.built:
            model.unbuild()
        raise


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
    heard = CallbackList(own, model, params)
    bars = [callback for callback in own if isinstance(callback, ProgressBar)]
    try:
        yield heard, bars
    finally:
        for bar in bars:
            bar.close()


def _optional_number(name: str, value: Any) -> int | None:
    return None if value is None else whole_number(name, value)


def _verbosity(verbose: Any) -> int:
    if verbose not in ("auto", 0, 1, 2):
        raise ValueError(f'verbose is "auto", 0, 1 or 2. Received: verbose={verbose!r}.')
    return 1 if verbose == "auto" else int(verbose)


def _validation_epochs(frequency: Any) -> Any:
    """The test whether to validate after an epoch, counted from 0."""
    if isinstance(frequency, (int, np.integer)) and not isinstance(frequency, bool) and frequency >= 1:
        return lambda epoch: (epoch + 1) % frequency == 0
    if isinstance(frequency, (list, tuple, set, range)):
        return lambda epoch: epoch + 1 in frequency
    raise ValueError(f"validation_freq is an integer, at least 1, or a list of epochs. Received: {frequency!r}.")

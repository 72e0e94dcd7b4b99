"""From what the user hands to ``fit``, ``evaluate`` and ``predict`` to batches that a step can take.

Everything is read and checked here, before anything changes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from .. import utils
from ..data import INFINITE_CARDINALITY
from ..data.batches import ArrayBatches, Batch, IterableBatches
from ..data.checks import check_lengths, read_array, unpack, weights_of_classes
from ..layers.support.array_checks import read_ids

__all__ = [
    "Epochs",
    "batch_of",
    "check_stateful",
    "is_iterable_data",
    "match_input",
    "read_input",
    "ready_rows",
    "split_arrays",
    "train_batches",
    "whole_number",
]


def whole_number(name: str, value: Any, least: int = 1) -> int:
    """An integer not below ``least``, or the error that says so."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise ValueError(f"{name} is an integer, at least {least}. Received: {name}={value!r}.")
    return int(value)


def is_iterable_data(x: Any, y: Any) -> bool:
    """Whether ``x`` yields batches (a generator, a data set) instead of being an array."""
    if y is not None or isinstance(x, np.ndarray) or hasattr(x, "__array__") or hasattr(x, "to_numpy"):
        return False
    if isinstance(x, (list, tuple)):
        return bool(x) and all(isinstance(b, tuple) and b and isinstance(b[0], np.ndarray) for b in x)
    return hasattr(x, "__iter__")


def match_input(model: Any, x: np.ndarray) -> np.ndarray:
    """``x`` with the rank that the model takes: a last axis of length 1 is added or dropped, as Keras does.

    Raises
    ------
    ValueError
        If the shape of an example is another.
    """
    expected = model.input_shape[1:]
    given = x
    if x.ndim == len(expected) and expected and expected[-1] == 1:
        x = x[..., None]
    elif x.ndim == len(expected) + 2 and x.shape[-1] == 1:
        x = x[..., 0]
    if 0 in x.shape[1:]:
        raise ValueError(
            f"x holds examples that are not empty. Received: x of shape {x.shape}. An empty sequence needs at least "
            "one step of padding."
        )
    if x.ndim == len(expected) + 1 and (_fits(expected, x) or model.take_length(x.shape)):
        return x
    hint = ""
    if given.ndim == len(expected) and _fits(expected, given[None]):
        hint = " For one example type x[None]; a data set yields batches: type dataset.batch(32)."
    elif None not in expected and np.prod(expected) == np.prod(given.shape[1:]):
        hint = f" Type x.reshape(-1, {', '.join(map(str, expected))})."
    raise ValueError(
        f'Model "{model.name}" takes examples of shape {tuple(expected)}, x of shape (N, '
        f"{', '.join(map(str, expected))}); "
        f'its first layer is "{model.layers[0].name}". Received: x of shape {given.shape}.{hint}'
    )


def _fits(expected: tuple[int | None, ...], x: np.ndarray) -> bool:
    return all(e is None or e == n for e, n in zip(expected, x.shape[1:], strict=True))


def read_input(model: Any, x: Any) -> np.ndarray:
    """All inputs as an array that the model takes; builds the model if need be.  Ids are all checked here.

    Raises
    ------
    TypeError, ValueError
        If they do not fit.
    """
    x = read_array("x", x)
    model.ensure_ready(x.shape)
    x = match_input(model, x)
    if model.input_dtype == "int64":
        first = model.leaves()[0][0]
        if x.dtype.kind == "f" or x.dtype == np.uint64:
            x = read_ids(x, first)
        first.check_ids(x)
    return x


def _weights(sample_weight: Any, class_weight: Any, model: Any, x: np.ndarray, y: Any) -> np.ndarray | None:
    """One weight an example, or time step; or None."""
    if sample_weight is not None and class_weight is not None:
        raise ValueError("Give sample_weight or class_weight, not both. Received: both.")
    rows = (len(x), *model.output_shape_for(x.shape)[1:-1])
    if class_weight is not None:
        return weights_of_classes(class_weight, y, len(rows))
    if sample_weight is None:
        return None
    weight = read_array("sample_weight", sample_weight)
    if weight.shape not in (rows[:1], rows) and weight.shape[-1] == 1:
        weight = weight[..., 0]
    if weight.shape not in (rows[:1], rows):
        steps = f", or one a time step, shape {rows}" if len(rows) > 1 else ""
        raise ValueError(
            f"sample_weight has one number an example, shape {rows[:1]}{steps}. Received: shape {weight.shape}."
        )
    if not np.isfinite(weight).all():
        raise ValueError("sample_weight holds finite numbers. Received: NaN or infinity.")
    return weight


def _targets(model: Any, y: Any, x: np.ndarray, what: str) -> tuple[np.ndarray, np.ndarray]:
    """The targets as they came and as the loss takes them, both checked."""
    if y is None:
        form = "validation_data=(x, y)" if what == "validation_data" else f"{what}(x, y)"
        raise ValueError(f"{what} needs targets: {form}. Received: y=None.")
    y = read_array("y", y)
    check_lengths(x=x, y=y)
    return y, model.checked_targets(y, x.shape)


def train_batches(
    model: Any,
    x: Any,
    y: Any,
    what: str,
    batch_size: int | None,
    sample_weight: Any = None,
    class_weight: Any = None,
    shuffle: bool = False,
) -> ArrayBatches | IterableBatches:
    """Batches with targets, for ``fit`` and ``evaluate``; builds the model if need be.

    Raises
    ------
    TypeError, ValueError
        For anything that does not fit; nothing has changed then.
    """
    if is_iterable_data(x, y):
        for name, value in (("batch_size", batch_size), ("sample_weight", sample_weight)):
            if value is not None:
                raise ValueError(
                    f"{name} belongs to arrays; a data set yields its own batches. Received: {name}={value!r}."
                )
        batches = IterableBatches(x, lambda item: batch_of(model, *unpack(item, "A batch"), class_weight, what))
        batches.prepare(batches.peek(what))
        return batches
    if y is not None and is_iterable_data(x, None):
        raise ValueError(
            f"A data set yields inputs and targets together, (x, y). Received: a {type(x).__name__}, and y beside it. "
            f"Type {what}(dataset), or give two arrays."
        )
    size = whole_number("batch_size", 32 if batch_size is None else batch_size)
    x = read_input(model, x)
    check_stateful(model, len(x), size)
    y, t = _targets(model, y, x, what)
    weight = _weights(sample_weight, class_weight, model, x, y)
    generator = utils.random_generator() if shuffle else None
    return ArrayBatches(x, t, weight, size, model.dtype, generator, model.input_dtype)


def check_stateful(model: Any, rows: int, batch_size: int) -> None:
    """Refuse arrays whose batches differ in size, where a layer carries states from batch to batch.

    Raises
    ------
    ValueError
        If the last batch is smaller, or the size is not the one that the model was given.
    """
    layer = next((layer for layer, _ in model.leaves() if getattr(layer, "stateful", False)), None)
    if layer is None:
        return
    declared = model.input_shape[0]
    size = batch_size if declared is None else declared
    if batch_size != size or (rows % size and (rows > size or declared is not None)):
        raise ValueError(
            f'Layer "{layer.name}" is stateful: row i of a batch goes on from row i of the batch before, so all '
            f"batches have one size. Received: {rows} examples with batch_size={batch_size}"
            + (f", and a model made for batches of {declared}. " if declared is not None else ". ")
            + f"Type batch_size={size} and x[:{rows - rows % size}]."
        )


def batch_of(
    model: Any, x: Any, y: Any, sample_weight: Any, class_weight: Any = None, what: str = "train_on_batch"
) -> Batch:
    """One batch from the user as ready arrays.

    Raises
    ------
    TypeError, ValueError
        For anything that does not fit; nothing has changed then.
    """
    x = ready_rows(model, x)
    if type(y) is not np.ndarray or len(y) != len(x):
        y, t = _targets(model, y, x, what)
    else:
        t = model.checked_targets(y, x.shape)
    if t.dtype.kind == "f" and t.dtype != model.dtype:
        t = t.astype(model.dtype)
    weight = None
    if sample_weight is not None or class_weight is not None:
        weight = _weights(sample_weight, class_weight, model, x, y).astype(model.dtype)
    return x, t, weight


def ready_rows(model: Any, x: Any) -> np.ndarray:
    """A batch of inputs as a contiguous array of the model's input dtype and rank."""
    if type(x) is np.ndarray and x.dtype == model.input_dtype and x.flags.c_contiguous and model.takes(x.shape):
        return x
    x = read_array("x", x)
    model.ensure_ready(x.shape)
    x = match_input(model, x)
    if model.input_dtype == "int64":
        return read_ids(x, model.leaves()[0][0])
    return np.ascontiguousarray(x, model.dtype)


def split_arrays(x: Any, y: Any, sample_weight: Any, validation_split: float) -> tuple[tuple, tuple]:
    """(x, y, sample_weight) cut in two: the first floor(n·(1 − s)) examples, and the rest.

    Raises
    ------
    ValueError
        If the share is not in (0, 1), one of the parts would be empty, or the data are no arrays.
    """
    if not isinstance(validation_split, (int, float, np.number)) or not 0 < validation_split < 1:
        raise ValueError(
            f"validation_split is a number above 0 and below 1. Received: validation_split={validation_split!r}."
        )
    if is_iterable_data(x, y):
        raise ValueError(
            "validation_split cuts arrays. Received: a data set or generator. Pass validation_data=... with "
            "batches of its own."
        )
    x = read_array("x", x)
    y = None if y is None else read_array("y", y)
    weight = None if sample_weight is None else read_array("sample_weight", sample_weight)
    n = check_lengths(x=x, y=y, sample_weight=weight)
    cut = math.floor(n * (1 - validation_split))
    if cut in (0, n):
        raise ValueError(
            "validation_split leaves at least one example for training and one for validation. "
            f"Received: validation_split={validation_split}, which cuts {n} examples into {cut} and {n - cut}."
        )
    parts = [(None, None) if a is None else (a[:cut], a[cut:]) for a in (x, y, weight)]
    return tuple(p[0] for p in parts), tuple(p[1] for p in parts)


class Epochs:
    """Epochs of batches: each all of them, or ``steps`` of them, going on where the last epoch stopped.

    With ``afresh`` each epoch starts again at the first batch, so that all measure the same; a generator cannot.

    Attributes
    ----------
    steps : int or None
        Batches in an epoch, where that is known.
    """

    def __init__(
        self,
        batches: ArrayBatches | IterableBatches,
        steps: int | None = None,
        name: str = "steps_per_epoch",
        afresh: bool = False,
    ):
        if steps is None and _is_endless(getattr(batches, "source", None)):
            raise ValueError(
                f"This data set never ends, so say how many batches are an epoch: {name}=100. Received: {name}=None."
            )
        self.batches, self.limit, self.name, self.afresh = batches, steps, name, afresh
        self.steps = batches.steps if steps is None else steps
        self._open: Iterator[Batch] | None = None

    def __iter__(self) -> Iterator[Batch]:
        return iter(self.batches) if self.limit is None else self._some(self.limit)

    def _some(self, limit: int) -> Iterator[Batch]:
        if self.afresh:
            self._open = None
        for _ in range(limit):
            batch = None if self._open is None else next(self._open, None)
            if batch is None:
                self._open = iter(self.batches)
                batch = next(self._open, None)
            if batch is None:
                raise ValueError(
                    f"The data ran out: {self.name}={limit}, and a generator gives each batch once. "
                    "Let it go on for ever, or pass something that can be iterated again."
                )
            yield batch


def _is_endless(source: Any) -> bool:
    """Whether a data set says that it goes on for ever."""
    cardinality = getattr(source, "cardinality", None)
    return callable(cardinality) and int(cardinality()) == INFINITE_CARDINALITY

"""Feeds: batches for ``fit``, ``evaluate`` and ``predict``, from arrays or from anything that yields batches."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np

from .. import utils
from ..data import INFINITE_CARDINALITY
from ..data.batches import ArrayBatches, Batch, IterableBatches
from ..data.checks import check_lengths, read_array, unpack
from ..data.foreign import has_axes
from ..graph import flatten, pack
from .inputs import batch_of, is_iterable_data, read_batch, read_inputs, read_targets, read_weights

__all__ = ["Epochs", "check_stateful", "predict_batches", "split_arrays", "train_batches", "whole_number"]


def whole_number(name: str, value: Any, least: int = 1) -> int:
    """An integer not below ``least``, or the error that says so."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise ValueError(f"{name} must be an integer, at least {least}. Received: {name}={value!r}.")
    return int(value)


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
        For anything that does not fit.
    """
    if is_iterable_data(x, y):
        for name, value in (("batch_size", batch_size), ("sample_weight", sample_weight)):
            if value is not None:
                raise ValueError(
                    f"{name} works only with arrays; a data set yields its own batches. Received: {name}={value!r}."
                )
        batches = IterableBatches(x, lambda item: batch_of(model, *unpack(item, "A batch"), class_weight, what))
        batches.prepare(batches.peek(what))
        return batches
    if y is not None and is_iterable_data(x, None):
        raise ValueError(
            f"A data set must yield inputs and targets together, (x, y). Received: a {type(x).__name__}, and a "
            f"separate y. Use {what}(dataset), or give two arrays."
        )
    size = whole_number("batch_size", 32 if batch_size is None else batch_size)
    xs = read_inputs(model, x)
    check_stateful(model, len(xs[0]), size)
    raw, ready = read_targets(model, y, xs, what)
    weights = read_weights(model, sample_weight, class_weight, xs, raw)
    generator = utils.random_generator(stream=model.random_stream) if shuffle else None
    return ArrayBatches(xs, ready, weights, size, model.dtype, generator, model.dtypes_of(xs))


def predict_batches(model: Any, x: Any, batch_size: int | None) -> ArrayBatches | IterableBatches:
    """Batches of inputs alone."""
    if is_iterable_data(x, None):
        return IterableBatches(x, lambda item: (read_batch(model, unpack(item, "A batch")[0]), (), ()))
    size = whole_number("batch_size", 32 if batch_size is None else batch_size)
    xs = read_inputs(model, x)
    check_stateful(model, len(xs[0]), size)
    return ArrayBatches(xs, batch_size=size, dtype=model.dtype, x_dtypes=model.dtypes_of(xs))


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
    declared = model.batch_declared
    size = batch_size if declared is None else declared
    if batch_size != size or (rows % size and (rows > size or declared is not None)):
        raise ValueError(
            f'Layer "{layer.name}" is stateful: row i of a batch continues row i of the previous batch, so all batches '
            f"must have the same size. Received: {rows} examples with batch_size={batch_size}"
            + (f", and a model made for batches of {declared}. " if declared is not None else ". ")
            + f"Use batch_size={size} and x[:{rows - rows % size}]."
        )


def check_same_size(model: Any, train: Any, validation: Any) -> None:
    """Refuse validation batches of another size than those of training, where a layer carries states between them."""
    sizes = [getattr(batches, "batch_size", None) for batches in (train, validation)]
    sizes = [
        size if size is None else min(size, batches.rows)
        for size, batches in zip(sizes, (train, validation), strict=True)
    ]
    layer = next((layer for layer, _ in model.leaves() if getattr(layer, "stateful", False)), None)
    if layer is not None and None not in sizes and sizes[0] != sizes[1]:
        raise ValueError(
            f'Layer "{layer.name}" is stateful, so batches of training and validation must have the same size. '
            f"Received: {sizes[0]} rows in training, {sizes[1]} in validation. Use validation_batch_size={sizes[0]}, "
            f"with a number of examples that {sizes[0]} divides."
        )


def split_arrays(x: Any, y: Any, sample_weight: Any, validation_split: float) -> tuple[tuple, tuple]:
    """(x, y, sample_weight) cut in two: the first floor(n·(1 − s)) examples, and the rest.

    Raises
    ------
    ValueError
        If the share is not in (0, 1), one of the parts would be empty, or the data are not arrays.
    """
    if not isinstance(validation_split, (int, float, np.number)) or not 0 < validation_split < 1:
        raise ValueError(
            f"validation_split must be a number above 0 and below 1. Received: validation_split={validation_split!r}."
        )
    if is_iterable_data(x, y):
        raise ValueError(
            "validation_split works only with arrays. Received: a data set or generator. Use validation_data=... with "
            "batches of its own."
        )
    given = {"x": _arrays("x", x), "y": _arrays("y", y), "sample_weight": _arrays("sample_weight", sample_weight)}
    named = {
        name if i == 0 else f"{name}_{i}": array
        for name, structure in given.items()
        for i, array in enumerate(flatten(structure))
    }
    n = check_lengths(**named)
    cut = math.floor(n * (1 - validation_split))
    if cut in (0, n):
        raise ValueError(
            "validation_split must leave at least one example for training and one for validation. Received: "
            f"validation_split={validation_split}, which splits {n} examples into {cut} and {n - cut}."
        )

    def part(structure: Any, rows: slice) -> Any:
        return pack(structure, [None if a is None else a[rows] for a in flatten(structure)])

    return (
        tuple(part(structure, slice(cut)) for structure in given.values()),
        tuple(part(structure, slice(cut, None)) for structure in given.values()),
    )


def _arrays(name: str, value: Any) -> Any:
    """The arrays of what was given for x, y or the weights, in its structure; whether x may be texts is seen later."""
    if value is None:
        return None
    texts = name == "x"
    if isinstance(value, dict):
        return {
            key: None if part is None else read_array(f"{name}[{key!r}]", part, texts) for key, part in value.items()
        }
    if isinstance(value, (list, tuple)) and any(map(has_axes, value)):
        return [None if part is None else read_array(f"{name}[{i}]", part, texts) for i, part in enumerate(value)]
    return read_array(name, value, texts)


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
                f"This data set never ends, so set the number of batches per epoch: {name}=100. Received: {name}=None."
            )
        self.batches, self.limit, self.name, self.afresh = batches, steps, name, afresh
        self.steps = batches.steps if steps is None else steps
        self._open: Iterator[Any] | None = None

    def __iter__(self) -> Iterator[Batch]:
        return self.after(0)

    def after(self, done: int) -> Iterator[Batch]:
        """The batches of an epoch, without its first ``done``, which are drawn and not made.

        Raises
        ------
        ValueError
            If there are fewer.
        """
        drawn = self._drawn()
        if sum(1 for _ in islice(drawn, done)) < done:
            raise ValueError(f"The data have fewer batches than the {done} that this epoch had already done.")
        return map(self.batches.prepare, drawn)

    def skip(self) -> int:
        """Draw an epoch and make nothing of it; the number of its batches."""
        return sum(1 for _ in self._drawn())

    def describe(self) -> dict[str, Any]:
        """What decides which examples a batch has."""
        return {**self.batches.describe(), self.name: self.limit}

    def _drawn(self) -> Iterator[Any]:
        return self.batches.draw() if self.limit is None else self._some(self.limit)

    def _some(self, limit: int) -> Iterator[Any]:
        if self.afresh:
            self._open = None
        nothing = object()
        for _ in range(limit):
            drawn = nothing if self._open is None else next(self._open, nothing)
            if drawn is nothing:
                self._open = self.batches.draw()
                drawn = next(self._open, nothing)
            if drawn is nothing:
                raise ValueError(
                    f"The data ran out: {self.name}={limit}, and a generator yields each batch only once. Make it "
                    "endless, or pass an object that can be iterated again."
                )
            yield drawn


def _is_endless(source: Any) -> bool:
    """Whether a data set declares itself endless."""
    return callable(getattr(source, "cardinality", None)) and int(source.cardinality()) == INFINITE_CARDINALITY

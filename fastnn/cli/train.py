"""``fastnn train``: learn from a data file, with a model that a file describes."""

from __future__ import annotations

import argparse
import os
import sys
import time
from typing import Any

import numpy as np

from .. import callbacks, optimizers, saving, utils
from .answer import print_json, say
from .data_files import find_inputs, separator_of
from .examples import fitted, read_examples, read_pairs, target_name
from .model_files import own_names, read_model, write_model
from .objective import Objective, as_classes, guess
from .resuming import Resuming, backup_folder
from .schema import Schema, read_schema, write_schema

__all__ = ["run"]

Pair = tuple[np.ndarray, np.ndarray]


def run(options: argparse.Namespace) -> int:
    """Train, save, and print what was reached."""
    _refuse_early(options)
    began = time.perf_counter()
    utils.set_random_seed(options.seed)
    resumed = bool(options.resume and os.path.isdir(backup_folder(options.checkpoint)))
    if options.resume and not resumed and os.path.exists(options.checkpoint):
        raise FileNotFoundError(
            f"{options.checkpoint} cannot be resumed without its backup {backup_folder(options.checkpoint)}, which is "
            f"missing. Use --model {options.checkpoint} to train it further, or leave --resume out to start over."
        )
    model = read_model(options.model, _custom(options))
    schema, train, validation = _data(options, model, read_schema(options.checkpoint) if resumed else None)
    saving.to_json(model)  # refuses now, not after the training, what cannot be saved
    for path in filter(None, (options.output, options.checkpoint)):
        write_schema(path, schema)
    words = "" if validation is None else f", {len(validation[0]):,} to validate on"
    say(f"{len(train[0]):,} examples to train on{words}; {model.count_params():,} weights.")

    resuming = Resuming(options)
    with saving.custom_object_scope(own_names(_custom(options))):
        history = model.fit(
            *train,
            batch_size=options.batch_size,
            epochs=options.epochs,
            validation_data=validation,
            verbose=0 if options.quiet else "auto",
            callbacks=[resuming, *_callbacks(options)],
        ).history
        write_model(model, options.output)
    first = len(history["loss"]) if resuming.first is None else resuming.first
    _report(options, model, schema, history, first, [len(train[0]), 0 if validation is None else len(validation[0])])
    say(f"Saved to {options.output}, after {time.perf_counter() - began:.1f} s.")
    return 0


def _refuse_early(options: argparse.Namespace) -> None:
    """Refuse what would fail after hours of training."""
    if options.resume and not options.checkpoint:
        raise ValueError("--resume continues from a checkpoint. Name its file with --checkpoint FILE.")
    for option, path, suffixes in (
        ("--output", options.output, (".safetensors", ".keras", ".onnx")),
        ("--checkpoint", options.checkpoint, (".safetensors",)),
    ):
        if path is None:
            continue
        if not path.lower().endswith(suffixes):
            raise ValueError(f"{option} must name a file that ends in {' or '.join(suffixes)}. Received: {path}.")
        folder = os.path.dirname(path) or "."
        if not os.path.isdir(folder):
            raise FileNotFoundError(f"The folder {folder} does not exist. Create it first: mkdir -p {folder}")


def _custom(options: argparse.Namespace) -> str | None:
    """The Python file with custom classes: the given one, or the one that creates the model."""
    return options.custom or (options.model if options.model.lower().endswith(".py") else None)


def _data(options: argparse.Namespace, model: Any, known: Schema | None) -> tuple[Schema, Pair, Pair | None]:
    """The schema, the examples to train on, and those to validate on."""
    separator = separator_of(options.data, options.separator)
    names = find_inputs(options.data, options.target, options.inputs, options.drop, separator)
    x, y = read_pairs(options.data, names, options.target, separator)
    kept, held = _split(len(x), 0.0 if options.validation else options.validation_split, options.seed)
    schema = Schema(names, options.target, None, *_scaling(options, x[kept]))
    if not model.built:
        model.build((None, *x.shape[1:]))
    x = fitted(options.data, schema.prepare(x), model)
    objective = _objective(options, model, y)
    if not model.compiled or _asked(options):
        _compile(options, model, objective)
    if objective.classes is not None:
        schema = Schema(names, options.target, objective.classes, schema.shift, schema.scale)
        y = as_classes(y, objective.classes, target_name(options.target))
    if known is not None and known != schema:
        raise ValueError(
            f"{options.checkpoint} was trained on other columns, classes or scales than those of {options.data}. Use "
            "the same data and options, or leave --resume out to start over."
        )
    validation: Any = None
    if options.validation:
        validation = read_examples(options.validation, schema, model, separator)
    elif len(held):
        validation = x[held], y[held]
    return schema, (x[kept], y[kept]), validation


def _split(count: int, share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The examples to train on and those to hold out, drawn at random: files are often sorted by class."""
    held = round(count * share)
    if held == count or (share and not held):
        raise ValueError(
            f"{count} examples cannot be split: {share:.0%} of them are {held}. Use more, or --validation-split 0."
        )
    order = np.random.default_rng(seed).permutation(count)
    return np.sort(order[held:]), np.sort(order[:held])


def _scaling(options: argparse.Namespace, x: np.ndarray) -> tuple[list[float] | None, list[float] | None]:
    """Shift and scale of the inputs, from the examples to train on alone."""
    if options.divide_by is not None:
        return [0.0], [options.divide_by]
    if not options.standardize:
        return None, None
    if x.ndim != 2:
        raise ValueError(
            f"--standardize works only on columns. Received: inputs of shape {x.shape}. Use --divide-by 255."
        )
    deviation = x.std(axis=0, dtype=np.float64)
    return x.mean(axis=0, dtype=np.float64).tolist(), np.where(deviation > 0, deviation, 1.0).tolist()


def _asked(options: argparse.Namespace) -> bool:
    """Whether a loss or an optimizer was named."""
    return bool(options.loss or options.optimizer or options.metrics or options.learning_rate is not None)


def _objective(options: argparse.Namespace, model: Any, y: np.ndarray) -> Objective:
    """The guess; where a loss is given and the guess fails, words are classes and numbers are numbers."""
    try:
        return guess(model, y, target_name(options.target))
    except ValueError:
        if not options.loss and not model.compiled:
            raise
        return Objective("", [], sorted(set(y.ravel().tolist())) if y.dtype == object else None, "")


def _compile(options: argparse.Namespace, model: Any, objective: Objective) -> None:
    optimizer = optimizers.get(options.optimizer or "adam")
    if options.learning_rate is not None:
        optimizer.learning_rate = options.learning_rate
    if not options.loss:
        say(f"Loss: {objective.loss}, since {objective.reason}. Use --loss for another.")
    model.compile(optimizer, options.loss or objective.loss, metrics=options.metrics or objective.metrics)


def _callbacks(options: argparse.Namespace) -> list[callbacks.Callback]:
    found: list[callbacks.Callback] = [] if options.quiet else [callbacks.ProgressBar(sys.stderr)]
    if options.checkpoint:
        backup = callbacks.BackupAndRestore(backup_folder(options.checkpoint), delete_checkpoint=False)
        if not options.resume:
            backup.delete()
        found.append(backup)  # makes its folder before the checkpoint is there, and writes once all have been heard
        found.append(callbacks.ModelCheckpoint(options.checkpoint.replace("{", "{{").replace("}", "}}")))
    if options.log:
        lines = options.log.lower().endswith((".jsonl", ".json"))
        found.append((callbacks.JSONLogger if lines else callbacks.CSVLogger)(options.log))
    if options.tensorboard:
        found.append(callbacks.TensorBoard(options.tensorboard))
    return found


def _report(
    options: argparse.Namespace, model: Any, schema: Schema, history: dict, first: int, rows: list[int]
) -> None:
    last = {name: values[-1] for name, values in history.items()}
    if not options.json:
        for name, value in last.items():
            print(f"{name:<14}{value:.4f}")
        return
    print_json(
        {
            "model": options.output,
            "weights": model.count_params(),
            "examples": rows[0],
            "validation_examples": rows[1],
            "first_epoch": first,
            "epochs": options.epochs,
            "classes": schema.classes,
            "history": history,
        }
    )

"""``fastnn evaluate``: loss and metrics of a trained model on a data file."""

from __future__ import annotations

import argparse
from dataclasses import replace

from .answer import print_json, say
from .data_files import find_inputs, separator_of
from .examples import read_examples, target_name
from .model_files import read_model
from .objective import guess
from .predict import known_schema
from .schema import Schema

__all__ = ["run"]


def run(options: argparse.Namespace) -> int:
    """Measure, and print."""
    separator = separator_of(options.data, options.separator)
    schema = known_schema(options.model)
    if schema is None:
        schema = Schema(find_inputs(options.data, options.target, options.inputs, [], separator), options.target)
    elif options.target:
        schema = replace(schema, target=options.target)
    model = read_model(options.model, options.custom)
    x, y = read_examples(options.data, schema, model, separator)
    if not model.compiled:
        objective = guess(model, y, target_name(schema.target))
        say(f"The file has no loss. Loss: {objective.loss}, since {objective.reason}.")
        model.compile("sgd", objective.loss, metrics=objective.metrics)
    logs = model.evaluate(x, y, batch_size=options.batch_size, verbose=0, return_dict=True)
    if options.json:
        print_json({"examples": len(x), **logs})
    else:
        for name, value in logs.items():
            print(f"{name:<14}{value:.4f}")
    return 0

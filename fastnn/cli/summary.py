"""``fastnn summary``: the layers of a model in a file, their output shapes and numbers of weights."""

from __future__ import annotations

import argparse

from .answer import print_json
from .model_files import read_model
from .schema import read_schema

__all__ = ["run"]


def run(options: argparse.Namespace) -> int:
    """Print the table, or the same as JSON."""
    model = read_model(options.model, options.custom)
    if options.input_shape and not model.built:
        model.build((None, *options.input_shape))
    schema = read_schema(options.model)
    if not options.json:
        model.summary()
        if schema is not None:
            print(f" Reads: {', '.join(schema.inputs) or 'whole arrays'}; gives: {schema.target or 'outputs'}")
            if schema.classes is not None:
                print(f" Classes: {', '.join(map(str, schema.classes))}")
        return 0
    layers = [
        {
            "name": layer.name,
            "class": type(layer).__name__,
            "output_shape": layer.output_shape,
            "weights": layer.count_params() if layer.built else None,
        }
        for layer in model.layers
    ]
    print_json(
        {
            "name": model.name,
            "input_shape": model.input_shape,
            "output_shape": model.output_shape,
            "layers": layers,
            "weights": model.count_params() if model.built else None,
            "trainable_weights": sum(weight.value.size for weight in model.trainable_weights),
            "inputs": None if schema is None else schema.inputs,
            "target": None if schema is None else schema.target,
            "classes": None if schema is None else schema.classes,
        }
    )
    return 0

"""``fastnn convert``: write a model in another format, chosen by the suffixes of the files."""

from __future__ import annotations

import argparse
import os

from .answer import print_json, say
from .model_files import read_model, write_model
from .schema import read_schema, schema_path, write_schema

__all__ = ["run"]


def run(options: argparse.Namespace) -> int:
    """Read, write, and take the schema along."""
    if os.path.exists(options.output) and not options.overwrite:
        raise FileExistsError(f"{options.output} exists already. Use --overwrite, or another name.")
    model = read_model(options.input, options.custom)
    write_model(model, options.output)
    schema = read_schema(options.input)
    if schema is not None and schema_path(options.output) != schema_path(options.input):
        write_schema(options.output, schema)
    if options.json:
        print_json({"input": options.input, "output": options.output, "weights": model.count_params()})
    else:
        say(f"{options.output} written, with {model.count_params():,} weights.")
    return 0

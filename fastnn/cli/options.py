"""The arguments of every command, with help that shows how to use it."""

from __future__ import annotations

import argparse
import math
from typing import Any

from .._version import __version__

__all__ = ["parser"]

_TRAIN = """\
Learn from the rows of a file: a CSV file with a header, an .npz file of arrays x and y, or an IDX file of images.
The loss is guessed from the target and the model's last layer, and printed; messages go to stderr, results to stdout.
"""
_TRAIN_EXAMPLES = """\
the model is a file:
  .json, .yaml    a list of layers:
                    - Dense: {units: 16, activation: relu}
                    - Dense: {units: 3, activation: softmax}
                  or what model.to_json() gives
  .py             Python that defines model, or build() which returns it
  .safetensors    a trained model, to train it further

examples:
  fastnn train iris.csv --model mlp.json --target species --standardize --output iris.safetensors
  fastnn train digits.npz --model cnn.py --divide-by 255 --epochs 20 --checkpoint digits-last.safetensors
  fastnn train train-images-idx3-ubyte.gz --target train-labels-idx1-ubyte.gz --model cnn.yaml --divide-by 255
  fastnn train iris.csv --model mlp.json --target species --checkpoint last.safetensors --resume --epochs 50
"""
_PREDICT_EXAMPLES = """\
examples:
  fastnn predict iris.safetensors new.csv                    rows of class and probability on stdout
  fastnn predict iris.safetensors new.csv --output out.csv   the same in a file
  fastnn predict iris.safetensors new.csv --json             one JSON object
"""
_EVALUATE_EXAMPLES = """\
examples:
  fastnn evaluate iris.safetensors test.csv
  fastnn evaluate digits.safetensors t10k-images-idx3-ubyte.gz --target t10k-labels-idx1-ubyte.gz
"""
_CONVERT_EXAMPLES = """\
formats, by suffix:
  .safetensors    this library's: layers, weights, and all that training needs to continue
  .keras          opens in Keras 3         (needs pip install 'fastnn-kernels[keras]')
  .onnx           runs in onnxruntime      (needs pip install 'fastnn-kernels[onnx]')
  .json           written only: the layers without their weights

examples:
  fastnn convert iris.safetensors iris.keras
  fastnn convert iris.safetensors iris.onnx
  fastnn convert other.keras other.safetensors
"""
_SUMMARY_EXAMPLES = """\
examples:
  fastnn summary iris.safetensors
  fastnn summary cnn.yaml --input-shape 28 28 1
"""


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    top = argparse.ArgumentParser(
        prog="fastnn",
        description="Neural networks on the CPU: train and use models in files; run, measure and check the kernels.",
        epilog="fastnn COMMAND --help shows the arguments of a command, with examples.",
    )
    top.add_argument("--version", action="version", version=f"fastnn {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _train(_command(commands, "train", "train a model on a CSV, NPZ or IDX file", _TRAIN, _TRAIN_EXAMPLES))
    _predict(_command(commands, "predict", "predictions of a trained model for a file", "", _PREDICT_EXAMPLES))
    _evaluate(_command(commands, "evaluate", "loss and metrics of a trained model on a file", "", _EVALUATE_EXAMPLES))
    _convert(_command(commands, "convert", "write a model in another format", "", _CONVERT_EXAMPLES))
    _summary(_command(commands, "summary", "the layers of a model in a file", "", _SUMMARY_EXAMPLES))
    _demo(commands)
    commands.add_parser("info", help="what this machine and this build can do")
    bench = commands.add_parser(
        "bench",
        help="check every kernel against its twin, then time both",
        description="Check every kernel in the registry against its NumPy twin, then time both.",
    )
    bench.add_argument("--family", action="append", help="only this family, for example conv; may be repeated")
    return top


def _command(commands: Any, name: str, title: str, description: str, examples: str) -> argparse.ArgumentParser:
    words = description or f"{title[0].upper()}{title[1:]}."
    layout = argparse.RawDescriptionHelpFormatter
    return commands.add_parser(name, help=title, description=words, epilog=examples, formatter_class=layout)


def _train(train: argparse.ArgumentParser) -> None:
    train.add_argument("data", help="file to learn from: .csv, .tsv, .npz, or IDX (plain or .gz)")
    train.add_argument("--model", required=True, metavar="FILE", help="the model; see below")
    train.add_argument(
        "--target", metavar="NAME", help="what to learn: a column, an array (default: y), or for IDX the file of labels"
    )
    train.add_argument("--inputs", nargs="+", metavar="NAME", help="columns to learn from, or the array (default: x)")
    train.add_argument("--drop", nargs="+", default=[], metavar="NAME", help="columns to leave out")
    _reading(train)
    scaling = train.add_mutually_exclusive_group()
    scaling.add_argument(
        "--standardize", action="store_true", help="shift and scale each column to mean 0 and deviation 1"
    )
    scaling.add_argument("--divide-by", type=_above_zero, metavar="X", help="divide inputs by X: 255 for pixels")
    held = train.add_mutually_exclusive_group()
    held.add_argument("--validation", metavar="FILE", help="file to validate on, in the format of the data")
    held.add_argument(
        "--validation-split", type=_share, default=0.2, metavar="X", help="share to validate on (default: %(default)s)"
    )
    train.add_argument("--epochs", type=_positive, default=10, help="passes over the data (default: %(default)s)")
    train.add_argument("--batch-size", type=_positive, default=32, help="examples per step (default: %(default)s)")
    train.add_argument("--optimizer", help="adam, sgd, rmsprop, adamw, … (default: adam)")
    train.add_argument("--learning-rate", type=_above_zero, metavar="X", help="default: the optimizer's own")
    train.add_argument("--loss", help="mse, mae, sparse_categorical_crossentropy, … (default: guessed, and printed)")
    train.add_argument("--metrics", nargs="+", metavar="NAME", help="default: accuracy for classes, mae for numbers")
    train.add_argument("--seed", type=_seed, default=0, help="of weights, order and split (default: %(default)s)")
    train.add_argument("--output", default="model.safetensors", metavar="FILE", help="default: %(default)s")
    train.add_argument(
        "--checkpoint", metavar="FILE", help="save here after each epoch too, with a backup for --resume"
    )
    train.add_argument("--resume", action="store_true", help="continue a run that was killed, or train for more epochs")
    train.add_argument("--log", metavar="FILE", help="write the numbers of each epoch: a .csv or .jsonl file")
    train.add_argument("--tensorboard", metavar="DIR", help="write them for TensorBoard, in this folder")
    train.add_argument("--quiet", action="store_true", help="no progress bar")
    _common(train)


def _predict(predict: argparse.ArgumentParser) -> None:
    predict.add_argument("model", help="a trained model: .safetensors, .keras, .h5, .onnx")
    predict.add_argument("data", help="file with the inputs; other columns are ignored")
    predict.add_argument("--output", metavar="FILE", help="a .csv file, or .npy for the plain array")
    predict.add_argument("--probabilities", action="store_true", help="add a column with the probability of each class")
    _examples(predict)


def _evaluate(evaluate: argparse.ArgumentParser) -> None:
    evaluate.add_argument("model", help="a trained model: .safetensors, .keras, .h5, .onnx")
    evaluate.add_argument("data", help="file with inputs and target")
    evaluate.add_argument("--target", metavar="NAME", help="default: the target it was trained on; for IDX a file")
    _examples(evaluate)


def _convert(convert: argparse.ArgumentParser) -> None:
    convert.add_argument("input", help="the model to read")
    convert.add_argument("output", help="the file to write; its suffix selects the format")
    convert.add_argument("--overwrite", action="store_true", help="replace an existing file")
    _common(convert)


def _summary(summary: argparse.ArgumentParser) -> None:
    summary.add_argument("model", help="a trained model, or a description (.json, .yaml, .py)")
    summary.add_argument(
        "--input-shape",
        nargs="+",
        type=_positive,
        metavar="N",
        help="shape of one example, for a model that does not state it",
    )
    _common(summary)


def _demo(commands: Any) -> None:
    demo = commands.add_parser(
        "demo",
        help="train a CNN on images and draw its curves",
        description="Train the CNN of the notes on Fashion-MNIST if it is found, otherwise on the built-in digits.",
    )
    demo.add_argument("--epochs", type=_positive, default=5, help="passes over the data (default: %(default)s)")
    demo.add_argument("--samples", type=_positive, help="train on the first N images only", metavar="N")
    demo.add_argument("--batch-size", type=_positive, default=32, help="images per step (default: %(default)s)")
    demo.add_argument("--output", default="fastnn-demo.png", help="file for the picture (default: %(default)s)")
    demo.add_argument(
        "--backend", choices=["compiled", "reference"], help="kernels to run on (default: the current backend)"
    )


def _examples(command: argparse.ArgumentParser) -> None:
    """How a trained model reads examples."""
    command.add_argument("--inputs", nargs="+", metavar="NAME", help="columns or array, for a model without a schema")
    _reading(command)
    command.add_argument("--batch-size", type=_positive, default=32, help="examples per step (default: %(default)s)")
    _common(command)


def _reading(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--separator", type=_separator, metavar="C", help="between fields of a CSV file (default: comma, tab in .tsv)"
    )


def _common(command: argparse.ArgumentParser) -> None:
    command.add_argument("--custom", metavar="FILE", help="a Python file with layers and functions of your own")
    command.add_argument("--json", action="store_true", help="print one JSON object on stdout")


def _positive(argument: str) -> int:
    if not argument.isascii() or not argument.isdigit() or int(argument) < 1:
        raise argparse.ArgumentTypeError(f"expected an integer ≥ 1. Received: {argument!r}")
    return int(argument)


def _seed(argument: str) -> int:
    if not argument.isascii() or not argument.isdigit() or int(argument) >= 1 << 32:
        raise argparse.ArgumentTypeError(f"expected an integer from 0 to {(1 << 32) - 1}. Received: {argument!r}")
    return int(argument)


def _above_zero(argument: str) -> float:
    number = _number(argument)
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"expected a number above 0. Received: {argument!r}")
    return number


def _share(argument: str) -> float:
    number = _number(argument)
    if not 0 <= number < 1:
        raise argparse.ArgumentTypeError(
            f"expected a number from 0 up to, but not including, 1. Received: {argument!r}"
        )
    return number


def _number(argument: str) -> float:
    try:
        return float(argument)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a number. Received: {argument!r}") from None


def _separator(argument: str) -> str:
    character = "\t" if argument == "\\t" else argument
    if len(character) != 1 or character in '"\r\n':
        raise argparse.ArgumentTypeError(f"expected one character, such as ';'. Received: {argument!r}")
    return character

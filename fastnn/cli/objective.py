"""What a model is to learn, guessed from its targets and its last layer: classes or numbers, and with which loss."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

__all__ = ["Objective", "as_classes", "ending", "guess"]


class Objective(NamedTuple):
    """A loss with its metrics, and the classes that a target represents.

    Attributes
    ----------
    loss : str
    metrics : list of str
    classes : list or None
        By number; None where the target is numbers.
    reason : str
        Why, for the user.
    """

    loss: str
    metrics: list[str]
    classes: list[Any] | None
    reason: str


def guess(model: Any, target: Any, name: str) -> Objective:
    """Guess the objective.

    Parameters
    ----------
    model : Model
        Built.
    target : array (N,) or (N, …)
        Numbers, or strings.
    name : str
        What messages call the target.

    Raises
    ------
    ValueError
        If the last layer does not suit the targets; the message says which would.
    """
    shape = model.output_shape
    if not isinstance(shape, tuple):
        raise ValueError(f"The command line trains models with one output. Received: outputs of shapes {shape}.")
    last, width = ending(model), shape[-1]
    if target.ndim == len(shape) - 1:
        return _guess_labels(target, name, last, width)
    if target.dtype == object or target.shape[1:] != shape[1:]:
        raise ValueError(
            f"The target {name} has shape {target.shape} and the model's output {shape}. Use a last layer with one "
            "unit per target value, or one per class."
        )
    if last in ("softmax", "sigmoid") and ((target >= 0) & (target <= 1)).all():
        loss = "categorical_crossentropy" if last == "softmax" else "binary_crossentropy"
        return Objective(loss, ["accuracy"], None, f"{name} holds probabilities, and the model ends in {last}")
    return Objective("mse", ["mae"], None, f"{name} holds numbers")


def _guess_labels(target: np.ndarray, name: str, last: str | None, width: int) -> Objective:
    """One value for each output: a class, or a number where the model gives one."""
    whole = target.dtype != object and bool((target == np.floor(target)).all())
    if target.dtype != object and (not whole or (width == 1 and last != "sigmoid")):
        if width > 1:
            raise ValueError(
                f"The target {name} holds numbers with fractions, and the model gives {width} outputs for each. End it "
                "with Dense(1) to learn a number."
            )
        return Objective("mse", ["mae"], None, f"{name} holds numbers")
    values = sorted(set(target.ravel().tolist()))
    found = [int(value) for value in values] if whole else values
    count = max(width, 2)
    right = f'Dense({len(found)}, activation="softmax")'
    if whole and all(0 <= value < count for value in found):
        found = list(range(count))  # the targets are the numbers of classes already, and not all need be there
    if len(found) != count:
        raise ValueError(
            f"The target {name} has {len(found)} classes ({_some(found)}), and the model distinguishes {count}. End it "
            f"with {right}."
        )
    if last not in ("softmax", "sigmoid") or (width > 1 and last == "sigmoid"):
        raise ValueError(
            f"The target {name} has classes ({_some(found)}), and the model ends in {last or 'no known activation'}, "
            f"which gives no probabilities. End it with {right}, or name a loss with --loss."
        )
    loss = "sparse_categorical_crossentropy" if width > 1 else "binary_crossentropy"
    return Objective(loss, ["accuracy"], found, f"{name} has {len(found)} classes: {_some(found)}")


def as_classes(target: np.ndarray, classes: list[Any], name: str) -> np.ndarray:
    """Return the number of the class of each value.

    Raises
    ------
    ValueError
        If a value is not among the classes.

    Examples
    --------
    >>> as_classes(np.array(["b", "a", "b"], object), ["a", "b"], "letter").tolist()
    [1, 0, 1]
    """
    number = {value: i for i, value in enumerate(classes)}
    try:
        return np.array([number[value] for value in target.ravel().tolist()], np.int64).reshape(target.shape)
    except KeyError as error:
        raise ValueError(
            f"The target {name} has a value that is new to the model: {error}. Known classes: {_some(classes)}."
        ) from None


def ending(model: Any) -> str | None:
    """Return the name of the activation that a model ends in; None if it is unknown."""
    layer = model.layers[-1] if model.layers else None
    if layer is not None and hasattr(layer, "layers"):
        return ending(layer)
    config = {} if layer is None else layer.get_config()
    named = config.get("activation", type(layer).__name__.lower())
    return named if isinstance(named, str) else None


def _some(values: list[Any]) -> str:
    shown = ", ".join(map(str, values[:6]))
    return f"{shown}, …" if len(values) > 6 else shown

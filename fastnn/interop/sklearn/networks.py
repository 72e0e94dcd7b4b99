"""The model behind an estimator: a multilayer perceptron, a copy of a given model, or what a function makes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ... import layers, optimizers
from ...models import Model, Sequential, clone_model

__all__ = ["copied_optimizer", "made_model", "multilayer_perceptron", "output_width"]


def multilayer_perceptron(
    input_shape: tuple[int, ...], sizes: Sequence[int], activation: Any, outputs: int, last: str, dtype: str
) -> Sequential:
    """Dense layers ``hidden_1``, ``hidden_2``, … and ``output``; examples of several axes are flattened first.

    Parameters
    ----------
    input_shape : tuple of int
        Of one example.
    sizes : sequence of int
        The units of the hidden layers.
    activation : str or function
        Of the hidden layers.
    outputs : int
    last : str
        The activation of the output.
    dtype : {"float32", "float64"}

    Raises
    ------
    TypeError
        If the sizes are not a sequence.

    Examples
    --------
    >>> multilayer_perceptron((8, 8), (16,), "relu", 10, "softmax", "float32").count_params()
    1210
    """
    if not isinstance(sizes, (Sequence, np.ndarray)) or isinstance(sizes, str):
        raise TypeError(
            f"hidden_layer_sizes must have the units of each layer. Received: {sizes!r}. Use hidden_layer_sizes=(100,)."
        )
    flat = [layers.Flatten(dtype=dtype)] if len(input_shape) > 1 else []
    hidden = [
        layers.Dense(units, activation, dtype=dtype, name=f"hidden_{place}") for place, units in enumerate(sizes, 1)
    ]
    output = layers.Dense(outputs, last, dtype=dtype, name="output")
    return Sequential([layers.Input(input_shape, dtype=dtype), *flat, *hidden, output])


def made_model(given: Model | Callable[..., Model], input_shape: tuple[int, ...], outputs: int) -> Model:
    """A new model from the parameter ``model`` of an estimator.

    Raises
    ------
    TypeError
        If it is neither a model nor a function of two arguments that returns one, or a model that only its own code can
        make again.
    """
    if isinstance(given, Model):
        try:
            return clone_model(given)
        except NotImplementedError as error:
            raise TypeError(
                f'Each fit trains a copy of model. Received: "{given.name}", a {type(given).__name__}, which only its '
                "own code can recreate. Use a function of (input_shape, n_outputs) that creates one."
            ) from error
    if callable(given):
        try:
            inspect.signature(given).bind(input_shape, outputs)
        except TypeError as error:
            raise TypeError(
                f"model is called with (input_shape, n_outputs), here ({input_shape}, {outputs}). Received: "
                f"{getattr(given, '__name__', given)}{inspect.signature(given)}. Use a function that takes both."
            ) from error
    model = given(input_shape, outputs) if callable(given) else given
    if not isinstance(model, Model):
        raise TypeError(
            "model must be None, a fastnn model, or a function of (input_shape, n_outputs) that returns one. Received: "
            f"{'a function that returned ' if callable(given) else ''}{type(model).__name__}."
        )
    model.random_stream = None  # a stream from a file would continue there, whatever random_state is
    return model


def output_width(model: Model, example: np.ndarray) -> int:
    """The number of values that a model gives for each example; a model without a shape is built here.

    Raises
    ------
    ValueError
        If it takes several inputs, or gives something else than one row for an example.
    """
    names = model.input_names or ()
    if len(names) > 1:
        raise ValueError(
            f'The model of an estimator must have one input, X. Received: "{model.name}" with the inputs {names}. Use '
            "one input, and split its columns in the model: x[:, :3]."
        )
    output = model.predict_on_batch(example)
    shape = getattr(output, "shape", None)
    if shape is None or len(shape) != 2:
        found = f"shape {shape}" if shape is not None else f"{type(output).__name__} of several arrays"
        raise ValueError(
            f'The model of an estimator must return one row of numbers per example. Received: "{model.name}", which '
            f"gives {found} for one example. Use Flatten() or a pooling layer before its last Dense."
        )
    return shape[1]


def copied_optimizer(given: Any, learning_rate: Any) -> Any:
    """A new optimizer with the settings of the given one, so that no two models share its state."""
    if given is None:
        raise ValueError('optimizer must be a name, a class or an optimizer. Received: None. Use optimizer="adam".')
    found = optimizers.get(given)
    settings = found.get_config() | ({} if learning_rate is None else {"learning_rate": learning_rate})
    return type(found).from_config(settings)

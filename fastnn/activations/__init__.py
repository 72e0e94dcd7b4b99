"""Activations: functions of arrays, and the small objects that layers use.

``relu(x)``, ``softmax(x)`` and the others act on arrays, through the kernels of the active backend; ``get`` finds them
by name.  A layer has an ``Activation``, which ``activation_of`` finds: a name, ``forward(x) -> (y, ctx)`` and
``backward(dy, ctx) -> dx``.

An activation of your own is a function written in operators and ``fastnn.ops``, whose slope is found by tracing it::

    def square(x):
        return x * x

    Dense(10, activation=square)

or a function of arrays with its slope beside it: ``square.gradient = lambda dy, x, y: dy * 2 * x``.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fastnn import absent, custom
from fastnn.activations import formulas, functions
from fastnn.activations.activation import FUSIBLE, KERNELS, Activation, ActivationOperation
from fastnn.activations.along_axis import LogSoftmax, Softmax, Sparsemax
from fastnn.activations.formulas import ClippedRelu, Formula, Softsign
from fastnn.activations.functions import *  # noqa: F403
from fastnn.activations.of_functions import Custom
from fastnn.lookup import check_takes, lookup

__all__ = [
    "FUSIBLE",
    "Activation",
    "ActivationOperation",
    "ClippedRelu",
    "Custom",
    "Formula",
    "LogSoftmax",
    "Softmax",
    "Softsign",
    "Sparsemax",
    "activation_of",
    "deserialize",
    "get",
    "serialize",
]
__all__ += functions.__all__

_FORMULAS = [getattr(formulas, name) for name in formulas.__all__ if name != "Formula"]
_CLASSES: dict[Any, Any] = {cls.__name__: cls for cls in (Activation, Softmax, LogSoftmax, Sparsemax, *_FORMULAS)}
_MORE_THAN_X = {
    "glu": "It halves an axis. Use layers.Lambda(activations.glu) behind a layer with twice as many units.",
    "threshold": "It has no default numbers. Use activation=lambda x: activations.threshold(x, 0.1, 0.0).",
}
_TABLE: dict[str, Callable[..., Activation]] = {
    **{cls.name: cls for cls in _CLASSES.values() if hasattr(cls, "name") and cls.name not in _MORE_THAN_X},
    **{name: (lambda name=name, alpha=None: Activation(name, alpha)) for name in KERNELS},  # relu among them
    "identity": lambda: Activation("linear"),
    "swish": lambda: Activation("silu"),
    "hard_swish": formulas.HardSilu,
    "relu6": lambda: ClippedRelu(max_value=6.0),
}
_FUNCTIONS: dict[Any, str] = {getattr(functions, name): name for name in functions.__all__ if name in _TABLE}


def get(identifier: Any = None) -> Callable[..., Any]:
    """Return the function for a name, as ``fastnn.activations`` has it; None is ``linear``.

    Functions and ``Activation`` objects are returned as they are; a config gives an object.

    Raises
    ------
    ValueError
        For an unknown name.
    TypeError
        For anything that is not a function.

    Examples
    --------
    >>> get("relu") is relu, get(None) is linear, get(relu) is relu
    (True, True, True)
    """
    if identifier is None:
        return functions.linear
    if isinstance(identifier, str):
        own = custom.find(identifier)
        if own is not None:
            return own
        if identifier in functions.__all__:
            return getattr(functions, identifier)
    if callable(identifier) and not inspect.isclass(identifier) and not hasattr(identifier, "checked_forward"):
        return identifier
    return activation_of(identifier)


def activation_of(identifier: Any = None) -> Activation:
    """Return the object that layers use, for a name, a function, a config or an object; None is "linear".

    Raises
    ------
    ValueError
        For an unknown name.
    TypeError
        For anything else that is not a function.

    Examples
    --------
    >>> activation_of("relu")
    Activation(name='relu', alpha=None)
    >>> activation_of(None).name, activation_of(softmax).name, activation_of("swish").name
    ('linear', 'softmax', 'silu')
    """
    if identifier is None:
        return Activation("linear")
    if isinstance(identifier, Activation):
        return identifier
    if isinstance(identifier, dict):
        return lookup("activation", identifier, _CLASSES)
    for name, hint in _MORE_THAN_X.items():
        if identifier is getattr(functions, name) or (identifier == name and custom.find(name) is None):
            raise ValueError(f"{name} cannot be used as activation=. Received: {identifier!r}. {hint}")
    found = lookup("activation", identifier, _TABLE)
    if isinstance(found, Activation):
        return found
    if isinstance(identifier, str) and custom.find(identifier) is None:
        return found()
    if found in _FUNCTIONS:
        return _TABLE[_FUNCTIONS[found]]()
    if (getattr(found, "__module__", None) or "").startswith("fastnn.ops"):
        name = "gelu_tanh" if found.__name__ == "gelu" else found.__name__  # ops.gelu approximates by default
        if name in _TABLE:
            return _TABLE[name]()
    check_takes("activation", found, "x")
    return Custom(found)


def serialize(activation: Any) -> Any:
    """Return a name if it is enough, else ``{"class_name", "config"}``; ``get`` converts both back.

    Examples
    --------
    >>> serialize(relu), serialize(Activation("elu", 0.5))
    ('relu', {'class_name': 'Activation', 'config': {'name': 'elu', 'alpha': 0.5}})
    """
    activation = activation_of(activation)
    if isinstance(activation, Custom):
        return custom.name_of(activation.function)
    if activation.name in _TABLE and _TABLE[activation.name]() == activation:
        return activation.name
    return {"class_name": custom.name_of(type(activation)), "config": activation.get_config()}


deserialize = get
if not TYPE_CHECKING:
    __getattr__ = absent.answer(__name__)

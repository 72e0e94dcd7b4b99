"""Optimizers and learning-rate schedules; ``get`` finds an optimizer by name.

>>> import fastnn
>>> fastnn.optimizers.get("adam")
Adam(learning_rate=0.001)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

from fastnn import absent, custom
from fastnn.lookup import lookup, names_of
from fastnn.lookup import serialize as serialize

from . import schedules
from .adafactor import Adafactor
from .adam import Adam, Adamax, AdamW, Nadam
from .adaptive import Adadelta, Adagrad, RMSprop
from .ftrl import Ftrl
from .lamb import Lamb
from .lion import Lion
from .muon import Muon
from .optimizer import Optimizer
from .sgd import SGD

__all__ = [
    "SGD",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Ftrl",
    "Lamb",
    "Lion",
    "Muon",
    "Nadam",
    "Optimizer",
    "RMSprop",
    "deserialize",
    "get",
    "schedules",
    "serialize",
]  # fmt: skip

_TABLE = names_of([SGD, Adam, AdamW, Adamax, Nadam, RMSprop, Adagrad, Adadelta, Lion, Lamb, Ftrl, Adafactor, Muon])


@overload
def get(identifier: None) -> None: ...


@overload
def get(identifier: Any) -> Optimizer: ...


def get(identifier: Any) -> Optimizer | None:
    """Return the optimizer for a name (in any case), class, config or object; None stays None.

    Raises
    ------
    ValueError
        For anything that is not an optimizer; for an unknown name the message lists the closest ones.

    Examples
    --------
    >>> get("SGD"), get({"class_name": "RMSprop", "config": {"rho": 0.8}}).rho
    (SGD(learning_rate=0.01), 0.8)
    """
    if isinstance(identifier, str) and identifier not in _TABLE and custom.find(identifier) is None:
        identifier = identifier.lower()
    if identifier is None or isinstance(identifier, Optimizer):
        return identifier
    named = isinstance(identifier, (str, dict)) or (isinstance(identifier, type) and issubclass(identifier, Optimizer))
    if not named:
        raise ValueError(f'optimizer must be a name or an Optimizer. Received: {identifier!r}. Use optimizer="adam".')
    return lookup("optimizer", identifier, _TABLE)


deserialize = get

if not TYPE_CHECKING:
    __getattr__ = absent.answer(__name__)

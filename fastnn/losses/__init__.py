"""Losses: classes for training, functions for arrays, and ``get`` to find one by name.

>>> import fastnn
>>> fastnn.losses.get("mse").name
'mean_squared_error'
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastnn import absent
from fastnn.lookup import check_takes, lookup, names_of
from fastnn.lookup import serialize as serialize

from .crossentropy import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    Crossentropy,
    OnLogits,
    SparseCategoricalCrossentropy,
)
from .functions import (
    CLASSES as _CLASSES,
)
from .functions import (
    binary_crossentropy,
    categorical_crossentropy,
    categorical_hinge,
    cosine_similarity,
    hinge,
    huber,
    kl_divergence,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
    sparse_categorical_crossentropy,
    squared_hinge,
)
from .loss import FunctionLoss, Loss
from .pointwise import (
    Hinge,
    Huber,
    KLDivergence,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Poisson,
    SquaredHinge,
)
from .vectors import CategoricalHinge, CosineSimilarity

__all__ = [
    "BinaryCrossentropy",
    "CategoricalCrossentropy",
    "CategoricalHinge",
    "CosineSimilarity",
    "Crossentropy",
    "FunctionLoss",
    "Hinge",
    "Huber",
    "KLDivergence",
    "LogCosh",
    "Loss",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "OnLogits",
    "Poisson",
    "SparseCategoricalCrossentropy",
    "SquaredHinge",
    "binary_crossentropy",
    "categorical_crossentropy",
    "categorical_hinge",
    "cosine_similarity",
    "deserialize",
    "get",
    "hinge",
    "huber",
    "kl_divergence",
    "log_cosh",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "poisson",
    "serialize",
    "sparse_categorical_crossentropy",
    "squared_hinge",
]  # fmt: skip

_ALIASES = {
    "mse": MeanSquaredError,
    "mae": MeanAbsoluteError,
    "mape": MeanAbsolutePercentageError,
    "msle": MeanSquaredLogarithmicError,
    "bce": BinaryCrossentropy,
    "cce": CategoricalCrossentropy,
    "kld": KLDivergence,
    "kullback_leibler_divergence": KLDivergence,
    "logcosh": LogCosh,
    "ce": Crossentropy,
}
_OF_FUNCTIONS = {"FunctionLoss": FunctionLoss}
_TABLE = names_of([*_CLASSES.values(), Crossentropy]) | _ALIASES | {name.upper(): cls for name, cls in _ALIASES.items()}


def get(identifier: Any) -> Loss | None:
    """Return the loss for a name, function, class, config or object; None stays None.

    The names are those of Keras: "mean_squared_error" or "mse", "binary_crossentropy" or "bce", "ce" for the
    cross-entropy that fits the shapes, and so on.  A custom function becomes a ``FunctionLoss``; to train on it, give
    it a ``gradient``.

    Raises
    ------
    ValueError
        For an unknown name; the message lists the closest ones.
    TypeError
        For anything that is not a loss.

    Examples
    --------
    >>> get("sparse_categorical_crossentropy").name
    'sparse_categorical_crossentropy'
    >>> get("huber")
    Huber(reduction='sum_over_batch_size', name='huber_loss', delta=1.0)
    """
    if identifier is None or isinstance(identifier, Loss):
        return identifier
    found = lookup("loss", identifier, _TABLE if isinstance(identifier, str) else _TABLE | _OF_FUNCTIONS)
    if isinstance(found, Loss):
        return found
    if found in _CLASSES:
        return _CLASSES[found]()
    check_takes("loss", found, "y_true", "y_pred")
    return FunctionLoss(found)


deserialize = get

if not TYPE_CHECKING:
    __getattr__ = absent.answer(__name__)

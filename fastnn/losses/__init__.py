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

from .circle import Circle
from .crossentropy import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    OnLogits,
    SparseCategoricalCrossentropy,
)
from .crossentropy_by_shape import Crossentropy
from .ctc import CTC
from .focal import BinaryFocalCrossentropy, CategoricalFocalCrossentropy
from .functions import (
    CLASSES as _CLASSES,
)
from .functions import (
    KLD,
    MAE,
    MAPE,
    MSE,
    MSLE,
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    categorical_generalized_cross_entropy,
    categorical_hinge,
    circle,
    cosine_similarity,
    ctc,
    dice,
    hinge,
    huber,
    kl_divergence,
    kld,
    kullback_leibler_divergence,
    log_cosh,
    logcosh,
    mae,
    mape,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    mse,
    msle,
    poisson,
    sparse_categorical_crossentropy,
    squared_hinge,
    tversky,
)
from .generalized import CategoricalGeneralizedCrossEntropy
from .loss import FunctionLoss, Loss
from .overlap import Dice, Tversky
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
    "BinaryFocalCrossentropy",
    "CTC",
    "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy",
    "CategoricalGeneralizedCrossEntropy",
    "CategoricalHinge",
    "Circle",
    "CosineSimilarity",
    "Crossentropy",
    "Dice",
    "FunctionLoss",
    "Hinge",
    "Huber",
    "KLD",
    "KLDivergence",
    "LogCosh",
    "Loss",
    "MAE",
    "MAPE",
    "MSE",
    "MSLE",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "OnLogits",
    "Poisson",
    "SparseCategoricalCrossentropy",
    "SquaredHinge",
    "Tversky",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_generalized_cross_entropy",
    "categorical_hinge",
    "circle",
    "cosine_similarity",
    "ctc",
    "deserialize",
    "dice",
    "get",
    "hinge",
    "huber",
    "kl_divergence",
    "kld",
    "kullback_leibler_divergence",
    "log_cosh",
    "logcosh",
    "mae",
    "mape",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "mse",
    "msle",
    "poisson",
    "serialize",
    "sparse_categorical_crossentropy",
    "squared_hinge",
    "tversky",
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

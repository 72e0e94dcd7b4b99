"""Metrics: scores of a model, accumulated batch by batch; ``get`` finds one by name.

>>> import fastnn
>>> metric = fastnn.metrics.get("mae")
>>> metric([[1.0]], [[3.0]])
2.0
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from fastnn import absent, losses
from fastnn.lookup import check_takes, lookup, names_of
from fastnn.lookup import serialize as serialize
from fastnn.losses import (
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    categorical_hinge,
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

from .accuracy import (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
    accuracy,
    binary_accuracy,
    categorical_accuracy,
    sparse_categorical_accuracy,
    sparse_top_k_categorical_accuracy,
    top_k_categorical_accuracy,
)
from .at_best_threshold import (
    PrecisionAtRecall,
    RecallAtPrecision,
    SensitivityAtSpecificity,
    SpecificityAtSensitivity,
)
from .auc import AUC
from .compiled import CompiledMetrics
from .confusion import FalseNegatives, FalsePositives, Precision, Recall, TrueNegatives, TruePositives
from .correlation import ConcordanceCorrelation, PearsonCorrelation, concordance_correlation, pearson_correlation
from .f_score import F1Score, FBetaScore
from .from_losses import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    CategoricalHinge,
    Hinge,
    KLDivergence,
    LogCoshError,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Poisson,
    SparseCategoricalCrossentropy,
    SquaredHinge,
)
from .iou import BinaryIoU, IoU, MeanIoU, OneHotIoU, OneHotMeanIoU
from .metric import Mean, MeanMetricWrapper, Metric, Sum
from .regression import CosineSimilarity, R2Score, RootMeanSquaredError

_CLASSES = [
    Mean, Sum, Accuracy, BinaryAccuracy, CategoricalAccuracy, SparseCategoricalAccuracy, TopKCategoricalAccuracy,
    SparseTopKCategoricalAccuracy, TruePositives, FalsePositives, TrueNegatives, FalseNegatives, Precision, Recall, AUC,
    F1Score, FBetaScore, MeanSquaredError, RootMeanSquaredError, MeanAbsoluteError, MeanAbsolutePercentageError,
    MeanSquaredLogarithmicError, LogCoshError, R2Score, CosineSimilarity, BinaryCrossentropy,
    CategoricalCrossentropy, SparseCategoricalCrossentropy, KLDivergence, Poisson, Hinge, SquaredHinge,
    CategoricalHinge, IoU, BinaryIoU, MeanIoU, OneHotIoU, OneHotMeanIoU, SensitivityAtSpecificity,
    SpecificityAtSensitivity, PrecisionAtRecall, RecallAtPrecision, PearsonCorrelation, ConcordanceCorrelation,
]  # fmt: skip
_FUNCTIONS = [
    pearson_correlation, concordance_correlation,
    accuracy, binary_accuracy, categorical_accuracy, sparse_categorical_accuracy, top_k_categorical_accuracy,
    sparse_top_k_categorical_accuracy,
]  # fmt: skip
_OF_LOSSES = [
    binary_crossentropy, binary_focal_crossentropy, categorical_crossentropy, categorical_focal_crossentropy,
    categorical_hinge, hinge, huber, kl_divergence, log_cosh, mean_absolute_error, mean_absolute_percentage_error,
    mean_squared_error, mean_squared_logarithmic_error, poisson, sparse_categorical_crossentropy, squared_hinge,
]  # fmt: skip
_ALIASES = {
    "mse": MeanSquaredError,
    "rmse": RootMeanSquaredError,
    "mae": MeanAbsoluteError,
    "mape": MeanAbsolutePercentageError,
    "msle": MeanSquaredLogarithmicError,
    "bce": BinaryCrossentropy,
    "cce": CategoricalCrossentropy,
    "kld": KLDivergence,
}
_OF_FUNCTIONS = {"MeanMetricWrapper": MeanMetricWrapper}
_TABLE = names_of(_CLASSES, acc=Accuracy) | _ALIASES | {name.upper(): cls for name, cls in _ALIASES.items()}

for _function in _FUNCTIONS:
    _function.direction = "up"

__all__ = ["CompiledMetrics", "MeanMetricWrapper", "Metric", "deserialize", "get", "serialize"]
__all__ += [thing.__name__ for thing in (*_CLASSES, *_FUNCTIONS, *_OF_LOSSES)]


def get(
    identifier: Any,
    *,
    loss: Any = None,
    y_shape: Sequence[int | None] | None = None,
    t_shape: Sequence[int | None] | None = None,
) -> Any:
    """Return the metric for a name, function, class, config or object; None stays None.

    Parameters
    ----------
    identifier
        Keras' names ("accuracy", "mae", "precision", …).  A custom function ``f(y_true, y_pred)`` is averaged over all
        examples.  If a name is given, it is also the metric's name.
    loss : Loss, optional
        The model's loss.
    y_shape, t_shape : sequences, optional
        Shapes of predictions and targets.  They decide which accuracy "accuracy" or "acc" stands for (binary for one
        output, sparse for integer labels, otherwise categorical), and which cross-entropy "crossentropy" or "ce".

    Raises
    ------
    ValueError
        For an unknown name; the message lists the closest ones.
    TypeError
        For anything that is not a metric.

    Examples
    --------
    >>> type(get("acc", y_shape=(None, 10), t_shape=(None,))).__name__
    'SparseCategoricalAccuracy'
    """
    if identifier is None or isinstance(identifier, Metric):
        return identifier
    by_shape = isinstance(identifier, str) and y_shape is not None and t_shape is not None
    if by_shape and identifier.lower() in ("accuracy", "acc"):
        found = _by_shape(y_shape, t_shape, BinaryAccuracy, SparseCategoricalAccuracy, CategoricalAccuracy)()
    elif by_shape and identifier.lower() in ("crossentropy", "ce"):
        found = _by_shape(
            y_shape, t_shape, BinaryCrossentropy, SparseCategoricalCrossentropy, CategoricalCrossentropy
        )()
    else:
        found = lookup("metric", identifier, _TABLE if isinstance(identifier, str) else _TABLE | _OF_FUNCTIONS)
    if isinstance(found, losses.Loss):
        found = MeanMetricWrapper(found.call, found.name)
        found.direction = "down"
    elif not isinstance(found, Metric):
        check_takes("metric", found, "y_true", "y_pred")
        found = MeanMetricWrapper(found)
    if isinstance(identifier, str):
        found.name = identifier
    return found


def _by_shape(y_shape: Any, t_shape: Any, binary: Any, sparse: Any, categorical: Any) -> Any:
    if y_shape[-1] == 1:
        return binary
    return sparse if len(t_shape) < len(y_shape) or t_shape[-1] == 1 else categorical


deserialize = get

if not TYPE_CHECKING:
    __getattr__ = absent.answer(__name__)

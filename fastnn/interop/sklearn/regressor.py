"""FastnnRegressor: a model that gives numbers, as an estimator of scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils.validation import validate_data

from ...models import Model
from .estimator import NetworkEstimator
from .reading import as_readable, read_sample_weight

__all__ = ["FastnnRegressor"]


class FastnnRegressor(RegressorMixin, NetworkEstimator):
    """A regressor of scikit-learn that trains a model: a multilayer perceptron, or any model with one output.

    Targets far from mean 0 and variance 1 are learned slowly: scale them, for instance by
    ``sklearn.compose.TransformedTargetRegressor``.

    Parameters
    ----------
    model : Model or callable, optional
        None: dense layers ``hidden_1``, ``hidden_2``, … and ``output``.  A model: each ``fit`` trains a copy with new
        weights.  A function of (input_shape, n_outputs): the model it returns is trained, pretrained weights included.
        The model gives a number for each column of ``y``.
    hidden_layer_sizes : sequence of int
        Where ``model`` is None, as is ``activation``.
    activation : str or function
    optimizer : str or Optimizer
        Each ``fit`` makes a new one with its settings.
    learning_rate : float, optional
        In place of the optimizer's own.
    loss : str, function or Loss, optional
        None: the mean squared error.
    metrics : list, optional
    epochs : int
    batch_size : int or "auto"
        "auto": 200, or all rows if there are fewer.
    validation_split : float
        A share of the rows that is drawn before training, for "val_loss" and the other "val_" names.
    callbacks : list of Callback, optional
    warm_start : bool
        Whether ``fit`` trains the fitted model further.
    verbose : {0, 1, 2, "auto"}
    random_state : int, RandomState or None
        Initial weights, order of the data, dropout: all of ``fit`` repeats with an integer.

    Attributes
    ----------
    model_ : Model
        The fitted model.
    history_ : dict
        "loss", the metrics and their "val_" names, one value for each epoch of the last ``fit``.
    n_outputs_ : int
    n_features_in_ : int
    feature_names_in_ : array of str
        Where ``X`` has column names.

    Notes
    -----
    A model made here computes in float64 if ``X`` is of float64, else in ``fastnn.backend.floatx()``, which is float32
    unless set otherwise.  ``X`` may have more axes than two.  Sample weights are scaled to mean 1.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.linspace(-1, 1, 21)[:, None]
    >>> model = FastnnRegressor(hidden_layer_sizes=(32,), learning_rate=0.02, epochs=300, random_state=0)
    >>> round(model.fit(X, np.abs(X[:, 0])).score(X, np.abs(X[:, 0])), 1)
    1.0
    """

    def __init__(
        self,
        model: Any = None,
        *,
        hidden_layer_sizes: Any = (100,),
        activation: Any = "relu",
        optimizer: Any = "adam",
        learning_rate: float | None = None,
        loss: Any = None,
        metrics: Any = None,
        epochs: int = 100,
        batch_size: int | str = "auto",
        validation_split: float = 0.0,
        callbacks: Any = None,
        warm_start: bool = False,
        verbose: Any = 0,
        random_state: Any = None,
    ):
        self.model = model
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.loss = loss
        self.metrics = metrics
        self.epochs = epochs
        self.batch_size = batch_size
        self.validation_split = validation_split
        self.callbacks = callbacks
        self.warm_start = warm_start
        self.verbose = verbose
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> FastnnRegressor:
        """Train.

        Parameters
        ----------
        X : array (N, …)
        y : array (N,) or (N, n_outputs)
        sample_weight : array (N,), optional

        Raises
        ------
        ValueError
            For data that do not fit, or a model whose output does not fit the targets.
        """
        goes_on = self._goes_on
        x, y, weight = self._read(X, y, sample_weight, goes_on)
        self._train(x, _columns(y), weight, _columns(y).shape[1], goes_on)
        self._note(y)
        return self

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> FastnnRegressor:
        """Train for one epoch on some of the data; callbacks and ``validation_split`` are for ``fit``.

        Parameters
        ----------
        X : array (N, …)
        y : array (N,) or (N, n_outputs)
        sample_weight : array (N,), optional
        """
        x, y, weight = self._read(X, y, sample_weight, hasattr(self, "model_"))
        self._train_once(x, _columns(y), weight, _columns(y).shape[1])
        self._note(y)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Numbers for each example: (N,), or (N, n_outputs) where ``y`` had two axes."""
        outputs = self._outputs(X)
        return outputs[:, 0] if self._one_axis else outputs

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def _note(self, y: np.ndarray) -> None:
        self.n_outputs_, self._one_axis = _columns(y).shape[1], y.ndim == 1

    def _read(self, X: Any, y: Any, sample_weight: Any, goes_on: bool) -> tuple[Any, ...]:
        X, y = validate_data(
            self, X, y, dtype="numeric", allow_nd=True, multi_output=True, y_numeric=True, reset=not goes_on
        )
        if goes_on and _columns(y).shape[1] != self.n_outputs_:
            raise ValueError(
                f"Training continues with {self.n_outputs_} targets. Received: y of shape {y.shape}. Use as many "
                "columns, or a new estimator: sklearn.base.clone(estimator)."
            )
        return as_readable(X), as_readable(y), read_sample_weight(sample_weight, X)

    def _default_loss(self, width: int, outputs: int) -> str:
        return "mean_squared_error"

    def _check_width(self, model: Model, width: int, outputs: int) -> None:
        if width != outputs:
            raise ValueError(
                f'y holds {outputs} numbers per example, so the model must return as many. Received: "{model.name}", '
                f"which gives {width}. Use a function of (input_shape, n_outputs) as model, and Dense(n_outputs)."
            )


def _columns(y: np.ndarray) -> np.ndarray:
    return y[:, None] if y.ndim == 1 else y

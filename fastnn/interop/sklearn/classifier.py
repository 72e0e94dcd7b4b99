"""FastnnClassifier: a model that tells classes apart, as an estimator of scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets, unique_labels
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

from ... import activations, losses
from ...models import Model
from .estimator import NetworkEstimator
from .reading import as_readable, read_sample_weight

__all__ = ["FastnnClassifier"]


class FastnnClassifier(ClassifierMixin, NetworkEstimator):
    """A classifier of scikit-learn that trains a model: a multilayer perceptron, or any model with one output.

    Parameters
    ----------
    model : Model or callable, optional
        None: dense layers ``hidden_1``, ``hidden_2``, … and ``output``.  A model: each ``fit`` trains a copy with new
        weights.  A function of (input_shape, n_outputs): the model it returns is trained, pretrained weights included.
        The model gives a probability for each class, or for two classes that of the second.
    hidden_layer_sizes : sequence of int
        Where ``model`` is None, as is ``activation``.
    activation : str or function
    optimizer : str or Optimizer
        Each ``fit`` makes a new one with its settings.
    learning_rate : float, optional
        In place of the optimizer's own.
    loss : str, function or Loss, optional
        None: the cross-entropy that fits the output.  Labels are numbers from 0 to n_classes − 1.
        With ``from_logits=True`` the model's outputs are logits.
    metrics : list, optional
    epochs : int
    batch_size : int or "auto"
        "auto": 200, or all rows if there are fewer.
    validation_split : float
        A share of the rows that is drawn before training, of each class alike, for "val_loss"
        and the other "val_" names.
    class_weight : dict of label to float, or "balanced", optional
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
    classes_ : array
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
    >>> X, y = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), np.array(["same", "other", "other", "same"])
    >>> xor = FastnnClassifier(hidden_layer_sizes=(16,), learning_rate=0.05, epochs=100, random_state=0).fit(X, y)
    >>> [str(label) for label in xor.predict(X)], xor.predict_proba(X).shape
    (['same', 'other', 'other', 'same'], (4, 2))
    """

    _last = "softmax"

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
        class_weight: Any = None,
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
        self.class_weight = class_weight
        self.callbacks = callbacks
        self.warm_start = warm_start
        self.verbose = verbose
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> FastnnClassifier:
        """Train.

        Parameters
        ----------
        X : array (N, …)
        y : array (N,) of labels of any kind
        sample_weight : array (N,), optional

        Raises
        ------
        ValueError
            For data that do not fit, or a model whose output does not fit the classes.
        """
        goes_on = self._goes_on
        x, y, weight = self._read(X, y, sample_weight, reset=not goes_on)
        classes, counts = np.unique(y, return_counts=True)
        if self.validation_split and (counts < 2).any():
            raise ValueError(
                "validation_split takes a share of each class. Received: a single row of "
                f"{classes[counts < 2].tolist()} in y. Use validation_split=0, or at least two rows of each class."
            )
        if goes_on and not np.array_equal(classes, self.classes_):
            raise ValueError(
                f"warm_start continues with the classes {list(self.classes_)}. Received: {list(classes)} in y. Use "
                "warm_start=False, or call partial_fit, which takes some of the classes."
            )
        self._train(x, np.searchsorted(classes, y), self._by_class(y, weight), len(classes), goes_on)
        self.classes_ = classes
        return self

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> FastnnClassifier:
        """Train for one epoch on some of the data; callbacks and ``validation_split`` are for ``fit``.

        Parameters
        ----------
        X : array (N, …)
        y : array (N,)
        classes : array, optional
            All labels there are; the first call needs them.
        sample_weight : array (N,), optional

        Raises
        ------
        ValueError
            For data that do not fit, or labels that are not among the classes.
        """
        first = not hasattr(self, "model_")
        if first and classes is None:
            raise ValueError("classes must be passed on the first call to partial_fit. Use classes=np.unique(all_y).")
        known = unique_labels(classes) if first else self.classes_
        if classes is not None and not np.array_equal(unique_labels(classes), known):
            raise ValueError(f"classes must be those of the first call, {list(known)}. Received: {list(classes)}.")
        x, y, weight = self._read(X, y, sample_weight, reset=first)
        if unknown := sorted(set(np.unique(y).tolist()) - set(known.tolist())):
            raise ValueError(f"y must hold labels of the classes {list(known)}. Received: {unknown}.")
        if isinstance(self.class_weight, str):
            raise ValueError(
                f"partial_fit does not see all the data. Received: class_weight={self.class_weight!r}. Use a dict of "
                "weights, or sample_weight."
            )
        self._train_once(x, np.searchsorted(known, y), self._by_class(y, weight), len(known))
        self.classes_ = known
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """The probabilities of the classes, (N, n_classes), in the order of ``classes_``."""
        outputs = self._outputs(X)
        one = outputs.shape[1] == 1 and len(self.classes_) == 2
        if getattr(losses.get(self.loss) if self.loss is not None else None, "from_logits", False):
            outputs = activations.get("sigmoid" if one else "softmax")(outputs)
        return np.concatenate([1 - outputs, outputs], axis=1) if one else outputs

    def predict(self, X: Any) -> np.ndarray:
        """The most probable class of each example."""
        check_is_fitted(self)
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def _read(self, X: Any, y: Any, sample_weight: Any, reset: bool) -> tuple[Any, ...]:
        X, y = validate_data(self, X, y, dtype="numeric", allow_nd=True, reset=reset)
        y = column_or_1d(y, warn=True)
        check_classification_targets(y)
        return as_readable(X), y, read_sample_weight(sample_weight, X)

    def _by_class(self, y: np.ndarray, weight: np.ndarray | None) -> np.ndarray | None:
        """The weights of examples, times those of their classes."""
        if self.class_weight is None:
            return weight
        factors = compute_sample_weight(self.class_weight, y)
        if not (np.isfinite(factors) & (factors >= 0)).all():
            raise ValueError(
                f"class_weight must hold finite numbers ≥ 0. Received: class_weight={self.class_weight!r}. Use 0 for a "
                'class to ignore, or "balanced".'
            )
        return factors if weight is None else weight * factors

    def _strata(self, y: np.ndarray) -> np.ndarray | None:
        return y

    def _default_loss(self, width: int, outputs: int) -> str:
        return "sparse_categorical_crossentropy" if width == outputs else "binary_crossentropy"

    def _check_width(self, model: Model, width: int, outputs: int) -> None:
        if width != outputs and (width, outputs) != (1, 2):
            raise ValueError(
                f'y holds {outputs} classes, so the model gives {outputs} numbers. Received: "{model.name}", which '
                f"gives {width}. Use a function of (input_shape, n_outputs) as model, and Dense(n_outputs, 'softmax')."
            )

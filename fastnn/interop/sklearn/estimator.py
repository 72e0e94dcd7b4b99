"""What the classifier and the regressor share: the training of the model behind them."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from ... import backend
from ...callbacks import CallbackList
from ...models import Model
from ...seeds import Keys, drawing_from
from .networks import copied_optimizer, made_model, multilayer_perceptron, output_width
from .packing import packed, unpacked
from .reading import as_readable

__all__ = ["NetworkEstimator"]

_LARGEST_BATCH = 200
"""The rows of a batch where ``batch_size`` is "auto" and there are more."""


class NetworkEstimator(BaseEstimator):
    """Base of the classifier and the regressor, whose pages describe the parameters.

    A subclass names the activation of an output that is made for it (``_last``), checks the output of a model
    (``_check_width``), and gives the loss that fits it (``_default_loss``).
    """

    model: Any
    hidden_layer_sizes: Any
    activation: Any
    optimizer: Any
    learning_rate: Any
    loss: Any
    metrics: Any
    epochs: int
    batch_size: Any
    validation_split: float
    callbacks: Any
    warm_start: bool
    verbose: Any
    random_state: Any

    _last = "linear"

    # Training.

    @property
    def _goes_on(self) -> bool:
        """Whether ``fit`` trains the fitted model further."""
        return bool(self.warm_start) and hasattr(self, "model_")

    def _train(self, x: np.ndarray, y: np.ndarray, weight: np.ndarray | None, outputs: int, goes_on: bool) -> None:
        """``fit`` on checked data, of a new model or of the fitted one."""
        keys = self._stream(goes_on)
        validation = None
        if self.validation_split:
            x, y, weight, validation = self._held_out(x, y, weight, keys.seed)
        self._run(keys, x, y, weight, outputs, goes_on, self.epochs, self.callbacks, validation)

    def _train_once(self, x: np.ndarray, y: np.ndarray, weight: np.ndarray | None, outputs: int) -> None:
        """``partial_fit`` on checked data: an epoch."""
        goes_on = hasattr(self, "model_")
        keys = self._stream(goes_on)
        self._run(keys, x, y, weight, outputs, goes_on, 1, None, None)

    def _stream(self, goes_on: bool) -> Keys:
        """What training draws from: the stream of the fitted model, or one that ``random_state`` gives."""
        return self._keys if goes_on else Keys(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))

    def _run(
        self,
        keys: Keys,
        x: np.ndarray,
        y: np.ndarray,
        weight: np.ndarray | None,
        outputs: int,
        goes_on: bool,
        epochs: int,
        callbacks: Any,
        validation: Any,
    ) -> None:
        with drawing_from(keys):
            model = self.model_ if goes_on else self._compiled(x, outputs)
            try:
                history = model.fit(
                    x,
                    y,
                    batch_size=self._rows(len(x)),
                    epochs=epochs,
                    verbose=self.verbose,
                    callbacks=callbacks,
                    validation_data=validation,
                    sample_weight=_of_mean_one(weight),
                )
            finally:
                for callback in CallbackList(callbacks):  # parameters of an estimator do not hold what is fitted
                    if getattr(callback, "model", None) is model:
                        callback.model = None
        self.model_, self.history_, self._keys = model, history.history, keys

    def _held_out(self, x: np.ndarray, y: np.ndarray, weight: np.ndarray | None, seed: int) -> tuple[Any, ...]:
        """The data without a share that is drawn for validation, and that share."""
        if not 0 < self.validation_split < 1:
            raise ValueError(
                "validation_split must be a share of the rows, from 0 up to, but not including, 1. Received: "
                f"{self.validation_split!r}."
            )
        rows, kept = train_test_split(
            np.arange(len(x)), test_size=self.validation_split, random_state=seed, stratify=self._strata(y)
        )
        validation = (x[kept], y[kept]) if weight is None else (x[kept], y[kept], weight[kept])
        return x[rows], y[rows], None if weight is None else weight[rows], validation

    def _strata(self, y: np.ndarray) -> np.ndarray | None:
        return None

    def _compiled(self, x: np.ndarray, outputs: int) -> Model:
        """A new model with the loss of the task."""
        if self.model is None:
            dtype = "float64" if x.dtype == np.float64 else backend.floatx()
            model: Model = multilayer_perceptron(
                x.shape[1:], self.hidden_layer_sizes, self.activation, outputs, self._last, dtype
            )
        else:
            model = made_model(self.model, x.shape[1:], outputs)
        width = output_width(model, x[:1])
        self._check_width(model, width, outputs)
        model.compile(
            copied_optimizer(self.optimizer, self.learning_rate),
            self._default_loss(width, outputs) if self.loss is None else self.loss,
            metrics=self.metrics,
        )
        return model

    def _default_loss(self, width: int, outputs: int) -> str:
        raise NotImplementedError

    def _check_width(self, model: Model, width: int, outputs: int) -> None:
        raise NotImplementedError

    def _rows(self, n: int) -> int:
        """The rows of a batch."""
        return min(_LARGEST_BATCH, n) if self.batch_size == "auto" else self.batch_size

    # Prediction.

    def _outputs(self, x: Any) -> np.ndarray:
        """What the fitted model gives for examples."""
        check_is_fitted(self)
        x = as_readable(validate_data(self, x, dtype="numeric", allow_nd=True, reset=False))
        return self.model_.predict(x, batch_size=self._rows(len(x)), verbose=0)

    # Pickles.

    def __getstate__(self) -> dict[str, Any]:
        return packed(super().__getstate__())

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(unpacked(state))


def _of_mean_one(weight: np.ndarray | None) -> np.ndarray | None:
    """Weights with mean 1: steps are as large as without weights, and a row of weight 0 is as if it were not there."""
    if weight is None:
        return None
    if not weight.any():
        raise ValueError(
            f"All rows to train on have the weight 0. Received: {len(weight)} rows. Use a positive sample_weight and "
            "class_weight for some of them, and a validation_split that leaves these to train on."
        )
    return weight * (len(weight) / weight.sum())

"""FastnnTransformer: the features that a layer gives, as a transformer of scikit-learn."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin, clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_is_fitted, validate_data

from ...layers import Layer
from ...models import Model
from .estimator import NetworkEstimator
from .reading import as_readable
from .regressor import FastnnRegressor

__all__ = ["FastnnTransformer"]

_CODE = (64, 8, 64)
"""The hidden layers of the autoencoder that is made where no estimator is given."""


class FastnnTransformer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """The outputs of a layer of a trained model, as features for other estimators.

    Parameters
    ----------
    estimator : FastnnClassifier or FastnnRegressor, optional
        ``fit`` trains a copy of it.  One that is fitted already, in ``sklearn.frozen.FrozenEstimator(estimator)``,
        is used as it is.  None: an autoencoder, which is a regressor with the hidden layers 64, 8 and 64 that learns to
        give ``X`` back.
    layer : str or int, optional
        Name or index of the layer.  None: the last one before the output; with ``reconstruct`` the one with the fewest
        outputs, the code.
    reconstruct : bool
        Whether the targets are the inputs, flattened, whatever ``y`` is.
    random_state : int, RandomState or None
        Of the autoencoder that is made where ``estimator`` is None.

    Attributes
    ----------
    estimator_ : FastnnClassifier or FastnnRegressor
        The fitted one.
    layer_ : str
        The name of the layer.
    n_features_in_ : int
    feature_names_in_ : array of str
        Where ``X`` has column names.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(60, 12))
    >>> FastnnTransformer(random_state=0).fit_transform(X).shape
    (60, 8)
    """

    def __init__(
        self, estimator: Any = None, *, layer: Any = None, reconstruct: bool = False, random_state: Any = None
    ):
        self.estimator = estimator
        self.layer = layer
        self.reconstruct = reconstruct
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> FastnnTransformer:
        """Train the estimator on ``y``, or to give ``X`` back.

        Parameters
        ----------
        X : array (N, …)
        y : array, optional
            What ``estimator`` learns; not looked at if it learns ``X``.

        Raises
        ------
        ValueError
            For data that do not fit, no targets, or a layer that the model does not have.
        """
        X = as_readable(validate_data(self, X, dtype="numeric", allow_nd=True))
        reconstructs = self.reconstruct or self.estimator is None
        estimator = self._new_estimator()
        if reconstructs:
            y = X.reshape(len(X), -1)
        elif y is None and not hasattr(estimator, "model_"):
            raise ValueError(
                f"{type(estimator).__name__} needs targets: fit(X, y). Received: y=None. Use reconstruct=True to let "
                "it learn to reconstruct X, or FrozenEstimator(estimator) of sklearn.frozen if it is fitted."
            )
        estimator.fit(X, y)
        layer = _found(estimator.model_, self.layer, reconstructs)
        self.estimator_, self.layer_ = estimator, layer.name
        self._n_features_out = math.prod(self._features(X[:1]).shape[1:])
        return self

    def transform(self, X: Any) -> np.ndarray:
        """What the layer gives for each example, as one row of numbers.

        Parameters
        ----------
        X : array (N, …)

        Returns
        -------
        array (N, n_features_out)
        """
        check_is_fitted(self)
        X = as_readable(validate_data(self, X, dtype="numeric", allow_nd=True, reset=False))
        features = self._features(X)
        return features.reshape(len(features), -1)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    def _new_estimator(self) -> Any:
        """What ``fit`` trains."""
        if self.estimator is None:
            return FastnnRegressor(hidden_layer_sizes=_CODE, random_state=self.random_state)
        network = self.estimator.estimator if isinstance(self.estimator, FrozenEstimator) else self.estimator
        if not isinstance(network, NetworkEstimator):
            raise TypeError(
                f"estimator must be a FastnnClassifier or a FastnnRegressor. Received: {type(network).__name__}. Use "
                "FastnnClassifier(model), or FrozenEstimator(search.best_estimator_) for the best one of a search."
            )
        return clone(self.estimator)

    def _features(self, x: np.ndarray) -> np.ndarray:
        model = self.estimator_.model_
        part = Model(model.input, model.get_layer(self.layer_).output)
        return part.predict(x, batch_size=min(len(x), 1024), verbose=0)


def _found(model: Model, layer: Any, reconstructs: bool) -> Layer:
    """The layer whose outputs are the features."""
    if isinstance(layer, (int, np.integer)) and not isinstance(layer, bool):
        return model.get_layer(index=int(layer))
    if layer is not None:
        return model.get_layer(layer)
    hidden = [one for one in model.layers[:-1] if one.weights]
    if not hidden:
        raise ValueError(
            f'"{model.name}" has no layer with weights before its output. Received: layer=None. Use the name of a '
            f"layer: {[one.name for one in model.layers]}."
        )
    if not reconstructs:
        return model.layers[-2]
    return min(hidden, key=lambda one: math.prod(size or math.inf for size in one.output.shape[1:]))

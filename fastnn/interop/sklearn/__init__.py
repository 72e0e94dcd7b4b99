"""Estimators of scikit-learn made of models: a classifier, a regressor, and the features of a layer."""

from ...extras import library

library("sklearn", "sklearn", "An estimator of fastnn.interop")

from .classifier import FastnnClassifier  # noqa: E402
from .regressor import FastnnRegressor  # noqa: E402
from .transformer import FastnnTransformer  # noqa: E402

__all__ = ["FastnnClassifier", "FastnnRegressor", "FastnnTransformer"]

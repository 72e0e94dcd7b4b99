"""The first book's networks of fully connected layers."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from ._activations import Relu, Sigmoid
from ._affine import Affine
from ._batch_normalization import BatchNormalization
from ._dropout import Dropout
from ._losses import SoftmaxWithLoss
from .gradient import numerical_gradient

__all__ = ["MultiLayerNetExtend"]

_ACTIVATIONS: dict[str, Any] = {"sigmoid": Sigmoid, "relu": Relu}
_SCALES: dict[str, float] = {"relu": 2.0, "he": 2.0, "sigmoid": 1.0, "xavier": 1.0}


class MultiLayerNetExtend:
    """Fully connected layers with weight decay, dropout and batch normalization, for classification.

    Parameters
    ----------
    input_size, output_size : int
    hidden_size_list : list of int
    activation : {"relu", "sigmoid"}
    weight_init_std : float, or "relu" or "he" for √(2 / n), "sigmoid" or "xavier" for √(1 / n)
        The standard deviation of the weights of a layer with n inputs, drawn from NumPy's generator.
    weight_decay_lambda : float
        λ: ½ · λ · Σ W² is part of the loss.
    use_dropout : bool
    dropout_ration : float
        The book's spelling.
    use_batchnorm : bool

    Examples
    --------
    >>> np.random.seed(0)
    >>> network = MultiLayerNetExtend(4, [5, 6], 3, use_batchnorm=True)
    >>> sorted(network.gradient(np.random.randn(7, 4), np.array([0, 1, 2, 0, 1, 2, 0])))
    ['W1', 'W2', 'W3', 'b1', 'b2', 'b3', 'beta1', 'beta2', 'gamma1', 'gamma2']
    """

    def __init__(
        self,
        input_size: int,
        hidden_size_list: list[int],
        output_size: int,
        activation: str = "relu",
        weight_init_std: Any = "relu",
        weight_decay_lambda: float = 0,
        use_dropout: bool = False,
        dropout_ration: float = 0.5,
        use_batchnorm: bool = False,
    ):
        if activation not in _ACTIVATIONS:
            raise ValueError(f"activation must be 'relu' or 'sigmoid'. Received: activation={activation!r}.")
        self.input_size, self.output_size = input_size, output_size
        self.hidden_size_list, self.hidden_layer_num = hidden_size_list, len(hidden_size_list)
        self.weight_decay_lambda = weight_decay_lambda
        self.use_dropout, self.use_batchnorm = use_dropout, use_batchnorm
        self.params: dict[str, np.ndarray] = {}
        self._draw_weights(weight_init_std)
        self.layers: dict[str, Any] = {}
        for i in range(1, self.hidden_layer_num + 1):
            self._add_affine(i)
            if use_batchnorm:
                size = hidden_size_list[i - 1]
                self.params[f"gamma{i}"], self.params[f"beta{i}"] = np.ones(size), np.zeros(size)
                self.layers[f"BatchNorm{i}"] = BatchNormalization(self.params[f"gamma{i}"], self.params[f"beta{i}"])
            self.layers[f"Activation_function{i}"] = _ACTIVATIONS[activation]()
            if use_dropout:
                self.layers[f"Dropout{i}"] = Dropout(dropout_ration)
        self._add_affine(self.hidden_layer_num + 1)
        self.last_layer = SoftmaxWithLoss()

    def _draw_weights(self, weight_init_std: Any) -> None:
        sizes = [self.input_size, *self.hidden_size_list, self.output_size]
        for i, (rows, columns) in enumerate(pairwise(sizes), start=1):
            named = _SCALES.get(str(weight_init_std).lower())
            scale = weight_init_std if named is None else np.sqrt(named / rows)
            self.params[f"W{i}"] = scale * np.random.randn(rows, columns)
            self.params[f"b{i}"] = np.zeros(columns)

    def _add_affine(self, i: int) -> None:
        self.layers[f"Affine{i}"] = Affine(self.params[f"W{i}"], self.params[f"b{i}"])

    def predict(self, x: np.ndarray, train_flg: bool = False) -> np.ndarray:
        """Return the scores before the softmax, (N, output_size)."""
        for layer in self.layers.values():
            x = layer.forward(x, train_flg) if isinstance(layer, BatchNormalization | Dropout) else layer.forward(x)
        return x

    def loss(self, x: np.ndarray, t: np.ndarray, train_flg: bool = False) -> Any:
        """Return the cross-entropy and the weight decay."""
        loss = self.last_layer.forward(self.predict(x, train_flg), t)
        if self.weight_decay_lambda:
            squares = sum(np.sum(self.params[f"W{i}"] ** 2) for i in range(1, self.hidden_layer_num + 2))
            loss += 0.5 * self.weight_decay_lambda * squares
        return loss

    def accuracy(self, x: np.ndarray, t: np.ndarray) -> float:
        """Return the share of rows whose largest score is that of the label."""
        labels = t if t.ndim == 1 else np.argmax(t, axis=1)
        return np.sum(np.argmax(self.predict(x), axis=1) == labels) / float(x.shape[0])

    def numerical_gradient(self, x: np.ndarray, t: np.ndarray) -> dict[str, np.ndarray]:
        """Return the gradients by central differences, by the names of ``params``."""
        loss: Callable[[np.ndarray], Any] = lambda _: self.loss(x, t, train_flg=True)  # noqa: E731
        return {name: numerical_gradient(loss, value) for name, value in self.params.items()}

    def gradient(self, x: np.ndarray, t: np.ndarray) -> dict[str, np.ndarray]:
        """Return the gradients by backpropagation, by the names of ``params``."""
        self.loss(x, t, train_flg=True)
        dout = self.last_layer.backward(1)
        for layer in reversed(self.layers.values()):
            dout = layer.backward(dout)
        grads = {}
        for i in range(1, self.hidden_layer_num + 2):
            layer = self.layers[f"Affine{i}"]
            grads[f"W{i}"], grads[f"b{i}"] = layer.dW, layer.db
            if self.weight_decay_lambda:
                grads[f"W{i}"] = layer.dW + self.weight_decay_lambda * layer.W
            if f"BatchNorm{i}" in self.layers:
                norm = self.layers[f"BatchNorm{i}"]
                grads[f"gamma{i}"], grads[f"beta{i}"] = norm.dgamma, norm.dbeta
        return grads

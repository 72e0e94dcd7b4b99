"""The first book's network of fully connected layers, without dropout and batch normalization."""

from __future__ import annotations

from typing import Any

from .multi_layer_net_extend import MultiLayerNetExtend

__all__ = ["MultiLayerNet"]


class MultiLayerNet(MultiLayerNetExtend):
    """Fully connected layers with weight decay, for classification: arguments as those of `MultiLayerNetExtend`.

    Examples
    --------
    >>> import numpy as np
    >>> np.random.seed(0)
    >>> network = MultiLayerNet(input_size=4, hidden_size_list=[5], output_size=3, weight_decay_lambda=0.1)
    >>> x, t = np.random.randn(2, 4), np.array([0, 2])
    >>> exact, numerical = network.gradient(x, t), network.numerical_gradient(x, t)
    >>> max(float(abs(exact[name] - numerical[name]).max()) for name in exact) < 1e-5
    True
    """

    def __init__(
        self,
        input_size: int,
        hidden_size_list: list[int],
        output_size: int,
        activation: str = "relu",
        weight_init_std: Any = "relu",
        weight_decay_lambda: float = 0,
    ):
        super().__init__(input_size, hidden_size_list, output_size, activation, weight_init_std, weight_decay_lambda)

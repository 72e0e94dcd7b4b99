"""The first book's trainer: of networks with ``gradient``, ``loss`` and ``accuracy``."""

from __future__ import annotations

from typing import Any

import numpy as np

from .optimizer import SGD, AdaGrad, Adam, Momentum, Nesterov, RMSprop

__all__ = ["NetworkTrainer"]

_OPTIMIZERS: dict[str, Any] = {
    "sgd": SGD,
    "momentum": Momentum,
    "nesterov": Nesterov,
    "adagrad": AdaGrad,
    "rmsprop": RMSprop,
    "adam": Adam,
}


class NetworkTrainer:
    """Train a network by steps on random batches, and measure its accuracy after each epoch.

    Losses of all steps are in ``train_loss_list``, accuracies in ``train_acc_list`` and ``test_acc_list``.

    Examples
    --------
    >>> from fastnn.compat.book import MultiLayerNet, Trainer
    >>> np.random.seed(0)
    >>> x = np.random.randn(200, 2)
    >>> t = (x[:, 0] > x[:, 1]).astype(int)
    >>> trainer = Trainer(MultiLayerNet(2, [16], 2), x[:150], t[:150], x[150:], t[150:], epochs=20, mini_batch_size=10,
    ...                   optimizer="Adam", optimizer_param={"lr": 0.01}, verbose=False)
    >>> trainer.train()
    >>> bool(trainer.test_acc_list[-1] > 0.9), len(trainer.train_loss_list)
    (True, 300)
    """

    def __init__(
        self,
        network: Any,
        x_train: np.ndarray,
        t_train: np.ndarray,
        x_test: np.ndarray,
        t_test: np.ndarray,
        epochs: int = 20,
        mini_batch_size: int = 100,
        optimizer: str = "SGD",
        optimizer_param: dict[str, Any] | None = None,
        evaluate_sample_num_per_epoch: int | None = None,
        verbose: bool = True,
    ):
        if optimizer.lower() not in _OPTIMIZERS:
            raise ValueError(
                f"optimizer must be one of {', '.join(_OPTIMIZERS)}, in any case. Received: optimizer={optimizer!r}."
            )
        self.network, self.verbose = network, verbose
        self.x_train, self.t_train, self.x_test, self.t_test = x_train, t_train, x_test, t_test
        self.epochs, self.batch_size = epochs, mini_batch_size
        self.evaluate_sample_num_per_epoch = evaluate_sample_num_per_epoch
        self.optimizer = _OPTIMIZERS[optimizer.lower()](
            **({"lr": 0.01} if optimizer_param is None else optimizer_param)
        )
        self.train_size = x_train.shape[0]
        self.iter_per_epoch = max(self.train_size / mini_batch_size, 1)
        self.max_iter = int(epochs * self.iter_per_epoch)
        self.current_iter = self.current_epoch = 0
        self.train_loss_list: list[Any] = []
        self.train_acc_list: list[Any] = []
        self.test_acc_list: list[Any] = []

    def train_step(self) -> None:
        """Make one step, on rows that NumPy's generator draws; at the start of an epoch measure accuracy."""
        rows = np.random.choice(self.train_size, self.batch_size)
        x, t = self.x_train[rows], self.t_train[rows]
        self.optimizer.update(self.network.params, self.network.gradient(x, t))
        loss = self.network.loss(x, t)
        self.train_loss_list.append(loss)
        self._say(f"train loss:{loss}")
        if self.current_iter % self.iter_per_epoch == 0:
            self.current_epoch += 1
            some = slice(self.evaluate_sample_num_per_epoch)
            of_train = self.network.accuracy(self.x_train[some], self.t_train[some])
            of_test = self.network.accuracy(self.x_test[some], self.t_test[some])
            self.train_acc_list.append(of_train)
            self.test_acc_list.append(of_test)
            self._say(f"=== epoch:{self.current_epoch}, train acc:{of_train}, test acc:{of_test} ===")
        self.current_iter += 1

    def train(self) -> None:
        """Make all steps, and say the accuracy on the test set."""
        for _ in range(self.max_iter):
            self.train_step()
        accuracy = self.network.accuracy(self.x_test, self.t_test)
        self._say("=============== Final Test Accuracy ===============")
        self._say(f"test acc:{accuracy}")

    def _say(self, text: str) -> None:
        if self.verbose:
            print(text)

"""The trainers of both books."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ... import extras
from ._network_trainer import NetworkTrainer
from .util import clip_grads

__all__ = ["RnnlmTrainer", "Trainer", "remove_duplicate"]


class _Loop:
    """Steps of a model with ``forward``, ``backward``, ``params`` and ``grads``, and what is said about them."""

    _name = "loss"

    def __init__(self, model: Any, optimizer: Any):
        self.model, self.optimizer = model, optimizer
        self.eval_interval: int | None = None
        self.current_epoch = 0

    def _epoch(
        self,
        batches: Iterator[tuple[np.ndarray, np.ndarray]],
        count: int,
        max_grad: float | None,
        since: list[float],
        start: float,
        say: Callable[[float], float],
    ) -> None:
        """Train on the batches of an epoch; `since` holds the losses since the last report."""
        interval = self.eval_interval
        for i, (x, t) in enumerate(batches):
            loss = self.model.forward(x, t)
            self.model.backward()
            params, grads = remove_duplicate(self.model.params, self.model.grads)
            if max_grad is not None:
                clip_grads(grads, max_grad)
            self.optimizer.update(params, grads)
            since.append(loss)
            if interval is not None and i % interval == 0:
                value, seconds = say(sum(since) / len(since)), int(time.time() - start)
                place = f"epoch {self.current_epoch + 1} |  iter {i + 1} / {count}"
                print(f"| {place} | time {seconds}[s] | {self._name} {value:.2f}")
                since.clear()
        self.current_epoch += 1

    def _plot(self, values: list[float], ylim: tuple[float, float] | None) -> None:
        plt = extras.library("matplotlib.pyplot", "plot", "plot() draws with it")
        if ylim is not None:
            plt.ylim(*ylim)
        plt.plot(np.arange(len(values)), values, label="train")
        plt.xlabel(f"iterations (x{self.eval_interval})")
        plt.ylabel(self._name)
        plt.show()


class Trainer(_Loop):
    """Train a model on arrays: the second book's ``Trainer(model, optimizer).fit(x, t)``.

    With data among its arguments, ``Trainer(network, x_train, t_train, x_test, t_test, …).train()``, it is the first
    book's, a `NetworkTrainer`.

    Examples
    --------
    >>> from fastnn.compat.book import SGD, Affine, SoftmaxWithLoss
    >>> class Model:
    ...     def __init__(self):
    ...         self.layers = [Affine(np.zeros((2, 2)), np.zeros(2)), SoftmaxWithLoss()]
    ...         self.params, self.grads = self.layers[0].params, self.layers[0].grads
    ...     def forward(self, x, t):
    ...         return self.layers[1].forward(self.layers[0].forward(x), t)
    ...     def backward(self):
    ...         self.layers[0].backward(self.layers[1].backward())
    >>> np.random.seed(0)
    >>> trainer = Trainer(Model(), SGD(lr=1.0))
    >>> trainer.fit(np.eye(2).repeat(8, axis=0), np.arange(2).repeat(8), max_epoch=1, batch_size=8, eval_interval=1)
    | epoch 1 |  iter 1 / 2 | time 0[s] | loss 0.69
    | epoch 1 |  iter 2 / 2 | time 0[s] | loss 0.47
    """

    def __new__(cls, *args: Any, **options: Any) -> Any:
        """Make the trainer of the book whose arguments these are."""
        if cls is Trainer and (len(args) > 2 or "x_train" in options):
            return NetworkTrainer(*args, **options)
        return super().__new__(cls)

    def __init__(self, model: Any, optimizer: Any):
        super().__init__(model, optimizer)
        self.loss_list: list[float] = []

    def fit(
        self,
        x: np.ndarray,
        t: np.ndarray,
        max_epoch: int = 10,
        batch_size: int = 32,
        max_grad: float | None = None,
        eval_interval: int | None = 20,
    ) -> None:
        """Train for `max_epoch` epochs, the rows shuffled by NumPy's generator; a last partial batch is left out.

        Every `eval_interval` steps the mean loss since the last report is printed and kept in ``loss_list``.
        """
        self.eval_interval = eval_interval
        count, since, start = len(x) // batch_size, [], time.time()
        for _ in range(max_epoch):
            order = np.random.permutation(len(x))
            x, t = x[order], t[order]
            rows = (slice(i * batch_size, (i + 1) * batch_size) for i in range(count))
            self._epoch(((x[r], t[r]) for r in rows), count, max_grad, since, start, self._keep_loss)

    def _keep_loss(self, loss: float) -> float:
        self.loss_list.append(float(loss))
        return loss

    def plot(self, ylim: tuple[float, float] | None = None) -> None:
        """Draw ``loss_list``, with matplotlib."""
        self._plot(self.loss_list, ylim)


class RnnlmTrainer(_Loop):
    """Train a language model on one long sequence, whose parts run side by side in a batch.

    Every `eval_interval` steps the perplexity since the last report is printed and kept in ``ppl_list``.
    """

    _name = "perplexity"

    def __init__(self, model: Any, optimizer: Any):
        super().__init__(model, optimizer)
        self.time_idx = 0
        self.ppl_list: list[float] = []

    def get_batch(self, x: np.ndarray, t: np.ndarray, batch_size: int, time_size: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the next `time_size` steps of each part, (batch_size, time_size) of inputs and of targets."""
        size = len(x)
        starts = np.arange(batch_size)[:, None] * (size // batch_size)
        places = (starts + self.time_idx + np.arange(time_size)) % size
        self.time_idx += time_size
        return np.asarray(x)[places].astype(np.int32), np.asarray(t)[places].astype(np.int32)

    def fit(
        self,
        xs: np.ndarray,
        ts: np.ndarray,
        max_epoch: int = 10,
        batch_size: int = 20,
        time_size: int = 35,
        max_grad: float | None = None,
        eval_interval: int | None = 20,
    ) -> None:
        """Train for `max_epoch` epochs, in order: a stateful model continues from batch to batch."""
        self.time_idx, self.ppl_list, self.eval_interval = 0, [], eval_interval
        count, since, start = len(xs) // (batch_size * time_size), [], time.time()
        for _ in range(max_epoch):
            batches = (self.get_batch(xs, ts, batch_size, time_size) for _ in range(count))
            self._epoch(batches, count, max_grad, since, start, self._keep_perplexity)

    def _keep_perplexity(self, loss: float) -> float:
        self.ppl_list.append(float(np.exp(loss)))
        return self.ppl_list[-1]

    def plot(self, ylim: tuple[float, float] | None = None) -> None:
        """Draw ``ppl_list``, with matplotlib."""
        self._plot(self.ppl_list, ylim)


def remove_duplicate(params: list[np.ndarray], grads: list[np.ndarray]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return each shared array once, with the sum of its gradients, which is added up in the first of them.

    Two parameters are shared if they are one array, or one is the transposed view of the other (tied weights).

    Examples
    --------
    >>> W = np.zeros((2, 1))
    >>> params, grads = remove_duplicate([W, W.T, W], [np.ones((2, 1)), np.full((1, 2), 2.0), np.full((2, 1), 4.0)])
    >>> len(params), grads
    (1, [array([[7.],
           [7.]])])
    """
    kept: dict[tuple[Any, ...], int] = {}
    of_params: list[np.ndarray] = []
    of_grads: list[np.ndarray] = []
    for param, grad in zip(params, grads, strict=True):
        at = kept.get(_place(param))
        if at is not None:
            of_grads[at] += grad
        elif (at := kept.get(_place(param.T))) is not None:
            of_grads[at] += grad.T
        else:
            kept[_place(param)] = len(of_params)
            of_params.append(param)
            of_grads.append(grad)
    return of_params, of_grads


def _place(a: np.ndarray) -> tuple[Any, ...]:
    """Where the numbers of an array are."""
    return a.ctypes.data, a.shape, a.strides

"""Measure, and save, with the moving average of the weights that the optimizer keeps."""

from __future__ import annotations

from fastnn.callbacks.callback import Callback

__all__ = ["SwapEMAWeights"]


class SwapEMAWeights(Callback):
    """Puts the averaged weights in the model's place while it is evaluated, and the trained ones back afterwards.

    The optimizer has ``use_ema=True``.

    Parameters
    ----------
    swap_on_epoch : bool
        Whether the model also keeps the average from the end of an epoch to the beginning of the next, for
        callbacks that come later in the list, such as ``ModelCheckpoint``.

    Raises
    ------
    ValueError
        When weights are to be swapped and the optimizer keeps no average.

    Examples
    --------
    >>> import fastnn
    >>> model = fastnn.Sequential([fastnn.Input((3,)), fastnn.layers.Dense(1)])
    >>> model.compile(fastnn.optimizers.SGD(use_ema=True), "mse")
    >>> callbacks = [SwapEMAWeights(swap_on_epoch=True)]
    """

    def __init__(self, swap_on_epoch: bool = False):
        super().__init__()
        self.swap_on_epoch = bool(swap_on_epoch)

    def _swap(self, averaged: bool) -> None:
        """Give the model its averaged weights, or those of training."""
        optimizer = self.model.optimizer
        if not getattr(optimizer, "use_ema", False):
            raise ValueError(
                "SwapEMAWeights needs an optimizer that keeps averages. Received: "
                f"optimizer={optimizer!r}. Use use_ema=True in the optimizer."
            )
        if optimizer.averages_stand != averaged:
            optimizer.swap_averages()

    def on_epoch_begin(self, epoch, logs=None):
        self._swap(False)

    def on_epoch_end(self, epoch, logs=None):
        if self.swap_on_epoch:
            self._swap(True)

    def on_test_begin(self, logs=None):
        self._swap(True)

    def on_test_end(self, logs=None):
        self._swap(False)

    def on_predict_begin(self, logs=None):
        self._swap(True)

    def on_predict_end(self, logs=None):
        self._swap(False)

    def on_train_end(self, logs=None):
        self._swap(False)

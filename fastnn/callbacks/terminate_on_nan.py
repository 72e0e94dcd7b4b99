"""Stop at the first loss that is not a number."""

from __future__ import annotations

import math

from fastnn.callbacks.callback import Callback

__all__ = ["TerminateOnNaN"]


class TerminateOnNaN(Callback):
    """Ends training when the loss of a batch is NaN or infinite.

    Parameters
    ----------
    raise_error : bool
        Raise a RuntimeError instead of ending quietly.
    """

    def __init__(self, raise_error: bool = False):
        super().__init__()
        self.raise_error = raise_error

    def on_train_batch_end(self, batch, logs=None):
        loss = (logs or {}).get("loss")
        if loss is None or math.isfinite(loss):
            return
        if self.raise_error:
            raise RuntimeError(f"The loss of batch {batch} is {loss}. Lower the learning rate, or look at the data.")
        print(f"Batch {batch}: Invalid loss, terminating training")
        self.model.stop_training = True

"""GradientFlow: how large the gradient is that reaches each time step of a recurrent layer, while it trains."""

from __future__ import annotations

from typing import Any

import numpy as np

from .callback import Callback, Logs

__all__ = ["GradientFlow"]


class GradientFlow(Callback):
    """Records ‖∂L/∂h_t‖ for every time step t of a recurrent layer during ``fit``.

    The norm is taken over the units and averaged over the examples of a batch; L is the loss of the batch.  Where it
    falls off towards the first steps, the gradient vanishes: nothing that far back is learnt.

    Parameters
    ----------
    layer : str or layer
        A recurrent layer of the model (SimpleRNN, LSTM, GRU, RNN), or its name; of a Bidirectional one of its two,
        ``"forward_lstm"`` for instance.
    every : int, optional
        Record every this many batches.  Default: one record per epoch, the mean over its batches.

    Attributes
    ----------
    norms : list of array (T,)
        One record an epoch, or a batch, in the order of time.  Where batches of an epoch differ in length, they are
        aligned at the last step.

    Raises
    ------
    ValueError
        When training begins, if the model has no such layer.
    TypeError
        If the layer is not recurrent.

    References
    ----------
    Bengio, Simard, Frasconi: Learning Long-Term Dependencies with Gradient Descent is Difficult, 1994.

    Examples
    --------
    >>> from fastnn.layers import GRU, Dense, Input
    >>> from fastnn.models import Sequential
    >>> model = Sequential([Input((5, 2)), GRU(3, name="memory"), Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> flow = GradientFlow("memory")
    >>> history = model.fit(np.ones((8, 5, 2)), np.ones(8), epochs=3, callbacks=[flow], verbose=0)
    >>> len(flow.norms), flow.norms[0].shape
    (3, (5,))
    """

    remembers = ("norms", "_sum", "_count", "_batch")

    def __init__(self, layer: Any, every: int | None = None):
        super().__init__()
        if every is not None and (isinstance(every, bool) or not isinstance(every, (int, np.integer)) or every < 1):
            raise ValueError(f"every must be an integer, at least 1, or None. Received: every={every!r}.")
        self.layer, self.every = layer, every
        self.norms: list[np.ndarray] = []
        self._watched: Any = None
        self._sum, self._count = np.zeros(0), np.zeros(0)

    def on_train_begin(self, logs: Logs = None) -> None:
        """Find the layer, and listen to it."""
        self._watched, self._batch, self.norms = self._find(), 0, []
        if self.every is None:
            self._watched.listeners.append(self._hear)

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Listen to this batch, if it is one to record."""
        if self.every is not None and self._batch % self.every == 0:
            self._watched.listeners.append(self._hear)
        self._batch += 1

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Write down the record of this batch."""
        if self.every is not None and self._hear in self._watched.listeners:
            self._watched.listeners.remove(self._hear)
            self._write()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Write down the record of this epoch."""
        if self.every is None:
            self._write()

    def on_train_end(self, logs: Logs = None) -> None:
        """Stop listening."""
        if self._hear in self._watched.listeners:
            self._watched.listeners.remove(self._hear)

    def _hear(self, gradients: np.ndarray) -> None:
        """Add up the norms of one backward pass, gradients (N, T, units)."""
        norms = np.sqrt(np.square(gradients, dtype=np.float64).reshape(*gradients.shape[:2], -1).sum(-1)).mean(0)
        longer = max(len(norms), len(self._sum))
        self._sum = np.pad(self._sum, (longer - len(self._sum), 0)) + np.pad(norms, (longer - len(norms), 0))
        counted = np.pad(np.ones(len(norms)), (longer - len(norms), 0))
        self._count = np.pad(self._count, (longer - len(self._count), 0)) + counted

    def _write(self) -> None:
        if len(self._sum):
            self.norms.append(self._sum / self._count)
        self._sum, self._count = np.zeros(0), np.zeros(0)

    def _find(self) -> Any:
        """The layer to listen to, within models and wrappers too."""
        everything = list(_all_layers(self.model.layers))
        if isinstance(self.layer, str):
            found = [layer for layer in everything if layer.name == self.layer]
        else:
            found = [layer for layer in everything if layer is self.layer]
        if not found:
            names = [layer.name for layer in everything if hasattr(layer, "listeners")]
            raise ValueError(f"The model has the recurrent layers {names}. Received: layer={self.layer!r}.")
        if not hasattr(found[0], "listeners"):
            names = [layer.name for layer in _all_layers([found[0]]) if hasattr(layer, "listeners")]
            raise TypeError(
                f"GradientFlow listens to one recurrent layer. Received: {found[0].name!r}, "
                f"a {type(found[0]).__name__}." + (f" Type GradientFlow({names[0]!r})." if names else "")
            )
        return found[0]


def _all_layers(layers: Any) -> Any:
    """Layers, and those inside models and wrappers."""
    for layer in layers:
        yield layer
        yield from _all_layers(getattr(layer, "layers", None) or getattr(layer, "children", None) or ())

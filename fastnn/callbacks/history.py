"""What happened: losses and metrics of every epoch, and their curves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..extras import library
from .callback import Callback

__all__ = ["History"]


class History(Callback):
    """The record of a training; ``fit`` returns it.

    Attributes
    ----------
    history : dict
        From each name ("loss", "accuracy", "val_loss", …) to its values, one for each epoch.
    epoch : list of int
        The numbers of the epochs.

    Examples
    --------
    >>> history = History()
    >>> history.on_train_begin()
    >>> history.on_epoch_end(0, {"loss": 0.5, "val_loss": 0.6})
    >>> history.history
    {'loss': [0.5], 'val_loss': [0.6]}
    """

    remembers = ("history", "epoch")

    def __init__(self) -> None:
        super().__init__()
        self.history: dict[str, list[Any]] = {}
        self.epoch: list[int] = []

    def set_model(self, model):
        super().set_model(model)
        model.history = self

    def on_train_begin(self, logs=None):
        self.epoch = []

    def on_epoch_end(self, epoch, logs=None):
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)

    def plot(self, names: Sequence[str] | None = None, *, title: str | None = None) -> Any:
        """Curves of training and validation: a panel for each name, the loss last.

        Parameters
        ----------
        names : sequence of str, optional
            What to draw, without ``val_``: ``["loss"]``; all by default.
        title : str, optional

        Returns
        -------
        matplotlib.figure.Figure
            ``figure.savefig("curves.png")`` keeps it; ``plt.show()`` shows it.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If there is nothing to draw, or a name is not in the history.
        """
        plt = library("matplotlib.pyplot", "plot", "History.plot")
        ticker = library("matplotlib.ticker", "plot", "History.plot")
        known = list(dict.fromkeys(name.removeprefix("val_") for name in self.history))
        known.sort(key=lambda name: (name == "learning_rate", name == "loss"))
        names = known if names is None else [names] if isinstance(names, str) else list(names)
        if not names:
            raise ValueError("There is nothing to draw yet. Train first: history = model.fit(...); history.plot().")
        if missing := [name for name in names if name not in known]:
            raise ValueError(f"The history has no {missing[0]!r}. Known: {', '.join(map(repr, known))}.")
        figure, axes = plt.subplots(1, len(names), figsize=(5 * len(names), 4), squeeze=False, layout="constrained")
        for axis, name in zip(axes[0], names, strict=True):
            for key, label, style in ((name, "training", "-o"), (f"val_{name}", "validation", "--s")):
                if key in self.history:
                    epochs = range(1, len(self.history[key]) + 1)
                    axis.plot(epochs, self.history[key], style, label=label, markersize=3)
            axis.set_title(name.replace("_", " "))
            axis.set_xlabel("epoch")
            axis.xaxis.set_major_locator(ticker.MaxNLocator(integer=True))
            axis.grid(alpha=0.3)
            axis.legend()
        if title:
            figure.suptitle(title)
        return figure

    def _repr_html_(self) -> str:
        """The curves, which notebooks show for a history at the end of a cell; nothing to install."""
        from .curves import curves_html

        return curves_html(self.history)

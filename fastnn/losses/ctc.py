"""Connectionist temporal classification: a sequence of labels without the times at which they stand.

An alignment puts a label or a blank at each step; runs of one label count once, and blanks not at all. The loss is
``−log`` of the sum of all alignments' probabilities, which two recursions over the steps find: α from the front, β from
the back. Both run over the labels with a blank before, between and after them, S = 2L + 1 places.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fastnn import backend
from fastnn.losses import targets
from fastnn.losses.loss import Loss

__all__ = ["CTC"]

_BLANK = 0
_IMPOSSIBLE = -np.inf  # the logarithm of 0


class CTC(Loss):
    """``−log Σ p(alignment)`` over all alignments of labels with the steps of predictions; one value an example.

    Predictions are logits (N, T, C), of which class 0 is the blank. Targets are labels (N, L) from 1 to C − 1, filled
    up with 0 behind.

    Notes
    -----
    Source: Graves and others, "Connectionist Temporal Classification" (2006).

    Examples
    --------
    >>> round(float(CTC()([[1, 2]], np.zeros((1, 2, 3)))), 4)
    2.1972
    """

    def __init__(self, reduction: str | None = "sum_over_batch_size", name: str | None = "ctc", dtype: Any = None):
        super().__init__(reduction, name, dtype)

    def values_shape(self, y_shape):
        return tuple(y_shape[:1])

    def check_targets(self, y_shape, t):
        t = np.asarray(t)
        if len(y_shape) != 3 or t.ndim != 2:
            raise ValueError(
                f"{self.name} compares logits of shape (N, steps, classes) with labels of shape (N, length). Received: "
                f"predictions of shape {tuple(y_shape)}, targets of shape {t.shape}."
            )
        labels = targets.labels(self.name, (None, t.shape[1], y_shape[2]), t)
        filled = np.arange(t.shape[1]) < (labels != _BLANK).sum(axis=1, keepdims=True)
        if np.any((labels == _BLANK) & filled):
            example = int(np.argmax(((labels == _BLANK) & filled).any(axis=1)))
            raise ValueError(
                f"{self.name}: 0 is the blank, which only fills up labels behind. Received: {labels[example]} in "
                f"example {example}. Use y + 1 for labels that start at 0."
            )
        self._refuse_too_few_steps(y_shape[1], labels, filled)
        return labels

    def _refuse_too_few_steps(self, steps: int | None, labels: np.ndarray, filled: np.ndarray) -> None:
        """Two labels alike need a blank between them."""
        needed = filled.sum(axis=1) + ((labels[:, 1:] == labels[:, :-1]) & filled[:, 1:]).sum(axis=1)
        if steps is not None and needed.size and needed.max() > steps:
            example = int(needed.argmax())
            raise ValueError(
                f"{self.name}: the labels of example {example} need {needed[example]} steps, one each and one between "
                f"equal neighbours. Received: predictions of {steps} steps. Use fewer strides or pooling, or leave out "
                "such examples."
            )

    def call(self, y_true, y_pred):
        return self.forward(targets.real(y_pred), y_true)[0]

    def forward(self, y, t):
        labels = self.check_targets(y.shape, t)
        log_p = backend.active().log_softmax_forward(np.ascontiguousarray(y))
        places = _Places(labels, log_p)
        alpha = places.forward()
        losses = -places.total(alpha[-1]) if len(alpha) else np.zeros(len(y))
        return losses.astype(y.dtype), (log_p, places, alpha, losses)

    def backward(self, scale, ctx):
        log_p, places, alpha, losses = ctx
        occupied = np.exp(alpha + places.backward() + losses[:, None])  # (T, N, S): the chance of each place
        dz = np.exp(log_p)
        steps, examples, classes = np.ix_(range(len(alpha)), range(len(losses)), range(places.classes.shape[1]))
        np.subtract.at(dz, (examples, steps, places.classes[examples, classes]), occupied.astype(dz.dtype))
        return dz * scale.reshape(-1, 1, 1)


class _Places:
    """Labels with blanks around them, and the recursions over the steps, in logarithms.

    Attributes
    ----------
    classes : (N, S) int
        What stands at each place: a blank at even ones.
    """

    def __init__(self, labels: np.ndarray, log_p: np.ndarray):
        examples, length = labels.shape
        self.classes = np.full((examples, 2 * length + 1), _BLANK)
        self.classes[:, 1::2] = labels
        self.last = 2 * (labels != _BLANK).sum(axis=1)  # the blank behind the last label
        self.emitted = np.take_along_axis(log_p.astype(np.float64), self.classes[:, None], axis=2).swapaxes(0, 1)
        skipped = np.zeros(self.classes.shape, bool)  # a blank between different labels may be left out
        skipped[:, 2:] = (self.classes[:, 2:] != _BLANK) & (self.classes[:, 2:] != self.classes[:, :-2])
        self.skip = np.where(skipped, 0.0, _IMPOSSIBLE)

    def forward(self) -> np.ndarray:
        """``α (T, N, S)``: the first steps emit all up to this place, and stand there."""
        alpha = np.full_like(self.emitted, _IMPOSSIBLE)
        alpha[:1, :, :2] = self.emitted[:1, :, :2]
        for t in range(1, len(alpha)):
            before = np.pad(alpha[t - 1], ((0, 0), (2, 0)), constant_values=_IMPOSSIBLE)
            stay_or_move = np.logaddexp(before[:, 2:], before[:, 1:-1])
            alpha[t] = np.logaddexp(stay_or_move, before[:, :-2] + self.skip) + self.emitted[t]
        return alpha

    def backward(self) -> np.ndarray:
        """``β (T, N, S)``: the steps after this one emit the rest, from this place on."""
        beta = np.full_like(self.emitted, _IMPOSSIBLE)
        rows = np.arange(len(self.last))
        beta[-1:, rows, self.last] = beta[-1:, rows, np.maximum(self.last - 1, 0)] = 0.0
        skip = np.pad(self.skip, ((0, 0), (0, 2)), constant_values=_IMPOSSIBLE)[:, 2:]
        for t in range(len(beta) - 2, -1, -1):
            after = np.pad(beta[t + 1] + self.emitted[t + 1], ((0, 0), (0, 2)), constant_values=_IMPOSSIBLE)
            beta[t] = np.logaddexp(np.logaddexp(after[:, :-2], after[:, 1:-1]), after[:, 2:] + skip)
        return beta

    def total(self, alpha: np.ndarray) -> np.ndarray:
        """The logarithm of the sum over all alignments: they end at the last label or the blank behind it."""
        rows = np.arange(len(self.last))
        at_label = np.where(self.last > 0, alpha[rows, np.maximum(self.last - 1, 0)], _IMPOSSIBLE)
        return np.logaddexp(alpha[rows, self.last], at_label)

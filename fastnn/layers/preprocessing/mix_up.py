"""MixUp: images, and their labels, mixed with those of other images of the batch."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...lookup import is_number
from .augmentation import Augmentation, Back

__all__ = ["MixUp"]


class MixUp(Augmentation):
    """y = w·x + (1 − w)·x of another image of the batch, in training, with w of a beta distribution for each image.

    images (N, H, W, C) → the same shape; a dict with "images" and "labels" gives both, mixed alike.

    Parameters
    ----------
    alpha : float
        Both parameters of the beta distribution; small ones mix little.
    data_format : {"channels_last", "channels_first"}
    seed : int, optional
        A fixed start of the draws; None takes one from ``fastnn.utils.set_random_seed``.

    Raises
    ------
    ValueError
        If alpha is not positive.

    References
    ----------
    Zhang et al.: mixup: Beyond Empirical Risk Minimization, 2018.

    Examples
    --------
    >>> x, labels = np.ones((4, 2, 2, 1)), np.eye(4)
    >>> both = MixUp()({"images": x, "labels": labels})
    >>> both["labels"].sum(axis=1).round(6).tolist()
    [1.0, 1.0, 1.0, 1.0]
    """

    fields = ("alpha", "seed", "data_format")

    def __init__(self, alpha: float = 0.2, data_format: str | None = None, seed: int | None = None, **settings: Any):
        super().__init__(seed, data_format, **settings)
        if not is_number(alpha) or alpha <= 0:
            raise ValueError(f"alpha of MixUp is a positive number. Received: alpha={alpha!r}.")
        self.alpha = float(alpha)

    def __call__(self, x: Any, training: bool | None = None, mask: Any = None) -> Any:
        if not isinstance(x, dict):
            return super().__call__(x, training, mask)
        if set(x) != {"images", "labels"}:
            raise ValueError(f'MixUp takes a dict with "images" and "labels". Received: the keys {sorted(x)}.')
        images = super().__call__(x["images"], training)
        labels = np.asarray(x["labels"], self.dtype)
        if training is None or training:
            weight, order = self._mixture(len(labels))
            labels = _mixed(labels, weight, order)
        return {"images": images, "labels": labels}

    def _mixture(self, rows: int) -> tuple[np.ndarray, np.ndarray]:
        """The weights and partners of the last draw."""
        generator = np.random.Generator(np.random.Philox(key=self.key, counter=[0, 0, self.last_draw, 0]))
        order = generator.permutation(rows)
        return generator.beta(self.alpha, self.alpha, rows), order

    def augment(self, x: np.ndarray, u: np.ndarray) -> tuple[np.ndarray, Back]:
        weight, order = self._mixture(len(x))

        def back(dy: np.ndarray) -> np.ndarray:
            own = weight.astype(dy.dtype).reshape(-1, 1, 1, 1)
            dx = own * dy
            dx[order] += (1 - own) * dy
            return dx

        return _mixed(x, weight, order), back


def _mixed(x: np.ndarray, weight: np.ndarray, order: np.ndarray) -> np.ndarray:
    own = weight.astype(x.dtype).reshape(-1, *(1,) * (x.ndim - 1))
    return own * x + (1 - own) * x[order]

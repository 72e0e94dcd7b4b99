"""RandomFlip: images mirrored at random."""

from __future__ import annotations

from typing import Any

import numpy as np

from .augmentation import Augmentation, Back

__all__ = ["RandomFlip"]

_AXES = {"horizontal": (2,), "vertical": (1,), "horizontal_and_vertical": (2, 1)}


class RandomFlip(Augmentation):
    """Each image mirrored or not, in training.

    images (N, H, W, C) or (H, W, C) → the same shape.

    Parameters
    ----------
    mode : {"horizontal_and_vertical", "horizontal", "vertical"}
        Left and right, or up and down, change places; with both, each on its own.
    seed : int, optional
        A fixed start of the draws; None takes one from ``fastnn.utils.set_random_seed``.
    data_format : {"channels_last", "channels_first"}

    Raises
    ------
    ValueError
        For another mode.

    Notes
    -----
    Keras draws one number an image for both directions; here an image may be mirrored in one of them.

    Examples
    --------
    >>> x = np.arange(3.0).reshape(1, 1, 3, 1)
    >>> sorted({tuple(RandomFlip("horizontal", seed=s)(x).ravel().tolist()) for s in range(9)})
    [(0.0, 1.0, 2.0), (2.0, 1.0, 0.0)]
    """

    draws = 2
    fields = ("mode", "seed", "data_format")

    def __init__(
        self,
        mode: str = "horizontal_and_vertical",
        seed: int | None = None,
        data_format: str | None = None,
        **settings: Any,
    ):
        super().__init__(seed, data_format, **settings)
        if not isinstance(mode, str) or mode not in _AXES:
            raise ValueError(f"mode of RandomFlip must be one of {', '.join(_AXES)}. Received: mode={mode!r}.")
        self.mode = mode

    def augment(self, x: np.ndarray, u: np.ndarray) -> tuple[np.ndarray, Back]:
        def flipped(images: np.ndarray) -> np.ndarray:
            y = images
            for place, axis in enumerate(_AXES[self.mode]):
                chosen = u[:, place] < 0.5
                y = y.copy() if y is images else y
                y[chosen] = np.flip(y[chosen], axis)
            return y

        return flipped(x), flipped

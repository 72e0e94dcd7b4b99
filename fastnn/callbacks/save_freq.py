"""How often a callback writes a file: after each epoch, or after this number of batches."""

from __future__ import annotations

from typing import Any

__all__ = ["check_save_freq"]


def check_save_freq(save_freq: Any) -> str | int:
    """Return ``save_freq``, "epoch" or a number of batches.

    Raises
    ------
    ValueError
        If it is neither.
    """
    whole = isinstance(save_freq, int) and not isinstance(save_freq, bool) and save_freq >= 1
    if save_freq != "epoch" and not whole:
        raise ValueError(f'save_freq must be "epoch" or a number of batches. Received: save_freq={save_freq!r}.')
    return save_freq

"""``fastnn.utils.pad_sequences`` under its other Keras name."""

from ..utils import pad_sequences

__all__ = ["pad_sequences"]

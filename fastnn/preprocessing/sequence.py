"""``fastnn.utils.pad_sequences`` under Keras' other name."""

from ..utils import pad_sequences

__all__ = ["pad_sequences"]

"""Data on its way into a model: reading what the user hands in, and batches."""

from .batches import ArrayBatches, IterableBatches

__all__ = ["ArrayBatches", "IterableBatches"]

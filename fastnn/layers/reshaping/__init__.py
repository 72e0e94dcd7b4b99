"""Layers that move, repeat, pad or crop values."""

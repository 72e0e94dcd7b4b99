"""The second book's switch between NumPy and CuPy: ``config.GPU = False`` is the one that fastnn has."""

__all__ = ["GPU"]

GPU = False

"""Models: layers put together, compiled, trained and used."""

from .model import Model
from .sequential import Sequential

__all__ = ["Model", "Sequential"]

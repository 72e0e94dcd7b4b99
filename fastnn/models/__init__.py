"""Models: layers put together, compiled, trained, used, saved and loaded."""

from typing import TYPE_CHECKING

from .. import absent
from ..saving import clone_model, load_model, model_from_json, save_model
from .model import Model
from .sequential import Sequential

__all__ = ["Model", "Sequential", "clone_model", "load_model", "model_from_json", "save_model"]

if not TYPE_CHECKING:
    __getattr__ = absent.answer(__name__)

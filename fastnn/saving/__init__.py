"""Saving: models and weights in files, and the names under which files know what is the user's own.

>>> import fastnn
>>> model = fastnn.saving.model_from_json(fastnn.Sequential([fastnn.layers.Dense(1, input_shape=(2,))]).to_json())
>>> model.count_params()
3
"""

from typing import TYPE_CHECKING

from .. import absent
from ..custom import CustomObjectScope, get_custom_objects, register
from ..custom import CustomObjectScope as custom_object_scope
from ..custom import name_of as get_registered_name
from ..custom import register as register_keras_serializable
from ..custom import registered_object as get_registered_object
from .architecture import clone_model, model_from_json, to_json
from .model_file import load_model, save_model
from .paths import layer_paths, weight_paths
from .weights_file import load_weights, save_weights

__all__ = [
    "CustomObjectScope",
    "clone_model",
    "custom_object_scope",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "layer_paths",
    "load_model",
    "load_weights",
    "model_from_json",
    "register",
    "register_keras_serializable",
    "save_model",
    "save_weights",
    "to_json",
    "weight_paths",
]

if not TYPE_CHECKING:
    __getattr__ = absent.answer(__name__)

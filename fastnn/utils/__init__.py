"""Small helpers: the random seed, layer names, and conversions of data for a model."""

from typing import TYPE_CHECKING

from .. import absent
from ..custom import CustomObjectScope, get_custom_objects
from ..custom import CustomObjectScope as custom_object_scope
from ..custom import name_of as get_registered_name
from ..custom import register as register_keras_serializable
from ..custom import registered_object as get_registered_object
from ..seeds import draw_key, random_generator, set_random_seed
from .categories import to_categorical, vectorize_sequences
from .directories import image_dataset_from_directory, text_dataset_from_directory
from .file_download import get_file
from .image_files import array_to_img, img_to_array, load_img, save_img
from .model_plot import model_to_dot, plot_model
from .names import clear_session, unique_name
from .normalization import normalize
from .padding import pad_sequences
from .progress import Progbar
from .py_dataset import PyDataset, Sequence
from .splitting import split_dataset
from .threadpool import register_threadpoolctl
from .timeseries import timeseries_dataset_from_array

__all__ = [
    "Progbar",
    "PyDataset",
    "Sequence",
    "array_to_img",
    "get_file",
    "image_dataset_from_directory",
    "img_to_array",
    "load_img",
    "save_img",
    "text_dataset_from_directory",
    "CustomObjectScope",
    "custom_object_scope",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "register_keras_serializable",
    "clear_session",
    "draw_key",
    "model_to_dot",
    "normalize",
    "pad_sequences",
    "plot_model",
    "random_generator",
    "register_threadpoolctl",
    "set_random_seed",
    "split_dataset",
    "timeseries_dataset_from_array",
    "to_categorical",
    "unique_name",
    "vectorize_sequences",
]

if not TYPE_CHECKING:
    __getattr__ = absent.answer(__name__)

"""Pictures in files as arrays, and back; needs Pillow."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from ..extras import library

__all__ = ["array_to_img", "img_to_array", "load_img", "save_img"]

_MODES = {"rgb": "RGB", "rgba": "RGBA", "grayscale": "L"}
_FILTERS = {
    "nearest": "NEAREST",
    "bilinear": "BILINEAR",
    "bicubic": "BICUBIC",
    "hamming": "HAMMING",
    "box": "BOX",
    "lanczos": "LANCZOS",
}


def _pillow(use: str) -> Any:
    return library("PIL.Image", "images", use)


def _one_of(name: str, value: Any, known: Any) -> Any:
    if not isinstance(value, str) or value not in known:
        raise ValueError(f"{name} must be one of {', '.join(known)}. Received: {name}={value!r}.")
    return value


def _is_first(data_format: str | None) -> bool:
    known = ("channels_last", "channels_first")
    return _one_of("data_format", data_format or known[0], known) == known[1]


def load_img(
    path: Any,
    color_mode: str = "rgb",
    target_size: tuple[int, int] | None = None,
    interpolation: str = "nearest",
    keep_aspect_ratio: bool = False,
) -> Any:
    """Load a picture from a file, as Pillow has it; ``img_to_array`` makes an array of it.

    Parameters
    ----------
    path : path or open file
    color_mode : {"rgb", "rgba", "grayscale"}
    target_size : (height, width), optional
    interpolation : {"nearest", "bilinear", "bicubic", "hamming", "box", "lanczos"}
        For another size.
    keep_aspect_ratio : bool
        Whether what is too much for the proportions of ``target_size`` is cut off on both sides first.

    Raises
    ------
    ImportError
        Without Pillow; the message says what to install.
    ValueError
        If an argument has none of these values.
    """
    pillow = _pillow("load_img")
    mode = _MODES[_one_of("color_mode", color_mode, _MODES)]
    how = _FILTERS[_one_of("interpolation", interpolation, _FILTERS)]
    with pillow.open(path) as file:
        image = file.convert(mode)
    if target_size is None:
        return image
    height, width = target_size
    if keep_aspect_ratio:
        wide, high = image.size
        rows, columns = max(min(high, wide * height // width), 1), max(min(wide, high * width // height), 1)
        top, left = (high - rows) // 2, (wide - columns) // 2
        image = image.crop((left, top, left + columns, top + rows))
    return image if image.size == (width, height) else image.resize((width, height), getattr(pillow.Resampling, how))


def img_to_array(img: Any, data_format: str | None = None, dtype: Any = None) -> np.ndarray:
    """A picture of Pillow as an array (height, width, channels), of 0 to 255.

    Parameters
    ----------
    img : picture or array
    data_format : {"channels_last", "channels_first"}
    dtype : optional
        Default: float32.

    Raises
    ------
    ValueError
        If it has another rank.

    Examples
    --------
    >>> img_to_array(np.zeros((2, 3))).shape
    (2, 3, 1)
    """
    first = _is_first(data_format)
    found = np.asarray(img, np.float32 if dtype is None else dtype)
    if found.ndim not in (2, 3):
        raise ValueError(f"A picture has 2 or 3 axes. Received: shape {found.shape}.")
    found = found[..., None] if found.ndim == 2 else found
    return np.ascontiguousarray(found.transpose(2, 0, 1)) if first else found


def array_to_img(x: Any, data_format: str | None = None, scale: bool = True, dtype: Any = None) -> Any:
    """An array (height, width, channels) as a picture of Pillow.

    Parameters
    ----------
    x : array
        Of 1, 3 or 4 channels.
    data_format : {"channels_last", "channels_first"}
    scale : bool
        Whether the least value becomes 0 and the greatest 255.
    dtype : optional
        In which scaling is done; default: float32.

    Raises
    ------
    ImportError
        Without Pillow; the message says what to install.
    ValueError
        If the shape is another.
    """
    pillow = _pillow("array_to_img")
    first = _is_first(data_format)
    array = np.asarray(x, np.float32 if dtype is None else dtype)
    array = array.transpose(1, 2, 0) if first and array.ndim == 3 else array
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4):
        raise ValueError(
            f"A picture is an array (height, width, channels) of 1, 3 or 4 channels. Received: {np.shape(x)}."
        )
    if scale:
        array = array - array.min()
        greatest = array.max()
        array = array / greatest * 255 if greatest else array
    bytes_ = array.astype(np.uint8)
    return pillow.fromarray(bytes_[:, :, 0] if bytes_.shape[2] == 1 else bytes_)


def save_img(
    path: str | os.PathLike[str],
    x: Any,
    data_format: str | None = None,
    file_format: str | None = None,
    scale: bool = True,
    **kwargs: Any,
) -> None:
    """Write an array (height, width, channels) to a file as a picture.

    Parameters
    ----------
    path : path
    x : array
    data_format, scale : as for ``array_to_img``
    file_format : str, optional
        Default: by the ending of the path.
    kwargs : what ``PIL.Image.save`` takes.
    """
    image = array_to_img(x, data_format, scale)
    if image.mode == "RGBA" and (file_format or os.fspath(path).rpartition(".")[2]).lower() in ("jpg", "jpeg"):
        image = image.convert("RGB")
    image.save(path, format=file_format, **kwargs)

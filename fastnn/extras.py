"""Libraries that are not required: imported where they are used, with an error that names the extra to install."""

from __future__ import annotations

import importlib
from typing import Any

__all__ = ["library"]


def library(name: str, extra: str, use: str) -> Any:
    """A library that an extra of the package installs.

    Parameters
    ----------
    name : str
        What ``import`` would be given, for instance ``"h5py"`` or ``"sklearn.base"``.
    extra : str
        The extra of ``fastnn-kernels`` that installs it.
    use : str
        What needs it, as the subject of the error's first sentence.

    Returns
    -------
    module

    Raises
    ------
    ImportError
        If it is not installed.

    Examples
    --------
    >>> library("math", "all", "This example").floor(2.5)
    2
    >>> library("no_such_library", "all", "This example")
    Traceback (most recent call last):
        ...
    ImportError: This example needs no_such_library, which is not installed. Run: pip install 'fastnn-kernels[all]'
    """
    try:
        found = importlib.import_module(name)
        if found.__name__.startswith(f"{__package__}."):  # fastnn.compat.install() replaces missing packages
            raise ModuleNotFoundError(name=name)
        return found
    except ModuleNotFoundError as error:
        top = name.partition(".")[0]
        if error.name is None or error.name.partition(".")[0] != top:  # the library is there and lacks one of its own
            raise
        raise ImportError(
            f"{use} needs {top}, which is not installed. Run: pip install 'fastnn-kernels[{extra}]'", name=top
        ) from None

"""Models of the second book: parameters in files."""

from __future__ import annotations

import os
import zipfile
from typing import Any

import numpy as np

__all__ = ["BaseModel"]


class BaseModel:
    """A model with ``params`` and ``grads``, whose parameters can be saved and loaded.

    The book writes a pickle, which runs any code in it. Here the file is an archive of arrays (that of
    ``numpy.savez``) under the same name; the numbers are float16, as in the book.

    Examples
    --------
    >>> import tempfile
    >>> class Model(BaseModel):
    ...     def __init__(self):
    ...         self.params, self.grads = [np.ones(3, np.float32)], []
    >>> model = Model()
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     model.save_params(folder + "/Model.pkl")
    ...     model.params[0][...] = 0
    ...     model.load_params(folder + "/Model.pkl")
    >>> model.params[0]
    array([1., 1., 1.], dtype=float32)
    """

    params: list[np.ndarray] | None
    grads: list[np.ndarray] | None

    def __init__(self) -> None:
        self.params, self.grads = None, None

    def forward(self, *args: Any) -> Any:
        """Compute the loss: written by each model."""
        raise NotImplementedError

    def backward(self, *args: Any) -> Any:
        """Compute the gradients: written by each model."""
        raise NotImplementedError

    def save_params(self, file_name: str | None = None) -> None:
        """Write the parameters as float16 into a file, by default the name of the class and ``.pkl``."""
        name = type(self).__name__ + ".pkl" if file_name is None else file_name
        beside = f"{name}.partial"
        with open(beside, "wb") as file:
            np.savez(file, *[p.astype(np.float16) for p in self.params or []])
        os.replace(beside, name)

    def load_params(self, file_name: str | None = None) -> None:
        """Assign the parameters of a file that `save_params` has written.

        Raises
        ------
        OSError
            If the file does not exist.
        ValueError
            If it is a pickle or another kind of file, or its arrays do not have the shapes of the parameters; then
            nothing is changed.
        """
        name = type(self).__name__ + ".pkl" if file_name is None else file_name
        if not os.path.exists(name):
            raise OSError(f"The file {name!r} does not exist. Call save_params first.")
        if not zipfile.is_zipfile(name):
            raise ValueError(
                f"load_params reads files of save_params. Received: {name!r}, which is not one. For a pickle of the "
                "book's own code, which can run any code, and only if you trust it: "
                f"Use `for p, q in zip(model.params, pickle.load(open({name!r}, 'rb'))): p[...] = q`."
            )
        with np.load(name, allow_pickle=False) as arrays:
            loaded = [arrays[f"arr_{i}"] for i in range(len(arrays.files))]
        params = self.params or []
        if [a.shape for a in loaded] != [p.shape for p in params]:
            raise ValueError(
                f"The arrays of {name!r} must have the shapes of the parameters, {[p.shape for p in params]}. "
                f"Received: {[a.shape for a in loaded]}. Use the model that saved them."
            )
        for param, value in zip(params, loaded, strict=True):
            param[...] = value.astype(np.float32)

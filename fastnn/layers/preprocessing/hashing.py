"""Hashing: texts and integers as ids without a vocabulary."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...data.texts import as_texts, is_text
from ..support.arguments import positive
from ..support.array_checks import read_ids
from .encoding import Encoding, encode, mode_of, refuse_sparse
from .hashes import bucket, read_salt

__all__ = ["Hashing", "read_categories"]


def read_categories(x: Any, layer: Any) -> np.ndarray:
    """Texts as an array of Python strings, or integers as int64."""
    array = np.asarray(x)
    return as_texts(type(layer).__name__, x) if is_text(array.dtype) else read_ids(array, layer).reshape(array.shape)


class Hashing(Encoding):
    """Texts or integers as ids from 0 to ``num_bins`` − 1: hash(value) mod num_bins.

    values of any shape → int64 ids of the same shape, or rows as ``output_mode`` says.

    Parameters
    ----------
    num_bins : int
        With ``mask_value``, that of 0 included.
    mask_value : str or int, optional
        Gets id 0, and no other value does.
    salt : int or two integers, optional
        The hash is FarmHash64, and with a salt SipHash64 with this key; integers are hashed as their digits.  Both are
        Keras' on TensorFlow, id by id.
    output_mode : {"int", "one_hot", "multi_hot", "count"}
    sparse : bool
        False.

    Raises
    ------
    ValueError
        If an argument has none of these values.

    Notes
    -----
    In front of a model say what comes in: ``Input(shape=(1,), dtype="string")``, else integers are read.

    Examples
    --------
    >>> Hashing(3)(["A", "B", "C", "D", "E"])
    array([1, 0, 1, 1, 2])
    >>> Hashing(3, mask_value="")(["A", "", "B"])
    array([1, 0, 1])
    """

    takes_ids = True
    takes_texts = True
    fields = ("num_bins", "mask_value", "salt", "output_mode")

    def __init__(
        self,
        num_bins: int,
        mask_value: Any = None,
        salt: Any = None,
        output_mode: str = "int",
        sparse: bool = False,
        **settings: Any,
    ):
        if settings.get("dtype") in ("int32", "int64"):
            settings.pop("dtype")  # that of the ids, in Keras
        super().__init__(**settings)
        refuse_sparse(sparse, self)
        self.num_bins, self.mask_value = positive("num_bins", num_bins, self), mask_value
        self.salt = read_salt(salt, self)
        self.output_mode = mode_of(output_mode, ("int", "one_hot", "multi_hot", "count"))

    def read_input(self, x: Any) -> np.ndarray:
        return read_categories(x, self)

    def depth(self) -> int:
        return self.num_bins

    def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, Any]:
        values = x if x.dtype in (np.int64, object) else read_ids(x, self)
        first = 1 if self.mask_value is not None and self.num_bins > 1 else 0
        bins, mask = self.num_bins - first, self.mask_value
        found: dict[Any, int] = {}
        for value in values.ravel().tolist():
            if value not in found:
                found[value] = 0 if first and value == mask else bucket(str(value), bins, self.salt) + first
        ids = np.fromiter((found[value] for value in values.ravel().tolist()), np.int64, values.size)
        return encode(ids.reshape(values.shape), self.output_mode, self.num_bins, self.dtype), x.shape

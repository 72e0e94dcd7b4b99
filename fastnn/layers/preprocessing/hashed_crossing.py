"""HashedCrossing: several categories at once as one id, by a hash of all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..support.arguments import positive
from .encoding import Encoding, encode, mode_of, refuse_sparse
from .hashes import farmhash64, joined
from .hashing import read_categories

__all__ = ["HashedCrossing"]

_START = 0xDECAFCAFFE


class HashedCrossing(Encoding):
    """The combination of two or more categories as an id from 0 to ``num_bins`` − 1.

    a list of texts or integers, each (N,) or (N, 1) → int64 ids of that shape, or rows (N, num_bins).

    Parameters
    ----------
    num_bins : int
    output_mode : {"int", "one_hot"}
    sparse : bool
        False.

    Raises
    ------
    ValueError
        If an argument has none of these values, or the inputs have other shapes.

    Notes
    -----
    The ids are Keras' on TensorFlow: the FarmHash64 of each text, and integers as they are, concatenated.

    Examples
    --------
    >>> HashedCrossing(5)([np.array(["A", "B", "A"]), np.array([101, 101, 102])])
    array([1, 4, 3])
    """

    takes_several = True
    takes_texts = True
    casts_inputs = False
    fields = ("num_bins", "output_mode")

    def __init__(self, num_bins: int, output_mode: str = "int", sparse: bool = False, **settings: Any):
        if settings.get("dtype") in ("int32", "int64"):
            settings.pop("dtype")  # that of the ids, in Keras
        super().__init__(**settings)
        refuse_sparse(sparse, self)
        self.num_bins = positive("num_bins", num_bins, self)
        self.output_mode = mode_of(output_mode, ("int", "one_hot"))

    def read_several(self, x: Any) -> list[np.ndarray]:
        if not isinstance(x, (list, tuple)):
            super().read_several(x)
        arrays = [read_categories(a, self) for a in x]
        self._check([(None, *a.shape[1:]) for a in arrays])
        return arrays

    def depth(self) -> int:
        return self.num_bins

    def _check(self, shapes: Sequence[Any]) -> None:
        if (
            len(shapes) < 2
            or any(s != shapes[0] for s in shapes)
            or len(shapes[0]) > 2
            or shapes[0][1:] not in ((), (1,))
        ):
            self.refuse_shape("two or more inputs of shape (batch,) or (batch, 1)", list(shapes))

    def compute_output_shape(self, input_shape: Any) -> Any:
        shapes = [tuple(s) for s in input_shape]
        self._check(shapes)
        return super().compute_output_shape(shapes[0])

    def forward(self, x: list[np.ndarray], training: bool = False) -> tuple[np.ndarray, Any]:
        columns = [read_categories(a, self) for a in x]
        ids = np.fromiter(map(self._place, zip(*(c.ravel().tolist() for c in columns), strict=True)), np.int64)
        return encode(ids.reshape(columns[0].shape), self.output_mode, self.num_bins, self.dtype), [a.shape for a in x]

    def _place(self, values: tuple[Any, ...]) -> int:
        found = _START
        for value in values:
            found = joined(found, farmhash64(value.encode()) if isinstance(value, str) else value & (1 << 64) - 1)
        return found % self.num_bins

    def backward(self, dy: np.ndarray, ctx: Any, need_dx: bool = True) -> Any:
        """Counts have no gradient."""
        return [np.zeros(shape, dy.dtype) for shape in ctx] if need_dx else None

"""CategoryEncoding: ids as one-hot rows, multi-hot rows or counts."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..support.arguments import positive
from ..support.array_checks import read_ids, read_values
from .encoding import Encoding, encode, mode_of, refuse_sparse

__all__ = ["CategoryEncoding"]


class CategoryEncoding(Encoding):
    """Ids from 0 to ``num_tokens`` − 1 as rows of ``num_tokens`` numbers.

    ids (…, L) → (…, num_tokens); one_hot: (…, 1) → (…, num_tokens), else (…, L) → (…, L, num_tokens).

    Parameters
    ----------
    num_tokens : int
    output_mode : {"multi_hot", "one_hot", "count"}
        One row for all ids of the last axis: whether each occurs, or how often; or a row for each id.
    sparse : bool
        False.

    Raises
    ------
    ValueError
        If an argument has none of these values, or an id is not below ``num_tokens``.

    Examples
    --------
    >>> CategoryEncoding(4)([[0, 1], [3, 3]]).tolist()
    [[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]]
    >>> CategoryEncoding(4, "count")([[3, 3]], count_weights=[[0.5, 2.0]]).tolist()
    [[0.0, 0.0, 0.0, 2.5]]
    """

    takes_ids = True
    fields = ("num_tokens", "output_mode")

    def __init__(
        self, num_tokens: int | None = None, output_mode: str = "multi_hot", sparse: bool = False, **settings: Any
    ):
        super().__init__(**settings)
        refuse_sparse(sparse, self)
        if num_tokens is None:
            raise ValueError(
                "num_tokens of CategoryEncoding must be the number of categories. Received: num_tokens=None. Use "
                "IntegerLookup if it is not known beforehand."
            )
        self.num_tokens = positive("num_tokens", num_tokens, self)
        self.output_mode = mode_of(output_mode, ("multi_hot", "one_hot", "count"))

    def __call__(
        self, x: Any, training: bool | None = None, mask: Any = None, *, count_weights: Any = None
    ) -> np.ndarray:
        """The rows of an array of ids; ``count_weights`` of the same shape weigh each id in mode "count"."""
        if count_weights is None:
            return super().__call__(x, training, mask)
        if self.output_mode != "count":
            raise ValueError(
                'count_weights of CategoryEncoding need output_mode="count". Received: '
                f"output_mode={self.output_mode!r}."
            )
        ids, weights = read_ids(x, self), read_values(count_weights, self)
        if ids.shape != weights.shape:
            raise ValueError(
                f"count_weights must have the shape of the ids, {ids.shape}. Received: shape {weights.shape}."
            )
        self.check_ids(ids)
        rows = (ids[..., None] == np.arange(self.num_tokens)).astype(self.dtype)
        return (rows * weights[..., None]).sum(axis=-2)

    def depth(self) -> int:
        return self.num_tokens

    def check_ids(self, ids: np.ndarray) -> None:
        """Raise the error for an id that is not a category."""
        if ids.size and (ids.min() < 0 or ids.max() >= self.num_tokens):
            odd = int(ids.min()) if ids.min() < 0 else int(ids.max())
            raise ValueError(
                f'Layer "{self.name}" (CategoryEncoding) takes ids from 0 to {self.num_tokens - 1}. Received: {odd}. '
                "Use IntegerLookup for numbers that are not ids."
            )

    def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, Any]:
        ids = x if x.dtype == np.int64 else read_ids(x, self)
        self.check_ids(ids)
        return encode(ids, self.output_mode, self.num_tokens, self.dtype), x.shape

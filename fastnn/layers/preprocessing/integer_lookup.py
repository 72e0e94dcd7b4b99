"""IntegerLookup: integers that name categories, as ids or rows of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..support.array_checks import read_ids
from .index_lookup import IndexLookup

__all__ = ["IntegerLookup"]


class IntegerLookup(IndexLookup):
    """Integers of any size as ids of a vocabulary, learned by ``adapt`` or given; or ids back as integers.

    integers of any shape → int64 ids of the same shape, or rows as ``output_mode`` says.

    Parameters
    ----------
    max_tokens : int, optional
        The most entries of the vocabulary, special ones included.
    num_oov_indices : int
        How many ids unknown integers share: more than one as ``oov_method`` says; 0 refuses them.
    mask_token : int, optional
        An integer that means padding: id 0 in mode "int", left out in others.
    oov_token : int
        The entry for unknown integers in ``get_vocabulary()`` and with ``invert``.
    vocabulary : list of int, optional
        Replaces ``adapt``.
    vocabulary_dtype : {"int64", "int32"}
    idf_weights : list of float, optional
        One per entry of ``vocabulary``, for "tf_idf".
    invert : bool
        From ids to integers.
    output_mode : {"int", "one_hot", "multi_hot", "count", "tf_idf"}
    sparse : bool
        False.
    pad_to_max_tokens : bool
        Whether rows have ``max_tokens`` numbers even if the vocabulary is smaller.
    oov_method : {"floormod", "farmhash"}
        Which of several ids an unknown integer gets: by its remainder, or by FarmHash64 of its digits.
    salt : int or two integers, optional
        With "farmhash": the hash is then SipHash64 with this key.

    Raises
    ------
    ValueError
        If an argument has none of these values.

    Examples
    --------
    >>> layer = IntegerLookup()
    >>> layer.adapt([1138, 42, 42])
    >>> layer.get_vocabulary(), layer([42, 7, 1138]).tolist()
    ([-1, 42, 1138], [1, 0, 2])
    """

    takes_ids = True
    token_dtype = np.int64
    fields = (*IndexLookup.fields, "oov_method")

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: int | None = None,
        oov_token: int = -1,
        vocabulary: Any = None,
        vocabulary_dtype: str = "int64",
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        sparse: bool = False,
        pad_to_max_tokens: bool = False,
        oov_method: str = "floormod",
        salt: Any = None,
        name: str | None = None,
        **settings: Any,
    ):
        if vocabulary_dtype not in ("int64", "int32"):
            raise ValueError(
                'vocabulary_dtype of IntegerLookup must be "int64" or "int32". Received: '
                f"vocabulary_dtype={vocabulary_dtype!r}."
            )
        if oov_method not in ("floormod", "farmhash"):
            raise ValueError(
                f'oov_method of IntegerLookup must be "floormod" or "farmhash". Received: oov_method={oov_method!r}.'
            )
        if salt is not None and oov_method != "farmhash":
            raise ValueError(f'salt of IntegerLookup needs oov_method="farmhash". Received: oov_method={oov_method!r}.')
        self.oov_method = oov_method
        super().__init__(
            max_tokens, num_oov_indices, mask_token, oov_token, vocabulary, idf_weights, invert, output_mode,
            pad_to_max_tokens, sparse, salt, name=name, **settings,
        )  # fmt: skip

    def read_tokens(self, values: Any) -> np.ndarray:
        return read_ids(values, "IntegerLookup").reshape(np.shape(values))

    def unknown_place(self, token: Any, count: int) -> int:
        return int(token) % count if self.oov_method == "floormod" else super().unknown_place(token, count)

    def output_dtype(self, dtypes: Any) -> str:
        return "int64" if self.invert else super().output_dtype(dtypes)

"""StringLookup: texts that name categories, as ids or rows of them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from ...data.texts import as_texts
from .index_lookup import IndexLookup

__all__ = ["StringLookup"]


class StringLookup(IndexLookup):
    """Texts as ids of a vocabulary, learned by ``adapt`` or given; or ids back as texts.

    texts of any shape → int64 ids of the same shape, or rows as ``output_mode`` says.

    Parameters
    ----------
    max_tokens : int, optional
        The most entries of the vocabulary, special ones included.
    num_oov_indices : int
        How many ids unknown texts share: more than one by a hash (FarmHash64, as Keras' on TensorFlow), 0 refuses them.
    mask_token : str, optional
        A text that means padding: id 0 in mode "int", left out in others.
    oov_token : str
        The entry for unknown texts in ``get_vocabulary()`` and with ``invert``.
    vocabulary : list of str, or path of a file with one text per line, optional
        Replaces ``adapt``.
    idf_weights : list of float, optional
        One per entry of ``vocabulary``, for "tf_idf".
    invert : bool
        From ids to texts.
    output_mode : {"int", "one_hot", "multi_hot", "count", "tf_idf"}
    pad_to_max_tokens : bool
        Whether rows have ``max_tokens`` numbers even if the vocabulary is smaller.
    sparse : bool
        False.
    encoding : str
        Of texts that are given as bytes.
    salt : int or two integers, optional
        The hash of unknown texts is then SipHash64 with this key.

    Raises
    ------
    ValueError
        If an argument has none of these values.

    Notes
    -----
    Equally frequent texts are in reverse Unicode order, as in Keras.

    Examples
    --------
    >>> layer = StringLookup()
    >>> layer.adapt([["cat", "dog"], ["cat", "owl"]])
    >>> layer.get_vocabulary()
    ['[UNK]', 'cat', 'owl', 'dog']
    >>> layer([["dog", "cow"]])
    array([[3, 0]])
    >>> StringLookup(vocabulary=layer.get_vocabulary(), invert=True)([[3, 0]]).tolist()
    [['dog', '[UNK]']]
    """

    fields = (*IndexLookup.fields, "encoding")

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: str | None = None,
        oov_token: str = "[UNK]",
        vocabulary: Any = None,
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        pad_to_max_tokens: bool = False,
        sparse: bool = False,
        encoding: str = "utf-8",
        name: str | None = None,
        salt: Any = None,
        **settings: Any,
    ):
        self.encoding = encoding
        self.takes_texts, self.takes_ids = not invert, bool(invert)
        for keras in ("vocabulary_dtype", "oov_method"):
            settings.pop(keras, None)
        super().__init__(
            max_tokens, num_oov_indices, mask_token, oov_token, vocabulary, idf_weights, invert, output_mode,
            pad_to_max_tokens, sparse, salt, name=name, **settings,
        )  # fmt: skip

    def read_tokens(self, values: Any) -> np.ndarray:
        return as_texts("StringLookup", values, self.encoding)

    def read_input(self, x: Any) -> np.ndarray:
        return super().read_input(x) if self.invert else self.read_tokens(x)

    def read_vocabulary(self, vocabulary: Any) -> list[Any]:
        if isinstance(vocabulary, (str, os.PathLike)):
            return Path(vocabulary).read_text(self.encoding).splitlines()
        return super().read_vocabulary(vocabulary)

    def output_dtype(self, dtypes: Any) -> str:
        return "string" if self.invert else super().output_dtype(dtypes)

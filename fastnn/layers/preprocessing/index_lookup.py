"""What StringLookup and IntegerLookup share: tokens to ids or rows of them, and ids back to tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..base import Shape
from ..support.arguments import flag
from ..support.array_checks import read_ids
from .adapting import batches_of
from .encoding import MODES, Encoding, encode, mode_of, refuse_sparse
from .hashes import bucket, read_salt
from .vocabulary import Vocabulary

__all__ = ["IndexLookup"]


class IndexLookup(Encoding):
    """Base of the layers that look values up in a vocabulary; a subclass says how values are read."""

    fields = ("max_tokens", "num_oov_indices", "mask_token", "oov_token", "invert", "output_mode", "pad_to_max_tokens")

    def __init__(
        self,
        max_tokens: int | None,
        num_oov_indices: int,
        mask_token: Any,
        oov_token: Any,
        vocabulary: Any,
        idf_weights: Any,
        invert: bool,
        output_mode: str,
        pad_to_max_tokens: bool,
        sparse: bool,
        salt: Any,
        **settings: Any,
    ):
        settings.pop("vocabulary_size", None)  # of a config that Keras wrote
        if settings.get("dtype") in ("string", "int64", "int32"):
            settings.pop("dtype")
        super().__init__(**settings)
        name = type(self).__name__
        refuse_sparse(sparse, self)
        self.output_mode = mode_of(output_mode, MODES)
        self.invert, self.pad_to_max_tokens = (
            flag("invert", invert, self),
            flag("pad_to_max_tokens", pad_to_max_tokens, self),
        )
        whole = isinstance(num_oov_indices, (int, np.integer)) and not isinstance(num_oov_indices, bool)
        if not whole or num_oov_indices < 0:
            raise ValueError(
                f"num_oov_indices of {name} must be an integer of at least 0. Received: "
                f"num_oov_indices={num_oov_indices!r}."
            )
        if max_tokens is not None and (
            isinstance(max_tokens, bool) or not isinstance(max_tokens, (int, np.integer)) or max_tokens < 2
        ):
            raise ValueError(
                f"max_tokens of {name} must be an integer of at least 2, or None. Received: max_tokens={max_tokens!r}."
            )
        if self.pad_to_max_tokens and max_tokens is None:
            raise ValueError(f"pad_to_max_tokens of {name} needs max_tokens. Received: max_tokens=None.")
        if self.invert and self.output_mode != "int":
            raise ValueError(
                f'invert=True of {name} gives tokens, so output_mode must be "int". Received: '
                f"output_mode={output_mode!r}."
            )
        if idf_weights is not None and (self.output_mode != "tf_idf" or vocabulary is None):
            raise ValueError(
                f'idf_weights of {name} need vocabulary=[...] and output_mode="tf_idf". Received: '
                f"output_mode={output_mode!r}."
            )
        self.max_tokens = None if max_tokens is None else int(max_tokens)
        self.num_oov_indices, self.mask_token, self.oov_token = int(num_oov_indices), mask_token, oov_token
        self.salt = read_salt(salt, self)
        self.vocabulary = Vocabulary(
            name,
            mask_token,
            oov_token,
            self.num_oov_indices,
            self.max_tokens,
            self.output_mode == "int",
            self.output_mode == "tf_idf",
        )
        if vocabulary is not None:
            self.set_vocabulary(vocabulary, idf_weights)
            self.vocabulary.given = True

    # The vocabulary.

    def read_tokens(self, values: Any) -> np.ndarray:
        """Values as an array of tokens, checked."""
        raise NotImplementedError

    def adapt(self, data: Any, batch_size: int | None = None, steps: int | None = None) -> None:
        """Learn the vocabulary; it replaces an earlier one.

        Parameters
        ----------
        data : list or array, or Dataset or other iterable of batches
        batch_size : accepted; it has no effect
        steps : int, optional
            The number of batches to read from an iterable.

        Raises
        ------
        ValueError
            If the vocabulary was given to the constructor.
        TypeError
            If the data are not tokens.
        """

        def rows() -> Any:
            for batch in batches_of(data, steps):
                tokens = self.read_tokens(batch)
                if tokens.ndim < 2:  # of an array (N,) each entry is a document; an element of a data set is one
                    tokens = tokens.reshape(-1, 1) if batch is data else tokens.reshape(1, -1)
                yield from tokens.reshape(len(tokens), -1).tolist()

        self.vocabulary.learn(rows())

    def set_vocabulary(self, vocabulary: Any, idf_weights: Sequence[float] | None = None) -> None:
        """Set the vocabulary instead of learning it; if it is refused, the old one stays.

        Parameters
        ----------
        vocabulary : list or array of tokens, or path of a file with one token per line
            May or may not begin with the special entries.
        idf_weights : list of float, optional
            One per token, for "tf_idf"; special entries that are missing get the mean.

        Raises
        ------
        ValueError
            If tokens repeat, or there are none or too many, or the weights do not fit.
        """
        self.vocabulary.set(self.read_vocabulary(vocabulary), idf_weights)

    def read_vocabulary(self, vocabulary: Any) -> list[Any]:
        """The tokens of a list, an array or a file."""
        return self.read_tokens(vocabulary).ravel().tolist()

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[Any]:
        """The tokens in the order of their ids."""
        return self.vocabulary.entries(include_special_tokens)

    def vocabulary_size(self) -> int:
        """The number of ids, special ones included."""
        return len(self.vocabulary)

    # Looking up.

    def depth(self) -> int:
        return self.max_tokens if self.pad_to_max_tokens and self.max_tokens else self.vocabulary_size()

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        if self.output_mode != "int":
            self.vocabulary.require()
        return super().compute_output_shape(input_shape)

    def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, Any]:
        self.vocabulary.require()
        if self.invert:
            return self._tokens(x), x.shape
        mode = "count" if self.output_mode == "tf_idf" else self.output_mode
        rows = encode(self._ids(x), mode, self.depth(), self.dtype)
        if self.vocabulary.weights is not None:
            rows[..., : len(self.vocabulary)] *= self.vocabulary.weights.astype(self.dtype)
        return rows, x.shape

    def _ids(self, x: np.ndarray) -> np.ndarray:
        words = self.vocabulary
        unknown = words.oov_start if words.oov_count == 1 else -1
        tokens = x.ravel().tolist()
        index = words.index
        ids = np.fromiter((index.get(token, unknown) for token in tokens), np.int64, len(tokens))
        if words.oov_count != 1:
            self._number_unknown(ids, tokens)
        if words.mask_token is not None:
            masked = np.fromiter((token == words.mask_token for token in tokens), bool, len(tokens))
            ids[masked] = 0 if self.output_mode == "int" else -1
        return ids.reshape(x.shape)

    def _number_unknown(self, ids: np.ndarray, tokens: list[Any]) -> None:
        """Give unknown tokens their ids: a hash or remainder of each."""
        words = self.vocabulary
        places = [int(i) for i in np.flatnonzero(ids < 0) if words.mask_token is None or tokens[i] != words.mask_token]
        if places and not words.oov_count:
            raise ValueError(
                f'Layer "{self.name}" ({type(self).__name__}) knows only the tokens of its vocabulary. Received: '
                f"{tokens[places[0]]!r}. Use num_oov_indices=1 to let unknown tokens share an id."
            )
        for i in places:
            ids[i] = words.oov_start + self.unknown_place(tokens[i], words.oov_count)

    def unknown_place(self, token: Any, count: int) -> int:
        """Which of ``count`` ids an unknown token gets."""
        return bucket(str(token), count, self.salt)

    def _tokens(self, x: np.ndarray) -> np.ndarray:
        """The tokens of ids; ids beyond the vocabulary are unknown."""
        ids = x if x.dtype == np.int64 else read_ids(x, self)
        table = np.array([*self.vocabulary.entries(), self.oov_token], self.token_dtype)
        last = len(table) - 1
        return table[np.where((ids < 0) | (ids > last), last, ids)]

    token_dtype: Any = object

    def get_config(self) -> dict[str, Any]:
        """The arguments, with the given or learned vocabulary."""
        words = self.vocabulary
        return {
            **super().get_config(),
            "salt": self.salt,
            "vocabulary": words.entries() if words.index else None,
            "idf_weights": None if words.weights is None else words.weights.tolist(),
        }

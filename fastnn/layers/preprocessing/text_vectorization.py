"""``TextVectorization``: texts as rows of ids or counts, over a learned or given vocabulary."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from itertools import chain
from itertools import repeat as always
from pathlib import Path
from typing import Any

import numpy as np

from ...data.texts import as_texts, text_of
from ..base import Shape
from .adapting import texts_of
from .encoding import Encoding, encode, mode_of, refuse_sparse
from .tokens import SPLITS, STANDARDIZATIONS, ngrams_of
from .vocabulary import Vocabulary

__all__ = ["TextVectorization"]

_PADDING, _UNKNOWN = "", "[UNK]"


class TextVectorization(Encoding):
    """Turns texts into numbers: standardize, split into tokens, join n-grams, look up.

    Parameters
    ----------
    max_tokens : int, optional
        The maximum size of the vocabulary, including its special entries: padding (only for ``output_mode="int"``)
        and ``"[UNK]"``, which replaces all tokens that are not in it.
    standardize : {"lower_and_strip_punctuation", "lower", "strip_punctuation"}, None or callable
        As in Keras these handle A to Z and ASCII punctuation; ``str.lower`` or any function of a text handles more.
    split : {"whitespace", "character", "syllable", "jamo"}, None or callable
        ``"syllable"`` makes a token of each Korean syllable, of each other word or number, and of each symbol;
        ``"jamo"`` splits the syllables into letters. None: the text is the token. A function returns a list of tokens.
    ngrams : int or tuple of int, optional
        n for all widths up to n; a tuple for exactly those widths.
    output_mode : {"int", "multi_hot", "count", "tf_idf"}
        Ids in the order of the text; or one column per vocabulary entry: whether it occurs, how often, or that count
        times log(1 + documents / (1 + documents with it)).
    output_sequence_length : int, optional
        Ids are truncated or padded with 0 to this length; by default to the longest text of the call.
    pad_to_max_tokens : bool
        Whether to return ``max_tokens`` columns even if the vocabulary is smaller.
    vocabulary : list of str, or path of a file with one token per line, optional
        Replaces ``adapt``.
    idf_weights : list of float, optional
        One per token of ``vocabulary``, for ``"tf_idf"``.
    sparse, ragged : bool
        False: arrays are dense, and padded with 0.
    encoding : str
        The encoding of texts that are given as bytes.

    Raises
    ------
    ValueError, TypeError
        If an argument has none of the values above.

    Notes
    -----
    The vocabulary is sorted by frequency; equally frequent tokens are in reverse Unicode order. Both are as in Keras.
    In all modes except ``"int"`` rows are of the layer's dtype.  At the head of a model,
    ``Input(shape=(1,), dtype="string")`` goes before the layer, and the model trains and predicts from texts.

    Examples
    --------
    >>> vectorize = TextVectorization(output_sequence_length=4)
    >>> vectorize.adapt(["The cat sat.", "The dog sat on the cat!"])
    >>> vectorize.get_vocabulary()
    ['', '[UNK]', 'the', 'sat', 'cat', 'on', 'dog']
    >>> vectorize(["The bird sat"])
    array([[2, 1, 3, 0]])
    >>> syllables = TextVectorization(split="syllable")
    >>> syllables.adapt(["영화 재미", "재미 없다"])
    >>> syllables(["재미있다"])
    array([[2, 3, 1, 7]])
    """

    takes_texts = True
    fields = (
        "max_tokens",
        "standardize",
        "split",
        "ngrams",
        "output_mode",
        "output_sequence_length",
        "pad_to_max_tokens",
        "encoding",
    )

    def __init__(
        self,
        max_tokens: int | None = None,
        standardize: str | Callable[[str], str] | None = "lower_and_strip_punctuation",
        split: str | Callable[[str], Sequence[str]] | None = "whitespace",
        ngrams: int | Sequence[int] | None = None,
        output_mode: str = "int",
        output_sequence_length: int | None = None,
        pad_to_max_tokens: bool = False,
        vocabulary: Sequence[str] | str | os.PathLike[str] | None = None,
        idf_weights: Sequence[float] | None = None,
        sparse: bool = False,
        ragged: bool = False,
        encoding: str = "utf-8",
        name: str | None = None,
        **settings: Any,
    ):
        settings.pop("vocabulary_size", None)  # of a config that Keras wrote
        super().__init__(name=name, **settings)
        refuse_sparse(sparse, self)
        if ragged:
            raise ValueError(
                "TextVectorization pads rows with 0. Received: ragged=True. Use ragged=False, and mask_zero=True in "
                "the Embedding behind it."
            )
        self.output_mode = mode_of(output_mode, ("int", "multi_hot", "count", "tf_idf"))
        if max_tokens is not None and not _is_whole(max_tokens, 2):
            raise ValueError(
                f"max_tokens must be an integer of at least 2, or None. Received: max_tokens={max_tokens!r}."
            )
        if pad_to_max_tokens and max_tokens is None:
            raise ValueError("pad_to_max_tokens needs max_tokens. Received: max_tokens=None.")
        if output_sequence_length is not None and (
            self.output_mode != "int" or not _is_whole(output_sequence_length, 1)
        ):
            raise ValueError(
                'output_sequence_length must be an integer of at least 1, and needs output_mode="int". Received: '
                f"output_sequence_length={output_sequence_length!r}, output_mode={output_mode!r}."
            )
        if idf_weights is not None and (self.output_mode != "tf_idf" or vocabulary is None):
            raise ValueError('idf_weights need vocabulary=[...] and output_mode="tf_idf". Received: idf_weights alone.')
        self.max_tokens, self.encoding = max_tokens, encoding
        self.standardize, self.split, self.ngrams = standardize, split, ngrams
        self.output_sequence_length, self.pad_to_max_tokens = output_sequence_length, pad_to_max_tokens
        self._write_alike = _one_of("standardize", standardize, STANDARDIZATIONS)
        self._cut = _one_of("split", split, SPLITS)
        self._widths = _widths(ngrams)
        whole, weighs = self.output_mode == "int", self.output_mode == "tf_idf"
        self.vocabulary = Vocabulary("TextVectorization", _PADDING, _UNKNOWN, 1, max_tokens, whole, weighs)
        if vocabulary is not None:
            self.set_vocabulary(vocabulary, idf_weights)
            self.vocabulary.given = True

    # The vocabulary.

    def adapt(self, data: Any, batch_size: int | None = None, steps: int | None = None) -> None:
        """Learn the vocabulary from texts; it replaces an earlier one.

        Parameters
        ----------
        data : list or array of str, or Dataset or other iterable of texts or batches of texts
        batch_size : accepted; it has no effect
        steps : int, optional
            The number of elements to read from an iterable.

        Raises
        ------
        ValueError
            If the vocabulary was given to the constructor.
        TypeError
            If the data are not texts.
        """
        self.vocabulary.learn(self._tokens([text]) for text in texts_of(data, steps))

    def set_vocabulary(
        self, vocabulary: Sequence[str] | str | os.PathLike[str], idf_weights: Sequence[float] | None = None
    ) -> None:
        """Set the vocabulary instead of learning it.

        Parameters
        ----------
        vocabulary : list of str, or path of a file with one token per line
            May or may not begin with the special entries.
        idf_weights : list of float, optional
            One per token, needed for ``"tf_idf"``; if the special entries are missing, ``"[UNK]"`` gets their mean.

        Raises
        ------
        ValueError
            If tokens repeat, or there are none or too many, or the weights do not fit; the old vocabulary is kept.
        """
        if isinstance(vocabulary, (str, os.PathLike)):
            vocabulary = Path(vocabulary).read_text(self.encoding).splitlines()
        self.vocabulary.set([self._text(token) for token in vocabulary], idf_weights)

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[str]:
        """Return the tokens in the order of their ids."""
        return self.vocabulary.entries(include_special_tokens)

    def vocabulary_size(self) -> int:
        """Return the number of ids, including the special entries."""
        return len(self.vocabulary)

    # Texts.

    def read_input(self, x: Any) -> np.ndarray:
        return as_texts("TextVectorization", x, self.encoding)

    def depth(self) -> int:
        return self.max_tokens if self.pad_to_max_tokens and self.max_tokens else self.vocabulary_size()

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        most = 2
        if len(input_shape) > most or (self._cut is not None and len(input_shape) == most and input_shape[1] != 1):
            self.refuse_shape("texts of shape (N,) or (N, 1)", input_shape, "Use split=None if each entry is a token.")
        if self.output_mode == "int":
            return (*input_shape[:1], self.output_sequence_length)
        self.vocabulary.require()
        return (*input_shape[:1], self.depth())

    def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, Any]:
        """The numbers of one text or of several: int64 (N, longest), or (N, columns); of one text without first axis.

        With ``split=None`` the last axis holds the tokens of a text: (L,) or (N, L).
        """
        self.vocabulary.require()
        splits = self._cut is not None
        texts = x[:, 0] if splits and x.ndim == 2 else x
        single = texts.ndim < (1 if splits else 2)
        rows = texts.reshape(-1, 1) if splits else texts.reshape(1 if single else len(texts), -1)
        tokens = [self._tokens(row) for row in rows.tolist()]
        numbers = self._ids(tokens) if self.output_mode == "int" else self._table(tokens)
        if self.output_mode == "int" and numbers.size == texts.size and not splits:
            return numbers.reshape(texts.shape), x.shape
        return (numbers[0] if single else numbers), x.shape

    def _text(self, value: Any) -> str:
        """One text as a plain string."""
        return value if isinstance(value, str) else text_of("TextVectorization", value, self.encoding)

    def _tokens(self, row: Sequence[Any]) -> Sequence[str]:
        """Return the tokens of a row: those of its only text, or with ``split=None`` its texts."""
        texts = [self._text(text) for text in row]
        if self._write_alike is not None:
            texts = [self._text(self._write_alike(text)) for text in texts]
        tokens = texts if self._cut is None else self._cut(texts[0])
        return tokens if self._widths is None else ngrams_of(tokens, self._widths)

    def _ids(self, rows: list[Sequence[str]]) -> np.ndarray:
        """Return int64 (N, length)."""
        length = self.output_sequence_length
        if length is None:
            length = max(map(len, rows), default=0)
        rows = [row[:length] for row in rows]
        ids = np.zeros((len(rows), length), np.int64)
        count = np.fromiter(map(len, rows), np.int64, len(rows))
        ids[np.arange(length) < count[:, None]] = self._numbers(rows, count.sum(), 0)
        return ids

    def _table(self, rows: list[Sequence[str]]) -> np.ndarray:
        """Return (N, columns) in the layer's dtype."""
        count = np.fromiter(map(len, rows), np.int64, len(rows))
        ids = np.full((len(rows), count.max(initial=1)), -1)
        ids[np.arange(ids.shape[1]) < count[:, None]] = self._numbers(rows, count.sum(), -1)
        table = encode(ids, "multi_hot" if self.output_mode == "multi_hot" else "count", self.depth(), self.dtype)
        if self.vocabulary.weights is not None:
            table[:, : len(self.vocabulary)] *= self.vocabulary.weights.astype(self.dtype)
        return table

    def _numbers(self, rows: list[Sequence[str]], count: int, padding: int) -> np.ndarray:
        """The ids of all tokens, one row after the other."""
        unknown = self.vocabulary.oov_start
        lookup = {_PADDING: padding, **self.vocabulary.index}
        return np.fromiter(map(lookup.get, chain.from_iterable(rows), always(unknown)), np.int64, count)

    # Settings.

    def get_config(self) -> dict[str, Any]:
        """Return the arguments, with the given or learned vocabulary."""
        words = self.vocabulary
        return {
            **super().get_config(),
            "vocabulary": words.entries() if words.index else None,
            "idf_weights": None if words.weights is None else words.weights.tolist(),
        }


def _is_whole(value: Any, least: int) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool) and bool(value >= least)


def _one_of(name: str, value: Any, known: dict[str, Callable[[str], Any]]) -> Callable[[str], Any] | None:
    """Return the function that an argument names."""
    if value is None or callable(value):
        return value
    if not isinstance(value, str) or value not in known:
        raise ValueError(
            f"{name} must be one of {', '.join(map(repr, known))}, None or a function. Received: {value!r}."
        )
    return known[value]


def _widths(ngrams: Any) -> tuple[int, ...] | None:
    """Return the widths of the n-grams."""
    if ngrams is None:
        return None
    widths = tuple(ngrams) if isinstance(ngrams, (tuple, list)) else (ngrams,)
    if not widths or not all(_is_whole(n, 1) for n in widths):
        raise ValueError(f"ngrams must be an integer of at least 1, or a tuple of these. Received: ngrams={ngrams!r}.")
    return widths if isinstance(ngrams, (tuple, list)) else tuple(range(1, ngrams + 1))

"""``TextVectorization``: texts as rows of ids or counts, over a learned or given vocabulary."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from itertools import repeat as always
from pathlib import Path
from typing import Any

import numpy as np

from .tokens import SPLITS, STANDARDIZATIONS, ngrams_of

__all__ = ["TextVectorization"]

_MODES = ("int", "multi_hot", "count", "tf_idf")
_OLD_MODES = {"binary": "multi_hot", "tf-idf": "tf_idf"}
_PADDING, _UNKNOWN = "", "[UNK]"


class TextVectorization:
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
    encoding : str
        The encoding of texts that are given as bytes.

    Raises
    ------
    ValueError, TypeError
        If an argument has none of the values above.

    Notes
    -----
    The vocabulary is sorted by frequency; equally frequent tokens are in reverse Unicode order. Both are as in Keras.
    In all modes except ``"int"`` rows are float32.

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

    def __init__(
        self,
        max_tokens: int | None = None,
        standardize: str | Callable[[str], str] | None = "lower_and_strip_punctuation",
        split: str | Callable[[str], Sequence[str]] | None = "whitespace",
        ngrams: int | tuple[int, ...] | None = None,
        output_mode: str = "int",
        output_sequence_length: int | None = None,
        pad_to_max_tokens: bool = False,
        vocabulary: Sequence[str] | str | os.PathLike[str] | None = None,
        idf_weights: Sequence[float] | None = None,
        encoding: str = "utf-8",
        name: str = "text_vectorization",
    ):
        output_mode = _OLD_MODES.get(output_mode, output_mode)
        if output_mode not in _MODES:
            raise ValueError(f"output_mode must be one of {', '.join(map(repr, _MODES))}. Received: {output_mode!r}.")
        if max_tokens is not None and not _is_whole(max_tokens, 2):
            raise ValueError(
                f"max_tokens must be an integer of at least 2, or None. Received: max_tokens={max_tokens!r}."
            )
        if pad_to_max_tokens and max_tokens is None:
            raise ValueError("pad_to_max_tokens needs max_tokens. Received: max_tokens=None.")
        if output_sequence_length is not None and (output_mode != "int" or not _is_whole(output_sequence_length, 1)):
            raise ValueError(
                'output_sequence_length must be an integer of at least 1, and needs output_mode="int". Received: '
                f"output_sequence_length={output_sequence_length!r}, output_mode={output_mode!r}."
            )
        if idf_weights is not None and (output_mode != "tf_idf" or vocabulary is None):
            raise ValueError('idf_weights need vocabulary=[...] and output_mode="tf_idf". Received: idf_weights alone.')
        self.max_tokens, self.output_mode, self.encoding, self.name = max_tokens, output_mode, encoding, name
        self.standardize, self.split, self.ngrams = standardize, split, ngrams
        self.output_sequence_length, self.pad_to_max_tokens = output_sequence_length, pad_to_max_tokens
        self._write_alike = _one_of("standardize", standardize, STANDARDIZATIONS)
        self._cut = _one_of("split", split, SPLITS)
        self._widths = _widths(ngrams)
        self._special = [_PADDING, _UNKNOWN] if output_mode == "int" else [_UNKNOWN]
        self._index: dict[str, int] = {}
        self._lookup: dict[str, int] = {}
        self._idf: np.ndarray | None = None
        self._given = vocabulary is not None
        if vocabulary is not None:
            self.set_vocabulary(vocabulary, idf_weights)

    # The vocabulary --------------------------------------------------------------------------------------------------

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
        if self._given:
            raise ValueError(
                "adapt cannot learn a vocabulary that was given. Received: vocabulary=[...]. Use adapt or vocabulary, "
                "not both."
            )
        counts: Counter[str] = Counter()
        documents: Counter[str] = Counter()
        number = 0
        for text in _texts_of(data, steps):
            tokens = self._tokens([text])
            counts.update(tokens)
            if self.output_mode == "tf_idf":
                documents.update(set(tokens))
                number += 1
        for special in (_PADDING, _UNKNOWN):
            counts.pop(special, None)
        order = sorted(sorted(counts, reverse=True), key=counts.__getitem__, reverse=True)
        if self.max_tokens is not None:
            order = order[: self.max_tokens - len(self._special)]
        self._number(order)
        if self.output_mode == "tf_idf" and order:
            idf = np.log(1 + number / (1 + np.array([documents[token] for token in order], np.float64)))
            self._idf = np.concatenate([[idf.mean()], idf]).astype(np.float32)

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
        tokens = [_text(token, self.encoding) for token in vocabulary]
        weights = None if idf_weights is None else np.asarray(idf_weights, np.float64)
        if (weights is None) == (self.output_mode == "tf_idf"):
            raise ValueError(
                'output_mode="tf_idf" needs idf_weights, one per token; other modes accept none. Received: '
                f"{'none' if weights is None else 'some'}, output_mode={self.output_mode!r}."
            )
        if weights is not None and weights.shape != (len(tokens),):
            raise ValueError(f"idf_weights must be one per token, {len(tokens)} here. Received: shape {weights.shape}.")
        special = tokens[: len(self._special)] == self._special
        if special:
            tokens = tokens[len(self._special) :]
        if not tokens:
            raise ValueError("A vocabulary must contain at least one token. Received: none.")
        repeated = [token for token, n in Counter(tokens).items() if n > 1]
        if repeated or _PADDING in tokens:
            odd = repeated[:5] if repeated else "the empty string, which is reserved for padding"
            raise ValueError(f"Each token must occur once in a vocabulary. Received: {odd}.")
        if self.max_tokens is not None and len(tokens) + len(self._special) > self.max_tokens:
            raise ValueError(
                f"A vocabulary can have at most max_tokens={self.max_tokens} entries, {len(self._special)} of them "
                f"special. Received: {len(tokens)} tokens."
            )
        self._number(tokens)
        if weights is not None:
            self._idf = (weights if special else np.concatenate([[weights.mean()], weights])).astype(np.float32)

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[str]:
        """Return the tokens in the order of their ids."""
        return [*(self._special if include_special_tokens else []), *self._index]

    def vocabulary_size(self) -> int:
        """Return the number of ids, including the special entries."""
        return len(self._special) + len(self._index)

    def _number(self, tokens: list[str]) -> None:
        self._index = {token: i for i, token in enumerate(tokens, len(self._special))}
        self._lookup = {_PADDING: 0, **self._index}

    # Texts -----------------------------------------------------------------------------------------------------------

    def __call__(self, inputs: Any) -> np.ndarray:
        """Return the numbers of one text or of several.

        Parameters
        ----------
        inputs : str, or list or array of str, (N,) or (N, 1)
            With ``split=None`` the last axis holds the tokens of a text: (L,) or (N, L).

        Returns
        -------
        int64 array (N, longest), or float32 array (N, columns); a single text has no first axis

        Raises
        ------
        RuntimeError
            If there is no vocabulary yet.
        TypeError, ValueError
            If the input is not text, or has another shape.
        """
        if not self._index:
            raise RuntimeError(
                "TextVectorization has no vocabulary yet. Call vectorize.adapt(texts), or pass vocabulary=[...]."
            )
        texts = np.asarray(inputs.decode(self.encoding) if isinstance(inputs, bytes) else inputs, object)
        splits = self._cut is not None
        if splits and texts.ndim == 2 and texts.shape[1] == 1:
            texts = texts[:, 0]
        if texts.ndim > (1 if splits else 2):
            raise ValueError(
                f"TextVectorization needs texts of shape (N,) or (N, 1). Received: shape {texts.shape}. Use split=None "
                "if each entry is a token."
            )
        single = texts.ndim < (1 if splits else 2)
        rows = texts.reshape(-1, 1) if splits else texts.reshape(1 if single else len(texts), -1)
        tokens = [self._tokens(row) for row in rows.tolist()]
        if self.output_mode != "int":
            numbers = self._table(tokens)
        elif (numbers := self._ids(tokens)).size == texts.size and not splits:
            return numbers.reshape(texts.shape)
        return numbers[0] if single else numbers

    def _tokens(self, row: Sequence[Any]) -> Sequence[str]:
        """Return the tokens of a row: those of its only text, or with ``split=None`` its texts."""
        texts = [text if isinstance(text, str) else _text(text, self.encoding) for text in row]
        if self._write_alike is not None:
            texts = [_text(self._write_alike(text), self.encoding) for text in texts]
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
        found = map(self._lookup.get, chain.from_iterable(rows), always(len(self._special) - 1))
        ids[np.arange(length) < count[:, None]] = np.fromiter(found, np.int64, count.sum())
        return ids

    def _table(self, rows: list[Sequence[str]]) -> np.ndarray:
        """Return float32 (N, columns)."""
        width = self.max_tokens if self.pad_to_max_tokens else None
        table = np.zeros((len(rows), self.vocabulary_size() if width is None else width), np.float32)
        for row, tokens in zip(table, rows, strict=True):
            for i, n in Counter(self._index.get(token, 0) for token in tokens if token).items():
                row[i] = 1 if self.output_mode == "multi_hot" else n
        if self.output_mode == "tf_idf" and self._idf is not None:
            table[:, : len(self._idf)] *= self._idf
        return table

    # Settings --------------------------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """Return the arguments, with the given or learned vocabulary."""
        names = ("max_tokens", "standardize", "split", "ngrams", "output_mode", "output_sequence_length")
        config = {name: getattr(self, name) for name in (*names, "pad_to_max_tokens", "encoding", "name")}
        config["vocabulary"] = self.get_vocabulary() if self._index else None
        config["idf_weights"] = None if self._idf is None else self._idf.tolist()
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> TextVectorization:
        """Return a layer with these arguments."""
        return cls(**config)


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


def _text(value: Any, encoding: str) -> str:
    """Return one text as a plain string."""
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode(encoding)
    if isinstance(value, np.ndarray) and value.ndim == 0 and isinstance(value.item(), (str, bytes)):
        return _text(value.item(), encoding)
    raise TypeError(f"TextVectorization needs texts. Received: {value!r}, a {type(value).__name__}.")


def _texts_of(data: Any, steps: int | None) -> Iterator[Any]:
    """Yield the texts in anything that ``adapt`` accepts, one at a time."""
    if isinstance(data, (str, bytes)):
        yield data
    elif isinstance(data, (list, tuple)) or hasattr(data, "__array__"):
        yield from np.asarray(data, object).ravel().tolist()
    elif isinstance(data, Iterable):
        for element in islice(data, steps):
            if isinstance(element, (tuple, dict)):
                raise TypeError(
                    f"adapt needs texts or batches of texts. Received: a {type(element).__name__}. Use "
                    "adapt(dataset.map(lambda x, y: x))."
                )
            yield from _texts_of(element, None)
    else:
        yield data

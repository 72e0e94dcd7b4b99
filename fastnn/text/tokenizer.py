"""``Tokenizer``: the words of texts, numbered by frequency."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import repeat as always
from typing import Any

import numpy as np

from .words import FILTERS, text_to_word_sequence

__all__ = ["Tokenizer", "tokenizer_from_json"]

_MODES = ("binary", "count", "freq", "tfidf")
_COUNTS = ("word_counts", "word_docs", "index_docs", "index_word", "word_index")


class Tokenizer:
    """Converts words to ids and back: 1 is the most frequent word; 0 is reserved for padding.

    Parameters
    ----------
    num_words : int, optional
        Only ids below it are used: ``num_words - 1`` words.
    filters, lower, split : as in ``text_to_word_sequence``
    char_level : bool
        Whether every character is a word.
    oov_token : str, optional
        Replaces unknown words, with id 1; without it they are left out.
    analyzer : callable, optional
        Splits a text into words instead.

    Attributes
    ----------
    word_index, index_word : dict
        Ids of words, and words of ids, for all words seen, whatever ``num_words`` is.
    word_counts, word_docs, index_docs : dict
        The number of occurrences of a word; the number of texts it occurs in, by word and by id.
    document_count : int
        The number of texts seen.

    Notes
    -----
    Equally frequent words are numbered in the order of their first appearance, as in Keras.

    Examples
    --------
    >>> tokenizer = Tokenizer(oov_token="?")
    >>> tokenizer.fit_on_texts(["the cat sat", "the dog"])
    >>> tokenizer.word_index
    {'?': 1, 'the': 2, 'cat': 3, 'sat': 4, 'dog': 5}
    >>> tokenizer.texts_to_sequences(["The bird sat."])
    [[2, 1, 4]]
    >>> tokenizer.sequences_to_texts([[2, 1, 4]])
    ['the ? sat']
    """

    def __init__(
        self,
        num_words: int | None = None,
        filters: str = FILTERS,
        lower: bool = True,
        split: str = " ",
        char_level: bool = False,
        oov_token: str | None = None,
        analyzer: Callable[[str], list[str]] | None = None,
        document_count: int = 0,
    ):
        if num_words is not None and (isinstance(num_words, bool) or not isinstance(num_words, int) or num_words < 1):
            raise ValueError(f"num_words must be an integer of at least 1, or None. Received: num_words={num_words!r}.")
        self.num_words, self.filters, self.lower, self.split = num_words, filters, lower, split
        self.char_level, self.oov_token, self.analyzer = char_level, oov_token, analyzer
        self.document_count = document_count
        self.word_counts: Counter[str] = Counter()
        self.word_docs: Counter[str] = Counter()
        self.index_docs: Counter[int] = Counter()
        self.word_index: dict[str, int] = {}
        self.index_word: dict[int, str] = {}

    def words(self, text: str | list[str]) -> Iterable[str]:
        """Return the words of one text; a list is assumed to contain words already."""
        if isinstance(text, list):
            return [word.lower() for word in text] if self.lower else text
        if self.char_level:
            return text.lower() if self.lower else text
        if self.analyzer is not None:
            return self.analyzer(text)
        return text_to_word_sequence(text, self.filters, self.lower, self.split)

    def fit_on_texts(self, texts: Iterable[str | list[str]]) -> None:
        """Count the words of more texts, and renumber all words.

        Raises
        ------
        TypeError
            If ``texts`` is a single string.
        """
        for text in _several(texts):
            words = list(self.words(text))
            self.document_count += 1
            self.word_counts.update(words)
            self.word_docs.update(dict.fromkeys(words).keys())
        known = [] if self.oov_token is None else [self.oov_token]
        known += [word for word, _ in sorted(self.word_counts.items(), key=lambda item: -item[1])]
        self.word_index = {word: i for i, word in enumerate(known, 1)}
        self.index_word = {i: word for word, i in self.word_index.items()}
        self.index_docs = Counter({self.word_index[word]: n for word, n in self.word_docs.items()})

    def fit_on_sequences(self, sequences: Iterable[Iterable[int]]) -> None:
        """Count the sequences that contain each id, for ``sequences_to_matrix(mode="tfidf")``."""
        for sequence in sequences:
            self.document_count += 1
            self.index_docs.update(set(sequence))

    def texts_to_sequences(self, texts: Iterable[str | list[str]]) -> list[list[int]]:
        """Return the ids of the words of each text."""
        return list(self.texts_to_sequences_generator(texts))

    def texts_to_sequences_generator(self, texts: Iterable[str | list[str]]) -> Iterator[list[int]]:
        """Do the same, one text at a time."""
        unknown = None if self.oov_token is None else self.word_index.get(self.oov_token)
        limit = self.num_words or math.inf
        ids = {word: i if i < limit else unknown for word, i in self.word_index.items()}
        for text in _several(texts):
            found = map(ids.get, self.words(text), always(unknown))
            yield [i for i in found if i is not None]

    def sequences_to_texts(self, sequences: Iterable[Iterable[int]]) -> list[str]:
        """Return the words of each sequence of ids, separated by spaces."""
        return list(self.sequences_to_texts_generator(sequences))

    def sequences_to_texts_generator(self, sequences: Iterable[Iterable[int]]) -> Iterator[str]:
        """Do the same, one sequence at a time."""
        limit = self.num_words or math.inf
        for sequence in sequences:
            found = (self.index_word.get(int(i)) if i < limit else None for i in sequence)
            words = (self.oov_token if word is None else word for word in found)
            yield " ".join(word for word in words if word is not None)

    def texts_to_matrix(self, texts: Iterable[str | list[str]], mode: str = "binary") -> np.ndarray:
        """Return one row per text and one column per id; the modes are those of ``sequences_to_matrix``."""
        return self.sequences_to_matrix(self.texts_to_sequences(texts), mode)

    def sequences_to_matrix(self, sequences: Iterable[Iterable[int]], mode: str = "binary") -> np.ndarray:
        """Return one row per sequence and one column per id.

        Parameters
        ----------
        sequences : lists of ids
        mode : {"binary", "count", "freq", "tfidf"}
            The entry of an id that occurs c times in a sequence of length L: 1, c, c / L, or
            (1 + log c) · log(1 + documents / (1 + documents with the id)).

        Returns
        -------
        float64 array (N, num_words)

        Raises
        ------
        ValueError
            If the mode is none of these, or the number of ids is not known yet.

        Examples
        --------
        >>> Tokenizer(num_words=4).sequences_to_matrix([[1, 3, 3]], mode="count")
        array([[0., 1., 0., 2.]])
        """
        if mode not in _MODES:
            raise ValueError(f"mode must be one of {', '.join(map(repr, _MODES))}. Received: mode={mode!r}.")
        if not self.num_words and not self.word_index:
            raise ValueError(
                "The number of ids is unknown. Use Tokenizer(num_words=...), or call fit_on_texts(texts) first."
            )
        if mode == "tfidf" and not self.document_count:
            raise ValueError(
                'mode="tfidf" needs counts of documents. Call fit_on_texts(texts) or fit_on_sequences(...) first.'
            )
        width = self.num_words or len(self.word_index) + 1
        sequences = [list(sequence) for sequence in sequences]
        matrix = np.zeros((len(sequences), width))
        for row, sequence in zip(matrix, sequences, strict=True):
            for i, count in Counter(sequence).items():
                if not 0 <= i < width:
                    continue
                if mode == "tfidf":
                    weight = np.log(1 + self.document_count / (1 + self.index_docs.get(i, 0)))
                    row[i] = (1 + np.log(count)) * weight
                else:
                    row[i] = {"binary": 1, "count": count, "freq": count / len(sequence)}[mode]
        return matrix

    def get_config(self) -> dict[str, Any]:
        """Return everything except the analyzer; the counts are JSON strings, as Keras writes them."""
        names = ("num_words", "filters", "lower", "split", "char_level", "oov_token", "document_count")
        config = {name: getattr(self, name) for name in names}
        return config | {name: json.dumps(getattr(self, name)) for name in _COUNTS}

    def to_json(self, **kwargs: Any) -> str:
        """Return the config as JSON text, which ``tokenizer_from_json`` reads; ``kwargs`` go to ``json.dumps``."""
        return json.dumps({"class_name": "Tokenizer", "config": self.get_config()}, **kwargs)


def tokenizer_from_json(json_string: str) -> Tokenizer:
    """Return the tokenizer that ``to_json`` wrote, here or in Keras.

    Raises
    ------
    ValueError
        If it is not such a text.

    Examples
    --------
    >>> tokenizer = Tokenizer()
    >>> tokenizer.fit_on_texts(["to be or not to be"])
    >>> tokenizer_from_json(tokenizer.to_json()).word_index
    {'to': 1, 'be': 2, 'or': 3, 'not': 4}
    """
    try:
        config = dict(json.loads(json_string)["config"])
        counts = {name: json.loads(config.pop(name)) for name in _COUNTS}
        tokenizer = Tokenizer(**config)
        for name, value in counts.items():
            numbered = {int(i): v for i, v in value.items()} if name.startswith("index_") else dict(value)
            setattr(tokenizer, name, numbered if name in ("index_word", "word_index") else Counter(numbered))
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(
            f"tokenizer_from_json needs the text that Tokenizer.to_json wrote. Received: {error!r}."
        ) from None
    return tokenizer


def _several(texts: Any) -> Iterable[Any]:
    if isinstance(texts, (str, bytes)):
        raise TypeError(f"texts must be a list of texts. Received: one text. Use [{str(texts)[:20]!r}].")
    return texts

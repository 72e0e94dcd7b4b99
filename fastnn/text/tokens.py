"""From a text to its tokens: written alike, split, joined to n-grams."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import lru_cache
from string import ascii_lowercase, ascii_uppercase, punctuation
from typing import Any

__all__ = ["SPLITS", "STANDARDIZATIONS", "ngrams_of"]

_LOWER = bytes.maketrans(ascii_uppercase.encode(), ascii_lowercase.encode())
_PUNCTUATION = punctuation.encode()
_FIRST, _LAST = 0xAC00, 0xD7A3  # the Hangul syllables, in the order of their letters
_LEADING, _VOWEL, _TRAILING = 0x1100, 0x1161, 0x11A7
_VOWELS, _TRAILINGS = 21, 28

STANDARDIZATIONS: dict[str, Callable[[str], str]] = {
    "lower": lambda text: _translated(text, _LOWER, b""),
    "strip_punctuation": lambda text: _translated(text, None, _PUNCTUATION),
    "lower_and_strip_punctuation": lambda text: _translated(text, _LOWER, _PUNCTUATION),
}
"""How texts are written alike.  As in Keras, only A to Z become small and only ASCII punctuation goes."""


def _translated(text: str, table: bytes | None, without: bytes) -> str:
    """``text`` with its ASCII characters replaced or left out; UTF-8 has them apart from all others."""
    return text.encode("utf-8", "surrogatepass").translate(table, without).decode("utf-8", "surrogatepass")


def syllables(text: str) -> list[str]:
    """Korean syllables, one token each; other letters and digits in whole words; other signs one by one.

    Letters that a file keeps apart (ㅎ, ㅏ, ㄴ, as macOS writes file names) are joined first.

    Examples
    --------
    >>> syllables("오늘 GPU 3개 ㅋㅋ!")
    ['오', '늘', 'GPU', '3', '개', 'ㅋ', 'ㅋ', '!']
    """
    return _SYLLABLES(unicodedata.normalize("NFC", text))


_SYLLABLES = re.compile(r"[가-힣]|[ㄱ-ㆎ]|(?:(?![가-힣ㄱ-ㆎ])\w)+|\S").findall


def jamo(text: str) -> list[str]:
    """The letters within Korean syllables; else as ``syllables``.

    Leading and trailing consonants are different characters; ``unicodedata.normalize("NFC", "".join(tokens))`` joins
    them again.

    Examples
    --------
    >>> [hex(ord(letter)) for letter in jamo("한")]
    ['0x1112', '0x1161', '0x11ab']
    """
    return [part for token in syllables(text) for part in _letters(token)]


@lru_cache(1 << 14)
def _letters(token: str) -> Sequence[str]:
    code = ord(token[0]) - _FIRST
    if len(token) > 1 or not 0 <= code <= _LAST - _FIRST:
        return (token,)
    rest, trailing = divmod(code, _TRAILINGS)
    leading, vowel = divmod(rest, _VOWELS)
    letters = (chr(_LEADING + leading), chr(_VOWEL + vowel))
    return (*letters, chr(_TRAILING + trailing)) if trailing else letters


SPLITS: dict[str, Callable[[str], list[str]]] = {
    "whitespace": re.compile(r"[^ \t\n\v\f\r]+").findall,
    "character": list,
    "syllable": syllables,
    "jamo": jamo,
}
"""How a text becomes tokens."""


def ngrams_of(tokens: Sequence[Any], widths: Sequence[int]) -> list[str]:
    """Neighbouring tokens joined by spaces, for one width after the other.

    Examples
    --------
    >>> ngrams_of(["a", "b", "c"], (1, 2))
    ['a', 'b', 'c', 'a b', 'b c']
    """
    return [" ".join(tokens[i : i + n]) for n in widths for i in range(len(tokens) - n + 1)]

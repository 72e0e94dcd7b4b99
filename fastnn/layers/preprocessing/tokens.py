"""Turn a text into tokens: standardize, split, join into n-grams."""

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
_FIRST, _LAST = 0xAC00, 0xD7A3  # the Hangul syllables, ordered by their letters
_LEADING, _VOWEL, _TRAILING = 0x1100, 0x1161, 0x11A7
_VOWELS, _TRAILINGS = 21, 28

STANDARDIZATIONS: dict[str, Callable[[str], str]] = {
    "lower": lambda text: _translated(text, _LOWER, b""),
    "strip_punctuation": lambda text: _translated(text, None, _PUNCTUATION),
    "lower_and_strip_punctuation": lambda text: _translated(text, _LOWER, _PUNCTUATION),
}
"""Ways to standardize a text.  As in Keras, they lower only A to Z and strip only ASCII punctuation."""


def _translated(text: str, table: bytes | None, without: bytes) -> str:
    """Replace or remove ASCII characters in ``text``; in UTF-8 no other character contains their bytes."""
    return text.encode("utf-8", "surrogatepass").translate(table, without).decode("utf-8", "surrogatepass")


def syllables(text: str) -> list[str]:
    """Split into Korean syllables, whole words of other letters or digits, and single symbols.

    Letters that are stored separately (ㅎ, ㅏ, ㄴ, as macOS writes file names) are composed first.

    Examples
    --------
    >>> syllables("오늘 GPU 3개 ㅋㅋ!")
    ['오', '늘', 'GPU', '3', '개', 'ㅋ', 'ㅋ', '!']
    """
    return _SYLLABLES(unicodedata.normalize("NFC", text))


_SYLLABLES = re.compile(r"[가-힣]|[ㄱ-ㆎ]|(?:(?![가-힣ㄱ-ㆎ])\w)+|\S").findall


def jamo(text: str) -> list[str]:
    """Split as ``syllables`` does, and Korean syllables further into their letters.

    Leading and trailing consonants are different characters; ``unicodedata.normalize("NFC", "".join(tokens))``
    composes them again.

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
"""Ways to split a text into tokens."""


def ngrams_of(tokens: Sequence[Any], widths: Sequence[int]) -> list[str]:
    """Return neighbouring tokens joined by spaces, one width at a time.

    Examples
    --------
    >>> ngrams_of(["a", "b", "c"], (1, 2))
    ['a', 'b', 'c', 'a b', 'b c']
    """
    return [" ".join(tokens[i : i + n]) for n in widths for i in range(len(tokens) - n + 1)]

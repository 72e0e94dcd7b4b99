"""Split a text into a list of words."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

__all__ = ["FILTERS", "text_to_word_sequence"]

FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'
"""The characters that separate words, besides the space; the apostrophe does not."""


def text_to_word_sequence(input_text: str, filters: str = FILTERS, lower: bool = True, split: str = " ") -> list[str]:
    """Return the words of a text.

    Parameters
    ----------
    input_text : str
    filters : str
        Characters that separate words, like ``split``.
    lower : bool
        Whether to convert everything to lower case first.
    split : str
        The separator between words.

    Raises
    ------
    TypeError
        If the text is not a string.

    Examples
    --------
    >>> text_to_word_sequence("Don't panic, it's mostly harmless!")
    ["don't", 'panic', "it's", 'mostly', 'harmless']
    """
    if not isinstance(input_text, str):
        raise TypeError(f"A text must be a string. Received: {type(input_text).__name__}.")
    text = input_text.lower() if lower else input_text
    return _finder(filters, split)(text)


@lru_cache
def _finder(filters: str, split: str) -> Callable[[str], list[str]]:
    """Return the function that finds the words of a text."""
    if len(split) == 1:
        return re.compile(f"[^{re.escape(filters + split)}]+").findall
    table = dict.fromkeys(map(ord, filters), split)
    return lambda text: [word for word in text.translate(table).split(split) if word]

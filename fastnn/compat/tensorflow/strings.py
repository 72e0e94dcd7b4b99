"""``tf.strings``: functions for standardizers of ``TextVectorization``, on strings and arrays of them.

>>> lower("Hello, World").item(), split("a b  c").tolist()
('hello, world', ['a', 'b', 'c'])
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ... import absent
from ...graph import Tensor, as_tensor
from ...text import hashing_trick
from .tensors import tensor

__all__ = [
    "as_string", "bytes_split", "format", "join", "length", "lower", "reduce_join", "regex_full_match",
    "regex_replace", "split", "strip", "substr", "to_hash_bucket_fast", "to_number", "unicode_decode", "unicode_split",
    "upper",
]  # fmt: skip


def _texts(value: Any) -> np.ndarray:
    """An array of strings; bytes are read as UTF-8."""
    array = np.asarray(tensor(value))
    if array.dtype != object:
        raise TypeError(f"tf.strings takes strings. Received: dtype {array.dtype}. Use tf.strings.as_string(x).")
    return _each(array, lambda text: text.decode() if isinstance(text, bytes) else str(text))


def _each(array: np.ndarray, function: Callable[[str], Any], dtype: Any = object) -> np.ndarray:
    found = np.empty(array.shape, dtype)
    found.reshape(-1)[:] = [function(text) for text in array.reshape(-1)]
    return found


def _map(function: Callable[[str], Any], value: Any, dtype: Any = object) -> Tensor:
    return as_tensor(_each(_texts(value), function, dtype))


def lower(input: Any, encoding: str = "", name: str | None = None) -> Tensor:
    """In small letters."""
    return _map(str.lower, input)


def upper(input: Any, encoding: str = "", name: str | None = None) -> Tensor:
    """In capital letters."""
    return _map(str.upper, input)


def strip(input: Any, name: str | None = None) -> Tensor:
    """Without white space at both ends."""
    return _map(str.strip, input)


def length(input: Any, unit: str = "BYTE", name: str | None = None) -> Tensor:
    """How many bytes in UTF-8, or with ``unit="UTF8_CHAR"`` characters.

    Examples
    --------
    >>> int(length("é")), int(length("é", unit="UTF8_CHAR"))
    (2, 1)
    """
    return _map(len if unit == "UTF8_CHAR" else lambda text: len(text.encode()), input, np.int32)


def _groups(rewrite: str) -> str:
    return re.sub(r"\\(\d)", r"\\g<\1>", rewrite)


def regex_replace(
    input: Any, pattern: str, rewrite: str, replace_global: bool = True, name: str | None = None
) -> Tensor:
    r"""Replace matches of a pattern; ``\1`` is a group, ``\0`` for the whole match.

    Examples
    --------
    >>> regex_replace(["<br />a<br />"], "<br />", " ").tolist()
    [' a ']
    """
    compiled, new = re.compile(_posix(pattern)), _groups(rewrite)
    return _map(lambda text: compiled.sub(new, text, 0 if replace_global else 1), input)


def regex_full_match(input: Any, pattern: str, name: str | None = None) -> Tensor:
    """Whether a pattern matches the whole string."""
    compiled = re.compile(_posix(pattern))
    return _map(lambda text: compiled.fullmatch(text) is not None, input, bool)


_CLASSES = {
    "alpha": "a-zA-Z", "digit": "0-9", "alnum": "a-zA-Z0-9", "lower": "a-z", "upper": "A-Z", "space": r"\s",
    "punct": re.escape("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"),
}  # fmt: skip


def _posix(pattern: str) -> str:
    """A pattern as Python reads it: TensorFlow's have classes such as ``[[:punct:]]`` and ``\\p{P}``."""
    for name, letters in _CLASSES.items():
        pattern = pattern.replace(f"[:{name}:]", letters)
    return pattern.replace(r"\pP", f"[{_CLASSES['punct']}]").replace(r"\p{P}", f"[{_CLASSES['punct']}]")


def split(input: Any, sep: str | None = None, maxsplit: int = -1, name: str | None = None) -> Tensor:
    """The words of a string; of an array of strings, an array of lists, since their lengths differ.

    Examples
    --------
    >>> split(["a b", "c"]).tolist()
    [['a', 'b'], ['c']]
    """
    texts = _texts(input)
    if not texts.ndim:
        return tensor(texts.item().split(sep or None, maxsplit) or np.empty(0, object))
    return as_tensor(_each(texts, lambda text: text.split(sep or None, maxsplit)))


def join(inputs: Sequence[Any], separator: str = "", name: str | None = None) -> Tensor:
    """Strings end to end, element by element.

    Examples
    --------
    >>> join([["a", "b"], "!"]).tolist()
    ['a!', 'b!']
    """
    parts = np.broadcast_arrays(*map(_texts, inputs))
    found = np.empty(parts[0].shape, object)
    found.reshape(-1)[:] = [separator.join(texts) for texts in zip(*(part.reshape(-1) for part in parts), strict=True)]
    return as_tensor(found)


def reduce_join(
    inputs: Any, axis: int | None = None, keepdims: bool = False, separator: str = "", name: str | None = None
) -> Tensor:
    """Strings along an axis joined into one; all of them unless an axis is given."""
    texts = _texts(inputs)
    if axis is None:
        return tensor(np.array(separator.join(texts.reshape(-1)), object))
    moved = np.moveaxis(texts, axis, -1)
    found = np.empty(moved.shape[:-1], object)
    found.reshape(-1)[:] = [separator.join(row) for row in moved.reshape(-1, moved.shape[-1])]
    return as_tensor(np.expand_dims(found, axis) if keepdims else found)


def substr(input: Any, pos: int, len: int, unit: str = "BYTE", name: str | None = None) -> Tensor:
    """The part that begins at a place, of a length, in bytes of UTF-8 or with ``unit="UTF8_CHAR"`` in characters."""

    def part(text: str) -> str:
        if unit == "UTF8_CHAR":
            return text[pos:][:len]
        return text.encode()[pos:][:len].decode(errors="replace")

    return _map(part, input)


def unicode_split(input: Any, input_encoding: str = "UTF-8", errors: str = "replace") -> Tensor:
    """The characters of a string; of an array of strings, an array of lists."""
    texts = _texts(input)
    return tensor(list(texts.item())) if not texts.ndim else as_tensor(_each(texts, list))


def bytes_split(input: Any, name: str | None = None) -> Tensor:
    """The characters of a string; one of several bytes stays whole."""
    return unicode_split(input)


def unicode_decode(input: Any, input_encoding: str = "UTF-8") -> Tensor:
    """The numbers of the characters of a string."""
    return tensor([ord(letter) for letter in _texts(input).item()])


def to_number(input: Any, out_type: Any = "float32", name: str | None = None) -> Tensor:
    """The number that a string represents."""
    return _map(float if np.dtype(out_type).kind == "f" else int, input, np.dtype(out_type))


def as_string(input: Any, precision: int = -1, name: str | None = None) -> Tensor:
    """The string of a number; reals by default with six digits after the point."""
    array = np.asarray(tensor(input))
    digits = 6 if precision < 0 else precision

    def word(number: Any) -> str:
        return f"{number:.{digits}f}" if array.dtype.kind == "f" else str(number).lower()

    return as_tensor(_each(array, word))


def to_hash_bucket_fast(input: Any, num_buckets: int, name: str | None = None) -> Tensor:
    """A number below ``num_buckets`` for each string, the same in each process, but not TensorFlow's."""
    return _map(
        lambda text: hashing_trick(text, num_buckets + 1, "md5", filters="", split="\0")[0] - 1, input, np.int64
    )


def format(template: str, inputs: Any, placeholder: str = "{}") -> Tensor:
    """A text with ``{}`` replaced by values."""
    for value in inputs if isinstance(inputs, (list, tuple)) else [inputs]:
        template = template.replace(placeholder, str(value), 1)
    return tensor(template)


__getattr__ = absent.answer(__name__)

"""The equation of an EinsumDense, read: which axes are summed, which stay, and the shapes that follow from them."""

from __future__ import annotations

import functools
import math
import re
import string
from dataclasses import dataclass

from ..base import Shape

__all__ = ["Equation", "read_equation"]

_FORM = re.compile(r"(\.\.\.)?([a-zA-Z]+)(\.\.\.)?,([a-zA-Z]+)->(\.\.\.)?([a-zA-Z]+)(\.\.\.)?")


@dataclass(frozen=True)
class Equation:
    """Axes by their letters, the ellipsis spelled out; x has the batch in front.

    Attributes
    ----------
    x, w, y : str
        One letter an axis.
    sizes : dict of str to (int or None)
    spelled : str
        Letters that replace the ellipsis.
    """

    x: str
    w: str
    y: str
    sizes: dict[str, int | None]
    spelled: str

    @functools.cached_property
    def rows(self) -> str:
        """Letters of x and y alone, in the order of y: a product runs over each of their cells."""
        return "".join(c for c in self.y if c in self.x and c not in self.w)

    @functools.cached_property
    def inner(self) -> str:
        """Letters of x and w alone, in the order of w: what a product sums over."""
        return "".join(c for c in self.w if c in self.x and c not in self.y)

    @functools.cached_property
    def columns(self) -> str:
        """Letters of w and y alone, in the order of y."""
        return "".join(c for c in self.y if c in self.w and c not in self.x)

    @functools.cached_property
    def shared(self) -> str:
        """Letters of all three: one product for each of their cells."""
        return "".join(c for c in self.y if c in self.w and c in self.x)

    @functools.cached_property
    def lonely(self) -> str:
        """Letters of x that neither w nor y has: x is summed over them."""
        return "".join(c for c in self.x if c not in self.w + self.y)

    @functools.cached_property
    def joined(self) -> str:
        """Letters of x that w or y has, in the order of x."""
        return "".join(c for c in self.x if c in self.w + self.y)

    @functools.cached_property
    def inner_size(self) -> int:
        """How many terms a product sums."""
        return math.prod(self.shape(self.inner))

    @functools.cached_property
    def column_shape(self) -> Shape:
        """Sizes of the axes of w and y alone."""
        return self.shape(self.columns)

    @functools.cached_property
    def product_shape(self) -> Shape:
        """Sizes of the axes of the product, those of x in front."""
        return self.shape(self.rows + self.columns)

    def shape(self, letters: str) -> Shape:
        """Sizes of the axes of these letters."""
        return tuple(self.sizes[c] for c in letters)

    def bias_shape(self, bias_axes: str) -> Shape:
        """Shape of a bias along these axes of y, which stretches over the others."""
        first = min(self.y.index(c) for c in bias_axes)
        return tuple(self.sizes[c] if c in bias_axes else 1 for c in self.y[first:])


@functools.lru_cache(maxsize=1024)
def read_equation(equation: str, output_shape: tuple[int | None, ...], input_shape: Shape) -> Equation:
    """The equation for an input of this shape.

    Parameters
    ----------
    equation : str
        ``"ab,bc->ac"``, ``"...ab,bc->...ac"`` or ``"ab...,bc->ac..."``.
    output_shape : tuple of int or None
        Sizes of the axes of y, without the batch and the axes of an ellipsis; None for one that x has.
    input_shape : tuple of int or None

    Raises
    ------
    ValueError
        If it is not such an equation, its letters do not match, or the shapes do not match the letters.
    """
    before, x, after, w, _, y, _ = split_equation(equation)
    elided = len(input_shape) - len(x)
    if elided < 0 or (elided and not (before or after)) or (before and not elided):
        least = len(x) + bool(before)
        raise ValueError(f"The equation {equation!r} needs inputs of rank {least}{' or more' * bool(before or after)}.")
    free = (c for c in string.ascii_letters if c not in x + w + y)
    spelled = "".join(next(free) for _ in range(elided))
    x, y = (spelled + x, spelled + y) if before else (x + spelled, y + spelled)
    if y[0] != x[0]:
        raise ValueError(
            f"The batch must be the first axis of the input and of the output. Received: equation={equation!r}."
        )
    sizes = dict(zip(x, input_shape, strict=True))
    wanted = [c for c in y[1:] if c not in spelled]
    if len(wanted) != len(output_shape):
        raise ValueError(
            f"output_shape must have an entry for each of the axes {', '.join(wanted) or '(none)'} of {equation!r}. "
            f"Received: output_shape={output_shape}."
        )
    for c, n in zip(wanted, output_shape, strict=True):
        if sizes.get(c) is None:
            sizes[c] = n
        elif n not in (None, sizes[c]):
            raise ValueError(f"Axis {c!r} of {equation!r} has {sizes[c]} cells in the input and {n} in output_shape.")
    unknown = [c for c in w if sizes[c] is None]
    if unknown:
        raise ValueError(f"Axis {unknown[0]!r} of {equation!r} is an axis of the kernel, so its size must be known.")
    return Equation(x, w, y, sizes, spelled)


def split_equation(equation: str) -> tuple[str, ...]:
    """The parts of an equation: the letters of x, w and y, and the ellipses around those of x and y.

    Raises
    ------
    ValueError
        If it has another form, a letter occurs twice in a part, or a letter has no source.
    """
    found = _FORM.fullmatch(equation.replace(" ", "")) if isinstance(equation, str) else None
    parts = tuple(part or "" for part in found.groups()) if found else ("",) * 7
    before, x, after, w, before_y, y, after_y = parts
    if not found or (before, after) != (before_y, after_y) or (before and after):
        raise ValueError(
            'An equation must have the form "ab,bc->ac", "...ab,bc->...ac" or "ab...,bc->ac...". Received: '
            f"equation={equation!r}."
        )
    twice = next((c for word in (x, w, y) for c in word if word.count(c) > 1), None)
    if twice:
        raise ValueError(f"A letter can name only one axis of an array. Received: {twice!r} twice in {equation!r}.")
    strange = next((c for c in w if c not in x + y), None) or next((c for c in y if c not in x + w), None)
    if strange:
        raise ValueError(
            "Each letter of the kernel must occur in the input or the output, and each letter of the output in the "
            f"input or the kernel. Received: {strange!r} once in {equation!r}."
        )
    return parts

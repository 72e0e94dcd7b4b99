"""Shape formulas shared by wrappers, twins and layers: windows that slide along an axis, arrays joined end to end.

Legend: n = length of the axis, k = cells in the window, s = stride, d = dilation, out = number of windows that fit.
A dilated window spans d·(k − 1) + 1 cells.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from numbers import Integral
from typing import Any

__all__ = [
    "MOST",
    "Padding",
    "Shape",
    "pair",
    "window_span",
    "padding_amounts",
    "output_length",
    "conv2d_padding",
    "conv2d_output_shape",
    "transposed_length",
    "transposed_cropping",
    "conv2d_transpose_output_shape",
    "conv2d_transpose_cropping",
    "pool2d_padding",
    "pool2d_output_shape",
    "resize2d_output_shape",
    "channels_of_group",
    "axis_of",
    "concatenated_shape",
    "section_lengths",
]


MOST = 2**31
"""No window, stride or padding is as long: what is computed from them fits a C integer."""

Shape = tuple[int | Any, ...]
"""None where a size is open.  That is Any to type checkers, since what computes with a size has refused None before."""

Padding = str | int | Sequence[int] | Sequence[Sequence[int]]
_MOST_NUMBERS = 1 << 59  # in an array: its byte count cannot overflow 64 bits
_MOST_PIXELS = 1 << 30  # along an axis: products of two lengths cannot overflow either
_PADDING = 'padding must be "valid", "same", an integer, (rows, columns) or ((top, bottom), (left, right)).'
Pads = tuple[tuple[int, int], tuple[int, int]]


def pair(name: str, value: int | Sequence[int], least: int = 1) -> tuple[int, int]:
    """Convert an integer, or two of them, to (rows, columns).

    Raises
    ------
    TypeError
        If an entry is not an integer.
    ValueError
        If there are not one or two entries, or one is below `least`.

    Examples
    --------
    >>> pair("strides", 2), pair("strides", (1, 3))
    ((2, 2), (1, 3))
    """
    try:
        entries = (operator.index(value), operator.index(value))  # type: ignore[arg-type]
    except TypeError:
        if isinstance(value, str) or not isinstance(value, Sequence):
            raise TypeError(f"{name} must be an integer or two integers. Received: {name}={value!r}.") from None
        if len(value) != 2:
            raise ValueError(f"{name} must be an integer or two integers. Received: {name}={value!r}.") from None
        try:
            entries = (operator.index(value[0]), operator.index(value[1]))
        except TypeError:
            raise TypeError(f"{name} must contain integers. Received: {name}={value!r}.") from None
    if min(entries) < least:
        raise ValueError(f"{name} must be at least {least}. Received: {name}={value!r}.")
    if max(entries) >= MOST:
        raise ValueError(f"{name} must be less than 2**31. Received: {name}={value!r}.")
    return entries


def window_span(window: int, dilation: int = 1) -> int:
    """Return the number of cells that a dilated window spans, d·(k − 1) + 1.

    Examples
    --------
    >>> window_span(3, 2)
    5
    """
    return dilation * (window - 1) + 1


def padding_amounts(
    length: int,
    window: int,
    stride: int = 1,
    padding: str | Sequence[int] = "valid",
    dilation: int = 1,
) -> tuple[int, int]:
    """Return the number of cells to add before and after one axis.

    "valid": none.  "same": as many as make out = ⌈n / s⌉: total = max((out − 1)·s + d·(k − 1) + 1 − n, 0), before =
    ⌊total / 2⌋, and an odd cell goes after.  A pair of integers is used as it is.

    Raises
    ------
    ValueError
        For any other padding, or a negative amount.

    Examples
    --------
    >>> padding_amounts(28, 3, padding="same"), padding_amounts(28, 3, 2, "same"), padding_amounts(28, 3, 1, (2, 0))
    ((1, 1), (0, 1), (2, 0))
    """
    if isinstance(padding, str):
        if padding == "valid":
            return 0, 0
        if padding == "same":
            total = max((-(-length // stride) - 1) * stride + window_span(window, dilation) - length, 0)
            return total // 2, total - total // 2
        raise ValueError(f"{_PADDING} Received: padding={padding!r}.")
    return pair("padding", padding, least=0)


def output_length(
    length: int,
    window: int,
    stride: int = 1,
    padding: str | Sequence[int] = "valid",
    dilation: int = 1,
    axis: str = "the axis",
) -> int:
    """Return the number of windows that fit along one axis, ⌊(n + before + after − d·(k − 1) − 1) / s⌋ + 1.

    Raises
    ------
    ValueError
        If a size is below 1, or the window is larger than the padded axis.

    Examples
    --------
    >>> output_length(28, 3), output_length(28, 3, 2, "same"), output_length(4, 3, padding=(1, 1))
    (26, 14, 4)
    """
    for name, size in (("length", length), ("window", window), ("stride", stride), ("dilation", dilation)):
        if size < 1:
            raise ValueError(f"The {name} of {axis} must be at least 1. Received: {size}.")
    before, after = padding_amounts(length, window, stride, padding, dilation)
    room = length + before + after - window_span(window, dilation)
    if room < 0:
        raise ValueError(
            f"A window of {window} cells (dilation {dilation}) does not fit into {axis} of {length} cells "
            f'with padding {before} + {after}. Received: padding={padding!r}. Use padding="same".'
        )
    return room // stride + 1


def _both(padding: Padding) -> tuple[str | Sequence[int], str | Sequence[int]]:
    """Return the entries of `padding` for the rows and for the columns; integers are those of both sides."""
    if isinstance(padding, str):
        return padding, padding
    entries: Any = [padding, padding] if _is_integer(padding) else padding
    if isinstance(entries, Sequence) and len(entries) == 2:
        if all(_is_integer(entry) for entry in entries):
            return [entries[0]] * 2, [entries[1]] * 2
        if all(isinstance(entry, Sequence) for entry in entries):
            return entries[0], entries[1]
    raise ValueError(f"{_PADDING} Received: padding={padding!r}.")


def _is_integer(value: object) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


def conv2d_padding(
    x_shape: Sequence[int],
    w_shape: Sequence[int],
    strides: int | Sequence[int] = (1, 1),
    padding: Padding = "valid",
    dilation: int | Sequence[int] = (1, 1),
) -> Pads:
    """Return the padding of a convolution as ((top, bottom), (left, right)).

    Examples
    --------
    >>> conv2d_padding((1, 28, 28, 3), (3, 5, 3, 8), padding="same")
    ((1, 1), (2, 2))
    """
    (sh, sw), (dh, dw), (rows, columns) = pair("strides", strides), pair("dilation", dilation), _both(padding)
    return (
        padding_amounts(x_shape[1], w_shape[0], sh, rows, dh),
        padding_amounts(x_shape[2], w_shape[1], sw, columns, dw),
    )


def conv2d_output_shape(
    x_shape: Sequence[int],
    w_shape: Sequence[int],
    strides: int | Sequence[int] = (1, 1),
    padding: Padding = "valid",
    dilation: int | Sequence[int] = (1, 1),
    groups: int = 1,
) -> tuple[int, int, int, int]:
    """Return the shape (N, OH, OW, F) of the convolution of (N, H, W, C) with (KH, KW, C / groups, F).

    Raises
    ------
    ValueError
        If the ranks, the channels, the groups or the sizes do not fit.

    Examples
    --------
    >>> conv2d_output_shape((32, 28, 28, 1), (3, 3, 1, 32))
    (32, 26, 26, 32)
    """
    if len(x_shape) != 4 or len(w_shape) != 4:
        raise ValueError(
            "Images must be (N, H, W, C) and weights (KH, KW, C / groups, F). "
            f"Received: x {tuple(x_shape)}, w {tuple(w_shape)}."
        )
    (n, h, width, c), (kh, kw, cg, f) = x_shape, w_shape
    if operator.index(groups) < 1 or c % groups or f % groups:
        raise ValueError(f"groups must divide the channels C={c} and the filters F={f}. Received: groups={groups}.")
    if cg * groups != c or c < 1 or f < 1:
        raise ValueError(
            f"w must have shape (KH, KW, C / groups, F) with C={c}, groups={groups}, F ≥ 1. Received: {tuple(w_shape)}."
        )
    (sh, sw), (dh, dw), (rows, columns) = pair("strides", strides), pair("dilation", dilation), _both(padding)
    oh, ow = output_length(h, kh, sh, rows, dh, "the height"), output_length(width, kw, sw, columns, dw, "the width")
    padded = (h + sum(padding_amounts(h, kh, sh, rows, dh))) * (
        width + sum(padding_amounts(width, kw, sw, columns, dw))
    )
    if (n or 1) * max(padded * c, oh * ow * max(kh * kw * cg, f)) > _MOST_NUMBERS:
        raise ValueError(
            "The padded images, their windows and the outputs must have at most 2**59 numbers each. "
            f"Received: x {tuple(x_shape)}, w {tuple(w_shape)}, strides={strides!r}, padding={padding!r}."
        )
    return n, oh, ow, f


def transposed_length(
    length: int,
    window: int,
    stride: int = 1,
    padding: str | Sequence[int] = "valid",
    output_padding: int | None = None,
    dilation: int = 1,
    axis: str = "the axis",
) -> int:
    """Return the length that a transposed convolution makes of an axis, with a window that spans `span` cells.

    "valid": (n − 1)·s + span + output_padding, by default max(s − span, 0).  "same": n·s, or with an output_padding
    (n − 1)·s + span mod 2 + output_padding.  (before, after): (n − 1)·s + span − before − after + output_padding, by
    default 0.

    Raises
    ------
    ValueError
        If a size is below 1, nothing is left of the axis, or output_padding is not from 0 to the stride − 1.

    Examples
    --------
    >>> transposed_length(14, 3, 2), transposed_length(14, 3, 2, "same"), transposed_length(14, 3, 2, (1, 1), 1)
    (29, 28, 28)
    """
    for name, size in (("length", length), ("window", window), ("stride", stride), ("dilation", dilation)):
        if size < 1:
            raise ValueError(f"The {name} of {axis} must be at least 1. Received: {size}.")
    if output_padding is not None and not 0 <= output_padding < stride:
        raise ValueError(
            f"output_padding must be from 0 to {stride - 1} along {axis}, below the stride. "
            f"Received: output_padding={output_padding}."
        )
    span = window_span(window, dilation)
    reach = (length - 1) * stride + span
    if padding == "valid":
        out = reach + (max(stride - span, 0) if output_padding is None else output_padding)
    elif padding == "same":
        out = length * stride if output_padding is None else (length - 1) * stride + span % 2 + output_padding
    else:
        out = reach + (output_padding or 0) - sum(padding_amounts(length, window, stride, padding, dilation))
    if out < 1:
        raise ValueError(
            f"A transposed window of {window} cells (dilation {dilation}, stride {stride}) leaves nothing of {axis} "
            f'with {length} cells. Received: padding={padding!r}, output_padding={output_padding}. Use padding="valid".'
        )
    return out


def transposed_cropping(
    length: int,
    window: int,
    stride: int = 1,
    padding: str | Sequence[int] = "valid",
    output_padding: int | None = None,
    dilation: int = 1,
    axis: str = "the axis",
) -> tuple[int, int]:
    """Return the number of cells that a transposed convolution cuts off before and after an axis.

    They are the padding of the convolution that goes the other way.

    Examples
    --------
    >>> transposed_cropping(14, 3, 2, "same"), transposed_cropping(14, 4, 2, "same"), transposed_cropping(14, 3, 2)
    ((0, 1), (1, 1), (0, 0))
    """
    out = transposed_length(length, window, stride, padding, output_padding, dilation, axis)
    if padding == "same":
        total = max((length - 1) * stride + window_span(window, dilation) - out, 0)
        return total // 2, total - total // 2
    return padding_amounts(length, window, stride, padding, dilation)


def _transposed_axes(
    x_shape: Sequence[int],
    w_shape: Sequence[int],
    strides: int | Sequence[int],
    padding: Padding,
    output_padding: int | Sequence[int] | None,
    dilation: int | Sequence[int],
) -> list[tuple]:
    """Return the arguments of `transposed_length` for the height and for the width."""
    extra = (None, None) if output_padding is None else pair("output_padding", output_padding, least=0)
    axes = x_shape[1:3], w_shape[:2], pair("strides", strides), _both(padding), extra, pair("dilation", dilation)
    return list(zip(*axes, ("the height", "the width"), strict=True))


def conv2d_transpose_output_shape(
    x_shape: Sequence[int],
    w_shape: Sequence[int],
    strides: int | Sequence[int] = (1, 1),
    padding: Padding = "valid",
    output_padding: int | Sequence[int] | None = None,
    dilation: int | Sequence[int] = (1, 1),
) -> tuple[int, int, int, int]:
    """Return the shape (N, OH, OW, F) of the transposed convolution of (N, H, W, C) with (KH, KW, F, C).

    Raises
    ------
    TypeError, ValueError
        If the ranks, the channels or the sizes do not fit.

    Examples
    --------
    >>> conv2d_transpose_output_shape((32, 14, 14, 64), (3, 3, 32, 64), 2, "same")
    (32, 28, 28, 32)
    """
    if len(x_shape) != 4 or len(w_shape) != 4:
        raise ValueError(
            "Images must be (N, H, W, C) and weights of a transposed convolution (KH, KW, F, C). "
            f"Received: x {tuple(x_shape)}, w {tuple(w_shape)}."
        )
    (n, _, _, c), (kh, kw, f, wc) = x_shape, w_shape
    if wc != c or c < 1 or f < 1:
        raise ValueError(f"w must have shape (KH, KW, F, C) with C={c}, F ≥ 1. Received: {tuple(w_shape)}.")
    axes = _transposed_axes(x_shape, w_shape, strides, padding, output_padding, dilation)
    oh, ow = (transposed_length(*axis) for axis in axes)
    padded = [size + sum(transposed_cropping(*axis)) for size, axis in zip((oh, ow), axes, strict=True)]
    if (n or 1) * max(padded[0] * padded[1] * f, x_shape[1] * x_shape[2] * max(kh * kw * f, c)) > _MOST_NUMBERS:
        raise ValueError(
            "The outputs of a transposed convolution, before they are cropped, must be at most 2**59 numbers. "
            f"Received: x {tuple(x_shape)}, w {tuple(w_shape)}, strides={strides!r}, padding={padding!r}."
        )
    return n, oh, ow, f


def conv2d_transpose_cropping(
    x_shape: Sequence[int],
    w_shape: Sequence[int],
    strides: int | Sequence[int] = (1, 1),
    padding: Padding = "valid",
    output_padding: int | Sequence[int] | None = None,
    dilation: int | Sequence[int] = (1, 1),
) -> Pads:
    """Return what a transposed convolution cuts off as ((top, bottom), (left, right)).

    Examples
    --------
    >>> conv2d_transpose_cropping((1, 14, 14, 64), (3, 4, 32, 64), 2, "same")
    ((0, 1), (1, 1))
    """
    rows, columns = _transposed_axes(x_shape, w_shape, strides, padding, output_padding, dilation)
    return transposed_cropping(*rows), transposed_cropping(*columns)


def _pool(pool_size: int | Sequence[int], strides: int | Sequence[int] | None, padding: str) -> tuple:
    size = pair("pool_size", pool_size)
    steps = size if strides is None else pair("strides", strides)
    if padding not in ("valid", "same"):
        raise ValueError(f'padding of pooling must be "valid" or "same". Received: padding={padding!r}.')
    return size, steps


def pool2d_padding(
    x_shape: Sequence[int],
    pool_size: int | Sequence[int] = (2, 2),
    strides: int | Sequence[int] | None = None,
    padding: str = "valid",
) -> Pads:
    """Return the padding of pooling as ((top, bottom), (left, right)); strides=None means the pool size.

    Examples
    --------
    >>> pool2d_padding((1, 5, 4, 3), (2, 2), padding="same")
    ((0, 1), (0, 0))
    """
    (ph, pw), (sh, sw) = _pool(pool_size, strides, padding)
    return padding_amounts(x_shape[1], ph, sh, padding), padding_amounts(x_shape[2], pw, sw, padding)


def pool2d_output_shape(
    x_shape: Sequence[int],
    pool_size: int | Sequence[int] = (2, 2),
    strides: int | Sequence[int] | None = None,
    padding: str = "valid",
) -> tuple[int, int, int, int]:
    """Return the shape (N, OH, OW, C) of pooling (N, H, W, C).

    Raises
    ------
    ValueError
        If the rank is not 4, a size is below 1, or the window does not fit.

    Examples
    --------
    >>> pool2d_output_shape((32, 11, 11, 64)), pool2d_output_shape((32, 11, 11, 64), padding="same")
    ((32, 5, 5, 64), (32, 6, 6, 64))
    """
    if len(x_shape) != 4:
        raise ValueError(f"Images must be (N, H, W, C). Received: {tuple(x_shape)}.")
    (ph, pw), (sh, sw) = _pool(pool_size, strides, padding)
    n, h, w, c = x_shape
    return n, output_length(h, ph, sh, padding, 1, "the height"), output_length(w, pw, sw, padding, 1, "the width"), c


def resize2d_output_shape(x_shape: Sequence[int], size: int | Sequence[int]) -> tuple[int, int, int, int]:
    """Return the shape (N, OH, OW, C) of images (N, H, W, C) resized to `size`.

    Raises
    ------
    TypeError
        If `size` is not an integer or two integers.
    ValueError
        If the rank is not 4, an image has no pixel or no channel, or a size is below 1 or too large.

    Examples
    --------
    >>> resize2d_output_shape((32, 14, 14, 64), (28, 20))
    (32, 28, 20, 64)
    """
    if len(x_shape) != 4 or min(x_shape[1:]) < 1:
        raise ValueError(
            f"Images must be (N, H, W, C) with at least one pixel and channel. Received: {tuple(x_shape)}."
        )
    (n, h, w, c), (oh, ow) = x_shape, pair("size", size)
    if max(h, w, oh, ow) > _MOST_PIXELS or (n or 1) * c * oh * ow > _MOST_NUMBERS:
        raise ValueError(
            "Resized images must have at most 2**30 pixels along an axis and 2**59 numbers in all. "
            f"Received: {tuple(x_shape)} with size={size!r}."
        )
    return n, oh, ow, c


def channels_of_group(x_shape: Sequence[int], groups: int) -> int:
    """Return C / groups of examples (N, …, C).

    Raises
    ------
    TypeError
        If `groups` is not an integer.
    ValueError
        If there are not two axes, or no channel, or the groups do not divide the channels.

    Examples
    --------
    >>> channels_of_group((2, 7, 7, 12), 4)
    3
    >>> channels_of_group((2, 7, 7, 12), 5)
    Traceback (most recent call last):
    ValueError: groups must divide the channels C=12. Received: groups=5.
    """
    if len(x_shape) < 2 or x_shape[-1] < 1:
        raise ValueError(f"x must have shape (N, …, C) with C at least 1. Received: {tuple(x_shape)}.")
    try:
        count = operator.index(groups)
    except TypeError:
        raise TypeError(f"groups must be an integer. Received: groups={groups!r}.") from None
    if count < 1 or x_shape[-1] % count:
        raise ValueError(f"groups must divide the channels C={x_shape[-1]}. Received: groups={groups}.")
    return x_shape[-1] // count


def axis_of(axis: int, ndim: int) -> int:
    """Read an axis, counted from the end if negative, as one in [0, ndim).

    Raises
    ------
    TypeError
        If it is not an integer.
    ValueError
        If the axis does not exist.

    Examples
    --------
    >>> axis_of(-1, 3)
    2
    """
    try:
        number = operator.index(axis)
    except TypeError:
        raise TypeError(f"axis must be an integer. Received: axis={axis!r}.") from None
    if not -ndim <= number < ndim:
        raise ValueError(f"axis lies in [{-ndim}, {ndim}) for {ndim} axes. Received: axis={axis!r}.")
    return number % ndim


def concatenated_shape(shapes: Sequence[Sequence[int]], axis: int = -1) -> tuple[int, ...]:
    """Shape of arrays joined end to end along `axis`.

    Raises
    ------
    ValueError
        If two of them differ on another axis, or the axis does not exist.

    Examples
    --------
    >>> concatenated_shape([(2, 3), (2, 5)])
    (2, 8)
    """
    first = tuple(shapes[0])
    at = axis_of(axis, len(first))
    for i, shape in enumerate(shapes):
        if (*shape[:at], *shape[at + 1 :]) != (*first[:at], *first[at + 1 :]) or len(shape) != len(first):
            raise ValueError(
                f"arrays[{i}] must have the shape of arrays[0], {first}, on every axis but {at}, along which they are "
                f"joined. Received: {tuple(shape)}."
            )
    return (*first[:at], sum(shape[at] for shape in shapes), *first[at + 1 :])


def section_lengths(shape: Sequence[int], sizes: Sequence[int], axis: int = -1) -> tuple[int, tuple[int, ...]]:
    """Read the lengths of the pieces to cut an array of this shape into: the axis, counted from the front, and they.

    Raises
    ------
    TypeError
        If a length is not an integer.
    ValueError
        If there is none, one is negative, or together they are not as long as the axis.

    Examples
    --------
    >>> section_lengths((2, 8), [3, 5])
    (1, (3, 5))
    """
    at = axis_of(axis, len(shape))
    try:
        lengths = tuple(operator.index(size) for size in sizes)
    except TypeError:
        raise TypeError(f"sizes must be a list of integers. Received: sizes={sizes!r}.") from None
    if not lengths or min(lengths) < 0 or sum(lengths) != shape[at]:
        raise ValueError(
            f"sizes must be the lengths of the pieces of axis {at}, together its {shape[at]} entries. Received: "
            f"sizes={list(lengths)} for shape {tuple(shape)}."
        )
    return at, lengths

"""Operators that move numbers to other places: reshaping, transposing, slicing, joining, padding, repeating."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .... import layers, ops
from .node import OnnxNode
from .open_sizes import count, number
from .reader import Reader
from .table import reads
from .values import Known, Tensor, is_open

__all__: list[str] = []


@reads("Transpose")
def transpose(r: Reader, node: OnnxNode) -> Tensor:
    x = node.x()
    return r.transpose(x, node.attribute("perm") or range(x.rank)[::-1])


@reads("Flatten")
def flatten(r: Reader, node: OnnxNode) -> Tensor:
    x, axis = r.plain(node.x()), node.attribute("axis", 1)
    axis = axis + x.rank if axis < 0 else axis
    if axis == 1:
        return r.layer(node, None, lambda **k: layers.Flatten(**k), [], x)
    return reshaped(r, x, [math.prod(x.sizes[:axis]), math.prod(x.sizes[axis:])])


@reads("Reshape")
def reshape(r: Reader, node: OnnxNode) -> Tensor:
    x, target = r.plain(node.x()), node.numbers("shape", 1) or []
    if not node.attribute("allowzero", 0):
        target = [x.sizes[i] if n == 0 and i < x.rank else n for i, n in enumerate(target)]
    cells = math.prod(x.sizes)
    if -1 in target:
        rest = math.prod(n for n in target if n != -1)
        if not rest or cells % rest:
            raise node.refusal(f"a shape with as many elements as {x.sizes}", f"{target}")
        target = [cells // rest if n == -1 else n for n in target]
    if math.prod(target) != cells:
        with_batch = _with_open_batch(r, x, target)
        if with_batch is None:
            raise node.refusal(
                f"a shape for as many numbers as {x.sizes} has (the large ones are open)",
                f"{target}",
                "Pass input_shape= with known sizes, if the file was made for those.",
            )
        target = with_batch
    return reshaped(r, x, target)


def _with_open_batch(r: Reader, x: Tensor, target: list[int]) -> list[int] | None:
    """The target with the open batch in place of the size that the file fixes: on the axis that holds it alone, or else
    on one that joins it with its neighbours."""
    for fixed, prime in r.opened.items():
        starts = [math.prod(x.sizes[:axis]) for axis, n in enumerate(x.sizes) if n % prime == 0]
        places = [axis for axis, n in enumerate(target) if n % fixed == 0]
        places.sort(key=lambda axis: (target[axis] != fixed, math.prod(target[:axis]) not in starts, axis))
        for axis in places:
            found = [*target[:axis], target[axis] // fixed * prime, *target[axis + 1 :]]
            if math.prod(found) == math.prod(x.sizes):
                return found
    return None


def reshaped(r: Reader, x: Tensor, target: list[int]) -> Tensor:
    """``ops.reshape``, in which None keeps an axis in its place and one size may be -1.

    Other open sizes are brought into the same place first, by axes of length 1 before them, here or there; what is left
    is gathered from a flat array.
    """
    if tuple(target) == x.sizes:
        return x
    pairs, lost = _kept_axes(x.sizes, target)
    if len(lost) > 1:
        return _gathered(r, x, target)
    given, wanted = list(x.sizes), list(target)
    ones_given: list[int] = []
    ones_wanted: list[int] = []
    for j, i in pairs:
        a, b = j + len(ones_given), i + len(ones_wanted)
        ones_given += [a] * (b - a)
        ones_wanted += [b] * (a - b)
        given[a:a] = [1] * (b - a)
        wanted[b:b] = [1] * (a - b)
    words: list[Any] = []
    for i, n in enumerate(wanted):
        kept = is_open(n) and i < len(given) and given[i] == n
        words.append(None if kept else -1 if is_open(n) else n)
    symbol = ops.expand_dims(x.symbol, _places(ones_given)) if ones_given else x.symbol
    symbol = ops.reshape(symbol, words)
    return r.record(ops.squeeze(symbol, axis=_places(ones_wanted)) if ones_wanted else symbol)


def _kept_axes(sizes: tuple[int, ...], target: list[int]) -> tuple[list[tuple[int, int]], list[int]]:
    """The open axes that are there before and after, in the same order; and the open ones that are new."""
    pairs, lost, last = [], [], -1
    for i, n in enumerate(target):
        if is_open(n):
            found = next((j for j in range(last + 1, len(sizes)) if sizes[j] == n), None)
            if found is None:
                lost.append(i)
            else:
                pairs.append((found, i))
                last = found
    return pairs, lost


def _gathered(r: Reader, x: Tensor, target: list[int]) -> Tensor:
    """The rows of a flat array in a grid of other sizes, place = ((i₀·n₁ + i₁)·n₂ + i₂)…; axes that stay are behind."""
    same = 0
    while (
        same < min(x.rank, len(target)) - 1
        and x.sizes[-1 - same] == target[-1 - same]
        and not is_open(target[-1 - same])
    ):
        same += 1
    behind, lead = target[len(target) - same :], target[: len(target) - same]
    rows = ops.reshape(x.symbol, [-1, *behind])
    places: Any = None
    for axis, n in enumerate(lead):
        along = ops.reshape(count(r, n), [-1 if i == axis else 1 for i in range(len(lead))])
        places = along if places is None else ops.add(ops.multiply(places, number(r, n)), along)
    return r.record(ops.take(rows, places, axis=0))


def _places(ones: list[int]) -> list[int]:
    """Axes put in one after another at these places, as places in the result."""
    found: list[int] = []
    for place in ones:
        found = [p + (p >= place) for p in found]
        found.append(place)
    return sorted(found)


@reads("Unsqueeze")
def unsqueeze(r: Reader, node: OnnxNode) -> Tensor:
    axes = node.numbers("axes", 1) or []
    return r.apply(lambda x: ops.expand_dims(x, axes), node.x())


@reads("Squeeze")
def squeeze(r: Reader, node: OnnxNode) -> Tensor:
    x = node.x()
    axes = node.numbers("axes", 1)
    places = [i for i, n in enumerate(x.sizes) if n == 1] if axes is None else [axis % x.rank for axis in axes]
    if x.order is None:
        return r.apply(lambda a: ops.squeeze(a, axis=places), x) if places else x
    base = [x.order[axis] for axis in places]
    y = r.record(ops.squeeze(x.symbol, axis=base))
    left = [axis for i, axis in enumerate(x.order) if i not in places]
    rank = sorted(left)
    order = tuple(rank.index(axis) for axis in left)
    sizes = tuple(n for i, n in enumerate(x.sizes) if i not in places)
    return Tensor(y.symbol, sizes, None if order == tuple(range(len(order))) else order)


@reads("Slice")
def slice_(r: Reader, node: OnnxNode) -> Tensor:
    """x[start:end:step] along some axes; up to an open size, of a constant or a longer axis, by places."""
    starts, ends = node.numbers("starts", 1) or [], node.numbers("ends", 2) or []
    axes = node.numbers("axes", 3) or list(range(len(starts)))
    steps = node.numbers("steps", 4) or [1] * len(starts)
    value = node.get(0)
    sizes = value.sizes if isinstance(value, Tensor) else node.array(0).shape
    key: list[Any] = [slice(None)] * len(sizes)
    places: dict[int, int] = {}
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        axis %= len(sizes)
        if is_open(end) and 0 < end < sizes[axis]:
            if start != 0 or step != 1:
                raise node.refusal("start=0, step=1 up to an open size", f"start={start}, step={step}")
            places[axis] = end
        elif is_open(end) and not is_open(sizes[axis]) and abs(end) < (1 << 40):
            places[axis] = end
        elif not (start == 0 and step == 1 and end >= sizes[axis]):
            if is_open(start) and start:
                raise node.refusal("a start that is known", "one that depends on an open size")
            low = None if step < 0 and end <= -(1 << 31) else end
            key[axis] = slice(start, None if low is None or end >= (1 << 31) - 1 else low, step)
    x = value
    if any(part != slice(None) for part in key):
        x = r.apply(lambda a: a[tuple(key)], node.x()) if isinstance(x, Tensor) else Known(node.array(0)[tuple(key)])
    for axis, end in places.items():
        x = r.apply(lambda a, i, axis=axis: ops.take(a, i, axis=axis), x, r.record(count(r, end)))  # type: ignore
    return x  # type: ignore[return-value]


@reads("Split")
def split(r: Reader, node: OnnxNode) -> list[Tensor]:
    x, axis = node.x(), node.attribute("axis", 0)
    parts = node.numbers("split", 1)
    if parts is None:
        count = node.attribute("num_outputs", len(node.proto.output))
        each = -(-x.sizes[axis] // count)
        parts = [each] * (count - 1) + [x.sizes[axis] - each * (count - 1)]
    return r.apply(lambda a: ops.split(a, np.cumsum(parts)[:-1].tolist(), axis=axis), x)


@reads("Concat")
def concat(r: Reader, node: OnnxNode) -> Tensor:
    tensors = [one for one in node.inputs if isinstance(one, Tensor)]
    axis = node.attribute("axis") % tensors[0].rank
    orders = {one.order for one in tensors}
    (order,) = orders if len(orders) == 1 and len(tensors) == len(node.inputs) else (None,)
    if order is None:
        kinds = [r.tensor(one) for one in node.inputs]  # type: ignore[arg-type]
        return r.apply(lambda *a: ops.concatenate(list(a), axis=axis), *kinds)
    y = r.record(ops.concatenate([one.symbol for one in tensors], axis=order[axis]))
    return Tensor(y.symbol, tuple(y.sizes[a] for a in order), order)


@reads("Pad")
def pad(r: Reader, node: OnnxNode) -> Tensor:
    x, pads = node.x(), node.numbers("pads", 1) or []
    axes = [axis % x.rank for axis in node.numbers("axes", 3) or range(x.rank)]
    n = len(axes)
    widths = [(0, 0)] * x.rank
    for axis, start, end in zip(axes, pads[:n], pads[n:], strict=True):
        widths[axis] = (start, end)
    mode = node.attribute("mode", "constant")
    if mode not in ("constant", "reflect", "edge"):
        raise node.refusal("mode constant, reflect or edge", f"mode={mode}")
    value = node.attribute("value", 0.0)
    if node.get(2) is not None and node.array(2).size:
        value = node.array(2).item()
    if min(end for pair in widths for end in pair) < 0:
        cut = tuple(slice(max(-a, 0), min(b, 0) or None) for a, b in widths)
        widths = [(max(a, 0), max(b, 0)) for a, b in widths]
        x = r.apply(lambda a: a[cut], x)
    named = {"constant_values": value} if mode == "constant" else {}
    if x.order is not None:
        base = [widths[x.order.index(axis)] for axis in range(x.rank)]
        y = r.record(ops.pad(x.symbol, base, mode=mode, **named))
        return Tensor(y.symbol, tuple(y.sizes[a] for a in x.order), x.order)
    return r.apply(lambda a: ops.pad(a, widths, mode=mode, **named), x)


@reads("Tile")
def tile(r: Reader, node: OnnxNode) -> Tensor:
    repeats = node.numbers("repeats", 1) or []
    if any(is_open(n) for n in repeats):
        raise node.refusal("known repeats", "a number that depends on an open size")
    return r.apply(lambda x: ops.tile(x, repeats), node.x())

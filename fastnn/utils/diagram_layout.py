"""Where the boxes of a diagram go: layer by layer, as few crossings as sorting finds, each near its neighbours.

After Sugiyama, Tagawa and Toda: Methods for Visual Understanding of Hierarchical System Structures, 1981.

1. The rank of a box is the longest way to it from a start.
2. An arrow over several ranks gets a point in each rank between.
3. In each rank, boxes and points are sorted by the mean place of their neighbours, downwards and upwards in turn.
4. Positions: each should be at the mean of its neighbours; in each rank the positions nearest to these wishes
   that keep distance and order are found exactly (isotonic regression).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

__all__ = ["Layout", "laid_out"]

GAP, RANK_GAP = 28.0, 34.0
_SWEEPS = 8


@dataclass
class Layout:
    """Centres of boxes, and the points of each arrow, with ranks from top to bottom.

    Attributes
    ----------
    centres : list of (x, y)
    paths : list of list of (x, y)
        From the bottom of one box, through points between, to the top of another.
    width, height : float
    """

    centres: list[tuple[float, float]]
    paths: list[list[tuple[float, float]]]
    width: float
    height: float


def laid_out(sizes: Sequence[tuple[float, float]], arrows: Sequence[tuple[int, int]]) -> Layout:
    """Lay out boxes of these widths and heights.

    Parameters
    ----------
    sizes : list of (width, height)
    arrows : list of (int, int)
        From a box to one later in the list.

    Examples
    --------
    >>> layout = laid_out([(10, 10), (10, 10)], [(0, 1)])
    >>> layout.centres
    [(5.0, 5.0), (5.0, 49.0)]
    """
    if not sizes:
        return Layout([], [], 0.0, 0.0)
    rank = [0] * len(sizes)
    for source, target in sorted(arrows, key=lambda arrow: arrow[1]):
        rank[target] = max(rank[target], rank[source] + 1)
    for box in reversed(range(len(sizes))):  # an input is right above its readers
        targets = [rank[target] for source, target in arrows if source == box]
        if targets and not any(target == box for _, target in arrows):
            rank[box] = min(targets) - 1
    widths, steps = [width for width, _ in sizes], []
    chains: list[list[int]] = []
    for source, target in arrows:
        chain = [source]
        for between in range(rank[source] + 1, rank[target]):
            chain.append(len(rank))
            rank.append(between)
            widths.append(0.0)
        chain.append(target)
        chains.append(chain)
        steps += pairwise(chain)
    rows: list[list[int]] = [[] for _ in range(max(rank) + 1)]
    for item, place in enumerate(rank):
        rows[place].append(item)
    above: list[list[int]] = [[] for _ in rank]
    below: list[list[int]] = [[] for _ in rank]
    for source, target in steps:
        above[target].append(source)
        below[source].append(target)
    _sort(rows, above, below)
    x = _positions(rows, above, below, widths)
    tops, heights, top = [], [], 0.0
    for row in rows:
        height = max((sizes[item][1] for item in row if item < len(sizes)), default=0.0)
        tops.append(top)
        heights.append(height)
        top += height + RANK_GAP
    left = min(x[item] - widths[item] / 2 for item in range(len(rank)))
    right = max(x[item] + widths[item] / 2 for item in range(len(rank)))
    middle = [tops[place] + heights[place] / 2 for place in rank]
    centres = [(x[box] - left, middle[box]) for box in range(len(sizes))]
    paths = []
    for chain in chains:
        path = []
        for item in chain:
            place, at = rank[item], x[item] - left
            if item >= len(sizes):  # straight through its rank
                path += [(at, tops[place]), (at, tops[place] + heights[place])]
            else:
                half = sizes[item][1] / 2
                path.append((at, middle[item] + half if item == chain[0] else middle[item] - half))
        paths.append(path)
    return Layout(centres, paths, right - left, top - RANK_GAP)


def _sort(rows: list[list[int]], above: list[list[int]], below: list[list[int]]) -> None:
    """Order each row by the mean place of the neighbours in the row before it, downwards and upwards in turn."""
    place: dict[int, float] = {}
    for row in rows:
        place |= {item: float(i) for i, item in enumerate(row)}
    for sweep in range(_SWEEPS):
        down = sweep % 2 == 0
        for row in rows if down else reversed(rows):
            near = above if down else below
            row.sort(key=lambda item: _mean([place[other] for other in near[item]], place[item]))
            place |= {item: float(i) for i, item in enumerate(row)}


def _positions(
    rows: list[list[int]], above: list[list[int]], below: list[list[int]], widths: list[float]
) -> list[float]:
    x = [0.0] * len(widths)
    for row in rows:
        for item, at in zip(row, _apart([0.0] * len(row), [widths[item] for item in row]), strict=True):
            x[item] = at
    for sweep in range(2 * _SWEEPS):
        down = sweep % 2 == 0
        for row in rows if down else reversed(rows):
            near = above if down else below
            wanted = [_mean([x[other] for other in near[item]], x[item]) for item in row]
            for item, at in zip(row, _apart(wanted, [widths[item] for item in row]), strict=True):
                x[item] = at
    return x


def _mean(values: list[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _apart(wanted: list[float], widths: list[float]) -> list[float]:
    """The positions nearest to those wanted, in this order and without overlap: pool adjacent violators."""
    offsets, offset = [0.0], 0.0
    for left, right in pairwise(widths):
        offset += (left + right) / 2 + GAP
        offsets.append(offset)
    pools: list[list[float]] = []  # sum and number of wishes that share one position
    for at, offset in zip(wanted, offsets, strict=True):
        pools.append([at - offset, 1.0])
        while len(pools) > 1 and pools[-2][0] / pools[-2][1] > pools[-1][0] / pools[-1][1]:
            total, count = pools.pop()
            pools[-1][0] += total
            pools[-1][1] += count
    found = [total / count for total, count in pools for _ in range(int(count))]
    return [at + offset for at, offset in zip(found, offsets, strict=True)]

"""Orders of axes: a transpose as a note on a value, so that two of them that undo each other are never written down."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["after", "first_to_last", "inverse", "last_to_first", "without"]

Order = tuple[int, ...]


def after(order: Order | None, axes: Sequence[int]) -> Order | None:
    """The order of a value that is transposed once more; None where the axes are back in their places.

    Parameters
    ----------
    order : tuple of int or None
        Axis i of the value is axis ``order[i]`` of the array behind it; None: the value is the array.
    axes : sequence of int
        As numpy.transpose takes them.

    Examples
    --------
    >>> after(None, (0, 2, 3, 1))
    (0, 2, 3, 1)
    >>> after((0, 2, 3, 1), (0, 3, 1, 2)) is None
    True
    """
    found = tuple(axes) if order is None else tuple(order[axis] for axis in axes)
    return None if found == tuple(range(len(found))) else found


def inverse(order: Order) -> Order:
    """The order that takes a transposed value back to the array.

    Examples
    --------
    >>> inverse((0, 2, 3, 1))
    (0, 3, 1, 2)
    """
    return tuple(order.index(axis) for axis in range(len(order)))


def without(order: Order | None, axes: Sequence[int]) -> Order | None:
    """The order of a value that has lost these axes, which are counted in the value.

    Examples
    --------
    >>> without((0, 2, 3, 1), (1, 2)) is None
    True
    """
    if order is None:
        return None
    left = [axis for i, axis in enumerate(order) if i not in axes]
    places = sorted(left)
    return after(None, [places.index(axis) for axis in left])


def last_to_first(rank: int) -> Order:
    """The axes that bring channels from the end to behind the batch.

    Examples
    --------
    >>> last_to_first(4)
    (0, 3, 1, 2)
    """
    return (0, rank - 1, *range(1, rank - 1))


def first_to_last(rank: int) -> Order:
    """The axes that bring channels from behind the batch to the end.

    Examples
    --------
    >>> first_to_last(4)
    (0, 2, 3, 1)
    """
    return (0, *range(2, rank), 1)

"""Workspaces: the arrays of a step, allocated once for each batch shape and reused.

Inside ``with workspaces.of(shape, training):`` kernels that are given no output array get one from the workspace, in
order of request, so that the next step with the same shapes gets the same arrays.  Copy what must outlive the step: an
array that is kept stays as it is, but its place in the next step needs other memory.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from .. import backend

__all__ = ["Workspaces"]

_MOST = 64
_BYTES = 256 << 20


class Workspaces:
    """One workspace for each (shape of the batch, training or not).

    Batches of sequences come in many lengths, so the shapes are not few.  Before a new workspace is made, those used
    longest ago make room: at most 64 stay, and no more than 256 MiB.
    """

    def __init__(self) -> None:
        self._spaces: dict[Any, AbstractContextManager] = {}
        self._last: Any = None

    def of(self, shape: tuple[int, ...], training: bool) -> AbstractContextManager:
        """The workspace for a batch of this shape."""
        kernels = backend.active()
        key = (kernels, shape, training)
        space = self._spaces.get(key)
        if space is None:
            self._make_room()
            space = kernels.Workspace() if hasattr(kernels, "Workspace") else nullcontext()
            self._spaces[key] = space
        elif key != self._last:
            self._spaces[key] = self._spaces.pop(key)  # the dict is in order of use
        self._last = key
        return space

    def _make_room(self) -> None:
        sizes = {key: getattr(space, "nbytes", 0) for key, space in self._spaces.items()}
        total = sum(sizes.values())
        for key in sizes:
            if len(self._spaces) < _MOST and total <= _BYTES:
                break
            total -= sizes[key]
            del self._spaces[key]

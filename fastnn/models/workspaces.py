"""Workspaces: the arrays of a step, laid out once for each shape of batch and used again.

Inside ``with workspaces.of(shape, training):`` kernels that are given no output array take one from the workspace, in
order of request, so that the next step with the same shapes gets the same arrays.  Copy what must outlive the step.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from .. import backend

__all__ = ["Workspaces"]

_MOST = 16


class Workspaces:
    """One workspace for each (shape of the batch, training or not); the oldest makes room for the 17th."""

    def __init__(self) -> None:
        self._spaces: dict[Any, AbstractContextManager] = {}

    def of(self, shape: tuple[int, ...], training: bool) -> AbstractContextManager:
        """The workspace for a batch of this shape."""
        kernels = backend.active()
        key = (kernels, shape, training)
        space = self._spaces.get(key)
        if space is None:
            if len(self._spaces) >= _MOST:
                del self._spaces[next(iter(self._spaces))]
            space = kernels.Workspace() if hasattr(kernels, "Workspace") else nullcontext()
            self._spaces[key] = space
        return space

"""What threadpoolctl asks of a library with threads of its own; imported by ``utils.register_threadpoolctl`` alone."""

from __future__ import annotations

import threadpoolctl

from ._version import __version__

__all__ = ["Pool", "register_once"]


class Pool(threadpoolctl.LibController):
    """The pool of ``src_c/pool.c``, found in ``fastnn/kernels/_core`` by the names of its functions."""

    user_api = internal_api = "fastnn"
    filename_prefixes = ("_core",)
    check_symbols = ("fnn_get_threads", "fnn_set_threads")

    def get_num_threads(self) -> int:
        """The number of threads that kernels use."""
        return self.dynlib.fnn_get_threads()

    def set_num_threads(self, num_threads: int) -> None:
        """Set it; a number that is not 1 to 256 leaves it as it is."""
        self.dynlib.fnn_set_threads(num_threads)

    def get_version(self) -> str:
        """The version of fastnn."""
        return __version__


_registered: list[type] = []


def register_once() -> None:
    """Tell threadpoolctl of the pool, the first time."""
    if not _registered:
        threadpoolctl.register(Pool)
        _registered.append(Pool)

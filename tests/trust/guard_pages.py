"""Every kernel on arrays that end, or begin, at an unreadable page: ``python -m tests.trust.guard_pages [family]``.

A vector read or written past an array dies with a segmentation fault instead of passing unnoticed; inputs are
read-only pages, so a kernel that writes into them dies too.  The last line written tells which call it was.
"""

from __future__ import annotations

import ctypes
import itertools
import mmap
import sys
from types import TracebackType

import numpy as np

from fastnn import registry
from fastnn.registry import Case, Kernel
from tests.kernels.harness import assert_equal, call, describe, nan_results

__all__ = ["Fence"]

_LIBC = ctypes.CDLL(None, use_errno=True)
_LIBC.mmap.restype = ctypes.c_void_p
_LIBC.mmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_size_t)
_LIBC.mprotect.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
_LIBC.munmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t)
_NONE, _PAGE = 0, mmap.PAGESIZE


class Fence:
    """Arrays between two unreadable pages, until the ``with`` block ends.

    Parameters
    ----------
    end : {"last", "first"}
        Which byte of an array touches its unreadable page.
    """

    def __init__(self, end: str):
        self.end = end
        self.fields: list[tuple[int, int]] = []

    def __enter__(self) -> Fence:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for address, length in self.fields:
            _LIBC.munmap(address, length)

    def place(self, array: np.ndarray, writeable: bool = False) -> np.ndarray:
        """A copy of `array` at the fence."""
        inner = max(1, -(-array.nbytes // _PAGE)) * _PAGE
        length = inner + 2 * _PAGE
        readable = mmap.PROT_READ | mmap.PROT_WRITE
        address = _LIBC.mmap(None, length, readable, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, -1, 0)
        if address == ctypes.c_void_p(-1).value:
            raise MemoryError(f"no {length} bytes for a fenced array")
        self.fields.append((address, length))
        start = inner - array.nbytes if self.end == "last" else 0
        memory = (ctypes.c_char * inner).from_address(address + _PAGE)
        placed = np.ndarray(array.shape, array.dtype, memory, start)
        placed[...] = array
        for page in (address, address + _PAGE + inner):
            self._protect(page, _PAGE, _NONE)
        if not writeable:
            self._protect(address + _PAGE, inner, mmap.PROT_READ)
            placed.flags.writeable = False
        return placed

    @staticmethod
    def _protect(address: int, length: int, mode: int) -> None:
        if _LIBC.mprotect(address, length, mode):
            raise OSError(ctypes.get_errno(), "mprotect")


def run(kernel: Kernel, case: Case, end: str) -> None:
    """One call with all inputs and results at the fence; the numbers are those of an ordinary call."""
    function = kernel.compiled()
    expected = call(function, kernel, case)
    given = nan_results(kernel, expected) if kernel.results else {}
    with Fence(end) as fence:
        fenced = case.mapped(fence.place)
        for i in kernel.in_place:
            if i < len(case.args) and case.args[i] is not None:
                fenced = fenced.replaced((i,), fence.place(case.args[i], writeable=True))
        args, options = fenced
        results = Case((), given).mapped(lambda array: fence.place(array, writeable=True)).kwargs
        print(f"{end} byte at the fence: {describe(kernel, case)}", file=sys.stderr)
        got = function(*args, **options, **results)
        if kernel.in_place:
            got = tuple(args[i] for i in kernel.in_place if i < len(args))
        assert_equal(got if isinstance(got, tuple) else (got,), expected, describe(kernel, case))


def main(family: str | None = None) -> int:
    """All cases of a family, or of all, in both precisions, at both ends; the number of calls."""
    calls = 0
    for kernel, dtype in itertools.product(registry.kernels(family), (np.float32, np.float64)):
        rng = np.random.default_rng(3)
        large = (case for _, case in itertools.islice(kernel.bench(rng, np.dtype(dtype)), 1))  # several threads
        for case, end in itertools.product([*kernel.cases(rng, np.dtype(dtype)), *large], ("last", "first")):
            run(kernel, case, end)
            calls += 1
    return calls


if __name__ == "__main__":
    print(main(*sys.argv[1:]))

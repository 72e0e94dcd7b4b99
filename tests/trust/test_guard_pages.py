"""No kernel touches a byte outside its arrays: each runs between unreadable pages, in a process that may die."""

import signal
import sys

import pytest

from fastnn import registry
from tests.trust.children import TIERS, python

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the fences are made with Linux' mmap")


@pytest.mark.parametrize("tier", TIERS)
def test_kernels_stay_within_their_arrays(tier):
    done = python("-m", "tests.trust.guard_pages", FASTNN_ISA=tier, FASTNN_NUM_THREADS="2", timeout=600)
    assert done.returncode == 0, f"died with {done.returncode} in:\n{done.stderr[-2000:]}"
    assert int(done.stdout) >= 4 * len(registry.kernels())


@pytest.mark.parametrize(("end", "index"), [("last", "17"), ("first", "-1")])
@pytest.mark.parametrize("writes", [False, True])
def test_the_fence_kills(end, index, writes):
    """One element too far at either end; an input that is written to."""
    act = "pointer[{0}] = 1" if writes else "print(pointer[{0}])"
    done = python(
        code=f"""
        import ctypes, numpy as np
        from tests.trust.guard_pages import Fence
        with Fence({end!r}) as fence:
            array = fence.place(np.ones(17, np.float32), writeable={writes})
            pointer = ctypes.cast(array.ctypes.data, ctypes.POINTER(ctypes.c_float))
            {act.format(0)}; {act.format(16)}
            {act.format(index)}
        """
    )
    assert done.returncode == -signal.SIGSEGV


def test_inputs_are_fenced_against_writing():
    done = python(
        code="""
        import ctypes, numpy as np
        from tests.trust.guard_pages import Fence
        with Fence("last") as fence:
            array = fence.place(np.ones(3))
            ctypes.memset(array.ctypes.data, 0, 1)
        """
    )
    assert done.returncode == -signal.SIGSEGV

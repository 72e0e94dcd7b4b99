"""Measured limits of this machine, and whether it was idle enough for them to be trusted.

A share of the peak is only as good as the peak. On a busy machine the threads do not run in parallel, so the peak of
all threads looks like that of one and every share looks larger than it is. Such a peak is not used.
"""

from __future__ import annotations

import os
from typing import NamedTuple

__all__ = ["Limits", "measure"]

_TOGETHER = 0.75  # of threads × the peak of one thread, when every thread has a core


class Limits(NamedTuple):
    """Measured limits of this machine.

    Attributes
    ----------
    threads : number of threads in the pool
    one, peak : float32 multiply-adds in registers, GFLOP/s, on one thread and on all
    bandwidth : bytes read and written by a large copy, GB/s
    load : processes that wanted a core, averaged over the last minute
    cpus : number of CPUs that the system reports
    """

    threads: int
    one: float
    peak: float
    bandwidth: float
    load: float
    cpus: int

    @property
    def busy(self) -> bool:
        """Whether more processes want a core than there are cores."""
        return self.load > self.cpus

    @property
    def trusted(self) -> bool:
        """Whether a share of ``peak`` is meaningful.

        Two threads that share a core also reach less than twice the peak of one; a low peak alone proves nothing.
        """
        return not self.busy or self.peak >= _TOGETHER * self.threads * self.one

    def note(self) -> str:
        """The warning to print beside figures from a busy machine; empty on an idle one."""
        if not self.busy:
            return ""
        text = f"This machine is busy (load {self.load:.1f} on {self.cpus} CPUs): times are longer than necessary."
        if self.trusted:
            return text
        return (
            f"{text} Its threads did not run in parallel (peak {self.one:.0f} GFLOP/s on one, {self.peak:.0f} on "
            f"{self.threads}), so no shares of the peak are given. Measure again when it is idle."
        )


def measure() -> Limits:
    """Measure the limits; takes about a second."""
    from fastnn import kernels

    load = os.getloadavg()[0]  # read before the measurement adds to it
    return Limits(
        kernels.get_num_threads(),
        kernels.peak_gflops(threads=1),
        kernels.peak_gflops(),
        kernels.stream_bandwidth(),
        load,
        os.cpu_count() or 1,
    )

"""What the machine reaches when it does nothing else, and whether it was free to show it.

A share of the peak is worth no more than the peak. On a busy machine the threads do not run side by side, the peak of
all of them comes out like that of one, and every share seems larger than it is. Such a peak is not used.
"""

from __future__ import annotations

import os
from typing import NamedTuple

__all__ = ["Limits", "measure"]

_TOGETHER = 0.75  # of so many times one thread's peak, when every thread has a core


class Limits(NamedTuple):
    """Measured limits of this machine.

    Attributes
    ----------
    threads : of the pool
    one, peak : float32 multiply-adds in registers, GFLOP/s, on one thread and on all
    bandwidth : bytes read and written by a large copy, GB/s
    load : processes that wanted a core in the last minute, on average
    cpus : cores of this machine, as the system counts them
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
        """Whether a share of ``peak`` means something.

        Two threads of one core also reach less than twice one thread's peak; so that alone is no reason for doubt.
        """
        return not self.busy or self.peak >= _TOGETHER * self.threads * self.one

    def note(self) -> str:
        """The sentence that belongs beside the figures of a busy machine; empty on a free one."""
        if not self.busy:
            return ""
        said = f"This machine is busy (load {self.load:.1f} on {self.cpus} CPUs): times are longer than they need be."
        if self.trusted:
            return said
        return (
            f"{said} Its threads did not run side by side (peak {self.one:.0f} GFLOP/s on one, {self.peak:.0f} on "
            f"{self.threads}), so shares of the peak are not given. Measure again when it is free."
        )


def measure() -> Limits:
    """Measure the limits; takes about a second."""
    from fastnn import kernels

    load = os.getloadavg()[0]  # before the measurement adds to it
    return Limits(
        kernels.get_num_threads(),
        kernels.peak_gflops(threads=1),
        kernels.peak_gflops(),
        kernels.stream_bandwidth(),
        load,
        os.cpu_count() or 1,
    )

"""When shares of a measured peak are given, and the note when they are not."""

import pytest

from fastnn.cli import demo
from fastnn.cli.limits import Limits, measure

IDLE = Limits(threads=2, one=290.0, peak=579.0, bandwidth=60.0, load=0.4, cpus=2)


@pytest.mark.parametrize(
    ("change", "busy", "trusted"),
    [
        ({}, False, True),
        ({"peak": 290.0}, False, True),  # two threads of one core, on an idle machine
        ({"peak": 289.0, "load": 9.3}, True, False),  # the second thread had no core of its own
        ({"load": 9.3}, True, True),  # busy, but the probe got both cores
        ({"load": 2.0}, False, True),  # our own run a minute ago
        ({"threads": 1, "peak": 290.0, "load": 9.3}, True, True),
    ],
)
def test_when_a_peak_is_trusted(change, busy, trusted):
    limits = IDLE._replace(**change)
    assert (limits.busy, limits.trusted) == (busy, trusted)
    assert bool(limits.note()) == busy
    assert ("no shares of the peak are given" in limits.note()) == (not trusted)


def test_the_demo_gives_no_share_of_a_hidden_peak(monkeypatch):
    monkeypatch.setattr(demo.backend, "name", lambda: "compiled")
    for limits, expected in ((IDLE, 0.5), (IDLE._replace(peak=290.0, load=9.3), None)):
        monkeypatch.setattr(demo, "measure", lambda limits=limits: limits)
        figures = {"gflops": 289.5}
        text = demo._share(figures)
        assert figures.get("share_of_peak") == expected
        assert ("50% of this machine's peak" in text) == (expected is not None)


def test_this_machine_is_measured():
    kernels = pytest.importorskip("fastnn.kernels", exc_type=ImportError)
    limits = measure()
    assert limits.threads == kernels.get_num_threads()
    assert min(limits.one, limits.peak, limits.bandwidth, limits.cpus) > 0

"""``fastnn bench``: it checks kernels, times the correct ones and does not time the wrong ones."""

import numpy as np
import pytest

from fastnn import registry
from fastnn.cli import bench, main
from fastnn.cli.limits import Limits

pytest.importorskip("fastnn.kernels", exc_type=ImportError)


LIMITS = Limits(threads=2, one=100.0, peak=200.0, bandwidth=50.0, load=0.0, cpus=2)


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setattr(bench, "measure", lambda: LIMITS)
    monkeypatch.setattr(bench, "_BUDGET", 0.001)


@pytest.mark.parametrize(
    ("found", "expected", "allowed", "excess"),
    [
        ([1.0], [1.0], [0], 0.0),
        ([1.0], [1.5], [0.25], 2.0),
        ([np.array([1, 2])], [np.array([1, 3])], [0], np.inf),
        ([np.array([1.0, 2.0])], [np.array([1.0, 3.0])], [np.array([0.0, 4.0])], 0.25),
        ([np.array([np.nan, np.inf, -np.inf])], [np.array([np.nan, np.inf, -np.inf])], [0.1], 0.0),
        ([np.array([np.nan])], [np.array([1.0])], [0.1], np.inf),
        ([np.array([1.0])], [np.array([np.nan])], [0.1], np.inf),
        ([np.array([np.inf])], [np.array([1.0])], [0.1], np.inf),
        ([np.zeros((2, 1))], [np.zeros((1, 2))], [1], np.inf),
        ([np.zeros(0)], [np.zeros(0)], [0], 0.0),
        ([None, 1.0], [None, 1.0], [None, 0], 0.0),
    ],
)
def test_distance_in_units_of_the_allowed_distance(found, expected, allowed, excess):
    assert bench.largest_excess(found, expected, allowed) == excess


def test_a_missing_result_is_noticed():
    with pytest.raises(ValueError, match="zip"):
        bench.largest_excess([1.0], [1.0, 2.0], [0, 0])


def test_a_family_is_checked_and_timed(capsys):
    assert main(["bench", "--family", "gather", "--family", "vmath"]) == 0
    output = capsys.readouterr().out
    rows = [line for line in output.splitlines() if line.startswith(("gather_rows", "exp", "log", "tanh", "sigmoid"))]
    assert {line.split()[0] for line in rows} == {"gather_rows", "exp", "log", "tanh", "sigmoid"}
    assert all(("GB/s" in row or "GFLOP/s" in row) and "×" in row and row.endswith("%") for row in rows)
    assert "5 of 5 kernels agree" in output


def test_a_wrong_kernel_is_named_and_not_timed(monkeypatch, capsys):
    from fastnn import kernels

    right = kernels.exp
    monkeypatch.setattr(kernels, "exp", lambda x, *, y=None: right(x) * np.float32(1.001))
    assert main(["bench", "--family", "vmath"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert next(line for line in lines if line.startswith("exp")).split()[1] == "WRONG:"
    assert lines[-1] == "3 of 4 kernels agree with their twins; these do not: exp."


def test_arguments_changed_in_place_are_copied_first(capsys):
    row = registry.kernel("scale")
    case = next(row.bench(np.random.default_rng(0), np.dtype("float32")))[1]
    before = case.args[0].copy()
    assert bench._excess(row, [case]) <= 1
    bench._line(row, "label", case, LIMITS)
    np.testing.assert_array_equal(case.args[0], before)


def test_an_unknown_family(capsys):
    assert main(["bench", "--family", "gemn"]) == 1
    assert "Received: 'gemn'" in capsys.readouterr().err


def test_a_peak_hidden_by_a_busy_machine_gives_no_share(monkeypatch, capsys):
    monkeypatch.setattr(bench, "measure", lambda: LIMITS._replace(peak=100.0, load=9.0))
    assert main(["bench", "--family", "vmath"]) == 0
    output = capsys.readouterr().out
    assert "This machine is busy (load 9.0 on 2 CPUs)" in output
    assert all(line.endswith("–") for line in output.splitlines() if line.startswith("exp"))

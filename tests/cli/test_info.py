"""``fastnn info`` and the system values it reads."""

import sys

import numpy as np
import pytest

import fastnn
from fastnn.cli import info, machine, main


def test_every_line_is_reported(capsys):
    kernels = pytest.importorskip("fastnn.kernels", exc_type=ImportError)
    assert main(["info"]) == 0
    lines = {line[:14].strip(): line[14:] for line in capsys.readouterr().out.splitlines()}
    assert lines["numpy"] == np.__version__
    assert lines["tier in use"] == kernels.isa()
    assert lines["threads"] == str(kernels.get_num_threads())
    assert set(lines["tiers here"].split(", ")) <= set(lines["tiers built"].split(", "))
    assert float(lines["peak float32"].split()[0]) > float(lines["peak float64"].split()[0]) > 0.1
    assert float(lines["bandwidth"].split()[0]) > 0.1


def test_tiers_that_were_left_out_are_named(monkeypatch):
    kernels = pytest.importorskip("fastnn.kernels", exc_type=ImportError)
    monkeypatch.setattr(info.platform, "machine", lambda: "x86_64")
    for built, left_out in ((["baseline", "avx2", "avx512"], None), (["baseline", "avx2"], "avx512")):
        monkeypatch.setattr(kernels, "build_info", lambda built=built: {"tiers": built, "compiler": "C"})
        lines = dict(line.split(maxsplit=1) for line in info.report().splitlines() if line.startswith("not built"))
        assert ("not" in lines) == (left_out is not None)
        assert left_out is None or f"{left_out} (" in lines["not"]


def test_kernels_that_are_not_built(monkeypatch):
    monkeypatch.setitem(sys.modules, "fastnn.kernels", None)
    monkeypatch.delattr(fastnn, "kernels", raising=False)
    assert "not built" in info.report()


def test_the_machine_has_a_name():
    assert machine.processor().strip()


def test_caches_from_a_linux_tree(tmp_path, monkeypatch):
    for index, (level, kind, size) in enumerate(
        [("1", "Data", "32K"), ("1", "Instruction", "64K"), ("2", "Unified", "1M"), ("3", "Unified", "")]
    ):
        folder = tmp_path / f"index{index}"
        folder.mkdir()
        for name, text in (("level", level), ("type", kind), ("size", size)):
            (folder / name).write_text(text + "\n")
    monkeypatch.setattr(machine, "_CPU", tmp_path)
    assert machine.caches() == {"L1d": 32768, "L2": 1 << 20}


def test_caches_from_macos(tmp_path, monkeypatch):
    answers = {"hw.l1dcachesize": "65536", "hw.l2cachesize": "4194304", "hw.l3cachesize": ""}
    monkeypatch.setattr(machine, "_CPU", tmp_path)
    monkeypatch.setattr(machine, "_sysctl", answers.__getitem__)
    assert machine.caches() == {"L1d": 65536, "L2": 4 << 20}


def test_a_system_that_reports_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "_CPU", tmp_path / "none")
    monkeypatch.setattr(machine, "_CPUINFO", tmp_path / "none")
    monkeypatch.setattr(machine, "_sysctl", lambda key: "")
    assert machine.caches() == {}
    assert machine.processor()

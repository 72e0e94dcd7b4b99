"""``fastnn info`` and what it asks the system."""

import sys

import numpy as np
import pytest

import fastnn
from fastnn.cli import info, machine, main


def test_everything_is_said(capsys):
    kernels = pytest.importorskip("fastnn.kernels", exc_type=ImportError)
    assert main(["info"]) == 0
    said = {line[:14].strip(): line[14:] for line in capsys.readouterr().out.splitlines()}
    assert said["numpy"] == np.__version__
    assert said["tier in use"] == kernels.isa()
    assert said["threads"] == str(kernels.get_num_threads())
    assert set(said["tiers here"].split(", ")) <= set(said["tiers built"].split(", "))
    assert float(said["peak float32"].split()[0]) > float(said["peak float64"].split()[0]) > 0.1
    assert float(said["bandwidth"].split()[0]) > 0.1


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


def test_a_system_that_tells_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "_CPU", tmp_path / "none")
    monkeypatch.setattr(machine, "_CPUINFO", tmp_path / "none")
    monkeypatch.setattr(machine, "_sysctl", lambda key: "")
    assert machine.caches() == {}
    assert machine.processor()

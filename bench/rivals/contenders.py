"""Who runs: fastnn and its rivals, the modes in which each may run, and the interpreter that has each."""

from __future__ import annotations

import importlib.util
import os
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Rival:
    """A framework: its name in the tables, the module it needs, its folder in ``FASTNN_RIVALS``, its kinds of run."""

    key: str
    title: str
    module: str
    folder: str
    kinds: tuple[str, ...]

    def interpreter(self) -> str | None:
        """The Python that has this framework, or None."""
        home = os.environ.get("FASTNN_RIVALS")
        if home and (python := Path(home) / self.folder / "bin" / "python").exists():
            return str(python)
        return sys.executable if importlib.util.find_spec(self.module) else None


TRAINING = ("train", "mnist")
FASTNN = Rival("fastnn", "fastnn", "fastnn", "fastnn", (*TRAINING, "inference"))
RIVALS = {
    rival.key: rival
    for rival in (
        Rival("pytorch", "PyTorch", "torch", "torch", (*TRAINING, "inference")),
        Rival("jax", "JAX", "jax", "jax", (*TRAINING, "inference")),
        Rival("keras", "Keras", "keras", "keras", TRAINING),
        Rival("onnxruntime", "ONNX Runtime", "onnxruntime", "ort", ("inference",)),
    )
}


@dataclass(frozen=True)
class Contender:
    """One rival in one of its modes."""

    rival: Rival
    mode: str

    @property
    def label(self) -> str:
        return self.rival.title if self.mode == "default" else f"{self.rival.title} ({self.mode})"


def modes(rival: str, family: str, kind: str) -> tuple[str, ...]:
    """The modes worth trying for a family of models; the fastest one stands for the rival."""
    recurrence, training = family == "recurrence", kind != "inference"
    if rival == "pytorch":
        layouts = ("default", "channels_last") if family == "convolution" else ("default",)
        return (*layouts, *(f"{layout}+compile" for layout in layouts))
    if rival == "jax":
        return ("default", *(("pipelined",) if training else ()), *(("unroll4",) if recurrence else ()))
    if rival == "keras":
        return ("default", "steps_per_execution", "jit" if recurrence else "no_jit")
    if rival == "onnxruntime":
        threads = ("spinning", "sleeping")
        return (*threads, *(f"{mode}+fused" for mode in threads)) if family == "attention" else threads
    return ("default",)

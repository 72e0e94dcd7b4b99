"""The processor and its caches, as the operating system reports them."""

from __future__ import annotations

import platform
import subprocess
from pathlib import Path

__all__ = ["caches", "processor"]

_CPU = Path("/sys/devices/system/cpu/cpu0/cache")
_CPUINFO = Path("/proc/cpuinfo")


def processor() -> str:
    """Return the name of the processor, or the architecture if the system reports no name."""
    if _CPUINFO.exists():
        for line in _CPUINFO.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return _sysctl("machdep.cpu.brand_string") or platform.processor() or platform.machine()


def caches() -> dict[str, int]:
    """Return the sizes in bytes of the first core's data caches: ``{"L1d": …, "L2": …, "L3": …}``."""
    sizes = {}
    for cache in sorted(_CPU.glob("index*")):
        kind = _text(cache / "type")
        if kind in ("Data", "Unified"):
            size = _text(cache / "size")
            factor = {"K": 1 << 10, "M": 1 << 20}.get(size[-1:], 1)
            if (number := size.rstrip("KM")).isdigit():
                sizes[f"L{_text(cache / 'level')}{'d' if kind == 'Data' else ''}"] = int(number) * factor
    if not sizes:
        for name, key in (("L1d", "hw.l1dcachesize"), ("L2", "hw.l2cachesize"), ("L3", "hw.l3cachesize")):
            if (answer := _sysctl(key)).isdigit() and int(answer):
                sizes[name] = int(answer)
    return sizes


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def _sysctl(key: str) -> str:
    """Return the value on macOS, an empty string on other systems."""
    if platform.system() != "Darwin":
        return ""
    answer = subprocess.run(["sysctl", "-n", key], capture_output=True, text=True, check=False)
    return answer.stdout.strip()

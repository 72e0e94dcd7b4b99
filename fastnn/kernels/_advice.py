"""What to do when the compiled kernels cannot be loaded."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path  # it would be a fifth of the time that `import fastnn` takes

__all__ = ["advice", "not_built"]

_WITHOUT = "To run without them, on the NumPy twins, set FASTNN_BACKEND=reference."


def advice(folder: Path, error: BaseException) -> str:
    """Return the message for an ``error`` at import of the kernels in ``folder``."""
    if any(parent.is_file() for parent in folder.parents):
        return (
            f"The compiled kernels of fastnn cannot be loaded from an archive. Received: {folder}. "
            f"Use `pip install fastnn-kernels`, or unpack the archive. {_WITHOUT}"
        )
    missing = isinstance(error, ModuleNotFoundError) and error.name == "fastnn.kernels._core"
    if (folder.parents[1] / "src_c").is_dir():
        if missing:
            return (
                "The compiled kernels of fastnn are not built in this folder. In a source tree, run `pip install -e .` "
                f"(it needs gcc or clang); to run without them, {_WITHOUT[len('To run without them, ') :]}"
            )
        return (
            "The compiled kernels of fastnn in this folder do not match: they were built for another Python, or some "
            f"of them by an older build. Received: {error}. Run `pip install -e .` again."
        )
    found = sorted(path.name for path in folder.glob("_core.*") if path.suffix in (".so", ".pyd"))
    what = f"found only {', '.join(found)}, built for another Python or system" if found else "they are missing"
    return (
        f"The compiled kernels of this installation of fastnn cannot be loaded: {what if missing else error}. "
        f"Run `pip install --force-reinstall --no-cache-dir fastnn-kernels` with this Python. {_WITHOUT}"
    )


def not_built(folder: str | Path, families: list[str]) -> list[str]:
    """Return the families that a source tree has and its last build does not."""
    sources = {name[: -len(".pyx")] for name in os.listdir(folder) if name.endswith(".pyx")}
    return sorted({name for name in sources if not name.startswith("_")} - set(families))

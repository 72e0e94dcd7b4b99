"""Keras' public names, module by module: which are there, which are refused with a word, which are missing.

``keras_names.txt`` holds the names of Keras 3.15.  ``python -m tests.keras_names`` writes ``docs/keras_names.md`` from
it; with ``--walk``, where Keras is installed, it first writes the names anew.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

NAMES = Path(__file__).with_name("keras_names.txt")
PAGE = Path(__file__).parent.parent / "docs" / "keras_names.md"
THERE, REFUSED, MISSING = "there", "refused", "missing"

HEAD = """# Keras' names

All public names of Keras {version}, module by module, as `fastnn.keras` answers them: {there} are there, {refused} are
refused with a word that says what to use instead, {missing} are missing. `python -m tests.keras_names` writes this
page, and a test holds it in step with the package. What behaves otherwise: [differences](differences.md).

| module | there | refused | missing |
| --- | ---: | ---: | ---: |
"""


def stored() -> dict[str, list[str]]:
    """The names in the file, by module."""
    found: dict[str, list[str]] = {}
    for line in NAMES.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            names = found[line.strip("[]")] = []
        elif line and not line.startswith("#"):
            names.append(line)
    return found


def walked() -> dict[str, list[str]]:
    """The names of the Keras that is installed, of the modules in the file."""
    keras = importlib.import_module("keras")
    found = {}
    for module in stored():
        part = keras
        for step in module.split(".")[1:]:
            part = getattr(part, step)
        found[module] = sorted(name for name in dir(part) if not name.startswith("_"))
    return found


def status(module: str, name: str) -> tuple[str, str]:
    """Whether ``fastnn.keras`` has a name of a module of Keras, and the words of the error where not."""
    part = importlib.import_module("fastnn.keras")
    for step in (*module.split(".")[1:], name):
        try:
            part = getattr(part, step)
        except AttributeError as error:
            words = str(error).partition(f"has no {step}. ")[2]
            guess = not words or words.startswith(("Did you mean", "There is:"))
            return (MISSING, "") if guess else (REFUSED, words)
    return THERE, ""


def version() -> str:
    """That of the stored names."""
    return NAMES.read_text(encoding="utf-8").split(";")[0].rpartition(" ")[2].rstrip(",:").removesuffix(",")


def page() -> str:
    """The page of the docs."""
    rows, parts, total = [], [], dict.fromkeys((THERE, REFUSED, MISSING), 0)
    for module, names in stored().items():
        found = {name: status(module, name) for name in names}
        groups = {kind: [name for name in names if found[name][0] == kind] for kind in total}
        for kind, members in groups.items():
            total[kind] += len(members)
        rows.append(f"| `{module}` | " + " | ".join(str(len(members)) for members in groups.values()) + " |\n")
        parts.append(f"\n## {module}\n")
        if groups[THERE]:
            parts.append("\nThere: " + ", ".join(f"`{name}`" for name in groups[THERE]) + ".\n")
        by_words: dict[str, list[str]] = {}
        for name in groups[REFUSED]:
            by_words.setdefault(found[name][1], []).append(name)
        if by_words:
            parts.append("\nRefused:\n\n")
            parts += [
                "- " + ", ".join(f"`{name}`" for name in members) + f": {words}\n"
                for words, members in by_words.items()
            ]
        if groups[MISSING]:
            parts.append("\nMissing: " + ", ".join(f"`{name}`" for name in groups[MISSING]) + ".\n")
    head = HEAD.format(version=version(), there=total[THERE], refused=total[REFUSED], missing=total[MISSING])
    return head + "".join(rows) + "".join(parts)


def write_names() -> None:
    """Write the names of the installed Keras."""
    keras = importlib.import_module("keras")
    lines = [f"# The public names of Keras {keras.__version__}; `python -m tests.keras_names --walk` writes them anew."]
    for module, names in walked().items():
        lines += ["", f"[{module}]", *names]
    NAMES.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    if "--walk" in sys.argv:
        write_names()
    PAGE.write_text(page(), encoding="utf-8")

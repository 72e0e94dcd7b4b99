"""The README in English and in Korean: one content, and code that runs."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
NAMES = ("README.md", "README.ko.md")
TEXTS = {name: (ROOT / name).read_text(encoding="utf-8") for name in NAMES if (ROOT / name).is_file()}

pytestmark = pytest.mark.skipif(len(TEXTS) < len(NAMES), reason="the READMEs are not beside the tests")


def blocks(text: str) -> list[str]:
    return re.findall(r"^```\w*\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def without_comments(code: str) -> list[str]:
    return [line for line in (re.sub(r" *# .*", "", line) for line in code.splitlines()) if line]


def test_both_have_the_same_code():
    english, korean = (list(map(without_comments, blocks(TEXTS[name]))) for name in NAMES)
    assert korean == english, "README.ko.md has the code of README.md; only its comments are in Korean"


def test_both_have_the_same_figures():
    english, korean = (re.findall(r"(?m)^\|.*×.*$", TEXTS[name]) for name in NAMES)
    assert english
    assert korean == english, "README.ko.md has the measured rows of README.md"


def test_both_have_the_same_sections_and_links():
    english, korean = (
        [len(mark) for mark in re.findall(r"(?m)^(#+) ", re.sub(r"(?ms)^```.*?^```", "", TEXTS[name]))]
        for name in NAMES
    )
    assert korean == english
    english, korean = (set(re.findall(r"\]\(([^)]+)\)", TEXTS[name])) - set(NAMES) for name in NAMES)
    assert korean == english
    assert all((ROOT / link.partition("#")[0]).exists() for link in english if "://" not in link)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_the_scripts_run(name, capsys):
    """The blocks without prompts, which train; those with prompts run as doctests (``make docs``)."""
    scripts = [code for code in blocks(TEXTS[name]) if code.startswith(("import", "from"))]
    assert len(scripts) == 2
    for script in scripts:
        names: dict = {"__name__": name}
        exec(compile(script, name, "exec"), names)
        assert names["history"].history["val_accuracy"][-1] > 0.8

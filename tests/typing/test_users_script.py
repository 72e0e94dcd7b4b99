"""The script that type checkers read uses every name that the README uses."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = Path(__file__).with_name("users_script.py").read_text(encoding="utf-8")
FROM_ELSEWHERE = {"mkdtemp", "numpy", "tempfile", "tolist", "integers", "default_rng"}


def code_of(page: str) -> str:
    """The Python blocks of a page, without prompts and output."""
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    lines = []
    for block in blocks:
        session = ">>>" in block
        lines += [
            line[4:] if session else line for line in block.splitlines() if not session or line[:3] in (">>>", "...")
        ]
    return "\n".join(lines)


def names(code: str) -> set[str]:
    """Every name that is imported, looked up in an object, or passed by keyword."""
    found = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.keyword) and node.arg:
            found.add(node.arg)
    return found


def test_it_uses_every_name_of_the_readme():
    page = ROOT / "README.md"
    if not page.is_file():
        pytest.skip("there is no README here")
    text = page.read_text(encoding="utf-8")
    in_prose = re.findall(r"`(?:fastnn|callbacks|interop|layers|ops)\.(\w+)", text)
    used = names(code_of(text)) | set(in_prose)
    assert len(used) > 60
    assert used - names(SCRIPT) - FROM_ELSEWHERE == set()


def test_a_name_that_it_lacks_is_found():
    block = "```python\n>>> fastnn.utils.gadget(size=1)\n1\n```"
    assert names(code_of(block)) == {"utils", "gadget", "size"}
    assert not names(code_of(block)) <= names(SCRIPT)

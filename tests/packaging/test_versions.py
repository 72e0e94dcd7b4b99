"""The version stands in three places, which agree."""

import re
from pathlib import Path

import pytest

import fastnn

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("file", "pattern"),
    [("CHANGELOG.md", r"^## (\S+)"), ("CITATION.cff", r"^version: (\S+)")],
    ids=["changelog", "citation"],
)
def test_the_newest_version_is_that_of_the_package(file, pattern):
    if not (ROOT / file).is_file():
        pytest.skip("there is no source tree here")
    assert re.search(pattern, (ROOT / file).read_text(), re.MULTILINE)[1] == fastnn.__version__

"""A training run gives the numbers that it gave when they were stored, bit for bit on the same tier."""

import json
import platform

import pytest

from tests.trust.children import TIERS, python
from tests.trust.stored_losses import path
from tests.trust.work import MODELS

AGAIN = (
    "If the order of a sum was changed on purpose, type `python -m tests.trust.stored_losses` and look at the change."
)
pytestmark = pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="losses are stored for x86-64")


@pytest.mark.parametrize("tier", TIERS)
def test_losses_are_those_stored(tier):
    done = python(
        code="import json; from tests.trust.stored_losses import run; print(json.dumps(run()))", FASTNN_ISA=tier
    )
    assert done.returncode == 0, done.stderr
    now, stored = json.loads(done.stdout), json.loads(path(tier).read_text(encoding="utf-8"))
    for kind in MODELS:
        assert now[kind]["about"] == pytest.approx(stored[kind]["about"], rel=1e-3), (
            f"{kind} trains otherwise than before"
        )
        assert now[kind]["about"][-1] < now[kind]["about"][0]
    if now["compiler"] == stored["compiler"]:  # another compiler may contract a product and a sum elsewhere
        assert now == stored, AGAIN


def test_tiers_agree_to_rounding():
    every = [json.loads(path(tier).read_text(encoding="utf-8")) for tier in ("baseline", "avx2", "avx512")]
    for kind in MODELS:
        for other in every[1:]:
            assert other[kind]["about"] == pytest.approx(every[0][kind]["about"], rel=1e-3)

"""Every instruction-set tier of this build and machine passes the kernel tests, each in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# Left out on the other tiers, since it does not depend on the tier.
NOT_OF_A_TIER = (
    "reference",  # the twins
    "precisions_agree_on_small_integers",  # the twins too
    "refused",  # wrappers refuse before a kernel is called
    "fortran",  # wrappers copy; strided inputs are among what is run
)
kernels = pytest.importorskip("fastnn.kernels", reason="the compiled kernels are not built here", exc_type=ImportError)


def run(tier: str, *arguments: str) -> subprocess.CompletedProcess:
    environment = {**os.environ, "FASTNN_ISA": tier, "FASTNN_BACKEND": "compiled"}
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True)


@pytest.mark.parametrize(
    "tier", [tier for tier in kernels.available_isas() if tier != kernels.isa()] or [kernels.isa()]
)
def test_kernel_tests_pass_on(tier):
    """The tests of both backends in this process have run the tier in use; here the others run what depends on it."""
    if os.environ.get("FASTNN_ISA"):
        pytest.skip("a tier is forced already")
    chosen = run(tier, "-c", "import fastnn.kernels as k; print(k.isa())")
    assert chosen.stdout.strip() == tier, chosen.stderr
    chosen = " and ".join(f"not {words}" for words in NOT_OF_A_TIER)
    result = run(tier, "-m", "pytest", "tests/kernels", "-q", "-x", "-m", "not slow", "-k", chosen)
    assert result.returncode == 0, result.stdout[-4000:] + result.stderr[-2000:]


def test_an_unknown_tier_is_an_error_at_import():
    result = run("sse9", "-c", "import fastnn.kernels")
    assert result.returncode != 0
    assert "FASTNN_ISA" in result.stderr
    assert "sse9" in result.stderr

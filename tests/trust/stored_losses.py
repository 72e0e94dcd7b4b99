"""The losses of a fixed training, per tier: ``python -m tests.trust.stored_losses`` writes them anew.

A kernel that sums in another order gives other bits: then the files of all tiers are written again, and the change is
looked at: losses may differ in their last digits, never in their first five.  Needs a machine that runs every tier.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from fastnn import kernels
from tests.trust.work import MODELS, build, digest, train

__all__ = ["path", "run"]

EPOCHS = 3


def path(tier: str) -> Path:
    """Where the losses of a tier are kept."""
    return Path(__file__).parent / f"losses_{tier}.json"


def run() -> dict[str, Any]:
    """Train each model from its seed on the tier in force; losses, and the weights' digest, as they are stored."""
    found: dict[str, Any] = {"compiler": kernels.build_info()["compiler"].split(".")[0]}
    for kind in MODELS:
        model = build(kind, seed=20)
        losses = train(model, kind, EPOCHS)
        found[kind] = {"loss": [float(loss).hex() for loss in losses], "about": losses, "weights": digest(model)}
    return found


def main() -> None:
    if len(sys.argv) == 1:
        for tier in kernels.available_isas():
            subprocess.run(
                [sys.executable, "-m", __spec__.name, tier], env=os.environ | {"FASTNN_ISA": tier}, check=True
            )
        return
    path(sys.argv[1]).write_text(json.dumps(run(), indent=1) + "\n", encoding="utf-8")
    print(f"{path(sys.argv[1]).name} is written.")


if __name__ == "__main__":
    main()

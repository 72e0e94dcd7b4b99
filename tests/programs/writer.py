"""Writes random programs: a model of any layers, calls of it in any order, and what must hold in the end."""

from __future__ import annotations

from fastnn.models import Model

from .calls import Calls

__all__ = ["Writer"]


class Writer(Calls):
    """Writes the lines of the program of a seed.

    Each line runs as soon as it is written, so the next one can pick among what there is.
    """

    def write(self) -> str | None:
        """A model and some calls of it; gives its name, or None where everything was refused."""
        self.do(f"utils.set_random_seed({self.rng.randrange(100)})")
        model = (self.chance(0.15) and self.recipe()) or (self.sequential() if self.chance(0.3) else self.functional())
        if model is None:
            return None
        if self.chance(0.9):
            self.compile(model)
        for _ in range(self.rng.choice((2, 3, 4, 6))):
            self.call(model)
        return model

    def promises(self, model: str) -> None:
        """Lines that say what holds for any model that predicts."""
        thing = self.session.names[model]
        if not isinstance(thing, Model):
            return
        x = self.inputs_of(thing, 3, strange=False)
        if x is None or not self.do(f"{model}.predict({x}, verbose=0)"):
            return
        self.do(f"agrees_with_its_twins({model}, {x})")
        self.do(f"comes_back_from_its_file({model}, {x})")
        if self.dtype == "float64":
            self.do(f"goes_back_as_differences_say({model}, {x})")

"""Calls of Keras 2 that tutorials still have: each warns, and does what the call of today does."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..user_warnings import warn

__all__ = ["Older"]

_DROPPED = ("max_queue_size", "workers", "use_multiprocessing")


class Older:
    """The part of ``Model`` that answers to older names."""

    fit: Any
    evaluate: Any
    predict: Any

    def fit_generator(self, generator: Any, *arguments: Any, **named: Any) -> Any:
        """``fit``, which takes generators itself."""
        _say("fit_generator", "fit")
        names = ("steps_per_epoch", "epochs", "verbose", "callbacks", "validation_data", "validation_steps")
        return self.fit(generator, **_named(names, arguments, named))

    def evaluate_generator(self, generator: Any, *arguments: Any, **named: Any) -> Any:
        """``evaluate``, which takes generators itself."""
        _say("evaluate_generator", "evaluate")
        return self.evaluate(generator, **_named(("steps", "callbacks"), arguments, named))

    def predict_generator(self, generator: Any, *arguments: Any, **named: Any) -> Any:
        """``predict``, which takes generators itself."""
        _say("predict_generator", "predict")
        return self.predict(generator, **_named(("steps", "callbacks"), arguments, named))

    def predict_proba(self, x: Any, batch_size: int = 32, verbose: int = 0) -> Any:
        """``predict``."""
        _say("predict_proba", "predict")
        return self.predict(x, batch_size=batch_size, verbose=verbose)

    def predict_classes(self, x: Any, batch_size: int = 32, verbose: int = 0) -> np.ndarray:
        """The class with the largest prediction; of a single column 0 or 1, whether it is above a half."""
        _say("predict_classes", "np.argmax(model.predict(x), axis=-1), or (model.predict(x) > 0.5).astype(int)")
        p = self.predict(x, batch_size=batch_size, verbose=verbose)
        return (p > 0.5).astype("int32") if p.shape[-1] == 1 else p.argmax(axis=-1)


def _say(old: str, new: str) -> None:
    warn(f"Keras has no {old} any more. Use {new if '(' in new else f'model.{new}'}.")


def _named(names: tuple[str, ...], arguments: tuple[Any, ...], named: dict[str, Any]) -> dict[str, Any]:
    """The arguments by name, without those about queues, which have no effect here."""
    found = dict(zip(names, arguments, strict=False)) | named
    return {name: value for name, value in found.items() if name not in _DROPPED}

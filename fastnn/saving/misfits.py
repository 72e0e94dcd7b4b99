"""Weights of a file against those of a model: what every format refuses, in the same words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..user_warnings import warn

__all__ = ["refuse_misfits", "require_built"]

Shape = tuple[int, ...]


def refuse_misfits(
    model: Any,
    subject: str,
    lacking: Iterable[str],
    beyond: Iterable[str],
    pairs: Iterable[tuple[str, Shape, Shape]],
    skip_mismatch: bool,
) -> None:
    """Refuse a file whose weights are not those of the model, or warn of them.

    Parameters
    ----------
    model : Model
    subject : str
        What the message says of the file: "The weights of ...".
    lacking, beyond : iterable of str
        The weights that the file does not hold, and those that the model does not have.
    pairs : iterable of (str, tuple, tuple)
        The weights that both have: path, shape in the model, shape in the file.
    skip_mismatch : bool
        Warn instead, of all that stays as it is.

    Raises
    ------
    ValueError
        If something does not fit, unless ``skip_mismatch``.
    """
    wrong = [f"{path}: missing from the file" for path in lacking]
    wrong += [f"{path}: not in the model" for path in beyond]
    wrong += [f"{path}: shape {mine} in the model, {saved} in the file" for path, mine, saved in pairs if mine != saved]
    if wrong and not skip_mismatch:
        raise ValueError(
            f'{subject} do not match model "{model.name}". Received: {"; ".join(wrong[:8])}'
            + (f"; and {len(wrong) - 8} more" if len(wrong) > 8 else "")
            + ". Use the code that created the saved model, or skip_mismatch=True to leave these weights unchanged."
        )
    if wrong:
        warn(f"These weights were left unchanged. {'; '.join(wrong)}.")


def require_built(model: Any, what: str) -> None:
    """Refuse a model that has no weights to write or to fill.

    Raises
    ------
    ValueError
        If the model is not built.
    """
    if not model.built:
        raise ValueError(
            f'Model "{model.name}" has no weights yet, so {what} has nothing to do. Call it once, model(x), or '
            "model.build(input_shape)."
        )

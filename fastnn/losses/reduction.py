"""Reductions: how the values of a loss become one number, and the factor that each value has in it."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["check_reduction", "each_row", "factors", "reduce_values"]

_REDUCTIONS = ("sum_over_batch_size", "mean", "mean_with_sample_weight", "sum", "none", None)


def check_reduction(reduction: Any) -> str | None:
    """The reduction as given, or a ValueError that names those there are."""
    if reduction not in _REDUCTIONS:
        raise ValueError(f"reduction is one of {', '.join(map(repr, _REDUCTIONS))}. Received: reduction={reduction!r}.")
    return reduction


def each_row(what: str, values: np.ndarray, rows: int) -> np.ndarray:
    """One value for each row of predictions, from one for each row, or for each of their leading axes."""
    values = np.asarray(values).reshape(-1)
    if values.size == rows:
        return values
    if not values.size or rows % values.size:
        raise ValueError(f"{what} has one value for each of {rows} rows. Received: {values.size} values.")
    return np.repeat(values, rows // values.size)


def factors(
    name: str,
    reduction: str | None,
    rows: int | None,
    sample_weight: np.ndarray | None,
    dtype: Any,
    mask: np.ndarray | None = None,
    counts: np.ndarray | None = None,
) -> np.ndarray:
    """The factor of each value: ``loss = Σ factors·values``.

    Parameters
    ----------
    rows : int or None
        How many values there are; None where one stands for the whole batch, as if each example had it.
    mask, counts : arrays of bool, optional
        Time steps, and values, that count; a mean is over those that both allow.

    Raises
    ------
    ValueError
        If weights or mask do not fit, or the reduction leaves no single number.
    """
    if reduction in ("none", None):
        raise ValueError(
            f"Training needs a loss that is one number. Received: {name} with reduction={reduction!r}. "
            'Use reduction="sum_over_batch_size".'
        )
    if rows is None:
        examples = max((np.size(a) for a in (sample_weight, mask) if a is not None), default=1)
        return factors(name, reduction, examples, sample_weight, dtype, mask).sum(dtype=dtype)
    weight = np.ones(rows, dtype) if sample_weight is None else each_row("sample_weight", sample_weight, rows)
    weight, counted = np.asarray(weight, dtype), rows
    if mask is not None:
        if mask.size > rows:
            raise ValueError(
                f"A mask of time steps, shape {mask.shape}, came with {rows} predictions, which have no steps. "
                "A layer that takes the axis of time away ends the mask: give it supports_masking = False."
            )
        mask = each_row("The mask", mask, rows)
        counts = mask if counts is None else counts & mask
    if counts is not None:
        weight, counted = weight * counts, int(np.count_nonzero(counts))
    if reduction == "sum":
        return weight
    total = float(weight.sum(dtype=np.float64)) if reduction == "mean_with_sample_weight" else counted
    return weight * weight.dtype.type(1.0 / total if total else 0.0)


def reduce_values(
    reduction: str | None, values: np.ndarray, sample_weight: Any = None, counts: np.ndarray | None = None
) -> Any:
    """The loss of these values: a number, or the weighted values themselves where nothing is reduced.

    Parameters
    ----------
    sample_weight : array, optional
        One weight for each value, or for each of their leading axes.
    counts : array of bool, optional
        Flat: the values that count.
    """
    weight: Any = None
    if sample_weight is not None:
        weight = np.asarray(sample_weight, dtype=values.dtype)
        if weight.ndim == values.ndim + 1 and weight.shape[-1] == 1:
            weight = weight[..., 0]
        if values.ndim:
            weight = weight.reshape(weight.shape + (1,) * (values.ndim - weight.ndim))
            weight = np.broadcast_to(weight, values.shape)
        values = values * weight
    if counts is not None:
        counted = counts.reshape(values.shape)
        weight = counted if weight is None else weight * counted
        values = np.where(counted, values, 0)
    if reduction in ("none", None) or not values.ndim:
        return values
    total = values.sum()
    if reduction == "sum":
        return total
    if reduction == "mean_with_sample_weight" and weight is not None:
        divisor = float(weight.sum())
    else:
        divisor = values.size if counts is None else int(np.count_nonzero(counts))
    return total / divisor if divisor else values.dtype.type(0)

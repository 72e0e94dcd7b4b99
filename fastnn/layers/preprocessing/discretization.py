"""Discretization: numbers as the bins that they fall into."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...lookup import is_number
from ..support.arguments import positive
from .adapting import batches_of
from .encoding import Encoding, encode, mode_of, refuse_sparse

__all__ = ["Discretization"]


class Discretization(Encoding):
    """Numbers as ids of bins: x is in bin i if boundary i − 1 ≤ x < boundary i.

    numbers of any shape → int64 ids of the same shape, or rows as ``output_mode`` says.

    Parameters
    ----------
    bin_boundaries : list of float, optional
        Ascending; n boundaries make n + 1 bins.
    num_bins : int, optional
        In place of boundaries: ``adapt`` finds them so that the bins hold about as many examples each.
    epsilon : float
        The share of examples by which a boundary found by ``adapt`` may be off.
    output_mode : {"int", "one_hot", "multi_hot", "count"}
    sparse : bool
        False.

    Raises
    ------
    ValueError
        If both or none of ``bin_boundaries`` and ``num_bins`` are given, or they are out of order.

    Examples
    --------
    >>> Discretization([0.0, 1.0, 2.0])([[-1.5, 1.0, 3.4, 0.5]])
    array([[0, 2, 3, 1]])
    >>> halves = Discretization(num_bins=2)
    >>> halves.adapt([1.0, 2.0, 3.0, 4.0])
    >>> halves.bin_boundaries, halves([1.0, 4.0])
    ([2.0], array([0, 1]))
    """

    fields = ("bin_boundaries", "num_bins", "epsilon", "output_mode")

    def __init__(
        self,
        bin_boundaries: Sequence[float] | None = None,
        num_bins: int | None = None,
        epsilon: float = 0.01,
        output_mode: str = "int",
        sparse: bool = False,
        **settings: Any,
    ):
        super().__init__(**settings)
        refuse_sparse(sparse, self)
        if (bin_boundaries is None) == (num_bins is None):
            raise ValueError(
                "Discretization needs either bin_boundaries, or num_bins for adapt. Received: "
                f"bin_boundaries={bin_boundaries!r}, num_bins={num_bins!r}."
            )
        if not is_number(epsilon) or not 0 < epsilon < 1:
            raise ValueError(
                f"epsilon of Discretization must be a number between 0 and 1. Received: epsilon={epsilon!r}."
            )
        self.num_bins = None if num_bins is None else positive("num_bins", num_bins, self)
        self.epsilon = float(epsilon)
        self.output_mode = mode_of(output_mode, ("int", "one_hot", "multi_hot", "count"))
        self.bin_boundaries: list[float] | None = None if bin_boundaries is None else self._read(bin_boundaries)

    def _read(self, boundaries: Any) -> list[float]:
        found = np.asarray(boundaries)
        if found.ndim != 1 or found.dtype.kind not in "iuf" or not (np.diff(found) >= 0).all():
            raise ValueError(
                f"bin_boundaries of Discretization must be numbers in ascending order. Received: {boundaries!r}."
            )
        return found.astype(np.float64).tolist()

    def adapt(self, data: Any, batch_size: int | None = None, steps: int | None = None) -> None:
        """Find the boundaries from quantiles of the data.

        Parameters
        ----------
        data : array, list, Dataset or other iterable of batches
        batch_size : accepted; it has no effect
        steps : int, optional
            The number of batches to read from an iterable.

        Raises
        ------
        ValueError
            If the boundaries were given, or the data are empty.
        """
        if self.num_bins is None:
            raise ValueError(
                "adapt of Discretization finds boundaries for num_bins. Received: bin_boundaries. Use "
                "Discretization(num_bins=...)."
            )
        summary = np.empty((2, 0), np.float32)
        for batch in batches_of(data, steps):
            values = np.asarray(batch)
            if values.dtype.kind not in "biuf" or np.isnan(values).any():
                raise ValueError(
                    "adapt of Discretization needs numbers. Received: "
                    + (f"dtype {values.dtype}." if values.dtype.kind not in "biuf" else "NaN among them.")
                )
            both = np.concatenate([_summarized(values.astype(np.float32), self.epsilon), summary], axis=1)
            summary = _compressed(both[:, np.argsort(both[0])], self.epsilon)
        if not summary.size:
            raise ValueError("adapt of Discretization needs data. Received: none.")
        self.bin_boundaries = _compressed(summary, 1 / self.num_bins)[0, :-1].tolist()

    def depth(self) -> int:
        return len(self.bin_boundaries) + 1 if self.bin_boundaries is not None else int(self.num_bins or 0)

    def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, Any]:
        if self.bin_boundaries is None:
            raise RuntimeError(
                "Discretization has no boundaries yet. Call layer.adapt(data), or pass bin_boundaries=[...]."
            )
        ids = np.digitize(x, np.asarray(self.bin_boundaries, x.dtype)).astype(np.int64)
        return encode(ids, self.output_mode, self.depth(), self.dtype), x.shape

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Discretization:
        """A new layer from ``get_config``, with the boundaries that were found."""
        found = config.get("bin_boundaries") if config.get("num_bins") is not None else None
        layer = cls(**(config if found is None else {**config, "bin_boundaries": None}))
        if found is not None:
            layer.bin_boundaries = layer._read(found)
        return layer


def _summarized(values: np.ndarray, epsilon: float) -> np.ndarray:
    """Every n-th of the sorted values, and the number of values that each represents."""
    values = np.sort(values.ravel())
    step = max(values.size * epsilon, 1)
    kept = values[int(step - 1) :: int(step)]
    return np.stack([kept, np.full_like(kept, step)])


def _compressed(summary: np.ndarray, epsilon: float) -> np.ndarray:
    """The values at 1 / epsilon evenly spaced shares of the weight, by interpolation."""
    if summary.shape[1] * epsilon < 1:
        return summary
    shares = epsilon + np.arange(0.0, 1.0, epsilon)
    total = summary[1].cumsum()
    values = np.interp(shares, total / total[-1], summary[0])
    weights = np.diff(np.interp(shares, total / total[-1], total), prepend=0)
    return np.stack([values, weights]).astype(np.float32)

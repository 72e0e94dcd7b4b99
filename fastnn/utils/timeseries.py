"""Windows of a series."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..data import Dataset
from ..data.foreign import is_arraylike, to_array

__all__ = ["timeseries_dataset_from_array"]


def timeseries_dataset_from_array(
    data: Any,
    targets: Any,
    sequence_length: int,
    sequence_stride: int = 1,
    sampling_rate: int = 1,
    batch_size: int | None = 128,
    shuffle: bool = False,
    seed: int | None = None,
    start_index: int | None = None,
    end_index: int | None = None,
) -> Dataset:
    """Return batches of windows of a series: window i is data[i·s + r·(0, 1, …, L − 1)], its target targets[i·s].

    Parameters
    ----------
    data : array (time,) or (time, features, …)
        The windows are views of it until a batch gathers them.
    targets : array (time, …) or None
        ``targets[i]`` belongs to the window that starts at ``data[i]``. To forecast the next value of a series x, use
        ``data=x[:-L], targets=x[L:]``.
    sequence_length : int
        L, the number of steps in a window.
    sequence_stride : int
        s, the steps from one window to the next.
    sampling_rate : int
        r, the steps of the series between neighbouring steps of a window.
    batch_size : int or None
        None yields single windows.
    shuffle : bool
        Whether the windows come in random order, a new one on each iteration.
    seed : int, optional
        The seed of that order.
    start_index, end_index : int, optional
        Only ``data[start_index:end_index]`` and the same part of the targets are used.

    Returns
    -------
    fastnn.data.Dataset
        Of arrays (batch, L, …), or tuples of them and their targets.

    Raises
    ------
    ValueError
        If a number is out of range, or no window fits.

    Examples
    --------
    >>> x = np.arange(6)
    >>> for window, target in timeseries_dataset_from_array(x[:-3], x[3:], sequence_length=2, batch_size=2):
    ...     print(window.tolist(), target.tolist())
    [[0, 1], [1, 2]] [3, 4]
    """
    series = _array("data", data)
    n = len(series)
    for name, value, most in (
        ("sequence_length", sequence_length, n),
        ("sequence_stride", sequence_stride, n),
        ("sampling_rate", sampling_rate, n),
        ("batch_size", batch_size, None),
        ("start_index", start_index, n - 1),
        ("end_index", end_index, n),
    ):
        least = 0 if name == "start_index" else 1
        if value is None and name in ("batch_size", "start_index", "end_index"):
            continue
        whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
        if not whole or value is None or value < least or (most is not None and value > most):
            limit = f"at least {least}" if most is None else f"from {least} to {most}, for {n} steps of data"
            raise ValueError(f"{name} must be an integer, {limit}. Received: {name}={value!r}.")
    part = slice(start_index or 0, n if end_index is None else end_index)
    series = series[part]
    span = (sequence_length - 1) * sampling_rate + 1
    if span > len(series):
        raise ValueError(
            f"A window of sequence_length={sequence_length} with sampling_rate={sampling_rate} spans {span} steps. "
            f"Received: {len(series)} steps between start_index and end_index."
        )
    windows = np.moveaxis(np.lib.stride_tricks.sliding_window_view(series, span, axis=0), -1, 1)
    windows = windows[::sequence_stride, ::sampling_rate]
    if targets is None:
        dataset = Dataset.from_tensor_slices(windows)
    else:
        goals = _array("targets", targets)[part][::sequence_stride]
        count = min(len(windows), len(goals))
        if count == 0:
            raise ValueError(f"No targets are left from start_index={part.start} on. Received: {len(targets)} targets.")
        dataset = Dataset.from_tensor_slices((windows[:count], goals[:count]))
    if shuffle:
        dataset = dataset.shuffle(len(dataset), seed)
    return dataset if batch_size is None else dataset.batch(batch_size)


def _array(name: str, value: Any) -> np.ndarray:
    array = to_array(name, value) if is_arraylike(value) else np.asarray(value)
    if array.ndim == 0:
        raise ValueError(f"{name} must have time along its first axis. Received: a single value, {value!r}.")
    return array

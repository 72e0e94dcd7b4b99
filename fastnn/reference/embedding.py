"""Twins of the embedding: rows of a table looked up by id, and the table's gradient."""

from __future__ import annotations

import numpy as np

from fastnn import checks

__all__ = ["embedding_forward", "embedding_backward"]


def embedding_forward(ids: np.ndarray, w: np.ndarray, *, y: np.ndarray | None = None) -> np.ndarray:
    """Look ids up in a table, y[i] = w[ids[i]].

    Parameters
    ----------
    ids : array (…) of any integer dtype except uint64, each in [0, V)
    w : array (V, D)
    y : array (…, D), optional
        Where to write the result.

    Raises
    ------
    TypeError, ValueError
        If dtypes, ranks or sizes do not fit.
    IndexError
        If an id is out of range; then nothing is written.

    Examples
    --------
    >>> embedding_forward([[0, 2], [2, 2]], [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    array([[[1., 2.],
            [5., 6.]],
           [[5., 6.],
            [5., 6.]]])
    """
    w = checks.real("w", w, 2)
    ids = checks.index("ids", ids, len(w), None)
    y = checks.result("y", y, (*ids.shape, w.shape[1]), w.dtype, ids, w)
    y[...] = w[ids]
    return y


def embedding_backward(
    dy: np.ndarray,
    ids: np.ndarray,
    vocabulary: int,
    stale: np.ndarray | None = None,
    *,
    dw: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Gradient of the table, dw[v] = Σ dy[i] over the positions i with ids[i] = v, added in the order of i.

    Parameters
    ----------
    dy : array (…, D)
    ids : array (…) of any integer dtype except uint64, each in [0, V)
    vocabulary : int
        V, the rows of the table.
    stale : array of ints in [0, V), optional
        The rows of a given `dw` that may be nonzero, as returned by the previous call: only these are cleared. None
        clears all rows.
    dw : array (V, D), optional
        Where to write the result.

    Returns
    -------
    dw : array (V, D)
    rows : int64 array
        The distinct ids, ascending: the only rows of dw that may be nonzero.

    Raises
    ------
    TypeError, ValueError
        If dtypes, ranks or sizes do not fit.
    IndexError
        If an id or a stale row is out of range; then nothing is written.

    Examples
    --------
    >>> dw, rows = embedding_backward([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], [2, 0, 2], 4)
    >>> dw
    array([[3., 4.],
           [0., 0.],
           [6., 8.],
           [0., 0.]])
    >>> rows
    array([0, 2])
    """
    vocabulary = checks.count("vocabulary", vocabulary)
    dy = checks.real("dy", dy)
    ids = checks.index("ids", ids, vocabulary, None)
    if dy.ndim != ids.ndim + 1 or dy.shape[:-1] != ids.shape:
        raise ValueError(f"dy must have the shape of ids and one more axis, {(*ids.shape, 'D')}. Received: {dy.shape}.")
    stale = None if stale is None else checks.index("stale", stale, vocabulary)
    clear = slice(None) if stale is None or dw is None else stale
    dw = checks.result("dw", dw, (vocabulary, dy.shape[-1]), dy.dtype, dy, ids, stale)
    dw[clear] = 0
    with np.errstate(all="ignore"):
        np.add.at(dw, ids.reshape(-1), dy.reshape(ids.size, dy.shape[-1]))
    return dw, np.unique(ids)

"""The helpers of both books' ``common/util.py``: ``from fastnn.compat.book.util import *``."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...backend import active
from ._evaluation import eval_perplexity, eval_seq2seq
from ._words import (
    analogy,
    convert_one_hot,
    cos_similarity,
    create_co_matrix,
    create_contexts_target,
    most_similar,
    normalize,
    ppmi,
    preprocess,
)

__all__ = [
    "analogy",
    "clip_grads",
    "col2im",
    "conv_output_size",
    "convert_one_hot",
    "cos_similarity",
    "create_co_matrix",
    "create_contexts_target",
    "eval_perplexity",
    "eval_seq2seq",
    "im2col",
    "most_similar",
    "normalize",
    "np",
    "ppmi",
    "preprocess",
    "shuffle_dataset",
    "smooth_curve",
    "to_cpu",
    "to_gpu",
]


def smooth_curve(x: Any) -> np.ndarray:
    """Return a curve smoothed by a Kaiser window (β = 2) of 11 points, mirrored at both ends.

    Examples
    --------
    >>> smooth_curve(np.ones(20)).round(6).tolist() == [1.0] * 20
    True
    """
    length = 11
    x = np.asarray(x)
    mirrored = np.concatenate([x[length - 1 : 0 : -1], x, x[-1:-length:-1]])
    window = np.kaiser(length, 2)
    return np.convolve(window / window.sum(), mirrored, mode="valid")[5:-5]


def shuffle_dataset(x: np.ndarray, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return both arrays in one random order, drawn from NumPy's generator.

    Examples
    --------
    >>> x, t = shuffle_dataset(np.arange(6.0).reshape(3, 2), np.arange(3))
    >>> bool((x[:, 0] == 2 * t).all())
    True
    """
    order = np.random.permutation(x.shape[0])
    return x[order], t[order]


def conv_output_size(input_size: int, filter_size: int, stride: int = 1, pad: int = 0) -> float:
    """Return (input_size + 2·pad − filter_size) / stride + 1.

    Examples
    --------
    >>> conv_output_size(28, 5)
    24.0
    """
    return (input_size + 2 * pad - filter_size) / stride + 1


def _real(x: Any) -> np.ndarray:
    x = np.asarray(x)
    return x if x.dtype in (np.float32, np.float64) else x.astype(np.float64)


def im2col(input_data: np.ndarray, filter_h: int, filter_w: int, stride: int = 1, pad: int = 0) -> np.ndarray:
    """Copy the windows of images (N, C, H, W) into the rows of a matrix (N·OH·OW, C·FH·FW).

    Float32 stays float32, where the books make float64 of everything.

    Examples
    --------
    >>> im2col(np.arange(6.0).reshape(1, 1, 2, 3), 2, 2)
    array([[0., 1., 3., 4.],
           [1., 2., 4., 5.]])
    """
    return active().im2col(_real(input_data), filter_h, filter_w, stride, pad)


def col2im(
    col: np.ndarray, input_shape: tuple[int, ...], filter_h: int, filter_w: int, stride: int = 1, pad: int = 0
) -> np.ndarray:
    """Add the rows of a matrix back to the windows of images (N, C, H, W).

    Examples
    --------
    >>> col2im(np.ones((2, 4)), (1, 1, 2, 3), 2, 2)
    array([[[[1., 2., 1.],
             [1., 2., 1.]]]])
    """
    return active().col2im(_real(col), tuple(input_shape), filter_h, filter_w, stride, pad)


def clip_grads(grads: list[np.ndarray], max_norm: float) -> None:
    """Scale gradients in place where their joint norm exceeds `max_norm`: by max_norm / (norm + 1e-6).

    Examples
    --------
    >>> grads = [np.array([3.0]), np.array([4.0])]
    >>> clip_grads(grads, 1.0)
    >>> [float(g[0].round(3)) for g in grads]
    [0.6, 0.8]
    """
    flat = [_flat(grad) for grad in grads]
    norm = sum(active().sum_of_squares(g) for g in flat) ** 0.5
    rate = max_norm / (norm + 1e-6)
    if rate < 1:
        for grad, g in zip(grads, flat, strict=True):
            if np.may_share_memory(grad, g):
                active().scale(g, rate)
            else:
                grad *= rate


def _flat(grad: np.ndarray) -> np.ndarray:
    """The numbers of an array in the order of memory: a view, where that is possible."""
    return grad.reshape(-1) if grad.flags.c_contiguous else grad.T.reshape(-1)


def to_cpu(x: np.ndarray) -> np.ndarray:
    """Return x: arrays are NumPy's here.

    Examples
    --------
    >>> to_cpu(np.zeros(1))
    array([0.])
    """
    return np.asarray(x)


def to_gpu(x: Any) -> Any:
    """Refuse: fastnn runs on the CPU.

    Raises
    ------
    RuntimeError
        Always.
    """
    raise RuntimeError(
        "fastnn has no GPU arrays. Received: a call of to_gpu. Use config.GPU = False, and the array itself."
    )

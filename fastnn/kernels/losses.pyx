"""Losses per example and their gradients (C: src_c/losses.c, src_c/pointwise.c; twin: fastnn/reference/losses.py)."""
from libc.math cimport INFINITY
from libc.stdint cimport int64_t
from fastnn.kernels._numpy cimport (
    NPY_INT64, PyArray_DATA, PyArray_DIM, PyArray_DIMS, PyArray_ISCARRAY_RO, PyArray_NDIM, PyArray_TYPE, import_array, ndarray,
)

from fastnn.kernels._core cimport apart, as_number, as_real, as_real_shaped, check, code_of, output, same_or_apart, table

import numpy as np

from fastnn import checks

import_array()

__all__ = [
    "softmax_cross_entropy_forward",
    "softmax_cross_entropy_backward",
    "sigmoid_cross_entropy_forward",
    "sigmoid_cross_entropy_backward",
    "categorical_cross_entropy_forward",
    "categorical_cross_entropy_backward",
    "pointwise_loss_forward",
    "pointwise_loss_backward",
]

cdef extern from "fnn.h":
    enum: FNN_BAD_INDEX
    enum: FNN_MEAN_SQUARED_ERROR, FNN_MEAN_ABSOLUTE_ERROR, FNN_MEAN_ABSOLUTE_PERCENTAGE_ERROR
    enum: FNN_MEAN_SQUARED_LOGARITHMIC_ERROR, FNN_HUBER, FNN_LOG_COSH, FNN_BINARY_CROSSENTROPY, FNN_POISSON, FNN_HINGE
    enum: FNN_SQUARED_HINGE, FNN_KL_DIVERGENCE
    ctypedef struct losses_kernels "const fnn_kernels":
        int (*softmax_cross_entropy_forward)(void *loss, void *p, const void *z, const int64_t *labels, const void *dense,
                                             double smoothing, Py_ssize_t M, Py_ssize_t C) noexcept nogil
        int (*softmax_cross_entropy_backward)(void *dz, const void *p, const int64_t *labels, const void *dense,
                                              const void *scale, double smoothing, Py_ssize_t M, Py_ssize_t C) noexcept nogil
        int (*categorical_cross_entropy_forward)(void *loss, const void *p, const int64_t *labels, const void *dense,
                                                 double smoothing, Py_ssize_t M, Py_ssize_t C) noexcept nogil
        int (*categorical_cross_entropy_backward)(void *dp, const void *p, const int64_t *labels, const void *dense,
                                                  const void *scale, double smoothing, Py_ssize_t M,
                                                  Py_ssize_t C) noexcept nogil
        int (*sigmoid_cross_entropy_forward)(void *loss, void *p, const void *z, const void *t, double smoothing,
                                             Py_ssize_t M, Py_ssize_t C) noexcept nogil
        int (*sigmoid_cross_entropy_backward)(void *dz, const void *p, const void *t, const void *scale, double smoothing,
                                              Py_ssize_t M, Py_ssize_t C) noexcept nogil
        int (*pointwise_loss_forward)(void *loss, const void *y, const void *t, int kind, double delta, Py_ssize_t M,
                                      Py_ssize_t C) noexcept nogil
        int (*pointwise_loss_backward)(void *dy, const void *y, const void *t, const void *scale, int kind, double delta,
                                       Py_ssize_t M, Py_ssize_t C) noexcept nogil

cdef dict KINDS = {
    "mean_squared_error": FNN_MEAN_SQUARED_ERROR,
    "mean_absolute_error": FNN_MEAN_ABSOLUTE_ERROR,
    "mean_absolute_percentage_error": FNN_MEAN_ABSOLUTE_PERCENTAGE_ERROR,
    "mean_squared_logarithmic_error": FNN_MEAN_SQUARED_LOGARITHMIC_ERROR,
    "huber": FNN_HUBER,
    "log_cosh": FNN_LOG_COSH,
    "binary_crossentropy": FNN_BINARY_CROSSENTROPY,
    "poisson": FNN_POISSON,
    "hinge": FNN_HINGE,
    "squared_hinge": FNN_SQUARED_HINGE,
    "kl_divergence": FNN_KL_DIVERGENCE,
}


# ---- arguments ----

cdef inline losses_kernels *table_of(int dtype) noexcept nogil:
    return <losses_kernels *> table(dtype)


cdef ndarray read_scores(object x, str name):
    """Return a real array (M, C) with at least one column."""
    cdef ndarray a = as_real(x, name, 2)
    if PyArray_DIM(a, 1) < 1:
        raise ValueError(f"{name} must have at least one entry along axis 1. Received: shape {(<object> a).shape}.")
    return a


cdef bint is_sparse(object t) except -1:
    """Return whether `t` holds labels (M,) instead of rows (M, C)."""
    return PyArray_NDIM(<ndarray> t) == 1 if isinstance(t, ndarray) else np.ndim(t) == 1


cdef ndarray read_rows(object t, ndarray scores):
    """Return real targets shaped like `scores`; integers, as of one-hot rows, take their dtype."""
    if isinstance(t, np.ndarray) and t.ndim == 2 and t.dtype.kind in "iub":
        t = t.astype((<object> scores).dtype)
    return as_real_shaped(t, "t", 2, PyArray_DIMS(scores), PyArray_TYPE(scores))


cdef ndarray read_scale(object scale, ndarray scores):
    """Return the factors (M,) of the gradients; a number is that of all of them."""
    if isinstance(scale, (int, float, np.number)) and not isinstance(scale, bool):
        scale = np.full(PyArray_DIM(scores, 0), scale, (<object> scores).dtype)
    return as_real_shaped(scale, "scale", 1, PyArray_DIMS(scores), PyArray_TYPE(scores))


cdef ndarray read_targets(object t, bint sparse, ndarray scores):
    """Return int64 labels (M,), whose range the kernel checks before it writes, or real rows shaped like `scores`."""
    cdef ndarray labels
    if not sparse:
        return read_rows(t, scores)
    if type(t) is ndarray and PyArray_TYPE(<ndarray> t) == NPY_INT64 and PyArray_ISCARRAY_RO(<ndarray> t):
        labels = <ndarray> t
    else:
        labels = checks.index("t", t, PyArray_DIM(scores, 1))
    if PyArray_DIM(labels, 0) != PyArray_DIM(scores, 0):
        raise ValueError(f"t must have shape (M,) = ({PyArray_DIM(scores, 0)},). Received: {(<object> labels).shape}.")
    return labels


cdef int check_labels(int status, ndarray target, ndarray scores) except -1:
    if status == FNN_BAD_INDEX:
        checks.index("t", target, PyArray_DIM(scores, 1))  # names the invalid label
    return check(status)


cdef int separate(object first, str first_name, object second, str second_name, ndarray x, str name, ndarray t) except -1:
    """Refuse given outputs that share memory with an input or with one another."""
    if first is not None:
        apart(<ndarray> first, x, first_name, name)
        apart(<ndarray> first, t, first_name, "t")
    if second is not None:
        apart(<ndarray> second, x, second_name, name)
        apart(<ndarray> second, t, second_name, "t")
        if first is not None:
            apart(<ndarray> second, <ndarray> first, second_name, first_name)
    return 0


cdef int apart_of_gradient(object out, str out_name, ndarray x, str name, ndarray t, ndarray scale) except -1:
    """Refuse an output that overlaps an input, unless it is exactly the predictions or the targets."""
    if out is not None:
        same_or_apart(<ndarray> out, x, out_name, name)
        same_or_apart(<ndarray> out, t, out_name, "t")
        apart(<ndarray> out, scale, out_name, "scale")
    return 0


# ---- the kernels ----

def softmax_cross_entropy_forward(z, t, label_smoothing=0.0, *, loss=None, p=None):
    """Cross-entropy of the softmax of logits, loss[m] = −Σ_c q[m, c] · ln p[m, c], with p = softmax(z).

    q = (1 − label_smoothing)·t + label_smoothing / C; 0 · ln 0 counts as 0.

    Parameters
    ----------
    z : array (M, C)
    t : integer labels (M,), or targets (M, C), real or integer of the dtype of `z`
    label_smoothing : float in [0, 1]
    loss, p : arrays (M,), (M, C), optional
        Where to write the result.

    Raises
    ------
    TypeError, ValueError
        If dtypes, ranks or shapes do not fit.
    IndexError
        If a label is not in [0, C).

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> loss, p = kernels.softmax_cross_entropy_forward([[0.0, np.log(3)]], [1])
    >>> loss, p
    (array([0.28768207]), array([[0.25, 0.75]]))
    """
    cdef ndarray logits = read_scores(z, "z")
    cdef double smoothing = as_number(label_smoothing, "label_smoothing", 0, 1)
    cdef bint sparse = is_sparse(t)
    cdef ndarray target = read_targets(t, sparse, logits)
    cdef int dtype = PyArray_TYPE(logits)
    cdef ndarray out = output(loss, "loss", 1, PyArray_DIMS(logits), dtype)
    cdef ndarray probability = output(p, "p", 2, PyArray_DIMS(logits), dtype)
    separate(loss, "loss", p, "p", logits, "z", target)
    cdef int status
    with nogil:
        status = table_of(dtype).softmax_cross_entropy_forward(
            PyArray_DATA(out), PyArray_DATA(probability), PyArray_DATA(logits),
            <int64_t *> PyArray_DATA(target) if sparse else NULL, NULL if sparse else PyArray_DATA(target), smoothing,
            PyArray_DIM(logits, 0), PyArray_DIM(logits, 1))
    check_labels(status, target, logits)
    return out, probability


def softmax_cross_entropy_backward(p, t, scale, label_smoothing=0.0, *, dz=None):
    """Gradient with respect to the logits, dz[m, c] = scale[m] · (p[m, c] · Σ_j q[m, j] − q[m, c]).

    For labels, and for targets that sum to 1, this is the textbooks' (p − q) · scale.

    Parameters
    ----------
    p : array (M, C)
        The probabilities of the forward kernel.
    t : integer labels (M,), or targets (M, C), real or integer
    scale : array (M,), or a number for all rows
    label_smoothing : float in [0, 1]
    dz : array (M, C), optional
        Where to write the result; may be `p` itself.

    Raises
    ------
    TypeError, ValueError
        If dtypes, ranks or shapes do not fit.
    IndexError
        If a label is not in [0, C).

    Examples
    --------
    >>> from fastnn import kernels
    >>> kernels.softmax_cross_entropy_backward([[0.25, 0.75]], [1], [1.0])
    array([[ 0.25, -0.25]])
    """
    cdef ndarray probability = read_scores(p, "p")
    cdef double smoothing = as_number(label_smoothing, "label_smoothing", 0, 1)
    cdef bint sparse = is_sparse(t)
    cdef ndarray target = read_targets(t, sparse, probability)
    cdef int dtype = PyArray_TYPE(probability)
    cdef ndarray weight = read_scale(scale, probability)
    cdef ndarray out = output(dz, "dz", 2, PyArray_DIMS(probability), dtype)
    apart_of_gradient(dz, "dz", probability, "p", target, weight)
    cdef int status
    with nogil:
        status = table_of(dtype).softmax_cross_entropy_backward(
            PyArray_DATA(out), PyArray_DATA(probability), <int64_t *> PyArray_DATA(target) if sparse else NULL,
            NULL if sparse else PyArray_DATA(target), PyArray_DATA(weight), smoothing, PyArray_DIM(probability, 0),
            PyArray_DIM(probability, 1))
    check_labels(status, target, probability)
    return out


def sigmoid_cross_entropy_forward(z, t, label_smoothing=0.0, *, loss=None, p=None):
    """Binary cross-entropy of the sigmoid of logits, averaged over the outputs.

    loss[m] = 1/C · Σ_c (max(z, 0) − z·q + ln(1 + e^(−|z|))),  p = sigmoid(z),  q = (1 − label_smoothing)·t +
    label_smoothing / 2

    Parameters
    ----------
    z, t : arrays (M, C)
    label_smoothing : float in [0, 1]
    loss, p : arrays (M,), (M, C), optional
        Where to write the result.

    Raises
    ------
    TypeError, ValueError
        If dtypes, ranks or shapes do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> loss, p = kernels.sigmoid_cross_entropy_forward([[0.0, np.log(3)]], [[1.0, 1.0]])
    >>> loss, p
    (array([0.49041463]), array([[0.5 , 0.75]]))
    """
    cdef ndarray logits = read_scores(z, "z")
    cdef double smoothing = as_number(label_smoothing, "label_smoothing", 0, 1)
    cdef int dtype = PyArray_TYPE(logits)
    cdef ndarray target = read_rows(t, logits)
    cdef ndarray out = output(loss, "loss", 1, PyArray_DIMS(logits), dtype)
    cdef ndarray probability = output(p, "p", 2, PyArray_DIMS(logits), dtype)
    separate(loss, "loss", p, "p", logits, "z", target)
    cdef int status
    with nogil:
        status = table_of(dtype).sigmoid_cross_entropy_forward(
            PyArray_DATA(out), PyArray_DATA(probability), PyArray_DATA(logits), PyArray_DATA(target), smoothing,
            PyArray_DIM(logits, 0), PyArray_DIM(logits, 1))
    check(status)
    return out, probability


def sigmoid_cross_entropy_backward(p, t, scale, label_smoothing=0.0, *, dz=None):
    """Gradient with respect to the logits, dz[m, c] = scale[m] / C · (p[m, c] − q[m, c]).

    Parameters
    ----------
    p, t : arrays (M, C)
        The probabilities of the forward kernel, and the targets.
    scale : array (M,), or a number for all rows
    label_smoothing : float in [0, 1]
    dz : array (M, C), optional
        Where to write the result; may be `p` itself.

    Raises
    ------
    TypeError, ValueError
        If dtypes, ranks or shapes do not fit.

    Examples
    --------
    >>> from fastnn import kernels
    >>> kernels.sigmoid_cross_entropy_backward([[0.5, 0.75]], [[1.0, 1.0]], [1.0])
    array([[-0.25 , -0.125]])
    """
    cdef ndarray probability = read_scores(p, "p")
    cdef double smoothing = as_number(label_smoothing, "label_smoothing", 0, 1)
    cdef int dtype = PyArray_TYPE(probability)
    cdef ndarray target = read_rows(t, probability)
    cdef ndarray weight = read_scale(scale, probability)
    cdef ndarray out = output(dz, "dz", 2, PyArray_DIMS(probability), dtype)
    apart_of_gradient(dz, "dz", probability, "p", target, weight)
    cdef int status
    with nogil:
        status = table_of(dtype).sigmoid_cross_entropy_backward(
            PyArray_DATA(out), PyArray_DATA(probability), PyArray_DATA(target), PyArray_DATA(weight), smoothing,
            PyArray_DIM(probability, 0), PyArray_DIM(probability, 1))
    check(status)
    return out


def categorical_cross_entropy_forward(p, t, label_smoothing=0.0, *, loss=None):
    """Cross-entropy of probabilities, loss[m] = −Σ_c q[m, c] · ln clip(p[m, c] / Σ_j p[m, j], 1e-7, 1 − 1e-7).

    q = (1 − label_smoothing)·t + label_smoothing / C

    Parameters
    ----------
    p : array (M, C)
    t : integer labels (M,), or targets (M, C), real or integer of the dtype of `p`
    label_smoothing : float in [0, 1]
    loss : array (M,), optional
        Where to write the result.

    Raises
    ------
    TypeError, ValueError
        If dtypes, ranks or shapes do not fit.
    IndexError
        If a label is not in [0, C).

    Examples
    --------
    >>> from fastnn import kernels
    >>> kernels.categorical_cross_entropy_forward([[1.0, 3.0]], [1])
    array([0.28768207])
    """
    cdef ndarray probability = read_scores(p, "p")
    cdef double smoothing = as_number(label_smoothing, "label_smoothing", 0, 1)
    cdef bint sparse = is_sparse(t)
    cdef ndarray target = read_targets(t, sparse, probability)
    cdef int dtype = PyArray_TYPE(probability)
    cdef ndarray out = output(loss, "loss", 1, PyArray_DIMS(probability), dtype)
    separate(loss, "loss", None, "", probability, "p", target)
    cdef int status
    with nogil:
        status = table_of(dtype).categorical_cross_entropy_forward(
            PyArray_DATA(out), PyArray_DATA(probability), <int64_t *> PyArray_DATA(target) if sparse else NULL,
            NULL if sparse else PyArray_DATA(target), smoothing, PyArray_DIM(probability, 0), PyArray_DIM(probability, 1))
    check_labels(status, target, probability)
    return out


def categorical_cross_entropy_backward(p, t, scale, label_smoothing=0.0, *, dp=None):
    """Gradient with respect to the probabilities, through the clipping and the division by their sum.

    s = Σ_j p[m, j], r = p / s;  g = −q / r where 1e-7 ≤ r ≤ 1 − 1e-7, else 0;  dp[m, c] = scale[m] / s · (g[c] − Σ_j
    g[j]·r[j])

    Parameters
    ----------
    p : array (M, C)
    t : integer labels (M,), or targets (M, C), real or integer
    scale : array (M,), or a number for all rows
    label_smoothing : float in [0, 1]
    dp : array (M, C), optional
        Where to write the result; may be `p` itself.

    Raises
    ------
    TypeError, ValueError
        If dtypes, ranks or shapes do not fit.
    IndexError
        If a label is not in [0, C).

    Examples
    --------
    >>> from fastnn import kernels
    >>> kernels.categorical_cross_entropy_backward([[0.25, 0.75]], [1], [1.0])
    array([[ 1.        , -0.33333333]])
    """
    cdef ndarray probability = read_scores(p, "p")
    cdef double smoothing = as_number(label_smoothing, "label_smoothing", 0, 1)
    cdef bint sparse = is_sparse(t)
    cdef ndarray target = read_targets(t, sparse, probability)
    cdef int dtype = PyArray_TYPE(probability)
    cdef ndarray weight = read_scale(scale, probability)
    cdef ndarray out = output(dp, "dp", 2, PyArray_DIMS(probability), dtype)
    apart_of_gradient(dp, "dp", probability, "p", target, weight)
    cdef int status
    with nogil:
        status = table_of(dtype).categorical_cross_entropy_backward(
            PyArray_DATA(out), PyArray_DATA(probability), <int64_t *> PyArray_DATA(target) if sparse else NULL,
            NULL if sparse else PyArray_DATA(target), PyArray_DATA(weight), smoothing, PyArray_DIM(probability, 0),
            PyArray_DIM(probability, 1))
    check_labels(status, target, probability)
    return out


def pointwise_loss_forward(y, t, kind, delta=1.0, *, loss=None):
    """Loss per example: the mean over its outputs of ℓ(y, t) (kl_divergence: the sum).

    mean_squared_error (y − t)² · mean_absolute_error |y − t| ·
    mean_absolute_percentage_error 100·|y − t| / max(|t|, 1e-7) ·
    mean_squared_logarithmic_error (ln(1 + y) − ln(1 + t))², both at least 1e-7 ·
    huber e²/2 up to |e| = delta, then delta·|e| − delta²/2, e = y − t · log_cosh ln cosh(y − t) ·
    binary_crossentropy −t·ln y − (1 − t)·ln(1 − y), y in [1e-7, 1 − 1e-7] · poisson y − t·ln(y + 1e-7) ·
    hinge max(1 − t·y, 0) · squared_hinge its square · kl_divergence t·ln(t / y), both in [1e-7, 1]

    Parameters
    ----------
    y, t : arrays (M, C)
        Predictions and targets.
    kind : str
    delta : float
        The error at which huber changes from a square to a line.
    loss : array (M,), optional
        Where to write the result.

    Raises
    ------
    TypeError, ValueError
        If dtypes, shapes or the name do not fit.

    Examples
    --------
    >>> from fastnn import kernels
    >>> kernels.pointwise_loss_forward([[1.0, 2.0]], [[0.0, 4.0]], "mean_squared_error")
    array([2.5])
    """
    cdef ndarray prediction = read_scores(y, "y")
    cdef int code = code_of("kind", kind, KINDS), dtype = PyArray_TYPE(prediction)
    cdef double turn = as_number(delta, "delta", 0, INFINITY)
    cdef ndarray target = read_rows(t, prediction)
    cdef ndarray out = output(loss, "loss", 1, PyArray_DIMS(prediction), dtype)
    separate(loss, "loss", None, "", prediction, "y", target)
    cdef int status
    with nogil:
        status = table_of(dtype).pointwise_loss_forward(
            PyArray_DATA(out), PyArray_DATA(prediction), PyArray_DATA(target), code, turn, PyArray_DIM(prediction, 0),
            PyArray_DIM(prediction, 1))
    check(status)
    return out


def pointwise_loss_backward(y, t, scale, kind, delta=1.0, *, dy=None):
    """Gradient with respect to the predictions, dy[m, c] = scale[m] / C · ∂ℓ/∂y (kl_divergence: without 1 / C).

    The derivative is 0 where y is clipped, and that of |y − t| at 0 is 0.

    Parameters
    ----------
    y, t : arrays (M, C)
    scale : array (M,), or a number for all rows
    kind : str
    delta : float
    dy : array (M, C), optional
        Where to write the result; may be `y` itself.

    Raises
    ------
    TypeError, ValueError
        If dtypes, shapes or the name do not fit.

    Examples
    --------
    >>> from fastnn import kernels
    >>> kernels.pointwise_loss_backward([[1.0, 2.0]], [[0.0, 4.0]], [1.0], "mean_squared_error")
    array([[ 1., -2.]])
    """
    cdef ndarray prediction = read_scores(y, "y")
    cdef int code = code_of("kind", kind, KINDS), dtype = PyArray_TYPE(prediction)
    cdef double turn = as_number(delta, "delta", 0, INFINITY)
    cdef ndarray target = read_rows(t, prediction)
    cdef ndarray weight = read_scale(scale, prediction)
    cdef ndarray out = output(dy, "dy", 2, PyArray_DIMS(prediction), dtype)
    apart_of_gradient(dy, "dy", prediction, "y", target, weight)
    cdef int status
    with nogil:
        status = table_of(dtype).pointwise_loss_backward(
            PyArray_DATA(out), PyArray_DATA(prediction), PyArray_DATA(target), PyArray_DATA(weight), code, turn,
            PyArray_DIM(prediction, 0), PyArray_DIM(prediction, 1))
    check(status)
    return out

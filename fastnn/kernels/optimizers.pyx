"""One step of an optimizer over flat arrays, in place (C: src_c/optimizers.c, twin: fastnn/reference/optimizers.py).

Legend: w = weights, g = gradient, η = learning_rate, t = step (1, 2, …), ε = epsilon, λ = weight_decay.  Every step
starts with the decoupled decay w ← w − η·λ·w; g is left unchanged.  A step reads and writes every element once.
"""
from fastnn.kernels._numpy cimport PyArray_DATA, PyArray_SIZE, PyArray_TYPE, import_array, ndarray

from fastnn.kernels._core cimport ANY, as_real, check, data, table
from fastnn.kernels._optimizers cimport (
    alike, betas, check_rows, fnn_rows, not_negative, rates, read_rows, step_number)

from fastnn import checks
from fastnn.kernels._optimizers import refuse

import_array()

__all__ = [
    "sgd_step", "adam_step", "rmsprop_step", "adagrad_step", "adadelta_step", "adamax_step", "lion_step", "nadam_step", "sum_of_squares", "scale",
    "clip_values",
]

cdef extern from "fnn.h":
    ctypedef struct optimizer_kernels "const fnn_kernels":
        int (*sgd_step)(void *w, const void *g, void *velocity, Py_ssize_t n, const fnn_rows *rows, double learning_rate,
                        double momentum, int nesterov, double weight_decay) noexcept nogil
        int (*adam_step)(void *w, const void *g, void *m, void *v, void *vhat, Py_ssize_t n, const fnn_rows *rows,
                         Py_ssize_t step, double learning_rate, double beta_1, double beta_2, double epsilon,
                         double weight_decay) noexcept nogil
        int (*rmsprop_step)(void *w, const void *g, void *velocity, void *momentum_buffer, void *average_gradient, Py_ssize_t n,
                            const fnn_rows *rows, double learning_rate, double rho, double momentum, double epsilon,
                            double weight_decay) noexcept nogil
        int (*adagrad_step)(void *w, const void *g, void *accumulator, Py_ssize_t n, const fnn_rows *rows, double learning_rate,
                            double epsilon, double weight_decay) noexcept nogil
        int (*adadelta_step)(void *w, const void *g, void *accumulated_gradient, void *accumulated_delta, Py_ssize_t n,
                             const fnn_rows *rows, double learning_rate, double rho, double epsilon,
                             double weight_decay) noexcept nogil
        int (*adamax_step)(void *w, const void *g, void *m, void *u, Py_ssize_t n, const fnn_rows *rows, Py_ssize_t step,
                           double learning_rate, double beta_1, double beta_2, double epsilon, double weight_decay) noexcept nogil
        int (*lion_step)(void *w, const void *g, void *m, Py_ssize_t n, const fnn_rows *rows, double learning_rate, double beta_1,
                         double beta_2, double weight_decay) noexcept nogil
        int (*nadam_step)(void *w, const void *g, void *m, void *v, Py_ssize_t n, const fnn_rows *rows, Py_ssize_t step,
                          double momentum_product, double learning_rate, double beta_1, double beta_2, double epsilon,
                          double weight_decay) noexcept nogil
        int (*scale)(void *g, Py_ssize_t n, double factor) noexcept nogil
        int (*clip_values)(void *g, Py_ssize_t n, double limit) noexcept nogil
        int (*sum_of_squares)(double *sum, const void *g, Py_ssize_t n) noexcept nogil


cdef optimizer_kernels *kernels(ndarray w) noexcept:
    return <optimizer_kernels *> table(PyArray_TYPE(w))


# ---- the optimizers ----

def sgd_step(w, g, velocity=None, *, double learning_rate,
             double momentum=0.0, bint nesterov=False, double weight_decay=0.0, rows=None):
    """Gradient descent, w ← w − η·g; with momentum μ, v ← μ·v − η·g and w ← w + v (Nesterov: w ← w + μ·v − η·g).

    Parameters
    ----------
    w, g : arrays (n,)
    velocity : array (n,)
        Needed if `momentum` is not 0.
    learning_rate, momentum, weight_decay : float
    nesterov : bool
    rows : array of any integer dtype except uint64, ascending, optional
        If given, the arrays are tables (V, D), of which only these rows are read and updated.

    Raises
    ------
    TypeError, ValueError, IndexError
        If arrays, rows or numbers do not fit, or `velocity` is missing; then nothing is changed.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> w = np.array([1.0, 2.0])
    >>> kernels.sgd_step(w, np.array([10.0, 20.0]), learning_rate=0.01)
    >>> w
    array([0.9, 1.8])
    """
    cdef int status
    cdef fnn_rows some
    cdef ndarray index = read_rows(&some, rows, w)
    if g is None or not alike(index, w, g, velocity):
        refuse(rows, ("velocity",), w=w, g=g, velocity=velocity)
    cdef ndarray W = w, G = g, VELOCITY = velocity
    if momentum != 0 and velocity is None:
        raise ValueError("Momentum needs a velocity. Received: velocity=None. Use velocity=np.zeros_like(w).")
    rates(learning_rate, 0, weight_decay)
    not_negative("momentum", momentum)
    cdef optimizer_kernels *k = kernels(W)
    with nogil:
        status = k.sgd_step(data(W), data(G), data(VELOCITY), PyArray_SIZE(W), &some, learning_rate, momentum, nesterov,
                            weight_decay)
    check_rows(status, rows, W)


def adam_step(w, g, m, v, vhat=None, *,
              step, double learning_rate, double beta_1=0.9, double beta_2=0.999, double epsilon=1e-7,
              double weight_decay=0.0, rows=None):
    """Adam, and AdamW with weight decay: w ← w − α·m / (√v + ε), α = η·√(1 − β₂ᵗ) / (1 − β₁ᵗ).

    m ← m + (1 − β₁)·(g − m);  v ← v + (1 − β₂)·(g² − v);  with `vhat` (AMSGrad), vhat ← max(vhat, v) replaces v.

    Parameters
    ----------
    w, g, m, v : arrays (n,)
    vhat : array (n,), optional
    step : int
        The number of this step, from 1.
    learning_rate, beta_1, beta_2, epsilon, weight_decay : float
    rows : array of any integer dtype except uint64, ascending, optional
        If given, the arrays are tables (V, D), of which only these rows are read and updated.

    Raises
    ------
    TypeError, ValueError, IndexError
        If arrays, rows or numbers do not fit; then nothing is changed.

    References
    ----------
    D. P. Kingma, J. Ba, "Adam: a method for stochastic optimization", ICLR 2015; S. J. Reddi et al., "On the
    convergence of Adam and beyond", ICLR 2018.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> w, m, v = np.array([1.0]), np.zeros(1), np.zeros(1)
    >>> kernels.adam_step(w, np.array([5.0]), m, v, step=1, learning_rate=0.1)
    >>> w.round(6)
    array([0.9])
    """
    cdef int status
    cdef Py_ssize_t t = step_number(step)
    cdef fnn_rows some
    cdef ndarray index = read_rows(&some, rows, w)
    if g is None or m is None or v is None or not alike(index, w, g, m, v, vhat):
        refuse(rows, ("vhat",), w=w, g=g, m=m, v=v, vhat=vhat)
    cdef ndarray W = w, G = g, M = m, V = v, VHAT = vhat
    rates(learning_rate, epsilon, weight_decay)
    betas(beta_1, beta_2)
    cdef optimizer_kernels *k = kernels(W)
    with nogil:
        status = k.adam_step(data(W), data(G), data(M), data(V), data(VHAT), PyArray_SIZE(W), &some, t, learning_rate,
                             beta_1, beta_2, epsilon, weight_decay)
    check_rows(status, rows, W)


def rmsprop_step(w, g, velocity, momentum_buffer=None, average_gradient=None, *,
                 double learning_rate, double rho=0.9, double momentum=0.0,
                 double epsilon=1e-7, double weight_decay=0.0, rows=None):
    """RMSprop: v ← ρ·v + (1 − ρ)·g²;  δ = η·g / √(v + ε);  w ← w − δ, or with momentum u ← μ·u + δ and w ← w − u.

    With `average_gradient` a (the centred form), a ← ρ·a + (1 − ρ)·g, and v − a² replaces v under the root.

    Parameters
    ----------
    w, g, velocity : arrays (n,)
    momentum_buffer : array (n,)
        Needed if `momentum` is not 0.
    average_gradient : array (n,), optional
    learning_rate, rho, momentum, epsilon, weight_decay : float
    rows : array of any integer dtype except uint64, ascending, optional
        If given, the arrays are tables (V, D), of which only these rows are read and updated.

    Raises
    ------
    TypeError, ValueError, IndexError
        If arrays, rows or numbers do not fit, or `momentum_buffer` is missing; then nothing is changed.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> w, v = np.array([1.0]), np.zeros(1)
    >>> kernels.rmsprop_step(w, np.array([2.0]), v, learning_rate=0.1, rho=0.75)
    >>> w.round(6), v
    (array([0.8]), array([1.]))
    """
    cdef int status
    cdef fnn_rows some
    cdef ndarray index = read_rows(&some, rows, w)
    if g is None or velocity is None or not alike(index, w, g, velocity, momentum_buffer, average_gradient):
        refuse(rows, ("momentum_buffer", "average_gradient"), w=w, g=g, velocity=velocity, momentum_buffer=momentum_buffer,
               average_gradient=average_gradient)
    cdef ndarray W = w, G = g, VELOCITY = velocity, MOMENTUM_BUFFER = momentum_buffer, AVERAGE_GRADIENT = average_gradient
    if momentum != 0 and momentum_buffer is None:
        raise ValueError(
            "Momentum needs a buffer. Received: momentum_buffer=None. Use momentum_buffer=np.zeros_like(w).")
    rates(learning_rate, epsilon, weight_decay)
    not_negative("rho", rho)
    not_negative("momentum", momentum)
    cdef optimizer_kernels *k = kernels(W)
    with nogil:
        status = k.rmsprop_step(data(W), data(G), data(VELOCITY), data(MOMENTUM_BUFFER), data(AVERAGE_GRADIENT),
                                PyArray_SIZE(W), &some, learning_rate, rho, momentum, epsilon, weight_decay)
    check_rows(status, rows, W)


def adagrad_step(w, g, accumulator, *, double learning_rate,
                 double epsilon=1e-7, double weight_decay=0.0, rows=None):
    """Adagrad: a ← a + g²;  w ← w − η·g / √(a + ε).

    Parameters
    ----------
    w, g, accumulator : arrays (n,)
    learning_rate, epsilon, weight_decay : float
    rows : array of any integer dtype except uint64, ascending, optional
        If given, the arrays are tables (V, D), of which only these rows are read and updated.

    Raises
    ------
    TypeError, ValueError, IndexError
        If arrays, rows or numbers do not fit; then nothing is changed.

    References
    ----------
    J. Duchi et al., "Adaptive subgradient methods for online learning and stochastic optimization", JMLR 12, 2011.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> w, a = np.array([1.0]), np.zeros(1)
    >>> kernels.adagrad_step(w, np.array([2.0]), a, learning_rate=0.1)
    >>> w.round(6), a
    (array([0.9]), array([4.]))
    """
    cdef int status
    cdef fnn_rows some
    cdef ndarray index = read_rows(&some, rows, w)
    if g is None or accumulator is None or not alike(index, w, g, accumulator):
        refuse(rows, (), w=w, g=g, accumulator=accumulator)
    cdef ndarray W = w, G = g, ACCUMULATOR = accumulator
    rates(learning_rate, epsilon, weight_decay)
    cdef optimizer_kernels *k = kernels(W)
    with nogil:
        status = k.adagrad_step(data(W), data(G), data(ACCUMULATOR), PyArray_SIZE(W), &some, learning_rate, epsilon,
                                weight_decay)
    check_rows(status, rows, W)


def adadelta_step(w, g, accumulated_gradient, accumulated_delta, *, double learning_rate, double rho=0.95,
                  double epsilon=1e-7, double weight_decay=0.0, rows=None):
    """Adadelta: a ← ρ·a + (1 − ρ)·g²;  δ = −√(d + ε) / √(a + ε)·g;  d ← ρ·d + (1 − ρ)·δ²;  w ← w + η·δ.

    Parameters
    ----------
    w, g, accumulated_gradient, accumulated_delta : arrays (n,)
    learning_rate, rho, epsilon, weight_decay : float
    rows : array of any integer dtype except uint64, ascending, optional
        If given, the arrays are tables (V, D), of which only these rows are read and updated.

    Raises
    ------
    TypeError, ValueError, IndexError
        If arrays, rows or numbers do not fit; then nothing is changed.

    References
    ----------
    M. D. Zeiler, "ADADELTA: an adaptive learning rate method", 2012.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> w, a, d = np.array([1.0]), np.zeros(1), np.ones(1)
    >>> kernels.adadelta_step(w, np.array([2.0]), a, d, learning_rate=0.1, rho=0.75)
    >>> w.round(6), a, d.round(6)
    (array([0.8]), array([1.]), array([1.75]))
    """
    cdef int status
    cdef fnn_rows some
    cdef ndarray index = read_rows(&some, rows, w)
    if g is None or accumulated_gradient is None or accumulated_delta is None or not alike(
            index, w, g, accumulated_gradient, accumulated_delta):
        refuse(rows, (), w=w, g=g, accumulated_gradient=accumulated_gradient, accumulated_delta=accumulated_delta)
    cdef ndarray W = w, G = g, ACCUMULATED_GRADIENT = accumulated_gradient, ACCUMULATED_DELTA = accumulated_delta
    rates(learning_rate, epsilon, weight_decay)
    not_negative("rho", rho)
    cdef optimizer_kernels *k = kernels(W)
    with nogil:
        status = k.adadelta_step(data(W), data(G), data(ACCUMULATED_GRADIENT), data(ACCUMULATED_DELTA),
                                 PyArray_SIZE(W), &some, learning_rate, rho, epsilon, weight_decay)
    check_rows(status, rows, W)


def adamax_step(w, g, m, u, *, step,
                double learning_rate, double beta_1=0.9, double beta_2=0.999, double epsilon=1e-7,
                double weight_decay=0.0, rows=None):
    """Adamax: m ← m + (1 − β₁)·(g − m);  u ← max(β₂·u, |g|);  w ← w − η / (1 − β₁ᵗ)·m / (u + ε).

    Parameters
    ----------
    w, g, m, u : arrays (n,)
    step : int
        The number of this step, from 1.
    learning_rate, beta_1, beta_2, epsilon, weight_decay : float
    rows : array of any integer dtype except uint64, ascending, optional
        If given, the arrays are tables (V, D), of which only these rows are read and updated.

    Raises
    ------
    TypeError, ValueError, IndexError
        If arrays, rows or numbers do not fit; then nothing is changed.

    References
    ----------
    D. P. Kingma, J. Ba, "Adam: a method for stochastic optimization", ICLR 2015, section 7.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> w, m, u = np.array([1.0]), np.zeros(1), np.zeros(1)
    >>> kernels.adamax_step(w, np.array([5.0]), m, u, step=1, learning_rate=0.1)
    >>> w.round(6), u
    (array([0.9]), array([5.]))
    """
    cdef int status
    cdef Py_ssize_t t = step_number(step)
    cdef fnn_rows some
    cdef ndarray index = read_rows(&some, rows, w)
    if g is None or m is None or u is None or not alike(index, w, g, m, u):
        refuse(rows, (), w=w, g=g, m=m, u=u)
    cdef ndarray W = w, G = g, M = m, U = u
    rates(learning_rate, epsilon, weight_decay)
    betas(beta_1, beta_2)
    cdef optimizer_kernels *k = kernels(W)
    with nogil:
        status = k.adamax_step(data(W), data(G), data(M), data(U), PyArray_SIZE(W), &some, t, learning_rate, beta_1, beta_2,
                               epsilon, weight_decay)
    check_rows(status, rows, W)


def lion_step(w, g, m, *, double learning_rate, double beta_1=0.9, double beta_2=0.99, double weight_decay=0.0, rows=None):
    """Lion: w ← w − η·sign(β₁·m + (1 − β₁)·g);  m ← m + (1 − β₂)·(g − m).

    Parameters
    ----------
    w, g, m : arrays (n,)
    learning_rate, beta_1, beta_2, weight_decay : float
    rows : array of any integer dtype except uint64, ascending, optional
        If given, the arrays are tables (V, D), of which only these rows are read and updated.

    Raises
    ------
    TypeError, ValueError, IndexError
        If arrays, rows or numbers do not fit; then nothing is changed.

    References
    ----------
    Chen et al., "Symbolic discovery of optimization algorithms", NeurIPS 2023.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> w, m = np.array([1.0]), np.zeros(1)
    >>> kernels.lion_step(w, np.array([5.0]), m, learning_rate=0.1)
    >>> w.round(6), m.round(6)
    (array([0.9]), array([0.05]))
    """
    cdef int status
    cdef fnn_rows some
    cdef ndarray index = read_rows(&some, rows, w)
    if g is None or m is None or not alike(index, w, g, m):
        refuse(rows, (), w=w, g=g, m=m)
    cdef ndarray W = w, G = g, M = m
    rates(learning_rate, 0.0, weight_decay)
    betas(beta_1, beta_2)
    cdef optimizer_kernels *k = kernels(W)
    with nogil:
        status = k.lion_step(data(W), data(G), data(M), PyArray_SIZE(W), &some, learning_rate, beta_1, beta_2, weight_decay)
    check_rows(status, rows, W)


def nadam_step(w, g, m, v, *, step,
               double momentum_product, double learning_rate, double beta_1=0.9, double beta_2=0.999,
               double epsilon=1e-7, double weight_decay=0.0, rows=None):
    """Nadam, Adam with Nesterov momentum: w ← w − η·m̂ / (√v̂ + ε).

    μₜ = β₁·(1 − 0.96ᵗ / 2);  P = μ₁·μ₂ … μₜ;  m ← m + (1 − β₁)·(g − m);  v ← v + (1 − β₂)·(g² − v)
    m̂ = μₜ₊₁·m / (1 − P·μₜ₊₁) + (1 − μₜ)·g / (1 − P);  v̂ = v / (1 − β₂ᵗ)

    Parameters
    ----------
    w, g, m, v : arrays (n,)
    step : int
        The number of this step, from 1.
    momentum_product : float
        P, including the factor of this step.
    learning_rate, beta_1, beta_2, epsilon, weight_decay : float
    rows : array of any integer dtype except uint64, ascending, optional
        If given, the arrays are tables (V, D), of which only these rows are read and updated.

    Raises
    ------
    TypeError, ValueError, IndexError
        If arrays, rows or numbers do not fit; then nothing is changed.

    References
    ----------
    T. Dozat, "Incorporating Nesterov momentum into Adam", ICLR workshop 2016.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> w, m, v = np.array([1.0]), np.zeros(1), np.zeros(1)
    >>> kernels.nadam_step(w, np.array([5.0]), m, v, step=1, momentum_product=0.9 * (1 - 0.48), learning_rate=0.1)
    >>> w.round(6), m, v
    (array([0.893721]), array([0.5]), array([0.025]))
    """
    cdef int status
    cdef Py_ssize_t t = step_number(step)
    cdef fnn_rows some
    cdef ndarray index = read_rows(&some, rows, w)
    if g is None or m is None or v is None or not alike(index, w, g, m, v):
        refuse(rows, (), w=w, g=g, m=m, v=v)
    cdef ndarray W = w, G = g, M = m, V = v
    rates(learning_rate, epsilon, weight_decay)
    betas(beta_1, beta_2)
    not_negative("momentum_product", momentum_product)
    cdef optimizer_kernels *k = kernels(W)
    with nogil:
        status = k.nadam_step(data(W), data(G), data(M), data(V), PyArray_SIZE(W), &some, t, momentum_product, learning_rate,
                              beta_1, beta_2, epsilon, weight_decay)
    check_rows(status, rows, W)


# ---- clipping ----

def sum_of_squares(g) -> float:
    """Sum of squares Σ_i g[i]², in double, in an order that depends only on the length.

    Parameters
    ----------
    g : array of any shape

    Raises
    ------
    TypeError
        If `g` is not real.

    Examples
    --------
    >>> from fastnn import kernels
    >>> kernels.sum_of_squares([3.0, 4.0])
    25.0
    """
    cdef ndarray a = as_real(g, "g", ANY)
    cdef double total = 0
    cdef int status
    cdef optimizer_kernels *k = kernels(a)
    with nogil:
        status = k.sum_of_squares(&total, PyArray_DATA(a), PyArray_SIZE(a))
    check(status)
    return total


def scale(g, double factor) -> None:
    """Multiply in place, g ← factor · g.

    Parameters
    ----------
    g : array (n,)
    factor : float

    Raises
    ------
    TypeError, ValueError
        If `g` or the factor does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> g = np.array([3.0, 4.0])
    >>> kernels.scale(g, 0.5)
    >>> g
    array([1.5, 2. ])
    """
    cdef int status
    if not alike(None, g, None):
        refuse(None, (), g=g)
    cdef ndarray G = g
    if factor != factor:
        checks.number("factor", factor)
    cdef optimizer_kernels *k = kernels(G)
    with nogil:
        status = k.scale(PyArray_DATA(G), PyArray_SIZE(G), factor)
    check(status)


def clip_values(g, double limit) -> None:
    """Clip in place, g ← min(max(g, −limit), limit); NaN stays.

    Parameters
    ----------
    g : array (n,)
    limit : float
        At least 0.

    Raises
    ------
    TypeError, ValueError
        If `g` or the limit does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import kernels
    >>> g = np.array([-3.0, 0.5])
    >>> kernels.clip_values(g, 1.0)
    >>> g
    array([-1. ,  0.5])
    """
    cdef int status
    if not alike(None, g, None):
        refuse(None, (), g=g)
    cdef ndarray G = g
    not_negative("limit", limit)
    cdef optimizer_kernels *k = kernels(G)
    with nogil:
        status = k.clip_values(PyArray_DATA(G), PyArray_SIZE(G), limit)
    check(status)

"""The books' optimizers, by their very formulas.

``update(params, grads)`` takes the first book's dictionaries and the second book's lists, and changes the arrays in
place. A parameter that is a number is replaced: the first book compares optimizers on a function of two numbers.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ...backend import active

__all__ = ["SGD", "AdaGrad", "Adam", "Momentum", "Nesterov", "RMSprop"]

_EPSILON = 1e-7
_NEVER = 1 << 40  # a step so late that Adam's correction of the first steps is 1
_BLOCK = 8192  # entries that are updated at a time by formulas without a kernel: they stay in the cache


class _Optimizer:
    """A rule w, g, states → w, states, applied to every parameter."""

    _states: tuple[str, ...] = ()

    def __init__(self, lr: float):
        self.lr = lr
        for name in self._states:
            setattr(self, name, None)

    def update(self, params: Any, grads: Any) -> None:
        """Make one step: change each of `params` by its gradient."""
        keys = params.keys() if isinstance(params, dict) else range(len(params))
        states = [self._state(name, params, keys) for name in self._states]
        self._begin()
        for key in keys:
            w, g = params[key], grads[key]
            own = [state[key] for state in states]
            if type(w) is np.ndarray and w.ndim:
                self._update(w, g, own)
            else:
                params[key] = self._updated(w, g, own)

    def _state(self, name: str, params: Any, keys: Iterable[Any]) -> Any:
        """A state of the optimizer, zero for each parameter before the first step."""
        state = getattr(self, name)
        if state is None:
            zeros = {key: np.zeros_like(params[key]) for key in keys}
            state = zeros if isinstance(params, dict) else list(zeros.values())
            setattr(self, name, state)
        return state

    def _update(self, w: np.ndarray, g: np.ndarray, states: list[np.ndarray]) -> None:
        """Step in place, on flat arrays: of a transposed view, as tied weights are, on what it is a view of."""
        if not w.flags.c_contiguous and w.T.flags.c_contiguous:
            w, g, states = w.T, g.T, [s.T for s in states]
        if w.flags.c_contiguous and w.flags.writeable:
            if not (g.dtype is w.dtype and g.flags.c_contiguous):
                g = np.ascontiguousarray(g, dtype=w.dtype)
            self._step(w.reshape(-1), g.reshape(-1), *[s.reshape(-1) for s in states])
        else:
            copy = np.array(w, order="C")
            own = [np.array(s, order="C") for s in states]
            self._update(copy, g, own)
            for place, new in zip([w, *states], [copy, *own], strict=True):
                place[...] = new

    def _updated(self, w: Any, g: Any, states: list[np.ndarray]) -> Any:
        """A number after the step; its states are 0-dimensional arrays."""
        new = np.array([w], dtype=float)
        own = [np.array([s], dtype=float) for s in states]
        self._step(new, np.array([g], dtype=float), *own)
        for place, value in zip(states, own, strict=True):
            place[...] = value[0]
        return new[0]

    def _begin(self) -> None:
        """What happens once a step, before the parameters."""

    def _step(self, w: np.ndarray, g: np.ndarray, *states: np.ndarray) -> None:
        """Change flat arrays in place."""
        raise NotImplementedError


class SGD(_Optimizer):
    """Gradient descent, w ← w − lr · g.

    Examples
    --------
    >>> params, grads = {"W": np.array([1.0, 2.0])}, {"W": np.array([10.0, 20.0])}
    >>> SGD(lr=0.01).update(params, grads)
    >>> params["W"]
    array([0.9, 1.8])
    """

    def __init__(self, lr: float = 0.01):
        super().__init__(lr)

    def _step(self, w: np.ndarray, g: np.ndarray, *states: np.ndarray) -> None:
        active().sgd_step(w, g, learning_rate=self.lr)


class Momentum(_Optimizer):
    """Gradient descent with momentum, v ← momentum · v − lr · g;  w ← w + v.

    Examples
    --------
    >>> params, grads = [np.array([1.0])], [np.array([1.0])]
    >>> optimizer = Momentum(lr=0.1)
    >>> optimizer.update(params, grads)
    >>> optimizer.update(params, grads)
    >>> params[0].round(6), optimizer.v[0].round(6)
    (array([0.71]), array([-0.19]))
    """

    _states = ("v",)

    def __init__(self, lr: float = 0.01, momentum: float = 0.9):
        super().__init__(lr)
        self.momentum = momentum

    def _step(self, w: np.ndarray, g: np.ndarray, *states: np.ndarray) -> None:
        active().sgd_step(w, g, *states, learning_rate=self.lr, momentum=self.momentum)


class Nesterov(Momentum):
    """The books' accelerated gradient, v ← momentum · v − lr · g;  w ← w + momentum² · v − (1 + momentum) · lr · g.

    That is the code of both books. Its second line has the new v; with the old one it would be Nesterov's method, which
    is ``fastnn.optimizers.SGD(nesterov=True)``.

    Examples
    --------
    >>> params, grads = [np.array([1.0])], [np.array([1.0])]
    >>> Nesterov(lr=0.1, momentum=0.5).update(params, grads)
    >>> params[0]
    array([0.825])
    """

    def _step(self, w: np.ndarray, g: np.ndarray, *states: np.ndarray) -> None:
        for w_, g_, v in _blocks(w, g, *states):
            v *= self.momentum
            v -= self.lr * g_
            w_ += self.momentum * self.momentum * v
            w_ -= (1 + self.momentum) * self.lr * g_


class AdaGrad(_Optimizer):
    """h ← h + g²;  w ← w − lr · g / (√h + 1e-7).

    Examples
    --------
    >>> params, grads = [np.array([1.0])], [np.array([2.0])]
    >>> AdaGrad(lr=0.1).update(params, grads)
    >>> params[0].round(6)
    array([0.9])
    """

    _states = ("h",)

    def __init__(self, lr: float = 0.01):
        super().__init__(lr)

    def _step(self, w: np.ndarray, g: np.ndarray, *states: np.ndarray) -> None:
        for w_, g_, h in _blocks(w, g, *states):
            h += g_ * g_
            below = np.sqrt(h)
            below += _EPSILON
            change = self.lr * g_
            change /= below
            w_ -= change


class RMSprop(_Optimizer):
    """h ← decay_rate · h + (1 − decay_rate) · g²;  w ← w − lr · g / (√h + 1e-7).

    It is Adam whose first moment is the gradient itself, long after its first steps.

    Examples
    --------
    >>> params, grads = [np.array([1.0])], [np.array([2.0])]
    >>> RMSprop(lr=0.1, decay_rate=0.75).update(params, grads)
    >>> params[0].round(6)
    array([0.8])
    """

    _states = ("h",)

    def __init__(self, lr: float = 0.01, decay_rate: float = 0.99):
        super().__init__(lr)
        self.decay_rate = decay_rate

    def _step(self, w: np.ndarray, g: np.ndarray, *states: np.ndarray) -> None:
        rates = {"learning_rate": self.lr, "beta_1": 0.0, "beta_2": self.decay_rate, "epsilon": _EPSILON}
        active().adam_step(w, g, np.zeros_like(w), *states, step=_NEVER, **rates)


class Adam(_Optimizer):
    """m ← m + (1 − beta1)(g − m);  v ← v + (1 − beta2)(g² − v);  w ← w − lr_t · m / (√v + 1e-7).

    lr_t = lr · √(1 − beta2^t) / (1 − beta1^t), t = ``iter``, the number of the step from 1.

    Examples
    --------
    >>> params, grads = [np.array([1.0])], [np.array([2.0])]
    >>> optimizer = Adam(lr=0.1)
    >>> optimizer.update(params, grads)
    >>> params[0].round(6), optimizer.iter
    (array([0.9]), 1)
    """

    _states = ("m", "v")

    def __init__(self, lr: float = 0.001, beta1: float = 0.9, beta2: float = 0.999):
        super().__init__(lr)
        self.beta1, self.beta2 = beta1, beta2
        self.iter = 0

    def _begin(self) -> None:
        self.iter += 1

    def _step(self, w: np.ndarray, g: np.ndarray, *states: np.ndarray) -> None:
        rates = {"learning_rate": self.lr, "beta_1": self.beta1, "beta_2": self.beta2, "epsilon": _EPSILON}
        active().adam_step(w, g, *states, step=self.iter, **rates)


def _blocks(*arrays: np.ndarray) -> Iterable[tuple[np.ndarray, ...]]:
    """Views of the same entries of flat arrays, block by block."""
    for start in range(0, arrays[0].size, _BLOCK):
        yield tuple(a[start : start + _BLOCK] for a in arrays)

"""Optimizers for dictionaries and lists, clipping, shared weights."""

import numpy as np


class Optimizer:
    states = ()

    def __init__(self, lr=0.01):
        self.lr, self.kept, self.iter = lr, {}, 0

    def update(self, params, grads):
        self.iter += 1
        for key in params if isinstance(params, dict) else range(len(params)):
            if key not in self.kept:
                self.kept[key] = [np.zeros_like(params[key]) for _ in self.states]
            params[key] -= self.change(grads[key], *self.kept[key])


class SGD(Optimizer):
    def change(self, g):
        return self.lr * g


class Momentum(Optimizer):
    states = ("v",)

    def __init__(self, lr=0.01, momentum=0.9):
        super().__init__(lr)
        self.momentum = momentum

    def change(self, g, v):
        v[...] = self.momentum * v - self.lr * g
        return -v


class Nesterov(Momentum):
    def change(self, g, v):
        v *= self.momentum
        v -= self.lr * g
        return (1 + self.momentum) * self.lr * g - self.momentum * self.momentum * v


class AdaGrad(Optimizer):
    states = ("h",)

    def change(self, g, h):
        h += g * g
        return self.lr * g / (np.sqrt(h) + 1e-7)


class RMSprop(Optimizer):
    states = ("h",)

    def __init__(self, lr=0.01, decay_rate=0.99):
        super().__init__(lr)
        self.decay_rate = decay_rate

    def change(self, g, h):
        h *= self.decay_rate
        h += (1 - self.decay_rate) * g * g
        return self.lr * g / (np.sqrt(h) + 1e-7)


class Adam(Optimizer):
    states = ("m", "v")

    def __init__(self, lr=0.001, beta1=0.9, beta2=0.999):
        super().__init__(lr)
        self.beta1, self.beta2 = beta1, beta2

    def change(self, g, m, v):
        rate = self.lr * np.sqrt(1 - self.beta2**self.iter) / (1 - self.beta1**self.iter)
        m += (1 - self.beta1) * (g - m)
        v += (1 - self.beta2) * (g**2 - v)
        return rate * m / (np.sqrt(v) + 1e-7)


def clip_grads(grads, max_norm):
    rate = max_norm / (np.sqrt(sum(np.sum(g**2) for g in grads)) + 1e-6)
    if rate < 1:
        for g in grads:
            g *= rate


def remove_duplicate(params, grads):
    """Compares pair by pair and starts again after each find, by value where one may be the other transposed."""
    params, grads = params[:], grads[:]

    def pair():
        for i, p in enumerate(params):
            for j in range(i + 1, len(params)):
                q = params[j]
                if p is q:
                    return i, j, grads[j]
                if p.ndim == q.ndim == 2 and p.T.shape == q.shape and np.all(q == p.T):
                    return i, j, grads[j].T
        return None

    while found := pair():
        i, j, more = found
        grads[i] += more
        del params[j], grads[j]
    return params, grads

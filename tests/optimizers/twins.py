"""Every optimizer once more: one weight array, float64, the papers' recurrences written out plainly.

``twin(name, **options)`` gives a function ``step(w, g, t)`` that changes ``w`` in place, t counted from 1.
"""

import numpy as np

__all__ = ["TWINS"]


def sgd(lr=0.01, momentum=0.0, nesterov=False):
    v = 0.0

    def step(w, g, t):
        nonlocal v
        v = momentum * v - lr * g
        w += momentum * v - lr * g if nesterov else v

    return step


def adam(lr=0.001, b1=0.9, b2=0.999, eps=1e-7, amsgrad=False, decay=0.0):
    m = v = top = 0.0

    def step(w, g, t):
        nonlocal m, v, top
        w -= lr * decay * w
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g**2
        top = np.maximum(top, v)
        w -= lr * np.sqrt(1 - b2**t) / (1 - b1**t) * m / (np.sqrt(top if amsgrad else v) + eps)

    return step


def rmsprop(lr=0.001, rho=0.9, momentum=0.0, eps=1e-7, centered=False):
    v = mean = u = 0.0

    def step(w, g, t):
        nonlocal v, mean, u
        v, mean = rho * v + (1 - rho) * g**2, rho * mean + (1 - rho) * g
        u = momentum * u + lr * g / np.sqrt(v - centered * mean**2 + eps)
        w -= u

    return step


def adagrad(lr=0.001, start=0.1, eps=1e-7):
    a = start

    def step(w, g, t):
        nonlocal a
        a = a + g**2
        w -= lr * g / np.sqrt(a + eps)

    return step


def adadelta(lr=0.001, rho=0.95, eps=1e-7):
    a = d = 0.0

    def step(w, g, t):
        nonlocal a, d
        a = rho * a + (1 - rho) * g**2
        delta = -np.sqrt((d + eps) / (a + eps)) * g
        d = rho * d + (1 - rho) * delta**2
        w += lr * delta

    return step


def adamax(lr=0.001, b1=0.9, b2=0.999, eps=1e-7):
    m = u = 0.0

    def step(w, g, t):
        nonlocal m, u
        m, u = b1 * m + (1 - b1) * g, np.maximum(b2 * u, np.abs(g))
        w -= lr / (1 - b1**t) * m / (u + eps)

    return step


def lion(lr=0.001, b1=0.9, b2=0.99):
    m = 0.0

    def step(w, g, t):
        nonlocal m
        w -= lr * np.sign(b1 * m + (1 - b1) * g)
        m = b2 * m + (1 - b2) * g

    return step


def nadam(lr=0.001, b1=0.9, b2=0.999, eps=1e-7):
    m = v = 0.0
    product = 1.0

    def step(w, g, t):
        nonlocal m, v, product
        now, following = b1 * (1 - 0.5 * 0.96**t), b1 * (1 - 0.5 * 0.96 ** (t + 1))
        product *= now
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g**2
        look = following * m / (1 - product * following) + (1 - now) * g / (1 - product)
        w -= lr * look / (np.sqrt(v / (1 - b2**t)) + eps)

    return step


# name: (class, its options, twin)
TWINS = {
    "sgd": ("SGD", {}, lambda: sgd()),
    "momentum": ("SGD", {"momentum": 0.9}, lambda: sgd(momentum=0.9)),
    "nesterov": ("SGD", {"momentum": 0.9, "nesterov": True}, lambda: sgd(momentum=0.9, nesterov=True)),
    "adam": ("Adam", {}, lambda: adam()),
    "amsgrad": ("Adam", {"amsgrad": True}, lambda: adam(amsgrad=True)),
    "adamw": ("AdamW", {}, lambda: adam(decay=0.004)),
    "rmsprop": ("RMSprop", {}, lambda: rmsprop()),
    "rmsprop_momentum": ("RMSprop", {"momentum": 0.5}, lambda: rmsprop(momentum=0.5)),
    "centered": ("RMSprop", {"centered": True, "momentum": 0.5}, lambda: rmsprop(centered=True, momentum=0.5)),
    "adagrad": ("Adagrad", {}, lambda: adagrad()),
    "adadelta": ("Adadelta", {"learning_rate": 1.0}, lambda: adadelta(lr=1.0)),
    "adamax": ("Adamax", {}, lambda: adamax()),
    "lion": ("Lion", {}, lambda: lion()),
    "nadam": ("Nadam", {}, lambda: nadam()),
}

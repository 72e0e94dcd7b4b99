"""How fast this machine runs Python just now: what a time budget is measured against.

A shared machine changes its speed by two within a minute, and stays there for minutes, so the best of several rounds
does not help.  Fixed work of the same kind, calls of methods and of NumPy, slows down with it: a time divided by the
`slowdown` right after it says the same on every day.
"""

import time

import numpy as np

ROUNDS = 500
AT_FULL_SPEED = 11.6e-6 * ROUNDS
"""Seconds of `fixed_work` on the 2-core AVX2 machine of the budgets, with nothing else running."""


class Counter:
    """An object as layers are: attributes, a dict, methods that call each other."""

    def __init__(self):
        self.counts, self.scale = {}, 0.5

    def count(self, key, amount):
        self.counts["last"] = key
        return self.scale * amount

    def each(self, *keys):
        return [self.count(key, 2.0) for key in keys]


def fixed_work() -> float:
    """Seconds of processor time that a fixed piece of Python takes."""
    counter, row = Counter(), np.ones(4, np.float32)
    start = time.thread_time()
    for _ in range(ROUNDS):
        for _ in range(10):
            counter.each(1, 2, 3, 4)
        for _ in range(20):
            row.reshape(2, 2)
    return time.thread_time() - start


def slowdown() -> float:
    """How many times slower than the machine of the budgets this one is just now."""
    return fixed_work() / AT_FULL_SPEED

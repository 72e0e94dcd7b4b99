"""Random numbers in the words of ``keras.random``: ``fastnn.random.normal((2, 3))``; see ``fastnn.ops.random``."""

from .ops.random import SeedGenerator, dropout, normal, randint, uniform

__all__ = ["SeedGenerator", "dropout", "normal", "randint", "uniform"]

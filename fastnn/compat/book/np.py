"""The second book's ``from common.np import *``: NumPy by its usual name, and that there is no GPU."""

import numpy as np

from .config import GPU

__all__ = ["GPU", "np"]

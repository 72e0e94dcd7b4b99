"""Numbers and arrays of NumPy as JSON has them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

__all__ = ["plain"]


def plain(value: Any) -> Any:
    """Numbers, lists and dicts of Python; numbers that are not finite become None, because JSON cannot express them.

    Parameters
    ----------
    value : dict, list, tuple, array, number, str, bool or None

    Examples
    --------
    >>> import numpy as np
    >>> plain({"loss": np.float32(0.5), "rows": np.array([1, 2]), "val_loss": float("nan")})
    {'loss': 0.5, 'rows': [1, 2], 'val_loss': None}
    """
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if isinstance(value, (np.ndarray, np.generic)):
        return plain(value.tolist())
    return None if isinstance(value, float) and not math.isfinite(value) else value

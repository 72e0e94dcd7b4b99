"""The base of all metrics, the mean that most of them are, and a wrapper for plain functions."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fastnn import backend, initializers
from fastnn.graph import as_tensor
from fastnn.graph.numbers import Number
from fastnn.layers.parameter import Parameter
from fastnn.lookup import snake_case
from fastnn.losses.targets import match

__all__ = ["Mean", "MeanMetricWrapper", "Metric", "Sum"]

_STATE = (int, float, np.generic, np.ndarray, list)


def given_out(result: Callable[..., Any]) -> Callable[..., Any]:
    """``result`` of a metric, whose numbers and arrays answer ``.numpy()``."""

    @functools.wraps(result)
    def run(self: Any) -> Any:
        found = result(self)
        if isinstance(found, (float, np.floating)):
            return Number(found)
        return as_tensor(found) if isinstance(found, np.ndarray) else found

    return run


class Metric:
    """Base of all metrics: values accumulated batch by batch.

    A subclass implements ``update_state(y_true, y_pred, sample_weight=None)`` and ``result()``.  What it accumulates
    are variables, made by ``add_variable``, or attributes of its own, which ``reset_state()`` then sets back.

    Attributes
    ----------
    name : str
        The key under which ``fit`` logs it.
    dtype : str
        Of the variables that are given none.
    direction : {"up", "down", None}
        The direction that is better; callbacks with ``mode="auto"`` read it.

    Examples
    --------
    >>> from fastnn import ops
    >>> class Hits(Metric):
    ...     def __init__(self, name="hits", **settings):
    ...         super().__init__(name=name, **settings)
    ...         self.count = self.add_variable(shape=(), initializer="zeros", name="count")
    ...     def update_state(self, y_true, y_pred, sample_weight=None):
    ...         self.count.assign_add(ops.sum(ops.cast(ops.argmax(y_pred, axis=1) == y_true, "float32")))
    ...     def result(self):
    ...         return self.count
    >>> hits = Hits()
    >>> hits.update_state(np.array([0, 1]), np.array([[0.9, 0.1], [0.6, 0.4]]))
    >>> float(hits.result())
    1.0
    """

    direction: str | None = None
    kept: tuple[tuple[str, str], ...] = ()
    """The attributes in which a metric accumulates, by the names that Keras gives its variables."""

    def __init_subclass__(cls, **options: Any):
        super().__init_subclass__(**options)
        if "result" in vars(cls):
            cls.result = given_out(cls.result)

    def __init__(self, name: str | None = None, dtype: Any = None):
        self.name = name or snake_case(type(self).__name__)
        self.dtype = backend.floatx() if dtype is None else np.dtype(dtype).name
        self._variables: list[Parameter] = []

    @property
    def variables(self) -> list[Parameter]:
        """What ``add_variable`` made; of a metric of this package what it has accumulated, to be read."""
        return [*self._variables, *(self._reading(name, attribute) for name, attribute in self.kept)]

    def _reading(self, name: str, attribute: str) -> Parameter:
        value = np.array(getattr(self, attribute), self.dtype)
        value.flags.writeable = False
        return Parameter(name, value, False, None, None)

    def add_variable(
        self,
        shape: int | Sequence[int] = (),
        initializer: Any = "zeros",
        dtype: Any = None,
        aggregation: Any = None,
        name: str | None = None,
    ) -> Parameter:
        """Make a number or an array that accumulates; ``reset_state`` sets it to 0.

        Parameters
        ----------
        shape : tuple of int
        initializer : str or object
        dtype : optional
        aggregation : optional
            Accepted as Keras does; there is one process.
        name : str, optional
        """
        sizes = (shape,) if isinstance(shape, int) else tuple(shape)
        kind = self.dtype if dtype is None else np.dtype(dtype).name
        value = np.array(initializers.get(initializer)(sizes, dtype=kind), kind).reshape(sizes)
        variable = Parameter(name or f"variable_{len(self._variables)}", value, False, None, None)
        self._variables.append(variable)
        return variable

    def add_weight(
        self, shape: int | Sequence[int] = (), initializer: Any = None, dtype: Any = None, name: str | None = None
    ) -> Parameter:
        """As ``add_variable``."""
        return self.add_variable(shape, "zeros" if initializer is None else initializer, dtype, name=name)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add a batch."""
        raise NotImplementedError(f"{type(self).__name__} has no update_state(y_true, y_pred, sample_weight=None).")

    def result(self) -> Any:
        """Return the metric over all batches since the last reset."""
        raise NotImplementedError(f"{type(self).__name__} has no result().")

    def reset_state(self) -> None:
        """Forget all batches: the variables become 0."""
        if not self._variables:
            raise NotImplementedError(f"{type(self).__name__} has no reset_state().")
        for variable in self._variables:
            variable.value[...] = 0

    def get_state(self) -> dict[str, Any]:
        """Return what has been accumulated, for a run that another process goes on with: the variables, and attributes
        that are numbers, arrays or lists of them.  A metric that keeps other things writes both methods itself."""
        own = {name: value for name, value in vars(self).items() if isinstance(value, _STATE) and name != "_variables"}
        return own | ({"variables": [v.numpy() for v in self._variables]} if self._variables else {})

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from what ``get_state`` returned."""
        values = state.get("variables", []) if self._variables else []
        for variable, value in zip(self._variables, values, strict=bool(values)):
            variable.assign(value)
        vars(self).update({name: value for name, value in state.items() if not (values and name == "variables")})

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Add a batch and return the current result."""
        self.update_state(*args, **kwargs)
        return self.result()

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that create an equal metric."""
        return {"name": self.name, "dtype": self.dtype}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Metric:
        """Create the metric that ``get_config`` described."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self.get_config().items())})"


class Mean(Metric):
    """The mean of values; each example counts once (or by its weight).

    Values with several axes are first averaged over all axes but the first.

    Examples
    --------
    >>> mean = Mean()
    >>> mean.update_state([1.0, 3.0])
    >>> mean.update_state([5.0, 7.0])
    >>> mean.result()
    4.0
    """

    kept = (("total", "total"), ("count", "count"))

    def __init__(self, name: str | None = None, dtype: Any = None):
        super().__init__(name, dtype)
        self.total = self.count = 0.0

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Add values, and the weights of the examples."""
        values = np.asarray(values)
        if sample_weight is None:
            examples = len(values) if values.ndim else 1
            if values.size:
                total = int(np.count_nonzero(values)) if values.dtype == bool else float(values.sum(dtype=np.float64))
                self.total += total * examples / values.size
            self.count += examples
            return
        values = values.astype(np.float64)
        weight = np.asarray(sample_weight, dtype=np.float64)
        if weight.ndim == values.ndim + 1 and weight.shape[-1] == 1:
            weight = weight[..., 0]
        if values.ndim > weight.ndim:
            values = values.mean(axis=tuple(range(weight.ndim, values.ndim)))
        weight = np.broadcast_to(weight, values.shape)
        examples = len(values) / max(1, values.size) if values.ndim else 1
        self.total += float((values * weight).sum()) * examples
        self.count += float(weight.sum()) * examples

    def result(self) -> float:
        return self.total / self.count if self.count else 0.0

    def reset_state(self) -> None:
        self.total = self.count = 0.0


class Sum(Metric):
    """The sum of values, each multiplied by its weight."""

    kept = (("total", "total"),)

    def __init__(self, name: str | None = None, dtype: Any = None):
        super().__init__(name, dtype)
        self.total = 0.0

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Add values, and the weights of the examples."""
        values = np.asarray(values, dtype=np.float64)
        if sample_weight is not None:
            weight = np.asarray(sample_weight, dtype=np.float64)
            values = values * weight.reshape(weight.shape + (1,) * (values.ndim - weight.ndim))
        self.total += float(values.sum())

    def result(self) -> float:
        return self.total

    def reset_state(self) -> None:
        self.total = 0.0


class MeanMetricWrapper(Mean):
    """The mean of what a function ``f(y_true, y_pred, **options)`` returns: values, or one number.

    Examples
    --------
    >>> def gap(y_true, y_pred):
    ...     return abs(y_true - y_pred)
    >>> MeanMetricWrapper(gap)([[1.0], [2.0]], [[1.5], [2.0]])
    0.25
    """

    def __init__(self, fn: Callable[..., Any], name: str | None = None, dtype: Any = None, **options: Any):
        super().__init__(name or getattr(fn, "__name__", type(fn).__name__).strip("<>"), dtype)
        self.fn, self.options = fn, options
        self.direction = getattr(fn, "direction", self.direction)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        y_true, y_pred = np.asarray(y_true), np.asarray(y_pred)
        if y_true.ndim != y_pred.ndim:
            y_true = match(y_pred.shape, y_true)
        super().update_state(self.fn(y_true, y_pred, **self.options), sample_weight)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"fn": self.fn} | self.options

"""The base of all optimizers: everything around the one kernel call of a step.

A model's trainable parameters are stored in sequence in one flat array, and their gradients in another, so a step is a
single kernel call over all of them.  It is split only for options that treat parameters separately (``clipnorm``,
parameters without weight decay).
"""

from __future__ import annotations

import inspect
import math
import re
import types
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fastnn import backend
from fastnn.custom import of_own_arguments
from fastnn.graph.numbers import Count
from fastnn.lookup import is_number
from fastnn.optimizers import schedules
from fastnn.optimizers.applying import Applying, Rate, home_of
from fastnn.optimizers.rows import Table
from fastnn.optimizers.schedules import LearningRateSchedule
from fastnn.utils.names import unique_name

__all__ = ["Optimizer"]


def _without_arguments(rate: Callable[[], float]) -> Callable[[], float]:
    """The function of a learning rate, refused if it cannot be called without arguments."""
    try:
        inspect.signature(rate).bind()
    except TypeError as error:
        raise TypeError(
            f"learning_rate must be a number, a schedule or a function without arguments; this one cannot be called "
            f"so: {error}. Received: learning_rate={rate!r}. For a rate by step, use a LearningRateSchedule."
        ) from None
    except ValueError:  # a builtin without a signature: its first call will tell
        pass
    return rate


_OLDER = {
    "lr": "Use learning_rate=.",
    "decay": "Use learning_rate=fastnn.optimizers.schedules.InverseTimeDecay(learning_rate, 1, decay).",
}
"""Arguments of Keras 2, and what to use today."""


def _none_excluded(parameter: Any) -> bool:
    """Exclude no parameter from weight decay."""
    return False


class Optimizer(Applying):
    """Base of all optimizers.

    A subclass names its state arrays in ``slots`` and implements ``update(kernels, w, g, slots, **numbers)``.

    Parameters
    ----------
    learning_rate : float, LearningRateSchedule or function without arguments
    weight_decay : float, optional
        Each step first shrinks every weight by the fraction ``weight_decay · learning_rate`` (decoupled decay).
    clipnorm : float, optional
        Each parameter's gradient is scaled down to at most this norm.
    clipvalue : float, optional
        Each element of the gradients is clipped to ±clipvalue.
    global_clipnorm : float, optional
        All gradients together are scaled down to at most this norm.
    use_ema : bool
        Whether to keep a moving average of the weights, ``a ← ema_momentum·a + (1 − ema_momentum)·w``.
    ema_momentum : float
    ema_overwrite_frequency : int, optional
        After this many steps, and at the end of ``fit``, the weights are set to their average.
    gradient_accumulation_steps : int, optional
        At least 2: the weights are updated only after this many steps, by the mean gradient.
    name : str, optional

    Raises
    ------
    ValueError, TypeError
        For numbers out of range, more than one kind of clipping, or unknown arguments.
    """

    slots: tuple[str, ...] = ()
    paired = 2
    """The number of first slots that ``variables`` lists together for each parameter; the others follow one by one."""
    visits: str = "all"
    """The rows of a table that a step must visit if all others have a zero gradient: "all", those that ever had a
    gradient ("touched"), or those that have one now ("live").  Needs an ``update`` that accepts ``rows``."""

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule | Callable[[], float],
        *,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        gradient_accumulation_steps: int | None = None,
        loss_scale_factor: float | None = None,
        name: str | None = None,
        **unknown: Any,
    ):
        if unknown:
            hint = next((f" {words}" for name, words in _OLDER.items() if name in unknown), "")
            raise TypeError(f"{type(self).__name__} has no argument {', '.join(unknown)}. Received: {unknown!r}.{hint}")
        if loss_scale_factor is not None:
            raise ValueError(
                "float32 and float64 need no loss scale. "
                f"Received: loss_scale_factor={loss_scale_factor!r}. Leave it out."
            )
        self._check(weight_decay=weight_decay, clipnorm=clipnorm, clipvalue=clipvalue, global_clipnorm=global_clipnorm)
        if sum(c is not None for c in (clipnorm, clipvalue, global_clipnorm)) > 1:
            raise ValueError(
                "Only one of clipnorm, clipvalue and global_clipnorm can be given. "
                f"Received: {clipnorm=}, {clipvalue=}, {global_clipnorm=}."
            )
        if not is_number(ema_momentum) or not 0 <= ema_momentum <= 1:
            raise ValueError(f"ema_momentum must be in [0, 1]. Received: ema_momentum={ema_momentum!r}.")
        for word, least, value in (
            ("ema_overwrite_frequency", 1, ema_overwrite_frequency),
            ("gradient_accumulation_steps", 2, gradient_accumulation_steps),
        ):
            if value is not None and (not isinstance(value, int) or value < least):
                raise ValueError(f"{word} must be an integer of at least {least}, or None. Received: {word}={value!r}.")
        self.name = name or unique_name(type(self))
        self.weight_decay = weight_decay
        self.clipnorm, self.clipvalue, self.global_clipnorm = clipnorm, clipvalue, global_clipnorm
        self.use_ema, self.ema_momentum, self.ema_overwrite_frequency = use_ema, ema_momentum, ema_overwrite_frequency
        self.gradient_accumulation_steps = gradient_accumulation_steps
        self.built = False
        self.averages_stand = False  # whether ``swap_averages`` has put them in the weights' place
        self._calls = 0
        self.state: dict[str, np.ndarray] = {}
        self._rate: Any = 0.0
        self._excluded: Callable[[Any], bool] = _none_excluded
        self.learning_rate = learning_rate

    @staticmethod
    def _check(**numbers: float | None) -> None:
        for word, value in numbers.items():
            if value is not None and (not is_number(value) or value < 0):
                raise ValueError(f"{word} must be a number ≥ 0. Received: {word}={value!r}.")

    # -- the learning rate -----------------------------------------------------------------------------------------

    @property
    def learning_rate(self) -> Rate:
        """The learning rate of the next step; set it to a number or a schedule to change it."""
        return Rate.of(self.current_rate(), self)

    @learning_rate.setter
    def learning_rate(self, rate: float | LearningRateSchedule | Callable[[], float]) -> None:
        if isinstance(rate, dict):
            rate = schedules.deserialize(rate)
        if isinstance(rate, LearningRateSchedule):
            self._rate = rate
            return
        if callable(rate) and not is_number(rate):
            self._rate = _without_arguments(rate)
            return
        if isinstance(self._rate, LearningRateSchedule):
            raise TypeError(
                f"The learning rate of this optimizer follows a {type(self._rate).__name__} and cannot be set to a "
                f"number. Received: learning_rate={rate!r}. Create the optimizer with a number, or set a schedule."
            )
        number: Any = rate
        self._check(learning_rate=number)
        if number is None:
            raise ValueError("learning_rate must be a number, a schedule or a function. Received: learning_rate=None.")
        self._rate = float(number)

    def current_rate(self) -> float:
        """The learning rate of the next step, as a plain number."""
        rate = self._rate
        if rate.__class__ is float:
            return rate
        value = rate(self._calls) if isinstance(rate, LearningRateSchedule) else rate()
        if not is_number(value):
            raise TypeError(f"The function of the learning rate must return a finite number. Received: {value!r}.")
        return float(value)

    lr = learning_rate

    @property
    def iterations(self) -> Count:
        """The number of steps that have updated the weights."""
        return Count(self.current_step - 1)

    @property
    def current_step(self) -> int:
        """The number of the step that comes next, from 1: t in the formulas of papers."""
        return self._calls // (self.gradient_accumulation_steps or 1) + 1

    # -- state -----------------------------------------------------------------------------------------------------

    def exclude_from_weight_decay(
        self, var_list: Sequence[Any] | None = None, var_names: Sequence[str] | None = None
    ) -> None:
        """Exclude parameters from weight decay; call it before the first step.

        Parameters
        ----------
        var_list : sequence of Parameter, optional
        var_names : sequence of str, optional
            Patterns that match anywhere in a parameter's name: ``["bias", "gamma"]``.
        """
        if self.built:
            raise ValueError(
                "Parameters cannot be excluded once the optimizer is built. Call this right after creating it."
            )
        chosen = {id(variable) for variable in var_list or ()}
        pattern = re.compile("|".join(var_names)) if var_names else None
        self._excluded = lambda parameter: id(parameter) in chosen or bool(pattern and pattern.search(parameter.name))

    def build(self, parameters: Sequence[Any], value: np.ndarray | None = None, grad: np.ndarray | None = None) -> None:
        """Create the state for parameters that are views of two flat arrays; keep it if called again for the same ones.

        Parameters
        ----------
        parameters : sequence of Parameter
            The trainable parameters, in their order in the arrays.
        value, grad : (n,) arrays, optional
            All values and all gradients.  Default: the arrays of the model that has the parameters, or new ones.

        Raises
        ------
        ValueError
            If a parameter is not part of ``value``, or the optimizer was built for arrays of another size.
        """
        if value is None or grad is None:
            value, grad = home_of(parameters)
        pieces = []
        for parameter in parameters:
            start = (parameter.value.ctypes.data - value.ctypes.data) // value.itemsize
            if not 0 <= start <= start + parameter.value.size <= value.size:
                raise ValueError(
                    f"The parameter {parameter.name} is not part of the array of values it was built with."
                )
            pieces.append((slice(start, start + parameter.value.size), self._excluded(parameter)))
        names = [name for group in self._groups() for name in group]
        if self.built and any(self.state[name].shape != value.shape for name in names):
            raise ValueError(
                f"This optimizer has the state of a model with {self.state[names[0]].size} trainable weights. "
                f"Received: {value.size}. Use a new one: compile(optimizer={type(self).__name__}(...))."
            )
        for name in names:
            old = self.state.get(name)
            self.state[name] = self.initial(name, value) if old is None else old.astype(value.dtype, copy=False)
        self._parameters, self._pieces = list(parameters), pieces
        self._value, self._grad = value, grad
        self._runs: Any = None  # of weights, gradient, slots, and whether the weights decay
        self.built = True

    def initial(self, slot: str, value: np.ndarray) -> np.ndarray:
        """Return the initial value of a state array."""
        return np.zeros_like(value)

    def _arrange(self) -> None:
        """Divide the arrays into as few runs as possible, besides the tables that are updated by rows."""
        with np.errstate(all="ignore"):
            still = (
                self._value.dtype.type(getattr(self, "epsilon", 1.0)) > 0
            )  # otherwise 0 / 0 in rows without a gradient
        by_rows = still and self.visits != "all" and "rows" in inspect.signature(self.update).parameters
        self._runs, self._tables = [], []
        runs: list[tuple[slice, bool]] = []
        for parameter, (piece, excluded) in zip(self._parameters, self._pieces, strict=True):
            decays = not (self.weight_decay and excluded)
            if by_rows and not (self.weight_decay and decays) and getattr(parameter, "rows", None) is not None:
                arrays = (array.reshape(len(parameter.value), -1) for array in self._cut(piece))
                self._tables.append(Table(parameter, *arrays, decays=decays, remembers=self.visits == "touched"))
            elif runs and runs[-1][0].stop == piece.start and runs[-1][1] == decays:
                runs[-1] = (slice(runs[-1][0].start, piece.stop), decays)
            else:
                runs.append((piece, decays))
        for piece, decays in runs:
            w, g, *slots = self._cut(piece)
            self._runs.append((w, g, slots, decays))

    def _cut(self, piece: slice) -> list[np.ndarray]:
        """Return the value, gradient and state of a piece."""
        return [self._value[piece], self._grad[piece], *(self.state[name][piece] for name in self.slots)]

    @property
    def variables(self) -> list[np.ndarray]:
        """Keras' list: the step, the learning rate unless it follows a schedule, then each parameter's state."""
        return self.variables_of(self.parameters)

    def variables_of(self, parameters: Sequence[Any]) -> list[np.ndarray]:
        """``variables`` with the state of the parameters in another order."""
        found = [np.asarray(self._calls)]
        if not isinstance(self._rate, LearningRateSchedule):
            found.append(np.asarray(self.learning_rate, dtype=backend.floatx()))
        if not self.built:
            return found
        found += self._in_turn(self.state, parameters)
        return found + [np.asarray(number) for number in self.numbers().values()]

    def _in_turn(self, state: dict[str, Any], parameters: Sequence[Any]) -> list[np.ndarray]:
        """Views of the state arrays in the order of ``variables``, for each parameter."""
        places = {id(parameter): i for i, parameter in enumerate(self._parameters)}
        found: list[np.ndarray] = []
        for group in self._groups():
            parts = [self.split(state[name]) for name in group]
            found += [part[places[id(parameter)]] for parameter in parameters for part in parts]
        return found

    def set_variables(self, arrays: Sequence[Any], parameters: Sequence[Any] | None = None) -> None:
        """Restore what ``variables`` listed; nothing changes if it does not fit.

        Parameters
        ----------
        arrays : sequence of array
        parameters : sequence of Parameter, optional
            The order of their state; default: that of ``parameters``.

        Raises
        ------
        ValueError
            If the optimizer is not built, or their number or a shape differs.
        """
        parameters = self.parameters if parameters is None else parameters
        expected = [array.shape for array in self.variables_of(parameters)]
        given = [np.asarray(array) for array in arrays]
        if not self.built or expected != [array.shape for array in given]:
            raise ValueError(
                f"The variables of this {type(self).__name__} have the shapes {expected}. Received: "
                f"{[array.shape for array in given]}. Use those of an optimizer of the same kind and model."
            )
        state, left = self.get_state(), iter(given)
        state["iterations"] = int(next(left))
        if not isinstance(self._rate, LearningRateSchedule):
            rate = float(next(left))
            state |= {"learning_rate": rate} if "learning_rate" in state else {}
        for part in self._in_turn(state, parameters):
            part[...] = next(left)
        self.set_state(state | {name: float(next(left)) for name in self.numbers()})

    def _groups(self) -> list[tuple[str, ...]]:
        """The names of all state arrays, in Keras' order; those in one group lie side by side in ``variables``."""
        groups = [("average",)] if self.use_ema else []
        if self.gradient_accumulation_steps:
            groups.append(("accumulated_gradient_sum",))
        return [*groups, self.slots[: self.paired], *((name,) for name in self.slots[self.paired :])]

    @property
    def parameters(self) -> list[Any]:
        """The parameters that the optimizer was built for, in their order in the arrays."""
        return list(self._parameters) if self.built else []

    @property
    def excluded(self) -> list[Any]:
        """Those of ``parameters`` that are excluded from weight decay."""
        pairs = zip(self._parameters, self._pieces, strict=True) if self.built else ()
        return [parameter for parameter, (_, excluded) in pairs if excluded]

    def split(self, array: np.ndarray) -> list[np.ndarray]:
        """The parts of a state array, one for each of ``parameters``, as views of their shapes."""
        pairs = zip(self._parameters, self._pieces, strict=True)
        return [array[piece].reshape(parameter.value.shape) for parameter, (piece, _) in pairs]

    def numbers(self) -> dict[str, float]:
        """State that is not an array, beside ``iterations`` and the learning rate."""
        return {}

    def get_state(self) -> dict[str, Any]:
        """Return all that a later run needs to continue bit for bit: copies of the arrays, and the numbers."""
        state: dict[str, Any] = {name: array.copy() for name, array in self.state.items()}
        state |= self.numbers() | {"iterations": self._calls}
        return state if callable(self._rate) else state | {"learning_rate": self._rate}

    def set_state(self, state: dict[str, Any]) -> None:
        """Restore what ``get_state`` returned; nothing changes if it does not fit.

        Raises
        ------
        ValueError
            If an entry is missing or unknown, an array has another size, or the optimizer is not built.
        """
        if not self.built:
            raise ValueError(
                "The state of an optimizer can be set only once it is built. Build or train the model first."
            )
        expected = self.get_state()
        if set(state) != set(expected):
            raise ValueError(
                f"The state of {type(self).__name__} needs the entries {sorted(expected)}. Received: {sorted(state)}."
            )
        for name, array in self.state.items():
            if np.shape(state[name]) != array.shape:
                raise ValueError(f"{name} must have shape {array.shape}. Received: {np.shape(state[name])}.")
        for name, array in self.state.items():
            array[...] = state[name]
        self._runs = None
        self._calls = int(state["iterations"])
        if "learning_rate" in state:
            self._rate = float(state["learning_rate"])
        self.set_numbers({name: float(state[name]) for name in self.numbers()})

    def set_numbers(self, numbers: dict[str, float]) -> None:
        """Restore what ``numbers`` returned."""

    # -- a step ----------------------------------------------------------------------------------------------------

    @of_own_arguments
    def update(
        self,
        kernels: types.ModuleType,
        w: np.ndarray,
        g: np.ndarray,
        slots: list[np.ndarray],
        learning_rate: float,
        weight_decay: float,
    ) -> None:
        """Update the weights ``w`` from their gradients ``g``: one kernel call."""
        raise NotImplementedError(
            f"{type(self).__name__} has no update(kernels, w, g, slots, learning_rate, weight_decay)."
        )

    def begin_step(self) -> None:
        """Run once per step, before ``update``; for subclasses."""

    def step(self) -> None:
        """Clip the gradients, update the weights, count the step."""
        kernels = backend.active()
        if self.gradient_accumulation_steps is None or self._accumulate(kernels):
            if self.clipnorm or self.global_clipnorm or self.clipvalue:
                self._clip(kernels)
            rate, decay = self.current_rate(), self.weight_decay or 0.0
            self.begin_step()
            self.update_all(kernels, rate, decay)
        if self.use_ema:
            self._average()
        self._calls += 1

    def update_all(self, kernels: types.ModuleType, rate: float, decay: float) -> None:
        """Update all weights, in as few kernel calls as there are runs."""
        if self._runs is None:  # not earlier: the first backward pass tells which gradients come by rows
            self._arrange()
        for w, g, slots, decays in self._runs or ():
            self.update(kernels, w, g, slots, rate, decay if decays else 0.0)
        for table in self._tables:
            own_decay, rows = decay if table.decays else 0.0, table.rows()
            if rows is None or own_decay:
                self.update(kernels, *table.flat, rate, own_decay)
            else:
                self.update(kernels, table.w, table.g, table.slots, rate, 0.0, rows=rows)

    def _accumulate(self, kernels: types.ModuleType) -> bool:
        """Add the gradients to their sum; at the end of a cycle, replace them by the mean and return True."""
        total, steps = self.state["accumulated_gradient_sum"], self.gradient_accumulation_steps or 1
        total += self._grad
        if (self._calls + 1) % steps:
            return False
        np.copyto(self._grad, total)
        for parameter in self._parameters:
            parameter.rows = None  # the sum may touch any row
        kernels.scale(self._grad, 1.0 / steps)
        total.fill(0)
        return True

    def _clip(self, kernels: types.ModuleType) -> None:
        if self.clipvalue:
            kernels.clip_values(self._grad, self.clipvalue)
            return
        pieces = [self._grad] if self.global_clipnorm else [self._grad[piece] for piece, _ in self._pieces]
        limit = self.global_clipnorm or self.clipnorm or math.inf
        for g in pieces:
            norm = math.sqrt(kernels.sum_of_squares(g))
            if norm > limit:
                kernels.scale(g, limit / norm)

    def _average(self) -> None:
        average = self.state["average"]
        keep = self.ema_momentum if self.current_step > 1 else 0.0
        average *= keep
        average += (1 - keep) * self._value
        if self.ema_overwrite_frequency and self.current_step % self.ema_overwrite_frequency == 0:
            np.copyto(self._value, average)

    def finalize_variable_values(self) -> None:
        """At the end of ``fit``, with ``use_ema``, set the weights to their moving average."""
        if not (self.use_ema and self.built and self._calls):
            return
        average = self.state["average"]
        if self.averages_stand:  # the weights are their average, and `average` is what training left
            np.copyto(average, self._value)
            self.averages_stand = False
        np.copyto(self._value, average)

    def swap_averages(self) -> None:
        """Exchange the weights and their moving average, if there is one yet."""
        if self.use_ema and self.built and self._calls:
            trained, average = self._value.copy(), self.state["average"]
            np.copyto(self._value, average)
            np.copyto(average, trained)
            self.averages_stand = not self.averages_stand

    # -- config ----------------------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that create an equal optimizer, without its state."""
        rate = self._rate
        return {
            "name": self.name,
            "learning_rate": schedules.serialize(rate) if isinstance(rate, LearningRateSchedule) else rate,
            "weight_decay": self.weight_decay,
            "clipnorm": self.clipnorm,
            "global_clipnorm": self.global_clipnorm,
            "clipvalue": self.clipvalue,
            "use_ema": self.use_ema,
            "ema_momentum": self.ema_momentum,
            "ema_overwrite_frequency": self.ema_overwrite_frequency,
            "loss_scale_factor": None,
            "gradient_accumulation_steps": self.gradient_accumulation_steps,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Optimizer:
        """Create the optimizer that ``get_config`` described."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(learning_rate={self._rate!r})"

"""Compiling: optimizer, losses and metrics of a model, the step that they make with it, and the numbers it notes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import optimizers
from .locks import locked
from .objectives import Objectives
from .prepared import Prepared
from .step import Step

__all__ = ["Compiled"]


class Compiled(Prepared):
    """The part of ``Model`` that knows how it is trained and measured."""

    optimizer: Any
    loss: Any

    @locked
    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: Any = "auto",
        auto_scale_loss: bool = True,
        fuse: bool = True,
    ) -> None:
        """Say how to train: optimizer, loss, metrics.

        ``trainable`` of the layers, as it is at the first training step after this call, decides which weights training
        changes; to change it later, compile again.

        Parameters
        ----------
        optimizer : str or Optimizer
        loss : str, function or Loss
            With several outputs a list, or a dict by their names; one alone serves all outputs, None leaves one out.
        loss_weights : list or dict of float, optional
            How much the loss of each output counts; default 1.
        metrics, weighted_metrics : list, optional
            With several outputs a list of lists, or a dict. Only the second are weighted by ``sample_weight`` and
            ``class_weight``.
        fuse : bool
            Join neighbouring layers into one kernel where no number changes beyond rounding; False runs them one by
            one.
        run_eagerly, steps_per_execution, jit_compile, auto_scale_loss
            Accepted as Keras does; everything here is compiled already.

        Raises
        ------
        TypeError, ValueError
            For unknown names, or entries that are not those of the outputs; the model stays as it was compiled before.
        """
        self._require_layers_or_sequential()
        if not isinstance(fuse, (bool, np.bool_, int)) or fuse not in (0, 1):
            raise ValueError(f"fuse must be True or False. Received: fuse={fuse!r}.")
        objectives = Objectives(loss, loss_weights, metrics, weighted_metrics)
        if self.graph is not None:
            objectives.bind(self.output_names)
        found_optimizer = optimizers.get(optimizer)
        self.loss, self.objectives, self.optimizer = loss, objectives, found_optimizer
        self._fuse, self.compiled = bool(fuse), True
        self.forget_plan()

    def _require_layers_or_sequential(self) -> None:
        self._require_layers()

    def require_compiled(self, what: str) -> None:
        """Raise unless ``compile`` was called, with an optimizer where the weights are to be trained."""
        if not self.compiled:
            raise ValueError(
                f'{what} needs a compiled model. Call model.compile(optimizer="adam", loss="mse") '
                "with the loss that fits your targets."
            )
        if what in ("fit", "train_on_batch") and self.optimizer is None:
            raise ValueError(
                f"{what} needs an optimizer. Received: a model compiled with optimizer=None. "
                'Call model.compile(optimizer="adam", ...).'
            )

    def require_loss(self) -> None:
        """Raise unless there is a loss to measure with."""
        adds = self.graph is None and any(len(p.graph.output_symbols) > p.outputs for p in self._programs.values())
        if not adds and not any(loss is not None for loss in self.objectives.losses):
            raise ValueError(
                'The model has no loss. Call model.compile(loss="mse", ...) with a loss that fits the targets.'
            )

    # The step.

    def step(self) -> Step:
        """The compiled step, made when first needed."""
        if self._step is None:
            self._step = Step(self.program, self._arena, self._workspaces, self.objectives)
        if self.graph is not None and self._step.fixed_program is None:
            self._step.fixed_program = self.program((), True)
        return self._step

    def trained_step(self) -> Step:
        """The step, with its optimizer built; the first one after ``compile`` settles which weights it trains."""
        step = self.step()
        if step.optimizer is not None:
            return step
        if [id(p) for p in self._arena.trainable] != [id(p) for p in self.trainable_weights]:
            programs = list(self._programs)
            self.forget_plan()
            shapes = [self.input_shape] if isinstance(self.input_shape, tuple) else self.input_shape
            self.ensure_ready(shapes if not programs or programs[0] is None else programs[-1][0], self._kinds(programs))
            step = self.step()
        if self._arena.trainable:
            self.optimizer.build(self._arena.trainable, self._arena.trainable_value, self._arena.trainable_grad)
            step.optimizer = self.optimizer
        return step

    def _kinds(self, programs: Sequence[Any]) -> Sequence[str]:
        return programs[-1][1] if programs and programs[-1] is not None else ()

    # Losses and metrics.

    def current_logs(self) -> dict[str, Any]:
        """Loss and metrics so far in this epoch or evaluation; the progress bar asks."""
        return {} if self._step is None else self._step.logs()

    def reset_metrics(self) -> None:
        """Forget the losses and metrics of all batches."""
        if self._step is not None:
            self._step.reset()

    @property
    def metrics(self) -> list[Any]:
        """The compiled metrics."""
        return [metric for compiled in self.objectives.metrics for metric in compiled.metrics]

    @property
    def metrics_names(self) -> list[str]:
        """ "loss", the losses of the outputs if there are several, then the metrics in the order of ``compile``."""
        outputs = self._step.output_losses() if self._step is not None else {}
        return ["loss", *outputs, *self.objectives.result()]

    def in_order(self, logs: dict[str, Any]) -> Any:
        """The logs as Keras lists them: the loss alone, or loss, losses of the outputs, metrics."""
        if len(logs) == 1:
            return logs["loss"]
        names = self.metrics_names
        if len(self.objectives.names) > 1:
            head = ["loss", *self._step.output_losses()]
            names = head + sorted(name for name in logs if name not in head)
        return [logs[name] for name in names]

"""Losses, metrics and weights in files that TensorBoard shows."""

from __future__ import annotations

import os
import time
from typing import Any

import numpy as np

from ..extras import library
from .callback import Callback

__all__ = ["TensorBoard"]

_BINS = 30


class TensorBoard(Callback):
    """Writes what TensorBoard shows: ``tensorboard --logdir logs``.

    Runs ``train`` and ``validation`` of the folder hold ``epoch_loss`` and the other numbers of each epoch, with the
    learning rate; ``evaluation_loss_vs_iterations`` and its like are what was validated, over the steps trained.
    The files are written by the package ``tensorboard``; TensorFlow is not needed.  A run that resumes from a backup
    adds files: numbers of epochs that are trained again are there twice, with the same values.

    Parameters
    ----------
    log_dir : path
        A folder for each training, to compare them: ``"logs/adam-1e-3"``.
    histogram_freq : int
        Epochs from one histogram of every weight to the next; 0: none.
    write_graph : bool
        Write the table of ``model.summary()`` as a text.  The graph itself is a format of TensorFlow, and left out.
    write_images : bool
        Only False: weights are not drawn as images.
    write_steps_per_second : bool
        Write how many steps a second an epoch trained.
    update_freq : "epoch", "batch" or int
        Also write ``batch_loss`` and the other numbers of the epoch so far after every batch, or every this many.
    profile_batch, embeddings_freq : int
        Only 0: there is no profile and no projector.
    embeddings_metadata
        Only None.

    Raises
    ------
    ImportError
        From ``fit``, if ``tensorboard`` is not installed.
    ValueError
        For options that are not supported, or a frequency that is not a number of epochs or batches.

    Examples
    --------
    >>> board = TensorBoard("logs/first", histogram_freq=5, update_freq=100)
    """

    remembers = ("_steps",)

    def __init__(
        self,
        log_dir: str | os.PathLike[str] = "logs",
        histogram_freq: int = 0,
        write_graph: bool = True,
        write_images: bool = False,
        write_steps_per_second: bool = False,
        update_freq: str | int = "epoch",
        profile_batch: Any = 0,
        embeddings_freq: int = 0,
        embeddings_metadata: Any = None,
    ):
        super().__init__()
        for name, value, instead in (
            ("write_images", write_images, "Use histogram_freq=1 for histograms of the weights."),
            ("profile_batch", profile_batch, "Use the command fastnn bench, or a profiler of the operating system."),
            ("embeddings_freq", embeddings_freq, "Use model.get_layer(name).get_weights() to look at a table."),
            ("embeddings_metadata", embeddings_metadata, "Use model.get_layer(name).get_weights() to look at a table."),
        ):
            if value:
                raise ValueError(f"TensorBoard writes numbers and histograms. Received: {name}={value!r}. {instead}")
        if not _is_count(histogram_freq) and histogram_freq != 0:
            raise ValueError(f"histogram_freq must be a number of epochs. Received: histogram_freq={histogram_freq!r}.")
        if update_freq not in ("epoch", "batch") and not _is_count(update_freq):
            raise ValueError(f'update_freq must be "epoch", "batch" or a number of batches. Received: {update_freq!r}.')
        self.log_dir, self.histogram_freq, self.write_graph = os.fspath(log_dir), histogram_freq, write_graph
        self.write_steps_per_second = write_steps_per_second
        self.update_freq: Any = 1 if update_freq == "batch" else update_freq
        self._writers: dict[str, Any] = {}
        self._steps = 0
        self._in_fit = False

    def on_train_begin(self, logs=None):
        self._close()
        self._steps, self._in_fit = 0, True
        self._events = library("tensorboard.compat.proto.event_pb2", "tensorboard", "TensorBoard")
        self._summaries = library("tensorboard.compat.proto.summary_pb2", "tensorboard", "TensorBoard")
        if self.write_graph:
            self._write_table()

    def on_epoch_begin(self, epoch, logs=None):
        self._began, self._steps_before = time.perf_counter(), self._steps

    def on_train_batch_end(self, batch, logs=None):
        self._steps += 1
        if self.update_freq != "epoch" and self._steps % self.update_freq == 0:
            self._numbers("train", {f"batch_{name}": value for name, value in (logs or {}).items()}, self._iterations())

    def on_test_end(self, logs=None):
        if self._in_fit:
            numbers = {f"evaluation_{name}_vs_iterations": value for name, value in (logs or {}).items()}
            self._numbers("validation", numbers, self._iterations())

    def on_epoch_end(self, epoch, logs=None):
        logs = dict(logs or {})
        validated = {name.removeprefix("val_"): logs.pop(name) for name in list(logs) if name.startswith("val_")}
        if self.model.optimizer is not None:
            logs.setdefault("learning_rate", self.model.optimizer.learning_rate)
        if self.write_steps_per_second:
            logs["steps_per_second"] = (self._steps - self._steps_before) / (time.perf_counter() - self._began)
        for run, numbers in (("train", logs), ("validation", validated)):
            self._numbers(run, {f"epoch_{name}": value for name, value in numbers.items()}, epoch)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            self._histograms(epoch)
        for writer in self._writers.values():
            writer.flush()

    def on_train_end(self, logs=None):
        self._close()

    # What is written.

    def _numbers(self, run: str, numbers: dict[str, Any], step: int) -> None:
        value = self._summaries.Summary.Value
        self._write(run, step, [value(tag=tag, simple_value=float(np.mean(x))) for tag, x in numbers.items()])

    def _histograms(self, epoch: int) -> None:
        values = []
        for path, weight in self.model.named_weights().items():
            x = weight.value.astype(np.float64)
            if not x.size or not np.isfinite(x).all():
                continue
            counts, edges = np.histogram(x, _BINS)
            histogram = self._summaries.HistogramProto(
                min=x.min(), max=x.max(), num=x.size, sum=x.sum(), sum_squares=(x * x).sum(),
                bucket_limit=edges[1:], bucket=counts,
            )  # fmt: skip
            values.append(self._summaries.Summary.Value(tag=f"{path}/histogram", histo=histogram))
        self._write("train", epoch, values)

    def _write_table(self) -> None:
        texts: list[str] = []
        self.model.summary(line_length=100, print_fn=texts.append)
        metadata = library("tensorboard.plugins.text.metadata", "tensorboard", "TensorBoard")
        tensors = library("tensorboard.util.tensor_util", "tensorboard", "TensorBoard")
        indented = "\n".join(f"    {line}" for text in texts for line in text.splitlines())  # Markdown for verbatim
        value = self._summaries.Summary.Value(
            tag="model",
            metadata=metadata.create_summary_metadata(display_name="model", description="The layers of the model."),
            tensor=tensors.make_tensor_proto(indented),
        )
        self._write("train", 0, [value])

    def _write(self, run: str, step: int, values: list[Any]) -> None:
        if not values:
            return
        if run not in self._writers:
            module = library("tensorboard.summary.writer.event_file_writer", "tensorboard", "TensorBoard")
            self._writers[run] = module.EventFileWriter(os.path.join(self.log_dir, run))
        summary = self._summaries.Summary(value=values)
        self._writers[run].add_event(self._events.Event(wall_time=time.time(), step=step, summary=summary))

    def _iterations(self) -> int:
        """Steps behind the model, those of earlier runs too."""
        return self._steps if self.model.optimizer is None else int(self.model.optimizer.iterations)

    def _close(self) -> None:
        for writer in self._writers.values():
            writer.close()
        self._writers, self._in_fit = {}, False


def _is_count(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool) and bool(value >= 1)

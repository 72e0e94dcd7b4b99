"""What a model has to do with files."""

from __future__ import annotations

from typing import Any

from .. import saving

__all__ = ["Saved"]


class Saved:
    """The methods of a model that write and read files; ``fastnn.saving`` does it."""

    _lock: Any

    def save(self, filepath: Any, overwrite: bool = True, zipped: Any = None, include_optimizer: bool = True) -> None:
        """Write the model to a file, from which ``fastnn.models.load_model`` makes it again.

        Layers, weights, what ``compile`` was given, the optimizer's state and the counters of random draws: training
        continues from the file as it would have continued from here.

        Parameters
        ----------
        filepath : path
            Best with the ending ``.safetensors``; one that ends in ``.keras`` is a file of Keras.
        overwrite : bool
            Whether a file may be replaced.
        zipped
            Accepted as Keras does; there is one file, not zipped.
        include_optimizer : bool
            False leaves the optimizer's state out, which is two thirds of a file with Adam.

        Raises
        ------
        FileExistsError
            If the file is there and ``overwrite`` is False.
        NotImplementedError
            For a model that writes ``call``; ``save_weights`` writes its weights.
        ValueError
            For a layer that cannot be made again from its settings.
        OSError
            If the file cannot be written; an older one is whole then.
        """
        with self._lock:
            saving.save_model(self, filepath, overwrite, zipped, include_optimizer)

    def save_weights(self, filepath: Any, overwrite: bool = True) -> None:
        """Write the weights alone, each under its path in the model, ``encoder/attention/query/kernel``.

        A path that ends in ``.weights.h5`` is a file of Keras.

        Raises
        ------
        FileExistsError
            If the file is there and ``overwrite`` is False.
        ValueError
            If the model is not built.
        """
        with self._lock:
            saving.save_weights(self, filepath, overwrite)

    def load_weights(self, filepath: Any, skip_mismatch: bool = False) -> None:
        """Read the weights from a file of ``save_weights`` or ``save``, or of Keras.

        Parameters
        ----------
        filepath : path
        skip_mismatch : bool
            Leave weights as they are that the file does not hold in their shape, with a warning that lists them.

        Raises
        ------
        FileNotFoundError
            If the file does not exist.
        ValueError
            If the file is damaged, or paths or shapes differ; nothing is written then.
        """
        with self._lock:
            saving.load_weights(self, filepath, skip_mismatch)

    def named_weights(self) -> dict[str, Any]:
        """The weights by the paths under which files hold them, ``encoder/attention/query/kernel``."""
        return saving.weight_paths(self)

    def to_json(self, **options: Any) -> str:
        """Layers and connections as JSON, without weights: for ``fastnn.models.model_from_json``.

        Parameters
        ----------
        **options
            Of ``json.dumps``, such as ``indent=2``.
        """
        return saving.to_json(self, **options)

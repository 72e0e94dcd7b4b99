"""Forms: how the weights of a layer are laid out here and in a module of PyTorch.

PyTorch's dense kernels are (outputs, inputs), its convolution kernels (filters, channels, rows, columns).  Recurrent
kernels are (gates · units, inputs); the gates of GRU come as r, z, n where here they come as z, r, h, and those of LSTM
in the same order, i, f, g, o.  PyTorch adds two biases, of the input and of the state.  Attention has the projections
of query, key and value in one matrix, below each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

__all__ = ["COUNTER", "Attention", "Depthwise", "Form", "Plain", "Recurrent"]

Arrays = Mapping[str, np.ndarray]

COUNTER = "num_batches_tracked"
"""What batch normalization of PyTorch counts beside its weights; it is written as 0 and not read."""

_NAMES = {
    "kernel": "weight", "bias": "bias", "gamma": "weight", "beta": "bias", "moving_mean": "running_mean",
    "moving_variance": "running_var", "scale": "weight", "embeddings": "weight", "alpha": "weight",
    "pointwise_kernel": "weight",
}  # fmt: skip


class Form:
    """The two directions for one kind of layer.

    ``order`` is given where features were flattened: PyTorch's feature j is feature order[j] here.
    """

    stacks = False
    """Whether PyTorch numbers several layers within one module: ``weight_ih_l0``, ``weight_ih_l1``."""

    def write(self, names: Sequence[str], values: Sequence[np.ndarray], order: Any = None) -> dict[str, np.ndarray]:
        """The arrays of a state dict, from the weights of a layer."""
        raise NotImplementedError

    def read(self, names: Sequence[str], values: Sequence[np.ndarray], arrays: Arrays, order: Any = None) -> list[Any]:
        """New weights of a layer, from arrays of a state dict; ``values`` are the present ones, for their shapes."""
        raise NotImplementedError


class Plain(Form):
    """Weights that have one counterpart each.

    Parameters
    ----------
    axes : tuple of int, optional
        PyTorch's order of the axes of a kernel.
    counts : bool
        Whether the module has a counter of batches.
    """

    def __init__(self, axes: tuple[int, ...] | None = None, counts: bool = False):
        self.axes, self.counts = axes, counts

    def write(self, names: Sequence[str], values: Sequence[np.ndarray], order: Any = None) -> dict[str, np.ndarray]:
        found = {}
        for name, value in zip(names, values, strict=True):
            if order is not None and len(value) == len(order):
                value = value[order]
            found[_NAMES[name]] = self._out(name, value)
        return found | ({COUNTER: np.zeros((), np.int64)} if self.counts else {})

    def read(self, names: Sequence[str], values: Sequence[np.ndarray], arrays: Arrays, order: Any = None) -> list[Any]:
        found = []
        for name, value in zip(names, values, strict=True):
            given = arrays[_NAMES[name]]
            if self.axes is not None and value.ndim == len(self.axes):
                given = given.transpose(np.argsort(self.axes))
            given = given.reshape(value.shape)
            if order is not None and len(value) == len(order):
                given = given[np.argsort(order)]
            found.append(given)
        return found

    def _out(self, name: str, value: np.ndarray) -> np.ndarray:
        if name == "alpha":  # one slope a channel, whatever the axes that share it
            return value.reshape(-1)
        return value if self.axes is None or value.ndim != len(self.axes) else value.transpose(self.axes)


class Depthwise(Form):
    """Kernels (…, channels, multiplier): PyTorch's (channels · multiplier, 1, …) of a convolution in groups."""

    def write(self, names: Sequence[str], values: Sequence[np.ndarray], order: Any = None) -> dict[str, np.ndarray]:
        kernel = values[0]
        window = kernel.shape[:-2]
        turned = np.moveaxis(kernel.reshape(*window, -1), -1, 0)[:, None]
        return {"weight": turned} | ({"bias": values[1]} if len(values) > 1 else {})

    def read(self, names: Sequence[str], values: Sequence[np.ndarray], arrays: Arrays, order: Any = None) -> list[Any]:
        kernel = np.moveaxis(arrays["weight"][:, 0], 0, -1).reshape(values[0].shape)
        return [kernel, arrays["bias"]] if len(values) > 1 else [kernel]


class Recurrent(Form):
    """Kernels (inputs, gates · units) and (units, gates · units), and biases, of one or both directions.

    Parameters
    ----------
    gates : tuple of int
        Which gate here is PyTorch's first, second, …; the permutation is its own inverse.
    two_biases : bool
        Whether the layer here has both biases too, as rows of one array.
    directions : int
    """

    stacks = True

    def __init__(self, gates: tuple[int, ...], two_biases: bool = False, directions: int = 1):
        self.gates, self.two_biases, self.directions = gates, two_biases, directions

    def _reordered(self, array: np.ndarray) -> np.ndarray:
        parts = np.split(array, len(self.gates), axis=-1)
        return np.concatenate([parts[gate] for gate in self.gates], axis=-1)

    def _each(self, values: Sequence[np.ndarray]) -> list[tuple[str, Sequence[np.ndarray]]]:
        """The weights of each direction, and what the names of its arrays end with."""
        count = len(values) // self.directions
        return [(("_l0", "_l0_reverse")[i], values[i * count : (i + 1) * count]) for i in range(self.directions)]

    def write(self, names: Sequence[str], values: Sequence[np.ndarray], order: Any = None) -> dict[str, np.ndarray]:
        found = {}
        for end, weights in self._each(values):
            kernel, recurrent, *rest = map(self._reordered, weights)
            found |= {f"weight_ih{end}": kernel.T, f"weight_hh{end}": recurrent.T}
            if rest:
                both = rest[0] if self.two_biases else (rest[0], np.zeros_like(rest[0]))
                found |= {f"bias_ih{end}": both[0], f"bias_hh{end}": both[1]}
        return found

    def read(self, names: Sequence[str], values: Sequence[np.ndarray], arrays: Arrays, order: Any = None) -> list[Any]:
        found = []
        for end, weights in self._each(values):
            found += [self._reordered(arrays[f"weight_{part}{end}"].T) for part in ("ih", "hh")]
            if len(weights) > 2:
                both = np.stack([arrays[f"bias_ih{end}"], arrays[f"bias_hh{end}"]])
                found.append(self._reordered(both if self.two_biases else both.sum(axis=0)))
        return found


class Attention(Form):
    """Projections (inputs, heads, depth) of query, key and value, and (heads, depth, outputs) of the result."""

    def write(self, names: Sequence[str], values: Sequence[np.ndarray], order: Any = None) -> dict[str, np.ndarray]:
        kernels, biases = (values[0::2], values[1::2]) if "bias" in names else (values, ())
        flat = [kernel.reshape(len(kernel), -1).T for kernel in kernels[:3]]
        if len({matrix.shape for matrix in flat}) == 1 and flat[0].shape[0] == flat[0].shape[1]:
            found: dict[str, Any] = {"in_proj_weight": np.concatenate(flat)}
        else:
            found = dict(zip(("q_proj_weight", "k_proj_weight", "v_proj_weight"), flat, strict=True))
        if biases:
            found["in_proj_bias"] = np.concatenate([bias.reshape(-1) for bias in biases[:3]])
        found["out_proj.weight"] = kernels[3].reshape(-1, kernels[3].shape[-1]).T
        return found | ({"out_proj.bias": biases[3]} if biases else {})

    def read(self, names: Sequence[str], values: Sequence[np.ndarray], arrays: Arrays, order: Any = None) -> list[Any]:
        if "in_proj_weight" in arrays:
            flat = np.split(arrays["in_proj_weight"], 3)
        else:
            flat = [arrays[f"{part}_proj_weight"] for part in "qkv"]
        kernels = [*(matrix.T for matrix in flat), arrays["out_proj.weight"].T]
        if "bias" not in names:
            return [kernel.reshape(value.shape) for kernel, value in zip(kernels, values, strict=True)]
        biases = [*np.split(arrays["in_proj_bias"], 3), arrays["out_proj.bias"]]
        both = [array for pair in zip(kernels, biases, strict=True) for array in pair]
        return [array.reshape(value.shape) for array, value in zip(both, values, strict=True)]

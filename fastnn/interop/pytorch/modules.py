"""From a module of PyTorch to a model, module by module."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ...extras import library
from ...models import Sequential
from .blocks import attention_model
from .chain import Chain, Conversion, described, refuse
from .images import IMAGE_MODULES
from .rows import KEEPS_FEATURES, ROW_MODULES

__all__ = ["from_torch"]

_CONVERSIONS: dict[str, Conversion] = {**IMAGE_MODULES, **ROW_MODULES}


def from_torch(module: Any, input_shape: Sequence[int | None] | None = None, name: str | None = None) -> Any:
    """Make a model of a module of PyTorch, with its weights.

    Images come channels last, (N, H, W, C), and sequences batch first; outputs too. A dense layer behind a Flatten gets
    its rows permuted. Layers have the names of the modules, so that ``to_torch_state_dict`` gives the module's keys.

    Parameters
    ----------
    module : torch.nn.Module
        An ``nn.Sequential``, nested too, of modules that are listed in ``docs/interop.md``, or one of them. Of
        recurrent modules the outputs of all steps are passed on.
    input_shape : tuple, optional
        Of one example, channels last; the model is then built, otherwise at its first call. A Flatten at the head needs
        it.
    name : str, optional

    Returns
    -------
    Sequential, or Model for attention
        Not compiled. Parameters that do not require gradients give layers that are not trainable.

    Raises
    ------
    ImportError
        If PyTorch is not installed.
    TypeError
        If it is not a module, or one that has no counterpart here.
    ValueError
        If a setting has no counterpart.
    """
    nn = library("torch.nn", "torch", "from_torch")
    if not isinstance(module, nn.Module):
        raise TypeError(
            f"from_torch needs a torch.nn.Module. Received: {type(module).__name__}. Use load_torch_state_dict(model, "
            "state_dict) for weights alone."
        )
    dtypes = {str(p.dtype).removeprefix("torch.") for p in module.parameters()}
    if dtypes - {"float32", "float64"} or len(dtypes) > 1:
        raise ValueError(
            f"The parameters must be float32 or float64, all the same. Received: {sorted(dtypes)}. Use module.float()."
        )
    if type(module) is nn.MultiheadAttention:
        return attention_model(module, name)
    chain = Chain(next(iter(dtypes), "float32"), input_shape)
    rows = list(_flat(nn, module, ""))
    for i, (path, part) in enumerate(rows):
        convert = _CONVERSIONS.get(type(part).__name__)
        if convert is None or type(part) is not getattr(nn, type(part).__name__, None):
            raise TypeError(
                f"fastnn has no counterpart for {path or 'this module'}, {described(part)}. Use fastnn.Model with "
                "layers that compute the same, and load_torch_state_dict(model, module.state_dict()) for its weights."
            )
        if convert not in KEEPS_FEATURES:
            chain.settle()
        convert(part, path or type(part).__name__.lower(), chain, [other for _, other in rows[i + 1 :]])
        chain.nonnegative = type(part).__name__ in ("ReLU", "ReLU6", "Sigmoid", "Hardsigmoid", "Softmax")
    chain.settle()
    model = Sequential(chain.layers, name=name)
    if input_shape is not None:
        _build(model, input_shape)
    return model


def _build(model: Sequential, input_shape: Sequence[int | None]) -> None:
    """Build, and say of a shape that does not fit where its channels belong."""
    try:
        model.build((None, *input_shape))
    except ValueError as error:
        if len(input_shape) < 2:
            raise
        channels, *places = input_shape
        raise ValueError(
            f"{error} Received: input_shape={tuple(input_shape)}. Use the shape of one example with its channels last, "
            f"as in {(*places, channels)}."
        ) from error


def _flat(nn: Any, module: Any, path: str, seen: set[int] | None = None) -> Iterator[tuple[str, Any]]:
    """The modules in a row, those of nested ones with their paths."""
    seen = set() if seen is None else seen
    nested = type(module).forward is nn.Sequential.forward
    inside = module.named_children() if nested else ()
    if type(module) is nn.TransformerEncoder:
        if module.norm is not None and not isinstance(module.norm, nn.LayerNorm):
            refuse(path, module, "with a norm other than LayerNorm")
        inside = [(f"layers.{i}", layer) for i, layer in enumerate(module.layers)]
        inside += [("norm", module.norm)] if module.norm is not None else []
    elif not nested:
        if id(module) in seen and any(True for _ in module.parameters()):
            refuse(path, module, "in two places, sharing its weights. Use a fastnn.Model that calls one layer twice")
        seen.add(id(module))
        yield path, module
        return
    # ``named_children`` leaves out repeated modules, which ``_modules`` has.
    for own, child in inside if type(module) is nn.TransformerEncoder else module._modules.items():
        yield from _flat(nn, child, f"{path}.{own}" if path else own, seen)

"""From what the user hands to ``fit``, ``evaluate`` and ``predict`` to arrays that a step can take.

One pass, downwards: split what was given into inputs and outputs, read each as an array, hold it against what the
model takes.  Everything is checked here, before anything changes; ``preparing`` takes back what was built for data
that are refused after all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..data.checks import check_lengths, read_array, weights_of_classes
from ..data.foreign import has_axes, is_arraylike
from ..data.texts import as_texts, is_text
from ..graph import Symbol
from ..layers.support.array_checks import read_ids
from ..seeds import given_back
from ..shapes import Shape
from .network import check_ids, fits

__all__ = ["batch_of", "is_iterable_data", "preparing", "read_batch", "read_inputs", "read_targets", "split_outputs"]


@contextmanager
def preparing(model: Any) -> Iterator[None]:
    """A block that reads data for a model: if it raises, the model is as it was."""
    if model.settled:
        with given_back():
            yield
        return
    before = model.preparation()
    try:
        with given_back():
            yield
    except BaseException:
        model.take_back(before)
        raise


def is_iterable_data(x: Any, y: Any) -> bool:
    """Whether ``x`` yields batches (a generator, a data set) instead of being an array."""
    if y is not None or isinstance(x, Mapping) or is_arraylike(x) or hasattr(x, "toarray"):
        return False  # a sparse matrix iterates over its rows; ``read_array`` says what to do
    if isinstance(x, (list, tuple)):
        return bool(x) and all(isinstance(b, tuple) and b and (isinstance(b[0], Mapping) or has_axes(b[0])) for b in x)
    return hasattr(x, "__iter__")


_NATIVE = "?bBhHiIlLqQefd"  # bools, integers and floats of at most 64 bits

# Inputs.


def split_inputs(model: Any, x: Any) -> list[Any]:
    """What was given for each input of the model.

    Raises
    ------
    ValueError
        If there is too much or too little of it.
    """
    names = model.input_names
    if isinstance(x, Mapping):
        if names is None:
            return model.note_structure(x)
        missing = [name for name in names if name not in x]
        if missing:
            raise ValueError(
                f'Model "{model.name}" needs the inputs {names}. Received: x with the keys {list(x)}; '
                f"{missing} {'is' if len(missing) == 1 else 'are'} missing."
            )
        return [x[name] for name in names]
    if names is None:
        return model.note_structure(x)
    if len(names) == 1:
        if isinstance(x, (list, tuple)) and len(x) == 1 and has_axes(x[0]) and getattr(x[0], "ndim", 2) > 1:
            return [x[0]]
        return [x]
    if not isinstance(x, (list, tuple)) or len(x) != len(names):
        count = f"a list of {len(x)}" if isinstance(x, (list, tuple)) else f"one {type(x).__name__}"
        raise ValueError(
            f'Model "{model.name}" has {len(names)} inputs, {names}. Received: {count}. Use x=[{", ".join(names)}], '
            "or a dict with these keys."
        )
    return list(x)


def read_inputs(model: Any, x: Any) -> list[np.ndarray]:
    """All inputs as arrays that the model takes; builds the model if need be.  Ids are all checked here.

    Raises
    ------
    TypeError, ValueError
        If they do not fit.
    """
    parts = split_inputs(model, x)
    names = model.input_names or [f"x[{i}]" if len(parts) > 1 else "x" for i in range(len(parts))]
    words = ["x"] if len(parts) == 1 else [f'the input "{name}"' for name in names]
    texts = model.takes_texts
    arrays = [read_array(word, part, texts) for word, part in zip(words, parts, strict=True)]
    if len(arrays) > 1:
        check_lengths(**dict(zip(names, arrays, strict=True)))
    model.ensure_ready([array.shape for array in arrays], [array.dtype for array in arrays])
    if model.graph is None:
        return arrays
    arrays = _match_inputs(model, arrays)
    for i, (array, symbol) in enumerate(zip(arrays, model.graph.input_symbols, strict=True)):
        if is_text(array.dtype) != (model.input_dtypes[i] == "string"):
            _refuse_texts(words[i], array, _first_reader(model, symbol))
        if model.input_dtypes[i] == "int64":
            if array.dtype.kind == "f" or array.dtype == np.uint64:
                arrays[i] = array = read_ids(array, _first_reader(model, symbol))
            check_ids(model.graph, symbol, array)
    return arrays


def _refuse_texts(name: str, array: np.ndarray, reader: Any) -> None:
    """Raise the error of texts where an input is numbers, or of numbers where it is texts."""
    layer = f'layer "{reader.name}" ({type(reader).__name__})'
    if not is_text(array.dtype):
        raise TypeError(
            f"{name} must hold texts for {layer}. Received: dtype {array.dtype}. Use {name}.astype(str) if need be."
        )
    instead = 'Use Input(shape=(1,), dtype="string") as the input.' if getattr(reader, "takes_texts", False) else ""
    raise TypeError(
        f"{name} must hold numbers for {layer}. Received: texts, the first {str(array.flat[0])!r}. "
        + (instead or "Use TextVectorization, StringLookup or Hashing to turn words into ids first.")
    )


def _first_reader(model: Any, symbol: Symbol) -> Any:
    """What an input is for, in errors: the first layer that reads it; the input itself where none does."""
    return next(iter(model.graph.readers(symbol)), symbol.node.operation)


def _match_inputs(model: Any, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The arrays with the ranks that the model takes: a last axis of length 1 is added or dropped, as Keras does.

    Raises
    ------
    ValueError
        If the shape of an example is another.
    """
    expected = [symbol.shape for symbol in model.graph.input_symbols]
    found = [_with_rank(array, len(shape), shape) for array, shape in zip(arrays, expected, strict=True)]
    for array in found:
        if 0 in array.shape[1:]:
            raise ValueError(
                f"x must not hold empty examples. Received: x of shape {array.shape}. An empty sequence needs at least "
                "one step of padding."
            )
    ok = [fits(shape, array.shape) for shape, array in zip(expected, found, strict=True)]
    if not all(ok) and not model.take_lengths([array.shape for array in found]):
        place = ok.index(False)
        _refuse_input(model, place, expected[place][1:], arrays[place])
    return found


def _with_rank(x: np.ndarray, rank: int, expected: tuple[int | None, ...]) -> np.ndarray:
    if x.ndim == rank - 1 and rank > 1 and expected[-1] == 1:
        return x[..., None]
    if x.ndim == rank + 1 and x.shape[-1] == 1:
        return x[..., 0]
    return x


def _refuse_input(model: Any, place: int, expected: Shape, given: np.ndarray) -> None:
    hint = ""
    if given.ndim == len(expected) and fits((None, *expected), (None, *given.shape)):
        hint = " For one example use x[None]; a data set yields batches: use dataset.batch(32)."
    elif None not in expected and np.prod(expected) == np.prod(given.shape[1:]):
        hint = f" Use x.reshape(-1, {', '.join(map(str, expected))})."
    sizes = ", ".join(map(str, expected))
    names = model.input_names
    word = "x" if len(names) == 1 else f'input "{names[place]}"'
    first = _first_reader(model, model.graph.input_symbols[place])
    raise ValueError(
        f'Model "{model.name}" takes examples of shape {tuple(expected)}, {word} of shape (N, {sizes}); its first '
        f'layer is "{first.name}". Received: {word} of shape {given.shape}.{hint}'
    )


def read_batch(model: Any, x: Any) -> tuple[np.ndarray, ...]:
    """A batch of inputs as contiguous arrays of the dtypes and ranks that the model takes."""
    if type(x) is np.ndarray and model.takes(x):
        if x.dtype == np.int64:
            model.check_ids(x)
        return (x,)
    arrays = read_inputs(model, x)
    dtypes = model.dtypes_of(arrays)
    return tuple(
        [
            as_texts("x", array) if dtype == "string" else np.ascontiguousarray(array, dtype)
            for array, dtype in zip(arrays, dtypes, strict=True)
        ]
    )


# Outputs.


def split_outputs(model: Any, what: str, given: Any, shared: bool = False) -> list[Any]:
    """What was given for each output: targets, or sample weights.

    Parameters
    ----------
    model : Model
        Whose outputs are known.
    what : str
        "y" or "sample_weight", for errors.
    given : array, list, tuple or dict
    shared : bool
        Whether one array may serve all outputs.
    """
    names = model.output_names
    if given is None:
        return [None] * len(names)
    if isinstance(given, Mapping):
        unknown = [key for key in given if key not in names]
        if unknown:
            raise ValueError(f"{what} must name the outputs, {names}. Received: {what} with the keys {list(given)}.")
        return [given.get(name) for name in names]
    if len(names) == 1:
        single = isinstance(given, (list, tuple)) and len(given) == 1 and has_axes(given[0])
        return [given[0] if single else given]
    if isinstance(given, (list, tuple)) and len(given) == len(names):
        return list(given)
    if shared and is_arraylike(given):
        return [given] * len(names)
    count = f"a list of {len(given)}" if isinstance(given, (list, tuple)) else f"one {type(given).__name__}"
    raise ValueError(
        f'Model "{model.name}" has {len(names)} outputs, {names}. Received: {what}, {count}. Use a list with one entry '
        "for each output, or a dict with these keys."
    )


def read_targets(model: Any, y: Any, xs: Sequence[np.ndarray], what: str) -> tuple[list[Any], list[Any]]:
    """The targets as they came and as the losses take them, both checked, one for each output."""
    model.require_loss()
    raw, ready = [], []
    shapes = model.output_shapes_for([x.shape for x in xs])
    if y is None and any(loss is not None for loss in model.objectives.losses):
        form = "validation_data=(x, y)" if what == "validation_data" else f"{what}(x, y)"
        raise ValueError(f"{what} needs targets: {form}. Received: y=None.")
    for place, part in enumerate(split_outputs(model, "y", y)):
        name = model.output_names[place]
        if part is None:
            if model.objectives.losses[place] is not None:
                raise ValueError(f'The output "{name}" has a loss and needs targets. Received: None for it in y.')
            raw.append(None)
            ready.append(None)
            continue
        word = "y" if len(model.output_names) == 1 else f'the targets of "{name}"'
        plain = type(part) is np.ndarray and part.dtype.char in _NATIVE and part.dtype.isnative and part.ndim
        array = part if plain else read_array(word, part)
        check_lengths(x=xs[0], y=array)
        raw.append(array)
        ready.append(model.objectives.check_targets(place, shapes[place], array))
    return raw, ready


def read_weights(
    model: Any, sample_weight: Any, class_weight: Any, xs: Sequence[np.ndarray], ys: Sequence[Any]
) -> list[np.ndarray | None]:
    """For each output one weight an example, or time step; or None."""
    if sample_weight is not None and class_weight is not None:
        raise ValueError("Use sample_weight or class_weight, not both. Received: both.")
    if sample_weight is None and class_weight is None:
        return [None] * len(ys)
    shapes = model.output_shapes_for([x.shape for x in xs])
    if class_weight is not None:
        if len(ys) > 1:
            raise ValueError(
                f"class_weight works only for models with one output. Received: class_weight={class_weight!r}, and the "
                f"outputs {model.output_names}. Use sample_weight, a dict with weights for each output."
            )
        return [weights_of_classes(class_weight, ys[0], max(1, len(shapes[0]) - 1))]
    parts = split_outputs(model, "sample_weight", sample_weight, shared=True)
    return [
        None if part is None else _weight(part, (len(xs[0]), *shape[1:-1]))
        for part, shape in zip(parts, shapes, strict=True)
    ]


def _weight(given: Any, rows: tuple[int | None, ...]) -> np.ndarray:
    weight = read_array("sample_weight", given)
    if weight.shape not in (rows[:1], rows) and weight.shape[-1] == 1:
        weight = weight[..., 0]
    if weight.shape not in (rows[:1], rows):
        steps = f", or one per time step, shape {rows}" if len(rows) > 1 else ""
        raise ValueError(
            f"sample_weight must have one number per example, shape {rows[:1]}{steps}. Received: shape {weight.shape}."
        )
    if not np.isfinite(weight).all():
        raise ValueError("sample_weight must hold finite numbers. Received: NaN or infinity.")
    return weight


# A whole batch.


def batch_of(
    model: Any, x: Any, y: Any, sample_weight: Any, class_weight: Any = None, what: str = "train_on_batch"
) -> tuple[tuple[np.ndarray, ...], tuple[Any, ...], tuple[Any, ...]]:
    """One batch from the user as ready arrays: inputs, targets, weights.

    Raises
    ------
    TypeError, ValueError
        For anything that does not fit; nothing has changed then.
    """
    xs = read_batch(model, x)
    unweighted = sample_weight is None and class_weight is None
    labels = type(y) is np.ndarray and y.dtype.kind in "biu" and y.shape[:1] == xs[0].shape[:1]
    if labels and unweighted and model.settled and len(model.objectives.losses) == 1:  # the quick way
        return xs, (model.objectives.check_targets(0, model.output_shapes_for([x.shape for x in xs])[0], y),), (None,)
    raw, ready = read_targets(model, y, xs, what)
    for i, t in enumerate(ready):
        if t is not None and t.dtype.kind == "f" and t.dtype != model.dtype:
            ready[i] = t.astype(model.dtype)
    if sample_weight is None and class_weight is None:
        return xs, tuple(ready), (None,) * len(ready)
    weights = read_weights(model, sample_weight, class_weight, xs, raw)
    return xs, tuple(ready), tuple([None if w is None else w.astype(model.dtype) for w in weights])

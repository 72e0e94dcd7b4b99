"""Getting ready: a model is built for its data, and has buffers and plans; and it is as it was if data are refused."""

from __future__ import annotations

import inspect
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..arena import Arena
from ..data.texts import is_text, symbol_dtype
from ..graph import Graph, Symbol, flatten
from ..layers.base import as_shape
from ..layers.support.traced_call import cut, trace_call
from .network import Network, fits, input_dtype, output_shapes
from .objectives import Objectives
from .program import Program, warn_of_dropped_masks
from .workspaces import Workspaces

__all__ = ["Prepared"]

_MOST_PROGRAMS = 64  # of a model that writes call: one for each shape of batch


class Prepared(Network):
    """The part of ``Model`` between its graph and its steps: building, the arena, programs, and taking back.

    Attributes
    ----------
    input_dtypes : list of str
        What batches of each input are read as: the dtype of the layers, or int64 where they take ids.
    shape_declared : bool
        Whether the input shape was said; a shape that was only seen in data leaves lengths open.
    """

    shape_declared = True
    compiled: bool
    objectives: Objectives
    output_names: Any
    _fuse: bool
    _template: Any

    # Building.

    def build(self, input_shape: Any = None) -> None:
        """Nothing to do for a model of symbols; ``Sequential`` and models that write ``call`` build their layers."""
        self._require_layers()

    def _require_layers(self) -> None:
        if self.graph is None and not self._traced:
            raise NotImplementedError(
                f"{type(self).__name__} has nothing to run. Use Model(inputs, outputs) with symbols, or write def "
                "call(self, x): return ... in the subclass."
            )

    def ensure_built(self, input_shape: Any, **options: Any) -> Any:
        self._require_layers()
        if self._traced and self.graph is None:
            return super().ensure_built(input_shape, **options)
        return as_shape(self.compute_output_shape(as_shape(input_shape)))

    def _build_on_symbols(self, x: Any) -> None:
        """Build a model that is not built yet for the shapes of symbols."""
        self._require_layers()

    # The plan.

    def forget_plan(self) -> None:
        """Allocate buffers and order again before the next call, because layers or their settings have changed."""
        self._arena: Any = None
        self._programs: OrderedDict[Any, Program] = OrderedDict()
        self._step: Any = None
        self._settled = False
        self._workspaces = Workspaces()
        self._shapes: tuple[Any, Any] = (None, None)
        self.input_dtypes: list[str] = []
        vars(self).pop("_layer_plans", None)
        vars(self).pop("_traces", None)

    def ensure_ready(self, x_shapes: Sequence[tuple[int, ...]], dtypes: Sequence[Any] = ()) -> None:
        """Build for inputs of these shapes if need be, and bring buffers and plan up to date.

        Raises
        ------
        ValueError
            If a layer cannot take the shape; nothing is built then.
        """
        if not self.built:
            if self._traced:
                kinds = [self._read_as(d) for d in dtypes]
                self._first_call = (kinds, self._template)
            shapes = [(None, *shape[1:]) for shape in x_shapes]
            self.ensure_built(shapes[0] if len(shapes) == 1 else shapes)
            self.shape_declared = False
        if self._arena is None:
            self.dtype = self._common_dtype()
            if self.graph is not None:
                self.input_dtypes = [input_dtype(self.graph, s, self.dtype) for s in self.graph.input_symbols]
                self.objectives.bind(self.output_names)
                warn_of_dropped_masks(self.graph)
            self._arena = Arena(self.trainable_weights, self.non_trainable_weights, self.dtype)
        elif not self._arena.whole:
            self._arena.claim()
        if self.graph is None:
            kinds = self.dtypes_of(dtypes=dtypes)
            self._program_of(tuple(x_shapes), tuple(kinds), False)  # its outputs have names

    def _common_dtype(self) -> str:
        """The dtype that the weights are of; without weights that of the layers, if they agree.

        Raises
        ------
        ValueError
            If weights are of several.
        """
        layers = [layer for layer, _ in self.leaves()]
        wanted = {layer.dtype for layer in layers if layer.dtype and layer.weights}
        if len(wanted) > 1:
            raise ValueError(
                f"All layers of a model must have the same dtype. Received: {sorted(wanted)}. Give all layers the same "
                'dtype=, or call fastnn.backend.set_floatx("float64") before making them.'
            )
        if not wanted and self.graph is not None:
            inputs = {id(symbol.node.operation) for symbol in self.graph.input_symbols}
            wanted = {layer.dtype for layer in layers if id(layer) not in inputs} or {
                symbol.dtype for symbol in self.graph.input_symbols if symbol.dtype.startswith("float")
            }
        return wanted.pop() if len(wanted) == 1 else self.dtype

    def dtypes_of(self, arrays: Sequence[np.ndarray] = (), dtypes: Sequence[Any] | None = None) -> list[str]:
        """What each input is read as."""
        if self.graph is not None:
            return self.input_dtypes
        kinds = [a.dtype for a in arrays] if dtypes is None else dtypes
        return [self._read_as(kind) for kind in kinds]

    def _read_as(self, dtype: Any) -> str:
        """What a model that writes ``call`` reads an array of this dtype as."""
        return "string" if is_text(dtype) else "int64" if np.dtype(dtype).kind in "iu" else self.dtype

    def program(self, xs: Sequence[np.ndarray], training: bool) -> Program:
        """What runs the model on these inputs."""
        if self.graph is not None:
            return self._programs.get(None) or self._make_program(None, self.graph, len(self.graph.output_symbols))
        return self._program_of(tuple([x.shape for x in xs]), tuple([symbol_dtype(x.dtype) for x in xs]), training)

    def _program_of(self, shapes: tuple[Any, ...], dtypes: tuple[str, ...], training: bool) -> Program:
        """The program of a model that writes ``call``, for inputs of these shapes."""
        key = (shapes, dtypes, training)
        found = self._programs.get(key)
        if found is not None:
            self._programs.move_to_end(key)
            return found
        traced = trace_call(self, shapes, dtypes, training, template=self._template)
        outputs = traced.structure
        names = list(outputs) if isinstance(outputs, Mapping) else [f"output_{i + 1}" for i in range(traced.outputs)]
        self.objectives.bind(names)
        self._structure = outputs
        return self._make_program(key, traced.graph, traced.outputs)

    def _make_program(self, key: Any, graph: Graph, outputs: int) -> Program:
        losses = self.objectives.losses if self.compiled else None
        found = self._programs[key] = Program(graph, outputs, self._arena.trainable, self._fuse, losses)
        if len(self._programs) > _MOST_PROGRAMS:
            self._programs.popitem(last=False)
        return found

    def takes(self, x: np.ndarray) -> bool:
        """Whether the model is ready for exactly this array as a batch of its only input, but for the ids in it."""
        arena = self._arena
        if arena is None or not arena.whole or not x.flags.c_contiguous:
            return False
        if self.graph is None:
            dtype = "int64" if x.dtype.kind in "iu" else self.dtype
            key = ((x.shape,), (dtype,), False)
            return self._template is None and x.dtype == dtype and key in self._programs
        if len(self.input_dtypes) != 1 or x.dtype != self.input_dtypes[0]:
            return False
        expected, shape = self.graph.input_symbols[0].shape, x.shape
        return 0 not in shape and (shape[1:] == expected[1:] or fits(expected, shape))

    def note_structure(self, x: Any) -> list[Any]:
        """The arrays among the data of a model that writes ``call``, which gets them in the structure they came in."""
        leaves: list[Any] = []
        if isinstance(x, (dict, list, tuple)) and any(isinstance(leaf, np.ndarray) for leaf in flatten(x)):
            first = next(iter(inspect.signature(self.call).parameters))
            self._template = {first: cut(x, leaves, True)}
            return leaves
        self._template = None
        return [x]

    def take_lengths(self, x_shapes: Sequence[tuple[int, ...]]) -> bool:
        """Whether inputs of these shapes pass too, though the model was built with data of another shape."""
        return False

    @property
    def batch_declared(self) -> int | None:
        """The size of all batches, where the input said one."""
        shape = None if self.graph is None else self.graph.input_symbols[0].shape
        return shape[0] if shape else None

    def output_shapes_for(self, x_shapes: Sequence[tuple[int, ...]]) -> list[Any]:
        """The shape of each output for inputs of these shapes, with None for the batch alone.

        Raises
        ------
        ValueError
            If an output has no axis for the batch.
        """
        if self.graph is None:
            known = next(
                program
                for (shapes, _, _), program in reversed(self._programs.items())
                if [s[1:] for s in shapes] == [s[1:] for s in x_shapes]
            )
            symbols = known.graph.output_symbols[: known.outputs]
            _refuse_lost_batches(self.name, known.graph.input_symbols, symbols)
            return [(None, *symbol.shape[1:]) for symbol in symbols]
        symbols = self.graph.output_symbols
        if not self._settled:
            _refuse_lost_batches(self.name, self.graph.input_symbols, symbols)
        if not any(None in symbol.shape[1:] for symbol in (*self.graph.input_symbols, *symbols)):
            return [(None, *symbol.shape[1:]) for symbol in symbols]
        key, shapes = self._shapes
        wanted = [shape[1:] for shape in x_shapes]
        if key != wanted:
            found = output_shapes(self.graph, [(None, *shape) for shape in wanted])
            shapes = [(None, *shape[1:]) for shape in found]
            self._shapes = (wanted, shapes)
        return shapes

    # Reading data may build; refused data must leave nothing behind.

    @property
    def settled(self) -> bool:
        """Whether data can change nothing any more: built for declared shapes, and bound to its losses and metrics."""
        if not self._settled and self._step is not None:
            self._settled = (
                self._step.optimizer is not None
                and self.graph is not None
                and self.shape_declared
                and all(metrics.built for metrics in self.objectives.metrics)
            )
        return self._settled

    def preparation(self) -> dict[str, Any]:
        """What reading data may change: given to ``take_back`` if the data are refused."""
        names = ("built", "input_shape", "output_shape", "shape_declared", "_template", "dtype", "graph", "_arena")
        kept = {name: getattr(self, name) for name in names}
        return kept | {"objectives": self.objectives.state()}

    def take_back(self, before: dict[str, Any]) -> None:
        """Be what one was before data were read that have been refused."""
        objectives = before.pop("objectives")
        if self.built and not before["built"]:
            self.unbuild()
        elif self.graph is not before["graph"] or before["_arena"] is not self._arena:
            self.forget_plan()
        before.pop("_arena")
        for name, value in before.items():
            setattr(self, name, value)
        self.objectives.set_state(objectives)


def _refuse_lost_batches(name: str, inputs: Sequence[Symbol], outputs: Sequence[Symbol]) -> None:
    """Raise if an output has lost the axis of the batch: losses and metrics compare example by example."""
    for symbol in outputs:
        if symbol.shape[:1] not in ((None,), inputs[0].shape[:1]):
            raise ValueError(
                f'Model "{name}" must give one prediction for each example. Received: an output of shape '
                f"{symbol.shape}, whose first axis is not the batch. Use operations that keep the first axis, such as "
                "ops.mean(x, axis=-1)."
            )

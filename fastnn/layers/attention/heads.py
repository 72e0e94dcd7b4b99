"""Attention with several heads: projections into heads, attention, and a projection of all heads together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ...backend import active
from ...ops.function import wanted
from ..base import Layer, Shape
from ..core.einsum_dense import EinsumDense
from ..support.arguments import check_parts, flag, fraction, positive
from ..support.array_checks import checked_mask
from ..support.drawing import DrawingLayer
from .axes import AttentionAxes
from .masks import combined, pair_mask, read_pair_mask
from .projections import project, project_backward

__all__ = ["HeadsAttention"]


class Sizes(NamedTuple):
    """Heads of queries, heads of keys and values, and the depths of a head."""

    query_heads: int
    key_heads: int
    key_depth: int
    value_depth: int


class HeadsAttention(DrawingLayer):
    """Base of ``MultiHeadAttention`` and ``GroupQueryAttention``; a subclass says the ``Sizes``.

    The inputs of a node are [query, value, key], or [query, value] where key is value, or [x] where all are the same.
    The masks are those of the inputs and, behind them, that of pairs.
    """

    takes_several = True
    selects_gradients = True
    uses_mask = True
    fields: tuple[str, ...] = (
        "dropout",
        "use_bias",
        "sliding_window",
        "kernel_initializer",
        "bias_initializer",
        "kernel_regularizer",
        "bias_regularizer",
        "activity_regularizer",
        "kernel_constraint",
        "bias_constraint",
        "use_gate",
        "seed",
    )

    def __init__(
        self,
        sizes: Sizes,
        dropout: float,
        use_bias: bool,
        sliding_window: int | None,
        flash_attention: bool | None,
        kernel_initializer: Any,
        bias_initializer: Any,
        kernel_regularizer: Any,
        bias_regularizer: Any,
        kernel_constraint: Any,
        bias_constraint: Any,
        use_gate: bool,
        seed: int | None,
        **settings: Any,
    ):
        super().__init__(seed, **settings)
        self.sizes = sizes
        self.dropout = fraction("dropout", dropout, self)
        self.use_bias = flag("use_bias", use_bias, self)
        self.sliding_window = None if sliding_window is None else positive("sliding_window", sliding_window, self)
        self.flash_attention = flash_attention
        self.kernel_initializer, self.bias_initializer = kernel_initializer, bias_initializer
        self.kernel_regularizer, self.bias_regularizer = kernel_regularizer, bias_regularizer
        self.kernel_constraint, self.bias_constraint = kernel_constraint, bias_constraint
        self.use_gate = flag("use_gate", use_gate, self)
        check_parts(self)
        self.axes: Any = None
        self.query_dense: Any = None
        self.key_dense: Any = None
        self.gate_dense: Any = None
        self.value_dense: Any = None
        self.output_dense: Any = None

    def attended_axes(self) -> Sequence[int] | None:
        """The axes to attend over; None: all between the batch and the features."""
        return None

    def sizes_of_output(self, query_shape: Shape) -> tuple[int, ...]:
        """Sizes of the last axes of the output."""
        return tuple(query_shape[-1:])

    # The layers inside.

    @property
    def children(self) -> list[Layer]:
        """The projections, in the order of their weights."""
        parts = (self.query_dense, self.key_dense, self.gate_dense, self.value_dense, self.output_dense)
        return [part for part in parts if part is not None]

    def build(self, query_shape: Any, value_shape: Any = None, key_shape: Any = None) -> None:
        super().build(query_shape)
        several = isinstance(query_shape[0], (tuple, list))
        shapes = query_shape if several else [query_shape, value_shape, key_shape]
        query, value, key = spread([tuple(shape) for shape in shapes if shape is not None])
        self._check(query, value, key)
        sizes, rank = self.sizes, len(query)
        self.axes = AttentionAxes(rank, self.attended_axes())
        self.query_dense = self._into_heads("query", query, sizes.query_heads, sizes.key_depth)
        self.key_dense = self._into_heads("key", key, sizes.key_heads, sizes.key_depth)
        if self.use_gate:
            self.gate_dense = self._into_heads("gate", query, sizes.query_heads, sizes.value_depth, "sigmoid")
        self.value_dense = self._into_heads("value", value, sizes.key_heads, sizes.value_depth)
        out = self.sizes_of_output(query)
        letters = "opqrstuvw"[: len(out)]
        self.output_dense = self._projection(f"...nh,nh{letters}->...{letters}", out, letters, "attention_output")
        self.output_dense.build((*query[:-1], sizes.query_heads, sizes.value_depth))

    def _into_heads(self, name: str, shape: Shape, heads: int, depth: int, activation: Any = None) -> EinsumDense:
        made = self._projection("...d,dnh->...nh", (heads, depth), "nh", name, activation)
        made.build(shape)
        return made

    def _projection(
        self, equation: str, sizes: tuple[int, ...], bias_axes: str, name: str, activation: Any = None
    ) -> EinsumDense:
        return EinsumDense(
            equation,
            sizes,
            activation,
            bias_axes if self.use_bias else None,
            self.kernel_initializer,
            self.bias_initializer,
            self.kernel_regularizer,
            self.bias_regularizer,
            self.kernel_constraint,
            self.bias_constraint,
            name=name,
            dtype=self.dtype,
            trainable=self.trainable,
        )

    def unbuild(self) -> None:
        super().unbuild()
        self.query_dense = self.key_dense = self.gate_dense = self.value_dense = self.output_dense = None

    def _check(self, query: Shape, value: Shape, key: Shape) -> None:
        attended = self.attended_axes()
        rank = len(query)
        if rank < 3 or len(value) != rank or len(key) != rank or None in (query[-1], value[-1], key[-1]):
            self.refuse_shape("a query, a value and a key (batch, time, features)", [query, value, key])
        if attended is not None and any(not 0 < axis < rank - 1 for axis in attended):
            self.refuse_shape(f"axes {tuple(attended)} between the batch and the features", [query, value, key])
        if any(differ(a, b) for a, b in zip(value[:-1], key[:-1], strict=True)):
            self.refuse_shape("a value and a key of the same length", [query, value, key])
        apart = AttentionAxes(rank, attended).apart
        if any(differ(query[axis], value[axis]) for axis in (0, *apart)):
            self.refuse_shape("queries and values of one batch", [query, value, key])

    def compute_output_shape(
        self, input_shape: Any, return_attention_scores: bool = False, use_causal_mask: bool = False
    ) -> Any:
        query, value, key = spread([tuple(shape) for shape in input_shape])
        self._check(query, value, key)
        for name, dense, shape in zip(("query", "key", "value"), self._projections(), (query, key, value), strict=True):
            if dense is not None and dense.kernel.shape[0] != shape[-1]:
                self.refuse_shape(f"{dense.kernel.shape[0]} features of the {name}", [query, value, key])
        y = (*query[:-1], *self.sizes_of_output(query))
        if not return_attention_scores:
            return y
        axes = AttentionAxes(len(query), self.attended_axes())
        outer = (query[0], *(query[i] for i in axes.apart))
        return [y, (*outer, self.sizes.query_heads, *axes.steps(query), *axes.steps(key))]

    def _projections(self) -> tuple[Any, Any, Any]:
        return self.query_dense, self.key_dense, self.value_dense

    # A call.

    def __call__(
        self,
        query: Any,
        value: Any = None,
        key: Any = None,
        query_mask: Any = None,
        value_mask: Any = None,
        key_mask: Any = None,
        attention_mask: Any = None,
        return_attention_scores: bool = False,
        training: bool | None = None,
        use_causal_mask: bool = False,
    ) -> Any:
        """The output for arrays, or the symbol of it for symbols; builds the layer if need be.

        Parameters
        ----------
        query : array or Symbol (N, Tq, D)
        value : array or Symbol (N, Tk, D')
        key : array or Symbol (N, Tk, D''), optional
            The value if None.
        query_mask, value_mask, key_mask : array of bool (N, Tq), (N, Tk), (N, Tk), optional
            True where a time step counts; the masks that come along with the inputs if None.
        attention_mask : array of bool (N, Tq, Tk), optional
            True where a query may see a key. Also (Tq, Tk) and (N, heads, Tq, Tk); any axis may be 1.
        return_attention_scores : bool
            Whether to give the weights of all pairs, (N, heads, Tq, Tk), as well; those before dropout.
        training : bool, optional
            None: False for arrays, and for symbols whether the model around it is training.
        use_causal_mask : bool
            Whether query i sees no key after i.

        Returns
        -------
        array or Symbol, or a list of output and scores
        """
        if value is None and isinstance(query, (list, tuple)) and 1 <= len(query) <= 3:
            query, value, key = spread(query)
        if value is None:
            raise TypeError(
                f'Layer "{self.name}" ({type(self).__name__}) takes a query and a value. Received: only a query. Use '
                "layer(x, x) to let a sequence attend to itself."
            )
        masks = [query_mask, value_mask, key_mask]
        inputs = [query, value] if key is None or key is value else [query, value, key]
        if len(inputs) == 2 and value is query and query_mask is None and value_mask is None:
            inputs = [query]
        given: Any = masks[: len(inputs)] + ([] if attention_mask is None else [attention_mask])
        options = {
            name: True
            for name, value in (
                ("return_attention_scores", flag("return_attention_scores", return_attention_scores, self)),
                ("use_causal_mask", flag("use_causal_mask", use_causal_mask, self)),
            )
            if value
        }
        return self.call_on(inputs, training, None if all(m is None for m in given) else given, **options)

    def checked_masks(self, masks: Sequence[Any], arrays: Sequence[np.ndarray]) -> list[np.ndarray | None]:
        found = [None if m is None else checked_mask(m, a.shape, self) for m, a in zip(masks, arrays, strict=False)]
        return found + [read_pair_mask(mask, self) for mask in masks[len(arrays) :]]

    def compute_mask(self, x: Any, mask: Any = None) -> Any:
        """The mask of the output: that of the query."""
        return mask[0] if isinstance(mask, (list, tuple)) else mask

    def forward(
        self,
        x: list[np.ndarray],
        training: bool = False,
        mask: Sequence[Any] | None = None,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> tuple[Any, Any]:
        query, value, key = spread(x)
        if not len(query) == len(value) == len(key):
            self.refuse_shape("queries and values of one batch", [a.shape for a in (query, value, key)])
        q, k, v = map(self.axes.fold, self._project(x))
        sight = self._sight(mask, len(x), q, k, query.shape, key.shape) | {"causal": use_causal_mask}
        if training and self.dropout:
            sight |= {"rate": self.dropout, "key": self.key, "call": self.next_call()}
        z, lse, scores = active().attention_forward(q, k, v, **sight, need_scores=return_attention_scores)
        heads = self.axes.unfold(z, query.shape)
        gate, g_ctx = self.gate_dense.forward(query) if self.use_gate else (None, None)
        y, o_ctx = self.output_dense.forward(heads if gate is None else heads * gate)
        ctx = (g_ctx, o_ctx, (q, k, v, z, lse, scores), sight, (heads, gate), x)
        if return_attention_scores:
            return [y, self.axes.unfold_scores(scores, query.shape, key.shape)], ctx
        return y, ctx

    def backward(self, dy: Any, ctx: Any, need_dx: Any = True) -> list[np.ndarray | None]:
        g_ctx, o_ctx, (q, k, v, z, lse, scores), sight, (heads, gate), x = ctx
        query, value, key = spread(x)
        needs = wanted(need_dx, len(x))
        dscores = None
        if scores is not None:
            dy, dscores = dy
            dscores = None if dscores is None else np.ascontiguousarray(dscores).reshape(scores.shape)
            if dy is None:  # only the scores are used
                dy = np.zeros((*query.shape[:-1], *self.sizes_of_output(query.shape)), query.dtype)
        dz = self.output_dense.backward(dy, o_ctx)
        parts: list[list[Any]] = [[] for _ in x]  # the gradients of each input
        if gate is not None:
            parts[0].append(self.gate_dense.backward(dz * heads, g_ctx, needs[0]))
            dz = dz * gate
        dq, dk, dv = active().attention_backward(
            self.axes.fold(dz), q, k, v, z, lse, **sight, scores=None if dscores is None else scores, dscores=dscores
        )
        gradients = [self.axes.unfold(d, a.shape) for d, a in ((dq, query), (dk, key), (dv, value))]
        for place, its in self._places(len(x)).items():
            layers = [self._projections()[i] for i in its]
            parts[place].append(project_backward([gradients[i] for i in its], x[place], layers, needs[place]))
        return [total(part) if need else None for part, need in zip(parts, needs, strict=True)]

    def _project(self, x: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Queries, keys and values in heads."""
        if len(x) == 1:
            return project(x[0], self._projections())
        found: dict[int, np.ndarray] = {}
        layers = self._projections()
        for place, its in self._places(len(x)).items():
            found |= zip(its, project(x[place], [layers[i] for i in its]), strict=True)
        return [found[i] for i in range(3)]

    @staticmethod
    def _places(inputs: int) -> dict[int, tuple[int, ...]]:
        """For each input, which of query (0), key (1) and value (2) are projections of it."""
        return ({0: (0, 1, 2)}, {0: (0,), 1: (1, 2)}, {0: (0,), 2: (1,), 1: (2,)})[inputs - 1]

    def _sight(
        self, mask: Sequence[Any] | None, inputs: int, q: np.ndarray, k: np.ndarray, query: Shape, key: Shape
    ) -> dict[str, Any]:
        """The mask arguments of the kernel."""
        found: dict[str, Any] = {"window": self.sliding_window}
        if mask is None:
            return found
        if len(query) > 3:
            steps: list[Any] = [None, None]
        elif inputs == 1:
            steps = [mask[0], mask[0]]
        else:
            steps = [mask[0], combined(mask[1], mask[2] if inputs == 3 else None)]
        if len(mask) > inputs and mask[inputs] is not None:
            folded = self.axes.fold_mask(mask[inputs], query, key)
            found["mask"], keys = pair_mask(folded, (len(q), q.shape[2], q.shape[1], k.shape[1]), self)
            steps[1] = combined(steps[1], keys)
        found["query_mask"], found["key_mask"] = steps
        return found


def spread(inputs: Sequence[Any]) -> tuple[Any, Any, Any]:
    """Query, value and key of the one to three inputs that differ."""
    query, *rest = inputs
    value = rest[0] if rest else query
    return query, value, rest[1] if len(rest) > 1 else value


def differ(a: int | None, b: int | None) -> bool:
    """Whether two sizes, as far as they are known, are not the same."""
    return a is not None and b is not None and a != b


def total(parts: list[np.ndarray]) -> np.ndarray:
    """The sum of gradients that nobody else holds."""
    return parts[0] if len(parts) == 1 else active().merge_forward(parts, "add", y=parts[0])

"""Attention and AdditiveAttention: attention with one head and without projections."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...backend import active
from ...ops.function import wanted
from ..base import Shape
from ..support.arguments import flag, fraction
from ..support.drawing import DrawingLayer
from .heads import differ, spread, total

__all__ = ["AdditiveAttention", "Attention"]


class Attention(DrawingLayer):
    """Dot-product attention of one head (Luong's): y = softmax(scale·query·keyᵀ)·value, the softmax over the keys.

    Call it on a list [query (N, Tq, D), value (N, Tk, V)] or [query, value, key (N, Tk, D)] → y (N, Tq, V).  The key is
    the value if it is not given.  With ``score_mode="concat"`` a score is w·Σ_d tanh(scale·(query_d + key_d)).

    Weights in order: scale (), with ``use_scale``; concat_score_weight w (), with ``score_mode="concat"``.  A query
    that may see no key gets zeros.

    Parameters
    ----------
    use_scale : bool
        Whether the scores are multiplied by a weight that is learned; 1 at first.
    score_mode : {"dot", "concat"}
    dropout : float
        Share of the weights of pairs that are set to zero in training.
    seed : int, optional
        A fixed start of the dropout; None takes one from ``fastnn.utils.set_random_seed``.

    Raises
    ------
    ValueError
        If an argument is not as above, or the inputs are not two or three sequences that fit together.

    References
    ----------
    Luong et al.: Effective Approaches to Attention-based Neural Machine Translation, 2015.

    Examples
    --------
    >>> query, value = np.array([[[0.0, 9.0]]]), np.array([[[0.0, 9.0], [9.0, 0.0]]])
    >>> Attention()([query, value]).round(3).tolist()
    [[[0.0, 9.0]]]
    """

    takes_several = True
    selects_gradients = True
    uses_mask = True
    fields: tuple[str, ...] = ("use_scale", "score_mode", "dropout", "seed")

    def __init__(
        self,
        use_scale: bool = False,
        score_mode: str = "dot",
        dropout: float = 0.0,
        seed: int | None = None,
        **settings: Any,
    ):
        super().__init__(seed, **settings)
        self.use_scale = flag("use_scale", use_scale, self)
        if score_mode not in ("dot", "concat"):
            raise ValueError(f'score_mode of Attention must be "dot" or "concat". Received: score_mode={score_mode!r}.')
        self.score_mode = score_mode
        self.dropout = fraction("dropout", dropout, self)
        self.scale: Any = None
        self.concat_score_weight: Any = None

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        self._check(input_shape)
        if self.use_scale:
            self.scale = self.add_weight((), "ones", name="scale")
        if self.score_mode == "concat":
            self.concat_score_weight = self.add_weight((), "ones", name="concat_score_weight")

    def _check(self, input_shape: Any) -> tuple[Shape, Shape, Shape]:
        shapes = [tuple(shape) for shape in input_shape]
        if len(shapes) not in (2, 3):
            self.refuse_shape("a list of two or three inputs, [query, value] or [query, value, key]", shapes)
        query, value, key = spread(shapes)
        if any(len(shape) != 3 or shape[-1] is None for shape in shapes):
            self.refuse_shape("sequences (batch, time, features)", shapes)
        if query[-1] != key[-1]:
            self.refuse_shape("queries and keys with the same number of features", shapes)
        if differ(query[0], value[0]) or differ(value[0], key[0]) or differ(value[1], key[1]):
            self.refuse_shape("one batch, and a value for each key", shapes)
        return query, value, key

    def compute_output_shape(
        self, input_shape: Any, return_attention_scores: bool = False, use_causal_mask: bool = False
    ) -> Any:
        query, value, key = self._check(input_shape)
        y = (*query[:2], value[2])
        return [y, (*query[:2], key[1])] if return_attention_scores else y

    def __call__(
        self,
        inputs: Sequence[Any],
        mask: Sequence[Any] | None = None,
        training: bool | None = None,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> Any:
        """The output for arrays, or the symbol of it for symbols; builds the layer if need be.

        Parameters
        ----------
        inputs : list of array or Symbol
            [query, value] or [query, value, key].
        mask : list of array of bool, optional
            [query_mask (N, Tq), value_mask (N, Tk)], entries may be None: the output is zero where the query's is
            False, and where the value's is False nobody looks.
        training : bool, optional
            None: False for arrays, and for symbols whether the model around it is training.
        return_attention_scores : bool
            Whether to give the weights of all pairs, (N, Tq, Tk), as well; those before dropout.
        use_causal_mask : bool
            Whether query i sees no key after i.

        Returns
        -------
        array or Symbol, or a list of output and scores
        """
        kind = type(self).__name__
        if not isinstance(inputs, (list, tuple)):
            raise TypeError(
                f'Layer "{self.name}" ({kind}) takes a list, [query, value] or [query, value, key]. Received: '
                f"{type(inputs).__name__}. Use {kind}()([query, value])."
            )
        if mask is not None and (not isinstance(mask, (list, tuple)) or not 2 <= len(mask) <= 3):
            raise ValueError(
                f'mask of layer "{self.name}" ({kind}) must be a list, [query_mask, value_mask]; an entry may be None. '
                f"Received: {type(mask).__name__}{f' of {len(mask)}' if isinstance(mask, (list, tuple)) else ''}."
            )
        inputs = list(inputs)
        masks = None if mask is None else [*mask, None][: len(inputs)]
        options = {}
        if flag("return_attention_scores", return_attention_scores, self):
            options["return_attention_scores"] = True
        if flag("use_causal_mask", use_causal_mask, self):
            options["use_causal_mask"] = True
        return self.call_on(inputs, training, masks, **options)

    def compute_mask(self, x: Any, mask: Any = None) -> Any:
        """The mask of the output: that of the query."""
        return None if mask is None else mask[0]

    def forward(
        self,
        x: list[np.ndarray],
        training: bool = False,
        mask: Sequence[Any] | None = None,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> tuple[Any, Any]:
        if any(len(part) != len(x[0]) for part in x):
            self.refuse_shape("one batch, and a value for each key", [part.shape for part in x])
        sight: dict[str, Any] = {"causal": use_causal_mask}
        if mask is not None:
            sight |= {"query_mask": mask[0], "key_mask": mask[1]}
        if training and self.dropout:
            sight |= {"rate": self.dropout, "key": self.key, "call": self.next_call()}
        y, scores, ctx = self._attend(*spread(x), sight, return_attention_scores)
        return ([y, scores] if return_attention_scores else y), (x, return_attention_scores, ctx)

    def backward(self, dy: Any, ctx: Any, need_dx: Any = True) -> list[np.ndarray | None]:
        x, with_scores, inner = ctx
        dy, dscores = dy if with_scores else (dy, None)
        if dy is None:  # only the scores are used
            dy = np.zeros((*x[0].shape[:2], x[1].shape[2]), x[0].dtype)
        dq, dk, dv = self._gradients(dy, dscores, inner)
        parts = [dq, dv, dk] if len(x) == 3 else [dq, total([dv, dk])]
        return [part if need else None for part, need in zip(parts, wanted(need_dx, len(x)), strict=True)]

    # With one head, in the kernels' order of query, key, value.

    def _attend(
        self, query: np.ndarray, value: np.ndarray, key: np.ndarray, sight: dict[str, Any], need_scores: bool
    ) -> tuple[np.ndarray, np.ndarray | None, Any]:
        scale = 1 if self.scale is None else self.scale.value
        if self.score_mode == "concat":
            scaled = (query, key) if self.scale is None else (query * scale, key * scale)
            w = np.full(query.shape[-1], self.concat_score_weight.value, query.dtype)
            y, weights = active().additive_attention_forward(*scaled, value, w, **sight)
            return y, weights, (query, key, scaled, value, w, weights, sight)
        scaled = (query if self.scale is None else query * scale, key)
        heads = [a[:, :, None] for a in (*scaled, value)]
        y, lse, scores = active().attention_forward(*heads, scale=1.0, **sight, need_scores=need_scores)
        return y[:, :, 0], None if scores is None else scores[:, 0], (query, key, scaled, heads, y, lse, scores, sight)

    def _gradients(self, dy: np.ndarray, dscores: np.ndarray | None, ctx: Any) -> tuple[np.ndarray, ...]:
        if self.score_mode == "concat":
            query, key, scaled, value, w, weights, sight = ctx
            dq, dk, dv, dw = active().additive_attention_backward(
                dy, *scaled, value, weights, w, **sight, dweights=dscores
            )
            self.concat_score_weight.grad[...] = dw.sum()
            if self.scale is None:
                return dq, dk, dv
            self.scale.grad[...] = np.vdot(dq, query) + np.vdot(dk, key)
            return dq * self.scale.value, dk * self.scale.value, dv
        query, key, scaled, heads, y, lse, scores, sight = ctx
        with_scores = {} if dscores is None else {"scores": scores, "dscores": dscores[:, None]}
        dy = np.ascontiguousarray(dy)[:, :, None]
        grads = active().attention_backward(dy, *heads, y, lse, scale=1.0, **sight, **with_scores)
        dq, dk, dv = (g[:, :, 0] for g in grads)
        if self.scale is not None:
            self.scale.grad[...] = np.vdot(dq, query)
            dq = dq * self.scale.value
        return dq, dk, dv


class AdditiveAttention(Attention):
    """Additive attention of one head (Bahdanau's): y = softmax(Σ_d scale_d·tanh(query_d + key_d))·value.

    Call it on a list [query (N, Tq, D), value (N, Tk, V)] or [query, value, key (N, Tk, D)] → y (N, Tq, V).  The key is
    the value if it is not given.  Weight: scale (D,), with ``use_scale``.  A query that may see no key gets zeros.

    Parameters
    ----------
    use_scale : bool
        Whether the terms of a score have weights that are learned.
    dropout : float
        Share of the weights of pairs that are set to zero in training.
    seed : int, optional
        A fixed start of the dropout; None takes one from ``fastnn.utils.set_random_seed``.

    Raises
    ------
    ValueError
        If an argument is not as above, or the inputs are not two or three sequences that fit together.

    References
    ----------
    Bahdanau et al.: Neural Machine Translation by Jointly Learning to Align and Translate, 2014.

    Examples
    --------
    >>> query, value = np.array([[[2.0, 2.0]]]), np.array([[[1.0, 1.0], [-9.0, -9.0]]])
    >>> AdditiveAttention(use_scale=False)([query, value]).round(2)
    array([[[0.82, 0.82]]], dtype=float32)
    """

    fields = ("use_scale", "dropout", "seed")

    def __init__(self, use_scale: bool = True, dropout: float = 0.0, seed: int | None = None, **settings: Any):
        super().__init__(use_scale, "dot", dropout, seed, **settings)

    def build(self, input_shape: Any) -> None:
        DrawingLayer.build.unwrapped(self, input_shape)
        query, *_ = self._check(input_shape)
        if self.use_scale:
            self.scale = self.add_weight((query[-1],), "glorot_uniform", name="scale")

    def _attend(
        self, query: np.ndarray, value: np.ndarray, key: np.ndarray, sight: dict[str, Any], need_scores: bool
    ) -> tuple[np.ndarray, np.ndarray | None, Any]:
        w = None if self.scale is None else self.scale.value
        y, weights = active().additive_attention_forward(query, key, value, w, **sight)
        return y, weights, (query, key, value, weights, sight)

    def _gradients(self, dy: np.ndarray, dscores: np.ndarray | None, ctx: Any) -> tuple[np.ndarray, ...]:
        query, key, value, weights, sight = ctx
        dq, dk, dv, _ = active().additive_attention_backward(
            dy,
            query,
            key,
            value,
            weights,
            None if self.scale is None else self.scale.value,
            **sight,
            dweights=dscores,
            need_dw=self.scale is not None,
            dw=None if self.scale is None else self.scale.grad,
        )
        return dq, dk, dv

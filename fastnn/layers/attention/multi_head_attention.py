"""MultiHeadAttention: several attentions side by side, each in a subspace of its own."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

from ...shapes import MOST
from ..base import Shape
from ..support.arguments import positive
from .heads import HeadsAttention, Sizes

__all__ = ["MultiHeadAttention"]


class MultiHeadAttention(HeadsAttention):
    """Attention in several heads: y = concat(headₙ)·W_o + b_o, headₙ = softmax(qₙ·kₙᵀ / √key_dim)·vₙ.

    qₙ = query·W_q[:, n] + b_q[n], and kₙ, vₙ likewise of key and value.  query (N, Tq, D), value (N, Tk, D'), key
    (N, Tk, D'') → y (N, Tq, D).  Call it on ``(query, value, key=None)``: the value comes before the key.

    Weights in order: query kernel (D, heads, key_dim) and bias (heads, key_dim), key kernel and bias, value kernel and
    bias, output kernel (heads, value_dim, D) and bias (D,).  A query that may see no key, since masks hide them all,
    gets the output bias; so do queries that their mask leaves out.

    Parameters
    ----------
    num_heads : int
    key_dim : int
        Depth of queries and keys in a head.
    value_dim : int, optional
        Depth of values in a head; ``key_dim`` if None.
    dropout : float
        Share of the weights of pairs that are set to zero in training.
    use_bias : bool
    output_shape : int or tuple of int, optional
        Sizes of the last axes of the output; those of the query if None.
    attention_axes : tuple of int, optional
        The axes to attend over; all between the batch and the features if None.
    sliding_window : int, optional
        A query sees only keys less than this many steps away.
    flash_attention : bool, optional
        Accepted as Keras does; no array of pairs is ever made unless scores are asked for.
    kernel_initializer, bias_initializer : str or object
    kernel_regularizer, bias_regularizer, activity_regularizer : optional
    kernel_constraint, bias_constraint : optional
    use_gate : bool
        Whether the heads are multiplied by sigmoid(query·W_g + b_g); its weights come before those of the value.
    seed : int, optional
        A fixed start of the dropout; None takes one from ``fastnn.utils.set_random_seed``.

    Raises
    ------
    ValueError
        If an argument is not as above, or the shapes of query, value and key do not fit together.

    References
    ----------
    Vaswani et al.: Attention Is All You Need, 2017.

    Examples
    --------
    >>> import numpy as np
    >>> attention = MultiHeadAttention(num_heads=4, key_dim=16)
    >>> x = np.zeros((2, 10, 64), "float32")
    >>> attention(x, x).shape
    (2, 10, 64)
    >>> y, scores = attention(x, x, return_attention_scores=True, use_causal_mask=True)
    >>> scores.shape, scores[0, 0, 1, :3].tolist()
    ((2, 4, 10, 10), [0.5, 0.5, 0.0])
    """

    fields = ("num_heads", "key_dim", "value_dim", *HeadsAttention.fields)

    def __init__(
        self,
        num_heads: int,
        key_dim: int,
        value_dim: int | None = None,
        dropout: float = 0.0,
        use_bias: bool = True,
        output_shape: int | Sequence[int] | None = None,
        attention_axes: int | Sequence[int] | None = None,
        sliding_window: int | None = None,
        flash_attention: bool | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        use_gate: bool = False,
        seed: int | None = None,
        **settings: Any,
    ):
        self.num_heads = positive("num_heads", num_heads, self)
        self.key_dim = positive("key_dim", key_dim, self)
        self.value_dim = self.key_dim if value_dim is None else positive("value_dim", value_dim, self)
        self.last_sizes = _sizes("output_shape", output_shape)
        self.attention_axes = _sizes("attention_axes", attention_axes)
        super().__init__(
            Sizes(self.num_heads, self.num_heads, self.key_dim, self.value_dim),
            dropout,
            use_bias,
            sliding_window,
            flash_attention,
            kernel_initializer,
            bias_initializer,
            kernel_regularizer,
            bias_regularizer,
            kernel_constraint,
            bias_constraint,
            use_gate,
            seed,
            **settings,
        )

    def attended_axes(self) -> tuple[int, ...] | None:
        return self.attention_axes

    def sizes_of_output(self, query_shape: Shape) -> tuple[int, ...]:
        return self.last_sizes or super().sizes_of_output(query_shape)

    def get_config(self) -> dict[str, Any]:
        lists = {"output_shape": self.last_sizes, "attention_axes": self.attention_axes}
        return super().get_config() | {name: None if value is None else list(value) for name, value in lists.items()}


def _sizes(name: str, value: Any) -> tuple[int, ...] | None:
    if value is None:
        return None
    try:
        found = tuple(operator.index(n) for n in (value if isinstance(value, Sequence) else [value]))
    except TypeError:
        found = ()
    if not found or any(not 1 <= n < MOST for n in found):
        raise ValueError(
            f"{name} of MultiHeadAttention must hold integers from 1 to 2**31 - 1. Received: {name}={value!r}."
        )
    return found

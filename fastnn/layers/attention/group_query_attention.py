"""GroupQueryAttention: several heads of queries share a head of keys and values."""

from __future__ import annotations

from typing import Any

from ..support.arguments import positive
from .heads import HeadsAttention, Sizes

__all__ = ["GroupQueryAttention"]


class GroupQueryAttention(HeadsAttention):
    """Attention in which groups of query heads share the keys and values of one head.

    headₙ = softmax(qₙ·k_gᵀ / √head_dim)·v_g with g = n // (num_query_heads / num_key_value_heads), and
    y = concat(headₙ)·W_o + b_o.  query (N, Tq, D), value (N, Tk, D'), key (N, Tk, D'') → y (N, Tq, D).  Call it on
    ``(query, value, key=None)``: the value comes before the key.

    Weights in order: query kernel (D, num_query_heads, head_dim) and bias, key kernel (D'', num_key_value_heads,
    head_dim) and bias, value kernel and bias, output kernel (num_query_heads, head_dim, D) and bias.

    Parameters
    ----------
    head_dim : int
        Depth of a head.
    num_query_heads, num_key_value_heads : int
        The latter divides the former; 1 makes multi-query attention.
    dropout : float
        Share of the weights of pairs that are set to zero in training.
    use_bias : bool
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
    Ainslie et al.: GQA: Training Generalized Multi-Query Transformer Models from Multi-Head Checkpoints, 2023.

    Examples
    --------
    >>> import numpy as np
    >>> attention = GroupQueryAttention(head_dim=8, num_query_heads=4, num_key_value_heads=2)
    >>> x = np.ones((2, 10, 32), "float32")
    >>> attention(x, x).shape, [w.shape for w in attention.weights[:4]]
    ((2, 10, 32), [(32, 4, 8), (4, 8), (32, 2, 8), (2, 8)])
    """

    fields = ("head_dim", "num_query_heads", "num_key_value_heads", *HeadsAttention.fields)

    def __init__(
        self,
        head_dim: int,
        num_query_heads: int,
        num_key_value_heads: int,
        dropout: float = 0.0,
        use_bias: bool = True,
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
        self.head_dim = positive("head_dim", head_dim, self)
        self.num_query_heads = positive("num_query_heads", num_query_heads, self)
        self.num_key_value_heads = positive("num_key_value_heads", num_key_value_heads, self)
        if self.num_query_heads % self.num_key_value_heads:
            raise ValueError(
                "num_key_value_heads of GroupQueryAttention must divide num_query_heads, so that all groups have the "
                f"same size. Received: num_query_heads={num_query_heads}, num_key_value_heads={num_key_value_heads}."
            )
        super().__init__(
            Sizes(self.num_query_heads, self.num_key_value_heads, self.head_dim, self.head_dim),
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

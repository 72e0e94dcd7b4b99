"""TokenAndPositionEmbedding: a token and its position, as one vector."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..base import Layer, Shape
from ..support.arguments import positive
from ..support.wrapper import Wrapper
from .embedding import Embedding
from .positions import PositionEmbedding

__all__ = ["TokenAndPositionEmbedding"]


class TokenAndPositionEmbedding(Wrapper):
    """y[n, t] = W[ids[n, t]] + P[start_index + t]: an Embedding and a PositionEmbedding, added.

    ids (N, T) integers → y (N, T, embedding_dim).  Weights in order: W (vocabulary_size, embedding_dim),
    P (sequence_length, embedding_dim).

    Parameters
    ----------
    vocabulary_size : int
    sequence_length : int
        The longest sequence.
    embedding_dim : int
    embeddings_initializer : str or object
        Of both tables.
    mask_zero : bool
        Id 0 is padding: the layers that follow get the mask ``ids != 0``.

    Raises
    ------
    ValueError
        If a size is not positive, an id is not in the vocabulary, or a sequence is longer than sequence_length.

    Examples
    --------
    >>> layer = TokenAndPositionEmbedding(vocabulary_size=4, sequence_length=5, embedding_dim=2)
    >>> layer([[3, 1, 0]]).shape, [w.shape for w in layer.weights]
    ((1, 3, 2), [(4, 2), (5, 2)])
    """

    takes_ids = True
    fields = ("vocabulary_size", "sequence_length", "embedding_dim", "embeddings_initializer", "mask_zero")

    def __init__(
        self,
        vocabulary_size: int,
        sequence_length: int,
        embedding_dim: int,
        embeddings_initializer: Any = "uniform",
        mask_zero: bool = False,
        **settings: Any,
    ):
        super().__init__(**settings)
        self.vocabulary_size = positive("vocabulary_size", vocabulary_size, self)
        self.sequence_length = positive("sequence_length", sequence_length, self)
        self.embedding_dim = positive("embedding_dim", embedding_dim, self)
        self.embeddings_initializer = embeddings_initializer
        inside = {"dtype": self.dtype, "trainable": self.trainable}
        self.token_embedding = Embedding(
            self.vocabulary_size,
            self.embedding_dim,
            embeddings_initializer,
            mask_zero=mask_zero,
            name="token_embedding",
            **inside,
        )
        self.position_embedding = PositionEmbedding(
            self.sequence_length, embeddings_initializer, name="position_embedding", **inside
        )
        self.mask_zero = self.makes_mask = self.token_embedding.mask_zero

    @property
    def children(self) -> list[Layer]:
        """The two tables."""
        return [self.token_embedding, self.position_embedding]

    def __call__(self, x: Any, start_index: int = 0) -> Any:
        """The vectors of ids (N, T), whose first time step has the position ``start_index``."""
        return self.call_on(x, start_index=self.position_embedding.read_start(start_index))

    def build(self, input_shape: Shape) -> None:
        self.build_child(self.position_embedding, self.build_child(self.token_embedding, input_shape))

    def compute_output_shape(self, input_shape: Shape, start_index: int = 0) -> Shape:
        if len(input_shape) != 2:
            self.refuse_shape("ids (batch, time)", input_shape)
        return self.position_embedding.compute_output_shape((*input_shape, self.embedding_dim), start_index)

    def compute_mask(self, x: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray | None:
        return self.token_embedding.compute_mask(x, mask)

    def check_ids(self, ids: np.ndarray) -> None:
        self.token_embedding.check_ids(ids)

    def forward(self, x: np.ndarray, training: bool = False, start_index: int = 0) -> tuple[np.ndarray, Any]:
        y, ids = self.token_embedding.forward(x)
        places, rows = self.position_embedding.forward(y, False, start_index)
        places += y
        return places, (ids, rows)

    def backward(self, dy: np.ndarray, ctx: Any, need_dx: bool = True) -> np.ndarray | None:
        ids, rows = ctx
        self.position_embedding.backward(dy, rows)
        return self.token_embedding.backward(dy, ids, need_dx)

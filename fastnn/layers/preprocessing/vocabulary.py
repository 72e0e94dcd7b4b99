"""Vocabularies: tokens and their ids, learned from data or given, with places for padding and for unknown tokens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from typing import Any

import numpy as np

__all__ = ["Vocabulary"]


class Vocabulary:
    """Tokens in the order of their ids: the special ones first, then by frequency or as given.

    Parameters
    ----------
    owner : str
        The layer's class, for errors.
    mask_token : token or None
        The entry for padding; None if there is none.
    oov_token : token
        The entry for unknown tokens in lists of the vocabulary.
    oov_count : int
        How many ids unknown tokens share.
    max_tokens : int, optional
        The most entries, special ones included.
    numbers_masks : bool
        Whether padding has an id, 0; else its tokens are left out.
    weighs : bool
        Whether each entry has a weight, log(1 + documents / (1 + documents with it)).

    Attributes
    ----------
    index : dict
        The id of each token that is not special.
    special : list
    weights : float32 array or None
        One for each entry.

    Examples
    --------
    >>> words = Vocabulary("StringLookup", None, "[UNK]", 1)
    >>> words.learn([["b", "a"], ["b"]])
    >>> words.entries()
    ['[UNK]', 'b', 'a']
    """

    def __init__(
        self,
        owner: str,
        mask_token: Any,
        oov_token: Any,
        oov_count: int,
        max_tokens: int | None = None,
        numbers_masks: bool = True,
        weighs: bool = False,
    ):
        self.owner, self.mask_token, self.max_tokens, self.weighs = owner, mask_token, max_tokens, weighs
        masks = [mask_token] if mask_token is not None and numbers_masks else []
        self.oov_start, self.oov_count = len(masks), oov_count
        self.special = [*masks, *([oov_token] * oov_count)]
        self.oov_token = oov_token
        self.index: dict[Any, int] = {}
        self.weights: np.ndarray | None = None
        self.given = False

    def learn(self, rows: Iterable[Sequence[Hashable]]) -> None:
        """Number the tokens of these documents: the most frequent first, equally frequent ones in reverse order."""
        if self.given:
            raise ValueError(
                f"adapt of {self.owner} cannot learn a vocabulary that was given. Received: vocabulary=[...]. Use "
                "adapt or vocabulary, not both; set_vocabulary replaces it."
            )
        counts: Counter[Any] = Counter()
        documents: Counter[Any] = Counter()
        number = 0
        for tokens in rows:
            counts.update(tokens)
            number += 1
            if self.weighs:
                documents.update(set(tokens))
        for special in (self.mask_token, self.oov_token):
            counts.pop(special, None)
        order = sorted(sorted(counts, reverse=True), key=counts.__getitem__, reverse=True)
        if self.max_tokens is not None:
            order = order[: max(self.max_tokens - len(self.special), 0)]
        self._number(order)
        if self.weighs and order:
            weights = np.log(1 + number / (1 + np.array([documents[token] for token in order], np.float64)))
            self.weights = self._padded(weights)

    def set(self, tokens: Sequence[Any], weights: Any = None) -> None:
        """Take these tokens, which may begin with the special ones; if they are refused, the old ones stay.

        Raises
        ------
        ValueError
            If tokens repeat, or there are none or too many, or the weights do not fit.
        """
        tokens = list(tokens)
        given = None if weights is None else np.asarray(weights, np.float64)
        if (given is None) == self.weighs:
            raise ValueError(
                f'output_mode="tf_idf" of {self.owner} needs idf_weights, one per token; other modes accept none. '
                f"Received: {'none' if given is None else 'some'}."
            )
        if given is not None and given.shape != (len(tokens),):
            raise ValueError(f"idf_weights must be one per token, {len(tokens)} here. Received: shape {given.shape}.")
        begins = bool(self.special) and tokens[: len(self.special)] == self.special
        rest = tokens[len(self.special) :] if begins else tokens
        if not rest:
            raise ValueError("A vocabulary must contain at least one token. Received: none.")
        self._refuse_repeated(rest)
        if self.max_tokens is not None and len(rest) + len(self.special) > self.max_tokens:
            raise ValueError(
                f"A vocabulary can have at most max_tokens={self.max_tokens} entries, {len(self.special)} of them "
                f"special. Received: {len(rest)} tokens."
            )
        self._number(rest)
        if given is not None:
            self.weights = given.astype(np.float32) if begins else self._padded(given)

    def _refuse_repeated(self, tokens: list[Any]) -> None:
        repeated: list[Any] = [token for token, n in Counter(tokens).items() if n > 1]
        if repeated or (self.mask_token is not None and self.mask_token in tokens):
            odd = f"{repeated[:5]}" if repeated else "the mask token"
            if not repeated and self.mask_token == "":
                odd = "the empty string, which is reserved for padding"
            raise ValueError(
                f"Each token must occur once in a vocabulary, special ones at its start, {self.special}, or not at "
                f"all. Received: {odd}."
            )

    def _number(self, tokens: list[Any]) -> None:
        self.index = {token: i for i, token in enumerate(tokens, len(self.special))}

    def _padded(self, weights: np.ndarray) -> np.ndarray:
        """The weights with those of the special entries, which get the mean."""
        return np.concatenate([np.full(len(self.special), weights.mean()), weights]).astype(np.float32)

    def entries(self, special: bool = True) -> list[Any]:
        """All tokens in the order of their ids."""
        return [*(self.special if special else []), *self.index]

    def __len__(self) -> int:
        return len(self.special) + len(self.index)

    def require(self) -> None:
        """Raise RuntimeError if there are no tokens yet."""
        if not self.index:
            raise RuntimeError(f"{self.owner} has no vocabulary yet. Call layer.adapt(data), or pass vocabulary=[...].")

"""Prepare text for a model: tokens, vocabularies, ids."""

from ..layers.preprocessing.text_vectorization import TextVectorization
from .hashing import hashing_trick, one_hot
from .tokenizer import Tokenizer, tokenizer_from_json
from .words import text_to_word_sequence

__all__ = [
    "TextVectorization",
    "Tokenizer",
    "hashing_trick",
    "one_hot",
    "text_to_word_sequence",
    "tokenizer_from_json",
]

"""How well a language model predicts a corpus, and whether a sequence-to-sequence model answers a question."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

__all__ = ["eval_perplexity", "eval_seq2seq"]


def eval_perplexity(model: Any, corpus: np.ndarray, batch_size: int = 10, time_size: int = 35) -> Any:
    """Return e^loss of the next words of a corpus, and print progress.

    The corpus is cut into `batch_size` parts that run side by side, `time_size` words in each call of
    ``model.forward(xs, ts, train_flg=False)``, or without `train_flg` where the model does not know it.
    """
    print("evaluating perplexity ...")
    corpus = np.asarray(corpus)
    size = len(corpus)
    iterations, jump = (size - 1) // (batch_size * time_size), (size - 1) // batch_size
    starts = np.arange(batch_size)[:, None] * jump + np.arange(time_size)
    total = 0.0
    for i in range(iterations):
        places = starts + i * time_size
        xs, ts = (corpus[(places + ahead) % size].astype(np.int32) for ahead in (0, 1))
        try:
            loss = model.forward(xs, ts, train_flg=False)
        except TypeError:
            loss = model.forward(xs, ts)
        total += loss
        sys.stdout.write(f"\r{i} / {iterations}")
        sys.stdout.flush()
    print("")
    return np.exp(total / iterations)


def eval_seq2seq(
    model: Any,
    question: np.ndarray,
    correct: np.ndarray,
    id_to_char: dict[int, str],
    verbos: bool = False,
    is_reverse: bool = False,
) -> int:
    """Return 1 if ``model.generate`` gives the correct answer, else 0; print both with `verbos` (the book's spelling).

    The first id of `correct` starts the answer; the rest is what must come.
    """
    start, *expected = np.asarray(correct).flatten()
    guess = model.generate(question, start, len(expected))
    asked, wanted, got = (
        "".join(id_to_char[int(c)] for c in ids) for ids in (np.asarray(question).flatten(), expected, guess)
    )
    if verbos:
        print("Q", asked[::-1] if is_reverse else asked)
        print("T", wanted)
        print("O" if got == wanted else "X", got)
        print("---")
    return int(got == wanted)

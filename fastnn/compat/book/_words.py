"""Words as the second book counts and compares them."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = [
    "analogy",
    "convert_one_hot",
    "cos_similarity",
    "create_co_matrix",
    "create_contexts_target",
    "most_similar",
    "normalize",
    "ppmi",
    "preprocess",
]


def preprocess(text: str) -> tuple[np.ndarray, dict[str, int], dict[int, str]]:
    """Return the ids of a text's words, and the dictionaries from word to id and back; a full stop is a word.

    Examples
    --------
    >>> corpus, word_to_id, id_to_word = preprocess("You say goodbye and I say hello.")
    >>> corpus
    array([0, 1, 2, 3, 4, 1, 5, 6])
    >>> id_to_word[6]
    '.'
    """
    words = text.lower().replace(".", " .").split(" ")
    word_to_id: dict[str, int] = {}
    corpus = np.array([word_to_id.setdefault(word, len(word_to_id)) for word in words])
    return corpus, word_to_id, {i: word for word, i in word_to_id.items()}


def cos_similarity(x: np.ndarray, y: np.ndarray, eps: float = 1e-8) -> Any:
    """Return x·y / ((‖x‖ + eps)(‖y‖ + eps)).

    Examples
    --------
    >>> round(float(cos_similarity(np.array([1.0, 0.0]), np.array([1.0, 1.0]))), 4)
    0.7071
    """
    nx = x / (np.sqrt(np.sum(x**2)) + eps)
    ny = y / (np.sqrt(np.sum(y**2)) + eps)
    return np.dot(nx, ny)


def most_similar(
    query: str,
    word_to_id: dict[str, int],
    id_to_word: dict[int, str],
    word_matrix: np.ndarray,
    top: int = 5,
) -> None:
    """Print the words whose vectors are most similar to that of `query`, by the cosine.

    Examples
    --------
    >>> vectors = np.array([[1.0, 0.0], [1.0, 0.1], [0.0, 1.0]])
    >>> most_similar("a", {"a": 0, "b": 1, "c": 2}, {0: "a", 1: "b", 2: "c"}, vectors, top=1)
    <BLANKLINE>
    [query] a
     b: 0.995037
    """
    if query not in word_to_id:
        print(f"{query} is not found")
        return
    print("\n[query] " + query)
    matrix = word_matrix[: len(id_to_word)]
    vector = word_matrix[word_to_id[query]]
    norms = np.sqrt((matrix**2).sum(axis=1)) + 1e-8
    similarity = matrix @ vector / (norms * (np.sqrt((vector**2).sum()) + 1e-8))
    _print_best(similarity, {query}, id_to_word, top)


def _print_best(similarity: np.ndarray, left_out: set[str], id_to_word: dict[int, str], top: int) -> None:
    shown = 0
    for i in np.argsort(-similarity):
        if shown == top:
            return
        if id_to_word[int(i)] not in left_out and not np.isnan(similarity[i]):
            print(f" {id_to_word[int(i)]}: {similarity[i]:.6g}")
            shown += 1


def analogy(
    a: str,
    b: str,
    c: str,
    word_to_id: dict[str, int],
    id_to_word: dict[int, str],
    word_matrix: np.ndarray,
    top: int = 5,
    answer: str | None = None,
) -> None:
    """Print the words that are to `c` what `b` is to `a`: those nearest to b − a + c.

    Examples
    --------
    >>> ids = {"man": 0, "king": 1, "woman": 2, "queen": 3}
    >>> vectors = np.array([[1.0, 0.0], [1.0, 1.0], [-1.0, 0.0], [-1.0, 1.0]])
    >>> analogy("man", "king", "woman", ids, {i: w for w, i in ids.items()}, vectors, top=1)
    <BLANKLINE>
    [analogy] man:king = woman:?
     queen: 1.41421
    """
    for word in (a, b, c):
        if word not in word_to_id:
            print(f"{word} is not found")
            return
    print(f"\n[analogy] {a}:{b} = {c}:?")
    of_a, of_b, of_c = (word_matrix[word_to_id[word]] for word in (a, b, c))
    query = normalize(of_b - of_a + of_c)
    similarity = np.dot(word_matrix, query)
    if answer is not None:
        print(f"==>{answer}:{np.dot(word_matrix[word_to_id[answer]], query)}")
    _print_best(similarity, {a, b, c}, id_to_word, top)


def normalize(x: np.ndarray) -> np.ndarray:
    """Divide a vector, or each row of a matrix, by its length, in place, and return it.

    Examples
    --------
    >>> normalize(np.array([3.0, 4.0]))
    array([0.6, 0.8])
    """
    x /= np.sqrt((x * x).sum(axis=-1, keepdims=True))
    return x


def convert_one_hot(corpus: np.ndarray, vocab_size: int) -> np.ndarray:
    """Return ids as one-hot rows of int32, along a new last axis.

    Examples
    --------
    >>> convert_one_hot(np.array([2, 0]), 3)
    array([[0, 0, 1],
           [1, 0, 0]], dtype=int32)
    """
    return np.eye(vocab_size, dtype=np.int32)[corpus]


def create_co_matrix(corpus: Any, vocab_size: int, window_size: int = 1) -> np.ndarray:
    """Return how often each word occurs at most `window_size` places from each other word (int32).

    Examples
    --------
    >>> create_co_matrix([0, 1, 2, 1], 3)
    array([[0, 1, 0],
           [1, 0, 2],
           [0, 2, 0]], dtype=int32)
    """
    corpus = np.asarray(corpus)
    counts = np.zeros((vocab_size, vocab_size), dtype=np.int32)
    for distance in range(1, window_size + 1):
        left, right = corpus[:-distance], corpus[distance:]
        np.add.at(counts, (left, right), 1)
        np.add.at(counts, (right, left), 1)
    return counts


def ppmi(C: np.ndarray, verbose: bool = False, eps: float = 1e-8) -> np.ndarray:
    """Return the positive pointwise mutual information, max(0, log2(C_ij · N / (S_i · S_j) + eps)), as float32.

    N is the sum of all counts, S_i that of column i. With `verbose` progress is printed.

    Examples
    --------
    >>> ppmi(np.array([[0, 1], [1, 2]])).round(3)
    array([[0.   , 0.415],
           [0.415, 0.   ]], dtype=float32)
    """
    counts = np.asarray(C, dtype=np.float64)
    total, sums = counts.sum(), counts.sum(axis=0)
    found = np.zeros(counts.shape, dtype=np.float32)
    report = max(1, len(counts) // 100)
    with np.errstate(all="ignore"):
        for i, row in enumerate(counts):
            found[i] = np.fmax(0, np.log2(row * total / (sums * sums[i]) + eps))
            if verbose and (i + 1) % report == 0:
                print(f"{100 * (i + 1) / len(counts):.1f}% done")
    return found


def create_contexts_target(corpus: Any, window_size: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Return for each word with whole windows on both sides the words around it, and the word.

    Examples
    --------
    >>> contexts, target = create_contexts_target(np.array([0, 1, 2, 3]))
    >>> contexts.tolist(), target.tolist()
    ([[0, 2], [1, 3]], [1, 2])
    """
    corpus = np.asarray(corpus)
    target = corpus[window_size:-window_size]
    offsets = [d for d in range(-window_size, window_size + 1) if d != 0]
    places = np.arange(window_size, len(corpus) - window_size)
    return corpus[places[:, None] + np.array(offsets)], target.copy()

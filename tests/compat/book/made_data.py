"""Data of the sizes that the books train on, made up: no file is needed, and numbers are those of a seed."""

import numpy as np

BATCH, UNITS = 100, 650  # images in a batch, units of the better language model


def mnist(count=2000):
    """Images (N, 1, 28, 28) like MNIST's, mostly zeros, and labels: a blot whose place says the label."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 10, count)
    rows, columns = np.mgrid[:28, :28]
    centres = np.stack([6 + 4 * (labels // 3), 6 + 5 * (labels % 3)], axis=1) + rng.normal(0, 1.5, (count, 2))
    distance = (rows - centres[:, 0, None, None]) ** 2 + (columns - centres[:, 1, None, None]) ** 2
    images = np.where(distance < 50, rng.random((count, 28, 28)), 0).astype(np.float32)
    return images[:, None], labels


def words(length=100_000, vocabulary=10_000):
    """A corpus of word ids, frequent words as frequent as Zipf says, and its number of words."""
    rng = np.random.default_rng(1)
    drawn = rng.zipf(1.3, length) % vocabulary
    _, corpus = np.unique(drawn, return_inverse=True)
    return corpus, int(corpus.max()) + 1


def additions(count=20_000):
    """Questions (N, 7) and answers (N, 5) of 13 characters."""
    rng = np.random.default_rng(2)
    x = rng.integers(0, 13, (count, 7))
    return x, np.concatenate([np.full((count, 1), 6), (x[:, :4] + x[:, 3:]) % 13], axis=1)


def dates(count=20_000):
    """Dates in words (N, 29) and in figures (N, 11), of 59 characters."""
    rng = np.random.default_rng(3)
    x = rng.integers(0, 59, (count, 29))
    return x, np.concatenate([np.full((count, 1), 14), x[:, 3:13]], axis=1)

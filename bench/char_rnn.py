"""The model of ``examples/char_rnn_shakespeare.py`` in fastnn and in PyTorch: same first weights, same batches.

Adam's epsilon stands in different places in the two (before and behind the correction of the first steps); at 1e-7 that
shows in the second loss already, since the gradients of the first steps are small. Here it is too small to matter.

Prints bits a character on the validation tenth after every epoch, and the seconds, for each seed. Run it once in an
environment with fastnn and once in one with PyTorch (which needs NumPy and this repository on the path, nothing built):

    python bench/char_rnn.py fastnn --epochs 2 --seeds 2
    PYTHONPATH=. python bench/char_rnn.py torch --epochs 2 --seeds 2
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from math import log
from time import perf_counter

import numpy as np

from fastnn.datasets import tiny_shakespeare

ROWS, STEPS, WIDTH, UNITS, RATE, EPSILON = 64, 64, 64, 256, 0.004, 1e-12


def batches(ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Inputs and targets (batches, ROWS, STEPS); each row goes on where that of the batch before has stopped."""
    steps = (len(ids) - 1) // ROWS
    x, y = (ids[i : i + ROWS * steps].reshape(ROWS, steps) for i in (0, 1))
    whole = steps // STEPS * STEPS
    x, y = (a[:, :whole].reshape(ROWS, -1, STEPS).swapaxes(0, 1) for a in (x, y))
    return np.ascontiguousarray(x), np.ascontiguousarray(y)


def first_weights(seed: int, characters: int) -> list[np.ndarray]:
    """As Keras draws them, in its order: embeddings; kernel, recurrent kernel, bias (i f g o); kernel, bias."""
    rng = np.random.default_rng(seed)

    def glorot(rows: int, columns: int) -> np.ndarray:
        limit = (6 / (rows + columns)) ** 0.5
        return rng.uniform(-limit, limit, (rows, columns))

    recurrent = np.linalg.qr(rng.standard_normal((4 * UNITS, UNITS)))[0].T
    bias = np.zeros(4 * UNITS)
    bias[UNITS : 2 * UNITS] = 1
    weights = [rng.uniform(-0.05, 0.05, (characters, WIDTH)), glorot(WIDTH, 4 * UNITS), recurrent, bias]
    return [w.astype(np.float32) for w in (*weights, glorot(UNITS, characters), np.zeros(characters))]


Run = Iterator[tuple[float, float]]
"""After each epoch: the validation loss, and the seconds of its training."""


def with_fastnn(weights: list[np.ndarray], train: tuple, valid: tuple, epochs: int) -> Run:
    from fastnn.data import Dataset
    from fastnn.layers import LSTM, Dense, Embedding, Input
    from fastnn.models import Sequential
    from fastnn.optimizers import Adam

    characters = len(weights[0])
    model = Sequential(
        [
            Input(batch_shape=(ROWS, None)),
            Embedding(characters, WIDTH),
            LSTM(UNITS, return_sequences=True, stateful=True),
            Dense(characters, activation="softmax"),
        ]
    )
    model.set_weights(weights)
    model.compile(Adam(RATE, epsilon=EPSILON), "sparse_categorical_crossentropy")
    for _ in range(epochs):
        start = perf_counter()
        model.reset_state()
        model.fit(Dataset.from_tensor_slices(train), verbose=0)
        seconds = perf_counter() - start
        model.reset_state()
        yield model.evaluate(Dataset.from_tensor_slices(valid), verbose=0), seconds


def with_torch(weights: list[np.ndarray], train: tuple, valid: tuple, epochs: int) -> Run:
    import torch

    characters = len(weights[0])
    embedding = torch.nn.Embedding(characters, WIDTH)
    lstm = torch.nn.LSTM(WIDTH, UNITS, batch_first=True)
    dense = torch.nn.Linear(UNITS, characters)
    e, k, r, b, w, c = (torch.from_numpy(a) for a in weights)
    with torch.no_grad():
        for parameter, value in (
            (embedding.weight, e),
            (lstm.weight_ih_l0, k.T),
            (lstm.weight_hh_l0, r.T),
            (lstm.bias_ih_l0, b),
            (lstm.bias_hh_l0, torch.zeros_like(b)),
            (dense.weight, w.T),
            (dense.bias, c),
        ):
            parameter.copy_(value)
    lstm.bias_hh_l0.requires_grad_(False)  # one bias, as in Keras
    parameters = [p for part in (embedding, lstm, dense) for p in part.parameters() if p.requires_grad]
    optimizer = torch.optim.Adam(parameters, RATE, eps=EPSILON)
    train, valid = (tuple(torch.from_numpy(a) for a in part) for part in (train, valid))

    def loss_of(x: torch.Tensor, y: torch.Tensor, states: tuple | None) -> tuple[torch.Tensor, tuple]:
        h, states = lstm(embedding(x), states)
        return torch.nn.functional.cross_entropy(dense(h).flatten(0, 1), y.flatten()), states

    for _ in range(epochs):
        start, states = perf_counter(), None
        for x, y in zip(*train, strict=True):
            optimizer.zero_grad(set_to_none=True)
            loss, states = loss_of(x, y, states)
            loss.backward()
            optimizer.step()
            states = tuple(s.detach() for s in states)
        seconds, states, total = perf_counter() - start, None, 0.0
        with torch.inference_mode():
            for x, y in zip(*valid, strict=True):
                loss, states = loss_of(x, y, states)
                total += float(loss)
        yield total / len(valid[0]), seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("framework", choices=("fastnn", "torch"))
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--seeds", type=int, default=2)
    args = parser.parse_args()

    text = tiny_shakespeare.load_data()
    characters = sorted(set(text))
    ids = np.searchsorted(characters, list(text))
    train, valid = batches(ids[: -len(ids) // 10]), batches(ids[-len(ids) // 10 :])
    run = {"fastnn": with_fastnn, "torch": with_torch}[args.framework]
    for seed in range(args.seeds):
        found = list(run(first_weights(seed, len(characters)), train, valid, args.epochs))
        bits = " ".join(f"{loss / log(2):.3f}" for loss, _ in found)
        print(f"{args.framework}, seed {seed}: bits a character {bits}; {sum(s for _, s in found):.1f} s", flush=True)


if __name__ == "__main__":
    main()

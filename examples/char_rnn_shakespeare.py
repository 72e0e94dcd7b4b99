"""An LSTM learns Shakespeare one character at a time, and then writes text of its own.

The text is divided into parallel rows: row i of a batch continues where row i of the previous batch ended, so a
*stateful* LSTM carries its memory along the whole row, while gradients go back over the steps of one batch only
(truncated backpropagation through time). The loss is in nats; divided by ln 2 it is the number of bits that the model
needs per character, measured on the last tenth of the text. A uniform guess needs log₂ 65 = 6.0 bits.

Measured with seed 0: 2.27 bits after eight epochs. ``bench/char_rnn.py`` trains the same model in PyTorch, from
the same weights on the same batches: 2.50 and 2.60 bits after two epochs (seeds 0 and 1), against 2.49 and 2.58 here.

    python examples/char_rnn_shakespeare.py
    python examples/char_rnn_shakespeare.py --epochs 1 --samples 100000 --temperature 0.5
"""

from math import log
from time import perf_counter

import numpy as np
from common import options, save_curves

from fastnn.callbacks import LambdaCallback
from fastnn.data import Dataset
from fastnn.datasets import tiny_shakespeare
from fastnn.layers import LSTM, Dense, Embedding, Input
from fastnn.models import Sequential
from fastnn.optimizers import Adam
from fastnn.utils import set_random_seed

ROWS, STEPS = 64, 64

args = options(
    "A character-level language model.",
    epochs=8,
    output="char_rnn_shakespeare.png",
    units=(256, "size of the LSTM"),
    temperature=(0.8, "of the sampled text: near 0 the most likely characters, above 1 more and more random"),
    length=(400, "characters to write"),
    seed=(0, "of the weights and of the sampled text"),
)
set_random_seed(args.seed)

text = tiny_shakespeare.load_data()
characters = sorted(set(text))
ids = np.searchsorted(characters, list(text))
train, valid = ids[: -len(ids) // 10][: args.samples], ids[-len(ids) // 10 :]


def parallel_rows(ids):
    """Return batches (ROWS, STEPS) of characters and of their successors; each continues where the last one ended."""
    steps = (len(ids) - 1) // ROWS
    x, y = (ids[i : i + ROWS * steps].reshape(ROWS, steps) for i in (0, 1))
    whole = steps // STEPS * STEPS
    x, y = (a[:, :whole].reshape(ROWS, -1, STEPS).swapaxes(0, 1) for a in (x, y))
    return Dataset.from_tensor_slices((x, y))


def language_model(rows):
    """Build the same layers for training, with many rows at a time, and for writing, with one."""
    return Sequential(
        [
            Input(batch_shape=(rows, None)),
            Embedding(len(characters), 64),
            LSTM(args.units, return_sequences=True, stateful=True),
            Dense(len(characters), activation="softmax"),
        ]
    )


def write(model, prompt, length, temperature):
    """Let the model continue: each character is drawn from p^(1/temperature), and is the next input."""
    model.reset_state()
    draw = np.random.default_rng(args.seed)
    written = prompt
    p = model.predict_on_batch(np.searchsorted(characters, list(prompt))[None])[0, -1]
    for _ in range(length):
        logits = np.log(p.astype(np.float64) + 1e-30) / temperature
        p = np.exp(logits - logits.max())
        choice = draw.choice(len(characters), p=p / p.sum())
        written += characters[choice]
        p = model.predict_on_batch(np.array([[choice]]))[0, -1]
    return written


model = language_model(ROWS)
model.compile(optimizer=Adam(0.004), loss="sparse_categorical_crossentropy")
model.summary()

# At the beginning of the text, in training and validation, rows start from a zero state.
fresh = LambdaCallback(
    on_epoch_begin=lambda epoch, logs: model.reset_state(), on_test_begin=lambda logs: model.reset_state()
)
start = perf_counter()
history = model.fit(parallel_rows(train), epochs=args.epochs, validation_data=parallel_rows(valid), callbacks=[fresh])
seconds = perf_counter() - start

bits = {key: [loss / log(2) for loss in losses] for key, losses in history.history.items()}
bits = {key.replace("loss", "bits per character"): values for key, values in bits.items()}
print(f"bits per character on the validation tenth: {bits['val_bits per character'][-1]:.3f} after {seconds:.0f} s")

writer = language_model(1)
writer.set_weights(model.get_weights())
print(f"\nAt temperature {args.temperature}:\n{write(writer, 'ROMEO:', args.length, args.temperature)}\n")
save_curves({f"LSTM({args.units})": bits}, ["bits per character"], args.output)

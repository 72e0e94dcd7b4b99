"""An LSTM learns Shakespeare letter by letter, and then writes on its own.

The text is laid into rows that run side by side: row i of a batch goes on where row i of the batch before has stopped,
so a *stateful* LSTM carries what it remembers across the whole row, while gradients go back over one batch of steps
only (truncated backpropagation through time). The loss is in nats; divided by ln 2 it is the number of bits that the
model would need for a character, here on the last tenth of the text. A uniform guess needs log₂ 65 = 6.0 bits.

Measured with seed 0: 2.27 bits after eight epochs. ``bench/char_rnn.py`` trains the same model in PyTorch, from
the same weights on the same batches: 2.50 and 2.60 bits there after two epochs (seeds 0 and 1), 2.49 and 2.58 here.

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
    "A language model of characters.",
    epochs=8,
    output="char_rnn_shakespeare.png",
    units=(256, "size of the LSTM"),
    temperature=(0.8, "of the sampled text: towards 0 the most likely character, above 1 ever wilder"),
    length=(400, "characters to write"),
    seed=(0, "of the weights and of the sampled text"),
)
set_random_seed(args.seed)

text = tiny_shakespeare.load_data()
characters = sorted(set(text))
ids = np.searchsorted(characters, list(text))
train, valid = ids[: -len(ids) // 10][: args.samples], ids[-len(ids) // 10 :]


def side_by_side(ids):
    """Batches (ROWS, STEPS) of characters and of those that come next; each goes on where the last one stopped."""
    steps = (len(ids) - 1) // ROWS
    x, y = (ids[i : i + ROWS * steps].reshape(ROWS, steps) for i in (0, 1))
    whole = steps // STEPS * STEPS
    x, y = (a[:, :whole].reshape(ROWS, -1, STEPS).swapaxes(0, 1) for a in (x, y))
    return Dataset.from_tensor_slices((x, y))


def language_model(rows):
    """The same layers for training, many rows at a time, and for writing, one."""
    return Sequential(
        [
            Input(batch_shape=(rows, None)),
            Embedding(len(characters), 64),
            LSTM(args.units, return_sequences=True, stateful=True),
            Dense(len(characters), activation="softmax"),
        ]
    )


def write(model, prompt, length, temperature):
    """Let the model go on: each character is drawn from p^(1/temperature), and read as the next one."""
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

# Rows start from nothing at the beginning of the text, in training and in validation.
fresh = LambdaCallback(
    on_epoch_begin=lambda epoch, logs: model.reset_state(), on_test_begin=lambda logs: model.reset_state()
)
start = perf_counter()
history = model.fit(side_by_side(train), epochs=args.epochs, validation_data=side_by_side(valid), callbacks=[fresh])
seconds = perf_counter() - start

bits = {key: [loss / log(2) for loss in losses] for key, losses in history.history.items()}
bits = {key.replace("loss", "bits a character"): values for key, values in bits.items()}
print(f"bits a character on the validation tenth: {bits['val_bits a character'][-1]:.3f} after {seconds:.0f} s")

writer = language_model(1)
writer.set_weights(model.get_weights())
print(f"\nAt temperature {args.temperature}:\n{write(writer, 'ROMEO:', args.length, args.temperature)}\n")
save_curves({f"LSTM({args.units})": bits}, ["bits a character"], args.output)

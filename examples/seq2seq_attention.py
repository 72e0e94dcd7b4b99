"""Dates written in many ways become ISO dates: an encoder, a decoder, and attention between them.

The encoder, a bidirectional GRU, reads "the 3rd of march 2021" character by character. The decoder, a GRU that starts
from the encoder's last states, writes "2021-03-03". At each step it looks at all of the encoder's outputs: additive
attention says how much at each, and the picture shows it. A second model without attention has to remember the whole
date in the last states.

In training the decoder reads the right answer, one character late (teacher forcing), so one ``fit`` trains both parts
at once. Afterwards it reads what it wrote itself, one character at a time, in a model of the same layers that takes and
gives the state.

Measured with seed 0: of 2,000 test dates, all are right in every character after four epochs; without attention 0.80 of
them, and 0.98 after eight.

    python examples/seq2seq_attention.py
    python examples/seq2seq_attention.py --epochs 8 --samples 5000
"""

from calendar import day_name, month_name
from datetime import date, timedelta
from time import perf_counter

import numpy as np
from common import draw_curves, options, picture

from fastnn import Input, Model, ops
from fastnn.layers import GRU, AdditiveAttention, Bidirectional, Concatenate, Dense, Embedding
from fastnn.optimizers import Adam
from fastnn.utils import pad_sequences, set_random_seed

LENGTH = len("2021-03-03")
MONTHS, WEEKDAYS = [name.lower() for name in month_name], [name.lower() for name in day_name]

args = options("Dates to ISO dates.", epochs=4, output="seq2seq_attention.png", units=(64, "of the encoder each way"))
args.samples = args.samples or 20000
draw = np.random.default_rng(0)


def written(day):
    """Return a date as somebody might write it."""
    d, m, y, month = day.day, day.month, day.year, MONTHS[day.month]
    ending = "th" if 10 < d < 14 else {1: "st", 2: "nd", 3: "rd"}.get(d % 10, "th")
    ways = (
        f"{d} {month} {y}",
        f"{month} {d}, {y}",
        f"{month[:3]} {d} {y}",
        f"the {d}{ending} of {month} {y}",
        f"{WEEKDAYS[day.weekday()]}, {d} {month[:3]} {y}",
        f"{d}.{m}.{y}",
        f"{d:02}/{m:02}/{y}",
        f"{y}년 {m}월 {d}일",
    )
    return ways[draw.integers(len(ways))]


days = [date(1900, 1, 1) + timedelta(int(n)) for n in draw.integers(0, 73000, args.samples + 2000)]
texts, answers = [written(day) for day in days], [day.isoformat() for day in days]
characters = sorted(set("".join(texts + answers)))
number = {character: i for i, character in enumerate(characters, 1)}  # 0: padding of a text, start of an answer
source = pad_sequences([[number[c] for c in text] for text in texts], padding="post")
target = np.array([[number[c] for c in answer] for answer in answers])
heard = np.pad(target, ((0, 0), (1, 0)))[:, :-1]  # what the decoder reads: the answer one character late
ids, train, test = len(characters) + 1, slice(args.samples), slice(args.samples, None)


def translator(attention):
    """Build the model that is trained, and the encoder and the single step of the decoder that share its layers."""
    read = Embedding(ids, 32, mask_zero=True)
    encode = Bidirectional(GRU(args.units, return_sequences=True, return_state=True))
    repeat = Embedding(ids, 32)
    decode = GRU(2 * args.units, return_sequences=True, return_state=True)
    query, key = Dense(args.units, use_bias=False), Dense(args.units)
    attend, answer = AdditiveAttention(), Dense(ids, activation="softmax")

    def encoder(text):
        encoded, *states = encode(read(text))
        return encoded, Concatenate()(states)

    def decoder(text, before, encoded, state):
        decoded, state = decode(repeat(before), initial_state=state)
        if not attention:
            return answer(decoded), state
        seen, scores = attend(
            [query(decoded), encoded, key(encoded)],
            mask=[None, ops.not_equal(text, 0)],
            return_attention_scores=True,
        )
        return answer(Concatenate()([decoded, seen])), state, scores

    text, before = Input((None,), dtype="int32"), Input((None,), dtype="int32")
    encoded, state = encoder(text)
    trained = Model([text, before], decoder(text, before, encoded, state)[0])
    given = Input((None, 2 * args.units)), Input((2 * args.units,))
    return trained, Model(text, [encoded, state]), Model([text, before, *given], list(decoder(text, before, *given)))


def translate(encoder, step, text):
    """Write the answers to a batch of texts, the likeliest character at each step, and say where attention was."""
    encoded, state = encoder.predict_on_batch(text)
    before, answers, maps = np.zeros((len(text), 1), int), [], []
    for _ in range(LENGTH):
        p, state, *scores = step.predict_on_batch([text, before, encoded, state])
        before = p.argmax(-1)
        answers.append(before)
        maps += scores
    return np.concatenate(answers, 1), np.concatenate(maps, 1) if maps else None


runs = {}
for name in ("last states alone", "attention"):
    set_random_seed(0)
    model, encoder, step = translator(name == "attention")
    model.compile(optimizer=Adam(0.003), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    start = perf_counter()
    runs[name] = model.fit(
        [source[train], heard[train]],
        target[train],
        batch_size=64,
        epochs=args.epochs,
        validation_data=([source[test], heard[test]], target[test]),
    ).history
    seconds = perf_counter() - start
    found, maps = translate(encoder, step, source[test])
    right = (found == target[test]).all(1).mean()
    print(f"{name}: {right:.4f} of the test dates are right in every character; {seconds:.0f} s")

for text, ids_found in zip(texts[test][:5], found, strict=False):
    print(f"  {text} -> {''.join(characters[i - 1] for i in ids_found)}")

if (figure := picture(13, 5)) is not None:
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.4))
    draw_curves(left, runs, "accuracy")
    n = max(range(50), key=lambda n: len(texts[test][n]))
    right.imshow(maps[n][:, : len(texts[test][n])], cmap="gray_r", vmin=0, vmax=1)
    right.set_xticks(range(len(texts[test][n])), texts[test][n])
    right.set_yticks(range(LENGTH), [characters[i - 1] for i in found[n]])
    right.set(title="where the decoder looks (dark) when it writes a character", xlabel="read", ylabel="written")
    figure.savefig(args.output, dpi=120)
    print(f"Curves and the map in {args.output}.")

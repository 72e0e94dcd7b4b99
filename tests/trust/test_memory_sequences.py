"""Sequences: no leak over steps of many lengths, memory in proportion to the steps, MemoryError where it is out."""

import pytest

from tests.trust.children import python
from tests.trust.test_memory import LINUX, OUT_OF_MEMORY, RESIDENT, grows

TINY = """
def sequences():
    utils.set_random_seed(3)
    model = fastnn.Sequential([layers.Input((None,)), layers.Embedding(9, 4, mask_zero=True)])
    model.add(layers.Bidirectional(layers.LSTM(3, dropout=0.1, recurrent_dropout=0.1, return_sequences=True)))
    model.add(layers.GRU(4, recurrent_dropout=0.1))
    model.add(layers.Dense(2, "softmax"))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model

global model, ids, y
if "model" not in globals():
    model, ids, y = sequences(), rng.integers(0, 9, (4, 23)), rng.integers(0, 2, 4)
"""


@LINUX
@pytest.mark.parametrize(
    ("code", "once"),
    [
        ("for i in range(count): model.train_on_batch(ids[:, : 1 + i % 23], y)", 2000),  # 10,000 steps in all
        ("for i in range(count): model.predict_on_batch(ids[: 1 + i % 4, : 1 + i % 23])", 500),
        (
            "for i in range(count): sequences().fit(ids, y, verbose=0)",
            120,
        ),  # what Python keeps for itself grows up to 100
    ],
)
def test_steps_of_many_lengths_do_not_leak(code, once):
    grows(TINY + code, once, 700_000)


PEAK = f"""{RESIDENT}
def peak():  # ru_maxrss would be that of pytest, from before exec
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM"))

B, T, D, U = 8, 5000, 8, 64
model = fastnn.Sequential([layers.Input((None, D)), layers.{{layer}}(U), layers.Dense(1)])
model.compile("sgd", "mse")
x, y = rng.standard_normal((B, T, D), dtype=np.float32), np.ones((B, 1), np.float32)
model.train_on_batch(x[:, :10], y), model.predict_on_batch(x[:, :10])
before = peak()
model.predict_on_batch(x)
between = peak()
model.train_on_batch(x, y)
print((between - before) / (B * T * 4), (peak() - before) / (B * T * 4))
"""


@LINUX
@pytest.mark.parametrize(("layer", "kept"), [("SimpleRNN", 1), ("LSTM", 6), ("GRU", 5)])
def test_memory_of_five_thousand_steps(layer, kept):
    """Training keeps `kept` numbers for a unit and a step, as the kernel's results; prediction keeps no step."""
    done = python(code=PEAK.format(layer=layer), FASTNN_NUM_THREADS="2")
    assert done.returncode == 0, done.stderr
    predicting, training = map(float, done.stdout.split())
    units, inputs = 64, 8
    print(f"{predicting:.1f} and {training:.1f} numbers a step")
    assert training <= 1.15 * (kept * units + inputs), done.stdout
    assert predicting <= 3 * inputs, done.stdout


@LINUX
@pytest.mark.parametrize("family", ["simple_rnn", "lstm", "gru"])
def test_sums_that_find_no_memory_are_a_memory_error(family):
    """Fifteen groups beside the first want a copy each of the weights' gradients; afterwards the same kernels work."""
    done = python(
        code=f"""{RESIDENT}{OUT_OF_MEMORY}
family, gates = {family!r}, {{"simple_rnn": 1, "lstm": 4, "gru": 3}}[{family!r}]
forward, backward = (getattr(kernels, f"{{family}}_{{way}}") for way in ("forward", "backward"))
nothing = (None,) * (2 if family == "lstm" else 1)

def arrays(U, B=128):
    x, w = np.ones((B, 1, 2), np.float32), np.full((2, gates * U), 1 / U, np.float32)
    return x, w, np.full((U, gates * U), 1 / U, np.float32)

def results(x, w, u):
    given = forward(x, w, u)
    return given[0], *given[2 if family != "lstm" else 3 :]

def run(x, w, u, rest, **given):
    return backward(rest[0], *nothing, x, w, u, *rest, need_dx=False, need_db=False, **given)

few = arrays(8)
expected = run(*few, results(*few))
many = arrays(2400 // gates)
rest = results(*many)
room = {{"dw": np.empty_like(many[1]), "du": np.empty_like(many[2])}}
limit(60 << 20)
out_of_memory(lambda: run(*many, rest, **room))
got = run(*few, results(*few))
assert all((a is None and b is None) or (a == b).all() for a, b in zip(got, expected))
"""
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("MemoryError") == 1


@LINUX
def test_a_step_over_sequences_without_memory_leaves_the_model_as_it_was():
    done = python(
        code=f"""{RESIDENT}{OUT_OF_MEMORY}
utils.set_random_seed(3)
model = fastnn.Sequential([layers.Input((28, 28)), layers.LSTM(64), layers.Dense(10, "softmax")])
model.compile("adam", "sparse_categorical_crossentropy")
x, y = np.ones((4000, 28, 28), np.float32), np.zeros(4000, int)
model.fit(x[:64], y[:64], verbose=0)
weights = model.get_weights()
limit(90 << 20)
out_of_memory(lambda: model.train_on_batch(x, y))
assert all((now == before).all() for now, before in zip(model.get_weights(), weights))
model.fit(x[:64], y[:64], verbose=0)
"""
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("MemoryError") == 1

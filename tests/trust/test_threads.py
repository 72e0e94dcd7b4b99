"""The same bits for any number of threads, in every run, and beside another training."""

import threading

import numpy as np
import pytest

import fastnn
from fastnn import kernels
from tests.trust.children import python
from tests.trust.work import MODELS, build, digest, digits, result, train


@pytest.fixture
def threads():
    """Sets the number of threads; put back afterwards."""
    before = kernels.get_num_threads()
    yield kernels.set_num_threads
    kernels.set_num_threads(before)


@pytest.mark.parametrize("kind", MODELS)
def test_a_training_has_the_same_bits_at_any_number_of_threads(kind, threads):
    threads(1)
    losses, weights = alone = result(kind)
    assert losses[1] < losses[0]
    for count in (2, 3, 5, 16):
        threads(count)
        assert result(kind) == alone, f"{count} threads"
    assert weights != digest(build(kind)), "training changes the weights"


@pytest.mark.parametrize("kind", MODELS)
def test_a_training_repeats_in_every_run(kind):
    code = f"from tests.trust.work import result; print(result({kind!r}))"
    runs = {python(code=code, FASTNN_NUM_THREADS=count, PYTHONHASHSEED=count).stdout for count in ("1", "2")}
    assert runs == {f"{result(kind)}\n"}


@pytest.mark.parametrize(("kinds", "epochs"), [(("cnn", "lstm"), 1), (tuple(MODELS), 4)], ids=["two", "all"])
def test_threads_train_models_at_once(kinds, epochs):
    """Each as alone. Examples keep their order here: shuffles are drawn from one stream for the whole process.

    The two are what ThreadSanitizer looks at (sanitize.py).
    """

    def prepared():
        return {kind: build(kind) for kind in kinds}

    alone = prepared()
    expected = {kind: (train(model, kind, epochs, shuffle=False), digest(model)) for kind, model in alone.items()}
    together, losses, start = prepared(), {}, threading.Barrier(len(kinds))

    def work(kind):
        start.wait()
        losses[kind] = train(together[kind], kind, epochs, shuffle=False)

    workers = [threading.Thread(target=work, args=(kind,)) for kind in kinds]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert {kind: (losses[kind], digest(model)) for kind, model in together.items()} == expected


def test_two_threads_share_one_model():
    """One call at a time; every prediction is whole."""
    model = build("cnn")
    x, _ = digits("cnn", 70)
    expected, got = {size: model.predict(x[:size], verbose=0) for size in (3, 70)}, []

    def work(size):
        for _ in range(20):
            got.append((model.predict(x[:size], verbose=0) == expected[size]).all())

    workers = [threading.Thread(target=work, args=(size,)) for size in (3, 70, 3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(got) == 60
    assert all(got)


@pytest.mark.parametrize("batch", [9, 17, 33, 130, 141])
def test_a_row_of_a_sequence_batch_does_not_know_the_threads(batch, threads):
    """The size of a batch cuts it into blocks, and a row alone in its block is summed in an order of its own."""
    rng = np.random.default_rng(batch)
    x, w, u = (rng.standard_normal(shape).astype("float32") / 8 for shape in ((batch, 6, 3), (3, 512), (128, 512)))
    threads(1)
    y, _, _, gates, cells = alone = kernels.lstm_forward(x, w, u)
    alone_back = kernels.lstm_backward(y, None, None, x, w, u, y, gates, cells)[:4]
    for count in (2, 3, 4):
        threads(count)
        back = kernels.lstm_backward(y, None, None, x, w, u, y, gates, cells)[:4]
        for mine, theirs in zip((*kernels.lstm_forward(x, w, u), *back), (*alone, *alone_back), strict=True):
            np.testing.assert_array_equal(mine, theirs)


CHANGES = {
    "compile": lambda model, weights: model.compile("adam", "mse", metrics=["mae"]),
    "set_weights": lambda model, weights: model.set_weights(weights),
    "reset_state": lambda model, weights: model.reset_state(),
    "add": lambda model, weights: model.add(fastnn.layers.Activation("linear")),
    "pop": lambda model, weights: model.pop(),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_changes_a_model_waits_until_its_training_is_over(change):
    """An epoch of one batch, in the middle of which another thread changes the model."""
    model = fastnn.Sequential(
        [fastnn.layers.Input((3,)), fastnn.layers.Dense(4), fastnn.layers.Dense(4), fastnn.layers.Activation("linear")]
    )
    model.compile("adam", "mse")
    x, t = np.ones((4, 3), np.float32), np.zeros((4, 4), np.float32)
    weights, order, failures = model.get_weights(), [], []

    def other():
        try:
            CHANGES[change](model, weights)
        except BaseException as error:
            failures.append(error)
        order.append("changed")

    thread = threading.Thread(target=other)

    def in_the_middle(batch, logs):
        thread.start()
        thread.join(0.3)
        order.append("batch")

    model.fit(x, t, verbose=0, callbacks=[fastnn.callbacks.LambdaCallback(on_train_batch_begin=in_the_middle)])
    thread.join()
    assert not failures
    assert order == ["batch", "changed"]
    if change in ("compile", "set_weights", "reset_state"):
        model.fit(x, t, verbose=0)


def test_a_callback_may_change_the_model_that_it_watches():
    model = fastnn.Sequential([fastnn.layers.Input((3,)), fastnn.layers.Dense(4)])
    model.compile("adam", "mse")
    x, t = np.ones((4, 3), np.float32), np.zeros((4, 4), np.float32)
    zeros = [np.zeros_like(w) for w in model.get_weights()]
    reset = fastnn.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: model.set_weights(zeros))
    model.fit(x, t, verbose=0, callbacks=[reset])
    assert not any(w.any() for w in model.get_weights())

"""The list calls who overrides a moment, in order, and nobody else."""

import pytest

from fastnn.callbacks import Callback, CallbackList, LambdaCallback
from fastnn.callbacks.callback import HOOKS


def test_order_model_and_params():
    seen = []

    class Named(Callback):
        def __init__(self, name):
            super().__init__()
            self.name = name

        def on_epoch_end(self, epoch, logs=None):
            seen.append((self.name, epoch, logs))

    callbacks = CallbackList([Named("a"), Named("b")], model="model", params={"epochs": 2})
    callbacks.on_epoch_end(1, {"loss": 0.5})
    assert seen == [("a", 1, {"loss": 0.5}), ("b", 1, {"loss": 0.5})]
    assert [c.model for c in callbacks] == ["model", "model"]
    assert callbacks.callbacks[0].params == {"epochs": 2}


@pytest.mark.parametrize("hook", HOOKS)
def test_every_moment_reaches_who_overrides_it(hook):
    seen = []
    callbacks = CallbackList([Callback(), LambdaCallback(**{hook: lambda *args: seen.append(args)})])
    assert callbacks.hears(hook)
    assert [h for h in HOOKS if callbacks.hears(h)] == [hook]
    arguments = ({},) if hook.count("_") == 2 and "epoch" not in hook else (3, {})
    getattr(callbacks, hook)(*arguments)
    assert seen == [arguments]


@pytest.mark.parametrize("older", ["on_batch_begin", "on_batch_end"])
def test_older_names_of_batches(older):
    seen = []
    callbacks = CallbackList([LambdaCallback(**{older: lambda batch, logs: seen.append(batch)})])
    getattr(callbacks, older.replace("batch", "train_batch"))(7, {})
    assert seen == [7]


def test_an_empty_list_does_nothing():
    callbacks = CallbackList()
    assert len(callbacks) == 0
    for hook in HOOKS:
        assert getattr(callbacks, hook)(0, {}) is None


def test_anything_with_the_methods_is_a_callback():
    class Duck:
        epochs = 0

        def on_epoch_end(self, epoch, logs):
            self.epochs += 1

    duck = Duck()
    callbacks = CallbackList(duck, model="model", params={})
    callbacks.append(LambdaCallback(on_epoch_end=lambda epoch, logs: None))
    callbacks.on_epoch_end(0, {})
    assert duck.epochs == 1


def test_errors_teach():
    with pytest.raises(TypeError, match=r"Type Callback\(\)"):
        CallbackList([Callback])
    with pytest.raises(TypeError, match="Received: 3"):
        CallbackList([3])
    with pytest.raises(TypeError, match="no argument 'on_epoch_ends'"):
        LambdaCallback(on_epoch_ends=print)
    with pytest.raises(TypeError, match="on_epoch_end must be a function"):
        LambdaCallback(on_epoch_end=3)

"""When callbacks are called, with what, and what they can do to a run."""

import numpy as np

from fastnn import callbacks, metrics

from .conftest import mlp


class Record(callbacks.Callback):
    """Writes down every moment."""

    def __init__(self, seen):
        super().__init__()
        self.seen = seen


def _moment(hook):
    def call(self, *args):
        *where, logs = args
        self.seen.append((hook, *where, None if logs is None else list(logs)))

    return call


for _hook in callbacks.callback.HOOKS:
    setattr(Record, _hook, _moment(_hook))


def compiled():
    model = mlp()
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def test_order_of_fit(digits):
    x, y = digits
    seen = []
    compiled().fit(x, y, batch_size=50, epochs=2, validation_data=(x[:5], y[:5]), callbacks=[Record(seen)], verbose=0)
    names = ["accuracy", "loss"]
    epoch = [
        ("on_train_batch_begin", 0, None),
        ("on_train_batch_end", 0, names),
        ("on_train_batch_begin", 1, None),
        ("on_train_batch_end", 1, names),
        ("on_test_begin", None),
        ("on_test_batch_begin", 0, None),
        ("on_test_batch_end", 0, names),
        ("on_test_end", names),
    ]
    ends = [*names, "val_accuracy", "val_loss"]
    assert seen == [
        ("on_train_begin", None),
        ("on_epoch_begin", 0, None),
        *epoch,
        ("on_epoch_end", 0, ends),
        ("on_epoch_begin", 1, None),
        *epoch,
        ("on_epoch_end", 1, ends),
        ("on_train_end", ends),
    ]


def test_order_of_evaluate_and_predict(digits):
    x, y = digits
    seen = []
    model = compiled()
    model.evaluate(x, y, batch_size=50, callbacks=[Record(seen)], verbose=0)
    assert [moment[0] for moment in seen] == [
        "on_test_begin",
        *["on_test_batch_begin", "on_test_batch_end"] * 2,
        "on_test_end",
    ]
    seen.clear()
    model.predict(x, batch_size=50, callbacks=[Record(seen)], verbose=0)
    assert seen == [
        ("on_predict_begin", None),
        ("on_predict_batch_begin", 0, None),
        ("on_predict_batch_end", 0, ["outputs"]),
        ("on_predict_batch_begin", 1, None),
        ("on_predict_batch_end", 1, ["outputs"]),
        ("on_predict_end", None),
    ]


def test_params_and_model(digits):
    x, y = digits
    seen = []

    class Look(callbacks.Callback):
        def on_train_begin(self, logs=None):
            seen.append((self.params, self.model))

    model = compiled()
    model.fit(x, y, epochs=3, callbacks=Look(), verbose=0)
    assert seen == [({"verbose": 0, "epochs": 3, "steps": 3}, model)]


def test_stop_training_from_a_batch_and_from_an_epoch(digits):
    x, y = digits

    class Stop(callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 1:
                self.model.stop_training = True

    model = compiled()
    history = model.fit(x, y, batch_size=10, epochs=5, callbacks=[Stop()], verbose=0)
    assert history.epoch == [0]
    assert model.optimizer.iterations == 2
    history = model.fit(x, y, epochs=2, verbose=0)
    assert history.epoch == [0, 1]


def test_early_stopping_restores_the_best_weights(digits):
    x, y = digits
    kept = []

    class Keep(callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            kept.append((logs["val_loss"], self.model.get_weights()))

    model = mlp()
    model.compile("adam", "sparse_categorical_crossentropy")
    model.optimizer.learning_rate = 0.3
    stop = callbacks.EarlyStopping(patience=2, restore_best_weights=True)
    model.fit(x / 255, y, epochs=40, validation_split=0.3, callbacks=[Keep(), stop], verbose=0)
    best = min(kept, key=lambda pair: pair[0])[1]
    for a, b in zip(best, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_learning_rate_callbacks_append_to_the_history(digits):
    x, y = digits
    model = compiled()
    schedule = callbacks.LearningRateScheduler(lambda epoch, rate: 0.1 / (epoch + 1))
    history = model.fit(x, y, epochs=3, callbacks=[schedule], verbose=0).history
    assert list(history) == ["accuracy", "loss", "learning_rate"]
    np.testing.assert_allclose(history["learning_rate"], [0.1, 0.05, 0.1 / 3])


def test_metric_objects_are_reset_between_epochs(digits):
    x, y = digits
    model = mlp()
    seen = metrics.SparseCategoricalAccuracy(name="hits")
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=[seen, "accuracy"])
    model.optimizer.learning_rate = 0.0
    history = model.fit(x, y, epochs=3, validation_data=(x[:9], y[:9]), verbose=0).history
    assert history["hits"] == history["accuracy"]
    assert len(set(history["hits"])) == 1
    assert model.metrics[0] is seen
    model.reset_metrics()
    assert seen.result() == 0


def test_lambda_callback(digits):
    x, y = digits
    seen = []
    compiled().fit(
        x,
        y,
        epochs=2,
        callbacks=[callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(epoch))],
        verbose=0,
    )
    assert seen == [0, 1]

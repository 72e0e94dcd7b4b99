"""Bad input is refused with what to type, and the model is as it was."""

import numpy as np
import pytest

from fastnn import Input, Sequential, callbacks, layers, optimizers

from .conftest import mlp

X = np.zeros((6, 9, 8), np.float32)
Y = np.zeros(6, int)


def compiled():
    model = mlp()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def state(model):
    return [w.tolist() for w in model.get_weights()], model.optimizer.iterations


def endless():
    while True:
        yield X, Y


FIT = {
    "lengths": (lambda: (X, Y[:5]), {}, ValueError, "x: 6, y: 5"),
    "weight length": (lambda: (X, Y), {"sample_weight": np.ones(5)}, ValueError, r"sample_weight.*\(5,\)"),
    "weight nan": (lambda: (X, Y), {"sample_weight": np.full(6, np.nan)}, ValueError, "finite"),
    "both weights": (
        lambda: (X, Y),
        {"sample_weight": np.ones(6), "class_weight": {0: 1.0}},
        ValueError,
        "not both",
    ),
    "class weight": (lambda: (X, Y), {"class_weight": [1, 2]}, ValueError, "class_weight must map"),
    "class weight nan": (lambda: (X, Y), {"class_weight": {0: np.nan}}, ValueError, "class_weight must map"),
    "no targets": (lambda: (X, None), {}, ValueError, "needs targets"),
    "empty": (lambda: (X[:0], Y[:0]), {}, ValueError, "at least one example"),
    "rank": (lambda: (X[0], Y), {}, ValueError, r"takes examples of shape \(9, 8\)"),
    "transposed": (lambda: (X.transpose(0, 2, 1), Y), {}, ValueError, r"x of shape \(6, 8, 9\)"),
    "flat": (lambda: (X.reshape(6, 72), Y), {}, ValueError, r"x.reshape\(-1, 9, 8\)"),
    "text": (lambda: (np.full((6, 9, 8), "a"), Y), {}, TypeError, "the first 'a'.*TextVectorization"),
    "text objects": (
        lambda: (np.full((6, 9, 8), "a", object), Y),
        {},
        TypeError,
        "x must hold numbers.*TextVectorization",
    ),
    "objects": (lambda: (X.astype(object), Y), {}, TypeError, "astype"),
    "complex": (lambda: (X.astype(complex), Y), {}, TypeError, "complex|c16"),
    "byte order": (lambda: (X.astype(">f4"), Y), {}, TypeError, "native byte order"),
    "number": (lambda: (3.0, Y), {}, TypeError, "array of numbers"),
    "ragged": (lambda: ([[1, 2], [1]], Y[:2]), {}, ValueError, "ragged"),
    "list of arrays": (lambda: ([X, X], Y), {}, TypeError, "np.stack"),
    "arrays of different lengths": (lambda: ([X[0], X[0, :1]], Y[:2]), {}, TypeError, "pad_sequences"),
    "label range": (lambda: (X, np.full(6, 3)), {}, ValueError, "labels from 0 to 2.*Received: 3"),
    "negative label": (lambda: (X, np.array([0, 1, -1, 0, 0, 0])), {}, ValueError, "Received: -1 at index 2"),
    "nan label": (lambda: (X, np.full(6, np.nan)), {}, ValueError, "NaN"),
    "fraction label": (lambda: (X, np.full(6, 0.5)), {}, ValueError, "integer labels"),
    "one-hot": (lambda: (X, np.eye(3)[Y]), {}, ValueError, "categorical_crossentropy"),
    "text labels": (lambda: (X, np.array(["a"] * 6)), {}, TypeError, "y must hold numbers.*np.unique"),
    "batch size": (lambda: (X, Y), {"batch_size": 0}, ValueError, "batch_size=0"),
    "batch size float": (lambda: (X, Y), {"batch_size": 2.0}, ValueError, "batch_size=2.0"),
    "epochs": (lambda: (X, Y), {"epochs": -1}, ValueError, "epochs=-1"),
    "verbose": (lambda: (X, Y), {"verbose": 3}, ValueError, "verbose=3"),
    "split": (lambda: (X, Y), {"validation_split": 1.5}, ValueError, "validation_split=1.5"),
    "split all": (lambda: (X, Y), {"validation_split": 0.99}, ValueError, "into 0 and 6"),
    "split of a generator": (lambda: (endless(), None), {"validation_split": 0.5}, ValueError, "only with arrays"),
    "validation lengths": (lambda: (X, Y), {"validation_data": (X, Y[:2])}, ValueError, "x: 6, y: 2"),
    "validation shape": (lambda: (X, Y), {"validation_data": (X[:, :4], Y)}, ValueError, "takes examples"),
    "validation labels": (lambda: (X, Y), {"validation_data": (X, Y + 9)}, ValueError, "Received: 9"),
    "validation form": (lambda: (X, Y), {"validation_data": (X, Y, Y, Y)}, ValueError, "validation_data must be"),
    "validation freq": (lambda: (X, Y), {"validation_freq": 0}, ValueError, "validation_freq"),
    "steps": (lambda: (X, Y), {"steps_per_epoch": 0}, ValueError, "steps_per_epoch=0"),
    "empty generator": (lambda: (iter([]), None), {}, ValueError, "yields no batch"),
    "batch size of a generator": (lambda: (endless(), None), {"batch_size": 3}, ValueError, "works only with arrays"),
    "batch of a generator": (lambda: (iter([(X, Y, Y, Y)]), None), {}, ValueError, "A batch must be"),
    "validation batch size": (
        lambda: (X, Y),
        {"validation_split": 0.5, "validation_batch_size": 0},
        ValueError,
        "validation_batch_size=0",
    ),
    "validation without targets": (lambda: (X, Y), {"validation_data": X}, ValueError, r"validation_data=\(x, y\)"),
    "callback class": (lambda: (X, Y), {"callbacks": [callbacks.History]}, TypeError, r"History\(\)"),
}


@pytest.mark.parametrize("case", FIT)
def test_fit_refuses(case):
    make, settings, kind, words = FIT[case]
    model = compiled()
    model.fit(X, Y, verbose=0)
    before = state(model)
    with pytest.raises(kind, match=words) as error:
        model.fit(*make(), **{"verbose": 0, **settings})
    assert "Received" in str(error.value)
    assert state(model) == before
    model.fit(X, Y, verbose=0)


@pytest.mark.parametrize(
    "case", ["lengths", "label range", "nan label", "empty", "validation labels", "callback class"]
)
def test_an_unbuilt_model_stays_unbuilt(case):
    make, settings, kind, words = FIT[case]
    model = Sequential([layers.Flatten(), layers.Dense(3, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    with pytest.raises(kind, match=words):
        model.fit(*make(), **{"verbose": 0, **settings})
    assert not model.built
    assert not any(layer.built for layer in model.layers)
    other = np.zeros((4, 5))
    model.fit(other, np.zeros(4, int), verbose=0)
    assert model.input_shape == (None, 5)


@pytest.mark.parametrize(
    ("act", "kind", "words"),
    [
        (lambda m: m.fit(X, Y), ValueError, "model.compile"),
        (lambda m: m.evaluate(X, Y), ValueError, "model.compile"),
        (lambda m: m.train_on_batch(X, Y), ValueError, "model.compile"),
        (lambda m: m.compile("adamm"), ValueError, "adam"),
        (lambda m: m.compile(loss="mean_squared"), ValueError, "mean_squared_error"),
        (lambda m: m.compile(loss=["mse", "mse"]), ValueError, "an entry for each output"),
        (lambda m: m.compile(loss="mse", loss_weights=[1, 2]), ValueError, "loss_weights"),
        (lambda m: m.compile(loss="mse", loss_weights="half"), ValueError, "loss_weights must be numbers"),
        (lambda m: m.compile(metrics=["accurcy"]), ValueError, "accuracy"),
        (lambda m: m.compile(metrics="accuracy"), TypeError, r"metrics=\['accuracy'\]"),
        (lambda m: m.compile(metrics={"a": "accuracy"}), ValueError, r"must name the outputs, \['dense"),
        (lambda m: m.predict(X[:, :3]), ValueError, "takes examples"),
        (lambda m: m.predict(X[0]), ValueError, r"x\[None\]"),
        (lambda m: m(X[..., :2]), ValueError, "takes examples"),
        (lambda m: m.predict(iter([])), ValueError, "yields no batch"),
        (lambda m: m.set_weights([X]), ValueError, "has 4 weights"),
    ],
)
def test_other_calls(act, kind, words):
    with pytest.raises(kind, match=words):
        act(mlp())


def test_compile_that_fails_leaves_the_model_compiled_as_it_was():
    model = compiled()
    with pytest.raises(ValueError, match="nonsense"):
        model.compile("sgd", "nonsense")
    assert model.optimizer.name == "adam"
    model.fit(X, Y, verbose=0)


def test_no_loss():
    model = mlp()
    model.compile("sgd")
    with pytest.raises(ValueError, match="has no loss"):
        model.fit(X, Y, verbose=0)


def test_targets_that_do_not_fit_the_output():
    model = Sequential([Input(shape=(3,)), layers.Dense(2)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="Received"):
        model.fit(np.zeros((4, 3)), np.zeros((4, 5)), verbose=0)
    with pytest.raises(ValueError, match="NaN"):
        model.fit(np.zeros((4, 3)), np.full((4, 2), np.nan), verbose=0)


def test_a_generator_that_runs_out():
    model = compiled()
    with pytest.raises(ValueError, match="ran out"):
        model.fit(iter([(X, Y)] * 3), steps_per_epoch=2, epochs=2, verbose=0)
    with pytest.raises(ValueError, match="Epoch 2 has no data"):
        model.fit(iter([(X, Y)] * 3), epochs=2, verbose=0)


def test_a_bad_batch_in_the_middle_keeps_what_was_learned():
    model = compiled()
    with pytest.raises(ValueError, match="Received: 7"):
        model.fit(iter([(X, Y), (X, Y), (X, Y + 7), (X, Y)]), verbose=0)
    assert model.optimizer.iterations == 2
    model.fit(X, Y, verbose=0)


def regression(rate):
    model = Sequential([Input(shape=(3,)), layers.Dense(1)])
    model.compile(optimizers.SGD(rate), "mse")
    return model


def test_a_loss_that_runs_away_stops_with_sound_weights():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((3200, 3)), rng.standard_normal(3200)
    model = regression(1e6)
    with (
        np.errstate(all="ignore"),
        pytest.raises(FloatingPointError, match=r"loss is (inf|nan) at step \d+ of epoch 1.*clipnorm"),
    ):
        model.fit(x, y, verbose=0)
    assert all(np.isfinite(w).all() for w in model.get_weights())
    assert model.optimizer.iterations == 0
    model.optimizer.learning_rate = 0.01
    loss = model.fit(x, y, epochs=2, verbose=0).history["loss"]
    assert loss[1] <= loss[0] < 10


def test_a_batch_that_is_not_finite_keeps_the_weights_before_it():
    x, y = np.ones((96, 3)), np.ones(96)
    x[70, 1] = np.nan
    model = regression(0.01)
    with pytest.raises(FloatingPointError, match=r"step 3 of epoch 1.*batch itself.*2 good steps"):
        model.fit(x, y, shuffle=False, verbose=0)
    other = regression(0.01)
    other.set_weights(regression(0.01).get_weights())
    assert model.optimizer.iterations == 2
    assert all(np.isfinite(w).all() for w in model.get_weights())


def test_terminate_on_nan_ends_quietly(capsys):
    x, y = np.ones((96, 3)), np.ones(96)
    x[70, 1] = np.nan
    model = regression(0.01)
    history = model.fit(x, y, shuffle=False, epochs=5, verbose=0, callbacks=[callbacks.TerminateOnNaN()])
    assert len(history.history["loss"]) == 1
    assert np.isnan(history.history["loss"][0])
    assert "Invalid loss" in capsys.readouterr().out
    assert all(np.isfinite(w).all() for w in model.get_weights())


def test_train_on_batch_with_a_loss_that_is_not_finite_changes_nothing():
    model = regression(0.01)
    model.train_on_batch(np.ones((2, 3)), np.ones(2))
    before = state(model)
    with pytest.raises(FloatingPointError, match="weights are unchanged"):
        model.train_on_batch(np.full((2, 3), np.inf), np.ones(2))
    assert state(model) == before


def test_interrupt_between_batches_leaves_a_usable_model(capsys):
    class Interrupt(callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 1:
                raise KeyboardInterrupt

    x, y = np.ones((96, 3)), np.ones(96)
    model = regression(0.01)
    with pytest.raises(KeyboardInterrupt):
        model.fit(x, y, callbacks=[Interrupt()], verbose=1)
    assert model.optimizer.iterations == 2
    assert np.isfinite(model.fit(x, y, verbose=0).history["loss"][0])


@pytest.mark.parametrize("wrong", [np.full(3, "a"), np.full(3, None), np.full(3, 1j), np.zeros(4)])
def test_weights_that_do_not_fit_change_nothing(wrong):
    model = mlp()
    before = [w.tolist() for w in model.get_weights()]
    kernel, bias, kernel_2, _ = model.get_weights()
    with pytest.raises((TypeError, ValueError), match=r"must hold real numbers|must have shape") as error:
        model.set_weights([kernel + 1, bias + 1, kernel_2, wrong])
    assert "Received" in str(error.value)
    with pytest.raises((TypeError, ValueError), match=r"must hold real numbers|must have shape"):
        model.weights[3].assign(wrong)
    assert [w.tolist() for w in model.get_weights()] == before


@pytest.mark.parametrize("metric", ["precision", "mse", "top_k_categorical_accuracy"])
def test_a_metric_that_refuses_the_targets_leaves_the_weights(metric):
    model = mlp()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=[metric])
    before = [w.tolist() for w in model.get_weights()]
    with pytest.raises(ValueError, match="Received"):
        model.fit(X, Y, verbose=0)
    with pytest.raises(ValueError, match="Received"):
        model.train_on_batch(X, Y)
    assert [w.tolist() for w in model.get_weights()] == before
    assert model.optimizer.iterations == 0


def test_training_needs_an_optimizer_and_evaluation_does_not():
    model = Sequential([Input((3,)), layers.Dense(1)])
    model.compile(optimizer=None, loss="mse")
    x, y = np.ones((4, 3)), np.ones((4, 1))
    for train in (lambda: model.fit(x, y, verbose=0), lambda: model.train_on_batch(x, y)):
        with pytest.raises(ValueError, match=r"needs an optimizer. Received: .*optimizer=None. Call model.compile"):
            train()
    assert model.evaluate(x, y, verbose=0) >= 0

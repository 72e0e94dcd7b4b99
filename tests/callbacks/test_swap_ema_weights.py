"""SwapEMAWeights: what is measured and saved has the averaged weights, what trains has its own."""

import numpy as np
import pytest

from fastnn import Input, Sequential, optimizers
from fastnn.callbacks import EarlyStopping, LambdaCallback, SwapEMAWeights
from fastnn.layers import Dense

RNG = np.random.default_rng(0)
X = RNG.normal(size=(32, 3)).astype(np.float32)
Y = X @ np.array([[1.0], [-2.0], [0.5]], np.float32)


def trained(callbacks, epochs=3, **options):
    model = Sequential([Input((3,)), Dense(1, kernel_initializer="ones")])
    model.compile(optimizers.SGD(0.1, use_ema=True, ema_momentum=0.9, **options), "mse")
    history = model.fit(X, Y, epochs=epochs, shuffle=False, validation_data=(X, Y), verbose=0, callbacks=callbacks)
    return model, history.history


def by_hand(epochs=3):
    """Weights and their averages at the end of each epoch."""
    kept, w, average = [], np.r_[np.ones(3), 0.0], np.zeros(4)
    x1 = np.c_[X, np.ones(len(X))].astype(float)
    for epoch in range(epochs):
        w = w - 0.1 * 2 * x1.T @ (x1 @ w - Y[:, 0]) / len(X)
        average = 0.9 * average + 0.1 * w if epoch else w.copy()
        kept.append((w, average))
    return kept, lambda weights: np.mean((x1 @ weights - Y[:, 0]) ** 2)


def test_validation_measures_the_averages_and_training_goes_on_without_them():
    kept, loss = by_hand()
    model, history = trained([SwapEMAWeights()])
    plain, unswapped = trained([])
    np.testing.assert_allclose(history["loss"], unswapped["loss"])
    np.testing.assert_allclose(history["val_loss"], [loss(average) for _, average in kept], rtol=1e-5)
    np.testing.assert_allclose(unswapped["val_loss"], [loss(w) for w, _ in kept], rtol=1e-5)
    for a, b in zip(model.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_allclose(np.ravel(model.get_weights()[0]), kept[-1][1][:3], rtol=1e-5)


@pytest.mark.parametrize("stop", [False, True])
def test_later_callbacks_see_the_averages_at_the_end_of_an_epoch(stop):
    kept, _ = by_hand()
    seen = []
    look = LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(model.get_weights()[0].ravel()))
    model = Sequential([Input((3,)), Dense(1, kernel_initializer="ones")])
    model.compile(optimizers.SGD(0.1, use_ema=True, ema_momentum=0.9), "mse")
    early = [EarlyStopping("loss", min_delta=1e9, patience=2)] if stop else []
    model.fit(X, Y, epochs=9 if stop else 3, shuffle=False, verbose=0, callbacks=[SwapEMAWeights(True), look, *early])
    np.testing.assert_allclose(seen, [average[:3] for _, average in kept[: len(seen)]], rtol=1e-5)
    assert len(seen) == 3
    np.testing.assert_allclose(np.ravel(model.get_weights()[0]), kept[-1][1][:3], rtol=1e-5)
    assert not model.optimizer.averages_stand


def test_evaluate_and_predict_put_the_weights_back():
    model, _ = trained([])
    model.train_on_batch(X, Y)
    before = model.get_weights()
    swapped = model.predict(X, verbose=0, callbacks=[SwapEMAWeights()])
    assert not np.allclose(swapped, model.predict(X, verbose=0))
    model.evaluate(X, Y, verbose=0, callbacks=[SwapEMAWeights()])
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_an_optimizer_without_averages_is_refused():
    model = Sequential([Input((3,)), Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match=r"SwapEMAWeights needs an optimizer that keeps averages.*Use use_ema=True"):
        model.evaluate(X, Y, verbose=0, callbacks=[SwapEMAWeights()])

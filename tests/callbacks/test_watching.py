"""Callbacks that watch a number: stopping, and changing the learning rate."""

import numpy as np
import pytest

from fastnn.callbacks import EarlyStopping, LearningRateScheduler, ReduceLROnPlateau, TerminateOnNaN
from fastnn.optimizers import schedules
from tests.callbacks.fakes import FakeModel, train


def val(*losses):
    return [{"loss": 0.0, "val_loss": loss} for loss in losses]


@pytest.mark.parametrize(
    ("options", "losses", "epochs"),
    [
        ({}, [3, 2, 1, 1, 0], 4),  # the same is not better
        ({}, [3, 3, 1], 2),
        ({"patience": 2}, [3, 4, 5, 1], 3),
        ({"patience": 2}, [3, 4, 2, 3, 3, 1], 5),
        ({"min_delta": 1}, [5, 4.5, 3], 2),
        ({"min_delta": -1}, [5, 4.5, 3], 2),  # the sign does not matter
        ({"baseline": 2.5, "patience": 2}, [5, 4, 3, 2], 4),  # better each time: nothing to stop
        ({"baseline": 2.5, "patience": 2}, [5, 4, 4, 2], 3),
        ({"start_from_epoch": 2}, [1, 5, 5, 5], 4),
        ({"mode": "max"}, [1, 2, 3, 2], 4),
        ({}, [1, float("nan"), 0.5], 2),
    ],
)
def test_early_stopping(options, losses, epochs):
    assert train(EarlyStopping(**options), val(*losses))[1] == epochs


def test_never_stops_at_the_first_epoch():
    assert train(EarlyStopping(baseline=-1.0), val(1, 2))[1] == 2


@pytest.mark.parametrize(("losses", "best"), [([3, 1, 2, 2], 1), ([3, 2, 1], 2), ([1, 2, 3, 4], 0)])
def test_best_weights_come_back_even_without_stopping(losses, best, capsys):
    callback = EarlyStopping(patience=2, restore_best_weights=True, verbose=1)
    model, _ = train(callback, val(*losses))
    assert model.weights[0][0] == callback.best_epoch == best
    assert f"end of the best epoch: {best + 1}." in capsys.readouterr().out


def test_used_again_it_forgets():
    callback = EarlyStopping()
    train(callback, val(1, 2))
    assert train(callback, val(5, 4, 4))[1] == 3


def test_auto_mode_asks_the_metric():
    logs = [{"val_accuracy": a} for a in (0.5, 0.6, 0.6)]
    assert train(EarlyStopping("val_accuracy"), logs)[1] == 3
    with pytest.raises(ValueError, match="a higher or lower 'val_gap'"):
        train(EarlyStopping("val_gap"), [{"val_gap": 1.0}] * 2)
    with pytest.raises(ValueError, match='mode must be "auto"'):
        EarlyStopping(mode="biggest")
    with pytest.raises(ValueError, match="patience"):
        EarlyStopping(patience=-1)


def test_a_missing_number_is_a_warning():
    with pytest.warns(UserWarning, match="'val_loss'.*There are: loss.*validation_data"):
        assert train(EarlyStopping(), [{"loss": 1.0}])[1] == 1


def rates(callback, losses, rate=1.0):
    model = FakeModel()
    model.optimizer.learning_rate = rate
    logs = val(*losses)
    train(callback, logs, model)
    return [entry["learning_rate"] for entry in logs], model.optimizer.learning_rate


def test_plateau():
    seen, last = rates(ReduceLROnPlateau(factor=0.5, patience=2), [3, 3, 3, 3, 3, 1])
    assert (seen, last) == ([1, 1, 1, 0.5, 0.5, 0.25], 0.25)


def test_plateau_cooldown_and_floor(capsys):
    seen, last = rates(ReduceLROnPlateau(factor=0.5, patience=1, cooldown=2, min_lr=0.4, verbose=1), [3] * 8)
    assert seen == [1, 1, 0.5, 0.5, 0.4, 0.4, 0.4, 0.4]
    assert last == 0.4
    assert "Epoch 2: ReduceLROnPlateau reducing learning rate to 0.5." in capsys.readouterr().out


def test_plateau_needs_more_than_min_delta():
    _, last = rates(ReduceLROnPlateau(factor=0.5, patience=1), [1.0, 1.0 - 5e-5])
    assert last == 0.5
    with pytest.raises(ValueError, match="factor"):
        ReduceLROnPlateau(factor=1.0)
    with pytest.warns(UserWarning, match="There are: loss, learning_rate"):
        train(ReduceLROnPlateau(), [{"loss": 1.0}])


@pytest.mark.parametrize("schedule", [lambda epoch: 0.5**epoch, lambda epoch, rate: rate / 2 if epoch else rate])
def test_scheduler(schedule):
    model = FakeModel()
    model.optimizer.learning_rate = 1.0
    logs = val(1, 1, 1)
    train(LearningRateScheduler(schedule, verbose=1), logs, model)
    assert [entry["learning_rate"] for entry in logs] == [1, 0.5, 0.25]


def test_scheduler_errors():
    with pytest.raises(TypeError, match="function of the epoch"):
        LearningRateScheduler(0.1)
    with pytest.raises(ValueError, match="Received: None for epoch 0"):
        train(LearningRateScheduler(lambda epoch: None), val(1))
    model = FakeModel()
    model.optimizer.learning_rate = schedules.CosineDecay(0.1, 5)
    with pytest.raises(TypeError, match="follows a CosineDecay"):
        train(LearningRateScheduler(lambda epoch: 0.1), val(1), model)


def test_an_error_inside_the_schedule_is_not_swallowed():
    def schedule(epoch, rate):
        raise TypeError("mine")

    with pytest.raises(TypeError, match="mine"):
        train(LearningRateScheduler(schedule), val(1))


@pytest.mark.parametrize("loss", [float("nan"), float("inf"), np.float32("nan")])
def test_terminate_on_nan(loss, capsys):
    model, callback = FakeModel(), TerminateOnNaN()
    callback.set_model(model)
    callback.on_train_batch_end(0, {"loss": 1.0})
    assert not model.stop_training
    callback.on_train_batch_end(3, {"loss": loss})
    assert model.stop_training
    assert "Batch 3" in capsys.readouterr().out
    with pytest.raises(RuntimeError, match="loss of batch 3"):
        TerminateOnNaN(raise_error=True).on_train_batch_end(3, {"loss": loss})

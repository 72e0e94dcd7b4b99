"""Optuna: pruned trials, refusals, and trials of two processes that come out the same wherever they run."""

import multiprocessing
import os
import sys

import numpy as np
import pytest

import fastnn
from fastnn import layers
from fastnn.interop import OptunaPruning
from fastnn.utils import set_random_seed

optuna = pytest.importorskip("optuna", reason="Optuna is not installed")

X = np.random.default_rng(0).normal(size=(64, 4)).astype(np.float32)
Y = X[:, :1] * X[:, 1:2]


@pytest.fixture(autouse=True)
def _quiet():
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    yield
    optuna.logging.set_verbosity(before)


def train(trial, epochs=4, callbacks=(), **settings):
    set_random_seed(7)
    units, rate = trial.suggest_int("units", 2, 16), trial.suggest_float("rate", 1e-3, 0.1, log=True)
    model = fastnn.Sequential([layers.Dense(units, "relu"), layers.Dropout(0.2), layers.Dense(1)])
    model.compile(fastnn.optimizers.Adam(rate), "mse")
    return model.fit(X, Y, epochs=epochs, verbose=0, callbacks=list(callbacks), **settings).history


def test_each_epoch_is_reported_and_the_pruner_ends_training():
    study = optuna.create_study(pruner=optuna.pruners.ThresholdPruner(upper=-1.0, n_warmup_steps=2))
    study.optimize(lambda trial: train(trial, callbacks=[OptunaPruning(trial, "loss")])["loss"][-1], n_trials=2)
    for trial in study.trials:
        assert trial.state == optuna.trial.TrialState.PRUNED
        expected = train(optuna.trial.FixedTrial(trial.params))["loss"][:3]
        assert trial.intermediate_values == dict(enumerate(map(float, expected)))


def test_good_trials_are_finished():
    study = optuna.create_study(pruner=optuna.pruners.MedianPruner(n_startup_trials=1))
    for rate in (0.05, 1e-9, 0.05):
        study.enqueue_trial({"units": 16, "rate": max(rate, 1e-3)})

    def objective(trial):
        return train(trial, 20, [OptunaPruning(trial)], validation_split=0.25)["val_loss"][-1]

    study.optimize(objective, n_trials=3)
    states = [trial.state.name for trial in study.trials]
    assert states == ["COMPLETE", "PRUNED", "COMPLETE"]
    assert study.trials[0].value == study.trials[2].value


def test_interval_is_that_of_the_validation():
    trial = optuna.create_study().ask()
    train(trial, 7, [OptunaPruning(trial, interval=3)], validation_split=0.25, validation_freq=3)
    assert list(trial.storage.get_trial(trial._trial_id).intermediate_values) == [2, 5]


@pytest.mark.parametrize(
    ("monitor", "settings", "message"),
    [
        ("val_loss", {}, r"watches 'val_loss', which is not in the logs. Received: loss. Use one of loss. Pass fit"),
        ("accuracy", {}, r"watches 'accuracy'.*Use one of loss\.$"),
        ("val_loss", {"validation_split": 0.2, "validation_freq": 2}, r"with validation_freq=n use interval=n"),
    ],
)
def test_a_name_that_is_not_in_the_logs(monitor, settings, message):
    trial = optuna.create_study().ask()
    with pytest.raises(ValueError, match=message):
        train(trial, callbacks=[OptunaPruning(trial, monitor)], **settings)


def test_a_metric_of_several_numbers_is_refused():
    callback = OptunaPruning(optuna.create_study().ask(), "f1")
    with pytest.raises(ValueError, match=r"'f1', which has the shape \(3,\). Use one of loss\."):
        callback.on_epoch_end(0, {"loss": 1.0, "f1": np.zeros(3)})


@pytest.mark.parametrize("interval", [0, -1, 1.5, True, None])
def test_intervals_that_are_refused(interval):
    with pytest.raises(ValueError, match="interval must be a number of epochs"):
        OptunaPruning(None, interval=interval)


def test_an_estimator_of_scikit_learn_is_pruned():
    base = pytest.importorskip("sklearn.base", reason="scikit-learn is not installed")
    from fastnn.interop import FastnnClassifier

    study = optuna.create_study(pruner=optuna.pruners.ThresholdPruner(upper=-1.0, n_warmup_steps=1))

    def objective(trial):
        found = FastnnClassifier(epochs=5, validation_split=0.2, callbacks=[OptunaPruning(trial)], random_state=0)
        return base.clone(found).fit(X, Y[:, 0] > 0).score(X, Y[:, 0] > 0)  # a copy reports to the same trial

    study.optimize(objective, n_trials=1)
    assert [list(trial.intermediate_values) for trial in study.trials] == [[0, 1]]


def work(path: str, name: str, trials: int) -> None:
    """What one process does of a study."""

    def objective(trial):
        trial.set_user_attr("process", os.getpid())
        return train(trial)["loss"][-1]

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(path))
    optuna.load_study(study_name=name, storage=storage).optimize(objective, n_trials=trials)


def test_trials_of_two_processes_repeat_from_their_parameters(tmp_path):
    path = str(tmp_path / "journal.log")
    storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(path))
    study = optuna.create_study(study_name="shared", storage=storage)
    settings = [{"units": 2 + i, "rate": 0.01 * (i + 1)} for i in range(6)]
    for one in settings:
        study.enqueue_trial(one)
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=work, args=(path, "shared", 3)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
        assert process.exitcode == 0
    trials = study.trials
    assert len({trial.user_attrs["process"] for trial in trials}) == 2
    assert sorted(trial.params["units"] for trial in trials) == [one["units"] for one in settings]
    for trial in trials:
        assert trial.value == train(optuna.trial.FixedTrial(trial.params))["loss"][-1]


def test_without_optuna_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ImportError, match=r"OptunaPruning needs optuna.*pip install 'fastnn-kernels\[optuna\]'"):
        OptunaPruning(None)

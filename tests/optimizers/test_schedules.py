"""Learning-rate schedules against Keras' numbers."""

import pytest

from fastnn.optimizers import schedules

STEPS = (0, 3, 5, 6, 10, 17, 30)
START = {"initial_learning_rate": 0.1}
# Keras 3, float32; the formula is the docstring of each class.
GOLDEN = [
    ("ExponentialDecay", START | {"decay_steps": 7, "decay_rate": 0.9},
     [0.1, 0.095585, 0.0927505, 0.0913649, 0.0860265, 0.0774238, 0.0636644]),
    ("ExponentialDecay", START | {"decay_steps": 7, "decay_rate": 0.9, "staircase": True},
     [0.1, 0.1, 0.1, 0.1, 0.09, 0.081, 0.06561]),
    ("PiecewiseConstantDecay", {"boundaries": [5, 10], "values": [0.1, 0.05, 0.01]},
     [0.1, 0.1, 0.1, 0.05, 0.05, 0.01, 0.01]),
    ("PolynomialDecay", START | {"decay_steps": 8, "end_learning_rate": 0.01, "power": 2.0},
     [0.1, 0.0451562, 0.0226563, 0.015625, 0.01, 0.01, 0.01]),
    ("PolynomialDecay", START | {"decay_steps": 8, "end_learning_rate": 0.01, "cycle": True},
     [0.1, 0.06625, 0.04375, 0.0325, 0.04375, 0.03625, 0.015625]),
    ("InverseTimeDecay", START | {"decay_steps": 7, "decay_rate": 0.5},
     [0.1, 0.0823529, 0.0736842, 0.07, 0.0583333, 0.0451613, 0.0318182]),
    ("InverseTimeDecay", START | {"decay_steps": 7, "decay_rate": 0.5, "staircase": True},
     [0.1, 0.1, 0.1, 0.1, 0.0666667, 0.05, 0.0333333]),
    ("CosineDecay", START | {"decay_steps": 20, "alpha": 0.1},
     [0.1, 0.0950953, 0.0868198, 0.0814503, 0.055, 0.0149047, 0.01]),
    ("CosineDecay",
     {"initial_learning_rate": 0.0, "decay_steps": 20, "alpha": 0.1, "warmup_target": 0.2, "warmup_steps": 5},
     [0.0, 0.12, 0.2, 0.198892, 0.1736396, 0.0821884, 0.02]),
    ("CosineDecayRestarts", START | {"first_decay_steps": 7},
     [0.1, 0.061126, 0.0188255, 0.0049516, 0.0890916, 0.0188255, 0.0766016]),
    ("CosineDecayRestarts", START | {"first_decay_steps": 7, "t_mul": 1.0, "m_mul": 0.8, "alpha": 0.1},
     [0.1, 0.0650134, 0.026943, 0.0144564, 0.0540107, 0.0452086, 0.0399242]),
    ("CosineDecayRestarts", START | {"first_decay_steps": 5, "t_mul": 1.5, "m_mul": 0.9},
     [0.1, 0.0345491, 0.09, 0.0861095, 0.0225, 0.0530152, 0.0508871]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "options", "expected"), GOLDEN)
def test_keras_numbers(name, options, expected):
    schedule = getattr(schedules, name)(**options)
    assert [schedule(step) for step in STEPS] == pytest.approx(expected, rel=1e-5, abs=1e-7)
    again = schedules.deserialize(schedules.serialize(schedule))
    assert again == schedule
    assert [again(step) for step in STEPS] == [schedule(step) for step in STEPS]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: schedules.ExponentialDecay(0.1, 0, 0.9), "decay_steps=0"),
        (lambda: schedules.PiecewiseConstantDecay([1, 2], [0.1, 0.2]), "2 boundaries, 2 values"),
        (lambda: schedules.PiecewiseConstantDecay([2, 1], [0.1, 0.2, 0.3]), "boundaries must ascend"),
        (lambda: schedules.CosineDecayRestarts(0.1, 5, t_mul=0.5), "t_mul=0.5"),
        (lambda: schedules.CosineDecay(0.1, -1), "decay_steps=-1"),
    ],
)
def test_errors_teach(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_schedule_of_ones_own():
    class Half(schedules.LearningRateSchedule):
        def __call__(self, step):
            return 0.5**step

    assert Half()(2) == 0.25
    with pytest.raises(NotImplementedError, match="__call__"):
        schedules.LearningRateSchedule()(0)

"""From what a user types to the object meant."""

import pytest

from fastnn.lookup import is_number, lookup, names_of, serialize, snake_case


class GlorotThing:
    def __init__(self, size=1):
        self.size = size

    def get_config(self):
        return {"size": self.size}

    def __call__(self):
        return self.size


TABLE = names_of([GlorotThing], glorot=GlorotThing)


@pytest.mark.parametrize(
    "typed", ["GlorotThing", "glorot_thing", "glorot", GlorotThing, {"class_name": "glorot"}, GlorotThing()]
)
def test_every_form(typed):
    assert lookup("thing", typed, TABLE).size == 1


def test_config_and_back():
    thing = lookup("thing", {"class_name": "GlorotThing", "config": {"size": 3}}, TABLE)
    assert lookup("thing", serialize(thing), TABLE).size == 3
    assert serialize(None) is None
    assert serialize(len) == "len"


@pytest.mark.parametrize(
    ("typed", "error", "message"),
    [
        ("gloro", ValueError, "Did you mean 'glorot'"),
        ("nothing", ValueError, "Known: 'glorot', 'glorot_thing'"),
        ({"config": {}}, ValueError, "class_name"),
        (None, TypeError, "Received: None of type NoneType"),
        (3, TypeError, "Received: 3 of type int"),
    ],
)
def test_errors_teach(typed, error, message):
    with pytest.raises(error, match=message):
        lookup("thing", typed, TABLE)


def test_snake_case():
    names = ["F1Score", "AUC", "AdamW", "RMSprop", "SGD", "L1L2", "TopKCategoricalAccuracy", "R2Score", "HeNormal"]
    expected = [
        "f1_score",
        "auc",
        "adamw",
        "rmsprop",
        "sgd",
        "l1_l2",
        "top_k_categorical_accuracy",
        "r2_score",
        "he_normal",
    ]
    assert [snake_case(name) for name in names] == expected


def test_is_number():
    import numpy as np

    assert all(is_number(x) for x in (1, 0.5, np.float32(2), np.int64(3)))
    assert not any(is_number(x) for x in (True, "1", b"1", None, [1], float("nan"), float("inf")))

"""Tables and columns of pandas, polars and Arrow as data: the numbers of arrays, and errors that name the column."""

import datetime
import decimal

import numpy as np
import pytest

import fastnn
from fastnn import layers
from fastnn.data import Dataset
from fastnn.data.foreign import is_arraylike, to_array
from fastnn.utils import set_random_seed, timeseries_dataset_from_array

RNG = np.random.default_rng(0)
COLUMNS = {"rooms": RNG.integers(1, 9, 12), "area": RNG.random(12), "old": RNG.random(12) < 0.5}
X = np.column_stack([column.astype(float) for column in COLUMNS.values()])
Y = X.sum(axis=1)


class Pandas:
    def __init__(self):
        self.library = pytest.importorskip("pandas", reason="pandas is not installed")

    def table(self, columns):
        return self.library.DataFrame(columns)

    def column(self, values, dtype=None):
        return self.library.Series(values, dtype=dtype, name="a")


class Polars:
    def __init__(self):
        self.library = pytest.importorskip("polars", reason="polars is not installed")

    def table(self, columns):
        return self.library.DataFrame(columns)

    def column(self, values, dtype=None):
        return self.library.Series("a", values, dtype=dtype)


class Arrow:
    def __init__(self):
        self.library = pytest.importorskip("pyarrow", reason="pyarrow is not installed")

    def table(self, columns):
        return self.library.table(dict(columns))

    def column(self, values, dtype=None):
        return self.library.chunked_array([self.library.array(values, type=dtype)])


@pytest.fixture(params=[Pandas, Polars, Arrow], ids=["pandas", "polars", "arrow"])
def library(request):
    return request.param()


def dense(shape=None):
    set_random_seed(3)
    model = fastnn.Sequential([layers.Dense(4, activation="tanh"), layers.Dense(1)])
    if shape is not None:
        model.build(shape)
    model.compile("sgd", "mse")
    return model


def test_every_call_takes_tables_and_columns(library):
    """The same bits as with arrays, validation and weights included."""
    x, y, weights = library.table(COLUMNS), library.column(Y), library.column(np.ones(12) * 0.5)
    ours, theirs = dense((None, 3)), dense((None, 3))
    settings = {"epochs": 2, "verbose": 0, "batch_size": 5, "validation_split": 0.25, "shuffle": False}
    a = ours.fit(x, y, sample_weight=weights, **settings)
    b = theirs.fit(X, Y, sample_weight=np.ones(12) * 0.5, **settings)
    assert a.history == b.history
    ours.fit(x, y, verbose=0, shuffle=False, validation_data=(x, y))
    theirs.fit(X, Y, verbose=0, shuffle=False, validation_data=(X, Y))
    assert ours.train_on_batch(x, y) == theirs.train_on_batch(X, Y)
    assert ours.evaluate(x, y, verbose=0) == theirs.evaluate(X, Y, verbose=0)
    found = ours.predict(x, verbose=0)
    assert type(found) is np.ndarray
    np.testing.assert_array_equal(found, theirs.predict(X, verbose=0))
    np.testing.assert_array_equal(ours.predict_on_batch(x), theirs.predict_on_batch(X))


def test_inputs_and_outputs_by_name(library):
    a, b = layers.Input((1,), name="rooms"), layers.Input((1,), name="area")
    joined = layers.Concatenate()([a, b])
    model = fastnn.Model([a, b], [layers.Dense(1, name="price")(joined), layers.Dense(1, name="rent")(joined)])
    model.compile("sgd", "mse")
    columns = {name: library.column(COLUMNS[name]) for name in ("area", "rooms")}
    targets = {"price": library.column(Y), "rent": library.column(Y / 2)}
    arrays = {name: COLUMNS[name] for name in ("rooms", "area")}
    assert model.evaluate(columns, targets, verbose=0) == model.evaluate(arrays, {"price": Y, "rent": Y / 2}, verbose=0)
    assert model.evaluate([columns["rooms"], columns["area"]], list(targets.values()), verbose=0) == model.evaluate(
        arrays, {"price": Y, "rent": Y / 2}, verbose=0
    )
    model.fit(columns, targets, verbose=0, validation_split=0.5, sample_weight=library.column(np.ones(12)))


def test_datasets_of_tables(library):
    rows = list(Dataset.from_tensor_slices((library.table(COLUMNS), library.column(Y))))
    np.testing.assert_array_equal([x for x, _ in rows], X)
    np.testing.assert_array_equal([y for _, y in rows], Y)
    by_name = Dataset.from_tensor_slices({name: library.column(column) for name, column in COLUMNS.items()})
    assert next(iter(by_name)).keys() == COLUMNS.keys()
    words = Dataset.from_tensor_slices(library.column(["good", "bad"]))
    assert list(words) == ["good", "bad"]
    assert all(isinstance(word, str) for word in words)
    element = next(iter(Dataset.from_generator(lambda: iter([library.column([1.0, 2.0])]))))
    np.testing.assert_array_equal(element, [1, 2])
    windows = next(iter(timeseries_dataset_from_array(library.column(Y), None, 3)))
    np.testing.assert_array_equal(windows[0], Y[:3])


def test_dtypes_of_tables(library):
    assert to_array("x", library.table(COLUMNS)).dtype == np.float64
    assert to_array("x", library.table({"a": np.ones(2, np.int16), "b": np.ones(2, np.int32)})).dtype == np.int32
    assert to_array("x", library.table({"a": np.ones(2, np.float32), "b": np.ones(2, bool)})).dtype == np.float32
    assert to_array("x", library.column([True, False])).dtype == bool
    assert np.isnan(to_array("x", library.column(np.array([1.0, np.nan])))[1])


def test_columns_are_not_copied(library):
    values = RNG.random(100)
    column = library.column(values)
    assert np.shares_memory(to_array("x", column), to_array("x", column))


def test_a_list_with_a_column_is_refused(library):
    column = library.column(Y)
    with pytest.raises(TypeError, match=r"Received: a list of 2 arrays"):
        dense().fit([column, column], Y, verbose=0)


NAMED = r"x\['a'\] must "
REFUSED = {
    "texts": (
        lambda library: ["a", "b"],
        NAMED + r"hold numbers. Received: texts, the first 'a'. Use np.unique\(x\['a'",
    ),
    "missing": (
        lambda library: library.column([1, None], MISSING[type(library)](library)),
        NAMED + r"not have missing values. Received: 1 of them, dtype .nt64. Use x\['a'\].fill(na|_null)\(0\)",
    ),
    "texts and none": (
        lambda library: ["a", None],
        NAMED + r"not have .* Use x\['a'\].fill(na|_null)\(\"\"\), or leave",
    ),
    "times": (
        lambda library: [datetime.datetime(2024, 1, day) for day in (1, 2)],
        NAMED + r"hold numbers. Received: times, dtype (datetime|Datetime|timestamp).* Use .* seconds",
    ),
    "categories": (
        lambda library: CATEGORIES[type(library)](library),
        NAMED + r"hold numbers. Received: categories, .* Use x\['a'\].(cat.codes|to_physical|combine_chunks\(\).ind)",
    ),
    "objects": (
        lambda library: [decimal.Decimal(1), decimal.Decimal(2)],
        NAMED + r"hold one number per row. Received: dtype .* of type Decimal. Use x\['a'\].astype",
    ),
    "lists": (lambda library: [[1.0, 2.0], [3.0, 4.0]], NAMED + r"hold one number per row. .*np.stack"),
}
MISSING = {
    Pandas: lambda library: "Int64",
    Polars: lambda library: library.library.Int64,
    Arrow: lambda library: library.library.int64(),
}
CATEGORIES = {
    Pandas: lambda library: library.column(["a", "b"], "category"),
    Polars: lambda library: library.column(["a", "b"], library.library.Categorical),
    Arrow: lambda library: library.column(["a", "b"]).dictionary_encode(),
}


@pytest.mark.parametrize("what", REFUSED)
def test_columns_that_are_not_numbers(library, what):
    """Refused by name, and the model is as it was."""
    make, words = REFUSED[what]
    model = dense()
    with pytest.raises((TypeError, ValueError), match=words):
        model.fit(library.table({"b": [1, 2], "a": make(library)}), np.ones(2), verbose=0)
    assert not model.built


def test_targets_that_are_not_numbers(library):
    with pytest.raises(TypeError, match=r"y must hold numbers. Received: texts, the first 'a'. Use y = np.unique"):
        dense().fit(X[:2], library.column(["a", "b"]), verbose=0)
    with pytest.raises(TypeError, match=r"y must hold numbers. Received: categories"):
        dense().fit(X[:2], CATEGORIES[type(library)](library), verbose=0)


def test_tables_without_numbers(library):
    with pytest.raises(ValueError, match=r"x must have columns. Received: a table of shape"):
        dense().predict(library.table({}), verbose=0)
    with pytest.raises(ValueError, match=r"x must hold at least one example"):
        dense().predict(library.table({"a": np.zeros(0)}), verbose=0)


def test_a_pandas_table_of_one_dtype_is_not_copied():
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    table = pandas.DataFrame(X)
    assert np.shares_memory(to_array("x", table), table.to_numpy())
    twice = pandas.DataFrame(np.arange(4.0).reshape(2, 2), columns=["a", "a"])
    np.testing.assert_array_equal(to_array("x", twice), [[0, 1], [2, 3]])
    mixed = pandas.DataFrame({"a": pandas.array([1, 2], "Int32"), "b": pandas.array([0.5, 1], "Float32")})
    np.testing.assert_array_equal(to_array("x", mixed), [[1, 0.5], [2, 1]])
    assert is_arraylike(table.index)


def test_a_polars_column_of_arrays_is_a_matrix():
    polars = pytest.importorskip("polars", reason="polars is not installed")
    column = polars.Series([[1, 2], [3, 4]], dtype=polars.Array(polars.Float32, 2))
    np.testing.assert_array_equal(to_array("x", column), [[1, 2], [3, 4]])
    with pytest.raises(TypeError, match=r"Received: column 'a' of x with values of shape \(2,\). Use x\['a'\] alone"):
        to_array("x", polars.DataFrame({"a": column}))

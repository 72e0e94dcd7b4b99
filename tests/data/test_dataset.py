"""Dataset: what each method yields, against the values of tf.data."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastnn.data import AUTOTUNE, INFINITE_CARDINALITY, UNKNOWN_CARDINALITY, Dataset, TensorSpec


def plain(dataset):
    """Return the elements as lists and numbers."""

    def of(value):
        if isinstance(value, tuple):
            return tuple(map(of, value))
        if isinstance(value, dict):
            return {key: of(part) for key, part in value.items()}
        return value if isinstance(value, str) else np.asarray(value).tolist()

    return [of(element) for element in dataset]


def counted(n):
    """Like ``Dataset.range(n)``, but from a generator: one element at a time, of unknown length."""
    return Dataset.from_generator(lambda: iter(range(n)))


def test_slices_of_nested_arrays():
    x, y = np.arange(6).reshape(3, 2), [1.0, 2.0, 3.0]
    assert plain(Dataset.from_tensor_slices(x)) == [[0, 1], [2, 3], [4, 5]]
    data = Dataset.from_tensor_slices(({"x": x, "names": ["a", "b", "c"]}, (y, [[1], [2], [3]])))
    assert len(data) == 3
    assert plain(data)[1] == ({"x": [2, 3], "names": "b"}, (2.0, [2]))
    batch = next(iter(data.batch(2)))
    assert plain([batch]) == [({"x": [[0, 1], [2, 3]], "names": ["a", "b"]}, ([1.0, 2.0], [[1], [2]]))]
    assert batch[0]["names"].dtype == object
    assert batch[1][0].dtype == np.float64


def test_slices_are_read_only_views():
    x = np.zeros((4, 2))
    row = next(iter(Dataset.from_tensor_slices(x)))
    assert np.shares_memory(row, x)
    with pytest.raises(ValueError, match="read-only"):
        row[0] = 1
    row += 1  # a tensor: another one
    assert not x.any()
    batch = next(iter(Dataset.from_tensor_slices(x).batch(2)))
    batch += 1
    assert not x.any()
    assert x.flags.writeable


def test_ragged_lists():
    data = Dataset.from_tensor_slices(([[1, 2, 3], [], [4]], [0, 1, 0]))
    assert plain(data) == [([1, 2, 3], 0), ([], 1), ([4], 0)]
    assert {row.dtype for row, _ in data} == {np.dtype(np.int64)}
    assert plain(data.padded_batch(2)) == [([[1, 2, 3], [0, 0, 0]], [0, 1]), ([[4]], [0])]
    with pytest.raises(ValueError, match=r"padded_batch"):
        list(data.batch(2))
    words = Dataset.from_tensor_slices([["a", "b"], ["c"]])
    assert plain(words.padded_batch(2)) == [[["a", "b"], ["c", ""]]]


def test_tensors_range_and_zip():
    assert plain(Dataset.from_tensors(([1, 2], 3)).repeat(2)) == [([1, 2], 3)] * 2
    assert plain(Dataset.range(5, 1, -2)) == [5, 3]
    assert next(iter(Dataset.range(10**15).skip(3))) == 3
    a, b = Dataset.range(3), counted(5)
    assert plain(Dataset.zip(a, b)) == plain(Dataset.zip((a, b))) == [(0, 0), (1, 1), (2, 2)]
    assert plain(Dataset.zip({"a": a, "b": (b, a)}).take(1)) == [{"a": 0, "b": (0, 0)}]
    xy = Dataset.zip((Dataset.from_tensor_slices(np.arange(4.0)), Dataset.range(3)))
    assert len(xy) == 3
    assert plain(xy.batch(2)) == [([0.0, 1.0], [0, 1]), ([2.0], [2])]


@pytest.mark.parametrize("make", [Dataset.range, counted])
def test_rearranging(make):
    assert plain(make(5).take(2)) == [0, 1]
    assert plain(make(3).take(-1)) == plain(make(3).take(9)) == [0, 1, 2]
    assert plain(make(5).skip(3)) == [3, 4]
    assert plain(make(3).skip(-1)) == plain(make(3).skip(9)) == plain(make(3).repeat(0)) == []
    assert plain(make(2).repeat(3)) == [0, 1] * 3
    assert plain(make(2).repeat().skip(1).take(4)) == [1, 0, 1, 0]
    assert plain(make(0).repeat()) == []
    assert plain(make(2).concatenate(make(1))) == [0, 1, 0]
    assert plain(make(3).skip(1).enumerate(start=7)) == [(7, 1), (8, 2)]
    assert plain(make(2).enumerate()) == [(0, 0), (1, 1)]
    assert plain(make(5).batch(2)) == [[0, 1], [2, 3], [4]]
    assert plain(make(5).batch(2, drop_remainder=True)) == [[0, 1], [2, 3]]
    assert plain(make(5).batch(2).unbatch()) == [0, 1, 2, 3, 4]
    assert plain(make(3).repeat(2).batch(4)) == [[0, 1, 2, 0], [1, 2]]
    assert plain(make(6).filter(lambda i: i % 2 == 1)) == [1, 3, 5]
    assert plain(make(2).map(lambda i: (i, [i, i + 1], {"s": str(i)}))) == [
        (0, [0, 1], {"s": "0"}),
        (1, [1, 2], {"s": "1"}),
    ]
    assert plain(make(3).prefetch(AUTOTUNE).as_numpy_iterator()) == [0, 1, 2]


def test_functions_get_tuples_unpacked_and_dicts_whole():
    pairs = Dataset.from_tensor_slices(([1, 2], [10, 20]))
    assert plain(pairs.map(lambda a, b: a + b, num_parallel_calls=AUTOTUNE)) == [11, 22]
    assert plain(pairs.filter(lambda a, b: b > 10)) == [(2, 20)]
    named = Dataset.from_tensor_slices({"a": [1, 2], "b": [10, 20]})
    assert plain(named.map(lambda d: d["a"] * d["b"])) == [10, 40]


def test_each_iteration_starts_again():
    calls = []

    def numbers():
        calls.append(None)
        yield from range(3)

    data = Dataset.from_generator(numbers).map(lambda i: i * 2)
    assert plain(data) == plain(data) == [0, 2, 4]
    assert len(calls) == 2
    first, second = iter(data), iter(data)
    assert [next(first), next(first), next(second)] == [0, 2, 0]


def test_cache_keeps_a_full_iteration():
    calls = []
    data = Dataset.range(4).map(lambda i: calls.append(i) or i).cache()
    next(iter(data))
    assert plain(data) == plain(data) == [0, 1, 2, 3]
    assert len(calls) == 1 + 4
    data = Dataset.range(50).shuffle(50).cache()
    assert plain(data) == plain(data)  # the order too


def test_generators_with_a_signature():
    def rows(n):
        for i in range(n):
            yield list(range(i)), i

    signature = (TensorSpec((None,), "float32"), TensorSpec((), np.int32))
    data = Dataset.from_generator(rows, args=(3,), output_signature=signature)
    assert plain(data) == [([], 0), ([0.0], 1), ([0.0, 1.0], 2)]
    x, i = list(data)[2]
    assert (x.dtype, i.dtype) == (np.float32, np.int32)
    assert data.element_spec == signature
    same = Dataset.from_generator(rows, ("float32", "int32"), ([None], []), args=(3,))
    assert same.element_spec == signature
    with pytest.raises(ValueError, match=r"shape \(2,\).*Received: \(0,\)"):
        list(Dataset.from_generator(rows, args=(3,), output_signature=(TensorSpec((2,), "float32"), signature[1])))
    with pytest.raises(TypeError, match="output_signature"):
        list(Dataset.from_generator(lambda: iter([1.5]), output_signature=TensorSpec((), "int32")))
    with pytest.raises(TypeError, match="output_signature"):
        list(Dataset.from_generator(lambda: iter([(1, 2)]), output_signature=TensorSpec((), "int32")))
    with pytest.raises(TypeError, match="lambda"):
        Dataset.from_generator(iter([1]))


def test_cardinality_and_length():
    n = Dataset.range(10)
    unknown, endless = n.filter(bool), n.repeat()
    expected = {
        n.batch(3): 4,
        n.batch(3, drop_remainder=True): 3,
        endless.take(3): 3,
        endless.skip(3): INFINITE_CARDINALITY,
        endless.batch(2): INFINITE_CARDINALITY,
        endless.filter(bool): UNKNOWN_CARDINALITY,
        unknown.take(3): UNKNOWN_CARDINALITY,
        unknown.repeat(): INFINITE_CARDINALITY,
        unknown.repeat(0): 0,
        n.concatenate(n.take(4)): 14,
        n.concatenate(endless): INFINITE_CARDINALITY,
        n.concatenate(unknown): UNKNOWN_CARDINALITY,
        Dataset.zip(n, endless): 10,
        Dataset.zip(endless, endless): INFINITE_CARDINALITY,
        Dataset.range(0).repeat(): 0,
        endless.enumerate(): INFINITE_CARDINALITY,
        n.shuffle(3).cache().map(abs).prefetch(1): 10,
    }
    for dataset, cardinality in expected.items():
        assert dataset.cardinality() == cardinality
        if cardinality < 0:
            with pytest.raises(TypeError, match="no length"):
                len(dataset)
        else:
            assert len(dataset) == len(list(dataset)) == cardinality
        assert dataset
    assert repr(n) == "<Dataset of 10 elements>"


def test_element_specs():
    x = np.zeros((5, 2), np.float32)
    data = Dataset.from_tensor_slices((x, [[1], [2, 3], [], [4], [5]]))
    assert data.element_spec == (TensorSpec((2,), "float32"), TensorSpec((None,), "int64"))
    assert data.shuffle(3).padded_batch(2).element_spec[1] == TensorSpec((None, None), "int64")
    assert Dataset.from_tensor_slices(x).batch(2, drop_remainder=True).element_spec == TensorSpec((2, 2), "float32")
    assert data.map(lambda a, b: a).element_spec == TensorSpec((2,), "float32")
    assert Dataset.range(3).element_spec == TensorSpec((), "int64")
    with pytest.raises(ValueError, match="Received: an empty dataset"):
        _ = Dataset.range(0).map(abs).element_spec


@pytest.mark.parametrize(
    ("action", "error", "words"),
    [
        (lambda d: Dataset(), TypeError, "from_tensor_slices"),
        (lambda d: Dataset.from_tensor_slices(3), TypeError, "arrays and lists"),
        (lambda d: Dataset.from_tensor_slices(np.float64(3)), ValueError, "from_tensors"),
        (lambda d: Dataset.from_tensor_slices(([1, 2], [3])), ValueError, "lengths 2, 1"),
        (lambda d: Dataset.from_tensor_slices(()), ValueError, "no array"),
        (lambda d: Dataset.from_tensor_slices([1, None]), TypeError, "NoneType"),
        (lambda d: Dataset.from_tensor_slices([[1], 2]), ValueError, "one rank"),
        (lambda d: Dataset.from_tensor_slices([[[1], [2, 3]], [[4]]]), ValueError, "from_generator"),
        (lambda d: Dataset.from_tensor_slices(([1], None)), TypeError, "Received: NoneType"),
        (lambda d: Dataset.zip(d, [1, 2]), TypeError, "Received: list"),
        (lambda d: d.batch(0), ValueError, "batch_size=0"),
        (lambda d: d.batch(True), ValueError, "batch_size=True"),
        (lambda d: d.shuffle(0), ValueError, "buffer_size=0"),
        (lambda d: d.take(1.5), ValueError, "count=1.5"),
        (lambda d: d.repeat(-2), ValueError, "count=-2"),
        (lambda d: d.prefetch(-2), ValueError, "buffer_size=-2"),
        (lambda d: list(d.map(lambda i: None)), TypeError, "Received: None"),
        (lambda d: list(d.map(lambda i: {1, 2})), TypeError, "Received: set"),
        (lambda d: list(d.unbatch()), ValueError, "unbatch"),
        (lambda d: list(d.map(lambda i: (i, i) if i else i).batch(2)), ValueError, "nested alike"),
        (lambda d: list(d.map(lambda i: np.zeros(i)).batch(2)), ValueError, r"\(0,\), \(1,\)"),
        (lambda d: list(d.map(lambda i: i if i else np.zeros(2)).batch(2)), ValueError, "one shape"),
    ],
)
def test_what_is_refused(action, error, words):
    with pytest.raises(error, match=words):
        action(Dataset.range(3))


STEPS = st.lists(
    st.tuples(st.sampled_from(["take", "skip", "repeat", "shuffle", "enumerate", "cache"]), st.integers(1, 7)),
    max_size=5,
)


@settings(deadline=None)
@given(n=st.integers(0, 20), steps=STEPS, size=st.integers(1, 6), drop=st.booleans())
def test_blocks_of_rows_equal_one_element_at_a_time(n, steps, size, drop):
    """However the elements are rearranged, gathering blocks of rows gives the same as one element at a time."""
    y = np.arange(n) * 10
    rows = Dataset.from_tensor_slices((np.arange(2 * n).reshape(n, 2), y))
    stream = rows.map(lambda a, b: (a, b))
    again = all(step != "take" for step, _ in steps)  # blocks read ahead, and may start an order that is never used
    for seed, (step, k) in enumerate(steps):
        if step == "shuffle":
            rows, stream = (d.shuffle(k, seed, again) for d in (rows, stream))
        elif step == "cache":
            rows, stream = rows.cache(), stream.cache()
        elif step == "enumerate":
            rows, stream = (d.enumerate(k).map(lambda i, e: (e[0], e[1] + i)) for d in (rows, stream))
        else:
            rows, stream = getattr(rows, step)(k), getattr(stream, step)(k)
    rows, stream = rows.batch(size, drop), stream.batch(size, drop)
    assert len(rows) == len(stream)
    for _ in range(2):
        assert plain(rows) == plain(stream)


def test_large_blocks_span_several_chunks():
    n = 20_000
    batches = list(Dataset.range(n).skip(5).repeat(2).batch(9_000))
    assert [len(b) for b in batches] == [9_000, 9_000, 9_000, 9_000, 3_990]
    assert list(itertools.chain(*map(np.ndarray.tolist, batches))) == list(range(5, n)) * 2

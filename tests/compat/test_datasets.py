"""``tf.data`` as tutorials use it; in the order in which TensorFlow gives the elements."""

import gzip

import numpy as np
import pytest

import fastnn.compat.tensorflow as tf

PIPELINES = [
    "range(10).window(3)",
    "range(10).window(3, shift=1, drop_remainder=True)",
    "range(10).window(3, shift=4, stride=2)",
    "range(11).window(2, shift=5, stride=3, drop_remainder=True)",
    "range(10).window(20, drop_remainder=True)",
]
FLAT = [
    "range(7).interleave(lambda n: D.range(n), cycle_length=3, block_length=2)",
    "range(5).interleave(lambda n: D.from_tensors(n).repeat(n + 1), cycle_length=2)",
    "range(4).interleave(lambda n: D.range(3), cycle_length=10, block_length=2, num_parallel_calls=2)",
    "range(4).flat_map(lambda n: D.from_tensors(n).repeat(2))",
    "range(10).shard(3, 2)",
    "range(10).take_while(lambda i: i < 4)",
    "range(2, 20, 5)",
    "range(6).batch(4).unbatch()",
    "range(4).concatenate(D.range(2)).enumerate(5).map(lambda i, x: i * 10 + x)",
    "range(5).filter(lambda i: i % 2 == 0).repeat(2).skip(1)",
]


def windows(D, pipeline):
    dataset = eval("D." + pipeline, {"D": D})
    return [[int(i) for i in window] for window in dataset]


def flat(D, pipeline):
    return [int(i) for i in eval("D." + pipeline, {"D": D})]


def test_against_tensorflow():
    theirs = pytest.importorskip("tensorflow", reason="TensorFlow is not installed").data.Dataset
    for pipeline in PIPELINES:
        assert windows(tf.data.Dataset, pipeline) == windows(theirs, pipeline), pipeline
    for pipeline in FLAT:
        assert flat(tf.data.Dataset, pipeline) == flat(theirs, pipeline), pipeline


def test_windows_and_turns():
    D = tf.data.Dataset
    assert windows(D, PIPELINES[0]) == [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9]]
    assert windows(D, PIPELINES[2]) == [[0, 2, 4], [4, 6, 8], [8]]
    assert windows(D, PIPELINES[3]) == [[0, 3], [5, 8]]
    assert windows(D, PIPELINES[4]) == []
    assert flat(D, FLAT[1]) == [0, 1, 2, 1, 2, 3, 2, 3, 4, 3, 4, 3, 4, 4, 4] or len(flat(D, FLAT[1])) == 15
    assert flat(D, "range(2).interleave(lambda n: D.from_tensors(n).repeat(4), block_length=2)") == [0, 0, 1, 1] * 2
    for pipeline in PIPELINES:
        dataset = eval("D." + pipeline, {"D": D})
        assert len(dataset) == len(list(dataset)), pipeline


def test_the_windows_of_a_series():
    series = np.arange(10, dtype="float32")
    dataset = tf.data.Dataset.from_tensor_slices(series).window(5, shift=1, drop_remainder=True)
    dataset = dataset.flat_map(lambda w: w.batch(5)).map(lambda w: (w[:-1], w[-1:])).shuffle(10).batch(2).prefetch(1)
    x, y = next(iter(dataset))
    assert (x.shape, y.shape, type(x.numpy())) == ((2, 4), (2, 1), np.ndarray)
    np.testing.assert_array_equal(x[:, -1] + 1, y[:, 0])
    pairs = tf.data.Dataset.from_tensor_slices((series, -series)).window(2)
    first = next(iter(pairs.flat_map(lambda a, b: tf.data.Dataset.zip((a.batch(2), b.batch(2))))))
    assert [part.tolist() for part in first] == [[0, 1], [0, -1]]


def test_elements_answer_numpy():
    dataset = tf.data.Dataset.from_tensor_slices((["aé", "b"], [1, 2]))
    for text, number in dataset.take(1):
        assert text.numpy().decode() == "aé"
        assert text == "aé"
        assert number.numpy() == 1
    assert [type(leaf) for leaf in next(dataset.as_numpy_iterator())] == [str, np.int64]
    for batch, _ in dataset.batch(2):
        assert batch.numpy().tolist() == ["aé".encode(), b"b"]


def test_lines_and_names_of_files(tmp_path):
    (tmp_path / "a.txt").write_text("one\ntwo\r\n", encoding="utf-8")
    (tmp_path / "b.txt").write_bytes(b"drei\n")
    with gzip.open(tmp_path / "c.gz", "wb") as file:
        file.write("vier\nfünf".encode())
    paths = [str(tmp_path / "a.txt"), tmp_path / "b.txt"]
    lines = tf.data.TextLineDataset(paths)
    assert list(lines) == list(lines) == ["one", "two", "drei"]
    assert list(tf.data.TextLineDataset(tmp_path / "c.gz", "GZIP")) == ["vier", "fünf"]
    assert [int(n) for n in lines.map(len)] == [3, 3, 4]
    names = tf.data.Dataset.list_files(str(tmp_path / "*.txt"), shuffle=False)
    assert list(names) == list(map(str, paths))
    assert sorted(tf.data.Dataset.list_files(str(tmp_path / "*.txt"), seed=1)) == list(map(str, paths))
    assert list(names.interleave(tf.data.TextLineDataset, cycle_length=2)) == ["one", "drei", "two"]
    for call, error, words in (
        (lambda: tf.data.TextLineDataset("nowhere"), FileNotFoundError, "There is no file 'nowhere'"),
        (lambda: tf.data.TextLineDataset(paths, "ZLIB"), ValueError, 'None or "GZIP". Received'),
        (lambda: tf.data.Dataset.list_files("nowhere*"), ValueError, "found no file. Received"),
    ):
        with pytest.raises(error, match=words):
            call()


def test_other_names():
    D = tf.data.Dataset
    data = D.range(3)
    assert tf.data.experimental.cardinality(data) == 3
    assert tf.data.experimental.AUTOTUNE == tf.data.AUTOTUNE
    assert int(D.range(7, 8).get_single_element()) == 7
    assert [int(i) for i in data.apply(lambda d: d.skip(1))] == [1, 2]
    assert int(data.reduce(np.int64(0), lambda total, i: total + i)) == 3
    options = tf.data.Options()
    options.experimental_distribute.auto_shard_policy = 1
    assert len(data.with_options(options)) == 3
    assert D.range(2, output_type=tf.float32).element_spec.dtype == np.float32
    kept = data.map(lambda i: 6 // (i - 1) if i == 1 else i).ignore_errors()
    assert len(list(kept)) >= 1
    for call, words in (
        (lambda: data.window(0), "size must be an integer of at least 1"),
        (lambda: list(data.flat_map(lambda i: i)), "flat_map needs a function that gives a Dataset"),
        (lambda: list(data.window(2).flat_map(lambda w: (w, w))), r"Use Dataset.zip\(\(a, b\)\)"),
        (lambda: data.repeat().reduce(0, lambda a, b: a), "never ends. Use take"),
        (lambda: data.shard(2, 2), "index must be below num_shards, 2"),
        (lambda: data.get_single_element(), "Received: more"),
        (lambda: data.cache("file"), "cache keeps elements in memory"),
    ):
        with pytest.raises((TypeError, ValueError), match=words):
            call()

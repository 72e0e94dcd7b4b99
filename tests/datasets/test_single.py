"""Data sets of one file: found, downloaded from a local server, cut as Keras cuts them; damaged and hostile files."""

import hashlib
import io
import json
import pickle
import tarfile

import numpy as np
import pytest

from fastnn.datasets import boston_housing, california_housing, cifar10, cifar100, imdb, reuters


def npz(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def ragged(rows):
    found = np.empty(len(rows), object)
    found[:] = rows
    return found


ROWS = [[1, 5, 9], [2, 2], [7], [3, 4, 5, 6], [8, 1]]
REVIEWS = npz(x_train=ragged(ROWS), y_train=np.arange(5) % 2, x_test=ragged(ROWS[:2]), y_test=np.array([1, 0]))
NEWS = npz(x=ragged(ROWS), y=np.arange(5))
TABLE = npz(x=np.arange(20.0).reshape(10, 2), y=np.arange(10.0))


def archive(**files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(f"cifar/{name.replace('__', '.')}")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return out.getvalue()


def record(*labels):
    return bytes(labels) + bytes(i % 256 for i in range(3072))


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("FASTNN_DATA", str(tmp_path))
    return tmp_path


def put(home, folder, name, content):
    (home / folder).mkdir()
    (home / folder / name).write_bytes(content)


def test_imdb(home):
    put(home, "imdb", "imdb.npz", REVIEWS)
    (x_train, y_train), (x_test, y_test) = imdb.load_data()
    order = np.arange(5)
    rng = np.random.RandomState(113)
    rng.shuffle(order)
    assert y_train.tolist() == (order % 2).tolist()
    assert x_train[0] == [1, *(w + 3 if w + 3 < 12 else 2 for w in ROWS[order[0]])]
    assert x_train.dtype == object and len(x_test) == len(y_test) == 2  # noqa: PT018
    (x, _), _ = imdb.load_data(num_words=6, start_char=None, oov_char=None, index_from=0, path="imdb.npz")
    assert sorted(map(tuple, x)) == sorted(tuple(w for w in row if w < 6) for row in ROWS)
    (x, _), _ = imdb.load_data(maxlen=4, skip_top=5)
    assert max(map(len, x)) == 3
    with pytest.raises(ValueError, match="maxlen=1 leaves no review"):
        imdb.load_data(maxlen=1)


def test_reuters(home):
    put(home, "reuters", "reuters.npz", NEWS)
    (x_train, y_train), (x_test, y_test) = reuters.load_data(test_split=0.4)
    assert (len(x_train), len(x_test)) == (3, 2)
    assert sorted([*y_train, *y_test]) == [0, 1, 2, 3, 4]
    (home / "reuters" / "reuters_word_index.json").write_text(json.dumps({"the": 1}))
    assert reuters.get_word_index() == {"the": 1}


def test_tables(home):
    put(home, "boston_housing", "boston_housing.npz", TABLE)
    put(home, "california_housing", "california_housing.npz", TABLE)
    order = np.arange(10)
    np.random.RandomState(113).shuffle(order)
    for module in (boston_housing, california_housing):
        (x_train, y_train), (x_test, y_test) = module.load_data()
        np.testing.assert_array_equal(np.concatenate([y_train, y_test]), order)
        assert (x_train.shape, x_test.shape) == ((8, 2), (2, 2))
    with pytest.raises(ValueError, match="test_split=1"):
        boston_housing.load_data(test_split=1)
    with pytest.raises(ValueError, match="version='tiny'"):
        california_housing.load_data("tiny")


def test_cifar(home):
    batches = {f"data_batch_{i}__bin": record(i) for i in range(1, 6)}
    put(home, "cifar10", "cifar-10-binary.tar.gz", archive(**batches, test_batch__bin=record(7)))
    (x_train, y_train), (x_test, y_test) = cifar10.load_data()
    assert (x_train.shape, y_train.ravel().tolist(), y_test.tolist()) == ((5, 32, 32, 3), [1, 2, 3, 4, 5], [[7]])
    assert x_test[0, 0, 1].tolist() == [1, 1025 % 256, 2049 % 256]
    content = archive(train__bin=record(3, 42) * 2, test__bin=record(4, 43))
    put(home, "cifar100", "cifar-100-binary.tar.gz", content)
    assert cifar100.load_data()[0][1].tolist() == [[42], [42]]
    assert cifar100.load_data("coarse")[1][1].tolist() == [[4]]
    with pytest.raises(ValueError, match="label_mode='both'"):
        cifar100.load_data("both")


def test_downloads(server, monkeypatch, tmp_path):
    server.files["boston_housing.npz"] = TABLE
    monkeypatch.setattr(boston_housing._SET, "url", f"{server.address}boston_housing.npz")
    with pytest.raises(ConnectionError, match=r"other bytes than expected(.|\n)*Put boston_housing.npz into"):
        boston_housing.load_data()
    monkeypatch.setattr(boston_housing._SET, "digest", hashlib.sha256(TABLE).hexdigest())
    assert boston_housing.load_data()[0][0].shape == (8, 2)
    asked = len(server.requests)
    assert boston_housing.load_data()[0][0].shape == (8, 2)
    assert len(server.requests) == asked
    assert [file.name for file in (tmp_path / "cache/fastnn/boston_housing").iterdir()] == ["boston_housing.npz"]


def test_offline_it_says_what_to_put_where(monkeypatch, tmp_path):
    monkeypatch.setattr(imdb._SET, "url", "http://127.0.0.1:9/imdb.npz")
    with pytest.raises(ConnectionError, match=r"could not be downloaded(.|\n)*Put imdb.npz into .*FASTNN_DATA"):
        imdb.load_data()
    with pytest.raises(FileNotFoundError, match=r"does not contain imdb. Put imdb.npz"):
        imdb.load_data(path=tmp_path / "nowhere")


class Hostile:
    def __reduce__(self):
        import os

        return os.system, ("echo hostile",)


def test_no_pickle_runs(home, capfd):
    bad = ragged([Hostile(), [1]])
    put(home, "imdb", "imdb.npz", npz(x_train=bad, y_train=[0, 1], x_test=bad, y_test=[0, 1]))
    with pytest.raises(ValueError, match=r"cannot be used.*an array of lists does not need"):
        imdb.load_data()
    assert "hostile" not in capfd.readouterr().out
    for content in (b"", b"PK", REVIEWS[:400], npz(x=np.ones(3)), pickle.dumps([1])):
        (home / "imdb" / "imdb.npz").write_bytes(content)
        with pytest.raises(ValueError, match="cannot be used"):
            imdb.load_data()

"""Finding and loading MNIST and Fashion-MNIST: places, formats, and what is refused."""

import gzip
import io
import os
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fastnn.datasets import _download, fashion_mnist, mnist

from .conftest import STEMS, idx_bytes, small_arrays

NAMES = ("x_train", "y_train", "x_test", "y_test")


def flat(loaded):
    (x_train, y_train), (x_test, y_test) = loaded
    return [x_train, y_train, x_test, y_test]


def same(loaded, arrays):
    for got, expected in zip(flat(loaded), arrays, strict=True):
        assert got.dtype == np.uint8
        np.testing.assert_array_equal(got, expected)
    return True


def put(folder, arrays, form="gz"):
    folder.mkdir(parents=True, exist_ok=True)
    if form == "npz":
        np.savez_compressed(folder / "mnist.npz", **dict(zip(NAMES, arrays, strict=True)))
    for stem, array in zip(STEMS, arrays, strict=True):
        if form == "gz":
            (folder / f"{stem}.gz").write_bytes(gzip.compress(idx_bytes(array)))
        elif form == "idx":
            (folder / stem).write_bytes(idx_bytes(array))
    return folder


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    def fetch(*args):
        raise AssertionError("no download is allowed here")

    monkeypatch.setattr(_download, "fetch", fetch)


@pytest.mark.parametrize("form", ["gz", "idx", "npz"])
@pytest.mark.parametrize("inside", ["", "mnist"])
def test_path_is_a_folder_in_either_format(tmp_path, arrays, form, inside):
    put(tmp_path / "here" / inside, arrays, form)
    assert same(mnist.load_data(tmp_path / "here"), arrays)
    assert same(mnist.load_data(str(tmp_path / "here")), arrays)


def test_path_is_an_npz_file(tmp_path, arrays):
    folder = put(tmp_path / "here", arrays, "npz")
    assert same(mnist.load_data(folder / "mnist.npz"), arrays)


def test_npz_without_compression(tmp_path, arrays):
    np.savez(tmp_path / "own.npz", **dict(zip(NAMES, arrays, strict=True)))
    assert same(mnist.load_data(tmp_path / "own.npz"), arrays)


def test_fastnn_data_comes_before_the_cache(tmp_path, arrays, monkeypatch):
    put(tmp_path / "cache" / "fastnn" / "mnist", small_arrays(5, 2))
    assert len(mnist.load_data()[0][0]) == 5
    monkeypatch.setenv("FASTNN_DATA", str(tmp_path / "data"))
    assert mnist.find() == tmp_path / "cache" / "fastnn" / "mnist"  # FASTNN_DATA does not have the set: search on
    put(tmp_path / "data" / "mnist", arrays)
    assert mnist.find() == tmp_path / "data" / "mnist"
    assert same(mnist.load_data(), arrays)


def test_the_cache_is_in_the_home_folder_by_default(tmp_path, arrays, monkeypatch):
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    put(tmp_path / "home" / ".cache" / "fastnn" / "mnist", arrays)
    assert same(mnist.load_data(), arrays)


def test_sets_that_share_file_names_are_not_mixed_up(tmp_path, arrays, monkeypatch):
    put(tmp_path / "data", arrays)
    put(tmp_path / "data" / "mnist", arrays)
    monkeypatch.setenv("FASTNN_DATA", str(tmp_path / "data"))
    assert fashion_mnist.find() is None
    put(tmp_path / "data" / "fashion-mnist", small_arrays(4, 4))
    assert len(fashion_mnist.load_data()[0][0]) == 4


def test_keras_default_path_is_a_name_in_the_cache(tmp_path, arrays, monkeypatch):
    monkeypatch.chdir(tmp_path)
    put(tmp_path / "cache" / "fastnn" / "mnist", arrays)
    assert same(mnist.load_data(path="mnist.npz"), arrays)


def test_an_incomplete_folder_does_not_count(tmp_path, arrays):
    folder = put(tmp_path / "here", arrays)
    (folder / f"{STEMS[3]}.gz").unlink()
    assert mnist.find(folder) is None
    with pytest.raises(FileNotFoundError, match="does not contain mnist") as caught:
        mnist.load_data(folder)
    assert all(f"{stem}.gz" in str(caught.value) for stem in STEMS)
    assert "FASTNN_DATA" in str(caught.value)


@pytest.mark.parametrize(
    ("position", "array", "message"),
    [
        (0, np.zeros((7, 28, 27), np.uint8), "images of shape"),
        (0, np.zeros((7, 784), np.uint8), "images of shape"),
        (2, np.zeros((3, 28, 28), np.float32), "uint8 images"),
        (1, np.zeros(6, np.uint8), "7 uint8 labels"),
        (1, np.zeros((7, 1), np.uint8), "7 uint8 labels"),
        (3, np.array([0, 10, 1], np.uint8), "labels from 0 to 9"),
    ],
)
def test_files_with_other_content_are_refused(tmp_path, arrays, position, array, message):
    arrays[position] = array
    with pytest.raises(ValueError, match=message):
        mnist.load_data(put(tmp_path / "here", arrays))


def npz_with(tmp_path, header: bytes, body: bytes = b""):
    """An archive whose x_train has this .npy header."""
    path = tmp_path / "hostile.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        entry = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header
        archive.writestr("x_train.npy", entry + body)
    return path


@pytest.mark.parametrize(
    "header",
    [
        b"{'descr': '|u1', 'fortran_order': False, 'shape': (1152921504606846976, 28, 28), }",
        b"{'descr': '|u1', 'fortran_order': False, 'shape': (-1, -28, 28), }",
        b"{'descr': '|u1', 'fortran_order': True, 'shape': (1, 28, 28), }",
        b"{'descr': '|O', 'fortran_order': False, 'shape': (1, 28, 28), }",
        b"{'descr': '|u1', 'fortran_order': False, 'shape': (2, 28, 28), }",
        b"{'descr': '|u1', 'shape': (2, 28, 28), }",
        b"__import__('os').abort()",
        b"((((((((",
        b"",
    ],
)
def test_hostile_npy_headers_are_refused(tmp_path, header):
    with pytest.raises(ValueError, match="Received: "):
        mnist.load_data(npz_with(tmp_path, header, bytes(28 * 28)))


def test_an_npz_without_the_arrays_is_refused(tmp_path):
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    with pytest.raises(ValueError, match="no x_train"):
        mnist.load_data(tmp_path / "other.npz")


def test_pickled_arrays_are_refused(tmp_path, arrays):
    arrays[1] = np.array([1, "a", None, [], 2, 3, 4], object)
    with pytest.raises(ValueError, match="y_train to be uint8"):
        mnist.load_data(put(tmp_path / "here", arrays, "npz"))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_bytes_as_npz_give_arrays_or_a_value_error(tmp_path, data):
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **dict(zip(NAMES, small_arrays(1, 1), strict=True)))
    content = bytearray(buffer.getvalue())
    for _ in range(data.draw(st.integers(0, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / "flipped.npz"
    path.write_bytes(bytes(content[: data.draw(st.integers(0, len(content)))]))
    try:
        got = mnist.load_data(path)
    except ValueError as error:
        got = str(error)
    assert "Received: " in got if isinstance(got, str) else len(got) == 2


def test_class_names():
    assert fashion_mnist.class_names[0] == "T-shirt/top"
    assert fashion_mnist.class_names[9] == "Ankle boot"
    assert len(fashion_mnist.class_names) == len(set(fashion_mnist.class_names)) == len(mnist.class_names) == 10


REAL = os.environ.get("FASTNN_DATA", "")


@pytest.mark.skipif(not REAL, reason="FASTNN_DATA is not set")
@pytest.mark.parametrize(("module", "mean"), [(mnist, 0.1307), (fashion_mnist, 0.2860)])
def test_the_real_sets(module, mean):
    if module.find(REAL) is None:
        pytest.skip(f"{REAL} does not contain {module.__name__}")
    (x_train, y_train), (x_test, y_test) = module.load_data(REAL)
    assert x_train.shape == (60000, 28, 28)
    assert x_test.shape == (10000, 28, 28)
    assert y_train.shape == (60000,)
    assert y_test.shape == (10000,)
    assert {a.dtype for a in (x_train, y_train, x_test, y_test)} == {np.dtype(np.uint8)}
    assert round(float(x_train.mean()) / 255, 4) == mean
    assert np.bincount(y_train).min() > 5000

"""The IDX reader: every type, and any bytes."""

import gzip
import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fastnn.datasets._idx import read_idx

from .conftest import idx_bytes


def write(tmp_path, content: bytes):
    path = tmp_path / "some-idx"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("dtype", ["u1", "i1", "i2", "i4", "f4", "f8"])
@pytest.mark.parametrize("shape", [(0,), (1,), (7,), (3, 5), (2, 3, 4), (2, 0, 4)])
@pytest.mark.parametrize("compress", [False, True])
def test_every_type_and_shape(tmp_path, dtype, shape, compress):
    array = (np.random.default_rng(1).normal(size=shape) * 100).astype(dtype)
    content = idx_bytes(array)
    got = read_idx(write(tmp_path, gzip.compress(content, mtime=0) if compress else content))
    assert got.dtype == array.dtype
    assert got.dtype.isnative
    assert got.flags.writeable
    np.testing.assert_array_equal(got, array)


GOOD = idx_bytes(np.arange(6, dtype=np.uint8).reshape(2, 3))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "bytes 00 00"),
        (GOOD[:3], "bytes 00 00"),
        (b"\1" + GOOD[1:], "bytes 00 00"),
        (b"\0\0\x0a" + GOOD[3:], "bytes 00 00"),
        (b"\0\0\x08\0", "axes"),
        (b"\0\0\x08\xff" + bytes(2000), "axes"),
        (GOOD[:9], "sizes in the header"),
        (GOOD[:-1], "6 bytes of numbers"),
        (GOOD + b"x", "Received: more"),
        (gzip.compress(GOOD, mtime=0)[:-9], "intact gzip"),
        (gzip.compress(GOOD, mtime=0)[:-8] + bytes(8), "intact gzip"),
        (b"\x1f\x8b" + bytes(30), "intact gzip"),
        (gzip.compress(GOOD[:-1], mtime=0), "6 bytes of numbers"),
        (gzip.compress(GOOD + b"x", mtime=0), "Received: more"),
        (b"\0\0\x0e\x08" + b"\xff" * 32, "far too small"),
        (b"\0\0\x08\x03" + struct.pack(">3I", 0, 2**32 - 1, 2**32 - 1), "sizes that an array can have"),
        (b"\0\0\x0e\x03" + struct.pack(">3I", 2**31, 0, 2**30), "sizes that an array can have"),
        (gzip.compress(b"\0\0\x08\x03" + struct.pack(">3I", 2**31, 2**31, 4), mtime=0), "far too small"),
    ],
)
def test_the_error_names_the_broken_file(tmp_path, content, message):
    path = write(tmp_path, content)
    with pytest.raises(ValueError, match=message) as caught:
        read_idx(path)
    assert str(path) in str(caught.value)
    assert "Received: " in str(caught.value)


def test_a_hostile_header_allocates_no_memory(tmp_path):
    path = write(tmp_path, gzip.compress(b"\0\0\x08\x01" + struct.pack(">I", 2**32 - 1), mtime=0))
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="far too small"):
            read_idx(path)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_bytes_give_an_array_or_a_value_error(tmp_path, data):
    start = data.draw(st.sampled_from([b"", b"\0\0\x08\1", GOOD, gzip.compress(GOOD, mtime=0)]))
    content = bytearray(start + data.draw(st.binary(max_size=40)))
    for _ in range(data.draw(st.integers(0, 3))):
        if content:
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = write(tmp_path, bytes(content[: data.draw(st.integers(0, len(content)))]))
    try:
        got = read_idx(path)
    except ValueError as error:
        got = str(error)
    assert isinstance(got, np.ndarray) or "cannot be read as an IDX file" in got

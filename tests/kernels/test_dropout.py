"""Dropout and its random numbers: Philox's published vectors, masks, rates, normal numbers."""

from math import erf

import numpy as np
import pytest

from fastnn.reference.dropout import _philox
from tests.kernels.harness import Contract


class TestContract(Contract):
    family = "dropout"


# The known answers of Philox4x32-10 published with the generator: counter, key, words.
KNOWN = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


@pytest.mark.parametrize(("counter", "key", "words"), KNOWN)
def test_the_twin_is_philox(counter, key, words):
    result = _philox([np.array([word], np.uint64) for word in counter], key)
    assert tuple(int(word[0]) for word in result) == words


def test_first_block_of_key_and_call_zero(backend):
    np.testing.assert_array_equal(backend.random_bits(4, 0, 0), np.array(KNOWN[0][2], np.uint32), strict=True)


def test_words_do_not_depend_on_the_length(backend):
    long = backend.random_bits(103, 5, 6)
    for n in range(103):
        np.testing.assert_array_equal(backend.random_bits(n, 5, 6), long[:n])


def test_keys_and_calls_use_all_their_bits(backend):
    streams = [backend.random_bits(8, key, call) for key, call in ((1, 0), (0, 1), (2**32, 0), (0, 2**32), (2**63, 0))]
    assert len({stream.tobytes() for stream in streams}) == len(streams)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.8])
def test_the_mask_is_the_bits(backend, dtype, rate):
    x = np.ones((31, 17), dtype)
    kept = backend.random_bits(x.size, 9, 10).reshape(x.shape) < (1 - rate) * 2**32
    y = backend.dropout_forward(x, rate, 9, 10)
    np.testing.assert_array_equal(y, kept * dtype.type(1 / (1 - rate)), strict=False)
    np.testing.assert_array_equal(backend.dropout_backward(x, rate, 9, 10), y, strict=True)


def test_about_a_fifth_is_dropped(backend):
    y = backend.dropout_forward(np.ones(100_000), 0.2, 1, 2)
    assert abs((y == 0).mean() - 0.2) < 0.005
    assert abs(y.mean() - 1) < 0.01


def test_rates_zero_and_one(backend, dtype):
    x = np.arange(1, 10, dtype=dtype)
    np.testing.assert_array_equal(backend.dropout_forward(x, 0.0, 1, 2), x, strict=True)
    assert not backend.dropout_forward(x, 1.0, 1, 2).any()


def test_a_dropped_nan_is_zero_and_a_kept_one_stays(backend, dtype):
    kept = backend.dropout_forward(np.ones(31, dtype), 0.5, 1, 2) > 0
    y = backend.dropout_forward(np.full(31, np.nan, dtype), 0.5, 1, 2)
    np.testing.assert_array_equal(np.isnan(y), kept)
    assert not y[~kept].any()


def test_bad_numbers(backend):
    x = np.ones(3)
    for rate in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValueError, match="rate"):
            backend.dropout_forward(x, rate, 1, 2)
    for key, call in ((-1, 0), (0, 2**64)):
        with pytest.raises(ValueError, match="Received"):
            backend.dropout_forward(x, 0.5, key, call)
        with pytest.raises(ValueError, match="Received"):
            backend.random_bits(3, key, call)
    with pytest.raises(TypeError):
        backend.dropout_forward(x, 0.5, 1.5, 0)
    with pytest.raises(ValueError, match="n"):
        backend.random_bits(-1, 0, 0)


@pytest.mark.parametrize("i", [0, 1, 2, 3, 17])
def test_the_threshold_is_exact(backend, dtype, i):
    """A rate for which element i is the last kept word, and one for which it is the first dropped."""
    word = int(backend.random_bits(18, 3, 4)[i])
    kept = backend.dropout_forward(np.ones(18, dtype), 1 - (word + 1) / 2**32, 3, 4)
    dropped = backend.dropout_forward(np.ones(18, dtype), 1 - word / 2**32, 3, 4)
    assert kept[i] > 0
    assert dropped[i] == 0


# Normal numbers.


def test_normals_by_hand(backend, dtype):
    """Box and Muller on the words of a known block."""
    u, v = (np.array(KNOWN[0][2], np.float64)[i::2] / 2**32 for i in (0, 1))
    r = np.sqrt(-2 * np.log(1 - u))
    expected = [r[0] * np.cos(2 * np.pi * v[0]), r[0] * np.sin(2 * np.pi * v[0])]
    expected += [r[1] * np.cos(2 * np.pi * v[1]), r[1] * np.sin(2 * np.pi * v[1])]
    z = backend.random_normal(4, 0, 0, dtype)
    assert z.dtype == dtype
    np.testing.assert_allclose(z, expected, rtol=1e-6 if dtype == np.float32 else 1e-14)


def test_normals_do_not_depend_on_the_length(backend, dtype):
    long = backend.random_normal(103, 5, 6, dtype)
    for n in range(103):
        np.testing.assert_array_equal(backend.random_normal(n, 5, 6, dtype), long[:n])


def test_both_precisions_give_the_same_normals(backend):
    z = backend.random_normal(10_001, 5, 6, "float64")
    # Each is within 10 roundings of the radius, at most 6.7, of the same number.
    np.testing.assert_allclose(backend.random_normal(10_001, 5, 6), z, rtol=0, atol=6.7 * 10 * 2**-24)


def test_normals_have_a_normal_distribution(backend, dtype):
    n = 200_000
    z = backend.random_normal(n, 7, 8, dtype).astype(np.float64)
    # Five standard errors: the moments of n draws have variances 1, 2, 15, 96 over n.
    for power, mean, variance in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96)):
        assert abs((z**power).mean() - mean) < 5 * np.sqrt(variance / n)
    for distance in (1, 2, 3):  # neighbours and partners are uncorrelated
        assert abs((z[:-distance] * z[distance:]).mean()) < 5 / np.sqrt(n)
    below = np.sort(z)
    normal = np.array([0.5 * (1 + erf(x / np.sqrt(2))) for x in below[::100]])
    assert np.abs(normal - np.arange(0, n, 100) / n).max() < 1.95 / np.sqrt(n)  # Kolmogorov and Smirnov, one in 1,000


def test_radii_near_zero_are_precise(backend, dtype):
    """Small u: 1 − u would keep few of its digits in float32."""
    bits, z = backend.random_bits(2_000_000, 1, 1), backend.random_normal(2_000_000, 1, 1, dtype)
    small = np.flatnonzero(bits[::2] < 2**14)
    assert len(small) > 2
    u = bits[2 * small] / 2**32
    radii = np.hypot(z[2 * small].astype(np.float64), z[2 * small + 1])
    np.testing.assert_allclose(radii, np.sqrt(-2 * np.log1p(-u)), rtol=1e-6)


def test_normals_of_bad_arguments(backend):
    with pytest.raises(ValueError, match="n must be at least 0"):
        backend.random_normal(-1, 0, 0)
    with pytest.raises(ValueError, match=r"Received.*float16"):
        backend.random_normal(3, 0, 0, "float16")
    with pytest.raises(ValueError, match="Received"):
        backend.random_normal(3, -1, 0)
